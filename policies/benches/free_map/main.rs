//! `cargo bench -p cma-policies`: the indexed map against a plain scan with the kernel's algorithm,
//! on whole streams of allocations and frees, and the tree nodes that a search looks at.
//!
//! Each cell runs both in turn and prints the ratio of their best times: above 1 the indexed map
//! is faster. Loads: LOAD held at 2 % (`near-empty`), 50 %, 90 % and 150 % of the area; `overloaded`:
//! a full area, two requests for each buffer that is given back, so that most are refused.

mod plain;

use std::hint::black_box;
use std::time::{Duration, Instant};

use cma_policies::dma_align;
use cma_policies::kit::{FreeMap, Search};
use plain::Plain;

const CAP: u32 = 8;
const ROUNDS: usize = 5;
const OPS: usize = 20_000;

#[derive(Clone, Copy)]
enum Op {
    Alloc { id: usize, count: usize, mask: usize },
    Free { id: usize },
}

/// What both maps can do, in the same words.
trait Map {
    fn first_fit(&self, count: usize, mask: usize) -> Option<usize>;
    fn set(&mut self, start: usize, count: usize);
    fn clear(&mut self, start: usize, count: usize);
}

impl Map for Plain {
    fn first_fit(&self, count: usize, mask: usize) -> Option<usize> {
        self.first_fit(count, mask)
    }
    fn set(&mut self, start: usize, count: usize) {
        self.set(start, count);
    }
    fn clear(&mut self, start: usize, count: usize) {
        self.clear(start, count);
    }
}

fn search(count: usize, mask: usize) -> Search {
    Search { bits: count as u64, mask: mask as u64, offset: 0, from: 0 }
}

impl Map for FreeMap {
    fn first_fit(&self, count: usize, mask: usize) -> Option<usize> {
        self.first_fit(search(count, mask)).map(|bit| bit as usize)
    }
    fn set(&mut self, start: usize, count: usize) {
        self.set(start as u64, count as u64);
    }
    fn clear(&mut self, start: usize, count: usize) {
        self.clear(start as u64, count as u64);
    }
}

/// First bit and bits of each buffer by id.
type Live = Vec<Option<(usize, usize)>>;

