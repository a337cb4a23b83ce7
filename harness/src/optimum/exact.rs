//! The optimum of few boxes, by a search of all ways to place them.
//!
//! Whatever a placement is, each box can be moved down until it lies on page 0 or, but for its
//! align, on another: so there is a best one that is made by taking boxes in the order of their
//! offsets, each as low as it may lie above those taken before. All such orders are tried, without
//! those that
//!
//! - have a box below the one taken last (they are the same placement in another order),
//! - leave room for a box that is still to be placed (it could be moved there), or
//! - have more to place at some time than is left below the best end so far.

use super::Boxed;
use super::place::Placed;

/// Boxes at most, of a stream or of a part of it.
pub(super) const MOST: usize = 14;

/// Steps of one search at most.
pub(super) const STEPS: u64 = 50_000;

/// Boxes on either side of a peak of which the largest are searched.
const ABOUT: usize = 64;

/// What a search found.
pub(super) struct Solved {
    /// The best placement that it met.
    pub(super) placed: Placed,
    /// All ways were tried, so none is better.
    pub(super) is_optimum: bool,
}

/// The best placement of boxes, at most 32, within so many steps.
pub(super) fn solve(boxes: &[Boxed], steps: u64) -> Solved {
    assert!(boxes.len() <= 32, "{} boxes are too many to try all ways", boxes.len());
    let mut search = Search::of(boxes, steps);
    search.go(0, None);
    let Search { best, steps_left, .. } = search;
    Solved { placed: best, is_optimum: steps_left > 0 }
}

/// What boxes about these peaks need by themselves, which all boxes need too; as much as `enough`
/// need not be exceeded.
pub(super) fn about_peaks(boxes: &[Boxed], peaks: &[usize], enough: u64) -> u64 {
    let mut needed = 0;
    for peak in peaks {
        for few in [nearest(boxes, *peak), largest(boxes, *peak)] {
            // What is given back in parts counts as long as it is whole.
            let whole = |index: &usize| Boxed { to: boxes[*index].whole_to, ..boxes[*index] };
            let few: Vec<_> = few.iter().map(whole).collect();
            let solved = solve(&few, STEPS);
            if solved.is_optimum {
                needed = needed.max(solved.placed.pages);
            }
            if needed >= enough {
                return needed;
            }
        }
    }
    needed
}

/// The boxes whose requests are next to that of `peak`, in order of time.
fn nearest(boxes: &[Boxed], peak: usize) -> Vec<usize> {
    let from = peak.saturating_sub(MOST / 2).min(boxes.len().saturating_sub(MOST));
    (from..boxes.len().min(from + MOST)).collect()
}

/// The largest of the boxes that live when `peak` comes or are asked for soon after or before.
fn largest(boxes: &[Boxed], peak: usize) -> Vec<usize> {
    let (first, last) = (peak.saturating_sub(ABOUT), boxes.len().min(peak + ABOUT));
    let is_live = |index: &usize| boxes[*index].whole_to > boxes[peak].from;
    let mut few: Vec<_> = (0..first).filter(is_live).chain(first..last).collect();
    few.sort_by_key(|index| (std::cmp::Reverse(boxes[*index].count), *index));
    few.truncate(MOST);
    few
}

struct Search<'a> {
    boxes: &'a [Boxed],
    /// For each box the moments at which it lives, a bit for each: those at which one comes.
    lives: Vec<u32>,
    /// For each moment the end of what is placed, and the pages of what is not.
    tops: Vec<u64>,
    rest: Vec<u64>,
    offsets: Vec<u64>,
    is_placed: u32,
    best: Placed,
    steps_left: u64,
}

impl<'a> Search<'a> {
    fn of(boxes: &'a [Boxed], steps_left: u64) -> Self {
        let lives_at = |one: &Boxed, at: u64| one.from <= at && at < one.to;
        let moments = || (0..).zip(boxes.iter().map(|one| one.from));
        let lives = boxes.iter().map(|one| {
            let live = moments().filter(|(_, at)| lives_at(one, *at));
            live.fold(0, |bits, (moment, _): (u32, _)| bits | 1 << moment)
        });
        let rest = moments()
            .map(|(_, at)| boxes.iter().filter(|one| lives_at(one, at)).map(|one| one.count).sum());
        Self {
            boxes,
            lives: lives.collect(),
            tops: vec![0; boxes.len()],
            rest: rest.collect(),
            offsets: vec![0; boxes.len()],
            is_placed: 0,
            best: super::place::in_time(boxes),
            steps_left,
        }
    }

    /// The lowest place of a box above what is placed.
    fn place(&self, index: usize) -> u64 {
        let tops = moments(self.lives[index]).map(|moment| self.tops[moment]);
        tops.max().unwrap_or(0).next_multiple_of(1 << self.boxes[index].align)
    }

    /// Whether what is left may end below the best, all of it at `last` or above.
    fn has_hope(&self, last: u64) -> bool {
        let mut moments = self.tops.iter().zip(&self.rest).filter(|(_, rest)| **rest > 0);
        moments.all(|(top, rest)| last.max(*top) + rest < self.best.pages)
    }

    /// Places what is left; `last` is the offset and the number of the box that was placed last.
    fn go(&mut self, end: u64, last: Option<(u64, usize)>) {
        if self.steps_left == 0 || end >= self.best.pages {
            return;
        }
        self.steps_left -= 1;
        let open = |index: &usize| self.is_placed & 1 << index == 0;
        let mut next: Vec<_> =
            (0..self.boxes.len()).filter(open).map(|index| (self.place(index), index)).collect();
        if next.is_empty() {
            self.best = Placed { offsets: self.offsets.clone(), pages: end };
            return;
        }
        if !self.has_hope(last.map_or(0, |(offset, _)| offset)) {
            return;
        }
        let ends = next.iter().map(|(offset, index)| offset + self.boxes[*index].count);
        let room = ends.min().expect("one is left");
        next.retain(|place| *place < (room, 0) && last.is_none_or(|last| *place > last));
        next.sort_unstable();
        for (offset, index) in next {
            self.with(offset, index, end);
        }
    }

