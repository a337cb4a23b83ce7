//! What the tests of the policies share.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::area::Area;
use crate::error::{AllocError, ClaimError};
use crate::policy::{Claim, Policy, Quiet};
use crate::request::Request;
use crate::run::Run;

/// The policy `text` on one range, with a page to a bit.
pub(super) fn on(text: &str, base_pfn: u64, pages: u64) -> Box<dyn Policy> {
    with_area(text, Area::single(base_pfn, pages, 0).unwrap())
}

/// The policy `text` on `area`.
pub(super) fn with_area(text: &str, area: Area) -> Box<dyn Policy> {
    super::catalog().parse(text).unwrap().build(area).unwrap()
}

/// Why the policy `text` cannot be built on one range.
pub(super) fn refusal(text: &str, pages: u64) -> String {
    let area = Area::single(0, pages, 0).unwrap();
    super::catalog().parse(text).unwrap().build(area).unwrap_err().to_string()
}

/// A request of client 0.
pub(super) fn request(count: u64, align: u32) -> Request {
    Request::new(count, align).unwrap()
}

/// Grants `count` pages at order `align`, and says where.
pub(super) fn grant(policy: &mut dyn Policy, count: u64, align: u32) -> Option<u64> {
    policy.alloc(request(count, align), &mut Quiet).ok().map(|pfn| pfn.0)
}

/// The pages that a request tries when every claim is busy, in order.
pub(super) fn walk(policy: &mut dyn Policy, request: Request) -> Vec<u64> {
    struct Busy(Vec<u64>);
    impl Claim for Busy {
        fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
            self.0.push(run.pfn.0);
            Err(ClaimError::Busy)
        }
    }
    let mut pages = Busy(Vec::new());
    let error = policy.alloc(request, &mut pages).unwrap_err();
    let is_busy = !pages.0.is_empty();
    assert_eq!(error, if is_busy { AllocError::Busy } else { AllocError::NoMemory });
    pages.0
}

/// Gives back the run of `count` pages at `pfn`.
pub(super) fn free(policy: &mut dyn Policy, pfn: u64, count: u64) {
    policy.free(Run::new(pfn, count)).unwrap();
}

/// The free runs as the kernel lists them, `count@pfn`.
pub(super) fn free_runs(policy: &dyn Policy) -> String {
    let mut runs = Vec::new();
    policy.free_runs(&mut |run| runs.push(run.to_string()));
    runs.join("+")
}
