//! R6: how much of what is free lies where a request of some size cannot go.

use cma_policies::dma_align;

use super::timeline::Timeline;
use super::{CLASSES, Column, Entry, Metric, Setting, Value};
use crate::simulate::{Observer, Step};

const fn class(name: &'static str) -> Column {
    Column { name, unit: "share", about: "R6 at the align of the largest request of this class" }
}

pub(super) const ENTRY: Entry = Entry {
    name: "unusable",
    columns: &[
        Column {
            name: "unusable_free",
            unit: "share",
            about: "R6: 1 - U(a)/F, the part of the free pages outside the longest usable run at \
                    the align of a typical size; over the time, mean over the profile's sizes",
        },
        class("unusable_free_1_16"),
        class("unusable_free_17_256"),
        class("unusable_free_257_2048"),
        class("unusable_free_2049_up"),
    ],
    build: |setting| Box::new(Unusable::new(setting)),
};

/// One alignment order, its share now, and the sum of its shares over the time.
#[derive(Clone, Copy)]
struct Order {
    align: u32,
    millionths: u64,
    millionths_us: u128,
}

struct Unusable {
    timeline: Timeline,
    orders: Vec<Order>,
    probes: Vec<u32>,
    cap: u32,
}

impl Unusable {
    fn new(setting: &Setting) -> Self {
        let probes: Vec<_> = setting.probes.iter().flatten().map(|probe| probe.align()).collect();
        let classes = CLASSES.map(|class| class_align(class.1, setting.cap));
        let mut aligns: Vec<_> = probes.iter().copied().chain(classes).collect();
        aligns.sort_unstable();
        aligns.dedup();
        let order = |align| Order { align, millionths: 0, millionths_us: 0 };
        let orders = aligns.into_iter().map(order).collect();
        Self { timeline: Timeline::default(), orders, probes, cap: setting.cap }
    }

    fn advance(&mut self, at_us: u64) {
        let lasted = u128::from(self.timeline.advance(at_us));
        for order in &mut self.orders {
            order.millionths_us += u128::from(order.millionths) * lasted;
        }
    }

    fn mean(&self, aligns: &[u32]) -> Value {
        let of = |align: &u32| self.orders.iter().find(|order| order.align == *align);
        let sum: u128 = aligns.iter().filter_map(of).map(|order| order.millionths_us).sum();
        let whole = u128::from(self.timeline.lasted_us()) * aligns.len() as u128;
        match sum.checked_div(whole) {
            Some(millionths) => Value::Micro(millionths as i64),
            None => Value::None,
        }
    }
}

/// The align of the largest request of a class; the last class has none, and meets the cap.
fn class_align(most: u64, cap: u32) -> u32 {
    dma_align(most, cap).min(63)
}

impl Observer for Unusable {
    fn step(&mut self, step: &Step<'_>) {
        self.advance(step.at_us);
        let free = step.model.free_pages();
        for order in &mut self.orders {
            let outside = (free - step.model.longest_usable(order.align)) * 1_000_000;
            // Where nothing is free, nothing is unusable.
            order.millionths = outside.checked_div(free).unwrap_or(0);
        }
    }

    fn finish(&mut self, end_us: u64) {
        self.advance(end_us);
    }
}

impl Metric for Unusable {
    fn values(&self) -> Vec<Value> {
        let class = |(_, most): (u64, u64)| self.mean(&[class_align(most, self.cap)]);
        [self.mean(&self.probes)].into_iter().chain(CLASSES.map(class)).collect()
    }
}
