//! Clients that hold as much as they may.
//!
//! Such a client asks for one buffer after the other; right before a request it gives back what it
//! must to hold no more than so much, and else nothing. Its requests are not sessions that come at
//! times of their own: when one is refused it asks for the next at once.

use super::acts::{Act, Did};
use super::history::Buffer;
use crate::seed::Draws;

/// Requests with frees before them below which nothing is concluded.
const LEAST: u64 = 16;
/// What is given back was needed for at least so many tenths of them …
const NEEDED_TENTHS: u64 = 9;
/// … and the median time from the free to the request is no more than this part of the median time
/// from one request to the next.
const AT_ONCE: u64 = 4;

/// Refusals below which nothing is concluded.
const LEAST_REFUSALS: usize = 4;

/// A client of this kind, over its whole run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lane {
    pub(super) client: u16,
    /// When it began.
    pub(super) at_us: u64,
}

/// A kind of clients that hold as much as they may.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Closed {
    pub(super) kind: String,
    /// The most pages that one of them holds with what it asks for.
    pub(super) most_pages: u64,
    /// What was asked for, granted or not.
    pub(super) asks: Vec<(u64, Option<u32>)>,
    /// From one request to the next.
    pub(super) gaps_us: Vec<u64>,
    /// Of what was given back, which part of what the client held was older.
    pub(super) ages: Vec<f64>,
    /// Requests from one moment at which a client holds nothing to the next.
    pub(super) runs: Vec<u64>,
    /// From the last request of one to the first of the next.
    pub(super) pauses_us: Vec<u64>,
    pub(super) lanes: Vec<Lane>,
    /// Requests before which something was given back, and those of them that needed all of it;
    /// without those right after a refusal.
    pub(super) gave: u64,
    pub(super) needed: u64,
    /// By refusal after which the next request needed no room: buffers that were given back first.
    pub(super) back: Vec<u64>,
}

impl Closed {
    /// What clients of a kind are, whose acts these are; `None` where they are no such clients.
    pub(super) fn find(kind: &str, clients: &[Vec<Act>], buffers: &[Buffer]) -> Option<Self> {
        let mut closed = Self { kind: kind.to_string(), ..Self::default() };
        let mut at_once_us = Vec::new();
        for acts in clients {
            closed.add(acts, buffers, &mut at_once_us);
        }
        let gap_us = median(&mut closed.gaps_us.clone())?;
        let at_once = median(&mut at_once_us)?.saturating_mul(AT_ONCE) <= gap_us;
        let is_needed = closed.needed * 10 >= closed.gave * NEEDED_TENTHS;
        (closed.gave >= LEAST && is_needed && at_once).then_some(closed)
    }

    fn add(&mut self, acts: &[Act], buffers: &[Buffer], at_once_us: &mut Vec<u64>) {
        let most_pages = most_pages(acts, buffers);
        self.most_pages = self.most_pages.max(most_pages);
        let Some(first) = acts.first() else { return };
        self.lanes.push(Lane { client: first.client, at_us: first.at_us });
        let mut holds = Holds::default();
        let (mut gone, mut gone_us) = (Vec::new(), None);
        let (mut last, mut asked) = (None, 0u64);
        for act in acts {
            match act.did {
                Did::Free { number } => {
                    self.ages.extend(holds.give(number));
                    gone.push((holds.pages, buffers[number].count));
                    gone_us = Some(act.at_us);
                    if holds.buffers.is_empty() && asked > 0 {
                        self.runs.push(asked);
                        asked = 0;
                    }
                }
                Did::Ask { number, granted } => {
                    let Buffer { count, align, .. } = buffers[number];
                    let is_needed = |(left, back): &(u64, u64)| left + back + count > most_pages;
                    at_once_us.extend(gone_us.take().map(|gone_us| act.at_us - gone_us));
                    match last {
                        // What the request needs says nothing of the refusal.
                        Some((_, false)) if asked > 0 => {
                            let first =
                                gone.first().map_or(holds.pages, |(left, back)| left + back);
                            if first + count <= most_pages {
                                self.back.push(gone.len() as u64);
                            }
                        }
                        Some((_, false)) => {}
                        _ if gone.is_empty() => {}
                        // The last one shows it: before it more was held.
                        _ if asked > 0 => {
                            self.gave += 1;
                            self.needed += u64::from(gone.last().is_some_and(is_needed));
                        }
                        _ => {}
                    }
                    if let Some((at_us, _)) = last {
                        let since_us: u64 = act.at_us - at_us;
                        let into = if asked > 0 { &mut self.gaps_us } else { &mut self.pauses_us };
                        into.push(since_us);
                    }
                    gone.clear();
                    (last, asked) = (Some((act.at_us, granted)), asked + 1);
                    self.asks.push((count, align));
                    if granted {
                        holds.put(number, count);
                    }
                }
            }
        }
    }

