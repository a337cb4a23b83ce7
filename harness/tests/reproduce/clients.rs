//! Programs of known ways, run on one area: what is inferred from their trace, that the fit
//! reproduces it, and that it predicts what the same programs come to elsewhere.

use cma_harness::after_failure::AfterFailure;
use cma_harness::policies::Area;
use cma_harness::reader::Options;
use cma_harness::reproduce::{OneRun, forecast, predict, reproduce};
use cma_harness::workload::fit::{Fit, Manner};

use super::board::{BASE, Board, Task};
use super::programs::{Camera, Heap, Holder, Load, Nodes, Program, Refused, run};

/// Runs of each other area and cap.
const RUNS: u64 = 5;

/// Programs, and where they ran.
struct Traced {
    load: Load,
    pages: u64,
    cap: u32,
    requests: u64,
    fit: Fit,
}

impl Traced {
    fn new(load: Load, mib: u64, cap: u32, requests: u64) -> Self {
        let pages = mib * 256;
        let board = run(&load, Board::new(pages, cap, 0), requests, 1);
        let shares = format!("{} of {requests}", board.recorded.all().refused);
        let fit = Fit::read(&board.print.source(), &Options::default()).unwrap();
        println!("{mib} MiB, cap {cap}: {shares} refused; {:?}", fit.manners());
        Self { load, pages, cap, requests, fit }
    }

    fn manner(&self, kind: &str) -> &Manner {
        self.fit.manners().iter().find(|manner| manner.kind == kind).unwrap()
    }

    fn is_reproduced(&self) {
        let found = reproduce(&self.fit).unwrap().unwrap();
        println!("{:?}; per size {:?}", found.refused, found.by_size);
        assert_eq!((found.area.pages(), found.cap), (self.pages, self.cap));
        assert!(found.holds(), "{:?}", found.refused);
    }

    /// Of [`RUNS`] runs of the same programs on each of three other boards (four fifths and six
    /// fifths of the area, and another cap), at least so many lie in what is predicted.
    fn is_predicted(&self, at_least: u64) {
        let here = predict(&self.fit, &self.fit.area.clone().unwrap(), self.fit.cap).unwrap();
        let fifths = |fifths: u64| self.pages * fifths / 5 / 512 * 512;
        let other_cap = if self.cap == 8 { 4 } else { 8 };
        let (mut inside, mut said) = (0, String::new());
        for (pages, cap) in [(fifths(4), self.cap), (fifths(6), self.cap), (self.pages, other_cap)]
        {
            let area = Area::single(BASE, pages, 0).unwrap();
            let there = predict(&self.fit, &area, cap).unwrap();
            let found = forecast(&self.fit, OneRun::of(&self.fit), &here, &there).unwrap();
            let shares = (0..RUNS).map(|number| {
                let board = Board::new(pages, cap, 0);
                run(&self.load, board, self.requests, 100 + number).refused_share()
            });
            let shares: Vec<f64> = shares.collect();
            let (low, high) = found.range;
            inside += shares.iter().filter(|share| (low..=high).contains(share)).count() as u64;
            said += &format!("\n{pages} pages, cap {cap}: {found:.4?}, observed {shares:.4?}");
        }
        println!("{inside} of {}{said}", 3 * RUNS);
        assert!(inside >= at_least, "{inside} of {}{said}", 3 * RUNS);
    }
}

fn heap(most_pages: u64, oldest: bool, back: usize) -> Program {
    Program::Heap(Heap::new(&[642, 320, 160], most_pages, oldest, back))
}

fn one(program: Program) -> Load {
    vec![(Task::new("heap", 122), program)]
}

/// A heap client on 24 MiB: its reaction.
fn heap_is(oldest: bool, back: usize, after: u64) -> Traced {
    let traced = Traced::new(one(heap(4200, oldest, back)), 24, 8, 1200);
    let manner = traced.manner("heap");
    assert_eq!((manner.after, manner.is_known), (AfterFailure::Next { back: after, oldest }, true));
    let holds = manner.holds.unwrap();
    assert!((4000..=4200).contains(&holds.most_pages), "{holds:?}");
    traced.is_reproduced();
    traced
}

#[test]
fn a_heap_that_gives_nothing_back_is_told_and_predicted() {
    heap_is(false, 0, 0).is_predicted(14);
}

#[test]
fn a_heap_that_gives_one_back_is_told_and_predicted() {
    heap_is(false, 1, 1).is_predicted(14);
}

#[test]
fn a_heap_that_gives_all_back_is_told_and_predicted() {
    heap_is(false, usize::MAX, AfterFailure::ALL).is_predicted(14);
}

#[test]
fn a_heap_whose_oldest_goes_first_is_told_and_predicted() {
    heap_is(true, 1, 1).is_predicted(14);
}

