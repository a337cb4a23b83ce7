//! Pages asked for and withheld by size: R3 of each class, so that count and weight stand side by
//! side there too.

use super::{CLASSES, Column, Entry, Metric, Of, Value};
use crate::cause::Cause;
use crate::simulate::{Observer, Step};

const fn asked(name: &'static str) -> Column {
    Column { name, unit: "pages", about: "pages of all requests of so many pages" }
}

const fn withheld(name: &'static str) -> Column {
    Column { name, unit: "pages", about: "those of them refused with enough pages free" }
}

pub(super) const ENTRY: Entry = Entry {
    name: "class-pages",
    columns: &[
        asked("requested_pages_1_16"),
        withheld("withheld_pages_1_16"),
        asked("requested_pages_17_256"),
        withheld("withheld_pages_17_256"),
        asked("requested_pages_257_2048"),
        withheld("withheld_pages_257_2048"),
        asked("requested_pages_2049_up"),
        withheld("withheld_pages_2049_up"),
    ],
    of: Of::Stream,
    build: |_| Box::new(ClassPages::default()),
};

#[derive(Default)]
struct ClassPages {
    pages: [[u128; 2]; CLASSES.len()],
}

impl Observer for ClassPages {
    fn step(&mut self, step: &Step<'_>) {
        let Some(request) = step.request() else { return };
        let class = CLASSES.iter().position(|&(_, most)| request.count() <= most);
        let [asked, withheld] = &mut self.pages[class.expect("the last class has no end")];
        *asked += u128::from(request.count());
        if step.cause.is_some_and(Cause::is_withheld) {
            *withheld += u128::from(request.count());
        }
    }
}

impl Metric for ClassPages {
    fn values(&self) -> Vec<Value> {
        let count = |pages: &u128| Value::Count((*pages).try_into().unwrap_or(u64::MAX));
        self.pages.iter().flatten().map(count).collect()
    }
}
