//! From the lines of a boot, in order, to the areas that were asked for.

mod parameter;

use std::sync::Arc;

use super::notes::{Fact, Notes};
use super::{Asked, At, Command, Fate, Note, Off, Origin, Reason, Story, reason};
use crate::ingest::log::boot::Boot;
use crate::ingest::log::dts::{Node, Region};
use crate::kernel::release;

/// The most areas that are told of: a kernel has at most 64.
const MOST: usize = 64;

/// What the lines so far say.
#[derive(Default)]
pub(super) struct Teller {
    pub(super) areas: Vec<Asked>,
    /// What the node that is named next is refused for.
    refused: Option<(At, Off)>,
    /// What the area that is named next has no place for.
    misplaced: Option<(At, Reason)>,
    /// Memory whose area is not known yet: first byte, bytes, whether it can be of an area.
    pool: Option<(At, u64, u64, bool)>,
    pub(super) nodes: Vec<(At, Node)>,
    pub(super) regions: Vec<(At, Region)>,
    pub(super) blocks: Vec<(At, u64, u64)>,
    /// First byte and end of each zone.
    pub(super) zones: Vec<(At, u64, u64)>,
    /// All memory by the device tree: first byte and end of each piece.
    pub(super) tree_memory: Option<(At, Vec<(u64, u64)>)>,
    pub(super) command: Option<(At, Command)>,
    /// Nodes of whose `reg` only the first entry is used.
    first_entries: Vec<(At, Arc<str>)>,
    /// The configuration has `CONFIG_DMA_CMA=y`.
    pub(super) dma_cma: bool,
    /// The kernel has no `cma=` (`CONFIG_DMA_CMA` is off), by this line.
    pub(super) unknown: Option<At>,
    /// A configuration has `CONFIG_DMA_CMA` off, at this line; it may be another kernel's.
    pub(super) config_off: Option<At>,
    /// A node was bypassed, at this line.
    bypassed: Option<At>,
    /// What `hugetlb_cma=` asks for in all, in bytes.
    hugetlb: Option<(At, u64)>,
    pub(super) refusals: Vec<(At, Arc<str>)>,
    /// Nodes that devices were given.
    pub(super) assigned: Vec<Arc<str>>,
    pub(super) memory: Option<u64>,
    /// The pages of areas, by sysfs.
    pub(super) pages: Vec<(Arc<str>, u64)>,
    /// `CmaTotal`, or else what was marked as of areas, in bytes.
    pub(super) counted: Option<(At, u64)>,
}

/// What all of it says.
pub(super) fn story(notes: &Notes, failed: &[Arc<str>]) -> Story {
    let mut teller = Teller::default();
    for (at, fact) in &notes.facts {
        teller.fact(at, fact);
    }
    teller.command_line();
    let places = teller.places();
    let mut story = Story {
        page: notes.page_or_arch(),
        arch: notes.machine().arch(),
        release: notes.release().cloned(),
        stride: notes.stride(&places),
        longest_block: None,
        memory: teller.memory,
        cma_total: notes.bytes_of("CmaTotal"),
        cma_reserved: notes.bytes_of("cma-reserved"),
        areas: Vec::new(),
        caps: notes.caps.clone(),
        boots: notes.boots,
        no_dma_cma: false,
    };
    story.longest_block =
        teller.blocks.iter().map(|(_, start, end)| (*start, *end)).max_by_key(|(s, e)| (e - s, *s));
    reason::finish(&mut teller, &story, failed);
    story.areas = teller.areas;
    story.no_dma_cma = teller.unknown.is_some();
    story
}

impl Teller {
    fn fact(&mut self, at: &At, fact: &Fact) {
        match fact {
            Fact::Reserved(Some(name), base, bytes) => self.named(at, name, *base, *bytes, true),
            Fact::Reserved(None, base, bytes) => {
                self.settle();
                self.pool = Some((at.clone(), *base, *bytes, true));
            }
            Fact::Command(line) => self.command = Some((at.clone(), Command::read(line))),
            Fact::Counter(Some(area), _, pages) => self.pages.push((Arc::clone(area), *pages)),
            Fact::Counter(None, name, bytes) => {
                if &**name == "CmaTotal" || self.counted.is_none() {
                    self.counted = Some((at.clone(), *bytes));
                }
            }
            Fact::Boot(boot) => self.boot(at, boot),
        }
    }

