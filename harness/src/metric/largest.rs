//! The largest request: what worst-case bounds grow with.

use super::{Column, Entry, Metric, Value};
use crate::op::{Op, Timed};
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "largest",
    columns: &[Column {
        name: "request_max_pages",
        unit: "pages",
        about: "pages of the largest request of the stream",
    }],
    build: |_| Box::new(Largest::default()),
};

#[derive(Default)]
struct Largest {
    pages: Option<u64>,
}

impl Observer for Largest {
    fn step(&mut self, _: &Step<'_>) {}

    fn asked(&mut self, _: Option<usize>, timed: &Timed) {
        if let Op::Alloc { request, .. } = timed.op {
            self.pages = self.pages.max(Some(request.count()));
        }
    }
}

impl Metric for Largest {
    fn values(&self) -> Vec<Value> {
        vec![self.pages.map_or(Value::None, Value::Count)]
    }
}
