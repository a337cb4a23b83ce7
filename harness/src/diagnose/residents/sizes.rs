//! The few sizes that explain most gaps: the shortest description of all gaps.
//!
//! A description is a list of sizes, and for each gap the row of them that makes it up. A size in
//! the list costs something, each use of it the logarithm of how rare it is, and each end of a
//! buffer whether a hole follows. So a size that stands alone in many gaps pays for itself, and
//! one that is the sum of two others does not. It is what segmentation of text into words does
//! where words have no spaces between them.

use super::super::Confidence;
use super::Size;
use super::gaps::{Class, Gaps};
use super::parts::{candidates, parts, top};
use super::row::{Costs, Explainer, Row, Word};

/// Bits that all gaps looked at may have together: it bounds the time.
const BUDGET: u64 = 1 << 20;
/// Classes of gaps looked at.
const CLASSES: usize = 1 << 15;
/// What a size in the list costs.
const WORD: f64 = 14.0;

/// How far an estimate may be off.
const NEAR: f64 = 64.0;
/// How often all gaps are explained anew to see whether it is.
const TRIES: u32 = 48;

/// What was found.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Found {
    /// The sizes, in bits.
    pub(super) sizes: Vec<Size>,
    /// The size that a gap of this class ends with, by class.
    pub(super) last_of_class: Vec<Option<usize>>,
}

/// The sizes that explain `gaps`; `complete` says that no hole is missing.
pub(super) fn find(gaps: &Gaps, complete: bool) -> Found {
    let mut learner = Learner::new(gaps, complete);
    for _ in 0..3 {
        for _ in 0..5 {
            learner.count();
            learner.prune();
            learner.split();
        }
        learner.count();
        if !learner.learn_rests() {
            break;
        }
    }
    learner.count();
    learner.found(gaps)
}

#[derive(Clone)]
struct Learner {
    cap: u32,
    complete: bool,
    /// Classes that are looked at, by number.
    chosen: Vec<(usize, Class)>,
    /// Ascending by align, then count.
    words: Vec<Word>,
    rows: Vec<Row>,
    /// Runs of each word.
    uses: Vec<u64>,
    /// How often it follows itself.
    again: Vec<u64>,
    /// Gaps that are one buffer.
    alone: Vec<u64>,
    go_on: [u64; 2],
    stop: [u64; 2],
    unknown: u64,
    costs: Costs,
    explainer: Explainer,
    /// How often all gaps may still be explained anew for a try.
    tries: u32,
}

impl Learner {
    fn new(gaps: &Gaps, complete: bool) -> Self {
        let chosen = choose(&gaps.classes);
        // Where holes are missing, a gap that nothing explains is one that is none.
        let unknown = if complete { 40.0 } else { 18.0 };
        let costs = Costs { unknown, again: 1.0, change: 1.0, go_on: [1.0; 2], stop: [1.0; 2] };
        let words = candidates(&chosen, gaps.cap);
        Self {
            cap: gaps.cap,
            complete,
            chosen,
            words,
            rows: Vec::new(),
            uses: Vec::new(),
            again: Vec::new(),
            alone: Vec::new(),
            go_on: [0; 2],
            stop: [0; 2],
            unknown: 0,
            costs,
            explainer: Explainer::default(),
            tries: TRIES,
        }
    }

    /// Explains every gap anew, counts, and makes costs of the counts. Words without use go.
    fn count(&mut self) {
        self.words.sort_by_key(|word| (word.align, word.count));
        self.rows.clear();
        for (_, class) in &self.chosen {
            let row = self.explainer.explain(*class, self.cap, &self.words, &self.costs, None);
            self.rows.push(row);
        }
        self.tally();
        let used: Vec<_> = self.uses.iter().map(|uses| *uses > 0).collect();
        let number: Vec<u16> = used
            .iter()
            .scan(0, |next, used| {
                let number = *next;
                *next += u16::from(*used);
                Some(number)
            })
            .collect();
        for row in &mut self.rows {
            for word in &mut row.words {
                *word = number[usize::from(*word)];
            }
        }
        let mut keep = used.iter();
        self.words.retain(|_| *keep.next().unwrap_or(&true));
        self.tally();
        self.price();
    }

