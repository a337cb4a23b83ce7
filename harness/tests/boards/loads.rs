//! LOAD and aligned LOAD over random streams, against all live pages counted anew at each op.

use std::collections::BTreeMap;

use cma_harness::after_failure::AfterFailure;
use cma_harness::board::{Caller, Way};
use cma_harness::environment::Quiet;
use cma_harness::metric::{Meter, Setting, Value, column};
use cma_harness::op::{Op, Part, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::simulate::{Rig, Slot, Until, run, warm_up};
use cma_policies::{Area, Request, Run, builtin};
use proptest::prelude::*;

/// Aligns are below this.
const ALIGNS: u32 = 6;

/// A buffer that was asked for, granted or not, and not given back.
struct Buffer {
    area: usize,
    align: u32,
    /// Its pages that are left, ascending, from its start.
    left: Vec<u64>,
}

/// What is live by the stream alone, and the most that it ever asked of the areas.
struct Truth<'a> {
    areas: &'a [Area],
    live: BTreeMap<u64, Buffer>,
    load: u64,
    /// Of each area.
    aligned: Vec<u64>,
}

impl Truth<'_> {
    /// Pages that an area needs now: at each order the slots of the buffers aligned so, the last
    /// slot of each range but for its first granule left out.
    fn need(&self, index: usize) -> u64 {
        let area = &self.areas[index];
        let at = |order: u32| {
            let counts = |buffer: &&Buffer| {
                buffer.area == index && buffer.align.max(area.order_per_bit()) >= order
            };
            let slots = |buffer: &Buffer| {
                buffer.left.chunk_by(|a, b| a >> order == b >> order).count() as u64
            };
            let slots: u64 = self.live.values().filter(counts).map(slots).sum();
            let cut = ((1 << order) - area.granule()) * area.ranges().len() as u64;
            (slots << order).saturating_sub(cut)
        };
        (area.order_per_bit()..ALIGNS).map(at).max().unwrap()
    }

    fn look(&mut self) {
        let pages = self.live.values().map(|buffer| buffer.left.len() as u64).sum();
        self.load = self.load.max(pages);
        for index in 0..self.areas.len() {
            self.aligned[index] = self.aligned[index].max(self.need(index));
        }
    }

    fn take(&mut self, area: Option<usize>, op: Op) {
        match op {
            Op::Alloc { id, request, .. } => {
                if let Some(area) = area {
                    let left = (0..request.count()).collect();
                    let buffer = Buffer { area, align: request.align(), left };
                    self.live.entry(id).or_insert(buffer);
                }
            }
            Op::Free { id, part } => {
                if let Some(buffer) = self.live.get_mut(&id) {
                    let Part { offset, count } = part.unwrap_or(Part { offset: 0, count: 1000 });
                    buffer.left.retain(|page| *page < offset || offset + count <= *page);
                }
                self.live.retain(|_, buffer| !buffer.left.is_empty());
            }
            Op::Pin(_) | Op::Unpin(_) => unreachable!("{op:?}"),
        }
    }

    /// A part of what is left of buffer `id`.
    fn part(&self, id: u64, draw: u64) -> Option<Part> {
        let left = &self.live.get(&id)?.left;
        let from = draw as usize % left.len();
        let run = left[from..].chunk_by(|a, b| a + 1 == *b).next()?.len() as u64;
        Some(Part { offset: left[from], count: 1 + draw / 64 % run })
    }
}

/// What an op is made from: what it does and to which buffer, the request, and a choice.
type Draw = (u8, u64, (u64, u32, u16, bool), u64);

/// Few ids, so that some are asked for twice and some are given back that nobody has.
fn draws(most: usize) -> impl Strategy<Value = Vec<Draw>> {
    let request = (1..40_u64, 0..ALIGNS, 0..4_u16, any::<bool>());
    prop::collection::vec((0..9_u8, 0..12_u64, request, 0..4096_u64), 1..most)
}

fn op((kind, id, (count, align, client, dma), draw): Draw, truth: &Truth<'_>) -> Op {
    match kind {
        // A single page through the DMA API may go past the area.
        0..5 => {
            let count = if draw.is_multiple_of(8) { 1 } else { count };
            let request = Request::new(count, align).unwrap().with_client(client);
            Op::Alloc { id, request, dma }
        }
        5..7 => Op::Free { id, part: None },
        _ => Op::Free { id, part: truth.part(id, draw) },
    }
}

/// Areas side by side: of each the order of its granule, and the granules of its ranges.
fn areas() -> impl Strategy<Value = Vec<Area>> {
    let area = (0..4_u32, prop::collection::vec(1..60_u64, 1..3));
    prop::collection::vec(area, 1..4).prop_map(|shapes| {
        let mut at = 0;
        let area = |(order, granules): (u32, Vec<u64>)| {
            let range = |granules: u64| {
                let range = Run::new(at, granules << order);
                at += (granules << order) + 64;
                range
            };
            let ranges: Vec<_> = granules.into_iter().map(range).collect();
            Area::new("cma", order, &ranges).unwrap()
        };
        shapes.into_iter().map(area).collect()
    })
}

proptest! {
    #[test]
    fn loads_are_those_of_the_live_pages_counted_anew(
        areas in areas(),
        before in prop_oneof![Just(Vec::new()), draws(12)],
        after in draws(80),
    ) {
        let caller = Caller::find("dma-direct").unwrap();
        let way = |client: usize| Way { area: client % areas.len(), private: client > 2, caller };
        let make = |index: usize, _| {
            let area: &Area = &areas[index];
            let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
            Slot { witness: Witness::new(area, policy, Checks::SWEEP), pages: Box::new(Quiet) }
        };
        let mut rig = Rig::new(areas.len(), (0..4).map(way).collect(), make);
        let mut meter = Meter::new(&Setting::of_areas(&vec![vec![]; areas.len()], 8));
        let mut truth =
            Truth { areas: &areas, live: BTreeMap::new(), load: 0, aligned: vec![0; areas.len()] };
        // What was live before lies in the first area, and counts from the first op on.
        for draw in before {
            let op = op(draw, &truth);
            truth.take(Some(0), op);
            warm_up([op], &mut rig.slots_mut()[0].witness, &mut [&mut meter]).unwrap();
        }
        truth.look();
        let mut ops = Vec::new();
        for (at_us, draw) in (0..).zip(after) {
            let op = op(draw, &truth);
            let area = match op {
                Op::Alloc { request, dma, .. } => {
                    let way = way(request.client().into());
                    (!way.bypasses(request, dma)).then_some(way.area)
                }
                _ => None,
            };
            truth.take(area, op);
            truth.look();
            ops.push(Timed { at_us, op });
        }
        run(ops, AfterFailure::Drop, Until::END, &mut rig, &mut [&mut meter]).unwrap();

        let values = meter.values();
        let value = |name: &str| values[column(name)];
        let pages = areas.iter().map(Area::pages);
        let is_short = truth.aligned.iter().zip(pages.clone()).any(|(need, pages)| *need > pages);
        prop_assert_eq!(value("load_max_pages"), Value::Count(truth.load));
        let share = Value::share(truth.load.into(), pages.sum::<u64>().into());
        prop_assert_eq!(value("load_measured"), share);
        prop_assert_eq!(value("aligned_load_max_pages"), Value::Count(truth.aligned.iter().sum()));
        prop_assert_eq!(value("structural"), Value::Count(is_short.into()));
    }
}
