//! How often something fails, all failures counted: they come in bursts, so streams are clusters.

use super::{Interval, beta, gamma};

/// What one stream shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Watched {
    /// Its failures, all of them.
    pub failures: u64,
    /// How long it was watched, above 0, in any unit.
    pub time: f64,
}

/// Failures per unit of time over all streams, and its interval with streams as clusters. [`None`]
/// with no time watched.
///
/// Both ends are the wider of two: Student's t around the logarithm of the rate, its error that
/// between streams and its degrees of freedom those that failed, less one; and the gamma interval
/// of a weighted Poisson sum (Fay and Feuer, 1997), each stream one event that weighs what it
/// failed, the largest standing for the one that was not seen. The first alone misses too often
/// where many fail and a few of them much (91 % held), the second where few fail (87 %), and so
/// does resampling streams (84 %); together they held 95 % and more of 2000 repetitions with 16 to
/// 64 streams, 1.5 to 30 bursts in all of them, of 1, Poisson, geometric or log-normal size (sigma
/// 1.0; 93 % at 1.2), alike or with one stream of eight that always fails.
/// `cargo run --release -p cma-harness --example coverage` measures what both together hold.
///
/// It assumes that streams are drawn alike and independently, and that a burst is not much larger
/// than all that were seen: from sizes of a heavier tail (log-normal of sigma above 1.2) nothing
/// holds. One failing stream says nothing of how bursts differ, so there is no upper end, nor
/// without a failure: how many streams fail is bounded then, see
/// [`mtbf_low`](super::rate::mtbf_low), not how much those fail.
pub fn failure_rate(streams: &[Watched]) -> Option<(f64, Interval)> {
    let time: f64 = streams.iter().map(|stream| stream.time).sum();
    if time <= 0.0 {
        return None;
    }
    let failures: f64 = streams.iter().map(|stream| stream.failures as f64).sum();
    Some((failures / time, interval(streams, failures, time)))
}

fn interval(streams: &[Watched], failures: f64, time: f64) -> Interval {
    let failing = streams.iter().filter(|stream| stream.failures > 0).count();
    if failing == 0 {
        return Interval { low: Some(0.0), high: None, method: "no-failure" };
    }
    if streams.len() == 1 {
        return Interval::ONE_STREAM;
    }
    let rate = failures / time;
    let sum = |of: &dyn Fn(&Watched) -> f64| streams.iter().map(of).sum::<f64>();
    let residual = |stream: &Watched| stream.failures as f64 - rate * stream.time;
    let n = streams.len() as f64;
    let between = sum(&|stream| residual(stream) * residual(stream)) * n / (n - 1.0);
    // How often a stream fails at all varies too, unless all do. Equal streams are no proof that
    // all are: at least the variance of single failures is left.
    let variance = if failing < streams.len() {
        sum(&|stream| stream.failures as f64 * stream.failures as f64)
    } else {
        between.max(failures)
    };
    let largest = streams.iter().map(|stream| stream.failures).max().unwrap_or(0) as f64;
    let (least, most) = weighted_poisson(failures, variance, largest);
    if failing == 1 {
        return Interval { low: Some(least / time), high: None, method: "one-failing-stream" };
    }
    let factor = libm::exp(beta::student(failing) * libm::sqrt(between) / failures);
    let low = Some((failures / factor).min(least) / time);
    let high = Some((failures * factor).max(most) / time);
    Interval { low, high, method: "log-t-or-gamma" }
}

