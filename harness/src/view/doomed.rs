//! From when on a request that was refused had no place.

use super::film::{Film, What};
use super::state::State;

/// Since when a refused request would have had no place, at any moment up to its refusal, among the
/// buffers that were really live then. What other releases would have done is not said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doomed {
    /// It has one: claims of it failed, or the policy passed it over.
    Never,
    /// Since this event: before it there was one.
    Since(u32),
    /// From the start.
    Always,
}

/// A state after which the room for an order was so large, and smaller ever after.
struct Room {
    /// The events before it.
    events: u32,
    usable: u64,
}

/// For each refusal of `film`, in order.
///
/// One pass over the events for each order that was refused.
pub fn doomed(film: &Film) -> Vec<Doomed> {
    let mut found = vec![Doomed::Never; film.refusals.len()];
    let mut orders: Vec<u32> = film.refusals.iter().map(|one| one.request.align()).collect();
    orders.sort_unstable();
    orders.dedup();
    for order in orders {
        of_order(film, order, &mut found);
    }
    found
}

fn of_order(film: &Film, order: u32, found: &mut [Doomed]) {
    let mut state = State::before(film, film.before);
    let mut rooms: Vec<Room> = Vec::new();
    let push = |rooms: &mut Vec<Room>, events: usize, usable: u64| {
        while rooms.last().is_some_and(|room| room.usable <= usable) {
            rooms.pop();
        }
        rooms.push(Room { events: events as u32, usable });
    };
    push(&mut rooms, film.before, state.map().longest_usable(order));
    let mut changed = film.before;
    for (index, event) in film.events.iter().enumerate().skip(film.before) {
        if let What::Refusal(refusal) = event.what {
            let request = film.refusals[refusal as usize].request;
            if request.align() == order {
                // They shrink from each to the next.
                let last = rooms.partition_point(|room| room.usable >= request.count());
                found[refusal as usize] = match last.checked_sub(1).map(|at| rooms[at].events) {
                    None => Doomed::Always,
                    Some(events) if events as usize == changed => Doomed::Never,
                    Some(events) => Doomed::Since(next_change(film, events)),
                };
            }
        }
        if state.advance() {
            changed = index + 1;
            // Within a moment nothing was seen.
            if film.snapshots && is_within_moment(film, index) {
                continue;
            }
            push(&mut rooms, changed, state.map().longest_usable(order));
        }
    }
}

/// Whether more changes at the moment of this event.
fn is_within_moment(film: &Film, index: usize) -> bool {
    let next = film.events.get(index + 1);
    next.is_some_and(|next| {
        next.op == film.events[index].op && !matches!(next.what, What::Refusal(_))
    })
}

/// The first event from `from` on that changes anything.
fn next_change(film: &Film, from: u32) -> u32 {
    let rest = film.events.iter().enumerate().skip(from as usize);
    let mut changes = rest.filter(|(_, event)| !matches!(event.what, What::Refusal(_)));
    changes.next().map_or(from, |(index, _)| index as u32)
}
