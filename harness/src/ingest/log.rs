//! What a board prints: kernel logs, traces, debugfs, sysfs and proc, in one stream of records.
//!
//! [`open`] takes any text; each line yields records, nothing, or a located error, after which the
//! reading goes on. A line itself shows its format, never the name of a file.

pub mod boot;
mod bytes;
mod dmesg;
pub mod dts;
mod event;
mod journal;
mod lines;
mod messages;
mod names;
mod prefix;
mod scan;
mod section;
mod text;

use std::collections::VecDeque;
use std::sync::Arc;

use super::Format;
use super::error::IngestError;
use super::source::Source;
use boot::Boot;
pub use dmesg::release::booted as release_booted;
pub use dmesg::{Asks, Elsewhere, FRAMES, Frame, SHAPES};
use lines::{Advance, RawLines};
pub use messages::{MESSAGES, Message};
pub(super) use section::is_known_file;

/// The lines at the start that are all looked at, whatever they say.
const FIRST: u64 = 64;

/// Every format that is read out of a text, by family.
pub const FORMATS: &[&[Format]] = &[&[dmesg::FORMAT], event::FORMATS, section::FORMATS];

/// What the reader keeps of a text, in order of the lines.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The line that it begins on, from 1 on.
    pub line: u64,
    /// Its stamp, in microseconds since boot; `None` where there is none, or only a wall clock.
    pub time_us: Option<u64>,
    /// Who printed it, where the prefix says so (pid of a trace, `[T123]`, `[2: comm: pid]`).
    pub task: Option<Task>,
    /// What it says.
    pub record: Record,
}

/// Who printed a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its name, where it is printed.
    pub comm: Option<Arc<str>>,
    /// Its pid; for a printk caller that is a CPU (`[C2]`), none.
    pub pid: Option<u32>,
    /// The CPU, where it is printed.
    pub cpu: Option<u32>,
}

/// Where a record of a call comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// A `pr_debug` line.
    Debug,
    /// A trace event.
    Trace,
}

/// The shape of a failure line: what it says about the kernel that printed it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shape {
    /// `cma_alloc: alloc failed, …`: 4.11 to 5.11.
    Unnamed,
    /// `cma_alloc: AREA: alloc failed, …`: 5.12 to 6.11.
    Named,
    /// `__cma_alloc: AREA: alloc failed, …`: 6.12 on (some vendors earlier).
    Inner,
    /// `__cma_alloc_frozen: AREA: alloc failed, …`: trees of 2026.
    Frozen,
    /// `req-size: N pages` out of its line: quoted by hand.
    Fragment,
}

