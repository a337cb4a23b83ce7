//! What needs no resampling: order statistics, binomial tails, exact tests.

use super::{Interval, halved};

/// Half of what a 95 % interval leaves out.
const TAIL: f64 = 0.025;

/// Natural logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The chances of exactly 0, 1 … `n` of `n`, each of chance `p`, `0 < p < 1`.
fn binomial(n: u64, p: f64) -> impl Iterator<Item = f64> {
    let (ln_p, ln_q) = (libm::log(p), libm::log1p(-p));
    (0..=n).map(move |k| libm::exp(ln_choose(n, k) + k as f64 * ln_p + (n - k) as f64 * ln_q))
}

/// The chance of at most `k` of `n`, each of chance `p`, `0 < p < 1`.
fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    binomial(n, p).take(k as usize + 1).sum::<f64>().min(1.0)
}

/// The chances of at most 0, 1 … `n` of `n`.
fn binomial_sums(n: u64, p: f64) -> impl Iterator<Item = f64> {
    binomial(n, p).scan(0.0, |sum, chance| {
        *sum += chance;
        Some(*sum)
    })
}

/// The least of `values` that at least the share `q` of them does not pass; see [`median`] for
/// what [`None`] means.
pub fn quantile(values: &[Option<f64>], q: f64) -> Option<f64> {
    let rank = libm::ceil(q * values.len() as f64).max(1.0) as usize;
    sorted(values).get(rank - 1).copied().flatten()
}

/// The interval of [`quantile`] between two order statistics, whatever the distribution. An end
/// that so few values cannot bound is open.
pub fn quantile_interval(values: &[Option<f64>], q: f64) -> Interval {
    let n = values.len() as u64;
    if n <= 1 {
        return Interval::ONE_STREAM;
    }
    let sorted = sorted(values);
    // How many lie below the quantile: fewer than `low` of them, or `high` and more, with 2.5 %.
    let low = binomial_sums(n, q).take_while(|sum| *sum <= TAIL).count();
    let high = binomial_sums(n, q).position(|sum| sum >= 1.0 - TAIL);
    let low = low.checked_sub(1).and_then(|index| sorted[index]);
    let high = high.and_then(|index| *sorted.get(index)?);
    Interval { low, high, method: "order-statistic" }
}

/// The median of `values`, where [`None`] is larger than every number: a stream that never failed
/// lasted longer than it was watched. [`None`] too if the median is one of those, or there is no
/// value. Of an even number the mean of the two in the middle.
pub fn median(values: &[Option<f64>]) -> Option<f64> {
    let sorted = sorted(values);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    lower.zip(upper).map(|(lower, upper)| (lower + upper) / 2.0)
}

fn sorted(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut sorted = values.to_vec();
    let key = |value: &Option<f64>| value.unwrap_or(f64::INFINITY);
    sorted.sort_by(|a, b| key(a).total_cmp(&key(b)));
    sorted
}

/// The interval of [`median`] between two order statistics, whatever the distribution: exact, and
/// good for values that were cut off. Fewer than 6 values have none.
pub fn median_interval(values: &[Option<f64>]) -> Interval {
    let n = values.len() as u64;
    if n <= 1 {
        return Interval::ONE_STREAM;
    }
    // The largest r with P(at most r - 1 of n below the median) <= 2.5 %.
    let r = binomial_sums(n, 0.5).take(n as usize / 2).take_while(|sum| *sum <= TAIL).count();
    let Some(index) = r.checked_sub(1) else {
        return Interval { low: None, high: None, method: "too-few-streams" };
    };
    let sorted = sorted(values);
    let (low, high) = (sorted[index], sorted[sorted.len() - 1 - index]);
    Interval { low, high, method: "order-statistic" }
}

/// The largest share of failing streams that `streams` streams without a failure still allow, at
/// 95 %: `1 - 0.05^(1/streams)`.
pub fn no_failure_bound(streams: u64) -> f64 {
    if streams == 0 { 1.0 } else { 1.0 - libm::pow(0.05, 1.0 / streams as f64) }
}

