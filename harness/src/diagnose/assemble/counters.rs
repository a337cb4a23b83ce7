//! The counters of a board, as they were seen last.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// The most counters that are kept: more than 64 areas and the system have.
const MOST: usize = 512;

/// A counter of the system or of an area, as it was seen last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counter {
    /// The area, where it belongs to one.
    pub area: Option<Arc<str>>,
    /// Its name as the kernel spells it: `CmaFree`, `nr_free_cma`, `alloc_pages_fail`.
    pub name: Arc<str>,
    /// Its value, in [`Counter::unit`]s.
    pub value: u64,
}

impl Counter {
    /// What is counted: `bytes` in meminfo; `calls` or `pages` in vmstat and sysfs.
    pub fn unit(&self) -> &'static str {
        match &*self.name {
            "cma_alloc_success" | "cma_alloc_fail" => "calls",
            "nr_free_cma" => "pages",
            _ if self.area.is_some() => "pages",
            name if name.contains("_pages") => "pages",
            _ => "bytes",
        }
    }
}

/// Every counter, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Counters {
    all: Vec<Counter>,
    /// Looked up only, never walked through.
    index: FxHashMap<(Option<Arc<str>>, Arc<str>), usize>,
}

impl Counters {
    /// A counter has this value by now.
    pub(super) fn note(&mut self, area: Option<Arc<str>>, name: Arc<str>, value: u64) {
        let key = (area, name);
        if let Some(index) = self.index.get(&key) {
            self.all[*index].value = value;
        } else if self.all.len() < MOST {
            let (area, name) = key.clone();
            self.index.insert(key, self.all.len());
            self.all.push(Counter { area, name, value });
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Counter] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_each_is_kept() {
        let mut counters = Counters::default();
        let area: Arc<str> = "vpu".into();
        counters.note(None, "CmaFree".into(), 4096);
        counters.note(Some(Arc::clone(&area)), "alloc_pages_fail".into(), 1);
        counters.note(None, "alloc_pages_fail".into(), 2);
        counters.note(Some(area), "alloc_pages_fail".into(), 456);
        counters.note(None, "cma_alloc_fail".into(), 3);
        let all = counters.all().iter();
        let all: Vec<_> = all.map(|one| (&*one.name, one.value, one.unit())).collect();
        let expected = [
            ("CmaFree", 4096, "bytes"),
            ("alloc_pages_fail", 456, "pages"),
            ("alloc_pages_fail", 2, "pages"),
            ("cma_alloc_fail", 3, "calls"),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn their_number_is_bounded() {
        let mut counters = Counters::default();
        for number in 0..10_000 {
            counters.note(Some(format!("a{number}").into()), "total_pages".into(), number);
        }
        assert_eq!(counters.all().len(), MOST);
    }
}
