//! What is asked for, without an answer: read and written.

use std::io::{self, Write};

use cma_policies::{Request, dma_align};

use super::clients::Clients;
use super::error::{IngestError, quoted};
use super::header::write_header;
use super::held::Held;
use super::lines::{Columns, Fields, Lines};
use super::recording::Recorded;
use super::{DEFAULT_CAP, Event, Format, Row};
use crate::op::{Op, Timed};
use crate::words::csv::write;
use crate::words::pages;

pub(super) const FORMAT: Format = Format {
    name: "stream",
    about: "what is asked for, with time and client; align is an order or dma, which follows the cap",
    columns: "at_us,op,id,count,align[,client,area,offset]",
    kernels: "any",
    written: true,
};

const NEEDED: &[&str] = &["at_us", "op", "id", "count", "align"];
const OPTIONAL: &[&str] = &["client", "area", "offset"];
// Places of these names, the needed ones first.
const AT_US: usize = 0;
const OP: usize = 1;
const ID: usize = 2;
const COUNT: usize = 3;
const ALIGN: usize = 4;
const CLIENT: usize = 5;
const AREA: usize = 6;
const OFFSET: usize = 7;

/// The most bytes of the name of a client or an area.
const LONGEST_NAME: usize = 256;

/// The area that a stream names for a client, and where it does so first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The client's number.
    pub client: u16,
    /// The area's name.
    pub area: String,
    /// The line, from 1 on.
    pub line: u64,
    /// The column of that line, from 1 on.
    pub column: u64,
}

pub(super) struct Rows {
    lines: Lines,
    columns: Columns,
    at_us: u64,
    held: Held,
    clients: Clients,
    /// The area that each client was seen with, by its number.
    routes: Vec<Option<Route>>,
}

impl Rows {
    pub(super) fn new(lines: Lines, names: &[String]) -> Result<Self, IngestError> {
        let columns = Columns::new(&lines, names, NEEDED, OPTIONAL)?;
        let (held, clients, routes) = (Held::default(), Clients::default(), Vec::new());
        Ok(Self { lines, columns, at_us: 0, held, clients, routes })
    }
}

impl super::Rows for Rows {
    fn clients(&self) -> Vec<&str> {
        self.clients.names()
    }

    fn routes(&self) -> Vec<Route> {
        self.routes.iter().flatten().cloned().collect()
    }

    fn name(&self) -> &str {
        self.lines.name()
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.columns.warnings();
        let routes = self.routes.iter().flatten();
        let mut areas: Vec<_> = routes.map(|route| route.area.as_str()).collect();
        areas.sort_unstable();
        areas.dedup();
        if areas.len() > 1 {
            let areas = areas.len();
            warnings.push(format!(
                "{areas} areas are named; where there is no area of a name it runs in the default one"
            ));
        }
        warnings
    }

    fn next_row(&mut self) -> Result<Option<Row>, IngestError> {
        if !self.lines.advance_past(|_| Ok(()))? {
            return Ok(None);
        }
        let Self { lines, columns, at_us, held, clients, routes } = self;
        let row = Said(columns.pick(lines)?);
        let now = row.need(AT_US, "at_us")?;
        if now < *at_us {
            let why = format!("at_us {now} is before {at_us}; time never decreases");
            return Err(row.wrong(AT_US, why));
        }
        *at_us = now;
        let event = match row.text(OP) {
            "alloc" => row.alloc(row.client(clients, routes)?, held)?,
            "free" => row.free(held)?,
            other => {
                let why = format!("op {} is not known; alloc and free are", quoted(other));
                return Err(row.wrong(OP, why));
            }
        };
        let recorded = Recorded::default();
        Ok(Some(Row { line: lines.number(), at_us: now, event, recorded }))
    }
}

/// What a row of a stream says.
struct Said<'a>(Fields<'a>);

