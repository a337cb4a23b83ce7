//! What any placement of a stream needs, one that knows all that is to come included.
//!
//! A buffer is a box: it takes its pages from its request to its free. Where boxes are to lie so
//! that the area is smallest is *dynamic storage allocation*, which is NP-hard; so the optimum
//! (OPT) is known for small streams, and for others it lies between what is proven to be needed and
//! what a placement was made in:
//!
//! ```text
//! LOAD <= aligned LOAD <= lower <= OPT <= upper <= what first fit needs
//! ```
//!
//! *Lower* is the better of two. Each order a gives one at every moment (`load`): a slot of 2^a
//! pages with a buffer of that align or above has no other such buffer, and of all others each
//! begins in the tail of at most one. And the boxes about a peak, a few of them, placed by a search
//! of all ways (`exact`), need no more than all boxes do. *Upper* is the best of first fit in
//! order of time, of first fit in other orders (by align, lifetime, pages, both together), where a
//! box that found no room is placed earlier the next time, and of both ends of an area, one for
//! buffers that live long (`place`). Each of these placements is looked through by who did not
//! make it (`check`).
//!
//! Cost: n log n for bounds, first fit and both ends, with n boxes and the time of a look at all
//! that is live for each; the other orders look at 160 million boxes at most, the searches of all
//! ways at so many steps. So a stream of any length has both bounds, and a long one has them
//! farther apart. `cargo bench -p cma-harness --bench simulate` prints what that is in simulations
//! of the same ops.

mod check;
mod exact;
mod load;
mod place;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cma_policies::Run;
use cma_policies::kit::RunSet;

use crate::op::{Op, Part, Timed};

/// Boxes that first fit in orders other than that of time looks at, in all.
const LOOKS: u64 = 160_000_000;

/// A buffer in time: one that lives from one op to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boxed {
    /// The number of the op that asks for it, or any other measure of time.
    pub from: u64,
    /// When all of it is given back, exclusive: what is asked for then may have its pages. The
    /// largest number where it stays to the end.
    pub to: u64,
    /// When the first part of it is given back; `to` where it goes as one.
    pub whole_to: u64,
    /// Pages.
    pub count: u64,
    /// It lies on a multiple of 2^align pages.
    pub align: u32,
}

impl Boxed {
    /// Its pages, rounded up to a multiple of 2^order; [`None`] above all numbers.
    fn rounded(&self, order: u32) -> Option<u64> {
        let step = 1_u64.checked_shl(order)?;
        self.count.checked_next_multiple_of(step)
    }

    /// Whether both live at some time.
    const fn meets(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// The buffers of a stream, in order of time, in one range from page 0 on.
///
/// A buffer of which parts are given back counts for what is needed at least until the first part,
/// and is held for a placement until the last: so both bounds hold, and may be farther apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boxes {
    boxes: Vec<Boxed>,
    order_per_bit: u32,
}

impl Boxes {
    /// These, with pages and aligns rounded up to whole bits.
    ///
    /// # Panics
    /// Where one has no pages or ends before it begins, or an order is above 63.
    pub fn new(mut boxes: Vec<Boxed>, order_per_bit: u32) -> Self {
        assert!(order_per_bit < 64, "order_per_bit is {order_per_bit}");
        for one in &mut boxes {
            let is_sound = one.count > 0 && one.align < 64;
            assert!(is_sound && one.from < one.whole_to && one.whole_to <= one.to, "{one:?}");
            one.align = one.align.max(order_per_bit);
            one.count = one.rounded(order_per_bit).unwrap_or(u64::MAX);
        }
        boxes.sort_by_key(|one| one.from);
        Self { boxes, order_per_bit }
    }

