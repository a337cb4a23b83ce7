//! What was live before a trace began, and how that is known.

use cma_policies::kit::{AreaMap, RunSet};
use cma_policies::{Area, Request, Run, dma_align};

use super::proof::{Proof, Prover};
use super::scan::{Line, Listed, Name, Pool, Scan, Traced};
use crate::ingest::log::boot::PoolZone;
use crate::ingest::{IngestError, Source, quoted};
use crate::kernel::{Arch, Kernel, Sign};
use crate::timeline::{AreaState, Bitmap, Layout, holes};
use crate::words::{counted, pages};

/// The least bytes of a pool for atomic DMA, which is a power of two (`dma_atomic_pool_init()`,
/// `kernel/dma/pool.c`, 6.12).
const LEAST_POOL: u64 = 128 << 10;

/// The end of what a pool for `ZONE_DMA32` may have, in bytes.
const DMA32_END: u64 = 1 << 32;

/// What was live before a trace began.
#[derive(Default, Debug)]
pub(super) struct Residents {
    /// Its pages, by buffer where that is known, ascending in the order of the ranges.
    pub(super) runs: Vec<Run>,
    /// How that is known, and what of it is not.
    pub(super) words: Vec<String>,
}

/// The area of a trace, and what is known of it.
pub(super) struct Known<'a> {
    pub(super) scan: &'a Scan,
    pub(super) name: &'a Name,
    pub(super) area: &'a Area,
    pub(super) traced: &'a Traced,
    /// The bitmaps of debugfs.
    pub(super) bitmaps: &'a [Bitmap],
    /// The cap of the requests that the boot makes.
    pub(super) cap: u32,
}

impl Residents {
    /// By all that is `known`: what the trace in `source` gives back without having got it, what a
    /// bitmap or a list of that time has taken, and what first fit proves.
    pub(super) fn new(known: &Known<'_>, source: &Source) -> Result<Self, IngestError> {
        let Known { area, traced, .. } = known;
        let mut residents = Self::default();
        let given_back = |run: &Run| area.range_of(*run).is_some();
        residents.runs.extend(traced.residents.iter().copied().filter(given_back));
        let outside = traced.residents.len() - residents.runs.len();
        if outside > 0 {
            let outside = format!("{outside} buffers that were live before lie outside the area");
            residents.words.push(outside);
        }
        let mut how = Vec::new();
        if !known.bitmaps.is_empty() {
            residents.by_bitmaps(known);
        } else if !residents.by_lists(known, &mut how) {
            residents.by_proof(known, source, &mut how)?;
        }
        residents.runs.sort_by_key(|run| (area.range_of(*run), run.pfn));
        residents.sum(&how);
        Ok(residents)
    }

    /// How many there are, and how that is known.
    fn sum(&mut self, how: &[String]) {
        if self.runs.is_empty() {
            return;
        }
        let pages = self.runs.iter().fold(0u64, |sum, run| sum.saturating_add(run.count));
        let were = if self.runs.len() == 1 { "was" } else { "were" };
        let buffers = counted(self.runs.len() as u64, "buffer");
        let mut words = format!(
            "{buffers}, {pages} pages, {were} live before the trace began, and put in place before \
             its first event"
        );
        how.iter().for_each(|how| words = format!("{words}; {how}"));
        self.words.push(words);
    }

    fn by_bitmaps(&mut self, known: &Known<'_>) {
        let Known { area, traced, .. } = known;
        for (number, words) in known.bitmaps {
            let index = *number as usize;
            let Some(range) = area.ranges().get(index) else { continue };
            let (holes, _) = holes(words, area.bits(index), area.order_per_bit(), usize::MAX);
            let mut free = RunSet::default();
            for hole in holes {
                free.insert(Run::new(range.pfn.0 + hole.start, hole.count), ());
            }
            let mapped = Run::new(range.pfn.0, area.bits(index) << area.order_per_bit());
            free.gaps(mapped).for_each(|run| left_over(area, run, &traced.touched, &mut self.runs));
        }
    }

    /// What no list of the time of the trace has free. Whether there is such a list.
    fn by_lists(&mut self, known: &Known<'_>, how: &mut Vec<String>) -> bool {
        let lists = known.lists(true);
        let Some(taken) = known.taken(&lists) else { return false };
        let before = self.runs.len();
        for run in taken {
            left_over(known.area, run, &known.traced.touched, &mut self.runs);
        }
        let own: u64 = self.runs[before..].iter().map(|run| run.count).sum();
        if let (Some(first), 1..) = (lists.first(), own) {
            how.push(format!(
                "{} of them are taken in {} of that time ({}) and in no event",
                pages(own),
                if lists.len() == 1 { "the list" } else { "every list" },
                first.at.words()
            ));
        }
        true
    }

