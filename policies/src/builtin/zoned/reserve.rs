//! A set of numbers that is asked for stretches.

use alloc::collections::BTreeMap;
use core::ops::Range;

/// A set of block numbers, kept as its maximal stretches.
#[derive(Clone, Default, Debug)]
pub(super) struct Reserve {
    /// First number and the one behind the last.
    stretches: BTreeMap<u64, u64>,
}

impl Reserve {
    /// The first stretch that ends behind `number`.
    pub(super) fn stretch(&self, number: u64) -> Option<Range<u64>> {
        let before = self.stretches.range(..=number).next_back();
        let here = before.filter(|&(_, &end)| number < end);
        let (&start, &end) = here.or_else(|| self.stretches.range(number..).next())?;
        Some(start..end)
    }

    /// Adds `number`; says whether it is new.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        if self.stretch(number).is_some_and(|stretch| stretch.contains(&number)) {
            return false;
        }
        let end = self.stretches.remove(&(number + 1)).unwrap_or(number + 1);
        match self.stretches.range_mut(..number).next_back() {
            Some((_, before)) if *before == number => *before = end,
            _ => {
                self.stretches.insert(number, end);
            }
        }
        true
    }

    /// Takes `number` out; says whether it was in.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let Some(stretch) = self.stretch(number).filter(|stretch| stretch.contains(&number)) else {
            return false;
        };
        self.stretches.remove(&stretch.start);
        for rest in [stretch.start..number, number + 1..stretch.end] {
            if !rest.is_empty() {
                self.stretches.insert(rest.start, rest.end);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn it_is_the_set_of_its_numbers_whatever_the_order() {
        let (mut reserve, mut numbers) = (Reserve::default(), BTreeSet::new());
        // Powers of 5 modulo 17 come to every number from 1 to 16.
        let mut number = 1;
        for turn in 0..200 {
            number = number * 5 % 17;
            if turn % 7 < 4 {
                assert_eq!(reserve.insert(number), numbers.insert(number));
            } else {
                assert_eq!(reserve.remove(number), numbers.remove(&number));
            }
            for from in 0..18 {
                let first = numbers.range(from..).next().copied();
                let stretch = reserve.stretch(from);
                assert_eq!(stretch.as_ref().map(|stretch| stretch.start.max(from)), first);
                let Some(stretch) = stretch else { continue };
                assert!(stretch.clone().all(|number| numbers.contains(&number)), "{reserve:?}");
                assert!(!numbers.contains(&stretch.end), "{reserve:?}");
                assert!(stretch.start == 0 || !numbers.contains(&(stretch.start - 1)));
            }
        }
    }
}