    /// Buffers that go back after a refusal, mostly; none where too few show it.
    pub(super) fn usual_back(&self) -> u64 {
        let seen = self.back.len() >= LEAST_REFUSALS;
        median(&mut self.back.clone()).filter(|_| seen).unwrap_or(0)
    }
}

/// The most pages that a client holds with what it asks for.
fn most_pages(acts: &[Act], buffers: &[Buffer]) -> u64 {
    let (mut held, mut most) = (0u64, 0);
    for act in acts {
        match act.did {
            Did::Ask { number, granted } => {
                let with = held.saturating_add(buffers[number].count);
                most = with.max(most);
                held = if granted { with } else { held };
            }
            Did::Free { number } => held = held.saturating_sub(buffers[number].count),
        }
    }
    most
}

/// What a client holds, oldest first.
#[derive(Default)]
struct Holds {
    buffers: Vec<(usize, u64)>,
    pages: u64,
}

impl Holds {
    fn put(&mut self, number: usize, count: u64) {
        self.buffers.push((number, count));
        self.pages += count;
    }

    /// Gives one back: which part of the others is older.
    fn give(&mut self, number: usize) -> Option<f64> {
        let place = self.buffers.iter().position(|(known, _)| *known == number)?;
        let others = self.buffers.len() - 1;
        self.pages -= self.buffers.remove(place).1;
        (others > 0).then(|| place as f64 / others as f64)
    }
}

pub(super) fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// A client that was drawn, between two requests.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    /// Which kind.
    pub(super) closed: usize,
    /// Ids and pages, oldest first.
    held: Vec<(u64, u64)>,
    pages: u64,
    most_pages: u64,
    /// Requests to the end of its run; none if it has no end.
    left: Option<u64>,
}

/// What it does in a turn.
pub(super) enum Turn {
    /// It gives these back, ids and pages, and asks.
    Ask(Vec<(u64, u64)>, (u64, Option<u32>)),
    /// It gives all back: a run ends.
    End(Vec<(u64, u64)>),
}

impl Turns {
    pub(super) fn new(closed: usize, most_pages: u64, of: &Closed, draws: &mut Draws) -> Self {
        let left = (!of.runs.is_empty()).then(|| *draws.pick(&of.runs));
        Self { closed, held: Vec::new(), pages: 0, most_pages, left }
    }

    pub(super) fn turn(&mut self, of: &Closed, draws: &mut Draws) -> Turn {
        match &mut self.left {
            Some(0) => {
                self.left = Some(*draws.pick(&of.runs));
                self.pages = 0;
                return Turn::End(std::mem::take(&mut self.held));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let (count, align) = *draws.pick(&of.asks);
        let mut gone = Vec::new();
        while self.pages.saturating_add(count) > self.most_pages && !self.held.is_empty() {
            let age = if of.ages.is_empty() { 0.0 } else { *draws.pick(&of.ages) };
            let place = libm::round(age * (self.held.len() - 1) as f64) as usize;
            let (id, pages) = self.held.remove(place);
            self.pages -= pages;
            gone.push((id, pages));
        }
        Turn::Ask(gone, (count, align))
    }

    /// The request came, under this id.
    pub(super) fn put(&mut self, id: u64, count: u64) {
        self.held.push((id, count));
        self.pages += count;
    }
}
