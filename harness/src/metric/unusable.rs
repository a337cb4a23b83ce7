//! R6: how much of what is free lies where a request of some size cannot go.

use cma_policies::{Request, dma_align};

use super::timeline::Timeline;
use super::{CLASSES, Column, Entry, Metric, Of, Value};
use crate::oracle::Model;
use crate::simulate::{Observer, Step};

const fn class(name: &'static str) -> Column {
    Column::share(name, "R6 at the align of the largest request of this class, mean over the areas")
}

pub(super) const ENTRY: Entry = Entry {
    name: "unusable",
    columns: &[
        Column::share(
            "unusable_free",
            "R6: 1 - U(a)/F, the part of the free pages outside the longest usable run at \
                    the align of a typical size; over the time, mean over the profile's sizes; with \
                    several areas over the sizes that are asked of each",
        ),
        class("unusable_free_1_16"),
        class("unusable_free_17_256"),
        class("unusable_free_257_2048"),
        class("unusable_free_2049_up"),
    ],
    of: Of::Moments,
    build: |setting| {
        let orders = |probes: &Vec<Request>| Orders::new(probes, setting.cap);
        Box::new(Unusable { areas: setting.probes.iter().map(orders).collect(), cap: setting.cap })
    },
};

/// One alignment order, its share now, and the sum of its shares over the time.
#[derive(Clone, Copy)]
struct Order {
    align: u32,
    millionths: u64,
    millionths_us: u128,
}

struct Unusable {
    areas: Vec<Orders>,
    cap: u32,
}

/// The orders of one area, and which of them are those of its probes.
struct Orders {
    timeline: Timeline,
    orders: Vec<Order>,
    probes: Vec<u32>,
}

impl Orders {
    fn new(probes: &[Request], cap: u32) -> Self {
        let probes: Vec<_> = probes.iter().map(|probe| probe.align()).collect();
        let classes = CLASSES.map(|class| class_align(class.1, cap));
        let mut aligns: Vec<_> = probes.iter().copied().chain(classes).collect();
        aligns.sort_unstable();
        aligns.dedup();
        let order = |align| Order { align, millionths: 0, millionths_us: 0 };
        let orders = aligns.into_iter().map(order).collect();
        Self { timeline: Timeline::default(), orders, probes }
    }

    fn advance(&mut self, at_us: u64) {
        let lasted = u128::from(self.timeline.advance(at_us));
        for order in &mut self.orders {
            order.millionths_us += u128::from(order.millionths) * lasted;
        }
    }

    fn note(&mut self, at_us: u64, model: &Model) {
        self.advance(at_us);
        let free = model.free_pages();
        for order in &mut self.orders {
            let outside = (free - model.longest_usable(order.align)) * 1_000_000;
            // Where nothing is free, nothing is unusable.
            order.millionths = outside.checked_div(free).unwrap_or(0);
        }
    }

    /// The sum of the shares over the time at each of these orders, and that time.
    fn sums(&self, aligns: &[u32]) -> (u128, u128) {
        let of = |align: &u32| self.orders.iter().find(|order| order.align == *align);
        let sum = aligns.iter().filter_map(of).map(|order| order.millionths_us).sum();
        (sum, u128::from(self.timeline.lasted_us()) * aligns.len() as u128)
    }
}

/// The mean over all areas.
fn mean(sums: impl Iterator<Item = (u128, u128)>) -> Value {
    let (sum, whole) = sums.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    match sum.checked_div(whole) {
        Some(millionths) => Value::Micro(millionths as i64),
        None => Value::None,
    }
}

/// The align of the largest request of a class; the last class has none, and meets the cap.
fn class_align(most: u64, cap: u32) -> u32 {
    dma_align(most, cap).min(63)
}

impl Observer for Unusable {
    fn boot(&mut self, at_us: u64, area: usize, model: &Model) {
        if let Some(area) = self.areas.get_mut(area) {
            area.note(at_us, model);
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        self.boot(step.at_us, step.area, step.model);
    }

    fn finish(&mut self, end_us: u64) {
        for area in &mut self.areas {
            area.advance(end_us);
        }
    }
}

impl Metric for Unusable {
    fn values(&self) -> Vec<Value> {
        let class = |(_, most): (u64, u64)| {
            let align = [class_align(most, self.cap)];
            mean(self.areas.iter().map(|area| area.sums(&align)))
        };
        let probes = mean(self.areas.iter().map(|area| area.sums(&area.probes)));
        [probes].into_iter().chain(CLASSES.map(class)).collect()
    }
}
