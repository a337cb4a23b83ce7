//! Why a failure failed.

use super::{Failure, Incident, Options};

/// Says why, how sure, and with which numbers.
#[must_use]
pub fn judge(incident: Incident, options: &Options) -> Failure {
    let _ = (incident, options);
    unreachable!()
}
