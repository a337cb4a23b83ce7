//! Looks for the worst stream by itself: hill climbing with a little heat over short programs of
//! fills, combs, requests and frees.
//!
//! What seemed to help, seen with a few seeds and never one change at a time:
//! - The score is not the refusal but what is in [`Reach`](crate::harm::Reach): it falls with every step
//!   of a comb, where refusals come all at once.
//! - Programs are written for any area. So a climb begins in a small one, where a try takes
//!   microseconds, and carries its program to an area of twice the size, with twice the LOAD limit.
//! - Many begin, and the better half goes on to the next area: most of what is stuck is stuck early.
//! - A program as good and no longer takes the place of the old one; acts that do nothing are left
//!   out.

mod climb;

use self::climb::Climb;
use crate::codec::Act;
use crate::harm::{Goal, Refusal, evaluate};
use crate::seed::Seed;

/// How hard to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Programs that are tried, over all climbs.
    pub tries: u64,
    /// Climbs that begin, each from nothing.
    pub climbs: u64,
    /// Where the randomness comes from.
    pub seed: u64,
    /// Whether programs have fills and combs; else single requests and frees alone.
    pub folded: bool,
}

/// A program and what it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its acts.
    pub acts: Vec<Act>,
    /// Its LOAD limit in pages.
    pub load_limit: u16,
    /// The refusal it leads to.
    pub refusal: Refusal,
}

/// Climbs that are always left, so that one that is stuck is not all there is.
const KEPT: usize = 2;

/// The worst program found; nothing where no request was ever refused with a page free. The same
/// for the same goal and effort, whatever the number of threads. `beat` gets the share of the
/// tries that are done.
pub fn search(goal: &Goal, effort: Effort, beat: &dyn Fn(f64)) -> Option<Found> {
    let seed = Seed::new(effort.seed).child(&goal.to_string(), 0);
    let ladder = climb::ladder(goal);
    // The last rung is the one that counts.
    let share = effort.tries / (ladder.len() as u64 + 1);
    // None that has no try of its own.
    let climbs = effort.climbs.clamp(1, share.max(1));
    let mut climbs: Vec<_> =
        (0..climbs).map(|number| Climb::new(&ladder[0], &seed.child("climb", number))).collect();
    for (rung, goal) in ladder.iter().enumerate() {
        let is_last = rung + 1 == ladder.len();
        let tries = if is_last { effort.tries - share * rung as u64 } else { share };
        let each_tries = tries / climbs.len() as u64;
        climbs = each(climbs, |climb| climb.carried(goal, effort.folded).tried(each_tries));
        // The first of equals: the order does not depend on who was ready first.
        climbs.sort_by_key(Climb::rank);
        if !is_last {
            climbs.truncate(climbs.len().div_ceil(2).max(KEPT));
        }
        beat((share * rung as u64 + tries) as f64 / effort.tries.max(1) as f64);
    }
    let found = climbs.into_iter().filter_map(Climb::found);
    let found = found.min_by_key(|found| (found.refusal.need, found.acts.len()))?;
    Some(trimmed(goal, found))
}

#[cfg(feature = "cli")]
fn each<'a>(
    climbs: Vec<Climb<'a>>,
    go: impl Fn(Climb<'a>) -> Climb<'a> + Send + Sync,
) -> Vec<Climb<'a>> {
    use rayon::prelude::*;
    climbs.into_par_iter().map(go).collect()
}

#[cfg(not(feature = "cli"))]
fn each<'a>(climbs: Vec<Climb<'a>>, go: impl Fn(Climb<'a>) -> Climb<'a>) -> Vec<Climb<'a>> {
    climbs.into_iter().map(go).collect()
}

/// The same without the acts that it does not need, and with a LOAD limit that is met.
fn trimmed(goal: &Goal, mut found: Found) -> Found {
    let as_bad = |found: &Found| {
        let refusal = evaluate(goal, &found.acts, u64::from(found.load_limit)).refusal;
        refusal.filter(|refusal| refusal.need <= found.refusal.need)
    };
    loop {
        let before = found.clone();
        let mut at = found.acts.len();
        while at > 0 {
            at -= 1;
            let mut less = found.clone();
            less.acts.remove(at);
            if let Some(refusal) = as_bad(&less) {
                found = Found { refusal, ..less };
            }
        }
        let limits = [found.refusal.need, u64::from(found.load_limit).saturating_sub(1)];
        for limit in limits.into_iter().filter(|limit| *limit > 0) {
            let less = Found { load_limit: limit as u16, ..found.clone() };
            if let Some(refusal) = as_bad(&less) {
                found = Found { refusal, ..less };
            }
        }
        if found == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Case;
    use crate::harm::{bounds, confirm, played};
    use cma_policies::builtin;

    fn found(text: &str, tries: u64, folded: bool) -> (Goal, Found) {
        let goal = Goal::parse(text, &builtin::catalog()).unwrap();
        let effort = Effort { tries, climbs: 4, seed: 1, folded };
        let found = search(&goal, effort, &|_| {}).expect("something");
        (goal, found)
    }

    #[test]
    fn it_gets_near_the_bound_of_robson_without_knowing_him() {
        let (goal, found) = found("kernel,256,32", 12_000, true);
        let bound = bounds::adversary(256, 32);
        assert!(10 * found.refusal.need <= 11 * bound, "{} of {bound}", found.refusal.need);
        assert!(found.refusal.need > bounds::first_fit(256, 32));
        let (outcome, stream) = played(&goal, &found.acts, u64::from(found.load_limit));
        assert_eq!(outcome.refusal, Some(found.refusal));
        assert_eq!(confirm(&goal, &stream).unwrap(), Some(found.refusal));
    }

    #[test]
    fn the_same_effort_finds_the_same_and_can_be_written() {
        // Without fills the way to the first refusal is long.
        for (folded, tries) in [(true, 800), (false, 12_000)] {
            let (goal, first) = found("best-fit,64,8", tries, folded);
            assert_eq!(first, found("best-fit,64,8", tries, folded).1);
            let case = goal.case(&builtin::catalog());
            let load_limit = first.load_limit;
            let case = Case { acts: first.acts.clone(), load_limit, ..case };
            assert_eq!(Case::decode(&case.encode()).acts, first.acts);
            let plain = |act: &Act| matches!(act, Act::Alloc { .. } | Act::Free { .. });
            assert!(folded || first.acts.iter().all(plain));
        }
    }

    #[test]
    fn no_act_of_what_is_found_can_be_left_out() {
        let (goal, found) = found("kernel,64,8", 2000, true);
        for at in 0..found.acts.len() {
            let mut acts = found.acts.clone();
            acts.remove(at);
            let refusal = evaluate(&goal, &acts, u64::from(found.load_limit)).refusal;
            assert!(refusal.is_none_or(|refusal| refusal.need > found.refusal.need), "{at}");
        }
    }
}
