//! An area divided into places: what part of each is granted, and to whom most of that is.

use cma_policies::Run;

use super::kinds::{By, Kinds, MOST_KINDS, NOBODY};
use crate::oracle::Model;

/// What part of a place is granted, padding to whole granules included: 0 none, 255 all.
type Share = u8;

/// Places of an area, lowest page first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Places {
    /// What part of each is granted.
    pub shares: Vec<Share>,
    /// By size and by client, the kind that has most pages of each, the first of equals; [`NOBODY`]
    /// where none has any.
    kinds: [Vec<u8>; 2],
}

impl Places {
    /// At most `most` places of an area as it is. Ranges follow each other without the gap between
    /// them.
    pub(super) fn of(model: &Model, most: usize, kinds: &Kinds) -> Self {
        let starts = Starts::new(model.area().pages(), most);
        let kinds = [By::Size, By::Client].map(|by| starts.kinds(model, kinds, by));
        Self { shares: starts.shares(model), kinds }
    }

    /// Those of an area of `pages` with nothing in it.
    pub(super) fn empty(pages: u64, most: usize) -> Self {
        let places = places(pages, most);
        Self { shares: vec![0; places], kinds: [(); 2].map(|()| vec![NOBODY; places]) }
    }

    /// The kind of each.
    pub(crate) fn kinds(&self, by: By) -> &[u8] {
        &self.kinds[by as usize]
    }
}

/// Into how many places an area of `pages` is divided.
fn places(pages: u64, most: usize) -> usize {
    (most as u64).min(pages) as usize
}

/// The first page of each place, and the end of the last.
struct Starts(Vec<u64>);

impl Starts {
    fn new(pages: u64, most: usize) -> Self {
        let places = places(pages, most);
        let start_of = |place: usize| (place as u128 * u128::from(pages) / places as u128) as u64;
        Self((0..=places).map(start_of).collect())
    }

    /// How many places there are.
    fn count(&self) -> usize {
        self.0.len() - 1
    }

    /// The places that pages `from` to `to` are in, and how many of them in each.
    fn of(&self, (from, to): (u64, u64)) -> impl Iterator<Item = (usize, u64)> {
        let first = self.0.partition_point(|start| *start <= from) - 1;
        let reached = (first..self.count()).take_while(move |place| self.0[*place] < to);
        reached.map(move |place| (place, to.min(self.0[place + 1]) - from.max(self.0[place])))
    }

    fn shares(&self, model: &Model) -> Vec<Share> {
        let ranges = model.area().ranges();
        let mut free = vec![0_u64; self.count()];
        model.map().for_each_run(|run| {
            for (place, pages) in self.of(extent(ranges, run)) {
                free[place] += pages;
            }
        });
        let share = |(place, free): (usize, u64)| {
            let size = self.0[place + 1] - self.0[place];
            ((size - free) * 255).div_ceil(size) as Share
        };
        free.into_iter().enumerate().map(share).collect()
    }

    /// Sums, so that the order in which buffers are visited is nothing to it.
    fn kinds(&self, model: &Model, kinds: &Kinds, by: By) -> Vec<u8> {
        let ranges = model.area().ranges();
        let mut pages_of = vec![[0_u64; MOST_KINDS]; self.count()];
        model.for_each_buffer(|buffer| {
            let kind = usize::from(kinds.of(buffer.request, by));
            for piece in &buffer.left {
                for (place, pages) in self.of(extent(ranges, *piece)) {
                    pages_of[place][kind] += pages;
                }
            }
        });
        let most = |pages: [u64; MOST_KINDS]| {
            let all = pages.into_iter().enumerate().rev();
            let most = all.max_by_key(|(_, pages)| *pages);
            most.filter(|(_, pages)| *pages > 0).map_or(NOBODY, |(kind, _)| kind as u8)
        };
        pages_of.into_iter().map(most).collect()
    }
}

/// `run` in pages from the start of the first range, without gaps between ranges.
fn extent(ranges: &[Run], run: Run) -> (u64, u64) {
    let mut before = 0;
    for range in ranges {
        if range.contains(run) {
            let from = before + run.pfn.0 - range.pfn.0;
            return (from, from + run.count);
        }
        before += range.count;
    }
    unreachable!("{run} is in no range of its area")
}

#[cfg(test)]
mod tests {
    use cma_policies::{Area, Request};

    use super::*;

    fn model(pages: u64, buffers: &[(u64, u64)]) -> Model {
        let mut model = Model::new(Area::single(0, pages, 0).unwrap());
        for (id, &(from, count)) in buffers.iter().enumerate() {
            model.grant(id as u64, Request::new(count, 0).unwrap(), Run::new(from, count));
        }
        model
    }

    #[test]
    fn a_place_is_of_the_kind_that_has_most_of_it() {
        // Four places of 32 pages: 16 pages of the least size; 17 of the next beside 15 of that;
        // nothing; a buffer that fills one and reaches no further.
        let model = model(128, &[(0, 16), (32, 15), (47, 17), (96, 32)]);
        let places = Places::of(&model, 4, &Kinds::of_clients(&[]));
        assert_eq!(places.kinds(By::Size), [0, 1, NOBODY, 1]);
        let others = MOST_KINDS as u8 - 1;
        assert_eq!(places.kinds(By::Client), [others, others, NOBODY, others]);
        assert_eq!(places.shares, [128, 255, 0, 255]);
    }

    #[test]
    fn equals_are_the_first_kind() {
        let equal = Places::of(&model(32, &[(0, 16), (16, 16)]), 1, &Kinds::of_clients(&[]));
        assert_eq!((equal.kinds(By::Size), equal.shares.as_slice()), (&[0][..], &[255][..]));
    }
}
