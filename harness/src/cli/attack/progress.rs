//! How far an attack is.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, where one is wanted.
pub(super) struct Progress(Option<ProgressBar>);

/// Steps of the bar for each goal.
const STEPS: u64 = 100;

impl Progress {
    pub(super) fn new(goals: usize, wanted: bool) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {percent} %, {eta} left")
            .expect("the template is well formed");
        let steps = Some(STEPS * goals as u64);
        let bar = || ProgressBar::with_draw_target(steps, ProgressDrawTarget::stderr());
        Self(wanted.then(|| bar().with_style(style)))
    }

    /// Goal number `goal` is done to this share.
    pub(super) fn at(&self, goal: usize, share: f64) {
        if let Some(bar) = &self.0 {
            bar.set_position(STEPS * goal as u64 + (share * STEPS as f64) as u64);
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
