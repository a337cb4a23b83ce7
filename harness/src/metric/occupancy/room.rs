//! What an area has left: pages, and holes.

use crate::oracle::Model;

/// Orders of which the longest usable hole is kept: the kernel's cap is 12 at most.
const ORDERS: usize = 13;

/// What is free of an area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    /// Pages.
    pub free_pages: u64,
    /// Pages of the longest hole.
    pub longest_run: u64,
    /// By the order of an alignment, pages of the longest free run from a start aligned so.
    usable: [u64; ORDERS],
    /// Whether it is less than it was at first, for a refusal.
    lowered: bool,
}

impl Room {
    /// That of an area as it is.
    pub(super) fn of(model: &Model) -> Self {
        Self {
            free_pages: model.free_pages(),
            longest_run: model.longest_run(),
            usable: std::array::from_fn(|order| model.longest_usable(order as u32)),
            lowered: false,
        }
    }

    /// That of an area of `pages` with nothing in it.
    pub(super) const fn whole(pages: u64) -> Self {
        Self { free_pages: pages, longest_run: pages, usable: [pages; ORDERS], lowered: false }
    }

    /// Is no more than what a refusal met that `next`, of a later moment, is of.
    pub(super) fn join(&mut self, next: &Self) {
        if !next.lowered {
            return;
        }
        self.lowered = true;
        self.free_pages = self.free_pages.min(next.free_pages);
        self.longest_run = self.longest_run.min(next.longest_run);
        self.usable = std::array::from_fn(|order| self.usable[order].min(next.usable[order]));
    }

    /// Is no more than what `model` has now, of usable holes at this order alone.
    pub(super) fn lower(&mut self, model: &Model, order: u32) {
        self.lowered = true;
        self.free_pages = self.free_pages.min(model.free_pages());
        self.longest_run = self.longest_run.min(model.longest_run());
        if let Some(usable) = self.usable.get_mut(order as usize) {
            *usable = (*usable).min(model.longest_usable(order));
        }
    }

    /// Pages of the longest free run from a start aligned to `order`; none of an order that no cap
    /// of the kernel makes.
    pub(crate) fn longest_usable(&self, order: u32) -> Option<u64> {
        self.usable.get(order as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use cma_policies::{Area, Request, Run};

    use super::*;

    #[test]
    fn room_is_by_order_and_keeps_what_a_refusal_met() {
        let mut model = Model::new(Area::single(0, 32, 0).unwrap());
        let whole = Room::of(&model);
        model.grant(1, Request::new(5, 0).unwrap(), Run::new(0, 5));
        model.grant(2, Request::new(8, 0).unwrap(), Run::new(24, 8));
        let some = Room::of(&model);
        // 5 to 24: from 8 on at order 3, from 16 on at order 4, nothing at order 5.
        let usable = |room: &Room| [0, 3, 4, 5].map(|order| room.longest_usable(order).unwrap());
        assert_eq!((some.free_pages, some.longest_run, usable(&some)), (19, 19, [19, 16, 8, 0]));
        assert_eq!(some.longest_usable(13), None);
        let mut lowered = whole.clone();
        lowered.lower(&model, 3);
        assert_eq!((lowered.free_pages, usable(&lowered)), (19, [32, 16, 32, 32]));
        // What follows without a refusal is another moment; a refusal is none that gets lost.
        let joined = |next: &Room| {
            let mut room = whole.clone();
            room.join(next);
            (room.free_pages, usable(&room))
        };
        assert_eq!(joined(&some), (32, [32; 4]));
        assert_eq!(joined(&lowered), (19, [32, 16, 32, 32]));
    }
}
