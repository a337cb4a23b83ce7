//! What to paste for a change of areas: a fragment for the end of a board's `.dts`, an overlay, lines
//! of a configuration, a command line; what it replaces, what the next boot prints, the way back.
//!
//! ```text
//! lint::Board, Change ─► Edits (nodes, new pools, blanks) ─► texts ─► dtc, lint ─► Paste
//! ```
//! Everything is appended: what is in the middle of a source stays as it is. What is not known is
//! left blank and said, never guessed.

mod check;
mod device;
mod edit;
mod fresh;
mod kernel;
mod plan;
mod pool;
mod room;
mod text;

use crate::lint::{self, Board};

pub use check::Checked;
pub use device::{Device, Found, devices};
pub use room::{Room, most_bytes, step};

/// What is to be changed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Change {
    /// Areas that change, and new ones.
    pub areas: Vec<Wanted>,
    /// The new `CONFIG_CMA_ALIGNMENT`, where it changes.
    pub cap: Option<u32>,
}

/// An area as it is to be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    /// Its name as the kernel has it: `linux,cma`, `vpu_pool`, `reserved`. That of a new one may be
    /// empty, and is made of its clients' then.
    pub name: String,
    /// Its bytes, a multiple of the [`step`].
    pub bytes: u64,
    /// It is a pool of its clients' own that is not there yet.
    pub is_new: bool,
    /// Who goes to it where it is new: names of tasks, drivers or devices, as a trace has them.
    pub clients: Vec<String>,
}

/// A value that is replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// `size of vpu_pool`.
    pub what: String,
    /// `<0x0 0x1800000> (24 MiB)`; `none` where there was none, `not known` where it is not.
    pub before: String,
    /// The same of what replaces it.
    pub after: String,
}

/// A command line and what replaces it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// As it is; none where it is not known.
    pub before: Option<String>,
    /// As it is to be; the parameter alone where the rest is not known.
    pub after: String,
}

/// What to paste, and what is known of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Paste {
    /// The areas that change as they are to be, in the order of the change: each with the name that
    /// it gets.
    pub areas: Vec<Wanted>,
    /// For the end of the board's `.dts`.
    pub fragment: Option<String>,
    /// The same as an overlay, for a boot loader or `fdtoverlay`.
    pub overlay: Option<String>,
    /// Lines of the configuration.
    pub config: Vec<String>,
    /// The command line, where it changes.
    pub cmdline: Option<Line>,
    /// What is replaced, and by what.
    pub replaces: Vec<Replaced>,
    /// Bytes of all areas of the board as it is, where they are known.
    pub ram_before: Option<u64>,
    /// The same after the change.
    pub ram_after: Option<u64>,
    /// What the next boot prints, a line each; `0x…` is an address that the kernel chooses.
    pub boot_prints: Vec<String>,
    /// The way back, a step each.
    pub back: Vec<String>,
    /// For the end of the `.dts` where the fragment stays in it: all is again as it was.
    pub back_fragment: Option<String>,
    /// What could not be filled in.
    pub blanks: Vec<String>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// Whether `dtc` and the rules of `lint` take it.
    pub checked: Checked,
}

/// Why there is nothing to paste.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotPaste {
    /// The change is empty.
    #[error("change the areas: no area and no cap is named")]
    Nothing,
    /// An area is named twice.
    #[error("change {0}: it is named twice")]
    Twice(String),
    /// The size is no multiple of the step.
    #[error("change {name}: {} is no multiple of {step}; {} is", lint::size(*bytes), or(legal))]
    OffStep {
        /// The area.
        name: String,
        /// The bytes that were wanted.
        bytes: u64,
        /// The step in words.
        step: String,
        /// The next legal sizes, in bytes.
        legal: Vec<u64>,
    },
    /// There is no such area.
    #[error("change {name}: there is no such area; there is {known}", known = listed(known))]
    NoArea {
        /// The area.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The node is none that the kernel makes an area of.
    #[error("change {name}: {why}")]
    NotAnArea {
        /// The area.
        name: String,
        /// Why, and the remedy.
        why: String,
    },
    /// There is no room for it.
    #[error("change {name}: there is no room for {}: {why}", lint::size(*bytes))]
    NoRoom {
        /// The area.
        name: String,
        /// The bytes that were wanted.
        bytes: u64,
        /// What is in the way.
        why: String,
    },
    /// Kconfig does not take this cap.
    #[error("set CONFIG_CMA_ALIGNMENT={cap}: Kconfig takes {least} to {most}")]
    Cap {
        /// The cap that was wanted.
        cap: u32,
        /// The least that this kernel takes.
        least: u32,
        /// The most.
        most: u32,
    },
}

fn or(sizes: &[u64]) -> String {
    sizes.iter().map(|bytes| lint::size(*bytes)).collect::<Vec<_>>().join(" or ")
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}

/// What to paste so that the board has the areas and the cap that are wanted; `dtc` compiles it and
/// the rules of `lint` are asked, where that can be done.
///
/// # Errors
/// Where the change is none that the kernel would do: a size off the step, an area that is not there,
/// no room.
pub fn paste(board: &Board, change: &Change) -> Result<Paste, CannotPaste> {
    let mut paste = plan::planned(board, change)?;
    paste.checked = check::checked(board, &paste);
    Ok(paste)
}
