//! Whether a placement is one: by who made none.

use std::collections::BTreeMap;

use super::Boxed;

/// Looks through a placement: each box at its offset, within so many pages.
///
/// # Panics
/// Where one is not on its align, ends above `pages`, or shares a page with another at some time.
pub(super) fn check(boxes: &[Boxed], offsets: &[u64], pages: u64) {
    assert_eq!(boxes.len(), offsets.len(), "each box has a place");
    let mut events = Vec::with_capacity(2 * boxes.len());
    for (index, one) in boxes.iter().enumerate() {
        events.push((one.to, false, index));
        events.push((one.from, true, index));
    }
    // What ends at a time is gone then.
    events.sort_unstable();
    let mut live = BTreeMap::new();
    for (_, is_start, index) in events {
        let (one, offset) = (&boxes[index], offsets[index]);
        if !is_start {
            live.remove(&offset);
            continue;
        }
        let end = offset + one.count;
        assert!(offset.is_multiple_of(1 << one.align) && end <= pages, "{one:?} at {offset}");
        let below = live.range(..end).next_back();
        assert!(below.is_none_or(|(_, end)| *end <= offset), "{one:?} at {offset}: {below:?}");
        live.insert(offset, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn boxed(from: u64, to: u64, count: u64, align: u32) -> Boxed {
        Boxed { from, to, whole_to: to, count, align }
    }

    #[test]
    fn a_page_may_be_had_again_once_it_is_given_back() {
        let boxes = [boxed(0, 2, 4, 2), boxed(1, 3, 3, 0), boxed(2, 5, 4, 2), boxed(2, 4, 1, 0)];
        check(&boxes, &[4, 0, 4, 3], 8);
    }

    #[test]
    fn what_is_no_placement_is_found() {
        let boxes = [boxed(0, 2, 4, 2), boxed(1, 3, 3, 0)];
        for (offsets, pages) in [([0, 3], 8), ([4, 2], 8), ([2, 6], 9), ([0, 4], 6), ([0, 0], 4)] {
            let looked = std::panic::catch_unwind(|| check(&boxes, &offsets, pages));
            assert!(looked.is_err(), "{offsets:?} in {pages}");
        }
    }
}
