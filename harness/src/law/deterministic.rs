//! The same calls get the same answers.

use super::trial::{Answer, Mode, compare, run};
use super::{Binds, Build, Check, Law};
use crate::codec::Case;
use crate::oracle::{Violation, name};

pub(super) const LAW: Law = Law {
    name: name::DETERMINISTIC,
    about: "two policies that were built alike and asked alike answer alike",
    binds: Binds::EVERYONE,
    check: Check::Case(check),
};

fn check(case: &Case, build: Build<'_>, first: &[Answer]) -> Result<(), Violation> {
    let second = run(case, build, Mode::Answers)?;
    compare(name::DETERMINISTIC, "asked a second time", first, &second, |_| true, |pfn| pfn)
}
