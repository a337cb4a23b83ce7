//! The few sizes that explain most gaps: the shortest description of all gaps.
//!
//! A description is a list of sizes, and for each gap the row of them that makes it up. A size in
//! the list costs something, each use of it the logarithm of how rare it is, and each end of a
//! buffer whether a hole follows. So a size that is alone in many gaps pays for itself, and
//! one that is the sum of two others does not. It is what segmentation of text into words does
//! where words have no spaces between them.
//!
//! The cheapest row of each gap finds most sizes fast. Where a gap can be made up in many ways, as
//! rows of whole slots can, only all of them together show which list is the shortest: see
//! [`refine`](super::refine), which goes on from there and counts the buffers.

use super::super::Confidence;
use super::Size;
use super::gaps::{Class, Gaps, Group, grouped};
use super::model::Model;
use super::parts::{bits, candidates};
use super::refine::Refiner;
use super::row::{Costs, Explainer, Row, Rows, Word};

/// Bits that all gaps looked at may have together: it bounds the time.
const BUDGET: u64 = 1 << 19;
/// Classes of gaps looked at.
const CLASSES: usize = 1 << 15;

/// Steps of the search that all changes of the list may take together: it bounds the time, too.
const STEPS: u64 = 1 << 19;

/// How often all gaps are explained anew to see whether it is.
const TRIES: u32 = 48;

/// As many gaps have to be one buffer of a size that is likely.
const ALONE: u64 = 3;
/// And as many bits have to be saved by it.
const SAVING: f64 = 16.0;

/// What was found.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Found {
    /// The sizes, in bits.
    pub(super) sizes: Vec<Size>,
    /// The size that a gap of this class ends with, by class.
    pub(super) last_of_class: Vec<Option<usize>>,
    /// Whether not all of it was looked at, or not all tried.
    pub(super) is_cut: bool,
}

/// The sizes that explain `gaps`; `complete` says that no hole is missing.
pub(super) fn find(gaps: &Gaps, complete: bool) -> Found {
    let mut learner = Learner::new(gaps, complete);
    for _ in 0..3 {
        for _ in 0..5 {
            learner.count();
            learner.prune();
            learner.split();
            if learner.is_spent() {
                break;
            }
        }
        learner.count();
        if learner.is_spent() || !learner.learn_rests() {
            break;
        }
    }
    learner.count();
    let unknown = learner.costs.unknown;
    let chosen = learner.chosen.clone();
    let is_cut = learner.is_spent() || chosen.len() < gaps.classes.len();
    let mut refiner = Refiner::new(&chosen, gaps.cap, complete);
    let Some(model) = refiner.refine(&learner.words, unknown) else {
        let blocks = learner.uses.iter().zip(&learner.again).map(|(uses, again)| uses + again);
        let blocks: Vec<u64> = blocks.collect();
        let savings = vec![f64::INFINITY; blocks.len()];
        return Found { is_cut: true, ..learner.found(gaps, &blocks, &savings) };
    };
    let blocks: Vec<u64> = model.blocks.iter().map(|blocks| blocks.round() as u64).collect();
    learner.follow(&model);
    // What is never alone is not sure, whatever it saves.
    let asked = learner.alone.iter().map(|alone| *alone >= ALONE);
    let savings = refiner.savings(&model, &asked.collect::<Vec<_>>());
    let found = learner.found(gaps, &blocks, &savings);
    Found { is_cut: is_cut || refiner.is_cut, ..found }
}