/// The 95 % interval around a weighted `sum` of Poisson counts, above 0, of that `variance`, of
/// which one more would weigh at most `largest`.
pub(super) fn weighted_poisson(sum: f64, variance: f64, largest: f64) -> (f64, f64) {
    let end = |chance: f64, sum: f64, variance: f64| {
        gamma::quantile(chance, sum * sum / variance) * variance / sum
    };
    (end(0.025, sum, variance), end(0.975, sum + largest, variance + largest * largest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Draws, Seed};

    fn of(failures: &[u64]) -> (f64, Interval) {
        let streams: Vec<_> =
            failures.iter().map(|&failures| Watched { failures, time: 2.0 }).collect();
        failure_rate(&streams).unwrap()
    }

    #[test]
    fn single_failures_have_garwood_s_interval() {
        // 0.0253, 3.689 for one; 1.6235, 11.668 for five (halves of chi-squares of 2, 4, 10, 12).
        for (count, ends) in [(1.0, (0.0253, 5.5716)), (5.0, (1.6235, 11.6683))] {
            let (low, high) = weighted_poisson(count, count, 1.0);
            assert!((low - ends.0).abs() < 1e-4 && (high - ends.1).abs() < 1e-4, "{low} {high}");
        }
    }

    #[test]
    fn few_failing_streams_say_so() {
        assert_eq!(failure_rate(&[]), None);
        assert_eq!(of(&[4]), (2.0, Interval::ONE_STREAM));
        let none = Interval { low: Some(0.0), high: None, method: "no-failure" };
        assert_eq!(of(&[0; 8]), (0.0, none));
        let (rate, one) = of(&[0, 0, 0, 8]);
        assert_eq!((rate, one.high, one.method), (1.0, None, "one-failing-stream"));
        // One event of weight 8.
        assert!((one.low.unwrap() - 0.0253).abs() < 1e-4, "{one:?}");
    }

    #[test]
    fn it_is_the_wider_of_two() {
        // Two of four failed with 4 each: between streams 16 * 4/3, so e^(12.706 * 0.577).
        let (rate, few) = of(&[4, 0, 4, 0]);
        assert_eq!((rate, few.method), (1.0, "log-t-or-gamma"));
        assert!((few.high.unwrap() / 1535.0 - 1.0).abs() < 0.01, "{few:?}");
        assert!((few.low.unwrap() * 1535.0 - 1.0).abs() < 0.01, "{few:?}");
        // All alike: the variance of 80 single failures, and not one of bursts of 10.
        let (rate, alike) = of(&[10; 8]);
        let ends = weighted_poisson(80.0, 80.0, 10.0);
        assert_eq!((rate, alike.low, alike.high), (5.0, Some(ends.0 / 16.0), Some(ends.1 / 16.0)));
        // One clean stream, and they are bursts.
        let (_, bursts) = of(&[10, 10, 10, 10, 10, 10, 10, 0]);
        assert!(bursts.low < Some(2.2), "{bursts:?}");
    }

    #[test]
    fn time_counts_not_streams() {
        let streams = [(3, 1.0), (0, 1.0), (6, 4.0)];
        let streams = streams.map(|(failures, time)| Watched { failures, time });
        let (rate, days) = failure_rate(&streams).unwrap();
        assert!((rate - 1.5).abs() < 1e-12);
        let hours = streams.map(|stream| Watched { time: stream.time * 24.0, ..stream });
        let hours = failure_rate(&hours).unwrap().1;
        assert!((days.low.unwrap() / hours.low.unwrap() - 24.0).abs() < 1e-9);
        assert!((days.high.unwrap() / hours.high.unwrap() - 24.0).abs() < 1e-9);
    }

    /// How many of 400 repetitions hold the rate of `bursts` in 32 streams, of sizes from 1 that
    /// are geometric of mean 5.
    fn held(bursts: f64, index: u64) -> u32 {
        let size = |draws: &mut Draws| {
            1 + libm::floor(libm::log(1.0 - draws.unit()) / libm::log(0.8)) as u64
        };
        let stream = |draws: &mut Draws| {
            let (mut failures, mut at) = (0, -libm::log(1.0 - draws.unit()));
            while at < bursts / 32.0 {
                failures += size(draws);
                at -= libm::log(1.0 - draws.unit());
            }
            Watched { failures, time: 1.0 }
        };
        let truth = bursts * 5.0 / 32.0;
        let holds = |repetition: &u64| {
            let mut draws = Seed::new(*repetition).child("clusters", index).rng();
            let streams: Vec<_> = (0..32).map(|_| stream(&mut draws)).collect();
            let interval = failure_rate(&streams).unwrap().1;
            interval.low <= Some(truth) && interval.high.is_none_or(|high| truth <= high)
        };
        (0..400).filter(holds).count() as u32
    }

    #[test]
    fn rare_and_frequent_bursts_are_covered() {
        for (index, bursts) in [1.5, 3.0, 6.0, 15.0, 30.0, 300.0].into_iter().enumerate() {
            let held = held(bursts, index as u64);
            assert!(held >= 372, "{held} of 400 with {bursts} bursts");
        }
    }
}
