//! What is granted, and the checks on what is given back.

use alloc::vec;
use alloc::vec::Vec;

use crate::area::Area;
use crate::error::FreeError;
use crate::mutant::mutate;
use crate::run::{Pfn, Run};

/// The table of grants: it knows a free of what is live from every other one.
///
/// `note` is the policy's own, for what the run alone does not say (how much was marked for it).
///
/// A free of what was granted costs O(1); one that begins elsewhere looks through all grants.
#[derive(Clone, Default, Debug)]
pub struct Live {
    /// By the first page, each in the first vacant place from that of its hash on, going round.
    /// At most three quarters are held, of a power of two or none.
    places: Vec<Held>,
    grants: usize,
}

/// A grant, or (no pages) a vacant place.
#[derive(Clone, Copy, Debug)]
struct Held {
    run: Run,
    note: u64,
}

/// The least places of a table that has some.
const LEAST: usize = 16;

const VACANT: Held = Held { run: Run::new(0, 0), note: 0 };

impl Live {
    /// `run`, at least one page, was granted. It must not overlap what is live.
    pub fn grant(&mut self, run: Run, note: u64) {
        if self.places.len() * 3 <= self.grants * 4 {
            self.resize((self.places.len() * 2).max(LEAST));
        }
        let at = self.find(run.pfn);
        self.grants += usize::from(self.places[at].run.count == 0);
        self.places[at] = Held { run, note };
    }

    /// Makes so many places, a power of two, of those that there are.
    fn resize(&mut self, places: usize) {
        let old = core::mem::replace(&mut self.places, vec![VACANT; places]);
        for held in old.into_iter().filter(|held| held.run.count > 0) {
            let at = self.find(held.run.pfn);
            self.places[at] = held;
        }
    }

