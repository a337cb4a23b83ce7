//! The cheapest row of aligned buffers that makes up a gap.

use cma_policies::ceil_log2;

use super::gaps::Class;

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
    /// A word behind itself: neighbours are often alike.
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
    /// Bits behind them that no word explains.
    pub(super) unknown: u64,
}

impl Row {
    /// Its words, each with how often it begins a run of its own and how often it follows itself.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let runs = self.words.chunk_by(|a, b| a == b);
        runs.map(|run| (usize::from(run[0]), run.len() as u64 - 1))
    }
}

/// Explains gaps, one at a time. It keeps its tables for the next one.
#[derive(Clone, Default, Debug)]
pub(super) struct Explainer {
    best: Vec<f64>,
    last: Vec<u16>,
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
    /// The cheapest row for `gap` out of `words`, which ascend by align, and are fewer than 65535;
    /// `without` leaves one out. Linear in the bits of the gap times the words that may start
    /// there. Something unknown is in it only where that is cheaper, or, with a word left out, where
    /// there is no other way.
    pub(super) fn explain(
        &mut self,
        gap: Class,
        cap: u32,
        words: &[Word],
        costs: &Costs,
        without: Option<usize>,
    ) -> Row {
        let len = gap.len as usize;
        self.best.clear();
        self.best.resize(len + 1, f64::INFINITY);
        self.last.clear();
        self.last.resize(len + 1, u16::MAX);
        self.best[0] = 0.0;
        let mut rest = (f64::INFINITY, 0);
        let by_order: [usize; 22] = std::array::from_fn(|order| {
            words.partition_point(|word| (word.align as usize) <= order)
        });
        for at in 0..len {
            let so_far = self.best[at];
            if so_far.is_infinite() {
                continue;
            }
            let address = gap.phase + at as u64;
            let order = order_of(address, cap);
            for (number, word) in words[..by_order[order as usize]].iter().enumerate() {
                let end = at as u64 + word.count;
                if end > gap.len || Some(number) == without {
                    continue;
                }
                let slot = is_slot_end(gap.phase + end, cap);
                let then = if end == gap.len { costs.stop[slot] } else { costs.go_on[slot] };
                let use_of = match self.last[at] {
                    last if last == number as u16 => costs.again,
                    _ if at == 0 => word.cost,
                    _ => word.cost + costs.change,
                };
                let total = so_far + use_of + then;
                if total < self.best[end as usize] {
                    self.best[end as usize] = total;
                    self.last[end as usize] = number as u16;
                }
            }
            let fits = Word::new(gap.len - at as u64, cap).align <= order;
            if (fits || at == 0) && so_far + costs.unknown < rest.0 {
                rest = (so_far + costs.unknown, at);
            }
        }
        let whole = self.best[len];
        let is_known = whole <= rest.0 || without.is_some() && whole.is_finite();
        let known_to = if is_known { len } else { rest.1 };
        self.row(gap, cap, words, known_to)
    }

    fn row(&self, gap: Class, cap: u32, words: &[Word], known_to: usize) -> Row {
        let mut row = Row { unknown: gap.len - known_to as u64, ..Row::default() };
        let mut at = known_to;
        while at > 0 {
            if at < gap.len as usize {
                row.inner_ends[is_slot_end(gap.phase + at as u64, cap)] += 1;
            }
            let number = self.last[at];
            row.words.push(number);
            at -= words[number as usize].count as usize;
        }
        row
    }
}
