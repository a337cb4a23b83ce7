//! A plan, its cells, and their results in the order of the plan.
//!
//! A cell is one stream under one policy on one area: a run of [`simulate`](crate::simulate) with
//! all metrics. Cells share nothing, so they run side by side; this module is the only one with
//! threads. What it returns depends on the plan alone: not on the number of threads, not on which
//! cell ended first.
//!
//! Failures that are rare cost board time, and board time is cheap: 100 hours of a camera on a small
//! board take a second of one core. Multilevel splitting (RESTART, with copies of policy, pages and
//! callers) was tried to have it for less, and left out. With five measures of how near a failure
//! is it took between 0.2 and 5 times the ops of a plain run for the same width, copies not
//! counted, at mean times to failure up to 100 h, and no less processor time at 900 h: failures come
//! in one step, a large session, out of arrangements that none of those measures tells apart.

mod builtin;
mod cell;
mod cells;
mod desk;
pub mod disk;
mod emit;
mod expect;
mod failed;
mod held;
mod known;
mod mix;
mod page;
mod parse;
mod plan;
mod prepare;
mod race;
mod route;
mod run;
mod shard;
mod shelf;
mod stream;
mod target;

pub use builtin::{BUILTIN, Recording, TEMPLATE, TEMPLATE_NAME, recordings};
pub use cell::{clients_of, run_cell, stream_command};
pub use cells::{Cell, Configuration};
pub(crate) use desk::unit_of;
pub use emit::{emit, emit_unread};
pub use failed::{Broken, Failed};
pub use held::{Held, OnBoard};
pub use known::{Known, Outcome};
pub use mix::{From, MixOf, PartOf};
pub use page::kind_of_files;
pub use parse::{KEYS, Key, PlanError, Within, parse, parse_for, parse_mix, parse_mix_value};
pub use plan::{Length, Load, MOST_CELLS, Plan, Stream, What};
pub use prepare::prepare;
pub use run::{Block, Table, Watch, belongs, complete, run, run_cells, wanted};
pub use shard::Shard;
pub use stream::{Checked, Ready};
pub use target::{Evidence, Stop, Target};
