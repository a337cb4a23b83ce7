//! What first fit proves: a place that a call passed over was taken.
//!
//! `cma_alloc()` (`mm/cma.c`) takes the lowest aligned place that is free, in the order of the
//! ranges. Where a call went further up, or got nothing, every such place before had a page that was
//! taken: by a buffer that the trace names, or by one that was live before the trace began and
//! outlived it. Of the latter no event says anything, so its pages are among those that the trace
//! never touches: what is proven once holds from the first event to the last.

use cma_policies::kit::{AreaMap, RunSet};
use cma_policies::{Area, Request, Run};

use super::scan::{Name, Traced};
use crate::ingest::log::{self, Found};
use crate::ingest::{IngestError, Source};
use crate::kernel::EBUSY;
use crate::timeline::{Call, Ended, Failed, Free, Live, Order, Released, Start, Tried, What, run};

/// The most places that are looked at of one call, and of a trace.
const MOST_OF_CALL: u64 = 1 << 12;
const MOST: u64 = 1 << 18;

/// What the calls of a trace prove.
#[derive(Default, Debug)]
pub(super) struct Proof {
    /// A granule of each place that was taken, and runs that were `likely` and met one.
    pub(super) taken: RunSet,
    /// Which of the runs that were thought likely met such a place.
    pub(super) met: Vec<bool>,
    /// Calls that passed over a place that no event explains, and the line of the first.
    pub(super) calls: u64,
    pub(super) first: Option<u64>,
    /// Calls that passed over a place all of which was free.
    against: u64,
    /// Places that were looked at.
    places: u64,
    /// Those that no likely run explains.
    passed: Vec<Run>,
}

impl Proof {
    /// Whether the calls go where first fit does not: they prove nothing then. A few do where the
    /// order of events is not that of the searches.
    pub(super) const fn is_refuted(&self) -> bool {
        self.against > self.calls
    }

    /// Pages that are taken to have been taken.
    pub(super) fn pages(&self) -> u64 {
        self.taken.iter().map(|(run, ())| run.count).sum()
    }

    /// The same, with what another look proved.
    pub(super) fn and(self, other: Self) -> Self {
        let Self { calls, first, mut passed, .. } = self;
        passed.extend(&other.passed);
        Self { calls, first, passed, ..other }
    }
}

/// Follows a trace once more, now that the area is known.
pub(super) struct Prover<'a> {
    name: &'a Name,
    traced: &'a Traced,
    map: AreaMap,
    live: Live,
    /// Runs of pages that may have been taken as one, disjoint.
    likely: &'a [Run],
    proof: Proof,
    next_id: u64,
}

