//! What can go wrong, by meaning. The number that a kernel would print is not decided here.

use alloc::string::String;
use core::fmt;

/// Why a request was refused: what it *means*.
///
/// What a kernel prints depends on its version (6.15 prints -16 for a search that found nothing,
/// Android -12 after a busy pass), so no policy knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AllocError {
    /// No place was found, or emptying a place found no memory to move its pages to.
    NoMemory,
    /// At least one place was found, and every one that was tried was busy.
    Busy,
    /// A fatal signal ended the attempt.
    Interrupted,
}

/// Why a free was refused. A refused free changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FreeError {
    /// The run is not inside one range of the area.
    OutsideArea,
    /// The first page of the run is not granted.
    NotAllocated,
    /// The run is not what was granted there, nor a part of it that this policy can take back.
    Mismatch,
}

/// Why the pages of a run could not be emptied (`alloc_contig_range()` in `mm/page_alloc.c`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClaimError {
    /// A page could not be moved, or another claim has it isolated (-EBUSY).
    Busy,
    /// There is no memory to move a page to (-ENOMEM). The kernel gives up at once.
    NoMemory,
    /// A fatal signal (-EINTR). The kernel gives up at once.
    Interrupted,
}

/// Why an area, a request or a policy cannot be built. It reads on from "failed to …".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// An area needs at least one range.
    NoRange,
    /// A range or a request of no pages.
    Empty,
    /// Two ranges share a page.
    Overlap {
        /// Index of one.
        range: usize,
        /// Index of the other, which is lower.
        before: usize,
    },
    /// A range ends past the last page frame number.
    PastEnd {
        /// Index of the range.
        range: usize,
    },
    /// `order_per_bit` is 64 or more.
    OrderPerBit(u32),
    /// A range has no whole granule: no bit.
    NoBit {
        /// Index of the range.
        range: usize,
        /// Its pages.
        pages: u64,
        /// Pages of one bitmap bit.
        granule: u64,
    },
    /// More bitmap bits than an area may have.
    TooManyBits {
        /// What was asked for.
        bits: u64,
        /// What is allowed.
        most: u64,
    },
    /// An alignment order of 64 or more.
    Align(u32),
    /// A policy cannot be built with these parameters on this area: why not, and what would do.
    Policy(String),
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMemory => "no memory",
            Self::Busy => "busy",
            Self::Interrupted => "interrupted",
        })
    }
}

impl fmt::Display for FreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutsideArea => "outside the area",
            Self::NotAllocated => "not allocated",
            Self::Mismatch => "not what was granted there",
        })
    }
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "busy",
            Self::NoMemory => "no memory to migrate to",
            Self::Interrupted => "interrupted",
        })
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRange => write!(f, "an area needs at least one range"),
            Self::Empty => write!(f, "the count of pages must be at least 1"),
            Self::Overlap { range, before } => {
                write!(f, "range {range} shares pages with range {before}; ranges must be apart")
            }
            Self::PastEnd { range } => {
                write!(f, "range {range} ends past the last page frame number")
            }
            Self::OrderPerBit(order) => {
                write!(f, "order_per_bit {order} is too large; at most 63 is allowed")
            }
            Self::NoBit { range, pages, granule } => write!(
                f,
                "the {pages} pages of range {range} are less than a bit has, {granule} pages"
            ),
            Self::TooManyBits { bits, most } => {
                write!(f, "the area needs {bits} bitmap bits; at most {most} are allowed")
            }
            Self::Align(order) => {
                write!(f, "alignment order {order} is too large; at most 63 is allowed")
            }
            Self::Policy(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for AllocError {}
impl core::error::Error for FreeError {}
impl core::error::Error for ClaimError {}
impl core::error::Error for BuildError {}
