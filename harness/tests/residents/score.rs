//! Right and wrong, counted.

use std::fmt;

use cma_harness::diagnose::Resident;

use crate::SHARE;
use crate::area::Truth;

/// Sizes that cover at least [`SHARE`] of the used pages: in truth, as said, and both.
#[derive(Default, Debug)]
pub(crate) struct Score {
    pub(crate) areas: u64,
    /// In truth.
    pub(crate) expected: u64,
    /// As said.
    pub(crate) said: u64,
    /// In truth and as said.
    pub(crate) right: u64,
    /// As said, and there is such a buffer, but it covers less.
    pub(crate) present: u64,
    /// In truth, and said to be there, but to cover less.
    pub(crate) noticed: u64,
}

impl Score {
    /// Adds what was said of `truth`, where `used` pages are used as far as was seen; whether anything was wrong.
    pub(crate) fn add(&mut self, truth: &Truth, said: &[Resident], used: u64) -> bool {
        let expected: Vec<u64> = truth.large(SHARE);
        let large = |found: &&Resident| found.pages() as f64 >= SHARE * used as f64;
        let large: Vec<u64> = said.iter().filter(large).map(|found| found.count).collect();
        let right = large.iter().filter(|count| expected.contains(count)).count() as u64;
        let present = large.iter().filter(|count| truth.has(**count)).count() as u64;
        let is_noticed = |count: &&u64| said.iter().any(|found| found.count == **count);
        self.areas += 1;
        self.expected += expected.len() as u64;
        self.said += large.len() as u64;
        self.right += right;
        self.present += present;
        self.noticed += expected.iter().filter(is_noticed).count() as u64;
        right < expected.len() as u64 || right < large.len() as u64
    }

    pub(crate) fn precision(&self) -> f64 {
        share(self.right, self.said)
    }

    pub(crate) fn recall(&self) -> f64 {
        share(self.right, self.expected)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { areas, expected, said, right, present, noticed } = *self;
        write!(
            f,
            "{areas} areas, precision {:.3} ({right}/{said}), recall {:.3} ({right}/{expected}); \
             of any share: precision {:.3}, recall {:.3}",
            self.precision(),
            self.recall(),
            share(present, said),
            share(noticed, expected),
        )
    }
}