/// The interval of the share of streams that fail, from `failed` of `streams` (Clopper and Pearson,
/// 1934). With no failure it is one-sided, see [`no_failure_bound`].
///
/// That bound spends all that may be missed on shares just above it. So that no such share is
/// missed from the other side too, a lower end among them is lowered to the bound: without that 32
/// streams hold a share of 8.95 % in 92.9 %, with it in 94.4 %, the least of 8 to 64 streams and
/// any share.
pub fn share_interval(failed: u64, streams: u64) -> Interval {
    share_interval_of(failed, streams, 1)
}

/// As [`share_interval`], one of `rows` that hold all together with 95 % (Bonferroni).
pub fn share_interval_of(failed: u64, streams: u64, rows: usize) -> Interval {
    if streams <= 1 {
        return Interval::ONE_STREAM;
    }
    let rows = rows.max(1) as f64;
    let tail = TAIL / rows;
    // The shares of which so many streams show no failure with these chances.
    let clean = |chance: f64| 1.0 - libm::pow(chance, 1.0 / streams as f64);
    if failed == 0 {
        return Interval { low: Some(0.0), high: Some(clean(2.0 * tail)), method: "no-failure" };
    }
    // The chance falls as p grows, so bisection finds where it passes the tail.
    let solve = |at_most: u64, tail: f64| {
        halved(0.0, 1.0, 60, |share| binomial_at_most(at_most, streams, share) > tail).0
    };
    let low = solve(failed - 1, 1.0 - tail);
    let low = if low < clean(tail) { low.min(clean(2.0 * tail)) } else { low };
    let high = if failed >= streams { 1.0 } else { solve(failed, tail) };
    Interval { low: Some(low), high: Some(high), method: "exact-binomial" }
}

/// The p of "more than the share `share` of streams fails": how likely at most `failed` of `streams`
/// are were it just `share`, `0 < share < 1`. 1 of no streams.
pub fn share_p(failed: u64, streams: u64, share: f64) -> f64 {
    if failed >= streams { 1.0 } else { binomial_at_most(failed, streams, share) }
}

/// The largest share of failing streams that `failed` of `streams` still allow, at 95 %, one-sided:
/// [`no_failure_bound`] without a failure.
pub fn share_high(failed: u64, streams: u64) -> f64 {
    if failed == 0 {
        return no_failure_bound(streams);
    }
    if failed >= streams {
        return 1.0;
    }
    // The chance falls as the share grows.
    halved(0.0, 1.0, 60, |share| binomial_at_most(failed, streams, share) > 2.0 * TAIL).1
}

/// In how many pairs only the first is true, and in how many only the second.
pub fn sign_counts(pairs: impl IntoIterator<Item = (bool, bool)>) -> (u64, u64) {
    pairs.into_iter().fold((0, 0), |(first, second), pair| match pair {
        (true, false) => (first + 1, second),
        (false, true) => (first, second + 1),
        _ => (first, second),
    })
}

/// The exact two-sided test of McNemar: how likely at least so uneven a split of the pairs that
/// differ is, were both equally likely. 1 where no pair differs.
pub fn mcnemar(only_first: u64, only_second: u64) -> f64 {
    let n = only_first + only_second;
    if n == 0 {
        return 1.0;
    }
    (2.0 * binomial_at_most(only_first.min(only_second), n, 0.5)).min(1.0)
}

