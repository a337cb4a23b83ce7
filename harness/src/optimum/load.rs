//! What is needed at some moment, by orders.

use super::Boxed;

/// Moments that are looked at more closely.
const PEAKS: usize = 8;

/// Boxes between two of them.
const APART: usize = 8;

/// What moments by themselves need.
pub(super) struct Needed {
    pub(super) load_pages: u64,
    pub(super) aligned_load_pages: u64,
    pub(super) lower_pages: u64,
    /// Boxes at whose request most was needed, the highest first.
    pub(super) peaks: Vec<usize>,
}

impl Needed {
    /// Of boxes that are a number of pages even one above the other.
    pub(super) fn of(boxes: &[Boxed], granule: u32) -> Self {
        let course = Course::of(boxes);
        let load = course.of_weights(|one| one.count);
        let load_pages = load.iter().copied().max().unwrap_or(0);
        let mut needed = Self {
            load_pages,
            aligned_load_pages: load_pages,
            lower_pages: load_pages,
            peaks: Vec::new(),
        };
        let mut highest = load;
        let most = boxes.iter().map(|one| one.align).max().unwrap_or(granule);
        for order in granule..=most {
            let slots = course.of_weights(|one| slots(one, order));
            let most = slots.into_iter().max().unwrap_or(0);
            let cut = (1 << order) - (1 << granule);
            needed.aligned_load_pages = needed.aligned_load_pages.max(most.saturating_sub(cut));
            let tail = tail(boxes, order);
            let course = course.of_weights(|one| beside_tails(one, order, tail));
            let most = course.iter().copied().max().unwrap_or(0).saturating_sub(tail);
            if most > needed.lower_pages {
                (needed.lower_pages, highest) = (most, course);
            }
        }
        needed.peaks = peaks(&highest);
        needed
    }
}

/// Pages of the slots of 2^order pages of a box of that align or above.
fn slots(one: &Boxed, order: u32) -> u64 {
    match one.align >= order {
        true => one.rounded(order).expect("all boxes are a number of pages"),
        false => 0,
    }
}

/// The most that is left of the last slot of a box.
fn tail(boxes: &[Boxed], order: u32) -> u64 {
    let aligned = boxes.iter().filter(|one| one.align >= order);
    aligned.map(|one| slots(one, order) - one.count).max().unwrap_or(0)
}

/// Pages that a box takes out of those which no other box of this order can have. A box below the
/// order may begin in the tail of one slot, on its own align; it ends before the next aligned box,
/// which begins with a slot. So what it has beyond the longest tail is in slots of its own. The
/// area may end without the last tail.
fn beside_tails(one: &Boxed, order: u32, tail: u64) -> u64 {
    match one.align >= order {
        true => slots(one, order),
        false => one.count.saturating_sub(tail >> one.align << one.align),
    }
}

/// Boxes as they come and go.
struct Course<'a> {
    boxes: &'a [Boxed],
    /// When, whether it comes, and its number.
    events: Vec<(u64, bool, u32)>,
}

impl<'a> Course<'a> {
    fn of(boxes: &'a [Boxed]) -> Self {
        let mut events = Vec::with_capacity(2 * boxes.len());
        for (index, one) in (0..).zip(boxes) {
            events.push((one.from, true, index));
            events.push((one.whole_to, false, index));
        }
        // What goes at the time at which something comes is gone first.
        events.sort_unstable();
        Self { boxes, events }
    }

    /// For each box what all that is live weighs once it has come.
    fn of_weights(&self, weight: impl Fn(&Boxed) -> u64) -> Vec<u64> {
        let mut course = vec![0; self.boxes.len()];
        let mut now = 0;
        for &(_, comes, index) in &self.events {
            let weight = weight(&self.boxes[index as usize]);
            if comes {
                now += weight;
                course[index as usize] = now;
            } else {
                now -= weight;
            }
        }
        course
    }
}

/// The highest of a course, apart from each other.
fn peaks(course: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..course.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(course[*index]), *index));
    let mut peaks: Vec<usize> = Vec::new();
    for index in order {
        if peaks.iter().all(|peak| peak.abs_diff(index) >= APART) {
            peaks.push(index);
        }
        if peaks.len() == PEAKS {
            break;
        }
    }
    peaks
}
