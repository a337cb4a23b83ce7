//! The refusals of a film with who stands in their way: what all formats show.

use crate::view::{Doomed, Film, Places, Refusal, State, doomed, places};

/// Refusals that are told one by one; the page can show all.
pub(super) const MOST: usize = 100;

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

/// The first refusals of `film`, [`MOST`] at most.
pub(super) fn refused(film: &Film) -> Vec<Refused<'_>> {
    let mut state = State::new(film);
    let all = film.refusals.iter().zip(doomed(film)).take(MOST);
    all.map(|(refusal, doomed)| {
        state.go(refusal.event as usize);
        Refused::of(film, &state, refusal, doomed)
    })
    .collect()
}

/// Refusal number `number` of `film`.
pub(super) fn refused_at(film: &Film, number: usize) -> Refused<'_> {
    let refusal = &film.refusals[number];
    let state = State::before(film, refusal.event as usize);
    Refused::of(film, &state, refusal, doomed(film)[number])
}

impl<'a> Refused<'a> {
    fn of(film: &Film, state: &State<'_>, refusal: &'a Refusal, doomed: Doomed) -> Self {
        let map = state.map();
        let usable = map.longest_usable(refusal.request.align());
        let free = [map.free_pages(), map.longest_run(), usable];
        Self { refusal, doomed, places: places(film, state, refusal.request, PLACES), free }
    }
}