    fn tally(&mut self) {
        self.uses = vec![0; self.words.len()];
        self.again = vec![0; self.words.len()];
        self.alone = vec![0; self.words.len()];
        (self.go_on, self.stop, self.unknown) = ([0; 2], [0; 2], 0);
        for ((_, class), row) in self.chosen.iter().zip(&self.rows) {
            for (word, again) in row.runs() {
                self.uses[word] += class.times;
                self.again[word] += again * class.times;
            }
            if let ([word], 0) = (&row.words[..], row.unknown) {
                self.alone[usize::from(*word)] += class.times;
            }
            for (sum, ends) in self.go_on.iter_mut().zip(row.inner_ends) {
                *sum += ends * class.times;
            }
            if row.unknown > 0 {
                self.unknown += class.times;
            } else {
                let slot = (class.phase + class.len) & ((1 << self.cap) - 1) == 0;
                self.stop[usize::from(slot)] += class.times;
            }
        }
    }

    fn price(&mut self) {
        let all: u64 = self.uses.iter().sum();
        for (word, uses) in self.words.iter_mut().zip(&self.uses) {
            word.cost = bits(*uses as f64 + 0.01, all as f64 + 0.01);
        }
        let (again, changes) = self.followers();
        let (again, changes) = (again as f64 + 0.5, changes as f64 + 0.5);
        self.costs.again = bits(again, again + changes);
        self.costs.change = bits(changes, again + changes);
        for slot in 0..2 {
            let (go_on, stop) = (self.go_on[slot] as f64 + 0.5, self.stop[slot] as f64 + 0.5);
            self.costs.go_on[slot] = bits(go_on, go_on + stop);
            self.costs.stop[slot] = bits(stop, go_on + stop);
        }
    }

    /// Buffers behind one of their own size, and behind one of another.
    fn followers(&self) -> (u64, u64) {
        let gaps: u64 = self.stop.iter().sum();
        (self.again.iter().sum(), self.uses.iter().sum::<u64>().saturating_sub(gaps))
    }

