//! Every placement of a real kernel, compared op by op.

use std::fmt;

use cma_policies::{Area, Pfn, Request, Run};

use super::{Error, Survey, Under, area, pages};
use crate::environment::Environment;
use crate::ingest::{Answered, Bitmaps, Event, Row, Source};
use crate::kernel::Sign;
use crate::op::{Op, Timed};
use crate::oracle::{Checks, Witness};
use crate::reader::{self, Options};
use crate::simulate::{Answer, Step, step, warm_up};

/// The fields that are compared, by the names of their columns or of the keys of a note.
pub const FIELDS: [&str; 7] = ["result", "retries", "lastoff", "free", "maxrun", "avail", "bitmap"];

/// The most mismatches that are kept in full.
const MOST_KEPT: usize = 10;

/// A field that is not as recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Mismatch {
    /// The line of the recording, from 1 on.
    pub line: u64,
    /// The number of the op in the recording.
    pub idx: u64,
    /// What was asked.
    pub asked: String,
    /// Which field.
    pub field: &'static str,
    /// What the kernel answered.
    pub recorded: String,
    /// What came out here.
    pub got: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, idx, asked, field, recorded, got } = self;
        write!(f, "line {line}, idx {idx}, {asked}: {field} is {got}, recorded is {recorded}")
    }
}

/// What a comparison found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Comparison {
    /// Rows of known kinds.
    pub ops: u64,
    /// Calls for at least a page whose recorded answer came out here: granted at the same page, or
    /// refused with the same errno.
    pub equal: u64,
    /// Those whose answer differs.
    pub different: u64,
    /// The first of these, and how many were equal before it.
    pub first_different: Option<(Mismatch, u64)>,
    /// Those whose answer is not recorded.
    pub unanswered: u64,
    /// Recorded fields that were compared; a blank one is none, a line of the bitmaps is one.
    pub fields: u64,
    /// How many of each, in the order of [`FIELDS`].
    pub by_field: [u64; FIELDS.len()],
    /// Times that the count of available pages was held against `free`, since it was blank.
    pub available_as_free: u64,
    /// Fields that differ.
    pub mismatches: u64,
    /// The first ones.
    pub first: Vec<Mismatch>,
}

/// Runs the recording `source`, in which [`survey`](super::survey) `found` so much under the same
/// environment, and compares every recorded field, and the free runs in `bitmaps` where there are
/// some.
///
/// # Errors
/// Where a file cannot be read, or the policy cannot be built or breaks a law.
pub fn expect(
    source: &Source,
    options: &Options,
    found: &Survey,
    bitmaps: Option<&Source>,
    under: &Under<'_>,
) -> Result<Comparison, Error> {
    let mut reader = reader::open(source, options)?;
    if !reader.is_recording() {
        return Err(Error::Ingest(reader.error(
            "it is a stream, which records no answers to compare with; a recording has the \
             columns idx,kind,…",
        )));
    }
    let area = area(&reader)?;
    let mut bitmaps = bitmaps.map(Bitmaps::open).transpose()?;
    let mut bitmap = bitmaps.as_mut().map(Bitmaps::next_bitmap).transpose()?.flatten();
    let environment = pages(under, &area, found);
    let mut witness = Witness::new(&area, under.build(&area)?, Checks::SWEEP);
    warm_up(reader.warm_up(), &mut witness, &mut [])?;
    let mut replay = Replay { under, area, witness, environment, done: Comparison::default() };
    for row in reader.by_ref() {
        let row = row?;
        replay.row(&row)?;
        if let (Some(file), Some(at)) = (&mut bitmaps, &bitmap) {
            if at.idx < row.at_us {
                let why = format!("idx {} is not in the recording", at.idx);
                return Err(file.error(why).into());
            }
            if at.idx == row.at_us {
                replay.bitmap(&row, &at.runs);
                bitmap = file.next_bitmap()?;
            }
        }
    }
    if let (Some(file), Some(at)) = (&bitmaps, &bitmap) {
        let why = format!("idx {} is past the end of the recording", at.idx);
        return Err(file.error(why).into());
    }
    replay.witness.finish()?;
    Ok(replay.done)
}

struct Replay<'a> {
    under: &'a Under<'a>,
    area: Area,
    witness: Witness,
    environment: Box<dyn Environment>,
    done: Comparison,
}

/// What came out of a row: its result as a recording has it, and its retries.
pub(super) struct Got {
    pub(super) result: Result<Answered, &'static str>,
    pub(super) retries: u64,
    /// The last claim that failed: the number of its first page.
    pub(super) refused_at: Option<u64>,
}

impl Got {
    fn number(number: i64) -> Self {
        Self { result: Ok(Answered::Number(number)), retries: 0, refused_at: None }
    }
}

