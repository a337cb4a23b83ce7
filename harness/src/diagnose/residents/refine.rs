//! Words that come and go by the likelihood of all gaps (see [`Model`]).

use super::gaps::Class;
use super::model::{Model, Phases, Tables};
use super::parts::parts;
use super::row::Word;

/// Steps that all tries may take together: it bounds the time.
const WORK: u64 = 1 << 20;
/// Slots of the largest size of whole slots that is tried without being seen.
const SLOTS: u64 = 16;

/// The order of the smallest size that is tried without being seen.
const SMALLEST: u32 = 4;
/// Bits that a list may be worse at first than one that it is better than.
const FAR: f64 = 64.0;
/// The same where it was fitted for some rounds.
const NEAR: f64 = 8.0;
/// As few buffers of a size, as expected where it is as frequent as others, are none.
const RARE: f64 = 0.02;
/// Of the same size, in a sum that may be given up.
const SAME: u64 = 16;

/// The search for the list of words with the shortest description.
pub(super) struct Refiner<'a> {
    gaps: &'a [(usize, Class)],
    phases: Phases,
    cap: u32,
    complete: bool,
    tables: Tables,
    /// Whether something was not tried since it would have taken too long.
    pub(super) is_cut: bool,
}

impl<'a> Refiner<'a> {
    /// `complete` says that no hole is missing.
    pub(super) fn new(gaps: &'a [(usize, Class)], cap: u32, complete: bool) -> Self {
        let (phases, tables) = (Phases::of(gaps), Tables::default());
        Self { gaps, phases, cap, complete, tables, is_cut: false }
    }

    /// The best model that is found from `words` on, where an unknown gap costs `unknown` bits;
    /// nothing where there are too many gaps to try anything.
    pub(super) fn refine(&mut self, words: &[Word], unknown: f64) -> Option<Model> {
        const TRIES: u64 = 16;
        let mut best = Model::new(words.to_vec(), self.cap, unknown);
        self.fit(&mut best, 0);
        if self.tables.work > WORK / TRIES {
            return None;
        }
        self.fit(&mut best, 4);
        self.prune(&mut best);
        self.grow(&mut best);
        // From the other end: all sizes of whole slots, and those go that are not needed.
        let round = self.rounds();
        if self.complete && best.words.iter().any(Word::is_round) && !self.is_spent() {
            let odd = best.words.iter().filter(|word| !word.is_round()).copied();
            let mut all = Model::new(odd.chain(round).collect(), self.cap, unknown);
            self.fit(&mut all, 6);
            self.prune(&mut all);
            self.grow(&mut all);
            if self.total(&all) < self.total(&best) {
                best = all;
            }
        }
        self.fit(&mut best, 4);
        Some(best)
    }

    /// What each word of `model` saves, in bits; 0 of those that are not `asked` for.
    pub(super) fn savings(&mut self, model: &Model, asked: &[bool]) -> Vec<f64> {
        let whole = self.total(model);
        let saves = |number: usize| {
            if !asked[number] {
                return 0.0;
            }
            let mut other = model.without(number);
            self.fit(&mut other, 1);
            self.total(&other) - whole
        };
        (0..model.words.len()).map(saves).collect()
    }

    fn fit(&mut self, model: &mut Model, rounds: u32) {
        model.fit(&self.phases, &mut self.tables, rounds, f64::INFINITY);
    }

    /// The same, to see whether it is better than `than`; whether it may be. A few rounds save some
    /// bits, never so many as it may be worse here.
    fn may_beat(&mut self, model: &mut Model, than: &Model, rounds: u32) -> bool {
        let most = self.total(than) - self.words(model) + FAR;
        model.fit(&self.phases, &mut self.tables, rounds, most);
        model.bits <= most
    }

    /// Whether nothing more is to be tried, of what could be.
    fn is_spent(&mut self) -> bool {
        let is_spent = self.tables.work > WORK;
        self.is_cut |= is_spent;
        is_spent
    }

    fn total(&self, model: &Model) -> f64 {
        model.bits + self.words(model)
    }

    /// What the list of words costs.
    fn words(&self, model: &Model) -> f64 {
        // Where holes are missing no size is of whole slots.
        let cap = if self.complete { self.cap } else { u32::MAX };
        model.words.iter().map(|word| word.price(cap)).sum()
    }

