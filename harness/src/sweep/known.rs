//! Which cells are finished: a bit for each, and another for whether a request was refused.

/// A set of numbers, as long as its largest one.
#[derive(Clone, Default, Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn has(&self, number: u64) -> bool {
        let word = self.0.get((number / 64) as usize);
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn set(&mut self, number: u64) {
        let word = (number / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    /// The first number from `from` on.
    fn next(&self, from: u64) -> Option<u64> {
        let start = (from / 64) as usize;
        let first = self.0.get(start)? & (u64::MAX << (from % 64));
        let rest = self.0[start + 1..].iter().copied();
        let mut words = std::iter::once(first).chain(rest).zip(start as u64..);
        let (word, at) = words.find(|(word, _)| *word != 0)?;
        Some(at * 64 + u64::from(word.trailing_zeros()))
    }
}

/// The finished cells of a plan, by number. It takes two bits for each cell up to the last.
#[derive(Clone, Default, Debug)]
pub struct Known {
    done: Bits,
    failed: Bits,
    count: u64,
}

impl Known {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that cell `number` is finished, and whether a request of it was refused.
    pub fn note(&mut self, number: u64, failed: bool) {
        if !self.has(number) {
            self.count += 1;
            self.done.set(number);
        }
        if failed {
            self.failed.set(number);
        }
    }

    /// Whether cell `number` is finished.
    #[must_use]
    pub fn has(&self, number: u64) -> bool {
        self.done.has(number)
    }

    /// Whether a request of cell `number` was refused.
    #[must_use]
    pub fn failed(&self, number: u64) -> bool {
        self.failed.has(number)
    }

    /// How many are finished.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first finished cell from number `from` on.
    #[must_use]
    pub fn next(&self, from: u64) -> Option<u64> {
        self.done.next(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_again_in_order() {
        let mut known = Known::new();
        assert_eq!((known.next(0), known.has(0), known.count()), (None, false, 0));
        let numbers = [0, 1, 63, 64, 65, 127, 128, 1000];
        for number in numbers.into_iter().rev().chain(numbers) {
            known.note(number, number == 64);
        }
        assert_eq!(known.count(), numbers.len() as u64);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(number) = known.next(from) {
            found.push(number);
            from = number + 1;
        }
        assert_eq!(found, numbers);
        assert!(known.failed(64) && !known.failed(63) && !known.failed(5000));
        assert_eq!(known.next(1001), None);
        assert_eq!(known.next(u64::MAX), None);
    }
}