/// What a kernel would answer where this came out.
pub(super) fn answered(under: &Under<'_>, step: &Step<'_>) -> Got {
    let area = step.model.area();
    let page = |pfn: Pfn| match area.page_of(pfn) {
        Some(page) => Ok(Answered::Number(page as i64)),
        None => Err("in no range"),
    };
    let result = match (step.answer, step.op) {
        (Answer::Granted(pfn), _) => page(pfn),
        (Answer::Freed(run), _) => page(run.pfn),
        (Answer::Refused(error), _) => {
            let early = step.request().and_then(|asked| under.kernel.early(area, asked.count()));
            let claims = step.outcome.map_or(0, |outcome| outcome.attempts_in_last_pass);
            Ok(Answered::Number(match early {
                Some(printed) => printed.errno().unwrap_or(SILENT).into(),
                None => under.kernel.errno(error, claims).into(),
            }))
        }
        (Answer::NothingToFree, _) => Ok(Answered::Nop),
        (Answer::IdInUse, _) => Err("not asked: the id is live here"),
        (Answer::FreeRefused(_), _) => Err("refused by the policy"),
        (Answer::Bypassed | Answer::FreedElsewhere, _) => Err("not asked of the area"),
        (Answer::Pinned(true), _) => Ok(Answered::Number(0)),
        (Answer::Pinned(false), Op::Unpin(_)) => Ok(Answered::Number(ENOENT)),
        (Answer::Pinned(false), _) => Ok(Answered::Number(EBUSY)),
    };
    let refused = step.outcome.filter(|outcome| outcome.answer.is_err());
    let last = refused.and_then(|outcome| outcome.last_failed);
    let refused_at = last.and_then(|(run, _)| area.page_of(run.pfn));
    Got { result, retries: step.outcome.map_or(0, |outcome| outcome.busy), refused_at }
}

impl Replay<'_> {
    fn row(&mut self, row: &Row) -> Result<(), Error> {
        let number = self.done.ops;
        self.done.ops += 1;
        let count = match row.event {
            Event::Op(Op::Alloc { request, .. }) => Some(request.count()),
            Event::NoPages => Some(0),
            _ => None,
        };
        let early = count.and_then(|count| self.under.kernel.early(&self.area, count));
        let got = match (early, row.event) {
            (Some(printed), _) => Some(Got::number(printed.errno().unwrap_or(SILENT).into())),
            (None, Event::Op(op)) => Some(self.op(number, row.at_us, op)?),
            (None, Event::BadFree { page, count }) => Some(self.bad_free(page, count)),
            (None, _) => None,
        };
        if let Some(got) = got {
            if let Event::Op(Op::Alloc { .. }) = row.event {
                match row.recorded.result.map(|recorded| got.result == Ok(recorded)) {
                    Some(true) => self.done.equal += 1,
                    Some(false) => self.differs(row, &got),
                    None => self.done.unanswered += 1,
                }
            }
            if let Some(recorded) = row.recorded.result {
                self.compare(row, "result", got.result == Ok(recorded), || {
                    (answer(recorded), got.result.map_or_else(str::to_string, answer))
                });
            }
            self.number(row, "retries", row.recorded.retries, got.retries);
            // Before, it is that of the last try, whatever that ended with.
            if self.counts() && row.recorded.retries.is_some() {
                self.number(row, "lastoff", row.recorded.refused_at, got.refused_at);
            }
        }
        if row.recorded.free.is_some() || row.recorded.maxrun.is_some() {
            let model = (self.witness.model().free_pages(), self.witness.model().longest_run());
            // A policy that keeps more than it grants, or never grants across some border, shows
            // less than what is free: that is what a recording of it has.
            let (free, longest) = if self.witness.promises().tight { self.shown() } else { model };
            self.number(row, "free", row.recorded.free, free);
            self.number(row, "maxrun", row.recorded.maxrun, longest);
            if self.counts() {
                self.available(row);
            }
            if model != (free, longest) {
                self.mismatch(row, "free and maxrun of the model", || {
                    (format!("{free} and {longest} by the policy"), format!("{model:?}"))
                });
            }
        }
        Ok(())
    }

    /// A call whose answer differs.
    fn differs(&mut self, row: &Row, got: &Got) {
        self.done.different += 1;
        if self.done.first_different.is_some() {
            return;
        }
        let mismatch = Mismatch {
            line: row.line,
            idx: row.at_us,
            asked: asked(&self.area, row.event),
            field: "result",
            recorded: row.recorded.result.map_or_else(String::new, answer),
            got: got.result.map_or_else(str::to_string, answer),
        };
        self.done.first_different = Some((mismatch, self.done.equal));
    }

    /// The kernel's count of pages: where the recording is silent it equals the free ones.
    fn available(&mut self, row: &Row) {
        let got = self.witness.model().available_pages();
        match (row.recorded.available, row.recorded.free) {
            (None, Some(free)) => {
                self.done.available_as_free += 1;
                if free != got {
                    self.mismatch(row, "avail", || (free.to_string(), got.to_string()));
                }
            }
            (stated, _) => self.number(row, "avail", stated, got),
        }
    }

    /// Whether the kernel counts the pages that are available beside its bitmap.
    fn counts(&self) -> bool {
        self.under.kernel.shows(Sign::CountersOfPages)
    }

    /// What is not inside one range is refused (`cma_release()`, `mm/cma.c`, 6.15 on).
    fn bad_free(&self, page: u64, count: u64) -> Got {
        match self.area.run_at(page, count) {
            None => Got::number(EINVAL),
            Some(_) => Got { result: Err("taken: they are in one range"), ..Got::number(0) },
        }
    }

    /// Free pages and those of the longest run, as the policy shows them. Two runs of a range that
    /// touch are one.
    fn shown(&self) -> (u64, u64) {
        let (mut free, mut longest) = (0, 0);
        let mut last = Run::new(0, 0);
        self.witness.free_runs(&mut |hole| {
            let joined = Run::new(last.pfn.0, last.count.saturating_add(hole.count));
            let touches = last.end() == hole.pfn && self.area.range_of(joined).is_some();
            last = if touches { joined } else { hole };
            free += hole.count;
            longest = longest.max(last.count);
        });
        (free, longest)
    }

    fn op(&mut self, index: u64, at_us: u64, op: Op) -> Result<Got, Error> {
        let op = op.with_cap(self.under.cap);
        let step = step(index, Timed { at_us, op }, &mut self.witness, self.environment.as_mut())?;
        Ok(answered(self.under, &step))
    }

    /// Compares the free runs in bits.
    fn bitmap(&mut self, row: &Row, recorded: &[(u64, u64)]) {
        let mut got = Vec::new();
        self.witness.free_runs(&mut |hole| {
            let range = self.area.range_of(hole).expect("a free run is in one range");
            let before: u64 = (0..range).map(|range| self.area.bits(range)).sum();
            let bit = before + self.area.pfn_to_bit(range, hole.pfn);
            got.push((bit, hole.count >> self.area.order_per_bit()));
        });
        let differs = got.iter().zip(recorded).position(|(got, recorded)| got != recorded);
        let at = differs.unwrap_or(got.len().min(recorded.len()));
        self.compare(row, "bitmap", got == recorded, || {
            let run = |runs: &[(u64, u64)]| {
                let text = |(bit, bits): &(u64, u64)| format!("{bit}+{bits} as free run {at}");
                runs.get(at).map_or_else(|| format!("no free run {at}"), text)
            };
            (run(recorded), run(&got))
        });
    }

    fn number(
        &mut self,
        row: &Row,
        field: &'static str,
        recorded: Option<u64>,
        got: impl Into<Option<u64>>,
    ) {
        let Some(recorded) = recorded else { return };
        let got = got.into();
        self.compare(row, field, got == Some(recorded), || {
            let text = got.map_or_else(|| "none".to_string(), |got| got.to_string());
            (recorded.to_string(), text)
        });
    }

    fn compare(
        &mut self,
        row: &Row,
        field: &'static str,
        same: bool,
        texts: impl FnOnce() -> (String, String),
    ) {
        self.done.fields += 1;
        let at = FIELDS.iter().position(|name| *name == field).expect("a field of the list");
        self.done.by_field[at] += 1;
        if !same {
            self.mismatch(row, field, texts);
        }
    }

    fn mismatch(
        &mut self,
        row: &Row,
        field: &'static str,
        texts: impl FnOnce() -> (String, String),
    ) {
        self.done.mismatches += 1;
        if self.done.first.len() < MOST_KEPT {
            let (recorded, got) = texts();
            let (line, idx, asked) = (row.line, row.at_us, asked(&self.area, row.event));
            self.done.first.push(Mismatch { line, idx, asked, field, recorded, got });
        }
    }
}

