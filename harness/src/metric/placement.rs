//! What the grants took: how high they went, what they wasted, how often they tried.

use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::oracle::Model;
use crate::simulate::{Answer, Observer, Step};
use cma_policies::Run;

pub(super) const ENTRY: Entry = Entry {
    name: "placement",
    columns: &[
        Column::pages("live_max_pages", "the most pages granted at once, in all areas"),
        Column::pages(
            "high_water_pages",
            "pages from the start of the area to the highest granted page, sum over areas",
        ),
        Column::pages(
            "granule_padding_max_pages",
            "the most pages lost at once past the ends of buffers to order_per_bit, in \
                    all areas",
        ),
        Column {
            name: "busy_per_grant",
            unit: "claims",
            about: "claims that were busy, for each granted request",
        },
        Column {
            name: "pauses",
            unit: "pauses",
            about: "times that the policy let time pass before it searched again",
        },
        Column {
            name: "not_asked",
            unit: "ops",
            about: "ops of the stream that make no sense here: an alloc of a live id, a free of \
                    an id that holds nothing",
        },
    ],
    of: Of::Requests,
    build: |_| Box::new(Placement::default()),
};

#[derive(Default)]
struct Placement {
    /// Of each area: pages granted now, past the ends of buffers now, and up to the highest
    /// granted page ever.
    live: PerArea<u64>,
    padding: PerArea<u64>,
    high_water: PerArea<u64>,
    live_max: u64,
    padding_max: u64,
    busy: u64,
    grants: u64,
    pauses: u64,
    not_asked: u64,
}

/// Pages of the area up to the end of `run`, which is in one range, in the order of its ranges.
fn pages_below(model: &Model, run: Run) -> u64 {
    let ranges = model.area().ranges();
    let own = model.area().range_of(run).expect("a grant is inside a range");
    let before: u64 = ranges[..own].iter().map(|range| range.count).sum();
    before + (run.end().0 - ranges[own].pfn.0)
}

impl Observer for Placement {
    fn boot(&mut self, _: u64, area: usize, model: &Model) {
        *self.live.at(area) = model.live_pages();
        *self.padding.at(area) = model.padding_pages();
    }

    fn step(&mut self, step: &Step<'_>) {
        if let Some(outcome) = step.outcome {
            self.busy += outcome.busy;
            self.pauses += outcome.pauses;
        }
        self.boot(step.at_us, step.area, step.model);
        match (step.answer, step.request()) {
            (Answer::Granted(pfn), Some(request)) => {
                self.grants += 1;
                let run = Run { pfn, count: request.count() };
                let highest = self.high_water.at(step.area);
                *highest = (*highest).max(pages_below(step.model, run));
                self.live_max = self.live_max.max(self.live.total());
                self.padding_max = self.padding_max.max(self.padding.total());
            }
            (Answer::IdInUse | Answer::NothingToFree, _) => self.not_asked += 1,
            _ => {}
        }
    }
}

impl Metric for Placement {
    fn values(&self) -> Vec<Value> {
        vec![
            Value::Count(self.live_max),
            Value::Count(self.high_water.total()),
            Value::Count(self.padding_max),
            Value::share(self.busy.into(), self.grants.into()),
            Value::Count(self.pauses),
            Value::Count(self.not_asked),
        ]
    }
}
