//! Which pages are held, as a trace itself says.

use std::collections::{BTreeMap, VecDeque};

use cma_policies::Run;

use crate::op::Part;

/// How many events later a release may stand than the grant of its pages to somebody else. The
/// event of `cma_release()` (`mm/cma.c`) follows the clearing of the bits.
const LATEST: u64 = 64;

/// A piece of a buffer.
#[derive(Clone, Copy, Debug)]
struct Piece {
    count: u64,
    id: u64,
}

/// A buffer that is held, in whole or in part.
#[derive(Clone, Copy, Debug)]
struct Buffer {
    pfn: u64,
    left: u64,
}

/// A free: of buffer `id`, all that is left or a part, and the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Free {
    pub(super) id: u64,
    pub(super) part: Option<Part>,
    pub(super) run: Run,
}

/// What became of a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Released {
    /// This was given back.
    Free(Free),
    /// It had been concluded before.
    Before,
    /// Nothing here is held.
    Unknown,
    /// Some of it is held, but not as one piece.
    Odd,
}

/// The buffers that are held.
#[derive(Default, Debug)]
pub(super) struct Live {
    /// First page to piece; disjoint.
    pieces: BTreeMap<u64, Piece>,
    buffers: BTreeMap<u64, Buffer>,
    /// Releases that were concluded from a grant, and when: they are still to come.
    due: VecDeque<(u64, Run)>,
    /// Events so far.
    now: u64,
    /// Releases that came behind a grant of their pages.
    pub(super) late: u64,
    /// Grants over pages whose release never came.
    pub(super) missing: u64,
}

impl Live {
    /// `run` is granted as `id`. What held a page of it must have been given back before, taken as
    /// the whole of what was left: `free` is called for each.
    pub(super) fn grant(&mut self, id: u64, run: Run, free: &mut dyn FnMut(Free)) {
        self.tick();
        self.clear(run, free);
        self.pieces.insert(run.pfn.0, Piece { count: run.count, id });
        self.buffers.insert(id, Buffer { pfn: run.pfn.0, left: run.count });
    }

    /// Nobody holds a page of `run`: what did has given it back before, as in [`Live::grant`]. It is
    /// no event: a call may be busy any number of times while a release is due.
    pub(super) fn clear(&mut self, run: Run, free: &mut dyn FnMut(Free)) {
        while let Some(there) = self.overlapping(run) {
            if let Released::Free(freed) = self.release(there) {
                self.due.push_back((self.now, there));
                free(freed);
            }
        }
    }

    /// The event of a release of `run`.
    pub(super) fn give_back(&mut self, run: Run) -> Released {
        self.tick();
        if let Some(at) = self.due.iter().position(|(_, due)| *due == run) {
            self.due.remove(at);
            self.late += 1;
            return Released::Before;
        }
        self.release(run)
    }

    /// Events were lost: a release that is due may be one of them.
    pub(super) fn forget(&mut self) {
        self.missing += self.due.len() as u64;
        self.due.clear();
    }

    /// Whether a page of `run` is held.
    pub(super) fn holds(&self, run: Run) -> bool {
        self.overlapping(run).is_some()
    }

    fn tick(&mut self) {
        self.now += 1;
        while self.due.front().is_some_and(|(at, _)| self.now - at > LATEST) {
            self.due.pop_front();
            self.missing += 1;
        }
    }

    /// The last piece that shares a page with `run`.
    fn overlapping(&self, run: Run) -> Option<Run> {
        let (&pfn, piece) = self.pieces.range(..run.end().0).next_back()?;
        let there = Run::new(pfn, piece.count);
        there.overlaps(run).then_some(there)
    }

    fn release(&mut self, run: Run) -> Released {
        let Some((&start, &piece)) = self.pieces.range(..=run.pfn.0).next_back() else {
            return if self.holds(run) { Released::Odd } else { Released::Unknown };
        };
        let there = Run::new(start, piece.count);
        if !there.contains(run) {
            return if self.holds(run) { Released::Odd } else { Released::Unknown };
        }
        self.pieces.remove(&start);
        let id = piece.id;
        let (front, end) = (run.pfn.0 - start, there.end().0 - run.end().0);
        if front > 0 {
            self.pieces.insert(start, Piece { count: front, id });
        }
        if end > 0 {
            self.pieces.insert(run.end().0, Piece { count: end, id });
        }
        let Some(buffer) = self.buffers.get_mut(&id) else { return Released::Unknown };
        let offset = run.pfn.0.saturating_sub(buffer.pfn);
        buffer.left = buffer.left.saturating_sub(run.count);
        let part = if buffer.left == 0 {
            self.buffers.remove(&id);
            None
        } else {
            Some(Part { offset, count: run.count })
        };
        Released::Free(Free { id, part, run })
    }
}

/// A set of pages as disjoint runs that do not touch.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Pages(BTreeMap<u64, u64>);

