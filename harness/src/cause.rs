//! Why a request failed: one table for simulation and diagnosis.

use std::fmt;

use cma_policies::{ClaimError, Request};

use crate::oracle::{Model, Outcome};

/// Why a request failed. The first that holds, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// More pages than the largest range has.
    TooLarge,
    /// Fewer pages are free than were asked for.
    Exhausted,
    /// Enough pages are free, but no hole is long enough.
    Fragmentation,
    /// A hole is long enough, but not from its first aligned page on.
    Alignment,
    /// A fatal signal ended a claim.
    Interrupted,
    /// The system has no memory to migrate pages to.
    Migration,
    /// Every place that was tried was busy.
    Busy,
    /// Refused only because of attempts in flight.
    Transient,
    /// An aligned fit exists and no claim was made: zones, buddy rounding.
    Policy,
}

impl Cause {
    /// Every cause, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::TooLarge,
        Self::Exhausted,
        Self::Fragmentation,
        Self::Alignment,
        Self::Interrupted,
        Self::Migration,
        Self::Busy,
        Self::Transient,
        Self::Policy,
    ];

    /// The word for it in every format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Exhausted => "exhausted",
            Self::Fragmentation => "fragmentation",
            Self::Alignment => "alignment",
            Self::Interrupted => "interrupted",
            Self::Migration => "migration",
            Self::Busy => "busy",
            Self::Transient => "transient",
            Self::Policy => "policy",
        }
    }

    /// Whether it is ENOMEM with free pages: enough were free, and the request failed.
    #[must_use]
    pub const fn is_withheld(self) -> bool {
        !matches!(self, Self::TooLarge | Self::Exhausted)
    }

    /// The cause of a refusal, from the model as it was (a refusal changes nothing).
    #[must_use]
    pub fn of(model: &Model, request: Request, outcome: &Outcome) -> Self {
        let count = request.count();
        if count > model.area().largest_range() {
            return Self::TooLarge;
        }
        if model.free_pages() < count {
            return Self::Exhausted;
        }
        if model.longest_run() < count {
            return Self::Fragmentation;
        }
        if !model.fits(request) {
            return Self::Alignment;
        }
        match outcome.last_failed {
            Some((_, ClaimError::Interrupted)) => Self::Interrupted,
            Some((_, ClaimError::NoMemory)) => Self::Migration,
            Some((_, ClaimError::Busy)) => Self::Busy,
            None => Self::Policy,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
