//! From what a board prints to what happened: calls of `cma_alloc()`, and what is free when.
//!
//! ```text
//! ingest::log::Record ─► Calls ─► Heard: a call begins, claims, ends; pages are released
//!                          └─► Order: the same in the order in which it took effect (replay)
//!                 Areas ◄─ grants and releases, debugfs, sysfs, boot: what is free at a moment
//! ```
//! Nothing else knows which lines make a call and who holds which pages. What a text leaves open is
//! a value ([`Attribution`]): a replay insists, a diagnosis weighs.
//!
//! ```
//! use cma_harness::ingest::{Source, log};
//! use cma_harness::timeline::{Order, What};
//!
//! let text = "\
//! vpu-7 [000] .... 1.000001: cma_alloc_start: name=vpu count=9 align=4
//! vpu-7 [000] .... 1.000002: cma_alloc_busy_retry: name=vpu pfn=0x40000 page=1 count=9 align=4
//! vpu-7 [000] .... 1.000003: cma_alloc_finish: name=vpu pfn=0x40010 page=1 count=9 align=4 errorno=0
//! ";
//! let mut order = Order::default();
//! for found in log::open(&Source::bytes("trace.txt", text.as_bytes()))?.flatten() {
//!     order.take(&found);
//! }
//! let effects: Vec<_> = std::iter::from_fn(|| order.next_effect()).collect();
//! let What::Call { call, .. } = &effects[1].what else { panic!("a busy claim, then its call") };
//! assert_eq!((call.count, call.busy), (Some(9), 1));
//! assert_eq!(call.granted().map(|run| run.pfn.0), Some(0x40010));
//! # Ok::<(), cma_harness::ingest::IngestError>(())
//! ```

mod areas;
mod call;
mod calls;
mod cap;
mod followed;
mod live;
mod order;
mod signs;
mod state;

use cma_policies::Run;

use crate::ingest::log::Found;

pub(crate) use areas::{Areas, Parted};
pub use call::{Attribution, Call, Counter, Ended, Failed, Start, Tried};
pub use calls::{Calls, Heard};
pub(crate) use calls::{Wanted, same_task};
pub(crate) use cap::Orders;
pub use cap::{CapShown, Class};
pub(crate) use live::{Free, Live, Released};
pub(crate) use order::traced;
pub use order::{Effect, Order, What};
pub(crate) use signs::signs;
pub use state::{AreaState, Asked, GUARANTEED_ALIGN, Hole, Known, RangeState};
pub(crate) use state::{Bitmap, Layout, ORDERS, holes, likely_sizes};

/// Where a record is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Place {
    /// The number of its source, from 0 on.
    pub source: u32,
    /// Its line there, from 1 on.
    pub line: u64,
    /// Records before it, in all sources.
    pub seq: u64,
    /// Its stamp in microseconds since boot.
    pub time_us: Option<u64>,
}

impl Place {
    /// The place of `found`, the next record of the same source.
    pub const fn next(self, found: &Found) -> Self {
        Self { line: found.line, time_us: found.time_us, seq: self.seq + 1, ..self }
    }

    /// Whether `later` is at most `lines` lines and `us` microseconds after this, in the same
    /// source.
    pub fn is_near(self, later: Self, lines: u64, us: u64) -> bool {
        let stamps = self.time_us.zip(later.time_us);
        self.source == later.source
            && later.line.saturating_sub(self.line) <= lines
            && stamps.is_none_or(|(one, other)| one.abs_diff(other) <= us)
    }
}

/// Whether two values are the same, or one is not stated.
pub(crate) fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

/// The pages of an event; `None` where there are none with such numbers.
pub(crate) fn run(pfn: u64, count: u64) -> Option<Run> {
    pfn.checked_add(count).filter(|_| count > 0).map(|_| Run::new(pfn, count))
}
