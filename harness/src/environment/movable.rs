//! Pages that hold the system's movable memory: claims cost time, and fail.
//!
//! A **model** of `alloc_contig_range()` (`mm/page_alloc.c`, 6.1 and 6.12) over a system that
//! nobody has recorded. Compare policies and configurations under it; do not read its microseconds
//! as those of a board before its knobs were set from that board.
//!
//! # What it does
//! - **Occupancy.** A clear page holds a clean file page, a dirty one, an anonymous one, or
//!   nothing. How many do follows from two pots, the area and the rest of the memory: demand grows
//!   with uptime, and new pages go to the area first while its free pages are more than `theta` of
//!   all free pages (`memory.rs`). Which page is occupied is a hash of seed, page and time
//!   (`tenants.rs`): a page keeps its tenant for `turnover_s`, a run that was given back fills
//!   again with the time constant `refill_s`. So all policies meet the same pages (common random
//!   numbers), as long as the sum of what they were granted is the same.
//! - **Claims** drop clean pages and copy the others. What cannot be dropped, system-wide, has to
//!   fit beside what is granted, or the claim ends in `NoMemory` (-12 with an aligned fit).
//! - **Pins.** Those of the stream are those of [`Pinned`], exactly. Beside them occupied pages are
//!   held for some milliseconds (`short_pins.rs`): a walk over overlapping windows meets the same
//!   pin again, a later retry does not. Migration tries for `slow_us`, within which a pin may end.
//!   What was below the pinned page has been moved by then, and is not paid for again.
//! - **Time** is that of each call: `fixed_us`, the pages, the waits for written pages; attempts
//!   that fail at once cost `quick_us`. It passes inside a request, so that pins and the claims of
//!   others end while a walk goes on or a vendor's sleep lasts. Calls of one client come one after
//!   another; those of several meet at the mutex, or, without it, at the isolation unit.
//!
//! # Systems
//! `movable` is a mainline kernel from 5.8 with its mutex; `movable:theta=0.75` a Raspberry Pi,
//! `movable:theta=1` a kernel before 5.8, `movable:mutex=false,isolation=8192` an i.MX6 with 5.11
//! to 5.18. A system with little memory and no cache, where claims end in -12:
//! `movable:system_mib=128,clean=0,demand=0.9`. One that writes to a slow card all the time:
//! `movable:writeback=0.1,writeback_us=50000`. After a reboot the system is fresh again.
//!
//! At its defaults a system has been up for an hour. One that has just booted is
//! `movable:uptime_s=0`: where the memory outside the area is larger than the area, nothing is in
//! the area for the first minutes, and claims cost little.
//!
//! # What is measured, what is estimated, what is left out
//! Read in the source: the rule of `theta`, and how an attempt goes. Measured: that pins make
//! exactly the overlapping claims busy (recordings `pins`, `busy`); that a system full of anonymous
//! pages gives -12 with a free bitmap (`lowmem`); what a page cost to migrate and to drop on one
//! machine, 57 and 2.7 us; `quick_us`, from a log. Everything marked `[E]` among the parameters is
//! an estimate.
//!
//! Left out: latency does not shift the stream's own times (a buffer is given back when the stream
//! says), nor does a claim put off those that came before it in the stream; the areas of a board do
//! not share the memory outside them, nor the mutex; demand and what is granted act at once on how
//! full the area is; buffers that were live before the stream began take no memory; pages are
//! occupied one by one and not in larger blocks; CPUs, reclaim and the swap have no model of their
//! own; pins that last (`FOLL_LONGTERM`) are refused in CMA since 5.2 and exist only where a stream
//! has them. A walk for one page over a whole area that ends in -16, as in raspberrypi/linux 2680,
//! does not come from pins that are scattered like these, and is not reproduced.
//!
//! # What it costs
//! Some ten hashes for 64 occupied pages of a claim, a lookup for each piece of it that was given
//! back lately, and no allocation. A stream runs at a quarter to two thirds of its speed under
//! `quiet`: `cargo test --release -p cma-harness --test movable -- --ignored --nocapture` shows it.

mod knobs;
mod memory;
mod noise;
mod short_pins;
mod tenants;
mod under_way;
mod vacated;

use cma_policies::{Claim, ClaimError, Params, Run};
use rustc_hash::FxHashMap;

use self::memory::{Memory, Mix};
use self::noise::Noise;
use self::short_pins::ShortPins;
use self::tenants::{Held, Tenants};
use self::under_way::{Hold, UnderWay};
use super::{Entry, Environment, Pinned, Setup, Spent};
use crate::kernel::pageblock;

pub(super) const ENTRY: Entry = Entry {
    name: "movable",
    about: "a model of a system in use: movable pages fill the area, claims copy or drop them, \
            which takes time, is busy over pages pinned for a moment, and fails without memory to \
            copy to",
    params: knobs::PARAMS,
    reads_script: false,
    is_model: true,
    build: |params, setup| Box::new(Movable::new(params, setup)),
};

const US_IN_S: u64 = 1_000_000;

/// What things cost, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Prices {
    fixed: f64,
    migrate: f64,
    drop: f64,
    writeback: f64,
    zero: f64,
    quick: f64,
    slow: f64,
}

