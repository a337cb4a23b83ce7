//! Fewer of something that still shows what it showed: the one core of all shrinking.

/// What came of a try with fewer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tried<T> {
    /// It still shows it; these are left: what was tried, or less.
    Keeps(Vec<T>),
    /// It shows it no more.
    Loses,
    /// No further try can be afforded.
    Stop,
}

/// Takes away halves, then ever smaller pieces, then single ones until none can go: what is left
/// is 1-minimal, unless `tries` said to stop. Greedy from the front, so it is the same every time.
pub(crate) fn reduce<T: Clone>(all: &[T], tries: &mut dyn FnMut(&[T]) -> Tried<T>) -> Vec<T> {
    let mut best = all.to_vec();
    let mut piece = best.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        let mut fewer = false;
        while at < best.len() {
            let end = (at + piece).min(best.len());
            match tries(&[&best[..at], &best[end..]].concat()) {
                Tried::Keeps(left) => {
                    assert!(left.len() < best.len(), "what is kept is fewer");
                    best = left;
                    fewer = true;
                }
                Tried::Loses => at = end,
                Tried::Stop => return best,
            }
        }
        // One that could not go may go once another is gone.
        if piece > 1 || !fewer {
            piece /= 2;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(all: &[u32], keeps: impl Fn(&[u32]) -> bool) -> (Vec<u32>, u32) {
        let mut tries = 0;
        let left = reduce(all, &mut |fewer| {
            tries += 1;
            if keeps(fewer) { Tried::Keeps(fewer.to_vec()) } else { Tried::Loses }
        });
        (left, tries)
    }

    #[test]
    fn only_what_is_needed_is_left() {
        let all: Vec<u32> = (0..1000).collect();
        let (left, tries) = reduced(&all, |some| [3, 500, 999].iter().all(|n| some.contains(n)));
        assert_eq!(left, [3, 500, 999]);
        assert!(tries < 120, "{tries}");
        assert_eq!(reduced(&all, |_| true).0, [0; 0]);
        assert_eq!(reduced(&[], |_| true), (vec![], 0));
    }

    #[test]
    fn one_that_can_only_go_behind_another_goes() {
        // n can go where n + 1 is gone, so the first pass takes away the last one alone.
        let all: Vec<u32> = (0..5).collect();
        let keeps = |some: &[u32]| some.iter().all(|n| *n == 0 || some.contains(&(n - 1)));
        assert_eq!(reduced(&all, |some| keeps(some) && some.contains(&0)).0, [0]);
        let gaps = |some: &[u32]| (0..some.len() as u32).all(|n| some.contains(&n));
        assert_eq!(reduced(&all, |some| gaps(some) && some.contains(&0)).0, [0]);
    }

    #[test]
    fn it_stops_when_told_to_with_the_best_so_far() {
        let mut tries = 0;
        let left = reduce(&[1, 2, 3, 4], &mut |fewer| {
            tries += 1;
            if tries > 1 { Tried::Stop } else { Tried::Keeps(fewer.to_vec()) }
        });
        assert_eq!((left, tries), (vec![3, 4], 2));
    }
}
