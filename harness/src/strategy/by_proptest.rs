//! Strategies of proptest.

use cma_policies::{Area, Request};
use proptest::arbitrary::Arbitrary;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::strategy::Union;

use super::area::{MOST_GRANULES, MOST_RANGES, RangePick};
use super::ops::{Kind, Pick, RequestPick};
use super::{Any, Areas, Stream, Streams};
use crate::codec::{Case, HEADER, RECORD};
use crate::op::Timed;

/// Areas of one range or several, in any order, apart or with a border in common; of small granules
/// and large ones; with bases and ends off the granule. See [`Areas`] for others.
pub fn areas() -> impl Strategy<Value = Area> {
    Areas::default().strategy()
}

/// Requests of an area of so many pages: counts that are small against it, powers of two and their
/// neighbours, all of it but a little, and some above it; orders as the DMA API takes them, and
/// others.
///
/// ```
/// use cma_harness::strategy::requests;
/// use proptest::prelude::*;
///
/// proptest!(|(request in requests(64))| prop_assert!(request.count() <= 66));
/// ```
pub fn requests(pages: u64) -> impl Strategy<Value = Request> {
    let streams = Streams::default();
    request_picks().prop_map(move |pick| streams.request(pick, pages.max(1)).0)
}

/// Streams of all kinds of ops in areas of all kinds. See [`Streams`] for others.
pub fn streams() -> impl Strategy<Value = Stream> {
    Streams::default().within(&Areas::default())
}

/// Cases of so many acts. They are those of [`Case::decode`], so that one that fails can be written
/// as bytes; they shrink by their acts, then by what each of them is.
///
/// ```
/// use cma_harness::law::conformance::judge;
/// use cma_harness::policies::builtin;
/// use cma_harness::strategy::cases;
/// use proptest::prelude::*;
///
/// let kernel = builtin::catalog().parse("kernel").unwrap();
/// proptest!(ProptestConfig::with_cases(16), |(case in cases(0..20))| {
///     prop_assert_eq!(judge(&case, &|area| kernel.build(area)), Ok(()));
/// });
/// ```
pub fn cases(acts: impl Into<SizeRange>) -> impl Strategy<Value = Case> {
    let header = any::<[u8; HEADER]>();
    (header, vec(any::<[u8; RECORD]>(), acts))
        .prop_map(|(header, acts)| Case::decode(&[&header[..], &acts.concat()].concat()))
}

impl Areas {
    /// These areas.
    ///
    /// ```
    /// use cma_harness::strategy::Areas;
    /// use proptest::prelude::*;
    ///
    /// let plain = Areas { most_ranges: 1, most_order: 0, ..Areas::default() };
    /// proptest!(|(area in plain.strategy())| prop_assert_eq!(area.ranges().len(), 1));
    /// ```
    pub fn strategy(&self) -> BoxedStrategy<Area> {
        let areas = self.clone();
        let range = self.range();
        let several = vec(range.clone(), 1..=self.most_ranges.clamp(1, MOST_RANGES));
        let ranges = prop_oneof![3 => vec(range, 1), 2 => several];
        let order = prop_oneof![6 => Just(0), 3 => 0..=4_u32, 1 => 0..=self.most_order];
        // Apart, since each of them shrinks by itself.
        let block = prop_oneof![3 => Just(0), 3 => 0..1_u64 << 12, 2 => 0..1_u64 << 27];
        let page = prop_oneof![3 => Just(0), 2 => 0..512_u64];
        (order, block, page, ranges)
            .prop_map(move |(order, block, page, ranges)| {
                areas.of(order, block * 512 + page, &ranges)
            })
            .boxed()
    }

    fn range(&self) -> BoxedStrategy<RangePick> {
        let up_to = |most: u64| 1..=most.min(self.most_granules).clamp(1, MOST_GRANULES);
        let granules = prop_oneof![6 => up_to(16), 3 => up_to(66), 1 => up_to(MOST_GRANULES)];
        let tail = prop_oneof![4 => Just(0), 1 => 0..1_u64 << 10];
        let gap = prop_oneof![1 => Just(0), 3 => 0..64_u64, 1 => 0..1_u64 << 16];
        (granules, tail, gap, 0..8_u8)
            .prop_map(|(granules, tail, gap, before)| RangePick { granules, tail, gap, before })
            .boxed()
    }
}

