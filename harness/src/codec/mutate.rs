//! Changes to cases that keep their meaning: what a fuzzer and a local search do instead of turning
//! over bits.
//!
//! A mutation is one line of `MUTATIONS`. Bytes are decoded, changed and encoded again, so that
//! what comes out is a case as it would have been written.

mod acts;
mod header;
mod stretch;

use super::{Act, Case, HEADER, MAX_ACTS, RECORD};
use crate::seed::{Draws, Seed};

/// A way to change a case; where there is nothing to change, it stays as it is.
type Mutation = fn(&mut Case, &mut Draws);

/// What a mutation changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Acts alone.
    Acts,
    /// The LOAD limit.
    Load,
    /// The area or the policy: what somebody who attacks one policy in one area keeps.
    World,
}

/// Every mutation, by what it changes.
const MUTATIONS: &[(Part, Mutation)] = &[
    (Part::Acts, stretch::duplicate),
    (Part::Acts, stretch::duplicate_session),
    (Part::Acts, stretch::double_session),
    (Part::Acts, stretch::drop_act),
    (Part::Acts, stretch::drop_stretch),
    (Part::Acts, stretch::move_act),
    (Part::Acts, stretch::move_free),
    (Part::Acts, stretch::swap),
    (Part::Acts, acts::insert_any),
    (Part::Acts, acts::insert_alloc),
    (Part::Acts, acts::insert_fill),
    (Part::Acts, acts::insert_free),
    (Part::Acts, acts::insert_comb),
    (Part::Acts, acts::replace),
    (Part::Acts, acts::request),
    (Part::Acts, acts::requests_like_it),
    (Part::Acts, acts::times),
    (Part::Acts, acts::comb),
    (Part::Acts, acts::victim),
    (Part::Acts, acts::align),
    (Part::Load, header::load_limit),
    (Part::World, header::policy),
    (Part::World, header::area),
    (Part::World, header::border),
];

/// One in so many changes is to the area or the policy: it makes all that was learnt about the
/// acts worthless, as a rule.
const WORLD_IN: u64 = 6;

/// Changes `case` once to three times, by mutations that `allowed` names.
pub(crate) fn change(case: &mut Case, draws: &mut Draws, allowed: impl Fn(Part) -> bool) {
    if case.acts.is_empty() && allowed(Part::Acts) {
        // There is nothing that most could change.
        acts::insert_any(case, draws);
    }
    let times = 1 + draws.below(6) / 2;
    for _ in 0..times {
        let of_world = draws.below(WORLD_IN) == 0 && allowed(Part::World);
        let fits = |part: Part| (part == Part::World) == of_world && allowed(part);
        // Few are left out, so that a few draws find one that is not.
        let mutation = (0..64).map(|_| draws.pick(MUTATIONS)).find(|(part, _)| fits(*part));
        if let Some((_, apply)) = mutation {
            apply(case, draws);
        }
    }
    case.acts.truncate(MAX_ACTS);
}

fn draws(seed: u32) -> Draws {
    Seed::new(u64::from(seed)).child("mutate", 0).rng()
}

/// `case` in at most `max` bytes: further acts are left out.
fn written(case: &mut Case, max: usize) -> Vec<u8> {
    case.acts.truncate(MAX_ACTS.min(max.saturating_sub(HEADER) / RECORD));
    let mut bytes = case.encode();
    bytes.truncate(max);
    bytes
}

/// Bytes of a case like the one that `bytes` are, at most `max` of them. The same for the same
/// arguments; total.
pub fn mutate(bytes: &[u8], max: usize, seed: u32) -> Vec<u8> {
    let mut case = Case::decode(bytes);
    change(&mut case, &mut draws(seed), |_| true);
    written(&mut case, max)
}

/// Bytes of a case that begins as `first` and ends as `second`, at most `max` of them: spliced
/// between two acts, in the world of the first. The same for the same arguments; total.
pub fn crossover(first: &[u8], second: &[u8], max: usize, seed: u32) -> Vec<u8> {
    let mut draws = draws(seed);
    let mut case = Case::decode(first);
    let other = Case::decode(second);
    spliced(&mut case.acts, &other.acts, &mut draws);
    if draws.below(2) == 0 {
        case.load_limit = other.load_limit;
    }
    written(&mut case, max)
}

