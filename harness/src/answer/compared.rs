//! The policies of one stream and LOAD beside each other.

use super::summary::{BLAME, Summary, SummaryRow};
use crate::sweep::{Configuration, Ready};

/// The rows of one stream and LOAD on one board and its pages: caps, and in each all policies.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The sweep.
    pub ready: &'a Ready,
    baseline: Option<usize>,
    /// The rows, in the order of the summary.
    pub rows: &'a [SummaryRow],
}

impl<'a> Compared<'a> {
    /// All of a summary.
    pub fn all(ready: &'a Ready, summary: &'a Summary) -> impl Iterator<Item = Self> {
        let place = |row: &SummaryRow| Configuration { cap: 0, ..row.at };
        let baseline = summary.baseline;
        let blocks = summary.rows.chunk_by(move |a, b| place(a) == place(b));
        blocks.map(move |rows| Self { ready, baseline, rows })
    }

    /// The rows of a cap, policies in the order of the plan.
    pub fn of_cap(&self, cap: usize) -> &'a [SummaryRow] {
        let policies = self.ready.plan.policies.len();
        &self.rows[cap * policies..(cap + 1) * policies]
    }

    /// The policy that others are compared with.
    pub fn baseline(&self, cap: usize) -> Option<&'a SummaryRow> {
        self.baseline.map(|policy| &self.of_cap(cap)[policy])
    }

    /// The policy that withholds least, the first of equals: less than the baseline, aligned, and
    /// more from no size class.
    pub fn best(&self, cap: usize) -> Option<&'a SummaryRow> {
        let fair = self.of_cap(cap).iter().filter(|row| {
            let change = row.against_baseline.and_then(|difference| difference.mean);
            change.is_some_and(|change| change < 0.0)
                && self.ready.aligned[row.policy]
                && row.worse_classes.is_empty()
        });
        let ranked = fair.filter_map(|row| row.rates[BLAME].mean.map(|mean| (mean, row)));
        ranked.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, row)| row)
    }

    /// Rows whose rate over all sizes is lower than the baseline's though they are worse for some
    /// size.
    pub fn flattered(&self) -> impl Iterator<Item = &'a SummaryRow> {
        self.rows.iter().filter(|row| {
            let lower =
                |base: &SummaryRow, rate: usize| row.rates[rate].mean < base.rates[rate].mean;
            let base = self.baseline(row.at.cap).filter(|_| !row.worse_classes.is_empty());
            base.is_some_and(|base| lower(base, 0) || lower(base, BLAME))
        })
    }
}
