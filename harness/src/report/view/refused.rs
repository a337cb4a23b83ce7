//! The refusals of a film with who stands in their way: what all formats show.

use super::Panel;
use crate::view::{Doomed, Places, Refusal, State, places};

/// Refusals that are told one by one; the page can show all.
const MOST: usize = 100;

/// Places that are told of each.
const PLACES: usize = 3;

/// A refusal with what is known of it.
pub(super) struct Refused<'a> {
    pub(super) refusal: &'a Refusal,
    pub(super) doomed: Doomed,
    pub(super) places: Places,
    /// Pages that are free, of the longest hole, and of the longest usable one.
    pub(super) free: [u64; 3],
}

/// The first refusals, [`MOST`] at most.
pub(super) fn refused(panel: Panel<'_>) -> Vec<Refused<'_>> {
    let mut state = State::new(panel.film);
    (0..panel.film.refusals.len().min(MOST)).map(|number| at(panel, number, &mut state)).collect()
}

/// The number of the refusal that is told first: the first with free pages, else the first.
pub(super) fn first(panel: Panel<'_>) -> Option<usize> {
    let refusals = &panel.film.refusals;
    let withheld = refusals.iter().position(|refusal| refusal.cause.is_withheld());
    withheld.or((!refusals.is_empty()).then_some(0))
}

/// That one.
pub(super) fn told(panel: Panel<'_>) -> Option<Refused<'_>> {
    Some(at(panel, first(panel)?, &mut State::new(panel.film)))
}

/// Refusal `number`; `state` is before it.
fn at<'a>(panel: Panel<'a>, number: usize, state: &mut State<'a>) -> Refused<'a> {
    let refusal = &panel.film.refusals[number];
    state.go(refusal.event as usize);
    let map = state.map();
    let usable = map.longest_usable(refusal.request.align());
    Refused {
        refusal,
        doomed: panel.doomed[number],
        places: places(panel.film, state, refusal.request, PLACES),
        free: [map.free_pages(), map.longest_run(), usable],
    }
}
