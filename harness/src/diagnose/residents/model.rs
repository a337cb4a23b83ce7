//! How likely gaps are, whatever they are made of.
//!
//! The cheapest row of a gap says little where many rows make it up: 20 slots are buffers of 3
//! and of 5 slots in dozens of ways, and the cheapest of these is dear beside one word of 20 slots.
//! What counts is all of them together. This is the forward algorithm over the places at which a
//! buffer can begin, and expectation maximisation for how often each size is asked for.

#[cfg(test)]
mod tests;

use super::gaps::{Class, Group, grouped};
use super::row::{Word, order_of};

/// Orders of places: a cap, in bits, is at most 20.
const ORDERS: usize = 21;

/// The least share of a word that is used.
const RAREST: f64 = 1e-9;

/// A row that is so much less likely than an unknown gap adds nothing to it.
const NOTHING: f64 = 1e-9;

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
    /// What the last pass expects, where nothing has changed since.
    sums: Option<Sums>,
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

/// Gaps by phase: a pass over those of one phase is one over the longest of them.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    groups: Vec<Group>,
    /// How many gaps there are of each class, in the order of the classes.
    times: Vec<f64>,
}

impl Phases {
    pub(super) fn of(gaps: &[(usize, Class)]) -> Self {
        let groups = grouped(gaps.iter().map(|(_, gap)| (gap.phase, gap.len)));
        Self { groups, times: gaps.iter().map(|(_, gap)| gap.times as f64).collect() }
    }
}

/// What is known of a place in the gaps of a phase.
#[derive(Clone, Copy, Default, Debug)]
struct Place {
    /// The likelihood of all rows up to it after which another buffer follows.
    forward: f64,
    /// Of all rows up to it that a hole follows.
    whole: f64,
    /// Of all rows from it on to the ends of gaps, each with the weight of its gap.
    backward: f64,
    /// The weight of the gaps that end here.
    weight: f64,
    /// Whether any does.
    is_end: bool,
}

/// Tables that are kept from phase to phase.
#[derive(Clone, Default, Debug)]
pub(super) struct Tables {
    all: Vec<Place>,
    /// A bit for each place that can be reached.
    reached: Vec<u64>,
    /// Those, ascending.
    places: Vec<u32>,
    /// Steps taken in all.
    pub(super) work: u64,
}

