//! What a real kernel did, op by op.

use std::collections::BTreeMap;

use cma_policies::{Area, Request, Run, dma_align};

use super::error::{IngestError, quoted};
use super::held::Held;
use super::lines::{Columns, Fields, Lines};
use super::{Event, Format, Row};
use crate::op::Op;
use crate::words::{counted, is_or_are, pages};

pub(super) const FORMAT: Format = Format {
    name: "recording",
    about: "what a real kernel was asked and answered, op by op; no time, at_us is idx",
    columns: "idx,kind,id,count,align[,result,retries,free,maxrun,note]",
    kernels: "any",
    written: true,
};

/// All columns, as they are written.
pub(super) const NAMES: &str = "idx,kind,id,count,align,result,retries,free,maxrun,note";

const NEEDED: &[&str] = &["idx", "kind", "id", "count", "align"];
const OPTIONAL: &[&str] = &["result", "retries", "free", "maxrun", "note"];
const IDX: usize = 0;
const KIND: usize = 1;
const ID: usize = 2;
const COUNT: usize = 3;
const ALIGN: usize = 4;
const RESULT: usize = 5;
const RETRIES: usize = 6;
const FREE: usize = 7;
const MAXRUN: usize = 8;
const NOTE: usize = 9;

/// The most kinds that are told apart in a warning.
const MOST_UNKNOWN: usize = 16;

/// The result of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// The number of a page, counted as by [`Area::page_of`], 0, or a negative errno.
    Number(i64),
    /// A free of an id that never got memory.
    Nop,
}

/// What a real kernel answered; a field that was left blank says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Recorded {
    /// The result.
    pub result: Option<Answered>,
    /// `cma_alloc_busy_retry` events of the call.
    pub retries: Option<u64>,
    /// Pages of the free bits after the op.
    pub free: Option<u64>,
    /// Pages of the longest free run after the op.
    pub maxrun: Option<u64>,
    /// It failed after a refused claim, the last one at this page, counted as the result
    /// (`lastoff=` in the note).
    pub refused_at: Option<u64>,
    /// `available_count` after the op, in pages (`avail=` in the note). Where it is not stated it
    /// equals `free`.
    pub available: Option<u64>,
    /// The pid of who asked; of a trace alone.
    pub pid: Option<u32>,
}

pub(super) struct Rows {
    lines: Lines,
    columns: Columns,
    area: Area,
    cap: u32,
    last: Option<u64>,
    held: Held,
    unknown: BTreeMap<String, u64>,
    unknown_others: u64,
}

impl Rows {
    pub(super) fn new(
        lines: Lines,
        names: &[String],
        area: Option<Area>,
        cap: u32,
    ) -> Result<Self, IngestError> {
        let columns = Columns::new(&lines, names, NEEDED, OPTIONAL)?;
        let Some(area) = area else {
            let why = "the recording states no pages; a header \"# base_pfn=… pages=… \
                       order_per_bit=…\" is needed, or --pages";
            return Err(lines.error(0, why));
        };
        Ok(Self {
            lines,
            columns,
            area,
            cap,
            last: None,
            held: Held::default(),
            unknown: BTreeMap::new(),
            unknown_others: 0,
        })
    }
}

impl super::Rows for Rows {
    fn name(&self) -> &str {
        self.lines.name()
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.columns.warnings();
        for (kind, rows) in &self.unknown {
            let (of, are) = (counted(*rows, "row"), is_or_are(*rows));
            warnings.push(format!("{of} of the unknown kind {} {are} skipped", quoted(kind)));
        }
        if self.unknown_others > 0 {
            let rows = counted(self.unknown_others, "row");
            warnings.push(format!("{rows} of further unknown kinds"));
        }
        warnings
    }

    fn next_row(&mut self) -> Result<Option<Row>, IngestError> {
        while self.lines.advance_past(|_| Ok(()))? {
            let Self { lines, columns, area, cap, last, held, unknown, unknown_others } = self;
            let row = Said(columns.pick(lines)?);
            let idx = row.need(IDX, "idx")?;
            if last.is_some_and(|last| idx <= last) {
                let why = format!("idx {idx} does not ascend");
                return Err(row.wrong(IDX, why));
            }
            *last = Some(idx);
            let recorded = row.recorded()?;
            let event = match row.text(KIND) {
                "alloc" => row.alloc(*cap, &recorded, held)?,
                "free" => row.free(&recorded, held)?,
                "badfree" => {
                    Event::BadFree { page: row.need(ID, "id")?, count: row.need(COUNT, "count")? }
                }
                "pin" => Event::Op(Op::Pin(row.run(area)?)),
                "unpin" => Event::Op(Op::Unpin(row.run(area)?)),
                "bitmap" | "stat" => Event::Look,
                other => {
                    if unknown.len() < MOST_UNKNOWN || unknown.contains_key(other) {
                        *unknown.entry(other.to_string()).or_default() += 1;
                    } else {
                        *unknown_others += 1;
                    }
                    continue;
                }
            };
            return Ok(Some(Row { line: lines.number(), at_us: idx, event, recorded }));
        }
        Ok(None)
    }
}

