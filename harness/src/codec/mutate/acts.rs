//! Acts drawn anew, and their numbers changed.

use cma_policies::{Request, ceil_log2};

use crate::codec::record::{STRIDES, TIMES};
use crate::codec::{Act, Case, RECORD, Script};
use crate::seed::Draws;

fn place(case: &Case, draws: &mut Draws) -> usize {
    draws.below(case.acts.len() as u64 + 1) as usize
}

fn insert(case: &mut Case, draws: &mut Draws, act: Act) {
    let at = place(case, draws);
    case.acts.insert(at, act);
}

/// An act by the distribution of the format.
fn any(case: &Case, draws: &mut Draws) -> Act {
    let raw: [u8; RECORD] = std::array::from_fn(|_| draws.below(256) as u8);
    Act::decode(raw, case.area.pages())
}

/// A power of two, up to all of the area; small ones as likely as large ones.
fn drawn_request(case: &Case, draws: &mut Draws) -> Request {
    let count = 1 << draws.below(u64::from(case.area.pages().ilog2()) + 1);
    let align = if draws.below(2) == 0 { 0 } else { ceil_log2(count) };
    Request::new(count, align).expect("at least a page")
}

fn drawn_comb(draws: &mut Draws) -> Act {
    let class = (draws.below(3) == 0).then(|| draws.below(16) as u8);
    Act::FreeEvery { stride: *draws.pick(&STRIDES), phase: draws.below(8) as u8, class }
}

pub(super) fn insert_any(case: &mut Case, draws: &mut Draws) {
    let act = any(case, draws);
    insert(case, draws, act);
}

pub(super) fn insert_alloc(case: &mut Case, draws: &mut Draws) {
    let request = drawn_request(case, draws);
    insert(case, draws, Act::Alloc { request, script: Script::default(), linger: 0 });
}

pub(super) fn insert_fill(case: &mut Case, draws: &mut Draws) {
    let request = drawn_request(case, draws);
    let times = *draws.pick(&TIMES);
    insert(case, draws, Act::Fill { request, times });
}

pub(super) fn insert_free(case: &mut Case, draws: &mut Draws) {
    let victim = draws.below(1 << 24) as u32;
    insert(case, draws, Act::Free { victim });
}

pub(super) fn insert_comb(case: &mut Case, draws: &mut Draws) {
    let comb = drawn_comb(draws);
    insert(case, draws, comb);
}

/// An act gives way to one drawn anew.
pub(super) fn replace(case: &mut Case, draws: &mut Draws) {
    let act = any(case, draws);
    if !case.acts.is_empty() {
        *one_mut(&mut case.acts, draws, |_| true).expect("there is an act") = act;
    }
}

/// One of the acts that are `meant`: the first from a drawn place on, round the end.
fn one_mut<'a>(
    acts: &'a mut [Act],
    draws: &mut Draws,
    meant: impl Fn(&Act) -> bool,
) -> Option<&'a mut Act> {
    let start = draws.below(acts.len() as u64) as usize;
    let (front, back) = acts.split_at_mut(start);
    back.iter_mut().chain(front).find(|act| meant(act))
}

const fn asked(act: &Act) -> Option<Request> {
    match act {
        Act::Alloc { request, .. } | Act::Fill { request, .. } => Some(*request),
        _ => None,
    }
}

/// `act` asking for something else.
const fn with_request(act: Act, request: Request) -> Act {
    match act {
        Act::Alloc { script, linger, .. } => Act::Alloc { request, script, linger },
        Act::Fill { times, .. } => Act::Fill { request, times },
        other => other,
    }
}

/// So many pages instead, within an area of `pages`; an order that followed the count still does.
fn resized(request: Request, count: u64, pages: u64) -> Request {
    let count = count.clamp(1, pages + 2);
    let follows = request.align() > 0 && request.align() == ceil_log2(request.count());
    let align = if follows { ceil_log2(count).min(63) } else { request.align() };
    let resized = Request::new(count, align).expect("at least a page");
    resized.with_client(request.client())
}

/// `act` in twice the size, where it asks for something or frees by class.
pub(super) fn doubled(act: Act, pages: u64) -> Act {
    match (asked(&act), act) {
        (Some(request), _) => with_request(act, resized(request, request.count() * 2, pages)),
        (None, Act::FreeEvery { stride, phase, class }) => {
            Act::FreeEvery { stride, phase, class: class.map(|class| (class + 1).min(63)) }
        }
        _ => act,
    }
}

