//! What is to be run.

use cma_policies::Spec;

use super::builtin::Recording;
use super::mix::{MixOf, Place};
use super::target::{Stop, Target};
use crate::after_failure::AfterFailure;
use crate::board::Board;
use crate::environment;
use crate::page::Page;
use crate::workload::Profile;

/// The most cells of a plan. Their results, about 1 KiB each, are on disk; in memory there are two
/// bits for each.
pub const MOST_CELLS: u64 = 1_000_000_000;

/// The word of a plan's `until`.
pub(super) const FIRST_FAILURE: &str = "first-failure";

/// What is to be run: every stream on every board, under every cap and policy, for every seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name, and that of the folder of its report.
    pub name: String,
    /// The size of a page, of which every number of pages is.
    pub page: Page,
    /// Whether the plan or its files state it; else it is taken to be 4 KiB.
    pub is_page_stated: bool,
    /// The first seed.
    pub seed: u64,
    /// Seeds of each profile: `seed`, `seed + 1` … A stream from a file, and a profile without
    /// chance, has one.
    pub seeds: u64,
    /// When a configuration has been run for enough seeds; none where all are run.
    pub stop: Option<Stop>,
    /// How rare failures are to be; none where every stream is to go well.
    pub target: Option<Target>,
    /// A cell ends at its first failure: nothing else is asked.
    pub until_first_failure: bool,
    /// The policies, the baseline among them or not.
    pub policies: Vec<Spec>,
    /// Caps (`CONFIG_CMA_ALIGNMENT`) that `dma` requests follow.
    pub caps: Vec<u32>,
    /// The plan states these; else they are what the calls of a trace show, or 8.
    pub are_caps_stated: bool,
    /// The pages.
    pub environments: Vec<environment::Spec>,
    /// What a caller does whose request was refused.
    pub after_failure: AfterFailure,
    /// Boards for the streams that state no area.
    pub boards: Vec<Board>,
    /// The streams.
    pub streams: Vec<Stream>,
}

impl Plan {
    /// Whether what is run depends on how cells end, so that streams of a configuration are counted
    /// for each policy.
    pub const fn is_adaptive(&self) -> bool {
        self.stop.is_some() || self.target.is_some()
    }
}

/// How much a profile asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Load {
    /// LOAD as a share of the board's pages: the stream changes with the board.
    Share(f64),
    /// LOAD in pages: the same stream on every board.
    Pages(u64),
}

impl Load {
    /// LOAD as a share of so many pages.
    pub fn share_of(self, pages: u64) -> f64 {
        match self {
            Self::Share(share) => share,
            Self::Pages(load) => load as f64 / pages as f64,
        }
    }

    /// LOAD in pages on a board of so many.
    pub fn pages_of(self, pages: u64) -> u64 {
        match self {
            Self::Share(share) => libm::round(share * pages as f64) as u64,
            Self::Pages(load) => load,
        }
    }
}

/// A stream of a plan.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Where the plan states it.
    pub at: Place,
    /// Where its ops come from.
    pub what: What,
    /// The other files of a list: texts of the board that printed its trace, which may be any of
    /// them.
    pub beside: Vec<String>,
    /// LOADs; none where the stream brings its own.
    pub loads: Vec<Load>,
    /// How long it is.
    pub length: Length,
    /// It runs on the area that it states, once, rather than on every board.
    pub own_area: bool,
    /// The cap that a recording was made with, where its header does not state one; where this is
    /// none either, what the calls of a trace show, else 8.
    pub recorded_cap: Option<u32>,
    /// The area of a trace whose events are meant; the one with most of them where none is named.
    pub area: Option<String>,
    /// Debugfs files of that area: a text of them, or their folder.
    pub snapshot: Option<String>,
}

