//! Several requests under way at once keep every law.

use super::trial::{Answer, Mode, run};
use super::{Binds, Build, Check, Law};
use crate::codec::Case;
use crate::oracle::{Violation, name};

pub(super) const LAW: Law = Law {
    name: name::IN_FLIGHT,
    about: "with several requests under way, settled in any order, every law holds as well",
    binds: Binds::EVERYONE,
    check: Check::Case(check),
};

fn check(case: &Case, build: Build<'_>, _: &[Answer]) -> Result<(), Violation> {
    let broken = |inner: Violation| Violation {
        law: name::IN_FLIGHT,
        op: inner.op,
        what: format!("{}: {}", inner.law, inner.what),
    };
    run(case, build, Mode::Overlapped).map(drop).map_err(broken)
}
