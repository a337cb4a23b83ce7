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

struct Learner {
    cap: u32,
    complete: bool,
    /// Classes that are looked at, by number.
    chosen: Vec<(usize, Class)>,
    /// Ascending by align, then count.
    words: Vec<Word>,
    rows: Vec<Row>,
    uses: Vec<u64>,
    /// Gaps that are one buffer.
    alone: Vec<u64>,
    go_on: [u64; 2],
    stop: [u64; 2],
    unknown: u64,
    costs: Costs,
    explainer: Explainer,
}

impl Learner {
    fn new(gaps: &Gaps, complete: bool) -> Self {
        let chosen = choose(&gaps.classes);
        // Where holes are missing, a gap that nothing explains is one that is none.
        let unknown = if complete { 40.0 } else { 18.0 };
        let costs = Costs { unknown, go_on: [1.0; 2], stop: [1.0; 2] };
        let words = candidates(&chosen, gaps.cap);
        Self {
            cap: gaps.cap,
            complete,
            chosen,
            words,
            rows: Vec::new(),
            uses: Vec::new(),
            alone: Vec::new(),
            go_on: [0; 2],
            stop: [0; 2],
            unknown: 0,
            costs,
            explainer: Explainer::default(),
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
        self.alone = vec![0; self.words.len()];
        (self.go_on, self.stop, self.unknown) = ([0; 2], [0; 2], 0);
        for ((_, class), row) in self.chosen.iter().zip(&self.rows) {
            for word in &row.words {
                self.uses[usize::from(*word)] += class.times;
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
        for slot in 0..2 {
            let (go_on, stop) = (self.go_on[slot] as f64 + 0.5, self.stop[slot] as f64 + 0.5);
            self.costs.go_on[slot] = bits(go_on, go_on + stop);
            self.costs.stop[slot] = bits(stop, go_on + stop);
        }
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
        let mut words = self.words.iter();
        self.uses.retain(|_| words.next().is_some_and(|word| word.cost.is_finite()));
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
        for other in &row.words {
            self.uses[usize::from(*other)] += uses;
        }
        for (sum, ends) in self.go_on.iter_mut().zip(row.inner_ends) {
            *sum += ends * uses;
        }
        if row.unknown > 0 {
            self.unknown += uses;
        }
    }

    /// If so, its uses are given to the others.
    fn is_better_without(&mut self, number: usize) -> bool {
        let row = self.without(number);
        let (word, uses) = (self.words[number], self.uses[number]);
        let before = self.total();
        let saved = (self.uses.clone(), self.go_on, self.unknown);
        self.give(number, &row);
        let is_sum = row.unknown == 0 && self.is_expected(&word, uses, &row, &saved.0);
        if is_sum || self.total() < before {
            return true;
        }
        (self.uses, self.go_on, self.unknown) = saved;
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
            self.split_by(count);
            self.drop_dear();
        }
        self.drop_dear();
        self.price();
    }

    fn split_by(&mut self, count: u64) {
        // It is cheap while it is tried: what it really costs shows in the total.
        const TRIAL: f64 = 2.0;
        let new = Word { cost: TRIAL, ..Word::new(count, self.cap) };
        let at = self.words.partition_point(|word| (word.align, word.count) < (new.align, count));
        let before = (self.words.clone(), self.uses.clone(), self.go_on, self.unknown);
        let total = self.total();
        if self.words.get(at).is_some_and(|word| word.count == count) {
            self.words[at].cost = self.words[at].cost.min(TRIAL);
        } else {
            self.words.insert(at, new);
            self.uses.insert(at, 0);
        }
        for number in (0..self.words.len()).rev() {
            if self.uses[number] == 0 || self.words[number].count <= count {
                continue;
            }
            let row = self.without(number);
            if row.unknown == 0 && row.words.contains(&(at as u16)) {
                self.give(number, &row);
                self.words[number].cost = f64::INFINITY;
            }
        }
        if self.total() >= total {
            (self.words, self.uses, self.go_on, self.unknown) = before;
        }
    }

    /// The length of the whole description.
    fn total(&self) -> f64 {
        let all: u64 = self.uses.iter().sum();
        let used = self.words.iter().zip(&self.uses).filter(|(_, uses)| **uses > 0);
        let words: f64 = used
            .map(|(word, uses)| self.price_of(word) + *uses as f64 * bits(*uses as f64, all as f64))
            .sum();
        let ends: f64 = self.go_on.iter().zip(self.stop).map(|(a, b)| split(*a, b)).sum();
        words + ends + self.unknown as f64 * self.costs.unknown
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
                let is_once =
                    self.uses[number] == 1 && word.is_round() && word.count >> self.cap > 1;
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
