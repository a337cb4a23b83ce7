//! The ops of a stream of a plan.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, BufRead as _};
use std::iter;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use cma_policies::{Area, Run};

use super::cells::{Cell, Configuration};
use super::disk::Fnv;
use super::failed::Failed;
use super::held::{Held, OnBoard};
use super::mix::MixOf;
use super::plan::Length;
use super::plan::{Plan, Stream, What};
use super::route::Probed;
use super::shelf::{Made, Name, Scribe, Shelf};
use crate::board::{Asking, Board};
use crate::environment::Script;
use crate::ingest::{self, Event, IngestError, Paged, Route, Source};
use crate::kernel::pageblock;
use crate::metric::Sizes;
use crate::op::{Op, Timed};
use crate::page::Page;
use crate::reader::{self, CapShown, Options, Reader};
use crate::seed::Seed;
use crate::workload::Setup;
use crate::workload::fit::{Asked, Fit};
use crate::workload::mix::Mix;

/// What is known of a stream once it has been looked through.
#[derive(Clone, Default, Debug)]
pub struct Checked {
    /// The area that it states.
    pub area: Option<Area>,
    /// Pages of typical buffers, ascending: what the metrics probe with.
    pub sizes: Vec<u64>,
    /// How large its pages are and what says so, where its ops come from a file.
    pub paged: Option<Paged>,
    /// Ops: in a file those that there are, of what is made those that are asked for, or about as
    /// many as its board time takes.
    pub ops: u64,
    /// Whether it has time: a recording counts its ops in place of it.
    pub has_time: bool,
    /// How its claims ended, where it says so and an environment of the plan asks.
    pub script: Script,
    /// The names of its clients by number; empty where a profile says so only once it is made.
    pub clients: Vec<String>,
    /// The areas that it names for its clients.
    pub routes: Vec<Route>,
    /// What was fitted to it, where it is drawn from that.
    pub fit: Option<Arc<Fit>>,
    /// What runs together, where it does.
    pub mix: Option<Arc<Mix>>,
    /// The fits that it is drawn from, as indices into [`Ready::fits`].
    pub fits: Vec<usize>,
    /// How the requests of its files ended on their own boards, where they say so.
    pub on_board: Vec<OnBoard>,
    /// What was strange but no error.
    pub warnings: Vec<String>,
    /// The cap that the calls of a trace show.
    pub cap: Option<u32>,
    /// How its clients ask, as far as a trace shows it.
    pub asking: Asking,
    /// The sum over what is in its files, by which others of the same name are known.
    pub sum: Option<u64>,
}

/// A plan that can be run: its files were read once, its policies were built on its areas.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The plan.
    pub plan: Plan,
    /// What is known of each of its streams.
    pub checked: Vec<Checked>,
    /// What was fitted to files, held against them: each once.
    pub fits: Vec<Held>,
    /// For each policy whether it promises aligned grants; one that does not cannot be compared
    /// with those that do.
    pub aligned: Vec<bool>,
    /// What is strange about the plan but no error.
    pub warnings: Vec<String>,
    /// What its cells have found out for each other.
    pub(super) probed: Probed,
    pub(super) shelf: Shelf,
}

impl Ready {
    /// The fits that a stream is drawn from.
    pub fn fits_of(&self, stream: usize) -> impl Iterator<Item = &Held> {
        self.checked[stream].fits.iter().map(|&fit| &self.fits[fit])
    }

    /// Whether the fits that a stream is drawn from all fail as their files did; none where it is drawn
    /// from none, or that is not known.
    pub fn reproduces(&self, stream: usize) -> Option<bool> {
        let all = || self.fits_of(stream).map(Held::reproduces);
        if all().any(|one| one == Some(false)) {
            return Some(false);
        }
        (all().count() > 0 && all().all(|one| one == Some(true))).then_some(true)
    }

    /// The board that a configuration runs on.
    ///
    /// # Panics
    /// If the configuration is of another plan.
    pub fn board(&self, at: &Configuration) -> Cow<'_, Board> {
        if let Some(board) = at.board {
            return Cow::Borrowed(&self.plan.boards[board]);
        }
        let own = self.checked[at.stream].area.clone();
        let own = own.expect("a stream without an area is put on the boards");
        let step_pages = pageblock(self.plan.page);
        Cow::Owned(Board { step_pages, ..Board::single("", own) })
    }
}

