//! Refused requests by cause.

use super::{Column, Entry, Metric, Of, Value};
use crate::cause::Cause;
use crate::simulate::{Observer, Step};

const fn column(cause: Cause) -> Column {
    Column { name: column_name(cause), unit: "requests", about: "requests refused for this cause" }
}

/// The column of a cause: its name, but for the one that a table of policies has a column of that
/// name for already.
#[must_use]
pub const fn column_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Policy => "policy_cause",
        other => other.name(),
    }
}

pub(super) const ENTRY: Entry = Entry {
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
    build: |_| Box::new(Causes { refused: [0; Cause::ALL.len()] }),
};

struct Causes {
    refused: [u64; Cause::ALL.len()],
}

impl Observer for Causes {
    fn step(&mut self, step: &Step<'_>) {
        if let Some(cause) = step.cause {
            let index = Cause::ALL.iter().position(|other| *other == cause);
            self.refused[index.expect("every cause is in the table")] += 1;
        }
    }
}

impl Metric for Causes {
    fn values(&self) -> Vec<Value> {
        self.refused.map(Value::Count).to_vec()
    }
}
