//! A file under a policy, measured.

use std::cell::Cell;
use std::collections::HashMap;

use cma_policies::Area;

use super::{Error, Under, area, explain, pages};
use crate::board::Asking;
use crate::cause::Cause;
use crate::environment::{self, Script};
use crate::ingest::{Event, IngestError, Paged, Source};
use crate::kernel::Errno;
use crate::metric::{Meter, Setting, Sizes, Value};
use crate::op::{Op, Part, Timed};
use crate::oracle::{Checks, Model, Witness};
use crate::reader::{self, CapShown, Options, Tally};
use crate::simulate::{Answer, Observer, Step, simulate, warm_up};
use crate::words::counted;

/// What a file holds: read to its end once, so that a mistake in it shows before any result does.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Survey {
    /// Its rows.
    pub tally: Tally,
    /// Allocs of no pages, which no policy sees.
    pub no_pages: u64,
    /// Requests that a signal ended.
    pub interrupted: u64,
    /// Requests that the recorded kernel refused.
    pub refused: u64,
    /// The cap that it was made with.
    pub cap: u32,
    /// What the calls of a trace show of that.
    pub cap_shown: Option<CapShown>,
    /// How its clients ask, as far as that is known.
    pub asking: Asking,
    /// Its clients, by number.
    pub clients: Vec<String>,
    /// How large its pages are, and what says so.
    pub paged: Paged,
    /// What is strange about it.
    pub warnings: Vec<String>,
    /// How its claims ended, where it says so and the environment asks.
    pub script: Script,
    /// Releases of a part of a buffer that begin or end inside a bit: the kernel clears the whole of it.
    pub cut_bits: u64,
    /// The sizes that are asked for most, at most 8, ascending: what the metrics probe with.
    pub sizes: Vec<u64>,
}

/// Reads all of `source`. How its claims ended is kept only where `environment` asks for it, since
/// that grows with the requests that met a busy one.
///
/// # Errors
/// The first mistake in it.
pub fn survey(
    source: &Source,
    options: &Options,
    environment: &environment::Spec,
) -> Result<Survey, IngestError> {
    let mut reader = reader::open(source, options)?;
    let kernel = reader.kernel();
    let mut script = Script::default();
    let (mut no_pages, mut interrupted, mut refused) = (0, 0, 0);
    let mut sizes = Sizes::default();
    let mut cut = Cut::new(reader.area());
    for row in reader.by_ref() {
        let row = row?;
        if environment.entry().reads_script {
            script.note(&row, kernel);
        }
        if let Event::Op(op) = row.event {
            cut.note(op);
        }
        interrupted += u64::from(row.is_interrupted());
        refused += u64::from(row.give_back().is_some());
        match row.event {
            Event::NoPages => no_pages += 1,
            Event::Op(Op::Alloc { request, .. }) => sizes.note(request.count()),
            _ => {}
        }
    }
    let sizes = sizes.most_used();
    let (tally, warnings) = (reader.tally().clone(), reader.warnings());
    let (cap, paged, cut_bits) = (reader.cap(), reader.paged(), cut.releases);
    let (cap_shown, asking) = (reader.cap_shown().cloned(), reader.asking().clone());
    let clients = reader.clients().into_iter().map(String::from).collect();
    Ok(Survey {
        tally,
        no_pages,
        interrupted,
        refused,
        cap,
        cap_shown,
        asking,
        clients,
        paged,
        warnings,
        script,
        cut_bits,
        sizes,
    })
}

/// Counts the releases that begin or end inside a bit which has other pages of the buffer: the
/// kernel clears it all the same (`cma_clear_bitmap()`, `mm/cma.c`, to 7.3).
struct Cut {
    granule: u64,
    /// The pages of each buffer that was asked for.
    asked: HashMap<u64, u64>,
    releases: u64,
}

impl Cut {
    fn new(area: Option<&Area>) -> Self {
        let granule = area.map_or(1, Area::granule);
        Self { granule, asked: HashMap::new(), releases: 0 }
    }

