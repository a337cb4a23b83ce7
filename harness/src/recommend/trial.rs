//! One stream on a configuration.

use std::cell::Cell;
use std::rc::Rc;

use cma_policies::{Area, Pfn, Run, Spec};

use super::work::{Failed, Stream, Work};
use crate::board::{Board, BoardArea, MadeBy, Way};
use crate::environment::Quiet;
use crate::op::{Op, Timed};
use crate::oracle::{Checks, Witness};
use crate::page::Page;
use crate::simulate::{Observer, Rig, Slot, Step, Until, run, warm_up};
use crate::workload::Workload;
use crate::workload::changed::Changed;

/// An area of a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pool {
    /// Its pages.
    pub pages: u64,
    /// Who has it for himself; of the first, which all others use, nobody.
    pub clients: Vec<String>,
}

/// A board as it could be, and who asks it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its areas, the default one first. Never empty.
    pub areas: Vec<Pool>,
    /// `CONFIG_CMA_ALIGNMENT`.
    pub cap: u32,
    /// The policy of all of them.
    pub policy: Spec,
    /// What drivers and applications do otherwise.
    pub changed: Vec<Changed>,
}

impl Config {
    /// Pages of all areas.
    pub fn pages(&self) -> u64 {
        self.areas.iter().map(|area| area.pages).sum()
    }

    /// All that tells it from others.
    pub(super) fn key(&self) -> String {
        format!("{:?} {} {} {:?}", self.areas, self.cap, self.policy, self.changed)
    }
}

/// Where areas lie, and how large their pages are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ground {
    /// The first page of the default area.
    pub base_pfn: u64,
    /// The order of a bit of the default area.
    pub order_per_bit: u32,
    /// The size of a page.
    pub page: Page,
    /// A request that the area refuses has failed, though the page allocator serves it.
    pub is_strict: bool,
}

/// What a stream came to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// Board time up to the first failure, or to the end, in microseconds; of a recording in ops.
    pub watched_us: u64,
    /// A caller did not get its memory.
    pub failed: bool,
    /// A request that an area refused and the page allocator served.
    pub fell_back: u64,
    /// Ops that were run.
    pub ops: u64,
}

#[derive(Default)]
struct Watch {
    seen: Seen,
    first_us: Option<u64>,
}

impl Observer for Watch {
    fn boot(&mut self, at_us: u64, _: usize, _: &crate::oracle::Model) {
        self.first_us.get_or_insert(at_us);
    }

    fn step(&mut self, step: &Step<'_>) {
        self.seen.ops += 1;
        self.seen.failed |= step.has_failed();
        self.seen.fell_back += u64::from(step.fell_back);
    }

    fn finish(&mut self, end_us: u64) {
        self.seen.watched_us = end_us.saturating_sub(self.first_us.unwrap_or(end_us));
    }
}

/// A gap between areas, in pages: every align that is asked for has a multiple in it.
const APART: u64 = 1 << 20;

fn board(config: &Config, ground: Ground) -> Result<Board, Failed> {
    let mut next = ground.base_pfn;
    let mut areas = Vec::new();
    for (index, Pool { pages, clients }) in config.areas.iter().enumerate() {
        let order = if index == 0 { ground.order_per_bit } else { 0 };
        let run = Run { pfn: Pfn(next), count: *pages };
        let area = Area::new(if index == 0 { "cma" } else { "pool" }, order, &[run])
            .map_err(|error| Failed::Area(*pages, error))?;
        areas.push(BoardArea {
            area,
            clients: clients.clone(),
            policy: None,
            made_by: MadeBy::default(),
        });
        next = (next + pages).next_multiple_of(APART);
    }
    let first = areas[0].area.clone();
    Ok(Board { areas, ..Board::single("", first) })
}

/// Runs stream `number` of `work` up to its first failure, or for `length_us`.
pub(super) fn trial(
    work: &Work,
    config: &Config,
    ground: Ground,
    (number, length_us): (u64, u64),
) -> Result<Seen, Failed> {
    let board = board(config, ground)?;
    let stream = work.open(number, config.pages(), ground.page);
    let Stream { callers, ops } = stream.map_err(|e| Failed::Draw(work.name.clone(), e))?;
    let is_whole = Rc::new(Cell::new(false));
    let ops = ops.cut(length_us, Rc::clone(&is_whole));
    let mut ops = config.changed.iter().fold(ops, Workload::changed);
    let clients = ops.clients().to_vec();
    let mut ways: Vec<_> = clients.iter().map(|client| board.way(client)).collect();
    if ways.is_empty() {
        ways.push(board.way(""));
    }
    if !ground.is_strict {
        board.show(&clients, &work.asking(), &mut ways);
    }
    for BoardArea { area, .. } in &board.areas {
        let policy = config.policy.build(area.clone());
        drop(policy.map_err(|error| Failed::Policy(config.policy.to_string(), error))?);
    }
    let make = |index: usize, _| {
        let area = &board.areas[index].area;
        let policy = config.policy.build(area.clone()).expect("it was built before");
        Slot { witness: Witness::new(area, policy, Checks::SWEEP), pages: Box::new(Quiet) }
    };
    let mut rig = Rig::new(board.areas.len(), ways.clone(), make).with_page(ground.page);
    let broken = |violation| Failed::Broken(config.policy.to_string(), violation);
    let capped = |op: Op| op.with_cap(config.cap);
    for (index, slot) in rig.slots_mut().iter_mut().enumerate() {
        let its = ops.before().iter().copied().filter(|op| area_of(op, &ways) == index).map(capped);
        warm_up(its, &mut slot.witness, &mut []).map_err(broken)?;
    }
    let mut watch = Watch::default();
    let until = Until { time_us: Some(length_us), first_failure: true };
    let all = ops.by_ref().map(|timed| Timed { op: capped(timed.op), ..timed });
    run(all, callers, until, &mut rig, &mut [&mut watch]).map_err(broken)?;
    ops.end()?;
    // A client that keeps what it has shows nothing that would end the time.
    if is_whole.get() && !watch.seen.failed {
        watch.seen.watched_us = length_us;
    }
    Ok(watch.seen)
}

/// The area of a buffer that is there before a stream begins.
fn area_of(op: &Op, ways: &[Way]) -> usize {
    match op {
        Op::Alloc { request, .. } => {
            ways.get(usize::from(request.client())).unwrap_or(&ways[0]).area
        }
        _ => 0,
    }
}
