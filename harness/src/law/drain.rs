//! With everything given back, everything is free.

use cma_policies::Run;

use super::scene::list;
use super::trial::{Answer, Mode, Trial, coalesced};
use super::{Binds, Build, Check, Law};
use crate::codec::Case;
use crate::oracle::{Violation, name};

pub(super) const LAW: Law = Law {
    name: name::DRAIN,
    about: "when all that is live was given back, every page that was free at first is free",
    binds: Binds::EVERYONE,
    check: Check::Case(check),
};

fn check(case: &Case, build: Build<'_>, _: &[Answer]) -> Result<(), Violation> {
    let Ok(mut trial) = Trial::new(case, build, Mode::Answers) else { return Ok(()) };
    let first = coalesced(&trial.free_runs());
    for act in &case.acts {
        trial.act(act)?;
    }
    trial.drain()?;
    let last: Vec<Run> = coalesced(&trial.free_runs());
    if first == last {
        return Ok(());
    }
    let what = format!("free at first were {}, in the end {}", list(&first), list(&last));
    Err(Violation { law: name::DRAIN, op: case.acts.len() as u64, what })
}
