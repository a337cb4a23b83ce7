//! What a message is, and what its readers need.

use smallvec::SmallVec;

use super::driver::device;
use crate::ingest::log::Record;
use crate::ingest::log::names::Names;

/// What a message says.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Parsed {
    /// This: one thing mostly; several, or nothing that is kept.
    Records(SmallVec<[Record; 1]>),
    /// A list of free runs follows; with its head, or what goes on from an earlier line.
    List { head: bool },
}

impl Parsed {
    /// The same, where `before` is what precedes it in its line: a driver says there who it is.
    pub(super) fn of(mut self, before: &[u8]) -> Self {
        if let Self::Records(records) = &mut self {
            for record in records {
                if let Record::Driver { device, .. } = record {
                    *device = device::device(before).map(Into::into);
                }
            }
        }
        self
    }
}

/// A message that is whole.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Message {
    pub(super) parsed: Parsed,
    /// Its last number is at the end of the text and may go on.
    pub(super) soft: bool,
}

impl Message {
    pub(super) fn record(record: Record) -> Self {
        Self::records([record])
    }

    pub(super) fn records(records: impl IntoIterator<Item = Record>) -> Self {
        Self { parsed: Parsed::Records(records.into_iter().collect()), soft: false }
    }

    pub(super) const fn list(head: bool) -> Self {
        Self { parsed: Parsed::List { head }, soft: false }
    }
}

/// What the readers of a message need beside its text.
#[derive(Default, Debug)]
pub(crate) struct Tools {
    pub(super) names: Names,
    pub(super) word: Vec<u8>,
    pub(super) spare: Vec<u8>,
}

/// What kind of function prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Function {
    Alloc,
    Release,
}
