//! Progress on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done within this time needs no bar.
pub(super) const QUICK: Duration = Duration::from_secs(1);

/// The look that a template of indicatif describes.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well formed")
}

/// A bar of `length` steps, where that is known; hidden unless `shown`.
pub(super) fn bar(length: Option<u64>, style: ProgressStyle, shown: bool) -> ProgressBar {
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(length, target).with_style(style)
}