/// One piece of what a board says.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A failure line. One that names several sizes (`{256,128}`) yields one record for each.
    Failed {
        /// Its shape.
        shape: Shape,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// Pages asked for.
        count: u64,
        /// The number after `ret:`; `None` where it is cut or not one number.
        ret: Option<i32>,
    },
    /// A list of free runs, whole or in part.
    FreeRuns(FreeRuns),
    /// A call begins.
    Start {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// Pages asked for.
        count: u64,
        /// The order asked for.
        align: u32,
        /// Free pages of the area ([`Sign::StartTotals`](crate::kernel::Sign)).
        available: Option<u64>,
        /// All pages of the area (likewise, and some vendors).
        total: Option<u64>,
        /// Printed in the way of a vendor (Android).
        vendor: bool,
        /// The function of a debug line is `__cma_alloc…`, or it has `name:`.
        named: bool,
    },
    /// A claim of a call was busy.
    Busy {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// First page, where it is stated.
        pfn: Option<u64>,
        /// The page pointer as printed, where it is no hash: only differences mean something.
        page: Option<u64>,
        /// Pages asked for, where stated (traces).
        count: Option<u64>,
        /// The order asked for, where stated (traces).
        align: Option<u32>,
    },
    /// A call ended: `cma_alloc_finish`, the single `cma_alloc` event of old kernels, or
    /// `returned …` of a debug line.
    Finish {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// The page as printed.
        page: Page,
        /// The pfn as printed: -1 (all ones) or 0 too.
        pfn: Option<u64>,
        /// Pages asked for, where stated (traces).
        count: Option<u64>,
        /// The order asked for, where stated (traces).
        align: Option<u32>,
        /// `errorno=`, where it is stated ([`Sign::FinishErrno`](crate::kernel::Sign)).
        errno: Option<i32>,
        /// It is the one event of a call (`cma_alloc`, up to 5.12): no start precedes it.
        alone: bool,
    },
    /// Pages were given back.
    Release {
        /// Where this comes from.
        origin: Origin,
        /// The area, where it is named.
        area: Option<Arc<str>>,
        /// First page, where it is stated.
        pfn: Option<u64>,
        /// Pages, where stated.
        count: Option<u64>,
    },
    /// `alloc_contig_range: [start, end) PFNs busy`.
    PfnsBusy {
        /// First page.
        start: u64,
        /// The page after the last one.
        end: u64,
    },
    /// `cma_range_alloc: AREA: skipping incompatible area [0xA-0xB]`: a place whose pages lie
    /// across a hole of the memmap; no busy claim, and no event.
    Skipped {
        /// The area.
        area: Arc<str>,
        /// First page.
        start: u64,
        /// Last page.
        last: u64,
    },
    /// A developer's print of `bitmap_find_next_zero_area_off`, not of any mainline kernel.
    Search {
        /// Bits of the map.
        size: u64,
        /// Bits asked for.
        nr: u64,
        /// Alignment mask in bits.
        mask: u64,
        /// Alignment offset in bits.
        offset: u64,
        /// The aligned bit that was looked at last.
        index: u64,
        /// `index + nr`: above `size` where the search found nothing.
        end: u64,
    },
    /// A developer's print of the mask and the size of a search.
    Mask {
        /// Alignment mask in bits.
        mask: u64,
        /// Alignment offset in bits.
        offset: u64,
        /// Bits of the map.
        maxno: u64,
        /// Bits asked for.
        bits: u64,
    },
    /// The printk rate limit hid this many lines of this function.
    Suppressed {
        /// The function.
        function: Arc<str>,
        /// Lines.
        lines: u64,
    },
    /// A trace lost events.
    Lost {
        /// The CPU whose buffer overran, where stated.
        cpu: Option<u32>,
        /// Events, where stated.
        events: Option<u64>,
    },
    /// A driver says that it got no memory.
    Driver {
        /// Bytes, where stated.
        bytes: Option<u64>,
        /// It says that CMA was asked.
        cma: bool,
        /// It asks as CMA is asked: by its row, or by what it says.
        dma: bool,
        /// The driver and its device, as the line begins: `vivid vivid.0`.
        device: Option<Arc<str>>,
        /// The row of [`SHAPES`] that has its words, by name.
        shape: Option<&'static str>,
    },
    /// Another allocator than CMA refused.
    Elsewhere {
        /// Which.
        kind: Elsewhere,
        /// The driver and its device, as the line begins.
        device: Option<Arc<str>>,
        /// Bytes, where stated.
        bytes: Option<u64>,
        /// The order of the block, where stated.
        order: Option<u32>,
        /// How it asked: `GFP_KERNEL|GFP_DMA`.
        flags: Option<Arc<str>>,
        /// The line, as far as it is kept.
        text: Arc<str>,
    },
    /// A zone in a report of memory.
    Zone {
        /// Its name.
        zone: Arc<str>,
        /// Only what asks for movable memory or for memory without addresses of the kernel's gets
        /// some of it.
        movable: bool,
        /// Free, in kB.
        free_kb: u64,
        /// Free in CMA areas, in kB: a part of that.
        cma_kb: u64,
        /// What most requests must leave, in kB.
        high_kb: u64,
    },
    /// Pages of all CMA areas, in a report of memory.
    CmaPages(u64),
    /// A backtrace is of this task.
    Backtrace(Task),
    /// A device of V4L2 was registered.
    VideoDevice,
    /// A function of a stack that says who asked.
    Frame(&'static Frame),
    /// What a driver holds, or dma-buf exporters do; a piece of a dump.
    Held {
        /// Who counts it.
        holder: Holder,
        /// What of it this is.
        part: Part,
        /// Bytes, where stated; kb are multiplied out.
        bytes: Option<u64>,
        /// Buffers, where stated.
        buffers: Option<u64>,
    },
    /// A write to debugfs `alloc`: the request that follows has order 0.
    DebugfsAlloc {
        /// The folder of the area.
        area: Option<Arc<str>>,
        /// Pages.
        count: u64,
    },
    /// The release of the kernel, as it calls itself.
    Kernel(Arc<str>),
    /// A release of a kernel that is installed, by a path, or that a form names: mostly of the one
    /// that runs.
    Installed(Arc<str>),
    /// An area was reserved at boot.
    Reserved {
        /// Its name, where the line has one.
        area: Option<Arc<str>>,
        /// First byte.
        base: u64,
        /// Bytes.
        bytes: u64,
    },
    /// A file of debugfs `cma/AREA/`.
    Debugfs {
        /// The folder, which names the area (without `cma-` before it).
        area: Option<Arc<str>>,
        /// The range, where the path names one.
        range: Option<u32>,
        /// What it says.
        file: DebugfsFile,
    },
    /// A counter: sysfs `mm/cma/AREA/FILE`, a line of meminfo (in bytes) or vmstat.
    Counter {
        /// The area, where it belongs to one.
        area: Option<Arc<str>>,
        /// Its name as the kernel spells it: `alloc_pages_fail`, `CmaFree`, `nr_free_cma`.
        name: Arc<str>,
        /// Its value, in the unit that the kernel uses; kB are multiplied out to bytes.
        value: u64,
    },
    /// Free blocks of the page allocator.
    FreeBlocks(FreeBlocks),
    /// `CONFIG_CMA_ALIGNMENT`, where a kernel configuration is given.
    Cap(u32),
    /// Whether the kernel was built with this.
    Config(Knob, bool),
    /// The kernel's command line.
    CommandLine(Arc<str>),
    /// What else a boot says of areas, or a device tree.
    Boot(Boot),
}