    /// Those of a stream at this cap. As in a simulation an alloc of an id that is live, and a free
    /// of what is not, are nothing; pins are no buffers.
    pub fn of_ops(ops: impl IntoIterator<Item = Timed>, cap: u32, order_per_bit: u32) -> Self {
        let mut ledger = Ledger::default();
        for (at, timed) in (0..).zip(ops) {
            ledger.note(at, timed.op.with_cap(cap));
        }
        Self::new(ledger.boxes, order_per_bit)
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.boxes.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// How many were given back in parts.
    pub fn in_parts(&self) -> usize {
        self.boxes.iter().filter(|one| one.whole_to < one.to).count()
    }
}

/// Boxes in the making.
#[derive(Default)]
struct Ledger {
    boxes: Vec<Boxed>,
    /// Of a buffer that is live: its box, and what is left of it.
    live: HashMap<u64, (usize, RunSet)>,
}

impl Ledger {
    fn note(&mut self, at: u64, op: Op) {
        match op {
            Op::Alloc { id, request, .. } => {
                let Entry::Vacant(place) = self.live.entry(id) else { return };
                let (count, align) = (request.count(), request.align());
                let mut left = RunSet::default();
                left.join(Run::new(0, count));
                place.insert((self.boxes.len(), left));
                let (to, whole_to) = (u64::MAX, u64::MAX);
                self.boxes.push(Boxed { from: at, to, whole_to, count, align });
            }
            Op::Free { id, part: None } => {
                if let Some((index, _)) = self.live.remove(&id) {
                    self.boxes[index].ends(at);
                }
            }
            Op::Free { id, part: Some(part) } => self.part(at, id, part),
            Op::Pin(_) | Op::Unpin(_) => {}
        }
    }

