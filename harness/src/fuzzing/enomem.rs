//! ENOMEM with as much free memory as possible: a target that looks for harm, not for bugs alone.

use std::path::Path;
use std::sync::Mutex;

use cma_policies::{Catalog, builtin};

use super::Target;
use crate::cause::Cause;
use crate::codec::{Act, Case, HEADER};
use crate::harm::archive::Archive;
use crate::harm::{Align, Goal, Outcome, Refusal, bounds, evaluate, realised};

pub(super) const TARGET: Target = Target::passes("enomem", run);

/// The most acts of a case: more make an input slower, not worse.
const ACTS: usize = 256;

/// Where the target aims, and where it keeps what it finds.
#[derive(Debug)]
pub struct Enomem {
    catalog: Catalog,
    goal: Option<Goal>,
    archive: Option<Mutex<Archive>>,
}

/// What an input came to, in small numbers: each new one is worth keeping the input for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Harm in 256ths.
    pub harm: usize,
    /// What a fill would make of it, in 256ths.
    pub in_reach: usize,
    /// log2 of the longest usable run at the refusal, rounded down, and 1; 0 for none.
    pub usable_log2: usize,
    /// Number of the cause and 1; 0 without a refusal.
    pub cause: usize,
}

impl Default for Enomem {
    /// Every case by itself: its own policy, area and n. Nothing is kept.
    fn default() -> Self {
        Self { catalog: builtin::catalog(), goal: None, archive: None }
    }
}

impl Enomem {
    /// Aims at `goal`, or at what each case says; keeps champions in `folder`, where one is given.
    ///
    /// # Errors
    /// What is wrong with the text of the goal.
    pub fn aim(goal: Option<&str>, folder: Option<&Path>) -> Result<Self, String> {
        let catalog = builtin::catalog();
        let goal = goal.map(|text| Goal::parse(text, &catalog)).transpose()?;
        let archive = folder.map(|folder| Mutex::new(Archive::new(folder, catalog.clone())));
        Ok(Self { catalog, goal, archive })
    }

    /// `bytes` in the world of the goal, so that counts mean the same to whoever changes them.
    pub fn framed(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(goal) = &self.goal else { return bytes.to_vec() };
        let mut framed = goal.case(&self.catalog).encode();
        // The LOAD limit and the spare bytes are the input's own.
        let own = bytes.iter().copied().chain(std::iter::repeat(0)).skip(HEADER - 4);
        for (byte, own) in framed[HEADER - 4..].iter_mut().zip(own) {
            *byte = own;
        }
        framed.extend(bytes.get(HEADER..).unwrap_or(&[]));
        framed
    }

    /// Runs the case that `bytes` are against the policy, and keeps it where it is the worst so
    /// far.
    ///
    /// # Panics
    /// If a law of harm is broken: a policy that promises to be complete refuses although a fit is
    /// free, or first fit refuses below its guarantee.
    pub fn run(&self, bytes: &[u8]) -> Reached {
        let mut case = Case::decode(&self.framed(bytes));
        case.acts.truncate(ACTS);
        let own = match &self.goal {
            Some(_) => None,
            None => Goal::of(&case, &self.catalog),
        };
        let Some(goal) = self.goal.as_ref().or(own.as_ref()) else { return Reached::default() };
        let limit = case.most_live();
        let mut outcome = evaluate(goal, &case.acts, limit);
        let mut acts = case.acts;
        if let Some((better, refusal)) = realised(goal, &acts, limit, &outcome) {
            (acts, outcome.refusal) = (better, Some(refusal));
        }
        if let Some(refusal) = &outcome.refusal {
            judge(goal, refusal, &acts);
            self.keep(goal, &acts, case.load_limit, refusal);
        }
        reached(goal, &outcome)
    }

    /// Keeps a champion; of the many goals that cases have by themselves only the round ones.
    fn keep(&self, goal: &Goal, acts: &[Act], load_limit: u16, refusal: &Refusal) {
        let is_plain = !goal.policy.to_string().contains(':') && goal.align == Align::None;
        let is_round = goal.pages.is_power_of_two() && is_plain;
        let Some(archive) = self.archive.as_ref().filter(|_| self.goal.is_some() || is_round)
        else {
            return;
        };
        if let Ok(mut archive) = archive.lock() {
            let kept = archive.offer(goal, acts, load_limit, refusal);
            assert!(kept.is_ok(), "the champions cannot be written: {kept:?}");
        }
    }
}

