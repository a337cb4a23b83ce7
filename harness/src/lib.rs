//! Drives, judges and measures CMA allocator policies.
//!
//! A policy decides where a buffer of a Linux CMA area goes ([`policies`] has the contract). This
//! crate has everything around it. Four things can be done with one, and this page begins each:
//! [test](#test-a-policy) it, [drive](#drive-it) it, [measure](#measure-it) it and
//! [fuzz](#fuzz-it) it.
//!
//! # Test a policy
//!
//! One function that says where, an [`Entry`](policies::Entry) that names it, and
//! [`conformance!`], which makes a test of all [`law`]s that bind it by what it promises. What
//! breaks one is shown with the smallest stream found. `harness/example` of the repository is this
//! as a whole package.
//!
//! ```
//! use cma_harness::conformance;
//! use cma_harness::policies::kit::{Ask, FreeMap, Placed, Search};
//! use cma_harness::policies::{Entry, Promises};
//!
//! /// Single pages from the top, everything else from the bottom.
//! const MINE: Entry = Entry {
//!     name: "singles-on-top",
//!     about: "first fit; requests of one page from the top",
//!     source: "this page",
//!     params: &[],
//!     build: |area, _| Ok(Box::new(Placed::new(area, Promises::SEARCH, place))),
//! };
//!
//! fn place(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
//!     if search.bits == 1 { map.highest_fit(search) } else { map.first_fit(search) }
//! }
//!
//! conformance!(MINE);
//! # fn main() {
//! #     // What the test does.
//! #     use cma_harness::law::conformance::{Effort, assert_entry_conforms};
//! #     assert_entry_conforms(&MINE, Effort { cases: 20, depth: 2, ..Effort::TEST });
//! # }
//! ```
//!
//! # Drive it
//!
//! [`simulate`](simulate::simulate) runs ops: those of a [`workload`], of a recording or a trace of
//! a board ([`reader`]), or some by hand. The [`Witness`](oracle::Witness) holds every answer
//! against the laws, the [`environment`] says whether the pages of a place can be emptied.
//!
//! ```
//! use cma_harness::environment::Quiet;
//! use cma_harness::op::{Op, Timed};
//! use cma_harness::oracle::{Checks, Witness};
//! use cma_harness::policies::{Area, Request, builtin};
//! use cma_harness::simulate::simulate;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let area = Area::single(0x40000, 1024, 0)?;
//! // `builtin::catalog().with(&[MINE])` has one's own by its name, too.
//! let policy = builtin::catalog().parse("best-fit")?.build(area.clone())?;
//! let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
//! let asked = |id, count| Op::Alloc { id, request: Request::new(count, 0).unwrap(), dma: true };
//! let ops = [asked(0, 257), asked(1, 256), Op::Free { id: 0, part: None }];
//! // Requests that follow the DMA API get their order from the cap, CONFIG_CMA_ALIGNMENT.
//! let ops = (0..).zip(ops).map(|(at_us, op)| Timed { at_us, op: op.with_cap(8) });
//! simulate(ops, &mut witness, &mut Quiet, &mut []).map_err(|broken| broken.to_string())?;
//! assert_eq!(witness.model().live_pages(), 256);
//! # Ok(())
//! # }
//! ```
//!
//! # Measure it
//!
//! An observer watches each step; [`Meter`](metric::Meter) is one with every [`metric`]. Whole
//! plans, of many streams, boards and policies, are run by [`sweep`], and [`answer`] says what they
//! come to.
//!
//! ```
//! use cma_harness::environment::Quiet;
//! use cma_harness::metric::{Meter, Setting, column};
//! use cma_harness::op::Timed;
//! use cma_harness::oracle::{Checks, Witness};
//! use cma_harness::policies::{Area, builtin};
//! use cma_harness::seed::Seed;
//! use cma_harness::simulate::simulate;
//! use cma_harness::workload::{Setup, profile};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (area, cap) = (Area::single(0x40000, 65_536, 0)?, 8);
//! let setup = Setup { area_pages: area.pages(), load: 0.8, seed: Seed::new(7), ops: 2000 };
//! let refused = |name: &str| -> Result<String, Box<dyn std::error::Error>> {
//!     let policy = builtin::catalog().parse(name)?.build(area.clone())?;
//!     let mut witness = Witness::new(&area, policy, Checks::SWEEP);
//!     let mut meter = Meter::new(&Setting::new(&[257], cap));
//!     let camera = profile("camera")?.open(&setup)?;
//!     let ops = camera.map(|timed| Timed { op: timed.op.with_cap(cap), ..timed });
//!     simulate(ops, &mut witness, &mut Quiet, &mut [&mut meter]).map_err(|it| it.to_string())?;
//!     Ok(meter.values()[column("refused")].to_string())
//! };
//! // The same stream for both.
//! println!("kernel {}, best-fit {}", refused("kernel")?, refused("best-fit")?);
//! # assert!(refused("kernel")?.parse::<u64>().is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! # Fuzz it
//!
//! Any bytes are a [`Case`](codec::Case): an area, requests, frees, pins. [`judge`] holds a policy
//! against every law on it. That is a whole fuzz target:
//!
//! [`judge`]: law::conformance::judge
//!
//! ```
//! use cma_harness::codec::Case;
//! use cma_harness::law::conformance::judge;
//! use cma_harness::policies::builtin;
//!
//! /// In the target: `fuzz_target!(|bytes: &[u8]| run(bytes));`
//! fn run(bytes: &[u8]) {
//!     let policy = builtin::catalog().parse("best-fit").unwrap(); // or one's own
//!     if let Err(broken) = judge(&Case::decode(bytes), &|area| policy.build(area)) {
//!         panic!("{broken}");
//!     }
//! }
//! # run(&[]);
//! # run(&(0..=255).collect::<Vec<_>>());
//! ```
//!
//! By type, and for property tests, [`strategy`](strategy/index.html) has areas, requests, streams
//! and cases that shrink to what matters:
//!
//! ```
//! # #[cfg(feature = "proptest")] fn main() {
//! use cma_harness::environment::Pinned;
//! use cma_harness::oracle::{Checks, Witness};
//! use cma_harness::policies::builtin;
//! use cma_harness::simulate::simulate;
//! use cma_harness::strategy::{Stream, streams};
//! use proptest::prelude::*;
//!
//! let kernel = builtin::catalog().parse("kernel").unwrap();
//! proptest!(|(Stream { area, ops } in streams())| {
//!     let policy = kernel.build(area.clone()).unwrap();
//!     let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
//!     let done = simulate(ops, &mut witness, &mut Pinned::default(), &mut []);
//!     prop_assert!(done.is_ok(), "{done:?}");
//! });
//! # }
//! # #[cfg(not(feature = "proptest"))] fn main() {}
//! ```
//!
//! [`fuzzing`] has the targets of this crate itself, [`harm`] looks for the worst stream of a
//! policy, and [`shrink`] for the smallest that shows it.
//!
//! # The command line
//!
//! [`cli::run_with`] is the command `cmalab` with one's own policies in it: `main` of a binary.
//!
//! # Features
//!
//! | feature | brings |
//! | --- | --- |
//! | `cli`, a default | the command line, sweeps and reports; tests and fuzz targets do without |
//! | `proptest` | [`strategy`](strategy/index.html): strategies, and `Arbitrary` of proptest |
//! | `arbitrary` | `Arbitrary` of the crate of that name, for fuzzing by type |
//!
//! # How it hangs together
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
//! ingest, strategy < boot, timeline, tree < lint, reader < environment, paste, workload <
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
#[cfg(any(test, feature = "arbitrary", feature = "proptest"))]
pub mod strategy;
#[cfg(feature = "cli")]
pub mod sweep;
pub mod timeline;
pub mod tree;
pub mod view;
mod words;
pub mod workload;

/// The policies, for those who have only this crate.
pub use cma_policies as policies;