    fn by_proof(
        &mut self,
        known: &Known<'_>,
        source: &Source,
        how: &mut Vec<String>,
    ) -> Result<(), IngestError> {
        let Known { area, traced, name, .. } = known;
        if !known.is_any_open() {
            return Ok(());
        }
        let given_back: u64 = self.runs.iter().map(|run| run.count).sum();
        let counted = traced.counted.filter(|counted| counted.taken >= given_back);
        let left = counted.map(|counted| counted.taken - given_back);
        if left == Some(0) {
            return Ok(());
        }
        let likely = known.likely(left);
        let runs: Vec<Run> = likely.iter().map(|likely| likely.run).collect();
        let proof = Prover::new((area, name), traced, &self.runs, &runs).prove(source)?;
        if proof.is_refuted() {
            let why = "its calls do not go where first fit does: what was live before does not follow \
                       from where they went";
            self.words.push(why.to_string());
            return Ok(());
        }
        let mut taken = Taken { known, proof, found: Vec::new(), words: Vec::new() };
        taken.likely(&likely, left);
        taken.rest(left);
        self.runs.append(&mut taken.found);
        how.append(&mut taken.words);
        Ok(())
    }
}

/// Pages that may have been taken as one, and what says so.
struct Likely {
    run: Run,
    what: What,
}

enum What {
    /// A pool for atomic DMA.
    Pool(Line),
    /// Lists of another time have it taken.
    List(Line),
}

impl Line {
    fn words(&self) -> String {
        format!("{} line {}", self.source, self.line)
    }
}

impl Known<'_> {
    /// Whether there is a page below the highest one seen of which no event says anything.
    fn is_any_open(&self) -> bool {
        let high = self.traced.span.map_or(0, |(_, high)| high);
        let below = |run: &&Run| run.pfn.0 < high || self.area.ranges().len() > 1;
        let open = |run: &Run| self.traced.touched.gaps(*run).any(|gap| gap.pfn.0 < high);
        self.area.ranges().iter().filter(below).any(open) || self.traced.counted.is_some()
    }

    /// The whole lists of free runs of this area, of the time of the trace or of any.
    fn lists(&self, during: bool) -> Vec<&Listed> {
        let Self { scan, name, area, traced, .. } = self;
        let alike = scan.traced.iter().filter(|(_, other)| other.total == Some(area.pages()));
        let is_alone = alike.count() <= 1 && scan.areas.reserved_of(area.pages()) <= 1;
        let own = |list: &&Listed| {
            let is_own = if list.area.is_some() { list.area == **name } else { is_alone };
            let stamps = list.time_us.zip(traced.stamps);
            let is_then = stamps.is_some_and(|(at, (first, last))| first <= at && at <= last);
            is_own && list.runs.total == Some(area.pages()) && (is_then || !during)
        };
        scan.lists.iter().filter(own).filter(|list| self.state(list).is_some()).collect()
    }

    /// What a list shows, where nothing of it is missing or contradicts the rest.
    fn state(&self, list: &Listed) -> Option<AreaState> {
        let Self { scan, area, .. } = self;
        let bases = (0..).zip(area.ranges()).map(|(number, run)| (number, run.pfn.0)).collect();
        let sizes = (0..).zip(area.ranges()).map(|(number, run)| (number, run.count)).collect();
        let order_per_bit = Some(area.order_per_bit());
        let layout = Layout { name: None, order_per_bit, total: Some(area.pages()), bases, sizes };
        let kernel = scan.kernel.as_deref().and_then(Kernel::find);
        let in_bits = kernel.is_some_and(|kernel| !kernel.shows(Sign::ListInPages));
        let (state, doubtful) = AreaState::of_list(&list.runs, &layout, in_bits);
        (state.complete && !doubtful).then_some(state)
    }

    /// What none of `lists` has free, ascending; `None` where there is no list.
    fn taken(&self, lists: &[&Listed]) -> Option<Vec<Run>> {
        let area = self.area;
        let mut free = RunSet::default();
        for range in lists.iter().filter_map(|list| self.state(list)).flat_map(|state| state.ranges)
        {
            let Some(own) = area.ranges().get(range.number as usize) else { continue };
            for hole in range.holes {
                free.join(Run::new(own.pfn.0 + hole.start, hole.count));
            }
        }
        let mapped = |(index, run): (usize, &Run)| {
            Run::new(run.pfn.0, area.bits(index) << area.order_per_bit())
        };
        let ranges = area.ranges().iter().enumerate().map(mapped);
        (!lists.is_empty())
            .then(|| ranges.flat_map(|run| free.gaps(run).collect::<Vec<_>>()).collect())
    }

    /// What may have been taken as one: pools of the boot, and what is taken in every list. Of pools
    /// no more than the counter of the area had taken, where that is known.
    fn likely(&self, left: Option<u64>) -> Vec<Likely> {
        let mut likely: Vec<Likely> = Vec::new();
        let mut map = AreaMap::new(self.area.clone());
        let mut sum = 0;
        for pool in self.scan.pools.iter().filter(|pool| self.can_have(pool)) {
            let Some(run) = self.pool(pool, &map) else { continue };
            sum += run.count;
            if left.is_some_and(|left| sum > left) {
                break;
            }
            map.set(run);
            likely.push(Likely { run, what: What::Pool(pool.at.clone()) });
        }
        let lists = self.lists(false);
        let (Some(taken), Some(last)) = (self.taken(&lists), lists.last()) else { return likely };
        let mut rest = Vec::new();
        for run in taken {
            left_over(self.area, run, &self.traced.touched, &mut rest);
        }
        let apart = |run: &Run| likely.iter().all(|pool| !pool.run.overlaps(*run));
        rest.retain(apart);
        let of_list = |run| Likely { run, what: What::List(last.at.clone()) };
        likely.extend(rest.into_iter().map(of_list));
        likely
    }

    /// Whether the pool may be out of this area, by its zone (`cma_in_zone()`, `kernel/dma/pool.c`,
    /// 6.12): `ZONE_DMA` of x86 ends below any area.
    fn can_have(&self, pool: &Pool) -> bool {
        let page = self.scan.areas.page_bytes();
        let ends = self.area.ranges().iter().map(|run| run.end().0.saturating_mul(page));
        match pool.zone {
            PoolZone::Any => true,
            PoolZone::Dma => self.scan.arch != Some(Arch::X86_64),
            PoolZone::Dma32 => ends.max().is_some_and(|end| end <= DMA32_END),
        }
    }

    /// Where first fit puts a pool: nowhere, where the trace shows that the place was free.
    fn pool(&self, pool: &Pool, map: &AreaMap) -> Option<Run> {
        let count = pool.bytes / self.scan.areas.page_bytes();
        let request = Request::new(count, dma_align(count, self.cap)).ok()?;
        let search = map.search(request, 0, 0);
        let bit = map.map(0).first_fit(search).filter(|_| search.bits <= self.area.bits(0))?;
        let run = Run { pfn: self.area.bit_to_pfn(0, bit), count };
        (!self.traced.touched.touches(run) && self.area.range_of(run).is_some()).then_some(run)
    }
}

