//! The contract between a policy, which says where a buffer goes, and the pages, which say whether
//! that place can be emptied.

use core::fmt;

use crate::area::Area;
use crate::error::{AllocError, ClaimError, FreeError};
use crate::request::Request;
use crate::run::{Pfn, Run};

/// A run that a policy has marked for a request and proposes to claim.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attempt {
    /// Exactly the pages asked for; a grant is this run.
    pub run: Run,
    /// The policy's own note to itself, below 2^48: it comes back with [`Policy::settle`] and
    /// [`Last`].
    pub cookie: u64,
}

/// What became of a policy's last answer to this same request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Last {
    /// The attempt could not be claimed. It has been settled already.
    Failed(Attempt, ClaimError),
    /// Time has passed, as [`Next::Pause`] asked.
    Paused {
        /// The cookie of that pause.
        cookie: u64,
    },
}

/// What a policy answers to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Claim these pages. They stay marked until [`Policy::settle`].
    Try(Attempt),
    /// Let `us` microseconds pass and ask again (vendor kernels sleep and search once more).
    Pause {
        /// Microseconds.
        us: u64,
        /// The policy's own note, as in [`Attempt`]: what it must remember over the pause.
        cookie: u64,
    },
    /// Nothing (more) to try.
    Refuse(AllocError),
}

/// Which laws bind a policy. Everything that is not promised is measured, not punished.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Promises {
    /// Grants obey the alignment: `(bit + offset) & mask == 0`. A policy without it cannot be
    /// compared with those that have it.
    pub aligned: bool,
    /// Never [`AllocError::NoMemory`] while the free runs hold an aligned fit, unless a claim of
    /// that call ended in [`ClaimError::NoMemory`], or the count of a `counted` policy forbids it.
    pub complete: bool,
    /// Every attempt is the lowest aligned fit at or after the place where the search resumes:
    /// it equals the naive reference, page for page.
    pub lowest: bool,
    /// Holds no pages beyond the granule that the last page of a grant is in.
    pub tight: bool,
    /// Takes back any part of a grant. As many granules are free then as the part's pages take,
    /// from that of its first page on (`cma_clear_bitmap()`, `mm/cma.c`, 7.3), so that a granule
    /// can be free and have live pages: a claim over those is busy.
    pub partial_free: bool,
    /// Refuses a request for more pages than nobody has, before each search: what is neither live
    /// nor under way, whatever the bitmap says (`available_count`, `mm/cma.c`, from 6.15 on).
    pub counted: bool,
    /// Where the first attempt of a request goes.
    pub first: First,
    /// Never [`AllocError::Busy`] before every aligned fit was tried, as often as it searches, where
    /// nothing else changes in the meantime. What promises `lowest` does so anyway.
    pub thorough: bool,
}

/// Where the first attempt of a request goes, and the first one after a pause. Holes are measured
/// from their first aligned page on, by a policy that is not `aligned` from their first page on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum First {
    /// Nothing is said of it.
    Anywhere,
    /// To the lowest place in the shortest hole that holds a fit, the lowest of equals, of the
    /// first range that has one.
    Shortest,
    /// To the lowest place in the longest hole of the first range that has a fit, the lowest of
    /// equals.
    Longest,
    /// To the lowest fit of the first range that has one, or to the highest of the last.
    EitherEnd,
    /// To the lowest fit past the last grant in a range, or else the lowest one there, of the
    /// first range that has one.
    PastLast,
}

impl Promises {
    /// Nothing but what every policy owes: grants inside the area, disjoint, and given back whole.
    pub const NONE: Self = Self {
        aligned: false,
        complete: false,
        lowest: false,
        tight: false,
        partial_free: false,
        counted: false,
        first: First::Anywhere,
        thorough: false,
    };
    /// A search that places exactly what was asked wherever an aligned fit is free.
    pub const SEARCH: Self = Self { aligned: true, complete: true, tight: true, ..Self::NONE };
}

/// The most pauses of one request. A policy that asks for more does not end.
pub const MAX_PAUSES: u64 = 1024;

/// Where to put a buffer: a state machine that never sees the pages.
///
/// Deterministic for ever: the same calls get the same answers, on every machine. Nothing that a
/// request needs to remember lives in the policy but the marks of its pending attempt, so several
/// requests can be under way at once.
pub trait Policy: fmt::Debug + Send {
    /// The area that it serves.
    fn area(&self) -> &Area;

    /// Which laws bind it. The same at every call.
    fn promises(&self) -> Promises;

    /// Marks a run for `request` and proposes it. `last` is what became of the answer before this
    /// one, `None` at the first call for a request.
    ///
    /// A request that ends in [`Next::Refuse`] leaves no trace: the free runs are as they were, and
    /// every later answer is as if it had not been asked.
    fn propose(&mut self, request: Request, last: Option<Last>) -> Next;

    /// Ends an attempt of this policy: keeps its run (`granted`), or unmarks it.
    fn settle(&mut self, attempt: Attempt, granted: bool);

    /// Takes back a run that was granted, or a part of one where that is promised.
    ///
    /// # Errors
    /// Any run that is not such a one; then nothing changes.
    fn free(&mut self, run: Run) -> Result<(), FreeError>;

    /// Visits the free runs range by range in the order of [`Area::ranges`], as `.bitmaps` of a
    /// recording has them: in each ascending, disjoint, and maximal within what one grant may cross
    /// (two touch only at a border that no grant crosses). In whole granules.
    fn free_runs(&self, visit: &mut dyn FnMut(Run));

    /// The plain loop of `cma_alloc()` (`mm/cma.c`): propose, claim, settle, until a run is granted
    /// or the request refused. It gives up after 8 attempts for each page of the area without a
    /// pause between, and after [`MAX_PAUSES`] pauses.
    ///
    /// # Errors
    /// What the policy refuses with.
    fn alloc(&mut self, request: Request, pages: &mut dyn Claim) -> Result<Pfn, AllocError> {
        let mut last = None;
        let limit = self.area().pages().saturating_mul(8);
        let (mut attempts, mut pauses) = (0, 0);
        while attempts <= limit && pauses <= MAX_PAUSES {
            attempts += 1;
            last = Some(match self.propose(request, last) {
                Next::Try(attempt) => match pages.claim(attempt.run) {
                    Ok(()) => {
                        self.settle(attempt, true);
                        return Ok(attempt.run.pfn);
                    }
                    Err(error) => {
                        self.settle(attempt, false);
                        Last::Failed(attempt, error)
                    }
                },
                Next::Pause { us, cookie } => match pages.pause(us) {
                    Ok(()) => {
                        (attempts, pauses) = (0, pauses + 1);
                        Last::Paused { cookie }
                    }
                    Err(_) => return Err(AllocError::Interrupted),
                },
                Next::Refuse(error) => return Err(error),
            });
        }
        Err(AllocError::NoMemory)
    }
}

/// Emptying pages of their movable tenants, as `alloc_contig_range()` (`mm/page_alloc.c`) does.
pub trait Claim {
    /// Empties the pages of `run`.
    ///
    /// # Errors
    /// Why it could not; then nothing is claimed.
    fn claim(&mut self, run: Run) -> Result<(), ClaimError>;

    /// Lets `us` microseconds pass.
    ///
    /// # Errors
    /// [`ClaimError::Interrupted`] where a fatal signal came.
    fn pause(&mut self, us: u64) -> Result<(), ClaimError> {
        let _ = us;
        Ok(())
    }
}

/// Pages that are always free to take: every claim succeeds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Quiet;

impl Claim for Quiet {
    fn claim(&mut self, _: Run) -> Result<(), ClaimError> {
        Ok(())
    }
}
