//! Candidates, and which of them to choose.

use super::bench::{Evidence, Verdict};
use super::lever::{Class, Lever, class_of};
use super::trial::Config;

/// A board as it could be, with what was seen of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What is changed; nothing for the board as it is.
    pub levers: Vec<Lever>,
    /// What comes of it.
    pub config: Config,
    /// What the streams of the search showed.
    pub searched: Evidence,
    /// What fresh streams showed, where it was shown to be worth it.
    pub proven: Evidence,
    /// Whether it meets the target, by fresh streams where there are some.
    pub verdict: Verdict,
    /// Sizes at which it fails although a smaller one passes.
    pub anomalies: u64,
}

impl Candidate {
    /// Who has to change something.
    pub fn class(&self) -> Class {
        class_of(&self.levers)
    }

    /// What is said of it: by fresh streams, else by those of the search.
    pub const fn evidence(&self) -> &Evidence {
        if self.proven.streams > 0 { &self.proven } else { &self.searched }
    }

    /// Its rank among others: what meets the target, by what a board's configuration alone does
    /// before what takes a driver or a patch; then by RAM that it costs, and by what is changed.
    pub(super) fn rank(&self, base_pages: u64) -> (u8, u8, u64, Class, usize, u64) {
        let verdict = match self.verdict {
            Verdict::Meets => 0,
            Verdict::Open => 1,
            Verdict::Misses => 2,
        };
        let class = self.class();
        let who = match class {
            Class::Patch => 2,
            Class::Driver => 1,
            Class::AsIs | Class::Tree | Class::Kconfig => 0,
        };
        let pages = self.config.pages();
        let more = pages.saturating_sub(base_pages);
        (verdict, who, more, class, self.levers.len(), pages)
    }

    /// Its rank among changes that suffice: by who has to change something, how much, and RAM.
    pub(super) fn smallness(&self) -> (Class, usize, u64) {
        (self.class(), self.levers.len(), self.config.pages())
    }
}

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The board meets the target as it is.
    AsItIs,
    /// A candidate meets it.
    Met,
    /// Something may meet it, but that is not proven: ops or time ended first.
    Unproven,
    /// Nothing that may be changed helps.
    Nothing,
}