/// What was taken and is in no event.
struct Taken<'a> {
    known: &'a Known<'a>,
    proof: Proof,
    found: Vec<Run>,
    words: Vec<String>,
}

impl Taken<'_> {
    /// The runs that were thought likely and met a place that was taken; or that make up what the
    /// counter says.
    fn likely(&mut self, likely: &[Likely], left: Option<u64>) {
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
                "{} of them are taken in every list before or after ({}), and some had to be",
                pages(sum),
                at.words()
            ));
        }
        self.found.extend(listed.iter().map(|(run, _)| *run));
        self.found.iter().for_each(|run| self.proof.taken.cut(*run));
    }

    /// The rest: as much as the counter says, else as little as explains every call.
    fn rest(&mut self, left: Option<u64>) {
        let proven: u64 = self.proof.taken.iter().map(|(run, ())| run.count).sum();
        let known: u64 = self.found.iter().map(|run| run.count).sum();
        let by_counter = left.and_then(|left| left.checked_sub(known));
        let by_counter = by_counter.filter(|rest| *rest >= proven);
        let (runs, most) = match by_counter {
            Some(0) => return,
            Some(rest) if self.known.area.order_per_bit() == 0 => (self.spread(rest), rest),
            _ if proven == 0 => return,
            _ => self.at_most(proven),
        };
        let sum: u64 = runs.iter().map(|run| run.count).sum();
        self.say(&runs, (proven, sum, most), by_counter.is_some());
        self.found.extend(runs);
    }

    /// Pages of no event, in runs: first those that have a page that was taken.
    fn open(&self) -> Vec<Run> {
        let Known { area, traced, .. } = self.known;
        let mut open: Vec<Run> = Vec::new();
        area.ranges().iter().for_each(|range| left_over(area, *range, &traced.touched, &mut open));
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
        let passed = match (calls, first) {
            (1, Some(line)) => format!("by first fit the call on line {line} found them taken"),
            (calls, Some(line)) => {
                format!("by first fit {calls} calls, the first on line {line}, found them taken")
            }
            _ => String::new(),
        };
        if let (true, Some(counted)) = (by_counter, self.known.traced.counted) {
            let (available, total) = counted.stated;
            let passed = if passed.is_empty() { passed } else { format!(", and {passed}") };
            self.words.push(format!(
                "{}, taken to lie {at}, are in no event: line {} has available_count {available} of \
                 {total}{passed}",
                pages(sum),
                counted.line
            ));
            return;
        }
        let area = self.known.name.as_deref().map_or_else(|| "AREA".to_string(), quoted);
        self.words.push(format!(
            "{}, taken to lie {at}, are in no event: {passed}; there may be {least} to {most}, and \
             debugfs of area {area} or a kernel log of that time says which",
            pages(sum)
        ));
    }
}

/// What of `run` the events say nothing about; nobody gives it back.
fn left_over(area: &Area, run: Run, touched: &RunSet, residents: &mut Vec<Run>) {
    let Some(range) = area.range_of(run) else { return };
    let base = area.ranges()[range].pfn.0;
    for rest in touched.gaps(run) {
        // The pages after a buffer that share its last bit are no buffer.
        let bits = area.pages_to_bits(rest.pfn.0 - base);
        let start = area.bit_to_pfn(range, bits).0;
        if let Some(count) = rest.end().0.checked_sub(start).filter(|count| *count > 0) {
            residents.push(Run::new(start, count));
        }
    }
}
