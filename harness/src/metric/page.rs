//! The size of a page: what makes MiB of every number of pages beside it.

use super::{Column, Entry, Metric, Of, Value};
use crate::page::Page;
use crate::simulate::Observer;

pub(super) const ENTRY: Entry = Entry {
    name: "page",
    columns: &[Column { name: "page_kib", unit: "KiB", about: "the size of a page" }],
    of: Of::Requests,
    build: |setting| Box::new(Its(setting.page)),
};

struct Its(Page);

impl Observer for Its {}

impl Metric for Its {
    fn values(&self) -> Vec<Value> {
        vec![Value::Count(self.0.kib())]
    }
}