/// Who counts buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// The driver vc4: all of its buffers are contiguous.
    Vc4,
    /// `dma_buf/bufinfo` of debugfs: what is exported, from CMA or from elsewhere.
    DmaBuf,
}

/// A piece of what is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Nothing yet: the line before the pieces, of a request that was refused.
    Head,
    /// All of it.
    All,
    /// What has this label, or is of this exporter.
    Of(Arc<str>),
    /// Of all, what was freed and is kept to be used again.
    Cached,
    /// Counted under its label still, but given back already.
    Purged,
}

/// A switch of the kernel's configuration: what it decides is which files and lines there are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Knob {
    /// CONFIG_CMA_DEBUGFS.
    CmaDebugfs,
    /// CONFIG_CMA_DEBUG, up to 6.8.
    CmaDebug,
    /// CONFIG_DYNAMIC_DEBUG.
    DynamicDebug,
}

/// Free blocks of the page allocator in one zone: of CMA alone, or of every type.
///
/// Where they are of CMA, no area has given their pages to anybody: each block is a free run, or a
/// part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FreeBlocks {
    /// The zone with its node: `node 0 DMA`.
    pub zone: Arc<str>,
    /// They are those of CMA.
    pub cma: bool,
    /// How many there are of each order, from 0 on.
    pub blocks: Vec<u64>,
}

impl FreeBlocks {
    /// Their pages.
    pub fn pages(&self) -> u64 {
        let pages = |(order, blocks): (u32, &u64)| blocks.saturating_mul(1 << order);
        (0..).zip(&self.blocks).map(pages).fold(0, u64::saturating_add)
    }

