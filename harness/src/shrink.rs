//! Smaller streams that still fail for the same cause, or break the same law.
//!
//! What is kept is a [`Goal`]: the cause of a refusal and the share of the area that is free then,
//! or the name of a law. What goes, in this order, until nothing more does: clients, sessions,
//! buffers, single ops, pages of the area (only where asked), pages of each request, orders. Then
//! what is left is numbered anew. Every change that keeps the goal stays, so the same stream comes
//! out every time.
//!
//! A *session* is what one client does from an alloc while it holds nothing to the free after
//! which it holds nothing again. With an alloc go its frees.

mod case;
mod cut;
mod debugfs;
mod names;
mod pages;
mod run;
mod rust;
mod subject;
mod write;

pub use case::from_case;
pub use debugfs::debugfs;
pub use run::{Found, Refusal, Seen, find};
pub use rust::{law_test, stream_test};
pub use subject::{Item, Subject};
pub use write::write;

use cut::Cutter;

use crate::cause::Cause;
use crate::replay::{Error, Under};

/// What a smaller stream must still show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// A refusal.
    Refusal {
        /// For this cause.
        cause: Cause,
        /// With no smaller share of the area free than so many pages…
        free_pages: u64,
        /// … of so many,
        area_pages: u64,
        /// less so many millionths of the area.
        tolerance_ppm: u32,
    },
    /// The policy breaks the law of this name.
    Law(&'static str),
}

impl Goal {
    /// Whether a refusal for `cause` with `free` of `pages` free meets it.
    pub fn is_met_by(&self, cause: Cause, free: u64, pages: u64) -> bool {
        let Self::Refusal { cause: kept, free_pages, area_pages, tolerance_ppm } = *self else {
            return false;
        };
        // Shares by cross-multiplication. Areas have far fewer than 2^50 pages; where one had more,
        // a product that saturates would be no share any more.
        let product = |a: u64, b: u64| u128::from(a).saturating_mul(u128::from(b));
        let has = product(free, area_pages).saturating_mul(1_000_000);
        let tolerated = product(pages, area_pages).saturating_mul(tolerance_ppm.into());
        let needs = product(free_pages, pages).saturating_mul(1_000_000);
        cause == kept && has.saturating_add(tolerated) >= needs
    }
}

/// What may be changed, and how long it may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most runs of a smaller stream.
    pub tries: u64,
    /// Whether the area may become smaller.
    pub area: bool,
    /// Whether requests may ask for fewer pages and lower orders.
    pub sizes: bool,
}

impl Limits {
    /// Runs that are enough for what people have.
    pub const TRIES: u64 = 50_000;
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shrunk {
    /// The smaller stream: its last op shows what was kept.
    pub subject: Subject,
    /// What it shows.
    pub seen: Seen,
    /// Runs that it took.
    pub tries: u64,
    /// Whether no single change makes it smaller; else the tries were used up.
    pub is_smallest: bool,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Runs so far.
    pub tries: u64,
    /// Ops that are left.
    pub ops: usize,
}

/// Shrinks `subject`, which shows `goal`; `watch` hears of every try.
///
/// # Errors
/// Where the policy cannot be built for the area, and where `subject` does not show `goal`.
pub fn shrink(
    subject: &Subject,
    under: &Under<'_>,
    goal: Goal,
    limits: Limits,
    watch: &mut dyn FnMut(Progress),
) -> Result<Shrunk, Error> {
    let mut cutter = Cutter::new(subject, under, goal, limits, watch)?;
    while !cutter.is_out() {
        let before = cutter.subject.clone();
        cutter.cut();
        if limits.area {
            cutter.area();
        }
        // Only once nothing more goes: small requests would need more of them to fill an area.
        if limits.sizes && cutter.subject == before {
            cutter.sizes();
        }
        if cutter.subject == before {
            break;
        }
    }
    let (tries, is_smallest) = (cutter.tries, !cutter.is_out());
    cutter.names();
    let subject = cutter.subject;
    let seen = subject.run(under, goal)?.ok_or_else(|| run::unmet(&subject))?;
    Ok(Shrunk { subject, seen, tries, is_smallest })
}
