//! The profiles: what they bring, and that they bring it again.

use std::collections::{BTreeMap, BTreeSet};

use cma_harness::op::{Op, Timed};
use cma_harness::seed::Seed;
use cma_harness::workload::{PROFILES, Profile, Setup, SetupError, Workload, profile};

const AREA_PAGES: u64 = 131_072;

fn open(name: &str, load: f64, seed: u64, ops: u64) -> Workload {
    let setup = Setup { area_pages: AREA_PAGES, load, seed: Seed::new(seed), ops };
    profile(name).unwrap().open(&setup).unwrap()
}

fn seeded() -> impl Iterator<Item = &'static Profile> {
    PROFILES.iter().filter(|profile| profile.seeded)
}

/// The most pages live at once, were every request granted; a stream that frees what it does not
/// hold, asks for an id that is live, or goes back in time fails here.
fn load_pages(ops: impl Iterator<Item = Timed>) -> u64 {
    let mut live = BTreeMap::new();
    let (mut pages, mut most, mut last_us) = (0, 0, 0);
    for Timed { at_us, op } in ops {
        assert!(at_us >= last_us, "time went back");
        last_us = at_us;
        match op {
            Op::Alloc { id, request, dma } => {
                assert!(dma, "a request that does not follow the cap");
                assert_eq!(live.insert(id, request.count()), None, "{id} is live");
                pages += request.count();
            }
            Op::Free { id, part: None } => pages -= live.remove(&id).expect("a live buffer"),
            other => panic!("{other:?}"),
        }
        most = most.max(pages);
    }
    most
}

#[test]
fn load_comes_within_5_percent_below_what_was_asked_for() {
    for profile in seeded() {
        for load in [0.5, 0.7, 0.9] {
            for seed in 1..=8 {
                let most = load_pages(open(profile.name, load, seed, 4000));
                let share = most as f64 / (load * AREA_PAGES as f64);
                println!("{} {load} {seed} {share:.4}", profile.name);
                assert!((0.95..=1.0).contains(&share), "{} {load} {seed}: {share}", profile.name);
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_stream_and_another_one_another() {
    for profile in seeded() {
        let stream = |seed| open(profile.name, 0.7, seed, 500).collect::<Vec<_>>();
        assert_eq!(stream(1), stream(1), "{}", profile.name);
        assert_ne!(stream(1), stream(2), "{}", profile.name);
        assert_eq!(stream(1).len(), 500, "{}", profile.name);
        let longer: Vec<_> = open(profile.name, 0.7, 1, 600).take(500).collect();
        assert_eq!(longer, stream(1), "{}: more ops go on where fewer ended", profile.name);
    }
}