    /// The pages of the largest blocks, and how many of these there are.
    pub fn largest(&self) -> Option<(u64, u64)> {
        let order = self.blocks.iter().rposition(|blocks| *blocks > 0)?;
        Some((1 << order, self.blocks[order]))
    }
}

/// A page pointer as printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// NULL: the call failed.
    Null,
    /// A pointer, or a hash of one: the call was granted.
    Some,
}

/// A file of debugfs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DebugfsFile {
    /// `base_pfn`.
    BasePfn(u64),
    /// `count`, in pages.
    Count(u64),
    /// `order_per_bit`.
    OrderPerBit(u32),
    /// `used`, in pages.
    Used(u64),
    /// `maxchunk`, in pages.
    MaxChunk(u64),
    /// `bitmap`: words of 32 bits, the least significant one first; 1 is allocated.
    Bitmap(Arc<[u32]>),
}

/// `number of available pages: …`
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FreeRuns {
    /// The runs of each range in the order of the text; one range, number 0, up to 6.14.
    pub ranges: Vec<RangeRuns>,
    /// The list has `range N:` lines (6.15 on).
    pub ranged: bool,
    /// The free pages that the tail states.
    pub free: Option<u64>,
    /// The total pages that the tail states.
    pub total: Option<u64>,
    /// The head (`number of available pages`) is there.
    pub head: bool,
    /// It is not whole, and runs follow the head on its line, as they do up to 6.14.
    pub inline: bool,
    /// A piece is known to be missing: an ellipsis, a number cut, no tail, runs that do not
    /// ascend.
    pub cut: bool,
    /// The runs have no `@position` (a patch before 4.11).
    pub unplaced: bool,
    /// Quoted whole by hand, without head and tail.
    pub quoted: bool,
}

/// The free runs of a range.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RangeRuns {
    /// Its number.
    pub range: u32,
    /// Pages, and the bit that they begin at (0 where the list is unplaced), as printed.
    pub runs: Vec<(u64, u64)>,
}

impl FreeRuns {
    /// The pages of all runs that are there.
    pub fn sum(&self) -> u64 {
        let runs = self.ranges.iter().flat_map(|range| &range.runs);
        runs.fold(0, |sum, (pages, _)| sum.saturating_add(*pages))
    }

    /// Whether nothing is missing, as far as the text shows: head and tail are there, and the runs
    /// make up what the tail states. From 6.15 on the tail has the counter of the area, which the
    /// runs need not make up where a bit is of several pages: then each range has its record.
    pub fn is_complete(&self) -> bool {
        let adds_up = || self.free == Some(self.sum()) || self.drifts();
        !self.cut && (self.quoted || self.head && adds_up())
    }

    /// Whether the tail states other pages than the runs have, which are of whole bits of several
    /// pages.
    pub fn drifts(&self) -> bool {
        let runs = || self.ranges.iter().flat_map(|range| &range.runs);
        let numbers = self.ranges.iter().map(|range| range.range);
        self.ranged
            && self.free.is_some_and(|free| free != self.sum())
            && numbers.eq(0..self.ranges.len() as u32)
            && runs().all(|(pages, _)| pages.is_multiple_of(2))
    }
}

/// Where the formats put what they find.
struct Sink<'a> {
    source: &'a str,
    /// The line that is read, from 1 on.
    line: u64,
    queue: &'a mut VecDeque<Result<Found, IngestError>>,
}

impl Sink<'_> {
    /// This line says `record`.
    fn push(&mut self, time_us: Option<u64>, task: Option<Task>, record: Record) {
        self.queue.push_back(Ok(Found { line: self.line, time_us, task, record }));
    }

    /// The same for what begins on an earlier line.
    fn at(&mut self, line: u64) -> Sink<'_> {
        Sink { source: self.source, line, queue: self.queue }
    }

    /// This line looks like the kernel's and is wrong at byte `column` (from 1 on).
    fn odd(&mut self, column: usize, why: String) {
        let (source, line) = (self.source.to_string(), self.line);
        self.queue.push_back(Err(IngestError { source, line, column: column as u64, why }));
    }
}

