//! Results as files and as a table for people. A report never sees a
//! [`Step`](crate::simulate::Step).

mod blocks;
mod choice;
pub mod csv;
pub mod diagnosis;
mod findings;
pub mod html;
pub mod partial;
pub mod parts;
mod plain;
mod sizing;
pub mod sorted;
mod summary;
mod survival;
pub mod text;
mod time;

pub use blocks::Blocks;
pub use choice::{Candidate, Choice, More, Scope, Verdict};
pub use findings::{Findings, Worst, findings};
pub use sizing::{Least, SizeTried, Sizing};
pub use summary::{
    BLAME, ClassCounts, Earliest, RATES, Rate, Summary, SummaryRow, TimeRow, rows_of, summarise,
};
pub use survival::{Curve, CurveUnit, MOST_POINTS, Point};
