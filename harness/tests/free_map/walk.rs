//! Random walks of sets, clears and searches over maps of awkward sizes.

use cma_harness::seed::Seed;
use cma_policies::kit::FreeMap;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::naive::{Naive, Wish};

/// A step. Its numbers are taken modulo what there is, so that every step is legal everywhere and
/// any of them can be left out.
#[derive(Clone, Debug)]
enum Step {
    /// Flips bits of the run that the bit is in, from the bit on, at most so many.
    Flip { at: u64, most: u64 },
    /// Searches, the offset the map's own or any.
    Ask { bits: u64, order: u32, offset: Option<u64>, refused: Option<u64> },
    /// Asks about a place.
    Look { at: u64, count: u64 },
}

impl Naive {
    /// Flips from bit `at` on: start, bits, and whether they are used now.
    fn flip(&mut self, at: u64, most: u64) -> (u64, u64, bool) {
        let start = at % self.bits();
        let was = self.free[start as usize];
        let same =
            self.free[start as usize..].iter().take_while(|free| **free == was).count() as u64;
        let count = same.min(1 + most % same.max(1));
        self.free[start as usize..(start + count) as usize].fill(!was);
        (start, count, was)
    }
}

fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 1u64..200,
        2 => prop::sample::select(vec![63u64, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257]),
        1 => prop::sample::select(vec![511u64, 512, 513, 1023, 1024, 1025]),
        1 => prop::sample::select(vec![4095u64, 4096, 4097, 8193]),
    ]
}

fn origins() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0u64..64, 0u64..1 << 14, any::<u64>().prop_map(|origin| origin >> 1)]
}

struct Walk;

impl ReferenceStateMachine for Walk {
    type State = Naive;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Naive> {
        let naive = |(bits, origin)| Naive { free: vec![true; bits as usize], origin };
        (sizes(), origins()).prop_map(naive).boxed()
    }

    fn transitions(state: &Naive) -> BoxedStrategy<Step> {
        let bits = state.bits();
        let length = prop_oneof![1u64..5, 1u64..=bits / 4 + 1, 1u64..=bits + 1];
        let order =
            prop_oneof![8 => 0u32..9, 3 => 0u32..15, 1 => prop::sample::select(vec![20, 40, 62])];
        let ask = (length, order, prop::option::weighted(0.2, any::<u64>()), any::<Option<u64>>());
        prop_oneof![
            4 => (any::<u64>(), any::<u64>()).prop_map(|(at, most)| Step::Flip { at, most }),
            2 => (any::<u64>(), 0u64..6).prop_map(|(at, most)| Step::Flip { at, most }),
            5 => ask.prop_map(|(bits, order, offset, refused)| {
                Step::Ask { bits, order, offset, refused }
            }),
            1 => (any::<u64>(), 0..=bits + 1).prop_map(|(at, count)| Step::Look { at, count }),
        ]
        .boxed()
    }

    fn apply(mut state: Naive, step: &Step) -> Naive {
        if let Step::Flip { at, most } = step {
            state.flip(*at, *most);
        }
        state
    }
}

struct Subject {
    map: FreeMap,
    naive: Naive,
}

impl Subject {
    fn ask(&self, bits: u64, order: u32, offset: Option<u64>, refused: Option<u64>) {
        let own = self.naive.wish(bits, order);
        let wish = Wish { offset: offset.map_or(own.offset, |any| any % (1 << order)), ..own };
        // A refused place is one where such a search could have stopped.
        let first = (1u64 << order) - 1 - (wish.offset + (1 << order) - 1) % (1 << order);
        let places = (self.naive.bits().saturating_sub(first)).div_ceil(1 << order);
        let refused = refused.filter(|_| places > 0).map(|any| first + ((any % places) << order));
        self.naive.check_search(&self.map, wish, &[refused]);
    }
}

impl StateMachineTest for Walk {
    type SystemUnderTest = Subject;
    type Reference = Self;

    fn init_test(naive: &Naive) -> Subject {
        Subject { map: FreeMap::new(naive.bits(), naive.origin), naive: naive.clone() }
    }

    fn apply(mut subject: Subject, _: &Naive, step: Step) -> Subject {
        match step {
            Step::Flip { at, most } => {
                let (start, count, used) = subject.naive.flip(at, most);
                if used {
                    subject.map.set(start, count);
                } else {
                    subject.map.clear(start, count);
                }
            }
            Step::Ask { bits, order, offset, refused } => subject.ask(bits, order, offset, refused),
            Step::Look { at, count } => {
                let bit = at % subject.naive.bits();
                subject.naive.check_place(&subject.map, bit, count);
            }
        }
        subject
    }

    fn check_invariants(subject: &Subject, naive: &Naive) {
        assert_eq!(subject.naive.free, naive.free);
        naive.check_state(&subject.map);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]
    #[test]
    fn a_map_answers_as_a_list_of_bools(sequential 1..80 => Walk);
}

/// The nodes of more than 2^14 bits are of another type than those below, and too large for the
/// walk above, which looks at every bit in each step.
#[test]
fn a_map_of_several_wide_nodes_answers_as_a_list_of_bools() {
    for (bits, origin) in [(40_000, 0), (33_001, 8191), (70_000, 12_345)] {
        let naive = Naive { free: vec![true; bits], origin };
        let mut subject = Subject { map: FreeMap::new(naive.bits(), origin), naive };
        let mut draws = Seed::new(1).child("wide", origin).rng();
        for _ in 0..60 {
            let most = [200, 9000, 40_000][draws.below(3) as usize];
            let step = Step::Flip { at: draws.below(u64::MAX), most: draws.below(most) };
            let unused = Naive { free: Vec::new(), origin };
            subject = <Walk as StateMachineTest>::apply(subject, &unused, step);
            subject.naive.check_state(&subject.map);
            for order in [0, 6, 9, 13, 14, 20] {
                // Long runs at every place would be too many bits to look at.
                let longest = if order < 9 { 100 } else { 20_000 };
                let refused = (draws.below(3) > 0).then(|| draws.below(u64::MAX));
                subject.ask(1 + draws.below(longest), order, None, refused);
            }
        }
    }
}