/// The records of a text, in order of the lines that they begin on.
pub struct Records {
    lines: RawLines,
    dmesg: dmesg::Dmesg,
    events: event::Events,
    sections: section::Sections,
    trees: dts::Trees,
    /// Records that may have to wait for one that begins before them.
    queue: VecDeque<Result<Found, IngestError>>,
    /// How many of them, at the front, need not wait.
    ready: usize,
    /// Where the oldest message begins that may go on.
    oldest: Option<u64>,
    /// The line read last was of a section or a trace: the next one is looked at.
    used: bool,
    done: bool,
    /// Why it could not be read to its end.
    cut: Option<IngestError>,
}

/// Opens `source`: a text of whatever a board printed.
///
/// # Errors
/// Where it cannot be opened.
pub fn open(source: &Source) -> Result<Records, IngestError> {
    Ok(Records {
        lines: RawLines::open(source)?,
        dmesg: dmesg::Dmesg::default(),
        events: event::Events::default(),
        sections: section::Sections::default(),
        trees: dts::Trees::default(),
        queue: VecDeque::new(),
        ready: 0,
        oldest: None,
        used: false,
        done: false,
        cut: None,
    })
}

impl Records {
    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.lines.number()
    }

    /// Why it could not be read to its end, once it was read as far as it goes: it is packed and
    /// cut, or damaged.
    pub const fn cut(&self) -> Option<&IngestError> {
        self.cut.as_ref()
    }

    /// Goes to the next line that is looked at.
    fn advance(&mut self) -> Result<Advance, IngestError> {
        let waiting = self.used || self.dmesg.is_waiting() || self.sections.is_open();
        let tree = self.trees.is_open(self.lines.number());
        if self.lines.number() >= FIRST && !waiting && !tree {
            self.lines.skip()?;
        }
        self.lines.advance()
    }

    /// Reads a line. Whether more may follow.
    fn step(&mut self) -> bool {
        let advance = self.advance().unwrap_or_else(|error| {
            self.cut = Some(error);
            Advance::End
        });
        let Self { lines, dmesg, events, sections, trees, queue, .. } = self;
        let sink = &mut Sink { source: lines.name(), line: lines.number(), queue };
        match advance {
            Advance::Line => {
                let line = lines.bytes();
                if let Some(text) = journal::message(line) {
                    let parts = text.split(|byte| *byte == b'\n');
                    parts.for_each(|part| _ = dmesg.line(part, sink));
                    self.release();
                    return true;
                }
                // Events come in millions, and are recognised sooner; an open file must see what
                // ends it.
                let open = sections.is_open();
                self.used = open && sections.line(line, sink)
                    || events.line(line, sink)
                    || !open && sections.line(line, sink);
                if !self.used {
                    trees.line(line, sink);
                    dmesg.line(line, sink);
                }
            }
            Advance::TooLong => sink.odd(0, "the line is too long; it is left out".to_string()),
            Advance::End => {
                dmesg.end(sink);
                events.end(sink);
                sections.end(sink);
                trees.end(sink);
            }
        }
        self.release();
        advance != Advance::End
    }

    /// Lets those records go before which nothing can come any more.
    fn release(&mut self) {
        let oldest = self.dmesg.oldest();
        if self.queue.is_empty() || oldest.is_some() && oldest == self.oldest {
            self.oldest = oldest;
            return;
        }
        self.oldest = oldest;
        let line = |item: &Result<Found, IngestError>| match item {
            Ok(found) => found.line,
            Err(error) => error.line,
        };
        let items = self.queue.make_contiguous();
        items.sort_by_key(line);
        self.ready =
            oldest.map_or(items.len(), |oldest| items.partition_point(|item| line(item) < oldest));
    }
}

impl Iterator for Records {
    type Item = Result<Found, IngestError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.ready > 0 {
                self.ready -= 1;
                return self.queue.pop_front();
            }
            if self.done {
                return None;
            }
            self.done = !self.step();
        }
    }
}
