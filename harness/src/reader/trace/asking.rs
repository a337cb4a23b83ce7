//! How the clients of a trace ask, by it and by the texts beside it.
//!
//! A request that CMA refuses is lost to a heap and on 32-bit Arm; `dma_direct_alloc()` asks the page
//! allocator next. A trace of CMA alone does not show which: stacks, drivers that say that they got
//! nothing, the exporters of dma-bufs and the kernel do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::scan::{Name, Scan, Traced};
use crate::board::{Asking, Caller, CallerBy, Inferred, is_gigantic, largest_fallback};
use crate::ingest::log::boot::Boot;
use crate::ingest::log::dts::Region;
use crate::ingest::log::{Asks, Found, Holder, Part, Record, SHAPES, Task};
use crate::kernel::{Arch, Kind, Release};
use crate::page::Page;
use crate::timeline::Call;

/// The most clients that are told apart, and sizes of each.
const MOST: usize = 64;

/// Names of the default area, and of its heap: by node, `dma_contiguous_reserve()`
/// (`kernel/dma/contiguous.c`), and the heap of 6.18 on (`cma_heap.c`).
const DEFAULT: [&str; 3] = ["reserved", "linux,cma", "default_cma_region"];

/// What a client of an area asked for.
#[derive(Default, Debug)]
struct Client {
    /// A single page.
    one_page: bool,
    /// Pages of requests that were refused.
    refused: BTreeSet<u64>,
}

/// The clients of an area.
#[derive(Default, Debug)]
pub(super) struct Asked(BTreeMap<Arc<str>, Client>);

impl Asked {
    pub(super) fn note(&mut self, call: &Call) {
        let Some(comm) = call.task.as_ref().and_then(|task| task.comm.as_ref()) else { return };
        if self.0.len() == MOST && !self.0.contains_key(comm) {
            return;
        }
        let client = self.0.entry(Arc::clone(comm)).or_default();
        client.one_page |= call.count == Some(1);
        if let Some(count) = call.count.filter(|_| call.failed().is_some())
            && client.refused.len() < MOST
        {
            client.refused.insert(count);
        }
    }
}

/// What the texts say of who asks.
#[derive(Default, Debug)]
pub(super) struct Heard {
    /// The task of the last event or backtrace, whose stack may follow.
    task: Option<Arc<str>>,
    /// Tasks, and how they ask by their stacks: none where these differ.
    stacks: BTreeMap<Arc<str>, Option<&'static Caller>>,
    /// Bytes that a driver of the DMA API got nothing for.
    drivers: BTreeSet<u64>,
    /// Bytes that a heap got nothing for.
    heaps: BTreeSet<u64>,
    /// Who exports dma-bufs.
    exporters: BTreeSet<Arc<str>>,
    /// The heaps that there are.
    present: BTreeSet<Arc<str>>,
    /// The nodes that devices name.
    regions: BTreeSet<Arc<str>>,
    /// The page allocator refused as well, or was asked by somebody else.
    pages: bool,
}

impl Heard {
    /// What follows may be the stack of this event.
    pub(super) fn event(&mut self, found: &Found) {
        self.task = found.task.as_ref().and_then(|task| task.comm.clone());
    }

    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Backtrace(Task { comm, .. }) => self.task.clone_from(comm),
            Record::Frame(frame) => {
                let caller = frame.caller.and_then(Caller::find);
                if let Some((caller, task)) = caller.zip(self.task.clone())
                    && self.stacks.len() < MOST
                {
                    let known = self.stacks.entry(task).or_insert(Some(caller));
                    *known = known.filter(|known| *known == caller);
                }
            }
            Record::Driver { bytes: Some(bytes), dma, shape, .. } => {
                let row = SHAPES.iter().find(|row| Some(row.name) == *shape);
                let said = match row.map(|row| row.asks) {
                    Some(Asks::Heap) => &mut self.heaps,
                    Some(Asks::Dma) => &mut self.drivers,
                    None if *dma => &mut self.drivers,
                    _ => return,
                };
                if said.len() < MOST {
                    said.insert(*bytes);
                }
            }
            Record::Held { holder: Holder::DmaBuf, part: Part::Of(name), .. }
                if self.exporters.len() < MOST =>
            {
                self.exporters.insert(Arc::clone(name));
            }
            Record::Boot(Boot::Heap(name)) if self.present.len() < MOST => {
                self.present.insert(Arc::clone(name));
            }
            Record::Boot(Boot::Region(Region { pools, .. })) if self.regions.len() < MOST => {
                self.regions.extend(pools.iter().map(|pool| node_name(pool).into()));
            }
            Record::Elsewhere { .. } => self.pages = true,
            _ => {}
        }
    }
}

