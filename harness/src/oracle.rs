//! What is true, whatever a policy says.

mod model;
pub mod name;
mod reference;
mod violation;
mod witness;

pub use model::{Buffer, Model};
pub use reference::{Fit, Place, Reference};
pub use violation::Violation;
pub use witness::{Checks, Outcome, Witness};
