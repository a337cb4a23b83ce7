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
    pub const fn is_withheld(self) -> bool {
        !matches!(self, Self::TooLarge | Self::Exhausted)
    }

    /// The cause of a refusal, from the model as it was (a refusal changes nothing).
    pub fn of(model: &Model, request: Request, outcome: &Outcome) -> Self {
        let count = request.count();
        if count > model.area().largest_range() {
            return Self::TooLarge;
        }
        // Where nothing was tried the kernel's count can be the reason, whatever the bitmap has.
        let counted = outcome.attempts == 0 && model.available_pages() < count;
        if model.free_pages() < count || counted {
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

#[cfg(test)]
mod tests {
    use cma_policies::{AllocError, Area, Run};

    use super::*;
    use crate::environment::Spent;

    fn refused(last_failed: Option<ClaimError>) -> Outcome {
        Outcome {
            answer: Err(AllocError::NoMemory),
            attempts: 0,
            attempts_in_last_pass: 0,
            busy: 0,
            last_failed: last_failed.map(|error| (Run::new(4, 1), error)),
            pauses: 0,
            paused_us: 0,
            spent: Spent::default(),
        }
    }

    #[test]
    fn the_first_that_holds_from_where_it_begins_to_hold() {
        let area = Area::new("cma", 0, &[Run::new(0, 12), Run::new(16, 4)]).unwrap();
        let mut model = Model::new(area);
        let of = |model: &Model, count, align| {
            Cause::of(model, Request::new(count, align).unwrap(), &refused(None))
        };
        // Pages 3 to 11 and 16 to 19 are free: 13, at most 9 of them together.
        model.grant(1, Request::new(3, 0).unwrap(), Run::new(0, 3));
        assert_eq!(of(&model, 13, 0), Cause::TooLarge);
        assert_eq!(of(&model, 12, 0), Cause::Fragmentation);
        assert_eq!(of(&model, 10, 3), Cause::Fragmentation);
        assert_eq!(of(&model, 9, 2), Cause::Alignment);
        assert_eq!(of(&model, 9, 0), Cause::Policy);
        assert_eq!(of(&model, 8, 2), Cause::Policy);
        // Without the second range 9 are free, and they lie together.
        model.grant(2, Request::new(4, 0).unwrap(), Run::new(16, 4));
        assert_eq!(of(&model, 13, 0), Cause::TooLarge);
        assert_eq!(of(&model, 12, 0), Cause::Exhausted);
        assert_eq!(of(&model, 10, 0), Cause::Exhausted);
        assert_eq!(of(&model, 9, 0), Cause::Policy);
        for (error, cause) in [
            (ClaimError::Interrupted, Cause::Interrupted),
            (ClaimError::NoMemory, Cause::Migration),
            (ClaimError::Busy, Cause::Busy),
        ] {
            let outcome = refused(Some(error));
            assert_eq!(Cause::of(&model, Request::new(9, 0).unwrap(), &outcome), cause);
            assert_eq!(Cause::of(&model, Request::new(9, 2).unwrap(), &outcome), Cause::Alignment);
        }
    }

    #[test]
    fn enough_was_free_but_for_two() {
        let not = Cause::ALL.into_iter().filter(|cause| !cause.is_withheld());
        assert_eq!(not.collect::<Vec<_>>(), [Cause::TooLarge, Cause::Exhausted]);
    }
}