/// Runs `ops`; how many were granted, and a sum over their places, to hold both maps to the same.
fn run(map: &mut impl Map, ops: &[Op], live: &mut Live) -> (u64, usize) {
    let mut granted = (0, 0);
    for &op in ops {
        match op {
            Op::Alloc { id, count, mask } => {
                let place = map.first_fit(count, mask);
                if let Some(start) = place {
                    map.set(start, count);
                    granted = (granted.0 + 1, granted.1 ^ start.rotate_left(granted.0 as u32 % 64));
                }
                if live.len() <= id {
                    live.resize(id + 1, None);
                }
                live[id] = place.map(|start| (start, count));
            }
            Op::Free { id } => {
                if let Some((start, count)) = live[id].take() {
                    map.clear(start, count);
                }
            }
        }
    }
    granted
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
fn stream(sizes: &[usize], load: usize) -> (Vec<Op>, Vec<Op>) {
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
fn overload(sizes: &[usize], area: usize) -> (Vec<Op>, Vec<Op>) {
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
/// hole between residents is long enough, and begins one page behind an aligned one.
fn pitch_law(area: usize, load: f64) -> (Vec<Op>, Vec<Op>) {
    let residents = ((area / 512) as f64 * load.min(1.0)) as usize;
    let warm = (0..residents).map(|id| alloc(id, 257)).collect();
    let id = residents;
    (warm, (0..OPS / 2).flat_map(|_| [alloc(id, 200), Op::Free { id }]).collect())
}

/// The time of the steady part on a copy of `warm`, in which `live` is, if that is less than `best`,
/// and what was granted in it.
fn time<M: Map + Clone>(warm: &M, live: &Live, steady: &[Op], best: &mut Duration) -> (u64, usize) {
    let (mut map, mut live) = (warm.clone(), live.clone());
    // Not in the time: a copy of what lives, which is far larger than the map.
    live.resize(live.len() + steady.len(), None);
    let start = Instant::now();
    let granted = black_box(run(&mut map, black_box(steady), &mut live));
    *best = start.elapsed().min(*best);
    granted
}

/// Whether the command line names this one, or none.
fn wanted(profile: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    names.peek().is_none() || names.any(|name| name == profile)
}

fn main() {
    if cma_policies::mutant::COMPILED_IN {
        println!("built with planted defects, which cost time: use cargo bench -p cma-policies");
    }
    let profiles: [(&str, &[usize]); 4] = [
        ("seed-like", &[255, 255, 255, 456, 511, 1, 2, 1013]),
        ("small", &[1, 1, 2, 3, 4, 8, 16, 16, 64]),
        ("big", &[1013, 2025, 3038, 8100, 456, 255]),
        ("pitch-law", &[]),
    ];
    let loads = [
        ("near-empty", 0.02),
        ("50 %", 0.5),
        ("90 %", 0.9),
        ("150 %", 1.5),
        ("overloaded", f64::INFINITY),
    ];
    println!("ratio plain scan / indexed map, best of {ROUNDS} interleaved runs of {OPS} ops");
    println!(
        "{:<10} {:<10} {:>8} {:>10} {:>10} {:>7}",
        "sizes", "load", "pages", "plain ns", "indexed ns", "ratio"
    );
    for area in [286_720, 4_194_304] {
        for (profile, sizes) in profiles.into_iter().filter(|(name, _)| wanted(name)) {
            for (load_name, load) in loads {
                let (warm, steady) = if sizes.is_empty() {
                    pitch_law(area, load)
                } else if load.is_infinite() {
                    overload(sizes, area)
                } else {
                    stream(sizes, (area as f64 * load) as usize)
                };
                let mut live = Live::new();
                let mut maps = (Plain::new(area), FreeMap::new(area as u64, 0));
                run(&mut maps.1, &warm, &mut live);
                for &(start, count) in live.iter().flatten() {
                    maps.0.set(start, count);
                }
                let mut times = [Duration::MAX; 2];
                for _ in 0..ROUNDS {
                    let granted = [
                        time(&maps.0, &live, &steady, &mut times[0]),
                        time(&maps.1, &live, &steady, &mut times[1]),
                    ];
                    assert_eq!(
                        granted[0], granted[1],
                        "{profile} {load_name}: not the same places"
                    );
                }
                let ns = times.map(|time| time.as_nanos() as f64 / steady.len() as f64);
                println!(
                    "{profile:<10} {load_name:<10} {area:>8} {:>10.1} {:>10.1} {:>7.2}",
                    ns[0],
                    ns[1],
                    ns[0] / ns[1]
                );
            }
        }
    }
    visits();
}

/// Nodes looked at by a refused 200@8 in an area full of 257-page residents, from the start and
/// from every resume place on.
fn visits() {
    println!("\ntree nodes per search, 200@8 behind 257-page residents");
    let mut worst = Vec::new();
    for area in [286_720_u64, 4_194_304] {
        let mut map = FreeMap::new(area, 0);
        let slots = area / 512;
        (0..slots).for_each(|slot| map.set(slot * 512, 257));
        map.clear((slots - 1) * 512, 257);
        let from = |slot| Search { bits: 200, mask: 255, offset: 0, from: slot * 512 };
        let counts = (0..slots).map(|slot| map.first_fit_counted(from(slot)).1);
        let (most, all) = counts.fold((0, 0), |(most, all), one| (one.max(most), all + one));
        println!("{area:>8} pages: most {most}, mean {:.1}", all as f64 / slots as f64);
        worst.push(most as f64);
    }
    println!("growth of the most: {:.2}", worst[1] / worst[0]);
}
