//! Clients that take turns under one ledger of pages.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use cma_policies::{Request, dma_align};

use super::{Setup, Workload};
use crate::ingest::DEFAULT_CAP;
use crate::op::{Op, Timed};
use crate::page::Page;
use crate::seed::{Draws, Seed};

/// One second, in microseconds.
pub(super) const SECOND: u64 = 1_000_000;

/// What a client does at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Turn {
    /// Groups to give back: indices into those held before the turn, ascending, oldest first.
    pub(super) release: Vec<usize>,
    /// Pages of 4 KiB of each buffer of each new group: all of it is asked for at this moment, each group
    /// then lives on its own.
    pub(super) ask: Vec<Vec<u64>>,
    /// The client makes do with so many of these buffers, from the first on.
    pub(super) least: usize,
    /// The new groups are asked for before the old ones are given back.
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

/// A part of a board: clients of one kind, who together hold at most `percent` of LOAD.
///
/// The parts of a mixture sum to more than 100: each has a use of its own that bounds it, as a
/// product has so many cameras and no more, but not all are at their bound at once. What pools
/// cost beside one area is this difference. A bound depends on LOAD alone, never on how a board
/// divides its pages, so that a stream is the same on every board. The clients want about as many
/// pages together as they are made for, or a little more.
pub(super) type Part = (u64, fn(u64) -> Vec<Member>);

struct Client {
    habit: Box<dyn Habit>,
    draws: Draws,
    groups: Vec<Vec<(u64, u64)>>,
    part: usize,
}

/// Pages that may be live, and that are, were every request granted.
struct Ledger {
    most_pages: u64,
    live_pages: u64,
}

impl Ledger {
    const fn room(&self) -> u64 {
        self.most_pages - self.live_pages
    }
}

/// The turns of all clients, merged by time.
///
/// The ledger of the board keeps the pages that are live, were every request granted, at or below
/// LOAD, that of each part keeps them below its share: a client that finds no room does without
/// its groups, as the user who does not start one player more. They know nothing of policies, so
/// a stream is the same for all of them, and each client draws from a generator of its own.
struct Sessions {
    clients: Vec<Client>,
    turns: BinaryHeap<Reverse<(u64, usize)>>,
    queue: VecDeque<Timed>,
    board: Ledger,
    parts: Vec<Ledger>,
    page: Page,
    ops_left: u64,
    next_id: u64,
}

/// Turns without an op after which a stream is taken to have ended: no client has
/// anything that fits. Far more than any profile needs.
const IDLE_TURNS: u32 = 1 << 16;

/// The clients start within this time.
const START_US: u64 = 5 * SECOND;

/// The workload of a board with these parts, each client with its own child of the seed.
pub(super) fn mixture(setup: &Setup, page: Page, parts: &[Part]) -> Workload {
    let members = parts.iter().map(|(percent, of)| {
        let pages = pages_of(setup.target_pages(), *percent);
        // Habits count in pages of 4 KiB.
        (pages, of(pages.saturating_mul(page.small())))
    });
    let (sessions, names) = Sessions::new(setup, page, members.collect());
    Workload::new(names, sessions)
}

/// So many percent of LOAD, which no part of it is above.
fn pages_of(target_pages: u64, percent: u64) -> u64 {
    (u128::from(target_pages) * u128::from(percent.min(100)) / 100) as u64
}

/// How many clients it takes to fill `pages` if each holds `each` on average, and one more.
/// `Request` knows at most 65535 of them; far fewer are enough.
pub(super) const fn clients_for(pages: u64, each: u64) -> u64 {
    let clients = pages / each + 1;
    if clients < 4096 { clients } else { 4096 }
}

