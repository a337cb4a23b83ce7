//! LOAD of each area by itself: an area is full or not whatever others of its board have free.

use super::ledger::{Block, Change};
use super::per_area::PerArea;
use super::{Column, Entry, Metric, Of, Value};
use crate::op::Timed;
use crate::oracle::Model;
use crate::simulate::Observer;

/// The columns, one for each area up to the fourth, in the order of the board: the default one first.
pub(crate) const AREA_LOADS: [&str; 4] = [
    "load_max_pages_of_area_0",
    "load_max_pages_of_area_1",
    "load_max_pages_of_area_2",
    "load_max_pages_of_area_3",
];

const fn column(name: &'static str) -> Column {
    Column::pages(
        name,
        "LOAD of the area of this index on its board, 0 the default one: the most pages live at once \
         in it, were every request granted; empty where there is none",
    )
}

pub(super) const ENTRY: Entry = Entry {
    name: "area-load",
    columns: &[
        column(AREA_LOADS[0]),
        column(AREA_LOADS[1]),
        column(AREA_LOADS[2]),
        column(AREA_LOADS[3]),
    ],
    of: Of::Stream,
    build: |_| Box::new(AreaLoad::default()),
};

/// Of an area: pages that are asked for and not given back, and the most of them.
#[derive(Clone, Default)]
struct Asked {
    is_there: bool,
    now: u64,
    most: u64,
}

#[derive(Default)]
struct AreaLoad(PerArea<Asked>);

impl Observer for AreaLoad {
    fn boot(&mut self, _: u64, area: usize, _: &Model) {
        self.0.at(area).is_there = true;
    }

    fn asked(&mut self, area: Option<usize>, _: &Timed) {
        // What was live before counts from the first op on, as in LOAD.
        let asked = area.map(|area| self.0.at(area));
        asked.into_iter().for_each(|asked| asked.most = asked.most.max(asked.now));
    }
}

impl Metric for AreaLoad {
    fn changed(&mut self, change: &Change<'_>) {
        let asked = self.0.at(change.area);
        asked.now += change.now.map_or(0, Block::pages);
        asked.now -= change.before.as_ref().map_or(0, Block::pages);
        if !change.is_warm_up {
            asked.most = asked.most.max(asked.now);
        }
    }

    fn values(&self) -> Vec<Value> {
        let each = self.0.iter().map(|asked| match asked.is_there {
            true => Value::Count(asked.most),
            false => Value::None,
        });
        each.chain(std::iter::repeat(Value::None)).take(AREA_LOADS.len()).collect()
    }
}
