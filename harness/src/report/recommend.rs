//! What `cmalab recommend` says.

mod costs;
mod csv;
mod figures;
mod html;
mod json;
mod text;
mod words;

pub use csv::{candidates, curve};
pub use html::html;
pub use json::json;
pub use text::text;

use crate::lint::Board;
use crate::recommend::{Advice, Task};

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What was asked.
    pub task: &'a Task,
    /// What was answered.
    pub advice: &'a Advice,
    /// What is known of the board beside.
    pub board: Option<&'a Board>,
}