/// Puts a stretch of `other`, up to its end as often as not, after some of `acts` or between them.
pub(crate) fn spliced(acts: &mut Vec<Act>, other: &[Act], draws: &mut Draws) {
    let at = draws.below(acts.len() as u64 + 1) as usize;
    let from = draws.below(other.len() as u64 + 1) as usize;
    let tail = acts.split_off(at);
    if draws.below(2) == 0 {
        acts.extend(&other[from..]);
    } else {
        let until = from + draws.below((other.len() - from) as u64 + 1) as usize;
        acts.extend(&other[from..until]);
        acts.extend(tail);
    }
    acts.truncate(MAX_ACTS);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(number: u64) -> Case {
        Case::draw(&mut Seed::new(5).child("mutate tests", number).rng(), 20)
    }

    #[test]
    fn every_mutation_leaves_a_case_that_can_be_written_and_most_change_it() {
        for (at, (_, apply)) in MUTATIONS.iter().enumerate() {
            let mut changed = 0;
            for number in 0..400 {
                let before = drawn(number);
                let mut case = before.clone();
                apply(&mut case, &mut draws(number as u32));
                // Numbers that no byte can say come down to the nearest that can.
                let after = Case::decode(&case.encode());
                assert_eq!(Case::decode(&after.encode()), after, "number {at}");
                changed += usize::from(after != before);
            }
            assert!(changed > 100, "number {at} changed {changed} of 400");
        }
    }

    #[test]
    fn a_mutation_changes_what_it_says() {
        for (at, (of, apply)) in MUTATIONS.iter().enumerate() {
            for number in 0..100 {
                let before = drawn(number);
                let mut case = before.clone();
                apply(&mut case, &mut draws(number as u32));
                let kept = |part| {
                    part == *of
                        || match part {
                            Part::Acts => case.acts == before.acts,
                            Part::Load => case.load_limit == before.load_limit,
                            Part::World => {
                                (&case.area, case.policy) == (&before.area, before.policy)
                            }
                        }
                };
                assert!(kept(Part::Acts) && kept(Part::Load) && kept(Part::World), "number {at}");
            }
        }
    }

    #[test]
    fn bytes_mutate_to_bytes_of_a_case_within_the_limit_and_always_the_same() {
        for number in 0..2000 {
            let bytes = drawn(number).encode();
            let max = number as usize % 300;
            let mutated = mutate(&bytes, max, number as u32);
            assert!(mutated.len() <= max);
            assert_eq!(mutated, mutate(&bytes, max, number as u32));
            let other = drawn(number + 1).encode();
            let crossed = crossover(&bytes, &other, max, number as u32);
            assert!(crossed.len() <= max);
            assert_eq!(crossed, crossover(&bytes, &other, max, number as u32));
            for bytes in [mutated, crossed] {
                let case = Case::decode(&bytes);
                assert_eq!(Case::decode(&case.encode()), case);
            }
        }
        let different = (0..100).filter(|seed| mutate(&[], 99, *seed) != mutate(&[], 99, 100));
        assert!(different.count() > 50, "the seed counts");
        assert_eq!(mutate(&[1, 2, 3], 0, 1), [0; 0]);
    }

    #[test]
    fn a_crossover_has_acts_of_both_in_the_world_of_the_first() {
        let (first, second) = (drawn(1), drawn(2));
        let mut both = 0;
        for seed in 0..100 {
            let bytes = crossover(&first.encode(), &second.encode(), 4096, seed);
            let case = Case::decode(&bytes);
            assert_eq!((&case.area, case.policy), (&first.area, first.policy));
            // What an act of the second means depends on the area it is written for.
            let has = |acts: &[Act]| case.acts.iter().any(|act| acts.contains(act));
            both += u32::from(has(&first.acts) && has(&second.acts));
        }
        assert!(both > 40, "{both} of 100");
    }

    #[test]
    fn the_world_stays_where_it_is_not_allowed_to_change() {
        for number in 0..300 {
            let before = drawn(number);
            let mut case = before.clone();
            change(&mut case, &mut draws(number as u32), |part| part == Part::Acts);
            assert_eq!((&case.area, case.policy), (&before.area, before.policy));
            assert_eq!(case.load_limit, before.load_limit);
        }
    }
}
