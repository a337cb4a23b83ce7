//! The pages: whether a place can be emptied.

use cma_policies::{Claim, Run};

/// The pages of an area, as a claim meets them. One file for each kind.
pub trait Environment: Claim {
    /// Time goes on to `at_us` (never back).
    fn advance(&mut self, at_us: u64) {
        let _ = at_us;
    }

    /// Takes the pages of `run` behind the bitmap's back, all or nothing. The caller has made sure
    /// that none of them is granted. `false`: one is pinned already (-16).
    fn pin(&mut self, run: Run) -> bool;

    /// Lets go what was pinned as `run`. `false`: nothing was (-2).
    fn unpin(&mut self, run: Run) -> bool;
}
