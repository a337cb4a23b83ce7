//! R5: how long it goes well, and what the area looks like when it no longer does.

use super::per_area::PerArea;
use super::tally::{Sums, Tally};
use super::{Column, Entry, Metric, Of, Value};
use crate::oracle::Model;
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "first-failure",
    columns: &[Column::requests(
        "requests_to_first_failure",
        "R5: number of the first request that was refused, from 1 on; empty if none was",
    )],
    of: Of::Requests,
    build: |_| {
        let add = |step: &Step<'_>, _, [[requests, first]]: &mut Sums<2, 1>| {
            *requests += 1;
            if step.cause.is_some() && *first == 0 {
                *first = *requests;
            }
        };
        let values = |&[[_, first]]: &Sums<2, 1>| match first {
            0 => vec![Value::None],
            _ => vec![Value::sum(first)],
        };
        Box::new(Tally::with_values(add, values))
    },
};

pub(super) const STATE: Entry = Entry {
    name: "first-failure-state",
    columns: &[
        Column::us("time_to_first_failure_us", "from the first op to the first refusal"),
        Column::requests(
            "requests_to_first_withheld",
            "number of the first request that was refused with enough pages free",
        ),
        Column::share(
            "utilisation_at_first_failure",
            "granted pages of all pages, of all areas, at the first refusal",
        ),
        Column::pages(
            "free_at_first_failure_pages",
            "pages free at the first refusal, in the area that refused",
        ),
        Column::pages(
            "longest_run_at_first_failure_pages",
            "pages of the longest hole at the first refusal, in the area that refused",
        ),
    ],
    of: Of::Requests,
    build: |_| Box::new(State::default()),
};

/// The state of the area that refused: what others of its board have free is of no use to it.
pub(super) const IN_AREA: Entry = Entry {
    name: "first-failure-in-area",
    columns: &[
        Column {
            name: "first_failure_area",
            unit: "number",
            about: "index on its board of the area that was the first to refuse, 0 the default one",
        },
        Column::share(
            "utilisation_of_area_at_first_failure",
            "granted pages of the pages of the area that refused, at the first refusal",
        ),
    ],
    of: Of::Requests,
    build: |_| Box::new(InArea::default()),
};

#[derive(Default)]
struct InArea(Option<[Value; 2]>);

impl Observer for InArea {
    fn step(&mut self, step: &Step<'_>) {
        if step.cause.is_none() {
            return;
        }
        let (live, pages) = (step.model.live_pages(), step.model.area().pages());
        let found = || [Value::Count(step.area as u64), Value::share(live.into(), pages.into())];
        self.0.get_or_insert_with(found);
    }
}

impl Metric for InArea {
    fn values(&self) -> Vec<Value> {
        self.0.unwrap_or([Value::None; 2]).to_vec()
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
