//! LOAD: what the stream asks of any area, whatever is granted.

use super::ledger::Change;
use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::op::Timed;
use crate::oracle::Model;
use crate::simulate::Observer;

pub(super) const ENTRY: Entry = Entry {
    name: "load",
    columns: &[
        Column::pages(
            "load_max_pages",
            "LOAD: the most pages live at once in all areas, were every request granted, with \
                    what was there before; without those that go to no area",
        ),
        Column::share("load_measured", "LOAD of all pages of all areas"),
    ],
    of: Of::Stream,
    build: |_| Box::new(Load::default()),
};

#[derive(Default)]
struct Load {
    pages: u128,
    most: u128,
    area_pages: PerArea<u64>,
}

impl Observer for Load {
    fn boot(&mut self, _: u64, area: usize, model: &Model) {
        *self.area_pages.at(area) = model.area().pages();
    }

    fn asked(&mut self, _: Option<usize>, _: &Timed) {
        // What was live before counts from the first op on, what only held its place never does.
        self.most = self.most.max(self.pages);
    }
}

impl Metric for Load {
    fn changed(&mut self, change: &Change<'_>) {
        self.pages += change.now.map_or(0, |block| u128::from(block.pages()));
        self.pages -= change.before.as_ref().map_or(0, |block| u128::from(block.pages()));
        if !change.is_warm_up {
            self.most = self.most.max(self.pages);
        }
    }

    fn values(&self) -> Vec<Value> {
        vec![Value::sum(self.most), Value::share(self.most, self.area_pages.sum())]
    }
}
