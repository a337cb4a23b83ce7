//! One rule of where a request may start: areas, verdicts, advice and pictures against a search
//! page by page, whatever the base, the order per bit, the alignment and the holes.

use cma_harness::cause::Cause;
use cma_harness::diagnose::{self, Cap, Failure, Options, Step, What, advise};
use cma_harness::ingest::{Geometry, Source};
use cma_harness::report::diagnosis::{Detail, Map, Mark, Wanted};
use cma_policies::{Area, Pfn, Run, dma_align};
use proptest::prelude::*;

const CAP: u32 = 8;

/// A range with holes, and a request.
#[derive(Clone, Debug)]
struct World {
    base: u64,
    order_per_bit: u32,
    /// Whether each bit is free.
    bits: Vec<bool>,
    count: u64,
    align: u32,
}

impl World {
    fn granule(&self) -> u64 {
        2u64.pow(self.order_per_bit)
    }

    fn pages(&self) -> u64 {
        self.bits.len() as u64 * self.granule()
    }

    /// Pages that the bitmap takes for the request.
    fn need(&self) -> u64 {
        self.count.div_ceil(self.granule()) * self.granule()
    }

    /// First page and pages of each hole, from the start of the range on.
    fn holes(&self) -> Vec<(u64, u64)> {
        let mut holes = Vec::<(u64, u64)>::new();
        for (bit, _) in self.bits.iter().enumerate().filter(|(_, free)| **free) {
            let start = bit as u64 * self.granule();
            match holes.last_mut() {
                Some((first, count)) if *first + *count == start => *count += self.granule(),
                _ => holes.push((start, self.granule())),
            }
        }
        holes
    }

    /// Whether order `align` may start at `page`: `(bit + offset) & mask == 0` (`mm/cma.c`).
    fn may_start(&self, page: u64, align: u32) -> bool {
        let (granule, slot) = (self.granule(), 2u64.pow(align));
        let offset = self.base % slot / granule;
        page.is_multiple_of(granule)
            && (page / granule + offset).is_multiple_of((slot / granule).max(1))
    }

    /// Pages of a hole from its first page on where order `align` may start.
    fn usable(&self, (start, count): (u64, u64), align: u32) -> u64 {
        let end = start + count;
        (start..end).find(|page| self.may_start(*page, align)).map_or(0, |first| end - first)
    }

    fn largest(&self, align: u32) -> u64 {
        self.holes().into_iter().map(|hole| self.usable(hole, align)).max().unwrap_or(0)
    }

    /// Where first fit puts the request at order `align`.
    fn place(&self, align: u32) -> Option<u64> {
        let mut fits = self.holes().into_iter().filter_map(|(start, count)| {
            let usable = self.usable((start, count), align);
            (usable >= self.need()).then_some(start + count - usable)
        });
        fits.next()
    }

    /// What the state alone says of a refusal.
    fn cause(&self) -> Option<Cause> {
        let holes = || self.holes().into_iter().map(|(_, count)| count);
        match self.need() {
            _ if self.count > self.pages() => Some(Cause::TooLarge),
            need if holes().sum::<u64>() < need => Some(Cause::Exhausted),
            need if holes().all(|count| count < need) => Some(Cause::Fragmentation),
            need if self.largest(self.align) < need => Some(Cause::Alignment),
            _ => None,
        }
    }

