//! What the metrics must have counted at the end.

use super::reached::Reached;
use crate::cause::Cause;
use crate::metric::{Meter, Value, cause_column, column};

/// Holds the metrics to what was counted by hand, op by op.
pub(super) fn check(reached: &Reached, meter: &Meter) {
    let values = meter.values();
    let refused: u64 = reached.refused.iter().sum();
    let withheld = Cause::ALL.iter().zip(reached.refused).filter(|(cause, _)| cause.is_withheld());
    let withheld: u64 = withheld.map(|(_, refused)| refused).sum();
    let asked = reached.grants + refused;
    let mut right = vec![
        ("requests", Value::Count(asked)),
        ("grants", Value::Count(reached.grants)),
        ("refused", Value::Count(refused)),
        ("withheld_per_request", Value::share(withheld.into(), asked.into())),
    ];
    let causes = Cause::ALL.iter().zip(reached.refused);
    right.extend(causes.map(|(cause, n)| (cause_column(*cause), Value::Count(n))));
    for (name, right) in right {
        let got = values[column(name)];
        assert_eq!(got, right, "column {name}; counted by hand: {reached:?}");
    }
}
