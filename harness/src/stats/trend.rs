//! Whether the hazard of first failures rises with age.

use crate::seed::Seed;

/// Draws for a p: it is a multiple of one thousandth.
const DRAWS: u32 = 999;

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

/// Half of first failures in the second half of age is chance; this rarely is.
const RARELY: f64 = 0.05;

impl Trend {
    /// Whether failures become more frequent with age.
    pub fn rises(&self) -> bool {
        self.p_rising <= RARELY
    }
}

/// The trend in `lasted`: the age at which each stream failed first (`true`), or until which it was
/// watched well; what lies past `horizon`, above 0, is not looked at.
///
/// The p is that of Laplace's test (1773; with cut-offs the score test of a log-linear hazard),
/// which weighs how late each failure came. The count of failures in the two halves against the
/// time at risk in them, an exact binomial, finds half as much: of 32 streams whose hazard rises
/// from 0 as age does, it is significant in 8 % with 4 failures, 24 % with 8 and 48 % with 16,
/// where this is in 29 %, 48 % and 73 %. But the normal distribution of the score finds too much
/// in few streams (7 % at 5 % with 16, 18 % with 4), so its own is drawn: as many failures at a
/// constant hazard before the horizon, the streams that did not fail as they are. Were those cut
/// off earlier than at the horizon it finds less, never more; a horizon until which all were
/// watched is better then.
///
/// Where hazards differ between streams the worse ones fail first, so that the mean falls with age;
/// that may hide a rise in each.
pub fn trend(lasted: &[(f64, bool)], horizon: f64) -> Trend {
    let (mut early, mut late) = (Ages::default(), Ages::default());
    let (mut failed, mut well) = (Vec::new(), Moments::default());
    let half = horizon / 2.0;
    for &(age, fails) in lasted {
        let (fails, age) = (fails && age <= horizon, age.clamp(0.0, horizon));
        early.at_risk += age.min(half);
        late.at_risk += (age - half).max(0.0);
        if fails {
            failed.push(age);
            if age < half { early.failures += 1 } else { late.failures += 1 }
        } else {
            well.add(age);
        }
    }
    Trend { early, late, p_rising: p_rising(&failed, well, horizon) }
}

/// Integrals of 1, age and age² over the time at risk.
#[derive(Clone, Copy, Default)]
struct Moments([f64; 3]);

impl Moments {
    fn add(&mut self, age: f64) {
        let Self([time, first, second]) = self;
        *time += age;
        *first += age * age / 2.0;
        *second += age * age * age / 3.0;
    }
}

/// How much later than at a constant hazard the `failed` failed, in standard errors, with the time
/// at risk of those that are `well`.
fn lateness(failed: impl Iterator<Item = f64>, well: Moments) -> f64 {
    let (mut moments, mut count, mut sum) = (well, 0.0, 0.0);
    for age in failed {
        moments.add(age);
        count += 1.0;
        sum += age;
    }
    let [time, first, second] = moments.0;
    let mean = first / time;
    (sum - count * mean) / libm::sqrt(count * (second / time - mean * mean))
}