/// How the clients of an area ask.
pub(super) fn asking(scan: &Scan, name: &Name, traced: &Traced) -> Asking {
    let judge = Judge::of(scan, name.as_deref().unwrap_or(""));
    let all = judge.all();
    let of_client = |(comm, client): (&Arc<str>, &Client)| {
        let own = judge.client(comm, client).filter(|own| Some(*own) != all)?;
        Some((comm.to_string(), own))
    };
    Asking { all, of: traced.asked.0.iter().filter_map(of_client).collect() }
}

/// What is known where clients are judged.
struct Judge<'a> {
    heard: &'a Heard,
    area: &'a str,
    page: Page,
    arch: Option<Arch>,
    release: Option<Release>,
    has_no_heaps: bool,
}

fn inferred(caller: &str, by: CallerBy) -> Option<Inferred> {
    Caller::find(caller).map(|caller| Inferred { caller, by })
}

impl<'a> Judge<'a> {
    fn of(scan: &'a Scan, area: &'a str) -> Self {
        let Kind { page, arch, release } = scan.kind();
        let (page, has_no_heaps) = (page.unwrap_or_default(), scan.has_no_heaps());
        Self { heard: &scan.heard, area, page, arch, release, has_no_heaps }
    }

    /// Whether the DMA API of its kernel is known to ask the page allocator where CMA refuses:
    /// `__dma_alloc_coherent()` of arch/arm64/mm/dma-mapping.c asked CMA alone up to 4.20.
    fn is_direct(&self) -> bool {
        self.arch == Some(Arch::Arm64) && self.release.is_some_and(|release| release >= (5, 0))
    }

    /// How everybody asks.
    fn all(&self) -> Option<Inferred> {
        let is_arm64 = self.arch == Some(Arch::Arm64);
        if is_gigantic(self.area) {
            inferred("hugetlb", CallerBy::Gigantic)
        } else if self.arch == Some(Arch::Arm) {
            inferred("arm-dma", CallerBy::Arm)
        } else if is_arm64 && self.release.is_some_and(|release| release < (5, 0)) {
            inferred("cma-only", CallerBy::OldArm64)
        } else if self.heard.exports(self.area) {
            inferred("dma-heap", CallerBy::Exporter)
        } else if self.heard.is_heap_alone(self.area) {
            inferred("dma-heap", CallerBy::HeapAlone)
        } else if self.is_direct() && self.has_no_heaps {
            inferred("dma-direct", CallerBy::NoHeaps)
        } else {
            None
        }
    }

    /// How the client of this name asks, as far as something shows it of this one.
    fn client(&self, comm: &Arc<str>, client: &Client) -> Option<Inferred> {
        if let Some(Some(caller)) = self.heard.stacks.get(comm) {
            return Some(Inferred { caller, by: CallerBy::Stack });
        }
        let reported = |bytes: &BTreeSet<u64>| {
            let pages = bytes.iter().map(|bytes| bytes.div_ceil(self.page.bytes()));
            pages.filter(|pages| client.refused.contains(pages)).min()
        };
        match reported(&self.heard.drivers) {
            Some(pages) if pages <= largest_fallback(self.page) && !self.heard.pages => {
                return inferred("cma-only", CallerBy::LeftAlone);
            }
            Some(_) if self.is_direct() => return inferred("dma-direct", CallerBy::Driver),
            _ => {}
        }
        if reported(&self.heard.heaps).is_some() {
            return inferred("dma-heap", CallerBy::Heap);
        }
        let skips = self.is_direct() && self.release.is_some_and(|release| release >= (5, 3));
        let alone = client.one_page && skips && self.area == "reserved";
        alone.then(|| inferred("cma-only", CallerBy::OnePage)).flatten()
    }
}

impl Heard {
    /// Whether the heap of this area exports dma-bufs, and no driver of the DMA API does: vb2's are
    /// `videobuf2_dma_contig`, DRM's by the name of the driver.
    fn exports(&self, area: &str) -> bool {
        let is_default = |name: &str| DEFAULT.contains(&name);
        let is_heap = |name: &Arc<str>| **name == *area || is_default(name) && is_default(area);
        let others = |name: &Arc<str>| !is_heap(name) && &**name != "system";
        self.exporters.iter().any(is_heap) && !self.exporters.iter().any(others)
    }

    /// Whether a heap of this area's name is there, and no device's node names the area: nobody else can
    /// ask it. The default area is anybody's. A label that is no name of a heap may be this one's.
    fn is_heap_alone(&self, area: &str) -> bool {
        let is_other = |node: &Arc<str>| **node != *area && self.present.contains(node);
        !DEFAULT.contains(&area) && self.present.contains(area) && self.regions.iter().all(is_other)
    }
}

/// The name of a node by a label, or by its path: `&vpu_pool`, `/reserved-memory/vpu_pool@60000000`.
fn node_name(pool: &str) -> &str {
    let name = pool.trim_start_matches('&').trim_matches(['{', '}']);
    let name = name.rsplit('/').next().unwrap_or(name);
    name.split('@').next().unwrap_or(name)
}
