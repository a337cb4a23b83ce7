//! Whether streams that are drawn from a fit fail as the file did that it is fitted to.
//!
//! The board of the file runs drawn streams of the file's length, with what clients do after a
//! refusal as it was inferred. Of all recordings which are like the streams 95 % lie in the range of
//! each figure, whatever its distribution is: one more draw lies from the kth lowest of n to the kth
//! highest with probability (n + 1 - 2 k) / (n + 1), and 79 streams have a k of 2.

mod forecast;
mod yardstick;

use cma_policies::{Area, BASELINE, builtin};

use crate::after_failure::{AfterFailure, Callers};
use crate::board::Board;
use crate::environment::Quiet;
use crate::op::{Op, Timed};
use crate::oracle::{Checks, Violation, Witness};
use crate::seed::Seed;
use crate::simulate::{Answer, Observer, Rig, Slot, Step, Until, run, warm_up};
use crate::workload::fit::{Fit, Recorded};
use crate::workload::{SetupError, Workload};

pub use forecast::{Forecast, forecast};
pub use yardstick::{YARDSTICK_OPS, Yardstick, yardstick};

/// Streams that are drawn.
pub const STREAMS: u64 = 79;

/// Ops of a drawn stream at most: a longer file is held against the rates of its beginning's length.
const MOST_OPS: u64 = 1 << 18;

/// A figure of the file, and of the streams.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Of the file; `None` where there is none, as no first refusal.
    pub recorded: Option<f64>,
    /// The mean over the streams that have one.
    pub predicted: Option<f64>,
    /// Where 95 % of them lie; of fewer than 79 the lowest and the highest.
    pub range: Option<(f64, f64)>,
    /// The streams that have none.
    pub without: u64,
}

impl Figure {
    fn of(recorded: Option<f64>, streams: &[Option<f64>]) -> Self {
        let mut there: Vec<f64> = streams.iter().copied().flatten().collect();
        there.sort_by(f64::total_cmp);
        let without = (streams.len() - there.len()) as u64;
        // The first that is inside, from either end.
        let end = ((there.len() + 1) / 40).max(1);
        let range = (!there.is_empty()).then(|| (there[end - 1], there[there.len() - end]));
        let predicted = range.map(|_| there.iter().sum::<f64>() / there.len() as f64);
        Self { recorded, predicted, range, without }
    }

    /// Whether the file lies in the range of the streams.
    pub fn agrees(&self) -> bool {
        match (self.recorded, self.range) {
            (Some(recorded), Some((low, high))) => (low..=high).contains(&recorded),
            // One of the streams at least has none, or none has.
            (None, _) => self.without > 0,
            (Some(_), None) => false,
        }
    }
}

/// A fit on the board of its file.
#[derive(Clone, PartialEq, Debug)]
pub struct Reproduction {
    /// The area.
    pub area: Area,
    /// The cap that requests of the DMA API follow.
    pub cap: u32,
    /// Refused requests as a share of all.
    pub refused: Figure,
    /// When the first request was refused, in microseconds from the beginning (of a recording, in
    /// ops).
    pub first_us: Figure,
    /// The most pages that were held at once.
    pub most_pages: Figure,
    /// By pages asked for, refused requests as a share of all: of the sizes that are asked for most.
    pub by_size: Vec<(u64, Figure)>,
    /// The streams.
    pub streams: Vec<Recorded>,
}

impl Reproduction {
    /// Whether the streams fail as often as the file, in all, or the file does not say how often it
    /// did: see [`Reproduction::is_known`].
    pub fn holds(&self) -> bool {
        !self.is_known() || self.refused.agrees()
    }

    /// Whether the file says how its requests ended.
    pub const fn is_known(&self) -> bool {
        self.refused.recorded.is_some()
    }
}

/// What a stream came to.
#[derive(Default)]
struct Watch(Recorded);

impl Observer for Watch {
    fn step(&mut self, step: &Step<'_>) {
        if let Some(request) = step.request() {
            let is_refused = matches!(step.answer, Answer::Refused(_));
            self.0.note(step.at_us, request.count(), is_refused);
        }
        let model = step.model;
        let held = model.area().pages() - model.free_pages();
        self.0.most_pages = self.0.most_pages.max(held);
    }
}

/// Gets a stream that has ended, from several threads.
pub type Beat<'a> = &'a (dyn Fn() + Sync);

/// Holds what `fit` predicts for the board of its file against the file: `None` where the file does
/// not say which area that was. Cost: [`STREAMS`] streams of its length under the baseline.
///
/// # Errors
/// A stream that cannot be drawn, and a law that the baseline breaks.
pub fn reproduce(fit: &Fit) -> Result<Option<Reproduction>, NotReproduced> {
    reproduce_watched(fit, &|| {})
}

/// As [`reproduce`], with what hears of each stream.
///
/// # Errors
/// As [`reproduce`].
pub fn reproduce_watched(fit: &Fit, beat: Beat<'_>) -> Result<Option<Reproduction>, NotReproduced> {
    let Some(area) = fit.area.clone() else { return Ok(None) };
    let (streams, file) =
        (predict_watched(fit, (&area, fit.cap), OneRun::of(fit), beat)?, recorded(fit));
    let figure = |of: &dyn Fn(&Recorded) -> Option<f64>| {
        Figure::of(file.and_then(of), &streams.iter().map(of).collect::<Vec<_>>())
    };
    let by_size = fit.sizes().into_iter().map(|size| {
        (size, figure(&|one| one.by_size.get(&size).and_then(|asked| asked.refused_share())))
    });
    Ok(Some(Reproduction {
        cap: fit.cap,
        refused: figure(&|one| one.all().refused_share()),
        first_us: figure(&|one| one.first_refused_us.map(|us| us as f64)),
        most_pages: figure(&|one| Some(one.most_pages as f64)),
        by_size: by_size.collect(),
        area,
        streams,
    }))
}