impl Streams {
    /// These streams, in one area.
    ///
    /// ```
    /// use cma_harness::op::Op;
    /// use cma_harness::policies::Area;
    /// use cma_harness::strategy::Streams;
    /// use proptest::prelude::*;
    ///
    /// let area = Area::single(0x40000, 4096, 0).unwrap();
    /// let plain = Streams { parts: false, pins: false, ..Streams::default() };
    /// let buffers = Streams { sizes: vec![257, 1], ..plain };
    /// proptest!(|(ops in buffers.in_area(&area))| {
    ///     let is_whole = |op| matches!(op, Op::Alloc { .. } | Op::Free { part: None, .. });
    ///     prop_assert!(ops.iter().all(|timed| is_whole(timed.op)));
    /// });
    /// ```
    pub fn in_area(&self, area: &Area) -> BoxedStrategy<Vec<Timed>> {
        let (streams, area) = (self.clone(), area.clone());
        self.picks().prop_map(move |picks| streams.of(&area, &picks)).boxed()
    }

    /// These streams, in these areas.
    pub fn within(&self, areas: &Areas) -> BoxedStrategy<Stream> {
        let streams = self.clone();
        // Side by side rather than one out of the other: each of them shrinks by itself.
        (areas.strategy(), self.picks())
            .prop_map(move |(area, picks)| {
                let ops = streams.of(&area, &picks);
                Stream { area, ops }
            })
            .boxed()
    }

    fn picks(&self) -> BoxedStrategy<Vec<Pick>> {
        let mut kinds = vec![(5, Just(Kind::Alloc)), (4, Just(Kind::Free))];
        kinds.extend(self.parts.then_some((1, Just(Kind::FreePart))));
        kinds.extend(self.pins.then_some((1, Just(Kind::Pin))));
        kinds.extend(self.pins.then_some((1, Just(Kind::Unpin))));
        let wait = prop_oneof![3 => Just(0), 2 => 0..=self.longest_wait_us];
        // An op is left out once more when those around it have shrunk: a vector forgets to.
        let is_there = proptest::bool::weighted(0.97);
        let pick = (is_there, Union::new_weighted(kinds), wait, 0..1024_u32, request_picks());
        let pick = pick.prop_map(|(is_there, kind, wait_us, victim, request)| Pick {
            kind: is_there.then_some(kind),
            wait_us,
            victim,
            request,
        });
        vec(pick, 1..=self.most_ops.max(1)).boxed()
    }
}

fn request_picks() -> impl Strategy<Value = RequestPick> {
    let number = prop_oneof![4 => 0..64_u32, 4 => 0..1_u32 << 13, 1 => 0..1_u32 << 24];
    let align = prop_oneof![1 => Just(None), 1 => (0..64_u8).prop_map(Some)];
    (number, 0..8_u8, align, any::<u16>()).prop_map(|(number, scale, align, client)| RequestPick {
        number,
        scale,
        align,
        client,
    })
}

impl Arbitrary for Stream {
    type Parameters = (Areas, Streams);
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((areas, streams): Self::Parameters) -> Self::Strategy {
        streams.within(&areas)
    }
}

impl Arbitrary for Case {
    /// The numbers of acts.
    type Parameters = SizeRange;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(acts: SizeRange) -> Self::Strategy {
        cases(acts).boxed()
    }
}

impl Arbitrary for Any<Area> {
    type Parameters = Areas;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(areas: Areas) -> Self::Strategy {
        areas.strategy().prop_map(Self).boxed()
    }
}

impl Arbitrary for Any<Request> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        (1..1_u64 << 12).prop_flat_map(requests).prop_map(Self).boxed()
    }
}
