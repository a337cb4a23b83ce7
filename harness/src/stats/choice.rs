//! Which of several candidates are proven, with 95 % for the choice as a whole.
//!
//! A p of 5 % each proves one of twenty that are all too bad. These hold the chance of *any* false
//! proof at `miss`, however the candidates depend on each other: they share their streams.

/// How many of `ps`, in the order given before anything was seen, are proven: all until the first
/// p above `miss`. The order has to come from the plan, from the dearest down, not from the
/// results.
#[must_use]
pub fn fixed_order(ps: &[f64], miss: f64) -> usize {
    ps.iter().take_while(|p| **p <= miss).count()
}

/// Which of `ps` are proven, in any order (Holm, 1979).
#[must_use]
pub fn holm_proven(ps: &[f64], miss: f64) -> Vec<bool> {
    super::holm(ps).into_iter().map(|p| p <= miss).collect()
}

/// How many of each chain are proven: [`fixed_order`] within each, `miss` shared evenly between
/// the chains. A chain that is proven to its end leaves its part to those that are not.
///
/// For a false proof one of the chains with a candidate that is too bad would have to pass the
/// first of those; with k such chains none of them has been proven to its end before, so each is
/// tested at `miss / k` at most: together `miss`.
#[must_use]
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
