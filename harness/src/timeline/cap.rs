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

use super::Call;
use crate::ingest::DEFAULT_CAP;

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
    pub(crate) const fn is_telling(&self) -> bool {
        self.orders.count_ones() > 1 || self.calls >= MANY
    }

    /// Whether buffers of several sizes have this order: a cap gives it to all of them, where a
    /// driver with one kind of buffer may name it.
    const fn is_of_several_sizes(&self) -> bool {
        self.pages.0 < self.pages.1
    }
}

/// What the orders of a trace show of the cap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CapShown {
    /// The cap: as shown, else the default one.
    pub cap: u32,
    /// The calls that show it: they ask for more pages than their order holds.
    pub by: Option<Class>,
    /// The clients that make these, as far as they have names, ascending.
    pub followers: Vec<Arc<str>>,
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

    /// The cap of a client and the calls that show it: its own, where it shows one, else that of
    /// all.
    pub fn of(&self, client: Option<&str>) -> Option<(u32, &Class)> {
        let own = self.others().find(|(_, of, _)| of.is_some() && of.as_deref() == client);
        let all = || self.by.as_ref().map(|by| (self.cap, by));
        own.map(|(cap, _, class)| (*cap, class)).or_else(all)
    }

    /// Those of [`CapShown::own`] that show a cap of their own as well as the others do theirs.
    pub fn others(&self) -> impl Iterator<Item = &(u32, Option<Arc<str>>, Class)> {
        let shows = |class: &Class| class.is_telling() && class.is_of_several_sizes();
        self.own.iter().filter(move |(order, _, class)| CAPS.contains(order) && shows(class))
    }
}

/// The orders of the calls of an area.
#[derive(Default, Debug)]
pub(crate) struct Orders {
    calls: u64,
    /// Calls whose order does not hold their pages, by order and client.
    short: BTreeMap<(u32, Option<Arc<str>>), Option<Class>>,
    /// Calls whose order just holds their pages, by that order. Those for a power of two are left
    /// out: huge pages have their own order whatever the cap is.
    whole: BTreeMap<u32, Option<Class>>,
}

impl Orders {
    pub(crate) fn note(&mut self, call: &Call) {
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

    /// The calls whose order is `cap` and does not hold their pages.
    fn at(&self, cap: u32) -> Option<Class> {
        let mut all = None;
        let of_cap = self.short.iter().filter(|((align, _), _)| *align == cap);
        of_cap.filter_map(|(_, class)| class.as_ref()).for_each(|one| Class::add(&mut all, one));
        all
    }

    /// The cap that calls show which have another order than their pages, where it is no less than
    /// `floor`. Of several the default one, else the largest: the others have a cap of their own.
    fn exact(&self, floor: u32) -> Option<(u32, Class)> {
        let mut exact: Vec<(u32, Class)> =
            CAPS.filter_map(|cap| Some((cap, self.at(cap)?))).collect();
        let all: u64 = exact.iter().map(|(_, class)| class.calls).sum();
        exact.retain(|(cap, class)| {
            let is_shown = *cap == DEFAULT_CAP || class.is_telling();
            is_shown && *cap >= floor.min(DEFAULT_CAP) && often(class.calls, all)
        });
        // What holds for several sizes shows more than the order of one.
        if exact.iter().any(|(_, class)| class.is_of_several_sizes()) {
            exact.retain(|(_, class)| class.is_of_several_sizes());
        }
        let default = exact.iter().position(|(cap, _)| *cap == DEFAULT_CAP);
        default.map(|at| exact.swap_remove(at)).or_else(|| exact.pop())
    }

    /// What they show.
    pub(crate) fn shown(&self) -> CapShown {
        let whole = self.whole.iter().filter_map(|(order, class)| Some((*order, class.clone()?)));
        let least = whole.rev().find(|(_, class)| often(class.calls, self.calls));
        let floor = least.as_ref().map_or(0, |(least, _)| *least);
        let (cap, by) = match self.exact(floor) {
            Some((cap, by)) => (cap, Some(by)),
            None => (floor.max(DEFAULT_CAP), None),
        };
        let own = self.short.iter().filter(|((align, _), _)| *align != cap);
        let own = own.filter_map(|((align, comm), class)| {
            class.clone().map(|class| (*align, comm.clone(), class))
        });
        let followers = self.short.keys().filter(|(align, _)| by.is_some() && *align == cap);
        let followers = followers.filter_map(|(_, comm)| comm.clone()).collect();
        CapShown { cap, by, followers, least, own: own.collect() }
    }
}

/// Whether so many calls of `all` show anything of the kernel.
const fn often(calls: u64, all: u64) -> bool {
    calls.saturating_mul(RARE) >= all
}
