//! An area that was asked for.

use std::sync::Arc;

use super::{At, Cure, Misread, Size};

/// An area that the kernel was asked for, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Its name, where known: of a node its own; `reserved` of the default area.
    pub name: Option<Arc<str>>,
    /// Who asked for it.
    pub origin: Origin,
    /// It is, or was to be, the one that devices without an own use.
    pub default: bool,
    /// Bytes that were asked for.
    pub asked_bytes: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// First byte of its memory.
    pub base: Option<u64>,
    /// Bytes of its memory.
    pub bytes: Option<u64>,
    /// Bytes that the kernel printed, where it has others: from 6.15 on it prints what was asked.
    pub printed_bytes: Option<u64>,
    /// Pieces of its memory, where it has several.
    pub ranges: Option<u64>,
    /// The default area that was made in its place: bytes.
    pub instead: Option<u64>,
    /// What else is strange.
    pub notes: Vec<Note>,
    /// The lines that this rests on.
    pub lines: Vec<At>,
    /// The change that cures it.
    pub cures: Vec<Cure>,
}

/// What is strange with an area beside its fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// Another node has some of the same memory.
    Overlap(Arc<str>),
    /// Of several entries of `reg` only the first is used.
    FirstEntry,
    /// Its `alloc-ranges` have none of the memory that the device tree states: first byte and end of
    /// the first one.
    RangesOutside(u64, u64),
    /// It could not be activated, and lies in one zone all the same: first byte and end of that.
    OneZone(u64, u64),
    /// Its parameter asked for more areas: bytes that these have, of so many.
    Of(u64, u64),
    /// Its parameter is not read as it looks.
    Misread(Misread),
}

/// Who asks for an area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A node of the device tree.
    Node,
    /// `cma=`.
    CommandLine(Size),
    /// `CONFIG_CMA_SIZE_MBYTES` and its like: nobody else asked.
    Config,
    /// One of the two: the command line is not in the text.
    ConfigOrCommandLine,
    /// `hugetlb_cma=`.
    Hugetlb,
    /// `crashkernel=…,cma`.
    Crash,
    /// `numa_cma=`, `cma_pernuma=`, or `CONFIG_CMA_SIZE_PERNUMA`.
    Numa,
}

impl Origin {
    /// The word for it in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::CommandLine(_) => "cmdline",
            Self::Config => "config",
            Self::ConfigOrCommandLine => "config_or_cmdline",
            Self::Hugetlb => "hugetlb",
            Self::Crash => "crashkernel",
            Self::Numa => "numa",
        }
    }
}

/// What became of an area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It has memory.
    Placed,
    /// No memory was found for it.
    NotPlaced(Reason),
    /// It was refused: base or size is off the step, or a property is wrong.
    Refused(Off),
    /// No driver of reserved memory took the node: it has no `reusable`, or `CONFIG_DMA_CMA` is
    /// off. Whether it has `reusable`, where the text shows it.
    NoMatch(Option<bool>),
    /// `cma=` is used in its place; it is 0 where that makes no area at all.
    Bypassed(Option<u64>),
    /// A node with `linux,cma-default` is used in its place (up to 5.9).
    BeatenByNode(Arc<str>),
    /// `cma=0`: no default area was wanted.
    Off,
    /// Nothing of it is there: `CmaTotal` in bytes.
    NoEffect(u64),
    /// It is a pool of one device's, not shared with the system: the node has no `reusable`.
    DmaPool,
    /// It could not be used, since it lies in two zones (a note says where it does not). Whether `CmaTotal` counts it (up to 5.11),
    /// where the release is known.
    Dead(Option<bool>),
    /// A device of this name has it as `memory-region`, and asked the default area.
    NotInEffect(Arc<str>),
    /// It has memory, and another node that is set up later is the default one.
    NotDefault(Arc<str>),
    /// The text does not say. Whether it says of other areas what became of them.
    Unknown(bool),
}

impl Fate {
    /// The word for it in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::NotPlaced(_) => "not_placed",
            Self::Refused(_) => "refused",
            Self::NoMatch(_) => "no_match",
            Self::Bypassed(_) => "bypassed",
            Self::BeatenByNode(_) => "beaten_by_node",
            Self::Off => "off",
            Self::NoEffect(_) => "no_effect",
            Self::DmaPool => "dma_pool",
            Self::Dead(_) => "dead",
            Self::NotInEffect(_) => "not_in_effect",
            Self::NotDefault(_) => "not_default",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The word for why, where there is one.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotPlaced(reason) => Some(reason.name()),
            Self::Refused(off) => Some(off.name()),
            _ => None,
        }
    }

    /// Whether it is an area with memory.
    pub(super) const fn has_memory(&self) -> bool {
        matches!(self, Self::Placed | Self::NotDefault(_) | Self::NotInEffect(_))
    }

    /// What is worse has a lower number.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::NotPlaced(_) | Self::Refused(_) | Self::NoMatch(_) | Self::Dead(_) => 0,
            Self::NoEffect(_) | Self::NotInEffect(_) => 1,
            Self::BeatenByNode(_) | Self::DmaPool | Self::NotDefault(_) => 2,
            Self::Unknown(_) => 3,
            Self::Placed | Self::Bypassed(_) | Self::Off => 4,
        }
    }
}