    /// Takes out each word whose gaps are described shorter by others, longest first.
    fn prune(&mut self) {
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_by_key(|number| std::cmp::Reverse(self.words[*number].count));
        for number in order {
            if self.uses[number] > 0 && self.is_better_without(number) {
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

    /// What word `number` would be made of if it were none.
    fn without(&mut self, number: usize) -> Row {
        let word = self.words[number];
        let phase = if word.align == self.cap { 0 } else { 1 << word.align };
        let gap = Class { len: word.count, phase, times: 1 };
        self.explainer.explain(gap, self.cap, &self.words, &self.costs, Some(number))
    }

    /// Gives the uses of word `number` to those in `row`.
    fn give(&mut self, number: usize, row: &Row) {
        let uses = std::mem::take(&mut self.uses[number]);
        let more = std::mem::take(&mut self.again[number]);
        for (other, again) in row.runs() {
            self.uses[other] += uses;
            self.again[other] += again * (uses + more);
            // Behind itself a row of one word goes on.
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

    /// If so, its uses are given to the others.
    fn is_better_without(&mut self, number: usize) -> bool {
        let row = self.without(number);
        let word = self.words[number];
        let uses = self.uses[number] + self.again[number];
        let before = self.total();
        let saved = (self.uses.clone(), self.again.clone(), self.go_on, self.unknown);
        self.give(number, &row);
        let is_sum = row.unknown == 0 && self.is_expected(&word, uses, &row, &saved.0);
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

    /// Tries words that others are sums with: 512 where 660 and 588 are there, and 148 and 76.
    fn split(&mut self) {
        for count in parts(&self.words, self.cap) {
            self.split_by(count, false);
            self.drop_dear();
            self.split_by(count, true);
            self.drop_dear();
        }
        let round = self.words.iter().filter(|word| word.is_round());
        let round: Vec<u64> = round.map(|word| word.count).collect();
        for count in round {
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
        for number in (0..self.words.len()).rev() {
            if self.uses[number] == 0 || self.words[number].count <= count {
                continue;
            }
            let row = if every { self.multiple(number, at) } else { Some(self.without(number)) };
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

    /// Word `number` as several of word `unit`, perhaps with one that is not round behind them.
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

    /// The length of the whole description.
    fn total(&self) -> f64 {
        let all: u64 = self.uses.iter().sum();
        let used = self.words.iter().zip(&self.uses).filter(|(_, uses)| **uses > 0);
        let words: f64 = used
            .map(|(word, uses)| self.price_of(word) + *uses as f64 * bits(*uses as f64, all as f64))
            .sum();
        let ends: f64 = self.go_on.iter().zip(self.stop).map(|(a, b)| split(*a, b)).sum();
        let (again, changes) = self.followers();
        words + split(again, changes) + ends + self.unknown as f64 * self.costs.unknown
    }

    /// What a word in the list costs: of whole slots there are fewer.
    fn price_of(&self, word: &Word) -> f64 {
        if word.align == self.cap && word.is_round() {
            WORD + 2.0 - f64::from(self.cap)
        } else {
            WORD
        }
    }

    /// Makes words of what was left unexplained; whether there are any.
    fn learn_rests(&mut self) -> bool {
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

    fn found(self, gaps: &Gaps) -> Found {
        let mut last_of_class = vec![None; gaps.classes.len()];
        for ((number, _), row) in self.chosen.iter().zip(&self.rows) {
            if row.unknown == 0 {
                last_of_class[*number] = row.words.first().map(|word| usize::from(*word));
            }
        }
        let blocks = self.counted();
        let size = |(number, word): (usize, &Word)| {
            let sure = self.alone[number] >= 3 && (!word.is_round() || word.align == 0);
            let confidence = if sure { Confidence::Likely } else { Confidence::Guess };
            Size { count: word.count, blocks: blocks[number], confidence }
        };
        Found { sizes: self.words.iter().enumerate().map(size).collect(), last_of_class }
    }

    /// The uses of each word that say something: not those in long rows of small buffers, which
    /// could be anything, nor a long gap of whole slots that is there once.
    fn counted(&self) -> Vec<u64> {
        const LONG: usize = 16;
        let mut counted = vec![0; self.words.len()];
        for ((_, class), row) in self.chosen.iter().zip(&self.rows) {
            let mut parts = row.words.clone();
            parts.sort_unstable();
            for same in parts.chunk_by(|a, b| a == b) {
                let number = usize::from(same[0]);
                let word = &self.words[number];
                let is_known = same.len() <= LONG || word.align == self.cap;
                let is_once = self.uses[number] + self.again[number] == 1
                    && word.is_round()
                    && word.count >> self.cap > 1;
                if is_known && !is_once {
                    counted[number] += class.times * same.len() as u64;
                }
            }
        }
        counted
    }
}

/// The bits that say a thing which is `part` of `whole`.
pub(super) fn bits(part: f64, whole: f64) -> f64 {
    libm::log2(whole / part)
}

/// The bits that say which of `a + b` things are of which kind.
fn split(a: u64, b: u64) -> f64 {
    let (left, right) = (a as f64, b as f64);
    let side = |part: f64| if part > 0.0 { part * bits(part, left + right) } else { 0.0 };
    side(left) + side(right)
}

/// The classes to look at: frequent ones first, then short ones, within the budget.
fn choose(classes: &[Class]) -> Vec<(usize, Class)> {
    let mut order: Vec<(usize, Class)> = classes.iter().copied().enumerate().collect();
    order.sort_by_key(|(number, class)| (std::cmp::Reverse(class.times), class.len, *number));
    let mut left = BUDGET;
    order.truncate(CLASSES);
    order.retain(|(_, class)| match left.checked_sub(class.len) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    order
}
