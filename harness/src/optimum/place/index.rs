//! Boxes by time, so that those which one meets are found at once.

use super::super::Boxed;
use super::{Looks, Placed};

/// Boxes between two of which it is noted what is live.
const EACH: usize = 64;

/// An offset of what is not placed.
const NOWHERE: u64 = u64::MAX;

/// Boxes in order of time.
pub(super) struct Index<'a> {
    boxes: &'a [Boxed],
    /// What lived before each [`EACH`]th box and still does when it comes.
    before: Vec<Vec<u32>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(boxes: &'a [Boxed]) -> Self {
        let (mut live, mut before) = (Vec::new(), Vec::new());
        for (index, one) in (0_u32..).zip(boxes) {
            if (index as usize).is_multiple_of(EACH) {
                live.retain(|index| boxes[*index as usize].to > one.from);
                before.push(live.clone());
            }
            live.push(index);
        }
        Self { boxes, before }
    }

    /// First fit in this order within so many pages; else the number in the order of the box that
    /// found no room, or none where no more looks may be spent.
    pub(super) fn first_fit(
        &self,
        order: &[u32],
        pages: u64,
        looks: &mut Looks,
    ) -> Result<Placed, Option<usize>> {
        let mut offsets = vec![NOWHERE; self.boxes.len()];
        let (mut spans, mut end) = (Vec::new(), 0);
        for (at, index) in order.iter().map(|index| *index as usize).enumerate() {
            let looked = self.meet(index, &offsets, &mut spans);
            if !looks.spend(looked) {
                return Err(None);
            }
            spans.sort_unstable_by_key(|(start, _)| *start);
            let one = &self.boxes[index];
            let offset = lowest(&spans, one).filter(|offset| offset + one.count <= pages);
            offsets[index] = offset.ok_or(Some(at))?;
            end = end.max(offsets[index] + one.count);
        }
        Ok(Placed { offsets, pages: end })
    }

    /// Puts what is placed and meets this box into `spans`. The boxes that were looked at, those
    /// that have to be sorted four times.
    fn meet(&self, index: usize, offsets: &[u64], spans: &mut Vec<(u64, u64)>) -> usize {
        let one = &self.boxes[index];
        spans.clear();
        let earlier = &self.before[index / EACH];
        let earlier = earlier.iter().map(|other| *other as usize);
        let mut looked = 0;
        let mut look = |other: usize| {
            looked += 1;
            if offsets[other] != NOWHERE && other != index && self.boxes[other].meets(one) {
                spans.push((offsets[other], offsets[other] + self.boxes[other].count));
            }
        };
        earlier.chain(index / EACH * EACH..index).for_each(&mut look);
        let later = self.boxes[index..].iter().take_while(|other| other.from < one.to);
        (index..).zip(later).for_each(|(other, _)| look(other));
        looked + 4 * spans.len()
    }
}

/// The lowest place of a box beside these spans, which are in order.
pub(super) fn lowest(spans: &[(u64, u64)], one: &Boxed) -> Option<u64> {
    let step = 1 << one.align;
    let mut offset = 0;
    for (start, end) in spans {
        if offset + one.count <= *start {
            break;
        }
        offset = offset.max(end.next_multiple_of(step));
    }
    Some(offset)
}