fn p_rising(failed: &[f64], well: Moments, horizon: f64) -> f64 {
    let time = well.0[0] + failed.iter().sum::<f64>();
    if failed.is_empty() || time <= 0.0 {
        return 1.0;
    }
    let seen = lateness(failed.iter().copied(), well);
    let hazard = failed.len() as f64 / time;
    // Who fails before the horizon does so at an age of this distribution, cut off there.
    let before = -libm::expm1(-hazard * horizon);
    let mut draws = Seed::new(0).child("trend", failed.len() as u64).rng();
    let mut age = || (-libm::log1p(-draws.unit() * before) / hazard).min(horizon);
    let as_late = (0..DRAWS).filter(|_| {
        let drawn = lateness(failed.iter().map(|_| age()), well);
        drawn >= seen
    });
    (as_late.count() as f64 + 1.0) / f64::from(DRAWS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_by_hand() {
        let lasted = [(3.0, true), (8.0, true), (10.0, false), (12.0, true), (4.0, false)];
        let Trend { early, late, .. } = trend(&lasted, 10.0);
        assert_eq!(early, Ages { failures: 1, at_risk: 3.0 + 5.0 + 5.0 + 5.0 + 4.0 });
        assert_eq!(late, Ages { failures: 1, at_risk: 3.0 + 5.0 + 5.0 });
        let last = trend(&[(5.0, true), (10.0, true)], 10.0);
        assert_eq!((last.early.failures, last.late.failures), (0, 2));
        assert_eq!(trend(&[(10.0, false); 8], 10.0).p_rising, 1.0);
        assert_eq!(trend(&[], 10.0).p_rising, 1.0);
        assert_eq!(trend(&[(0.0, true)], 10.0).p_rising, 1.0);
    }

    #[test]
    fn rare_failures_come_at_any_age_alike() {
        // One failure among very many: its age is uniform.
        let with = |age: f64| {
            let mut lasted = vec![(1.0, false); 2000];
            lasted.push((age, true));
            trend(&lasted, 1.0).p_rising
        };
        // Nothing that is drawn is later than the latest, everything is than the earliest.
        assert_eq!([with(1.0 - 1e-12), with(1e-12)], [0.001, 1.0]);
        for age in [0.1, 0.5, 0.9, 0.99] {
            assert!((with(age) - (1.0 - age)).abs() < 0.05, "{age}: {}", with(age));
        }
    }

    /// In what share of 600 sweeps of `streams` streams the trend is significant, with a
    /// cumulative hazard of `hazard * age^shape` and every second stream cut off at `cut`.
    fn found(streams: usize, hazard: f64, shape: f64, cut: f64) -> f64 {
        let significant = |sweep: &u64| {
            let mut draws = Seed::new(*sweep).child("trend", streams as u64).rng();
            let stream = |index: usize| {
                let age = libm::pow(-libm::log(1.0 - draws.unit()) / hazard, 1.0 / shape);
                let end = if index.is_multiple_of(2) { 1.0 } else { cut };
                (age.min(end), age < end)
            };
            let lasted: Vec<_> = (0..streams).map(stream).collect();
            trend(&lasted, 1.0).p_rising <= 0.05
        };
        (0..600).filter(significant).count() as f64 / 600.0
    }

    #[test]
    fn a_constant_hazard_is_called_rising_in_at_most_5_percent() {
        for (streams, cut) in [(4, 1.0), (16, 1.0), (16, 0.5), (32, 1.0)] {
            for failures in [1.0, 3.0, 8.0] {
                let share = found(streams, failures / streams as f64, 1.0, cut);
                // Three standard errors of 600 sweeps.
                assert!(share <= 0.077, "{share}: {failures} of {streams} until {cut}");
            }
        }
    }

    #[test]
    fn a_rising_hazard_is_found() {
        for (failures, least) in [(4.0, 0.2), (8.0, 0.4), (16.0, 0.65), (32.0, 0.85)] {
            let share = found(32, failures / 32.0, 2.0, 1.0);
            assert!(share >= least, "{share} with {failures}");
        }
        // And a falling one is none.
        assert!(found(32, 0.5, 0.5, 1.0) < 0.005);
    }

    #[test]
    fn lateness_by_hand() {
        // One failure at 1, one stream well until 2: integrals 3, 2.5 and 3, so the mean age is 5/6
        // and its variance 11/36.
        let mut well = Moments::default();
        well.add(2.0);
        let late = lateness([1.0].into_iter(), well);
        assert!((late - 1.0 / libm::sqrt(11.0)).abs() < 1e-12, "{late}");
        // Another at 2: 5, 4.5 and 17/3; 3 - 2 * 0.9 of a variance of 2 * (17/15 - 0.81).
        let late = lateness([1.0, 2.0].into_iter(), well);
        assert!((late - 1.2 / libm::sqrt(97.0 / 150.0)).abs() < 1e-12, "{late}");
    }
}
