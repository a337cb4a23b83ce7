//! The cap that the orders of a trace show: `CONFIG_CMA_ALIGNMENT`, or less where the caller has a
//! cap of its own.
//!
//! A request of the DMA API or of a heap has order `min(get_order(size), cap)`
//! (`dma_alloc_contiguous()`, `kernel/dma/contiguous.c`; `cma_heap_allocate()`,
//! `drivers/dma-buf/heaps/cma_heap.c`, 6.12). One for more pages than its order holds shows the cap
//! itself; one whose order holds its pages shows that the cap is no less.

use std::collections::BTreeMap;
use std::sync::Arc;

use cma_policies::ceil_log2;

use crate::ingest::DEFAULT_CAP;
use crate::timeline::Call;

/// The caps that a kernel can be configured with: `CMA_ALIGNMENT`, `kernel/dma/Kconfig`, 6.12.
const CAPS: std::ops::RangeInclusive<u32> = 2..=12;

/// The most clients that are told apart.
const MOST_CLIENTS: usize = 64;

/// So many calls for pages of one order show a cap as calls of several orders do.
const MANY: u64 = 16;

/// A share of calls below one in so many shows nothing of the kernel: a driver may name an order.
const RARE: u64 = 100;

/// Calls of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Class {
    /// How many.
    pub calls: u64,
    /// The fewest pages that one asks for, and the most.
    pub pages: (u64, u64),
    /// The line of the first one.
    pub line: u64,
    /// The orders that would hold their pages, a bit each.
    orders: u64,
}

impl Class {
    fn add(this: &mut Option<Self>, other: &Self) {
        let Some(known) = this else {
            *this = Some(other.clone());
            return;
        };
        known.calls += other.calls;
        known.pages = (known.pages.0.min(other.pages.0), known.pages.1.max(other.pages.1));
        known.line = known.line.min(other.line);
        known.orders |= other.orders;
    }

    /// Whether these are more than one driver that names its order.
    const fn is_telling(&self) -> bool {
        self.orders.count_ones() > 1 || self.calls >= MANY
    }
}

/// What the orders of a trace show of the cap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CapShown {
    /// The cap: as shown, else the default one.
    pub cap: u32,
    /// The calls that show it: they ask for more pages than their order holds.
    pub by: Option<Class>,
    /// The largest order that holds the pages of its calls, and these: where no call shows the cap
    /// itself, it is at least that.
    pub least: Option<(u32, Class)>,
    /// Calls with another order than the cap gives them, by order and client: they have a cap of
    /// their own, or their driver names the order.
    pub own: Vec<(u32, Option<Arc<str>>, Class)>,
}

impl CapShown {
    /// The cap, where calls show it and not only that it is no less.
    pub fn exactly(&self) -> Option<u32> {
        self.by.as_ref().map(|_| self.cap)
    }
}

/// The orders of the calls of an area.
#[derive(Default, Debug)]
pub(super) struct Orders {
    calls: u64,
    /// Calls whose order does not hold their pages, by order and client.
    short: BTreeMap<(u32, Option<Arc<str>>), Option<Class>>,
    /// Calls whose order just holds their pages, by that order. Those for a power of two are left
    /// out: huge pages have their own order whatever the cap is.
    whole: BTreeMap<u32, Option<Class>>,
}

impl Orders {
    pub(super) fn note(&mut self, call: &Call) {
        let Some((count, align)) = call.asked().filter(|(count, _)| *count > 0) else { return };
        self.calls += 1;
        let order = ceil_log2(count);
        let (line, orders) = (call.span.0.line, 1u64.checked_shl(order).unwrap_or(0));
        let class = Class { calls: 1, pages: (count, count), line, orders };
        if align < order {
            let comm = call.task.as_ref().and_then(|task| task.comm.clone());
            let comm = comm.filter(|_| self.short.len() < MOST_CLIENTS);
            Class::add(self.short.entry((align, comm)).or_default(), &class);
        } else if align == order && !count.is_power_of_two() {
            Class::add(self.whole.entry(order).or_default(), &class);
        }
    }

    /// What they show.
    pub(super) fn shown(&self) -> CapShown {
        let short = |cap: u32| {
            let mut all = None;
            let of_cap = self.short.iter().filter(|((align, _), _)| *align == cap);
            of_cap
                .filter_map(|(_, class)| class.as_ref())
                .for_each(|one| Class::add(&mut all, one));
            all
        };
        let caps: Vec<(u32, Class)> =
            CAPS.filter_map(|cap| short(cap).map(|class| (cap, class))).collect();
        let all: u64 = caps.iter().map(|(_, class)| class.calls).sum();
        let often = |calls: u64, all: u64| calls.saturating_mul(RARE) >= all;
        let mut exact = caps.into_iter().filter(|(cap, class)| {
            often(class.calls, all) && (*cap == DEFAULT_CAP || class.is_telling())
        });
        // Of several the default one, else the largest: the others have a cap of their own.
        let exact = exact.clone().find(|(cap, _)| *cap == DEFAULT_CAP).or(exact.next_back());
        let whole = self.whole.iter().filter_map(|(order, class)| Some((*order, class.clone()?)));
        let least = whole.rev().find(|(_, class)| often(class.calls, self.calls));
        let floor = least.as_ref().map_or(0, |(least, _)| *least);
        let (cap, by) = match exact {
            Some((cap, by)) if cap >= floor.min(DEFAULT_CAP) => (cap, Some(by)),
            _ => (floor.max(DEFAULT_CAP), None),
        };
        let own = self.short.iter().filter(|((align, _), _)| *align != cap);
        let own = own.filter_map(|((align, comm), class)| {
            class.clone().map(|class| (*align, comm.clone(), class))
        });
        CapShown { cap, by, least, own: own.collect() }
    }
}
