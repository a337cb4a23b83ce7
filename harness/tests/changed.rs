//! Streams as a driver or an application could change them.

#[path = "changed/known.rs"]
mod known;

use std::collections::BTreeMap;

use cma_harness::op::{Op, Part, Timed};
use cma_harness::strategy::Streams;
use cma_harness::workload::changed::{Back, Changed, Shows, Who, proposals};
use cma_policies::{Area, Request, dma_align};
use proptest::prelude::*;

const CLIENTS: [&str; 4] = ["", "camera0", "camera1", "vpu"];
const SIZES: [u64; 4] = [3, 5, 257, 300];

fn names() -> Vec<String> {
    CLIENTS.map(String::from).to_vec()
}

/// What an op does to the pages that are live, without ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Done {
    at_us: u64,
    request: Request,
    dma: bool,
    /// Pages that go back; none of a request.
    freed: Option<u64>,
}

/// What a stream does, of which each op must be right.
#[derive(Default)]
struct Course {
    done: Vec<Done>,
    pins: Vec<Timed>,
    /// Pages that are live after each of `done`.
    live: Vec<u64>,
    /// Buffers of each class that were live at once at most.
    peaks: BTreeMap<(Request, bool), usize>,
    /// The same of a client, with the orders that follow the cap and with those that do not.
    most_buffers: BTreeMap<(u16, bool), usize>,
}

impl Course {
    fn load(&self) -> u64 {
        self.live.iter().copied().max().unwrap_or(0)
    }

    fn of(&self, is_meant: impl Fn(u16) -> bool) -> Vec<Done> {
        self.done.iter().filter(|done| is_meant(done.request.client())).copied().collect()
    }

    fn asked(&self) -> Vec<Done> {
        self.done.iter().filter(|done| done.freed.is_none()).copied().collect()
    }
}

fn course(ops: impl Iterator<Item = Timed>) -> Course {
    let mut course = Course::default();
    let mut held: BTreeMap<u64, (Request, bool, Vec<bool>)> = BTreeMap::new();
    let (mut last_us, mut pages) = (0, 0);
    for timed in ops {
        assert!(timed.at_us >= last_us, "{timed:?} after {last_us}");
        last_us = timed.at_us;
        let (request, dma, freed) = match timed.op {
            Op::Alloc { id, request, dma } => {
                let there = vec![true; request.count() as usize];
                assert_eq!(held.insert(id, (request, dma, there)), None, "{timed:?}: in use");
                pages += request.count();
                let alike = held.values().filter(|one| (one.0, one.1) == (request, dma)).count();
                let peak = course.peaks.entry((request, dma)).or_default();
                *peak = alike.max(*peak);
                let whose = |one: &&(Request, bool, Vec<bool>)| {
                    (one.0.client(), one.1) == (request.client(), dma)
                };
                let most = course.most_buffers.entry((request.client(), dma)).or_default();
                *most = held.values().filter(whose).count().max(*most);
                (request, dma, None)
            }
            Op::Free { id, part } => {
                let (request, dma, there) = held.get_mut(&id).expect("frees of what is live");
                let (request, dma) = (*request, *dma);
                let all = Part { offset: 0, count: request.count() };
                let Part { offset, count } = part.unwrap_or(all);
                let freed = &mut there[offset as usize..][..count as usize];
                assert!(part.is_none() || freed.iter().all(|page| *page), "{timed:?}: not there");
                let before = freed.iter().filter(|page| **page).count() as u64;
                assert!(before > 0, "{timed:?}: nothing");
                freed.fill(false);
                pages -= before;
                if !there.contains(&true) {
                    held.remove(&id);
                }
                (request, dma, Some(before))
            }
            Op::Pin(_) | Op::Unpin(_) => {
                course.pins.push(timed);
                continue;
            }
        };
        course.done.push(Done { at_us: timed.at_us, request, dma, freed });
        course.live.push(pages);
    }
    course
}

/// Streams that use ids anew as soon as they can, of what changes are made for.
fn streams() -> impl Strategy<Value = Vec<Timed>> {
    let streams = Streams {
        most_ops: 200,
        sizes: SIZES.to_vec(),
        aligns: 1..=1,
        longest_wait_us: 40,
        ids_again: true,
        ..Streams::default()
    };
    streams.in_area(&Area::single(0, 1 << 16, 0).unwrap())
}