impl<'a> Prover<'a> {
    /// Of the area called `name`, in which these runs are live when the trace begins.
    pub(super) fn new(
        (area, name): (&Area, &'a Name),
        traced: &'a Traced,
        live_before: &[Run],
        likely: &'a [Run],
    ) -> Self {
        let proof = Proof { met: vec![false; likely.len()], ..Proof::default() };
        let (map, live) = (AreaMap::new(area.clone()), Live::default());
        let mut prover = Self { name, traced, map, live, likely, proof, next_id: 0 };
        live_before.iter().for_each(|run| prover.grant(*run));
        prover
    }

    /// As few granules as every place of `proof` has one of: the last one of each place that has none
    /// yet, by where places end.
    pub(super) fn fewest(&self, proof: &Proof) -> RunSet {
        let mut passed = proof.passed.clone();
        passed.sort_by_key(|place| place.end());
        let mut fewest = RunSet::default();
        for place in passed {
            if !fewest.touches(place)
                && let Some(granule) = self.unseen(place).last()
            {
                fewest.join(granule);
            }
        }
        fewest
    }

    /// Where these were taken from the first event to the last.
    pub(super) fn with(mut self, taken: &RunSet) -> Self {
        taken.iter().for_each(|(run, ())| _ = self.hide(run));
        self
    }

    /// What the calls in `source` prove.
    pub(super) fn prove(mut self, source: &Source) -> Result<Proof, IngestError> {
        let mut order = Order::default();
        // What is live after events were lost is not known.
        let traced = self.traced;
        for found in log::open(source)?.flatten().take_while(|found| traced.is_whole(found.line)) {
            self.event(&found, &mut order);
        }
        order.end_of_text();
        self.drain(&mut order);
        Ok(self.proof)
    }

    fn event(&mut self, found: &Found, order: &mut Order) {
        order.take(found);
        self.drain(order);
    }

    fn drain(&mut self, order: &mut Order) {
        while let Some(effect) = order.next_effect() {
            if effect.area == *self.name {
                self.took_effect(&effect.what);
            }
        }
    }

    fn took_effect(&mut self, what: &What) {
        match what {
            What::Call { call, overlaps } => {
                // While others claim pages, or some were busy, places are passed over that are free.
                let alone = !overlaps && call.is_sure() && call.busy == 0;
                if alone && call.start != Start::Missing {
                    self.call(call);
                }
                match call.ended {
                    Some(Ended::Granted(Some(pfn))) => {
                        if let Some(run) = run(pfn, call.count.unwrap_or(0)) {
                            self.grant(run);
                        }
                    }
                    _ => self.tried(call.failed().and_then(|failed| failed.tried.pfn()), call),
                }
            }
            What::Tried(_, run) => self.clear(*run),
            What::Released(_, run) if self.inside(*run) => {
                if let Released::Free(Free { run, .. }) = self.live.give_back(*run) {
                    self.map.release(run, |_, _| {});
                }
            }
            What::Released(..) | What::Unplaced | What::Lost => {}
        }
    }

    /// Whether every page of `run` has a bit.
    fn inside(&self, run: Run) -> bool {
        let area = self.map.area();
        area.range_of(run).is_some_and(|range| {
            let first = area.pfn_to_bit(range, run.pfn);
            first + area.pages_to_bits(run.count) <= area.bits(range)
        })
    }

    fn tried(&mut self, pfn: Option<u64>, call: &Call) {
        if let Some(run) = pfn.and_then(|pfn| run(pfn, call.count.unwrap_or(0))) {
            self.clear(run);
        }
    }

    fn clear(&mut self, run: Run) {
        if self.inside(run) {
            let Self { live, map, .. } = self;
            live.clear(run, &mut |free| map.release(free.run, |_, _| {}));
        }
    }

    fn grant(&mut self, run: Run) {
        if !self.inside(run) {
            return;
        }
        let Self { live, map, .. } = self;
        live.grant(self.next_id, run, &mut |free| map.release(free.run, |_, _| {}));
        self.next_id += 1;
        if map.area().order_per_bit() > 0 {
            // What is left of a buffer may share a bit with another one.
            map.release(run, |_, _| {});
        }
        map.set(run);
    }

    /// The places that a call passed over.
    fn call(&mut self, call: &Call) {
        let Some((count, align)) = call.asked() else { return };
        let granted = call.granted();
        let placed = match call.ended {
            Some(Ended::Granted(_)) => granted.is_some_and(|run| self.inside(run)),
            Some(Ended::Failed(failed)) => found_nothing(failed, call.available, count),
            None => false,
        };
        if let (Ok(request), true) = (Request::new(count, align.min(63)), placed) {
            self.prove_of(request, granted, call.span.0.line);
        }
    }

    fn prove_of(&mut self, request: Request, granted: Option<Run>, line: u64) {
        let (mut places, left) = (0, MOST.saturating_sub(self.proof.places));
        while places < MOST_OF_CALL.min(left)
            && let Some(passed) = self.passed_over(request, granted)
        {
            if !self.take(passed) {
                self.proof.against += 1;
                break;
            }
            places += 1;
        }
        self.proof.places += places;
        if places > 0 {
            self.proof.calls += 1;
            self.proof.first.get_or_insert(line);
        }
    }

    /// The first place in which `request` fits here, if it did not go there.
    fn passed_over(&self, request: Request, granted: Option<Run>) -> Option<Run> {
        let area = self.map.area();
        let own = granted.map(|run| run.pfn);
        let fits = |range: usize| {
            let search = self.map.search(request, range, 0);
            let is_enough = search.bits <= area.bits(range);
            let bit = if is_enough { self.map.map(range).first_fit(search) } else { None };
            bit.map(|bit| (range, bit))
        };
        let (range, bit) = (0..area.ranges().len()).find_map(fits)?;
        let place = area.bit_to_pfn(range, bit);
        let is_before = own.is_none_or(|own| {
            let of = area.range_of(Run { pfn: own, count: 1 });
            of.is_some_and(|of| (range, place) < (of, own))
        });
        let pages = area.pages_to_bits(request.count()) << area.order_per_bit();
        is_before.then(|| Run::new(place.0, pages))
    }

    /// Some page of `passed` was taken by what the trace does not name: by the lowest run that is
    /// likely to have been, else its first granule of which nothing is said. Whether there is one.
    fn take(&mut self, passed: Run) -> bool {
        let is_met = |(at, run): (usize, &Run)| run.overlaps(passed) && !self.proof.met[at];
        let met = self.likely.iter().enumerate().position(is_met);
        let Some(at) = met else {
            let first = self.unseen(passed).next();
            let is_new = first.is_some_and(|granule| self.hide(granule));
            if is_new {
                self.proof.passed.push(passed);
            }
            return is_new;
        };
        self.proof.met[at] = true;
        self.hide(self.likely[at]) || self.take(passed)
    }

    /// The granules of `passed` that the trace says nothing about.
    fn unseen(&self, passed: Run) -> impl Iterator<Item = Run> {
        let area = self.map.area();
        let range = area.range_of(passed);
        let base = range.map_or(0, |range| area.ranges()[range].pfn.0);
        let gaps = range.into_iter().flat_map(move |range| {
            let gaps = self.traced.known().gaps(passed);
            gaps.map(move |gap| (range, gap))
        });
        gaps.flat_map(move |(range, gap)| {
            // The pages after a buffer that share its last bit are no buffer.
            let bit = area.pages_to_bits(gap.pfn.0 - base);
            let granules = (bit..)
                .map(move |bit| Run { pfn: area.bit_to_pfn(range, bit), count: area.granule() });
            granules.take_while(move |granule| gap.contains(*granule))
        })
    }

    /// `run` was taken from the first event to the last.
    fn hide(&mut self, run: Run) -> bool {
        let is_free = self.map.is_free(run);
        if is_free {
            self.map.set(run);
            self.proof.taken.join(run);
        }
        is_free
    }
}

/// Whether a call failed since it found no place, and not for want of pages alone: the counter of
/// the area may say no where the bitmap has a place (`cma_range_alloc()`, from 6.15 on).
fn found_nothing(failed: Failed, available: Option<(u64, Option<u64>)>, count: u64) -> bool {
    let is_unfound = match failed.tried {
        Tried::Nothing => true,
        Tried::Unknown => failed.errno == Some(EBUSY),
        Tried::At(_) => false,
    };
    is_unfound && available.is_none_or(|(available, _)| available >= count)
}
