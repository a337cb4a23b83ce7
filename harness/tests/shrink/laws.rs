//! Policies that break a law: the law is what is kept.

use cma_harness::codec::{Act, Case};
use cma_harness::law::conformance::{judge, smallest};
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Violation, name};
use cma_harness::shrink::{Goal, Item, Seen, Subject, find, law_test, stream_test};
use cma_policies::{
    Area, Attempt, BuildError, Catalog, Entry, FreeError, Last, Next, Policy, Promises, Request,
    Run, builtin,
};

use super::cases::{alloc, comb};
use super::{LIMITS, Setup, assert_minimal};

/// The baseline, but that it proposes the last grant again for five pages, and panics when seven
/// are given back.
#[derive(Debug)]
struct Liar {
    inner: Box<dyn Policy>,
    last: Option<Run>,
}

impl Policy for Liar {
    fn area(&self) -> &Area {
        self.inner.area()
    }

    fn promises(&self) -> Promises {
        self.inner.promises()
    }

    fn propose(&mut self, request: Request, last: Option<Last>) -> Next {
        match (self.inner.propose(request, last), self.last) {
            (Next::Try(attempt), Some(run)) if request.count() == 5 && run.count >= 5 => {
                Next::Try(Attempt { run: Run { count: 5, ..run }, ..attempt })
            }
            (next, _) => next,
        }
    }

    fn settle(&mut self, attempt: Attempt, granted: bool) {
        self.last = granted.then_some(attempt.run);
        self.inner.settle(attempt, granted);
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        assert_ne!(run.count, 7, "seven pages");
        self.last = None;
        self.inner.free(run)
    }

    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        self.inner.free_runs(visit);
    }
}

fn build(area: Area) -> Result<Box<dyn Policy>, BuildError> {
    let inner = builtin::catalog().parse("kernel").unwrap().build(area)?;
    Ok(Box::new(Liar { inner, last: None }))
}

const LIAR: Entry =
    Entry { name: "liar", about: "", source: "", params: &[], build: |area, _| build(area) };

fn stream(sizes: &[(u64, bool)]) -> Subject {
    let area = Area::single(0, 256, 0).unwrap();
    let mut items = Vec::new();
    for (id, (count, gone)) in (0..).zip(sizes) {
        let request = Request::new(*count, 2).unwrap();
        let mut push = |op| {
            let timed = Timed { at_us: items.len() as u64, op };
            items.push(Item { timed, ending: None, line: 0 });
        };
        push(Op::Alloc { id, request, dma: false });
        if *gone {
            push(Op::Free { id, part: None });
        }
    }
    Subject { area, clients: Vec::new(), items }
}

fn broken(subject: &Subject) -> (Setup, Goal) {
    let setup = Setup::of(Catalog::new(&[LIAR]).parse("liar").unwrap(), 8);
    let (_, violation) = find(subject, &setup.under(), 10).unwrap();
    (setup, Goal::Law(violation.expect("the liar lies").law))
}

#[test]
fn two_requests_show_a_page_that_is_granted_twice() {
    let subject = stream(&[(3, true), (9, false), (4, true), (20, false), (5, false), (5, false)]);
    let (setup, goal) = broken(&subject);
    assert_eq!(goal, Goal::Law(name::DISJOINT));
    let shrunk = setup.shrunk(&subject, goal, LIMITS);
    assert_minimal(&setup, &shrunk, goal);
    let left: Vec<_> = shrunk
        .subject
        .items
        .iter()
        .map(|item| match item.timed.op {
            Op::Alloc { request, .. } => (request.count(), request.align()),
            _ => unreachable!("nothing is given back"),
        })
        .collect();
    // 20 becomes 16, 8, and not 4, which is below 5 pages.
    assert_eq!(left, [(8, 0), (5, 0)]);
    let Seen::Broken(violation) = &shrunk.seen else { panic!("{:?}", shrunk.seen) };
    assert_eq!((violation.law, violation.op), (name::DISJOINT, 1));
    let text = setup.written(&shrunk);
    let test = stream_test(&text, &setup.under(), ("pinned", 0), &shrunk.seen);
    assert!(test.contains("fn liar_keeps_the_law_disjoint() {"), "{test}");
}

#[test]
fn a_panic_is_a_law_that_is_broken() {
    let subject = stream(&[(3, true), (9, false), (7, true), (20, false)]);
    let (setup, goal) = broken(&subject);
    assert_eq!(goal, Goal::Law(name::PANIC));
    let shrunk = setup.shrunk(&subject, goal, LIMITS);
    assert_eq!(shrunk.subject.items.len(), 2);
    let Seen::Broken(violation) = &shrunk.seen else { panic!("{:?}", shrunk.seen) };
    assert!(violation.what.contains("seven pages"), "{violation}");
}

#[test]
fn a_case_that_breaks_a_law_shrinks_to_two_requests() {
    let area = Area::single(0, 256, 0).unwrap();
    let acts = vec![alloc(9), Act::Free { victim: 4 }, alloc(3), alloc(20), alloc(5), alloc(1)];
    let case = Case::new(area, acts);
    let violation = judge(&case, &build).expect_err("the liar lies");
    assert_eq!(violation.law, name::DISJOINT);
    let mut tries = 0;
    let mut afford = || {
        tries += 1;
        true
    };
    let broken = smallest(&case, &build, violation.clone(), &mut afford);
    assert_eq!(broken.case.unwrap().acts, [alloc(8), alloc(5)]);
    assert!(tries > 5, "{tries}");
    // Without a try it stays as it is.
    let same = smallest(&case, &build, violation, &mut || false);
    assert_eq!(same.case, Some(case));
}

#[test]
fn the_test_of_a_law_is_the_one_that_runs_here() {
    let what = "an example, of a case on which it holds".to_string();
    let violation = Violation { law: name::TIGHT, op: 3, what };
    let test = law_test(&comb(), "kernel", &violation);
    assert_eq!(test, include_str!("law_example.rs"));
}