fn changed(change: &Changed, ops: &[Timed]) -> Course {
    course(change.apply(&names(), ops.iter().copied()))
}

/// Clients that `camera` means.
const fn is_camera(client: u16) -> bool {
    client == 1 || client == 2
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_not_meant_asks_and_gives_back_as_ever(ops in streams(), which in 0..6_usize) {
        let client = || "camera".to_string();
        let order = |back| Changed::Order { client: client(), back };
        let change = [
            Changed::Trim { client: Some(client()), from: 257, to: 256 },
            Changed::Keep { client: client() },
            Changed::Fewer { client: client(), pages: 5, most: 1 },
            order(Back::BeforeAsking { within_us: 20 }),
            order(Back::OldestFirst),
            order(Back::NewestFirst),
        ];
        let (before, after) = (course(ops.iter().copied()), changed(&change[which], &ops));
        let others = |course: &Course| course.of(|client| !is_camera(client));
        prop_assert_eq!(others(&before), others(&after));
        prop_assert_eq!(before.pins, after.pins);
    }

    #[test]
    fn a_trim_takes_pages_and_nothing_else(ops in streams(), to in 1_u64..257) {
        let change = Changed::Trim { client: None, from: 257, to };
        let (before, after) = (course(ops.iter().copied()), changed(&change, &ops));
        prop_assert!(before.live.len() >= after.live.len());
        prop_assert!(after.load() <= before.load());
        let (asked, shorter) = (before.asked(), after.asked());
        prop_assert_eq!(asked.len(), shorter.len());
        for (long, short) in asked.iter().zip(shorter) {
            let is_trimmed = long.request.count() == 257;
            let count = if is_trimmed { to } else { long.request.count() };
            let align = if long.dma { dma_align(count, 8) } else { long.request.align() };
            prop_assert_eq!((short.request.count(), short.request.align()), (count, align));
            prop_assert_eq!(short.at_us, long.at_us);
            prop_assert_eq!(short.request.client(), long.request.client());
        }
        // What is live is what was, without the pages that were taken.
        if to == 1 && before.done.iter().all(|done| done.request.count() == 257) {
            prop_assert!(after.load() <= after.asked().len() as u64);
        }
    }

    #[test]
    fn who_keeps_has_no_more_buffers_than_ever_and_gives_back_to_grow(ops in streams()) {
        let change = Changed::Keep { client: "camera".into() };
        let (before, after) = (course(ops.iter().copied()), changed(&change, &ops));
        prop_assert!(after.asked().len() <= before.asked().len());
        prop_assert!(after.load() >= before.load());
        for client in [1, 2] {
            for dma in [false, true] {
                let most = |course: &Course| course.most_buffers.get(&(client, dma)).copied();
                prop_assert_eq!(most(&before), most(&after));
            }
            let end_us = ops.last().map_or(0, |last| last.at_us);
            let mine = after.of(|own| own == client);
            let asked = mine.iter().rposition(|done| done.freed.is_none()).map_or(0, |n| n + 1);
            prop_assert!(mine[asked..].iter().all(|done| done.at_us == end_us));
            let frees = mine[..asked].windows(2).filter(|pair| pair[0].freed.is_some());
            for pair in frees {
                let [gone, next] = [pair[0], pair[1]];
                prop_assert_eq!((next.freed, next.at_us, next.dma), (None, gone.at_us, gone.dma));
                prop_assert!(next.request.count() > gone.request.count());
                prop_assert_eq!(gone.freed, Some(gone.request.count()));
            }
        }
    }

    #[test]
    fn fewer_are_at_most_so_many_at_once(ops in streams(), most in 0_u64..3) {
        let change = Changed::Fewer { client: "camera".into(), pages: 5, most };
        let (before, after) = (course(ops.iter().copied()), changed(&change, &ops));
        prop_assert!(after.load() <= before.load());
        let peaks = |course: &Course, client| -> Vec<usize> {
            let own = |request: &Request| request.client() == client && request.count() == 5;
            course.peaks.iter().filter(|((request, _), _)| own(request)).map(|(_, n)| *n).collect()
        };
        for client in [1, 2] {
            prop_assert!(peaks(&after, client).iter().all(|n| *n as u64 <= most));
            // Where there never were more nothing changes.
            if peaks(&before, client).iter().sum::<usize>() as u64 <= most {
                prop_assert_eq!(before.of(|own| own == client), after.of(|own| own == client));
            }
        }
    }

    #[test]
    fn another_order_asks_for_the_same_at_the_same_times(ops in streams()) {
        let before = course(ops.iter().copied());
        for back in [Back::OldestFirst, Back::NewestFirst] {
            let after = changed(&Changed::Order { client: "camera".into(), back }, &ops);
            prop_assert_eq!(&before.done, &after.done);
            prop_assert_eq!(&before.live, &after.live);
        }
        for within_us in [0, 20, 1000] {
            let back = Back::BeforeAsking { within_us };
            let change = Changed::Order { client: "camera".into(), back };
            let after = changed(&change, &ops);
            prop_assert_eq!(before.asked(), after.asked());
            let frees = |course: &Course| {
                let freed = course.done.iter().filter(|done| done.freed.is_some());
                let mut frees: Vec<_> = freed.map(|d| (d.request, d.dma, d.freed)).collect();
                frees.sort_unstable();
                frees
            };
            prop_assert_eq!(frees(&before), frees(&after));
            prop_assert!(after.load() <= before.load());
            let whole = |course: &Course| course.live.last().copied();
            prop_assert_eq!(whole(&before), whole(&after));
        }
    }

    /// Whatever a stream does wrong, a change of it ends and invents no request.
    #[test]
    fn mistakes_of_a_stream_are_no_more_than_that(
        words in prop::collection::vec(any::<(u8, u8)>(), 0..80),
    ) {
        let op = |(what, id): &(u8, u8)| {
            let (id, request) = (u64::from(id % 4), Request::new(5, 3).unwrap().with_client(1));
            let part = (what % 3 == 2).then_some(Part { offset: 2, count: u64::MAX });
            let alloc = Op::Alloc { id, request, dma: true };
            Timed { at_us: 0, op: if what % 3 == 0 { alloc } else { Op::Free { id, part } } }
        };
        let ops: Vec<_> = words.iter().map(op).collect();
        let client = || "camera0".to_string();
        for change in [
            Changed::Trim { client: None, from: 5, to: 4 },
            Changed::Keep { client: client() },
            Changed::Fewer { client: client(), pages: 5, most: 1 },
            Changed::Order { client: client(), back: Back::BeforeAsking { within_us: 9 } },
            Changed::Order { client: client(), back: Back::NewestFirst },
        ] {
            let is_alloc = |timed: &Timed| matches!(timed.op, Op::Alloc { .. });
            let after = change.apply(&names(), ops.iter().copied()).filter(is_alloc).count();
            prop_assert!(after <= ops.iter().filter(|timed| is_alloc(timed)).count());
        }
        let _ = proposals(&names(), ops.iter().copied(), 8, 0);
    }
}