pub(super) fn look_through(stream: &Stream, page: Page, scripted: bool) -> Result<Checked, Failed> {
    if let Some(profile) = stream.profile() {
        let area = profile.area.map(|Run { pfn, count }| {
            Area::single(pfn.0, count, 0).expect("the area of a profile can be built")
        });
        let sizes = profile.sizes_in(page);
        let ops = stream.length.most_ops();
        return Ok(Checked { area, sizes, ops, has_time: true, ..Checked::default() });
    }
    match &stream.what {
        What::Fitted(_) => return fitted(stream),
        What::Mix(mix) => return together(stream, mix),
        _ => {}
    }
    let mut reader = open(stream)?;
    let mut sizes = Sizes::default();
    let kernel = reader.kernel();
    let mut script = Script::default();
    let (mut ops, mut pins) = (0, 0);
    let mut asked = Asked::default();
    for row in reader.by_ref() {
        let row = row?;
        let Event::Op(op) = row.event else { continue };
        ops += 1 + u64::from(row.give_back().is_some());
        if scripted {
            script.note(&row, kernel);
        }
        match op {
            Op::Alloc { request, .. } => {
                sizes.note(request.count());
                // What a signal ended says nothing of the area.
                if !row.is_interrupted() {
                    asked.note(row.give_back().is_some());
                }
            }
            Op::Pin(_) | Op::Unpin(_) => pins += 1,
            Op::Free { .. } => {}
        }
    }
    if pins > 0 && !stream.own_area {
        let name = stream.name();
        return Err(Failed::Run(format!(
            "run {name} on boards: its pins name pages of its own area; leave own_area = true"
        )));
    }
    let on_board = reader.area().filter(|_| reader.is_recording()).map(|area| OnBoard {
        file: stream.name().to_string(),
        area_pages: area.pages(),
        cap: reader.cap(),
        load_pages: None,
        asked,
    });
    Ok(Checked {
        on_board: on_board.into_iter().collect(),
        area: reader.area().cloned(),
        sizes: sizes.most_used(),
        ops,
        has_time: reader.has_time(),
        script,
        paged: Some(reader.paged()),
        clients: reader.clients().into_iter().map(str::to_string).collect(),
        routes: reader.routes(),
        warnings: reader.warnings(),
        cap: reader.cap_shown().and_then(CapShown::exactly),
        asking: reader.asking().clone(),
        sum: sum(stream)?,
        ..Checked::default()
    })
}

/// What is known of a stream that is drawn from a fit.
fn fitted(stream: &Stream) -> Result<Checked, Failed> {
    let (source, options) = source(stream)?;
    let fit = Fit::read(&source, &options)?;
    let mut warnings = fit.warnings.clone();
    warnings.extend(fit.left_out.warnings());
    let has_time = !fit.is_in_ops();
    if !has_time && stream.length.time_us().is_some() {
        return Err(Failed::no_time(stream));
    }
    Ok(Checked {
        area: fit.area.clone(),
        cap: fit.cap_shown.as_ref().and_then(CapShown::exactly),
        asking: fit.asking.clone(),
        paged: Some(fit.paged),
        sizes: fit.sizes(),
        ops: match stream.length {
            Length::Unstated if has_time => u64::MAX,
            Length::Unstated => fit.ops(),
            length => length.most_ops(),
        },
        has_time,
        clients: fit.clients().to_vec(),
        on_board: OnBoard::of(stream.name(), &fit).into_iter().collect(),
        fit: Some(Arc::new(fit)),
        warnings,
        sum: sum(stream)?,
        ..Checked::default()
    })
}

/// What is known of streams that run together.
fn together(stream: &Stream, mix: &MixOf) -> Result<Checked, Failed> {
    let made = mix.read()?;
    Ok(Checked {
        sizes: made.sizes.clone(),
        ops: stream.length.most_ops(),
        has_time: true,
        clients: made.clients.clone(),
        routes: made.routes.clone(),
        cap: made.cap(),
        asking: made.asking.clone(),
        paged: made.paged(),
        warnings: mix.warnings(&made),
        on_board: OnBoard::of_parts(mix, &made),
        mix: Some(Arc::new(made)),
        sum: sum(stream)?,
        ..Checked::default()
    })
}

