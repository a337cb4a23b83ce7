//! R4: what a request would meet at every moment, whether or not one is made.

use cma_policies::Request;

use super::timeline::Timeline;
use super::{Column, Entry, Metric, Of, Setting, Value};
use crate::oracle::Model;
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "probe",
    columns: &[Column::share(
        "probe_unavailable_time",
        "R4: share of the time in which no policy could grant a request of a typical size \
                although enough pages are free, mean over the profile's sizes; with several areas \
                over the sizes that are asked of each",
    )],
    of: Of::Moments,
    build: |setting| Box::new(Unavailable::new(setting)),
};

struct Unavailable {
    areas: Vec<Probes>,
}

/// The probes of one area, and how long they would have failed.
struct Probes {
    probes: Vec<Request>,
    timeline: Timeline,
    /// Probes that the state as it is would refuse.
    failing: u64,
    failing_us: u128,
}

impl Unavailable {
    fn new(setting: &Setting) -> Self {
        let of = |probes: &Vec<Request>| Probes {
            probes: probes.clone(),
            timeline: Timeline::default(),
            failing: 0,
            failing_us: 0,
        };
        Self { areas: setting.probes.iter().map(of).collect() }
    }

    fn note(&mut self, at_us: u64, area: usize, model: &Model) {
        let Some(area) = self.areas.get_mut(area) else { return };
        area.advance(at_us);
        let free = model.free_pages();
        let refuses = |probe: &&Request| free >= probe.count() && !model.fits(**probe);
        area.failing = area.probes.iter().filter(refuses).count() as u64;
    }
}

impl Probes {
    fn advance(&mut self, at_us: u64) {
        self.failing_us += u128::from(self.failing) * u128::from(self.timeline.advance(at_us));
    }

    /// The time of all probes together.
    fn lasted_us(&self) -> u128 {
        u128::from(self.timeline.lasted_us()) * self.probes.len() as u128
    }
}

impl Observer for Unavailable {
    fn boot(&mut self, at_us: u64, area: usize, model: &Model) {
        self.note(at_us, area, model);
    }

    fn step(&mut self, step: &Step<'_>) {
        self.note(step.at_us, step.area, step.model);
    }

    fn finish(&mut self, end_us: u64) {
        for area in &mut self.areas {
            area.advance(end_us);
        }
    }
}

impl Metric for Unavailable {
    fn values(&self) -> Vec<Value> {
        let failing = self.areas.iter().map(|area| area.failing_us).sum();
        vec![Value::share(failing, self.areas.iter().map(Probes::lasted_us).sum())]
    }
}
