//! What can be said to help, in numbers: a report has the words.

use std::fmt;

use crate::boot::{Asked, COMMAND_FIRST, Fate, Origin, Story};
use crate::diagnose::Kit;
use crate::kernel::release;

/// Pages, written as `1 page` or `2 pages`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages(pub u64);

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::words::pages(self.0))
    }
}

/// One thing that would have helped, or would not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advice {
    /// What it is.
    pub what: What,
    /// Whether it would have helped.
    pub helps: bool,
    /// Pages that it costs (negative: saves), where that can be said.
    pub cost_pages: Option<i64>,
    /// Bytes of a page, for what is asked for in bytes.
    pub page_bytes: u64,
    /// What sets the size of its area.
    pub size_by: SizeBy,
}

/// What sets the size of an area, as far as its name says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum SizeBy {
    /// Its name is not known.
    #[default]
    Unknown,
    /// The command line or the configuration: it is `reserved`.
    Command,
    /// The node that `linux,cma` comes from, which the command line overrides.
    DefaultNode,
    /// A node of its own.
    Node,
    /// This parameter of the command line.
    Parameter(&'static str),
    /// Nothing yet: the kernel has no `CONFIG_DMA_CMA`.
    Kernel,
}

/// The names of areas that the kernel makes for a parameter: each with a number
/// (`mm/hugetlb_cma.c`, `kernel/dma/contiguous.c`).
const PARAMETERS: [(&str, &str); 3] =
    [("hugetlb", "hugetlb_cma="), ("pernuma", "cma_pernuma="), ("numa", "numa_cma=")];

/// The parameter that makes an area of this name.
fn parameter(area: &str) -> Option<&'static str> {
    PARAMETERS.into_iter().find_map(|(name, parameter)| {
        let number = area.strip_prefix(name)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(parameter)
    })
}

impl SizeBy {
    /// By the name of the area.
    pub(crate) fn of(area: Option<&str>) -> Self {
        match area {
            None => Self::Unknown,
            Some("reserved") => Self::Command,
            Some(name) if name.starts_with("linux,cma") => Self::DefaultNode,
            Some(name) => parameter(name).map_or(Self::Node, Self::Parameter),
        }
    }

    /// The same by what the boot says, of an area of so many bytes.
    pub fn by_boot(self, story: &Story, bytes: Option<u64>) -> Self {
        let release = story.release.as_deref().and_then(release);
        match self {
            Self::Unknown | Self::Command if story.no_dma_cma => Self::Kernel,
            // Up to 5.9 the command line does not override the node.
            Self::DefaultNode if release.is_some_and(|release| release < COMMAND_FIRST) => {
                Self::Node
            }
            Self::Unknown => {
                let placed = |asked: &&Asked| asked.fate == Fate::Placed && asked.bytes == bytes;
                let mut alike = story.areas.iter().filter(|_| bytes.is_some()).filter(placed);
                let one = alike.next().filter(|_| alike.next().is_none());
                match one.map(|asked| (&asked.origin, asked.default)) {
                    Some((Origin::Node, true)) => Self::DefaultNode.by_boot(story, bytes),
                    Some((Origin::Node, false)) => Self::Node,
                    _ => self,
                }
            }
            _ => self,
        }
    }
}

impl Advice {
    pub(super) const fn yes(what: What) -> Self {
        Self { what, helps: true, cost_pages: None, page_bytes: 4096, size_by: SizeBy::Unknown }
    }

    pub(super) const fn no(what: What) -> Self {
        Self { helps: false, ..Self::yes(what) }
    }

    pub(super) fn costs(self, pages: u64) -> Self {
        Self { cost_pages: Some(i64::try_from(pages).unwrap_or(i64::MAX)), ..self }
    }

    pub(super) fn saves(self, pages: u64) -> Self {
        Self { cost_pages: Some(i64::try_from(pages).map_or(i64::MIN, |pages| -pages)), ..self }
    }
}

/// The kinds of help. Numbers are pages where nothing else is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words of a report say what each number is")]
pub enum What {
    /// A smaller `CONFIG_CMA_ALIGNMENT`.
    SmallerCap(Cap),
    /// A request that is shorter by `over`: at order `align` at most `largest` fit.
    ShorterBuffer { over: Pages, largest: u64, align: u32 },
    /// However short a request of order `align` is, it does not fit.
    NoShorterBuffer { align: u32 },
    /// Buffers of `count` in `room` that are shorter by `over`: a slot less for each of the
    /// `blocks` that are seen.
    ResidentSize { over: Pages, count: u64, room: u64, slot: u64, back: Pages, blocks: u64 },
    /// A buffer of `count` in `room` that is shorter by `over` takes `slot`; so many `fit` into the
    /// area, now and then.
    NoPadding { over: Pages, count: u64, room: u64, slot: u64, fit: Option<(u64, u64)> },
    /// A `reserved-memory` node that others borrow: `small` with smaller pageblocks, where that is
    /// less, and whether the kernel is `known` to be one that goes by them (5.19 on).
    OwnPool { pool: Pages, small: Option<u64>, known: bool, pitch: Pages },
    /// A `reserved-memory` node that nobody borrows.
    PoolWithoutTenants { pool: Pages },
    /// Fewer of the `blocks` of `count` pages that hold `pages`.
    FewerBuffers { blocks: u64, count: Pages, pages: Pages },
    /// A buffer that is allocated once.
    KeepAllocated { count: Pages },
    /// A bigger area.
    BiggerArea(Grow),
    /// Memory to move pages to.
    MoreMemory { count: Pages },
    /// The same request again: so many places were tried; 0 where that is not known.
    Retry { tries: u64 },
    /// A kernel in which two requests at once do not make each other fail.
    NewerKernel,
    /// How large the areas are, which every kernel says.
    LookUpBounds,
    /// What would be seen with another step.
    Collect(Missing),
    /// Nothing, since the task was being `killed`, or since memory is what is missing.
    Nothing { killed: bool },
}

