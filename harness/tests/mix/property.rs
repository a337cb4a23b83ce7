//! Random parts: the merged stream is made of them and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use cma_harness::op::{Op, Timed};
use cma_harness::seed::{Draws, Seed};
use cma_harness::workload::Setup;
use cma_harness::workload::mix::{Origin, Part};
use proptest::prelude::*;

use super::{called, file, mix, of_profile};

/// Random rows of a stream of two clients: buffers, parts of them, and what is never given back.
fn rows(draws: &mut Draws) -> String {
    let mut rows = String::new();
    let (mut at_us, mut live) = (draws.below(20), BTreeMap::new());
    for id in 0..draws.between(1, 30) {
        at_us += draws.below(4);
        let (count, client) = (draws.between(1, 50), draws.below(2));
        rows += &format!("{at_us},alloc,{id},{count},dma,c{client},,\n");
        live.insert(id, count);
        let at = draws.below(live.len() as u64) as usize;
        let (other, left) = live.iter().nth(at).map(|(id, left)| (*id, *left)).unwrap();
        at_us += draws.below(3);
        match draws.below(3) {
            0 if left > 1 => {
                rows += &format!("{at_us},free,{other},1,,,,{}\n", left - 1);
                live.insert(other, left - 1);
            }
            1 => {
                rows += &format!("{at_us},free,{other},,,,,\n");
                live.remove(&other);
            }
            _ => {}
        }
    }
    rows + &format!("{},alloc,999,3,0,c0,,\n", at_us + 1)
}

/// Random parts, each with clients of its own, so that its ops are known among the others.
fn parts(draws: &mut Draws) -> Vec<Part> {
    let count = draws.between(1, 5);
    let mut part = |number: u64| {
        let part = match draws.below(5) {
            0 => of_profile("gpu", 8_000 + draws.below(4_000)),
            1 => of_profile("vpu-encode", 1_906 + draws.below(4_000)),
            2 => of_profile("audio", 512 + draws.below(1_000)),
            repeat => file(&rows(draws), repeat == 3),
        };
        called(part, &format!("part{number}-"))
    };
    (0..count).map(&mut part).collect()
}

/// What happens in a part: time, pages (0: given back), and the number of the buffer in it.
type Seen = Vec<(u64, u64, u64)>;

/// A stream, each buffer under its number in order of requests.
fn seen(ops: impl Iterator<Item = Timed>) -> Seen {
    let (mut numbers, mut next) = (BTreeMap::new(), 0);
    let seen = ops.map(|Timed { at_us, op }| match op {
        Op::Alloc { id, request, .. } => {
            numbers.insert(id, next);
            next += 1;
            (at_us, request.count(), next - 1)
        }
        Op::Free { id, part } => {
            (at_us, 0, numbers[&id] + (part.map_or(0, |part| part.count) << 40))
        }
        other => panic!("{other:?}"),
    });
    seen.collect()
}

/// A part as it is by itself, for the seed that a mix gives to its part of this number.
fn alone(part: &Part, number: u64, seed: u64, ops: usize) -> Seen {
    match &part.origin {
        Origin::Profile(profile, pages) => {
            let seed = Seed::new(seed).child("mix", number);
            let setup = Setup { area_pages: *pages, load: 1.0, seed, ops: ops as u64 };
            seen(profile.open(&setup).unwrap())
        }
        // Of its own as the first of a mix: how that is merged with nothing else is known by hand.
        _ => seen(mix(std::slice::from_ref(part)).open(&Seed::new(seed), ops as u64).unwrap()),
    }
}

/// LOAD by brute force: what is live is counted anew after each op.
fn load(ops: &[Timed]) -> u64 {
    let mut most = 0;
    for end in 0..=ops.len() {
        let mut left: BTreeMap<u64, u64> = BTreeMap::new();
        for timed in &ops[..end] {
            match timed.op {
                Op::Alloc { id, request, .. } => drop(left.insert(id, request.count())),
                Op::Free { id, part } => {
                    let back = part.map_or(u64::MAX, |part| part.count);
                    left.entry(id).and_modify(|left| *left = left.saturating_sub(back));
                }
                other => panic!("{other:?}"),
            }
        }
        most = most.max(left.values().sum());
    }
    most
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_merged_stream_is_its_parts(seed in any::<u64>()) {
        let parts = parts(&mut Seed::new(seed).rng());
        let made = mix(&parts);
        let merged = made.open(&Seed::new(seed), 300).unwrap();
        let clients = merged.clients().to_vec();
        let ops: Vec<_> = merged.collect();

        // Times never go back; an id is given once, and given back while it is held.
        prop_assert!(ops.is_sorted_by_key(|timed| timed.at_us));
        let (mut ever, mut held, mut owner) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        let mut by_part: BTreeMap<u64, Vec<Timed>> = BTreeMap::new();
        for timed in &ops {
            let part = match timed.op {
                Op::Alloc { id, request, .. } => {
                    prop_assert!(ever.insert(id), "{id} is given a second time");
                    held.insert(id, request.count());
                    let client = &clients[usize::from(request.client())];
                    let number = client.strip_prefix("part").unwrap();
                    let number: u64 = number.split('-').next().unwrap().parse().unwrap();
                    owner.insert(id, number);
                    number
                }
                Op::Free { id, part } => {
                    let left = held.get_mut(&id).expect("it is held");
                    *left -= part.map_or(*left, |part| part.count);
                    if *left == 0 {
                        held.remove(&id);
                    }
                    owner[&id]
                }
                other => panic!("{other:?}"),
            };
            by_part.entry(part).or_default().push(*timed);
        }

        // Each part is what it is alone, as far as the mix has come.
        for (number, part) in (0..).zip(&parts) {
            let own = by_part.remove(&number).unwrap_or_default();
            let expected = alone(part, number, seed, own.len() + 1);
            let own = seen(own.into_iter());
            prop_assert_eq!(&own[..], &expected[..own.len()]);
            // What comes next of it is past the end of the mix.
            if let (Some(next), true) = (expected.get(own.len()), ops.len() == 300) {
                prop_assert!(next.0 >= ops[299].at_us);
            }
        }
        prop_assert_eq!(by_part.len(), 0);
        prop_assert!(load(&ops) <= made.load_pages());
    }
}
