//! Every fuzz target over its seed corpus, and over bytes of every short length, without a fuzzer.

use std::fs;
use std::path::Path;

use cma_harness::fuzzing::TARGETS;

#[test]
fn every_target_passes_its_seed_corpus() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/seeds");
    for (name, run) in TARGETS {
        let folder = seeds.join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut number = 0;
        for file in files {
            let path = file.expect("a readable folder").path();
            run(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
            number += 1;
        }
        assert!(number >= 5, "target {name} has {number} seeds");
    }
}

#[test]
fn every_target_takes_any_bytes() {
    for (_, run) in TARGETS {
        for length in 0..64 {
            run(&vec![0xff; length]);
            run(&(0..length as u8).map(|byte| byte.wrapping_mul(37)).collect::<Vec<_>>());
        }
    }
}
