//! Whether a policy is worse for requests of some size, however good it looks over all of them.

use super::streams::{CLASS_NAMES, Streams};
use crate::metric::CLASSES;
use crate::seed::Seed;
use crate::stats::{Bootstrap, Within, mcnemar, sign_counts};

/// Streams below which no interval is asked: there it is enough that some stream is worse, and none
/// better.
const FEW: usize = 8;

/// The size classes in which `own` refuses more than `base` does, or refuses more with enough pages
/// free: of the requests of that class, stream by stream. A policy that refuses the large ones may
/// have a lower rate over all sizes, and meets a fuller area as exhausted later; so both are looked
/// at, in each class, and what it never grants.
///
/// With few streams a class counts if some stream is worse and none better; otherwise if the lower
/// end of the interval of the paired difference lies above zero: one-sided at 97.5 %, not corrected
/// for the number of classes, since it warns, and a warning too many costs less than one too few.
pub(super) fn worse_classes(
    own: Streams<'_>,
    base: Streams<'_>,
    bootstrap: &Bootstrap,
    seed: &Seed,
) -> Vec<usize> {
    let worse = |class: &usize| {
        ["refused", "withheld"].into_iter().any(|what| {
            let pairs = shares(own, what, *class).into_iter().zip(shares(base, what, *class));
            let differences: Vec<f64> =
                pairs.filter_map(|(own, base)| own.zip(base)).map(|(a, b)| a - b).collect();
            is_above_zero(&differences, bootstrap, seed)
        })
    };
    let never = never_grants(own, base);
    (0..CLASSES.len()).filter(|class| never == Some(*class) || worse(class)).collect()
}

/// The size class of the largest requests, where `own` never grants sizes that `base` does. A policy
/// that refuses from some size on may fare better with the rest of that class, by so much that it
/// refuses fewer in all of it.
///
/// With few streams it is enough that the largest grant of some stream is smaller and of none
/// larger; otherwise that this is no chance (the sign test, one-sided at 97.5 %).
fn never_grants(own: Streams<'_>, base: Streams<'_>) -> Option<usize> {
    let base = base.counts("granted_max_pages").map(Option::unwrap_or_default);
    let pairs: Vec<_> = own.counts("granted_max_pages").zip(base).collect();
    let smaller = pairs.iter().map(|&(own, base)| own.unwrap_or(0) < base);
    let larger = pairs.iter().map(|&(own, base)| own.unwrap_or(0) > base);
    let (smaller, larger) = sign_counts(smaller.zip(larger));
    let sure = if pairs.len() < FEW { larger == 0 } else { mcnemar(smaller, larger) <= 0.05 };
    let largest = pairs.into_iter().map(|(_, base)| base).max()?;
    let class = CLASSES.iter().position(|&(_, most)| largest <= most);
    class.filter(|_| smaller > larger && sure)
}

/// Requests refused so of all of this class, stream by stream; none where there is none.
fn shares(streams: Streams<'_>, what: &str, class: usize) -> Vec<Option<f64>> {
    let class = CLASS_NAMES[class];
    let part = streams.numbers(&format!("{what}_{class}"));
    let whole = streams.numbers(&format!("requests_{class}"));
    let share = |(part, whole): (Option<f64>, Option<f64>)| {
        let (part, whole) = part.zip(whole)?;
        (whole > 0.0).then(|| part / whole)
    };
    part.into_iter().zip(whole).map(share).collect()
}

fn is_above_zero(differences: &[f64], bootstrap: &Bootstrap, seed: &Seed) -> bool {
    if !differences.iter().any(|difference| *difference > 0.0) {
        return false;
    }
    if differences.len() < FEW {
        return differences.iter().all(|difference| *difference >= 0.0);
    }
    let found = if differences.len() == bootstrap.streams() {
        bootstrap.mean_interval(differences, Within::Difference)
    } else {
        Bootstrap::new(differences.len(), seed).mean_interval(differences, Within::Difference)
    };
    found.is_some_and(|(_, interval)| interval.low > Some(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn above(differences: &[f64]) -> bool {
        let seed = Seed::new(1);
        is_above_zero(differences, &Bootstrap::new(differences.len(), &seed), &seed)
    }

    #[test]
    fn few_streams_count_if_some_are_worse_and_none_better() {
        assert!(above(&[0.1]));
        assert!(above(&[0.0, 0.1, 0.0]));
        assert!(!above(&[0.0, 0.1, -0.01]));
        assert!(!above(&[0.0; 5]));
        assert!(!above(&[]));
    }

    #[test]
    fn many_streams_count_if_it_is_no_chance() {
        // Worse in all by a tenth; by as much either way; in one of 32.
        assert!(above(&[0.1; 32]));
        let either: Vec<f64> = (0..32).map(|n| if n % 2 == 0 { 0.11 } else { -0.09 }).collect();
        assert!(!above(&either));
        let mut one = [0.0; 32];
        one[5] = 0.4;
        assert!(!above(&one));
        let some: Vec<f64> = (0..32).map(|n| if n % 2 == 0 { 0.1 } else { 0.0 }).collect();
        assert!(above(&some));
    }
}
