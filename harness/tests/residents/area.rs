//! Areas filled by a kernel, with what fills them.

use std::collections::BTreeMap;

use cma_harness::diagnose::{AreaState, Asked, Hole, Known, RangeState};
use cma_harness::policies::{Area, Policy, Quiet, Request, Run, builtin, dma_align};
use cma_harness::seed::{Draws, Seed};

/// Sizes that boards really ask for: screens, codecs, cameras, graphics, sound and rings. Every
/// fourth is a multiple of its own alignment, so that two of it leave no hole between them.
const USUAL: [u64; 42] = [
    3, 4, 16, 32, 40, 64, 76, 124, 128, 148, 152, 178, 188, 203, 256, 257, 258, 266, 310, 385, 512,
    765, 797, 893, 900, 1024, 1560, 1846, 2025, 2040, 2467, 3038, 3060, 3595, 4096, 4525, 4537,
    6075, 6656, 8100, 8192, 9031,
];

/// Sizes seen in logs, a third of them without a hole after them.
const SEEN: [u64; 15] =
    [38, 64, 129, 148, 257, 385, 456, 512, 757, 765, 893, 1024, 2025, 2040, 3038];

/// How an area came to be what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// Usual and awkward sizes, filled to a level or drained to it.
    Board,
    /// Up to three sizes of any pages, filled until refused, freed and filled again.
    Uniform,
    /// Up to three sizes from logs, filled, then 10 to 60 % of the buffers freed.
    Seen,
    /// Up to three sizes, as many small as large ones, one of them far more frequent, in constant
    /// coming and going.
    Churn,
    /// A size that leaves no hole, and up to two of any pages, filled and drained.
    Merged,
}

impl Style {
    fn sizes(self, draws: &mut Draws, pages: u64) -> Vec<(u64, f64)> {
        if self == Self::Board {
            return sizes(draws, pages);
        }
        let kinds = draws.between(1, 3);
        let mut sizes: Vec<(u64, f64)> = Vec::new();
        while (sizes.len() as u64) < kinds {
            let count = match self {
                Self::Board | Self::Uniform => draws.between(2, 2048),
                Self::Seen => *draws.pick(&SEEN),
                Self::Churn => 2f64.powf(3.0 + draws.unit() * 8.0) as u64,
                Self::Merged if sizes.is_empty() => {
                    *draws.pick(&[64, 128, 256, 512, 768, 1024, 1280])
                }
                Self::Merged => draws.between(32, 2500),
            };
            if sizes.iter().all(|(other, _)| *other != count) {
                let skew = if self == Self::Churn { 3.0 } else { 1.0 };
                sizes.push((count, 2f64.powf(skew * draws.unit()) / count as f64));
            }
        }
        let sum: f64 = sizes.iter().map(|(_, weight)| weight).sum();
        sizes.iter_mut().for_each(|(_, weight)| *weight /= sum);
        sizes
    }

    fn live(self, board: &mut Board, draws: &mut Draws, pages: u64) {
        match self {
            Self::Board => {
                let level = (pages as f64 * (0.4 + 0.6 * draws.unit())) as u64;
                // Every other area was drained to its level at the end, the others filled to it.
                let is_drained = draws.below(2) == 0;
                let high = if is_drained { level + (pages - level) / 2 } else { level };
                for _ in 0..draws.between(1, 6) {
                    board.fill(draws, high);
                    let stay = 0.4 + 0.5 * draws.unit();
                    board.free(draws, stay);
                }
                board.fill(draws, high);
                if is_drained {
                    board.free(draws, level as f64 / high as f64);
                }
            }
            Self::Uniform => {
                board.fill(draws, pages);
                for _ in 0..draws.between(1, 4) {
                    let stay = 0.4 + 0.5 * draws.unit();
                    board.free(draws, stay);
                    board.fill(draws, pages);
                }
            }
            Self::Seen | Self::Merged => {
                let level = *draws.pick(&[pages / 2, pages / 10 * 9, pages]);
                board.fill(draws, level);
                let stay = 0.4 + 0.5 * draws.unit();
                board.free(draws, stay);
            }
            Self::Churn => {
                let level = (pages as f64 * (0.5 + 0.45 * draws.unit())) as u64;
                for _ in 0..40 {
                    board.fill(draws, level);
                    board.free(draws, 0.9);
                }
            }
        }
    }
}

