//! How often failures come, whenever one looks.

use crate::stats::{Interval, halved};

/// The shape of the gamma distributions of rates that are mixed over: broad, and with most of their
/// weight near 0, so that little time without a failure says much.
const SHAPE: f64 = 0.5;

/// The weight of the distribution about the scale that is asked for; those about rates 10, 100 … times
/// as high, for what fails at once, share the rest.
const OWN: f64 = 0.8;
const OTHERS: i32 = 12;

/// Natural logarithm of the mixture's likelihood of `n` failures in `time`, in times of the scale.
fn ln_mixture(n: f64, time: f64) -> f64 {
    let of = |mean: f64| {
        // Shape and scale of a gamma distribution of this mean.
        let scale = SHAPE / mean;
        SHAPE * libm::log(scale) - (SHAPE + n) * libm::log(scale + time)
    };
    let other = libm::log((1.0 - OWN) / f64::from(OTHERS));
    let higher = (1..=OTHERS).map(|power| other + of(libm::pow(10.0, f64::from(power))));
    let all: Vec<f64> = std::iter::once(libm::log(OWN) + of(1.0)).chain(higher).collect();
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = all.iter().map(|one| libm::exp(one - most)).sum();
    libm::lgamma(SHAPE + n) - libm::lgamma(SHAPE) + most + libm::log(sum)
}

/// The confidence sequence of a rate, from `failures` in a time `at_risk` so far, in the unit of the
/// rate: with a chance of 1 - `miss` the rate lies within it at *every* time, so one may stop as
/// soon as its upper end is low enough. `scale` is a time at which the sequence is narrow, as the one
/// of the target; it is not to depend on what was seen. The ends are open where nothing bounds them.
///
/// A mixture over all rates by gamma distributions, a martingale where the rate is constant: rates of
/// which the mixture is more than 1 / `miss` times as likely are out (Robbins, 1970).
pub fn rate_interval(failures: u64, at_risk: f64, scale: f64, miss: f64) -> Interval {
    let method = "anytime-gamma-poisson";
    let n = failures as f64;
    if at_risk.is_nan() || at_risk <= 0.0 {
        return Interval { low: Some(0.0), high: None, method };
    }
    let time = at_risk / scale;
    let ln_most = ln_mixture(n, time) + libm::log(miss);
    let ln_likelihood = |rate: f64| {
        let of_failures = if failures == 0 { 0.0 } else { n * libm::log(rate) };
        of_failures - rate * time
    };
    let within = |rate: f64| ln_likelihood(rate) > ln_most;
    let seen = n / time;
    let mut outside = (2.0 * seen).max(1.0 / time);
    while within(outside) {
        outside *= 2.0;
    }
    let high = halved(seen, outside, 60, within).1;
    let low = if failures == 0 { 0.0 } else { halved(seen, 0.0, 60, within).1 };
    Interval { low: Some(low / scale), high: Some(high / scale), method }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// Whether the rate 1 is outside of the sequence at some failure or just before one, up to 60.
    fn misses(sweep: u64, scale: f64, miss: f64) -> bool {
        let mut draws = Seed::new(sweep).child("rate", 0).rng();
        let mut at = 0.0;
        (0..60).any(|failures| {
            at -= libm::log(1.0 - draws.unit());
            let is_out = |failures| {
                let interval = rate_interval(failures, at, scale, miss);
                interval.low > Some(1.0) || interval.high < Some(1.0)
            };
            is_out(failures) || is_out(failures + 1)
        })
    }

    #[test]
    fn one_who_looks_all_the_time_is_misled_as_rarely_as_it_says() {
        for (scale, miss) in [(1.0, 0.05), (0.1, 0.05), (30.0, 0.05), (1.0, 0.2)] {
            let missed = (0..2000).filter(|sweep| misses(*sweep, scale, miss)).count();
            assert!(missed as f64 <= miss * 2000.0, "{missed} of 2000 at {scale}, {miss}");
            assert!(missed as f64 > miss * 200.0, "{missed} of 2000: it could be narrower");
        }
    }

    #[test]
    fn without_a_failure_little_more_than_four_times_the_target_prove_it() {
        let high = |time: f64| rate_interval(0, time, 1.0, 0.05).high.unwrap();
        // 0.8 / sqrt(1 + 2 t) and little more is 20 e^-t.
        assert!(high(4.2) > 1.0 && high(4.4) < 1.0, "{} {}", high(4.2), high(4.4));
        // A failure costs three more of it.
        let with_one = |time: f64| rate_interval(1, time, 1.0, 0.05).high.unwrap();
        assert!(with_one(7.2) > 1.0 && with_one(7.4) < 1.0, "{}", with_one(7.2));
        // As any unit of time.
        let hours = rate_interval(3, 24.0, 2.0, 0.05);
        let minutes = rate_interval(3, 24.0 * 60.0, 120.0, 0.05);
        assert!((hours.high.unwrap() / minutes.high.unwrap() - 60.0).abs() < 1e-6);
        assert!((hours.low.unwrap() / minutes.low.unwrap() - 60.0).abs() < 1e-6);
    }

    #[test]
    fn what_fails_at_once_has_a_narrow_interval_too() {
        // 28 failures in 5 seconds, where a day is asked about.
        let Interval { low, high, .. } = rate_interval(28, 5.0, 86_400.0, 0.05);
        assert!(low > Some(2.0) && high < Some(12.0), "{low:?} {high:?}");
    }

    #[test]
    fn what_was_seen_is_inside() {
        assert_eq!(rate_interval(0, 0.0, 1.0, 0.05).high, None);
        for (failures, time) in [(0, 1e-9), (1, 1e-6), (7, 3.0), (1000, 1.0), (3, 1e9)] {
            let interval = rate_interval(failures, time, 1.0, 0.05);
            let seen = failures as f64 / time;
            assert!(interval.low <= Some(seen) && Some(seen) <= interval.high, "{interval:?}");
        }
    }
}
