//! Programs of known ways, run on one area: what is inferred from their trace, that the fit
//! reproduces it, and that it predicts what the same programs come to elsewhere.

use cma_harness::after_failure::AfterFailure;
use cma_harness::policies::Area;
use cma_harness::reader::Options;
use cma_harness::reproduce::{OneRun, forecast, predict, reproduce};
use cma_harness::workload::fit::{Fit, Manner};

use super::board::{BASE, Board, Task};
use super::programs::{Camera, Heap, Holder, Load, Nodes, Program, Refused, run};

/// Runs that are traced. Of fits to files that they explain one in twenty does not reproduce its
/// file, so that one of these may not.
const TRACED: u64 = 5;
/// Runs of each other area and cap, and of all 15 those that lie in what is predicted, at least.
const RUNS: u64 = 5;
const INSIDE: u64 = 14;

/// Refused requests as a share of all.
fn share(board: &Board) -> f64 {
    board.recorded.all().refused_share().unwrap()
}

/// Programs, and where they are traced.
struct Case {
    load: Load,
    mib: u64,
    cap: u32,
    requests: u64,
}

impl Case {
    fn new(load: Load, mib: u64, requests: u64) -> Self {
        Self { load, mib, cap: 8, requests }
    }

    fn run(&self, mib: u64, cap: u32, seed: u64) -> Board {
        run(&self.load, Board::new(mib * 256, cap, 0), self.requests, seed)
    }

    /// What is fitted to a run of this seed.
    fn fit(&self, seed: u64) -> Fit {
        let board = self.run(self.mib, self.cap, seed);
        Fit::read(&board.print.source(), &Options::default()).unwrap()
    }

    /// What clients of this kind do, in a run of each seed.
    fn do_clients(&self, kind: &str, check: impl Fn(&Manner)) {
        for seed in 1..=TRACED {
            let fit = self.fit(seed);
            let manner = fit.manners().iter().find(|manner| manner.kind == kind);
            println!("{manner:?}");
            check(manner.unwrap());
        }
    }

    fn is_reproduced(&self) {
        let found = (1..=TRACED).map(|seed| reproduce(&self.fit(seed)).unwrap().unwrap());
        let found: Vec<_> = found.collect();
        let said: Vec<_> = found.iter().map(|one| one.refused).collect();
        assert!(found.iter().all(|one| (one.area.pages(), one.cap) == (self.mib * 256, self.cap)));
        let holds = found.iter().filter(|one| one.holds()).count() as u64;
        println!("{holds} of {TRACED} are reproduced: {said:?}");
        assert!(holds + 1 >= TRACED, "{said:?}");
    }

    /// Holds runs on four and six fifths of the area, and at the cap 4, against what is predicted
    /// for these by a fit to one run.
    fn is_predicted(&self) {
        let fit = self.fit(1);
        let here = predict(&fit, &fit.area.clone().unwrap(), fit.cap).unwrap();
        let (mut inside, mut said) = (0, String::new());
        // Areas come in steps of 2 MiB.
        let fifths = |fifths: u64| self.mib * fifths / 10 * 2;
        for (mib, cap) in [(fifths(4), 8), (fifths(6), 8), (self.mib, 4)] {
            let area = Area::single(BASE, mib * 256, 0).unwrap();
            let found =
                forecast(&fit, OneRun::of(&fit), &here, &predict(&fit, &area, cap).unwrap())
                    .unwrap();
            let shares: Vec<_> =
                (0..RUNS).map(|number| share(&self.run(mib, cap, 100 + number))).collect();
            let (low, high) = found.range;
            inside += shares.iter().filter(|share| (low..=high).contains(share)).count() as u64;
            said += &format!("\n{mib} MiB, cap {cap}: {found:.4?}, observed {shares:.4?}");
        }
        println!("{inside} of {}{said}", 3 * RUNS);
        assert!(inside >= INSIDE, "{inside} of {}{said}", 3 * RUNS);
    }
}

fn heap(most_pages: u64, oldest: bool, back: usize) -> Program {
    Program::Heap(Heap::new(&[642, 320, 160], most_pages, oldest, back))
}