/// The sum over what is in the files of a stream, unpacked; none where there is no file.
fn sum(stream: &Stream) -> Result<Option<u64>, IngestError> {
    let sources: Vec<_> = match &stream.what {
        What::Recorded(_) | What::Profile(_) => Vec::new(),
        What::Mix(mix) => mix.paths().map(|path| Source::file(path.as_ref())).collect(),
        What::File(_) | What::Fitted(_) => {
            let (source, options) = source(stream)?;
            iter::once(source).chain(options.beside).chain(options.snapshot).collect()
        }
    };
    if sources.is_empty() {
        return Ok(None);
    }
    let mut hash = Fnv::new();
    for source in sources {
        let fail = |error: io::Error| IngestError {
            source: source.name().to_string(),
            line: 0,
            column: 0,
            why: error.to_string(),
        };
        let mut input = source.open()?;
        loop {
            let bytes = input.fill_buf().map_err(fail)?;
            let read = bytes.len();
            if read == 0 {
                break;
            }
            hash.note(bytes);
            input.consume(read);
        }
    }
    Ok(Some(hash.sum()))
}

/// The file of a stream, and what the plan says beside it.
pub(super) fn source(stream: &Stream) -> Result<(Source, Options), IngestError> {
    let text = |path: &str| {
        let path = Path::new(path);
        if path.is_dir() { ingest::directory(path) } else { Source::open_file(path) }
    };
    let file = |path: &str| match Path::new(path) {
        path if path.is_dir() => ingest::directory(path),
        path => Ok(Source::file(path)),
    };
    let (source, beside) = match &stream.what {
        What::File(path) | What::Fitted(path) if stream.beside.is_empty() => {
            (Source::file(path.as_ref()), Vec::new())
        }
        What::File(_) | What::Fitted(_) => {
            let (rows, beside) =
                reader::sorted(stream.files().map(file).collect::<Result<_, _>>()?)?;
            (reader::only(rows)?, beside)
        }
        What::Recorded(recording) => (Source::bytes(recording.name, recording.bytes), Vec::new()),
        What::Profile(_) | What::Mix(_) => unreachable!("neither is read as one file"),
    };
    let options = Options {
        recorded_cap: stream.recorded_cap,
        area: stream.area.clone(),
        snapshot: stream.snapshot.as_deref().map(text).transpose()?,
        beside,
        ..Options::default()
    };
    Ok((source, options))
}

/// Puts the trace of a stream of several files first, by which it is named in whatever order they
/// are stated.
///
/// # Errors
/// Where one of them cannot be read, and where none or several are a trace.
pub(super) fn trace_first(stream: &mut Stream) -> Result<(), IngestError> {
    if stream.beside.is_empty() {
        return Ok(());
    }
    let (trace, _) = source(stream)?;
    let at = stream.beside.iter().position(|path| path == trace.name());
    if let (Some(at), What::File(path) | What::Fitted(path)) = (at, &mut stream.what) {
        let first = std::mem::replace(path, stream.beside.remove(at));
        stream.beside.insert(0, first);
    }
    Ok(())
}

fn open(stream: &Stream) -> Result<Reader, IngestError> {
    let (source, options) = source(stream)?;
    reader::open(&source, &options)
}

/// The ops of a stream for one cell, and where an error of its file will be.
pub(super) struct Ops {
    /// What puts in place what was live before a trace began.
    pub(super) before: Vec<Op>,
    /// Who asks, by number.
    pub(super) clients: Vec<String>,
    ops: Box<dyn Iterator<Item = Timed>>,
    failed: Rc<RefCell<Option<IngestError>>>,
    scribe: Option<Scribe>,
}

