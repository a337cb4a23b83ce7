//! What is said of a log's failures, as text, JSON, CSV and HTML.
//!
//! A log can hold hundreds of thousands of failures, most of them alike. JSON and CSV write each as
//! it is visited; text and HTML show [`Groups`] of failures that are alike, a bounded number of
//! them, and count the rest.
//!
//! On the example of NXP's note on i.MX: its free run of 511 pages at 58881 ends at 59392. The 59396
//! that the note prints is a slip; nothing else in it depends on that.

mod board;
pub mod csv;
mod groups;
mod html;
pub mod json;
mod picture;
#[cfg(test)]
#[path = "diagnosis/tests/sample.rs"]
mod sample;
mod text;
mod words;

pub use board::suppressed;
pub use groups::{Group, Groups, OverTime, Report, Shown};
pub use html::write as html;
pub use picture::{Cell, Detail, Fill, Look as CellLook, Map, Mark, Part, ROW, Row, Strip, Wanted};
pub use text::{Look, write as text};
pub use words::cut;
pub use words::recommended::answer as as_recommended;

use super::plain;

/// The caps that tables of residents show, as far as they are below the board's.
const CAPS: [u32; 5] = [7, 6, 5, 4, 0];
