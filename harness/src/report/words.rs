//! What is said of a sweep, in sentences: the only place that makes them. Text, HTML and tables
//! take them from here.

mod choice;
mod time;

pub(in crate::report) use choice::worst;
pub use choice::{need, notes, sentence, sure};
pub(in crate::report) use time::{at_least, covers, from_to, length, on_boards, span};
