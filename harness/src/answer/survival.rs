//! How long streams go well: the survival curve to the first failure (R5), over board time where
//! they have time, else over requests.
//!
//! A stream fails where a caller does not get its memory. A request that the area refused and the
//! page allocator served is no failure.

use super::summary::Streams;
use crate::metric::{Value, column};
use crate::stats::survival;
use crate::sweep::Outcome;

/// What a curve counts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CurveUnit {
    /// Board time, in microseconds.
    BoardTime,
    /// Requests made, the failed one included: a recording has no time.
    Requests,
}

/// The curve of one configuration and policy (Kaplan and Meier, 1958). A stream that ends without
/// a failure is cut off there: it lasted longer than it was watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// What [`Point::at`], [`end`](Self::end) and [`all`](Self::all) count in.
    pub unit: CurveUnit,
    /// Streams.
    pub streams: u64,
    /// Those that fail.
    pub failed: u64,
    /// Steps, ascending, at most [`MOST_POINTS`]; it begins at 0, where all go well, and stays
    /// level between two points and up to [`end`](Self::end).
    pub points: Vec<Point>,
    /// How long the stream that is watched longest is: nothing is known behind it.
    pub end: u64,
    /// How long the shortest of the streams is that do not fail; where all fail, the end. Up to
    /// here every stream is watched, behind it fewer and fewer.
    pub all: u64,
}

/// The most points of a curve.
pub const MOST_POINTS: usize = 60;

/// Where a curve steps down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// When: see [`Curve::unit`].
    pub at: u64,
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
    /// The curve of one policy's streams: how long each went well, and whether it failed then.
    pub(super) fn of(unit: CurveUnit, lasted: &[(u64, bool)]) -> Self {
        let points = survival(lasted).into_iter().map(|step| Point {
            at: step.at,
            at_risk: step.at_risk,
            surviving: step.surviving,
            low: step.low,
            high: step.high,
        });
        let end = lasted.iter().map(|(at, _)| *at).max().unwrap_or(0);
        let well = lasted.iter().filter(|(_, failed)| !failed);
        Self {
            unit,
            streams: lasted.len() as u64,
            failed: lasted.iter().filter(|(_, failed)| *failed).count() as u64,
            points: thin(points.collect()),
            end,
            all: well.map(|(at, _)| *at).min().unwrap_or(end),
        }
    }

    /// The curve of `streams`: over board time, where all have it.
    pub(super) fn of_streams(streams: Streams<'_>) -> Self {
        let time = column("board_time_us");
        if streams.0.iter().all(|values| values[time] != Value::None) {
            let outcomes = streams.0.iter().map(|values| Outcome::of(values));
            let lasted: Vec<_> = outcomes.map(|one| (one.watched_us, one.lost)).collect();
            return Self::of(CurveUnit::BoardTime, &lasted);
        }
        let requests = streams.counts("requests").map(Option::unwrap_or_default);
        let first = streams.first_unserved().into_iter();
        let lasted: Vec<_> = first
            .zip(requests)
            .map(|(failed, all)| failed.map_or((all, false), |requests| (requests, true)))
            .collect();
        Self::of(CurveUnit::Requests, &lasted)
    }

    /// The share of streams that come so far without a failure, see [`unit`](Self::unit).
    #[must_use]
    pub fn surviving(&self, at: u64) -> f64 {
        let after = self.points.partition_point(|point| point.at <= at);
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
        let curve =
            Curve::of(CurveUnit::Requests, &[(100, true), (400, false), (200, true), (400, false)]);
        assert_eq!((curve.streams, curve.failed, curve.end), (4, 2, 400));
        let seen: Vec<_> = curve.points.iter().map(|p| (p.at, p.surviving)).collect();
        assert_eq!(seen, [(0, 1.0), (100, 0.75), (200, 0.5)]);
        for (requests, surviving) in [(99, 1.0), (100, 0.75), (199, 0.75), (1000, 0.5)] {
            assert_eq!(curve.surviving(requests), surviving);
        }
    }

    #[test]
    fn where_no_stream_fails_all_are_watched_for_as_long_as_the_shortest() {
        let curve = Curve::of(CurveUnit::Requests, &[(700, false), (300, false), (900, false)]);
        assert_eq!((curve.failed, curve.all, curve.end), (0, 300, 900));
        let curve = Curve::of(CurveUnit::Requests, &[(100, true), (900, false), (500, false)]);
        assert_eq!((curve.all, curve.end), (500, 900));
        assert_eq!(Curve::of(CurveUnit::Requests, &[(100, true), (90, true)]).all, 100);
    }

    #[test]
    fn streams_are_watched_over_board_time_where_all_have_it() {
        let stream = |changes: &[(&str, u64)]| {
            let mut values = vec![Value::None; crate::metric::columns().count()];
            changes.iter().for_each(|(name, n)| values[column(name)] = Value::Count(*n));
            values
        };
        let timed = [("requests", 9), ("board_time_us", 50)];
        let failed = [("requests_to_first_unserved", 7), ("time_to_first_unserved_us", 30)];
        let mut streams = vec![stream(&timed), stream(&[&timed[..], &failed[..]].concat())];
        let curve = Curve::of_streams(Streams(&streams));
        assert_eq!((curve.unit, curve.end, curve.failed), (CurveUnit::BoardTime, 50, 1));
        assert_eq!(curve.points.iter().map(|p| p.at).collect::<Vec<_>>(), [0, 30]);
        // One without time, and nothing can be said in it.
        streams.push(stream(&[("requests", 4)]));
        let curve = Curve::of_streams(Streams(&streams));
        assert_eq!((curve.unit, curve.end, curve.all), (CurveUnit::Requests, 9, 4));
        assert_eq!(curve.points.iter().map(|p| p.at).collect::<Vec<_>>(), [0, 7]);
    }

    #[test]
    fn a_curve_of_many_streams_keeps_its_ends() {
        let lasted: Vec<_> = (1..=1000).map(|n| (n * 7, true)).collect();
        let curve = Curve::of(CurveUnit::Requests, &lasted);
        assert_eq!(curve.points.len(), MOST_POINTS);
        let (first, last) = (curve.points[0], curve.points[MOST_POINTS - 1]);
        assert_eq!((first.at, first.surviving), (0, 1.0));
        assert_eq!((last.at, last.surviving), (7000, 0.0));
        assert!(curve.points.is_sorted_by(|a, b| a.at < b.at));
    }
}
