//! How long the board was watched.

use super::{Column, Entry, Metric, Of, Setting, Value};
use crate::op::Timed;
use crate::oracle::Model;
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "length",
    columns: &[
        Column::us(
            "board_time_us",
            "board time that was watched, from the first op on; empty where the stream has \
                    no time, as a recording",
        ),
        Column {
            name: "stream_ops",
            unit: "ops",
            about: "ops of the stream that were run; what callers did beside it is not among them",
        },
        Column {
            name: "ended_early",
            unit: "streams",
            about: "1: it was ended at its first failure, and rates over its length are empty; 0: \
                    it was run to its end",
        },
    ],
    of: Of::Requests,
    build: |setting| Box::new(Length::new(setting)),
};

struct Length {
    has_time: bool,
    ends_early: bool,
    first_us: Option<u64>,
    end_us: u64,
    ops: u64,
    failed: bool,
}

impl Length {
    fn new(setting: &Setting) -> Self {
        Self {
            has_time: setting.has_time,
            ends_early: setting.first_failure,
            first_us: None,
            end_us: 0,
            ops: 0,
            failed: false,
        }
    }
}

impl Observer for Length {
    fn boot(&mut self, at_us: u64, _: usize, _: &Model) {
        self.first_us.get_or_insert(at_us);
    }

    fn asked(&mut self, _: Option<usize>, _: &Timed) {
        self.ops += 1;
    }

    fn step(&mut self, step: &Step<'_>) {
        self.failed |= step.has_failed();
    }

    fn finish(&mut self, end_us: u64) {
        self.end_us = end_us;
    }
}

impl Metric for Length {
    fn values(&self) -> Vec<Value> {
        let watched_us = self.end_us.saturating_sub(self.first_us.unwrap_or(0));
        vec![
            if self.has_time { Value::Count(watched_us) } else { Value::None },
            Value::Count(self.ops),
            Value::Count(u64::from(self.ends_early && self.failed)),
        ]
    }
}