    fn boot(&mut self, at: &At, boot: &Boot) {
        match boot {
            Boot::NotPlaced { node, bytes } => {
                let asked = self.node(at, node, Fate::NotPlaced(Reason::Open));
                asked.asked_bytes = asked.asked_bytes.or(*bytes);
            }
            Boot::Taken { node } => {
                self.node(at, node, Fate::NotPlaced(Reason::Taken));
            }
            Boot::Misaligned => {
                self.unnamed();
                self.refused = Some((at.clone(), Off::BaseOrSize));
            }
            Boot::NotSetUp => {
                // The line before may say that there are too many.
                let slots = self.refused.take_if(|(_, off)| *off == Off::Slots);
                self.unnamed();
                self.refused = Some(slots.unwrap_or_else(|| (at.clone(), Off::Unsaid)));
            }
            Boot::NeedsNoMap => self.refused = None,
            Boot::NoSlots => self.refused = Some((at.clone(), Off::Slots)),
            Boot::NoMatch { node } => self.no_match(at, node),
            Boot::Bypassed { node } => self.bypassed(at, node.as_ref()),
            Boot::DmaPool { base, bytes } => {
                self.settle();
                self.pool = Some((at.clone(), *base, *bytes, false));
            }
            Boot::Initialized { node } => self.initialized(at, node),
            Boot::Node { node, base, bytes, reusable } => {
                self.named(at, node, *base, *bytes, *reusable);
            }
            Boot::Invalid { node, property } => {
                self.node(at, node, Fate::Refused(Off::Cells(Arc::clone(property))));
            }
            Boot::Overlap { node, with } => {
                for asked in &mut self.areas {
                    let named = asked.name.clone();
                    let named = named.as_ref();
                    if named != Some(node) && named != Some(with) {
                        continue;
                    }
                    asked.at(at);
                    let other = if named == Some(node) { with } else { node };
                    asked.notes.push(Note::Overlap(Arc::clone(other)));
                }
            }
            Boot::Declared { node } => self.declared(at, *node),
            Boot::Ranges { bytes, ranges } => {
                let asked = self.push(at, None, Origin::Hugetlb, Fate::Placed);
                (asked.bytes, asked.ranges) = (Some(*bytes), Some(*ranges));
            }
            Boot::Failed { bytes } => self.failed(at, *bytes),
            Boot::Unaligned { base, .. } => self.refused = Some((at.clone(), Off::Base(*base))),
            Boot::Crosses { boundary, .. } => {
                self.misplaced = Some((at.clone(), Reason::Crosses(*boundary)));
            }
            Boot::OverLimit { limit, .. } => {
                self.misplaced = Some((at.clone(), Reason::Limit(*limit)));
            }
            Boot::Dead { area } => self.dead(at, area),
            Boot::HugetlbOff(page) => {
                self.hugetlb(at, Fate::Refused(Off::GiganticPage(*page)));
            }
            Boot::HugetlbUnknown => self.hugetlb(at, Fate::Refused(Off::Unsupported)),
            Boot::HugetlbShare => self.hugetlb(at, Fate::Refused(Off::Share)),
            Boot::HugetlbNode(node) => {
                self.push(at, None, Origin::Hugetlb, Fate::Refused(Off::NoNode(*node)));
            }
            Boot::HugetlbPlaced { bytes, node } => self.hugetlb_placed(at, *bytes, *node),
            Boot::HugetlbFailed { node, zones } => self.hugetlb_failed(at, *node, *zones),
            Boot::Hugetlb(bytes) => self.hugetlb = Some((at.clone(), *bytes)),
            Boot::Crash { asked, bytes, ranges } => self.crash(at, *asked, *bytes, *ranges),
            Boot::CrashUnknown => {
                self.push(at, None, Origin::Crash, Fate::Refused(Off::Unsupported));
            }
            Boot::Memory { start, end } => self.blocks.push((at.clone(), *start, *end)),
            Boot::Zone { start, end } => self.zones.push((at.clone(), *start, *end)),
            Boot::AllMemory(bytes) => self.memory = Some(*bytes),
            Boot::DeviceRefused { device } => {
                self.refusals.push((at.clone(), Arc::clone(device)));
            }
            Boot::Dts(node) => self.stated(at, node),
            Boot::TreeMemory(places) => {
                let places =
                    places.iter().map(|(base, bytes)| (*base, base.saturating_add(*bytes)));
                self.tree_memory = Some((at.clone(), places.collect()));
            }
            Boot::Region(region) => self.regions.push((at.clone(), region.clone())),
            Boot::FirstEntry { node } => self.first_entries.push((at.clone(), Arc::clone(node))),
            Boot::Assigned { node, .. } => self.assigned.push(Arc::clone(node)),
            Boot::DmaCma(true) => self.dma_cma = true,
            Boot::DmaCma(false) => self.config_off = Some(at.clone()),
            Boot::CmaUnknown => self.unknown = Some(at.clone()),
            Boot::Began { .. }
            | Boot::Ends
            | Boot::Arch(_)
            | Boot::PageBytes(..)
            | Boot::Heaps(_)
            | Boot::Heap(_)
            | Boot::BlockOrder(_)
            | Boot::MaxOrder(..)
            | Boot::Model(_)
            | Boot::AtomicPool { .. } => {}
        }
    }

