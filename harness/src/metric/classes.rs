//! Requests and refusals by size: a policy must not look good by refusing the large ones.

use super::{CLASSES, Column, Entry, Metric, Of, Value};
use crate::cause::Cause;
use crate::simulate::{Observer, Step};

const fn asked(name: &'static str) -> Column {
    Column { name, unit: "requests", about: "requests of so many pages" }
}

const fn refused(name: &'static str) -> Column {
    Column { name, unit: "requests", about: "requests of so many pages that were refused" }
}

const fn withheld(name: &'static str) -> Column {
    Column { name, unit: "requests", about: "those of them that found enough pages free" }
}

pub(super) const ENTRY: Entry = Entry {
    name: "classes",
    columns: &[
        asked("requests_1_16"),
        refused("refused_1_16"),
        withheld("withheld_1_16"),
        asked("requests_17_256"),
        refused("refused_17_256"),
        withheld("withheld_17_256"),
        asked("requests_257_2048"),
        refused("refused_257_2048"),
        withheld("withheld_257_2048"),
        asked("requests_2049_up"),
        refused("refused_2049_up"),
        withheld("withheld_2049_up"),
    ],
    of: Of::Requests,
    build: |_| Box::new(Classes::default()),
};

#[derive(Default)]
struct Classes {
    counts: [[u64; 3]; CLASSES.len()],
}

impl Observer for Classes {
    fn step(&mut self, step: &Step<'_>) {
        let Some(request) = step.request() else { return };
        let class = CLASSES.iter().position(|&(_, most)| request.count() <= most);
        let [asked, refused, withheld] =
            &mut self.counts[class.expect("the last class has no end")];
        *asked += 1;
        *refused += u64::from(step.cause.is_some());
        *withheld += u64::from(step.cause.is_some_and(Cause::is_withheld));
    }
}

impl Metric for Classes {
    fn values(&self) -> Vec<Value> {
        self.counts.iter().flatten().copied().map(Value::Count).collect()
    }
}
