//! A part of a plan, for one of several machines.

use std::fmt;

/// Shard `index` of `of`: from 1 on.
///
/// Which cells it has depends on the plan alone. The unit is the cell; with early stopping it is
/// the configuration, since all streams of one decide together when to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    index: u64,
    of: u64,
}

impl Shard {
    /// All of a plan.
    pub const WHOLE: Self = Self { index: 1, of: 1 };
    /// The most shards of a plan.
    pub const MOST: u64 = 100_000;

    /// Shard `index` of `of`; [`None`] unless 1 <= `index` <= `of` <= [`Shard::MOST`].
    pub const fn new(index: u64, of: u64) -> Option<Self> {
        if 1 <= index && index <= of && of <= Self::MOST { Some(Self { index, of }) } else { None }
    }

    /// Reads `i/n`.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        numbers.and_then(|(index, of)| Self::new(index, of)).ok_or_else(|| {
            let most = Self::MOST;
            format!(
                "a shard is i/n with 1 <= i <= n <= {most}: 1/4, 2/4, 3/4 and 4/4 make one plan"
            )
        })
    }

    /// Which one, from 1 on.
    pub const fn index(self) -> u64 {
        self.index
    }

    /// Of how many.
    pub const fn of(self) -> u64 {
        self.of
    }

    /// Whether it is all of a plan.
    pub const fn is_whole(self) -> bool {
        self.of == 1
    }

    /// Whether `unit` belongs to it. Of each `of` units in a row, from a multiple of `of` on, it
    /// has exactly one, and not always the same: where every fourth cell is slow, every one of four
    /// shards gets its share of them.
    pub const fn has(self, unit: u64) -> bool {
        self.in_row(unit / self.of) == unit % self.of
    }

    /// How many units below `end` belong to it.
    pub const fn count_below(self, end: u64) -> u64 {
        let (rows, rest) = (end / self.of, end % self.of);
        rows + (self.in_row(rows) < rest) as u64
    }

    /// Which of the `of` units of a row it has: the sum of all digits of a unit to the base `of` is
    /// the same for all of a shard.
    const fn in_row(self, row: u64) -> u64 {
        let (mut rest, mut sum) = (row, 0);
        while rest > 0 && self.of > 1 {
            sum += rest % self.of;
            rest /= self.of;
        }
        (self.index - 1 + self.of - sum % self.of) % self.of
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_reads_as_it_prints_and_nothing_else_is_one() {
        for text in ["1/1", "2/4", "4/4", "100000/100000"] {
            assert_eq!(Shard::parse(text).map(|shard| shard.to_string()), Ok(text.into()));
        }
        for text in ["0/4", "5/4", "x", "1/0", "1", "", "/", "1/", "-1/2", "1/100001", "1/2/3"] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_unit_is_in_one_shard_and_each_row_of_them_is_shared_out() {
        for of in [1, 2, 3, 4, 7, 16] {
            let shards: Vec<_> = (1..=of).map(|index| Shard::new(index, of).unwrap()).collect();
            for row in 0..100 {
                for shard in &shards {
                    let mine = (row * of..(row + 1) * of).filter(|unit| shard.has(*unit));
                    assert_eq!(mine.count(), 1, "{shard}, row {row}");
                    let end = row * of + of / 2;
                    let below = (0..end).filter(|unit| shard.has(*unit)).count() as u64;
                    assert_eq!(shard.count_below(end), below, "{shard}, below {end}");
                }
            }
        }
        // By hand, to the base 2: 0, 1, 10, 11, 100 have 0, 1, 1, 2, 1 ones.
        let first = Shard::new(1, 2).unwrap();
        assert_eq!([0, 1, 2, 3, 4].map(|unit| first.has(unit)), [true, false, false, true, false]);
    }

    #[test]
    fn what_comes_again_at_every_nth_unit_is_shared_too() {
        for of in [2, 3, 4, 8] {
            for index in 1..=of {
                let shard = Shard::new(index, of).unwrap();
                let slow = (0..of * of * of).step_by(of as usize).filter(|unit| shard.has(*unit));
                assert_eq!(slow.count() as u64, of, "{shard}");
            }
        }
    }
}