    /// Where the search for a grant at `pfn` begins: Fibonacci hashing.
    fn home(&self, pfn: Pfn) -> usize {
        let mixed = pfn.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.places.len() - 1)
    }

    /// The place of the grant at `pfn`, or the vacant one that ends the search for it.
    fn find(&self, pfn: Pfn) -> usize {
        let mut at = self.home(pfn);
        while self.places[at].run.count > 0 && self.places[at].run.pfn != pfn {
            at = (at + 1) & (self.places.len() - 1);
        }
        at
    }

    /// Vacates a place: what was pushed on past it moves up.
    fn vacate(&mut self, place: usize) {
        let last = self.places.len() - 1;
        let (mut vacant, mut at) = (place, place);
        loop {
            at = (at + 1) & last;
            if self.places[at].run.count == 0 {
                break;
            }
            let home = self.home(self.places[at].run.pfn);
            if (at.wrapping_sub(home) & last) >= (at.wrapping_sub(vacant) & last) {
                self.places[vacant] = self.places[at];
                vacant = at;
            }
        }
        self.places[vacant] = VACANT;
        self.grants -= 1;
        // Who frees a part looks through all of them.
        if self.places.len() > LEAST && self.grants * 8 < self.places.len() {
            self.resize(self.places.len() / 2);
        }
    }

    /// The place of the grant that page `pfn` is in.
    fn holder(&self, pfn: Pfn) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let at = self.find(pfn);
        if self.places[at].run.count > 0 {
            return Some(at);
        }
        self.places.iter().position(|held| held.run.contains(Run { pfn, count: 1 }))
    }

    /// Takes `run` out of the table and answers its note. Where `parts` holds, a part of a grant
    /// may be taken, and what is left of it stays with the same note.
    ///
    /// # Errors
    /// A run outside every range of `area`, one whose first page is not granted, and one that is
    /// not what was granted there. Then nothing changes.
    pub fn take(&mut self, area: &Area, run: Run, parts: bool) -> Result<u64, FreeError> {
        if area.range_of(run).is_none() {
            return Err(FreeError::OutsideArea);
        }
        if run.count == 0 {
            return Err(FreeError::NotAllocated);
        }
        let Some(at) = self.holder(run.pfn) else { return Err(FreeError::NotAllocated) };
        let Held { run: live, note } = self.places[at];
        if live != run && !(parts && live.contains(run)) {
            return Err(FreeError::Mismatch);
        }
        self.vacate(at);
        let front = Run { pfn: live.pfn, count: run.pfn.0 - live.pfn.0 };
        let back = Run { pfn: run.end(), count: live.end().0 - run.end().0 };
        let least = mutate!(LostTail: 1 => 2);
        for rest in [front, back].into_iter().filter(|rest| rest.count >= least) {
            self.grant(rest, note);
        }
        Ok(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    const PARTS: bool = true;

    fn live() -> (Area, Live) {
        let mut live = Live::default();
        live.grant(Run::new(110, 10), 1);
        live.grant(Run::new(120, 5), 2);
        (Area::single(100, 100, 0).unwrap(), live)
    }

    #[test]
    fn only_what_was_granted_can_be_taken_and_only_once() {
        let (area, mut live) = live();
        for (run, error) in [
            (Run::new(90, 10), FreeError::OutsideArea),
            (Run::new(195, 6), FreeError::OutsideArea),
            (Run::new(100, 10), FreeError::NotAllocated),
            (Run::new(125, 1), FreeError::NotAllocated),
            (Run::new(110, 0), FreeError::NotAllocated),
            (Run::new(110, 9), FreeError::Mismatch),
            (Run::new(110, 11), FreeError::Mismatch),
            (Run::new(111, 9), FreeError::Mismatch),
            (Run::new(110, 15), FreeError::Mismatch),
        ] {
            assert_eq!(live.take(&area, run, !PARTS), Err(error), "{run}");
        }
        assert_eq!(live.take(&area, Run::new(120, 5), !PARTS), Ok(2));
        assert_eq!(live.take(&area, Run::new(120, 5), !PARTS), Err(FreeError::NotAllocated));
        assert_eq!(live.take(&area, Run::new(110, 10), !PARTS), Ok(1));
    }

    #[test]
    fn a_part_from_the_middle_leaves_both_ends() {
        let (area, mut live) = live();
        assert_eq!(live.take(&area, Run::new(115, 6), PARTS), Err(FreeError::Mismatch));
        assert_eq!(live.take(&area, Run::new(113, 4), PARTS), Ok(1));
        assert_eq!(live.take(&area, Run::new(113, 1), PARTS), Err(FreeError::NotAllocated));
        assert_eq!(live.take(&area, Run::new(112, 2), PARTS), Err(FreeError::Mismatch));
        assert_eq!(live.take(&area, Run::new(110, 3), PARTS), Ok(1));
        assert_eq!(live.take(&area, Run::new(117, 3), PARTS), Ok(1));
        assert_eq!(live.take(&area, Run::new(117, 3), PARTS), Err(FreeError::NotAllocated));
    }
    /// Grants and frees at random, few enough places that many search on, beside a tree.
    #[test]
    fn a_grant_is_found_until_it_is_taken() {
        let area = Area::single(0, 1 << 16, 0).unwrap();
        let (mut live, mut tree) = (Live::default(), BTreeMap::new());
        let mut draw = 1_u64;
        for note in 0..20_000 {
            draw = draw
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let run = Run::new(draw >> 40 & 0xff8, 1 + (draw >> 61));
            match tree.remove(&run.pfn) {
                None if draw >> 35 & 3 == 0 => {
                    assert_eq!(live.take(&area, run, PARTS), Err(FreeError::NotAllocated));
                }
                None => {
                    live.grant(run, note);
                    tree.insert(run.pfn, (run, note));
                }
                Some((run, note)) => assert_eq!(live.take(&area, run, !PARTS), Ok(note)),
            }
            assert_eq!(live.grants, tree.len());
        }
        assert!(tree.len() > 100 && live.places.len() > 100);
        for (run, note) in tree.into_values() {
            assert_eq!(live.take(&area, run, !PARTS), Ok(note));
        }
        assert!(live.places.iter().all(|held| held.run.count == 0));
        assert_eq!(live.places.len(), LEAST);
    }
}
