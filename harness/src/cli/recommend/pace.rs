//! How long it takes, and what is known meanwhile.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar};

use super::super::bar;
use super::super::context::Context;
use crate::recommend::Watch;

/// A time such as 90s, 10min or 2h.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let units = [("min", 60.0), ("s", 1.0), ("h", 3600.0)];
    let found = units.iter().find_map(|(unit, seconds)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = number * seconds;
        (seconds > 0.0 && seconds <= 1e7).then(|| Duration::from_secs_f64(seconds))
    });
    found.ok_or_else(|| "a time such as 90s, 10min or 2h is allowed".to_string())
}

/// Ends the search in time, and says what it finds.
pub(super) struct Pace<'a> {
    context: &'a Context,
    began: Instant,
    /// None: ops are what ends it.
    most: Option<Duration>,
    /// Ops that it takes, until that was said.
    expected: AtomicU64,
    /// When the first was run, and the ops of that.
    ran: OnceLock<(Duration, u64)>,
    bar: ProgressBar,
}

/// What a whole search comes to, in ops of a time as long as the target, by what searches took: a
/// rough figure, said as one.
const SEARCH: f64 = 150.0;

impl<'a> Pace<'a> {
    pub(super) fn new(context: &'a Context, most: Option<Duration>) -> Self {
        let style = bar::style("{spinner} {elapsed} {human_pos} ops, {per_sec} {msg}");
        let bar = bar::bar(None, style, context.progress);
        Self {
            context,
            began: Instant::now(),
            most,
            expected: AtomicU64::new(0),
            ran: OnceLock::new(),
            bar,
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Pace<'_> {
    fn ran(&self, ops: u64) {
        self.bar.inc(ops);
        // Once, when the pace is known: of what runs, without what was read before.
        let expected = self.expected.load(Ordering::Relaxed);
        let now = self.began.elapsed();
        let first = self.ran.get_or_init(|| (now, self.bar.position()));
        let done = (self.bar.position() - first.1) as f64;
        let elapsed = (now - first.0).as_secs_f64();
        if expected > 0 && elapsed > 3.0 {
            self.expected.store(0, Ordering::Relaxed);
            let left =
                Duration::from_secs_f64((expected as f64 * elapsed / done.max(1.0)).min(1e9));
            let most = match self.most {
                Some(most) if left > most => format!(
                    "; it ends after {} (--time) with what is known then",
                    HumanDuration(most)
                ),
                _ => String::new(),
            };
            self.found(&format!("all of it takes roughly {}{most}", HumanDuration(left)));
        }
    }

    fn expect(&self, ops_of_target: f64) {
        self.expected.store((ops_of_target * SEARCH).min(1e18) as u64, Ordering::Relaxed);
    }

    fn found(&self, what: &str) {
        let line = format!("{:.1} s: {what}", self.began.elapsed().as_secs_f64());
        self.bar.suspend(|| self.context.say(&line));
    }

    fn used(&self) -> f64 {
        self.most.map_or(0.0, |most| self.began.elapsed().as_secs_f64() / most.as_secs_f64())
    }
}
