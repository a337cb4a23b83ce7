//! Each planted defect passes an easy life, and is convicted by a law by name; the shipped code
//! passes both.

use cma_harness::environment::Quiet;
use cma_harness::law::conformance::{Effort, Report, conform};
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Violation, Witness, name};
use cma_harness::seed::Seed;
use cma_harness::simulate::simulate;
use cma_policies::mutant::{ALL, Mutant, with};
use cma_policies::{Area, Request, builtin};

/// Which law convicts which defect first.
const CONVICTS: &[(Mutant, &str)] = &[
    (Mutant::MaskShort, name::ALIGNED),
    (Mutant::OffsetByOne, name::ALIGNED),
    (Mutant::RoundDown, name::MARKS),
    (Mutant::EndByOne, name::LOWEST),
    (Mutant::ResumeStays, name::LOWEST),
    (Mutant::ResumeSkips, name::LOWEST),
    (Mutant::DoubleGrant, name::MARKS),
    (Mutant::LeakOnBusy, name::MARKS),
    (Mutant::BusyMeansNoMemory, name::MEANING),
    (Mutant::DoubleFree, name::BAD_FREE),
    (Mutant::StaleIndex, name::LOWEST),
    (Mutant::FreeShort, name::TIGHT),
];

/// A hundred random allocs and frees at order 0 in a plain area that they do not fill.
fn easy_life() -> Result<(), Violation> {
    let area = Area::single(0, 1 << 16, 0).expect("an area");
    let spec = builtin::catalog().parse("kernel").expect("the baseline");
    let policy = spec.build(area.clone()).expect("it takes every area");
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

/// The run that every policy has to pass.
fn judged() -> Report {
    let spec = builtin::catalog().parse("kernel").expect("the baseline");
    conform(&|area| spec.build(area), Effort::TEST)
}

#[test]
fn every_mutant_passes_an_easy_life() {
    for mutant in ALL {
        assert_eq!(with(*mutant, easy_life), Ok(()), "{mutant:?}");
    }
}

#[test]
fn every_mutant_is_convicted_by_name() {
    for mutant in ALL {
        let report = with(*mutant, judged);
        let broken = report.broken().map(|broken| broken.violation.law);
        let law = CONVICTS.iter().find(|(other, _)| other == mutant).map(|(_, law)| *law);
        assert!(broken.is_some() && broken == law, "{mutant:?}: {report}");
    }
}

#[test]
fn the_shipped_code_passes_both() {
    assert_eq!(easy_life(), Ok(()));
    let report = judged();
    assert!(report.is_clean(), "{report}");
}
