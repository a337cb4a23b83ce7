//! How likely gaps are, whatever they are made of.
//!
//! The cheapest row of a gap says little where many rows make it up: 20 slots are buffers of 3
//! and of 5 slots in dozens of ways, and the cheapest of these is dear beside one word of 20 slots.
//! What counts is all of them together. This is the forward algorithm over the places at which a
//! buffer can begin, and expectation maximisation for how often each size is asked for.

use super::gaps::Class;
use super::row::{Word, order_of};

/// Orders of places: a cap, in bits, is at most 20.
const ORDERS: usize = 21;

/// The least share of a word that is used.
const RAREST: f64 = 1e-9;

/// Sizes, and how often each begins and goes on.
#[derive(Clone, Debug)]
pub(super) struct Model {
    cap: u32,
    /// Ascending by align, then count.
    pub(super) words: Vec<Word>,
    /// How often each of them is asked for, of 1.
    share: Vec<f64>,
    /// How likely a buffer that ends at a place of this order is followed at once by another.
    go_on: [f64; ORDERS],
    /// The likelihood of a gap that no word explains.
    unknown: f64,
    /// Buffers of each word, as expected.
    pub(super) blocks: Vec<f64>,
    /// The bits that all gaps cost.
    pub(super) bits: f64,
}

/// How likely at most another buffer follows at a place of this order: every gap is a row of
/// single pages, and half of them are one of pairs, which says nothing.
const fn most_go_on(order: usize) -> f64 {
    match order {
        0 => 0.5,
        1 => 0.8,
        2 => 0.9,
        3 => 0.95,
        _ => 1.0,
    }
}

/// What a pass over all gaps expects.
#[derive(Clone, Default, Debug)]
struct Sums {
    blocks: Vec<f64>,
    goes_on: [f64; ORDERS],
    stops: [f64; ORDERS],
}

/// Tables that are kept from gap to gap.
#[derive(Clone, Default, Debug)]
pub(super) struct Tables {
    forward: Vec<f64>,
    backward: Vec<f64>,
    /// A bit for each place that can be reached.
    reached: Vec<u64>,
    places: Vec<u32>,
    /// Steps taken in all.
    pub(super) work: u64,
}

impl Model {
    /// All `words` alike at first; an unknown gap costs `unknown` bits.
    pub(super) fn new(mut words: Vec<Word>, cap: u32, unknown: f64) -> Self {
        words.sort_by_key(|word| (word.align, word.count));
        words.dedup_by_key(|word| word.count);
        let number = words.len();
        Self {
            cap,
            words,
            share: vec![1.0 / number.max(1) as f64; number],
            go_on: [0.5; ORDERS],
            unknown: libm::exp2(-unknown),
            blocks: vec![0.0; number],
            bits: f64::INFINITY,
        }
    }

    /// Fits it to `gaps`, `rounds` times, and says what these cost then.
    pub(super) fn fit(&mut self, gaps: &[(usize, Class)], tables: &mut Tables, rounds: u32) {
        for round in 0..=rounds {
            let sums = self.pass(gaps, tables);
            if round < rounds {
                self.update(&sums);
            }
            self.blocks = sums.blocks;
        }
    }

    /// The same without word `number`.
    pub(super) fn without(&self, number: usize) -> Self {
        let mut model = self.clone();
        model.words.remove(number);
        model.share.remove(number);
        model.blocks.remove(number);
        model
    }

    /// The same with `word`.
    pub(super) fn with(&self, word: Word) -> Self {
        let mut model = self.clone();
        let key = |word: &Word| (word.align, word.count);
        let at = model.words.partition_point(|other| key(other) < key(&word));
        model.words.insert(at, word);
        let share = model.share.iter().sum::<f64>() / model.words.len() as f64;
        model.share.insert(at, share);
        model.blocks.insert(at, 0.0);
        model
    }

    /// The bits that a use of word `number` costs.
    pub(super) fn cost(&self, number: usize) -> f64 {
        -libm::log2(self.share[number].max(RAREST))
    }

    fn update(&mut self, sums: &Sums) {
        let all: f64 = sums.blocks.iter().sum();
        if all > 0.0 {
            for (share, blocks) in self.share.iter_mut().zip(&sums.blocks) {
                *share = (*blocks / all).max(RAREST);
            }
        }
        for (order, go_on) in self.go_on.iter_mut().enumerate() {
            let (goes, stops) = (sums.goes_on[order], sums.stops[order]);
            *go_on = ((goes + 0.5) / (goes + stops + 1.0)).min(most_go_on(order));
        }
    }

