//! What clients do once a request of theirs was refused, as a file shows it.

use std::collections::BTreeMap;

use super::acts::{Act, Did, by_pid};
use super::again::Tries;
use super::closed::{Closed, median};
use super::history::Buffer;
use crate::after_failure::AfterFailure;

/// Refusals below which nothing is concluded.
const LEAST: u64 = 4;
/// Refusals after which going on without the buffer is what clients do, and not what is not shown.
const SHOWN: u64 = 16;
/// What follows at least so many tenths of them is what clients do …
const MOST_TENTHS: u64 = 8;
/// … where no more than so many tenths of what was granted is followed by it.
const ELSE_TENTHS: u64 = 5;
/// The same is asked for again because of the refusals, where another request follows at most one in
/// so many of those that it would follow were they granted …
const ONE_IN: f64 = 4.0;
/// … of so many at least. A client that asks for several buffers of one size asks for the same again
/// after most of those that it got.
const EXPECTED: f64 = 8.0;

/// The most buffers of one moment that are looked at.
const MOST_OTHERS: usize = 64;

/// What a kind of clients does after a refusal, and what shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Manner {
    /// The kind: a name without its number.
    pub kind: String,
    /// What they do.
    pub after: AfterFailure,
    /// Whether refusals show it. Else it is not known how many buffers go back where it is
    /// [`AfterFailure::Next`], and nothing where it is another: streams take each word in turn.
    pub is_known: bool,
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
    /// Another request followed a refusal.
    gave_up: bool,
    /// By pages: requests, and those that the same follows.
    by_size: BTreeMap<u64, (u64, u64)>,
}

impl Follows {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.again += other.again;
        self.with_others += other.with_others;
        self.dropped += other.dropped;
        self.next_us.extend(other.next_us);
        self.most_tries = self.most_tries.max(other.most_tries);
        self.gave_up |= other.gave_up;
    }

    /// Requests that another one would follow than the same, if what follows a request were as it is
    /// in `granted`, for its pages.
    fn others_expected(&self, granted: &Self) -> f64 {
        let share = |pages: &u64| {
            let (requests, again) = granted.by_size.get(pages).copied().unwrap_or_default();
            // Of a size that is never granted nothing is known.
            if requests == 0 { 0.0 } else { (requests - again) as f64 / requests as f64 }
        };
        self.by_size.iter().map(|(pages, (requests, _))| *requests as f64 * share(pages)).sum()
    }
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
    tries: Option<&Tries>,
) -> Manner {
    let (mut refused, mut granted) = (Follows::default(), Follows::default());
    let mut expected = 0.0;
    // Programs of one name may ask in different ways.
    for acts in clients.iter().flat_map(|acts| by_pid(acts, buffers)) {
        let (mut refusals, mut grants) = (Follows::default(), Follows::default());
        follow(&acts, buffers, &mut refusals, &mut grants);
        expected += refusals.others_expected(&grants);
        refused.add(refusals);
        granted.add(grants);
    }
    let next_us = median(&mut refused.next_us);
    let again = refused.requests >= LEAST
        && mostly(refused.again, refused.requests, MOST_TENTHS)
        && is_rare(refused.requests - refused.again, expected);
    let dropped = refused.with_others >= LEAST
        && mostly(refused.dropped, refused.with_others, MOST_TENTHS)
        && !mostly(granted.dropped, granted.with_others, ELSE_TENTHS);
    let tried =
        tries.map(|tries| AfterFailure::Retry { every_us: tries.every_us, times: tries.times });
    let after = match tried.or_else(|| closed.and_then(Closed::after)) {
        Some(tried @ AfterFailure::Retry { .. }) => tried,
        _ if again => {
            let times =
                if refused.gave_up { refused.most_tries.max(1) } else { AfterFailure::EVER };
            AfterFailure::Retry { every_us: next_us.unwrap_or(0).max(1), times }
        }
        Some(after) => after,
        None if dropped => AfterFailure::Session,
        None => AfterFailure::Drop,
    };
    let is_known = match closed {
        _ if tries.is_some() || again => true,
        Some(closed) => closed.is_back_known(),
        None => refused.requests >= SHOWN,
    };
    let Follows { requests: refusals, again, dropped, .. } = refused;
    let holds = closed.map(|closed| {
        let &Closed { most_pages, gave, needed, .. } = closed;
        Holds { most_pages, gave, needed }
    });
    Manner { kind: kind.to_string(), after, is_known, refusals, again, dropped, next_us, holds }
}

fn mostly(part: u64, whole: u64, tenths: u64) -> bool {
    part * 10 >= whole * tenths
}

/// Whether so many are too few to be what is expected.
fn is_rare(number: u64, expected: f64) -> bool {
    expected >= EXPECTED && number as f64 * ONE_IN <= expected
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
            into.gave_up |= !again;
            let of_size = into.by_size.entry(known.count).or_default();
            *of_size = (of_size.0 + 1, of_size.1 + u64::from(again));
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
