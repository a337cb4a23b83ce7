//! The board with the change: what its next boot is to have, and what to paste for it.

use super::{Base, Candidate, Lever};
use crate::boot::{Recommended, RecommendedArea};
use crate::lint::{self, Board};
use crate::paste::{CannotPaste, Change, Paste, Wanted, paste};

/// What the kernel calls the default area that no node asks for.
const RESERVED: &str = "reserved";

/// What is said where nothing names the area.
const ASSUMED: &str = "nothing says what makes the area: it is taken to be the default one, and a \
                       node is changed in its place where there is one (--dts)";

/// What comes of a candidate.
#[derive(Clone, Debug)]
pub struct After {
    /// What the next boot is to have: every area that is known, and the cap.
    pub recommended: Recommended,
    /// What to paste; nothing where neither areas nor the cap change.
    pub paste: Option<Result<Paste, CannotPaste>>,
}

/// The board of `base` with what `one` changes. Where nothing is known of the board but its numbers,
/// its area is taken to be the default one, which `cma=` makes.
pub fn after(base: &Base, board: Option<&Board>, one: &Candidate) -> After {
    let unknown = Board::read(lint::Given::default()).ok();
    let change = change(base, one);
    let is_none = change.areas.is_empty() && change.cap.is_none();
    let mut paste = board.or(unknown.as_ref()).filter(|_| !is_none).map(|own| paste(own, &change));
    if let Some(Ok(paste)) = paste.as_mut().filter(|_| base.name.is_none()) {
        paste.notes.push(ASSUMED.to_string());
    }
    let mut areas = vec![changed(base, board, one)];
    let new = paste.iter().flatten().flat_map(|paste| &paste.areas).filter(|area| area.is_new);
    areas.extend(new.map(|area| RecommendedArea {
        name: area.name.clone(),
        bytes: area.bytes,
        default: false,
    }));
    for area in board.map(|board| lint::lint(board).areas).unwrap_or_default() {
        let is_known = areas.iter().any(|own| own.name == area.name);
        if let Some(bytes) = area.bytes.filter(|bytes| *bytes > 0 && area.is_placed() && !is_known)
        {
            areas.push(RecommendedArea { name: area.name, bytes, default: area.default });
        }
    }
    areas.retain(|area| area.bytes > 0 && !area.name.is_empty());
    After { recommended: Recommended { areas, cap: Some(one.config.cap) }, paste }
}

/// What it changes of areas and the kernel's configuration.
fn change(base: &Base, one: &Candidate) -> Change {
    let bytes = |pages: u64| pages.saturating_mul(base.ground.page.bytes());
    let mut change = Change::default();
    for lever in &one.levers {
        match lever {
            Lever::Size(pages) => {
                let name = name(base);
                change.areas.push(Wanted { name, bytes: bytes(*pages), ..Wanted::default() });
            }
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

fn name(base: &Base) -> String {
    base.name.clone().unwrap_or_else(|| RESERVED.to_string())
}

/// The area that is asked, as it is to be.
fn changed(base: &Base, board: Option<&Board>, one: &Candidate) -> RecommendedArea {
    let name = name(base);
    let known = board.map(|board| lint::lint(board).areas).unwrap_or_default();
    let known = known.into_iter().find(|area| area.name == name);
    let default = known.map_or(name == RESERVED, |area| area.default);
    let bytes = one.config.areas[0].pages.saturating_mul(base.ground.page.bytes());
    RecommendedArea { name, bytes, default }
}
