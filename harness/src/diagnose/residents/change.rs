//! Words that come and go: which change of the list makes the description shorter.

use super::gaps::{Group, grouped};
use super::parts::{bits, parts, top};
use super::row::{Row, Rows, Word};
use super::sizes::Learner;

/// How far an estimate may be off.
const NEAR: f64 = 64.0;

impl Learner {
    /// Takes out each word whose gaps are described shorter by others, longest first.
    pub(super) fn prune(&mut self) {
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_by_key(|number| std::cmp::Reverse(self.words[*number].count));
        // No row has words longer than it is: those that go first change none of the others.
        let rows = self.rows_of_others(0);
        for number in order {
            if self.uses[number] > 0 && self.is_better_without(number, &rows[number]) {
                self.words[number].cost = f64::INFINITY;
            }
        }
        self.drop_dear();
        self.price();
    }

    /// Takes out the words that were priced away.
    fn drop_dear(&mut self) {
        for counts in [&mut self.uses, &mut self.again] {
            let mut words = self.words.iter();
            counts.retain(|_| words.next().is_some_and(|word| word.cost.is_finite()));
        }
        self.words.retain(|word| word.cost.is_finite());
    }

    /// If so, its uses are given to those in `row`.
    fn is_better_without(&mut self, number: usize, row: &Row) -> bool {
        let word = self.words[number];
        let uses = self.uses[number] + self.again[number];
        let before = self.total();
        let saved = (self.uses.clone(), self.again.clone(), self.go_on, self.unknown);
        self.give(number, row);
        let is_sum = row.unknown == 0 && self.is_expected(&word, uses, row, &saved.0);
        if is_sum || self.total() < before {
            return true;
        }
        (self.uses, self.again, self.go_on, self.unknown) = saved;
        false
    }

    /// Whether a word used so often is but what neighbours without a hole between make: each of
    /// them is used more than in these rows, and the sum would be an accident.
    fn is_expected(&self, word: &Word, uses: u64, row: &Row, seen: &[u64]) -> bool {
        if word.is_round() && uses >= 3 {
            return false;
        }
        let mut parts = row.words.clone();
        parts.sort_unstable();
        // A frequent size and whole slots around it: two sizes are seldom equal modulo a slot.
        let odd = row.words.iter().filter(|part| !self.words[usize::from(**part)].is_round());
        let factor = if odd.count() == 1 || uses < 3 { 4 } else { 1 };
        let is_frequent = |same: &[u16]| {
            let needed = same.len() as u64 * uses;
            needed <= seen[usize::from(same[0])].saturating_mul(factor)
        };
        parts.chunk_by(|a, b| a == b).all(is_frequent)
    }

    /// What each word of more than `above` bits would be made of if it were none; an empty row for
    /// any other.
    fn rows_of_others(&mut self, above: u64) -> Vec<Row> {
        let mut found = vec![Row::default(); self.words.len()];
        let numbers: Vec<usize> =
            (0..found.len()).filter(|number| self.words[*number].count > above).collect();
        let place = |number: &usize| {
            let word = self.words[*number];
            (if word.align == self.cap { 0 } else { 1 << word.align }, word.count)
        };
        for Group { phase, members, lens } in grouped(numbers.iter().map(place)) {
            let gaps = (phase, &lens[..]);
            let rows =
                self.explainer.explain(gaps, self.cap, &self.words, &self.costs, Rows::OfOthers);
            for (member, row) in members.iter().zip(rows) {
                found[numbers[*member]] = row;
            }
        }
        found
    }

    /// Gives the uses of word `number` to those in `row`.
    fn give(&mut self, number: usize, row: &Row) {
        let uses = std::mem::take(&mut self.uses[number]);
        let more = std::mem::take(&mut self.again[number]);
        for (other, again) in row.runs() {
            self.uses[other] += uses;
            self.again[other] += again * (uses + more);
            // After itself a row of one word goes on.
            if again + 1 == row.words.len() as u64 {
                self.again[other] += more;
            } else {
                self.uses[other] += more;
            }
        }
        for (sum, ends) in self.go_on.iter_mut().zip(row.inner_ends) {
            *sum += ends * (uses + more);
        }
        if row.unknown > 0 {
            self.unknown += uses + more;
        }
    }

    /// Tries words that others are sums with: 512 where 660 and 588 are there, and 148 and 76.
    pub(super) fn split(&mut self) {
        for count in parts(&self.words, self.cap) {
            if self.is_spent() {
                break;
            }
            self.split_by(count, false);
            self.drop_dear();
            self.split_by(count, true);
            self.drop_dear();
        }
        let round = self.words.iter().filter(|word| word.is_round());
        let round: Vec<u64> = round.map(|word| word.count).collect();
        for count in round {
            if self.is_spent() {
                break;
            }
            self.split_by(count, true);
            self.drop_dear();
        }
        self.drop_dear();
        self.price();
    }