/// An area and the buffers in it.
pub(crate) struct Truth {
    pub(crate) cap: u32,
    pages: u64,
    base: u64,
    /// First page and pages.
    live: Vec<Run>,
    holes: Vec<Hole>,
}

impl Truth {
    pub(crate) fn generate(seed: &Seed, style: Style) -> Self {
        let mut draws = seed.child("fill", 0).rng();
        let pages = *draws.pick(&[8192, 16384, 32768, 65536, 81920, 131_072, 286_720]);
        let base = *draws.pick(&[0, 0x40200, 0x8_0000]);
        let cap = *draws.pick(&[8, 8, 8, 8, 6, 4]);
        let area = Area::single(base, pages, 0).expect("an area");
        let policy =
            builtin::catalog().parse("kernel").expect("a policy").build(area).expect("an area");
        let sizes = style.sizes(&mut draws, pages);
        let mut board = Board { policy, live: Vec::new(), sizes, cap };
        style.live(&mut board, &mut draws, pages);
        let Board { policy, mut live, .. } = board;
        let mut holes = Vec::new();
        policy.free_runs(&mut |run| {
            holes.push(Hole { start: run.pfn.0 - base, count: run.count });
        });
        live.sort_by_key(|run| run.pfn);
        Self { cap, pages, base, live, holes }
    }

    /// As a whole list shows it.
    pub(crate) fn state(&self) -> AreaState {
        self.with(self.holes.clone(), true)
    }

    /// As a list shows it of which half of the records, about 1000 characters each, got lost.
    pub(crate) fn half(&self, seed: &Seed) -> AreaState {
        let mut draws = seed.child("cut", 0).rng();
        let mut records: Vec<Vec<Hole>> = vec![Vec::new()];
        let mut width = 0;
        for hole in &self.holes {
            width += format!("{}@{}+", hole.count, hole.start).len();
            if width > 1000 {
                records.push(Vec::new());
                width = 0;
            }
            records.last_mut().expect("a record").push(*hole);
        }
        let kept = records.into_iter().filter(|_| draws.below(2) == 0).flatten().collect();
        self.with(kept, false)
    }

    fn with(&self, holes: Vec<Hole>, complete: bool) -> AreaState {
        state(self.base, self.pages, holes, complete)
    }

    /// How many buffers of `count` pages there are.
    pub(crate) fn blocks(&self, count: u64) -> u64 {
        self.live.iter().filter(|run| run.count == count).count() as u64
    }

    /// Pages between the ends of buffers of `count` pages and the next page that one of them could
    /// begin at, counted one by one, as far as they are free.
    pub(crate) fn stranded(&self, count: u64, cap: u32) -> u64 {
        let unit = 1u64 << dma_align(count, cap);
        let of_hole = |hole: &Hole| {
            let at = self.live.binary_search_by_key(&(self.base + hole.start), |run| run.end().0);
            if at.is_ok_and(|at| self.live[at].count == count) {
                let pages = hole.start..hole.end();
                return pages.take_while(|page| !(self.base + page).is_multiple_of(unit)).count()
                    as u64;
            }
            0
        };
        self.holes.iter().map(of_hole).sum()
    }

    fn by_size(&self) -> BTreeMap<u64, u64> {
        let mut blocks = BTreeMap::new();
        for run in &self.live {
            *blocks.entry(run.count).or_default() += 1;
        }
        blocks
    }

    /// Pages that are used, which the tail of a list states.
    pub(crate) fn used(&self) -> u64 {
        self.live.iter().map(|run| run.count).sum()
    }

