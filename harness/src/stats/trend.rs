//! Whether the hazard of first failures rises with age.

use super::normal;

/// First failures in a part of the ages.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Ages {
    /// Streams that failed first at these ages.
    pub failures: u64,
    /// The time that streams were watched at these ages before their first failure, summed.
    pub at_risk: f64,
}

/// What first failures say about the hazard over age.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trend {
    /// The first half of the horizon.
    pub early: Ages,
    /// The second one.
    pub late: Ages,
    /// One-sided p of "the hazard does not rise". 1 without a failure.
    pub p_rising: f64,
}

/// The trend in `lasted`: the age at which each stream failed first (`true`), or until which it was
/// watched, up to `horizon`.
#[must_use]
pub fn trend(lasted: &[(f64, bool)], horizon: f64) -> Trend {
    let half = horizon / 2.0;
    let (mut early, mut late) = (Ages::default(), Ages::default());
    for &(age, failed) in lasted {
        let failed = u64::from(failed && age <= horizon);
        let age = age.clamp(0.0, horizon);
        early.at_risk += age.min(half);
        late.at_risk += (age - half).max(0.0);
        if age < half { early.failures += failed } else { late.failures += failed }
    }
    Trend { early, late, p_rising: p_rising(lasted, horizon) }
}

/// Laplace's test with cut-offs: the score of a log-linear hazard.
fn p_rising(lasted: &[(f64, bool)], horizon: f64) -> f64 {
    let (mut failures, mut ages) = (0.0, 0.0);
    let mut moments = [0.0; 3];
    for &(age, failed) in lasted {
        let failed = failed && age <= horizon;
        let age = age.clamp(0.0, horizon);
        failures += f64::from(failed);
        ages += f64::from(failed) * age;
        moments[0] += age;
        moments[1] += age * age / 2.0;
        moments[2] += age * age * age / 3.0;
    }
    if failures == 0.0 || moments[0] == 0.0 {
        return 1.0;
    }
    let mean = moments[1] / moments[0];
    let variance = moments[2] / moments[0] - mean * mean;
    1.0 - normal::below((ages - failures * mean) / libm::sqrt(failures * variance))
}
