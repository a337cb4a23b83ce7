//! The pages of areas as events change them.

use std::sync::Arc;

use cma_policies::Run;

use super::super::followed::Followed;
use super::super::state::{AreaState, GUARANTEED_ALIGN};
use super::{Areas, Track};
use crate::ingest::Geometry;

/// A driver that gives parts of its buffers back to an area with bits of several pages.
#[derive(Clone, Debug)]
pub(crate) struct Parted {
    pub(crate) area: Option<Arc<str>>,
    /// The order of one bit.
    pub(crate) order_per_bit: u32,
    /// That order is stated, not concluded from where buffers went.
    pub(crate) is_stated: bool,
}

/// What a state by a trace rests on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Basis {
    /// The bitmap that it began with is in another source: which came first is not stated.
    pub(crate) apart: bool,
    /// Where the area lies is concluded from its first grant: it may have several ranges.
    pub(crate) inferred: bool,
    /// So is the order of its bits, from where its buffers went.
    pub(crate) is_order_inferred: bool,
}

impl Areas {
    /// The live buffers of an area, begun from its bitmap where that is newer.
    fn follow(&mut self, area: Option<&Arc<str>>) -> Option<&mut Track> {
        let index = self.place(area, None)?;
        let is_fresh = self.tracks[index].fresh;
        let state = if is_fresh { self.snapshot(area, &Geometry::default()) } else { None };
        let track = &mut self.tracks[index];
        if is_fresh {
            track.fresh = false;
            track.live = state.as_deref().and_then(Followed::of);
            track.snapshot = None;
        }
        track.live.get_or_insert_default();
        Some(track)
    }

    /// A call begins in an area with so many free pages. `alone`: no other call is in flight.
    pub(crate) fn begun(
        &mut self,
        area: Option<&Arc<str>>,
        available: Option<u64>,
        total: Option<u64>,
        alone: bool,
    ) -> bool {
        let (Some(available), Some(total)) = (available, total) else { return true };
        let Some(track) = self.follow(area) else { return true };
        if track.layout.total != Some(total) {
            track.snapshot = None;
        }
        track.layout.total = Some(total);
        track.is_total_stated = true;
        let Some(live) = &mut track.live else { return true };
        if available == total && alone {
            *live = Followed::empty();
            track.snapshot = None;
            track.apart = false;
            live.begins = track.layout.base(0).is_none();
        } else if alone && live.is_exact() && !live.agrees(available, &track.layout) {
            live.lose_track();
            track.snapshot = None;
            return false;
        }
        true
    }

    /// Pages were granted at order `align`, where that is stated. `is_first`: in the first place
    /// that is aligned so, since none was busy and no other call was in flight. Returns whether
    /// that can be.
    pub(crate) fn granted(
        &mut self,
        area: Option<&Arc<str>>,
        run: Run,
        align: Option<u32>,
        is_first: bool,
    ) -> bool {
        let Some(track) = self.follow(area) else { return true };
        track.snapshot = None;
        let Some(live) = &mut track.live else { return true };
        if live.begins {
            // First fit in an empty area, whose base is a multiple of a pageblock.
            live.begins = false;
            if is_first && align.is_some_and(|align| align <= GUARANTEED_ALIGN) {
                track.layout.set_base(0, run.pfn.0);
                track.inferred = true;
            }
        }
        if align.is_some_and(|align| align <= GUARANTEED_ALIGN)
            && let Some(number) = live.elsewhere(&track.layout, run)
        {
            track.layout.set_base(number, run.pfn.0);
            track.inferred = true;
        }
        if align == Some(0) && is_first {
            track.seen_order = track.seen_order.max(live.order_before(run));
        }
        let possible = live.grant(run);
        let lost = live.is_exact() && !possible;
        if lost {
            live.lose_track();
        }
        !lost
    }

    /// A claim of `run` was busy: nobody held it.
    pub(crate) fn tried(&mut self, area: Option<&Arc<str>>, run: Run) {
        let Some(track) = self.follow(area) else { return };
        if track.live.as_mut().is_some_and(|live| live.tried(run)) {
            track.snapshot = None;
        }
    }

    /// `run` was given back. Returns whether that can be.
    pub(crate) fn released(&mut self, area: Option<&Arc<str>>, run: Run) -> bool {
        let Some(track) = self.follow(area) else { return true };
        track.snapshot = None;
        let Some(live) = &mut track.live else { return true };
        let lost = !live.release(run) && live.is_exact();
        track.parted |= live.is_parted();
        if lost {
            live.lose_track();
        }
        !lost
    }

    /// Events were lost.
    pub(crate) fn lost(&mut self) {
        for track in &mut self.tracks {
            track.snapshot = None;
            if std::mem::take(&mut track.fresh) || track.live.is_some() {
                track.live.get_or_insert_default().lose_track();
            }
        }
    }

    /// The state by the trace, where every page is accounted for, and how that is known.
    pub(crate) fn traced(&mut self, area: Option<&Arc<str>>) -> Option<(Arc<AreaState>, Basis)> {
        let index = self.index(area.map(|name| &**name), None)?;
        if self.tracks[index].fresh {
            self.follow(area);
        }
        let mut layout = self.layout(area, None, &Geometry::default());
        let track = &mut self.tracks[index];
        let is_order_inferred = layout.order_per_bit.is_none() && track.seen_order > 0;
        if is_order_inferred {
            layout.order_per_bit = Some(track.seen_order);
        }
        if track.snapshot.is_none() {
            let live = track.live.as_ref().filter(|live| live.is_exact())?;
            self.credit = self.credit.checked_sub(live.len())?;
            track.snapshot = live.state(&layout).map(Arc::new);
        }
        let total = layout.total;
        let (apart, inferred) = (track.apart, track.inferred);
        let state = Arc::clone(track.snapshot.as_ref()?);
        let inferred = inferred && self.booted(area, total).bases.is_empty();
        Some((state, Basis { apart, inferred, is_order_inferred }))
    }

    /// The areas with bits of several pages to which parts of buffers were given back.
    pub(crate) fn parted(&self) -> impl Iterator<Item = Parted> {
        let parted = |track: &Track| {
            let stated = track.layout.order_per_bit;
            let order_per_bit = stated.unwrap_or(track.seen_order);
            let area = track.layout.name.clone();
            Parted { area, order_per_bit, is_stated: stated.is_some() }
        };
        let all = self.tracks.iter().filter(|track| track.parted).map(parted);
        all.filter(|parted| parted.order_per_bit > 0)
    }
}
