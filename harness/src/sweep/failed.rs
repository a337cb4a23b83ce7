//! Why a plan could not be run to its end.

use std::fmt;

use super::parse::PlanError;
use super::plan::Stream;
use crate::ingest::IngestError;
use crate::oracle::Violation;

/// Why a plan could not be run to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failed {
    /// What the plan asks for does not go together, in words that read on from "failed to …".
    #[error("{0}")]
    Run(String),
    /// The plan is wrong.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file cannot be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A policy broke a law.
    #[error("{0}")]
    Broken(Box<Broken>),
}

/// A policy broke a law in a sweep: where, and how to see it again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{violation}\npolicy {policy}, stream {stream}, cap {cap}; the ops that lead there: {ops}")]
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

impl Failed {
    /// That a stream cannot be made: its LOAD is not taken, or its file cannot be read any more.
    pub(super) fn make(stream: &str, error: impl fmt::Display) -> Self {
        Self::Run(format!("make the stream {stream}: {error}"))
    }

    /// That board time is asked of a stream that has none.
    pub(super) fn no_time(stream: &Stream) -> Self {
        let (name, line) = (stream.name(), stream.at.line());
        Self::Run(format!(
            "run {name} (line {line} of the plan): a recording has no board time; leave out target, \
             or give its fit a length in ops"
        ))
    }
}
