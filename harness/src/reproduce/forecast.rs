//! What is expected of one run on a board that the file is not of.

use super::{Figure, OneRun};
use crate::workload::fit::{Fit, Recorded};

/// The share of refused requests that is expected of one run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Forecast {
    /// The mean of the streams.
    pub predicted: f64,
    /// Where one run of the length asked for lies, at 95 % as far as the model holds.
    pub range: (f64, f64),
    /// How far the model missed the file where that is outside the range of the streams on its own
    /// board, as a factor of the odds: the range reaches as much further to that side. 1 where it is
    /// inside, and where it is not known.
    pub missed: f64,
}

impl Forecast {
    /// Whether the range is wider than a number that is of use: more than four times what is
    /// predicted, and where that is below 2 %, more than three percentage points.
    pub fn is_wide(&self) -> bool {
        let most = if self.predicted < 0.02 { 0.03 } else { 4.0 * self.predicted };
        self.range.1 - self.range.0 > most
    }
}

/// The most refusals that a run is expected to have of which one run shows none, at 95 %.
const UNSEEN: f64 = 3.0;

/// What is expected of one run on another area, or at another cap, than those of the file.
///
/// The model rests on one run, which lies as far from the middle of all runs as another of its length
/// will: so the range of the streams is wider than over runs of a known model, for a run as long as the
/// file the square root of two times, for a longer one more. Where the file is outside the range of the streams on its own board, `here`, the range
/// reaches as much further to that side, in odds, and up by the share that no stream explains: within
/// it the distance is chance, which is in the square root. It reaches up to three refusals in any
/// case: what has a mean of three in a run is not seen in one of twenty, so one run cannot show that
/// it never happens.
pub fn forecast(fit: &Fit, run: OneRun, here: &[Recorded], there: &[Recorded]) -> Option<Forecast> {
    let recorded = super::recorded(fit).and_then(|file| file.all().refused_share());
    let (here, there) = (refused(recorded, here), refused(None, there));
    expected(&here, &there, (OneRun::of(fit).requests as f64, run.requests as f64))
}

fn refused(recorded: Option<f64>, streams: &[Recorded]) -> Figure {
    let shares: Vec<_> = streams.iter().map(|one| one.all().refused_share()).collect();
    Figure::of(recorded, &shares)
}

/// What is expected of a run by the streams `here`, on the board of the file, and those on the other;
/// `requests` are those of the file and of the run.
fn expected(here: &Figure, there: &Figure, requests: (f64, f64)) -> Option<Forecast> {
    let (of_file, of_run) = (requests.0.max(1.0), requests.1.max(1.0));
    let ((low, high), predicted) = (there.range?, there.predicted?);
    let wider = |end: f64| predicted + (end - predicted) * libm::sqrt(1.0 + of_run / of_file);
    let missed = missed(here, of_file);
    let low = moved(wider(low).max(0.0), missed.min(1.0));
    let high = wider(high).max(UNSEEN / of_file.min(of_run).max(UNSEEN)).min(1.0);
    // What none of the streams explains may be there as well, where they hardly fail too.
    let also = Some(high + beyond(here)).filter(|also| *also < 1.0).unwrap_or(high);
    let high = moved(high, missed.max(1.0)).max(also);
    Some(Forecast { predicted, range: (low.min(predicted), high.max(predicted)), missed })
}

/// How far the file is above the range of the streams.
fn beyond(here: &Figure) -> f64 {
    let above = here.recorded.zip(here.range).map(|(recorded, (_, high))| recorded - high);
    above.map_or(0.0, |above| above.max(0.0))
}

/// The odds of the file, as a multiple of those of the streams; 1 inside of their range.
fn missed(here: &Figure, requests: f64) -> f64 {
    let (Some(recorded), Some(modelled)) = (here.recorded, here.predicted) else { return 1.0 };
    if here.agrees() {
        return 1.0;
    }
    // Half a refusal more, and half a request granted: neither of the odds is ever 0 or without end.
    let odds = |share: f64| (share * requests + 0.5) / ((1.0 - share) * requests + 0.5);
    odds(recorded) / odds(modelled)
}

