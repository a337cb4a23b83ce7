//! Results as files and as a table for people. A report never sees a
//! [`Step`](crate::simulate::Step).

pub mod csv;
pub mod diagnosis;
pub mod partial;
mod summary;
pub mod text;

pub use summary::{BLAME, RATES, Rate, Summary, SummaryRow, rows_of, summarise};
