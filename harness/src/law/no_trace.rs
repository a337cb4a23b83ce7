//! A refused request leaves no trace.

use super::trial::{Answer, compare, run_without};
use super::{Binds, Build, Check, Law};
use crate::codec::Case;
use crate::oracle::{Violation, name};

pub(super) const LAW: Law = Law {
    name: name::NO_TRACE,
    about: "every later answer is as if a refused request or free had not been asked",
    binds: Binds::EVERYONE,
    check: Check::Case(check),
};

fn check(case: &Case, build: Build<'_>, full: &[Answer]) -> Result<(), Violation> {
    let kept = |at: usize| {
        !matches!(full[at], Answer::Refused { .. } | Answer::Freed { answer: Err(_), .. })
    };
    if (0..full.len()).all(kept) {
        return Ok(());
    }
    let short = run_without(case, build, &kept)?;
    let what = "without what was refused before it";
    compare(name::NO_TRACE, what, full, &short, kept, |pfn| pfn)
}
