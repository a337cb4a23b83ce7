//! A stream file or a trace that is played as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::Failure;
use super::super::of_client::OfClient;
use super::rounds::Rounds;
use crate::board::Asking;
use crate::ingest::{DEFAULT_CAP, Event, IngestError, Paged, Route, Source};
use crate::op::{Op, Timed};
use crate::reader::{self, CapShown, Options};

/// A file that was looked through, of all its clients or of one.
#[derive(Clone, Debug)]
pub struct Played {
    source: Source,
    options: Options,
    /// Whose ops are taken, where not all are.
    pub(super) only: Option<OfClient>,
    /// Names of its clients by number.
    pub clients: Vec<String>,
    /// The areas that it names for its clients.
    pub routes: Vec<Route>,
    /// Whether parts of buffers are given back.
    pub frees_parts: bool,
    /// How its clients ask, as far as a trace shows it.
    pub asking: Asking,
    /// How large its pages are, and what says so.
    pub paged: Paged,
    /// The most pages live at once, were every request granted.
    pub load_pages: u64,
    /// The time of its last row, in microseconds.
    pub end_us: u64,
    /// Ops in it.
    pub ops: u64,
    /// The sizes that are asked for most, ascending, at most 8.
    pub sizes: Vec<u64>,
    /// The cap that the calls of a trace show.
    pub cap: Option<u32>,
    /// What was strange about the file but no error.
    pub warnings: Vec<String>,
    /// What was live before it began, which nobody asked for.
    pub(super) before: Vec<Op>,
}

/// What a part of a mix may be in place of a file without time.
const TIMED: &str = "a part of a mix takes a stream (columns at_us,op,id,count,align) or a trace";

impl Played {
    /// Looks through the file of `source`; of it `client` alone, and those of its kind where nobody
    /// has the very name.
    ///
    /// # Errors
    /// Where it cannot be read, has no time, or nobody in it is of that name.
    pub fn read(
        source: &Source,
        options: &Options,
        client: Option<&str>,
    ) -> Result<Self, IngestError> {
        let only = client.map(|name| OfClient::find(source, options, name)).transpose()?;
        let mut reader = reader::open(source, options)?;
        if reader.is_recording() && !reader.is_trace() {
            return Err(reader.error(format!("it is a recording, which has no time; {TIMED}")));
        }
        let (mut rows, mut end_us, mut frees_parts) = (0_u64, 0, false);
        for row in reader.by_ref() {
            let row = row?;
            (rows, end_us) = (rows + 1, row.at_us);
            frees_parts |= matches!(row.event, Event::Op(Op::Free { part: Some(_), .. }));
        }
        // Where no event of a trace has a time, each row is a microsecond after the one before.
        if reader.is_trace() && rows > 1 && end_us == rows - 1 {
            return Err(reader.error(format!("no event of the trace has a time; {TIMED}")));
        }
        let mut played = Self {
            source: source.clone(),
            options: options.clone(),
            clients: reader.clients().into_iter().map(str::to_string).collect(),
            routes: reader.routes(),
            frees_parts,
            load_pages: 0,
            end_us,
            ops: 0,
            sizes: Vec::new(),
            cap: reader.cap_shown().and_then(CapShown::exactly),
            asking: reader.asking().clone(),
            paged: reader.paged(),
            warnings: reader.warnings(),
            before: reader.before(),
            only: None,
        };
        if let Some(only) = only {
            let own = |route: Route| Some(Route { client: only.number(route.client)?, ..route });
            played.routes = played.routes.into_iter().filter_map(own).collect();
            played.clients.clone_from(&only.clients);
            // Nobody asked for what was live before.
            played.before.clear();
            played.only = Some(only);
        }
        played.count()?;
        Ok(played)
    }

    /// Ops, sizes and LOAD.
    fn count(&mut self) -> Result<(), IngestError> {
        let failed = Failure::default();
        let mut rounds = Rounds::new(&Arc::new(self.clone()), false, &failed)?;
        let mut uses: BTreeMap<u64, u64> = BTreeMap::new();
        self.load_pages = rounds.live_pages;
        while let Some(Timed { op, .. }) = rounds.next() {
            self.ops += 1;
            if let Op::Alloc { request, .. } = op {
                *uses.entry(request.count()).or_default() += 1;
                self.load_pages = self.load_pages.max(rounds.live_pages);
            }
        }
        self.sizes = super::super::most_used(uses);
        failed.get().cloned().map_or(Ok(()), Err)
    }

    /// The ops of the file, from its beginning.
    ///
    /// # Errors
    /// Where it cannot be opened once more.
    pub(super) fn open(&self) -> Result<reader::Ops, IngestError> {
        Ok(reader::open(&self.source, &self.options)?.ops(DEFAULT_CAP))
    }

    /// What is wrong at a place of the file.
    pub(super) fn wrong(&self, line: u64, column: u64, why: String) -> IngestError {
        IngestError { source: self.source.name().to_string(), line, column, why }
    }
}
