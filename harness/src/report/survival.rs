//! How long streams go well: the survival curve of requests to the first failure (R5).
//!
//! A stream fails where a caller does not get its memory. A request that the area refused and the
//! page allocator served is no failure.

use super::summary::Streams;
use crate::stats::survival;

/// The curve of one configuration and policy (Kaplan and Meier, 1958). A stream that ends without
/// a failure is cut off there: it lasted longer than it was watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Streams.
    pub streams: u64,
    /// Those that fail.
    pub failed: u64,
    /// Steps, ascending in requests, at most [`MOST_POINTS`]; it begins with 0 requests, where all
    /// go well, and stays level between two points and up to [`requests_end`](Self::requests_end).
    pub points: Vec<Point>,
    /// Requests of the longest stream: nothing is known behind it.
    pub requests_end: u64,
    /// Requests of the shortest of the streams that do not fail; those of the longest stream where
    /// all do. Up to here every stream is watched, behind it fewer and fewer.
    pub requests_all: u64,
}

/// The most points of a curve.
pub const MOST_POINTS: usize = 60;

/// Where a curve steps down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Requests made, the failed one included.
    pub requests: u64,
    /// Streams that came so far without a failure and were still watched just before.
    pub at_risk: u64,
    /// The share of streams that come further without a failure.
    pub surviving: f64,
    /// Lower end of its 95 % interval, at this point alone.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Curve {
    /// The curve of one policy's streams: how long each went well, in requests, and whether it
    /// failed then.
    pub(super) fn of(lasted: &[(u64, bool)]) -> Self {
        let points = survival(lasted).into_iter().map(|step| Point {
            requests: step.at,
            at_risk: step.at_risk,
            surviving: step.surviving,
            low: step.low,
            high: step.high,
        });
        let end = lasted.iter().map(|(requests, _)| *requests).max().unwrap_or(0);
        let well = lasted.iter().filter(|(_, failed)| !failed);
        Self {
            streams: lasted.len() as u64,
            failed: lasted.iter().filter(|(_, failed)| *failed).count() as u64,
            points: thin(points.collect()),
            requests_end: end,
            requests_all: well.map(|(requests, _)| *requests).min().unwrap_or(end),
        }
    }

    /// The curve of `streams`.
    pub(super) fn of_streams(streams: Streams<'_>) -> Self {
        let requests = streams.counts("requests").map(Option::unwrap_or_default);
        let first = streams.first_unserved().into_iter();
        let lasted: Vec<_> = first
            .zip(requests)
            .map(|(failed, all)| failed.map_or((all, false), |requests| (requests, true)))
            .collect();
        Self::of(&lasted)
    }

    /// The share of streams that make so many requests without a failure.
    #[must_use]
    pub fn surviving(&self, requests: u64) -> f64 {
        let after = self.points.partition_point(|point| point.requests <= requests);
        self.points[..after].last().map_or(1.0, |point| point.surviving)
    }
}

/// At most [`MOST_POINTS`] of `points`, evenly, the first and the last among them.
fn thin(points: Vec<Point>) -> Vec<Point> {
    let all = points.len();
    if all <= MOST_POINTS {
        return points;
    }
    (0..MOST_POINTS).map(|n| points[n * (all - 1) / (MOST_POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_steps_down_where_a_stream_fails() {
        let curve = Curve::of(&[(100, true), (400, false), (200, true), (400, false)]);
        assert_eq!((curve.streams, curve.failed, curve.requests_end), (4, 2, 400));
        let seen: Vec<_> = curve.points.iter().map(|p| (p.requests, p.surviving)).collect();
        assert_eq!(seen, [(0, 1.0), (100, 0.75), (200, 0.5)]);
        for (requests, surviving) in [(99, 1.0), (100, 0.75), (199, 0.75), (1000, 0.5)] {
            assert_eq!(curve.surviving(requests), surviving);
        }
    }

    #[test]
    fn where_no_stream_fails_all_are_watched_for_as_long_as_the_shortest() {
        let curve = Curve::of(&[(700, false), (300, false), (900, false)]);
        assert_eq!((curve.failed, curve.requests_all, curve.requests_end), (0, 300, 900));
        let curve = Curve::of(&[(100, true), (900, false), (500, false)]);
        assert_eq!((curve.requests_all, curve.requests_end), (500, 900));
        assert_eq!(Curve::of(&[(100, true), (90, true)]).requests_all, 100);
    }

    #[test]
    fn a_curve_of_many_streams_keeps_its_ends() {
        let lasted: Vec<_> = (1..=1000).map(|n| (n * 7, true)).collect();
        let curve = Curve::of(&lasted);
        assert_eq!(curve.points.len(), MOST_POINTS);
        let (first, last) = (curve.points[0], curve.points[MOST_POINTS - 1]);
        assert_eq!((first.requests, first.surviving), (0, 1.0));
        assert_eq!((last.requests, last.surviving), (7000, 0.0));
        assert!(curve.points.is_sorted_by(|a, b| a.requests < b.requests));
    }
}
