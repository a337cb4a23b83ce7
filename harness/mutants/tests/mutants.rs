//! Each planted defect passes an easy life, and is convicted by a law by name; the shipped code
//! passes both.

use cma_harness::environment::Quiet;
use cma_harness::law::conformance::{Effort, Report, conform};
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Violation, Witness, name};
use cma_harness::seed::Seed;
use cma_harness::simulate::simulate;
use cma_policies::mutant::{ALL, Mutant, with};
use cma_policies::{Area, Request, Spec, builtin};

/// A defect, the policy that it lives in, which law convicts it first, on how many random cases,
/// and the pages of the area of its easy life.
struct Conviction {
    mutant: Mutant,
    policy: &'static str,
    law: &'static str,
    cases: u64,
    pages: u64,
}

const fn of(mutant: Mutant, policy: &'static str, law: &'static str) -> Conviction {
    Conviction { mutant, policy, law, cases: Effort::TEST.cases, pages: 1 << 16 }
}

/// Most are convicted by what every policy has to pass.
const CONVICTS: &[Conviction] = &[
    of(Mutant::MaskShort, "kernel", name::ALIGNED),
    of(Mutant::OffsetByOne, "kernel", name::ALIGNED),
    of(Mutant::RoundDown, "kernel", name::MARKS),
    of(Mutant::EndByOne, "kernel", name::LOWEST),
    of(Mutant::ResumeStays, "kernel", name::LOWEST),
    of(Mutant::ResumeSkips, "kernel", name::LOWEST),
    of(Mutant::DoubleGrant, "kernel", name::MARKS),
    of(Mutant::LeakOnBusy, "kernel", name::MARKS),
    of(Mutant::BusyMeansNoMemory, "kernel", name::MEANING),
    of(Mutant::DoubleFree, "kernel", name::BAD_FREE),
    of(Mutant::StaleIndex, "kernel", name::MODEL),
    of(Mutant::FreeShort, "kernel", name::TIGHT),
    of(Mutant::StaleWord, "kernel", name::MODEL),
    of(Mutant::ForgetsStart, "kernel", name::MODEL),
    of(Mutant::LastBit, "best-fit", name::MODEL),
    of(Mutant::LowBound, "kernel", name::MODEL),
    of(Mutant::ResumeSkipsDown, "two-ended", name::THOROUGH),
    of(Mutant::TieHigh, "best-fit", name::IN_FLIGHT),
    of(Mutant::ZoneBorder, "zoned:mode=on-demand,share=0.5,order=2", name::PANIC),
    of(Mutant::TrimLive, "buddy:max_order=2,extend=true", name::MARKS),
    of(Mutant::MissedBuddy, "buddy", name::REFUSAL),
    of(Mutant::RoverWraps, "next-fit", name::FIRST),
    of(Mutant::LostTail, "kernel", name::FREE),
    of(Mutant::SpillAgain, "size-class:low=1,step=1", name::TERMINATION),
    of(Mutant::RangeBase, "kernel", name::ALIGNED),
    of(Mutant::PauseForgets, "kernel:row=android", name::IN_FLIGHT),
    of(Mutant::BorderCrossed, "kernel", name::BAD_FREE),
    of(Mutant::BorderJoined, "kernel", name::MARKS),
    of(Mutant::RangesAscend, "kernel", name::LOWEST),
    of(Mutant::ResumesInFirst, "kernel", name::LOWEST),
    of(Mutant::OnWithoutMemory, "kernel", name::LOWEST),
    of(Mutant::TailGranted, "kernel", name::FREE_RUNS),
    of(Mutant::CounterLeak, "kernel:row=6.15", name::LOWEST),
    of(Mutant::PartShort, "kernel", name::TIGHT),
];

fn spec(policy: &str) -> Spec {
    builtin::catalog().parse(policy).expect("a built-in policy")
}

/// A hundred random allocs and frees at order 0 in a plain area that they do not fill, by a policy
/// as it comes.
fn easy_life(policy: &str, pages: u64) -> Result<(), Violation> {
    let area = Area::single(0, pages, 0).expect("an area");
    let policy = policy.split(':').next().expect("a name");
    let policy = spec(policy).build(area.clone()).expect("it takes a plain area");
    let mut draws = Seed::new(9).child("easy life", 0).rng();
    let op = |id: u64| {
        let op = if draws.below(3) == 0 {
            Op::Free { id: draws.below(id + 1), part: None }
        } else {
            let request = Request::new(draws.between(1, 300), 0).expect("a page, order 0");
            Op::Alloc { id, request, dma: false }
        };
        Timed { at_us: id, op }
    };
    let ops: Vec<_> = (0..100).map(op).collect();
    let mut witness = Witness::new(&area, policy, Checks::SWEEP);
    simulate(ops, &mut witness, &mut Quiet, &mut [])
}

/// The run that every policy has to pass, and more of it.
fn judged(policy: &str, cases: u64) -> Report {
    let spec = spec(policy);
    conform(&|area| spec.build(area), Effort { cases, ..Effort::TEST })
}

#[test]
fn every_mutant_has_a_law() {
    let convicted: Vec<_> = CONVICTS.iter().map(|conviction| conviction.mutant).collect();
    assert_eq!(convicted, ALL);
}

#[test]
fn every_mutant_passes_an_easy_life() {
    for Conviction { mutant, policy, pages, .. } in CONVICTS {
        assert_eq!(with(*mutant, || easy_life(policy, *pages)), Ok(()), "{mutant:?}");
    }
}

#[test]
fn every_mutant_is_convicted_by_name() {
    let acquitted: Vec<_> = CONVICTS
        .iter()
        .filter_map(|Conviction { mutant, policy, law, cases, .. }| {
            let report = with(*mutant, || judged(policy, *cases));
            let broken = report.broken().map(|broken| broken.violation.law);
            (broken != Some(*law)).then(|| format!("{mutant:?} by {law}: {report}"))
        })
        .collect();
    assert!(acquitted.is_empty(), "{}", acquitted.join("\n"));
}

#[test]
fn the_shipped_code_passes_both() {
    for Conviction { policy, cases, pages, .. } in CONVICTS {
        assert_eq!(easy_life(policy, *pages), Ok(()), "{policy}");
        let report = judged(policy, *cases);
        assert!(report.is_clean(), "{policy}: {report}");
    }
}
