//! Which cells are finished: a bit for each, and another for whether a request was refused; where
//! that is asked, how long each went well.

use std::collections::BTreeMap;

use super::plan::Plan;
use crate::metric::{Value, column};

/// How a cell ended, as far as it decides what else is run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Outcome {
    /// Whether an area refused a request.
    pub refused: bool,
    /// Whether a caller did not get its memory, from an area or from elsewhere.
    pub lost: bool,
    /// Board time until then, else until its end, in microseconds; 0 of a stream without time.
    pub watched_us: u64,
}

impl Outcome {
    /// Of a cell with these values.
    ///
    /// # Panics
    /// If these are not the values of all [`columns`](crate::metric::columns).
    pub fn of(values: &[Value]) -> Self {
        let count = |name: &str| match values[column(name)] {
            Value::Count(count) => Some(count),
            Value::None | Value::Micro(_) => None,
        };
        let failed_us = count("time_to_first_unserved_us");
        Self {
            refused: values[column("refused")] != Value::Count(0),
            lost: failed_us.is_some(),
            watched_us: failed_us.or_else(|| count("board_time_us")).unwrap_or(0),
        }
    }
}

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

/// The finished cells of a plan, by number. It takes two bits for each cell up to the last; of a
/// plan with a target also what became of each.
#[derive(Clone, Default, Debug)]
pub struct Known {
    done: Bits,
    failed: Bits,
    count: u64,
    outcomes: Option<BTreeMap<u64, Outcome>>,
}

impl Known {
    /// None yet, of this plan.
    pub fn of(plan: &Plan) -> Self {
        Self { outcomes: plan.target.map(|_| BTreeMap::new()), ..Self::default() }
    }

    /// Notes that cell `number` is finished, and how it ended.
    pub fn note(&mut self, number: u64, outcome: Outcome) {
        if !self.has(number) {
            self.count += 1;
            self.done.set(number);
        }
        if outcome.refused {
            self.failed.set(number);
        }
        if let Some(outcomes) = &mut self.outcomes {
            outcomes.insert(number, outcome);
        }
    }

    /// Whether cell `number` is finished.
    pub fn has(&self, number: u64) -> bool {
        self.done.has(number)
    }

    /// How cell `number` ended: all of it of a plan with a target, else whether a request was
    /// refused.
    pub fn outcome(&self, number: u64) -> Outcome {
        let known = self.outcomes.as_ref().and_then(|outcomes| outcomes.get(&number));
        let refused = self.failed.has(number);
        known.copied().unwrap_or(Outcome { refused, ..Outcome::default() })
    }

    /// How many are finished.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first finished cell from number `from` on.
    pub fn next(&self, from: u64) -> Option<u64> {
        self.done.next(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_again_in_order() {
        let mut known = Known::default();
        assert_eq!((known.next(0), known.has(0), known.count()), (None, false, 0));
        let numbers = [0, 1, 63, 64, 65, 127, 128, 1000];
        for number in numbers.into_iter().rev().chain(numbers) {
            known.note(number, Outcome { refused: number == 64, ..Outcome::default() });
        }
        assert_eq!(known.count(), numbers.len() as u64);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(number) = known.next(from) {
            found.push(number);
            from = number + 1;
        }
        assert_eq!(found, numbers);
        let refused = |number| known.outcome(number).refused;
        assert!(refused(64) && !refused(63) && !refused(5000));
        assert_eq!(known.next(1001), None);
        assert_eq!(known.next(u64::MAX), None);
    }
}