    fn note(&mut self, op: Op) {
        match op {
            _ if self.granule == 1 => {}
            Op::Alloc { id, request, .. } => {
                self.asked.insert(id, request.count());
            }
            Op::Free { id, part: Some(Part { offset, count }) } => {
                let end = offset.saturating_add(count);
                let is_end = self.asked.get(&id).is_some_and(|asked| end >= *asked);
                let inside = |page: u64| !page.is_multiple_of(self.granule);
                self.releases += u64::from(inside(offset) || inside(end) && !is_end);
            }
            Op::Free { id, part: None } => {
                self.asked.remove(&id);
            }
            Op::Pin(_) | Op::Unpin(_) => {}
        }
    }
}

/// What a run makes of so many requests that the recorded kernel `refused`, in words.
pub fn given_back(refused: u64) -> String {
    let requests = counted(refused, "request");
    format!(
        "{requests} that the recorded kernel refused live for no time here: nothing says how long they \
         would have lived, so that each is given back at once where it is granted"
    )
}

/// The first request that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The line of its file, from 1 on.
    pub line: u64,
    /// When.
    pub at_us: u64,
    /// Why.
    pub cause: Cause,
    /// The number after `ret:`; `None` where this kernel prints nothing.
    pub errno: Option<Errno>,
    /// Why, in a sentence with the numbers.
    pub why: String,
}

/// A file under a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// The value of every column of every metric, in the order of [`crate::metric::columns`].
    pub values: Vec<Value>,
    /// The first refusal, if there was one.
    pub first_failure: Option<Failure>,
    /// The same without the requests that a signal ended, which say nothing of the area; `None` where
    /// there is none.
    pub of_area: Option<OfArea>,
    /// What became of those whom the area refused.
    pub refusals: Refusals,
}

/// What is left where the requests that a signal ended are none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfArea {
    /// As [`Replayed::values`].
    pub values: Vec<Value>,
    /// The first refusal, if there was one.
    pub first_failure: Option<Failure>,
    /// The line of the first request that a signal ended.
    pub interrupted_line: u64,
}

/// What became of requests that the area refused, by how their clients ask.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Refusals {
    /// Their clients have nobody else to ask, or ask for more than the page allocator serves.
    pub unserved: u64,
    /// The page allocator serves them.
    pub served: u64,
    /// How their clients ask is not known.
    pub open: u64,
}

/// Counts them.
struct Refused<'a> {
    survey: &'a Survey,
    refusals: Refusals,
}

impl Observer for Refused<'_> {
    fn step(&mut self, step: &Step<'_>) {
        let (Answer::Refused(_), Some(request)) = (step.answer, step.request()) else { return };
        if step.cause == Some(Cause::Interrupted) {
            return;
        }
        let client = self.survey.clients.get(usize::from(request.client()));
        let asked = self.survey.asking.of(client.map_or("", String::as_str));
        let count = match asked.map(|asked| asked.caller.fallback_on(self.survey.paged.page)) {
            None => &mut self.refusals.open,
            Some(most) if request.count() <= most => &mut self.refusals.served,
            Some(_) => &mut self.refusals.unserved,
        };
        *count += 1;
    }
}

impl Replayed {
    /// The value of a column of the metrics, by its name.
    ///
    /// # Panics
    /// If no metric has it.
    pub fn value(&self, column: &str) -> Value {
        self.values[crate::metric::column(column)]
    }

    /// The same without the requests that a signal ended.
    ///
    /// # Panics
    /// If no metric has it.
    pub fn of_area(&self, column: &str) -> Value {
        let values = self.of_area.as_ref().map_or(&self.values, |of_area| &of_area.values);
        values[crate::metric::column(column)]
    }

    /// The first request that the area refused: no signal ended it.
    pub fn first_refusal(&self) -> Option<&Failure> {
        match &self.of_area {
            Some(of_area) => of_area.first_failure.as_ref(),
            None => self.first_failure.as_ref(),
        }
    }
}

/// Watches, as far as no signal ended a request.
struct Uninterrupted<'a> {
    meter: Meter,
    first: First<'a>,
    /// The line of the first request that one ended.
    line: Option<u64>,
}

