//! R5: how long it goes well, and what the area looks like when it no longer does.

use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::oracle::Model;
use crate::simulate::{Answer, Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "first-failure",
    columns: &[Column {
        name: "requests_to_first_failure",
        unit: "requests",
        about: "R5: number of the first request that was refused, from 1 on; empty if none was",
    }],
    of: Of::Requests,
    build: |_| Box::new(FirstFailure::default()),
};

pub(super) const STATE: Entry = Entry {
    name: "first-failure-state",
    columns: &[
        Column {
            name: "time_to_first_failure_us",
            unit: "us",
            about: "from the first op to the first refusal",
        },
        Column {
            name: "requests_to_first_withheld",
            unit: "requests",
            about: "number of the first request that was refused with enough pages free",
        },
        Column {
            name: "utilisation_at_first_failure",
            unit: "share",
            about: "granted pages of all pages, of all areas, at the first refusal",
        },
        Column {
            name: "free_at_first_failure_pages",
            unit: "pages",
            about: "pages free at the first refusal, in the area that refused",
        },
        Column {
            name: "longest_run_at_first_failure_pages",
            unit: "pages",
            about: "pages of the longest hole at the first refusal, in the area that refused",
        },
    ],
    of: Of::Requests,
    build: |_| Box::new(State::default()),
};

#[derive(Default)]
struct FirstFailure {
    requests: u64,
    failed_at: Option<u64>,
}

impl Observer for FirstFailure {
    fn step(&mut self, step: &Step<'_>) {
        self.requests += u64::from(step.request().is_some());
        if matches!(step.answer, Answer::Refused(_)) {
            self.failed_at.get_or_insert(self.requests);
        }
    }
}

impl Metric for FirstFailure {
    fn values(&self) -> Vec<Value> {
        vec![self.failed_at.map_or(Value::None, Value::Count)]
    }
}

#[derive(Default)]
struct State {
    requests: u64,
    first_us: Option<u64>,
    /// Pages granted now, of each area.
    live: PerArea<u64>,
    pages: PerArea<u64>,
    withheld_at: Option<u64>,
    at_failure: Option<[Value; 4]>,
}

impl Observer for State {
    fn boot(&mut self, at_us: u64, area: usize, model: &Model) {
        self.first_us.get_or_insert(at_us);
        *self.pages.at(area) = model.area().pages();
        *self.live.at(area) = model.live_pages();
    }

    fn step(&mut self, step: &Step<'_>) {
        let model = step.model;
        *self.live.at(step.area) = model.live_pages();
        self.requests += u64::from(step.request().is_some());
        let Some(cause) = step.cause else { return };
        if cause.is_withheld() {
            self.withheld_at.get_or_insert(self.requests);
        }
        let first_us = self.first_us.unwrap_or(step.at_us);
        let (live, pages) = (self.live.sum(), self.pages.sum());
        self.at_failure.get_or_insert_with(|| {
            [
                Value::Count(step.at_us - first_us),
                Value::share(live, pages),
                Value::Count(model.free_pages()),
                Value::Count(model.longest_run()),
            ]
        });
    }
}

impl Metric for State {
    fn values(&self) -> Vec<Value> {
        let [time, utilisation, free, longest] = self.at_failure.unwrap_or([Value::None; 4]);
        let withheld = self.withheld_at.map_or(Value::None, Value::Count);
        vec![time, withheld, utilisation, free, longest]
    }
}
