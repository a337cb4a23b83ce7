//! The parts of `corpora/versus.sh` that need the library: it is built in both commits, so it uses
//! only what is public in both. How long it takes is measured from outside.
//!
//! `cargo run --release -p cma-harness --example versus -- map 100`

use std::path::Path;
use std::process::ExitCode;
use std::{fs, hint};

use cma_harness::fuzzing::TARGETS;
use cma_policies::kit::{FreeMap, Search};
use cma_policies::{Area, Pfn, Quiet, Request, Run, builtin, dma_align};

const USAGE: &str = "versus fuzz TARGET SEEDS ROUNDS | policy SPEC OPS | map ROUNDS | \
                     search ROUNDS | columns OLD.csv NEW.csv | sum COLUMN FILE.csv";
const AREA_PAGES: u64 = 286_720;
const LOAD_PAGES: u64 = AREA_PAGES / 10 * 9;
const CAP: u32 = 8;
/// Sizes of buffers: those of displays and cameras, and small ones.
const SIZES: [u64; 8] = [255, 255, 255, 456, 511, 1, 2, 1013];
/// Ops of the steady part of a stream.
const OPS: usize = 20_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[&str]) -> Result<(), String> {
    match *args {
        ["fuzz", target, seeds, rounds] => fuzz(target, Path::new(seeds), number(rounds)?),
        ["policy", spec, ops] => policy(spec, number(ops)?),
        ["map", rounds] => map(number(rounds)?, false),
        ["search", rounds] => map(number(rounds)?, true),
        ["columns", old, new] => columns(old, new),
        ["sum", column, file] => sum(column, file),
        _ => Err(USAGE.to_string()),
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

/// Runs a target over every file of a folder, in the order of their names, `rounds` times; prints
/// how many executions that were.
fn fuzz(target: &str, folder: &Path, rounds: u64) -> Result<(), String> {
    let target = TARGETS.iter().find(|one| one.name == target);
    let target = target.ok_or("there is no such target")?;
    let failed = |error| format!("failed to read {}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    let seeds: Result<Vec<_>, _> = paths.iter().map(fs::read).collect();
    let seeds = seeds.map_err(failed)?;
    for _ in 0..rounds {
        for seed in &seeds {
            (target.run)(hint::black_box(seed));
        }
    }
    println!("{}", rounds * seeds.len() as u64);
    Ok(())
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

#[derive(Clone, Copy)]
enum Op {
    Alloc(u64),
    /// Of one of the buffers asked for, granted or not.
    Free(usize),
}

/// Asks for random sizes up to LOAD, then frees at random and asks again.
struct Stream {
    draws: Xorshift,
    asked: Vec<u64>,
    pages: u64,
}

impl Stream {
    const fn new() -> Self {
        Self { draws: Xorshift(0x9e37_79b9_7f4a_7c15), asked: Vec::new(), pages: 0 }
    }

    /// The next op. A free leaves its place to the last buffer (`swap_remove`).
    fn next(&mut self) -> Op {
        let count = SIZES[self.draws.below(SIZES.len())];
        if self.pages + count <= LOAD_PAGES {
            self.pages += count;
            self.asked.push(count);
            return Op::Alloc(count);
        }
        let victim = self.draws.below(self.asked.len());
        self.pages -= self.asked.swap_remove(victim);
        Op::Free(victim)
    }
}

/// Runs `ops` ops on a policy that nothing checks, over pages that can always be claimed; prints
/// how many were granted.
fn policy(spec: &str, ops: u64) -> Result<(), String> {
    let spec = builtin::catalog().parse(spec).map_err(|error| error.to_string())?;
    let area = Area::single(0, AREA_PAGES, 0).map_err(|error| error.to_string())?;
    let mut policy = spec.build(area).map_err(|error| error.to_string())?;
    let mut live: Vec<Option<Run>> = Vec::new();
    let mut stream = Stream::new();
    let mut granted = 0_u64;
    for _ in 0..ops {
        match stream.next() {
            Op::Alloc(count) => {
                let request = Request::new(count, dma_align(count, CAP));
                let request = request.map_err(|error| error.to_string())?;
                let place: Option<Pfn> = policy.alloc(request, &mut Quiet).ok();
                granted += u64::from(place.is_some());
                live.push(place.map(|pfn| Run::new(pfn.0, count)));
            }
            Op::Free(victim) => {
                if let Some(run) = live.swap_remove(victim) {
                    policy.free(run).map_err(|error| error.to_string())?;
                }
            }
        }
    }
    println!("{granted}");
    Ok(())
}

/// What a stream under first fit does to the map.
#[derive(Clone, Copy)]
struct Edit {
    run: Run,
    is_set: bool,
}

/// Does and undoes the same sets and clears `rounds` times, on a map that is 90 % used, or searches
/// before each set; prints how many edits that were.
fn map(rounds: u64, searches: bool) -> Result<(), String> {
    let (mut map, edits) = edits();
    let run = |map: &mut FreeMap, edit: &Edit, is_set: bool| {
        let (start, count) = (edit.run.pfn.0, edit.run.count);
        if is_set {
            if searches {
                hint::black_box(map.first_fit(search(count)));
            }
            map.set(start, count);
        } else {
            map.clear(start, count);
        }
    };
    for _ in 0..rounds {
        edits.iter().for_each(|edit| run(&mut map, edit, edit.is_set));
        edits.iter().rev().for_each(|edit| run(&mut map, edit, !edit.is_set));
    }
    println!("{} edits, {} bits free", rounds * 2 * edits.len() as u64, map.free_bits());
    Ok(())
}

fn search(count: u64) -> Search {
    Search { bits: count, mask: (1 << dma_align(count, CAP)) - 1, offset: 0, from: 0 }
}

/// A map that a stream has filled, and the edits of the [`OPS`] after that.
fn edits() -> (FreeMap, Vec<Edit>) {
    let mut map = FreeMap::new(AREA_PAGES, 0);
    let mut live: Vec<Option<Run>> = Vec::new();
    let mut stream = Stream::new();
    let mut edits = Vec::new();
    // Turned over several times, so that holes are what frees at random make of them.
    for at in 0..3 * OPS {
        let edit = match stream.next() {
            Op::Alloc(count) => {
                let place = map.first_fit(search(count)).map(|start| Run::new(start, count));
                live.push(place);
                place.map(|run| Edit { run, is_set: true })
            }
            Op::Free(victim) => live.swap_remove(victim).map(|run| Edit { run, is_set: false }),
        };
        let Some(edit) = edit else { continue };
        if edit.is_set {
            map.set(edit.run.pfn.0, edit.run.count);
        } else {
            map.clear(edit.run.pfn.0, edit.run.count);
        }
        if at >= 2 * OPS {
            edits.push(edit);
        }
    }
    // Back to where they begin.
    for edit in edits.iter().rev() {
        if edit.is_set {
            map.clear(edit.run.pfn.0, edit.run.count);
        } else {
            map.set(edit.run.pfn.0, edit.run.count);
        }
    }
    (map, edits)
}

/// A table, column by column.
struct Table {
    names: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn read(path: &str) -> Result<Self, String> {
        let failed = |error| format!("failed to read {path}: {error}");
        let mut reader = csv::Reader::from_path(path).map_err(failed)?;
        let names = reader.headers().map_err(failed)?.iter().map(str::to_string).collect();
        let rows: Result<_, _> = reader.into_records().collect();
        Ok(Self { names, rows: rows.map_err(failed)? })
    }

    fn column(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let at = self.names.iter().position(|one| one == name)?;
        Some(self.rows.iter().map(move |row| row.get(at).unwrap_or_default()))
    }
}

/// Says of two tables which columns that both have differ.
fn columns(old: &str, new: &str) -> Result<(), String> {
    let (old, new) = (Table::read(old)?, Table::read(new)?);
    let both = old.names.iter().filter(|name| new.names.contains(name));
    let differs = |name: &&String| {
        let (Some(old), Some(new)) = (old.column(name), new.column(name)) else { return true };
        !old.eq(new)
    };
    let different: Vec<&str> = both.clone().filter(differs).map(String::as_str).collect();
    let only = |own: &Table, other: &Table| {
        own.names.iter().filter(|name| !other.names.contains(name)).count()
    };
    print!(
        "{} columns in both ({} only old, {} only new), {} and {} rows: ",
        both.count(),
        only(&old, &new),
        only(&new, &old),
        old.rows.len(),
        new.rows.len()
    );
    match different.as_slice() {
        [] => println!("all equal"),
        names => println!("{} DIFFER: {}", names.len(), names.join(" ")),
    }
    Ok(())
}

/// The sum of a column of counts.
fn sum(name: &str, path: &str) -> Result<(), String> {
    let table = Table::read(path)?;
    let column = table.column(name).ok_or_else(|| format!("{path} has no column {name}"))?;
    println!("{}", column.filter_map(|value| value.parse::<u64>().ok()).sum::<u64>());
    Ok(())
}
