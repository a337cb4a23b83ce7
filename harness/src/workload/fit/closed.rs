//! Clients that hold as much as they may.
//!
//! Such a client asks for one buffer, or for those of one session, after the other; right before it
//! asks it gives back what it must to hold no more than so much. Its requests are not sessions that
//! come at times of their own: when one is refused it asks for the next at once.

use super::acts::{Act, by_pid};
use super::history::Buffer;
use super::steps::{By, Step, Unit, steps};
use crate::after_failure::AfterFailure;

/// Steps of a kind below which nothing is concluded.
const LEAST: u64 = 16;
/// What is given back was needed for at least so many tenths of them …
const NEEDED_TENTHS: u64 = 9;
/// … and the median time from the free to the request is no more than this part of the median time
/// from one request to the next.
const AT_ONCE: u64 = 4;
/// The same of sessions, which take a while to set up.
const AT_ONCE_OF_SESSION: u64 = 2;
/// Of sessions at least one in so many is above the most pages unless something goes back first:
/// others come back at times of their own.
const ONE_IN: u64 = 5;
/// Requests of a session, in tenths, at least.
const LEAST_OF_SESSION_TENTHS: u64 = 15;
/// The oldest goes back first, where it does in so many tenths.
const OLDEST_TENTHS: usize = 9;

/// Refusals below which nothing is concluded.
const LEAST_REFUSALS: usize = 4;

/// A client that did nothing for so many gaps before the end of the file had ended.
const LAST_GAPS: u64 = 16;

/// A client of this kind, over its whole run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lane {
    pub(super) client: u16,
    /// When it began.
    pub(super) at_us: u64,
    /// When it ended.
    pub(super) end_us: u64,
    /// The most pages that it holds with what it asks for.
    pub(super) most_pages: u64,
    /// The number that it has in drawn streams, where that of the file is also another's who does
    /// otherwise.
    pub(super) own: Option<u16>,
}

impl Lane {
    /// When it ends, of time that goes round in a circle of so long, at `now_us`; `None` where it was
    /// there to the end of the file, as far as that shows: from one request to the next is `gap_us`.
    pub(super) fn ends(&self, now_us: u64, whole_us: u64, gap_us: u64) -> Option<u64> {
        let is_last = self.end_us.saturating_add(gap_us.saturating_mul(LAST_GAPS)) >= whole_us;
        let round = now_us / whole_us.max(1);
        (!is_last).then(|| round.saturating_mul(whole_us).saturating_add(self.end_us))
    }
}

/// A kind of clients that hold as much as they may.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Closed {
    pub(super) kind: String,
    by: By,
    /// The most pages that one of them holds with what it asks for.
    pub(super) most_pages: u64,
    /// What was asked for, granted or not.
    pub(super) asks: Vec<Unit>,
    /// From the begin of one unit to the next, less the time that the first takes.
    pub(super) gaps_us: Vec<u64>,
    /// The median of these.
    pub(super) gap_us: u64,
    /// Of what was given back, which part of what the client held was older.
    pub(super) ages: Vec<f64>,
    /// By step that needed no room: units that went back all the same.
    pub(super) others: Vec<u64>,
    /// Steps from one moment at which a client holds nothing to the next.
    pub(super) runs: Vec<u64>,
    /// From the last request of one to the first of the next.
    pub(super) pauses_us: Vec<u64>,
    pub(super) lanes: Vec<Lane>,
    /// Steps before which something was given back, and those of them that needed all of it; without
    /// those right after a refusal, and of sessions those that needed some of it.
    pub(super) gave: u64,
    pub(super) needed: u64,
    /// By refusal after which the next request needed no room: buffers that were given back first.
    pub(super) back: Vec<u64>,
}

impl Closed {
    /// What clients of a kind are, whose acts these are, and the buffers that are theirs: nothing where
    /// they are no such clients. Where all of one name are not, each of its programs may be.
    pub(super) fn find(
        kind: &str,
        clients: &[Vec<Act>],
        buffers: &[Buffer],
    ) -> Vec<(Self, Vec<usize>)> {
        if let Some(all) = Self::shown(kind, By::Buffer, clients, buffers) {
            return vec![all];
        }
        let mut programs: Vec<_> = clients.iter().flat_map(|acts| by_pid(acts, buffers)).collect();
        let found = [By::Buffer, By::Session].map(|by| {
            let is_shown = |acts: &mut Vec<Act>| {
                Self::shown(kind, by, std::slice::from_ref(acts), buffers).is_some()
            };
            let own: Vec<_> = programs.extract_if(.., is_shown).collect();
            Self::shown(kind, by, &own, buffers)
        });
        found.into_iter().flatten().collect()
    }

    fn shown(
        kind: &str,
        by: By,
        clients: &[Vec<Act>],
        buffers: &[Buffer],
    ) -> Option<(Self, Vec<usize>)> {
        let clients: Vec<_> = clients
            .iter()
            .filter_map(|acts| {
                Some(((acts.first()?, acts.last()?), acts, steps(acts, buffers, by)))
            })
            .collect();
        let mut closed = Self::new(kind, by);
        clients.iter().for_each(|(ends, _, steps)| closed.add(*ends, steps));
        closed.gap_us = median(&mut closed.gaps_us.clone()).unwrap_or(0);
        let asked = clients.iter().flat_map(|(_, acts, _)| acts.iter()).filter_map(Act::asks);
        closed
            .is_shown(clients.iter().flat_map(|(.., steps)| steps))
            .then(|| (closed, asked.collect()))
    }

