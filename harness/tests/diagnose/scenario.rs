//! What goes wrong on a board, drawn until it goes wrong for the cause that was asked for.

use cma_harness::cause::Cause;
use cma_harness::seed::{Draws, Seed};
use cma_policies::{Area, ClaimError, Run, dma_align};

use crate::board::{Board, Fate, Line, Part, Shows, Task, Truth, size};
use crate::chatter;
use crate::release::{Asked, Generation, Release};

/// The causes that a kernel's log can show.
pub(crate) const CAUSES: [Cause; 7] = [
    Cause::Exhausted,
    Cause::Fragmentation,
    Cause::Alignment,
    Cause::Migration,
    Cause::Busy,
    Cause::TooLarge,
    Cause::Interrupted,
];

/// Whether a kernel of this generation says nothing of a failure for that cause, and a driver does.
pub(crate) fn is_silent(generation: Generation, cause: Cause) -> bool {
    cause == Cause::TooLarge && generation != Generation::Ranges
}

/// What a board printed, and what is true of it.
pub(crate) struct Story {
    pub(crate) release: Release,
    pub(crate) shows: Shows,
    pub(crate) lines: Vec<Line>,
    pub(crate) events: Vec<Line>,
    pub(crate) truths: Vec<Truth>,
    /// Failures `n` and `n + 1` were on two CPUs at once.
    pub(crate) pairs: Vec<usize>,
}

const TASKS: [Task; 6] = [
    Task { cpu: 0, comm: "v4l2src0:src", pid: 1207 },
    Task { cpu: 2, comm: "Binder:588_4", pid: 931 },
    Task { cpu: 1, comm: "kworker/u8:3", pid: 77 },
    Task { cpu: 3, comm: "my-app 2", pid: 20411 },
    Task { cpu: 0, comm: "cat", pid: 2399 },
    Task { cpu: 1, comm: "Xorg", pid: 644 },
];

const NAMES: [&str; 6] =
    ["linux,cma", "reserved", "cma", "vpu_region@88000000", "dma_heap,secure", "camera"];

/// A story in which everything that fails fails for `cause`.
pub(crate) fn story(generation: Generation, cause: Cause, seed: &Seed) -> Story {
    let release = generation.release(&mut seed.child("release", 0).rng());
    story_of(release, shows(&release, seed), &NAMES, cause, seed)
}

/// What the kernel is configured and asked to show.
fn shows(release: &Release, seed: &Seed) -> Shows {
    let mut draws = seed.child("shows", 0).rng();
    let list = release.lists_always() || draws.below(4) > 0;
    let (debug, trace) = (draws.below(20) < 9, draws.below(20) < 7);
    Shows { list, debug, trace, from_start: draws.below(5) == 0, burst: 10, sums: true }
}

