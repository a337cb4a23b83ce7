//! What a message is, and what its readers need.

use crate::ingest::log::Record;
use crate::ingest::log::names::Names;

/// What a message says.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Parsed {
    /// This.
    Record(Record),
    /// Several things.
    Records(Vec<Record>),
    /// A list of free runs follows; with its head, or what goes on from an earlier line.
    List { head: bool },
    /// Nothing that is kept.
    Nothing,
}

/// A message that is whole.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Message {
    pub(super) parsed: Parsed,
    /// Its last number stands at the end of the text and may go on.
    pub(super) soft: bool,
}

impl Message {
    pub(super) const fn new(parsed: Parsed) -> Self {
        Self { parsed, soft: false }
    }

    pub(super) const fn record(record: Record) -> Self {
        Self::new(Parsed::Record(record))
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
