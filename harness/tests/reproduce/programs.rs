//! Programs that ask an area for buffers, each in its own way.
//!
//! None of them knows what a harness takes clients to do: what it asks for next follows from what it
//! holds, and from what it was given.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use cma_harness::policies::Run;
use cma_harness::seed::{Draws, Seed};

use super::board::{Board, Task};

/// One that holds no more than so many pages, and gives back what it must before each request.
#[derive(Clone, Debug)]
pub(crate) struct Heap {
    /// Pages of its buffers, each as likely as the others.
    pub(crate) sizes: Vec<u64>,
    pub(crate) most_pages: u64,
    /// The oldest goes back first, in place of any.
    pub(crate) oldest: bool,
    /// Buffers that go back after a refusal, before it goes on with its next request.
    pub(crate) back: usize,
    /// From one request to the next, in microseconds, in the mean.
    pub(crate) gap_us: u64,
    pub(crate) held: VecDeque<Run>,
    pub(crate) ask: Option<u64>,
    pub(crate) owes: usize,
}

/// What a camera does after a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// It goes on without that buffer.
    Drop,
    /// It asks for it again after so many microseconds, for ever.
    Again(u64),
    /// It gives back what it has of the group, and begins with another later.
    Session,
}

/// One that asks for groups of equal buffers at times of its own.
#[derive(Clone, Debug)]
pub(crate) struct Camera {
    /// Pages of a buffer, and how many.
    pub(crate) groups: Vec<(u64, usize)>,
    pub(crate) refused: Refused,
    /// How long a group lives, and the pause after it, in microseconds, in the mean.
    pub(crate) life_us: u64,
    pub(crate) pause_us: u64,
    pub(crate) count: u64,
    pub(crate) left: usize,
    pub(crate) held: VecDeque<Run>,
    pub(crate) ends: bool,
}

/// One that plays sessions on several nodes, and takes what it was refused from elsewhere: it counts
/// that as it does what it got.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    /// Pages of the planes of a buffer.
    pub(crate) formats: Vec<Vec<u64>>,
    pub(crate) nodes: u64,
    pub(crate) most_pages: u64,
    pub(crate) oldest: bool,
    pub(crate) held: VecDeque<Session>,
    pub(crate) back: VecDeque<Run>,
    pub(crate) next: Option<(Session, VecDeque<u64>)>,
}

/// What was asked for on a node.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    node: u64,
    pages: u64,
    got: VecDeque<Run>,
}

/// One that asks for many buffers at once, and gives all of them back together later: then it ends.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) from_us: u64,
    pub(crate) life_us: u64,
    pub(crate) count: u64,
    pub(crate) left: usize,
    pub(crate) held: VecDeque<Run>,
}

#[derive(Clone, Debug)]
pub(crate) enum Program {
    Heap(Heap),
    Camera(Camera),
    Nodes(Nodes),
    Holder(Holder),
}

/// Programs that run together.
pub(crate) type Load = Vec<(Task, Program)>;

/// From one free to the next of those that go back together.
const FREE_US: u64 = 20;

fn exponential_us(draws: &mut Draws, mean_us: u64) -> u64 {
    (-libm::log(1.0 - draws.unit()) * mean_us as f64) as u64
}

fn sum(runs: &VecDeque<Run>) -> u64 {
    runs.iter().map(|run| run.count).sum()
}

impl Heap {
    pub(crate) fn new(sizes: &[u64], most_pages: u64, oldest: bool, back: usize) -> Self {
        let (sizes, held) = (sizes.to_vec(), VecDeque::new());
        Self { sizes, most_pages, oldest, back, gap_us: 20_000, held, ask: None, owes: 0 }
    }

    fn act(&mut self, board: &mut Board, task: &Task, draws: &mut Draws) -> u64 {
        let count = *self.ask.get_or_insert_with(|| *draws.pick(&self.sizes));
        let must = self.owes > 0 || sum(&self.held) + count > self.most_pages;
        if must && !self.held.is_empty() {
            let oldest = if self.oldest { 0 } else { draws.below(self.held.len() as u64) as usize };
            board.back(task, self.held.remove(oldest).unwrap());
            self.owes = self.owes.saturating_sub(1);
            return FREE_US;
        }
        self.ask = None;
        if let Some(run) = board.ask(task, count) {
            self.held.push_back(run);
            return 1000 + exponential_us(draws, self.gap_us);
        }
        self.owes = self.back.min(self.held.len());
        500
    }
}

impl Camera {
    pub(crate) fn new(groups: &[(u64, usize)], refused: Refused) -> Self {
        Self {
            groups: groups.to_vec(),
            refused,
            life_us: 80_000,
            pause_us: 100_000,
            count: 0,
            left: 0,
            held: VecDeque::new(),
            ends: true,
        }
    }

