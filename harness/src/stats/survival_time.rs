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
#[must_use]
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
/// where nobody was watched until the horizon and not all failed before.
#[must_use]
pub fn restricted_mean(lasted: &[(u64, bool)], horizon: u64) -> Option<(f64, Interval)> {
    let steps = survival(lasted);
    let end = lasted.iter().map(|(at, _)| *at).max()?;
    if end < horizon && steps.last()?.surviving > 0.0 {
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
    // Greenwood's sum, each failure weighed with the area behind it.
    let (mut variance, mut behind) = (0.0, mean - areas[0]);
    for (at, step) in within.iter().enumerate().skip(1) {
        let kept = step.surviving / within[at - 1].surviving;
        if kept > 0.0 {
            variance += behind * behind * (1.0 - kept) / (kept * step.at_risk as f64);
        }
        behind -= areas[at];
    }
    Some((mean, interval(mean, variance, horizon as f64, lasted.len())))
}

/// The wider of two. What is lost up to the horizon is a sum of few losses, of which none is larger
/// than that of one stream that fails at once: see [`weighted_poisson`]. What is left, where nearly
/// all fail early, has Student's t around its logarithm.
fn interval(mean: f64, variance: f64, horizon: f64, streams: usize) -> Interval {
    let (lost, n) = (horizon - mean, streams as f64);
    let most = horizon / n;
    // Before the first loss there is only the one that was not seen.
    let (least, most) = if variance > 0.0 {
        weighted_poisson(lost, variance, most)
    } else {
        (0.0, gamma::quantile(0.975, 1.0) * most)
    };
    let error = libm::sqrt(variance * n / (n - 1.0)) / mean;
    let factor = libm::exp(beta::student(streams) * error);
    let low = (mean / factor).min(horizon - most).max(0.0);
    let high = (mean * factor).max(horizon - least).min(horizon);
    Interval { low: Some(low), high: Some(high), method: "rmst-gamma-or-log-t" }
}
