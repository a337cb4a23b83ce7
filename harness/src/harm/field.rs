//! A policy under attack: nothing beside it but the table of what is live.

use cma_policies::{Policy, Quiet, Run};

use super::goal::Goal;
use crate::cause::Cause;
use crate::codec::comb;
use crate::op::{Op, Timed};

/// The first request that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// M: the most pages that were live or asked for at once, this request included.
    pub need: u64,
    /// Pages it asked for.
    pub count: u64,
    /// Requests and frees before it.
    pub op: u64,
    /// Pages that were free.
    pub free: u64,
    /// Pages of the longest hole.
    pub longest: u64,
    /// Pages of the longest hole from its first page on that is aligned for this request.
    pub usable: u64,
    /// Why.
    pub cause: Cause,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// Granted there.
    Granted(Run),
    /// Refused, now or before: the game is over.
    Refused,
    /// Not made: above n, or above the LOAD limit.
    NotMade,
}

/// A policy under attack. What it says is believed; [`super::confirm`] does not.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub(super) goal: &'a Goal,
    pub(super) policy: Box<dyn Policy>,
    /// In the order of their grants, each with its number.
    live: Vec<(Run, u64)>,
    pub(super) live_pages: u64,
    /// LOAD: so many pages are live or asked for at most.
    pub(super) limit: u64,
    /// The most pages that were live or asked for at once so far.
    pub(super) need: u64,
    grants: u64,
    /// Requests and frees so far.
    pub(super) ops: u64,
    /// What ended the game.
    pub(super) refusal: Option<Refusal>,
    log: Option<Vec<Timed>>,
}

/// Ops of one game, per page of the area: a stream that is longer gets no worse.
const OPS_PER_PAGE: u64 = 32;

impl<'a> Field<'a> {
    /// A fresh policy. At most `limit` pages are live or asked for at once.
    ///
    /// # Panics
    /// Never: a goal is made of a policy that can be built.
    pub(crate) fn new(goal: &'a Goal, limit: u64) -> Self {
        let policy = goal.policy.build(goal.area()).expect("it was built for the goal");
        Self {
            goal,
            policy,
            live: Vec::new(),
            live_pages: 0,
            limit,
            need: 0,
            grants: 0,
            ops: 0,
            refusal: None,
            log: None,
        }
    }

    /// The same, and what happens is kept.
    pub(crate) fn logged(goal: &'a Goal, limit: u64) -> Self {
        Self { log: Some(Vec::new()), ..Self::new(goal, limit) }
    }

    /// What happened: where it was kept.
    pub(crate) fn into_log(self) -> Vec<Timed> {
        self.log.unwrap_or_default()
    }

    /// The live buffers, in the order of their grants.
    pub(crate) fn live(&self) -> impl Iterator<Item = Run> + '_ {
        self.live.iter().map(|(run, _)| *run)
    }

    /// How many there are.
    pub(crate) const fn buffers(&self) -> usize {
        self.live.len()
    }

    /// Whether there is nothing more to do: a refusal, or too many ops.
    pub(crate) const fn is_over(&self) -> bool {
        self.refusal.is_some() || self.ops >= OPS_PER_PAGE * self.goal.pages
    }

    fn note(&mut self, op: Op) {
        if let Some(log) = &mut self.log {
            log.push(Timed { at_us: self.ops, op });
        }
    }

    /// Asks for `count` pages, where goal and limit allow it.
    pub(crate) fn ask(&mut self, count: u64) -> Asked {
        if self.is_over() {
            return Asked::Refused;
        }
        let sum = self.live_pages.saturating_add(count);
        let Some(request) = self.goal.request(count).filter(|_| sum <= self.limit) else {
            return Asked::NotMade;
        };
        self.need = self.need.max(sum);
        let dma = self.goal.align != super::Align::None;
        self.note(Op::Alloc { id: self.grants, request, dma });
        let Ok(pfn) = self.policy.alloc(request, &mut Quiet) else {
            self.refusal = Some(self.refused(count));
            return Asked::Refused;
        };
        let run = Run { pfn, count };
        self.live.push((run, self.grants));
        self.live_pages = sum;
        self.grants += 1;
        self.ops += 1;
        Asked::Granted(run)
    }

    fn refused(&self, count: u64) -> Refusal {
        let order = self.goal.align.order(count);
        let mut runs: Vec<_> = self.live().collect();
        runs.sort_unstable_by_key(|run| run.pfn);
        let (mut longest, mut usable) = (0, 0);
        for range in self.goal.ranges() {
            let inside = runs.iter().filter(|run| range.contains(**run)).copied();
            let mut from = range.pfn.0;
            for run in inside.chain([Run { pfn: range.end(), count: 0 }]) {
                longest = longest.max(run.pfn.0.saturating_sub(from));
                let first = from.next_multiple_of(1 << order);
                usable = usable.max(run.pfn.0.saturating_sub(first));
                from = run.end().0;
            }
        }
        let free = self.goal.pages.saturating_sub(self.live_pages);
        let cause = match () {
            () if free < count => Cause::Exhausted,
            () if longest < count => Cause::Fragmentation,
            () if usable < count => Cause::Alignment,
            () => Cause::Policy,
        };
        Refusal { need: self.need, count, op: self.ops, free, longest, usable, cause }
    }

    fn give_back(&mut self, run: Run, id: u64) {
        self.note(Op::Free { id, part: None });
        // A refusal of it would be found out where the stream is confirmed.
        let _ = self.policy.free(run);
        self.live_pages -= run.count;
        self.ops += 1;
    }

    /// Gives back live buffer number `index` in the order of grants.
    ///
    /// # Panics
    /// If there are not so many.
    pub(crate) fn free(&mut self, index: usize) {
        if !self.is_over() {
            let (run, id) = self.live.remove(index);
            self.give_back(run, id);
        }
    }

    /// Gives back every live buffer that `keep` does not hold, the oldest first.
    pub(crate) fn keep(&mut self, keep: impl Fn(&Run) -> bool) {
        if self.is_over() {
            return;
        }
        let mut live = std::mem::take(&mut self.live);
        live.retain(|(run, id)| {
            let kept = keep(run);
            if !kept {
                self.give_back(*run, *id);
            }
            kept
        });
        self.live = live;
    }

    /// Gives back of the live buffers, in the order of their pages, one in every `stride`: see
    /// [`comb`].
    pub(crate) fn free_every(&mut self, stride: u8, phase: u8, class: Option<u8>) {
        let gone = comb(self.live(), stride, phase, class);
        // In the order of their pages, as they were picked.
        self.keep(|run| gone.binary_search_by_key(&run.pfn, |gone| gone.pfn).is_err());
    }

    /// Asks for `count` pages up to `times` times; whether it was never refused.
    pub(crate) fn fill(&mut self, count: u64, times: u64) -> bool {
        for _ in 0..times {
            match self.ask(count) {
                Asked::Granted(_) => {}
                Asked::Refused => return false,
                Asked::NotMade => return true,
            }
        }
        true
    }
}
