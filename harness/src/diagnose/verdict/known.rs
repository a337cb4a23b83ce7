//! What is known of a failure, weighed.

use super::super::{AlignFrom, AreaState, Confidence, Incident, Known as From};
use super::fit::{Fit, View};
use super::why::Room;
use crate::ingest::log::FreeRuns;
use crate::timeline::Layout;

/// The orders that a request through the DMA API can have: `CONFIG_CMA_ALIGNMENT` is at most 12
/// (`kernel/dma/Kconfig`).
const DMA_ORDERS: std::ops::RangeInclusive<u32> = 0..=12;

/// An incident with what its state says of its request.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) incident: &'a Incident,
    /// Pages asked for; 0 where that is not stated.
    pub(super) count: u64,
    /// The order; 0 where nothing is stated.
    pub(super) align: u32,
    /// The order is stated, not taken to be what the DMA API asks for.
    pub(super) align_stated: bool,
    /// Its own list, else the one next to it.
    pub(super) list: Option<&'a FreeRuns>,
    /// The list is its own.
    pub(super) own_list: bool,
    pub(super) state: Option<&'a AreaState>,
    pub(super) view: Option<View<'a>>,
    /// What the state says of the request, and how much that is worth.
    pub(super) fit: Option<(Fit, Confidence)>,
}

impl<'a> Known<'a> {
    pub(super) fn of(incident: &'a Incident, align: Option<(u32, AlignFrom)>) -> Self {
        let own_list = incident.list.is_some();
        let list = incident.list.as_deref().or(incident.other_lists.first().map(|list| &**list));
        let state = incident.state.as_deref();
        let count = incident.count.unwrap_or(0);
        let stated = align.is_some_and(|(_, from)| from.is_stated());
        let order = align.map_or(0, |(order, _)| order);
        let view = state.filter(|_| count > 0).map(|state| {
            let mut view = View::new(state, count, incident.doubtful);
            view.available = incident.available.or(state.available);
            view
        });
        let mut known = Self {
            incident,
            count,
            align: order,
            align_stated: stated,
            list,
            own_list,
            state,
            view,
            fit: None,
        };
        known.fit = view.map(|view| known.weigh(&view));
        known
    }

    /// What the state says, and at most how sure that is.
    fn weigh(&self, view: &View<'_>) -> (Fit, Confidence) {
        let fit = view.fit(self.align);
        let incident = self.incident;
        let same = |order| view.fit(order) == fit;
        let sure = !incident.doubtful
            && !incident.moved
            && self.is_read_alike(view, fit)
            && (self.align_stated || DMA_ORDERS.into_iter().all(same));
        let worth = match view.state.known {
            // It is a snapshot of another moment.
            From::Bitmap => Confidence::Guess,
            From::List | From::Trace if sure => Confidence::Certain,
            From::List | From::Trace => Confidence::Likely,
        };
        (fit, worth)
    }

    /// Whether its own list is there, where it is the list that says so, and the lists and readings
    /// that could be meant in its place say the same.
    fn is_read_alike(&self, view: &View<'_>, fit: Fit) -> bool {
        let Some(list) = self.list.filter(|_| view.state.known == From::List) else { return true };
        let read =
            |state| View::new(state, self.count, self.incident.doubtful).fit(self.align) == fit;
        self.own_list
            && !list.quoted
            && self.others_agree(fit)
            && self.incident.other_readings.iter().all(read)
    }

    /// Whether each other list that could be its own says the same.
    fn others_agree(&self, fit: Fit) -> bool {
        let layout = self.layout();
        self.incident.other_lists.iter().all(|list| self.says(list, &layout, fit))
    }

    fn says(&self, list: &FreeRuns, layout: &Layout, fit: Fit) -> bool {
        let (state, doubtful) = AreaState::of_list(list, layout, false);
        View::new(&state, self.count, doubtful).fit(self.align) == fit
    }

    /// Where the area begins.
    fn layout(&self) -> Layout {
        let ranges = || self.state.iter().flat_map(|state| &state.ranges);
        let several = || ranges().filter(|_| ranges().count() > 1);
        let bases = ranges().filter_map(|range| Some((range.number, range.base_pfn?)));
        let sizes = several().filter_map(|range| Some((range.number, range.pages?)));
        Layout { bases: bases.collect(), sizes: sizes.collect(), ..Layout::default() }
    }

    /// The pages that the area has, as far as stated: of its largest range, where that is known.
    pub(super) fn total(&self) -> Option<u64> {
        let state = self.state?;
        let largest = state.ranges.iter().map(|range| range.pages).max().flatten();
        let all = state.ranges.iter().all(|range| range.pages.is_some());
        largest.filter(|_| all).or(state.total)
    }

    /// Claims that were busy are seen.
    pub(super) fn busy_seen(&self) -> u64 {
        self.incident.busy_retries.unwrap_or(0)
    }

    /// What its state says of it, with the numbers.
    pub(super) fn room(&self) -> Option<Room> {
        let (fit, _) = self.fit?;
        Some(Room::of(self.view.as_ref()?, self.align, fit))
    }

    /// The text would show busy claims, and shows none.
    pub(super) fn no_busy_claim(&self) -> bool {
        self.incident.busy_retries == Some(0)
    }
}
