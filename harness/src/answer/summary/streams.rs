//! The values of one policy's streams, column by column.

use crate::cause::Cause;
use crate::metric::{CLASSES, Value, cause_column, column};

/// The values of one policy's streams under one configuration, in the order of their seeds.
#[derive(Clone, Copy, Debug)]
pub(in crate::answer) struct Streams<'a>(pub(in crate::answer) &'a [Vec<Value>]);

/// Names of size classes in columns.
pub(crate) const CLASS_NAMES: [&str; CLASSES.len()] = ["1_16", "17_256", "257_2048", "2049_up"];

impl Streams<'_> {
    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// The numbers of a column, one for each stream.
    pub(in crate::answer) fn numbers(self, name: &str) -> Vec<Option<f64>> {
        self.at(column(name)).map(Value::number).collect()
    }

    /// The counts of a column, none where a stream has no value.
    pub(in crate::answer) fn counts(self, name: &str) -> impl Iterator<Item = Option<u64>> {
        self.at(column(name)).map(count)
    }

    fn at(self, column: usize) -> impl Iterator<Item = Value> {
        self.0.iter().map(move |values| values[column])
    }

    /// The sum of a column of counts.
    pub(super) fn sum(self, name: &str) -> u64 {
        self.counts(name).flatten().fold(0, u64::saturating_add)
    }

    /// Requests of all streams that were refused, by cause.
    pub(super) fn by_cause(self) -> [u64; Cause::ALL.len()] {
        Cause::ALL.map(|cause| self.sum(cause_column(cause)))
    }

    /// For each stream whether a request was refused.
    pub(super) fn refused(self) -> impl Iterator<Item = bool> {
        self.at(column("refused")).map(|refused| refused != Value::Count(0))
    }

    /// Those that were ended at their first failure.
    pub(super) fn ended_early(self) -> u64 {
        self.sum("ended_early")
    }

    /// For each stream the number of the first request that its caller did not get, from the area
    /// or from elsewhere.
    pub(in crate::answer) fn first_unserved(self) -> Vec<Option<u64>> {
        self.counts("requests_to_first_unserved").collect()
    }
}

const fn count(value: Value) -> Option<u64> {
    match value {
        Value::Count(count) => Some(count),
        Value::None | Value::Micro(_) => None,
    }
}
