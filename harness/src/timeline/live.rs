//! Which pages are held, as the events of an area themselves say.

use std::collections::{BTreeMap, VecDeque};

use cma_policies::Run;
use cma_policies::kit::RunMap;

use crate::op::Part;

/// How many events later a release may be than the grant of its pages to somebody else. The event
/// of `cma_release()` (`mm/cma.c`) follows the clearing of the bits.
const LATEST: u64 = 64;

/// A piece of a buffer: of which one, and the first page of that when it was whole.
#[derive(Clone, Copy, Debug)]
struct Piece {
    id: u64,
    first: u64,
}

/// A free: of buffer `id`, all that is left or a part, and the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Free {
    /// The buffer.
    pub(crate) id: u64,
    /// The part of it; `None`: all that is left.
    pub(crate) part: Option<Part>,
    /// The pages.
    pub(crate) run: Run,
}

/// What became of a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Released {
    /// This was given back.
    Free(Free),
    /// It had been concluded before.
    Before,
    /// Nothing here is held.
    Unknown,
    /// Some of it is held, but not as one piece.
    Odd,
}

/// The buffers that are held. A grant or a release costs O(log n) of the pieces.
#[derive(Clone, Default, Debug)]
pub(crate) struct Live {
    pieces: RunMap<Piece>,
    /// Pages that are left of each buffer of which some were given back.
    parted: BTreeMap<u64, u64>,
    /// Pages of all pieces.
    taken: u64,
    /// Releases that were concluded from a grant, and when: they are still to come.
    due: VecDeque<(u64, Run)>,
    /// Events so far.
    now: u64,
    late: u64,
    missing: u64,
}

impl Live {
    /// The number of what a bitmap shows: how many buffers it is made of is not known.
    pub(crate) const BEFORE: u64 = u64::MAX;

    /// `run` is granted as `id`. What held a page of it must have been given back before, taken as
    /// the whole of what was left: `free` is called for each.
    pub(crate) fn grant(&mut self, id: u64, run: Run, free: &mut dyn FnMut(Free)) {
        self.tick();
        while !self.hold(id, run)
            && let Some(there) = self.pieces.last(run)
        {
            self.conclude(there, free);
        }
    }

    /// `run` is held by `id`, as in a picture of one moment. Returns whether it is: not where a page
    /// of it is held.
    pub(crate) fn hold(&mut self, id: u64, run: Run) -> bool {
        let is_held = self.pieces.insert(run, Piece { id, first: run.pfn.0 });
        self.taken = self.taken.saturating_add(if is_held { run.count } else { 0 });
        is_held
    }

    /// The bits of `run` were found clear: whoever held a page of it has given it back before, as in
    /// [`Live::grant`]. It is no event: a call may be busy any number of times while a release is
    /// due.
    ///
    /// Of a buffer of which a part was given back the rest may live on under a clear bit (with
    /// order_per_bit above 0, `cma_clear_bitmap()` of `mm/cma.c`): of that nothing is concluded, nor
    /// of what a bitmap showed.
    pub(crate) fn clear(&mut self, run: Run, free: &mut dyn FnMut(Free)) {
        let whole = |(there, piece): (Run, &Piece)| {
            let is_part = piece.id == Self::BEFORE || self.parted.contains_key(&piece.id);
            (!is_part).then_some(there)
        };
        let whole: Vec<Run> = self.pieces.overlapping(run).filter_map(whole).collect();
        whole.into_iter().rev().for_each(|there| self.conclude(there, free));
    }

    fn conclude(&mut self, there: Run, free: &mut dyn FnMut(Free)) {
        if let Released::Free(freed) = self.release(there) {
            self.due.push_back((self.now, there));
            free(freed);
        }
    }

    /// The event of a release of `run`.
    pub(crate) fn give_back(&mut self, run: Run) -> Released {
        self.tick();
        if let Some(at) = self.due.iter().position(|(_, due)| *due == run) {
            self.due.remove(at);
            self.late += 1;
            return Released::Before;
        }
        self.release(run)
    }

    /// Events were lost: a release that is due may be one of them.
    pub(crate) fn forget(&mut self) {
        self.missing += self.due.len() as u64;
        self.due.clear();
    }

    /// Pages that are held.
    pub(crate) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Releases that came after a grant of their pages.
    pub(crate) const fn late(&self) -> u64 {
        self.late
    }

    /// Grants over pages whose release never came.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    /// Whether a release is still to come that was concluded.
    pub(crate) fn any_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// How many pieces there are.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The pieces, ascending, and the buffer of each.
    pub(crate) fn pieces(&self) -> impl DoubleEndedIterator<Item = (Run, u64)> {
        self.pieces.iter().map(|(run, piece)| (run, piece.id))
    }

    /// The pages of `area` that nobody holds, ascending.
    pub(crate) fn gaps(&self, area: Run) -> impl Iterator<Item = Run> {
        self.pieces.gaps(area)
    }

    fn tick(&mut self) {
        self.now += 1;
        while self.due.front().is_some_and(|(at, _)| self.now - at > LATEST) {
            self.due.pop_front();
            self.missing += 1;
        }
    }

    fn release(&mut self, run: Run) -> Released {
        let Some((whole, Piece { id, first })) = self.pieces.take(run) else {
            return if self.pieces.touches(run) { Released::Odd } else { Released::Unknown };
        };
        self.taken -= run.count;
        let left = self.parted.remove(&id).unwrap_or(whole.count) - run.count;
        let part = (left > 0 && id != Self::BEFORE).then(|| {
            self.parted.insert(id, left);
            Part { offset: run.pfn.0 - first, count: run.count }
        });
        Released::Free(Free { id, part, run })
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
        assert!(live.pieces.is_empty() && live.parted.is_empty() && live.taken == 0);
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
    fn a_busy_claim_says_nothing_of_what_is_left_of_a_buffer() {
        let mut live = Live::default();
        grant(&mut live, 1, 0, 8);
        grant(&mut live, 2, 8, 8);
        live.hold(Live::BEFORE, Run::new(16, 8));
        give(&mut live, 0, 4);
        let mut freed = Vec::new();
        live.clear(Run::new(0, 24), &mut |free| freed.push(free.id));
        assert_eq!(freed, [2]);
        assert_eq!(live.taken(), 12);
    }

    #[test]
    fn the_pages_taken_are_the_sum_of_what_is_there() {
        let mut live = Live::default();
        live.hold(Live::BEFORE, Run::new(100, 50));
        for step in 0..400u64 {
            let (pfn, count) = (step * 37 % 230, step % 9 + 1);
            if step % 3 == 0 {
                give(&mut live, pfn, count);
            } else {
                grant(&mut live, step, pfn, count);
            }
            let sum: u64 = live.pieces().map(|(run, _)| run.count).sum();
            assert_eq!(live.taken(), sum, "step {step}");
        }
    }
}
