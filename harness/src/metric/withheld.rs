//! R1, R2, R3: how much was refused while enough pages were free.

use super::{Column, Entry, Metric, Of, Value};
use crate::cause::Cause;
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "withheld",
    columns: &[
        Column {
            name: "withheld_per_request",
            unit: "share",
            about: "R1: requests refused with enough pages free, of all requests",
        },
        Column {
            name: "withheld_per_satisfiable",
            unit: "share",
            about: "R2: the same, of the requests that found enough pages free",
        },
        Column {
            name: "withheld_pages_share",
            unit: "share",
            about: "R3: pages refused with enough pages free, of all pages asked for",
        },
    ],
    of: Of::Stream,
    build: |_| Box::new(Withheld::default()),
};

#[derive(Default)]
struct Withheld {
    requests: u64,
    satisfiable: u64,
    withheld: u64,
    pages: u128,
    withheld_pages: u128,
}

impl Observer for Withheld {
    fn step(&mut self, step: &Step<'_>) {
        let Some(request) = step.request() else { return };
        self.requests += 1;
        self.pages += u128::from(request.count());
        // A grant found its pages free; a refusal changed nothing, so the state behind it is the
        // one that it met.
        let satisfiable = step.cause.is_none() || step.model.free_pages() >= request.count();
        self.satisfiable += u64::from(satisfiable);
        if step.cause.is_some_and(Cause::is_withheld) {
            self.withheld += 1;
            self.withheld_pages += u128::from(request.count());
        }
    }
}

impl Metric for Withheld {
    fn values(&self) -> Vec<Value> {
        vec![
            Value::share(self.withheld.into(), self.requests.into()),
            Value::share(self.withheld.into(), self.satisfiable.into()),
            Value::share(self.withheld_pages, self.pages),
        ]
    }
}