/// How the requests of the file ended, where it says so of any.
fn recorded(fit: &Fit) -> Option<&Recorded> {
    fit.has_outcomes().then(|| fit.recorded())
}

/// A run that is predicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OneRun {
    /// About as many requests as this, at the pace of the file.
    pub requests: u64,
}

impl OneRun {
    /// As long as the file; where that has more than 262144 ops as long as so many.
    pub fn of(fit: &Fit) -> Self {
        let all = fit.ops().max(1);
        let share = u128::from(fit.requests) * u128::from(all.min(MOST_OPS)) / u128::from(all);
        Self { requests: share as u64 }
    }

    /// What the file has of something, for a run of this length.
    fn scaled(self, of_file: u64, fit: &Fit) -> u64 {
        let all = u128::from(fit.requests.max(1));
        (u128::from(of_file) * u128::from(self.requests) / all).try_into().unwrap_or(u64::MAX)
    }
}

/// How requests end on an area at a cap, by the baseline: in [`STREAMS`] streams of the length of
/// the file, with what clients do after a refusal as the file shows it.
///
/// # Errors
/// As [`reproduce`].
pub fn predict(fit: &Fit, area: &Area, cap: u32) -> Result<Vec<Recorded>, NotReproduced> {
    predict_watched(fit, (area, cap), OneRun::of(fit), &|| {})
}

/// As [`predict`], in streams of this length and with what hears of each.
///
/// # Errors
/// As [`reproduce`].
pub fn predict_watched(
    fit: &Fit,
    board: (&Area, u32),
    run: OneRun,
    beat: Beat<'_>,
) -> Result<Vec<Recorded>, NotReproduced> {
    each(|number| {
        let made = stream(fit, board, run, number);
        beat();
        made
    })
}

/// What `of` makes of the number of each stream, in their order, on as many threads as there are
/// cores.
#[cfg(feature = "cli")]
fn each<R: Send>(
    of: impl Fn(u64) -> Result<R, NotReproduced> + Send + Sync,
) -> Result<Vec<R>, NotReproduced> {
    use rayon::prelude::*;
    // All of them, and then the first failure: which one that is does not depend on the threads.
    let all: Vec<_> = (0..STREAMS).into_par_iter().map(of).collect();
    all.into_iter().collect()
}

#[cfg(not(feature = "cli"))]
fn each<R>(of: impl Fn(u64) -> Result<R, NotReproduced>) -> Result<Vec<R>, NotReproduced> {
    (0..STREAMS).map(of).collect()
}

/// Why a fit could not be held against its file.
#[derive(Debug)]
pub enum NotReproduced {
    /// No stream.
    Draw(SetupError),
    /// The policy broke a law.
    Broken(Violation),
}

/// One stream on an area, at a cap.
fn stream(
    fit: &Fit,
    board: (&Area, u32),
    run: OneRun,
    number: u64,
) -> Result<Recorded, NotReproduced> {
    let ops = if fit.is_in_ops() { run.scaled(fit.ops(), fit) } else { MOST_OPS };
    let seed = Seed::new(number).child("reproduce", number);
    let made = fit.open(fit.load_pages(), &seed, ops.min(MOST_OPS)).map_err(NotReproduced::Draw)?;
    let end_us = run.scaled(fit.end_us().saturating_add(1), fit);
    let time_us = (!fit.is_in_ops()).then_some(end_us);
    let until = Until { time_us, first_failure: false };
    let callers = fit.callers(made.clients(), AfterFailure::Drop, number);
    let mut watch = Watch::default();
    drive(fit, board, made, callers, until, &mut watch).map_err(NotReproduced::Broken)?;
    Ok(watch.0)
}

fn drive(
    fit: &Fit,
    (area, cap): (&Area, u32),
    made: Workload,
    callers: Callers,
    until: Until,
    watch: &mut Watch,
) -> Result<(), Violation> {
    let way = Board::single("", area.clone()).way("");
    let kernel = builtin::catalog().parse(BASELINE).expect("the baseline");
    let make = |_, _| Slot {
        witness: Witness::new(area, kernel.build(area.clone()).expect("any area"), Checks::SWEEP),
        pages: Box::new(Quiet),
    };
    let mut rig = Rig::new(1, vec![way], make);
    let capped = |op: Op| op.with_cap(cap);
    let before = fit.before().into_iter().map(capped);
    warm_up(before, &mut rig.slots_mut()[0].witness, &mut [])?;
    let ops = made.map(|timed| Timed { op: capped(timed.op), ..timed });
    run(ops, callers, until, &mut rig, &mut [watch])
}

impl std::fmt::Display for NotReproduced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Draw(error) => write!(f, "{error}"),
            Self::Broken(violation) => write!(f, "{violation}"),
        }
    }
}

impl std::error::Error for NotReproduced {}
