//! How a command ends.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use cma_policies::SpecError;

use crate::ingest::{IngestError, quoted};
use crate::oracle::Violation;
use crate::replay;
use crate::words::because;

/// A command did what it was asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// And nothing is wrong.
    Good,
    /// And what was checked does not hold: a mismatch, a violation.
    Bad,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(u8::from(exit == Exit::Bad))
    }
}

/// A command could not do what it was asked to do.
#[derive(Debug)]
pub(super) enum Failure {
    /// Why: one message that finishes the sentence "failed to …".
    Because(String),
    /// A policy broke a law: it was done, and what was checked does not hold.
    Violated(String),
    /// Nobody reads the output any more, which is no failure.
    BrokenPipe,
}

impl Failure {
    /// A failure with this message, which finishes the sentence "failed to …".
    pub(super) fn because(why: impl fmt::Display) -> Self {
        Self::Because(why.to_string())
    }

    /// Says it on standard error.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Self::Because(why) => {
                say(format_args!("error: failed to {why}"));
                ExitCode::from(2)
            }
            Self::Violated(what) => {
                say(format_args!("error: {what}"));
                ExitCode::from(1)
            }
            Self::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}

/// Says it on standard error; where nobody listens it does not matter.
pub(super) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{what}");
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        Self::because(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::BrokenPipe;
        }
        Self::because(format_args!("write the output: {error}"))
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        let (why, at) = (because(&error), error.at + 1);
        Self::because(format_args!("read {} at character {at}: {why}", quoted(&error.text)))
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Violated(violation.to_string())
    }
}

impl From<replay::Error> for Failure {
    fn from(error: replay::Error) -> Self {
        match error {
            replay::Error::Violation(violation) => violation.into(),
            replay::Error::Output(error) => error.into(),
            other => Self::because(other),
        }
    }
}
