//! `cargo bench -p cma-policies`: the indexed map against a plain scan with the kernel's algorithm
//! and, with `KERNEL=/path/to/linux` (5.15 or later; Debian's `linux-source-*`, unpacked), against
//! the kernel's own C, on whole streams of allocations and frees; and the groups and holes that a search
//! looks at.
//!
//! Each cell runs all of them in turn and prints ratios of their best times: above 1 the indexed
//! map is faster. Loads: LOAD held at 2 % (`near-empty`), 50 %, 90 % and 150 % of the area;
//! `overloaded`: a full area, two requests for each buffer that is given back, so that most are
//! refused.

mod kernel;
mod plain;
mod streams;

use std::hint::black_box;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cma_policies::kit::{FreeMap, Search};
use kernel::Kernel;
use plain::Plain;
use streams::{OPS, Op, overload, pitch_law, stream};

const ROUNDS: usize = 5;

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

/// Runs `ops`; how many were granted, and a sum over their places, to hold all maps to the same.
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

/// Best times of a cell's steady part.
struct Times {
    plain: Duration,
    indexed: Duration,
    /// Where there is one.
    kernel: Option<Duration>,
}

/// Runs `steady` on every map in turn: on a copy of `map`, which has come to `live`, and on others
/// that hold the same.
///
/// # Panics
/// If they do not grant the same places.
fn cell(
    area: usize,
    map: &FreeMap,
    live: &Live,
    steady: &[Op],
    kernel: Option<&Kernel>,
) -> io::Result<Times> {
    let mut scan = Plain::new(area);
    for &(start, count) in live.iter().flatten() {
        scan.set(start, count);
    }
    let mut theirs = kernel.map(|kernel| kernel.start(area, live, steady)).transpose()?;
    let [mut plain, mut indexed, mut best] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let granted = time(map, live, steady, &mut indexed);
        assert_eq!(time(&scan, live, steady, &mut plain), granted, "the plain scan");
        if let Some(theirs) = &mut theirs {
            assert_eq!(theirs.time(&mut best)?, granted, "the kernel's C");
        }
    }
    Ok(Times { plain, indexed, kernel: theirs.map(|_| best) })
}

/// The C to compare with, if there is any; says which, or why not.
fn kernel() -> Result<Option<Kernel>, String> {
    let (tree, cc) = match kernel::named() {
        Ok(named) => named,
        Err(why) => {
            println!("the kernel's own C is skipped: {why}");
            return Ok(None);
        }
    };
    let kernel = Kernel::compiled(&tree, &cc)?;
    println!(
        "C: bitmap_find_next_zero_area_off, __bitmap_set and __bitmap_clear of Linux {} at -O2",
        kernel.version
    );
    Ok(Some(kernel))
}

fn main() -> ExitCode {
    if cma_policies::mutant::COMPILED_IN {
        println!("built with planted defects, which cost time: use cargo bench -p cma-policies");
    }
    let done =
        kernel().and_then(|kernel| table(kernel.as_ref()).map_err(|error| error.to_string()));
    if let Err(why) = done {
        eprintln!("{why}");
        return ExitCode::from(2);
    }
    visits();
    ExitCode::SUCCESS
}

fn table(kernel: Option<&Kernel>) -> io::Result<()> {
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
    println!("ns of an op, best of {ROUNDS} interleaved runs of {OPS} ops");
    print!("{:<10} {:<10} {:>8} {:>9} {:>9}", "sizes", "load", "pages", "indexed", "plain");
    let theirs = if kernel.is_some() { ["C", "C/indexed"] } else { [""; 2] };
    println!(" {:>13} {:>9} {:>9}", "plain/indexed", theirs[0], theirs[1]);
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
                let mut map = FreeMap::new(area as u64, 0);
                run(&mut map, &warm, &mut live);
                let times = cell(area, &map, &live, &steady, kernel)?;
                let ns = |time: Duration| time.as_nanos() as f64 / steady.len() as f64;
                let (indexed, plain) = (ns(times.indexed), ns(times.plain));
                print!("{profile:<10} {load_name:<10} {area:>8} {indexed:>9.1} {plain:>9.1}");
                print!(" {:>13.2}", plain / indexed);
                if let Some(theirs) = times.kernel.map(ns) {
                    print!(" {theirs:>9.1} {:>9.2}", theirs / indexed);
                }
                println!();
            }
        }
    }
    Ok(())
}

/// What is looked at by a refused 200@8 in an area full of 257-page residents, from the start and
/// from every resume place on.
fn visits() {
    println!("\ngroups and holes looked at per search, 200@8 past 257-page residents");
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
