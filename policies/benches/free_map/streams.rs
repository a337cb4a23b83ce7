//! The streams that every map of the benchmark runs.

use cma_policies::dma_align;
use cma_policies::kit::FreeMap;

use super::{Live, run};

const CAP: u32 = 8;
/// Ops of a steady part.
pub(crate) const OPS: usize = 20_000;

#[derive(Clone, Copy)]
pub(crate) enum Op {
    Alloc { id: usize, count: usize, mask: usize },
    Free { id: usize },
}

impl Op {
    pub(crate) const fn id(self) -> usize {
        match self {
            Self::Alloc { id, .. } | Self::Free { id } => id,
        }
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn alloc(id: usize, count: usize) -> Op {
    Op::Alloc { id, count, mask: (1 << dma_align(count as u64, CAP)) - 1 }
}

/// Ops that fill the area to `load` pages and turn over four times what lives there, then `OPS`
/// that go on in the same way: random buffers are freed, random sizes asked for.
pub(crate) fn stream(sizes: &[usize], load: usize) -> (Vec<Op>, Vec<Op>) {
    let mut draws = Xorshift(0x9e37_79b9_7f4a_7c15);
    let mut ops = Vec::new();
    let mut live: Vec<(usize, usize)> = Vec::new();
    let (mut next, mut pages) = (0, 0);
    let mut warm = None;
    while warm.is_none_or(|warm| ops.len() < warm + OPS) {
        let count = sizes[draws.below(sizes.len())];
        if pages + count <= load {
            ops.push(alloc(next, count));
            live.push((next, count));
            (next, pages) = (next + 1, pages + count);
        } else if !live.is_empty() {
            let turnover = ops.len() + 8 * live.len();
            warm.get_or_insert(turnover);
            let (id, count) = live.swap_remove(draws.below(live.len()));
            ops.push(Op::Free { id });
            pages -= count;
        }
    }
    let steady = ops.split_off(warm.unwrap_or(0));
    (ops, steady)
}

/// Ops on an area that is full: two requests for each buffer that is given back.
pub(crate) fn overload(sizes: &[usize], area: usize) -> (Vec<Op>, Vec<Op>) {
    let mut draws = Xorshift(0x9e37_79b9_7f4a_7c15);
    let mut ops = Vec::new();
    let (mut map, mut live) = (FreeMap::new(area as u64, 0), Live::new());
    let mut granted = Vec::new();
    let mut warm = None;
    let mut next = 0;
    while warm.is_none_or(|warm| ops.len() < warm + OPS) {
        let mut refused = false;
        for _ in 0..2 {
            let op = alloc(next, sizes[draws.below(sizes.len())]);
            run(&mut map, &[op], &mut live);
            ops.push(op);
            match live[next] {
                Some(_) => granted.push(next),
                None => refused = true,
            }
            next += 1;
        }
        if refused {
            let turnover = ops.len() + 8 * granted.len();
            warm.get_or_insert(turnover);
            let op = Op::Free { id: granted.swap_remove(draws.below(granted.len())) };
            run(&mut map, &[op], &mut live);
            ops.push(op);
        }
    }
    let steady = ops.split_off(warm.unwrap_or(0));
    (ops, steady)
}

/// 257-page residents on `load` pages of slots, then 200 pages at order 8 again and again: every
/// hole between residents is long enough, and begins one page past an aligned one.
pub(crate) fn pitch_law(area: usize, load: f64) -> (Vec<Op>, Vec<Op>) {
    let residents = ((area / 512) as f64 * load.min(1.0)) as usize;
    let warm = (0..residents).map(|id| alloc(id, 257)).collect();
    let id = residents;
    (warm, (0..OPS / 2).flat_map(|_| [alloc(id, 200), Op::Free { id }]).collect())
}