/// What a row of a recording says.
struct Said<'a>(Fields<'a>);

impl<'a> std::ops::Deref for Said<'a> {
    type Target = Fields<'a>;

    fn deref(&self) -> &Fields<'a> {
        &self.0
    }
}

impl Said<'_> {
    fn need(&self, at: usize, name: &str) -> Result<u64, IngestError> {
        self.maybe(at, name)?.ok_or_else(|| {
            let why = format!("{name} is missing; every {} needs one", quoted(self.text(KIND)));
            self.wrong(at, why)
        })
    }

    fn recorded(&self) -> Result<Recorded, IngestError> {
        let result = match self.text(RESULT) {
            "" => None,
            "nop" => Some(Answered::Nop),
            text => Some(Answered::Number(text.parse().map_err(|_| {
                let why = format!(
                    "result {} is no offset in pages, negative errno or \"nop\"",
                    quoted(text)
                );
                self.wrong(RESULT, why)
            })?)),
        };
        Ok(Recorded {
            result,
            retries: self.maybe(RETRIES, "retries")?,
            free: self.maybe(FREE, "free")?,
            maxrun: self.maybe(MAXRUN, "maxrun")?,
            refused_at: self.noted("lastoff="),
            available: self.noted("avail="),
            pid: None,
        })
    }

    /// The number after `key` in the note.
    fn noted(&self, key: &str) -> Option<u64> {
        let words = self.text(NOTE).split(' ');
        words.filter_map(|word| word.strip_prefix(key)).next()?.parse().ok()
    }

    fn alloc(&self, cap: u32, recorded: &Recorded, held: &mut Held) -> Result<Event, IngestError> {
        let (id, count) = (self.need(ID, "id")?, self.need(COUNT, "count")?);
        let align = self.need(ALIGN, "align")?;
        if align > 63 {
            let why = format!("align {align} is too large; an order from 0 to 63 is allowed");
            return Err(self.wrong(ALIGN, why));
        }
        let align = align as u32;
        if held.holds(id) {
            let why = format!("id {id} is live already; free it first");
            return Err(self.wrong(ID, why));
        }
        let at = match recorded.result {
            Some(Answered::Number(at)) => u64::try_from(at).ok(),
            _ => None,
        };
        let Ok(request) = Request::new(count, align) else { return Ok(Event::NoPages) };
        if at.is_some() || recorded.result.is_none() {
            held.take(id, count, at);
        }
        let dma = align == dma_align(count, cap);
        Ok(Event::Op(Op::Alloc { id, request, dma }))
    }

    fn free(&self, recorded: &Recorded, held: &mut Held) -> Result<Event, IngestError> {
        let (id, count) = (self.need(ID, "id")?, self.maybe(COUNT, "count")?);
        let offset = self.noted("offset=").or_else(|| match recorded.result {
            Some(Answered::Number(at)) => {
                u64::try_from(at).ok().and_then(|at| held.offset_of(id, at))
            }
            _ => None,
        });
        match held.give(id, count, offset) {
            Ok(part) => Ok(Event::Op(Op::Free { id, part })),
            Err(left) => {
                let why =
                    format!("count {}: buffer {id} has {} left", self.text(COUNT), pages(left));
                Err(self.wrong(COUNT, why))
            }
        }
    }

    /// The pages of a pin: the number of its first page is in the column `id`.
    fn run(&self, area: &Area) -> Result<Run, IngestError> {
        let (page, count) = (self.need(ID, "id")?, self.need(COUNT, "count")?);
        area.run_at(page, count).filter(|run| run.count > 0).ok_or_else(|| {
            let pages = area.pages();
            let of = match area.ranges().len() {
                1 => format!("the area, which has {pages}"),
                ranges => format!("one of the {ranges} ranges, which have {pages}"),
            };
            let why = format!("{count} pages from page {page} on are not inside {of}");
            self.wrong(ID, why)
        })
    }
}
