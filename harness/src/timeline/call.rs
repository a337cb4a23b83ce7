//! A call of `cma_alloc()`, as far as a text shows it.

use std::sync::Arc;

use cma_policies::Run;

use super::{Place, run};
use crate::ingest::log::{Origin, Page, Task};
use crate::kernel::{EBUSY, ENOMEM, Errno};

/// How sure it is that the lines of a call are its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attribution {
    /// No other call can be meant.
    Sure,
    /// Each of so many calls can be meant; 0: of how many is not known, since events were lost.
    OneOf(usize),
}

/// Whether the start of a call is in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// It is.
    Seen,
    /// It is not: there may have been more claims.
    Missing,
    /// The kernel prints one event of a call, its end: no claim is shown (up to 5.12).
    Unprinted,
}

/// What a call tried last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tried {
    /// The text does not say.
    Unknown,
    /// Nothing: no place was found.
    Nothing,
    /// The pages from this one on.
    At(u64),
}

impl Tried {
    /// What the pfn of a failed finish says: all ones, as kernels of 64 and of 32 bits print -1,
    /// where no page was tried (up to 6.14); 0 whatever was tried (6.15 on).
    pub const fn of(pfn: Option<u64>) -> Self {
        match pfn {
            None | Some(0) => Self::Unknown,
            Some(pfn) if pfn == u64::MAX || pfn == u32::MAX as u64 => Self::Nothing,
            Some(pfn) => Self::At(pfn),
        }
    }

    /// The first page, where one is stated.
    pub const fn pfn(self) -> Option<u64> {
        if let Self::At(pfn) = self { Some(pfn) } else { None }
    }
}

/// A failed call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed {
    /// What it tried last.
    pub tried: Tried,
    /// The errno that the text states.
    pub errno: Option<Errno>,
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Granted, from this page on where that is stated.
    Granted(Option<u64>),
    /// Refused.
    Failed(Failed),
}

impl Ended {
    /// What a finish event, or `returned …` of a debug line, says.
    pub fn of(page: Page, pfn: Option<u64>, errno: Option<Errno>) -> Self {
        if page == Page::Null || errno.is_some_and(|errno| errno != 0) {
            let errno = errno.filter(|errno| *errno != 0);
            Self::Failed(Failed { tried: Tried::of(pfn), errno })
        } else {
            Self::Granted(pfn)
        }
    }
}

/// Pages that the counter of an area had left while a call ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counter {
    now: u64,
    /// The fewest.
    pub least: u64,
    /// The most.
    pub most: u64,
}

impl Counter {
    pub(super) const fn begun(available: u64) -> Self {
        Self { now: available, least: available, most: available }
    }

    /// Another call was granted `count` pages.
    pub(super) fn granted(&mut self, count: u64) {
        self.now = self.now.saturating_sub(count);
        self.least = self.least.min(self.now);
    }

    /// `count` pages were given back.
    pub(super) fn released(&mut self, count: u64) {
        self.now = self.now.saturating_add(count);
        self.most = self.most.max(self.now);
    }

    /// Whether it was `available` at some moment, as far as known.
    pub(crate) const fn was(self, available: u64) -> bool {
        self.least <= available && available <= self.most
    }
}

/// A call.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Its number, from 1 on, in the order in which calls are heard of.
    pub number: u64,
    /// Who printed it: debug lines or trace events.
    pub origin: Origin,
    /// Who made it.
    pub task: Option<Task>,
    /// The area, where named.
    pub area: Option<Arc<str>>,
    /// Pages asked for, where stated.
    pub count: Option<u64>,
    /// The order asked for, where stated.
    pub align: Option<u32>,
    /// Whether its start is in the text.
    pub start: Start,
    /// Claims that were busy.
    pub busy: u64,
    /// The first page of the last of them.
    pub last_busy: Option<u64>,
    /// Free pages and all pages of the area when it began, where stated.
    pub available: Option<(u64, Option<u64>)>,
    /// What the counter of the area came to while it ran, as other calls show.
    pub counter: Option<Counter>,
    /// How sure its claims and its end are.
    pub attribution: Attribution,
    /// How it ended; `None` where the text does not say.
    pub ended: Option<Ended>,
    /// Where it is heard of first, and last before its end.
    pub span: (Place, Place),
    /// Where the text reports its failure beside: a mark of whoever joins the two.
    pub report: Option<u64>,
    /// An end that names no call is of this one or of another.
    pub(super) maybe_granted: bool,
}

/// Android sleeps for 100 ms where a whole search was busy.
const SLEEP_US: u64 = 90_000;

impl Call {
    /// A call that is heard of first at `at`, and of which no more is known.
    pub(super) const fn begun(origin: Origin, at: Place) -> Self {
        Self {
            number: 0,
            origin,
            task: None,
            area: None,
            count: None,
            align: None,
            start: Start::Missing,
            busy: 0,
            last_busy: None,
            available: None,
            counter: None,
            attribution: Attribution::Sure,
            ended: None,
            span: (at, at),
            report: None,
            maybe_granted: false,
        }
    }

    /// Pages and order asked for, where both are stated.
    pub fn asked(&self) -> Option<(u64, u32)> {
        self.count.zip(self.align)
    }

    /// Whether its claims and its end are surely its own.
    pub fn is_sure(&self) -> bool {
        self.attribution == Attribution::Sure
    }

    /// Any of so many calls can be meant: 0 where that is not known.
    pub(crate) fn doubt(&mut self, of: usize) {
        if self.is_sure() {
            self.attribution = Attribution::OneOf(of);
        }
    }

    /// Its failure, where it failed.
    pub const fn failed(&self) -> Option<Failed> {
        if let Some(Ended::Failed(failed)) = self.ended { Some(failed) } else { None }
    }

    /// The pages that it got, where these are stated.
    pub fn granted(&self) -> Option<Run> {
        let Some(Ended::Granted(Some(pfn))) = self.ended else { return None };
        run(pfn, self.count?)
    }

    /// Whether it may have slept between its last busy claim and its end at `end`.
    pub fn may_have_slept(&self, end: Place) -> bool {
        let stamps = self.span.1.time_us.zip(end.time_us);
        self.busy > 0 && stamps.is_none_or(|(busy, end)| end.saturating_sub(busy) >= SLEEP_US)
    }

    /// Its busy claims, where the text shows each.
    pub fn retries(&self) -> Option<u64> {
        let known = self.is_sure() && (self.start == Start::Seen || self.busy > 0);
        known.then_some(self.busy)
    }

    /// The errno of its failure: stated, else derived from its claims. A last claim that failed at
    /// once and not because it was busy had no memory.
    pub fn errno(&self) -> Option<Errno> {
        let failed = self.failed()?;
        let derived = match (failed.tried.pfn(), self.busy) {
            // Claims before its end are not in the text: what was tried was busy, mostly.
            (Some(_), 0) if self.start != Start::Seen => EBUSY,
            (Some(pfn), _) if self.last_busy != Some(pfn) => ENOMEM,
            (None, 0) => ENOMEM,
            _ => EBUSY,
        };
        Some(failed.errno.filter(|errno| *errno < 0).unwrap_or(derived))
    }
}
