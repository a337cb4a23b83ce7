//! Placements by first fit, in order of time and in others.

mod index;

use super::Boxed;
use index::{Index, lowest};

/// Where boxes lie, and pages up to the end of the highest.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) offsets: Vec<u64>,
    pub(super) pages: u64,
}

impl Placed {
    /// The better of both.
    pub(super) fn keep(&mut self, other: Self) {
        if other.pages < self.pages {
            *self = other;
        }
    }
}

/// Boxes that may be looked at, and how many were.
pub(super) struct Looks {
    most: u64,
    spent: u64,
}

impl Looks {
    pub(super) const fn up_to(most: u64) -> Self {
        Self { most, spent: 0 }
    }

    pub(super) const fn spent(&self) -> u64 {
        self.spent
    }

    /// So many more. Whether that is within what may be spent.
    const fn spend(&mut self, looks: usize) -> bool {
        self.spent += looks as u64;
        self.spent <= self.most
    }
}

/// First fit in order of time: what the kernel does where nothing is in its way.
pub(super) fn in_time(boxes: &[Boxed]) -> Placed {
    let mut live = Live::default();
    let (mut offsets, mut pages) = (Vec::with_capacity(boxes.len()), 0);
    for one in boxes {
        let offset = live.take(one, lowest);
        let offset = offset.expect("an area without an end");
        pages = pages.max(offset + one.count);
        offsets.push(offset);
    }
    Placed { offsets, pages }
}

/// As [`in_time`] within so many pages, where boxes that live longer than `short` are placed as low
/// as can be and others as high.
fn from_both_ends(boxes: &[Boxed], pages: u64, short: u64) -> Option<Placed> {
    let mut live = Live::default();
    let mut offsets = Vec::with_capacity(boxes.len());
    for one in boxes {
        let offset = match one.to - one.from > short {
            true => live.take(one, lowest).filter(|offset| offset + one.count <= pages)?,
            false => live.take(one, |spans, one| highest(spans, one, pages))?,
        };
        offsets.push(offset);
    }
    let end = offsets.iter().zip(boxes).map(|(offset, one)| offset + one.count);
    Some(Placed { pages: end.max().unwrap_or(0), offsets })
}

/// The highest place of a box beside these spans, which are in order, below `pages`.
fn highest(spans: &[(u64, u64)], one: &Boxed, pages: u64) -> Option<u64> {
    let mut end = pages;
    let below = |end: u64| Some(end.checked_sub(one.count)? >> one.align << one.align);
    for (start, stop) in spans.iter().rev() {
        if let Some(offset) = below(end).filter(|offset| offset >= stop) {
            return Some(offset);
        }
        end = *start;
    }
    below(end)
}

/// What is live, in order of its pages.
#[derive(Default)]
struct Live {
    spans: Vec<(u64, u64)>,
    ends: std::collections::BinaryHeap<std::cmp::Reverse<(u64, u64)>>,
}

impl Live {
    /// Places a box that comes now.
    fn take(
        &mut self,
        one: &Boxed,
        find: impl Fn(&[(u64, u64)], &Boxed) -> Option<u64>,
    ) -> Option<u64> {
        while let Some(std::cmp::Reverse((to, offset))) = self.ends.peek().copied()
            && to <= one.from
        {
            self.ends.pop();
            let at = self.spans.partition_point(|span| span.0 < offset);
            self.spans.remove(at);
        }
        let offset = find(&self.spans, one)?;
        let at = self.spans.partition_point(|span| span.0 < offset);
        self.spans.insert(at, (offset, offset + one.count));
        self.ends.push(std::cmp::Reverse((one.to, offset)));
        Some(offset)
    }
}

/// Tries made in one order within one size, each after what found no room was put earlier.
const TRIES: usize = 40;

/// Sizes that are tried, from what is needed at least up.
const SIZES: u32 = 6;

/// Looks for better placements down to `lower` pages, as long as `looks` last. Sizes between that and
/// the best so far are tried first at `lower`, then by halves: what was not found in one may be found
/// in a smaller one, so this is a way to spend looks well and proves nothing.
pub(super) fn improve(
    boxes: &[Boxed],
    (lower, granule): (u64, u64),
    best: &mut Placed,
    looks: &mut Looks,
) {
    let (mut from, mut aim) = (lower, lower);
    let index = Index::of(boxes);
    let mut orders = orders(boxes);
    for _ in 0..SIZES {
        if from >= best.pages {
            return;
        }
        let found = ends(boxes, aim)
            .or_else(|| orders.iter_mut().find_map(|order| tries(&index, order, aim, looks)));
        match found {
            Some(placed) => best.keep(placed),
            None => from = aim + granule,
        }
        aim = from.midpoint(best.pages) / granule * granule;
    }
}

/// From both ends within so many pages, with what is short told by a few lifetimes.
fn ends(boxes: &[Boxed], pages: u64) -> Option<Placed> {
    let mut lives: Vec<_> = boxes.iter().map(|one| one.to - one.from).collect();
    lives.sort_unstable();
    [50, 80, 95].into_iter().find_map(|percent| {
        from_both_ends(boxes, pages, *lives.get(lives.len() * percent / 100)?)
    })
}

/// Orders in which boxes are placed: large aligns first, then those that live long, that have most
/// pages, and most of both.
fn orders(boxes: &[Boxed]) -> [Vec<u32>; 4] {
    let last = boxes.iter().map(|one| one.from).max().unwrap_or(0);
    let life = |one: &Boxed| u128::from(one.to.min(last + 1) - one.from);
    let by = |key: &dyn Fn(&Boxed) -> (u128, u128)| {
        let mut order: Vec<_> = (0..boxes.len() as u32).collect();
        order.sort_by_cached_key(|index| {
            (std::cmp::Reverse(key(&boxes[*index as usize])), *index)
        });
        order
    };
    [
        by(&|one| (life(one), one.count.into())),
        by(&|one| (one.align.into(), life(one))),
        by(&|one| (life(one) * u128::from(one.count), 0)),
        by(&|one| (one.count.into(), life(one))),
    ]
}

/// First fit in an order within so many pages, again and again, where a box that found no room is
/// placed earlier the next time. The order is kept for the next size.
fn tries(index: &Index<'_>, order: &mut Vec<u32>, pages: u64, looks: &mut Looks) -> Option<Placed> {
    for _ in 0..TRIES {
        match index.first_fit(order, pages, looks) {
            Ok(placed) => return Some(placed),
            Err(Some(at)) => order[at / 2..=at].rotate_right(1),
            Err(None) => return None,
        }
    }
    None
}
