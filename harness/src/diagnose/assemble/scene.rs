//! What is known of a text as a whole.

use std::sync::Arc;

use super::counters::Counters;
use crate::diagnose::Options;
use crate::diagnose::era::Text;
use crate::diagnose::outcome::Machine;

/// What the caller and a text say beside calls, areas and failures.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) options: Options,
    pub(super) text: Text,
    /// What the kernel calls itself at first.
    pub(super) release: Option<Arc<str>>,
    pub(super) machine: Machine,
    /// The kernel log begins with the boot.
    pub(super) from_boot: bool,
    pub(super) counters: Counters,
    /// Failure lines that the rate limit hid.
    pub(super) hidden: u64,
    /// Events that a trace lost, and how often it lost some.
    lost: (u64, u64),
    warnings: Vec<String>,
}

impl Scene {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            text: Text::default(),
            release: None,
            machine: Machine::default(),
            from_boot: false,
            counters: Counters::default(),
            hidden: 0,
            lost: (0, 0),
            warnings: Vec::new(),
        }
    }

    /// A trace lost events; how many, where that is stated.
    pub(super) fn lost(&mut self, events: Option<u64>) {
        self.lost.0 = self.lost.0.saturating_add(events.unwrap_or(0));
        self.lost.1 += 1;
    }

    pub(super) fn warn(&mut self, warning: String) {
        const MOST: usize = 64;
        if self.warnings.len() < MOST && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What is strange.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.warnings);
        match self.lost {
            (_, 0) => {}
            (0, times) => warnings.push(format!("a trace lost events {times} times")),
            (events, _) => warnings.push(format!(
                "a trace lost {events} events: what it shows of its areas is not whole"
            )),
        }
        warnings
    }
}
