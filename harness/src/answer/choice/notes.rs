//! What has to be known beside a choice.

use super::candidate::interval;
use super::needs::PATCH;
use super::proof::{in_chains, length_us, trend};
use super::{Candidate, Choice, More, Scope, Verdict, more};
use crate::answer::sizing::{is_as_large, is_like};
use crate::answer::summary::{Summary, SummaryRow};
use crate::stats::Trend;
use crate::sweep::{Ready, Target};

/// Something that has to be known beside a choice. Candidates are indices into
/// [`Choice::ranked`].
#[derive(Clone, PartialEq, Debug)]
pub enum Note {
    /// The choice needs a change that `what` goes without.
    Less {
        /// Without what.
        what: Without,
        /// The cheapest in RAM that does, and how many pages more it takes than the choice.
        found: Option<(usize, u64)>,
    },
    /// This candidate needs a patch of the kernel, and takes so many pages less than the choice.
    Patched {
        /// The candidate.
        candidate: usize,
        /// Pages less.
        saved: u64,
    },
    /// All boards are of one size.
    OneSize,
    /// The smallest board does.
    SmallestDoes,
    /// The choice is the best of several, judged by the streams by which it was chosen.
    BestOf {
        /// How many.
        all: usize,
        /// The share of failing streams that the streams allow for all of them at once.
        high: f64,
        /// The first seed that none of them has seen.
        seed: u64,
    },
    /// The 95 % of a target are of the choice as a whole, and shared by so many orders of sizes.
    Whole(Target, usize),
    /// The target is longer than a stream, so that it rests on a constant hazard.
    ConstantHazard {
        /// The target.
        target: Target,
        /// How long a stream is, in microseconds.
        length_us: u64,
        /// The nearest candidate that failed often enough to show a trend.
        seen: Option<(usize, Trend)>,
    },
    /// What the race ran.
    Raced {
        /// Board time that was run, in microseconds.
        run_us: f64,
        /// Board time of all streams of the plan, in microseconds.
        planned_us: f64,
        /// Rows of the summary that were dropped.
        dropped: usize,
        /// All of them.
        rows: usize,
    },
    /// What proving the target would take.
    More(More),
    /// A candidate that meets the target, is smaller, and is not chosen.
    PassedOver(usize, Barred),
    /// Streams are made by profiles.
    ProfilesAreModels,
    /// A stream stays below its LOAD, at this share of all pages.
    ShortOfLoad {
        /// The stream, an index into the plan.
        stream: usize,
        /// Its measured LOAD.
        load: f64,
    },
    /// What claims meet in the pages is a model.
    PagesAreModels,
    /// The sweep could be stopped early.
    MayStop,
    /// So many streams run on the area that they state.
    OwnArea(usize),
}

/// What an alternative goes without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Without {
    /// A patch of the kernel.
    Patch,
    /// Anything but another size of one area.
    AllButSize,
}

/// Why a candidate that meets the target cannot be chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Barred {
    /// It grants what is not aligned.
    Unaligned,
    /// It refuses more requests of some size than the kernel's policy.
    Flagged,
    /// A larger area fails.
    LargerFails,
}

/// What sets the choice apart from the next that does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lead {
    /// Nothing else does.
    Alone,
    /// The next takes so many pages more.
    Pages(u64),
    /// The next takes as many, and needs more change.
    Change,
    /// None: the next is as good.
    None,
}

impl Choice {
    /// What sets the first apart from the next one that needs no more of a patch: what only a patch
    /// gives is in the [`notes`](Self::notes).
    pub fn lead(&self) -> Lead {
        let first = &self.ranked[0];
        let alike = |other: &&Candidate| other.needs_patch() <= first.needs_patch();
        let others = self.ranked[1..].iter().filter(|other| other.is_eligible()).filter(alike);
        match others.min_by_key(|other| (other.pages, other.changes)) {
            None => Lead::Alone,
            Some(next) if next.pages > first.pages => Lead::Pages(next.pages - first.pages),
            Some(next) if next.changes > first.changes => Lead::Change,
            Some(_) => Lead::None,
        }
    }

    /// The chosen one.
    pub fn best(&self) -> Option<&Candidate> {
        self.ranked.get(self.chosen?)
    }

    /// What proving the target would take, where time is all that lacks.
    pub fn more(&self) -> Option<More> {
        self.notes.iter().find_map(|note| match note {
            Note::More(more) => Some(*more),
            _ => None,
        })
    }