/// Holm's correction of `p` values for many comparisons, in the order given.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut corrected = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        corrected[index] = largest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 5e-5, "{a} is not {b}");
    }

    #[test]
    fn clean_streams_still_allow_a_share_of_failures() {
        close(no_failure_bound(32), 0.0894);
        assert!(no_failure_bound(300) < 0.01);
        close(no_failure_bound(1), 0.95);
    }

    #[test]
    fn clopper_and_pearson_as_in_their_tables() {
        for (failed, streams, low, high) in [
            (5, 10, 0.1871, 0.8129),
            (1, 10, 0.0025, 0.4450),
            (10, 10, 0.6915, 1.0),
            (3, 32, 0.0198, 0.2502),
        ] {
            let interval = share_interval(failed, streams);
            close(interval.low.unwrap(), low);
            close(interval.high.unwrap(), high);
        }
        assert_eq!(share_interval(0, 32).method, "no-failure");
        assert_eq!(share_interval(1, 1), Interval::ONE_STREAM);
    }

    #[test]
    fn every_share_is_held() {
        // Exactly, not by simulation: the chances of all counts whose interval holds it.
        for streams in [8, 16, 24, 32, 64] {
            let intervals: Vec<_> = (0..=streams).map(|n| share_interval(n, streams)).collect();
            for share in (1..2000).map(|n| f64::from(n) / 2000.0) {
                let holds = |of: &Interval| of.low <= Some(share) && Some(share) <= of.high;
                let held = binomial(streams, share).zip(&intervals).filter(|(_, of)| holds(of));
                let held: f64 = held.map(|(chance, _)| chance).sum();
                assert!(held >= 0.94, "{held} of {share} with {streams}");
            }
        }
        close(share_interval(7, 32).low.unwrap(), no_failure_bound(32));
    }

    #[test]
    fn rows_that_hold_together_are_wider() {
        // 0.05 / 4 of 32 clean streams: 1 - 0.0125^(1/32).
        close(share_interval_of(0, 32, 4).high.unwrap(), 0.1280);
        assert!(share_interval_of(3, 32, 4).high > share_interval(3, 32).high);
        assert_eq!(share_interval_of(3, 32, 0), share_interval(3, 32));
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let values: Vec<_> = (1..=100).map(|n| Some(f64::from(n))).collect();
        assert_eq!(quantile(&values, 0.95), Some(95.0));
        // P(at most 89 of 100 below) = 1.1 %, of 90 2.8 %; P(at most 98) = 96.3 %, of 99 99.4 %.
        let interval = quantile_interval(&values, 0.95);
        assert_eq!((interval.low, interval.high), (Some(90.0), Some(100.0)));
        assert_eq!(quantile_interval(&values[..32], 0.95).high, None, "too few");
        assert_eq!(quantile(&[Some(1.0), None], 0.95), None);
        assert_eq!(quantile(&[Some(1.0), None], 0.5), Some(1.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile_interval(&values[..1], 0.5), Interval::ONE_STREAM);
    }

    #[test]
    fn mcnemar_is_the_sign_test_of_the_pairs_that_differ() {
        close(mcnemar(0, 0), 1.0);
        close(mcnemar(1, 8), 0.0391);
        close(mcnemar(8, 1), 0.0391);
        close(mcnemar(0, 5), 0.0625);
        close(mcnemar(4, 4), 1.0);
        assert_eq!(
            sign_counts([(true, false), (true, true), (false, true), (true, false)]),
            (2, 1)
        );
    }

    #[test]
    fn holm_steps_down_and_never_falls() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (got, want) in corrected.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            close(got, want);
        }
    }

    #[test]
    fn a_stream_that_never_failed_lies_above_every_number() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[Some(3.0), None, Some(1.0)]), Some(3.0));
        assert_eq!(median(&[Some(3.0), None]), None);
        assert_eq!(median(&[Some(3.0), Some(1.0)]), Some(2.0));
        assert_eq!(median(&[None, None, Some(1.0)]), None);
    }

    #[test]
    fn the_median_of_32_lies_between_the_10th_and_the_23rd() {
        let values: Vec<_> = (1..=32).map(|n| Some(f64::from(n))).collect();
        let interval = median_interval(&values);
        assert_eq!((interval.low, interval.high), (Some(10.0), Some(23.0)));
        // Of 6 values it is the whole range; 5 are too few.
        assert_eq!(median_interval(&values[..6]).high, Some(6.0));
        assert_eq!(median_interval(&values[..5]).method, "too-few-streams");
        assert_eq!(median_interval(&values[..1]), Interval::ONE_STREAM);
    }

    #[test]
    fn shares_of_one_side_by_hand() {
        // At most 1 of 3 at 0.2: 0.512 + 3 * 0.2 * 0.64.
        close(share_p(1, 3, 0.2), 0.896);
        assert_eq!((share_p(3, 3, 0.2), share_p(0, 0, 0.2)), (1.0, 1.0));
        // What is just allowed is just not refused: Clopper and Pearson at 90 %, 0.3942 of 1 in 10.
        close(share_high(1, 10), 0.3942);
        for (failed, streams) in [(0, 32), (1, 10), (5, 10), (31, 32)] {
            close(share_p(failed, streams, share_high(failed, streams)), 0.05);
        }
        assert_eq!((share_high(10, 10), share_high(0, 0)), (1.0, 1.0));
    }
}
