//! The values of one policy's streams, column by column.

use crate::cause::Cause;
use crate::metric::{CLASSES, Value, cause_column, column, columns};

/// The values of one policy's streams under one configuration, in the order of their seeds.
#[derive(Clone, Copy, Debug)]
pub(in crate::answer) struct Streams<'a>(pub(in crate::answer) &'a [Vec<Value>]);

/// Names of size classes in columns.
pub(crate) const CLASS_NAMES: [&str; CLASSES.len()] = ["1_16", "17_256", "257_2048", "2049_up"];

/// Where column `name` stands, where some metric has it.
fn found(name: &str) -> Option<usize> {
    columns().position(|column| column.name == name)
}

impl Streams<'_> {
    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// The numbers of a column, one for each stream.
    pub(in crate::answer) fn numbers(self, name: &str) -> Vec<Option<f64>> {
        self.at(column(name)).map(Value::number).collect()
    }

    /// The same, none at all where no metric has this column.
    pub(super) fn numbers_if(self, name: &str) -> Option<Vec<Option<f64>>> {
        found(name).map(|column| self.at(column).map(Value::number).collect())
    }

    /// The counts of a column, none where a stream has no value.
    pub(in crate::answer) fn counts(self, name: &str) -> impl Iterator<Item = Option<u64>> {
        self.at(column(name)).map(count)
    }

    /// The same, none at all where no metric has this column.
    pub(super) fn counts_if(self, name: &str) -> Option<Vec<Option<u64>>> {
        found(name).map(|column| self.at(column).map(count).collect())
    }

    fn at(self, column: usize) -> impl Iterator<Item = Value> {
        self.0.iter().map(move |values| values[column])
    }

    /// The sum of a column of counts.
    pub(super) fn sum(self, name: &str) -> u64 {
        self.counts(name).flatten().fold(0, u64::saturating_add)
    }

    /// The same, none where no metric has this column.
    pub(super) fn sum_if(self, name: &str) -> Option<u64> {
        Some(self.counts_if(name)?.into_iter().flatten().fold(0, u64::saturating_add))
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
        let served = self.counts_if("requests_to_first_unserved");
        served.unwrap_or_else(|| self.counts("requests_to_first_failure").collect())
    }
}

const fn count(value: Value) -> Option<u64> {
    match value {
        Value::Count(count) => Some(count),
        Value::None | Value::Micro(_) => None,
    }
}