    fn part(&mut self, at: u64, id: u64, part: Part) {
        let Some((index, left)) = self.live.get_mut(&id) else { return };
        let run = Run::new(part.offset, part.count);
        if run.count == 0 || left.holding(run).is_none() {
            return;
        }
        left.cut(run);
        let one = &mut self.boxes[*index];
        one.whole_to = one.whole_to.min(at);
        if left.is_empty() {
            one.ends(at);
            self.live.remove(&id);
        }
    }
}

impl Boxed {
    fn ends(&mut self, at: u64) {
        (self.to, self.whole_to) = (at, self.whole_to.min(at));
    }
}

/// What any placement needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// LOAD: the most pages live at once.
    pub load_pages: u64,
    /// Aligned LOAD: what slots of each order need by themselves.
    pub aligned_load_pages: u64,
    /// No placement, of whatever policy, needs less.
    pub lower_pages: u64,
    /// A placement was made in so many.
    pub upper_pages: u64,
    /// Buffers.
    pub boxes: usize,
    /// Those of them that were given back in parts.
    pub in_parts: usize,
    /// Boxes that were looked at to place others: the cost.
    pub looked_at: u64,
}

impl Bounds {
    /// Whether the optimum is known.
    pub const fn is_exact(&self) -> bool {
        self.lower_pages == self.upper_pages
    }
}

/// What any placement of these needs; [`None`] where all of them one above the other are more pages
/// than there are numbers. The same for the same boxes: what it costs is counted, not timed.
pub fn bounds(boxes: &Boxes) -> Option<Bounds> {
    let granule = 1 << boxes.order_per_bit;
    let all = &boxes.boxes[..];
    all.iter().try_fold(0_u64, |sum, one| sum.checked_add(one.rounded(one.align)?))?;
    let needed = load::Needed::of(all, boxes.order_per_bit);
    let mut looks = place::Looks::up_to(LOOKS);
    let mut placed = place::in_time(all);
    let mut lower_pages = needed.lower_pages;
    if lower_pages < placed.pages && all.len() <= exact::MOST {
        placed.keep(exact::solve(all, exact::STEPS).placed);
    }
    if lower_pages < placed.pages {
        lower_pages = lower_pages.max(exact::about_peaks(all, &needed.peaks, placed.pages));
    }
    place::improve(all, (lower_pages, granule), &mut placed, &mut looks);
    check::check(all, &placed.offsets, placed.pages);
    Some(Bounds {
        load_pages: needed.load_pages,
        aligned_load_pages: needed.aligned_load_pages,
        lower_pages,
        upper_pages: placed.pages,
        boxes: all.len(),
        in_parts: boxes.in_parts(),
        looked_at: looks.spent(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::Request;

    fn alloc(id: u64, count: u64, align: u32) -> Op {
        Op::Alloc { id, request: Request::new(count, align).unwrap(), dma: false }
    }

    fn of(ops: &[Op], order_per_bit: u32) -> Boxes {
        let timed = ops.iter().map(|op| Timed { at_us: 0, op: *op });
        Boxes::of_ops(timed, 8, order_per_bit)
    }

    fn free(id: u64, part: Option<(u64, u64)>) -> Op {
        Op::Free { id, part: part.map(|(offset, count)| Part { offset, count }) }
    }

    #[test]
    fn a_buffer_is_a_box_from_its_request_to_its_free() {
        let ops = [
            alloc(1, 5, 2),
            alloc(1, 7, 0),
            free(2, None),
            Op::Pin(Run::new(0, 4)),
            free(1, None),
            alloc(1, 3, 0),
        ];
        let first = Boxed { from: 0, to: 4, whole_to: 4, count: 5, align: 2 };
        let stays = Boxed { from: 5, to: u64::MAX, whole_to: u64::MAX, count: 3, align: 0 };
        assert_eq!(of(&ops, 0).boxes, [first, stays]);
        let in_bits = [Boxed { count: 8, ..first }, Boxed { count: 4, align: 2, ..stays }];
        assert_eq!(of(&ops, 2).boxes, in_bits);
    }

    #[test]
    fn parts_count_whole_before_the_first_and_are_held_until_the_last() {
        let ops = [
            alloc(1, 8, 0),
            free(1, Some((0, 9))), // It does not hold them.
            free(1, Some((0, 4))),
            free(1, Some((0, 4))), // It holds them no more.
            alloc(2, 4, 0),
            free(1, Some((4, 4))),
            alloc(1, 2, 0),
        ];
        let boxes = of(&ops, 0);
        assert_eq!(boxes.boxes[0], Boxed { from: 0, to: 5, whole_to: 2, count: 8, align: 0 });
        assert_eq!((boxes.len(), boxes.in_parts()), (3, 1));
        let made = bounds(&boxes).unwrap();
        assert_eq!((made.load_pages, made.lower_pages, made.upper_pages), (8, 8, 12));
    }

    #[test]
    fn what_is_no_number_of_pages_has_no_bounds() {
        assert!(bounds(&of(&[alloc(1, 1, 63)], 0)).is_some());
        assert_eq!(bounds(&of(&[alloc(1, 1, 63), alloc(2, 1, 63)], 0)), None);
        assert_eq!(bounds(&of(&[alloc(1, u64::MAX, 0)], 0)).unwrap().upper_pages, u64::MAX);
        assert_eq!(bounds(&of(&[alloc(1, u64::MAX, 0)], 3)), None);
        let none = bounds(&of(&[], 0)).unwrap();
        assert_eq!((none.load_pages, none.upper_pages, none.is_exact()), (0, 0, true));
    }

    #[test]
    fn small_ones_go_between_what_is_aligned_and_large_ones_do_not() {
        // Tails of 255 pages: those of 200 fit into them, those of 300 leave theirs.
        let with = |count: u64| {
            let aligned = (0..4).map(|id| alloc(id, 257, 8));
            let others = (4..7).map(|id| alloc(id, count, 0));
            bounds(&of(&aligned.chain(others).collect::<Vec<_>>(), 0)).unwrap()
        };
        let small = with(200);
        assert_eq!((small.load_pages, small.aligned_load_pages), (1628, 1793));
        assert_eq!((small.lower_pages, small.upper_pages), (1793, 1793));
        let large = with(300);
        assert_eq!((large.load_pages, large.aligned_load_pages), (1928, 1928));
        assert!(large.is_exact() && large.lower_pages > 1928, "{large:?}");
    }
}
