//! What the metrics must have counted at the end.

use cma_policies::AllocError;

use crate::cause::Cause;
use crate::metric::{Meter, Value, cause_column, column};

/// Counted by hand, op by op.
#[derive(Default, Debug)]
pub(super) struct Tally {
    pub(super) grants: u64,
    pub(super) refused: [u64; Cause::ALL.len()],
    /// Refusals for each error, for the message.
    pub(super) errors: Vec<AllocError>,
}

impl Tally {
    pub(super) fn refuse(&mut self, cause: Cause, error: AllocError) {
        let index = Cause::ALL.iter().position(|other| *other == cause);
        self.refused[index.expect("every cause is in the table")] += 1;
        self.errors.push(error);
    }

    /// Holds the metrics to it.
    pub(super) fn check(&self, meter: &Meter) {
        let values = meter.values();
        let refused: u64 = self.refused.iter().sum();
        let withheld: u64 = Cause::ALL
            .iter()
            .zip(self.refused)
            .filter(|(cause, _)| cause.is_withheld())
            .map(|(_, refused)| refused)
            .sum();
        let asked = self.grants + refused;
        let share = |part: u64| Value::share(part.into(), asked.into());
        let mut right = vec![
            ("requests", Value::Count(asked)),
            ("grants", Value::Count(self.grants)),
            ("refused", Value::Count(refused)),
            ("withheld_per_request", share(withheld)),
        ];
        let causes = Cause::ALL.iter().zip(self.refused);
        right.extend(causes.map(|(cause, n)| (cause_column(*cause), Value::Count(n))));
        for (name, right) in right {
            let got = values[column(name)];
            assert_eq!(got, right, "column {name}; counted by hand: {self:?}");
        }
    }
}
