//! What is predicted for a board against what was recorded on it.

#[path = "reproduce/board.rs"]
mod board;
#[path = "reproduce/clients.rs"]
mod clients;
#[path = "reproduce/programs.rs"]
mod programs;

use std::path::Path;

use cma_harness::after_failure::AfterFailure;
use cma_harness::ingest::Source;
use cma_harness::policies::{Area, Pfn, Run};
use cma_harness::reader::Options;
use cma_harness::reproduce::{OneRun, STREAMS, forecast, predict, reproduce};
use cma_harness::workload::fit::{Fit, Manner, Recorded};

use self::board::{BASE, Print, Task};

fn capture(name: &str) -> Source {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/board");
    Source::file(&folder.join(name))
}

fn of_area(name: &str, area: &str) -> Fit {
    let options = Options { area: Some(area.to_string()), ..Options::default() };
    Fit::read(&capture(name), &options).unwrap()
}

/// The pool of 24 MiB of a board with a heap, in three runs.
fn pool() -> Fit {
    of_area("7.3-rerun24-trace.txt.gz", "vpu_pool")
}

/// Refused shares of all streams: the least, the mean and the most.
fn shares(streams: &[Recorded]) -> (f64, f64, f64) {
    let shares: Vec<f64> = streams.iter().filter_map(|one| one.all().refused_share()).collect();
    assert_eq!(shares.len() as u64, STREAMS);
    let low = shares.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shares.iter().copied().fold(0.0, f64::max);
    (low, shares.iter().sum::<f64>() / shares.len() as f64, high)
}

#[test]
fn the_rates_of_a_pool_are_predicted_as_they_were_observed_at_other_sizes_and_caps() {
    let fit = pool();
    // Of 1422 requests each, on the board, in MiB and at a cap: 337, 115 and 16 refused; at cap 4
    // 8 refused.
    for (mib, cap, observed) in [(24, 8, 0.2370), (26, 8, 0.0809), (28, 8, 0.0113), (24, 4, 0.0056)]
    {
        let area = Area::single(0, mib * 256, 0).unwrap();
        let (low, mean, high) = shares(&predict(&fit, &area, cap).unwrap());
        let range = format!("{mib} MiB, cap {cap}: {low} {mean} {high}, observed {observed}");
        assert!((low..=high).contains(&observed), "{range}");
        assert!((mean - observed).abs() < 0.035, "{range}");
    }
}

/// Pages of an area in MiB, its cap, and of how many requests how many were refused there.
type Observed = (u64, u32, u64, u64);

#[test]
fn what_was_observed_on_boards_is_in_the_ranges_and_these_are_narrow() {
    let captures: [(Fit, &[Observed]); 4] = [
        (
            of_area("7.3-rerun24-trace.txt.gz", "vpu_pool"),
            &[(24, 8, 337, 1422), (26, 8, 115, 1422), (28, 8, 16, 1422), (24, 4, 8, 1422)],
        ),
        (
            of_area("7.3-rcap4-24-trace.txt.gz", "vpu_pool"),
            &[(24, 8, 337, 1422), (26, 8, 115, 1422), (28, 8, 16, 1422), (24, 4, 8, 1422)],
        ),
        (
            of_area("7.3-dmaheap-two-pools-trace.txt.gz", "vpu_pool"),
            &[(24, 8, 337, 1422), (26, 8, 115, 1422), (28, 8, 16, 1422), (24, 4, 2, 474)],
        ),
        (of_area("7.3-cma33M-default-trace.txt.gz", "reserved"), &[(34, 8, 246, 800)]),
    ];
    for (fit, observed) in captures {
        let here = predict(&fit, &fit.area.clone().unwrap(), fit.cap).unwrap();
        for (mib, cap, refused, requests) in observed {
            let area = Area::single(0, mib * 256, 0).unwrap();
            let expected =
                forecast(&fit, OneRun::of(&fit), &here, &predict(&fit, &area, *cap).unwrap())
                    .unwrap();
            let (said, (low, high)) =
                (format!("{mib} MiB, cap {cap}: {expected:?}"), expected.range);
            assert!((low..=high).contains(&(*refused as f64 / *requests as f64)), "{said}");
            // At 28 MiB, where few in a hundred are refused, chance alone makes three points and
            // more of one run: the range says so.
            assert!(!expected.is_wide() || *mib == 28 && high - low < 0.05, "{said}");
        }
    }
}

#[test]
fn a_file_without_outcomes_is_not_held_against_its_fit() {
    let rows = "at_us,op,id,count,align,client,area\n0,alloc,1,900,0,c,\n5,alloc,2,200,0,c,\n9,free,1,,,,\n";
    let text = format!("# base_pfn=0 pages=1024 order_per_bit=0\n{rows}");
    let fit = Fit::read(&Source::bytes("stream", text.into_bytes()), &Options::default()).unwrap();
    let reproduction = reproduce(&fit).unwrap().unwrap();
    assert!(!fit.has_outcomes() && !reproduction.is_known() && reproduction.holds());
    assert_eq!(reproduction.most_pages.recorded, None);
    assert!(reproduction.refused.predicted.unwrap() > 0.0);
}

#[test]
fn a_fit_says_that_it_reproduces_its_file() {
    let reproduction = reproduce(&pool()).unwrap().unwrap();
    assert!(reproduction.holds(), "{reproduction:?}");
    assert_eq!(reproduction.area.pages(), 6144);
    assert!((reproduction.refused.recorded.unwrap() - 337.0 / 1422.0).abs() < 1e-9);
    assert!(reproduction.first_us.agrees() && reproduction.most_pages.agrees());
    assert!(reproduction.by_size.iter().all(|(_, figure)| figure.agrees()), "{reproduction:?}");
}

