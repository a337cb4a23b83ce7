//! `summary.csv`, `sizing.csv`, and what is in every column. A column never changes its meaning; new
//! ones go to the end.

mod documented;
mod sizing;
mod summary;

use crate::stats::Interval;
use crate::sweep::disk::decimal;

pub use documented::{Documented, documented};
pub use sizing::{sizing_header, write_sizing};
pub use summary::{summary_header, write_summary, write_summary_json};

fn interval_fields(interval: &Interval) -> [String; 3] {
    [decimal(interval.low), decimal(interval.high), interval.method.to_string()]
}
