//! What streams say about board time.

use super::Streams;
use crate::metric::{Value, column};
use crate::stats::{
    Interval, Trend, Watched, failure_rate, rate, restricted_mean, share_high, survival_quantile,
    trend,
};
use crate::sweep::{Evidence, Length, Outcome};

/// A day in microseconds.
pub(in crate::answer) const DAY_US: f64 = 24.0 * Length::HOUR_US as f64;

/// What the streams of one policy under one configuration say about board time: of those that have
/// time. All times are in microseconds.
#[derive(Clone, PartialEq, Debug)]
pub struct TimeRow {
    /// What was watched, of all streams, also behind their first failures.
    pub board_time_us: u64,
    /// The shortest and the longest stream, of those that were run to their end.
    pub each_us: Option<[u64; 2]>,
    /// First failures, and the time at risk of them.
    pub evidence: Evidence,
    /// The MTBF that is exceeded with 95 %, one-sided, where the hazard is constant.
    pub mtbf_low_us: f64,
    /// The share of streams with a failure in their first day that is excluded above it with 95 %,
    /// one-sided.
    pub failing_in_a_day_high: f64,
    /// Until half of all streams have failed (Kaplan and Meier).
    pub median_us: Option<u64>,
    /// Its interval.
    pub median_interval: Interval,
    /// The mean time without a failure, restricted to the longest that was watched, and its
    /// interval: no MTBF. None where too few were watched so long.
    pub restricted_mean_us: Option<(f64, Interval)>,
    /// Requests that their callers did not get, all of them, in a day, and its interval. None where
    /// streams were ended at their first failure.
    pub unserved_per_day: Option<(f64, Interval)>,
    /// Whether failures become more frequent with age.
    pub trend: Trend,
    /// Ops of all streams.
    pub ops: u64,
}

impl TimeRow {
    /// Of these streams; none where they have no time, or there are none.
    pub(super) fn of(streams: Streams<'_>) -> Option<Self> {
        let time = column("board_time_us");
        let has_time = streams.0.iter().all(|values| values[time] != Value::None);
        if streams.0.is_empty() || !has_time {
            return None;
        }
        let outcomes = streams.0.iter().map(|values| Outcome::of(values));
        let lasted: Vec<_> = outcomes.map(|one| (one.watched_us, one.lost)).collect();
        let mut evidence = Evidence::default();
        lasted.iter().for_each(|(watched_us, lost)| evidence.add(*watched_us, *lost));
        let times: Vec<u64> = streams.counts("board_time_us").flatten().collect();
        let early: Vec<bool> = streams.counts("ended_early").map(|n| n == Some(1)).collect();
        let to_the_end = || times.iter().zip(&early).filter(|(_, early)| !**early).map(|(t, _)| *t);
        let horizon = to_the_end().max().or_else(|| times.iter().copied().max()).unwrap_or(0);
        let ages: Vec<_> = lasted.iter().map(|(at, failed)| (*at as f64, *failed)).collect();
        let (median_us, median_interval) = survival_quantile(&lasted, 0.5);
        let ended_early = early.iter().filter(|early| **early).count() as u64;
        let per_day = (ended_early == 0).then(|| per_day(streams, &times)).flatten();
        Some(Self {
            board_time_us: times.iter().fold(0, |sum, time| sum.saturating_add(*time)),
            each_us: to_the_end().min().zip(to_the_end().max()).map(|(least, most)| [least, most]),
            evidence,
            mtbf_low_us: rate::mtbf_low(evidence.failed, evidence.at_risk_us as f64),
            failing_in_a_day_high: share_high(evidence.failed_in_a_day, evidence.streams),
            median_us,
            median_interval,
            restricted_mean_us: restricted_mean(&lasted, horizon),
            unserved_per_day: per_day,
            trend: trend(&ages, horizon as f64),
            ops: streams.sum("stream_ops"),
        })
    }
}

/// All failures in a day, streams as clusters.
fn per_day(streams: Streams<'_>, times: &[u64]) -> Option<(f64, Interval)> {
    let unserved = streams.counts("unserved").map(Option::unwrap_or_default);
    let watched = unserved.zip(times).filter(|(_, time)| **time > 0);
    let watched: Vec<_> =
        watched.map(|(failures, time)| Watched { failures, time: *time as f64 / DAY_US }).collect();
    failure_rate(&watched)
}
