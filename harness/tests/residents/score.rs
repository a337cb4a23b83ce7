//! Right and wrong, counted.

use std::fmt;

use cma_harness::diagnose::{Confidence, Resident};

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
    /// Said to be more than a guess, and how many of these are there.
    pub(crate) likely: [u64; 2],
    /// Of the sizes that are right.
    pub(crate) blocks: Error,
    pub(crate) stranded: Error,
    pub(crate) recoverable: Error,
}

/// How far what is said of numbers is off, all together.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Error {
    truth: u64,
    off: u64,
}

impl Error {
    fn add(&mut self, said: u64, truth: u64) {
        self.truth += truth;
        self.off += said.abs_diff(truth);
    }

    /// As a share of the truth.
    pub(crate) fn share(&self) -> f64 {
        share(self.off, self.truth)
    }
}

impl Score {
    /// Adds what was said of `truth`, where `used` pages are used as far as was seen.
    pub(crate) fn add(&mut self, truth: &Truth, said: &[Resident], used: u64) {
        let expected: Vec<u64> = truth.large(SHARE);
        let large = |found: &&Resident| found.pages() as f64 >= SHARE * used as f64;
        let large: Vec<u64> = said.iter().filter(large).map(|found| found.count).collect();
        let right = large.iter().filter(|count| expected.contains(count)).count() as u64;
        let present = large.iter().filter(|count| truth.has(**count)).count() as u64;
        let is_noticed = |count: &&u64| said.iter().any(|found| found.count == **count);
        for found in said.iter().filter(|found| found.confidence > Confidence::Guess) {
            self.likely[0] += 1;
            self.likely[1] += u64::from(truth.has(found.count));
        }
        for found in said.iter().filter(|found| expected.contains(&found.count)) {
            self.blocks.add(found.blocks.unwrap_or(0), truth.blocks(found.count));
            let now = truth.stranded(found.count, truth.cap);
            self.stranded.add(found.stranded_pages, now);
            for (cap, pages) in &found.recoverable {
                self.recoverable.add(*pages, now.saturating_sub(truth.stranded(found.count, *cap)));
            }
        }
        self.areas += 1;
        self.expected += expected.len() as u64;
        self.said += large.len() as u64;
        self.right += right;
        self.present += present;
        self.noticed += expected.iter().filter(is_noticed).count() as u64;
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
        let Self { areas, expected, said, right, present, noticed, likely, .. } = *self;
        write!(
            f,
            "{areas} areas, precision {:.3} ({right}/{said}), recall {:.3} ({right}/{expected}); \
             of any share: precision {:.3}, recall {:.3}; likely {:.3} ({}/{}); \
             off by: blocks {:.3}, stranded {:.3}, recoverable {:.3}",
            self.precision(),
            self.recall(),
            share(present, said),
            share(noticed, expected),
            share(likely[1], likely[0]),
            likely[1],
            likely[0],
            self.blocks.share(),
            self.stranded.share(),
            self.recoverable.share(),
        )
    }
}