/// Pages that hold the system's movable memory.
#[derive(Clone, Debug)]
struct Movable {
    memory: Memory,
    tenants: Tenants,
    short_pins: ShortPins,
    pinned: Pinned,
    prices: Prices,
    mutex: bool,
    isolation: u64,
    /// The time of the first op: the system has run for `uptime_s` then.
    first_us: Option<u64>,
    stream_us: u64,
    /// The time inside the call that is made.
    now_us: u64,
    /// The client that makes it.
    client: Option<u16>,
    /// When the last call of each client ended.
    ready_us: FxHashMap<u16, u64>,
    under_way: UnderWay,
    /// Pages granted less pages given back.
    granted: u64,
    spent: Spent,
}

impl Movable {
    fn new(params: &Params, Setup { area, seed, reboots, page, .. }: Setup<'_>) -> Self {
        let mib = |name| params.int(name) as f64 * page.in_mib() as f64;
        let us = |name| params.int(name).saturating_mul(US_IN_S);
        let fill = params.float("fill");
        let clean = params.float("clean");
        let memory = Memory {
            area: area.pages() as f64,
            normal: mib("system_mib"),
            theta: params.float("theta"),
            watermark: mib("watermark_mib"),
            demand: [params.float("demand"), params.float("demand_end")],
            grow_us: us("grow_s") as f64,
            // Who starts anew has run for no time.
            uptime_us: if reboots == 0 { us("uptime_s") as f64 } else { 0.0 },
            clean,
            dirty: params.float("dirty").min(1.0 - clean),
            fill: (fill >= 0.0).then_some(fill),
        };
        let noise = |name| Noise::new(&seed.child(name, 0));
        let writeback = params.float("writeback");
        let (refill_us, turnover_us) = (us("refill_s"), us("turnover_s"));
        let pin_us = params.int("pin_ms").saturating_mul(1000);
        Self {
            memory,
            tenants: Tenants::new(noise("tenants"), area.span(), refill_us, turnover_us, writeback),
            short_pins: ShortPins::new(noise("short pins"), params.float("pin"), pin_us),
            pinned: Pinned::default(),
            prices: Prices {
                fixed: params.float("fixed_us"),
                migrate: params.float("migrate_us"),
                drop: params.float("drop_us"),
                writeback: params.float("writeback_us"),
                zero: params.float("zero_us") * page.small() as f64,
                quick: params.float("quick_us"),
                slow: params.float("slow_us"),
            },
            mutex: params.bool("mutex"),
            isolation: match params.int("isolation") {
                0 => pageblock(page),
                pages => pages,
            },
            first_us: None,
            stream_us: 0,
            now_us: 0,
            client: None,
            ready_us: FxHashMap::default(),
            under_way: UnderWay::default(),
            granted: 0,
            spent: Spent::default(),
        }
    }

    fn since_us(&self) -> f64 {
        self.now_us.saturating_sub(self.first_us.unwrap_or(0)) as f64
    }

    /// Lets `us` microseconds pass in the call that is made.
    fn spend(&mut self, us: u64) {
        self.now_us = self.now_us.saturating_add(us);
        self.spent.us = self.spent.us.saturating_add(us);
    }

    /// Lets the time pass that it takes to empty pages which hold this.
    fn empty(&mut self, held: Held) {
        let Prices { migrate, drop, writeback, .. } = self.prices;
        let (clean, copied, written) =
            (held.clean as f64 * drop, held.copied as f64 * migrate, held.written as f64);
        self.spend(micros(clean + copied + written * writeback));
        let Spent { dropped_pages, migrated_pages, written_pages, .. } = &mut self.spent;
        *dropped_pages = dropped_pages.saturating_add(held.clean);
        *migrated_pages = migrated_pages.saturating_add(held.copied);
        *written_pages = written_pages.saturating_add(held.written);
    }

    /// `mutex_lock()`.
    fn lock(&mut self) {
        if self.mutex {
            let waited = self.under_way.wait(self.client, self.now_us) - self.now_us;
            self.spent.waited_us = self.spent.waited_us.saturating_add(waited);
            self.spend(waited);
        }
    }

    /// The isolation units that `run` touches.
    fn units(&self, run: Run) -> (u64, u64) {
        (run.pfn.0 / self.isolation, (run.end().0 - 1) / self.isolation)
    }

    /// The claim of `run` that began at `from_us` ends.
    fn unlock(&mut self, run: Run, from_us: u64) {
        let (client, until_us, units) = (self.client, self.now_us, self.units(run));
        self.under_way.note(Hold { client, from_us, until_us, units }, self.stream_us);
    }

    /// The claim of `run` that began at `from_us` ends at a page that cannot be moved at all.
    fn refuse(&mut self, run: Run, from_us: u64) {
        self.spend(micros(self.prices.quick));
        self.unlock(run, from_us);
    }

