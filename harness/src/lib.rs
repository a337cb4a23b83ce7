//! Drives, judges and measures CMA allocator policies.
//!
//! ```text
//!  workload profile ─┐                           ┌ environment (Claim)
//!  recording, stream ┼ Timed<Op> ─► simulate ─► Witness(Policy) + Model ─► Step ─► metrics ─► report
//!  bytes, small cases┘                                │
//!                                                     └► Violation
//! ```
//! Ranks, low to high; a module uses only lower ones, and a test reads this line:
//!
//! `page, program < ddmin, op, seed, span, words < size, after_failure, board, codec, kernel, optimum <
//! ingest < boot, timeline, tree < lint, reader < environment, paste, workload <
//! oracle < cause < simulate < harm, law, metric < stats, diagnose, replay < reproduce, view < shrink, sweep <
//! answer, fuzzing, recommend < report < cli < main`

pub mod after_failure;
#[cfg(feature = "cli")]
pub mod answer;
pub mod board;
pub mod boot;
pub mod cause;
#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
mod ddmin;
pub mod diagnose;
pub mod environment;
pub mod fuzzing;
pub mod harm;
pub mod ingest;
pub mod kernel;
pub mod law;
pub mod lint;
pub mod metric;
pub mod op;
pub mod optimum;
pub mod oracle;
pub mod page;
pub mod paste;
mod program;
pub mod reader;
#[cfg(feature = "cli")]
pub mod recommend;
pub mod replay;
#[cfg(feature = "cli")]
pub mod report;
pub mod reproduce;
pub mod seed;
pub mod shrink;
pub mod simulate;
#[cfg(feature = "cli")]
pub mod size;
#[cfg(feature = "cli")]
mod span;
pub mod stats;
#[cfg(feature = "cli")]
pub mod sweep;
pub mod timeline;
pub mod tree;
pub mod view;
mod words;
pub mod workload;

/// The policies, for those who have only this crate.
pub use cma_policies as policies;
