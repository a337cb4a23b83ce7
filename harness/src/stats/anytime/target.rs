//! Whether a target is missed, whenever one looks.

use super::{PRIOR, ln_likelihood, ln_mixture};
use crate::stats::{beta, gamma};

/// Both parameters of the gamma distribution of rates above the target, in units of it, that is
/// mixed over: broad, so that two or three early failures say much.
const RATES: (f64, f64) = (0.5, 0.2);

/// An anytime-valid p for "failures come at most at `target_rate`", from `failures` in a time
/// `at_risk` so far, in the unit of the rate: who stops with "it misses the target" as soon as this
/// is 5 % or less is wrong in at most 5 % of sweeps, whenever he looks.
///
/// A mixture over all rates above the target, by a gamma distribution that is cut off there. Each
/// of them, and so the mixture, falls on average too where the rate is below the target.
pub fn rate_above(failures: u64, at_risk: f64, target_rate: f64) -> f64 {
    let (shape, scale) = RATES;
    let (n, expected) = (failures as f64, at_risk.max(0.0) * target_rate);
    // The integral over r >= 1 of r^n e^(-(r - 1) expected) r^(shape - 1) e^(-scale r).
    let ln_integral = |shape: f64, scale: f64| {
        libm::lgamma(shape) - shape * libm::log(scale) + gamma::ln_above(scale, shape)
    };
    let ln_evidence =
        expected + ln_integral(n + shape, expected + scale) - ln_integral(shape, scale);
    libm::exp(-ln_evidence).min(1.0)
}

/// An anytime-valid p for "at most the share `target` of streams fails", as [`rate_above`]:
/// `0 < target < 1`.
pub fn share_above(failed: u64, streams: u64, target: f64) -> f64 {
    let (yes, no) = (failed as f64, streams.saturating_sub(failed) as f64);
    let ln_tail = |a: f64, b: f64| libm::log(beta::below(1.0 - target, b, a));
    let ln_evidence = ln_mixture(yes, no) + ln_tail(yes + PRIOR, no + PRIOR)
        - ln_tail(PRIOR, PRIOR)
        - ln_likelihood(yes, no, target);
    libm::exp(-ln_evidence).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// The time until `p` is 5 % or less, looked at after every failure at `rate` times the target
    /// rate, in units of the target; [`None`] if not within 60.
    fn time_to_miss(sweep: u64, rate: f64) -> Option<f64> {
        let mut draws = Seed::new(sweep).child("rate", 0).rng();
        let mut at = 0.0;
        for failures in 1.. {
            at -= libm::log(1.0 - draws.unit()) / rate;
            if at > 60.0 {
                break;
            }
            if rate_above(failures, at * 24.0, 1.0 / 24.0) <= 0.05 {
                return Some(at);
            }
        }
        None
    }

    #[test]
    fn a_rate_that_meets_the_target_is_dropped_in_at_most_5_percent() {
        for rate in [1.0, 0.7] {
            let dropped = (0..2000).filter(|sweep| time_to_miss(*sweep, rate).is_some()).count();
            assert!(dropped <= 100, "{dropped} of 2000 at {rate}");
        }
        // With a median time at risk of so many times the target others are.
        for (rate, median) in [(2.0, 11.0), (3.0, 3.0), (10.0, 0.35), (30.0, 0.1)] {
            let within = |sweep: &u64| time_to_miss(*sweep, rate).is_some_and(|at| at <= median);
            let dropped = (0..400).filter(within).count();
            assert!(dropped >= 200, "{dropped} of 400 at {rate}");
        }
    }

    #[test]
    fn a_mixture_over_rates_is_its_integral() {
        let (shape, scale) = RATES;
        let numerical = |failures: i32, expected: f64| {
            let (mut all, mut weight, step) = (0.0, 0.0, 1e-3);
            for index in 0..200_000 {
                let rate = 1.0 + (f64::from(index) + 0.5) * step;
                let prior = libm::pow(rate, shape - 1.0) * libm::exp(-scale * rate);
                weight += prior;
                all += prior * rate.powi(failures) * libm::exp(-(rate - 1.0) * expected);
            }
            weight / all
        };
        for (failures, expected) in [(0, 0.0), (1, 0.1), (2, 0.01), (5, 3.0), (12, 2.0)] {
            let p = rate_above(failures, expected * 24.0, 1.0 / 24.0);
            let by_hand = numerical(failures as i32, expected).min(1.0);
            assert!((p / by_hand - 1.0).abs() < 1e-3, "{failures} in {expected}: {p}, {by_hand}");
        }
        assert_eq!(rate_above(0, 1e6, 1.0), 1.0);
        assert_eq!(rate_above(1_000_000, 1e6, 1.0), 1.0);
        assert_eq!(rate_above(1_100_000, 1e6, 1.0), 0.0);
    }

    #[test]
    fn a_share_that_meets_the_target_is_dropped_in_at_most_5_percent() {
        let dropped_at = |sweep: u64, share: f64, target: f64| {
            let mut draws = Seed::new(sweep).child("share", 0).rng();
            let mut failed = 0;
            (1..=300).find(|streams| {
                failed += u64::from(draws.unit() < share);
                share_above(failed, *streams, target) <= 0.05
            })
        };
        for (share, target) in [(0.01, 0.01), (0.1, 0.1), (0.05, 0.1), (0.5, 0.5)] {
            let dropped = |sweep: &u64| dropped_at(*sweep, share, target).is_some();
            let dropped = (0..2000).filter(dropped).count();
            assert!(dropped <= 100, "{dropped} of 2000 of {share} at {target}");
        }
        let dropped = |sweep: &u64| dropped_at(*sweep, 0.3, 0.1).is_some_and(|at| at <= 32);
        let dropped = (0..400).filter(dropped).count();
        assert!(dropped >= 200, "{dropped} of 400");
        // Two of two at one half: 4 p², over the arcsine law above it, is 3/2 + 4 / π.
        let p = 1.0 / (1.5 + 4.0 / core::f64::consts::PI);
        assert!((share_above(2, 2, 0.5) / p - 1.0).abs() < 1e-9);
    }
}
