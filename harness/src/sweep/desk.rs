//! Hands out the cells of a plan, in its order, and decides where to stop early.

use std::collections::BTreeMap;

use super::cells::{Cell, Configuration};
use super::known::{Known, Outcome};
use super::plan::Plan;
use super::race::{Candidate, Race, is_out};
use super::shard::Shard;
use super::target::Evidence;
use super::target::Stop;

/// What to do next.
pub(super) enum Next {
    /// Run this cell, of this number, and say how it ended.
    Run(u64, Cell),
    /// What comes next is not known before a cell that is running ends.
    Wait,
    /// Nothing is left.
    End,
}

/// The streams of one policy in a configuration.
#[derive(Clone, Copy, Default)]
struct Lane {
    /// Streams so far in which a request was refused.
    refused: u64,
    /// What they showed.
    seen: Evidence,
    /// It is not run any further.
    is_out: bool,
}

/// A configuration some cells of which are not finished.
struct Open {
    at: Configuration,
    /// The number of its first cell.
    first: u64,
    seeds: u64,
    /// The seeds that are run now.
    round: std::ops::Range<u64>,
    /// How far the cells of the round are handed out.
    next: u64,
    /// Cells that are running.
    out: u64,
    /// For each policy.
    lanes: Vec<Lane>,
}

impl Open {
    /// Where cell `within` of the round is: its policy, and its number in the plan.
    fn place(&self, within: u64) -> (usize, u64) {
        let width = self.round.end - self.round.start;
        let (policy, seed) = (within / width, self.round.start + within % width);
        (policy as usize, self.first + policy * self.seeds + seed)
    }

    fn cells_of_round(&self) -> u64 {
        (self.round.end - self.round.start) * self.lanes.len() as u64
    }

    /// Whether there is nothing to hand out before what is running ends.
    fn is_handed_out(&self) -> bool {
        self.next == self.cells_of_round()
    }

    fn note(&mut self, number: u64, outcome: Outcome) {
        let lane = &mut self.lanes[((number - self.first) / self.seeds) as usize];
        lane.refused += u64::from(outcome.refused);
        lane.seen.add(outcome.watched_us, outcome.lost);
    }
}

/// The cells of a shard of a plan.
pub(super) struct Desk<'a> {
    plan: &'a Plan,
    shard: Shard,
    known: &'a Known,
    configurations: Box<dyn Iterator<Item = Configuration> + Send + 'a>,
    /// The number of the next configuration, and of its first cell.
    upcoming: (u64, u64),
    open: BTreeMap<u64, Open>,
    /// Configurations, and their first cells, that wait for others of their candidate: those of
    /// earlier streams decide whether they are run at all.
    parked: BTreeMap<u64, (Configuration, u64)>,
    race: Race,
    /// Cells from this number on are not handed out any more.
    end: u64,
    /// Finished cells that the plan runs, of those looked at so far.
    wanted: Vec<u64>,
}

impl<'a> Desk<'a> {
    /// All cells of `shard` that are not `known`.
    pub(super) fn new(plan: &'a Plan, shard: Shard, known: &'a Known) -> Self {
        Self {
            plan,
            shard,
            known,
            configurations: Box::new(plan.configurations()),
            upcoming: (0, 0),
            open: BTreeMap::new(),
            parked: BTreeMap::new(),
            race: Race::default(),
            end: u64::MAX,
            wanted: Vec::new(),
        }
    }

    /// The next cell. Those that are known are passed over, but count where it stops early.
    pub(super) fn take(&mut self) -> Next {
        loop {
            let numbers = self.open.iter().find(|(_, open)| !open.is_handed_out());
            let Some((&number, _)) = numbers else {
                if self.open_next() {
                    continue;
                }
                return if self.open.is_empty() { Next::End } else { Next::Wait };
            };
            if let Some((number, cell)) = self.take_from(number) {
                return Next::Run(number, cell);
            }
            self.close_round(number);
        }
    }

    /// Cell `number` of `at`, which [`Desk::take`] gave, has ended.
    pub(super) fn done(&mut self, number: u64, outcome: Outcome) {
        let open = self.open.iter_mut().find(|(_, open)| {
            (open.first..open.first + open.seeds * open.lanes.len() as u64).contains(&number)
        });
        let (&configuration, open) = open.expect("it was handed out");
        open.out -= 1;
        open.note(number, outcome);
        self.close_round(configuration);
    }

    /// Hands out nothing from cell `number` on any more: it is known that the plan fails there,
    /// and the failure to name is the first one.
    pub(super) fn end_at(&mut self, number: u64) {
        self.end = self.end.min(number);
    }

    /// Finished cells that the plan runs, of those looked at so far: in no order.
    pub(super) fn wanted(&self) -> &[u64] {
        &self.wanted
    }

