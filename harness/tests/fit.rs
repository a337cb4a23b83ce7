//! What is fitted to a file: near it, far from others, and exact where there is no chance.

use cma_harness::ingest::{Options, Source, StreamWriter};
use cma_harness::op::{Op, Timed};
use cma_harness::seed::Seed;
use cma_harness::workload::fit::{DISTANCES, Fit};
use cma_harness::workload::{PROFILES, Setup, profile};

/// A stream of a profile as a file.
fn stream(name: &str, seed: u64, ops: u64) -> Vec<u8> {
    let profile = profile(name).unwrap();
    let area_pages = match name {
        "network" => 4096,
        "audio" => 65_536,
        "set-top" => 262_144,
        _ => 131_072,
    };
    let setup = Setup { area_pages, load: 0.8, seed: Seed::new(seed), ops };
    let made = profile.open(&setup).unwrap();
    let names = made.clients().to_vec();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut out = Vec::new();
    let mut writer = StreamWriter::new(&mut out, &[], &names, false).unwrap();
    made.for_each(|timed| writer.write(timed).unwrap());
    out
}

fn fit(bytes: &'static [u8]) -> Fit {
    Fit::read(&Source::bytes("test", bytes), &Options::default()).unwrap()
}

fn leak(bytes: Vec<u8>) -> &'static [u8] {
    bytes.leak()
}

#[test]
fn a_fit_is_near_its_own_profile_and_far_from_another() {
    for one in PROFILES.iter().filter(|profile| profile.seeded) {
        let own = fit(leak(stream(one.name, 1, 4000)));
        println!(
            "{} {:.3} draws {:.3} {:?} {:?}",
            one.name,
            own.distances.largest(),
            own.between_draws,
            own.distances,
            own.sessions()
        );
        let same = leak(stream(one.name, 2, 4000));
        let to = own.distances_to(&Source::bytes("o", same), &Options::default()).unwrap();
        println!("   other seed {:.3} {:?}", to.largest(), to);
    }
}
