//! Clients that take turns under one ledger of pages.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use cma_policies::{Request, dma_align};

use super::{Setup, Workload};
use crate::ingest::DEFAULT_CAP;
use crate::op::{Op, Timed};
use crate::seed::{Draws, Seed};

/// One second, in microseconds.
pub(super) const SECOND: u64 = 1_000_000;

/// What a client does at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Turn {
    /// Groups to give back: indices into those held before the turn, ascending, oldest first.
    pub(super) release: Vec<usize>,
    /// Pages of each buffer of a new group; none if it is empty.
    pub(super) ask: Vec<u64>,
    /// The client makes do with so many of them, from the first on.
    pub(super) least: usize,
    /// The new group is asked for before the old ones are given back.
    pub(super) overlap: bool,
    /// Microseconds until the next turn.
    pub(super) then_us: u64,
}

/// How a client behaves.
pub(super) trait Habit: Send {
    /// Its next turn, while it holds `held` groups.
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn;
}

/// A named client and its habit.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) habit: Box<dyn Habit>,
}

impl Member {
    pub(super) fn new(name: &str, number: u64, habit: impl Habit + 'static) -> Self {
        Self { name: format!("{name}{number}"), habit: Box::new(habit) }
    }
}

struct Client {
    habit: Box<dyn Habit>,
    draws: Draws,
    groups: Vec<Vec<(u64, u64)>>,
}

/// The turns of all clients, merged by time.
///
/// The ledger keeps the pages that are live, were every request granted, at or below the target:
/// a client that finds no room there does without its group, as the user who does not start one
/// player more. It knows nothing of policies, so a stream is the same for all of them, and each
/// client draws from a generator of its own.
struct Sessions {
    clients: Vec<Client>,
    turns: BinaryHeap<Reverse<(u64, usize)>>,
    queue: VecDeque<Timed>,
    target_pages: u64,
    live_pages: u64,
    ops_left: u64,
    next_id: u64,
}

/// Turns in a row without an op after which a stream is taken to have ended: no client has
/// anything that fits. Far more than any profile needs.
const IDLE_TURNS: u32 = 1 << 16;

/// The clients start within this time.
const START_US: u64 = 5 * SECOND;

/// The workload of `members`, each with its own child of the seed.
pub(super) fn workload(setup: &Setup, members: Vec<Member>) -> Workload {
    let names = members.iter().map(|member| member.name.clone());
    Workload::new(names.collect(), Sessions::new(setup, members))
}

/// How many clients it takes to fill the target if each holds `pages` on average, and one more.
/// `Request` knows at most 65535 of them; far fewer are enough.
pub(super) fn clients_for(setup: &Setup, pages: u64) -> u64 {
    (setup.target_pages() / pages + 1).min(4096)
}

/// A request for `count` pages, whose order follows the cap of whoever runs the stream.
pub(super) fn ask(id: u64, count: u64, client: u16) -> Op {
    let request = Request::new(count, dma_align(count, DEFAULT_CAP));
    let request = request.expect("a buffer has pages").with_client(client);
    Op::Alloc { id, request, dma: true }
}

/// A number from `low` (at least 1) to `high`, whose logarithm is uniform.
pub(super) fn log_uniform(draws: &mut Draws, low: u64, high: u64) -> u64 {
    let (a, b) = (libm::log(low as f64), libm::log((high + 1) as f64));
    (libm::exp(a + (b - a) * draws.unit()) as u64).clamp(low, high)
}

impl Sessions {
    fn new(setup: &Setup, members: Vec<Member>) -> Self {
        let seed: &Seed = &setup.seed;
        let mut turns = BinaryHeap::new();
        let mut clients = Vec::new();
        for (index, Member { name, habit }) in members.into_iter().enumerate() {
            let mut draws = seed.child(&name, 0).rng();
            turns.push(Reverse((draws.below(START_US), index)));
            clients.push(Client { habit, draws, groups: Vec::new() });
        }
        Self {
            clients,
            turns,
            queue: VecDeque::new(),
            target_pages: setup.target_pages(),
            live_pages: 0,
            ops_left: setup.ops,
            next_id: 0,
        }
    }

    fn take_turn(&mut self, at_us: u64, index: usize) {
        let client = &mut self.clients[index];
        let turn = client.habit.turn(client.groups.len(), &mut client.draws);
        let released: Vec<_> =
            turn.release.iter().rev().map(|&group| client.groups.remove(group)).collect();
        let back: u64 = released.iter().flatten().map(|&(_, count)| count).sum();
        let frees = released.into_iter().rev().flatten().map(|(id, _)| Op::Free { id, part: None });
        let frees = frees.map(|op| Timed { at_us, op });
        if !turn.overlap {
            self.queue.extend(frees.clone());
            self.live_pages -= back;
        }
        let mut room = self.target_pages - self.live_pages;
        let fits = |count: &&u64| {
            let fits = **count <= room;
            room -= if fits { **count } else { 0 };
            fits
        };
        let asked: Vec<u64> = turn.ask.iter().take_while(fits).copied().collect();
        if asked.len() >= turn.least.max(1) {
            // Client 0 is nobody.
            let client_number = index as u16 + 1;
            let first_id = self.next_id;
            self.next_id += asked.len() as u64;
            self.live_pages += asked.iter().sum::<u64>();
            for (id, &count) in (first_id..).zip(&asked) {
                self.queue.push_back(Timed { at_us, op: ask(id, count, client_number) });
            }
            client.groups.push((first_id..).zip(asked).collect());
        }
        if turn.overlap {
            self.queue.extend(frees);
            self.live_pages -= back;
        }
        self.turns.push(Reverse((at_us.saturating_add(turn.then_us.max(1)), index)));
    }
}

impl Iterator for Sessions {
    type Item = Timed;

    fn next(&mut self) -> Option<Timed> {
        self.ops_left = self.ops_left.checked_sub(1)?;
        for _ in 0..IDLE_TURNS {
            if let Some(timed) = self.queue.pop_front() {
                return Some(timed);
            }
            let Reverse((at_us, index)) = self.turns.pop()?;
            self.take_turn(at_us, index);
        }
        None
    }
}
