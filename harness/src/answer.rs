//! What the results of a sweep say: numbers and verdicts, no words.
//!
//! [`findings`] works it out block by block; [`pictures`] runs two cells again and keeps what their
//! areas looked like. Sentences are made of it in [`report`](crate::report), which decides nothing.

mod choice;
mod compared;
mod contest;
mod findings;
mod pictures;
mod sizing;
mod summary;
mod survival;

pub use choice::{
    Barred, Booted, Candidate, Choice, Doubt, Kconfig, Lead, More, Need, Note, Scope, Size,
    Verdict, Without,
};
pub use compared::Compared;
pub use contest::{Contest, Standing, contest};
pub use findings::{Findings, findings};
pub use pictures::{Inside, Picture, Shows, Worst, pictures};
pub use sizing::{Least, SizeTried, Sizing};
pub(crate) use summary::CLASS_NAMES;
pub use summary::{
    BLAME, ClassCounts, Earliest, Fullest, RATES, Rate, Summary, SummaryRow, TimeRow, rows_of,
};
pub use survival::{Curve, CurveUnit, MOST_POINTS};