    fn push(&mut self, at: &At, name: Option<Arc<str>>, origin: Origin, fate: Fate) -> &mut Asked {
        let mut asked = Asked::new(name, origin);
        asked.fate = fate;
        asked.at(at);
        if self.areas.len() < MOST {
            self.areas.push(asked);
        } else {
            self.areas[MOST - 1] = asked;
        }
        self.areas.last_mut().expect("one was pushed")
    }

    /// The area of a node, which is new with this fate, or has it now.
    fn node(&mut self, at: &At, name: &Arc<str>, fate: Fate) -> &mut Asked {
        let known =
            |asked: &Asked| asked.origin == Origin::Node && asked.name.as_ref() == Some(name);
        let Some(index) = self.areas.iter().position(known) else {
            return self.push(at, Some(Arc::clone(name)), Origin::Node, fate);
        };
        let asked = &mut self.areas[index];
        asked.at(at);
        asked.fate = fate;
        asked
    }

    fn no_match(&mut self, at: &At, name: &Arc<str>) {
        let refused = self.refused.take();
        let bypassed = |asked: &Asked| {
            asked.name.as_ref() == Some(name) && matches!(asked.fate, Fate::Bypassed(_))
        };
        if let Some(asked) = self.areas.iter_mut().find(|asked| bypassed(asked)) {
            asked.at(at);
            return;
        }
        let fate = match &refused {
            Some((_, off)) => Fate::Refused(off.clone()),
            None => Fate::NoMatch(None),
        };
        let asked = self.node(at, name, fate);
        if let Some((before, _)) = refused {
            asked.lines.insert(0, before);
        }
    }

    fn bypassed(&mut self, at: &At, name: Option<&Arc<str>>) {
        self.bypassed.get_or_insert_with(|| at.clone());
        let Some(name) = name else {
            let known = |asked: &Asked| matches!(asked.fate, Fate::Bypassed(_));
            if let Some(asked) = self.areas.iter_mut().find(|asked| known(asked)) {
                asked.at(at);
                return;
            }
            let asked = self.push(at, None, Origin::Node, Fate::Bypassed(None));
            asked.default = true;
            return;
        };
        self.node(at, name, Fate::Bypassed(None)).default = true;
    }

    /// A node was refused before kernels named it there (5.x).
    fn unnamed(&mut self) {
        let Some((at, off)) = self.refused.take() else { return };
        let origin = match off {
            Off::Slots | Off::Base(_) => Origin::ConfigOrCommandLine,
            _ => Origin::Node,
        };
        self.push(&at, None, origin, Fate::Refused(off));
    }

    /// Memory whose area was not named is of the command line or the configuration.
    fn settle(&mut self) {
        if let Some((at, base, bytes, true)) = self.pool.take() {
            self.reserved(&at, base, bytes, None);
        }
    }

    fn initialized(&mut self, at: &At, name: &Arc<str>) {
        let Some((before, base, bytes, area)) = self.pool.take() else { return };
        self.with_memory(&before, name, (base, bytes), area);
        self.node(at, name, if area { Fate::Placed } else { Fate::DmaPool });
    }

