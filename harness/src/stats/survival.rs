//! Survival with streams that ended before they failed.

use super::{beta, no_failure_bound};

/// Where the share that survives steps down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Survival {
    /// When.
    pub at: u64,
    /// How many were watched and well just before.
    pub at_risk: u64,
    /// The share that goes on well after it.
    pub surviving: f64,
    /// Lower end of its 95 % interval, at this point alone.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The survival of `lasted`: how long each stream was watched, and whether it failed then
/// (otherwise it was cut off: it would have lasted longer). Kaplan and Meier (1958), a step for
/// each time at which one fails, after a first one at 0.
///
/// The interval is that of Clopper and Pearson for as many streams as would give the variance that
/// Greenwood (1926) found (Cutler and Ederer, 1958; Dorey and Korn, 1987). Where nobody was cut off
/// before it is the exact binomial one; unlike Greenwood's own it does not vanish where all are
/// well.
pub fn survival(lasted: &[(u64, bool)]) -> Vec<Survival> {
    let mut sorted = lasted.to_vec();
    sorted.sort_unstable();
    let streams = sorted.len() as u64;
    let low = if streams > 1 { 1.0 - no_failure_bound(streams) } else { 0.0 };
    let mut steps = vec![Survival { at: 0, at_risk: streams, surviving: 1.0, low, high: 1.0 }];
    // As many streams as are cut off before now would leave, and Greenwood's sum.
    let (mut surviving, mut sum, mut weight) = (1.0, 0.0, streams as f64);
    let mut before = 0;
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        // Whoever is cut off at a moment was still watched in it.
        let at_risk = streams - before;
        let failed = same.iter().filter(|(_, failed)| *failed).count() as u64;
        before += same.len() as u64;
        if failed == 0 {
            continue;
        }
        let (risk, dead) = (at_risk as f64, failed as f64);
        surviving *= 1.0 - dead / risk;
        if failed < at_risk {
            sum += dead / (risk * (risk - dead));
            weight = (1.0 - surviving) / (surviving * sum);
        } else {
            // The variance is 0; no more streams bear this step than were watched before it.
            weight = weight.min(if sum == 0.0 { risk } else { weight });
        }
        let (low, high) = ends(surviving, weight, streams);
        steps.push(Survival { at: same[0].0, at_risk, surviving, low, high });
    }
    steps
}

pub(super) fn ends(surviving: f64, weight: f64, streams: u64) -> (f64, f64) {
    if streams <= 1 {
        return (0.0, 1.0);
    }
    let (well, ill) = (surviving * weight, (1.0 - surviving) * weight);
    let low = if well > 0.0 { beta::quantile(0.025, well, ill + 1.0) } else { 0.0 };
    let high = if ill > 0.0 { beta::quantile(0.975, well + 1.0, ill) } else { 1.0 };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::share_interval;

    #[test]
    fn without_cut_offs_it_is_the_share_and_its_exact_interval() {
        let lasted: Vec<_> = (1..=10).map(|at| (at * 100, true)).collect();
        let steps = survival(&lasted);
        assert_eq!(steps.len(), 11);
        for (failed, step) in steps.iter().enumerate().skip(1) {
            assert!((step.surviving - (10 - failed) as f64 / 10.0).abs() < 1e-12);
            let share = share_interval(failed as u64, 10);
            assert!((step.low - (1.0 - share.high.unwrap())).abs() < 1e-9, "{step:?}");
            // Six of ten: the share's lower end makes room for its bound without a failure.
            if failed != 6 {
                assert!((step.high - (1.0 - share.low.unwrap())).abs() < 1e-9, "{step:?}");
            }
        }
    }

    #[test]
    fn kaplan_and_meier_by_hand() {
        // 6 streams: one fails at 3; one is cut off at 3 and one at 5; one fails at 7; the others
        // are cut off at 9. 5/6, then 5/6 * 2/3.
        let lasted = [(3, true), (3, false), (5, false), (7, true), (9, false), (9, false)];
        let steps = survival(&lasted);
        let seen: Vec<_> = steps.iter().map(|step| (step.at, step.at_risk)).collect();
        assert_eq!(seen, [(0, 6), (3, 6), (7, 3)]);
        assert!((steps[1].surviving - 5.0 / 6.0).abs() < 1e-12);
        assert!((steps[2].surviving - 5.0 / 9.0).abs() < 1e-12);
        // Greenwood: 1/30 + 1/6 = 1/5, so it weighs (4/9) / (5/9 * 1/5) = 4 streams.
        let (low, high) = ends(5.0 / 9.0, 4.0, 6);
        assert!((steps[2].low - low).abs() < 1e-9 && (steps[2].high - high).abs() < 1e-9);
    }

    #[test]
    fn nobody_fails_and_everybody_does() {
        let well = survival(&[(50, false); 32]);
        assert_eq!(well.len(), 1);
        assert!((well[0].low - (1.0 - 0.0894)).abs() < 1e-4);
        let ill = survival(&[(1, true); 32]);
        let share = share_interval(32, 32).low.unwrap();
        assert_eq!((ill[1].surviving, ill[1].low), (0.0, 0.0));
        assert!((ill[1].high - (1.0 - share)).abs() < 1e-9);
        let one = survival(&[(5, true)]);
        assert_eq!((one[1].low, one[1].high), (0.0, 1.0));
        assert_eq!((one[0].low, one[0].high), (0.0, 1.0));
        assert_eq!(survival(&[]).len(), 1);
        // Those who were cut off before bear nothing of a step at which all others fail.
        let (all, two) = (survival(&[(1, false), (2, true), (2, true)]), survival(&[(2, true); 2]));
        assert_eq!((all[1].at_risk, all[1].high), (2, two[1].high));
    }
}
