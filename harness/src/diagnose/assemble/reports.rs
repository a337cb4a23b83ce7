//! What a text reports: failures to which more may belong, and what is still to be joined to them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::aside::Aside;
use super::driver::Near;
use super::held::Dumps;
use super::lists::Pairing;
use super::seen::{Kind, Seen};
use super::window::{Id, Open, Window};
use super::{Incident, Reported};
use crate::ingest::log::Task;
use crate::timeline::Place;

/// Failures as they are reported.
///
/// What is kept is bounded: the last failures, and the lines just before that name none.
#[derive(Default, Debug)]
pub(super) struct Reports {
    /// The source that is read.
    pub(super) source: Arc<str>,
    /// Where the record is that is looked at.
    pub(super) at: Place,
    /// What the kernel calls itself by now.
    pub(super) release: Option<Arc<str>>,
    pub(super) window: Window,
    pub(super) seen: Seen,
    pub(super) lists: Pairing,
    pub(super) near: Near,
    pub(super) aside: Aside,
    /// The failure that was reported last, and where.
    pub(super) last_failed: Option<(Id, Place)>,
    /// The task of the trace event that was read last.
    pub(super) last_task: Option<Task>,
    pub(super) dumps: Dumps,
    /// Bytes of a page, as known by now; 0 where they are not.
    pub(super) page_bytes: u64,
    /// Those to which nothing more can belong.
    pub(super) ready: VecDeque<Arc<Incident>>,
}

impl Reports {
    /// What follows is in this source.
    pub(super) fn source(&mut self, name: &str) {
        self.forget_near();
        self.source = Arc::from(name);
        self.at.source = self.at.source.saturating_add(1);
    }

    /// Nothing that follows is of the lines just before.
    pub(super) fn forget_near(&mut self) {
        self.flush_claims();
        self.lists.clear();
        self.near = Near::default();
        self.last_failed = None;
    }

    /// The source that was read has so many lines.
    pub(super) fn ends(&mut self, lines: u64) {
        self.flush_claims();
        self.aside.ends(self.at.source, lines);
    }

    /// A new failure, of which no more is known than where it is reported.
    pub(super) fn begin(&self, reported: Reported, task: Option<Task>) -> Open {
        let incident = Incident {
            line: self.at.line,
            time_us: self.at.time_us,
            ..Incident::new(Arc::clone(&self.source), reported)
        };
        let release = self.release.clone();
        Open { incident, last: self.at, task, release, ..Open::default() }
    }

    /// Whether a failure that is open was reported in this way before, at this moment; it is counted
    /// there.
    pub(super) fn is_told_again(&mut self, kind: Kind, count: u64) -> bool {
        let Some(id) = self.seen.find(kind, self.at, count) else { return false };
        if let Some(open) = self.window.get_mut(id) {
            open.incident.duplicates += 1;
        }
        true
    }
}
