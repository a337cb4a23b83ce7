//! What is expected of one run on a board that the file is not of.

use std::f64::consts::SQRT_2;

use super::Figure;
use crate::workload::fit::{Fit, Recorded};

/// The share of refused requests that is expected of one run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Forecast {
    /// The mean of the streams.
    pub predicted: f64,
    /// Where one run of [`run_requests`](super::run_requests) lies, at 95 % as far as the model holds.
    pub range: (f64, f64),
    /// How far the model missed the file where that is outside the range of the streams on its own
    /// board, as a factor of the odds: the range reaches as much further to that side. 1 where it is
    /// inside, and where it is not known.
    pub missed: f64,
}

/// The most refusals that a run is expected to have of which one run shows none, at 95 %.
const UNSEEN: f64 = 3.0;

/// What is expected of one run on another area, or at another cap, than those of the file.
///
/// The model rests on one run, which lies as far from the middle of all runs as the next one will: so
/// the range of the streams is the square root of two times as wide as it is over runs of a known
/// model. Where the file is outside the range of the streams on its own board, `here`, the range
/// reaches as much further to that side, in odds: within it the distance is chance, which is in the
/// square root. It reaches up to three refusals in any case: what has a mean of three in a run is not
/// seen in one of twenty, so one run cannot show that it never happens.
pub fn forecast(fit: &Fit, here: &[Recorded], there: &[Recorded]) -> Option<Forecast> {
    let recorded = super::recorded(fit).and_then(|file| file.all().refused_share());
    let (here, there) = (refused(recorded, here), refused(None, there));
    expected(&here, &there, super::run_requests(fit) as f64)
}

fn refused(recorded: Option<f64>, streams: &[Recorded]) -> Figure {
    let shares: Vec<_> = streams.iter().map(|one| one.all().refused_share()).collect();
    Figure::of(recorded, &shares)
}

/// What is expected of a run of so many requests, by the streams `here`, on the board of the file, and
/// those on the other.
fn expected(here: &Figure, there: &Figure, requests: f64) -> Option<Forecast> {
    let ((low, high), predicted) = (there.range?, there.predicted?);
    let wider = |end: f64| predicted + (end - predicted) * SQRT_2;
    let missed = missed(here, requests);
    let low = moved(wider(low).max(0.0), missed.min(1.0));
    let high = wider(high).max(UNSEEN / requests.max(UNSEEN)).min(1.0);
    let high = moved(high, missed.max(1.0));
    Some(Forecast { predicted, range: (low.min(predicted), high.max(predicted)), missed })
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
