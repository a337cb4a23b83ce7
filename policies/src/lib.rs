//! Allocator policies for Linux CMA areas, behind one trait.
//!
//! A CMA area is a piece of memory that devices borrow in contiguous buffers and that other owners
//! use in the meantime. Two questions decide each request: *where* the buffer goes, and *whether*
//! the pages there can be emptied. A [`Policy`] answers the first, a [`Claim`] the second. Nothing
//! here does I/O, reads a clock or draws a random number, and the crate has no dependency.
//!
//! # A policy of your own
//!
//! One function that says where, and one [`Entry`] that names it. It then does whatever a built-in
//! policy does, by name and with parameters:
//!
//! ```
//! use cma_policies::kit::{Ask, FreeMap, Placed, Search};
//! use cma_policies::{Area, BuildError, Entry, Param, Promises, Quiet, Request, builtin};
//!
//! /// Small buffers fill the tightest holes, large ones break the longest.
//! const BY_SIZE: Entry = Entry {
//!     name: "by-size",
//!     about: "best fit for small requests, worst fit for large ones",
//!     source: "this example",
//!     params: &[Param::int("pages", 1..=1 << 26, "64", "requests of so many pages are large")],
//!     build: |area, params| {
//!         let large = params.int("pages");
//!         let place = move |map: &FreeMap, search: Search, ask: Ask| {
//!             if ask.first.is_some() {
//!                 ask.round(map, search) // that place was busy: on to the next one
//!             } else if ask.request.count() < large {
//!                 map.best_fit(search)
//!             } else {
//!                 map.worst_fit(search)
//!             }
//!         };
//!         Ok(Box::new(Placed::new(area, Promises::SEARCH, place)))
//!     },
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let catalog = builtin::catalog().with(&[BY_SIZE]);
//! let mut policy = catalog.parse("by-size:pages=100")?.build(Area::single(0x40000, 4096, 0)?)?;
//! let large = policy.alloc(Request::new(1000, 8)?, &mut Quiet)?;
//! let small = policy.alloc(Request::new(24, 3)?, &mut Quiet)?;
//! assert_eq!((large.0, small.0), (0x40000, 0x40000 + 1000));
//! # Ok(())
//! # }
//! ```
//!
//! [`kit`] has the parts:
//!
//! | part | is |
//! | --- | --- |
//! | [`kit::FreeMap`] | an indexed bitmap: first, highest, best and worst aligned fit, longest hole |
//! | [`kit::AreaMap`] | one of them for each range, spoken to in pages |
//! | [`kit::Live`] | the table of grants, which knows a good free from every bad one |
//! | [`kit::Placed`] | a whole policy out of one [`Place`](kit::Place): marks, retries, frees |
//! | [`kit::Split`] | several policies side by side, with a [`Route`](kit::Route) from request to part |
//! | [`kit::carve`] | an area cut into parts at aligned pages, for [`kit::Split`] |
//!
//! Where they do not fit, implement [`Policy`] itself, as `builtin/buddy.rs` does.
//!
//! The crate `cma-harness` tests, drives, measures and fuzzes what has an entry: every law by
//! `conformance!(BY_SIZE)`.
//!
//! # The contract, and why it is so
//!
//! **Searching and claiming are apart.** `cma_alloc()` (`mm/cma.c`) marks bits under a lock, drops
//! it, lets `alloc_contig_range()` empty the pages, and on failure unmarks the bits and searches
//! on. [`Policy::propose`] is the part under the lock, [`Claim::claim`] the part outside, and
//! [`Policy::settle`] the keeping or unmarking. Because a policy never calls the pages, whoever
//! drives it sees every attempt and can check and count it; the rule for going on after a busy
//! place stays the policy's, where the kernels differ; and several requests can be under way at
//! once, each with its marks in the map, as on a real machine. [`Policy::alloc`] is the plain loop
//! for one request on its own.
//!
//! **What a request must remember travels with it.** An [`Attempt`] carries its run and a cookie,
//! and both come back in [`Last`]. If the policy held the state of a walk, two requests under way
//! would share it, and a refused one would leave it there. So the promise is easy to keep that a
//! refused request changes nothing: its free runs are as they were, and all later answers are as if
//! it had not been asked. What lasts (a rover, a reserve) may change only when a grant is settled
//! or a run is given back.
//!
//! **A grant is the attempt's run**, exactly the pages asked for, so a grant of a wrong size cannot
//! be expressed. What a policy holds beyond it (the rest of a granule or of a buddy's block) shows
//! as pages that are neither live nor in [`Policy::free_runs`].
//!
//! **[`Promises`] say which laws bind.** Every policy owes grants inside one range, disjoint, on a
//! granule, and given back whole. Beyond that policies differ on purpose: a zone refuses what would
//! fit in the other zone, a buddy system rounds up. What a policy does not promise is measured, not
//! held against it; what it promises can be checked at every call. A policy that ignores alignment says
//! so, and is not ranked with those that pay for it.
//!
//! **A walk ends.** Within one request no place is proposed twice, unless there was a
//! [`Next::Pause`] in between. That holds whatever other requests do in the meantime, so a walk
//! goes by addresses, up, down or round; by the sizes of holes only its first place can be chosen.
//! Attempts and pauses together stay below 8 for each page of the area, and a driver refuses what
//! goes on for longer.
//!
//! **Errors are meanings, not numbers.** [`AllocError::Busy`] says that the last claim of the
//! request was busy, [`AllocError::NoMemory`] that no place was found or that a claim found no
//! memory to move pages to, [`AllocError::Interrupted`] that a signal ended it. What a kernel
//! prints for each depends on its version, and no policy knows it. After [`ClaimError::NoMemory`]
//! or [`ClaimError::Interrupted`] another place would not help, and a policy refuses.
//!
//! **A bad free is an error and changes nothing**: [`FreeError`] says what is outside the area,
//! what is not granted, and what is not the run that was granted. The kernel warns or clears bits
//! that it should not; a policy that kept quiet would make a caller's mistake look like its own.
//!
//! **Pages outside, bits inside.** One bit of a map stands for a granule of `2^order_per_bit`
//! pages. [`Area`] is the only border: requests, runs and answers are in pages, searches in bits,
//! and marks are rounded up to granules while a claim covers the pages asked for.
//!
//! **An area has one range or more** (kernels from 6.15), and no run spans two, also where they
//! adjoin. Ranges are asked in the area's order, which is the kernel's and mostly not that of their
//! pages: on to the next one where a range has no place, or only busy ones.
//!
//! **A page can be live and its granule free**, where a part of a grant was given back inside it:
//! the kernel clears whole bits. A place over such a page is proposed as any other, and its claim
//! is busy. When the rest comes back the granule is freed again, whoever has it by then.
//!
//! **A base may lie off the granule**, as the kernel accepts it. Then the offset that aligns a
//! search is truncated, and a grant can miss its physical alignment, on a real machine too. Aligned
//! therefore means `(bit + offset) & mask == 0` with [`Area::mask`] and [`Area::offset`], nothing
//! else; [`Grid`] says the same in pages.
//!
//! # Ranks
//!
//! Low to high; a module uses only lower ones, and a test reads this line:
//!
//! `run, mutant < error, grid < area, request < policy < catalog < kit < builtin`
#![no_std]

extern crate alloc;

mod area;
pub mod builtin;
mod catalog;
mod error;
mod grid;
pub mod kit;
pub mod mutant;
mod policy;
mod request;
mod run;

pub use area::Area;
pub use catalog::{BASELINE, Build, Catalog, Entry, Kind, Param, Params, Spec, SpecError};
pub use error::{AllocError, BuildError, ClaimError, FreeError};
pub use grid::Grid;
pub use policy::{Attempt, Claim, First, Last, MAX_PAUSES, Next, Policy, Promises, Quiet};
pub use request::{Request, ceil_log2, dma_align};
pub use run::{Pfn, Run};
