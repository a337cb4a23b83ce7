//! Which of several candidates are proven, with 95 % for the choice as a whole.
//!
//! A p of 5 % each proves one of twenty that are all too bad. These hold the chance of *any* false
//! proof at `miss`, however the candidates depend on each other: they share their streams.

/// How many of `ps`, in the order given before anything was seen, are proven: all until the first
/// p above `miss`. The order has to come from the plan, from the dearest down, not from the
/// results.
pub fn fixed_order(ps: &[f64], miss: f64) -> usize {
    ps.iter().take_while(|p| **p <= miss).count()
}

/// How many of each chain are proven: [`fixed_order`] within each, `miss` shared evenly between
/// the chains. A chain that is proven to its end leaves its part to those that are not.
///
/// For a false proof one of the chains with a candidate that is too bad would have to pass the
/// first of those; with k such chains none of them has been proven to its end before, so each is
/// tested at `miss / k` at most: together `miss`.
pub fn chains(ps: &[Vec<f64>], miss: f64) -> Vec<usize> {
    let finished =
        |proven: &[usize]| proven.iter().zip(ps).filter(|(n, ps)| **n == ps.len()).count();
    let mut proven = vec![0; ps.len()];
    loop {
        let before = finished(&proven);
        let share = miss / (ps.len() - before).max(1) as f64;
        for (count, chain) in proven.iter_mut().zip(ps) {
            *count += fixed_order(&chain[*count..], share);
        }
        if finished(&proven) == before {
            return proven;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::stats::rate::mtbf_p;

    #[test]
    fn the_first_that_fails_ends_the_order() {
        assert_eq!(fixed_order(&[0.01, 0.05, 0.06, 0.001], 0.05), 2);
        assert_eq!(fixed_order(&[0.06, 0.001], 0.05), 0);
        assert_eq!(fixed_order(&[], 0.05), 0);
    }

    #[test]
    fn a_finished_chain_leaves_its_part() {
        // 2.5 % each: the second stops at 0.04, until the first is through.
        let ps = [vec![0.01, 0.02], vec![0.02, 0.04, 0.2]];
        assert_eq!(chains(&ps, 0.05), [2, 2]);
        let ps = [vec![0.01, 0.03], vec![0.02, 0.04, 0.2]];
        assert_eq!(chains(&ps, 0.05), [1, 1]);
        // An empty chain takes no part.
        assert_eq!(chains(&[vec![], vec![0.04]], 0.05), [0, 1]);
        assert_eq!(chains(&[], 0.05), [0; 0]);
    }

    /// The MTBF of the candidates of three chains in units of the target, from the dearest.
    const MTBF: [[f64; 4]; 3] =
        [[9.0, 6.0, 0.999, 0.9], [8.0, 0.999, 0.95, 0.5], [0.999, 0.98, 0.9, 0.4]];

    /// The p of each candidate after 16 streams as long as the target; with `common` draws each
    /// stream meets the same luck in all of them.
    fn ps(sweep: u64, common: bool) -> Vec<Vec<f64>> {
        let candidate = |index: u64, mtbf: f64| {
            let of = if common { 0 } else { index };
            let mut draws = Seed::new(sweep).child("choice", of).rng();
            let (mut failures, mut at_risk) = (0, 0.0);
            for _ in 0..16 {
                let age = -libm::log(1.0 - draws.unit()) * mtbf;
                failures += u64::from(age < 1.0);
                at_risk += age.min(1.0);
            }
            mtbf_p(failures, at_risk, 1.0)
        };
        let chain = |(at, chain): (usize, &[f64; 4])| {
            (0..).zip(chain).map(|(n, mtbf)| candidate(at as u64 * 4 + n, *mtbf)).collect()
        };
        MTBF.iter().enumerate().map(chain).collect()
    }

    #[test]
    fn the_choice_as_a_whole_is_wrong_in_at_most_5_percent() {
        for common in [true, false] {
            let (mut by_chains, mut each, mut good) = (0, 0, 0);
            for sweep in 0..2000 {
                let ps = ps(sweep, common);
                let all = ps.concat();
                let bad = |index: usize| MTBF.as_flattened()[index] < 1.0;
                let proven = chains(&ps, 0.05);
                let met = [2, 1, 0];
                by_chains += u32::from(proven.iter().zip(met).any(|(n, met)| *n > met));
                good += u32::from(proven[0] >= 2);
                each += u32::from((0..12).any(|index| bad(index) && all[index] <= 0.05));
            }
            assert!(by_chains <= 129, "{by_chains} of 2000");
            assert!(good >= 1500, "{good} of 2000");
            // Why it is needed: twenty tests each for itself do not hold what they say.
            assert!(common || each > 200, "{each} of 2000");
        }
    }
}
