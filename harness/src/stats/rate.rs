//! Time to first failure, at most one failure a stream.
//!
//! What is counted is how many streams failed, and the time at risk: of each stream the time until
//! its first failure, or all of it. Where the hazard is constant, those who wait for the next
//! failure learn nothing from how long they have waited, so the failures come along the time at
//! risk as a Poisson process, and the bounds are its exact ones (Garwood, 1936; Epstein and Sobel,
//! 1953). Where hazards change with age or differ between streams they are not bounds of anything
//! but the mean rate over the ages that were watched.
//!
//! To drop a configuration early because it misses its target
//! ([`rate_above`](super::anytime::rate_above)) proves none that would not have been proven. To go
//! on with more hours because it was not proven is another look, which these do not allow for.
//!
//! All are one-sided: the lower bound is missed in at most 5 % of sweeps. "Nothing failed" and
//! "the target is met" ask for nothing else. MTBF, time at risk and target have one unit, any.

use super::gamma;

/// How often a bound may miss.
pub const MISS: f64 = 0.05;

/// The MTBF that is exceeded with 95 %: 0 failures in 768 hours at risk give 256.4 hours.
pub fn mtbf_low(failures: u64, at_risk: f64) -> f64 {
    mtbf_low_at(failures, at_risk, MISS)
}

/// As [`mtbf_low`], missed with the chance `miss`, above 0 and below 1.
pub fn mtbf_low_at(failures: u64, at_risk: f64, miss: f64) -> f64 {
    at_risk.max(0.0) / gamma::quantile(1.0 - miss, failures as f64 + 1.0)
}

/// The p of "the MTBF is below `target`": how likely so few failures are were it just `target`. At
/// most 5 % exactly where [`mtbf_low`] is at least `target`. 1 with no time at risk.
pub fn mtbf_p(failures: u64, at_risk: f64, target: f64) -> f64 {
    gamma::below_and_above(at_risk.max(0.0) / target, failures as f64 + 1.0).1
}

/// The time at risk with which so many failures just meet `target`, by a bound that is missed with
/// the chance `miss`, above 0 and below 1.
pub fn at_risk_needed_at(failures: u64, target: f64, miss: f64) -> f64 {
    target * gamma::quantile(1.0 - miss, failures as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-3 * b, "{a} is not {b}");
    }

    #[test]
    fn bounds_as_in_the_tables() {
        // 32 streams of 24 hours: 768 / 2.9957, 4.7439, 6.2958, 7.7537 (halves of chi-squares).
        for (failures, low) in [(0, 256.4), (1, 161.9), (2, 122.0), (3, 99.05)] {
            close(mtbf_low(failures, 768.0), low);
        }
        assert_eq!(mtbf_low(0, 0.0), 0.0);
        close(mtbf_low_at(0, 768.0, 0.025), 208.2);
    }

    #[test]
    fn p_bound_and_time_agree() {
        close(mtbf_p(0, 768.0, 256.4), 0.05);
        close(mtbf_p(1, 2.0, 1.0), libm::exp(-2.0) * 3.0);
        assert_eq!(mtbf_p(0, 0.0, 1.0), 1.0);
        for failures in [0, 1, 2, 7, 40, 1000] {
            for miss in [0.05, 0.01] {
                let needed = at_risk_needed_at(failures, 720.0, miss);
                close(mtbf_low_at(failures, needed, miss), 720.0);
                close(mtbf_p(failures, needed, 720.0), miss);
            }
        }
    }

    /// In how many of 2000 sweeps of `streams` streams as long as `mtbf * length` the bound misses.
    fn missed(streams: u64, length: f64, index: u64) -> u32 {
        let mut low = 0;
        for sweep in 0..2000 {
            let mut draws = Seed::new(sweep).child("rate", index).rng();
            let (mut failures, mut at_risk) = (0, 0.0);
            for _ in 0..streams {
                let age = -libm::log(1.0 - draws.unit());
                failures += u64::from(age < length);
                at_risk += age.min(length);
            }
            low += u32::from(mtbf_low(failures, at_risk) > 1.0);
        }
        low
    }

    #[test]
    fn streams_that_end_at_their_first_failure_are_covered() {
        let mut index = 0;
        for streams in [1, 2, 8, 32] {
            for length in [0.02, 0.1, 0.5, 2.0, 8.0] {
                let low = missed(streams, length, index);
                index += 1;
                // 5 % and three standard errors of it.
                assert!(low <= 129, "{low} below of 2000: {streams} of {length}");
            }
        }
    }
}