/// Where the ops of a stream come from.
#[derive(Clone, Debug)]
pub enum What {
    /// A profile.
    Profile(&'static Profile),
    /// A file, by the path as it was given: from the folder where the command runs.
    File(String),
    /// What was fitted to a file, by its path: a stream of its own for each seed.
    Fitted(String),
    /// A recording that is built in.
    Recorded(&'static Recording),
    /// What runs together: a stream of its own for each seed.
    Mix(MixOf),
}

impl Stream {
    /// One of a profile, as a plan states it.
    pub fn of_profile(
        profile: &'static Profile,
        loads: Vec<Load>,
        length: Length,
        own_area: bool,
    ) -> Self {
        Self {
            at: Place::default(),
            what: What::Profile(profile),
            beside: Vec::new(),
            loads,
            length,
            own_area,
            recorded_cap: None,
            area: None,
            snapshot: None,
        }
    }

    /// Its name in the tables.
    pub fn name(&self) -> &str {
        match &self.what {
            What::Profile(profile) => profile.name,
            What::File(path) | What::Fitted(path) => path,
            What::Recorded(recording) => recording.name,
            What::Mix(mix) => &mix.name,
        }
    }

    /// Its files, by their paths, the one that names it first.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let named = match &self.what {
            What::File(path) | What::Fitted(path) => Some(path),
            What::Profile(_) | What::Recorded(_) | What::Mix(_) => None,
        };
        named.into_iter().chain(&self.beside).map(String::as_str)
    }

    /// The profile, where it comes from one.
    pub const fn profile(&self) -> Option<&'static Profile> {
        match self.what {
            What::Profile(profile) => Some(profile),
            What::File(_) | What::Fitted(_) | What::Recorded(_) | What::Mix(_) => None,
        }
    }

    /// Whether it is of a file, or a part of it is.
    pub fn reads_files(&self) -> bool {
        match &self.what {
            What::File(_) | What::Fitted(_) => true,
            What::Mix(mix) => mix.paths().next().is_some(),
            What::Profile(_) | What::Recorded(_) => false,
        }
    }

    /// What the tables call the source of its ops: the profile, `model` for what was
    /// fitted to a file, `mix` for what runs together, nothing for what is run as it was recorded.
    pub const fn label(&self) -> Option<&'static str> {
        match self.what {
            What::Profile(profile) => Some(profile.name),
            What::Fitted(_) => Some("model"),
            What::Mix(_) => Some("mix"),
            What::File(_) | What::Recorded(_) => None,
        }
    }

    /// Board time of each of its streams in microseconds, where that is stated and the seed makes
    /// others: what a rate over board time can be seen in.
    pub fn drawn_us(&self) -> Option<u64> {
        self.length.time_us().filter(|_| self.is_seeded())
    }

    /// Whether the seed changes it.
    pub fn is_seeded(&self) -> bool {
        match &self.what {
            What::Profile(profile) => profile.seeded,
            What::Fitted(_) => true,
            What::Mix(mix) => mix.is_seeded(),
            What::File(_) | What::Recorded(_) => false,
        }
    }
}

/// How long a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// So many ops.
    Ops(u64),
    /// So much board time from the first op on, in microseconds.
    Time(u64),
    /// As long as its file.
    File,
    /// Not stated: [`Length::DEFAULT`], where its file has time; else as long as that.
    Unstated,
}

impl Length {
    /// A day: a report that is right next week takes more than some seconds of board time.
    pub const DEFAULT: Self = Self::Time(24 * Self::HOUR_US);
    /// An hour in microseconds.
    pub const HOUR_US: u64 = 3_600_000_000;

    /// The most hours of a stream: ten years of 365 days.
    pub const MOST_HOURS: f64 = 87_600.0;

    /// So many hours of board time; none where they are no number above 0 (at least a microsecond)
    /// and at most [`Length::MOST_HOURS`].
    pub fn of_hours(hours: f64) -> Option<Self> {
        let us = libm::round(hours * Self::HOUR_US as f64);
        (hours > 0.0 && hours <= Self::MOST_HOURS && us >= 1.0).then_some(Self::Time(us as u64))
    }

    /// The board time in microseconds, where it is what is stated.
    pub const fn time_us(self) -> Option<u64> {
        match self {
            Self::Time(us) => Some(us),
            Self::Ops(_) | Self::File | Self::Unstated => None,
        }
    }

    /// The most ops: of those of a length in time there is no end but that time.
    pub(super) const fn most_ops(self) -> u64 {
        match self {
            Self::Ops(ops) => ops,
            Self::Time(_) | Self::File | Self::Unstated => u64::MAX,
        }
    }

    /// Twice as long.
    pub const fn twice(self) -> Self {
        match self {
            Self::Ops(ops) => Self::Ops(ops.saturating_mul(2)),
            Self::Time(us) => Self::Time(us.saturating_mul(2)),
            Self::File | Self::Unstated => self,
        }
    }
}
