//! The arithmetic, in words.

use super::fit::{Fit, Place};
use super::known::Known;
use crate::cause::Cause;
use crate::words::pages;

/// The cause that a state without room shows.
pub(super) const fn cause(fit: Fit) -> Option<Cause> {
    match fit {
        Fit::Exhausted => Some(Cause::Exhausted),
        Fit::Fragmentation => Some(Cause::Fragmentation),
        Fit::Alignment => Some(Cause::Alignment),
        Fit::Fits | Fit::Base | Fit::Positions | Fit::Missing => None,
    }
}

/// What the state says, with its numbers.
pub(super) fn arithmetic(known: &Known<'_>, fit: Fit) -> String {
    let (Some(view), Some(state)) = (&known.view, known.state) else {
        return "the free pages are not known".to_string();
    };
    let need = view.need;
    let free = state.free.unwrap_or_else(|| state.known_free());
    let rounded = if need == known.count {
        String::new()
    } else {
        format!(" ({} take whole bits of 2^{} pages)", pages(known.count), state.order_per_bit)
    };
    match fit {
        Fit::Exhausted => {
            let of = state.total.map(|total| format!(" of {total}")).unwrap_or_default();
            format!("{free}{of} pages are free, {need} were asked for{rounded}")
        }
        Fit::Fragmentation => {
            format!("largest run {} < {need} <= {free} free{rounded}", state.largest_run())
        }
        Fit::Alignment => match view.best_of_the_long(known.align) {
            Some(place) => misses(place, need) + &rounded,
            None => format!("no run has {need} pages from an aligned page on{rounded}"),
        },
        Fit::Fits => match view.place(known.align).filter(|_| view.knows_base(known.align)) {
            Some(place) => format!("{} fit: {}", known.request(), reaches(place, need)),
            None => format!("{} fit wherever the area and its runs begin", known.request()),
        },
        Fit::Base => format!(
            "whether {} fit depends on where the area begins modulo 2^{}: base_pfn is missing",
            known.request(),
            known.align
        ),
        Fit::Positions => format!(
            "a run of {} is long enough, but where it begins is not known",
            pages(state.largest_run())
        ),
        Fit::Missing => missing(known),
    }
}

/// `511@58881: aligned start 59136, 59136 + 456 = 59592 > 59392`.
fn misses(place: Place, need: u64) -> String {
    let Place { hole, at, .. } = place;
    let end = u128::from(at) + u128::from(need);
    format!("{}: aligned start {at}, {at} + {need} = {end} > {}", run(place), hole.end())
}

/// `1763@45341: aligned start 45568, 45568 + 148 = 45716 <= 47104`.
fn reaches(place: Place, need: u64) -> String {
    let Place { hole, at, .. } = place;
    let end = u128::from(at) + u128::from(need);
    format!("{}: aligned start {at}, {at} + {need} = {end} <= {}", run(place), hole.end())
}

/// A run as the kernel prints it, but in pages.
fn run(place: Place) -> String {
    let Place { range, hole, .. } = place;
    let range = range.map(|range| format!("range {range}: ")).unwrap_or_default();
    format!("{range}{}@{}", hole.count, hole.start)
}

/// What an incomplete list leaves open.
fn missing(known: &Known<'_>) -> String {
    let shown = known.state.map_or(0, super::super::AreaState::known_free);
    match known.state.and_then(|state| state.free) {
        Some(free) => format!(
            "the runs shown hold {shown} of {free} free pages, none of them has room for {}; the \
             others are missing",
            known.request()
        ),
        None if shown > 0 => {
            format!("no run shown has room for {}, but the list is not whole", known.request())
        }
        None => "the list of free runs is missing".to_string(),
    }
}
