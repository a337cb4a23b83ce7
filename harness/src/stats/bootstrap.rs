//! The bootstrap over streams, bias-corrected and accelerated (Efron, 1987).

use super::Interval;
use crate::seed::Seed;

/// Resamples for an interval.
const RESAMPLES: usize = 2000;

/// The chance that a standard normal lies below `z`.
fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z / core::f64::consts::SQRT_2)
}

/// The inverse of [`normal_below`], for chances of 1e-9 to 1 - 1e-9.
fn normal_quantile(chance: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if normal_below(middle) < chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Resamples of so many streams, drawn once and used for every value of those streams: columns
/// and rows are resampled alike.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    streams: usize,
    /// Resample after resample, `streams` picks each.
    picks: Vec<u32>,
}

impl Bootstrap {
    /// Resamples of `streams` streams.
    #[must_use]
    pub fn new(streams: usize, seed: &Seed) -> Self {
        let mut draws = seed.child("bootstrap", streams as u64).rng();
        let picks = (0..RESAMPLES * streams).map(|_| draws.below(streams as u64) as u32).collect();
        Self { streams, picks }
    }

    /// The mean of `values`, one for each stream, and its interval by BCa. Where all are equal
    /// nothing can be resampled: the interval is that value, and the method says so. [`None`] of
    /// no value.
    ///
    /// # Panics
    /// If there is not one value for each stream.
    #[must_use]
    pub fn mean_interval(&self, values: &[f64]) -> Option<(f64, Interval)> {
        assert_eq!(values.len(), self.streams, "a value for each stream");
        let first = *values.first()?;
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        if values.len() == 1 {
            return Some((mean, Interval::ONE_STREAM));
        }
        if values.iter().all(|value| *value == first) {
            let interval = Interval { low: Some(first), high: Some(first), method: "all-equal" };
            return Some((first, interval));
        }
        let resamples = self.picks.chunks_exact(self.streams);
        let mut means: Vec<f64> = resamples
            .map(|picks| picks.iter().map(|&pick| values[pick as usize]).sum::<f64>() / n)
            .collect();
        means.sort_by(f64::total_cmp);
        Some((mean, bca(values, mean, &means)))
    }
}

/// The interval around `mean` from the sorted `means` of resamples.
fn bca(values: &[f64], mean: f64, means: &[f64]) -> Interval {
    let resamples = means.len() as f64;
    // Half of the ties count as below, so that a lumpy distribution is not taken for a biased one.
    let below = means.partition_point(|other| *other < mean);
    let equal = means.partition_point(|other| *other <= mean) - below;
    let share = (below as f64 + 0.5 * equal as f64) / resamples;
    let bias = normal_quantile(share.clamp(0.5 / resamples, 1.0 - 0.5 / resamples));
    // For a mean the jackknife is the values themselves: leaving one out moves it by its distance.
    let moment = |power: f64| values.iter().map(|v| libm::pow(v - mean, power)).sum::<f64>();
    let acceleration = moment(3.0) / (6.0 * libm::pow(moment(2.0), 1.5));
    let end = |z: f64| {
        let shifted = bias + (bias + z) / (1.0 - acceleration * (bias + z));
        let index = libm::floor(normal_below(shifted) * resamples) as usize;
        means[index.min(means.len() - 1)]
    };
    let z = normal_quantile(0.975);
    Interval { low: Some(end(-z)), high: Some(end(z)), method: "bca" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Option<(f64, Interval)> {
        Bootstrap::new(values.len(), &Seed::new(1)).mean_interval(values)
    }

    #[test]
    fn quantiles_of_the_normal() {
        for (chance, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.025, -1.959_964), (0.9, 1.281_552)] {
            assert!((normal_quantile(chance) - z).abs() < 1e-5, "{chance}");
        }
    }

    #[test]
    fn an_interval_of_a_mean_is_near_the_normal_one_where_that_holds() {
        // 1..=100: mean 50.5, standard error 2.887 (with n), so 44.84 to 56.16.
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let (mean, interval) = of(&values).unwrap();
        assert!((mean - 50.5).abs() < 1e-9);
        assert!((interval.low.unwrap() - 44.84).abs() < 0.5, "{interval:?}");
        assert!((interval.high.unwrap() - 56.16).abs() < 0.5, "{interval:?}");
        assert_eq!(of(&values), Some((mean, interval)));
    }

    #[test]
    fn a_skewed_sample_gets_a_skewed_interval() {
        let values = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 9.0];
        let (mean, interval) = of(&values).unwrap();
        let (below, above) = (mean - interval.low.unwrap(), interval.high.unwrap() - mean);
        assert!(above > 1.5 * below, "{interval:?} around {mean}");
    }

    #[test]
    fn equal_streams_and_a_single_one_say_so() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[2.0]), Some((2.0, Interval::ONE_STREAM)));
        assert_eq!(of(&[2.0; 5]).unwrap().1.method, "all-equal");
    }
}