    /// The lowest page of `run` that stays pinned for longer than migration tries; and until when
    /// it is tried for pages that are let go before.
    fn pin_in_the_way(&self, run: Run, mix: Mix) -> (Option<u64>, u64) {
        let (now, patience) = (self.now_us, micros(self.prices.slow));
        let (mut lowest, mut wait_until) = (None::<u64>, now);
        self.short_pins.at(run, now, |pin| {
            if !self.tenants.is_occupied(pin.pfn, now, mix) {
                return false;
            }
            if pin.end_us <= now.saturating_add(patience) {
                wait_until = wait_until.max(pin.end_us);
                return false;
            }
            lowest = Some(lowest.map_or(pin.pfn, |pfn| pfn.min(pin.pfn)));
            true
        });
        (lowest, wait_until)
    }

    /// `__alloc_contig_migrate_range()`: the pages of `run` are moved away.
    fn migrate(&mut self, run: Run) -> Result<(), ClaimError> {
        let (since_us, granted) = (self.since_us(), self.granted as f64);
        let demand = self.memory.demand(since_us);
        let mix = self.memory.mix(demand, granted);
        let has_targets = self.memory.has_targets(demand, granted, run.count as f64);
        if !has_targets && self.tenants.held(run, self.now_us, mix).copied > 0 {
            self.spend(micros(self.prices.fixed + self.prices.slow));
            return Err(ClaimError::NoMemory);
        }
        let (pin, wait_until) = self.pin_in_the_way(run, mix);
        if let Some(pfn) = pin {
            if pfn > run.pfn.0 {
                let below = Run::new(run.pfn.0, pfn - run.pfn.0);
                self.empty(self.tenants.held(below, self.now_us, mix));
                self.tenants.vacate(below, self.now_us);
            }
            self.spend(micros(self.prices.slow));
            return Err(ClaimError::Busy);
        }
        let held = self.tenants.held(run, self.now_us, mix);
        self.spend(wait_until.saturating_sub(self.now_us));
        self.spend(micros(self.prices.fixed));
        self.empty(held);
        self.tenants.vacated.forget(run);
        Ok(())
    }
}

/// Whole microseconds; the cast ends at the largest number.
fn micros(us: f64) -> u64 {
    (us + 0.5) as u64
}

impl Claim for Movable {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        self.lock();
        let from_us = self.now_us;
        if !self.mutex && self.under_way.is_isolated(self.units(run), self.now_us) {
            // It has isolated nothing itself.
            self.spend(micros(self.prices.quick));
            return Err(ClaimError::Busy);
        }
        if self.pinned.claim(run).is_err() {
            self.refuse(run, from_us);
            return Err(ClaimError::Busy);
        }
        let ended = self.migrate(run);
        self.unlock(run, from_us);
        if ended.is_ok() {
            self.granted = self.granted.saturating_add(run.count);
            self.spend(micros(run.count as f64 * self.prices.zero));
        }
        ended
    }

    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        self.spend(us);
        Ok(())
    }
}

impl Environment for Movable {
    fn advance(&mut self, at_us: u64) {
        self.first_us.get_or_insert(at_us);
        (self.stream_us, self.now_us, self.client) = (at_us, at_us, None);
    }

    fn asked_by(&mut self, client: u16) {
        let ready_us = self.ready_us.get(&client).copied().unwrap_or(0);
        self.now_us = self.stream_us.max(ready_us);
        self.client = Some(client);
    }

    fn in_use(&mut self, run: Run) {
        self.lock();
        self.refuse(run, self.now_us);
    }

    fn released(&mut self, run: Run) {
        // What was live before the stream began is given back too, and was never granted here.
        self.granted = self.granted.saturating_sub(run.count);
        self.tenants.vacate(run, self.stream_us);
    }

    fn spent(&mut self) -> Spent {
        if let Some(client) = self.client {
            self.ready_us.insert(client, self.now_us);
        }
        std::mem::take(&mut self.spent)
    }

    fn pin(&mut self, run: Run) -> bool {
        self.pinned.pin(run)
    }

    fn unpin(&mut self, run: Run) -> bool {
        self.pinned.unpin(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Script, Spec};
    use crate::page::Page;
    use crate::seed::Seed;
    use cma_policies::Area;

    /// The part of a claim over all of an area of 512 MiB that was in use, with 512 MiB outside.
    fn filled(page: Page) -> f64 {
        let all = 512 * page.in_mib();
        let area = Area::single(0, all, 0).unwrap();
        let (seed, script) = (Seed::new(1), Script::default());
        let setup = Setup { area: &area, seed: &seed, script: &script, reboots: 0, page };
        let spec = "movable:system_mib=512,demand=0.8,demand_end=0.8,watermark_mib=0,pin=0";
        let mut pages = Spec::parse(spec).unwrap().build(setup);
        pages.advance(0);
        let run = Run::new(0, all / 16);
        assert_eq!(pages.claim(run), Ok(()));
        let spent = pages.spent();
        (spent.migrated_pages + spent.dropped_pages) as f64 / run.count as f64
    }

    #[test]
    fn a_mib_outside_is_as_many_pages_as_one_inside() {
        // A fifth of all is free, and half of that is the area's.
        for page in Page::ALL {
            assert!((filled(page) - 0.8).abs() < 0.05, "{page}: {}", filled(page));
        }
    }
}
