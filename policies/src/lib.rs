//! Allocator policies for Linux CMA areas.
#![no_std]

extern crate alloc;

mod area;
pub mod builtin;
mod catalog;
mod error;
pub mod kit;
pub mod mutant;
mod policy;
mod request;
mod run;

pub use area::Area;
pub use catalog::{BASELINE, Build, Catalog, Entry, Kind, Param, Params, Spec, SpecError};
pub use error::{AllocError, BuildError, ClaimError, FreeError};
pub use policy::{Attempt, Claim, Last, MAX_PAUSES, Next, Policy, Promises, Quiet};
pub use request::{Request, ceil_log2, dma_align};
pub use run::{Pfn, Run};
