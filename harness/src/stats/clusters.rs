//! How often something fails, all failures counted: they come in bursts, so streams are clusters.

use super::{Interval, beta};

/// What one stream shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Watched {
    /// Its failures, all of them.
    pub failures: u64,
    /// How long it was watched, above 0, in any unit.
    pub time: f64,
}

/// Failures per unit of time over all streams, and the interval over streams as clusters. [`None`]
/// with no time watched.
#[must_use]
pub fn failure_rate(streams: &[Watched]) -> Option<(f64, Interval)> {
    let time: f64 = streams.iter().map(|stream| stream.time).sum();
    if time <= 0.0 {
        return None;
    }
    let failures: f64 = streams.iter().map(|stream| stream.failures as f64).sum();
    let rate = failures / time;
    let failing = streams.iter().filter(|stream| stream.failures > 0).count();
    if failing == 0 {
        return Some((0.0, Interval { low: Some(0.0), high: None, method: "no-failure" }));
    }
    if failing == 1 {
        return Some((rate, Interval { low: Some(0.0), high: None, method: "one-failing-stream" }));
    }
    let off = |stream: &Watched| stream.failures as f64 - rate * stream.time;
    let n = streams.len() as f64;
    let square: f64 = streams.iter().map(|stream| off(stream) * off(stream)).sum();
    let error = libm::sqrt(square * n / (n - 1.0)) / failures;
    let factor = libm::exp(beta::student(failing) * error);
    let (low, high) = (Some(rate / factor), Some(rate * factor));
    Some((rate, Interval { low, high, method: "log-t-of-failing-streams" }))
}
