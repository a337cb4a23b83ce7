//! Pages that were taken before a trace and are in no event: which ones they are taken to be.

use cma_policies::Run;
use cma_policies::kit::RunSet;

use super::proof::Proof;
use super::residents::{Known, Likely, What, left_over};
use crate::ingest::quoted;
use crate::words::{is_or_are, pages};

/// The least bytes of a pool for atomic DMA, which is a power of two (`dma_atomic_pool_init()`,
/// `kernel/dma/pool.c`, 6.12).
const LEAST_POOL: u64 = 128 << 10;

/// What was taken and is in no event.
pub(super) struct Taken<'a> {
    known: &'a Known<'a>,
    proof: Proof,
    /// What was given back after events were lost, and counts as live.
    doubtful: &'a [Run],
    /// Its pages, in runs.
    pub(super) found: Vec<Run>,
    /// How that is known.
    pub(super) words: Vec<String>,
}

impl<'a> Taken<'a> {
    /// What is `known` of an area, and what its calls prove; `doubtful` runs count as live.
    pub(super) const fn new(known: &'a Known<'a>, proof: Proof, doubtful: &'a [Run]) -> Self {
        Self { known, proof, doubtful, found: Vec::new(), words: Vec::new() }
    }

    /// The runs that were thought likely and met a place that was taken; or that make up what the
    /// counter says.
    pub(super) fn likely(&mut self, likely: &[Likely], left: Option<u64>) {
        let is_pool = |likely: &Likely| matches!(likely.what, What::Pool(_));
        let met = |at: usize| self.proof.met.get(at) == Some(&true);
        let mut pools: Vec<&Likely> = likely.iter().filter(|one| is_pool(one)).collect();
        let sum: u64 = pools.iter().map(|pool| pool.run.count).sum();
        // They are made one after the other: one that is there shows that the others are.
        if !(0..pools.len()).any(met) && left != Some(sum) {
            pools.clear();
        }
        if let (Some(What::Pool(first)), Some(What::Pool(last))) =
            (pools.first().map(|pool| &pool.what), pools.last().map(|pool| &pool.what))
        {
            let (are, to) = match pools.len() {
                1 => ("is", String::new()),
                _ => ("are", format!(" to {}", last.line)),
            };
            self.words.push(format!(
                "{} of them, {}, {are} for atomic DMA by the boot ({}{to})",
                pools.len(),
                pages(sum),
                first.words()
            ));
        }
        self.found.extend(pools.iter().map(|pool| pool.run));
        let listed = likely.iter().enumerate().filter(|(at, one)| !is_pool(one) && met(*at));
        let listed: Vec<(Run, &What)> = listed.map(|(_, one)| (one.run, &one.what)).collect();
        if let Some((_, What::List(at))) = listed.last() {
            let sum = listed.iter().map(|(run, _)| run.count).sum();
            self.words.push(format!(
                "{} of them {} taken in every list before or after ({}), and some had to be",
                pages(sum),
                is_or_are(sum),
                at.words()
            ));
        }
        self.found.extend(listed.iter().map(|(run, _)| *run));
        self.found.iter().for_each(|run| self.proof.taken.cut(*run));
    }

    /// The rest: as much as the counter says, else as little as explains every call.
    pub(super) fn rest(&mut self, left: Option<u64>) {
        let proven: u64 = self.proof.taken.iter().map(|(run, ())| run.count).sum();
        let known: u64 = self.found.iter().map(|run| run.count).sum();
        let by_counter = left.and_then(|left| left.checked_sub(known));
        let by_counter = by_counter.filter(|rest| *rest >= proven);
        let (runs, most) = match by_counter {
            Some(0) => return,
            Some(rest) => (self.spread(rest), rest),
            None if proven == 0 => return,
            None => self.at_most(proven),
        };
        let sum: u64 = runs.iter().map(|run| run.count).sum();
        self.say(&runs, (proven, sum, most), by_counter.is_some());
        self.found.extend(runs);
    }

    /// Pages of no event, in runs: first those that have a page that was taken.
    fn open(&self) -> Vec<Run> {
        let Known { area, traced, .. } = self.known;
        let mut open: Vec<Run> = Vec::new();
        let mut known = traced.known().clone();
        self.doubtful.iter().for_each(|run| known.join(*run));
        area.ranges().iter().for_each(|range| left_over(area, *range, &known, &mut open));
        let mut own = RunSet::default();
        self.found.iter().for_each(|run| own.join(*run));
        let mut open: Vec<Run> =
            open.iter().flat_map(|run| own.gaps(*run).collect::<Vec<_>>()).collect();
        open.sort_by_key(|run| (!self.proof.taken.touches(*run), area.range_of(*run), run.pfn));
        open
    }

