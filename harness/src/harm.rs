//! How badly a stream can hurt a policy: ENOMEM with as much free memory as possible.
//!
//! A goal fixes the policy, the area and n, the largest count asked. The **harm** of a stream is
//! 1 - M / area at its first refusal, M being the most of (live + asked) up to there: a policy that
//! refuses with little ever live is hurt badly. "Free share at a refusal" would be degenerate:
//! allocate half, allocate a page, free the half, ask for more than half.

#[cfg(feature = "cli")]
pub(crate) mod adversary;
pub mod archive;
pub mod bounds;
mod confirm;
mod evaluate;
mod field;
#[cfg(feature = "cli")]
mod follow;
mod goal;
pub mod search;

pub use confirm::confirm;
pub use evaluate::{Outcome, Reach, plain, played};
pub(crate) use evaluate::{evaluate, realised};
pub use field::Refusal;
#[cfg(feature = "cli")]
pub(crate) use follow::followed;
pub use goal::{Align, Goal};
