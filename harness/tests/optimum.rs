//! What any placement needs, of streams whose answer is known, and of those in the corpora.

use std::path::Path;
use std::time::Instant;

use cma_harness::ingest::Source;
use cma_harness::op::Timed;
use cma_harness::reader::{Options, open};
use cma_harness::reproduce::{Yardstick, yardstick};
use cma_harness::seed::Seed;
use cma_harness::workload::{PROFILES, Setup};

fn of_file(path: &Path) -> Option<Yardstick> {
    let source = Source::file(path);
    let reader = open(&source, &Options::default()).ok()?;
    let order = reader.area().map_or(0, cma_harness::policies::Area::order_per_bit);
    let (cap, before) = (reader.cap(), reader.before());
    let before = before.into_iter().map(|op| Timed { at_us: 0, op });
    let ops: Vec<_> = reader.ops(cap).map_while(|op| Some(op.ok()?.1)).collect();
    let start = Instant::now();
    let made = yardstick(before.chain(ops), cap, order).unwrap();
    println!("{} {made:?} {:?}", path.display(), start.elapsed());
    made
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

#[test]
fn captures() {
    for folder in ["logs/board", "recordings/6.1", "recordings/6.12", "recordings/7.3", "regressions"] {
        for file in files(folder) {
            of_file(&file);
        }
    }
}

#[test]
fn profiles() {
    for profile in PROFILES.iter().filter(|profile| profile.seeded) {
        for load in [0.9] {
            for ops in [2000, 100_000] {
                let setup = Setup { area_pages: 163_840, load, seed: Seed::new(1), ops };
                let Ok(stream) = profile.open(&setup) else { continue };
                let stream: Vec<_> = stream.collect();
                let start = Instant::now();
                let boxes = cma_harness::optimum::Boxes::of_ops(stream.iter().copied(), 8, 0);
                let bounds = cma_harness::optimum::bounds(&boxes).unwrap();
                let offline = start.elapsed();
                let start = Instant::now();
                let made = yardstick(stream, 8, 0).unwrap().unwrap();
                println!(
                    "{} {ops}: load {} aligned {} lower {} upper {} first fit {:?} boxes {} looks {} {:?} of {:?}",
                    profile.name, bounds.load_pages, bounds.aligned_load_pages, bounds.lower_pages,
                    bounds.upper_pages, made.first_fit_pages, bounds.boxes, bounds.looked_at, offline, start.elapsed()
                );
            }
        }
    }
}
