//! The largest requests: what worst-case bounds grow with, and what a policy may never grant.

use super::{Column, Entry, Metric, Of, Value};
use crate::op::{Op, Timed};
use crate::simulate::{Answer, Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "largest",
    columns: &[
        Column::pages("request_max_pages", "pages of the largest request of the stream"),
        Column::pages("granted_max_pages", "pages of the largest request that an area granted"),
    ],
    of: Of::Stream,
    build: |_| Box::new(Largest::default()),
};

#[derive(Default)]
struct Largest {
    asked: Option<u64>,
    granted: Option<u64>,
}

impl Observer for Largest {
    fn step(&mut self, step: &Step<'_>) {
        if let (Answer::Granted(_), Some(request)) = (step.answer, step.request()) {
            self.granted = self.granted.max(Some(request.count()));
        }
    }

    fn asked(&mut self, _: Option<usize>, timed: &Timed) {
        if let Op::Alloc { request, .. } = timed.op {
            self.asked = self.asked.max(Some(request.count()));
        }
    }
}

impl Metric for Largest {
    fn values(&self) -> Vec<Value> {
        [self.asked, self.granted].map(|pages| pages.map_or(Value::None, Value::Count)).to_vec()
    }
}
