//! Boards that differ in size alone.

use crate::board::Board;

/// Whether two boards differ in size alone.
pub(in crate::answer) fn is_like(one: &Board, other: &Board) -> bool {
    let same_areas = one.areas.len() == other.areas.len()
        && one.areas.iter().zip(&other.areas).all(|(a, b)| {
            let policy = |policy: &Option<_>| policy.as_ref().map(cma_policies::Spec::to_string);
            a.area.order_per_bit() == b.area.order_per_bit()
                && a.clients == b.clients
                && policy(&a.policy) == policy(&b.policy)
        });
    same_areas && one.caller == other.caller && one.callers == other.callers
}

/// Whether no area of `one` is smaller than that of `other`, which is like it.
pub(in crate::answer) fn is_as_large(one: &Board, other: &Board) -> bool {
    let mut areas = one.areas.iter().zip(&other.areas);
    areas.all(|(one, other)| one.area.pages() >= other.area.pages())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::BoardArea;
    use cma_policies::{Area, builtin};

    fn board(sizes: [u64; 2]) -> Board {
        let area = |(index, pages): (usize, u64)| BoardArea {
            area: Area::single(index as u64 * 100_000, pages, 0).unwrap(),
            clients: if index == 0 { Vec::new() } else { vec!["vpu".to_string()] },
            policy: None,
        };
        let areas = sizes.into_iter().enumerate().map(area).collect();
        Board { areas, ..Board::single("x", Area::single(0, 1, 0).unwrap()) }
    }

    #[test]
    fn boards_that_differ_in_more_than_size_are_not_alike() {
        let (small, large) = (board([300, 200]), board([300, 400]));
        assert!(is_like(&small, &large));
        assert!(is_as_large(&large, &small) && !is_as_large(&small, &large));
        assert!(is_as_large(&small, &small));
        // The sum grows, but the pool shrinks.
        assert!(!is_as_large(&board([900, 100]), &small));
        let mut other = board([300, 400]);
        other.areas[1].clients = vec!["gpu".to_string()];
        assert!(!is_like(&small, &other));
        let mut other = board([300, 400]);
        other.areas[1].policy = Some(builtin::catalog().parse("best-fit").unwrap());
        assert!(!is_like(&small, &other));
        other.areas.pop();
        assert!(!is_like(&small, &other));
    }
}
