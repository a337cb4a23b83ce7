//! A board that runs a stream, and everything that happened on it.

use cma_harness::after_failure::AfterFailure;
use cma_harness::board::{Board, BoardArea, Caller, MadeBy};
use cma_harness::environment::Pinned;
use cma_harness::metric::{Meter, Setting, Value, column};
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Model, Witness};
use cma_harness::simulate::{Answer, Observer, Rig, Slot, Step, Until, run};
use cma_policies::{Area, Request, Run, builtin};

/// Something that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    pub(super) timed: Timed,
    pub(super) answer: Answer,
    pub(super) area: usize,
    pub(super) fell_back: bool,
}

#[derive(Default)]
struct Log {
    steps: Vec<Seen>,
    /// Pages that were live in all areas at each start.
    boots: Vec<u64>,
}

impl Observer for Log {
    fn step(&mut self, step: &Step<'_>) {
        let timed = Timed { at_us: step.at_us, op: step.op };
        let Step { answer, area, fell_back, .. } = *step;
        self.steps.push(Seen { timed, answer, area, fell_back });
    }

    fn boot(&mut self, _: u64, _: usize, model: &Model) {
        self.boots.push(model.live_pages());
    }
}

/// What came of a run.
pub(super) struct Ran {
    pub(super) steps: Vec<Seen>,
    pub(super) boots: Vec<u64>,
    pub(super) values: Vec<Value>,
}

impl Ran {
    pub(super) fn answers(&self) -> Vec<Answer> {
        self.steps.iter().map(|seen| seen.answer).collect()
    }

    pub(super) fn check(&self, expected: &[(&str, &str)]) {
        for (name, text) in expected {
            assert_eq!(self.values[column(name)].to_string(), *text, "{name}");
        }
    }
}

/// Areas side by side from page 0 on: pages, and who has it. The first is the default one.
pub(super) fn board(areas: &[(u64, &[&str])], caller: &str) -> Board {
    let mut at = 0;
    let area = |(index, (pages, clients)): (usize, &(u64, &[&str]))| {
        let area = Area::new(&format!("area{index}"), 0, &[Run::new(at, *pages)]).unwrap();
        at += pages;
        let clients = clients.iter().map(ToString::to_string).collect();
        BoardArea { area, clients, policy: None, made_by: MadeBy::Dts }
    };
    Board {
        name: "b".to_string(),
        areas: areas.iter().enumerate().map(area).collect(),
        caller: Caller::find(caller).unwrap(),
        is_caller_open: false,
        callers: Vec::new(),
        step_pages: 512,
    }
}

/// Runs `ops` of `clients`, by number, under the baseline. `probes` are sizes for each area.
pub(super) fn run_on(
    board: &Board,
    clients: &[&str],
    probes: &[Vec<u64>],
    after_failure: &str,
    ops: &[Timed],
) -> Ran {
    run_until(board, clients, probes, (after_failure, Until::END), ops)
}

/// The same, for as long as that says.
pub(super) fn run_until(
    board: &Board,
    clients: &[&str],
    probes: &[Vec<u64>],
    (after_failure, until): (&str, Until),
    ops: &[Timed],
) -> Ran {
    let kernel = builtin::catalog().parse("kernel").unwrap();
    let make = |index: usize, _| {
        let area = &board.areas[index].area;
        let policy = kernel.build(area.clone()).unwrap();
        let witness = Witness::new(area, policy, Checks::EVERY_OP);
        Slot { witness, pages: Box::new(Pinned::default()) }
    };
    let ways = clients.iter().map(|client| board.way(client)).collect();
    let mut rig = Rig::new(board.areas.len(), ways, make);
    let mut log = Log::default();
    let mut meter = Meter::new(&Setting::of_areas(probes, 8).watched(true, until.first_failure));
    let after_failure = AfterFailure::parse(after_failure).unwrap();
    let observers: &mut [&mut dyn Observer] = &mut [&mut log, &mut meter];
    run(ops.iter().copied(), after_failure, until, &mut rig, observers).unwrap();
    Ran { steps: log.steps, boots: log.boots, values: meter.values() }
}

/// Client 0 asks, at its own align.
pub(super) fn alloc(at_us: u64, id: u64, count: u64) -> Timed {
    ask(at_us, id, count, 0, false)
}

pub(super) fn ask(at_us: u64, id: u64, count: u64, client: u16, dma: bool) -> Timed {
    let request = Request::new(count, 0).unwrap().with_client(client);
    Timed { at_us, op: Op::Alloc { id, request, dma } }
}

pub(super) fn free(at_us: u64, id: u64) -> Timed {
    Timed { at_us, op: Op::Free { id, part: None } }
}