impl Observer for Uninterrupted<'_> {
    fn step(&mut self, step: &Step<'_>) {
        if step.cause == Some(Cause::Interrupted) {
            self.line.get_or_insert(self.first.line.get());
            return;
        }
        self.meter.step(step);
        self.first.step(step);
    }

    fn warm_up(&mut self, step: &Step<'_>) {
        self.meter.warm_up(step);
    }

    fn boot(&mut self, at_us: u64, area: usize, model: &Model) {
        self.meter.boot(at_us, area, model);
    }

    fn asked(&mut self, area: Option<usize>, timed: &Timed) {
        self.meter.asked(area, timed);
    }

    fn finish(&mut self, end_us: u64) {
        self.meter.finish(end_us);
    }
}

impl Uninterrupted<'_> {
    fn end(self) -> Option<OfArea> {
        let (values, first_failure) = (self.meter.values(), self.first.failure);
        self.line.map(|interrupted_line| OfArea { values, first_failure, interrupted_line })
    }
}

struct First<'a> {
    under: &'a Under<'a>,
    /// The line of the op that is run.
    line: &'a Cell<u64>,
    failure: Option<Failure>,
}

impl Observer for First<'_> {
    fn step(&mut self, step: &Step<'_>) {
        if self.failure.is_some() {
            return;
        }
        let (Some(cause), Some(request), Some(outcome)) =
            (step.cause, step.request(), step.outcome)
        else {
            return;
        };
        self.failure = Some(Failure {
            line: self.line.get(),
            at_us: step.at_us,
            cause,
            errno: errno(self.under, step.model, request.count(), outcome),
            why: explain(step.model, request, outcome, cause),
        });
    }
}

/// The number after `ret:` of a call for `count` pages that ended so.
pub(crate) fn errno(
    under: &Under<'_>,
    model: &Model,
    count: u64,
    outcome: &crate::oracle::Outcome,
) -> Option<Errno> {
    match (under.kernel.early(model.area(), count), outcome.answer) {
        (Some(printed), _) => printed.errno(),
        (None, Err(error)) => Some(under.kernel.errno(error, outcome.attempts_in_last_pass)),
        (None, Ok(_)) => None,
    }
}

/// Runs `source` under a policy, watched by `observers` too. `survey` is what [`survey`] found in
/// it.
///
/// # Errors
/// Where it cannot be read, states no area, or the policy cannot be built or breaks a law.
pub fn run(
    source: &Source,
    options: &Options,
    survey: &Survey,
    under: &Under<'_>,
    observers: &mut [&mut dyn Observer],
) -> Result<Replayed, Error> {
    let reader = reader::open(source, options)?;
    let area = area(&reader)?;
    let before = reader.warm_up();
    let mut environment = pages(under, &area, survey);
    let mut witness = Witness::new(&area, under.build(&area)?, Checks::SWEEP);
    let setting = Setting::new(&survey.sizes, under.cap).with_page(survey.paged.page);
    let mut meter = Meter::new(&setting);
    let line = Cell::new(0);
    let first = || First { under, line: &line, failure: None };
    let mut uninterrupted = (survey.interrupted > 0).then(|| Uninterrupted {
        meter: Meter::new(&setting),
        first: first(),
        line: None,
    });
    let mut first = first();
    let mut failed = None;
    let ops = reader.ops(under.cap).map_while(|op| match op {
        Ok((at, timed)) => {
            line.set(at);
            Some(timed)
        }
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    let mut refused = Refused { survey, refusals: Refusals::default() };
    let mut all: Vec<&mut dyn Observer> = vec![&mut meter, &mut first, &mut refused];
    all.extend(uninterrupted.as_mut().map(|one| one as &mut dyn Observer));
    all.extend(observers.iter_mut().map(|observer| &mut **observer as &mut dyn Observer));
    warm_up(before, &mut witness, &mut all)?;
    simulate(ops, &mut witness, environment.as_mut(), &mut all)?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Replayed {
            values: meter.values(),
            first_failure: first.failure,
            of_area: uninterrupted.and_then(Uninterrupted::end),
            refusals: refused.refusals,
        }),
    }
}
