//! How many requests there were, what came of them, and why they were refused.

use super::tally::Tally;
use super::{Column, Entry, Of};
use crate::cause::Cause;

pub(super) const ENTRY: Entry = Entry {
    name: "requests",
    columns: &[
        Column::requests("requests", "requests that were asked"),
        Column::requests("grants", "requests that were granted"),
        Column::requests("refused", "requests that were refused"),
    ],
    of: Of::Requests,
    build: |_| {
        Box::new(Tally::new(|step, _, [[asked, granted, refused]]| {
            *asked += 1;
            *granted += u128::from(step.cause.is_none());
            *refused += u128::from(step.cause.is_some());
        }))
    },
};

const fn column(cause: Cause) -> Column {
    Column::requests(column_name(cause), "requests refused for this cause")
}

/// The column of a cause: its name, but for the one that a table of policies has a column of that
/// name for already.
pub const fn column_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Policy => "policy_cause",
        other => other.name(),
    }
}

pub(super) const CAUSES: Entry = Entry {
    name: "causes",
    columns: &{
        let mut columns = [column(Cause::TooLarge); Cause::ALL.len()];
        let mut index = 0;
        while index < columns.len() {
            columns[index] = column(Cause::ALL[index]);
            index += 1;
        }
        columns
    },
    of: Of::Requests,
    build: |_| {
        Box::new(Tally::<{ Cause::ALL.len() }, 1, _>::new(|step, _, [refused]| {
            let index = Cause::ALL.iter().position(|cause| Some(*cause) == step.cause);
            index.into_iter().for_each(|index| refused[index] += 1);
        }))
    },
};
