//! Refused claims, as each kernel answers them: W1, W5 and W7 of
//! `policies/tests/vectors/walks.rs`.

use cma_harness::environment::{Environment, Pinned};
use cma_harness::kernel::{EBUSY, ENOMEM, Errno, Kernel};
use cma_harness::oracle::{Checks, Outcome, Witness};
use cma_policies::{Area, Claim, ClaimError, Request, Run, builtin};

/// Pages that fail every claim alike, and say which were tried.
struct Failing(ClaimError, Vec<u64>, Vec<u64>);

impl Claim for Failing {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        self.1.push(run.pfn.0);
        Err(self.0)
    }

    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        self.2.push(us);
        Ok(())
    }
}

impl Environment for Failing {
    fn pin(&mut self, _: Run) -> bool {
        false
    }

    fn unpin(&mut self, _: Run) -> bool {
        false
    }
}

fn refuse(kernel: &str, count: u64, failing: &mut Failing) -> Outcome {
    let area = Area::single(0, 1024, 0).unwrap();
    let policy = builtin::catalog()
        .parse(Kernel::find(kernel).unwrap().policy)
        .unwrap()
        .build(area.clone())
        .unwrap();
    let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
    let request = Request::new(count, 8).unwrap();
    let outcome = *witness.alloc(0, request, failing).unwrap();
    assert_eq!(witness.model().free_pages(), 1024);
    outcome
}

fn printed(kernel: &str, outcome: &Outcome) -> Errno {
    Kernel::find(kernel).unwrap().errno(outcome.answer.unwrap_err(), outcome.attempts_in_last_pass)
}

#[test]
fn w1_w5_and_w7_end_as_their_kernels_say() {
    let mut busy = Failing(ClaimError::Busy, vec![], vec![]);
    let outcome = refuse("6.12", 266, &mut busy);
    assert_eq!((busy.1, printed("6.12", &outcome)), (vec![0, 256, 512], EBUSY));

    let mut full = Failing(ClaimError::NoMemory, vec![], vec![]);
    let outcome = refuse("6.12", 266, &mut full);
    assert_eq!((full.1, printed("6.12", &outcome)), (vec![0], ENOMEM));

    let mut busy = Failing(ClaimError::Busy, vec![], vec![]);
    let outcome = refuse("android", 266, &mut busy);
    assert_eq!(busy.1, [0, 256, 512].repeat(6));
    assert_eq!((busy.2, printed("android", &outcome)), (vec![100_000; 5], EBUSY));
}

#[test]
fn a_pinned_page_costs_the_retries_that_the_kernel_counts() {
    // Recorded: a pin at page 100, then 200 pages at align 0 go to page 101 after 101 retries.
    let area = Area::single(0, 1024, 0).unwrap();
    let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
    let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
    let mut pages = Pinned::default();
    assert!(pages.pin(Run::new(100, 1)));
    let outcome = witness.alloc(0, Request::new(200, 0).unwrap(), &mut pages).unwrap();
    assert_eq!((outcome.answer.unwrap().0, outcome.busy), (101, 101));
}