/// Another count near `count`, or a power of two beside it.
fn near(count: u64, draws: &mut Draws) -> u64 {
    let up = (count + 1).next_power_of_two();
    let down = count.next_power_of_two() / 2;
    match draws.below(8) {
        0 => count + 1,
        1 => count - 1,
        2 => up,
        3 => up + 1,
        4 => up - 1,
        5 => down,
        6 => down + 1,
        _ => down.saturating_sub(1),
    }
}

/// A request grows or shrinks: by a page, or to a power of two and its neighbours.
pub(super) fn request(case: &mut Case, draws: &mut Draws) {
    let pages = case.area.pages();
    let Some(act) = one_mut(&mut case.acts, draws, |act| asked(act).is_some()) else { return };
    let request = asked(act).expect("it asks");
    *act = with_request(*act, resized(request, near(request.count(), draws), pages));
}

/// Every request of one count grows or shrinks alike.
pub(super) fn requests_like_it(case: &mut Case, draws: &mut Draws) {
    let pages = case.area.pages();
    let one = one_mut(&mut case.acts, draws, |act| asked(act).is_some());
    let Some(count) = one.and_then(|act| asked(act)).map(Request::count) else { return };
    let other = near(count, draws);
    for act in &mut case.acts {
        if let Some(request) = asked(act).filter(|request| request.count() == count) {
            *act = with_request(*act, resized(request, other, pages));
        }
    }
}

/// How often a fill asks; or an alloc becomes a fill, and back.
pub(super) fn times(case: &mut Case, draws: &mut Draws) {
    let Some(act) = one_mut(&mut case.acts, draws, |act| asked(act).is_some()) else { return };
    let often = *draws.pick(&TIMES);
    *act = match *act {
        Act::Fill { request, .. } if draws.below(4) == 0 => {
            Act::Alloc { request, script: Script::default(), linger: 0 }
        }
        Act::Fill { request, .. } | Act::Alloc { request, .. } => {
            Act::Fill { request, times: often }
        }
        other => other,
    };
}

/// Another stride, phase or class of a comb; or a free becomes a comb.
pub(super) fn comb(case: &mut Case, draws: &mut Draws) {
    let frees = |act: &Act| matches!(act, Act::Free { .. } | Act::FreeEvery { .. });
    let Some(act) = one_mut(&mut case.acts, draws, frees) else { return };
    *act = match (*act, drawn_comb(draws), draws.below(3)) {
        (Act::FreeEvery { phase, class, .. }, Act::FreeEvery { stride, .. }, 0) => {
            Act::FreeEvery { stride, phase, class }
        }
        (Act::FreeEvery { stride, class, .. }, Act::FreeEvery { phase, .. }, 1) => {
            Act::FreeEvery { stride, phase, class }
        }
        (Act::FreeEvery { stride, phase, .. }, Act::FreeEvery { class, .. }, _) => {
            Act::FreeEvery { stride, phase, class }
        }
        (_, comb, _) => comb,
    };
}

/// Another buffer or pin is given back: a neighbour by number, or any.
pub(super) fn victim(case: &mut Case, draws: &mut Draws) {
    let other = draws.below(1 << 24) as u32;
    let step = draws.below(3);
    let changed = |victim: u32| match step {
        0 => victim.saturating_add(1).min((1 << 24) - 1),
        1 => victim.saturating_sub(1),
        _ => other,
    };
    let named = |act: &Act| {
        matches!(
            act,
            Act::Free { .. } | Act::FreePart { .. } | Act::FreeBadly { .. } | Act::Unpin { .. }
        )
    };
    let Some(act) = one_mut(&mut case.acts, draws, named) else { return };
    match act {
        Act::Free { victim }
        | Act::FreePart { victim, .. }
        | Act::FreeBadly { victim, .. }
        | Act::Unpin { victim } => *victim = changed(*victim),
        _ => {}
    }
}

/// The order of a request: none, that of its count, or one more or less.
pub(super) fn align(case: &mut Case, draws: &mut Draws) {
    let Some(act) = one_mut(&mut case.acts, draws, |act| asked(act).is_some()) else { return };
    let request = asked(act).expect("it asks");
    let order = match draws.below(4) {
        0 => 0,
        1 => ceil_log2(request.count()),
        2 => request.align() + 1,
        _ => request.align().saturating_sub(1),
    };
    let other = Request::new(request.count(), order.min(63)).expect("at least a page");
    *act = with_request(*act, other.with_client(request.client()));
}
