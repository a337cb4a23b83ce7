//! What holds of every film: of small worlds, asked page by page.

use std::collections::BTreeSet;

use cma_harness::environment::Quiet;
use cma_harness::kernel::Kernel;
use cma_harness::op::{Op, Part, Timed};
use cma_harness::seed::Seed;
use cma_harness::view::{Film, State, difference, doomed, of_ops, places};
use cma_policies::{Area, Request, Run, builtin};
use proptest::prelude::*;

use super::common::{self, Owners};

/// Alloc `(pages, order)`, or free one of those that were asked for, or a part of it.
#[derive(Clone, Copy, Debug)]
enum Act {
    Alloc(u64, u32),
    Free(usize),
    Part(usize, Part),
}

fn area() -> impl Strategy<Value = Area> {
    (0_u64..9, 1_u64..40, 0_u64..24, 0_u32..3).prop_filter_map(
        "an area has a granule at least",
        |(base, pages, more, order)| {
            let first = Run::new(base, pages);
            let ranges = match more {
                0..8 => vec![first],
                _ => vec![Run::new(base + pages + 5, more), first],
            };
            Area::new("lab", order, &ranges).ok()
        },
    )
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let alloc = (1_u64..14, 0_u32..5).prop_map(|(count, align)| Act::Alloc(count, align));
    let free = any::<usize>().prop_map(Act::Free);
    let part = (any::<usize>(), 0_u64..10, 1_u64..6);
    let part = part.prop_map(|(which, offset, count)| Act::Part(which, Part { offset, count }));
    prop::collection::vec(prop_oneof![3 => alloc, 2 => free, 1 => part], 1..60)
}

fn film(area: &Area, acts: &[Act], policy: &str) -> Film {
    let mut asked = Vec::new();
    let ops = acts.iter().zip(0..).filter_map(|(act, number)| {
        let op = match *act {
            Act::Alloc(count, align) => {
                asked.push(number);
                let request = Request::new(count, align).unwrap();
                Op::Alloc { id: number, request, dma: false }
            }
            Act::Free(_) | Act::Part(..) if asked.is_empty() => return None,
            Act::Free(which) => Op::Free { id: asked[which % asked.len()], part: None },
            Act::Part(which, part) => Op::Free { id: asked[which % asked.len()], part: Some(part) },
        };
        Some((number, Timed { at_us: number * 10, op }))
    });
    let ops: Vec<_> = ops.collect();
    let policy = builtin::catalog().parse(policy).unwrap();
    let under = cma_harness::replay::Under {
        policy: &policy,
        environment: &cma_harness::environment::Spec::parse("quiet").unwrap(),
        seed: &Seed::new(0),
        kernel: Kernel::find("6.12").unwrap(),
        cap: 8,
    };
    of_ops(area, Vec::new(), ops, &under, Box::new(Quiet)).unwrap()
}

proptest! {
    #[test]
    fn a_request_had_no_place_since_the_event_that_is_named_and_had_one_before_it(
        area in area(), acts in acts(),
    ) {
        let film = film(&area, &acts, "kernel");
        for (number, found) in doomed(&film).into_iter().enumerate() {
            prop_assert_eq!(found, common::doomed(&film, number), "refusal {}", number);
        }
    }

    #[test]
    fn who_stands_in_a_place_has_a_page_of_it_and_the_best_has_the_fewest_in_the_way(
        area in area(), acts in acts(),
    ) {
        let film = film(&area, &acts, "kernel");
        let mut owners = Owners::new(&area);
        let mut next = 0;
        for refusal in &film.refusals {
            while next < refusal.event as usize {
                owners.apply(&film, next);
                next += 1;
            }
            let request = refusal.request;
            let state = State::before(&film, next);
            let found = places(&film, &state, request, usize::MAX);
            let starts = owners.starts(request);
            prop_assert_eq!(found.all as usize, starts.len());
            prop_assert_eq!(found.best.len(), starts.len());
            let mut last = None;
            for place in &found.best {
                let start = area.page_of(place.run.pfn).unwrap() as usize;
                prop_assert!(starts.contains(&start));
                let pages = owners.pages(request, start);
                let who: BTreeSet<u32> = owners.of[pages.clone()].iter().flatten().copied().collect();
                // A buffer is numbered as it was granted: ascending is oldest first.
                prop_assert_eq!(&place.buffers, &who.iter().copied().collect::<Vec<_>>());
                let taken = owners.taken(pages) as u64;
                prop_assert_eq!(place.taken, taken);
                let key = (taken, who.len(), start);
                prop_assert!(last.is_none_or(|last| last < key));
                last = Some(key);
            }
            prop_assert_eq!(state.fits(request), owners.has_place(request));
        }
    }

    #[test]
    fn films_differ_first_where_an_answer_does(area in area(), acts in acts()) {
        let (one, other) = (film(&area, &acts, "kernel"), film(&area, &acts, "best-fit"));
        prop_assert_eq!(difference(&one, &one), None);
        let same = one.events.iter().zip(&other.events).take_while(|(a, b)| {
            let at = |film: &Film, what| match what {
                cma_harness::view::What::Grant(buffer) => Some(film.buffers[buffer as usize].run),
                _ => None,
            };
            a.op == b.op && at(&one, a.what) == at(&other, b.what)
        });
        let same = same.count();
        let parts = difference(&one, &other).map(|found| found.op);
        prop_assert_eq!(parts, one.events.get(same).map(|event| event.op));
    }
}