    /// Pages that the fullest stream has live at once in an area.
    pub fn most_live_pages(&self) -> f64 {
        self.ranked.iter().filter_map(|one| one.live_pages).max_by(f64::total_cmp).unwrap_or(0.0)
    }

    /// Those that can be chosen, with their places.
    fn eligible(&self) -> impl Iterator<Item = (usize, &Candidate)> {
        self.ranked.iter().enumerate().filter(|(_, one)| one.is_eligible())
    }
}

pub(super) fn notes(ready: &Ready, summary: &Summary, choice: &Choice) -> Vec<Note> {
    let mut notes = Vec::new();
    notes.extend(with_less_change(ready, choice));
    notes.extend(with_a_patch(choice));
    notes.extend(ladder(choice));
    notes.extend(selection(ready, summary, choice));
    if let Some(target) = ready.plan.target {
        notes.push(Note::Whole(target, in_chains(ready, &choice.ranked).len()));
        notes.extend(constant_hazard(ready, summary, choice, target));
        notes.extend(raced(ready, summary));
    }
    notes.extend(more::more(ready, summary, choice).map(Note::More));
    notes.extend(passed_over(choice));
    notes.extend(assumed(ready, summary, choice));
    notes
}

/// What rests on a model, and what the streams leave open.
fn assumed(ready: &Ready, summary: &Summary, choice: &Choice) -> Vec<Note> {
    let plan = &ready.plan;
    let rows = || choice.ranked.iter().map(|one| &summary.rows[one.worst_row]);
    let made = rows().any(|row| plan.streams[row.at.stream].profile().is_some());
    let short = rows().find_map(|row| {
        Some(Note::ShortOfLoad { stream: row.at.stream, load: row.falls_short(ready)? })
    });
    let model = rows().any(|row| plan.environments[row.at.environment].entry().is_model);
    let stopped = rows().any(|row| row.stopped);
    let apart = summary.rows.iter().filter(|row| row.at.board.is_none());
    let mut apart: Vec<_> = apart.map(|row| row.at.stream).collect();
    apart.dedup();
    let apart = (choice.scope == Scope::Together && !apart.is_empty()).then_some(apart.len());
    let notes = [
        made.then_some(Note::ProfilesAreModels),
        short,
        model.then_some(Note::PagesAreModels),
        stopped.then_some(Note::MayStop),
        apart.map(Note::OwnArea),
    ];
    notes.into_iter().flatten().collect()
}

/// What does without a patch of the kernel, and with nothing but the size of one area changed, be it
/// the default one or a pool, where the choice needs more: the cheapest in RAM of each.
fn with_less_change(ready: &Ready, choice: &Choice) -> Vec<Note> {
    let Some(chosen) = choice.best() else { return Vec::new() };
    let kinds = [(PATCH - 1, Without::Patch), (0, Without::AllButSize)];
    let kinds = kinds.into_iter().filter(|(most, _)| chosen.changes > *most);
    let note = |(most, what)| {
        // Those with as much change are ranked by RAM.
        let one_size = |one: &Candidate| what != Without::AllButSize || resized(ready, one) <= 1;
        let found = choice.eligible().find(|(_, one)| one.changes <= most && one_size(one));
        let found = found.map(|(index, one)| (index, one.pages.saturating_sub(chosen.pages)));
        Note::Less { what, found }
    };
    kinds.map(note).collect()
}

/// How many areas have another size than on the first board of the plan that is like it: what there
/// is.
fn resized(ready: &Ready, candidate: &Candidate) -> usize {
    let boards = &ready.plan.boards;
    let Some(own) = candidate.board.map(|board| &boards[board]) else { return 0 };
    let Some(first) = boards.iter().find(|first| is_like(first, own)) else { return 0 };
    let areas = first.areas.iter().zip(&own.areas);
    areas.filter(|(one, other)| one.area.pages() != other.area.pages()).count()
}

/// What a patch of the kernel would save.
fn with_a_patch(choice: &Choice) -> Option<Note> {
    let chosen = choice.best()?;
    let patched = choice.eligible().filter(|(_, one)| one.needs_patch());
    let (candidate, least) = patched.min_by_key(|(_, one)| (one.pages, one.changes))?;
    let saved = chosen.pages.checked_sub(least.pages).filter(|saved| *saved > 0)?;
    Some(Note::Patched { candidate, saved })
}

