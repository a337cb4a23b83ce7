//! From what was chosen to what is pasted.

use crate::boot::{Recommended, RecommendedArea};
use crate::lint::{Board, lint};
use crate::paste::{Change, Wanted, paste};
use crate::recommend::{Advice, Base, Candidate, Lever, Task};
use crate::report::recommend::Pasted;

/// The area that a kernel makes where nothing names another: of a node, and of `cma=` and the
/// configuration.
const BY_NODE: &str = "linux,cma";

/// What to paste for the one that was chosen; none where nothing was, or nothing is changed.
pub(super) fn of(task: &Task, advice: &Advice, board: &Board) -> Option<Pasted> {
    let found = advice.found.as_ref()?;
    let chosen = &found.ranked[found.chosen?];
    let change = change(&task.base, chosen);
    let text = match change == Change::default() {
        true => None,
        false => Some(paste(board, &change)),
    };
    let named = match &text {
        Some(Ok(paste)) => paste.areas.clone(),
        _ => change.areas.clone(),
    };
    Some(Pasted { recommended: recommended(&task.base, chosen, &named, board), text })
}

fn name(base: &Base) -> String {
    base.name.clone().unwrap_or_else(|| BY_NODE.to_string())
}

fn change(base: &Base, chosen: &Candidate) -> Change {
    let bytes = |pages: u64| pages * base.ground.page.bytes();
    let mut change = Change::default();
    for lever in &chosen.levers {
        match lever {
            Lever::Size(pages) => change.areas.push(Wanted {
                name: name(base),
                bytes: bytes(*pages),
                ..Wanted::default()
            }),
            Lever::Pool { clients, pages } => change.areas.push(Wanted {
                bytes: bytes(*pages),
                is_new: true,
                clients: clients.clone(),
                ..Wanted::default()
            }),
            Lever::Cap(cap) => change.cap = Some(*cap),
            Lever::Driver(_) | Lever::Policy(_) => {}
        }
    }
    change
}

/// All areas that the next boot is to have, and the cap where it is changed.
fn recommended(base: &Base, chosen: &Candidate, named: &[Wanted], board: &Board) -> Recommended {
    let area = |name: String, bytes, default| RecommendedArea { name, bytes, default };
    let own = name(base);
    let placed = lint(board).areas;
    let is_own_default =
        placed.iter().find(|area| area.name == own).is_none_or(|area| area.default);
    let bytes = chosen.config.areas[0].pages * base.ground.page.bytes();
    let mut areas = vec![area(own.clone(), bytes, is_own_default)];
    for other in placed.iter().filter(|other| other.is_placed() && other.name != own) {
        areas.extend(other.bytes.map(|bytes| area(other.name.clone(), bytes, other.default)));
    }
    let fresh = named.iter().filter(|wanted| wanted.is_new);
    areas.extend(fresh.map(|wanted| area(wanted.name.clone(), wanted.bytes, false)));
    let cap = Some(chosen.config.cap).filter(|cap| *cap != base.cap);
    Recommended { areas, cap }
}