    /// Tries all ways with this box here.
    fn with(&mut self, offset: u64, index: usize, end: u64) {
        let count = self.boxes[index].count;
        let before = self.tops.clone();
        for moment in moments(self.lives[index]) {
            self.tops[moment] = offset + count;
            self.rest[moment] -= count;
        }
        self.offsets[index] = offset;
        self.is_placed |= 1 << index;
        self.go(end.max(offset + count), Some((offset, index)));
        self.is_placed &= !(1 << index);
        for moment in moments(self.lives[index]) {
            self.rest[moment] += count;
        }
        self.tops = before;
    }
}

/// The numbers of the bits that are set.
fn moments(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let moment = bits.checked_ilog2()?;
        bits &= !(1 << moment);
        Some(moment as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Boxes, bounds, check, load, place};
    use super::*;
    use crate::seed::Seed;

    /// Boxes of a few pages, as many as `most`, from a seed.
    fn drawn(number: u64, most: u64, pages: u64) -> Vec<Boxed> {
        let mut draws = Seed::new(number).child("boxes", most).rng();
        let many = draws.between(1, most);
        let one = |_| {
            let from = draws.below(many);
            let to = draws.between(from + 1, many + 1);
            let to = if draws.below(5) == 0 { u64::MAX } else { to };
            let count = draws.between(1, pages);
            Boxed { from, to, whole_to: to, count, align: draws.below(4) as u32 }
        };
        let mut boxes: Vec<_> = (0..many).map(one).collect();
        boxes.sort_by_key(|one| one.from);
        boxes
    }

    /// The least size by trying every page for every box.
    fn by_hand(boxes: &[Boxed], best: u64, placed: &mut Vec<u64>) -> u64 {
        let end = |(one, offset): (&Boxed, &u64)| offset + one.count;
        let Some(one) = boxes.get(placed.len()) else {
            return best.min(boxes.iter().zip(&*placed).map(end).max().unwrap_or(0));
        };
        let mut best = best;
        for offset in (0..best).step_by(1 << one.align) {
            let is_free = boxes.iter().zip(&*placed).all(|(other, at)| {
                !other.meets(one) || at + other.count <= offset || offset + one.count <= *at
            });
            if is_free && offset + one.count < best {
                placed.push(offset);
                best = by_hand(boxes, best, placed);
                placed.pop();
            }
        }
        best
    }

    #[test]
    fn the_optimum_is_that_of_all_places() {
        let mut is_above_load = 0;
        for number in 0..400 {
            let boxes = drawn(number, 6, 5);
            let first_fit = place::in_time(&boxes).pages;
            let solved = solve(&boxes, 1 << 20);
            assert!(solved.is_optimum, "{boxes:?}");
            check::check(&boxes, &solved.placed.offsets, solved.placed.pages);
            let least = by_hand(&boxes, first_fit, &mut Vec::new());
            assert_eq!(solved.placed.pages, least, "{boxes:?}");
            is_above_load += u64::from(load::Needed::of(&boxes, 0).lower_pages < least);
        }
        assert!(is_above_load > 10, "{is_above_load} of 400 show more than their moments do");
    }

    #[test]
    fn bounds_are_on_their_sides_of_the_optimum() {
        // Proven optima; of those, what each means came to.
        let (mut proven, mut tight, mut improved, mut by_peaks) = (0, 0, 0, 0);
        for number in 0..200 {
            let boxes = drawn(number, 22, 9);
            let solved = solve(&boxes, 20_000);
            let made = bounds(&Boxes::new(boxes.clone(), 0)).unwrap();
            assert!(made.load_pages <= made.aligned_load_pages, "{boxes:?}");
            assert!(made.aligned_load_pages <= made.lower_pages, "{boxes:?}");
            assert!(made.lower_pages <= made.upper_pages, "{boxes:?}");
            let first_fit = place::in_time(&boxes);
            check::check(&boxes, &first_fit.offsets, first_fit.pages);
            assert!(made.upper_pages <= first_fit.pages, "{boxes:?}");
            if !solved.is_optimum {
                continue;
            }
            let optimum = solved.placed.pages;
            assert!(made.lower_pages <= optimum && optimum <= made.upper_pages, "{boxes:?}");
            let needed = load::Needed::of(&boxes, 0);
            let peaks = about_peaks(&boxes, &needed.peaks, u64::MAX);
            assert!(needed.lower_pages.max(peaks) <= optimum, "{boxes:?}");
            proven += 1;
            tight += u64::from(made.is_exact());
            by_peaks += u64::from(peaks > needed.lower_pages);
            // Without the search of all ways.
            let mut placed = first_fit.clone();
            let mut looks = place::Looks::up_to(1 << 20);
            place::improve(&boxes, (needed.lower_pages, 1), &mut placed, &mut looks);
            check::check(&boxes, &placed.offsets, placed.pages);
            assert!((optimum..=first_fit.pages).contains(&placed.pages), "{boxes:?}");
            improved += u64::from(placed.pages < first_fit.pages);
        }
        println!("{proven} optima, {tight} known, {improved} improved, {by_peaks} by peaks");
        assert!(proven > 90 && tight > 85 && improved > 40 && by_peaks > 15);
    }
}
