//! Two samples by their ranks alone.

/// The most values that are gone through exactly: of 20 there are 184 756 ways to pick 10.
const MOST: usize = 24;

/// What the ranks of two samples say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct RankSum {
    /// How likely at least so uneven a split of the ranks is, did the label not matter: two-sided.
    pub(super) p: f64,
    /// How likely a value of the second sample is above one of the first, ties counted half
    /// (Vargha and Delaney's A): 0.5 where neither is larger.
    pub(super) above: f64,
}

/// The test of Wilcoxon, Mann and Whitney, exact also where values tie: every way to deal the
/// values out is counted, so it costs (n choose first.len()).
///
/// None where a sample is empty, a value is no number, or there are more than 24 values.
pub(super) fn rank_sum(first: &[f64], second: &[f64]) -> Option<RankSum> {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let empty = first.is_empty() || second.is_empty();
    if empty || all.len() > MOST || all.iter().any(|value| value.is_nan()) {
        return None;
    }
    // Twice the middle rank of each value is whole, ties or not.
    let twice = |value: f64| {
        let below = all.iter().filter(|other| **other < value).count() as u64;
        let same = all.iter().filter(|other| **other == value).count() as u64;
        2 * below + same + 1
    };
    let ranks: Vec<u64> = all.iter().map(|value| twice(*value)).collect();
    let expected = first.len() as u64 * (all.len() as u64 + 1);
    let seen: u64 = ranks[..first.len()].iter().sum();
    let (mut ways, mut as_uneven) = (0_u64, 0_u64);
    for chosen in 0_u32..1 << all.len() {
        if chosen.count_ones() as usize == first.len() {
            let sum = (0..).zip(&ranks).filter(|(at, _)| chosen >> at & 1 == 1);
            let sum: u64 = sum.map(|(_, rank)| rank).sum();
            ways += 1;
            as_uneven += u64::from(sum.abs_diff(expected) >= seen.abs_diff(expected));
        }
    }
    let pairs = (first.len() * second.len()) as f64;
    let above = first.iter().flat_map(|a| second.iter().map(move |b| (a, b)));
    let above: f64 = above.map(|(a, b)| if b > a { 1.0 } else { 0.5 * f64::from(b == a) }).sum();
    Some(RankSum { p: as_uneven as f64 / ways as f64, above: above / pairs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Of the 20 ways to pick three of six, one is as low and one as high.
        let apart = rank_sum(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap();
        assert_eq!(apart, RankSum { p: 0.1, above: 1.0 });
        // 1 + 4 against 2 + 3: the middle.
        let even = rank_sum(&[1.0, 4.0], &[2.0, 3.0]).unwrap();
        assert_eq!(even, RankSum { p: 1.0, above: 0.5 });
        // Ranks 1.5, 1.5 | 3.5, 3.5: of six ways one is as low and one as high.
        let tied = rank_sum(&[0.0, 0.0], &[1.0, 1.0]).unwrap();
        assert_eq!(tied, RankSum { p: 2.0 / 6.0, above: 1.0 });
        assert_eq!(rank_sum(&[5.0; 3], &[5.0; 4]).unwrap(), RankSum { p: 1.0, above: 0.5 });
    }

    #[test]
    fn ten_against_ten_as_in_the_tables() {
        // The critical U of the two-sided test at 5 % is 23 for 10 and 10.
        let first: Vec<f64> = (0..10).map(f64::from).collect();
        let with = |u: f64| {
            // Nine of the second are above all of the first, and one is above 10 - u of them.
            let mut second = vec![20.0; 9];
            second.push(9.5 - u);
            rank_sum(&first, &second).unwrap()
        };
        assert!((with(3.0).above - 0.97).abs() < 1e-9);
        assert!(with(3.0).p < 0.001);
        let second: Vec<f64> = (0..10).map(|n| f64::from(n) + 3.5).collect();
        let shifted = rank_sum(&first, &second).unwrap();
        // U = 1 + 2 + .. + 6 + 7 = 21 or 28 values out of order, counted: the sum over the second
        // of those of the first that are above it.
        let out_of_order: usize =
            second.iter().map(|b| first.iter().filter(|a| *a > b).count()).sum();
        assert_eq!(out_of_order, 6 + 5 + 4 + 3 + 2 + 1);
        assert!(shifted.p < 0.05 && shifted.p > 0.02, "{shifted:?}");
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        assert_eq!(rank_sum(&[], &[1.0]), None);
        assert_eq!(rank_sum(&[f64::NAN], &[1.0]), None);
        assert_eq!(rank_sum(&[1.0; 13], &[2.0; 12]), None);
    }
}