impl What {
    /// The word for its kind in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallerCap(_) => "smaller_cap",
            Self::ShorterBuffer { .. } | Self::NoShorterBuffer { .. } => "shorter_buffer",
            Self::ResidentSize { .. } => "resident_size",
            Self::NoPadding { .. } => "no_padding",
            Self::OwnPool { .. } | Self::PoolWithoutTenants { .. } => "own_pool",
            Self::FewerBuffers { .. } => "fewer_buffers",
            Self::KeepAllocated { .. } => "keep_allocated",
            Self::BiggerArea(_) => "bigger_area",
            Self::MoreMemory { .. } => "more_memory",
            Self::Retry { .. } => "retry",
            Self::NewerKernel => "newer_kernel",
            Self::LookUpBounds => "look_up_bounds",
            Self::Collect(_) => "collect",
            Self::Nothing { .. } => "nothing",
        }
    }
}

/// What `CONFIG_CMA_ALIGNMENT` would do; `now` is what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words of a report say what each number is")]
pub enum Cap {
    /// Nothing: the caller asked for this order itself.
    OwnOrder { align: u32 },
    /// Nothing, unless it is no more than `cap`: so many `calls` for these `pages`, the fewest and the
    /// most, have that order, whatever the kernel is configured to.
    Shown { cap: u32, calls: u64, pages: (u64, u64) },
    /// Nothing: there was a place at this order.
    HadPlace { align: u32 },
    /// Nothing: no hole takes the request at order 0 either.
    NoneFits,
    /// At `cap` the request fits at page `at`.
    Fits { cap: u32, now: u32, count: Pages, at: u64, strands: Option<Strands> },
    /// At `cap` from boot on less would have been stranded.
    FromBoot { cap: u32, now: u32, strands: Strands },
}

/// The cap that the caller of a failure follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Follows {
    /// The cap.
    pub cap: u32,
    /// Where calls show it to be less than the text and the user of this program have it: how many
    /// there are, and the fewest and the most pages that one asks for.
    pub by: Option<(u64, (u64, u64))>,
}

impl From<u32> for Follows {
    fn from(cap: u32) -> Self {
        Self { cap, by: None }
    }
}

/// What buffers strand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strands {
    /// Pages, as it is.
    pub now: u64,
    /// Pages, at another cap.
    pub left: Pages,
    /// Pages of each of the buffers that strand most.
    pub worst: u64,
    /// Whether that is all of the area, or what a list shows of it.
    pub whole: bool,
}

/// What a bigger area would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words of a report say what each number is")]
pub enum Grow {
    /// With `more` it takes this one request, but as large a share of it would be lost to alignment:
    /// `stranded` of `of` pages are, of all that it has, or of the `free` ones in a list.
    ForOne { more: Pages, at_end: bool, stranded: u64, of: u64, free: bool },
    /// With `more` it takes this one request, and what is lost to alignment leaves room for others:
    /// `size` in all, in whole steps, where its pages are known.
    ForLoad { more: Pages, at_end: bool, size: Option<u64> },
    /// `more` than there are at least, `most` to be sure of a place: `size` in all, where known.
    ForMore { more: Pages, count: u64, free: u64, total: Option<u64>, most: u64, size: Option<u64> },
    /// A longest range of `size`, in whole steps: `more` than it has.
    ForRange { more: Pages, size: u64 },
    /// It adds no memory that pages could be moved to.
    TakesMemory,
    /// Its further places are as likely busy.
    AsBusy,
}

/// What the size of an area is a multiple of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// In bytes.
    pub bytes: u64,
    /// Bytes of a page.
    pub page_bytes: u64,
    /// The text shows which kind of kernel it is.
    pub is_known: bool,
}

impl Step {
    /// That of the kernel of this boot; where it is not known 4 MiB, which every kernel with pages of
    /// 4 KiB takes but those of `imx_v6_v7_defconfig`.
    pub fn of(boot: &Story) -> Self {
        let page_bytes = boot.page_bytes().max(1);
        let bytes = boot.stride.bytes.filter(|bytes| *bytes >= page_bytes);
        let is_known = bytes.is_some();
        Self { bytes: bytes.unwrap_or(4 << 20).max(page_bytes), page_bytes, is_known }
    }

    /// In pages.
    pub const fn pages(self) -> u64 {
        self.bytes / self.page_bytes
    }
}

/// What a text does not show.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Missing {
    /// All free runs.
    pub runs: bool,
    /// A part of the list of free runs.
    pub rest: bool,
    /// A part of the bitmap of debugfs.
    pub bitmap: bool,
    /// The order of the request.
    pub order: bool,
    /// Whether places were busy.
    pub busy: bool,
    /// Which kernel it is.
    pub kernel: bool,
    /// What its kernel has to show it.
    pub kit: Kit,
}
