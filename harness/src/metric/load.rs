//! LOAD: what the stream asks of any area, whatever is granted.

use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::op::{Op, Timed};
use crate::oracle::Model;
use crate::simulate::{Observer, Step};
use rustc_hash::FxHashMap;

pub(super) const ENTRY: Entry = Entry {
    name: "load",
    columns: &[
        Column {
            name: "load_max_pages",
            unit: "pages",
            about: "LOAD: the most pages live at once in all areas, were every request granted; \
                    without those that go to no area",
        },
        Column { name: "load_measured", unit: "share", about: "LOAD of all pages of all areas" },
    ],
    of: Of::Stream,
    build: |_| Box::new(Load::default()),
};

#[derive(Default)]
struct Load {
    /// Pages asked for and not given back, by id: no more entries than buffers live at once.
    asked: FxHashMap<u64, u64>,
    pages: u128,
    most: u128,
    area_pages: PerArea<u64>,
}

impl Observer for Load {
    fn boot(&mut self, _: u64, area: usize, model: &Model) {
        *self.area_pages.at(area) = model.area().pages();
    }

    fn warm_up(&mut self, step: &Step<'_>) {
        self.note(Some(step.area), step.op);
    }

    fn asked(&mut self, area: Option<usize>, timed: &Timed) {
        // What was live before counts from the first op on, what only held its place never does.
        self.most = self.most.max(self.pages);
        self.note(area, timed.op);
        self.most = self.most.max(self.pages);
    }
}

impl Load {
    fn note(&mut self, area: Option<usize>, op: Op) {
        match op {
            // An alloc of a live id is not asked: the first is there still.
            Op::Alloc { id, request, .. } if area.is_some() && !self.asked.contains_key(&id) => {
                self.asked.insert(id, request.count());
                self.pages += u128::from(request.count());
            }
            Op::Free { id, part } => {
                let Some(held) = self.asked.get_mut(&id) else { return };
                let back = part.map_or(*held, |part| part.count.min(*held));
                *held -= back;
                self.pages -= u128::from(back);
                if *held == 0 {
                    self.asked.remove(&id);
                }
            }
            _ => {}
        }
    }
}

impl Metric for Load {
    fn values(&self) -> Vec<Value> {
        vec![
            Value::Count(self.most.try_into().unwrap_or(u64::MAX)),
            Value::share(self.most, self.area_pages.sum()),
        ]
    }
}
