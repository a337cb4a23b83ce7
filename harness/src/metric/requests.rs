//! How many requests there were, and what came of them.

use super::{Column, Entry, Metric, Of, Value};
use crate::simulate::{Answer, Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "requests",
    columns: &[
        Column { name: "requests", unit: "requests", about: "requests that were asked" },
        Column { name: "grants", unit: "requests", about: "requests that were granted" },
        Column { name: "refused", unit: "requests", about: "requests that were refused" },
    ],
    of: Of::Requests,
    build: |_| Box::new(Requests::default()),
};

#[derive(Default)]
struct Requests {
    granted: u64,
    refused: u64,
}

impl Observer for Requests {
    fn step(&mut self, step: &Step<'_>) {
        match step.answer {
            Answer::Granted(_) => self.granted += 1,
            Answer::Refused(_) => self.refused += 1,
            _ => {}
        }
    }
}

impl Metric for Requests {
    fn values(&self) -> Vec<Value> {
        [self.granted + self.refused, self.granted, self.refused].map(Value::Count).to_vec()
    }
}