    /// From the first page of `gap` that was taken to the last.
    fn between(&self, gap: Run) -> Option<Run> {
        let mut inside = self.proof.taken.overlapping(gap).map(|(run, ())| run);
        let first = inside.next()?;
        let last = inside.next_back().unwrap_or(first);
        Some(Run { pfn: first.pfn, count: last.end().0 - first.pfn.0 })
    }

    /// `rest` pages: those between pages that were taken, then those after them, then the lowest.
    fn spread(&self, rest: u64) -> Vec<Run> {
        let mut taken = self.proof.taken.clone();
        let proven: u64 = taken.iter().map(|(run, ())| run.count).sum();
        let mut left = rest - proven;
        let open = self.open();
        let between = open.iter().filter_map(|gap| self.between(*gap));
        let after = open.iter().filter_map(|gap| {
            let inside = self.between(*gap)?;
            Some(Run { pfn: inside.pfn, count: gap.end().0 - inside.pfn.0 })
        });
        for part in between.chain(after).chain(open.iter().copied()) {
            let gaps: Vec<Run> = taken.gaps(part).collect();
            for gap in gaps {
                let count = gap.count.min(left);
                taken.join(Run { count, ..gap });
                left -= count;
            }
        }
        taken.iter().map(|(run, ())| run).collect()
    }

    /// As [`least`](Self::least), and no more than sysfs ever had taken (from 6.15 on).
    fn at_most(&self, proven: u64) -> (Vec<Run>, u64) {
        let Known { area, scan, name, .. } = self.known;
        let (runs, most) = self.least();
        let sysfs = name.as_ref().and_then(|name| scan.taken_by_sysfs(name));
        let known: u64 = self.found.iter().map(|run| run.count).sum();
        let bound = sysfs.and_then(|taken| taken.checked_sub(known));
        match bound.filter(|bound| (proven..most).contains(bound) && area.order_per_bit() == 0) {
            Some(bound) if runs.iter().map(|run| run.count).sum::<u64>() > bound => {
                (self.spread(bound), bound)
            }
            Some(bound) => (runs, bound),
            None => (runs, most),
        }
    }

    /// As few as explain every call, and how many there may be at most. At the start of an area they
    /// are mostly pools for atomic DMA: whole ones where there is room.
    fn least(&self) -> (Vec<Run>, u64) {
        let Known { area, scan, .. } = self.known;
        let start = area.ranges()[0].pfn;
        let pool = (LEAST_POOL / scan.areas.page_bytes()).max(1).next_power_of_two();
        let (mut runs, mut most) = (Vec::new(), 0);
        for gap in self.open() {
            let Some(inside) = self.between(gap) else { continue };
            most += gap.count;
            let mut steps =
                std::iter::successors(Some(pool), |step| Some(step / 2).filter(|step| *step > 0));
            let is_start = inside.pfn == start && area.order_per_bit() == 0;
            let whole = steps.find_map(|step| {
                let count = inside.count.next_multiple_of(step);
                (count <= gap.count).then_some(count)
            });
            let count = whole.filter(|_| is_start).unwrap_or(inside.count);
            runs.push(Run { count, ..inside });
        }
        (runs, most)
    }

    fn say(&mut self, runs: &[Run], (least, sum, most): (u64, u64, u64), by_counter: bool) {
        let Proof { calls, first, .. } = self.proof;
        let at = match runs {
            [] => return,
            [one] => format!("from pfn {} on", one.pfn.0),
            [one, ..] => format!("in {} places, the first from pfn {} on", runs.len(), one.pfn.0),
        };
        let (are, them) = (is_or_are(sum), if sum == 1 { "it" } else { "them" });
        let passed = match (calls, first) {
            (1, Some(line)) => format!("by first fit the call on line {line} found {them} taken"),
            (calls, Some(line)) => {
                format!("by first fit {calls} calls, the first on line {line}, found {them} taken")
            }
            _ => String::new(),
        };
        if let (true, Some(counted)) = (by_counter, self.known.traced.counted) {
            let (available, total) = counted.stated;
            let passed = if passed.is_empty() { passed } else { format!(", and {passed}") };
            self.words.push(format!(
                "{}, taken to lie {at}, {are} in no event: line {} has available_count {available} of \
                 {total}{passed}",
                pages(sum),
                counted.line
            ));
            return;
        }
        let area = self.known.name.as_deref().map_or_else(|| "AREA".to_string(), quoted);
        self.words.push(format!(
            "{}, taken to lie {at}, {are} in no event: {passed}; there may be {least} to {most}, and \
             debugfs of area {area} or a kernel log of that time says which",
            pages(sum)
        ));
    }
}
