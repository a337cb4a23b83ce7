//! The reference of the benchmark: a bitmap scanned word by word with the kernel's algorithm
//! (`bitmap_find_next_zero_area_off()`, `lib/bitmap.c`), in our own words.

#[derive(Clone)]
pub(crate) struct Plain {
    /// A set bit is a used one.
    words: Vec<u64>,
    bits: usize,
}

impl Plain {
    pub(crate) fn new(bits: usize) -> Self {
        Self { words: vec![0; bits.div_ceil(64)], bits }
    }

    /// The first bit at or after `from` whose word, flipped by `flip`, has it set; `end` if none.
    fn next(&self, from: usize, end: usize, flip: u64) -> usize {
        if from >= end {
            return end;
        }
        let mut index = from / 64;
        let mut word = (self.words[index] ^ flip) & (u64::MAX << (from % 64));
        let last = (end - 1) / 64;
        while word == 0 {
            index += 1;
            if index > last {
                return end;
            }
            word = self.words[index] ^ flip;
        }
        (index * 64 + word.trailing_zeros() as usize).min(end)
    }

    pub(crate) fn first_fit(&self, count: usize, mask: usize) -> Option<usize> {
        let mut start = 0;
        loop {
            let clear = self.next(start, self.bits, u64::MAX);
            let place = (clear + mask) & !mask;
            let end = place + count;
            if end > self.bits {
                return None;
            }
            let used = self.next(place, end, 0);
            if used == end {
                return Some(place);
            }
            start = used + 1;
        }
    }

    fn edit(&mut self, start: usize, count: usize, change: impl Fn(&mut u64, u64)) {
        let (first, last) = (start / 64, (start + count - 1) / 64);
        let head = u64::MAX << (start % 64);
        let tail = u64::MAX >> (63 - (start + count - 1) % 64);
        if first == last {
            change(&mut self.words[first], head & tail);
            return;
        }
        change(&mut self.words[first], head);
        self.words[first + 1..last].iter_mut().for_each(|word| change(word, u64::MAX));
        change(&mut self.words[last], tail);
    }

    pub(crate) fn set(&mut self, start: usize, count: usize) {
        self.edit(start, count, |word, mask| *word |= mask);
    }

    pub(crate) fn clear(&mut self, start: usize, count: usize) {
        self.edit(start, count, |word, mask| *word &= !mask);
    }
}
