//! What `cmalab recommend` says.

mod costs;
mod csv;
mod figures;
mod html;
mod json;
mod paste;
mod text;
mod words;

pub use csv::{candidates, curve};
pub use html::html;
pub use json::json;
pub use text::text;

use crate::boot::Recommended;
use crate::paste::{CannotPaste, Paste};
use crate::recommend::{Advice, Task};

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What was asked.
    pub task: &'a Task,
    /// What was answered.
    pub advice: &'a Advice,
    /// What to paste for what was chosen.
    pub paste: Option<&'a Pasted>,
}

/// What to paste.
#[derive(Clone, Debug)]
pub struct Pasted {
    /// The board as it is to be, as `cmalab diagnose --recommended` reads it.
    pub recommended: Recommended,
    /// The texts, or why there are none; none where no text changes anything.
    pub text: Option<Result<Paste, CannotPaste>>,
}
