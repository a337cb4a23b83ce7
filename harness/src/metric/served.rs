//! What callers saw: a refusal of the area is none to them where the page allocator helps out.

use super::{Column, Entry, Metric, Of, Value};
use crate::oracle::Model;
use crate::simulate::{Answer, Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "served",
    columns: &[
        Column::requests(
            "bypassed",
            "requests of one page that came from the page allocator without asking an area; \
                    they are not among the requests",
        ),
        Column::requests(
            "fell_back",
            "requests that an area refused and the page allocator served",
        ),
        Column::requests(
            "requests_to_first_unserved",
            "number of the first request that was refused and not served elsewhere, from 1 \
                    on; empty if none was",
        ),
        Column::us("time_to_first_unserved_us", "from the first op to that request"),
        Column::requests(
            "unserved",
            "requests that were refused and not served elsewhere; each other try is one",
        ),
    ],
    of: Of::Requests,
    build: |_| Box::new(Served::default()),
};

#[derive(Default)]
struct Served {
    first_us: Option<u64>,
    requests: u64,
    bypassed: u64,
    fell_back: u64,
    unserved: u64,
    /// Number and time of the first that was not served.
    first_unserved: Option<[u64; 2]>,
}

impl Observer for Served {
    fn boot(&mut self, at_us: u64, _: usize, _: &Model) {
        self.first_us.get_or_insert(at_us);
    }

    fn step(&mut self, step: &Step<'_>) {
        self.requests += u64::from(step.request().is_some());
        match step.answer {
            Answer::Bypassed => self.bypassed += 1,
            Answer::Refused(_) if step.fell_back => self.fell_back += 1,
            Answer::Refused(_) => {
                self.unserved += 1;
                let after_us = step.at_us - self.first_us.unwrap_or(step.at_us);
                self.first_unserved.get_or_insert([self.requests, after_us]);
            }
            _ => {}
        }
    }
}

impl Metric for Served {
    fn values(&self) -> Vec<Value> {
        let first = self.first_unserved.map(|first| first.map(Value::Count));
        let [requests, after_us] = first.unwrap_or([Value::None; 2]);
        vec![
            Value::Count(self.bypassed),
            Value::Count(self.fell_back),
            requests,
            after_us,
            Value::Count(self.unserved),
        ]
    }
}
