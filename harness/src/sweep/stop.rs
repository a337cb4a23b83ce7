//! When a configuration has been run for enough seeds.

use crate::stats::anytime;

/// Stop running seeds once it is clear, for every policy, on which side of a threshold the share of
/// failing streams lies.
///
/// A stream fails if any of its requests is refused. The rule is looked at after every
/// [`Stop::ROUND`] seeds, in the order of the seeds, with intervals that are valid at any time
/// ([`anytime`]): which seeds are run depends on the plan alone, not on threads, shards or stops.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stop {
    /// The threshold: a share of streams, above 0 and below 1.
    pub failed_share: f64,
}

impl Stop {
    /// Seeds between two looks.
    pub const ROUND: u64 = 16;

    /// Whether all is clear once, of `streams` streams, so many failed under each policy.
    #[must_use]
    pub fn is_clear(&self, failed: &[u64], streams: u64) -> bool {
        failed.iter().all(|failed| {
            let interval = anytime::share_interval(*failed, streams);
            interval.low.is_some_and(|low| low > self.failed_share)
                || interval.high.is_some_and(|high| high < self.failed_share)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_clear_once_every_policy_lies_on_one_side() {
        let stop = Stop { failed_share: 0.1 };
        assert!(!stop.is_clear(&[0], 1));
        // All of 16 failed: far above; none of 16 may still be above a tenth.
        assert!(stop.is_clear(&[16], 16));
        assert!(!stop.is_clear(&[16, 0], 16));
        assert!(stop.is_clear(&[160, 0], 160));
        assert!(!stop.is_clear(&[16], 160), "just what is asked about is never clear");
    }
}
