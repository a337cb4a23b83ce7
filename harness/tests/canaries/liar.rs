//! The kernel's policy with one lie in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cma_policies::{
    AllocError, Area, Attempt, BuildError, ClaimError, First, FreeError, Last, Next, Policy,
    Promises, Quiet, Request, Run, builtin,
};

/// What it lies about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lie {
    /// Nothing.
    None,
    /// Proposes the last grant a second time.
    SamePageTwice,
    /// Proposes a page more than was asked for.
    TooLong,
    /// Proposes the page past the area.
    Outside,
    /// Proposes the pages past the last whole granule of a range, where there are enough.
    GrantsTail,
    /// Says that it counts the pages that nobody has, and does not.
    Miscounts,
    /// Serves another area than it was built for.
    OtherArea,
    /// Was built for the lower half of the area, and says so.
    SmallerArea,
    /// Places without regard for the alignment.
    Misaligned,
    /// Leaves the lowest place out where there is another.
    NotLowest,
    /// Promises the highest place or the lowest, and leaves the lowest out.
    NeitherEnd,
    /// Gives up at the first busy claim.
    GivesUp,
    /// Goes on at the place whose claim has just failed.
    Loops,
    /// Does not mark what it proposes.
    Unmarked,
    /// Does not unmark what failed.
    Leaks,
    /// Does not take back buffers of two pages.
    RefusesFree,
    /// Takes back what it never gave.
    AcceptsBadFree,
    /// Says "not allocated" of every wrong free.
    WrongFreeError,
    /// Gives up a whole buffer on a wrong free of a part of it.
    BadFreeActs,
    /// Promises to take back parts, and does not.
    RefusesPart,
    /// Keeps a page for each refusal.
    GrowsOnRefusal,
    /// Places otherwise from the first refusal on.
    RemembersRefusal,
    /// Shows its free runs one granule too high.
    ShiftedFreeRuns,
    /// Does not show free runs of one granule.
    HidesHoles,
    /// Shows its free runs granule by granule.
    ShowsCrumbs,
    /// Says "no memory" where it was busy.
    WrongMeaning,
    /// Refuses two pages though there is room.
    RefusesFit,
    /// Places by what other instances were asked.
    Wavers,
    /// From the second free on its last page is never free again.
    LosesPage,
    /// Proposes one run to two requests that are under way at once.
    OneAtATime,
    /// Tries again only where the area lies at certain pages.
    LikesPlaces,
    /// Panics when three pages are given back.
    Panics,
}

#[derive(Debug)]
pub(crate) struct Liar {
    inner: Box<dyn Policy>,
    lie: Lie,
    other_area: Area,
    /// What is live, as far as the lie needs it.
    live: Vec<Run>,
    pending: Vec<Attempt>,
    refusals: u64,
    frees: u64,
    /// Shared by all instances: what no honest policy has.
    shared: Arc<AtomicU64>,
}

/// A builder of such policies.
pub(crate) fn liar(lie: Lie) -> impl Fn(Area) -> Result<Box<dyn Policy>, BuildError> {
    let shared = Arc::new(AtomicU64::new(0));
    move |area: Area| {
        let patient = lie == Lie::LikesPlaces && (area.ranges()[0].pfn.0 >> 2) & 1 == 1;
        let row = if patient { "kernel:row=android,pauses=1" } else { "kernel" };
        let spec = builtin::catalog().parse(row).expect("a built-in policy");
        Ok(Box::new(Liar {
            other_area: Area::single(area.ranges()[0].pfn.0, area.granule(), area.order_per_bit())?,
            inner: spec.build(if lie == Lie::SmallerArea { lower_half(&area)? } else { area })?,
            lie,
            live: Vec::new(),
            pending: Vec::new(),
            refusals: 0,
            frees: 0,
            shared: Arc::clone(&shared),
        }))
    }
}

/// The lower half of the first range; all of it where that is one granule.
fn lower_half(area: &Area) -> Result<Area, BuildError> {
    let pages = (area.bits(0) / 2).max(1) << area.order_per_bit();
    Area::single(area.ranges()[0].pfn.0, pages, area.order_per_bit())
}

/// As many pages as `run` has, from the first one on that has no bit in its range.
fn tail(area: &Area, run: Run) -> Option<Run> {
    let range = area.range_of(run)?;
    let tail = Run { pfn: area.bit_to_pfn(range, area.bits(range)), count: run.count };
    area.ranges()[range].contains(tail).then_some(tail)
}

impl Liar {
    /// The same request one order higher where that fits, the request itself where it does not.
    fn choosy(&mut self, request: Request, last: Option<Last>) -> Next {
        let finer = Request::new(request.count(), (request.align() + 1).min(63));
        if let (Ok(finer), None) = (finer, last) {
            let next = self.inner.propose(finer, None);
            if matches!(next, Next::Try(_)) {
                return next;
            }
        }
        self.inner.propose(request, last)
    }

    fn tampered(&mut self, request: Request, last: Option<Last>) -> Next {
        match self.lie {
            Lie::Misaligned => {
                let request = Request::new(request.count(), 0).expect("order 0");
                self.inner.propose(request, last)
            }
            Lie::Loops if matches!(last, Some(Last::Failed(_, ClaimError::Busy))) => {
                self.inner.propose(request, None)
            }
            Lie::GivesUp if matches!(last, Some(Last::Failed(_, ClaimError::Busy))) => {
                Next::Refuse(AllocError::Busy)
            }
            Lie::RemembersRefusal if self.refusals > 0 => self.choosy(request, last),
            Lie::Wavers => {
                // As good as random, and the same in every run of the test.
                let number = self.shared.fetch_add(1, Ordering::Relaxed);
                if number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1 {
                    self.choosy(request, last)
                } else {
                    self.inner.propose(request, last)
                }
            }
            Lie::RefusesFit if request.count() == 2 && last.is_none() => {
                Next::Refuse(AllocError::NoMemory)
            }
            _ => self.inner.propose(request, last),
        }
    }
}

