//! Boards that a prediction does not know.

use std::collections::BTreeMap;

use cma_harness::after_failure::AfterFailure;
use cma_harness::board::Board as Wiring;
use cma_harness::environment::Quiet;
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::policies::{Area, Request, Run, builtin};
use cma_harness::seed::{Draws, Seed};
use cma_harness::simulate::{Answer, Observer, Rig, Slot, Step, Until, run, warm_up};
use cma_harness::workload::fit::Recorded;
use cma_harness::workload::mix::{Mix, Origin, Part};
use cma_harness::workload::{PROFILES, Profile};

use super::board::{BASE, Board, Print, Task};
use super::programs::{self, Camera, Heap, Holder, Load, Nodes, Program, Refused};

/// Ids of what was there before.
const BEFORE: u64 = 1 << 40;
/// Pages of 2 MiB.
pub(crate) const STEP: u64 = 512;

/// What asks.
#[derive(Debug)]
pub(crate) enum Work {
    /// Profiles with pages of LOAD each, whose clients all do this after a refusal.
    Stream(Vec<(&'static Profile, u64)>, AfterFailure),
    Programs(Load),
}

/// A board, and a session of it.
#[derive(Debug)]
pub(crate) struct Hidden {
    /// What it is one of, in a word or two.
    pub(crate) class: String,
    pub(crate) work: Work,
    pub(crate) pages: u64,
    pub(crate) cap: u32,
    residents: u64,
    /// Ops of a stream, requests of programs.
    pub(crate) length: u64,
}

/// What a session came to.
pub(crate) struct Ran {
    pub(crate) print: Print,
    pub(crate) recorded: Recorded,
}

impl Hidden {
    pub(crate) fn draw(draws: &mut Draws) -> Self {
        let (class, work, pages) = match draws.below(5) {
            0 | 1 => stream(draws, 1),
            2 => stream(draws, 2),
            _ => programs(draws),
        };
        Self {
            class,
            work,
            pages: pages.next_multiple_of(STEP),
            cap: *draws.pick(&[4, 6, 8, 8]),
            residents: *draws.pick(&[0, 32, 96]),
            length: draws.between(1500, 4000),
        }
    }

    /// A session of it on an area of so many pages.
    pub(crate) fn session(&self, pages: u64, cap: u32, seed: u64) -> Ran {
        match &self.work {
            Work::Stream(parts, after) => self.simulate(parts, *after, (pages, cap), seed),
            Work::Programs(load) => {
                let board = Board::new(pages, cap, self.residents);
                let Board { print, recorded, .. } =
                    programs::run(load, board, self.length / 2, seed);
                Ran { print, recorded }
            }
        }
    }

    fn simulate(
        &self,
        parts: &[(&'static Profile, u64)],
        after: AfterFailure,
        (pages, cap): (u64, u32),
        seed: u64,
    ) -> Ran {
        let part = |&(profile, load_pages): &(&'static Profile, u64)| Part {
            origin: Origin::Profile(profile, load_pages),
            called: None,
        };
        let mix = Mix::new(parts.iter().map(part).collect()).unwrap();
        let made = mix.open(&Seed::new(seed), self.length).unwrap();
        let area = Area::single(BASE, pages, 0).unwrap();
        let kernel = builtin::catalog().parse("kernel").unwrap();
        let make = |_, _| Slot {
            witness: Witness::new(&area, kernel.build(area.clone()).unwrap(), Checks::SWEEP),
            pages: Box::new(Quiet),
        };
        let mut rig = Rig::new(1, vec![Wiring::single("", area.clone()).way("")], make);
        let resident = (self.residents > 0).then(|| Op::Alloc {
            id: BEFORE,
            request: Request::new(self.residents, 0).unwrap(),
            dma: false,
        });
        warm_up(resident, &mut rig.slots_mut()[0].witness, &mut []).unwrap();
        let mut watch = Watch::new(pages, pages - self.residents, made.clients());
        let ops = made.map(|timed| Timed { op: timed.op.with_cap(cap), ..timed });
        run(ops, after, Until::END, &mut rig, &mut [&mut watch]).unwrap();
        watch.ran
    }
}

/// One profile, or several together, and pages of its board.
fn stream(draws: &mut Draws, parts: u64) -> (String, Work, u64) {
    let all = PROFILES.iter().filter(|profile| profile.seeded && profile.area.is_none());
    let all: Vec<&Profile> = all.collect();
    let part = |draws: &mut Draws| {
        let profile = *draws.pick(&all);
        let pages = draws.between(16, 80) * STEP;
        (profile, pages.max(profile.least_pages * 5 / 4))
    };
    let parts: Vec<_> = (0..parts).map(|_| part(draws)).collect();
    let words = ["drop", "retry:every_ms=20,times=5", "session", "next:back=0", "next:back=1"];
    let after = AfterFailure::parse(draws.pick::<&str>(&words)).unwrap();
    let load_pages: u64 = parts.iter().map(|(_, pages)| pages).sum();
    let class = if parts.len() == 1 { parts[0].0.name } else { "mix" };
    let pages = load_pages * 100 / draws.between(75, 100);
    (class.to_string(), Work::Stream(parts, after), pages)
}

/// Programs, and pages of their board.
fn programs(draws: &mut Draws) -> (String, Work, u64) {
    let most_pages = draws.between(3000, 9000);
    let (class, load) = match draws.below(4) {
        0 => ("heap", vec![(Task::new("heap", 122), heap(draws, most_pages))]),
        1 => ("two heaps", two(draws, most_pages / 2)),
        2 => ("cameras", cameras(draws)),
        _ => ("nodes", nodes(draws, most_pages)),
    };
    let pages = match class {
        "cameras" => draws.between(10, 18) * STEP,
        _ => most_pages * draws.between(95, 150) / 100,
    };
    let mut load = load;
    let has_holder = draws.below(4) == 0;
    if has_holder {
        let holder = Holder::new(draws.between(5, 20), 96);
        load.push((Task::new(&load[0].0.name.clone(), 900), Program::Holder(holder)));
    }
    let class = format!("{class}{}", if has_holder { " and a holder" } else { "" });
    (class, Work::Programs(load), pages)
}

fn sizes(draws: &mut Draws) -> Vec<u64> {
    let sizes = [642, 320, 160, 257, 768, 513, 203, 90, 18, 469];
    (0..draws.between(2, 5)).map(|_| *draws.pick(&sizes)).collect()
}

fn heap(draws: &mut Draws, most_pages: u64) -> Program {
    let oldest = draws.below(3) == 0;
    let back = *draws.pick(&[0, 1, 1, usize::MAX]);
    let heap = Heap::new(&sizes(draws), most_pages, oldest, back);
    Program::Heap(Heap { gap_us: draws.between(3000, 40_000), ..heap })
}

fn two(draws: &mut Draws, most_pages: u64) -> Load {
    let program = heap(draws, most_pages);
    [241, 305].map(|pid| (Task::new("heap", pid), program.clone())).to_vec()
}

fn cameras(draws: &mut Draws) -> Load {
    let kinds = [Refused::Drop, Refused::Session, Refused::Again(20_000), Refused::Again(300)];
    let refused = *draws.pick(&kinds);
    let groups: Vec<_> = sizes(draws).into_iter().map(|size| (size, 3)).collect();
    let camera = Program::Camera(Camera::new(&groups, refused));
    let task = |number: u32| Task::new(&format!("cam{number}"), 300 + number);
    (0..4).map(|number| (task(number), camera.clone())).collect()
}

fn nodes(draws: &mut Draws, most_pages: u64) -> Load {
    let formats: [&[u64]; 8] =
        [&[257], &[65], &[259], &[161, 65], &[90, 18], &[226], &[75, 188, 30], &[469, 161]];
    let few = (0..draws.between(3, 8)).map(|_| *draws.pick(&formats));
    let few: Vec<&[u64]> = few.collect();
    let program = Program::Nodes(Nodes::new(&few, most_pages, draws.below(2) == 0));
    vec![(Task::new("vload", 241), program)]
}

/// A session as its board prints it.
struct Watch {
    tasks: Vec<Task>,
    ran: Ran,
    live: BTreeMap<u64, (usize, Run)>,
}

impl Watch {
    fn new(pages: u64, free_pages: u64, names: &[String]) -> Self {
        let ran = Ran { print: Print::new(pages, free_pages), recorded: Recorded::default() };
        let tasks = (100..).zip(names).map(|(pid, name)| Task::new(name, pid)).collect();
        Self { tasks, ran, live: BTreeMap::new() }
    }
}

impl Observer for Watch {
    fn step(&mut self, step: &Step<'_>) {
        match (step.op, step.answer) {
            (Op::Alloc { id, request, .. }, answer) => {
                let (count, client) = (request.count(), usize::from(request.client()));
                let got = if let Answer::Granted(pfn) = answer { Some(pfn) } else { None };
                self.ran.recorded.note(step.at_us, count, got.is_none());
                let asked = (count, request.align());
                self.ran.print.ask(step.at_us, &self.tasks[client], asked, got);
                if let Some(pfn) = got {
                    self.live.insert(id, (client, Run { pfn, count }));
                }
            }
            (Op::Free { id, part: None }, Answer::Freed(_)) => {
                if let Some((client, run)) = self.live.remove(&id) {
                    self.ran.print.back(step.at_us, &self.tasks[client], run);
                }
            }
            (Op::Free { part: Some(_), .. }, _) => panic!("a profile that frees parts"),
            _ => {}
        }
    }
}