/// How the recording driver writes a NULL without a failure line.
const SILENT: crate::kernel::Errno = crate::kernel::ENOMEM;
/// What the recording driver answers to a pin of what is live or pinned.
const EBUSY: i64 = crate::kernel::EBUSY as i64;
/// What it answers to a release that the kernel refuses.
const EINVAL: i64 = -22;
/// What it answers to an unpin of what is not pinned.
const ENOENT: i64 = crate::kernel::ENOENT as i64;

fn answer(answered: Answered) -> String {
    match answered {
        Answered::Number(number) => number.to_string(),
        Answered::Nop => "nop".to_string(),
    }
}

fn asked(area: &Area, event: Event) -> String {
    let at = |run: Run| {
        let page = area.page_of(run.pfn).map_or_else(|| run.pfn.to_string(), |at| at.to_string());
        format!("{}@{page}", run.count)
    };
    match event {
        Event::Op(Op::Alloc { id, request, .. }) => {
            let asked: Request = request;
            format!("alloc {id} of {} pages at order {}", asked.count(), asked.align())
        }
        Event::Op(Op::Free { id, part: None }) => format!("free {id}"),
        Event::Op(Op::Free { id, part: Some(part) }) => {
            format!("free {id}, {} pages from page {} of it on", part.count, part.offset)
        }
        Event::Op(Op::Pin(run)) => format!("pin {}", at(run)),
        Event::Op(Op::Unpin(run)) => format!("unpin {}", at(run)),
        Event::NoPages => "alloc of no pages".to_string(),
        Event::BadFree { page, count } => format!("a release of {count}@{page}"),
        Event::Look => "a look at the state".to_string(),
    }
}