#[test]
fn a_heap_most_of_whose_requests_fail_is_told_and_predicted() {
    let sizes = [257, 257, 257, 768, 513, 160, 18];
    let load = one(Program::Heap(Heap::new(&sizes, 8200, false, 1)));
    let traced = Traced::new(load, 36, 8, 1200);
    let manner = traced.manner("heap");
    assert_eq!(manner.after, AfterFailure::Next { back: 1, oldest: false });
    traced.is_reproduced();
    traced.is_predicted(14);
}

#[test]
fn what_no_refusal_shows_is_not_known() {
    let traced = Traced::new(one(heap(4200, false, 1)), 40, 8, 1200);
    let manner = traced.manner("heap");
    assert!(!manner.is_known && manner.holds.is_some(), "{manner:?}");
    // One buffer or none: the range spans both.
    let area = Area::single(BASE, 24 * 256, 0).unwrap();
    let here = predict(&traced.fit, traced.fit.area.as_ref().unwrap(), 8).unwrap();
    let there = predict(&traced.fit, &area, 8).unwrap();
    let (low, high) = forecast(&traced.fit, &here, &there).unwrap().range;
    for back in [0, 1] {
        let load = one(heap(4200, false, back));
        let share = run(&load, Board::new(24 * 256, 8, 0), 1200, 7).refused_share();
        assert!((low..=high).contains(&share), "{back}: {share}, {low} to {high}");
    }
}

/// Four cameras that ask for groups of equal buffers.
fn cameras(refused: Refused) -> Load {
    let groups = [(257, 3), (513, 3), (203, 3)];
    let camera = |number: u32| {
        let task = Task::new(&format!("cam{number}"), 300 + number);
        (task, Program::Camera(Camera::new(&groups, refused)))
    };
    (0..4).map(camera).collect()
}

#[test]
fn cameras_that_drop_are_told_and_predicted() {
    let traced = Traced::new(cameras(Refused::Drop), 20, 8, 1500);
    assert_eq!(traced.manner("cam").after, AfterFailure::Drop);
    traced.is_reproduced();
    traced.is_predicted(14);
}

#[test]
fn cameras_that_ask_again_every_20_ms_are_told_and_predicted() {
    let traced = Traced::new(cameras(Refused::Again(20_000)), 22, 8, 1500);
    let after = traced.manner("cam").after;
    assert!(matches!(after, AfterFailure::Retry { every_us: 19_900..=20_100, .. }), "{after}");
    traced.is_reproduced();
    traced.is_predicted(14);
}

#[test]
fn cameras_that_ask_again_every_300_us_are_told_and_predicted() {
    let traced = Traced::new(cameras(Refused::Again(300)), 24, 8, 3000);
    let after = traced.manner("cam").after;
    assert!(matches!(after, AfterFailure::Retry { every_us: 290..=320, .. }), "{after}");
    traced.is_reproduced();
    traced.is_predicted(14);
}

#[test]
fn cameras_that_drop_the_session_are_told_and_predicted() {
    let traced = Traced::new(cameras(Refused::Session), 20, 8, 1500);
    assert_eq!(traced.manner("cam").after, AfterFailure::Session);
    traced.is_reproduced();
    traced.is_predicted(14);
}

/// A program that plays sessions on eight nodes.
fn nodes(oldest: bool) -> Program {
    let formats: [&[u64]; 10] = [
        &[257],
        &[65],
        &[51],
        &[259],
        &[161, 65],
        &[90, 18],
        &[161, 33, 17],
        &[226],
        &[75, 188, 30],
        &[469, 161],
    ];
    Program::Nodes(Nodes::new(&formats, 7000, oldest))
}

#[test]
fn sessions_that_fall_back_are_told_and_predicted() {
    for oldest in [true, false] {
        let traced = Traced::new(vec![(Task::new("vload", 241), nodes(oldest))], 28, 8, 2000);
        let manner = traced.manner("vload");
        let holds = manner.holds.unwrap();
        assert!((6500..=7000).contains(&holds.most_pages), "{holds:?}");
        assert_eq!(manner.after, AfterFailure::Drop);
        traced.is_reproduced();
        traced.is_predicted(14);
    }
}

#[test]
fn who_holds_once_is_another_program_of_the_same_name() {
    let holder = Program::Holder(Holder::new(21, 96));
    for (name, program) in [("heap", heap(4200, false, 1)), ("vload", nodes(true))] {
        let load = vec![(Task::new(name, 241), program), (Task::new(name, 305), holder.clone())];
        let traced = Traced::new(load, 28, 8, 1500);
        assert!(traced.manner(name).holds.is_some());
        traced.is_reproduced();
        traced.is_predicted(14);
    }
}

#[test]
fn two_programs_of_one_name_are_told_and_predicted() {
    let two = [241, 305].map(|pid| (Task::new("heap", pid), heap(2100, false, 1)));
    let traced = Traced::new(two.to_vec(), 24, 8, 1200);
    let manner = traced.manner("heap");
    assert_eq!(manner.after, AfterFailure::Next { back: 1, oldest: false });
    traced.is_reproduced();
    traced.is_predicted(14);
}
