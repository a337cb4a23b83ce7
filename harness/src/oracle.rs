//! What is true, whatever a policy says.

mod model;
mod violation;
mod witness;

pub use model::{Buffer, Model};
pub use violation::Violation;
pub use witness::{Checks, Outcome, Witness};
