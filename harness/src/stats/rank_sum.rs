//! Which of two groups has the larger values: Mann-Whitney's rank sum, exact.

/// Two-sided p of the rank sum of `first` against `second` under every way to deal the values to two
/// groups of these sizes: exact with ties too (midranks). 1 where a group is empty.
///
/// ```
/// // All three above all three: two of the twenty ways to deal are as extreme.
/// let p = cma_harness::stats::rank_sum(&[4, 5, 6], &[1, 2, 3]);
/// assert!((p - 0.1).abs() < 1e-12);
/// ```
#[must_use]
pub fn rank_sum(first: &[u64], second: &[u64]) -> f64 {
    let (m, n) = (first.len(), second.len());
    if m == 0 || n == 0 {
        return 1.0;
    }
    // Twice the midrank of each value, so that ties stay whole.
    let all: Vec<u64> = first.iter().chain(second).copied().collect();
    let rank = |value: u64| {
        let below = all.iter().filter(|other| **other < value).count();
        let equal = all.iter().filter(|other| **other == value).count();
        2 * below + equal + 1
    };
    let ranks: Vec<usize> = all.iter().map(|value| rank(*value)).collect();
    let observed: usize = ranks[..m].iter().sum();
    let most: usize = ranks.iter().sum();
    // ways[k][s]: ways to pick k of the values so far with this sum of ranks.
    let mut ways = vec![vec![0.0_f64; most + 1]; m + 1];
    ways[0][0] = 1.0;
    for rank in ranks {
        for picked in (1..=m).rev() {
            let (fewer, more) = ways.split_at_mut(picked);
            for sum in rank..=most {
                more[0][sum] += fewer[picked - 1][sum - rank];
            }
        }
    }
    // The distribution is symmetric about m (m + n + 1), in doubled ranks.
    let middle = m * (m + n + 1);
    let off = observed.abs_diff(middle);
    let total: f64 = ways[m].iter().sum();
    let extreme = ways[m].iter().enumerate().filter(|(sum, _)| sum.abs_diff(middle) >= off);
    extreme.map(|(_, ways)| ways).sum::<f64>() / total
}

#[cfg(test)]
mod tests {
    use super::rank_sum;

    fn near(first: &[u64], second: &[u64], expected: f64) {
        let p = rank_sum(first, second);
        assert!((p - expected).abs() < 1e-9, "{p}, not {expected}");
        assert!((rank_sum(second, first) - p).abs() < 1e-9, "either way round");
    }

    #[test]
    fn counted_by_hand() {
        // Six deals of four values; {1, 2} and {3, 4} are the extremes.
        near(&[1, 2], &[3, 4], 2.0 / 6.0);
        // {1, 4} and {2, 3} are the middle: every deal is as extreme.
        near(&[1, 4], &[2, 3], 1.0);
        near(&[5, 5], &[5, 5], 1.0);
        near(&[], &[1], 1.0);
        // Values 1, 1, 2: the group of one is {2} in one deal of three; the others are nearer.
        near(&[2], &[1, 1], 1.0 / 3.0);
    }

    #[test]
    fn the_published_table_for_ten_and_ten() {
        // All ten above all ten: 2 of binomial(20, 10) = 184756.
        let (low, high): (Vec<_>, Vec<_>) = ((0..10).collect(), (10..20).collect());
        near(&low, &high, 2.0 / 184_756.0);
        // U = 23 is the critical value at 0.05, two-sided: p <= 0.05 there and above at 24.
        let with_u = |u: u64| {
            // Nine of the first stay below all; the other passes u of the second, and so on.
            let mut first: Vec<u64> = (0..10).map(|value| value * 100).collect();
            let second: Vec<u64> = (0..10).map(|value| 1000 + value * 100).collect();
            for at in (0..10).rev() {
                let passed = u.saturating_sub((9 - at as u64) * 10).min(10);
                if passed > 0 {
                    first[at] = 950 + passed * 100 + at as u64;
                }
            }
            rank_sum(&first, &second)
        };
        assert!(with_u(23) <= 0.05, "{}", with_u(23));
        assert!(with_u(24) > 0.05, "{}", with_u(24));
    }
}