    /// The failure as a kernel of 6.1 prints it.
    fn failure(&self) -> Failure {
        let Self { count, align, .. } = *self;
        let holes = self.holes();
        let list = holes.iter().map(|(start, count)| format!("{count}@{}", start / self.granule()));
        let free: u64 = holes.iter().map(|(_, count)| count).sum();
        let text = format!(
            "[    1.000001] cma: cma_alloc(cma 00000000a1b2c3d4, name: vpu, count {count}, align \
             {align})\n[    1.000002] cma: cma_alloc: vpu: alloc failed, req-size: {count} pages, \
             ret: -12\n[    1.000003] cma: number of available pages: {}=> {free} free of {} total \
             pages\n[    1.000004] cma: cma_alloc(): returned 0000000000000000\n",
            list.collect::<Vec<_>>().join("+"),
            self.pages(),
        );
        let geometry = Geometry {
            base_pfn: Some(self.base),
            order_per_bit: Some(self.order_per_bit),
            ..Geometry::default()
        };
        let kernel = Some("6.1".to_string());
        let options = Options { cap: CAP, geometry, kernel, ..Options::default() };
        let mut found = Vec::new();
        let sources = [Source::bytes("log", text.as_bytes())];
        diagnose::diagnose(&sources, &options, &mut |failure| found.push(failure)).unwrap();
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0)
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let base = prop_oneof![0..1u64 << 14, (0..64u64).prop_map(|slot| slot << 9)];
    let row = (any::<bool>(), 1..60usize);
    let rows = prop::collection::vec(row, 1..14);
    // Most requests follow the cap, and are as long as a hole.
    (base, 0..5u32, rows, 1..140u64, 0..11u32, any::<bool>()).prop_map(
        |(base, order_per_bit, rows, count, align, follows)| World {
            base,
            order_per_bit,
            bits: rows.into_iter().flat_map(|(free, bits)| vec![free; bits]).collect(),
            count: count << (order_per_bit / 2),
            align: if follows { dma_align(count << (order_per_bit / 2), CAP) } else { align },
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_area_agrees_with_a_search_page_by_page(world in worlds(), align in 0..13u32) {
        let area = Area::single(world.base, world.pages(), world.order_per_bit).unwrap();
        for hole @ (start, count) in world.holes() {
            let run = Run::new(world.base + start, count);
            prop_assert_eq!(area.usable(run, align), world.usable(hole, align));
            let first = area.first_aligned(run.pfn, align).unwrap();
            let naive = (start..).find(|page| world.may_start(*page, align)).unwrap();
            prop_assert_eq!(first, Pfn(world.base + naive));
            let mask = area.mask(align);
            let bit = area.pfn_to_bit(0, first.min(Pfn(world.base + world.pages() - 1)));
            if first.0 < world.base + world.pages() {
                prop_assert_eq!((bit + area.offset(0, align)) & mask, 0);
            }
        }
    }

    #[test]
    fn a_verdict_agrees_with_a_search_page_by_page(world in worlds()) {
        let failure = world.failure();
        prop_assert_eq!(failure.align.map(|(align, _)| align), Some(world.align));
        match world.cause() {
            Some(cause) => prop_assert_eq!(failure.verdict, Some(cause), "{:?}", failure.why),
            None => prop_assert_ne!(failure.verdict, Some(Cause::Alignment)),
        }
        let Some(fit) = failure.would_fit else { return Ok(()) };
        let most = (0..=18).rev().find(|align| world.place(*align).is_some());
        prop_assert_eq!(fit.max_align, most);
        prop_assert_eq!(fit.at, most.and_then(|align| world.place(align)));
        prop_assert_eq!(fit.largest_count_at_this_align, world.largest(world.align));
    }

    #[test]
    fn pictures_agree_with_a_search_page_by_page(world in worlds()) {
        let failure = world.failure();
        let wanted = Wanted::of(&failure).unwrap();
        let Some(state) = failure.incident.state.as_deref() else { return Ok(()) };
        let Some(map) = Map::slots(state, 0, Some(&wanted)) else { return Ok(()) };
        let misses = |hole: (u64, u64)| {
            hole.1 >= world.need() && world.usable(hole, world.align) < world.need()
        };
        let most = (0..=18).rev().find(|align| world.place(*align).is_some());
        let instead = most.filter(|most| *most < world.align).and_then(|most| world.place(most));
        let within = |page: u64, start: u64, count: u64| start <= page && page - start < count;
        for cell in &map.ranges[0].cells {
            // Long areas have cells of several pages: a mark is that of any of them.
            let pages = cell.start..cell.start + cell.pages;
            let marks = pages.map(|page| {
                let mut holes = world.holes().into_iter();
                let hole = holes.find(|&(start, count)| within(page, start, count));
                match instead {
                    Some(at) if within(page, at, world.count) => Mark::Instead,
                    _ if hole.is_some_and(misses) => Mark::Misaligned,
                    _ => Mark::None,
                }
            });
            prop_assert_eq!(cell.mark, marks.max().unwrap(), "page {}", cell.start);
        }
        let detail = Detail::of(state, &wanted);
        prop_assert_eq!(detail.is_some(), world.holes().into_iter().any(misses));
        if let Some(Detail { hole, aligned, .. }) = detail {
            let first = (hole.start..).find(|page| world.may_start(*page, world.align));
            prop_assert_eq!(Some(aligned), first);
        }
    }

    #[test]
    fn advice_agrees_with_a_search_page_by_page(world in worlds()) {
        let failure = world.failure();
        let step = Step { bytes: 4 << 20, page_bytes: 4096, is_known: false };
        let advice = advise(&failure, &[], CAP, step);
        let says = |what: &dyn Fn(&What) -> bool| advice.iter().any(|advice| what(&advice.what));
        if failure.verdict != Some(Cause::Alignment) {
            return Ok(());
        }
        if world.align == dma_align(world.count, CAP) && world.align > 0 {
            let place = |cap: u32| Some((cap, world.place(dma_align(world.count, cap))?));
            let right = (0..world.align).rev().find_map(place);
            let smaller = |what: &What| match (what, right) {
                (What::SmallerCap(Cap::Fits { cap, at, .. }), right) => right == Some((*cap, *at)),
                (What::SmallerCap(Cap::NoneFits), right) => right.is_none(),
                _ => false,
            };
            prop_assert!(says(&smaller), "{right:?}: {advice:?}");
        }
        let right = world.largest(world.align);
        if 0 < right && right < world.count {
            let shorter = |what: &What| {
                matches!(what, What::ShorterBuffer { largest, .. } if *largest == right)
            };
            prop_assert!(says(&shorter), "{right}: {advice:?}");
        }
    }
}