impl Ops {
    /// The ops of a cell, made only once for all cells that run them.
    pub(super) fn of_cell(ready: &Ready, cell: &Cell, area_pages: u64) -> Result<Self, Failed> {
        let Ready { plan, shelf, .. } = ready;
        let (stream, load) = (&plan.streams[cell.at.stream], plan.load(&cell.at));
        // Of the board a profile without a LOAD takes its pages; nothing else takes anything.
        let own = if stream.profile().is_some() { area_pages } else { 0 };
        let load_pages = load.map_or(own, |load| load.pages_of(area_pages));
        let name: Name = (cell.at.stream, load_pages, cell.seed);
        if let Some(made) = shelf.find(name) {
            return Ok(Self::made(made, plan.caps[cell.at.cap]));
        }
        let ops = Self::open(ready, &cell.at, cell.seed)?;
        Ok(Self { scribe: shelf.scribe(plan, stream, name), ..ops })
    }

    /// The ops of a stream that was made before.
    fn made(made: Arc<Made>, cap: u32) -> Self {
        let (before, clients) = (made.before.clone(), made.clients.clone());
        let (mut at, mut last_us) = (0, 0);
        let ops = iter::from_fn(move || {
            let Timed { at_us, op } = made.op(at, last_us)?;
            (at, last_us) = (at + 1, at_us);
            Some(Timed { at_us, op: op.with_cap(cap) })
        });
        Self { before, clients, ops: Box::new(ops), failed: Rc::default(), scribe: None }
    }

    /// The ops of a configuration for this seed.
    pub(super) fn open(ready: &Ready, at: &Configuration, seed: u64) -> Result<Self, Failed> {
        let Ready { plan, checked, .. } = ready;
        let (stream, known) = (&plan.streams[at.stream], &checked[at.stream]);
        let (load, cap, area_pages) = (plan.load(at), plan.caps[at.cap], ready.board(at).pages());
        let failed = Rc::new(RefCell::new(None));
        let mut before = Vec::new();
        let mut clients = known.clients.clone();
        let ops: Box<dyn Iterator<Item = Timed>> = if let Some(profile) = stream.profile() {
            let load = load.map_or(profile.default_load, |load| load.share_of(area_pages));
            let ops = stream.length.most_ops();
            let setup = Setup { area_pages, load, seed: Seed::new(seed), ops };
            let made = profile.open_in(&setup, plan.page);
            let made = made.map_err(|error| Failed::make(profile.name, error))?;
            clients = made.clients().to_vec();
            Box::new(made)
        } else if let Some(fit) = &known.fit {
            let load_pages = load.map_or(fit.load_pages(), |load| load.pages_of(area_pages));
            let made = fit.open(load_pages, &Seed::new(seed), stream.length.most_ops());
            let made = made.map_err(|error| Failed::make(stream.name(), error))?;
            clients = made.clients().to_vec();
            before = fit.before();
            Box::new(made)
        } else if let Some(mix) = &known.mix {
            let made = mix.open(&Seed::new(seed), stream.length.most_ops());
            let mut made = made.map_err(|error| Failed::make(stream.name(), error))?;
            before = made.before().to_vec();
            let failed = Rc::clone(&failed);
            Box::new(iter::from_fn(move || {
                let next = made.next();
                if next.is_none() {
                    *failed.borrow_mut() = made.end().err();
                }
                next
            }))
        } else {
            let failed = Rc::clone(&failed);
            let reader = open(stream)?;
            before = reader.warm_up();
            let ops = reader.ops(cap);
            let ops = ops
                .map_while(move |op| op.map_err(|error| *failed.borrow_mut() = Some(error)).ok());
            Box::new(ops.map(|(_, timed)| timed))
        };
        let ops = ops.map(move |Timed { at_us, op }| Timed { at_us, op: op.with_cap(cap) });
        Ok(Self { before, clients, ops: Box::new(ops), failed, scribe: None })
    }

    /// Whether the file was read to its end.
    pub(super) fn end(self) -> Result<(), IngestError> {
        if let Some(failed) = self.failed.borrow_mut().take() {
            return Err(failed);
        }
        if let Some(scribe) = self.scribe {
            scribe.put(&self.before, &self.clients);
        }
        Ok(())
    }
}

impl Iterator for Ops {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        let next = self.ops.next();
        if self.scribe.as_mut().is_some_and(|scribe| !scribe.note(next)) {
            self.scribe = None;
        }
        next
    }
}
