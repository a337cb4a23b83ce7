//! What was live before a trace began, and how that is known.

use cma_policies::kit::{AreaMap, RunSet};
use cma_policies::{Area, Pfn, Request, Run, dma_align};

use super::proof::{Proof, Prover};
use super::scan::{Line, Listed, Lost, Name, Pool, Scan, Traced};
use super::taken::Taken;
use crate::ingest::log::boot::PoolZone;
use crate::ingest::{IngestError, Source};
use crate::kernel::{Arch, Kernel, Sign};
use crate::timeline::{AreaState, Bitmap, Layout, holes};
use crate::words::{counted, is_or_are, pages};

/// The end of what a pool for `ZONE_DMA32` may have, in bytes.
const DMA32_END: u64 = 1 << 32;

/// How often a trace is looked through for fewer pages than are proven.
const MOST_LOOKS: usize = 8;

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
        let doubtful = traced.doubtful();
        let mut residents = Self::given_back(area, &[&traced.residents, doubtful].concat());
        let mut how: Vec<String> = traced.lost.as_ref().and_then(Lost::words).into_iter().collect();
        if !known.bitmaps.is_empty() {
            residents.by_bitmaps(known);
        } else if !residents.by_lists(known, &mut how)
            && !residents.by_proof(known, source, doubtful, &mut how)?
        {
            // With what was given back after a loss more was taken than the counter of the area says.
            residents = Self::given_back(area, &traced.residents);
            how.clear();
            residents.by_proof(known, source, &[], &mut how)?;
        }
        residents.runs.sort_by_key(|run| (area.range_of(*run), run.pfn));
        residents.sum(&how);
        Ok(residents)
    }

    /// Those of `runs` that lie in the area.
    fn given_back(area: &Area, runs: &[Run]) -> Self {
        let inside = |run: &&Run| area.range_of(**run).is_some();
        let inside: Vec<Run> = runs.iter().filter(inside).copied().collect();
        let outside = runs.len() - inside.len();
        let outside = (outside > 0).then(|| {
            let (were, lie) = if outside == 1 { ("was", "lies") } else { ("were", "lie") };
            let buffers = counted(outside as u64, "buffer");
            format!("{buffers} that {were} live before {lie} outside the area")
        });
        Self { runs: inside, words: outside.into_iter().collect() }
    }

    /// How many there are, and how that is known.
    fn sum(&mut self, how: &[String]) {
        if self.runs.is_empty() {
            return;
        }
        let pages = pages(self.runs.iter().fold(0u64, |sum, run| sum.saturating_add(run.count)));
        let were = if self.runs.len() == 1 { "was" } else { "were" };
        let buffers = counted(self.runs.len() as u64, "buffer");
        let mut words = format!(
            "{buffers}, {pages}, {were} live before the trace began, and put in place before \
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
                "{} of them {} taken in {} of that time ({}) and in no event",
                pages(own),
                is_or_are(own),
                if lists.len() == 1 { "the list" } else { "every list" },
                first.at.words()
            ));
        }
        true
    }

    /// What first fit proves. Whether the counter of the area leaves room for it: `doubtful` runs
    /// may not have been live.
    fn by_proof(
        &mut self,
        known: &Known<'_>,
        source: &Source,
        doubtful: &[Run],
        how: &mut Vec<String>,
    ) -> Result<bool, IngestError> {
        if !known.is_any_open() {
            return Ok(true);
        }
        let given_back: u64 = self.runs.iter().map(|run| run.count).sum();
        let left = known.traced.counted.map(|counted| counted.taken.checked_sub(given_back));
        match (left, doubtful) {
            (Some(Some(0)), []) => return Ok(true),
            (Some(None), [_, ..]) => return Ok(false),
            _ => {}
        }
        let left = left.flatten();
        let likely = known.likely(left);
        let runs: Vec<Run> = likely.iter().map(|likely| likely.run).collect();
        let proof = self.proof(known, source, &runs, left)?;
        if proof.is_refuted() {
            let why = "its calls do not go where first fit does: what was live before does not follow \
                       from where they went";
            self.words.push(why.to_string());
            return Ok(true);
        }
        if !doubtful.is_empty() && left.is_some_and(|left| proof.pages() > left) {
            return Ok(false);
        }
        let mut taken = Taken::new(known, proof, doubtful);
        taken.likely(&likely, left);
        taken.rest(left);
        self.runs.append(&mut taken.found);
        how.append(&mut taken.words);
        Ok(true)
    }

    /// What the calls prove, `likely` runs given; of no more pages than are `left`, where that is
    /// possible.
    fn proof(
        &self,
        known: &Known<'_>,
        source: &Source,
        likely: &[Run],
        left: Option<u64>,
    ) -> Result<Proof, IngestError> {
        let Known { area, traced, name, .. } = known;
        let prover = || Prover::new((area, name), traced, &self.runs, likely);
        let mut proof = prover().prove(source)?;
        // What each place passed over has to have is one page, whichever: as few as explain them all
        // may be fewer than those that were found first.
        for _ in 0..MOST_LOOKS {
            if left.is_none_or(|left| proof.pages() <= left) || proof.is_refuted() {
                break;
            }
            let fewest = prover().fewest(&proof);
            proof = proof.and(prover().with(&fewest).prove(source)?);
        }
        Ok(proof)
    }
}

/// Pages that may have been taken as one, and what says so.
pub(super) struct Likely {
    pub(super) run: Run,
    pub(super) what: What,
}

pub(super) enum What {
    /// A pool for atomic DMA.
    Pool(Line),
    /// Lists of another time have it taken.
    List(Line),
}

impl Line {
    pub(super) fn words(&self) -> String {
        format!("{} line {}", self.source, self.line)
    }
}

impl Known<'_> {
    /// Whether there is a page of which no event says anything and which a call passed over: in the
    /// order of search before the last one seen, where nothing was refused. What was refused passed
    /// over all of them.
    fn is_any_open(&self) -> bool {
        let Traced { refused, counted, .. } = self.traced;
        let touched = self.traced.known();
        let place = |pfn: Pfn| (self.area.range_of(Run { pfn, count: 1 }), pfn);
        let last = touched.iter().map(|(run, ())| place(Pfn(run.end().0 - 1))).max();
        let mut gaps = self.area.ranges().iter().flat_map(|range| touched.gaps(*range));
        gaps.any(|gap| *refused || Some(place(gap.pfn)) < last) || counted.is_some()
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
        (!self.traced.known().touches(run) && self.area.range_of(run).is_some()).then_some(run)
    }
}

/// What of `run` the events say nothing about; nobody gives it back.
pub(super) fn left_over(area: &Area, run: Run, touched: &RunSet, residents: &mut Vec<Run>) {
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