    /// The shares of all words that can begin at a place of each order, together.
    fn wholes(&self) -> [f64; ORDERS] {
        let mut whole = [0.0; ORDERS];
        for (word, share) in self.words.iter().zip(&self.share) {
            whole[word.align as usize] += share;
        }
        for order in 1..ORDERS {
            whole[order] += whole[order - 1];
        }
        whole.map(|whole: f64| whole.max(RAREST))
    }

    fn pass(&mut self, gaps: &[(usize, Class)], tables: &mut Tables) -> Sums {
        let mut sums = Sums { blocks: vec![0.0; self.words.len()], ..Sums::default() };
        let whole = self.wholes();
        let can_begin: [usize; ORDERS] = std::array::from_fn(|order| {
            self.words.partition_point(|word| (word.align as usize) <= order)
        });
        self.bits = 0.0;
        for (_, gap) in gaps {
            let times = gap.times as f64;
            let likely = self.forward(gap, tables, &whole, &can_begin);
            self.bits -= times * libm::log2(likely + self.unknown);
            if likely > self.unknown * 1e-3 {
                let weight = times / (likely + self.unknown);
                self.backward(gap, tables, &whole, &can_begin, weight, &mut sums);
            }
            for place in tables.places.drain(..) {
                tables.forward[place as usize] = 0.0;
                tables.backward[place as usize] = 0.0;
            }
        }
        sums
    }

    /// The likelihood of a gap.
    fn forward(
        &self,
        gap: &Class,
        tables: &mut Tables,
        whole: &[f64; ORDERS],
        can_begin: &[usize; ORDERS],
    ) -> f64 {
        let len = gap.len as usize;
        if tables.forward.len() <= len {
            tables.forward.resize(len + 1, 0.0);
            tables.backward.resize(len + 1, 0.0);
            tables.reached.resize(len / 64 + 1, 0);
        }
        let mut likely = 0.0;
        tables.forward[0] = 1.0;
        tables.reached[0] = 1;
        for block in 0..=len / 64 {
            while tables.reached[block] != 0 {
                let bit = tables.reached[block].trailing_zeros();
                tables.reached[block] &= tables.reached[block] - 1;
                let at = block * 64 + bit as usize;
                tables.places.push(at as u32);
                let order = order_of(gap.phase + at as u64, self.cap) as usize;
                let number = can_begin[order];
                tables.work += 4 + number as u64;
                let so_far = tables.forward[at] / whole[order];
                for (word, share) in self.words[..number].iter().zip(&self.share) {
                    let end = at + word.count as usize;
                    if end > len {
                        continue;
                    }
                    let behind = order_of(gap.phase + end as u64, self.cap) as usize;
                    if end == len {
                        likely += so_far * share * (1.0 - self.go_on[behind]);
                    } else {
                        tables.forward[end] += so_far * share * self.go_on[behind];
                        tables.reached[end / 64] |= 1 << (end % 64);
                    }
                }
            }
            tables.work += 1;
        }
        likely
    }

    /// Adds what is expected in a gap, times `weight`.
    fn backward(
        &self,
        gap: &Class,
        tables: &mut Tables,
        whole: &[f64; ORDERS],
        can_begin: &[usize; ORDERS],
        weight: f64,
        sums: &mut Sums,
    ) {
        let len = gap.len as usize;
        for place in tables.places.iter().rev() {
            let at = *place as usize;
            let order = order_of(gap.phase + at as u64, self.cap) as usize;
            let mut from_here = 0.0;
            let here = weight * tables.forward[at];
            let number = can_begin[order];
            tables.work += 4 + number as u64;
            for (word, share) in self.words[..number].iter().enumerate() {
                let end = at + share.count as usize;
                if end > len {
                    continue;
                }
                let behind = order_of(gap.phase + end as u64, self.cap) as usize;
                let share = self.share[word] / whole[order];
                let (ends, rest) = if end == len {
                    (&mut sums.stops, 1.0 - self.go_on[behind])
                } else {
                    (&mut sums.goes_on, self.go_on[behind] * tables.backward[end])
                };
                let part = share * rest;
                from_here += part;
                ends[behind] += here * part;
                sums.blocks[word] += here * part;
            }
            tables.backward[at] = from_here;
        }
    }
}