/// Why there was no memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It is larger than the longest block of memory, which has this first byte and this end; at
    /// most so many bytes of it are whole steps.
    Block {
        /// First byte.
        start: u64,
        /// The byte after the last one.
        end: u64,
        /// Whole steps.
        most: u64,
    },
    /// It is larger than all memory: bytes.
    Memory(u64),
    /// `alloc-ranges` has no memory: first byte and end of the first one.
    RangesOutside(u64, u64),
    /// The same, by the memory that the device tree states, which a boot loader may change.
    RangesOutsideTree(u64, u64),
    /// `alloc-ranges` has less room: bytes of the widest.
    RangesNarrow(u64),
    /// `alloc-ranges` leaves no room; whether its numbers are in the text.
    Ranges(bool),
    /// The memory that `reg` names is taken, or there is none.
    Taken,
    /// The place that `cma=` names lies across the end of low memory, which is this.
    Crosses(u64),
    /// The place ends above this limit.
    Limit(u64),
    /// So many bytes of it were found, and no more.
    Part(u64),
    /// There is no free piece that is large enough; why is not in the text.
    Open,
}

impl Reason {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block { .. } => "longest_block",
            Self::Memory(_) => "all_memory",
            Self::RangesOutside(..) | Self::RangesOutsideTree(..) => "ranges_outside",
            Self::RangesNarrow(_) => "ranges_narrow",
            Self::Ranges(_) => "ranges",
            Self::Taken => "taken",
            Self::Crosses(_) => "crosses_low_memory",
            Self::Limit(_) => "limit",
            Self::Part(_) => "part",
            Self::Open => "open",
        }
    }
}

/// What is wrong with an area that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Off {
    /// Its base is off the step: the base.
    Base(u64),
    /// Its size is off the step, where it is known.
    Size(Option<u64>),
    /// Both are off the step: the base and the size.
    Both(u64, u64),
    /// One of the two.
    BaseOrSize,
    /// It asks for nothing.
    Nothing,
    /// There are too many areas (`CONFIG_CMA_AREAS`).
    Slots,
    /// This property has the wrong number of cells.
    Cells(Arc<str>),
    /// `hugetlb_cma=` is no multiple of a gigantic page: bytes of that.
    GiganticPage(u64),
    /// It is a share of the memory that is above 100 % or below a gigantic page.
    Share,
    /// It names this node of memory, which is not there.
    NoNode(u32),
    /// The architecture has no such parameter.
    Unsupported,
    /// It has `no-map` beside `reusable`.
    NoMap,
    /// The kernel has no parameter `cma=`.
    Unknown,
    /// The parameter is not spelled as the kernel's is.
    Spelling,
    /// The kernel does not say why.
    Unsaid,
}

impl Off {
    /// The word for it in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Base(_) => "base_off_step",
            Self::Size(_) => "size_off_step",
            Self::Both(..) => "base_and_size_off_step",
            Self::BaseOrSize => "base_or_size_off_step",
            Self::Nothing => "size_0",
            Self::Slots => "too_many_areas",
            Self::Cells(_) => "cells",
            Self::GiganticPage(_) => "gigantic_page",
            Self::Share => "share",
            Self::NoNode(_) => "no_such_node",
            Self::Unsupported => "unsupported",
            Self::NoMap => "no_map",
            Self::Unknown => "unknown_parameter",
            Self::Spelling => "spelling",
            Self::Unsaid => "unsaid",
        }
    }
}

impl Asked {
    /// Nothing is known of it but who asked.
    pub(super) const fn new(name: Option<Arc<str>>, origin: Origin) -> Self {
        Self {
            name,
            origin,
            default: false,
            asked_bytes: None,
            fate: Fate::Unknown(false),
            base: None,
            bytes: None,
            printed_bytes: None,
            ranges: None,
            instead: None,
            notes: Vec::new(),
            lines: Vec::new(),
            cures: Vec::new(),
        }
    }

    /// Bytes that were asked for, where it has more.
    pub fn rounded_from(&self) -> Option<u64> {
        self.asked_bytes.filter(|asked| self.bytes.is_some_and(|bytes| bytes > *asked))
    }

    /// Whether something is wrong with it that nobody wanted.
    pub fn is_trouble(&self) -> bool {
        match &self.fate {
            Fate::DmaPool => self.default,
            _ => self.rank() < 3,
        }
    }

    /// What is worse has a lower number.
    pub(super) fn rank(&self) -> u8 {
        self.fate.rank().min(if self.misread().is_some() { 1 } else { u8::MAX })
    }

    /// What is odd in its parameter.
    pub fn misread(&self) -> Option<&Misread> {
        self.notes.iter().find_map(|note| match note {
            Note::Misread(misread) => Some(misread),
            _ => None,
        })
    }

    /// Whether it lies in one zone, by what the boot prints of them.
    pub fn in_one_zone(&self) -> bool {
        self.notes.iter().any(|note| matches!(note, Note::OneZone(..)))
    }

    /// Whether its `alloc-ranges` have none of the memory that the device tree states.
    pub fn is_outside(&self) -> bool {
        self.notes.iter().any(|note| matches!(note, Note::RangesOutside(..)))
    }

    /// It rests on this line as well.
    pub(super) fn at(&mut self, at: &At) {
        const MOST: usize = 16;
        if self.lines.len() < MOST && !self.lines.contains(at) {
            self.lines.push(at.clone());
        }
    }
}
