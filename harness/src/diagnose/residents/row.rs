//! The cheapest row of aligned buffers that makes up a gap.

#[cfg(test)]
mod tests;

use cma_policies::ceil_log2;

/// A size that gaps are explained with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Word {
    /// Bits.
    pub(super) count: u64,
    /// The order in bits of what it starts on.
    pub(super) align: u32,
    /// What a use of it costs.
    pub(super) cost: f64,
}

impl Word {
    pub(super) fn new(count: u64, cap: u32) -> Self {
        Self { count, align: ceil_log2(count).min(cap), cost: 0.0 }
    }

    /// What it costs to have it in the list, in bits: of whole slots there are fewer.
    pub(super) fn price(&self, cap: u32) -> f64 {
        const WORD: f64 = 14.0;
        let slots = self.align == cap && self.is_round();
        if slots { WORD + 2.0 - f64::from(cap) } else { WORD }
    }

    /// Whether another one of it can follow without a hole.
    pub(super) fn is_round(&self) -> bool {
        self.count & ((1 << self.align) - 1) == 0
    }
}

/// What costs the same everywhere.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Costs {
    /// A piece of a gap that no word explains.
    pub(super) unknown: f64,
    /// A word after itself: neighbours are often alike.
    pub(super) again: f64,
    /// That another word follows, whichever.
    pub(super) change: f64,
    /// A buffer whose end is no slot's end (0) or one's (1), and another follows at once.
    pub(super) go_on: [f64; 2],
    /// The same, and a hole follows.
    pub(super) stop: [f64; 2],
}

/// What a gap is made of.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Row {
    /// Words by number, last first.
    pub(super) words: Vec<u16>,
    /// Buffers that end at no slot's end and at one's, the last one apart.
    pub(super) inner_ends: [u64; 2],
    /// Its bits where no row explains it: nothing costs less than nothing, so it is all of them.
    pub(super) unknown: u64,
}

impl Row {
    /// Its words, each with how often it begins a run of its own and how often it follows itself.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let runs = self.words.chunk_by(|a, b| a == b);
        runs.map(|run| (usize::from(run[0]), run.len() as u64 - 1))
    }
}

/// A word as a step from place to place.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Bits.
    count: usize,
    /// What it costs at the start of a gap.
    first: f64,
    /// And after another word.
    other: f64,
}

/// The cheapest rows from one place on. It keeps its tables for the next ones.
#[derive(Clone, Default, Debug)]
pub(super) struct Explainer {
    phase: u64,
    steps: Vec<Step>,
    /// What the cheapest row up to a bit costs where another buffer follows.
    best: Vec<f64>,
    /// The last word of it.
    last: Vec<u16>,
    /// The same where a hole follows, at the ends of gaps.
    whole: Vec<(f64, u16)>,
    /// A bit for each place where a buffer can begin.
    reached: Vec<u64>,
    /// A bit for each end of a gap.
    ends: Vec<u64>,
    /// Steps taken in all: places times the words that may start there.
    pub(super) work: u64,
}

/// Which rows are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rows {
    /// Any.
    All,
    /// Of two words or more: what a word would be made of if it were none. Something unknown is in
    /// one only where there is no other way.
    OfOthers,
}

/// Whether the end of a buffer is the end of a slot.
fn is_slot_end(at: u64, cap: u32) -> usize {
    usize::from(at & ((1 << cap) - 1) == 0)
}

/// The largest order up to `cap` that bit `at` is aligned to.
pub(super) fn order_of(at: u64, cap: u32) -> u32 {
    at.trailing_zeros().min(cap)
}