/// What words can begin at a place of an order.
#[derive(Clone, Copy, Default, Debug)]
struct Begin {
    /// So many of them, from the first on.
    words: usize,
    /// One by the shares of all of these together. What is divided by waits for the division, place
    /// after place; what is multiplied by does not.
    by_whole: f64,
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
            sums: None,
        }
    }

    /// Fits it to gaps, `rounds` times, and says what these cost then; it ends at once where that is
    /// more than `most` bits.
    pub(super) fn fit(&mut self, gaps: &Phases, tables: &mut Tables, rounds: u32, most: f64) {
        for round in 0..=rounds {
            let sums = self.sums.take().unwrap_or_else(|| self.pass(gaps, tables));
            self.blocks.clone_from(&sums.blocks);
            if round == rounds || self.bits > most {
                self.sums = Some(sums);
                break;
            }
            self.update(&sums);
        }
    }

    /// The same without word `number`.
    pub(super) fn without(&self, number: usize) -> Self {
        let mut model = Self { sums: None, ..self.clone() };
        model.words.remove(number);
        model.share.remove(number);
        model.blocks.remove(number);
        model
    }

    /// The same with `word`.
    pub(super) fn with(&self, word: Word) -> Self {
        let mut model = Self { sums: None, ..self.clone() };
        let key = |word: &Word| (word.align, word.count);
        let at = model.words.partition_point(|other| key(other) < key(&word));
        model.words.insert(at, word);
        let share = model.share.iter().sum::<f64>() / model.words.len() as f64;
        model.share.insert(at, share);
        model.blocks.insert(at, 0.0);
        model
    }

    /// Buffers of `count` bits, as expected.
    pub(super) fn uses(&self, count: u64) -> f64 {
        let mut blocks = self.words.iter().zip(&self.blocks);
        blocks.find(|(word, _)| word.count == count).map_or(0.0, |(_, blocks)| *blocks)
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

    /// The words that can begin at a place, by its order.
    fn begins(&self) -> [Begin; ORDERS] {
        let mut begins = [Begin::default(); ORDERS];
        for (word, share) in self.words.iter().zip(&self.share) {
            let begin = &mut begins[word.align as usize];
            *begin = Begin { words: begin.words + 1, by_whole: begin.by_whole + share };
        }
        for order in 1..ORDERS {
            let before = begins[order - 1];
            begins[order].words += before.words;
            begins[order].by_whole += before.by_whole;
        }
        begins.map(|begin| Begin { by_whole: 1.0 / begin.by_whole.max(RAREST), ..begin })
    }

    fn pass(&mut self, gaps: &Phases, tables: &mut Tables) -> Sums {
        let mut sums = Sums { blocks: vec![0.0; self.words.len()], ..Sums::default() };
        let begins = self.begins();
        let mut likely = vec![0.0; gaps.times.len()];
        for group in &gaps.groups {
            let longest = group.lens.iter().copied().max().unwrap_or(0) as usize;
            self.forward(group, longest, tables, &begins);
            let mut is_weighed = false;
            for (member, len) in group.members.iter().zip(&group.lens) {
                let end = &mut tables.all[*len as usize];
                likely[*member] = end.whole + self.unknown;
                if end.whole > self.unknown * 1e-3 {
                    end.weight = gaps.times[*member] / likely[*member];
                    is_weighed = true;
                }
            }
            if is_weighed {
                self.backward(group.phase, longest, tables, &begins, &mut sums);
            }
            for place in tables.places.drain(..) {
                tables.all[place as usize] = Place::default();
            }
            for len in &group.lens {
                tables.all[*len as usize] = Place::default();
            }
        }
        let costs =
            gaps.times.iter().zip(&likely).map(|(times, likely)| times * libm::log2(*likely));
        self.bits = -costs.sum::<f64>();
        sums
    }

    /// The likelihood of all rows up to each place of the gaps of a phase.
    fn forward(
        &self,
        group: &Group,
        longest: usize,
        tables: &mut Tables,
        begins: &[Begin; ORDERS],
    ) {
        let Tables { all, reached, places, work } = tables;
        if all.len() <= longest {
            all.resize(longest + 1, Place::default());
            reached.resize(longest / 64 + 1, 0);
        }
        for len in &group.lens {
            all[*len as usize].is_end = true;
        }
        let nothing = self.unknown * NOTHING;
        all[0].forward = 1.0;
        reached[0] = 1;
        for block in 0..=longest / 64 {
            while reached[block] != 0 {
                let at = block * 64 + reached[block].trailing_zeros() as usize;
                reached[block] &= reached[block] - 1;
                if all[at].forward < nothing {
                    all[at].forward = 0.0;
                    continue;
                }
                places.push(at as u32);
                let order = order_of(group.phase + at as u64, self.cap) as usize;
                let Begin { words, by_whole } = begins[order];
                let so_far = all[at].forward;
                let mut tried = 4;
                for (word, share) in self.words[..words].iter().zip(&self.share) {
                    let end = at + word.count as usize;
                    if end > longest {
                        break;
                    }
                    tried += 1;
                    let end_order = order_of(group.phase + end as u64, self.cap) as usize;
                    let (part, go_on) = (share * by_whole, self.go_on[end_order]);
                    let place = &mut all[end];
                    place.forward += so_far * (part * go_on);
                    if place.is_end {
                        place.whole += so_far * (part * (1.0 - go_on));
                    }
                    reached[end / 64] |= 1 << (end % 64);
                }
                *work += tried;
            }
            *work += 1;
        }
    }

    /// Adds what is expected in the gaps of a phase, each with its weight.
    fn backward(
        &self,
        phase: u64,
        longest: usize,
        tables: &mut Tables,
        begins: &[Begin; ORDERS],
        sums: &mut Sums,
    ) {
        let Tables { all, places, work, .. } = tables;

        for place in places.iter().rev() {
            let at = *place as usize;
            let order = order_of(phase + at as u64, self.cap) as usize;
            let Begin { words, by_whole } = begins[order];
            let here = all[at].forward;
            let mut from_here = 0.0;
            let mut tried = 4;
            for (number, (word, share)) in self.words[..words].iter().zip(&self.share).enumerate() {
                let end = at + word.count as usize;
                if end > longest {
                    break;
                }
                tried += 1;
                let Place { weight, backward, .. } = all[end];
                if weight + backward == 0.0 {
                    continue;
                }
                let end_order = order_of(phase + end as u64, self.cap) as usize;
                let (part, go_on) = (share * by_whole, self.go_on[end_order]);
                let (stops, goes_on) = (part * (1.0 - go_on) * weight, (part * go_on) * backward);
                from_here += stops + goes_on;
                sums.stops[end_order] += here * stops;
                sums.goes_on[end_order] += here * goes_on;
                sums.blocks[number] += here * (stops + goes_on);
            }
            all[at].backward = from_here;
            *work += tried;
        }
    }
}