    /// Takes a word in and makes rows with it of longer ones: of those that it is cheapest for, or
    /// of all that can be (`every`: rows of many look dear until all are). Undone unless it pays.
    fn split_by(&mut self, count: u64, every: bool) {
        // It is cheap while it is tried: what it really costs shows in the total.
        const TRIAL: f64 = 2.0;
        let new = Word { cost: TRIAL, ..Word::new(count, self.cap) };
        let at = self.words.partition_point(|word| (word.align, word.count) < (new.align, count));
        let total = self.total();
        let counts = (self.uses.clone(), self.again.clone(), self.go_on, self.unknown);
        let words = self.words.clone();
        if self.words.get(at).is_some_and(|word| word.count == count) {
            self.words[at].cost = self.words[at].cost.min(TRIAL);
        } else {
            self.words.insert(at, new);
            self.uses.insert(at, 0);
            self.again.insert(at, 0);
        }
        let mut rows = if every { Vec::new() } else { self.rows_of_others(count) };
        for number in (0..self.words.len()).rev() {
            if self.uses[number] == 0 || self.words[number].count <= count {
                continue;
            }
            let row = match rows.get_mut(number) {
                Some(row) => Some(std::mem::take(row)),
                None => self.multiple(number, at),
            };
            let with = |row: &Row| row.unknown == 0 && row.words.contains(&(at as u16));
            if let Some(row) = row.filter(with) {
                self.give(number, &row);
                self.words[number].cost = f64::INFINITY;
            }
        }
        let estimate = self.total();
        if estimate >= total {
            let near = self.words.clone();
            self.words = words;
            (self.uses, self.again, self.go_on, self.unknown) = counts;
            if every && estimate < total + NEAR {
                self.try_exactly(near, total);
            }
        }
    }

    /// Takes these words if the gaps, explained anew with them, have a description shorter than
    /// `total`: rows that adjoin become one, which an estimate does not see.
    fn try_exactly(&mut self, words: Vec<Word>, total: f64) {
        let Some(tries) = self.tries.checked_sub(1) else { return };
        self.tries = tries;
        let explainer = std::mem::take(&mut self.explainer);
        let before = self.clone();
        self.explainer = explainer;
        self.words = words;
        self.words.retain(|word| word.cost.is_finite());
        self.count();
        if self.total() >= total {
            let explainer = std::mem::take(&mut self.explainer);
            *self = Self { explainer, tries, ..before };
        }
    }

    /// Word `number` as several of word `unit`, perhaps with one that is not round after them.
    fn multiple(&self, number: usize, unit: usize) -> Option<Row> {
        const MOST: u64 = 4096;
        let (word, part) = (self.words[number], self.words[unit]);
        if !part.is_round() {
            return None;
        }
        let is_last = |(other, last): &(usize, &Word)| {
            *other != number
                && self.uses[*other] > 0
                && !last.is_round()
                && last.count < word.count
                && (word.count - last.count) % part.count == 0
                && part.count % (1 << last.align) == 0
        };
        let mut row = Row::default();
        let mut rest = word.count;
        if rest % part.count > 0 {
            let (last, found) = self.words.iter().enumerate().find(is_last)?;
            row.words.push(last as u16);
            rest -= found.count;
        }
        let times = rest / part.count;
        if times > MOST {
            return None;
        }
        row.words.extend(std::iter::repeat_n(unit as u16, times as usize));
        let inner = row.words.len() as u64 - 1;
        let slot = 1u64 << self.cap;
        // Each so many of them end where a slot ends.
        let period = (slot >> part.count.trailing_zeros().min(self.cap)).max(1);
        row.inner_ends = [inner - inner / period, inner / period];
        Some(row)
    }

    /// Makes words of what was left unexplained; whether there are any.
    pub(super) fn learn_rests(&mut self) -> bool {
        let rests = self.chosen.iter().zip(&self.rows).filter(|(_, row)| row.unknown > 0);
        let rests = rests.map(|((_, class), row)| (row.unknown, class.times)).collect();
        let mut new = false;
        for (count, times) in top(rests, 32) {
            let is_known = self.words.iter().any(|word| word.count == count);
            if (self.complete || times > 1) && !is_known {
                let all: u64 = self.uses.iter().sum();
                let cost = bits(times as f64, (all + times) as f64);
                self.words.push(Word { cost, ..Word::new(count, self.cap) });
                new = true;
            }
        }
        new
    }
}
