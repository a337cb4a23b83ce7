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

    /// A part of what may still be spent.
    const fn share(&self, parts: u64) -> Self {
        Self::up_to(self.most.saturating_sub(self.spent) / parts)
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
fn from_both_ends(
    boxes: &[Boxed],
    (pages, short): (u64, u64),
    looks: &mut Looks,
) -> Option<Placed> {
    let mut live = Live::default();
    let mut offsets = Vec::with_capacity(boxes.len());
    for one in boxes {
        // They lie in order, which costs less than to look for them.
        if !looks.spend(live.spans.len() / 8) {
            return None;
        }
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
const SIZES: u64 = 6;

/// Looks for better placements down to `lower` pages, as long as `looks` last: from both ends, a
/// quarter of the looks; once in each order; then again and again in each order.
pub(super) fn improve(
    boxes: &[Boxed],
    (lower, granule): (u64, u64),
    best: &mut Placed,
    looks: &mut Looks,
) {
    if lower >= best.pages {
        return;
    }
    let mut share = looks.share(4);
    by_size((lower, granule), best, |pages, _| ends(boxes, pages, &mut share));
    looks.spent += share.spent;
    let index = Index::of(boxes);
    let mut orders = orders(boxes);
    for order in &mut orders {
        if let Some(placed) = tries(&index, order, (best.pages - granule, 1), looks) {
            best.keep(placed);
        }
    }
    by_size((lower, granule), best, |pages, sizes| {
        let mut share = looks.share(sizes);
        let found = in_any(&index, &mut orders, pages, &mut share);
        looks.spent += share.spent;
        found
    });
}

/// Looks for placements within sizes between `lower` and the best so far, first `lower` itself and
/// then by halves; `find` gets a size, and how many are left to be tried. What was not found in one
/// may be found in a smaller one: this is a way to spend looks well, and proves nothing.
fn by_size(
    (lower, granule): (u64, u64),
    best: &mut Placed,
    mut find: impl FnMut(u64, u64) -> Option<Placed>,
) {
    let (mut from, mut aim) = (lower, lower);
    for left in (1..=SIZES).rev() {
        if from >= best.pages {
            return;
        }
        match find(aim, left) {
            Some(placed) => best.keep(placed),
            None => from = aim + granule,
        }
        aim = from.midpoint(best.pages) / granule * granule;
    }
}

/// By first fit in any order, within so many pages.
fn in_any(
    index: &Index<'_>,
    orders: &mut [Vec<u32>],
    pages: u64,
    looks: &mut Looks,
) -> Option<Placed> {
    let left = (1..=orders.len() as u64).rev();
    orders.iter_mut().zip(left).find_map(|(order, left)| {
        let mut share = looks.share(left);
        let found = tries(index, order, (pages, TRIES), &mut share);
        looks.spent += share.spent;
        found
    })
}

/// From both ends within so many pages, with what is short told by a few lifetimes.
fn ends(boxes: &[Boxed], pages: u64, looks: &mut Looks) -> Option<Placed> {
    let mut lives: Vec<_> = boxes.iter().map(|one| one.to - one.from).collect();
    lives.sort_unstable();
    [50, 80, 95].into_iter().find_map(|percent| {
        from_both_ends(boxes, (pages, *lives.get(lives.len() * percent / 100)?), looks)
    })
}

/// Orders in which boxes are placed: large aligns first, then those that live long, that have most
/// pages, and most of both.
fn orders(boxes: &[Boxed]) -> [Vec<u32>; 4] {
    let last = boxes.iter().map(|one| one.from).max().unwrap_or(0);
    let life = |one: &Boxed| u128::from(one.to.min(last + 1) - one.from);
    let by = |key: &dyn Fn(&Boxed) -> (u128, u128)| {
        let mut order: Vec<_> = (0..boxes.len() as u32).collect();
        order.sort_by_cached_key(|index| (std::cmp::Reverse(key(&boxes[*index as usize])), *index));
        order
    };
    [
        by(&|one| (life(one), one.count.into())),
        by(&|one| (one.align.into(), life(one))),
        by(&|one| (life(one) * u128::from(one.count), 0)),
        by(&|one| (one.count.into(), life(one))),
    ]
}

/// First fit in an order within so many pages, up to so many times, where a box that found no room
/// is placed earlier the next time. The order stays as it came to be.
fn tries(
    index: &Index<'_>,
    order: &mut [u32],
    (pages, times): (u64, usize),
    looks: &mut Looks,
) -> Option<Placed> {
    for _ in 0..times {
        match index.first_fit(order, pages, looks) {
            Ok(placed) => return Some(placed),
            Err(Some(at)) => order[at / 2..=at].rotate_right(1),
            Err(None) => return None,
        }
    }
    None
}
