//! What drivers print of the buffers that they hold: the end of a request that was refused.

use std::sync::Arc;

use super::Reported;
use super::SECOND_US;
use super::driver::Complaint;
use super::reports::Reports;
use super::window::{Belief, Id};
use crate::diagnose::Held;
use crate::ingest::log::{Holder, Part};
use crate::timeline::Place;

/// Lines between two pieces of a dump, and between a request and its dump.
const NEAR_LINES: u64 = 8;

/// Lines within which a driver asks again for what it did not get.
const AGAIN_LINES: u64 = 16;

/// The dumps that were read last.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    /// Of vc4, the failures that it is of, and its last line.
    last: Option<(Arc<Held>, Vec<Id>, Place)>,
    /// Of dma-bufs.
    pub(super) exported: Option<Arc<Held>>,
}

impl Reports {
    /// A piece of a dump.
    pub(super) fn held(
        &mut self,
        holder: Holder,
        part: Part,
        bytes: Option<u64>,
        buffers: Option<u64>,
    ) {
        let new = || Held::new(holder, Arc::clone(&self.source), self.at.line);
        if holder == Holder::DmaBuf {
            let goes_on =
                |held: &&mut Arc<Held>| held.source == self.source && !held.has(&part, bytes);
            match self.dumps.exported.as_mut().filter(goes_on) {
                Some(held) => Arc::make_mut(held).add(part, bytes, buffers),
                None => {
                    let mut held = new();
                    held.add(part, bytes, buffers);
                    self.dumps.exported = Some(Arc::new(held));
                }
            }
            return;
        }
        let at = self.at;
        let goes_on = |(held, _, last): &(Arc<Held>, Vec<Id>, Place)| {
            last.is_near(at, NEAR_LINES, SECOND_US) && !held.has(&part, bytes)
        };
        let last = self.dumps.last.take().filter(goes_on);
        let (mut held, ids, _) = match last {
            Some(last) => last,
            None => (Arc::new(new()), self.refused_for(&part), at),
        };
        if part == Part::Head {
            // Its first line says that it got nothing.
            let (device, shape) = (Some(Arc::from("vc4")), Some("vc4"));
            let said = Complaint { bytes: None, cma: true, dma: true, device, shape };
            ids.iter().for_each(|id| self.reported(*id, &said));
        }
        Arc::make_mut(&mut held).add(part, bytes, buffers);
        for id in &ids {
            if let Some(open) = self.window.get_mut(*id) {
                open.held = Some(Arc::clone(&held));
                open.last = at;
            }
        }
        self.dumps.last = Some((held, ids, at));
    }

    /// The failures that a dump is of, which begins with `part`: those just before, or one of which
    /// only the dump's first line tells.
    fn refused_for(&mut self, part: &Part) -> Vec<Id> {
        let before = self.window.latest(1).next().filter(|(_, open)| {
            open.held.is_none() && open.last.is_near(self.at, NEAR_LINES, SECOND_US)
        });
        let before = before.map(|(id, _)| id);
        if *part != Part::Head {
            return before.into_iter().collect();
        }
        if let Some(id) = before {
            return self.first_try(id);
        }
        self.driver_alone(None, true);
        self.window.latest(1).map(|(id, _)| id).collect()
    }

    /// The tries of one request, of which the last one is `id`. Where only the driver reports them
    /// there is one failure, the first.
    fn first_try(&mut self, id: Id) -> Vec<Id> {
        let mut tries = vec![id];
        let Some(last) = self.window.get(id) else { return tries };
        let (count, mut at) = (last.incident.count, last.last);
        let is_drivers = last.incident.reported == Reported::Driver;
        for (other, open) in self.window.latest(8).skip(1).filter(|_| count.is_some()) {
            let incident = &open.incident;
            let is_same_kind = (incident.reported == Reported::Driver) == is_drivers;
            let is_near = open.last.is_near(at, AGAIN_LINES, SECOND_US);
            if !is_same_kind || incident.count != count || open.held.is_some() || !is_near {
                break;
            }
            tries.push(other);
            at = open.last;
        }
        if !is_drivers {
            return tries;
        }
        let first = tries.pop().unwrap_or(id);
        for other in &tries {
            if let Some(open) = self.window.get_mut(*other) {
                open.belief = Belief::Gone;
            }
        }
        if let Some(open) = self.window.get_mut(first) {
            open.incident.duplicates += tries.len() as u64;
        }
        vec![first]
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use crate::ingest::log::{Holder, Part, Record, Shape};

    fn driver(bytes: Option<u64>, cma: bool) -> Record {
        Record::Driver { bytes, cma, dma: cma, device: None, shape: None }
    }

    fn piece(part: Part, kib: u64) -> Record {
        let (bytes, buffers) = (Some(kib << 10), Some(1));
        Record::Held { holder: Holder::Vc4, part, bytes, buffers }
    }

    fn head() -> Record {
        Record::Held { holder: Holder::Vc4, part: Part::Head, bytes: None, buffers: None }
    }

    fn dump(script: Script) -> Script {
        script.say(head()).say(piece(Part::Of("V3D".into()), 64)).say(piece(Part::Cached, 4))
    }

    #[test]
    fn tries_a_dump_and_what_follows_are_one_failure() {
        let tried =
            Script::new().say(driver(Some(1 << 24), false)).say(driver(Some(1 << 24), false));
        let failure = dump(tried).say(driver(None, true)).only();
        let incident = &failure.incident;
        assert_eq!((incident.count, incident.line, incident.duplicates), (Some(4096), 1, 1));
        let held = incident.bounds.as_ref().and_then(|bounds| bounds.held.clone()).unwrap();
        assert_eq!((held.cma_bytes(), held.line), (Some(68 << 10), 3));
    }

    #[test]
    fn without_a_size_it_is_one_failure_too() {
        let failure = dump(Script::new()).say(driver(None, true)).only();
        assert_eq!((failure.incident.count, failure.incident.line), (None, 1));
    }

    #[test]
    fn each_head_is_a_request() {
        let twice = dump(dump(Script::new())).failures();
        assert_eq!(twice.len(), 2);
        let sized = |script: Script| dump(script.say(driver(Some(1 << 24), false)));
        assert_eq!(sized(sized(Script::new())).failures().len(), 2);
    }

    #[test]
    fn what_the_kernel_counts_is_not_made_less() {
        let tried = |script: Script| {
            script.fail(Shape::Unnamed, 4096, -12).say(driver(Some(1 << 24), false))
        };
        let failures = dump(tried(tried(Script::new()))).failures();
        assert_eq!(failures.len(), 2);
        assert!(failures.iter().all(|failure| failure.incident.bounds.is_some()));
    }

    #[test]
    fn a_dump_alone_is_no_failure() {
        let script = Script::new().say(piece(Part::Of("V3D".into()), 64));
        assert!(script.failures().is_empty());
    }
}
