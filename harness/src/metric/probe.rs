//! R4: what a request would meet at every moment, whether or not one is made.

use cma_policies::Request;

use super::timeline::Timeline;
use super::{Column, Entry, Metric, Value};
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "probe",
    columns: &[Column {
        name: "probe_unavailable_time",
        unit: "share",
        about: "R4: share of the time in which no policy could grant a request of a typical size \
                although enough pages are free, mean over the profile's sizes",
    }],
    build: |setting| {
        let probes = setting.probes.concat();
        Box::new(Unavailable { probes, timeline: Timeline::default(), failing: 0, failing_us: 0 })
    },
};

struct Unavailable {
    probes: Vec<Request>,
    timeline: Timeline,
    /// Probes that the state as it is would refuse.
    failing: u64,
    failing_us: u128,
}

impl Unavailable {
    fn advance(&mut self, at_us: u64) {
        self.failing_us += u128::from(self.failing) * u128::from(self.timeline.advance(at_us));
    }
}

impl Observer for Unavailable {
    fn step(&mut self, step: &Step<'_>) {
        self.advance(step.at_us);
        let free = step.model.free_pages();
        let refuses = |probe: &&Request| free >= probe.count() && !step.model.fits(**probe);
        self.failing = self.probes.iter().filter(refuses).count() as u64;
    }

    fn finish(&mut self, end_us: u64) {
        self.advance(end_us);
    }
}

impl Metric for Unavailable {
    fn values(&self) -> Vec<Value> {
        let whole = u128::from(self.timeline.lasted_us()) * self.probes.len() as u128;
        vec![Value::share(self.failing_us, whole)]
    }
}
