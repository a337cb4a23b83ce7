//! Requests by their part of what was free: of those that take most of it some must fail under any
//! policy, so rates over streams of other loads can be compared only class by class.

use super::{Column, Entry, Metric, Of, Value};
use crate::cause::Cause;
use crate::simulate::{Observer, Step};

const fn asked(name: &'static str) -> Column {
    Column { name, unit: "requests", about: "requests for so many percent of the free pages" }
}

const fn withheld(name: &'static str) -> Column {
    Column { name, unit: "requests", about: "those of them that were refused" }
}

pub(super) const ENTRY: Entry = Entry {
    name: "of-free",
    columns: &[
        asked("requests_0_25pct_of_free"),
        withheld("withheld_0_25pct_of_free"),
        asked("requests_25_50pct_of_free"),
        withheld("withheld_25_50pct_of_free"),
        asked("requests_50_100pct_of_free"),
        withheld("withheld_50_100pct_of_free"),
    ],
    of: Of::Stream,
    build: |_| Box::new(OfFree::default()),
};

/// The most percent of the free pages in each class.
const MOST_PERCENT: [u128; 3] = [25, 50, 100];

#[derive(Default)]
struct OfFree {
    counts: [[u64; 2]; MOST_PERCENT.len()],
}

impl Observer for OfFree {
    fn step(&mut self, step: &Step<'_>) {
        let Some(request) = step.request() else { return };
        // What it met: a refusal changed nothing, a grant took its granules.
        let took = match step.cause {
            None => request.count().next_multiple_of(step.model.area().granule()),
            Some(_) => 0,
        };
        let free = u128::from(step.model.free_pages() + took);
        let hundredfold = u128::from(request.count()) * 100;
        let class = MOST_PERCENT.iter().position(|percent| hundredfold <= percent * free);
        let Some(class) = class else { return };
        let [asked, withheld] = &mut self.counts[class];
        *asked += 1;
        *withheld += u64::from(step.cause.is_some_and(Cause::is_withheld));
    }
}

impl Metric for OfFree {
    fn values(&self) -> Vec<Value> {
        self.counts.iter().flatten().copied().map(Value::Count).collect()
    }
}
