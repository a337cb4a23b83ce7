//! What holds for whatever is shrunk.

use cma_harness::environment::Ending;
use cma_harness::ingest::Source;
use cma_harness::op::{Op, Part, Timed};
use cma_harness::seed::{Draws, Seed};
use cma_harness::shrink::{Goal, Item, Limits, Seen, Subject};
use cma_policies::{Area, Request, Run};

use super::{LIMITS, Setup, assert_minimal, corpora};

const POLICIES: &[&str] =
    &["kernel", "best-fit", "next-fit", "two-ended", "buddy", "zoned:share=0.25,order=3"];

/// A random stream on a small area, with parts, pins and busy claims in some.
fn draw(draws: &mut Draws, special: bool) -> Subject {
    let pages = [32, 64, 100, 256][draws.below(4) as usize];
    let order = if draws.below(4) == 0 { 1 } else { 0 };
    let base = if draws.below(2) == 0 { 0 } else { draws.below(64) };
    let area = Area::single(base, pages, order).unwrap();
    let mut items = Vec::new();
    let mut live: Vec<(u64, u64)> = Vec::new();
    for at_us in 0..draws.between(20, 120) {
        let mut ending = None;
        let op = match draws.below(if special { 12 } else { 10 }) {
            0..=3 if !live.is_empty() => {
                let at = draws.below(live.len() as u64) as usize;
                let (id, count) = live[at];
                if special && count > 2 && draws.below(4) == 0 {
                    live[at].1 = 0;
                    Op::Free { id, part: Some(Part { offset: 0, count: count / 2 }) }
                } else {
                    live.remove(at);
                    Op::Free { id, part: None }
                }
            }
            10 => Op::Pin(Run::new(base + draws.below(pages), 1)),
            _ => {
                let dma = draws.below(3) == 0;
                let count = draws.between(1, pages / 4);
                let request = Request::new(count, draws.below(5) as u32).unwrap();
                let request = request.with_client(draws.below(3) as u16);
                if special && draws.below(8) == 0 {
                    ending = Some(Ending { busy: draws.below(3), then: Ok(()) });
                }
                live.push((at_us, count));
                Op::Alloc { id: at_us, request, dma }.with_cap(8)
            }
        };
        items.push(Item { timed: Timed { at_us, op }, ending, line: 0 });
    }
    let clients = ["vpu", "isp,0", "#gpu"].map(str::to_string).to_vec();
    Subject { area, clients, items }
}

fn pages(subject: &Subject) -> u64 {
    let count = subject.items.iter().map(|item| match item.timed.op {
        Op::Alloc { request, .. } => request.count(),
        _ => 0,
    });
    count.sum()
}

fn check(setup: &Setup, subject: &Subject, limits: Limits) -> bool {
    let Some(goal) = setup.goal(subject) else { return false };
    let shrunk = setup.shrunk(subject, goal, limits);
    let Goal::Refusal { cause, free_pages, area_pages, .. } = goal else { unreachable!() };
    let Seen::Refused(refusal) = &shrunk.seen else { panic!("{:?}", shrunk.seen) };
    // The cause and the free share are kept, and nothing has grown.
    assert_eq!(refusal.cause, cause);
    let share = |free: u64, pages: u64| u128::from(free) * 1_000_000_000 / u128::from(pages);
    assert!(share(refusal.free_pages, refusal.area_pages) >= share(free_pages, area_pages));
    assert!(shrunk.subject.items.len() <= subject.items.len());
    assert!(pages(&shrunk.subject) <= pages(subject));
    assert!(shrunk.subject.area.pages() <= subject.area.pages());
    assert!(limits.area || shrunk.subject.area == subject.area);
    assert_eq!(refusal.op + 1, shrunk.subject.items.len(), "nothing follows it");
    assert_minimal(setup, &shrunk, goal);
    // The same bytes come out every time, and show the same when they are read.
    let text = setup.written(&shrunk);
    assert_eq!(text, setup.written(&setup.shrunk(subject, goal, limits)));
    let scripted = shrunk.subject.items.iter().any(|item| item.ending.is_some());
    let source = Source::bytes("shrunk", text.clone().into_bytes());
    let again = Subject::read(&source, &<_>::default(), setup.cap, scripted, false).unwrap();
    let again = again.last_refusal(&setup.under()).unwrap().unwrap_or_else(|| panic!("{text}"));
    assert_eq!((again.cause, again.free_pages), (cause, refusal.free_pages), "{text}");
    // What is smallest stays as it is.
    let twice = setup.shrunk(&shrunk.subject, goal, limits);
    assert_eq!(twice.subject.items, shrunk.subject.items);
    true
}

#[test]
fn whatever_is_shrunk_keeps_cause_and_free_share_and_never_grows() {
    let mut checked = 0;
    for (number, policy) in (0..).zip(POLICIES.iter().cycle().take(120)) {
        let mut draws = Seed::new(11).child("shrink", number).rng();
        let setup = Setup::new(policy, 8);
        let subject = draw(&mut draws, number % 3 == 0);
        let limits = Limits { area: number % 4 == 1, sizes: number % 5 != 2, ..LIMITS };
        checked += u32::from(check(&setup, &subject, limits));
    }
    assert!(checked > 60, "{checked} streams had a refusal to keep");
}

#[test]
fn recordings_of_a_real_kernel_shrink() {
    for (name, most) in [
        ("6.12/checker-a1-any.csv.gz", 14),
        ("6.12/text/frag.csv.gz", 383),
        ("6.12/text/align.csv.gz", 68),
        ("6.12/mix-a1-dma8.csv.gz", 40),
    ] {
        let setup = Setup::new("kernel", 8);
        let subject = setup.read(&Source::file(&corpora().join("recordings").join(name)));
        let goal = setup.goal(&subject).unwrap_or_else(|| panic!("{name} has a refusal"));
        let shrunk = setup.shrunk(&subject, goal, LIMITS);
        let left = shrunk.subject.items.len();
        assert!(left < subject.items.len() && left <= most, "{name}: {left} ops");
        assert_minimal(&setup, &shrunk, goal);
    }
}

#[test]
fn it_stops_when_the_runs_are_used_up_and_says_so() {
    let setup = Setup::new("kernel", 8);
    let subject = (0..)
        .map(|number| draw(&mut Seed::new(11).child("shrink", number).rng(), false))
        .find(|subject| setup.goal(subject).is_some())
        .unwrap();
    let goal = setup.goal(&subject).unwrap();
    for tries in 0..20 {
        let shrunk = setup.shrunk(&subject, goal, Limits { tries, ..LIMITS });
        assert_eq!((shrunk.tries, shrunk.is_smallest), (tries, false));
        assert!(matches!(shrunk.seen, Seen::Refused(_)));
    }
}

#[test]
fn a_tolerance_is_a_share_of_the_area() {
    let goal = |tolerance_ppm| Goal::Refusal {
        cause: cma_harness::cause::Cause::Fragmentation,
        free_pages: 500,
        area_pages: 1000,
        tolerance_ppm,
    };
    let met = |tolerance, free| {
        goal(tolerance).is_met_by(cma_harness::cause::Cause::Fragmentation, free, 200)
    };
    assert!(met(0, 100) && !met(0, 99));
    assert!(met(10_000, 98) && !met(10_000, 97), "one percent of 200 pages");
    assert!(!goal(0).is_met_by(cma_harness::cause::Cause::Alignment, 200, 200));
    assert!(!Goal::Law("inside").is_met_by(cma_harness::cause::Cause::Policy, 200, 200));
}
