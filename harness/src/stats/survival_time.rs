//! Times that are read off a survival curve: its quantiles, and its mean up to a horizon.

use super::clusters::weighted_poisson;
use super::survival::{ends, survival};
use super::{Interval, Survival, beta, gamma};

/// The first time at which the share `q` of streams or more have failed, [`None`] if that is never
/// seen, and its interval: the times at which the bands of [`survival`] pass `1 - q`. `lasted` as
/// there.
///
/// An open upper end: too few were watched for long enough. Where too few fail to bound it from
/// above, the lower end still says until when enough were watched and well.
pub fn survival_quantile(lasted: &[(u64, bool)], q: f64) -> (Option<u64>, Interval) {
    let steps = survival(lasted);
    // Rounding: 1 - 0.05 - … may leave a hair above the level.
    let level = 1.0 - q + 1e-12;
    let first = |passed: &dyn Fn(&Survival) -> bool| {
        steps.iter().skip(1).find(|step| passed(step)).map(|step| step.at)
    };
    let quantile = first(&|step| step.surviving <= level);
    if lasted.len() <= 1 {
        return (quantile, Interval::ONE_STREAM);
    }
    let high = first(&|step| step.high <= level).map(|at| at as f64);
    let low = low_end(lasted, &steps, level);
    (quantile, Interval { low, high, method: "kaplan-meier-bands" })
}

/// The first time at which the lower band lies at or below `level`. Between two failures the band
/// of the curve does not fall, but where streams are cut off fewer bear it (Peto and others, 1977).
fn low_end(lasted: &[(u64, bool)], steps: &[Survival], level: f64) -> Option<f64> {
    let mut sorted = lasted.to_vec();
    sorted.sort_unstable();
    let streams = sorted.len() as u64;
    // At 0 the curve has a one-sided bound, and this is an end of two.
    let mut low = beta::quantile(0.025, streams as f64, 1.0);
    if low <= level {
        return Some(0.0);
    }
    let (mut surviving, mut seen) = (1.0, 0);
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        seen += same.len() as u64;
        if let Some(step) = steps.iter().skip(1).find(|step| step.at == same[0].0) {
            (surviving, low) = (step.surviving, step.low);
        }
        if surviving > 0.0 {
            low = low.min(ends(surviving, (streams - seen) as f64 / surviving, streams).0);
        }
        if low <= level {
            return Some(same[0].0 as f64);
        }
    }
    None
}

/// The mean time without a failure *restricted to the horizon* (Irwin, 1949): of each stream the
/// time until its first failure or `horizon`. It is no MTBF. `lasted` as for [`survival`]. [`None`]
/// where nobody was watched until the horizon and not all failed before, and of no time at all.
pub fn restricted_mean(lasted: &[(u64, bool)], horizon: u64) -> Option<(f64, Interval)> {
    let steps = survival(lasted);
    let end = lasted.iter().map(|(at, _)| *at).max()?;
    if horizon == 0 || end < horizon && steps.last()?.surviving > 0.0 {
        return None;
    }
    let within: Vec<_> = steps.iter().filter(|step| step.at < horizon).collect();
    let until = within.iter().skip(1).map(|step| step.at).chain([horizon]);
    let areas = within.iter().zip(until).map(|(step, to)| step.surviving * (to - step.at) as f64);
    let areas: Vec<f64> = areas.collect();
    let mean = areas.iter().sum::<f64>();
    if lasted.len() <= 1 {
        return Some((mean, Interval::ONE_STREAM));
    }
    // Greenwood's sum, each failure weighed with the area after it.
    let (mut variance, mut after) = (0.0, mean - areas[0]);
    for (at, step) in within.iter().enumerate().skip(1) {
        let kept = step.surviving / within[at - 1].surviving;
        if kept > 0.0 {
            variance += after * after * (1.0 - kept) / (kept * step.at_risk as f64);
        }
        after -= areas[at];
    }
    Some((mean, interval(mean, variance, horizon as f64, lasted.len())))
}