    /// `base..last (N KiB) map reusable NAME`
    fn named(&mut self, at: &At, name: &Arc<str>, base: u64, bytes: u64, reusable: bool) {
        let same = |asked: &Asked| asked.origin == Origin::Node && asked.base == Some(base);
        if let Some(asked) = self.areas.iter_mut().find(|asked| same(asked)) {
            asked.at(at);
            // MiB are rounded down, KiB are not.
            asked.bytes = Some(bytes);
            return;
        }
        let pool = self.pool.take_if(|(_, start, ..)| *start == base);
        let of_area = memchr::memmem::find(name.as_bytes(), b"cma").is_some();
        if let Some((before, _, _, area)) = pool {
            self.with_memory(&before, name, (base, bytes), area);
            self.node(at, name, if area { Fate::Placed } else { Fate::DmaPool });
        } else if reusable
            && of_area
            && !self.areas.iter().any(|asked| asked.name.as_ref() == Some(name))
        {
            self.with_memory(at, name, (base, bytes), true);
        }
    }

    fn with_memory(&mut self, at: &At, name: &Arc<str>, (base, bytes): (u64, u64), area: bool) {
        let asked = self.node(at, name, if area { Fate::Placed } else { Fate::DmaPool });
        (asked.base, asked.bytes) = (Some(base), Some(bytes));
    }

    fn declared(&mut self, at: &At, node: Option<i32>) {
        let Some((before, base, bytes, _)) = self.pool.take() else { return };
        debug_assert!(before.line <= at.line || before.source != at.source, "in order");
        self.reserved(&before, base, bytes, node);
    }

    /// An area that is no node's.
    fn reserved(&mut self, at: &At, base: u64, bytes: u64, node: Option<i32>) {
        let known = |asked: &Asked| asked.base == Some(base) && asked.origin != Origin::Node;
        if let Some(asked) = self.areas.iter_mut().find(|asked| known(asked)) {
            asked.at(at);
            return;
        }
        let origin = match node {
            Some(0..) => Origin::Numa,
            _ => Origin::ConfigOrCommandLine,
        };
        let asked = self.push(at, None, origin, Fate::Placed);
        (asked.base, asked.bytes) = (Some(base), Some(bytes));
    }

    fn failed(&mut self, at: &At, bytes: u64) {
        let (misplaced, refused) = (self.misplaced.take(), self.refused.take());
        let (before, fate) = match (misplaced, refused) {
            (Some((before, reason)), _) => (Some(before), Fate::NotPlaced(reason)),
            (None, Some((before, off))) => (Some(before), Fate::Refused(off)),
            (None, None) => (None, Fate::NotPlaced(Reason::Open)),
        };
        let asked = self.push(at, None, Origin::ConfigOrCommandLine, fate);
        asked.asked_bytes = Some(bytes);
        if let Some(before) = before {
            asked.lines.insert(0, before);
        }
    }

    fn dead(&mut self, at: &At, name: &Arc<str>) {
        self.settle();
        // The default area has no name in the line that it was reserved with.
        let default = &**name == "reserved";
        let is_it = |asked: &Asked| match &asked.name {
            Some(known) => known == name,
            None => default && asked.origin == Origin::ConfigOrCommandLine && asked.base.is_some(),
        };
        if let Some(asked) = self.areas.iter_mut().find(|asked| is_it(asked)) {
            asked.at(at);
            asked.fate = Fate::Dead(None);
            return;
        }
        let origin = match name.starts_with("hugetlb") {
            true => Origin::Hugetlb,
            false => Origin::ConfigOrCommandLine,
        };
        let asked = self.push(at, Some(Arc::clone(name)), origin, Fate::Dead(None));
        asked.default = default;
    }

    fn stated(&mut self, at: &At, node: &Node) {
        match self.nodes.iter_mut().find(|(_, known)| known.is_same(node)) {
            Some((known_at, known)) => {
                if known.merge(node) && node.changes {
                    *known_at = at.clone();
                }
            }
            None => self.nodes.push((at.clone(), node.clone())),
        }
    }

