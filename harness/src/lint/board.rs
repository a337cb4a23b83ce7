//! What is known of a board: the facts that rules ask.

use std::io::BufRead;

use super::pool::{self, Pool};
use super::step::{Machine, Steps};
use super::{Config, Place, Trace, reach};
use crate::boot::{At, Command, Notes, Story};
use crate::ingest::log::boot::{Boot, PageFrom};
use crate::ingest::log::{self, Found, Record};
use crate::ingest::{IngestError, Source};
use crate::kernel::{Arch, Release};
use crate::page::Page;
use crate::tree::{Tree, is_dump};

/// What is given of a board; each may be missing.
#[derive(Default, Debug)]
pub struct Given {
    /// Its device tree.
    pub tree: Option<Tree>,
    /// Texts: logs of a boot, what `collect` prints, configurations, traces.
    pub texts: Vec<Source>,
    /// The command line, and what it is called in messages.
    pub cmdline: Option<(String, String)>,
    /// Its kernel, by release or name, where nothing else says it.
    pub kernel: Option<String>,
    /// The size of a page, whatever else says so.
    pub page: Option<Page>,
    /// The architecture, likewise.
    pub arch: Option<Arch>,
}

/// What is known of a board.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its device tree, of a file or of a text of `collect`.
    pub tree: Option<Tree>,
    /// The nodes that ask for pools.
    pub pools: Vec<Pool>,
    /// The command line and where it is.
    pub command: Option<(Place, Command)>,
    /// The command line as it is written.
    pub line: Option<String>,
    /// The configuration.
    pub config: Config,
    /// Calls of a trace.
    pub trace: Trace,
    /// `CONFIG_CMA_ALIGNMENT`, where it is stated.
    pub cap: Option<u32>,
    /// The memory, first byte and end of each piece, where something states all of it.
    pub memory: Option<Vec<(u64, u64)>>,
    /// First byte and end of each zone that a log prints.
    pub zones: Vec<(u64, u64)>,
    /// What base and size of an area are multiples of.
    pub steps: Steps,
    /// What a log of a boot says.
    pub log: Option<Story>,
    pub(super) machine: Machine,
    taken: Vec<String>,
}

/// The most lines of properties in a text of `collect`.
const MOST_LINES: usize = 1 << 14;

/// What is read before it is put together.
#[derive(Default)]
struct Reading {
    notes: Notes,
    /// Without what a text of a tree says, which is asked of the tree.
    log: Notes,
    has_log: bool,
    command: Option<(Place, String)>,
    config: Config,
    trace: Trace,
    cap: Option<u32>,
    zones: Vec<(u64, u64)>,
    dumps: Vec<Tree>,
}

impl Board {
    /// Reads the texts, and puts together what all of it says.
    ///
    /// # Errors
    /// Where a text cannot be read.
    pub fn read(given: Given) -> Result<Self, IngestError> {
        let notes = || Notes::of_kernel(given.kernel.as_deref());
        let mut reading = Reading { notes: notes(), log: notes(), ..Reading::default() };
        for source in &given.texts {
            reading.text(source)?;
        }
        let stated = [
            given.page.map(|page| Boot::PageBytes(page.bytes(), PageFrom::Getconf)),
            given.arch.map(Boot::Arch),
        ];
        for boot in stated.into_iter().flatten() {
            reading.notes.note(&Found {
                line: 0,
                time_us: None,
                task: None,
                record: Record::Boot(boot),
            });
        }
        let tree = given.tree.or_else(|| reading.dumps.pop());
        if let Some(overlay) = tree.as_ref().filter(|tree| tree.is_overlay()) {
            let why = "it is an overlay, which asks for nothing alone; give the tree that it \
                       makes: `fdtoverlay -i board.dtb -o whole.dtb FILE.dtbo`";
            return Err(IngestError::of(&overlay.source, why));
        }
        if let Some(model) =
            tree.as_ref().and_then(|tree| tree.node(Tree::ROOT).strings("model").pop())
        {
            let record = Record::Boot(Boot::Model(model.as_str().into()));
            reading.notes.note(&Found { line: 0, time_us: None, task: None, record });
        }
        if let Some((name, line)) = given.cmdline {
            reading.command = Some((Place::whole(&name), line));
        }
        Ok(reading.board(tree, given.arch))
    }

    /// Whether nothing is known that a rule could ask.
    pub fn is_empty(&self) -> bool {
        let nothing = self.tree.is_none() && self.command.is_none() && self.log.is_none();
        nothing && self.trace.is_empty() && self.config.is_empty()
    }

    /// The release, where it is stated.
    pub const fn release(&self) -> Option<Release> {
        self.machine.release
    }

    /// What was not stated and is taken to be so, each with what states it.
    pub(super) fn taken(&self) -> Vec<String> {
        self.taken.clone()
    }

    /// Pools that the kernel is to make areas of.
    pub(super) fn areas(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(|pool| pool.is_area())
    }