fn alloc(at_us: u64, id: u64, count: u64, client: u16) -> Timed {
    let request = Request::new(count, dma_align(count, 8)).unwrap().with_client(client);
    Timed { at_us, op: Op::Alloc { id, request, dma: true } }
}

const fn free(at_us: u64, id: u64) -> Timed {
    Timed { at_us, op: Op::Free { id, part: None } }
}

const fn part(at_us: u64, id: u64, offset: u64, count: u64) -> Timed {
    Timed { at_us, op: Op::Free { id, part: Some(Part { offset, count }) } }
}

fn applied(change: &Changed, ops: &[Timed]) -> Vec<Timed> {
    change.apply(&names(), ops.iter().copied()).collect()
}

#[test]
fn parts_of_a_trimmed_buffer_end_where_it_does() {
    let ops = [
        alloc(0, 7, 257, 3),
        part(1, 7, 200, 57),
        part(2, 7, 0, 200),
        alloc(3, 7, 257, 3),
        part(4, 7, 256, 1),
        free(5, 7),
        alloc(6, 8, 257, 3),
        part(7, 8, 0, 256),
        free(8, 8),
    ];
    let change = Changed::Trim { client: Some("vpu".into()), from: 257, to: 256 };
    let expected = [
        alloc(0, 7, 256, 3),
        part(1, 7, 200, 56),
        part(2, 7, 0, 200),
        alloc(3, 7, 256, 3),
        free(5, 7),
        alloc(6, 8, 256, 3),
        part(7, 8, 0, 256),
    ];
    assert_eq!(applied(&change, &ops), expected);
}

