//! A bitmap of what is free, and where its runs end.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::mutant::mutate;

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

/// Which of the coordinates `[0, end)` are free, and above them two levels of 64 to one that say
/// where something is used: the end of a hole of a whole gigabyte is three words away.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// A set bit is free. At least one bit past the last coordinate is used.
    free: Vec<u64>,
    /// Bit `w`: not all of word `w` is free.
    used: Vec<u64>,
    /// Bit `w`: word `w` of `used` has a bit.
    any_used: Vec<u64>,
    end: usize,
}

/// The bits of a word that are in `[start, end)`, of which word `word` has at least one.
const fn within(word: usize, start: usize, end: usize) -> u64 {
    let low = start.saturating_sub(word * WORD);
    let high = (word + 1) * WORD;
    let over = high.saturating_sub(end);
    (u64::MAX << low) & (u64::MAX >> over)
}

/// Sets or clears the bits `[start, end)` of a bitmap.
fn fill(words: &mut [u64], bits: Range<usize>, on: bool) {
    if bits.is_empty() {
        return;
    }
    let first = bits.start / WORD;
    for (index, word) in (first..).zip(&mut words[first..=(bits.end - 1) / WORD]) {
        let mask = within(index, bits.start, bits.end);
        *word = if on { *word | mask } else { *word & !mask };
    }
}

impl Words {
    /// All used.
    pub(super) fn new(end: usize) -> Self {
        let words = end / WORD + 1;
        let above = words / WORD + 1;
        let mut all = Self {
            free: vec![0; words],
            used: vec![0; above],
            any_used: vec![0; above / WORD + 1],
            end,
        };
        fill(&mut all.used, 0..words, true);
        fill(&mut all.any_used, 0..words.div_ceil(WORD), true);
        all
    }

    /// One past the last coordinate.
    pub(super) const fn end(&self) -> usize {
        self.end
    }

    pub(super) fn is_free(&self, at: usize) -> bool {
        self.free[at / WORD] >> (at % WORD) & 1 == 1
    }

    /// The first free coordinate in `[from, to)`, or `to`. Looks at each word between.
    #[inline]
    pub(super) fn next_free(&self, from: usize, to: usize) -> usize {
        if from >= to {
            return to;
        }
        let mut word = from / WORD;
        let mut bits = self.free[word] & (u64::MAX << (from % WORD));
        while bits == 0 {
            word += 1;
            if word * WORD >= to {
                return to;
            }
            bits = self.free[word];
        }
        to.min(word * WORD + bits.trailing_zeros() as usize)
    }

    /// The end of the run of free coordinates from `at` on; `at` itself where it is used.
    #[inline]
    pub(super) fn free_end(&self, at: usize) -> usize {
        let used = !self.free[at / WORD] >> (at % WORD);
        if used != 0 {
            return at + used.trailing_zeros() as usize;
        }
        let from = at / WORD + 1;
        let used = self.used[from / WORD] >> (from % WORD);
        let word = if used != 0 {
            from + used.trailing_zeros() as usize
        } else {
            self.next_word(from / WORD + 1)
        };
        word * WORD + (!self.free[word]).trailing_zeros() as usize
    }

    /// The first word with something used, from those on that word `above` of `used` stands for.
    fn next_word(&self, above: usize) -> usize {
        let mut word = above / WORD;
        let mut bits = self.any_used[word] & (u64::MAX << (above % WORD));
        while bits == 0 {
            word += 1;
            bits = self.any_used[word];
        }
        let above = word * WORD + bits.trailing_zeros() as usize;
        above * WORD + self.used[above].trailing_zeros() as usize
    }

    /// The start of the run of free coordinates that ends at `end`; `end` itself where the
    /// coordinate before it is used.
    #[inline]
    pub(super) fn free_start(&self, end: usize) -> usize {
        let Some(at) = end.checked_sub(1) else { return 0 };
        let used = !self.free[at / WORD] << (WORD - 1 - at % WORD);
        if used != 0 {
            return end - used.leading_zeros() as usize;
        }
        let Some(word) = self.last_word(at / WORD) else { return 0 };
        if mutate!(ForgetsStart: false => word + 1 < at / WORD) {
            return at / WORD * WORD;
        }
        (word + 1) * WORD - (!self.free[word]).leading_zeros() as usize
    }

    /// The last word before `end` with something used.
    fn last_word(&self, end: usize) -> Option<usize> {
        let last = end.checked_sub(1)?;
        let bits = self.used[last / WORD] << (WORD - 1 - last % WORD);
        if bits != 0 {
            return Some(last - bits.leading_zeros() as usize);
        }
        let above = (last / WORD).checked_sub(1)?;
        let mut word = above / WORD;
        let mut bits = self.any_used[word] & (u64::MAX >> (WORD - 1 - above % WORD));
        while bits == 0 {
            word = word.checked_sub(1)?;
            bits = self.any_used[word];
        }
        let above = word * WORD + bits.ilog2() as usize;
        Some(above * WORD + self.used[above].ilog2() as usize)
    }

    /// Marks a run that is not empty and free as used, and answers where the hole ends that it is in.
    ///
    /// # Panics
    /// If not all of it is free.
    #[inline]
    pub(super) fn set(&mut self, run: &Range<usize>) -> usize {
        let hole_end = self.free_end(run.start);
        assert!(run.end <= hole_end, "{run:?} is not all free");
        let (first, last) = (run.start / WORD, (run.end - 1) / WORD);
        self.free[first] ^= within(first, run.start, run.end);
        if first < last {
            self.free[first + 1..last].fill(0);
            self.free[last] ^= within(last, run.start, run.end);
        }
        fill(&mut self.used, first..last + 1, true);
        fill(&mut self.any_used, first / WORD..last / WORD + 1, true);
        hole_end
    }

    /// Marks a run that is not empty and used as free.
    ///
    /// # Panics
    /// If not all of it is used.
    #[inline]
    pub(super) fn clear(&mut self, run: &Range<usize>) {
        assert!(run.end <= self.end, "{run:?} is not in a map of {}", self.end);
        let (first, last) = (run.start / WORD, (run.end - 1) / WORD);
        let mask = within(first, run.start, run.end);
        let mut was_free = self.free[first] & mask;
        self.free[first] |= mask;
        if first < last {
            let between = &mut self.free[first + 1..last];
            was_free |= between.iter().fold(0, |all, word| all | word);
            between.fill(u64::MAX);
            let mask = within(last, run.start, run.end);
            was_free |= self.free[last] & mask;
            self.free[last] |= mask;
        }
        assert!(was_free == 0, "{run:?} is not all used");
        // Words between the two are all free now, and these perhaps.
        let all_free = |word: usize| self.free[word] == u64::MAX;
        let (start, end) =
            (first + usize::from(!all_free(first)), last + usize::from(all_free(last)));
        if start >= end {
            return;
        }
        fill(&mut self.used, start..end, false);
        for above in start / WORD..=(end - 1) / WORD {
            if self.used[above] == 0 {
                self.any_used[above / WORD] &= !(1 << (above % WORD));
            }
        }
    }
}