fn story_of(
    release: Release,
    shows: Shows,
    names: &[&'static str],
    cause: Cause,
    seed: &Seed,
) -> Story {
    // Not every state has a request that fails like that.
    for attempt in 0..200 {
        let mut draws = seed.child("story", attempt).rng();
        let name = draws.pick(names);
        if let Some(story) = attempt_story(release, shows, name, cause, &mut draws) {
            return story;
        }
    }
    panic!("no story of {} on {}", cause.name(), release.text);
}

/// Two areas of one board whose failures come at the same time. A list does not say of which area
/// it is; its records keep together.
pub(crate) fn two_areas(generation: Generation, causes: [Cause; 2], seed: &Seed) -> Story {
    let release = generation.release(&mut seed.child("release", 0).rng());
    // One kernel shows the same of both.
    let shows = Shows { sums: false, ..shows(&release, seed) };
    let mut story = story_of(release, shows, &NAMES[..3], causes[0], &seed.child("area", 0));
    let mut other = story_of(release, shows, &NAMES[3..], causes[1], &seed.child("area", 1));
    let first = |story: &Story| {
        let line = story.lines.iter().find(|line| line.of.is_some());
        line.map_or(0, |line| line.at_us)
    };
    let (to, from) = (first(&story), first(&other));
    let before = story.truths.len();
    for line in other.lines.iter_mut().chain(&mut other.events) {
        line.at_us = (line.at_us + to).saturating_sub(from);
        line.of = line.of.map(|of| of + before);
        // Nobody fails in two calls at a time.
        line.task = Task { cpu: line.task.cpu + 4, comm: "isp", pid: line.task.pid + 3000 };
    }
    other.lines.retain(|line| !line.text.starts_with("Linux version"));
    story.lines = merged(story.lines, other.lines);
    story.events = merged(story.events, other.events);
    story.truths.extend(other.truths);
    story.pairs.clear();
    story
}

/// Both in order of time; the records of a list keep together.
fn merged(lines: Vec<Line>, others: Vec<Line>) -> Vec<Line> {
    let mut units: Vec<(u64, Vec<Line>)> = Vec::new();
    for lines in [lines, others] {
        for line in lines {
            match (&line.part, units.last_mut()) {
                (Part::List(record, _), Some((_, unit))) if *record > 0 => unit.push(line),
                (Part::Blank, Some((_, unit))) => unit.push(line),
                _ => units.push((line.at_us, vec![line])),
            }
        }
    }
    units.sort_by_key(|(at_us, _)| *at_us);
    let mut lines: Vec<_> = units.into_iter().flat_map(|(_, unit)| unit).collect();
    let mut now = 0;
    for line in &mut lines {
        now = now.max(line.at_us);
        line.at_us = now;
    }
    lines
}

fn attempt_story(
    release: Release,
    shows: Shows,
    name: &'static str,
    cause: Cause,
    draws: &mut Draws,
) -> Option<Story> {
    let area = area(&release, draws);
    let from_start = shows.from_start && area.pages() <= 4096;
    let mut shows = Shows { from_start, ..shows };
    let silent = is_silent(release.generation, cause);
    if silent {
        (shows.debug, shows.trace) = (false, false);
    }
    let cap = if draws.below(12) == 0 { *draws.pick(&[4, 6, 9, 10, 12]) } else { 8 };
    let mut board = Board::new(release, name, area, shows);
    if shows.sums && draws.below(3) == 0 {
        board.other_area = 1024 * draws.between(1, 16);
    }
    if draws.below(2) == 0 {
        chatter::boot(&mut board, draws);
    }
    board.wait(draws.between(2_000_000, 900_000_000));
    fill(&mut board, cap, cause, draws);
    let flood = release.limits_rate() && !silent && draws.below(10) == 0;
    let failures = if flood { draws.between(12, 17) } else { draws.between(1, 4) };
    let mut pairs = Vec::new();
    for _ in 0..failures {
        if !flood {
            calm(&mut board, cap, draws);
        }
        let first = *draws.pick(&TASKS);
        if !fail(&mut board, first, cap, cause, draws) {
            continue;
        }
        if silent {
            continue;
        }
        if draws.below(4) == 0 {
            let index = board.truths.len() - 1;
            let other = TASKS.iter().find(|task| task.cpu != first.cpu).expect("another CPU");
            if fail(&mut board, *other, cap, cause, draws) {
                pairs.push(index);
            }
        } else if !flood && draws.below(3) == 0 {
            chatter::driver(&mut board, draws);
        }
    }
    if flood {
        board.wait(6_000_000);
        let hidden = std::mem::take(&mut board.hidden);
        if hidden > 0 {
            let text = format!("{}: {hidden} callbacks suppressed", release.function());
            board.chat(TASKS[4], text);
        }
        board.shows.burst = 10;
        fail(&mut board, TASKS[4], cap, cause, draws);
    }
    calm(&mut board, cap, draws);
    let Board { lines, events, truths, .. } = board;
    (!truths.is_empty()).then_some(Story { release, shows, lines, events, truths, pairs })
}

fn area(release: &Release, draws: &mut Draws) -> Area {
    // A base is a multiple of the largest buddy block before 5.19, of a pageblock from then on.
    let unit = if release.from(5, 19) { 512 } else { 1024 };
    let ranges = if release.from(6, 15) { draws.between(1, 3) } else { 1 };
    // Before 5.1 the list of such an area is wrong in itself.
    let plain = draws.below(8) > 0 || !release.from(5, 1);
    let order = if plain { 0 } else { draws.between(1, 3) as u32 };
    let mut base = 0x40000 + draws.below(300) * unit;
    let mut runs = Vec::new();
    for _ in 0..ranges {
        let pages = 1024 * (1 << draws.below(if ranges == 1 { 5 } else { 3 }));
        runs.push(Run::new(base, pages));
        base += pages + unit * draws.between(1, 40);
    }
    Area::new("cma", order, &runs).expect("an area")
}

/// Fills the area and frees some of it, at random.
fn fill(board: &mut Board, cap: u32, cause: Cause, draws: &mut Draws) {
    let mix = match cause {
        Cause::Alignment => draws.below(2),
        _ => draws.below(5),
    };
    let load = match cause {
        Cause::Exhausted | Cause::Fragmentation | Cause::Alignment => 100,
        _ => draws.below(90),
    };
    let mut refused = 0;
    while refused < 6 && board.free() * 100 > board.total() * (100 - load) {
        let count = size(draws, mix);
        refused += u64::from(!board.quietly(count, dma_align(count, cap)));
    }
    if cause == Cause::Exhausted && draws.below(4) == 0 {
        while board.quietly(1, 0) {}
    }
    let freed = match cause {
        Cause::Exhausted => draws.below(12),
        _ => draws.between(5, 60),
    };
    for _ in 0..board.live.len() as u64 * freed / 100 {
        let index = draws.below(board.live.len() as u64) as usize;
        board.give_back(board.shows.from_start, TASKS[5], index);
    }
}

/// A while in which nothing fails.
fn calm(board: &mut Board, cap: u32, draws: &mut Draws) {
    for _ in 0..draws.below(5) {
        let task = *draws.pick(&TASKS);
        match draws.below(4) {
            0 if !board.live.is_empty() => {
                let index = draws.below(board.live.len() as u64) as usize;
                board.give_back(true, task, index);
            }
            1 => {
                let count = draws.between(1, 40);
                let busy = draws.below(3) / 2;
                board.alloc(task, count, dma_align(count, cap), busy);
            }
            _ => chatter::any(board, draws),
        }
        board.wait(draws.between(500, 3_000_000));
    }
}

/// A call that fails for `cause`, where one can be found.
fn fail(board: &mut Board, task: Task, cap: u32, cause: Cause, draws: &mut Draws) -> bool {
    let fate = match (cause, draws.below(3)) {
        (Cause::Busy, _) => Fate::Busy,
        (Cause::Migration, busy) => Fate::BusyThen(busy, ClaimError::NoMemory),
        (Cause::Interrupted, busy) => Fate::BusyThen(busy, ClaimError::Interrupted),
        _ => Fate::BusyThenFree(0),
    };
    for _ in 0..40 {
        let count = count(board, cause, draws);
        let align = match draws.below(50) {
            0 => draws.between(0, 12) as u32,
            1 => 0,
            _ => dma_align(count, cap),
        };
        let asked = Asked { count, align };
        if count > 0 && is_silent(board.release.generation, cause) {
            let driver = chatter::refused(count * 4096, draws);
            board.refuse_silently(task, asked, driver);
            return true;
        }
        if count > 0 && is(board, cause, asked) && board.fail(task, asked, fate, cause) {
            return true;
        }
    }
    false
}

fn count(board: &Board, cause: Cause, draws: &mut Draws) -> u64 {
    let (free, longest) = (board.left(), board.largest_run());
    let most = board.area.largest_range();
    match cause {
        Cause::TooLarge => {
            let scale = draws.below(14);
            most + 1 + draws.below(1 << scale)
        }
        Cause::Exhausted if free < most => free + 1 + draws.below((most - free).min(1 + 2 * free)),
        Cause::Fragmentation if longest < free.min(most) => {
            let most = free.min(most) - longest;
            let near = draws.below(2) == 0;
            longest + 1 + draws.below(if near { most.min(9) } else { most })
        }
        Cause::Alignment | Cause::Migration | Cause::Busy | Cause::Interrupted if longest > 0 => {
            1 + draws.below(longest)
        }
        _ => 0,
    }
}

/// Whether this is why it would fail, in the words of the table of causes.
fn is(board: &Board, cause: Cause, asked: Asked) -> bool {
    let Asked { count, align } = asked;
    let first = if count > board.area.largest_range() {
        Cause::TooLarge
    } else if count > board.left() {
        Cause::Exhausted
    } else if count > board.largest_run() {
        Cause::Fragmentation
    } else if count > board.largest_usable(align) {
        Cause::Alignment
    } else {
        return matches!(cause, Cause::Migration | Cause::Busy | Cause::Interrupted);
    };
    first == cause
}