    /// Opens the next configuration, or parks it; false where there is none.
    fn open_next(&mut self) -> bool {
        let free = self.parked.iter().find(|(number, (at, _))| !self.has_to_wait(**number, at));
        if let Some((&number, &(at, first))) = free {
            self.parked.remove(&number);
            self.begin(number, at, first);
            return true;
        }
        let (number, first) = self.upcoming;
        if first >= self.end || self.parked.len() >= MOST_PARKED {
            return false;
        }
        let Some(at) = self.configurations.next() else { return false };
        self.upcoming = (number + 1, first + self.plan.cells_in(&at));
        if !self.is_mine(number, &at) {
            return true;
        }
        if self.has_to_wait(number, &at) {
            self.parked.insert(number, (at, first));
        } else {
            self.begin(number, at, first);
        }
        true
    }

    /// Whether cells of this configuration belong to the shard.
    fn is_mine(&self, number: u64, at: &Configuration) -> bool {
        unit_of(self.plan, number, at).is_none_or(|unit| self.shard.has(unit))
    }

    /// Whether earlier configurations decide if this one is run.
    fn has_to_wait(&self, number: u64, at: &Configuration) -> bool {
        let candidate = Candidate::of(at);
        let open = self.open.range(..number).map(|(_, open)| &open.at);
        let parked = self.parked.range(..number).map(|(_, (at, _))| at);
        self.plan.target.is_some()
            && open.chain(parked).any(|other| Candidate::of(other) == candidate)
    }

    fn begin(&mut self, number: u64, at: Configuration, first: u64) {
        let seeds = self.plan.seeds_of(&self.plan.streams[at.stream]);
        let lane = |policy| Lane {
            is_out: self.race.has_dropped(Candidate::of(&at), policy),
            ..Lane::default()
        };
        let lanes = (0..self.plan.policies.len()).map(lane).collect();
        let round = 0..seeds.min(self.round());
        self.open.insert(number, Open { at, first, seeds, round, next: 0, out: 0, lanes });
    }

    /// Streams between two looks.
    const fn round(&self) -> u64 {
        match (self.plan.stop, self.plan.target) {
            (Some(_), _) => Stop::ROUND,
            (None, Some(_)) => Race::ROUND,
            (None, None) => u64::MAX,
        }
    }

    /// The next cell of an open configuration's round.
    fn take_from(&mut self, configuration: u64) -> Option<(u64, Cell)> {
        let by_cell = !self.plan.is_adaptive();
        let open = self.open.get_mut(&configuration)?;
        while open.next < open.cells_of_round() {
            let (policy, number) = open.place(open.next);
            open.next += 1;
            let elsewhere = by_cell && !self.shard.has(number);
            if number >= self.end || elsewhere || open.lanes[policy].is_out {
                continue;
            }
            if self.known.has(number) {
                self.wanted.push(number);
                open.note(number, self.known.outcome(number));
                continue;
            }
            open.out += 1;
            return Some((number, self.plan.cell_of(open.at, number - open.first)));
        }
        None
    }

    /// Goes on to the next round of a configuration whose cells have all ended, or closes it.
    fn close_round(&mut self, configuration: u64) {
        let round = self.round();
        let Some(open) = self.open.get_mut(&configuration) else { return };
        if open.out > 0 || !open.is_handed_out() {
            return;
        }
        let (plan, streams) = (self.plan, open.round.end);
        if let Some(target) = plan.target {
            let stream = &plan.streams[open.at.stream];
            let running = open.lanes.iter_mut().enumerate().filter(|(_, lane)| !lane.is_out);
            for (policy, lane) in running {
                lane.is_out = is_out(&lane.seen, stream, open.seeds, target);
                if lane.is_out {
                    self.race.drop_out(Candidate::of(&open.at), policy);
                }
            }
        }
        let clear = match plan.stop {
            Some(stop) => {
                let refused: Vec<_> = open.lanes.iter().map(|lane| lane.refused).collect();
                stop.is_clear(&refused, streams)
            }
            None => open.lanes.iter().all(|lane| lane.is_out),
        };
        if clear || streams == open.seeds || open.first >= self.end {
            self.open.remove(&configuration);
        } else {
            open.round = streams..open.seeds.min(streams.saturating_add(round));
            open.next = 0;
        }
    }
}

/// Configurations that may wait for others at once.
const MOST_PARKED: usize = 4096;

/// What of a plan a configuration is, where a shard has all streams of it or none: with early
/// stopping the configuration, in a race the candidate. [`None`] where shards share out cells.
pub(crate) fn unit_of(plan: &Plan, number: u64, at: &Configuration) -> Option<u64> {
    match (plan.stop, plan.target) {
        (Some(_), _) => Some(number),
        (None, Some(_)) => Some(Candidate::of(at).number(plan)),
        (None, None) => None,
    }
}
