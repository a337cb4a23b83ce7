//! Failure lines that the rate limit of the kernel hid, and the failures that are seen nevertheless:
//! by their lists, or by a trace.

use std::sync::Arc;

use super::SECOND_US;

/// The most reports of hidden lines that are kept apart: one comes in 5 seconds at most.
const MOST_REPORTS: usize = 4096;

/// The most failures without a line whose time is kept.
const MOST_SEEN: usize = 1 << 16;

/// `N callbacks suppressed`: lines hidden since the report before it.
#[derive(Debug)]
struct Report {
    function: Arc<str>,
    since_us: Option<u64>,
    at_us: Option<u64>,
    lines: u64,
}

/// What was hidden, and what of it is seen.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    reports: Vec<Report>,
    /// When failures without a line happened.
    seen_us: Vec<u64>,
    /// Failures without a line of which that is not known.
    undated: u64,
}

impl Hidden {
    /// The kernel says at `at_us` that it hid so many lines of `function`.
    pub(super) fn suppressed(&mut self, function: Arc<str>, at_us: Option<u64>, lines: u64) {
        let mut own = self.reports.iter().rev().filter(|report| report.function == function);
        let since_us = match own.next() {
            // Another capture of the same report.
            Some(last) if at_us.is_some() && last.at_us >= at_us => return,
            Some(last) => last.at_us,
            None => None,
        };
        let is_full = self.reports.len() == MOST_REPORTS;
        match self.reports.last_mut().filter(|_| is_full) {
            Some(last) => (last.at_us, last.lines) = (at_us, last.lines.saturating_add(lines)),
            None => self.reports.push(Report { function, since_us, at_us, lines }),
        }
    }

    /// A failure is seen of which there is no line.
    pub(super) fn seen(&mut self, time_us: Option<u64>) {
        match time_us {
            Some(time) if self.seen_us.len() < MOST_SEEN => self.seen_us.push(time),
            None => self.undated += 1,
            Some(_) => {}
        }
    }

    /// Lines that were hidden.
    pub(super) fn lines(&self) -> u64 {
        self.reports.iter().fold(0, |sum, report| sum.saturating_add(report.lines))
    }

    /// Lines that were hidden, and of whose failures nothing is seen.
    pub(super) fn unknown(&self) -> u64 {
        let mut seen_us = self.seen_us.clone();
        seen_us.sort_unstable();
        let left = |report: &Report| report.lines.saturating_sub(report.covers(&seen_us));
        self.reports.iter().map(left).fold(0, u64::saturating_add).saturating_sub(self.undated)
    }
}

impl Report {
    /// How many of these times, which ascend, are between the report before it and this one; the
    /// clock of a trace may differ a little.
    fn covers(&self, seen_us: &[u64]) -> u64 {
        let Some(at) = self.at_us else { return seen_us.len() as u64 };
        let since = self.since_us.unwrap_or(0).saturating_sub(SECOND_US);
        let until = at.saturating_add(SECOND_US);
        let before = |limit: u64| seen_us.partition_point(|time| *time < limit) as u64;
        before(until.saturating_add(1)) - before(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(reports: &[(Option<u64>, u64)], seen: &[u64]) -> Hidden {
        let mut hidden = Hidden::default();
        for (seconds, lines) in reports {
            let at = seconds.map(|seconds| seconds * SECOND_US);
            hidden.suppressed("cma_alloc".into(), at, *lines);
        }
        seen.iter().for_each(|seconds| hidden.seen(Some(seconds * SECOND_US)));
        hidden
    }

    #[test]
    fn what_is_seen_is_not_unknown() {
        let all = hidden(&[(Some(20), 3), (Some(40), 2)], &[15, 16, 17, 30]);
        assert_eq!((all.lines(), all.unknown()), (5, 1));
        assert_eq!(hidden(&[(Some(20), 3)], &[]).unknown(), 3);
    }

    #[test]
    fn what_is_seen_later_is_of_other_failures() {
        assert_eq!(hidden(&[(Some(20), 3)], &[60, 61, 62, 63]).unknown(), 3);
        assert_eq!(hidden(&[(Some(20), 3), (Some(40), 2)], &[5, 6, 7, 8, 9]).unknown(), 2);
    }

    #[test]
    fn a_second_capture_hides_nothing_more() {
        assert_eq!(hidden(&[(Some(20), 3), (Some(40), 2), (Some(20), 3)], &[]).lines(), 5);
        assert_eq!(hidden(&[(None, 3), (None, 3)], &[]).lines(), 6);
    }

    #[test]
    fn without_a_time_each_counts() {
        let mut hidden = hidden(&[(None, 3)], &[]);
        hidden.seen(None);
        assert_eq!(hidden.unknown(), 2);
    }
}
