//! How far an attack is.

use indicatif::ProgressBar;

use crate::cli::bar;

/// A bar on standard error, where one is wanted.
pub(super) struct Progress(ProgressBar);

/// Steps of the bar for each goal.
const STEPS: u64 = 100;

impl Progress {
    pub(super) fn new(goals: usize, wanted: bool) -> Self {
        let style = bar::style("{wide_bar} {percent} %, {eta} left");
        Self(bar::bar(Some(STEPS * goals as u64), style, wanted))
    }

    /// Goal number `goal` is done to this share.
    pub(super) fn at(&self, goal: usize, share: f64) {
        self.0.set_position(STEPS * goal as u64 + (share * STEPS as f64) as u64);
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
