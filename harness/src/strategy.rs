//! Areas, requests, streams and cases for property tests and fuzzers that work by type.
//!
//! Feature `proptest` has strategies: [`areas`], [`requests`], [`streams`] and [`cases`], and
//! [`Areas`] and [`Streams`] where something else is wanted. Small worlds come first, since
//! everything collides there. Nothing is rejected: a free names its victim modulo what is live, a
//! place is one modulo what there is. So each op can be left out by itself, and what is left after
//! shrinking is short: areas end with one page at page 0, requests with one page, streams with the
//! ops that matter.
//!
//! ```
//! # #[cfg(feature = "proptest")] fn main() {
//! use cma_harness::strategy::streams;
//! use proptest::prelude::*;
//!
//! proptest!(|(stream in streams())| {
//!     prop_assert!(stream.ops.is_sorted_by_key(|timed| timed.at_us));
//! });
//! # }
//! # #[cfg(not(feature = "proptest"))] fn main() {}
//! ```
//!
//! Feature `arbitrary` has [`Stream`], [`Case`](crate::codec::Case) and, since what is in a crate
//! without dependencies cannot have a trait of another one, `Any<Area>` and `Any<Request>`:
//!
//! ```
//! # #[cfg(feature = "arbitrary")] fn main() -> arbitrary::Result<()> {
//! use arbitrary::{Arbitrary, Unstructured};
//! use cma_harness::policies::{Area, Request};
//! use cma_harness::strategy::Any;
//!
//! // As the argument of a `fuzz_target!`.
//! let bytes: Vec<u8> = (0..99).collect();
//! let input = <(Any<Area>, Vec<Any<Request>>)>::arbitrary(&mut Unstructured::new(&bytes))?;
//! let (Any(area), requests) = input;
//! assert!(area.pages() > 0 && requests.iter().all(|Any(request)| request.count() > 0));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "arbitrary"))] fn main() {}
//! ```

#[cfg(any(test, feature = "proptest"))]
mod area;
#[cfg(any(test, feature = "arbitrary"))]
mod by_bytes;
#[cfg(any(test, feature = "proptest"))]
mod by_proptest;
mod ops;

use std::ops::RangeInclusive;

use cma_policies::Area;

#[cfg(any(test, feature = "proptest"))]
pub use by_proptest::{areas, cases, requests, streams};

use crate::op::Timed;

/// A value of a type that is not of this crate, for the traits that make arbitrary ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Any<T>(pub T);

/// A stream that makes no mistake, and the area that it is meant for.
///
/// Time never goes back. An id is live once: it is not asked for again before all of it has been
/// given back, and nothing is given back that is not held, granted or not. A pin is of pages in one
/// range that no other pin holds, and only what is pinned is let go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// The area.
    pub area: Area,
    /// What happens, in order.
    pub ops: Vec<Timed>,
}

/// Which areas are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Areas {
    /// The most granules of a range, up to 2^22. Most have fewer than 17.
    pub most_granules: u64,
    /// The most ranges, up to 8; more than one ascend, or do not. Most areas have one.
    pub most_ranges: usize,
    /// The largest order_per_bit, up to 30. It is 0 as a rule.
    pub most_order: u32,
    /// Whether bases, and ends of ranges, may lie off the granule, as the kernel accepts it.
    pub off_granule: bool,
}

impl Default for Areas {
    fn default() -> Self {
        Self { most_granules: 600, most_ranges: 8, most_order: 10, off_granule: true }
    }
}

/// Which streams are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Streams {
    /// The most ops. There is one at least.
    pub most_ops: usize,
    /// The counts of requests, in pages, none of them 0. Where there is none, all that matter to
    /// the area, a few above it among them.
    pub sizes: Vec<u64>,
    /// The alignment orders of requests that do not follow the cap, below 64.
    pub aligns: RangeInclusive<u32>,
    /// The `CONFIG_CMA_ALIGNMENT` of those that do.
    pub cap: u32,
    /// Whether all requests follow it.
    pub dma_only: bool,
    /// How many clients there are: their numbers are below this.
    pub clients: u16,
    /// The longest time between two ops, in microseconds. Often there is none.
    pub longest_wait_us: u64,
    /// Whether buffers are given back in parts, too.
    pub parts: bool,
    /// Whether pages are pinned and let go.
    pub pins: bool,
    /// Whether an id is used again as soon as it can be; each is new otherwise.
    pub ids_again: bool,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            most_ops: 60,
            sizes: Vec::new(),
            aligns: 0..=13,
            cap: 8,
            dma_only: false,
            clients: 4,
            longest_wait_us: 2500,
            parts: true,
            pins: true,
            ids_again: false,
        }
    }
}
