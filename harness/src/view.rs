//! What lay where, from the first op to the last: films of areas, who stands in the way of what was
//! refused, and from when on it had no place.
//!
//! A [`Film`] is of one area: under a policy ([`run`]), or as a real kernel did it ([`recorded`]). All
//! that is asked of it is asked of its events alone, so that what a page draws and what a test
//! proves are the same.

mod blockers;
mod difference;
mod doomed;
mod film;
mod recorded;
mod run;
mod snapshots;
mod state;

pub use blockers::{Place, Places, places};
pub use difference::{Answered, Difference, difference};
pub use doomed::{Doomed, doomed};
pub use film::{Buffer, Event, Film, Refusal, What, number_together};
pub use recorded::recorded;
pub use run::{of_ops, run};
pub use snapshots::{CLIENTS, Snapshots, snapshots};
pub use state::State;