/// The wider of two. What is lost up to the horizon is a sum of few losses, of which none is larger
/// than that of one stream that fails at once: see [`weighted_poisson`]. What is left, where nearly
/// all fail early, has Student's t around its logarithm.
fn interval(mean: f64, variance: f64, horizon: f64, streams: usize) -> Interval {
    let (lost, n) = (horizon - mean, streams as f64);
    let largest = horizon / n;
    // Equal streams are no proof that all are: at least what one of them says is left.
    let one = lost.min(mean) / n;
    let variance = variance.max(one * one);
    let (least, most) = if lost > 0.0 {
        weighted_poisson(lost, variance, largest)
    } else {
        // There is only the loss that was not seen.
        (0.0, gamma::quantile(0.975, 1.0) * largest)
    };
    let error = libm::sqrt(variance * n / (n - 1.0)) / mean;
    let factor = libm::exp(beta::student(streams) * error);
    let low = (mean / factor).min(horizon - most).max(0.0);
    let high = (mean * factor).max(horizon - least).min(horizon);
    Interval { low: Some(low), high: Some(high), method: "rmst-gamma-or-log-t" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::stats::median_interval;

    const LASTED: [(u64, bool); 6] =
        [(3, true), (3, false), (5, false), (7, true), (9, false), (9, false)];

    #[test]
    fn no_time_has_no_mean() {
        assert_eq!(restricted_mean(&[(0, true), (0, false)], 0), None);
    }

    #[test]
    fn without_cut_offs_the_median_has_the_interval_of_order_statistics() {
        let times: Vec<_> = (1..=32).map(|at| (at * 10, true)).collect();
        let (median, interval) = survival_quantile(&times, 0.5);
        let values: Vec<_> = times.iter().map(|(at, _)| Some(*at as f64)).collect();
        let order = median_interval(&values);
        assert_eq!((median, interval.low, interval.high), (Some(160), order.low, order.high));
        let turned: Vec<_> = times.iter().rev().copied().collect();
        assert_eq!(survival_quantile(&turned, 0.5), (median, interval), "in any order");
        assert_eq!(survival_quantile(&times, 0.25).0, Some(80));
        assert_eq!(survival_quantile(&times, 1.0).0, Some(320));
    }

    #[test]
    fn what_is_not_seen_is_open() {
        // 5/6 from 3, 5/9 from 7.
        assert_eq!(survival_quantile(&LASTED, 0.1).0, Some(3));
        assert_eq!(survival_quantile(&LASTED, 0.4).0, Some(7));
        assert_eq!(survival_quantile(&LASTED, 0.5).0, None);
        let well = [(100, false); 32];
        let (median, interval) = survival_quantile(&well, 0.5);
        assert_eq!((median, interval.low, interval.high), (None, Some(100.0), None));
        // 32 say nothing of 5 %: 1 - 0.025^(1/32) = 10.9 %.
        assert_eq!(survival_quantile(&well, 0.05).1.low, Some(0.0));
        assert_eq!(survival_quantile(&well, 0.12).1.low, Some(100.0));
        // All but one were cut off at 10, and one does not bear a median.
        let mut cut = vec![(10, false); 31];
        cut.push((1000, false));
        assert_eq!(survival_quantile(&cut, 0.5).1.low, Some(10.0));
        assert_eq!(survival_quantile(&[(5, true)], 0.5), (Some(5), Interval::ONE_STREAM));
        assert_eq!(survival_quantile(&[], 0.5), (None, Interval::ONE_STREAM));
    }

    #[test]
    fn restricted_means_by_hand() {
        // 3, then 4 * 5/6, then 2 * 5/9. Greenwood: (40/9)² / 30 + (10/9)² / 6 = 0.8642.
        let (mean, found) = restricted_mean(&LASTED, 9).unwrap();
        assert!((mean - 67.0 / 9.0).abs() < 1e-12);
        let by_hand = interval(mean, (1600.0 / 30.0 + 100.0 / 6.0) / 81.0, 9.0, 6);
        let ends = |of: Interval| [of.low, of.high].map(|end| end.map(|end| libm::rint(end * 1e9)));
        assert_eq!(ends(found), ends(by_hand));
        let (mean, _) = restricted_mean(&LASTED, 8).unwrap();
        assert!((mean - (3.0 + 20.0 / 6.0 + 5.0 / 9.0)).abs() < 1e-12);
        assert_eq!(restricted_mean(&LASTED, 10), None);
        assert_eq!(restricted_mean(&[], 10), None);
        assert_eq!(restricted_mean(&[(4, true)], 10), Some((4.0, Interval::ONE_STREAM)));
    }

    #[test]
    fn what_is_left_of_a_long_horizon_has_student_s_interval_of_its_logarithm() {
        // 10 to 80: 45, and 42 * 100 / 7 / 8 = 75. 45 e^(2.3646 * 8.660 / 45) = 70.93.
        let lasted: Vec<_> = (1..=8).map(|at| (at * 10, true)).collect();
        let (mean, interval) = restricted_mean(&lasted, 100_000).unwrap();
        assert_eq!(libm::rint(mean * 1e6), 45e6);
        assert!((interval.high.unwrap() - 70.93).abs() < 0.01, "{interval:?}");
    }

    #[test]
    fn streams_that_are_all_alike_are_no_proof() {
        let (mean, well) = restricted_mean(&[(10, false); 32], 10).unwrap();
        assert_eq!((mean, well.high), (10.0, Some(10.0)));
        // 3.689 / 32 of the horizon.
        assert!((well.low.unwrap() - 10.0 * (1.0 - 0.115_28)).abs() < 1e-3, "{well:?}");
        let (mean, ill) = restricted_mean(&[(5, true); 8], 10).unwrap();
        assert_eq!(mean, 5.0);
        assert!(ill.low < Some(4.0) && ill.high > Some(6.0), "{ill:?}");
        // Two of them lose more than there is, as far as they know.
        let (_, two) = restricted_mean(&[(1, true); 2], 10).unwrap();
        assert_eq!((two.low, two.high), (Some(0.0), Some(10.0)));
    }

    /// How many of 400 repetitions of 32 streams, of which so many fail where they are rare, hold
    /// the restricted mean and the quarter: constant hazard, every second one cut off early.
    fn held(failures: f64, index: u64) -> (u32, u32) {
        const HORIZON: f64 = 1e6;
        let mtbf = 32.0 * HORIZON / failures;
        let mean = mtbf * -libm::expm1(-HORIZON / mtbf);
        let quarter = mtbf * libm::log(4.0 / 3.0);
        let holds = |interval: Interval, truth: f64| {
            // Times are whole, rounded up.
            let low = interval.low.is_some_and(|low| low <= truth + 1.0);
            u32::from(low && interval.high.is_none_or(|high| truth <= high))
        };
        (0..400).fold((0, 0), |(means, quarters), repetition| {
            let mut draws = Seed::new(repetition).child("times", index).rng();
            let stream = |index: u64| {
                let end = if index.is_multiple_of(2) { HORIZON } else { HORIZON * 0.7 };
                let age = -libm::log(1.0 - draws.unit()) * mtbf;
                (libm::ceil(age.min(end)) as u64, age < end)
            };
            let lasted: Vec<_> = (0..32).map(stream).collect();
            // Where nobody was watched until the horizon nothing is said.
            let restricted = restricted_mean(&lasted, HORIZON as u64);
            let restricted = restricted.map_or(1, |(_, interval)| holds(interval, mean));
            let (_, interval) = survival_quantile(&lasted, 0.25);
            (means + restricted, quarters + holds(interval, quarter))
        })
    }

    #[test]
    fn rare_and_frequent_failures_are_covered() {
        for (index, failures) in [1.5, 6.0, 15.0, 40.0, 400.0].into_iter().enumerate() {
            let (means, quarters) = held(failures, index as u64);
            assert!(means >= 372 && quarters >= 372, "{means}, {quarters} of 400: {failures}");
        }
    }
}