    /// Sizes that leave no hole: powers of two up to a slot, and a few slots. None where holes are
    /// missing: what lies between two of a list that was cut ends at a slot as well.
    fn rounds(&self) -> Vec<Word> {
        if !self.complete {
            return Vec::new();
        }
        let longest = self.gaps.iter().map(|(_, gap)| gap.len).max().unwrap_or(0);
        let small = (SMALLEST..self.cap).map(|order| 1u64 << order);
        let large = (1..=SLOTS).map(|slots| slots << self.cap);
        let fits = small.chain(large).filter(|count| *count <= longest);
        fits.map(|count| Word::new(count, self.cap)).collect()
    }

    /// Takes out words as long as the rest does without, the least used first.
    fn prune(&mut self, model: &mut Model) {
        // Those that cost far more than they can save go at once.
        self.drop_below(RARE, 2, model);
        loop {
            let mut order: Vec<(u64, u64)> = model
                .words
                .iter()
                .zip(&model.blocks)
                .map(|(word, blocks)| ((blocks * 16.0) as u64, word.count))
                .collect();
            order.sort_unstable();
            let mut is_changed = false;
            for (_, count) in order {
                if self.is_spent() {
                    return;
                }
                let Some(number) = model.words.iter().position(|word| word.count == count) else {
                    continue;
                };
                let mut other = model.without(number);
                if self.may_beat(&mut other, model, 2) && self.total(&other) < self.total(model) {
                    *model = other;
                    is_changed = true;
                }
            }
            if !is_changed {
                return;
            }
        }
    }

    /// Takes in words that save more than they cost, each with what goes for it.
    fn grow(&mut self, model: &mut Model) {
        for _ in 0..3 {
            let mut is_changed = false;
            let mut new = parts(&model.words, self.cap);
            new.extend(self.rounds().iter().map(|word| word.count));
            for count in new {
                if self.is_spent() {
                    return;
                }
                if model.words.iter().any(|word| word.count == count) {
                    continue;
                }
                let mut other = model.with(Word::new(count, self.cap));
                self.fit(&mut other, 0);
                if other.uses(count) < RARE {
                    continue;
                }
                self.fit(&mut other, 2);
                self.drop_idle(&mut other);
                let mut apart = self.apart(&other, count);
                let is_hopeless = apart.words.len() == other.words.len()
                    && self.total(&other) > self.total(model) + NEAR;
                if !is_hopeless && self.may_beat(&mut apart, model, 3) {
                    self.drop_idle(&mut apart);
                    if self.total(&apart) < self.total(&other) {
                        other = apart;
                    }
                }
                if self.total(&other) < self.total(model) {
                    self.prune(&mut other);
                    *model = other;
                    is_changed = true;
                }
            }
            if !is_changed {
                return;
            }
        }
    }

    /// The same without all words that are sums with word `count`.
    fn apart(&self, model: &Model, count: u64) -> Model {
        let is_sum = |word: &Word| {
            (1..=SAME).any(|times| match word.count.checked_sub(times * count) {
                Some(0) => times > 1,
                Some(rest) => model.words.iter().any(|word| word.count == rest),
                None => false,
            })
        };
        let sums = model.words.iter().filter(|word| is_sum(word)).map(|word| word.count);
        let sums: Vec<u64> = sums.collect();
        let mut other = model.clone();
        for sum in sums {
            if let Some(number) = other.words.iter().position(|word| word.count == sum) {
                other = other.without(number);
            }
        }
        other
    }

    /// Takes out what is hardly used any more.
    fn drop_idle(&mut self, model: &mut Model) {
        const IDLE: f64 = 0.5;
        self.drop_below(IDLE, 1, model);
    }

    /// Takes out words of fewer than so many buffers, and fits the rest for some rounds.
    fn drop_below(&mut self, blocks: f64, rounds: u32, model: &mut Model) {
        let before = model.words.len();
        while let Some(number) = model.blocks.iter().position(|found| *found < blocks) {
            *model = model.without(number);
        }
        if model.words.len() < before {
            self.fit(model, rounds);
        }
    }
}