/// A heap client on 24 MiB.
fn one_heap(oldest: bool, back: usize) -> Case {
    Case::new(vec![(Task::new("heap", 122), heap(4200, oldest, back))], 24, 1200)
}

/// Holds what is inferred of a heap client against what it does.
fn told_heap(oldest: bool, back: usize) -> Case {
    let case = one_heap(oldest, back);
    let after = AfterFailure::Next { back: AfterFailure::ALL.min(back as u64), oldest };
    case.do_clients("heap", |manner| {
        assert_eq!((manner.after, manner.is_known), (after, true));
        let holds = manner.holds.unwrap();
        assert!((4000..=4200).contains(&holds.most_pages), "{holds:?}");
    });
    case
}

fn check_heap(oldest: bool, back: usize) {
    let case = told_heap(oldest, back);
    case.is_reproduced();
    case.is_predicted();
}

#[test]
fn a_heap_that_gives_nothing_back_is_told_and_predicted() {
    check_heap(false, 0);
}

#[test]
fn a_heap_that_gives_one_back_is_told_and_predicted() {
    told_heap(false, 1).is_predicted();
}

#[test]
#[ignore = "streams fail less than two files of five"]
fn a_heap_that_gives_one_back_is_reproduced() {
    check_heap(false, 1);
}

#[test]
fn a_heap_that_gives_all_back_is_told_and_predicted() {
    check_heap(false, usize::MAX);
}

#[test]
fn a_heap_whose_oldest_goes_first_is_told_and_predicted() {
    check_heap(true, 1);
}

/// A heap that never holds as much as it may: half of its requests fail.
fn full_heap() -> Case {
    let heap = Heap::new(&[257, 257, 257, 768, 513, 160, 18], 8200, false, 1);
    Case::new(vec![(Task::new("heap", 120), Program::Heap(heap))], 36, 1200)
}

#[test]
fn a_heap_half_of_whose_requests_fail_is_told() {
    let case = full_heap();
    let after = AfterFailure::Next { back: 1, oldest: false };
    case.do_clients("heap", |manner| assert_eq!(manner.after, after));
    case.is_reproduced();
}

#[test]
fn a_heap_half_of_whose_requests_fail_is_predicted() {
    full_heap().is_predicted();
}

#[test]
fn what_no_refusal_shows_is_not_known() {
    let case = Case { mib: 40, ..one_heap(false, 1) };
    case.do_clients("heap", |manner| assert!(!manner.is_known && manner.holds.is_some()));
    // One buffer or none: the range spans both.
    let fit = case.fit(1);
    let here = predict(&fit, fit.area.as_ref().unwrap(), 8).unwrap();
    let there = predict(&fit, &Area::single(BASE, 24 * 256, 0).unwrap(), 8).unwrap();
    let (low, high) = forecast(&fit, OneRun::of(&fit), &here, &there).unwrap().range;
    for back in [0, 1] {
        let share = share(&one_heap(false, back).run(24, 8, 7));
        assert!((low..=high).contains(&share), "{back}: {share}, {low} to {high}");
    }
}

/// Four cameras that ask for groups of equal buffers.
fn cameras(refused: Refused, mib: u64, requests: u64) -> Case {
    let camera = Program::Camera(Camera::new(&[(257, 3), (513, 3), (203, 3)], refused));
    let task = |number: u32| Task::new(&format!("cam{number}"), 300 + number);
    let load = (0..4).map(|number| (task(number), camera.clone())).collect();
    Case::new(load, mib, requests)
}

#[test]
fn cameras_that_drop_are_told_and_predicted() {
    let case = cameras(Refused::Drop, 20, 1500);
    case.do_clients("cam", |manner| assert_eq!(manner.after, AfterFailure::Drop));
    case.is_reproduced();
    case.is_predicted();
}

fn again_after_20_ms() -> Case {
    cameras(Refused::Again(20_000), 22, 1500)
}

#[test]
fn cameras_that_ask_again_every_20_ms_are_told() {
    let case = again_after_20_ms();
    case.do_clients("cam", |manner| {
        let AfterFailure::Retry { every_us, .. } = manner.after else { panic!("{manner:?}") };
        assert!((19_900..=20_100).contains(&every_us), "{manner:?}");
    });
    case.is_reproduced();
}