    /// The sizes that cover at least `share` of the used pages.
    pub(crate) fn large(&self, share: f64) -> Vec<u64> {
        let used = self.used();
        let is_large =
            |(count, blocks): &(u64, u64)| (count * blocks) as f64 >= share * used as f64;
        self.by_size().into_iter().filter(is_large).map(|(count, _)| count).collect()
    }

    /// Whether there is a buffer of `count` pages.
    pub(crate) fn has(&self, count: u64) -> bool {
        self.live.iter().any(|run| run.count == count)
    }

    /// Whether a large size is a multiple of its own alignment: rows of it have no holes.
    pub(crate) fn has_sums(&self) -> bool {
        self.large(crate::SHARE).iter().any(|count| count % (1 << dma_align(*count, self.cap)) == 0)
    }
}

/// An area of one range as a list shows it.
pub(crate) fn state(base: u64, pages: u64, holes: Vec<Hole>, complete: bool) -> AreaState {
    let free = holes.iter().map(|hole| hole.count).sum();
    AreaState {
        name: None,
        ranges: vec![RangeState { number: 0, base_pfn: Some(base), pages: Some(pages), holes }],
        order_per_bit: 0,
        total: Some(pages),
        free: Some(free),
        available: None,
        longest: None,
        shown: None,
        complete,
        placed: true,
        known: Known::List,
        live: None,
        asked: Asked::default(),
    }
}

/// A kernel's area in use.
struct Board {
    policy: Box<dyn Policy>,
    live: Vec<Run>,
    sizes: Vec<(u64, f64)>,
    cap: u32,
}

impl Board {
    /// Asks until `level` pages are used, or it was refused a few times.
    fn fill(&mut self, draws: &mut Draws, level: u64) {
        let mut used: u64 = self.live.iter().map(|run| run.count).sum();
        let mut refused = 0;
        while refused < 8 && used < level {
            let count = pick(draws, &self.sizes);
            let request = Request::new(count, dma_align(count, self.cap)).expect("a request");
            match self.policy.alloc(request, &mut Quiet) {
                Ok(pfn) => {
                    self.live.push(Run { pfn, count });
                    used += count;
                }
                Err(_) => refused += 1,
            }
        }
    }

    /// Gives back all but a random share of `stay`.
    fn free(&mut self, draws: &mut Draws, stay: f64) {
        let (kept, freed) = self.live.drain(..).partition(|_| draws.unit() < stay);
        self.live = kept;
        let freed: Vec<Run> = freed;
        for run in freed {
            self.policy.free(run).expect("a buffer");
        }
    }
}

/// One to six sizes, each with how often it is asked for.
fn sizes(draws: &mut Draws, pages: u64) -> Vec<(u64, f64)> {
    let kinds = draws.between(1, 6);
    let mut sizes: Vec<(u64, f64)> = Vec::new();
    while (sizes.len() as u64) < kinds {
        let count = match draws.below(20) {
            0..12 => *draws.pick(&USUAL),
            // Awkward: any size, as many small as large ones.
            12..17 => (2f64.powf(1.0 + draws.unit() * 12.0)) as u64 + draws.below(3),
            // A little more than a slot.
            17 | 18 => draws.between(1, 8) * 256 + draws.between(1, 16),
            _ => draws.between(1, 16) * 256,
        };
        if count <= pages / 8 && sizes.iter().all(|(other, _)| *other != count) {
            // By pages rather than by number: else the small ones never matter.
            let weight =
                (0.1 + draws.unit()) / if draws.below(2) == 0 { 1.0 } else { count as f64 };
            sizes.push((count, weight));
        }
    }
    let mean = sizes.iter().map(|(_, weight)| weight).sum::<f64>();
    sizes.iter_mut().for_each(|(_, weight)| *weight /= mean);
    sizes
}

fn pick(draws: &mut Draws, sizes: &[(u64, f64)]) -> u64 {
    let mut at = draws.unit();
    for (count, weight) in sizes {
        at -= weight;
        if at < 0.0 {
            return *count;
        }
    }
    sizes[sizes.len() - 1].0
}
