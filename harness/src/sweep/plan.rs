//! What is to be run.

use cma_policies::Spec;

use super::builtin::Recording;
use super::stop::Stop;
use crate::after_failure::AfterFailure;
use crate::board::Board;
use crate::environment;
use crate::workload::Profile;

/// The most cells of a plan. Their results, about 1 KiB each, are on disk; in memory there are two
/// bits for each.
pub const MOST_CELLS: u64 = 1_000_000_000;

/// What is to be run: every stream on every board, under every cap and policy, for every seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name, and that of the folder of its report.
    pub name: String,
    /// The first seed.
    pub seed: u64,
    /// Seeds of each profile: `seed`, `seed + 1` … A stream from a file, and a profile without
    /// chance, has one.
    pub seeds: u64,
    /// When a configuration has been run for enough seeds; none where all are run.
    pub stop: Option<Stop>,
    /// The policies, the baseline among them or not.
    pub policies: Vec<Spec>,
    /// Caps (`CONFIG_CMA_ALIGNMENT`) that `dma` requests follow.
    pub caps: Vec<u32>,
    /// The pages.
    pub environments: Vec<environment::Spec>,
    /// What a caller does whose request was refused.
    pub after_failure: AfterFailure,
    /// Boards for the streams that state no area.
    pub boards: Vec<Board>,
    /// The streams.
    pub streams: Vec<Stream>,
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
    #[must_use]
    pub fn share_of(self, pages: u64) -> f64 {
        match self {
            Self::Share(share) => share,
            Self::Pages(load) => load as f64 / pages as f64,
        }
    }
}

/// A stream of a plan.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Where its ops come from.
    pub what: What,
    /// LOADs; none where the stream brings its own.
    pub loads: Vec<Load>,
    /// Ops after which a profile's stream ends; a file is run to its end.
    pub ops: u64,
    /// It runs on the area that it states, once, rather than on every board.
    pub own_area: bool,
    /// The cap that a recording was made with, where its header does not state one.
    pub recorded_cap: u32,
}

/// Where the ops of a stream come from.
#[derive(Clone, Debug)]
pub enum What {
    /// A profile.
    Profile(&'static Profile),
    /// A file, by the path as it was given: from the folder where the command runs.
    File(String),
    /// A recording that is built in.
    Recorded(&'static Recording),
}

impl Stream {
    /// Its name in the tables.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.what {
            What::Profile(profile) => profile.name,
            What::File(path) => path,
            What::Recorded(recording) => recording.name,
        }
    }

    /// The profile, where it comes from one.
    #[must_use]
    pub const fn profile(&self) -> Option<&'static Profile> {
        match self.what {
            What::Profile(profile) => Some(profile),
            What::File(_) | What::Recorded(_) => None,
        }
    }

    /// Whether the seed changes it.
    #[must_use]
    pub fn is_seeded(&self) -> bool {
        self.profile().is_some_and(|profile| profile.seeded)
    }
}