impl Pages {
    /// Puts the pages of `run` in.
    pub(super) fn insert(&mut self, run: Run) {
        let (mut start, mut end) = (run.pfn.0, run.end().0);
        while let Some((&at, &until)) = self.0.range(..=end).next_back()
            && until >= start
        {
            self.0.remove(&at);
            (start, end) = (start.min(at), end.max(until));
        }
        if start < end {
            self.0.insert(start, end);
        }
    }

    /// Whether a page of `run` is in.
    pub(super) fn touches(&self, run: Run) -> bool {
        let below = self.0.range(..run.end().0).next_back();
        run.count > 0 && below.is_some_and(|(_, &until)| until > run.pfn.0)
    }

    /// The pages of `run` that are not in, as runs, ascending.
    pub(super) fn without(&self, run: Run, each: &mut dyn FnMut(Run)) {
        let (mut start, end) = (run.pfn.0, run.end().0);
        let below = self.0.range(..start).next_back();
        if let Some((_, &until)) = below {
            start = start.max(until);
        }
        for (&at, &until) in self.0.range(run.pfn.0..end) {
            if at > start {
                each(Run::new(start, at - start));
            }
            start = start.max(until);
        }
        if start < end {
            each(Run::new(start, end - start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn give(live: &mut Live, pfn: u64, count: u64) -> Released {
        live.give_back(Run::new(pfn, count))
    }

    fn grant(live: &mut Live, id: u64, pfn: u64, count: u64) -> Vec<u64> {
        let mut freed = Vec::new();
        live.grant(id, Run::new(pfn, count), &mut |free| freed.push(free.id));
        freed
    }

    fn free(id: u64, part: Option<(u64, u64)>, pfn: u64, count: u64) -> Released {
        let part = part.map(|(offset, count)| Part { offset, count });
        Released::Free(Free { id, part, run: Run::new(pfn, count) })
    }

    #[test]
    fn a_buffer_is_given_back_in_parts_and_once() {
        let mut live = Live::default();
        assert_eq!(grant(&mut live, 7, 100, 10), [0; 0]);
        assert_eq!(give(&mut live, 104, 2), free(7, Some((4, 2)), 104, 2));
        assert_eq!(give(&mut live, 104, 2), Released::Unknown, "given back already");
        assert_eq!(give(&mut live, 103, 2), Released::Odd, "half of it is");
        assert_eq!(give(&mut live, 98, 4), Released::Odd, "more than the buffer");
        assert_eq!(give(&mut live, 100, 4), free(7, Some((0, 4)), 100, 4));
        assert_eq!(give(&mut live, 106, 4), free(7, None, 106, 4), "all that is left");
        assert_eq!(give(&mut live, 106, 4), Released::Unknown);
        assert!(live.pieces.is_empty() && live.buffers.is_empty());
    }

    #[test]
    fn a_grant_over_held_pages_concludes_their_release_once() {
        let mut live = Live::default();
        grant(&mut live, 1, 0, 4);
        grant(&mut live, 2, 4, 4);
        assert_eq!(grant(&mut live, 3, 0, 8), [2, 1]);
        assert_eq!(give(&mut live, 0, 4), Released::Before);
        assert_eq!(give(&mut live, 0, 8), free(3, None, 0, 8));
        assert_eq!((live.late, live.missing), (1, 0));
        live.forget();
        assert_eq!((live.late, live.missing), (1, 1), "that of 4..8 never came");
    }

    #[test]
    fn a_release_that_never_comes_is_waited_for_in_vain_for_so_long() {
        let mut live = Live::default();
        grant(&mut live, 1, 0, 4);
        grant(&mut live, 2, 0, 4);
        for other in 0..LATEST {
            grant(&mut live, 10 + other, 100 + other, 1);
        }
        assert_eq!((live.late, live.missing), (0, 0));
        assert_eq!(give(&mut live, 0, 4), free(2, None, 0, 4));
        assert_eq!((live.late, live.missing), (0, 1));
    }

    #[test]
    fn pages_join_where_they_touch() {
        let mut pages = Pages::default();
        for (pfn, count) in [(10, 5), (20, 5), (15, 5), (0, 1), (u64::MAX - 1, 9), (50, 0)] {
            pages.insert(Run::new(pfn, count));
        }
        assert_eq!(pages.0, BTreeMap::from([(0, 1), (10, 25), (u64::MAX - 1, u64::MAX)]));
        assert!(pages.touches(Run::new(24, 1)) && !pages.touches(Run::new(25, 9)));
        assert!(!pages.touches(Run::new(24, 0)));
        let mut gaps = Vec::new();
        pages.without(Run::new(0, 30), &mut |gap| gaps.push((gap.pfn.0, gap.count)));
        assert_eq!(gaps, [(1, 9), (25, 5)]);
        gaps.clear();
        pages.without(Run::new(12, 3), &mut |gap| gaps.push((gap.pfn.0, gap.count)));
        assert!(gaps.is_empty());
    }
}