impl Said<'_> {
    fn need(&self, at: usize, name: &str) -> Result<u64, IngestError> {
        self.maybe(at, name)?
            .ok_or_else(|| self.wrong(at, format!("{name} is missing; a number is needed")))
    }

    fn name(&self, at: usize, what: &str) -> Result<&str, IngestError> {
        let name = self.text(at);
        if name.len() > LONGEST_NAME {
            let why = format!("the {what} is longer than the {LONGEST_NAME} bytes allowed");
            return Err(self.wrong(at, why));
        }
        Ok(name)
    }

    fn client(
        &self,
        clients: &mut Clients,
        routes: &mut Vec<Option<Route>>,
    ) -> Result<u16, IngestError> {
        let (name, area) = (self.name(CLIENT, "client")?, self.name(AREA, "area")?);
        let number = clients.number(name).filter(|number| *number < u16::MAX);
        let number = number.ok_or_else(|| {
            let why = format!("client {} is one more than the 65535 allowed", quoted(name));
            self.wrong(CLIENT, why)
        })?;
        routes.resize(routes.len().max(usize::from(number) + 1), None);
        if !area.is_empty() {
            let (line, column) = (self.line(), self.column(AREA) as u64);
            let first = || Route { client: number, area: area.to_string(), line, column };
            let route = &routes[usize::from(number)].get_or_insert_with(first).area;
            if route != area {
                let why = format!(
                    "area {} of client {}, which goes to {}; a client goes to one area",
                    quoted(area),
                    quoted(name),
                    quoted(route)
                );
                return Err(self.wrong(AREA, why));
            }
        }
        Ok(number)
    }

    fn alloc(&self, client: u16, held: &mut Held) -> Result<Event, IngestError> {
        let (id, count) = (self.need(ID, "id")?, self.need(COUNT, "count")?);
        if held.holds(id) {
            let why = format!("id {id} is live already; free it first");
            return Err(self.wrong(ID, why));
        }
        let dma = self.text(ALIGN) == "dma";
        let align = if dma {
            // A start, until the cap of the run is known.
            u64::from(dma_align(count, DEFAULT_CAP))
        } else {
            self.maybe(ALIGN, "align")?.filter(|align| *align <= 63).ok_or_else(|| {
                let why = format!(
                    "align {} is neither an order from 0 to 63 nor \"dma\"",
                    quoted(self.text(ALIGN))
                );
                self.wrong(ALIGN, why)
            })?
        };
        let Ok(request) = Request::new(count, align as u32) else { return Ok(Event::NoPages) };
        held.take(id, count, None);
        Ok(Event::Op(Op::Alloc { id, request: request.with_client(client), dma }))
    }

    fn free(&self, held: &mut Held) -> Result<Event, IngestError> {
        let id = self.need(ID, "id")?;
        let (count, offset) = (self.maybe(COUNT, "count")?, self.maybe(OFFSET, "offset")?);
        if offset.is_some() && count.is_none() {
            return Err(self.wrong(COUNT, "an offset needs a count beside it".to_string()));
        }
        held.give(id, count, offset).map(|part| Event::Op(Op::Free { id, part })).map_err(|left| {
            let why = format!("count {}: buffer {id} has {} left", self.text(COUNT), pages(left));
            self.wrong(COUNT, why)
        })
    }
}

impl<'a> std::ops::Deref for Said<'a> {
    type Target = Fields<'a>;

    fn deref(&self) -> &Fields<'a> {
        &self.0
    }
}

/// Writes a stream; [`StreamWriter::finish`] ends it.
#[derive(Debug)]
pub struct StreamWriter<W: Write> {
    out: csv::Writer<W>,
    clients: Vec<String>,
    parts: bool,
}

/// What a stream has no op for, of kind [`io::ErrorKind::Unsupported`].
fn lacks(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("a stream has no {what}"))
}

impl<W: Write> StreamWriter<W> {
    /// Writes the header: these keys, then the column names. `clients` are the names of the
    /// clients by number; `parts` adds the column that a free of a part needs.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn new(
        mut out: W,
        pairs: &[(&str, String)],
        clients: &[&str],
        parts: bool,
    ) -> io::Result<Self> {
        write_header(&mut out, pairs)?;
        let optional = if parts { OPTIONAL } else { &OPTIONAL[..OFFSET - CLIENT] };
        let mut out = csv::Writer::from_writer(out);
        write(&mut out, NEEDED.iter().chain(optional))?;
        let clients = clients.iter().map(ToString::to_string).collect();
        Ok(Self { out, clients, parts })
    }

    /// Writes an op.
    ///
    /// # Errors
    /// Where the output takes no more; pins, and parts where no column was made for them.
    pub fn write(&mut self, Timed { at_us, op }: Timed) -> io::Result<()> {
        let at_us = at_us.to_string();
        let (id, kind, numbers, client, offset) = match op {
            Op::Alloc { id, request, dma } => {
                let align = if dma { "dma".to_string() } else { request.align().to_string() };
                let client = self.clients.get(usize::from(request.client()));
                let numbers = [request.count().to_string(), align];
                (id, "alloc", numbers, client.map_or("", String::as_str), String::new())
            }
            Op::Free { part: Some(_), .. } if !self.parts => {
                return Err(lacks("column for parts of a buffer"));
            }
            Op::Free { id, part } => {
                let [count, offset] = part.map_or_else(Default::default, |part| {
                    [part.count, part.offset].map(|pages| pages.to_string())
                });
                (id, "free", [count, String::new()], "", offset)
            }
            Op::Pin(_) | Op::Unpin(_) => return Err(lacks("pins")),
        };
        let [count, align] = &numbers;
        let row = [&at_us, kind, &id.to_string(), count, align, client, "", &offset];
        let columns = if self.parts { row.len() } else { OFFSET };
        write(&mut self.out, &row[..columns])
    }

    /// Writes these ops and ends it.
    ///
    /// # Errors
    /// As [`StreamWriter::write`] and [`StreamWriter::finish`].
    pub fn write_all(mut self, ops: impl IntoIterator<Item = Timed>) -> io::Result<()> {
        ops.into_iter().try_for_each(|op| self.write(op))?;
        self.finish()
    }

    /// Writes what is left of it.
    ///
    /// # Errors
    /// Where the output takes no more.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