    /// The place of a pool, or of a property of it.
    pub(super) fn place(&self, pool: &Pool, property: &str) -> Place {
        let of = |tree| Place::of(tree, pool.id, Some(property));
        self.tree.as_ref().map_or_else(|| Place::whole(&pool.name), of)
    }

    /// What memory is free for areas as far as the tree says: without what its nodes take at fixed
    /// places.
    pub(super) fn rooms(&self) -> Option<Vec<(u64, u64)>> {
        self.rooms_but(None)
    }
}

impl Reading {
    fn text(&mut self, source: &Source) -> Result<(), IngestError> {
        self.notes.source(source.name());
        self.log.source(source.name());
        for found in log::open(source)? {
            // A line that is wrong is no matter of a rule.
            let Ok(found) = found else { continue };
            self.record(source, &found);
        }
        let mut lines = Lines { number: 0, kept: Vec::new(), is_value: false };
        let mut input = source.open()?;
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            lines.line(text);
            let at = At { source: source.name().into(), line: lines.number };
            self.config.line(text, &at);
            line.clear();
        }
        self.dumps.extend(Tree::dump(source.name(), &lines.kept));
        Ok(())
    }

    fn record(&mut self, source: &Source, found: &Found) {
        self.notes.note(found);
        let of_tree = matches!(
            &found.record,
            Record::Boot(Boot::Dts(_) | Boot::Region(_) | Boot::TreeMemory(_))
        );
        if !of_tree {
            self.has_log |=
                matches!(found.record, Record::Boot(Boot::Began { .. } | Boot::Memory { .. }))
                    || matches!(found.record, Record::Reserved { .. })
                    || matches!(&found.record, Record::Boot(boot) if is_of_areas(boot));
            self.log.note(found);
        }
        let at = At { source: source.name().into(), line: found.line };
        match &found.record {
            Record::CommandLine(line) => {
                self.command = Some((Place::at(&at), line.to_string()));
            }
            Record::Cap(cap) => self.cap = Some(*cap),
            Record::Boot(Boot::Zone { start, end }) => self.zones.push((*start, *end)),
            record => self.trace.note(record, &at),
        }
    }

    fn board(self, tree: Option<Tree>, arch: Option<Arch>) -> Board {
        let story = self.notes.story(&[]);
        let by_tree = arch.or_else(|| tree.as_ref().and_then(reach::arch));
        let machine = Machine::of(&story, by_tree);
        let steps = Steps::of(&story, &machine);
        let of_log = || match (story.longest_block, story.memory) {
            (Some(block), Some(all)) if block.1 - block.0 == all => Some(vec![block]),
            _ => None,
        };
        let memory = tree.as_ref().and_then(reach::memory).or_else(of_log);
        let mut taken = Vec::new();
        if story.stride.bytes.is_none() {
            if story.page.is_none() && machine.arch.page_bytes().is_none() {
                taken.push("the size of a page is taken to be 4 KiB (`--page-kib`)".to_string());
            }
            if story.arch.or(by_tree).is_none() {
                taken.push("the architecture is taken to be arm64 (`--arch`)".to_string());
            }
        }
        if machine.release.is_none() {
            taken.push("the kernel is taken to be 5.19 or newer (`--kernel`)".to_string());
        }
        if tree.is_some() && self.command.is_none() {
            let why = "`cma=` is taken not to be on the command line (`--cmdline`)";
            taken.push(why.to_string());
        }
        if tree.is_some() && memory.is_none() {
            let why = "the memory is not known (the boot loader fills it in): whether it has \
                       room for what is asked was not checked; a log of the boot, or \
                       /proc/device-tree, has it";
            taken.push(why.to_string());
        }
        Board {
            pools: tree.as_ref().map(pool::pools).unwrap_or_default(),
            line: self.command.as_ref().map(|(_, line)| line.clone()),
            command: self.command.map(|(place, line)| (place, Command::read(&line))),
            config: self.config,
            trace: self.trace,
            cap: self.cap,
            memory,
            zones: self.zones,
            steps,
            log: self.has_log.then(|| self.log.story(&[])),
            machine,
            taken,
            tree,
        }
    }
}

/// Whether it is a line of a boot about areas.
const fn is_of_areas(boot: &Boot) -> bool {
    matches!(
        boot,
        Boot::NotPlaced { .. }
            | Boot::Misaligned
            | Boot::NotSetUp
            | Boot::NoMatch { .. }
            | Boot::Bypassed { .. }
            | Boot::DmaPool { .. }
            | Boot::Initialized { .. }
            | Boot::Invalid { .. }
            | Boot::Failed { .. }
            | Boot::Dead { .. }
    )
}

/// The lines of a text that are of a tree.
struct Lines {
    number: u64,
    kept: Vec<(u64, String)>,
    is_value: bool,
}

impl Lines {
    fn line(&mut self, text: &str) {
        self.number += 1;
        let is_title = is_dump(text);
        if (is_title || self.is_value) && self.kept.len() < MOST_LINES {
            self.kept.push((self.number, text.to_string()));
        }
        self.is_value = is_title;
    }
}