    fn act(&mut self, board: &mut Board, task: &Task, draws: &mut Draws) -> u64 {
        if self.ends {
            if let Some(run) = self.held.pop_front() {
                board.back(task, run);
                return 50;
            }
            (self.count, self.left) = *draws.pick(&self.groups);
            self.ends = false;
            return 1 + exponential_us(draws, self.pause_us);
        }
        let got = board.ask(task, self.count);
        match (got.is_some(), self.refused) {
            (false, Refused::Again(us)) => return us,
            (false, Refused::Session) => {
                self.ends = true;
                return 200;
            }
            _ => self.left -= 1,
        }
        self.held.extend(got);
        self.ends = self.left == 0;
        if self.ends { 10_000 + exponential_us(draws, self.life_us) } else { 800 }
    }
}

impl Nodes {
    pub(crate) fn new(formats: &[&[u64]], most_pages: u64, oldest: bool) -> Self {
        Self {
            formats: formats.iter().map(|planes| planes.to_vec()).collect(),
            nodes: 8,
            most_pages,
            oldest,
            held: VecDeque::new(),
            back: VecDeque::new(),
            next: None,
        }
    }

    /// Draws what comes next, and what goes back first.
    fn plan(&mut self, draws: &mut Draws) {
        let planes = draws.pick(&self.formats).clone();
        let buffers = *draws.pick(&[2, 3, 3, 4, 4, 5, 5, 8]);
        let asks: VecDeque<u64> = std::iter::repeat_n(planes, buffers).flatten().collect();
        let (node, pages) = (draws.below(self.nodes), asks.iter().sum());
        if pages > self.most_pages {
            return;
        }
        let held = std::mem::take(&mut self.held).into_iter();
        let (mut gone, held): (VecDeque<Session>, _) = held.partition(|one| one.node == node);
        self.held = held;
        while self.held.iter().map(|one| one.pages).sum::<u64>() + pages > self.most_pages {
            let any = draws.below(self.held.len() as u64) as usize;
            gone.extend(self.held.remove(if self.oldest { 0 } else { any }));
        }
        self.back = gone.into_iter().flat_map(|one| one.got).collect();
        self.next = Some((Session { node, pages, got: VecDeque::new() }, asks));
    }

    fn act(&mut self, board: &mut Board, task: &Task, draws: &mut Draws) -> u64 {
        if let Some(run) = self.back.pop_front() {
            board.back(task, run);
            return if self.back.is_empty() { draws.between(4000, 9000) } else { 300 };
        }
        let Some((session, asks)) = &mut self.next else {
            self.plan(draws);
            return 1 + draws.between(1000, 20_000);
        };
        if let Some(count) = asks.pop_front() {
            session.got.extend(board.ask(task, count));
            return draws.between(1500, 5500);
        }
        self.held.extend(self.next.take().map(|(session, _)| session));
        1
    }
}

impl Holder {
    pub(crate) fn new(count: u64, left: usize) -> Self {
        Self { from_us: 4_000_000, life_us: 3_000_000, count, left, held: VecDeque::new() }
    }

    fn act(&mut self, board: &mut Board, task: &Task) -> Option<u64> {
        if self.from_us > 0 {
            return Some(std::mem::take(&mut self.from_us));
        }
        if self.left > 0 {
            self.left -= 1;
            self.held.extend(board.ask(task, self.count));
            return Some(if self.left > 0 { 50 } else { self.life_us });
        }
        board.back(task, self.held.pop_front()?);
        Some(FREE_US)
    }
}

impl Program {
    /// One act now, and how long it is to the next.
    fn act(&mut self, board: &mut Board, task: &Task, draws: &mut Draws) -> Option<u64> {
        match self {
            Self::Heap(heap) => Some(heap.act(board, task, draws)),
            Self::Camera(camera) => Some(camera.act(board, task, draws)),
            Self::Nodes(nodes) => Some(nodes.act(board, task, draws)),
            Self::Holder(holder) => holder.act(board, task),
        }
    }
}

/// Runs programs on a board, until they have asked so often.
pub(crate) fn run(load: &Load, mut board: Board, requests: u64, seed: u64) -> Board {
    let mut draws = Seed::new(seed).child("programs", 0).rng();
    let mut load = load.clone();
    let begins = (0..load.len()).map(|program| Reverse((5_000_000 + draws.below(20_000), program)));
    let mut due: BinaryHeap<_> = begins.collect();
    while board.recorded.all().requests < requests
        && let Some(Reverse((now_us, index))) = due.pop()
    {
        board.now_us = now_us;
        let (task, program) = &mut load[index];
        let next_us = program.act(&mut board, task, &mut draws);
        due.extend(next_us.map(|next_us| Reverse((now_us + next_us.max(1), index))));
    }
    board
}
