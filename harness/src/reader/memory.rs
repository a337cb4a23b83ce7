//! What was found out of traces, so that they need not be looked through again.

use std::sync::{Arc, Mutex, PoisonError};

use super::Options;
use super::trace::Plan;
use crate::ingest::{Geometry, Source};

/// The most traces that are kept.
const MOST: usize = 16;

/// What was found out of traces that were opened under the same options, which each run of a replay
/// does anew. Copies share it. What was asked is kept with it, so that other options find nothing
/// here that is not theirs; a file that changes in the meantime is not noticed.
#[derive(Clone, Default, Debug)]
pub struct Memory(Arc<Mutex<Plans>>);

type Plans = Vec<(Asked, Arc<Plan>)>;

/// A trace and all that its plan depends on.
#[derive(Debug)]
struct Asked {
    source: Source,
    recorded_cap: Option<u32>,
    geometry: Geometry,
    area: Option<String>,
    beside: Vec<Source>,
    snapshot: Option<Source>,
}

impl Asked {
    fn new(source: &Source, options: &Options) -> Self {
        let Options { recorded_cap, geometry, area, snapshot, beside, .. } = options;
        Self {
            source: source.clone(),
            recorded_cap: *recorded_cap,
            geometry: geometry.clone(),
            area: area.clone(),
            beside: beside.clone(),
            snapshot: snapshot.clone(),
        }
    }

    fn is(&self, source: &Source, options: &Options) -> bool {
        let Options { recorded_cap, geometry, area, snapshot, beside, .. } = options;
        let are_same = |one: &[Source], other: &[Source]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is(other))
        };
        self.source.is(source)
            && (self.recorded_cap, &self.geometry, &self.area) == (*recorded_cap, geometry, area)
            && are_same(&self.beside, beside)
            && are_same(self.snapshot.as_slice(), snapshot.as_slice())
    }
}

impl Memory {
    /// What is known of the trace `source` under `options`.
    pub(super) fn of(&self, source: &Source, options: &Options) -> Option<Arc<Plan>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(asked, _)| asked.is(source, options));
        found.map(|(_, plan)| Arc::clone(plan))
    }

    /// Keeps what was found out.
    pub(super) fn keep(&self, source: &Source, options: &Options, plan: &Arc<Plan>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == MOST {
            known.remove(0);
        }
        known.push((Asked::new(source, options), Arc::clone(plan)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::open;

    #[test]
    fn other_options_find_nothing_that_is_not_theirs() {
        let text = "t-7 [000] .... 1.000001: cma_alloc: name=a pfn=40000 page=1 count=9 align=4\n\
                    t-7 [000] .... 1.000002: cma_alloc: name=b pfn=60000 page=1 count=9 align=4\n";
        let source = Source::bytes("t", text.as_bytes());
        let options = Options::default();
        let area = |source: &Source, options: &Options| {
            open(source, options).unwrap().area().unwrap().name().to_string()
        };
        assert_eq!((area(&source, &options), area(&source, &options)), ("a".into(), "a".into()));
        let of_b = Options { area: Some("b".to_string()), ..options.clone() };
        assert_eq!(area(&source, &of_b), "b");
        let other = text.replace("name=a", "name=a2");
        assert_eq!(area(&Source::bytes("t", other.as_bytes()), &options), "a2");
        assert_eq!(options.memory.0.lock().unwrap().len(), 3);
    }
}
