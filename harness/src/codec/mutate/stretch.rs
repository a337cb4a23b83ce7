//! Acts repeated, dropped and moved.

use std::ops::Range;

use super::acts::doubled;
use crate::codec::{Act, Case};
use crate::seed::Draws;

/// A stretch is no longer than this, mostly much shorter.
const LONGEST: u64 = 16;

/// Some acts in a row, at least one; nothing where there are none.
fn stretch(case: &Case, draws: &mut Draws) -> Option<Range<usize>> {
    let acts = case.acts.len() as u64;
    if acts == 0 {
        return None;
    }
    let start = draws.below(acts);
    let longest = draws.between(1, LONGEST.min(acts - start));
    let length = draws.between(1, longest);
    Some(start as usize..(start + length) as usize)
}

/// From a request to the next acts that give something back: a session.
fn session(case: &Case, draws: &mut Draws) -> Option<Range<usize>> {
    let drawn = stretch(case, draws)?.start;
    let asks = |act: &Act| matches!(act, Act::Alloc { .. } | Act::Fill { .. });
    let start = drawn + case.acts[drawn..].iter().position(asks)?;
    let frees = case.acts[start..].iter().position(|act| !asks(act));
    // A stretch of frees ends it, not the first of them.
    let end = frees.map_or(case.acts.len(), |frees| {
        let first = start + frees;
        case.acts[first..].iter().position(asks).map_or(case.acts.len(), |more| first + more)
    });
    Some(start..end.min(start + 4 * LONGEST as usize))
}

fn insert(case: &mut Case, at: usize, acts: Vec<Act>) {
    case.acts.splice(at..at, acts);
}

/// Some acts once more: right after themselves as often as not, or anywhere.
pub(super) fn duplicate(case: &mut Case, draws: &mut Draws) {
    let Some(stretch) = stretch(case, draws) else { return };
    let anywhere = draws.below(case.acts.len() as u64 + 1) as usize;
    let at = if draws.below(2) == 0 { stretch.end } else { anywhere };
    insert(case, at, case.acts[stretch].to_vec());
}

/// A session once more, right after itself or at the end.
pub(super) fn duplicate_session(case: &mut Case, draws: &mut Draws) {
    let Some(session) = session(case, draws) else { return };
    let at = if draws.below(2) == 0 { session.end } else { case.acts.len() };
    insert(case, at, case.acts[session].to_vec());
}

/// A session once more in twice the size: its requests are doubled.
pub(super) fn double_session(case: &mut Case, draws: &mut Draws) {
    let Some(session) = session(case, draws) else { return };
    let pages = case.area.pages();
    let twice = case.acts[session.clone()].iter().map(|act| doubled(*act, pages)).collect();
    insert(case, session.end, twice);
}

pub(super) fn drop_act(case: &mut Case, draws: &mut Draws) {
    if let Some(stretch) = stretch(case, draws) {
        case.acts.remove(stretch.start);
    }
}

pub(super) fn drop_stretch(case: &mut Case, draws: &mut Draws) {
    if let Some(stretch) = stretch(case, draws) {
        case.acts.drain(stretch);
    }
}

fn moved(case: &mut Case, from: usize, draws: &mut Draws) {
    let act = case.acts.remove(from);
    let at = draws.below(case.acts.len() as u64 + 1) as usize;
    case.acts.insert(at, act);
}

pub(super) fn move_act(case: &mut Case, draws: &mut Draws) {
    if let Some(stretch) = stretch(case, draws) {
        moved(case, stretch.start, draws);
    }
}

/// A free earlier or later.
pub(super) fn move_free(case: &mut Case, draws: &mut Draws) {
    let Some(stretch) = stretch(case, draws) else { return };
    let frees =
        |act: &Act| matches!(act, Act::Free { .. } | Act::FreeEvery { .. } | Act::FreePart { .. });
    if let Some(more) = case.acts[stretch.start..].iter().position(frees) {
        moved(case, stretch.start + more, draws);
    }
}

pub(super) fn swap(case: &mut Case, draws: &mut Draws) {
    if let Some(stretch) = stretch(case, draws) {
        let other = draws.below(case.acts.len() as u64) as usize;
        case.acts.swap(stretch.start, other);
    }
}