impl Policy for Liar {
    fn area(&self) -> &Area {
        if self.lie == Lie::OtherArea { &self.other_area } else { self.inner.area() }
    }

    fn promises(&self) -> Promises {
        let honest = self.inner.promises();
        match self.lie {
            Lie::Miscounts => Promises { counted: true, ..honest },
            Lie::RefusesPart => Promises { partial_free: true, ..honest },
            Lie::NeitherEnd => Promises { lowest: false, first: First::EitherEnd, ..honest },
            Lie::GivesUp => Promises { lowest: false, thorough: true, ..honest },
            // Lies that the stronger laws would see first.
            Lie::Loops | Lie::RemembersRefusal | Lie::RefusesFit | Lie::Wavers => {
                Promises { lowest: false, ..honest }
            }
            Lie::LosesPage => Promises { tight: false, lowest: false, ..honest },
            _ => honest,
        }
    }

    fn propose(&mut self, request: Request, last: Option<Last>) -> Next {
        if let (Lie::OneAtATime, Some(attempt)) = (self.lie, self.pending.first().copied())
            && attempt.run.count == request.count()
        {
            return Next::Try(attempt);
        }
        match self.tampered(request, last) {
            Next::Try(mut attempt) => {
                let again = self.live.last().filter(|run| run.count == request.count());
                match (self.lie, again) {
                    (Lie::SamePageTwice, Some(again)) => {
                        self.inner.settle(attempt, false);
                        attempt.run = *again;
                    }
                    (Lie::TooLong, _) => attempt.run.count += 1,
                    (Lie::Outside, _) => {
                        let ranges = self.inner.area().ranges();
                        attempt.run.pfn = ranges[ranges.len() - 1].end();
                    }
                    (Lie::GrantsTail, _) => {
                        attempt.run = tail(self.inner.area(), attempt.run).unwrap_or(attempt.run);
                    }
                    (Lie::NotLowest | Lie::NeitherEnd, _) => {
                        let first = Last::Failed(attempt, ClaimError::Busy);
                        if let Next::Try(second) = self.inner.propose(request, Some(first)) {
                            self.inner.settle(attempt, false);
                            attempt = second;
                        }
                    }
                    (Lie::Unmarked, _) => self.inner.settle(attempt, false),
                    _ => {}
                }
                self.pending.push(attempt);
                Next::Try(attempt)
            }
            Next::Refuse(error) => {
                self.refusals += 1;
                if self.lie == Lie::GrowsOnRefusal {
                    let page = Request::new(1, 0).expect("a page");
                    // Whether there was one left to keep does not matter.
                    let _ = self.inner.alloc(page, &mut Quiet);
                }
                let busy = error == AllocError::Busy && self.lie == Lie::WrongMeaning;
                Next::Refuse(if busy { AllocError::NoMemory } else { error })
            }
            pause @ Next::Pause { .. } => pause,
        }
    }

    fn settle(&mut self, attempt: Attempt, granted: bool) {
        self.pending.retain(|pending| *pending != attempt);
        if granted {
            self.live.push(attempt.run);
        }
        if granted || self.lie != Lie::Leaks {
            self.inner.settle(attempt, granted);
        }
    }

    fn free(&mut self, run: Run) -> Result<(), FreeError> {
        assert!(self.lie != Lie::Panics || run.count != 3, "three pages are too many");
        if self.lie == Lie::RefusesFree && run.count == 2 {
            return Err(FreeError::Mismatch);
        }
        if self.lie == Lie::RefusesPart && !self.live.contains(&run) {
            return Err(FreeError::Mismatch);
        }
        let answer = self.inner.free(run);
        let held = self.live.iter().position(|live| live.pfn == run.pfn);
        if answer.is_ok() {
            self.frees += 1;
            self.live.retain(|live| *live != run);
        }
        match (self.lie, answer, held) {
            (Lie::AcceptsBadFree, ..) => Ok(()),
            (Lie::WrongFreeError, Err(_), _) => Err(FreeError::NotAllocated),
            (Lie::BadFreeActs, Err(FreeError::Mismatch), Some(index)) => {
                let _ = self.inner.free(self.live[index]);
                answer
            }
            _ => answer,
        }
    }

    fn free_runs(&self, visit: &mut dyn FnMut(Run)) {
        let granule = self.inner.area().granule();
        let ranges = self.inner.area().ranges();
        let end = ranges[ranges.len() - 1].end();
        self.inner.free_runs(&mut |mut run| {
            match self.lie {
                Lie::ShiftedFreeRuns => run.pfn.0 += granule,
                Lie::HidesHoles if run.count == granule => return,
                Lie::ShowsCrumbs => {
                    while run.count > granule {
                        visit(Run { count: granule, ..run });
                        run = Run::new(run.pfn.0 + granule, run.count - granule);
                    }
                }
                Lie::LosesPage if self.frees >= 2 && run.end() == end => run.count -= granule,
                _ => {}
            }
            if run.count > 0 {
                visit(run);
            }
        });
    }
}
