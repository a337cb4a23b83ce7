//! The geometry of an area, as far as a text states it.

use std::sync::Arc;

use cma_policies::Run;

use super::{AreaState, Asked, Known, RangeState};
use crate::kernel::MAX_RANGES;

/// The geometry of an area, as far as it is stated.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Layout {
    /// Its name.
    pub(crate) name: Option<Arc<str>>,
    /// The order of one bitmap bit.
    pub(crate) order_per_bit: Option<u32>,
    /// Pages of all ranges.
    pub(crate) total: Option<u64>,
    /// The first page of each range that is known, by number.
    pub(crate) bases: Vec<(u32, u64)>,
    /// The pages of each range of several that are known, by number.
    pub(crate) sizes: Vec<(u32, u64)>,
}

impl Layout {
    /// The first page of range `number`, where known.
    pub(crate) fn base(&self, number: u32) -> Option<u64> {
        self.bases.iter().find(|(range, _)| *range == number).map(|(_, base)| *base)
    }

    /// The order of one bit, 0 where it is not stated.
    pub(crate) fn order(&self) -> u32 {
        self.order_per_bit.unwrap_or(0).min(63)
    }

    /// The bits of all ranges, where its pages make up whole bits.
    pub(crate) fn bits(&self) -> Option<u64> {
        let total = self.total.filter(|total| total & ((1u64 << self.order()) - 1) == 0)?;
        Some(total >> self.order())
    }

    /// The pages of range `number`, where known: of a single one they are the total.
    pub(crate) fn pages(&self, number: u32) -> Option<u64> {
        let several = self.sizes.len() > 1 || self.bases.len() > 1;
        self.sized(number).or(self.total.filter(|_| !several))
    }

    /// The pages of range `number` of several, where known.
    pub(crate) fn sized(&self, number: u32) -> Option<u64> {
        self.sizes.iter().find(|(range, _)| *range == number).map(|(_, pages)| *pages)
    }

    /// Its ranges in order, where each is known.
    pub(crate) fn ranges(&self) -> Option<Vec<Run>> {
        let range = |(number, base): &(u32, u64)| {
            let pages = self.pages(*number).filter(|pages| *pages > 0)?;
            base.checked_add(pages).map(|_| Run::new(*base, pages))
        };
        let ranges: Vec<Run> = self.bases.iter().map(range).collect::<Option<_>>()?;
        let are_all = self.sizes.len() <= 1 || self.sizes.len() == ranges.len();
        (are_all && !ranges.is_empty()).then_some(ranges)
    }

    /// Range `number` begins at page `base`.
    pub(crate) fn set_base(&mut self, number: u32, base: u64) {
        if let Some((_, known)) = self.bases.iter_mut().find(|(range, _)| *range == number) {
            *known = base;
        } else if self.bases.len() < MAX_RANGES {
            self.bases.push((number, base));
            self.bases.sort_unstable();
        }
    }

    /// Takes from `other` what is not known here.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        self.order_per_bit = self.order_per_bit.or(other.order_per_bit);
        self.total = self.total.or(other.total);
        if self.bases.is_empty() {
            self.bases.clone_from(&other.bases);
            self.sizes.clone_from(&other.sizes);
        }
        self
    }

    /// The area with this many free pages, of which no hole is known.
    pub(crate) fn state(&self, free: Option<u64>, known: Known) -> AreaState {
        let range = RangeState {
            number: 0,
            base_pfn: self.base(0),
            pages: self.pages(0),
            holes: Vec::new(),
        };
        AreaState {
            name: self.name.clone(),
            ranges: vec![range],
            order_per_bit: self.order_per_bit.unwrap_or(0),
            total: self.total,
            free,
            available: None,
            longest: None,
            shown: None,
            complete: free == Some(0),
            placed: free == Some(0),
            known,
            live: None,
            asked: Asked::default(),
        }
    }
}
