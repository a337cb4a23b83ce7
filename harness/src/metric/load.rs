//! LOAD: what the stream asks of any area, whatever is granted.

use std::collections::HashMap;

use super::{Column, Entry, Metric, Value};
use crate::op::Op;
use crate::simulate::{Answer, Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "load",
    columns: &[
        Column {
            name: "load_max_pages",
            unit: "pages",
            about: "LOAD: the most pages live at once, were every request granted",
        },
        Column { name: "load_measured", unit: "share", about: "LOAD of all pages of the area" },
    ],
    build: |_| Box::new(Load::default()),
};

#[derive(Default)]
struct Load {
    /// Pages asked for and not given back, by id: no more entries than buffers live at once.
    asked: HashMap<u64, u64>,
    pages: u128,
    most: u128,
    area_pages: u64,
}

impl Observer for Load {
    fn warm_up(&mut self, step: &Step<'_>) {
        self.note(step);
    }

    fn step(&mut self, step: &Step<'_>) {
        // What was live before counts from the first op on, what only held its place never does.
        self.most = self.most.max(self.pages);
        self.note(step);
        self.most = self.most.max(self.pages);
    }
}

impl Load {
    fn note(&mut self, step: &Step<'_>) {
        self.area_pages = step.model.area().pages();
        match step.op {
            Op::Alloc { id, request, .. } if step.outcome.is_some() => {
                let before = self.asked.insert(id, request.count()).unwrap_or(0);
                // An id that was refused and never given back can be asked for again.
                self.pages -= u128::from(before);
                self.pages += u128::from(request.count());
            }
            Op::Free { id, .. }
                if step.answer == Answer::NothingToFree && step.model.buffer(id).is_some() =>
            {
                // A part that the buffer does not have.
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
            Value::share(self.most, self.area_pages.into()),
        ]
    }
}