#[test]
fn an_id_that_is_used_anew_beside_a_kept_buffer_gets_another_name() {
    let change = Changed::Keep { client: "vpu".into() };
    let ops = [alloc(0, 1, 5, 3), free(1, 1), alloc(2, 1, 5, 1), alloc(3, 2, 5, 3), free(4, 1)];
    let name = u64::MAX - 1;
    let expected = [alloc(0, 1, 5, 3), alloc(2, name, 5, 1), free(4, name)];
    assert_eq!(applied(&change, &ops), expected);
    assert!(change.ends_with_a_refusal());
}

#[test]
fn who_keeps_takes_what_is_large_enough_and_lets_the_largest_grow() {
    let change = Changed::Keep { client: "vpu".into() };
    let ops = [
        alloc(0, 1, 3, 3),
        alloc(0, 2, 5, 3),
        free(1, 1),
        free(1, 2),
        alloc(2, 1, 300, 3),
        alloc(3, 2, 5, 1),
        free(4, 1),
        alloc(5, 1, 4, 3),
        free(6, 1),
    ];
    let name = u64::MAX - 1;
    let expected = [
        alloc(0, 1, 3, 3),
        alloc(0, 2, 5, 3),
        free(2, 2),
        alloc(2, name, 300, 3),
        alloc(3, 2, 5, 1),
        // The four pages are of the 300. What is idle at the end goes back.
        free(6, 1),
        free(6, name),
    ];
    assert_eq!(applied(&change, &ops), expected);
}

#[test]
fn a_new_set_is_asked_for_after_the_old_one_went_back() {
    let ops = [
        alloc(0, 1, 5, 3),
        alloc(0, 2, 5, 1),
        alloc(90, 3, 5, 3),
        alloc(91, 4, 5, 1),
        free(95, 1),
        free(95, 3),
        free(200, 2),
    ];
    let order = |within_us| {
        let back = Back::BeforeAsking { within_us };
        Changed::Order { client: "vpu".into(), back }
    };
    let mut expected = ops.to_vec();
    assert_eq!(applied(&order(4), &ops), expected);
    expected.remove(4);
    expected.insert(2, free(90, 1));
    assert_eq!(applied(&order(5), &ops), expected);
    let found = proposals(&names(), ops.into_iter(), 8, 5);
    let overlap = found.iter().find(|one| one.change == order(5)).expect("an overlap");
    assert_eq!(overlap.shows, Shows::Overlap { pages: 10, apart_pages: 5 });
    assert_eq!((overlap.saves_pages, overlap.change.who()), (5, Who::Application));
    assert!(found.iter().all(|one| !one.change.to_string().contains("camera")));
    // Nothing goes back after the last set.
    assert_eq!(proposals(&names(), ops.into_iter().take(3), 8, 5), []);
}

#[test]
fn the_rest_of_a_buffer_does_not_pass_what_went_back_of_it_before() {
    let ops = [
        alloc(0, 1, 5, 3),
        alloc(10, 2, 5, 3),
        part(15, 1, 0, 2),
        alloc(25, 3, 5, 3),
        free(26, 1),
        free(27, 3),
    ];
    // The part waits while its buffer may be of the set, and so does what is left.
    let back = Back::BeforeAsking { within_us: 20 };
    assert_eq!(applied(&Changed::Order { client: "vpu".into(), back }, &ops), ops);
}

#[test]
fn equal_buffers_go_back_oldest_or_newest_first() {
    let ops = [alloc(0, 1, 5, 3), alloc(1, 2, 5, 3), alloc(2, 3, 5, 3), free(3, 2), free(4, 3)];
    let back = |back| {
        let change = Changed::Order { client: "vpu".into(), back };
        applied(&change, &ops)[3..].to_vec()
    };
    assert_eq!(back(Back::OldestFirst), [free(3, 1), free(4, 2)]);
    assert_eq!(back(Back::NewestFirst), [free(3, 3), free(4, 2)]);
}