/// So many clients of one kind, each with its own habit.
pub(super) fn members<H: Habit + 'static>(
    kind: &str,
    clients: u64,
    habit: impl Fn(u64) -> H,
) -> Vec<Member> {
    let member =
        |number| Member { name: format!("{kind}{number}"), habit: Box::new(habit(number)) };
    (0..clients).map(member).collect()
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
    /// The clients of parts that may hold so many pages each, and their names.
    fn new(setup: &Setup, page: Page, parts: Vec<(u64, Vec<Member>)>) -> (Self, Vec<String>) {
        let seed: &Seed = &setup.seed;
        let ledger = |most_pages| Ledger { most_pages, live_pages: 0 };
        let mut made = Self {
            clients: Vec::new(),
            turns: BinaryHeap::new(),
            queue: VecDeque::new(),
            board: ledger(setup.target_pages()),
            parts: parts.iter().map(|(pages, _)| ledger(*pages)).collect(),
            page,
            ops_left: setup.ops,
            next_id: 0,
        };
        let mut names = Vec::new();
        let members = parts.into_iter().enumerate();
        let members = members.flat_map(|(part, (_, of))| of.into_iter().map(move |m| (part, m)));
        for (index, (part, Member { name, habit })) in members.enumerate() {
            let mut draws = seed.child(&name, 0).rng();
            made.turns.push(Reverse((draws.below(START_US), index)));
            made.clients.push(Client { habit, draws, groups: Vec::new(), part });
            names.push(name);
        }
        (made, names)
    }

    /// The first of these buffers that there is room for; none if they are fewer than `least`.
    fn fitting(&self, part: usize, groups: &[Vec<u64>], least: usize) -> Vec<Vec<u64>> {
        let mut room = self.board.room().min(self.parts[part].room());
        let mut fits = |count: &&u64| {
            let fits = **count <= room;
            room -= if fits { **count } else { 0 };
            fits
        };
        let all = groups.iter().flatten();
        let mut buffers = all.take_while(&mut fits).count();
        if buffers < least.max(1) {
            return Vec::new();
        }
        let cut = groups.iter().map(|group| {
            let taken = buffers.min(group.len());
            buffers -= taken;
            group[..taken].to_vec()
        });
        cut.filter(|group| !group.is_empty()).collect()
    }

    fn give_back(&mut self, at_us: u64, part: usize, groups: &[Vec<(u64, u64)>]) {
        for &(id, count) in groups.iter().flatten() {
            self.queue.push_back(Timed { at_us, op: Op::Free { id, part: None } });
            self.board.live_pages -= count;
            self.parts[part].live_pages -= count;
        }
    }

    fn take_turn(&mut self, at_us: u64, index: usize) {
        let client = &mut self.clients[index];
        let part = client.part;
        let turn = client.habit.turn(client.groups.len(), &mut client.draws);
        let mut released: Vec<_> =
            turn.release.iter().rev().map(|&group| client.groups.remove(group)).collect();
        released.reverse();
        if !turn.overlap {
            self.give_back(at_us, part, &released);
        }
        let pages = |group: &Vec<u64>| group.iter().map(|small| self.page.hold(*small)).collect();
        let asked: Vec<_> = turn.ask.iter().map(pages).collect();
        for group in self.fitting(part, &asked, turn.least) {
            let mut held = Vec::new();
            for count in group {
                // Client 0 is nobody.
                let op = ask(self.next_id, count, index as u16 + 1);
                self.queue.push_back(Timed { at_us, op });
                self.board.live_pages += count;
                self.parts[part].live_pages += count;
                held.push((self.next_id, count));
                self.next_id += 1;
            }
            self.clients[index].groups.push(held);
        }
        if turn.overlap {
            self.give_back(at_us, part, &released);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{PROFILES, camera, display, gpu, npu, video};

    /// What the client of this name asks for and gives back, and when.
    fn of_client(name: &str, parts: &[Part], seed: u64) -> Vec<(u64, u64)> {
        // So much room that nobody ever waits for another.
        let setup = Setup { area_pages: 1 << 30, load: 1.0, seed: Seed::new(seed), ops: 1 << 40 };
        let members = parts.iter().map(|part| (1 << 29, part.1(20_000))).collect();
        let (sessions, names) = Sessions::new(&setup, Page::Kib4, members);
        let number = names.iter().position(|other| other == name).expect("it is there") + 1;
        let mut own = std::collections::BTreeMap::new();
        let mut seen = Vec::new();
        for Timed { at_us, op } in sessions.take_while(|timed| timed.at_us < 60 * SECOND) {
            match op {
                Op::Alloc { id, request, .. } if usize::from(request.client()) == number => {
                    own.insert(id, request.count());
                    seen.push((at_us, request.count()));
                }
                Op::Free { id, .. } => seen.extend(own.remove(&id).map(|_| (at_us, 0))),
                _ => {}
            }
        }
        seen
    }

    #[test]
    fn the_draws_of_one_client_do_not_shift_those_of_another() {
        let cameras: Part = (50, camera::cameras);
        let others: [Part; 4] = [(50, gpu::apps), (10, npu::small), (50, video::players), cameras];
        for seed in 1..=4 {
            let alone = of_client("camera0", &[cameras], seed);
            assert!(alone.len() > 15, "{} ops", alone.len());
            assert_eq!(of_client("camera0", &others, seed), alone);
            assert_ne!(of_client("camera0", &others, seed + 4), alone);
            let with_windows: [Part; 2] = [(50, display::windows), (50, gpu::apps)];
            let alone = of_client("app0", &with_windows[1..], seed);
            assert_eq!(of_client("app0", &with_windows, seed), alone);
        }
    }

    #[test]
    fn a_client_is_of_a_kind_that_its_profile_names() {
        for profile in PROFILES {
            let setup = Setup { area_pages: 1 << 20, load: 0.5, seed: Seed::new(1), ops: 1 };
            let made = profile.open(&setup).unwrap();
            let mut kinds: Vec<_> =
                made.clients()[1..].iter().map(|name| crate::board::kind(name)).collect();
            kinds.dedup();
            assert_eq!(kinds, profile.clients, "{}", profile.name);
            let names: std::collections::BTreeSet<_> = made.clients().iter().collect();
            assert_eq!(names.len(), made.clients().len(), "{}: a name twice", profile.name);
        }
    }
}
