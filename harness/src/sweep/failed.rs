//! Why a plan could not be run to its end.

use std::fmt;

use cma_policies::BuildError;

use super::parse::PlanError;
use super::plan::MOST_CELLS;
use crate::ingest::IngestError;
use crate::oracle::Violation;
use crate::workload::SetupError;

/// Why a plan could not be run to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failed {
    /// A file cannot be read.
    Ingest(IngestError),
    /// A profile or a fit does not take this LOAD on this area, or what runs together cannot be read
    /// any more.
    Setup(String, SetupError),
    /// A stream states no area and the plan has no board.
    NoArea(String),
    /// More than [`MOST_CELLS`] cells.
    TooManyCells,
    /// A recording with pins is to run on a board: its pins mean pages of its own area.
    PinsElsewhere(String),
    /// A policy cannot be built on an area of so many pages.
    Build(String, u64, BuildError),
    /// A part of a mix that there cannot be, at its place in the plan.
    Part(PlanError),
    /// Board time is asked of a stream that has none, at this line of the plan.
    NoTime {
        /// The stream.
        stream: String,
        /// The line of the plan, from 1 on.
        line: usize,
    },
    /// A target is asked of a stream whose length is stated in ops.
    TargetOfOps {
        /// The stream.
        stream: String,
        /// The line of the plan, from 1 on.
        line: usize,
    },
    /// The threads could not be started.
    Threads(String),
    /// A policy broke a law.
    Broken(Box<Broken>),
}

/// A policy broke a law in a sweep: where, and how to see it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The law and the op.
    pub violation: Violation,
    /// The policy.
    pub policy: String,
    /// The stream.
    pub stream: String,
    /// The cap.
    pub cap: u32,
    /// What leads there: a command, or rows of a file.
    pub ops: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ingest(error) => error.fmt(f),
            Self::Setup(profile, error) => write!(f, "make the stream {profile}: {error}"),
            Self::NoArea(stream) => {
                write!(f, "run {stream}: it states no area; the plan needs a [[boards]]")
            }
            Self::TooManyCells => write!(f, "run the plan: it has more than {MOST_CELLS} cells"),
            Self::PinsElsewhere(stream) => write!(
                f,
                "run {stream} on boards: its pins name pages of its own area; leave own_area = true"
            ),
            Self::Build(policy, pages, error) => {
                write!(f, "build policy {policy} on an area of {pages} pages: {error}")
            }
            Self::Part(error) => error.fmt(f),
            Self::NoTime { stream, line } => write!(
                f,
                "run {stream} (line {line} of the plan): a recording has no board time; leave \
                 out target, or give its fit a length in ops"
            ),
            Self::TargetOfOps { stream, line } => write!(
                f,
                "run {stream} (line {line} of the plan): a target is asked of board time; state \
                 hours or days in place of ops"
            ),
            Self::Threads(why) => write!(f, "start the threads: {why}"),
            Self::Broken(broken) => write!(
                f,
                "{}\npolicy {}, stream {}, cap {}; the ops that lead there: {}",
                broken.violation, broken.policy, broken.stream, broken.cap, broken.ops
            ),
        }
    }
}

impl std::error::Error for Failed {}

impl From<PlanError> for Failed {
    fn from(error: PlanError) -> Self {
        Self::Part(error)
    }
}

impl From<IngestError> for Failed {
    fn from(error: IngestError) -> Self {
        Self::Ingest(error)
    }
}
