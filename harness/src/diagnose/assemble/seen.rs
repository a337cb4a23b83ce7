//! What was reported before: one failure in two captures is one failure.

use rustc_hash::FxHashMap;

use super::window::Id;
use crate::timeline::Place;

/// Which kind of report.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Line,
    List,
    Trace,
    Debug,
    Driver,
}

/// What sets two reports of a kind apart: when it was printed, and how many pages it names.
type Key = (Kind, u64, u64);

/// The reports of the failures that are open. Looked up only, never walked through.
#[derive(Debug, Default)]
pub(super) struct Seen {
    reports: FxHashMap<Key, (Id, u32)>,
    /// The last source whose clock is known to tick in microseconds.
    fine: Option<u32>,
    /// The keys of a failure, in its order.
    keys: std::collections::VecDeque<(Id, Key)>,
}

impl Seen {
    /// The failure that was reported so before, at the same microsecond.
    pub(super) fn find(&self, kind: Kind, at: Place, count: u64) -> Option<Id> {
        let time = at.time_us?;
        let (id, source) = *self.reports.get(&(kind, time, count))?;
        // A clock that ticks in milliseconds stamps different failures alike.
        let fine = self.fine == Some(at.source);
        let coarse = time.is_multiple_of(1000) && source == at.source && !fine;
        (!coarse).then_some(id)
    }

    /// It is reported so.
    pub(super) fn note(&mut self, kind: Kind, at: Place, count: u64, id: Id) {
        let Some(time) = at.time_us else { return };
        if !time.is_multiple_of(1000) {
            self.fine = Some(at.source);
        }
        let key = (kind, time, count);
        if self.reports.insert(key, (id, at.source)).is_none() {
            self.keys.push_back((id, key));
        }
    }

    /// Failures before number `first` are done.
    pub(super) fn forget(&mut self, first: Id) {
        while let Some((id, key)) = self.keys.front().copied().filter(|(id, _)| *id < first) {
            self.keys.pop_front();
            match self.reports.get(&key) {
                // It came up again for a later one.
                Some((later, _)) if *later >= first => self.keys.push_back((*later, key)),
                _ => {
                    self.reports.remove(&key);
                }
            }
            debug_assert!(id < first, "only what is done is forgotten");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time_us: Option<u64>, source: u32) -> Place {
        Place { time_us, source, ..Place::default() }
    }

    #[test]
    fn the_same_microsecond_is_the_same_report() {
        let mut seen = Seen::default();
        seen.note(Kind::Line, at(Some(1_234_567), 1), 256, 7);
        assert_eq!(seen.find(Kind::Line, at(Some(1_234_567), 1), 256), Some(7));
        assert_eq!(seen.find(Kind::Line, at(Some(1_234_567), 1), 255), None);
        assert_eq!(seen.find(Kind::List, at(Some(1_234_567), 1), 256), None);
        assert_eq!(seen.find(Kind::Line, at(None, 1), 256), None);
        seen.forget(8);
        assert_eq!(seen.find(Kind::Line, at(Some(1_234_567), 1), 256), None);
    }

    #[test]
    fn a_coarse_clock_tells_nothing_within_one_source() {
        let mut seen = Seen::default();
        seen.note(Kind::Line, at(Some(1_230_000), 1), 256, 7);
        assert_eq!(seen.find(Kind::Line, at(Some(1_230_000), 1), 256), None);
        assert_eq!(seen.find(Kind::Line, at(Some(1_230_000), 2), 256), Some(7));
        // A clock of microseconds shows such a stamp by chance.
        seen.note(Kind::Line, at(Some(1_230_017), 1), 256, 8);
        assert_eq!(seen.find(Kind::Line, at(Some(1_230_000), 1), 256), Some(7));
    }
}