/// The laws of harm.
fn judge(goal: &Goal, refusal: &Refusal, acts: &[Act]) {
    let Ok(policy) = goal.policy.build(goal.area()) else { return };
    let promises = policy.promises();
    assert!(
        !(promises.complete && promises.tight && refusal.cause == Cause::Policy),
        "{goal} refused although a fit is free: {refusal:?}\n{acts:?}"
    );
    let guaranteed = bounds::guaranteed(goal, promises).unwrap_or(0);
    assert!(
        refusal.need > guaranteed,
        "{goal} refused below the guarantee of {guaranteed} pages: {refusal:?}\n{acts:?}"
    );
}

fn reached(goal: &Goal, outcome: &Outcome) -> Reached {
    let rung = |need: u64| (goal.harm(need) * 256.0) as usize;
    let mut reached = Reached { in_reach: rung(outcome.least(goal)), ..Reached::default() };
    if let Some(refusal) = &outcome.refusal {
        reached.harm = rung(refusal.need);
        reached.usable_log2 = refusal.usable.checked_ilog2().map_or(0, |log2| log2 as usize + 1);
        let number = Cause::ALL.iter().position(|cause| *cause == refusal.cause);
        reached.cause = number.map_or(0, |number| number + 1);
    }
    reached
}

/// Every case by itself.
///
/// # Panics
/// As [`Enomem::run`].
pub fn run(bytes: &[u8]) {
    Enomem::default().run(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::mutate;
    use cma_policies::Request;

    fn comb(pages: u64) -> Vec<u8> {
        let fill = |count| Act::Fill { request: Request::new(count, 0).unwrap(), times: u16::MAX };
        let half = Act::FreeEvery { stride: 2, phase: 0, class: None };
        let area = cma_policies::Area::single(0, pages, 0).unwrap();
        let case = Case::new(area, vec![fill(1), half, fill(2)]);
        Case { load_limit: (pages * 3 / 4) as u16, ..case }.encode()
    }

    #[test]
    fn harm_is_what_is_reached_by_the_case_itself_and_by_a_goal() {
        // 16 pages, n = 2: M = 12. The goal's area is the one that counts.
        let reached = Enomem::default().run(&comb(16));
        let cause = 1 + Cause::ALL.iter().position(|c| *c == Cause::Fragmentation).unwrap();
        assert_eq!(reached, Reached { harm: 64, in_reach: 64, usable_log2: 1, cause });
        let enomem = Enomem::aim(Some("best-fit,16,2"), None).unwrap();
        assert_eq!(enomem.run(&comb(16)).harm, 64);
        // Twelve pages live of 64, and no fill of two makes it worse than that.
        let enomem = Enomem::aim(Some("kernel,64,2"), None).unwrap();
        assert_eq!(enomem.run(&comb(16)).harm, 0);
        assert!(Enomem::aim(Some("nobody,64,2"), None).is_err());
        // Without acts there is what any area refuses: more than it has.
        assert_eq!(Enomem::default().run(&[]).harm, 0);
    }

    #[test]
    fn what_a_goal_frames_stays_framed_under_mutation() {
        let enomem = Enomem::aim(Some("buddy,256,32"), None).unwrap();
        let bytes = mutate::mutate(&enomem.framed(&comb(16)), 4096, 7);
        let case = Case::decode(&enomem.framed(&bytes));
        assert_eq!(case.area.pages(), 256);
        assert_eq!(case.policy.spec(&builtin::catalog()).to_string(), "buddy");
        assert_eq!(enomem.framed(&enomem.framed(&bytes)), enomem.framed(&bytes));
        let crossed = mutate::crossover(&enomem.framed(&bytes), &enomem.framed(&comb(16)), 4096, 7);
        assert_eq!(Case::decode(&crossed).area.pages(), 256);
    }

    #[test]
    fn a_champion_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let enomem = Enomem::aim(Some("kernel,16,2"), Some(folder.path())).unwrap();
        enomem.run(&comb(16));
        let archive = Archive::new(folder.path(), builtin::catalog());
        assert_eq!(archive.all().unwrap()[0].refusal.need, 12);
        enomem.run(&[]);
        assert_eq!(archive.all().unwrap()[0].refusal.need, 12);
    }

    #[test]
    #[should_panic(expected = "below the guarantee")]
    fn a_refusal_below_the_guarantee_is_a_discovery() {
        let goal = Goal::parse("kernel,64,8", &builtin::catalog()).unwrap();
        let refusal = Refusal {
            need: 16,
            count: 8,
            op: 3,
            free: 56,
            longest: 7,
            usable: 7,
            cause: Cause::Fragmentation,
        };
        judge(&goal, &refusal, &[]);
    }
}
