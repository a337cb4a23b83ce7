//! What is true, whatever a policy says.

use std::fmt;

mod model;
pub mod name;
mod reference;
mod witness;

pub use model::{Buffer, Model};
pub(crate) use reference::Fit;
pub use reference::{Place, Reference};
pub use witness::{Checks, Outcome, Witness};

/// A policy broke a law: which, at which op, and the numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The law, by the name that `cmalab list laws` shows.
    pub law: &'static str,
    /// Index of the op at which it showed, from 0 on.
    pub op: u64,
    /// What was expected and what happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {} broken at op {}: {}", self.law, self.op, self.what)
    }
}

impl std::error::Error for Violation {}