    fn new(kind: &str, by: By) -> Self {
        Self {
            kind: kind.to_string(),
            by,
            most_pages: 0,
            asks: Vec::new(),
            gaps_us: Vec::new(),
            gap_us: 0,
            ages: Vec::new(),
            others: Vec::new(),
            runs: Vec::new(),
            pauses_us: Vec::new(),
            lanes: Vec::new(),
            gave: 0,
            needed: 0,
            back: Vec::new(),
        }
    }

    fn add(&mut self, (first, last): (&Act, &Act), steps: &[Step]) {
        let most_pages = steps.iter().map(Step::after).max().unwrap_or(0);
        let (at_us, end_us) = (first.at_us, last.at_us);
        let own = None;
        self.lanes.push(Lane { client: first.client, at_us, end_us, most_pages, own });
        self.most_pages = self.most_pages.max(most_pages);
        let (mut run, mut unit_us) = (0, 0);
        for step in steps {
            // All of it back after a refusal is what the client does then, and ends no run.
            let ends = step.is_emptied && (self.by == By::Session || !step.after_refusal);
            if let Some(since_us) = step.since_us {
                let into = if ends { &mut self.pauses_us } else { &mut self.gaps_us };
                into.push(since_us.saturating_sub(unit_us));
            }
            if ends {
                self.runs.extend((run > 0).then_some(run));
                run = 0;
            } else if run > 0 {
                self.judge(step, most_pages);
            }
            run += 1;
            unit_us = step.unit.lasts_us;
            self.ages.extend(&step.ages);
            self.asks.push(step.unit.clone());
        }
    }

    /// What a step shows that is not the first of its run.
    fn judge(&mut self, step: &Step, most_pages: u64) {
        let (gone, is_above) = (step.gone.len() as u64, step.is_above(most_pages));
        match self.by {
            // What the request needs says nothing of the refusal.
            By::Buffer if step.after_refusal => {
                let back = if step.is_emptied { AfterFailure::ALL } else { gone };
                self.back.extend((!is_above).then_some(back));
            }
            By::Buffer if gone > 0 => {
                self.gave += 1;
                self.needed += u64::from(step.needs_all(most_pages));
            }
            By::Buffer => {}
            By::Session => {
                self.gave += u64::from(gone > 0);
                self.needed += u64::from(is_above);
                self.others.extend((!is_above).then_some(gone));
            }
        }
    }

    /// Whether its clients are such, by all of their steps.
    fn is_shown<'a>(&self, steps: impl Iterator<Item = &'a Step>) -> bool {
        // What a refusal makes a client do has a pace of its own.
        let (mut at_once_us, mut gaps_us) = (Vec::new(), Vec::new());
        for step in steps.filter(|step| !step.after_refusal) {
            at_once_us.extend(step.gone_us);
            gaps_us.extend(step.since_us);
        }
        let mut is_at_once = |parts: u64| {
            let median = median(&mut at_once_us).zip(median(&mut gaps_us));
            median.is_none_or(|(at_once_us, gap_us)| at_once_us.saturating_mul(parts) <= gap_us)
        };
        let units = self.asks.len() as u64;
        match self.by {
            By::Buffer => {
                let is_needed = self.needed * 10 >= self.gave * NEEDED_TENTHS;
                // Where most is refused, what goes back after that shows it.
                let usual = median(&mut self.back.clone()).filter(|usual| *usual > 0);
                let same = self.back.iter().filter(|back| Some(**back) == usual).count() as u64;
                let is_usual = same * 10 >= self.back.len() as u64 * NEEDED_TENTHS;
                let shown = self.gave + if is_usual { same } else { 0 };
                shown >= LEAST && is_needed && is_at_once(AT_ONCE)
            }
            By::Session => {
                let requests = self.asks.iter().map(|unit| unit.asks.len() as u64).sum::<u64>();
                requests * 10 >= units * LEAST_OF_SESSION_TENTHS
                    && self.needed >= LEAST
                    && self.needed * ONE_IN >= units
                    && is_at_once(AT_ONCE_OF_SESSION)
            }
        }
    }

    /// What its clients do after a refusal; `None` where that is not theirs to show.
    pub(super) fn after(&self) -> Option<AfterFailure> {
        let usual = || median(&mut self.back.clone()).filter(|_| self.is_back_known());
        (self.by == By::Buffer).then(|| AfterFailure::Next {
            back: usual().unwrap_or(0),
            oldest: self.is_oldest_first(),
        })
    }

    /// Whether refusals show how many buffers go back.
    pub(super) fn is_back_known(&self) -> bool {
        self.by == By::Session || self.back.len() >= LEAST_REFUSALS
    }

    fn is_oldest_first(&self) -> bool {
        let oldest = self.ages.iter().filter(|age| **age == 0.0).count();
        oldest * 10 >= self.ages.len() * OLDEST_TENTHS && self.ages.len() as u64 >= LEAST
    }
}

pub(super) fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
