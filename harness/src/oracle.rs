//! What is true, whatever a policy says.

mod model;
pub mod name;
mod reference;
mod witness;

pub use model::{Buffer, Model};
pub(crate) use reference::Fit;
pub use reference::{Place, Reference};
pub use witness::{Checks, Outcome, Witness};

/// A policy broke a law: which, at which op, and the numbers.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("law {law} broken at op {op}: {what}")]
pub struct Violation {
    /// The law, by the name that `cmalab list laws` shows.
    pub law: &'static str,
    /// Index of the op at which it showed, from 0 on.
    pub op: u64,
    /// What was expected and what happened.
    pub what: String,
}
