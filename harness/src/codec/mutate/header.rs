//! The head of a case changed: the area, the policy, the LOAD limit.

use crate::codec::{Case, Choice, choice, geometry};
use crate::seed::Draws;

/// The LOAD limit up or down: by a page, by up to an eighth, to none, or to any share of the area.
pub(super) fn load_limit(case: &mut Case, draws: &mut Draws) {
    let limit = u64::from(case.load_limit);
    let pages = case.area.pages().min(u64::from(u16::MAX));
    let step = draws.between(1, (limit / 8).max(1));
    let other = match draws.below(8) {
        0 => limit + 1,
        1 | 2 => limit.saturating_sub(1),
        3 => limit + step,
        4 | 5 => limit.saturating_sub(step),
        6 => 0,
        _ => draws.below(pages + 1),
    };
    case.load_limit = other.min(u64::from(u16::MAX)) as u16;
}

/// Another policy, or another value of a parameter: its default as often as not.
pub(super) fn policy(case: &mut Case, draws: &mut Draws) {
    let Choice { which, knobs } = &mut case.policy;
    let kind = draws.below(3);
    if kind < 2 {
        *which = draws.below(256) as u8;
        if kind == 0 {
            // A policy's rarer modes take several parameters that go together.
            *knobs = knobs.map(|_| if draws.below(2) == 0 { 0 } else { knob(draws) });
        }
        return;
    }
    // Several at once: one alone seldom means anything. The first ones, which most policies have.
    for _ in 0..=draws.below(3) {
        let most = draws.between(1, choice::KNOBS as u64);
        knobs[draws.below(most) as usize] = if draws.below(4) == 0 { 0 } else { knob(draws) };
    }
}

/// A number that picks a value, not the default.
fn knob(draws: &mut Draws) -> u8 {
    draws.between(128, 255) as u8
}

/// Another area: a byte or two of it anew. Requests keep their counts.
pub(super) fn area(case: &mut Case, draws: &mut Draws) {
    let mut header = geometry::encode(&case.area);
    for _ in 0..=draws.below(2) {
        let at = draws.below(header.len() as u64) as usize;
        header[at] = draws.below(256) as u8;
    }
    case.area = geometry::decode(header);
}

/// A range of a power of two of granules, or of one more or less, from an aligned page on as often
/// as not: there the words and the nodes of an index end.
pub(super) fn border(case: &mut Case, draws: &mut Draws) {
    let mut header = geometry::encode(&case.area);
    let range = draws.below(case.area.ranges().len() as u64) as usize;
    let power = 1 << draws.below(13);
    let granules = match draws.below(4) {
        0 => power + 1,
        1 => (power - 1).max(1),
        _ => power,
    };
    geometry::resize(&mut header, range, granules);
    if draws.below(2) == 0 {
        geometry::align(&mut header);
    }
    case.area = geometry::decode(header);
}
