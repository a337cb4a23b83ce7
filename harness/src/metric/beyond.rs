//! Refusals that no page allocator makes good: what fails if `dma_direct_alloc()` is what asks.

use super::{Column, Entry, Metric, Of, Value};
use crate::board::largest_fallback;
use crate::page::Page;
use crate::simulate::{Answer, Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "beyond",
    columns: &[Column::requests(
        "refused_beyond_fallback",
        "requests that were refused and are for more pages than the page allocator serves to \
                dma-direct: those that fail where that is what asks",
    )],
    of: Of::Requests,
    build: |setting| Box::new(Beyond::of(setting.page)),
};

struct Beyond {
    /// The most pages that the page allocator serves.
    largest: u64,
    requests: u64,
}

impl Beyond {
    fn of(page: Page) -> Self {
        Self { largest: largest_fallback(page), requests: 0 }
    }
}

impl Observer for Beyond {
    fn step(&mut self, step: &Step<'_>) {
        if let (Answer::Refused(_), Some(request)) = (step.answer, step.request()) {
            self.requests += u64::from(request.count() > self.largest);
        }
    }
}

impl Metric for Beyond {
    fn values(&self) -> Vec<Value> {
        vec![Value::Count(self.requests)]
    }
}
