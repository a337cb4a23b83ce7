//! Hands out the cells of a plan, in its order, and decides where to stop early.

use std::collections::BTreeMap;

use super::cells::{Cell, Configuration};
use super::known::Known;
use super::plan::Plan;
use super::shard::Shard;
use super::stop::Stop;

/// What to do next.
pub(super) enum Next {
    /// Run this cell, of this number, and say how it ended.
    Run(u64, Cell),
    /// What comes next is not known before a cell that is running ends.
    Wait,
    /// Nothing is left.
    End,
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
    /// Streams of the rounds so far that failed, for each policy.
    failed: Vec<u64>,
}

impl Open {
    /// Where cell `within` of the round is: its policy, and its number in the plan.
    fn place(&self, within: u64) -> (usize, u64) {
        let width = self.round.end - self.round.start;
        let (policy, seed) = (within / width, self.round.start + within % width);
        (policy as usize, self.first + policy * self.seeds + seed)
    }

    fn cells_of_round(&self) -> u64 {
        (self.round.end - self.round.start) * self.failed.len() as u64
    }

    /// Whether there is nothing to hand out before what is running ends.
    fn is_handed_out(&self) -> bool {
        self.next == self.cells_of_round()
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
    /// Cells from this number on are not handed out any more.
    end: u64,
    /// Cells that the plan runs, of those looked at so far, finished or not.
    wanted: u64,
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
            end: u64::MAX,
            wanted: 0,
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
    pub(super) fn done(&mut self, number: u64, failed: bool) {
        let open = self.open.iter_mut().find(|(_, open)| {
            (open.first..open.first + open.seeds * open.failed.len() as u64).contains(&number)
        });
        let (&configuration, open) = open.expect("it was handed out");
        open.out -= 1;
        open.failed[((number - open.first) / open.seeds) as usize] += u64::from(failed);
        self.close_round(configuration);
    }

    /// Hands out nothing from cell `number` on any more: it is known that the plan fails there,
    /// and the failure to name is the first one.
    pub(super) fn end_at(&mut self, number: u64) {
        self.end = self.end.min(number);
    }

    /// Cells that were handed out or passed over.
    pub(super) const fn wanted(&self) -> u64 {
        self.wanted
    }

    /// Opens the next configuration; false behind the last.
    fn open_next(&mut self) -> bool {
        let (configuration, first) = self.upcoming;
        if first >= self.end {
            return false;
        }
        let Some(at) = self.configurations.next() else { return false };
        self.upcoming = (configuration + 1, first + self.plan.cells_in(&at));
        let stops = self.plan.stop.is_some();
        if stops && !self.shard.has(configuration) {
            return true;
        }
        let seeds = self.plan.seeds_of(&self.plan.streams[at.stream]);
        let round = 0..if stops { seeds.min(Stop::ROUND) } else { seeds };
        let failed = vec![0; self.plan.policies.len()];
        let open = Open { at, first, seeds, round, next: 0, out: 0, failed };
        self.open.insert(configuration, open);
        true
    }

    /// The next cell of an open configuration's round.
    fn take_from(&mut self, configuration: u64) -> Option<(u64, Cell)> {
        let by_cell = self.plan.stop.is_none();
        let open = self.open.get_mut(&configuration)?;
        while open.next < open.cells_of_round() {
            let (policy, number) = open.place(open.next);
            open.next += 1;
            if number >= self.end || by_cell && !self.shard.has(number) {
                continue;
            }
            self.wanted += 1;
            if self.known.has(number) {
                open.failed[policy] += u64::from(self.known.failed(number));
                continue;
            }
            open.out += 1;
            return Some((number, self.plan.cell_of(open.at, number - open.first)));
        }
        None
    }

    /// Goes on to the next round of a configuration whose cells have all ended, or closes it.
    fn close_round(&mut self, configuration: u64) {
        let Some(open) = self.open.get_mut(&configuration) else { return };
        if open.out > 0 || !open.is_handed_out() {
            return;
        }
        let streams = open.round.end;
        let clear = self.plan.stop.is_none_or(|stop| stop.is_clear(&open.failed, streams));
        if clear || streams == open.seeds || open.first >= self.end {
            self.open.remove(&configuration);
        } else {
            open.round = streams..open.seeds.min(streams + Stop::ROUND);
            open.next = 0;
        }
    }
}