fn only(fit: &Fit) -> &Manner {
    let [manner] = fit.manners() else { panic!("{:?}", fit.manners()) };
    manner
}

#[test]
fn who_holds_as_much_as_it_may_goes_on_with_its_next_request() {
    let fit = pool();
    let manner = only(&fit);
    assert_eq!(
        (manner.kind.as_str(), manner.after),
        ("heap", AfterFailure::Next { back: 1, oldest: false })
    );
    let holds = manner.holds.unwrap();
    // Of 337 refusals two are the last requests of their programs, of which there are three.
    assert_eq!((holds.most_pages, manner.refusals), (4172, 335));
    assert!(holds.gave > 400 && holds.needed == holds.gave, "{holds:?}");
    // Without a refusal it is known that it holds so much, and not what it does then.
    let other = of_area("7.3-dmaheap-two-pools-trace.txt.gz", "linux,cma");
    let manner = only(&other);
    assert_eq!((manner.after, manner.refusals), (AfterFailure::Next { back: 0, oldest: false }, 0));
    assert_eq!(manner.holds.map(|holds| holds.most_pages), Some(8200));
}

/// A trace of one area of 1024 pages, by what happens in it, each at so many
/// milliseconds: a request of so many pages at a page, or refused, or a page that goes back.
enum Act {
    Grant(u64, u64),
    Refuse(u64),
    Back(u64, u64),
}

fn trace(acts: impl IntoIterator<Item = (u64, Act)>) -> Source {
    let (mut print, cam) = (Print::new(1024, 1024), Task::new("cam", 7));
    for (ms, act) in acts {
        let at_us = ms * 1000;
        let pfn = |page| Pfn(BASE + page);
        match act {
            Act::Grant(page, count) => print.ask(at_us, &cam, (count, 0), Some(pfn(page))),
            Act::Refuse(count) => print.ask(at_us, &cam, (count, 0), None),
            Act::Back(page, count) => print.back(at_us, &cam, Run { pfn: pfn(page), count }),
        }
    }
    print.source()
}

#[test]
fn who_asks_for_the_same_again_is_one_who_does() {
    let acts = (0..12).flat_map(|round| {
        let ms = round * 1000;
        let (small, large) = ((ms, Act::Grant(0, 64)), (ms + 100, Act::Refuse(900)));
        let again = (ms + 120, Act::Refuse(900));
        let back = [(ms + 140, Act::Grant(64, 900)), (ms + 500, Act::Back(0, 64))];
        [small, large, again].into_iter().chain(back).chain([(ms + 600, Act::Back(64, 900))])
    });
    let fit = Fit::read(&trace(acts), &Options::default()).unwrap();
    let manner = only(&fit);
    // Nobody gives up.
    let times = AfterFailure::EVER;
    assert_eq!(manner.after, AfterFailure::Retry { every_us: 20_000, times });
    assert_eq!((manner.refusals, manner.again, manner.next_us), (24, 24, Some(20_000)));
    // The tries are what callers do: the file asks for 24 buffers.
    assert_eq!((fit.requests, fit.left_out.again), (24, 24));
}

#[test]
fn who_gives_all_of_the_moment_back_drops_the_session() {
    let acts = (0..12).flat_map(|round| {
        let ms = round * 1000;
        let group = [(ms, Act::Grant(0, 64)), (ms + 1, Act::Grant(64, 64))];
        let refused = [(ms + 2, Act::Refuse(900)), (ms + 5, Act::Back(0, 64))];
        let back = [(ms + 6, Act::Back(64, 64)), (ms + 500, Act::Grant(0, 32))];
        let one = [(ms + 900, Act::Back(0, 32))];
        group.into_iter().chain(refused).chain(back).chain(one)
    });
    let fit = Fit::read(&trace(acts), &Options::default()).unwrap();
    assert_eq!(only(&fit).after, AfterFailure::Session, "{:?}", fit.manners());
}

#[test]
fn a_file_that_no_policy_explains_is_not_reproduced() {
    // Every second request is refused though the area is empty.
    let acts = (0..40).flat_map(|round| {
        let ms = round * 1000;
        [(ms, Act::Grant(0, 64)), (ms + 500, Act::Back(0, 64)), (ms + 700, Act::Refuse(32))]
    });
    let source = trace(acts);
    let fit = Fit::read(&source, &Options::default()).unwrap();
    let reproduction = reproduce(&fit).unwrap().unwrap();
    assert_eq!(reproduction.refused.recorded, Some(0.5));
    assert_eq!(reproduction.refused.range, Some((0.0, 0.0)));
    assert!(!reproduction.holds());
}

#[test]
fn a_group_of_one_size_that_is_refused_is_asked_for_once() {
    // A program of sessions with a limit, which the page allocator serves, and one of the same name
    // that asks for 96 buffers of one size, 65 of which are refused one after the other.
    let fit = Fit::read(&capture("6.12-vivid-odd-trace_pipe.txt.gz"), &Options::default()).unwrap();
    let manner = fit.manners().iter().find(|manner| manner.kind == "vload").unwrap();
    assert_eq!((manner.after, manner.is_known), (AfterFailure::Drop, true), "{manner:?}");
    assert_eq!(manner.refusals, manner.again, "each is followed by the same");
    assert!(manner.holds.is_some(), "{manner:?}");
    let reproduction = reproduce(&fit).unwrap().unwrap();
    assert!(reproduction.holds(), "{reproduction:?}");
    assert!(reproduction.by_size.iter().all(|(_, figure)| figure.agrees()), "{reproduction:?}");
}
