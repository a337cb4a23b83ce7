//! What clients do once a request of theirs was refused, as a file shows it.

use super::acts::{Act, Did};
use super::closed::{Closed, median};
use super::history::Buffer;
use crate::after_failure::AfterFailure;

/// Refusals below which nothing is concluded.
const LEAST: u64 = 4;
/// What follows at least so many tenths of them is what clients do …
const MOST_TENTHS: u64 = 8;
/// … where no more than so many tenths of what was granted is followed by it.
const ELSE_TENTHS: u64 = 5;

/// The most buffers of one moment that are looked at.
const MOST_OTHERS: usize = 64;

/// What a kind of clients does after a refusal, and what shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Manner {
    /// The kind: a name without its number.
    pub kind: String,
    /// What they do.
    pub after: AfterFailure,
    /// Refusals that were followed by another request of the same client.
    pub refusals: u64,
    /// Those of them that were followed by the same request, with nothing given back between.
    pub again: u64,
    /// Those of them after which all came back first that was asked for at the same moment.
    pub dropped: u64,
    /// The median time from a refusal to the next request of the client, in microseconds.
    pub next_us: Option<u64>,
    /// What shows that they hold as much as they may, where they do.
    pub holds: Option<Holds>,
}

/// That clients hold as much as they may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holds {
    /// The most pages that one of them holds with what it asks for.
    pub most_pages: u64,
    /// Requests before which something was given back, without those after a refusal.
    pub gave: u64,
    /// Those of them that would have been above the most pages without it.
    pub needed: u64,
}

/// What follows requests.
#[derive(Default)]
struct Follows {
    requests: u64,
    again: u64,
    /// Requests with others at the same moment, and those after which these came back.
    with_others: u64,
    dropped: u64,
    next_us: Vec<u64>,
    /// The most refusals in a row of one request.
    most_tries: u64,
}

/// Requests that were refused.
pub(super) fn refused(clients: &[Vec<Act>]) -> u64 {
    let refused = |act: &&Act| matches!(act.did, Did::Ask { granted: false, .. });
    clients.iter().flatten().filter(refused).count() as u64
}

/// What the clients of a kind do.
pub(super) fn of(
    kind: &str,
    clients: &[Vec<Act>],
    buffers: &[Buffer],
    closed: Option<&Closed>,
) -> Manner {
    let (mut refused, mut granted) = (Follows::default(), Follows::default());
    for acts in clients {
        follow(acts, buffers, &mut refused, &mut granted);
    }
    let mostly = |part: u64, whole: u64, tenths: u64| part * 10 >= whole * tenths;
    let next_us = median(&mut refused.next_us);
    let after = match closed {
        Some(closed) => AfterFailure::Next { back: closed.usual_back() },
        None if refused.requests < LEAST => AfterFailure::Drop,
        None if mostly(refused.again, refused.requests, MOST_TENTHS)
            && !mostly(granted.again, granted.requests, ELSE_TENTHS) =>
        {
            // A plan has milliseconds.
            let every_us = next_us.unwrap_or(0).div_ceil(1000).max(1) * 1000;
            AfterFailure::Retry { every_us, times: refused.most_tries.max(1) }
        }
        None if refused.with_others >= LEAST
            && mostly(refused.dropped, refused.with_others, MOST_TENTHS)
            && !mostly(granted.dropped, granted.with_others, ELSE_TENTHS) =>
        {
            AfterFailure::Session
        }
        None => AfterFailure::Drop,
    };
    let Follows { requests: refusals, again, dropped, .. } = refused;
    let holds = closed.map(|closed| {
        let &Closed { most_pages, gave, needed, .. } = closed;
        Holds { most_pages, gave, needed }
    });
    Manner { kind: kind.to_string(), after, refusals, again, dropped, next_us, holds }
}

fn follow(acts: &[Act], buffers: &[Buffer], refused: &mut Follows, granted: &mut Follows) {
    let ask = |act: &Act| match act.did {
        Did::Ask { number, granted } => Some((act.at_us, buffers[number], granted)),
        Did::Free { .. } => None,
    };
    let mut last: Option<(usize, u64, Buffer, bool, u64)> = None;
    for (index, act) in acts.iter().enumerate() {
        let Some((at_us, buffer, is_granted)) = ask(act) else { continue };
        let mut tries = u64::from(!is_granted);
        if let Some((before, before_us, known, was_granted, in_row)) = last {
            let into = if was_granted { &mut *granted } else { &mut *refused };
            let alone = before + 1 == index;
            let again = alone && (known.count, known.align) == (buffer.count, buffer.align);
            into.requests += 1;
            into.again += u64::from(again);
            into.next_us.push(at_us - before_us);
            if again && !was_granted {
                tries += in_row;
                into.most_tries = into.most_tries.max(in_row);
            }
            if let Some(came_back) = came_back(&acts[..index], before, known, buffers) {
                into.with_others += 1;
                into.dropped += u64::from(came_back);
            }
        }
        last = Some((index, at_us, buffer, is_granted, tries));
    }
}

/// Whether all that was granted at the moment of the request at `ask` came back after it, up to the
/// end of `acts`; `None` where there is no other.
fn came_back(acts: &[Act], ask: usize, known: Buffer, buffers: &[Buffer]) -> Option<bool> {
    let of_moment = |act: &&Act| matches!(act.did, Did::Ask { number, .. } if buffers[number].at_us == known.at_us);
    let others = acts[..ask].iter().rev().take_while(of_moment).filter_map(|act| match act.did {
        Did::Ask { number, granted: true } => Some(number),
        _ => None,
    });
    let others: Vec<_> = others.take(MOST_OTHERS).collect();
    let back =
        |number: &usize| acts[ask + 1..].iter().any(|act| act.did == Did::Free { number: *number });
    (!others.is_empty()).then(|| others.iter().all(back))
}
