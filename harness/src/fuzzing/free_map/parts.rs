//! The table of grants beside a list of them, and areas cut into parts.

use cma_policies::kit::{Live, carve};
use cma_policies::{Area, FreeError, Run};

use crate::codec::{Act, BadFree, Case, rest_of};

/// The most grants of a case: each free asks all of them.
const MOST: usize = 64;

/// Grants and frees of the case, one after the other in every range, and the area in parts.
pub(super) fn run(case: &Case) {
    cut(case);
    let mut table = Table::new(case);
    for act in case.acts.iter().take(MOST) {
        table.act(act);
    }
}

/// Cuts the area by weights that the knobs of the case say.
fn cut(case: &Case) {
    let area = &case.area;
    let parts = 2 + usize::from(case.policy.which % 4);
    let knobs = case.policy.knobs.iter().take(parts);
    let shares: Vec<f64> = knobs.map(|knob| f64::from(*knob) + 1.0).collect();
    // Pages without a bit are in no part.
    let granule = area.granule();
    let whole = |run: &Run| Run { count: run.count / granule * granule, ..*run };
    let ranges: Vec<Run> = area.ranges().iter().map(whole).collect();
    let pages: u64 = ranges.iter().map(|run| run.count).sum();
    let (sum, total) = (shares.iter().sum::<f64>(), (pages / granule) as f64);
    let ideal: Vec<f64> = shares.iter().map(|share| total * share / sum).collect();
    let Ok(parts) = carve(area, &shares) else {
        assert!(ideal.iter().any(|bits| *bits < 1.0), "{area:?} is not cut by {shares:?}");
        return;
    };
    assert_eq!(parts.len(), shares.len());
    // Pieces that touch inside one range are one again, so that nothing is lost nor moved.
    let mut joined: Vec<Run> = Vec::new();
    for run in parts.iter().flat_map(Area::ranges) {
        assert!(area.range_of(*run).is_some(), "{run} is in no range of {area:?}");
        match joined.last_mut() {
            Some(last) if last.end() == run.pfn && same_range(area, *last, *run) => {
                last.count += run.count;
            }
            _ => joined.push(*run),
        }
    }
    assert_eq!(joined, ranges, "cut by {shares:?}");
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(part.order_per_bit(), area.order_per_bit());
        // A cut moves by at most a sixteenth of the smaller of its neighbours, and half a bit.
        let bits = (part.pages() / part.granule()) as f64;
        let near = ideal[index] / 8.0 + 2.0;
        let off = (bits - ideal[index]).abs();
        assert!(
            off <= near,
            "part {index} of {area:?} by {shares:?} has {bits} bits, not {ideal:?}"
        );
    }
}

fn same_range(area: &Area, one: Run, other: Run) -> bool {
    area.ranges().iter().any(|range| range.contains(one) && range.contains(other))
}

/// Grants, each with a note.
struct Table<'a> {
    area: &'a Area,
    live: Live,
    naive: Vec<(Run, u64)>,
    notes: u64,
    last: Option<Run>,
}

impl<'a> Table<'a> {
    fn new(case: &'a Case) -> Self {
        let (live, naive) = (Live::default(), Vec::new());
        Self { area: &case.area, live, naive, notes: 0, last: None }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Alloc { request, .. } | Act::Fill { request, .. } => self.grant(request.count()),
            Act::Free { victim } => self.take_of(victim, |run| run),
            Act::FreePart { victim, part } => self.take_of(victim, |run| {
                let skip = u64::from(part) % run.count;
                let left = run.count - skip;
                Run::new(run.pfn.0 + skip, 1 + u64::from(part) / run.count % left)
            }),
            Act::FreeEvery { .. } => {
                let first = self.naive.first().copied();
                first.into_iter().for_each(|(run, _)| self.take(run));
            }
            Act::FreeBadly { how, victim, by } => self.bad(how, victim, u64::from(by)),
            Act::Pin { at, more } => {
                let span = self.area.span();
                let start = span.pfn.0 + u64::from(at) % span.count;
                self.take(Run::new(start, 1 + u64::from(more)));
            }
            Act::Unpin { .. } => {
                self.last.into_iter().for_each(|run| self.take(run));
            }
        }
    }

    /// Grants the lowest pages that are free.
    fn grant(&mut self, count: u64) {
        let overlaps = |run: Run| self.naive.iter().map(|held| held.0).find(|h| h.overlaps(run));
        for range in self.area.ranges() {
            let mut run = Run::new(range.pfn.0, count);
            while let Some(held) = overlaps(run) {
                run.pfn = held.end();
            }
            if range.contains(run) {
                self.notes += 1;
                self.live.grant(run, self.notes);
                self.naive.push((run, self.notes));
                return;
            }
        }
    }

    fn take_of(&mut self, victim: u32, part: impl Fn(Run) -> Run) {
        if let Some(at) = (victim as usize).checked_rem(self.naive.len()) {
            self.take(part(self.naive[at].0));
        }
    }

    fn bad(&mut self, how: BadFree, victim: u32, by: u64) {
        let range = self.area.ranges()[victim as usize % self.area.ranges().len()];
        match how {
            BadFree::Before => self.take(Run::new(range.pfn.0.saturating_sub(by + 1), by + 1)),
            BadFree::After => self.take(Run::new(range.end().0, by + 1)),
            BadFree::AcrossEnd => self.take(Run::new(range.end().0 - 1, by + 2)),
            BadFree::Middle => {
                self.take_of(victim, |run| Run::new(run.pfn.0 + by % run.count, run.count));
            }
            _ => self.take_of(victim, |run| Run::new(run.pfn.0, run.count + by + 1)),
        }
    }

    /// Takes `run` back, first as a whole grant, then as a part of one.
    fn take(&mut self, run: Run) {
        for parts in [false, true] {
            let right = self.right(run, parts);
            let answer = self.live.take(self.area, run, parts);
            assert_eq!(answer, right, "{run} of {:?}, parts {parts}", self.naive);
            if let Ok(note) = answer {
                let at = self.naive.iter().position(|held| held.0.contains(run));
                let (held, _) = self.naive.remove(at.expect("it is held"));
                self.naive.extend(rest_of(held, run).map(|rest| (rest, note)));
                self.last = Some(run);
            }
        }
    }

    fn right(&self, run: Run, parts: bool) -> Result<u64, FreeError> {
        if !self.area.ranges().iter().any(|range| range.contains(run)) {
            return Err(FreeError::OutsideArea);
        }
        let first = Run { count: 1, ..run };
        let Some((held, note)) = self.naive.iter().find(|held| held.0.contains(first)) else {
            return Err(FreeError::NotAllocated);
        };
        if *held == run || parts && held.contains(run) {
            Ok(*note)
        } else {
            Err(FreeError::Mismatch)
        }
    }
}
