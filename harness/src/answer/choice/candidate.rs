//! Judging one board, cap and policy over its rows.

use cma_policies::Area;

use super::needs::{changes, needs};
use super::{Candidate, proof};
use crate::answer::summary::{Summary, SummaryRow, share};
use crate::board::Board;
use crate::diagnose::SizeBy;
use crate::stats::Interval;
use crate::sweep::Ready;

/// What an area is called that nobody has named.
const UNNAMED: &str = "cma";

/// Rows of the summary, by number, that are of one candidate.
pub(super) struct Rows<'a> {
    pub(super) ready: &'a Ready,
    pub(super) summary: &'a Summary,
    /// Never empty.
    pub(super) rows: Vec<usize>,
}

impl Rows<'_> {
    fn each(&self) -> impl Iterator<Item = &SummaryRow> {
        self.rows.iter().map(|&index| &self.summary.rows[index])
    }

    /// The largest measured LOAD as a share of its area, and in pages: of several areas of that which
    /// is filled most.
    fn fullest(&self, board: &Board) -> Option<(f64, f64)> {
        let most = |row: &SummaryRow| match board.areas.len() {
            1 => Some((row.load_max_pages?, board.pages())),
            _ => row.fullest_most(board),
        };
        let shares =
            self.each().filter_map(most).map(|(load, of)| (load as f64 / of as f64, load as f64));
        shares.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The areas that every board of the plan has.
    fn least_areas(&self) -> usize {
        self.ready.plan.boards.iter().map(|board| board.areas.len()).min().unwrap_or(1)
    }

    /// The name of the one area of `board`, where it is a pool: by the plan, or by the files of all
    /// its streams, where these are of one area, and the plan has no other name for it.
    fn pool(&self, board: &Board) -> Option<&str> {
        let [one] = &board.areas[..] else { return None };
        let stated = |row: &SummaryRow| self.ready.checked[row.at.stream].area.as_ref();
        let mut names = self.each().map(|row| stated(row).map(Area::name));
        let name = names.next().flatten()?;
        let is_its = one.area.name() == UNNAMED || one.area.name() == name;
        let is_pool = name != UNNAMED && SizeBy::of(Some(name)) == SizeBy::Node;
        (is_its && is_pool && names.all(|other| other == Some(name))).then_some(name)
    }

    /// The row that is worst: the largest share of failing streams, of equals the earliest failure,
    /// of equals the fewest streams, then the first.
    fn worst(&self) -> usize {
        let rows = self.rows.iter().copied();
        if let Some(target) = self.ready.plan.target {
            // What bears least witness; of what was left out there is none at all.
            let p = |&index: &usize| {
                let row = &self.summary.rows[index];
                let seen = row.streams > 0;
                (seen, proof::p(self.ready, target, std::iter::once(row)).unwrap_or(0.0))
            };
            let least = |a: &usize, b: &usize| {
                let ((seen, p), (other_seen, other_p)) = (p(a), p(b));
                seen.cmp(&other_seen).then(p.total_cmp(&other_p))
            };
            // The first of equals.
            return rows.rev().max_by(least).unwrap_or(0);
        }
        let worse = |&a: &usize, &b: &usize| {
            let (one, other) = (&self.summary.rows[a], &self.summary.rows[b]);
            let share = |row: &SummaryRow| row.lost as f64 / row.streams.max(1) as f64;
            let earliest =
                |row: &SummaryRow| row.earliest.map_or(u64::MAX, |earliest| earliest.requests);
            share(other)
                .total_cmp(&share(one))
                .then_with(|| earliest(one).cmp(&earliest(other)))
                .then_with(|| one.streams.cmp(&other.streams))
        };
        rows.min_by(worse).unwrap_or(0)
    }

    /// What they say together.
    pub(super) fn judge(&self, smallest_pages: u64) -> Candidate {
        let worst_row = self.worst();
        let worst = &self.summary.rows[worst_row];
        let board = self.ready.board(&worst.at);
        let (cap, pages) = (self.ready.plan.caps[worst.at.cap], board.pages());
        let policy = &self.ready.plan.policies[worst.policy];
        // Where none fails the upper end holds for all rows by itself: it is missed only where that
        // of the row that really is worst is.
        let rows = if worst.lost == 0 { 1 } else { self.rows.len() };
        let interval = interval(worst, rows);
        let planned = self.each().filter_map(|row| self.ready.plan.load(&row.at));
        let planned = planned.map(|load| load.share_of(pages)).max_by(f64::total_cmp);
        let measured = self.fullest(&board);
        let planned = planned.map(|rho| (rho, rho * pages as f64));
        let (rho, live_pages) = measured.or(planned).unzip();
        Candidate {
            board: worst.at.board,
            cap: worst.at.cap,
            policy: worst.policy,
            pages,
            pages_above_smallest: pages - smallest_pages.min(pages),
            meets: self.each().all(|row| row.lost == 0 && row.streams > 0),
            p: self.ready.plan.target.and_then(|target| proof::p(self.ready, target, self.each())),
            dropped: self.each().any(|row| row.dropped),
            ages: false,
            larger_fails: false,
            streams: worst.streams,
            failed: worst.lost,
            interval,
            worst_row,
            rows: self.rows.len(),
            // A stream that comes nowhere near its LOAD says nothing of that LOAD.
            rho,
            live_pages,
            structural: self.each().map(|row| row.structural).sum(),
            unaligned: !self.ready.aligned[worst.policy],
            flagged: self.each().any(|row| !row.worse_classes.is_empty()),
            changes: changes(&board, self.least_areas(), cap, policy),
            needs: needs(&board, self.pool(&board), self.ready.plan.page, (cap, policy)),
        }
    }
}

/// The interval of the worst of so many rows: it holds for all of them together.
pub(super) fn interval(worst: &SummaryRow, rows: usize) -> Interval {
    share(worst.lost, worst.streams, worst.stopped, rows)
}
