//! Whether streams that are drawn from a fit fail as the file did that it is fitted to.
//!
//! The board of the file runs drawn streams of the file's length, with what clients do after a
//! refusal as it was inferred. So many streams are drawn that of all recordings which are like them
//! 95 % lie between the lowest and the highest of each figure, whatever their distribution is: the
//! extremes of n draws bound one more with probability (n - 1) / (n + 1).

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

/// Streams that are drawn.
pub const STREAMS: u64 = 39;

/// Ops of a drawn stream at most: a longer file is held against the rates of its beginning's length.
const MOST_OPS: u64 = 1 << 18;

/// A figure of the file, and of the streams.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Of the file; `None` where there is none, as no first refusal.
    pub recorded: Option<f64>,
    /// The mean over the streams that have one.
    pub predicted: Option<f64>,
    /// The lowest and the highest of them.
    pub range: Option<(f64, f64)>,
    /// The streams that have none.
    pub without: u64,
}

impl Figure {
    fn of(recorded: Option<f64>, streams: &[Option<f64>]) -> Self {
        let there: Vec<f64> = streams.iter().copied().flatten().collect();
        let without = (streams.len() - there.len()) as u64;
        let range = there.iter().fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((*value, *value));
            Some((low.min(*value), high.max(*value)))
        });
        let predicted = range.map(|_| there.iter().sum::<f64>() / there.len() as f64);
        Self { recorded, predicted, range, without }
    }

    /// Whether the file lies among the streams.
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
    /// Whether the streams fail as often as the file, in all.
    pub fn holds(&self) -> bool {
        self.refused.agrees()
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

/// Holds what `fit` predicts for the board of its file against the file: `None` where the file does
/// not say which area that was. Cost: [`STREAMS`] streams of its length under the baseline.
///
/// # Errors
/// A stream that cannot be drawn, and a law that the baseline breaks.
pub fn reproduce(fit: &Fit) -> Result<Option<Reproduction>, NotReproduced> {
    let Some(area) = fit.area.clone() else { return Ok(None) };
    let (streams, file) = (predict(fit, &area, fit.cap)?, fit.recorded());
    let figure = |of: &dyn Fn(&Recorded) -> Option<f64>| {
        Figure::of(of(file), &streams.iter().map(of).collect::<Vec<_>>())
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

/// How requests end on an area at a cap, by the baseline: in [`STREAMS`] streams of the length of
/// the file, with what clients do after a refusal as the file shows it.
///
/// # Errors
/// As [`reproduce`].
pub fn predict(fit: &Fit, area: &Area, cap: u32) -> Result<Vec<Recorded>, NotReproduced> {
    (0..STREAMS).map(|number| stream(fit, (area, cap), number)).collect()
}

/// The share of refused requests that is expected of one run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Forecast {
    /// The mean of the streams.
    pub predicted: f64,
    /// Where one run of the length of the file lies, at 95 % as far as the model holds.
    pub range: (f64, f64),
    /// How far the model missed the file, as a factor: the range reaches as much further. 1 where it
    /// is not known.
    pub missed: f64,
}

/// The most refusals that a run is expected to have of which one run shows none, at 95 %.
const UNSEEN: f64 = 3.0;

/// What is expected of one run on another area, or at another cap, than those of the file.
///
/// The model rests on one run, which lies as far from the middle of all runs as the next one will: so
/// the range of the streams is the square root of two times as wide as it is over runs of a known
/// model. Where the streams on the board of the file, `here`, fail more or less often than the file
/// did, the range reaches as much further to that side. It reaches up to three refusals in any case:
/// what has a mean of three in a run is not seen in one of twenty, so one run cannot show that it
/// never happens.
pub fn forecast(fit: &Fit, here: &[Recorded], there: &[Recorded]) -> Option<Forecast> {
    let shares = |streams: &[Recorded]| {
        let shares: Vec<_> = streams.iter().map(|one| one.all().refused_share()).collect();
        Figure::of(None, &shares)
    };
    let (here, there) = (shares(here), shares(there));
    let ((low, high), predicted) = (there.range?, there.predicted?);
    let low = predicted - (predicted - low) * std::f64::consts::SQRT_2;
    let high = predicted + (high - predicted) * std::f64::consts::SQRT_2;
    let recorded = fit.recorded().all().refused_share();
    let modelled = here.predicted.filter(|modelled| *modelled > 0.0);
    let missed = recorded.zip(modelled).map_or(1.0, |(recorded, modelled)| recorded / modelled);
    // What none of the streams explains may be there as well.
    let most = here.range.map_or(0.0, |(_, high)| high);
    let more = recorded.map_or(0.0, |recorded| (recorded - most).max(0.0));
    let unseen = UNSEEN / (fit.requests as f64).max(UNSEEN);
    let high = (high * missed.max(1.0)).max(high + more).max(unseen).min(1.0);
    let range = ((low * missed.min(1.0)).max(0.0), high);
    Some(Forecast { predicted, range, missed })
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
fn stream(fit: &Fit, board: (&Area, u32), number: u64) -> Result<Recorded, NotReproduced> {
    let ops = if fit.is_in_ops() { fit.ops() } else { u64::MAX };
    let seed = Seed::new(number).child("reproduce", number);
    let made = fit.open(fit.load_pages(), &seed, ops.min(MOST_OPS)).map_err(NotReproduced::Draw)?;
    let time_us = (!fit.is_in_ops()).then(|| fit.end_us().saturating_add(1));
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
