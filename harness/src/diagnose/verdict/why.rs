//! What a cause is argued with: facts and numbers, for which a report has the words.

use super::fit::{Fit, Place, View};

/// The argument. Its numbers are those of the failure and of its [`Room`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// A fatal signal ended the call (-4).
    Signal,
    /// Nothing says how many pages were asked for.
    NoCount,
    /// The area has fewer pages: so many.
    TooLarge(u64),
    /// No area that the text states has so many pages, or all of them together have not.
    AboveBound,
    /// What its driver holds and what was asked for are more than there is.
    Held,
    /// What a trace shows to be granted and not given back, and what was asked for, are more.
    HeldByTrace {
        /// Pages that are live, by the trace.
        held: u64,
        /// Pages of the area, at most.
        total: u64,
    },
    /// An errno that `cma_alloc()` does not return.
    OtherErrno,
    /// What the state says of the request.
    Room,
    /// Claims were busy, and then the call failed.
    BusyThenFailed,
    /// The same, from lines that show no errno.
    BusyThenFailedNoErrno,
    /// Claims were busy, and then the driver failed.
    BusyThenDriver,
    /// Claims were busy, and then the claim of another page failed otherwise, without an errno.
    BusyThenOtherPage,
    /// Claims were busy, and then -12 a good while later.
    BusyThenNoMemory,
    /// Claims were busy, none was granted (-16).
    NoneGranted,
    /// -16 of a kernel that says so only where every claim was busy.
    EveryClaimBusy,
    /// -16 from 6.15 on, without a list.
    BusyOrNoPlace,
    /// -16 of a kernel that is not known, without a list.
    BusyOrNoPlaceByKernel,
    /// -16, though the request fits.
    BusyThoughItFits,
    /// -16, and it fits in a list of another moment.
    NoPlaceThoughItFits,
    /// -16 from 6.15 on, and a state that leaves it open.
    BusyOrRoom,
    /// No claim was made, and it would fit if the area were one range.
    SplitByRanges,
    /// No claim was made, so many pages are available, and any page may be the first: no run is
    /// long enough.
    NoRun(u64),
    /// No claim was made and so many pages are available: no run is long enough from an aligned
    /// page on.
    NoRunAligned(u64),
    /// No claim was made, and a run is long enough: where the area begins decides.
    MisalignedByBase,
    /// Places were skipped that have pages across a hole of the memmap.
    AcrossHole,
    /// -12 from 6.15 on: a claim got no memory.
    NoMemoryBySign,
    /// A place was found, claims may have been busy, and one got no memory.
    NoMemoryAtPlace,
    /// -12 of a kernel that says so also where nothing is found, without a list.
    NoMemoryOrNoPlace,
    /// The same of a vendor's kernel, which searches again after busy claims and then says -12.
    BusyNoMemoryOrNoPlace,
    /// -12, and it fits in a list of another moment.
    FitsAtAnotherMoment,
    /// It fits, so a claim was made, and that got no memory.
    NoMemoryAsItFits,
    /// The search found nothing, and the state a moment later has room.
    FitsAfterwards,
    /// The search found nothing, and no hole that is shown is long enough from an aligned page on.
    MisalignedAsShown,
    /// One page was not found. So many are shown to be free nevertheless.
    NoPage(u64),
    /// No place was found, and there is no whole list.
    NoPlace,
    /// The claim failed and was not busy, without an errno.
    NotBusy,
    /// The claim failed, without an errno.
    BusyOrNoMemory,
    /// It fits, and no claim was busy.
    FitsNoneBusy,
    /// It fits, without an errno.
    FitsNoErrno,
    /// Its line was hidden, and this one asked for so many pages with the same list, or in a state
    /// that leaves nothing else.
    Beside {
        /// Pages that line asked for.
        count: u64,
        /// Where it is.
        line: u64,
        /// Its list is the same.
        equal: bool,
    },
    /// Its line was hidden, and what the other lines ask for has no place in its list: some of it
    /// for one reason, some for the other, or too few of the sizes are seen.
    BesideEither,
    /// Too little is stated; whether a list shows free pages.
    TooLittle {
        /// It does.
        listed: bool,
    },
}

/// What the state of an area says of a request, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// What it says.
    pub fit: Fit,
    /// Pages asked for, rounded up to whole bits.
    pub need: u64,
    /// The order of one bit.
    pub order_per_bit: u32,
    /// Free pages by the bitmap, as stated.
    pub free: Option<u64>,
    /// Pages that the counter of the area had left, where it has one.
    pub available: Option<u64>,
    /// Free pages of the holes that are known.
    pub shown: u64,
    /// Pages of the longest of them.
    pub longest: u64,
    /// Pages of the area.
    pub total: Option<u64>,
    /// Where the request goes; where it does not fit, the hole that comes closest.
    pub place: Option<Place>,
}

impl Room {
    pub(super) fn of(view: &View<'_>, align: u32, fit: Fit) -> Self {
        let state = view.state;
        let place = match fit {
            Fit::Fits if view.knows_base(align) => view.place(align),
            Fit::Alignment | Fit::Missing => view.best_of_the_long(align),
            _ => None,
        };
        Self {
            fit,
            need: view.need,
            order_per_bit: state.order_per_bit,
            free: state.free,
            available: view.available,
            shown: state.known_free(),
            longest: state.largest_run(),
            total: state.total,
            place,
        }
    }
}
