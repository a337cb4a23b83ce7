//! Aligned LOAD: what an area needs at least, whatever policy places the buffers.
//!
//! Buffers aligned to 2^a pages never share a slot of 2^a pages. So at every moment, and for every
//! order a, an area needs 2^a * (slots) - (2^a - 1) pages, where a buffer of p pages and an align of
//! at least a takes ceil(p / 2^a) slots. Where that is more than the area has, no policy that
//! aligns can help: the size of the area, the cap or another pool can.

use super::ledger::{Block, Change};
use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::oracle::Model;
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "aligned-load",
    columns: &[
        Column::pages(
            "aligned_load_max_pages",
            "aligned LOAD: pages that an area needs at least, under this cap and any policy \
                    that aligns; each area at its own worst moment, sum over areas",
        ),
        Column {
            name: "structural",
            unit: "flag",
            about: "1 where an area has less than its aligned LOAD: no placement policy can help",
        },
    ],
    of: Of::Stream,
    build: |_| Box::new(AlignedLoad::default()),
};

/// What is asked of one area.
#[derive(Default)]
struct Need {
    pages: u64,
    ranges: u64,
    order_per_bit: u32,
    /// For each order those of all buffers with at least that align.
    slots: Vec<Slots>,
}

/// Slots of one order: now, and the most that count.
#[derive(Clone, Copy, Default)]
struct Slots {
    now: u128,
    most: u128,
}

impl Need {
    /// The slots of the orders that a buffer of this align counts at. Below a granule nothing is
    /// placed.
    fn of(&mut self, align: u32) -> impl Iterator<Item = (u32, &mut Slots)> {
        let (first, last) = (self.order_per_bit as usize, align.max(self.order_per_bit) as usize);
        if last >= self.slots.len() {
            self.slots.resize(last + 1, Slots::default());
        }
        (self.order_per_bit..).zip(&mut self.slots[first..=last])
    }

    fn add(&mut self, block: &Block) {
        for (order, slots) in self.of(block.align) {
            slots.now += u128::from(block.slots(order));
        }
    }

    fn remove(&mut self, block: &Block) {
        for (order, slots) in self.of(block.align) {
            slots.now -= u128::from(block.slots(order));
        }
    }

    /// What is there now counts, for buffers of this align and below.
    fn note(&mut self, align: u32) {
        for (_, slots) in self.of(align) {
            slots.most = slots.most.max(slots.now);
        }
    }

    /// The most pages that were needed.
    fn most(&self) -> u128 {
        let need = |(order, slots): (u32, &Slots)| {
            // The last slot of a range may end with its first granule.
            let cut = (1_u128 << order) - (1_u128 << self.order_per_bit);
            (slots.most << order).saturating_sub(cut * u128::from(self.ranges))
        };
        let orders = (0..).zip(&self.slots).skip(self.order_per_bit as usize);
        orders.map(need).max().unwrap_or(0)
    }
}

#[derive(Default)]
struct AlignedLoad {
    areas: PerArea<Need>,
    /// What was live before is still to be counted.
    is_warm: bool,
}

impl AlignedLoad {
    fn learn(&mut self, area: usize, model: &Model) {
        let need = self.areas.at(area);
        need.pages = model.area().pages();
        need.ranges = model.area().ranges().len() as u64;
        need.order_per_bit = model.area().order_per_bit();
    }
}

impl Observer for AlignedLoad {
    fn boot(&mut self, _: u64, area: usize, model: &Model) {
        self.learn(area, model);
        if self.is_warm {
            self.areas.at(area).note(63);
        }
    }

    fn warm_up(&mut self, step: &Step<'_>) {
        self.learn(step.area, step.model);
        self.is_warm = true;
    }
}

impl Metric for AlignedLoad {
    fn changed(&mut self, change: &Change<'_>) {
        let need = self.areas.at(change.area);
        if let Some(before) = &change.before {
            need.remove(before);
        }
        if let Some(now) = change.now {
            need.add(now);
            if change.before.is_none() && !change.is_warm_up {
                need.note(now.align);
            }
        }
    }

    fn values(&self) -> Vec<Value> {
        let most: u128 = self.areas.iter().map(Need::most).sum();
        let is_short = |need: &Need| need.most() > u128::from(need.pages);
        vec![Value::sum(most), Value::Count(self.areas.iter().any(is_short).into())]
    }
}