/// A share whose odds are so many times as high.
fn moved(share: f64, times: f64) -> f64 {
    share * times / (share * times + (1.0 - share))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::SQRT_2;

    use super::*;
    use crate::reproduce::STREAMS;

    /// Streams whose shares lie evenly from one to the other, those below 0 at 0, and their file.
    fn even(recorded: Option<f64>, from: f64, to: f64) -> Figure {
        let step = (to - from) / (STREAMS - 1) as f64;
        let shares = (0..STREAMS).map(|number| Some((from + step * number as f64).max(0.0)));
        Figure::of(recorded, &shares.collect::<Vec<_>>())
    }

    /// What is expected where the streams of the file's board, and of the other one, lie so.
    fn of(here: &Figure, there: (f64, f64), requests: f64) -> Forecast {
        let there = even(None, there.0, there.1);
        let expected = expected(here, &there, (requests, requests)).unwrap();
        let (low, high) = expected.range;
        assert!(0.0 <= low && low <= expected.predicted, "{expected:?}");
        assert!(expected.predicted <= high && high <= 1.0, "{expected:?}");
        expected
    }

    fn is_near(value: f64, other: f64) -> bool {
        (value - other).abs() < 0.001
    }

    #[test]
    fn a_file_inside_of_its_streams_widens_by_chance_alone() {
        // Of 0.42 to 0.58 one stream at each end is left out; 0.5 is in the middle.
        let there = (0.42, 0.58);
        let inside = [
            // None of 343 is no miss where 0.4 % are the mean.
            (even(Some(0.0), -0.002, 0.0092), 343.0),
            // 8 of 1422, more than twice the mean.
            (even(Some(8.0 / 1422.0), 0.0, 0.006), 1422.0),
            (even(None, 0.0, 0.006), 1422.0),
        ];
        for (here, requests) in inside {
            let Forecast { predicted, range: (low, high), missed } = of(&here, there, requests);
            assert!(is_near(predicted, 0.5) && missed == 1.0);
            let reach = (0.08 - 0.16 / 78.0) * SQRT_2;
            assert!(is_near(low, 0.5 - reach) && is_near(high, 0.5 + reach), "{low} {high}");
        }
    }

    #[test]
    fn a_file_that_failed_more_than_its_streams_moves_the_upper_end_alone() {
        let (there, requests) = ((0.42, 0.58), 1000.0);
        let known = of(&even(Some(0.2), 0.18, 0.22), there, requests);
        let missed = of(&even(Some(0.4), 0.18, 0.22), there, requests);
        // Odds of 2 to 3 in place of 1 to 4.
        assert!((missed.missed - 8.0 / 3.0).abs() < 0.01, "{missed:?}");
        assert!(missed.range.0 == known.range.0 && missed.range.1 > known.range.1);
        assert!(missed.range.1 < 0.85, "{missed:?}");
        // Where streams hardly fail the odds come to little: 0.18 is explained by none of them.
        let rare = of(&even(Some(0.4), 0.18, 0.22), (0.0, 0.002), requests);
        assert!(rare.range.1 > 0.18 && rare.range.1 < 0.19, "{rare:?}");
        // On its own board the range reaches to what was recorded.
        assert!(of(&even(Some(0.4), 0.18, 0.22), (0.18, 0.22), requests).range.1 > 0.4);
    }

    #[test]
    fn a_file_that_failed_less_than_its_streams_moves_the_lower_end_alone() {
        let (there, requests) = ((0.42, 0.58), 1000.0);
        let known = of(&even(Some(0.2), 0.18, 0.22), there, requests);
        for recorded in [0.1, 0.0] {
            let missed = of(&even(Some(recorded), 0.18, 0.22), there, requests);
            assert!(missed.missed < 0.5 && missed.range.1 == known.range.1, "{missed:?}");
            assert!((0.0001..known.range.0).contains(&missed.range.0), "{missed:?}");
            assert!(of(&even(Some(recorded), 0.18, 0.22), (0.18, 0.22), requests).range.0 < 0.1);
        }
    }

    #[test]
    fn a_range_is_wide_by_what_is_predicted() {
        let wide = |predicted, low, high| {
            Forecast { predicted, range: (low, high), missed: 1.0 }.is_wide()
        };
        assert!(!wide(0.02, 0.0, 0.08) && wide(0.02, 0.0, 0.081));
        assert!(!wide(0.019, 0.01, 0.04) && wide(0.019, 0.01, 0.041));
    }

    #[test]
    fn streams_that_never_fail_have_odds_too() {
        let missed = of(&even(Some(0.2), 0.0, 0.0), (0.0, 0.0), 1000.0);
        assert!(missed.missed.is_finite() && missed.range.1 < 1.0 && missed.range.1 > 0.2);
    }

    #[test]
    fn what_no_stream_shows_may_be_three_times_in_a_run() {
        let none = even(Some(0.0), 0.0, 0.0);
        assert_eq!(of(&none, (0.0, 0.0), 1500.0).range, (0.0, 0.002));
        assert_eq!(of(&none, (0.0, 0.0), 2.0).range, (0.0, 1.0));
        assert_eq!(expected(&none, &Figure::of(None, &[None; 3]), (9.0, 9.0)), None);
    }

    #[test]
    fn the_range_of_a_figure_is_without_what_one_run_of_twenty_is_outside_of() {
        let all: Vec<_> = (0..STREAMS).map(|number| Some(number as f64)).collect();
        assert_eq!(Figure::of(None, &all).range, Some((1.0, (STREAMS - 2) as f64)));
        assert_eq!(Figure::of(None, &all[..39]).range, Some((0.0, 38.0)));
        let (with, without) = (&all[..11], [None; 28]);
        let figure = Figure::of(None, &[with, &without].concat());
        assert_eq!((figure.range, figure.without), (Some((0.0, 10.0)), 28));
    }
}