    /// What is a multiple of the step: base and size of each area, and the sizes of all together.
    /// The kernel may print a size of the default area that is not.
    fn places(&self) -> Vec<(u64, u64)> {
        let placed = self.areas.iter().filter(|asked| asked.fate == Fate::Placed);
        let place = |asked: &Asked| {
            let is_node = asked.origin == Origin::Node;
            Some((asked.base?, if is_node { asked.bytes? } else { 0 }))
        };
        let sums = self.counted.iter().map(|(_, bytes)| (0, *bytes));
        placed.filter_map(place).chain(sums).collect()
    }

    /// Who asked for the areas that are no node's.
    fn command_line(&mut self) {
        self.settle();
        self.unnamed();
        for (at, node) in std::mem::take(&mut self.first_entries) {
            if let Some(asked) = self.areas.iter_mut().find(|one| one.name.as_ref() == Some(&node))
            {
                asked.at(&at);
                asked.notes.push(Note::FirstEntry);
            }
        }
        let command = self.command.clone();
        let cma = command.as_ref().and_then(|(_, command)| command.cma);
        let default = match (cma, &command) {
            (Some(size), _) => Origin::CommandLine(size),
            (None, Some(_)) => Origin::Config,
            (None, None) => Origin::ConfigOrCommandLine,
        };
        let hugetlb = command.as_ref().and_then(|(_, command)| command.hugetlb);
        self.crash_of_command();
        // `cma=` asks once, for its own size: what is refused or found of another one is not its.
        let other = |bytes: u64| cma.is_some_and(|size| !size.may_print(bytes));
        let gigantic = |bytes: u64| {
            (cma.is_none() || other(bytes))
                && bytes.is_multiple_of(1 << 30)
                && hugetlb.is_some_and(|all| all == 0 || bytes <= all.next_multiple_of(1 << 30))
        };
        for asked in &mut self.areas {
            let open = matches!(asked.origin, Origin::ConfigOrCommandLine | Origin::Numa);
            let bytes = asked.bytes.or(asked.asked_bytes);
            if open && bytes.is_some_and(gigantic) && hugetlb.is_some() {
                asked.origin = Origin::Hugetlb;
            } else if !asked.fate.has_memory() && bytes.is_some_and(other) {
                // A driver's, or of a parameter that is not in the text.
            } else if asked.origin == Origin::ConfigOrCommandLine
                && asked.name.as_ref().is_none_or(|name| &**name == "reserved")
            {
                asked.origin = default.clone();
                (asked.name, asked.default) = (Some("reserved".into()), true);
            }
        }
        self.hugetlb_in_all();
        self.one_default(other);
    }

    /// Only one is the default area, the first of the size of `cma=`, or the first: what else is
    /// declared is a driver's.
    fn one_default(&mut self, other: impl Fn(u64) -> bool) {
        let is_other = |asked: &Asked| asked.bytes.is_some_and(&other);
        let is_one = |asked: &Asked| {
            asked.default && asked.origin != Origin::Node && asked.fate == Fate::Placed
        };
        let all = || self.areas.iter().filter(|asked| is_one(asked));
        let Some(first) = all().find(|asked| !is_other(asked)).or_else(|| all().next()) else {
            return;
        };
        let (base, of_size) = (first.base, !is_other(first));
        for asked in self.areas.iter_mut().filter(|asked| is_one(asked) && asked.base != base) {
            (asked.name, asked.default) = (None, false);
            if of_size && is_other(asked) {
                asked.origin = Origin::ConfigOrCommandLine;
            }
        }
    }

    /// Whether some line says what became of an area.
    pub(super) fn has_boot(&self) -> bool {
        self.areas.iter().any(|asked| !matches!(asked.fate, Fate::Unknown(_)))
    }

    /// Whether a line says that `cma=` is used.
    pub(super) const fn bypass(&self) -> Option<&At> {
        self.bypassed.as_ref()
    }
}

/// Whether `CmaTotal` counts an area that could not be activated: `cma_activate_area()` takes it off
/// `totalcma_pages` from 5.12 on (`mm/cma.c`; read in 6.1, 6.12 and 7.3).
pub(super) fn counts_dead(name: Option<&str>) -> Option<bool> {
    name.and_then(release).map(|release| release < (5, 12))
}
