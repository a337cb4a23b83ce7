//! Pages that are always free to take.

use cma_policies::{Claim, ClaimError, Run};

use super::{Entry, Environment};

pub(super) const ENTRY: Entry = Entry {
    name: "quiet",
    about: "every claim succeeds; pins are not possible",
    params: &[],
    reads_script: false,
    is_model: false,
    build: |_, _| Box::new(Quiet),
};

/// Pages that are always free to take: every claim succeeds. Nothing can be pinned.
#[derive(Clone, Copy, Default, Debug)]
pub struct Quiet;

impl Claim for Quiet {
    fn claim(&mut self, _: Run) -> Result<(), ClaimError> {
        Ok(())
    }
}

impl Environment for Quiet {
    fn pin(&mut self, _: Run) -> bool {
        false
    }

    fn unpin(&mut self, _: Run) -> bool {
        false
    }
}
