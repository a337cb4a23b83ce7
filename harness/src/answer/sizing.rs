//! What area the same LOAD takes, from boards that differ in size alone.

mod ladder;

use crate::board::Board;
use crate::stats::Interval;
use crate::sweep::Plan;

pub(super) use ladder::Ladders;

/// One stream at one LOAD, under one environment, cap and policy, on boards of several sizes. All
/// are indices into the plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Sizing {
    /// The stream.
    pub stream: usize,
    /// Its LOAD; none where it brings its own.
    pub load: Option<usize>,
    /// The environment.
    pub environment: usize,
    /// The cap.
    pub cap: usize,
    /// The policy.
    pub policy: usize,
    /// The index of the area that differs between the boards: sizes and LOAD are of that. None where
    /// the boards have one area, or several differ: then they are of all.
    pub area: Option<usize>,
    /// Mean over streams of the measured LOAD: no area below it can work.
    pub load_pages: f64,
    /// Mean over streams of the aligned LOAD at this cap: no area below it can work whatever the
    /// policy. None where every stream was ended before it could be measured.
    pub aligned_load_pages: Option<f64>,
    /// The sizes that were tried, ascending.
    pub sizes: Vec<SizeTried>,
    /// The least area of the streams, as a multiple of its LOAD: see [`Least`].
    pub least: Least,
    /// Pairs of a stream and a size at which it fails although it passes at a smaller one: "the
    /// smallest area without a failure" is not monotone.
    pub anomalies: u64,
    /// Area / LOAD that suffices for *every* stream of this LOAD and largest request, where a
    /// theorem says so: 1 + ceil(log2 n) for first-fit without alignment (Robson, 1977).
    pub certified_per_load: Option<f64>,
}

impl Sizing {
    /// Whether it is of boards that differ from those of `other` in size alone.
    pub(crate) fn is_like(&self, other: &Self, plan: &Plan) -> bool {
        let board = |sizing: &Self| sizing.sizes.first().map(|size| &plan.boards[size.board]);
        board(self).zip(board(other)).is_some_and(|(one, other)| is_like(one, other))
    }
}

/// One size of a board.
#[derive(Clone, PartialEq, Debug)]
pub struct SizeTried {
    /// The board, an index into the plan.
    pub board: usize,
    /// Pages of all its areas.
    pub pages: u64,
    /// Pages of what the sizes are of / mean LOAD.
    pub per_load: f64,
    /// Streams.
    pub streams: u64,
    /// Those in which a caller does not get its memory.
    pub failed: u64,
    /// The share of streams with one.
    pub interval: Interval,
    /// Streams for which no placement policy can do at this size and cap.
    pub structural: u64,
}

/// Over streams: the least area / LOAD that was tried such that the stream passes there and at
/// every larger size that was tried. What is known is the step of the ladder, not the point
/// between two steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Least {
    /// Streams.
    pub streams: u64,
    /// Streams that pass at every size: the smallest counts as their least.
    pub at_smallest: u64,
    /// Streams that fail at the largest size: their least lies above all that was tried.
    pub above_largest: u64,
    /// The median; none where it lies above the largest size.
    pub median: Option<f64>,
    /// Its interval; an open upper end lies above the largest size.
    pub median_interval: Interval,
    /// The area / LOAD at which 95 % of streams pass; none as for the median.
    pub quantile_95: Option<f64>,
    /// Its interval; an open upper end lies above the largest size, or the streams are too few.
    pub quantile_95_interval: Interval,
}

impl Least {
    /// Whether so large a share of streams passes at every size that what they need may be less
    /// than the smallest that was tried: then the quantile is a bound.
    pub(crate) const fn is_at_most(&self, percent: u64) -> bool {
        self.streams > 0 && self.at_smallest * 100 >= self.streams * percent
    }
}

/// Whether two boards differ in size alone.
pub(super) fn is_like(one: &Board, other: &Board) -> bool {
    let same_areas = one.areas.len() == other.areas.len()
        && one.areas.iter().zip(&other.areas).all(|(a, b)| {
            let policy = |policy: &Option<_>| policy.as_ref().map(cma_policies::Spec::to_string);
            a.area.order_per_bit() == b.area.order_per_bit()
                && a.area.ranges().len() == b.area.ranges().len()
                && a.clients == b.clients
                && policy(&a.policy) == policy(&b.policy)
        });
    same_areas && one.caller == other.caller && one.callers == other.callers
}

/// The one area whose size differs between boards that are alike and have several.
pub(super) fn differs(boards: &[&Board]) -> Option<usize> {
    let pages = |board: &Board, area: usize| board.areas[area].area.pages();
    let first = boards.first().filter(|first| first.areas.len() > 1)?;
    let other = |area: &usize| boards.iter().any(|one| pages(one, *area) != pages(first, *area));
    let mut differ = (0..first.areas.len()).filter(other);
    differ.next().filter(|_| differ.next().is_none())
}

/// Whether no area of `one` is smaller than that of `other`, which is like it.
pub(super) fn is_as_large(one: &Board, other: &Board) -> bool {
    let mut areas = one.areas.iter().zip(&other.areas);
    areas.all(|(one, other)| one.area.pages() >= other.area.pages())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{BoardArea, MadeBy};
    use cma_policies::{Area, builtin};

    fn board(sizes: [u64; 2]) -> Board {
        let area = |(index, pages): (usize, u64)| BoardArea {
            area: Area::single(index as u64 * 100_000, pages, 0).unwrap(),
            clients: if index == 0 { Vec::new() } else { vec!["vpu".to_string()] },
            policy: None,
            made_by: MadeBy::Dts,
        };
        let areas = sizes.into_iter().enumerate().map(area).collect();
        Board { areas, ..Board::single("x", Area::single(0, 1, 0).unwrap()) }
    }

    #[test]
    fn boards_that_differ_in_more_than_size_are_not_alike() {
        let (small, large) = (board([300, 200]), board([300, 400]));
        assert!(is_like(&small, &large));
        assert!(is_as_large(&large, &small) && !is_as_large(&small, &large));
        assert!(is_as_large(&small, &small));
        // Of several areas the one that differs is what sizes are of.
        let (more, both) = (board([300, 500]), board([400, 500]));
        assert_eq!(differs(&[&small, &large, &more]), Some(1));
        assert_eq!(differs(&[&small, &both]), None);
        assert_eq!(differs(&[&small, &small]), None);
        let one = Board::single("x", Area::single(0, 1, 0).unwrap());
        assert_eq!(differs(&[&one, &one]), None);
        // The sum grows, but the pool shrinks.
        assert!(!is_as_large(&board([900, 100]), &small));
        let mut other = board([300, 400]);
        other.areas[1].clients = vec!["gpu".to_string()];
        assert!(!is_like(&small, &other));
        let mut other = board([300, 400]);
        other.areas[1].policy = Some(builtin::catalog().parse("best-fit").unwrap());
        assert!(!is_like(&small, &other));
        other.areas.pop();
        assert!(!is_like(&small, &other));
    }
}