/// The list of words, and what the gaps are made of with it.
#[derive(Clone)]
pub(super) struct Learner {
    pub(super) cap: u32,
    pub(super) complete: bool,
    /// Classes that are looked at, by number.
    pub(super) chosen: Vec<(usize, Class)>,
    /// The same by phase.
    pub(super) groups: Vec<Group>,
    /// Ascending by align, then count.
    pub(super) words: Vec<Word>,
    pub(super) rows: Vec<Row>,
    /// Runs of each word.
    pub(super) uses: Vec<u64>,
    /// How often it follows itself.
    pub(super) again: Vec<u64>,
    /// Gaps that are one buffer.
    pub(super) alone: Vec<u64>,
    pub(super) go_on: [u64; 2],
    pub(super) stop: [u64; 2],
    pub(super) unknown: u64,
    pub(super) costs: Costs,
    pub(super) explainer: Explainer,
    /// How often all gaps may still be explained anew for a try.
    pub(super) tries: u32,
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
            groups: grouped(chosen.iter().map(|(_, class)| (class.phase, class.len))),
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

    /// Whether nothing more is to be tried.
    pub(super) fn is_spent(&self) -> bool {
        self.explainer.work > STEPS
    }

    /// Explains every gap anew, counts, and makes costs of the counts. Words without use go.
    pub(super) fn count(&mut self) {
        self.words.sort_by_key(|word| (word.align, word.count));
        self.explain();
        let used: Vec<_> = self.uses.iter().map(|uses| *uses > 0).collect();
        let mut below = 0;
        let number = |used: &bool| {
            below += u16::from(*used);
            below - u16::from(*used)
        };
        let number: Vec<u16> = used.iter().map(number).collect();
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

    /// Explains every gap anew, and counts.
    fn explain(&mut self) {
        self.rows.resize(self.chosen.len(), Row::default());
        for Group { phase, members, lens } in &self.groups {
            let gaps = (*phase, &lens[..]);
            let rows = self.explainer.explain(gaps, self.cap, &self.words, &self.costs, Rows::All);
            for (member, row) in members.iter().zip(rows) {
                self.rows[*member] = row;
            }
        }
        self.tally();
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

    pub(super) fn price(&mut self) {
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

    /// Buffers after one of their own size, and after one of another.
    pub(super) fn followers(&self) -> (u64, u64) {
        let gaps: u64 = self.stop.iter().sum();
        (self.again.iter().sum(), self.uses.iter().sum::<u64>().saturating_sub(gaps))
    }

    /// The length of the whole description.
    pub(super) fn total(&self) -> f64 {
        let all: u64 = self.uses.iter().sum();
        let used = self.words.iter().zip(&self.uses).filter(|(_, uses)| **uses > 0);
        let words: f64 = used
            .map(|(word, uses)| {
                word.price(self.cap) + *uses as f64 * bits(*uses as f64, all as f64)
            })
            .sum();
        let ends: f64 = self.go_on.iter().zip(self.stop).map(|(a, b)| split(*a, b)).sum();
        let (again, changes) = self.followers();
        words + split(again, changes) + ends + self.unknown as f64 * self.costs.unknown
    }

    /// Explains every gap with the words of `model`, at its prices.
    fn follow(&mut self, model: &Model) {
        self.words = model.words.clone();
        for (number, word) in self.words.iter_mut().enumerate() {
            word.cost = model.cost(number);
        }
        self.explain();
    }

    fn found(self, gaps: &Gaps, blocks: &[u64], savings: &[f64]) -> Found {
        let mut last_of_class = vec![None; gaps.classes.len()];
        for ((number, _), row) in self.chosen.iter().zip(&self.rows) {
            if row.unknown == 0 {
                last_of_class[*number] = row.words.first().map(|word| usize::from(*word));
            }
        }
        let size = |(number, word): (usize, &Word)| {
            // A long gap of whole slots that is there once could be anything.
            let is_once = blocks[number] <= 1 && word.is_round() && word.count >> self.cap > 1;
            let blocks = if is_once { 0 } else { blocks[number] };
            // What is only seen in rows could be parts of it, or several.
            let sure = self.alone[number] >= ALONE && savings[number] >= SAVING;
            let confidence = if sure { Confidence::Likely } else { Confidence::Guess };
            Size { count: word.count, blocks, confidence }
        };
        let sizes = self.words.iter().enumerate().map(size).collect();
        Found { sizes, last_of_class, is_cut: false }
    }
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
