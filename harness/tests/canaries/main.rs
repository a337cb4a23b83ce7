//! Planted liars: each law convicts its own, by name, and the honest one passes.

mod liar;

use cma_harness::environment::Environment;
use cma_harness::law::LAWS;
use cma_harness::law::conformance::{Effort, conform};
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Violation, Witness, name};
use cma_harness::seed::Seed;
use cma_harness::simulate::simulate;
use cma_policies::{Area, BuildError, Claim, ClaimError, Policy, Request, Run};

use liar::{Lie, liar};

/// Which law convicts which lie.
const CONVICTS: &[(&str, Lie)] = &[
    (name::INSIDE, Lie::TooLong),
    (name::INSIDE, Lie::Outside),
    (name::INSIDE, Lie::OtherArea),
    (name::INSIDE, Lie::SmallerArea),
    (name::TAIL, Lie::GrantsTail),
    (name::COUNTED, Lie::Miscounts),
    (name::DISJOINT, Lie::SamePageTwice),
    (name::ALIGNED, Lie::Misaligned),
    (name::LOWEST, Lie::NotLowest),
    (name::FIRST, Lie::NeitherEnd),
    (name::THOROUGH, Lie::GivesUp),
    (name::TERMINATION, Lie::Loops),
    (name::MARKS, Lie::Unmarked),
    (name::MARKS, Lie::Leaks),
    (name::FREE, Lie::RefusesFree),
    (name::BAD_FREE, Lie::AcceptsBadFree),
    (name::BAD_FREE, Lie::WrongFreeError),
    (name::BAD_FREE, Lie::BadFreeActs),
    (name::PARTIAL_FREE, Lie::RefusesPart),
    (name::REFUSAL, Lie::GrowsOnRefusal),
    (name::NO_TRACE, Lie::RemembersRefusal),
    (name::FREE_RUNS, Lie::ShiftedFreeRuns),
    (name::FREE_RUNS, Lie::ShowsCrumbs),
    (name::TIGHT, Lie::HidesHoles),
    (name::MEANING, Lie::WrongMeaning),
    (name::COMPLETE, Lie::RefusesFit),
    (name::DETERMINISTIC, Lie::Wavers),
    (name::DRAIN, Lie::LosesPage),
    (name::IN_FLIGHT, Lie::OneAtATime),
    (name::TRANSLATION, Lie::LikesPlaces),
    (name::PANIC, Lie::Panics),
];

#[test]
fn each_law_convicts_its_own_liar() {
    for (law, lie) in CONVICTS {
        let report = conform(&liar(*lie), Effort::TEST);
        let broken = report.broken().map(|broken| broken.violation.law);
        assert_eq!(broken, Some(*law), "{lie:?}: {report}");
    }
}

#[test]
fn the_honest_one_passes() {
    let report = conform(&liar(Lie::None), Effort::TEST);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn every_law_has_its_liar() {
    for law in LAWS {
        // No policy can break that one: it judges the kit. The mutants do.
        let judges_the_kit = law.name == name::MODEL;
        let has_liar = CONVICTS.iter().any(|(name, _)| *name == law.name);
        assert!(has_liar != judges_the_kit, "law {}", law.name);
    }
}

#[test]
fn a_policy_that_most_areas_are_too_much_for_is_not_called_clean() {
    let picky = |area: Area| -> Result<Box<dyn Policy>, BuildError> {
        if area.pages() == 4 { liar(Lie::None)(area) } else { Err(BuildError::Policy("no".into())) }
    };
    let report = conform(&picky, Effort::TEST);
    assert_eq!(report.broken().map(|broken| broken.violation.law), Some(name::BUILDS));
}

#[test]
fn what_breaks_a_law_is_shown_as_a_short_stream() {
    let report = conform(&liar(Lie::Leaks), Effort::TEST);
    let broken = report.broken().expect("a leak");
    assert_eq!(broken.case.as_ref().map(|case| case.acts.len()), Some(1));
    let text = report.to_string();
    for part in ["law marks broken at op 0", "alloc 1 pages", "busy", "bytes of the case: "] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

/// Every third claim is busy.
#[derive(Default)]
struct Restless(u64);

impl Claim for Restless {
    fn claim(&mut self, _: Run) -> Result<(), ClaimError> {
        self.0 += 1;
        if self.0.is_multiple_of(3) { Err(ClaimError::Busy) } else { Ok(()) }
    }
}

impl Environment for Restless {
    fn pin(&mut self, _: Run) -> bool {
        false
    }

    fn unpin(&mut self, _: Run) -> bool {
        false
    }
}

/// A stream as a sweep runs it.
fn swept(lie: Lie) -> Result<(), Violation> {
    let area = Area::single(4, 64, 0).expect("an area");
    let policy = liar(lie)(area.clone()).expect("the kernel's policy");
    let mut draws = Seed::new(5).child("sweep", 0).rng();
    let op = |id: u64| {
        let (count, align) = (draws.between(1, 6), draws.below(4) as u32);
        let request = Request::new(count, align).expect("a page, a small order");
        let op = match draws.below(3) {
            0 => Op::Free { id: draws.below(id + 1), part: None },
            _ => Op::Alloc { id, request, dma: false },
        };
        Timed { at_us: id, op }
    };
    let ops: Vec<_> = (0..300).map(op).collect();
    let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
    simulate(ops, &mut witness, &mut Restless::default(), &mut [])
}

#[test]
fn a_violation_names_the_op_of_the_stream() {
    let area = Area::single(4, 64, 0).expect("an area");
    let request = Request::new(1, 0).expect("a page");
    // Frees of what is not live never reach the policy, and count all the same.
    let frees = (0..3).map(|id| Op::Free { id, part: None });
    let ops = frees.chain([Op::Alloc { id: 0, request, dma: false }]);
    let ops = ops.map(|op| Timed { at_us: 0, op });
    let policy = liar(Lie::TooLong)(area.clone()).expect("the kernel's policy");
    let mut witness = Witness::new(&area, policy, Checks::SWEEP);
    let broken = simulate(ops, &mut witness, &mut Restless::default(), &mut []);
    assert_eq!(broken.map_err(|violation| violation.op), Err(3));
}

#[test]
fn the_witness_of_sweeps_convicts_what_it_can_see() {
    assert_eq!(swept(Lie::None), Ok(()));
    for (law, lie) in [
        (name::INSIDE, Lie::TooLong),
        (name::INSIDE, Lie::Outside),
        (name::DISJOINT, Lie::SamePageTwice),
        (name::ALIGNED, Lie::Misaligned),
        (name::TERMINATION, Lie::Loops),
        (name::FREE, Lie::RefusesFree),
        (name::FREE_RUNS, Lie::Leaks),
        (name::FREE_RUNS, Lie::GrowsOnRefusal),
        (name::FREE_RUNS, Lie::ShiftedFreeRuns),
        (name::FREE_RUNS, Lie::HidesHoles),
        (name::FREE_RUNS, Lie::SmallerArea),
        (name::COMPLETE, Lie::RefusesFit),
    ] {
        let broken = swept(lie).err().map(|violation| violation.law);
        assert_eq!(broken, Some(law), "{lie:?}");
    }
}