/// What the sizes that were tried leave open.
fn ladder(choice: &Choice) -> Option<Note> {
    let first = &choice.ranked[0];
    if choice.ranked.iter().all(|one| one.pages == first.pages) {
        return Some(Note::OneSize);
    }
    let smallest = choice.verdict == Verdict::Met && first.pages_above_smallest == 0;
    smallest.then_some(Note::SmallestDoes)
}

/// The best of many was chosen with the same streams by which it is judged.
fn selection(ready: &Ready, summary: &Summary, choice: &Choice) -> Option<Note> {
    let first = &choice.ranked[0];
    let single = first.streams <= 1 || choice.ranked.len() == 1;
    // With a target the choice as a whole is what is proven.
    if choice.verdict != Verdict::Met || single || ready.plan.target.is_some() {
        return None;
    }
    let (all, plan) = (choice.ranked.len(), &ready.plan);
    // None of its streams fails, so kinds need no correction: see where it is judged.
    let high = interval(&summary.rows[first.worst_row], all).high?;
    let seeds = summary.rows.iter().map(|row| row.streams).max().unwrap_or(1);
    Some(Note::BestOf { all, high, seed: plan.seed.saturating_add(seeds.max(plan.seeds)) })
}

/// A target that is longer than a stream rests on a constant hazard: what speaks for it.
fn constant_hazard(
    ready: &Ready,
    summary: &Summary,
    choice: &Choice,
    target: Target,
) -> Option<Note> {
    let one = &choice.ranked[choice.chosen.unwrap_or(0)];
    let length_us = length_us(ready, &summary.rows[one.worst_row])?;
    let seen = nearby(ready, summary, choice, one);
    (!target.is_within(length_us)).then_some(Note::ConstantHazard { target, length_us, seen })
}

/// The trend of the candidate itself, or of the next smaller board with enough first failures.
fn nearby(
    ready: &Ready,
    summary: &Summary,
    choice: &Choice,
    one: &Candidate,
) -> Option<(usize, Trend)> {
    let boards = &ready.plan.boards;
    let follows = |(_, other): &(usize, &Candidate)| match (other.board, one.board) {
        (Some(other), Some(own)) => {
            is_like(&boards[other], &boards[own]) && is_as_large(&boards[own], &boards[other])
        }
        (other, own) => other == own,
    };
    let same =
        |(_, other): &(usize, &Candidate)| (other.cap, other.policy) == (one.cap, one.policy);
    let others = choice.ranked.iter().enumerate();
    let mut others: Vec<_> = others.filter(same).filter(follows).collect();
    others.sort_by_key(|(_, other)| std::cmp::Reverse(other.pages));
    let seen = |(index, other): (usize, &Candidate)| {
        Some((index, *trend(ready, &summary.rows[other.worst_row])?))
    };
    others.into_iter().find_map(seen)
}

/// How much of the plan the race ran.
fn raced(ready: &Ready, summary: &Summary) -> Option<Note> {
    let plan = &ready.plan;
    let planned = summary.rows.iter().filter_map(|row| {
        let stream = &plan.streams[row.at.stream];
        Some(stream.drawn_us()? as f64 * plan.seeds_of(stream) as f64)
    });
    let planned_us: f64 = planned.sum();
    let timed = summary.rows.iter().filter(|row| length_us(ready, row).is_some());
    let run = |row: &SummaryRow| Some(row.time.as_ref()?.board_time_us as f64);
    let run_us = timed.filter_map(run).sum();
    let dropped = summary.rows.iter().filter(|row| row.dropped).count();
    let rows = summary.rows.len();
    (planned_us > 0.0).then_some(Note::Raced { run_us, planned_us, dropped, rows })
}

/// What meets the target but is not chosen, though smaller.
fn passed_over(choice: &Choice) -> impl Iterator<Item = Note> {
    const MOST: usize = 3;
    let chosen = choice.best().map(|one| one.pages);
    let cheaper = move |one: &Candidate| one.meets && chosen.is_none_or(|pages| one.pages < pages);
    let all = choice.ranked.iter().enumerate();
    let not = all.filter(move |(_, one)| !one.is_eligible() && cheaper(one));
    let barred = |(index, one): (usize, &Candidate)| {
        let why = match (one.unaligned, one.flagged) {
            (true, _) => Barred::Unaligned,
            (_, true) => Barred::Flagged,
            _ => Barred::LargerFails,
        };
        Note::PassedOver(index, why)
    };
    not.take(MOST).map(barred)
}