#[test]
#[ignore = "what comes late lives shorter in streams"]
fn cameras_that_ask_again_every_20_ms_are_predicted() {
    again_after_20_ms().is_predicted();
}

fn again_after_300_us() -> Case {
    cameras(Refused::Again(300), 24, 3000)
}

#[test]
fn cameras_that_ask_again_every_300_us_are_told() {
    let case = again_after_300_us();
    case.do_clients("cam", |manner| {
        let AfterFailure::Retry { every_us, .. } = manner.after else { panic!("{manner:?}") };
        assert!((290..=320).contains(&every_us), "{manner:?}");
    });
    case.is_reproduced();
}

#[test]
#[ignore = "who waits does not hold what it has of the group"]
fn cameras_that_ask_again_every_300_us_are_predicted() {
    again_after_300_us().is_predicted();
}

#[test]
fn cameras_that_drop_the_session_are_told() {
    let case = cameras(Refused::Session, 20, 1500);
    case.do_clients("cam", |manner| assert_eq!(manner.after, AfterFailure::Session));
}

#[test]
#[ignore = "what comes after a dropped session comes as late as after a whole one"]
fn cameras_that_drop_the_session_are_predicted() {
    let case = cameras(Refused::Session, 20, 1500);
    case.is_reproduced();
    case.is_predicted();
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
#[ignore = "what was refused whole counts for the most that is held"]
fn sessions_that_fall_back_are_told() {
    for oldest in [true, false] {
        let case = Case::new(vec![(Task::new("vload", 241), nodes(oldest))], 28, 2000);
        case.do_clients("vload", |manner| {
            let holds = manner.holds.unwrap();
            assert!((6500..=7000).contains(&holds.most_pages), "{holds:?}");
            assert_eq!(manner.after, AfterFailure::Drop);
        });
    }
}

#[test]
fn sessions_that_fall_back_are_predicted() {
    for oldest in [true, false] {
        let case = Case::new(vec![(Task::new("vload", 241), nodes(oldest))], 28, 2000);
        case.is_reproduced();
        case.is_predicted();
    }
}

/// A program beside another of its name that holds 96 buffers once.
fn with_holder(name: &str, program: Program) -> Case {
    let holder = Program::Holder(Holder::new(21, 96));
    Case::new(vec![(Task::new(name, 241), program), (Task::new(name, 305), holder)], 28, 1500)
}

#[test]
fn a_heap_beside_one_who_holds_once_is_told() {
    let case = with_holder("heap", heap(4200, false, 1));
    let after = AfterFailure::Next { back: 1, oldest: false };
    case.do_clients("heap", |manner| {
        assert_eq!(manner.after, after);
        assert!((4000..=4200).contains(&manner.holds.unwrap().most_pages), "{manner:?}");
    });
}

#[test]
#[ignore = "streams fail less than the files do"]
fn a_heap_beside_one_who_holds_once_is_predicted() {
    let case = with_holder("heap", heap(4200, false, 1));
    case.is_reproduced();
    case.is_predicted();
}

#[test]
#[ignore = "what was refused whole counts for the most that is held"]
fn sessions_beside_one_who_holds_once_are_told_and_predicted() {
    let case = with_holder("vload", nodes(true));
    case.do_clients("vload", |manner| assert!(manner.holds.is_some(), "{manner:?}"));
    case.is_reproduced();
    case.is_predicted();
}

/// Two heaps of one name, whose pids differ.
fn two_heaps() -> Case {
    let two = [241, 305].map(|pid| (Task::new("heap", pid), heap(2100, false, 1)));
    Case::new(two.to_vec(), 24, 1200)
}

#[test]
fn two_programs_of_one_name_are_told() {
    let after = AfterFailure::Next { back: 1, oldest: false };
    two_heaps().do_clients("heap", |manner| {
        assert_eq!(manner.after, after);
        assert!((2000..=2100).contains(&manner.holds.unwrap().most_pages), "{manner:?}");
    });
}

#[test]
#[ignore = "streams fail less than the files do"]
fn two_programs_of_one_name_are_predicted() {
    let case = two_heaps();
    case.is_reproduced();
    case.is_predicted();
}