impl Explainer {
    /// The cheapest row for each of the gaps that begin at `phase`, of so many bits (`lens`), out of
    /// `words`, which ascend by align and count, and are fewer than 65535. Linear in the bits of the
    /// longest gap times the words that may start there. Something unknown is in a row only where
    /// that is cheaper.
    pub(super) fn explain(
        &mut self,
        (phase, lens): (u64, &[u64]),
        cap: u32,
        words: &[Word],
        costs: &Costs,
        rows: Rows,
    ) -> Vec<Row> {
        self.clear(phase, lens);
        let longest = lens.iter().copied().max().unwrap_or(0);
        let by_order: [usize; 22] = std::array::from_fn(|order| {
            words.partition_point(|word| (word.align as usize) <= order)
        });
        self.steps.clear();
        self.steps.extend(words.iter().map(|word| Step {
            count: word.count as usize,
            first: word.cost,
            other: word.cost + costs.change,
        }));
        for block in 0..self.reached.len() {
            while self.reached[block] != 0 {
                let at = block * 64 + self.reached[block].trailing_zeros() as usize;
                self.reached[block] &= self.reached[block] - 1;
                // A row that goes on from here is dearer than none.
                if rows == Rows::All && self.best[at] > costs.unknown {
                    continue;
                }
                let order = order_of(phase + at as u64, cap) as usize;
                let is_own = at == 0 && rows == Rows::OfOthers;
                self.go_on(at, (longest as usize, is_own), cap, by_order[order], costs);
            }
        }
        lens.iter().map(|len| self.row(*len, cap, words, costs, rows)).collect()
    }

    fn clear(&mut self, phase: u64, lens: &[u64]) {
        let longest = lens.iter().copied().max().unwrap_or(0) as usize;
        self.phase = phase;
        self.best.clear();
        self.best.resize(longest + 1, f64::INFINITY);
        self.last.clear();
        self.last.resize(longest + 1, u16::MAX);
        self.whole.resize(self.whole.len().max(longest + 1), (f64::INFINITY, u16::MAX));
        for bits in [&mut self.reached, &mut self.ends] {
            bits.clear();
            bits.resize(longest / 64 + 1, 0);
        }
        self.best[0] = 0.0;
        self.reached[0] = u64::from(longest > 0);
        for len in lens {
            self.ends[*len as usize / 64] |= 1 << (len % 64);
            self.whole[*len as usize] = (f64::INFINITY, u16::MAX);
        }
    }

    /// Puts each of the first `words` at place `at`, as far as they fit into `longest` bits; a gap
    /// that is one of them alone is none where `is_own`.
    fn go_on(
        &mut self,
        at: usize,
        (longest, is_own): (usize, bool),
        cap: u32,
        words: usize,
        costs: &Costs,
    ) {
        let (so_far, last) = (self.best[at], usize::from(self.last[at]));
        let mut tried = 1;
        for (number, step) in self.steps[..words].iter().enumerate() {
            let end = at + step.count;
            if end > longest {
                break;
            }
            tried += 1;
            let use_of = if number == last {
                costs.again
            } else if at == 0 {
                step.first
            } else {
                step.other
            };
            let use_of = so_far + use_of;
            let slot = is_slot_end(self.phase + end as u64, cap);
            let total = use_of + costs.go_on[slot];
            if total < self.best[end] {
                self.best[end] = total;
                self.last[end] = number as u16;
                self.reached[end / 64] |= 1 << (end % 64);
            }
            if self.ends[end / 64] >> (end % 64) & 1 > 0 && !is_own {
                let total = use_of + costs.stop[slot];
                if total < self.whole[end].0 {
                    self.whole[end] = (total, number as u16);
                }
            }
        }
        self.work += tried;
    }

    fn row(&self, len: u64, cap: u32, words: &[Word], costs: &Costs, rows: Rows) -> Row {
        let (whole, last) = self.whole[len as usize];
        let is_dear = rows == Rows::All && whole > costs.unknown;
        if is_dear || whole.is_infinite() {
            return Row { unknown: len, ..Row::default() };
        }
        let mut row = Row::default();
        let mut at = len;
        while at > 0 {
            let number = if at == len { last } else { self.last[at as usize] };
            if at < len {
                row.inner_ends[is_slot_end(self.phase + at, cap)] += 1;
            }
            row.words.push(number);
            at -= words[number as usize].count;
        }
        row
    }
}
