//! One op at a time: what must come of it, and what did.

use cma_policies::{
    AllocError, BASELINE, ClaimError, FreeError, Pfn, Policy, Promises, Request, Run, Spec,
};

use super::super::course::Course;
use super::cma_alloc::{Bitmaps, Row};
use super::pages::{Claimed, Pages};
use super::reached::Reached;
use super::tally;
use crate::cause::Cause;
use crate::codec::{Act, Case, Script};
use crate::kernel::{KERNELS, Kernel};
use crate::metric::{Meter, Setting};
use crate::op::{Op, Part, Timed};
use crate::oracle::{Checks, Outcome, Place, Reference, Witness};
use crate::simulate::{Answer, Observer, step};

/// Orders whose longest usable run is asked for after every op, beside that of the request.
const ORDERS: [u32; 4] = [0, 4, 9, 13];

/// A policy in the simulation, and beside it what is true, said as plainly as it can be.
pub(super) struct Judge {
    spec: String,
    promises: Promises,
    witness: Witness,
    pages: Pages,
    meter: Meter,
    reached: Reached,
    reference: Reference,
    course: Course,
    /// The kernel's rules and table, where the policy is the kernel's.
    kernel: Option<(Bitmaps, Row, &'static Kernel)>,
    largest_range: u64,
    area_pages: u64,
    ops: u64,
}

impl Judge {
    pub(super) fn new(case: &Case, spec: &Spec, policy: Box<dyn Policy>) -> Self {
        let area = &case.area;
        let kernel = (spec.entry().name == BASELINE).then(|| {
            let (row, pauses) = (spec.params().choice("row"), spec.params().int("pauses"));
            let table = KERNELS.iter().find(|kernel| kernel.name == row);
            (Bitmaps::new(area), Row::of(row, pauses), table.expect("a row of the table"))
        });
        let witness = Witness::new(area, policy, Checks::EVERY_OP);
        Self {
            spec: spec.to_string(),
            promises: witness.promises(),
            witness,
            pages: Pages::default(),
            meter: Meter::new(&Setting::new(&[1, 4], 8)),
            reached: Reached::default(),
            reference: Reference::new(area),
            course: Course::new(case),
            kernel,
            largest_range: {
                let granules = area.ranges().iter().map(|range| range.count / area.granule());
                granules.max().unwrap_or(0) * area.granule()
            },
            area_pages: area.ranges().iter().map(|range| range.count).sum(),
            ops: 0,
        }
    }

    pub(super) fn act(&mut self, act: &Act) {
        for (op, script) in self.course.ops(act) {
            self.op(op, script);
        }
    }

    /// Panics with what went wrong.
    fn wrong(&self, what: &str) -> ! {
        panic!("policy {} at op {}: {what}", self.spec, self.ops)
    }

    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, got: &T, right: &T) {
        if got != right {
            self.wrong(&format!("{what} is {got:?}, right is {right:?}"));
        }
    }

    fn free_runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        self.witness.free_runs(&mut |run| runs.push(run));
        runs
    }

    fn op(&mut self, op: Op, script: Script) {
        let before = self.free_runs();
        self.pages.begin(script);
        let timed = Timed { at_us: self.ops, op };
        let done = step(self.ops, timed, &mut self.witness, &mut self.pages);
        let done = done.unwrap_or_else(|violation| panic!("policy {}: {violation}", self.spec));
        self.meter.step(&done);
        let (answer, outcome, cause) = (done.answer, done.outcome.copied(), done.cause);
        match op {
            Op::Alloc { id, .. } if self.course.find(id).is_some() => {
                self.same("an alloc of a live id", &answer, &Answer::IdInUse);
            }
            Op::Alloc { id, request, .. } => {
                let Some(outcome) = outcome else { self.wrong("an alloc without an outcome") };
                self.asked(request, answer, &outcome);
                self.reached.busy += outcome.busy;
                self.reached.in_use += self.pages.in_use.len() as u64;
                self.answered(id, request, &outcome, cause, &before);
            }
            Op::Free { id, part } => self.freed(id, part, answer),
            Op::Pin(run) => {
                let live = self.course.pieces().any(|piece| piece.overlaps(run));
                let pinned = self.course.pins.iter().any(|pin| pin.overlaps(run));
                self.same("a pin", &answer, &Answer::Pinned(!live && !pinned));
                if !live && !pinned {
                    self.course.pins.push(run);
                }
            }
            Op::Unpin(run) => {
                self.same("an unpin", &answer, &Answer::Pinned(true));
                self.course.pins.retain(|pin| *pin != run);
            }
        }
        self.state(match op {
            Op::Alloc { request, .. } => request.align(),
            _ => 63,
        });
        self.reached.state(self.area_pages, self.reference.free_pages());
        self.ops += 1;
    }

    /// The counts of an outcome against the claims that were seen.
    fn asked(&self, request: Request, answer: Answer, outcome: &Outcome) {
        let (claims, pauses_us) = (self.pages.passes.concat(), &self.pages.pauses_us);
        let is_busy = |claim: &&Claimed| claim.1 == Err(ClaimError::Busy);
        let right = Outcome {
            answer: outcome.answer,
            attempts: claims.len() as u64,
            attempts_in_last_pass: self.pages.passes.last().map_or(0, Vec::len) as u64,
            busy: claims.iter().filter(is_busy).count() as u64,
            last_failed: claims.iter().rev().find_map(|(run, end)| Some((*run, end.err()?))),
            pauses: pauses_us.len() as u64,
            paused_us: pauses_us.iter().sum(),
            spent: outcome.spent,
        };
        self.same("the outcome", outcome, &right);
        let said = match outcome.answer {
            Ok(pfn) => Answer::Granted(pfn),
            Err(error) => Answer::Refused(error),
        };
        self.same("the answer of the step", &answer, &said);
        for (run, _) in claims.iter().copied() {
            let right = run.count == request.count()
                && self.reference.is_free(run)
                && self.reference.on_granule(run);
            if !right || self.promises.aligned && !self.is_aligned(request, run.pfn) {
                self.wrong(&format!("{run} was tried for {request:?}"));
            }
            let is_live = self.course.pieces().any(|piece| piece.overlaps(run));
            self.same("whether it is in use", &self.pages.in_use.contains(&run), &is_live);
        }
        let tried: Vec<Run> = claims.iter().map(|claim| claim.0).collect();
        if self.promises.lowest {
            self.same("the walk", &tried, &self.walk(request));
        }
        if let Some((bitmaps, row, table)) = &self.kernel {
            let said = bitmaps.alloc(request, *row, &mut |claim, _| match claims.get(claim) {
                Some((_, end)) => *end,
                None => self.wrong("the kernel tries more places"),
            });
            self.same("the walk by the kernel's rules", &tried, &said.tried);
            self.same("pauses", &outcome.pauses, &said.pauses);
            let pfn = said.end.map(|run| run.pfn);
            let early = table.early(self.witness.model().area(), request.count());
            let printed = outcome.answer.map_err(|error| match early {
                Some(printed) => printed.errno(),
                None => Some(table.errno(error, outcome.attempts_in_last_pass)),
            });
            self.same("what the kernel says", &printed, &pfn);
        }
    }

    /// Whether a grant for `request` may begin at page `pfn`.
    fn is_aligned(&self, request: Request, pfn: Pfn) -> bool {
        let area = self.witness.model().area();
        let ranges = area.ranges().iter().enumerate();
        let within = ranges.filter(|(_, range)| range.contains(Run { pfn, count: 1 }));
        let granule = area.granule();
        within
            .map(|(range, run)| Place { range, bit: (pfn.0 - run.pfn.0) / granule })
            .any(|place| self.reference.is_aligned(request.align(), place))
    }

    /// Where a policy that promises the lowest fit goes, with claims that end as they did.
    fn walk(&self, request: Request) -> Vec<Run> {
        let mut walk = Vec::new();
        let mut from = Place::START;
        'all: for pass in &self.pages.passes {
            from = Place::START;
            for _ in pass {
                let Some(run) = self.lowest_fit(request, from) else { break 'all };
                from = self.reference.resume_after(request, run);
                walk.push(run);
            }
        }
        // After the last busy claim there is nothing more.
        let goes_on = match self.pages.last() {
            Some((_, end)) => end == Err(ClaimError::Busy),
            None => self.pages.pauses_us.is_empty(),
        };
        if goes_on {
            walk.extend(self.lowest_fit(request, from));
        }
        walk
    }

    /// The lowest fit from there on, if there are as many pages as a policy that counts asks for.
    fn lowest_fit(&self, request: Request, from: Place) -> Option<Run> {
        let found = self.reference.lowest_fit(request, from);
        found.filter(|_| !self.is_counted_out(request))
    }

    fn is_counted_out(&self, request: Request) -> bool {
        self.promises.counted && request.count() > self.area_pages - self.course.pages()
    }

    /// The answer, its cause, and what it leaves.
    fn answered(
        &mut self,
        id: u64,
        request: Request,
        outcome: &Outcome,
        cause: Option<Cause>,
        before: &[Run],
    ) {
        let last = self.pages.last();
        match outcome.answer {
            Ok(pfn) => {
                let run = Run { pfn, count: request.count() };
                self.same("the last claim", &last, &Some((run, Ok(()))));
                self.same("the cause of a grant", &cause, &None);
                self.reference.set(run);
                self.course.granted(id, run);
                if let Some((bitmaps, ..)) = &mut self.kernel {
                    bitmaps.grant(run);
                }
                self.reached.grant(self.witness.model().area(), run, before);
            }
            Err(error) => {
                self.same("the error", &error, &self.meaning());
                let right = self.cause(request, outcome);
                self.same("the cause", &cause, &Some(right));
                self.same("the free runs after a refusal", &self.free_runs().as_slice(), &before);
                let owed = self.promises.complete && outcome.attempts == 0;
                if owed && !self.is_counted_out(request) && self.reference.fits_in(request, before)
                {
                    self.wrong(&format!("{request:?} was refused, {before:?} hold a place"));
                }
                let index = Cause::ALL.iter().position(|cause| *cause == right);
                self.reached.refused[index.expect("every cause is in the table")] += 1;
            }
        }
    }

    /// What a refusal after these claims means.
    fn meaning(&self) -> AllocError {
        let failed = self.pages.passes.iter().flatten().rev().find_map(|(_, end)| end.err());
        match failed {
            None | Some(ClaimError::NoMemory) => AllocError::NoMemory,
            Some(ClaimError::Busy) => AllocError::Busy,
            Some(ClaimError::Interrupted) => AllocError::Interrupted,
        }
    }

    /// Why it was refused, from the reference.
    fn cause(&self, request: Request, outcome: &Outcome) -> Cause {
        let count = request.count();
        if count > self.largest_range {
            Cause::TooLarge
        } else if self.reference.free_pages() < count
            || outcome.attempts == 0 && self.area_pages - self.course.pages() < count
        {
            Cause::Exhausted
        } else if self.reference.free_runs().iter().all(|run| run.count < count) {
            Cause::Fragmentation
        } else if self.reference.lowest_fit(request, Place::START).is_none() {
            Cause::Alignment
        } else if outcome.attempts == 0 {
            Cause::Policy
        } else {
            match self.meaning() {
                AllocError::Interrupted => Cause::Interrupted,
                AllocError::NoMemory => Cause::Migration,
                AllocError::Busy => Cause::Busy,
            }
        }
    }

    fn freed(&mut self, id: u64, part: Option<Part>, answer: Answer) {
        let Some(held) = self.course.find(id).cloned() else {
            self.same("a free of nothing", &answer, &Answer::NothingToFree);
            return;
        };
        let run = match part {
            None => None,
            Some(Part { offset, count }) => {
                let start = held.pfn.0.checked_add(offset);
                let run = start.map(|start| Run { pfn: Pfn(start), count });
                let is_held = |run: &Run| held.pieces.iter().any(|piece| piece.contains(*run));
                let Some(run) = run.filter(|run| run.count > 0 && is_held(run)) else {
                    self.same("a free of no part", &answer, &Answer::NothingToFree);
                    return;
                };
                if !self.promises.partial_free && !held.pieces.contains(&run) {
                    let right = Answer::FreeRefused(FreeError::Mismatch);
                    self.same("a free of a part", &answer, &right);
                    return;
                }
                Some(run)
            }
        };
        self.same("a free", &answer, &Answer::Freed(run.unwrap_or(held.pieces[0])));
        self.reached.parts += u64::from(run.is_some_and(|run| !held.pieces.contains(&run)));
        self.course.freed(id, run);
        for run in run.map_or(held.pieces, |run| vec![run]) {
            self.reference.clear(run);
            if let Some((bitmaps, ..)) = &mut self.kernel {
                bitmaps.release(run);
            }
        }
    }

    /// The model and the policy's list against what is true after an op.
    fn state(&self, align: u32) {
        let (model, free) = (self.witness.model(), self.reference.free_pages());
        let live = self.course.pages();
        self.same("free pages", &model.free_pages(), &free);
        self.same("live pages", &model.live_pages(), &live);
        self.same("available pages", &model.available_pages(), &(self.area_pages - live));
        let padding = self.reference.unheld_pages(self.course.pieces());
        self.same("padding", &model.padding_pages(), &padding);
        self.same("live buffers", &model.buffers(), &self.course.held.len());
        self.same("the longest run", &model.longest_run(), &self.reference.longest_run());
        for order in ORDERS.into_iter().chain([align]) {
            let (got, right) = (model.longest_usable(order), self.reference.longest_usable(order));
            self.same(&format!("the longest usable run of order {order}"), &got, &right);
        }
        let (shown, true_runs) = (self.free_runs(), self.reference.free_runs());
        let places: Vec<_> = shown.iter().map(|run| self.reference.place(run.pfn)).collect();
        if !places.is_sorted_by(|one, next| one < next) {
            self.wrong(&format!("free runs {shown:?} are out of order"));
        }
        for run in &shown {
            if !true_runs.iter().any(|free| free.contains(*run)) {
                self.wrong(&format!("free run {run} is not free; free are {true_runs:?}"));
            }
        }
        let sum: u64 = shown.iter().map(|run| run.count).sum();
        if self.promises.tight && sum != free {
            self.wrong(&format!("it shows {sum} free pages, {free} are; it withholds nothing"));
        }
    }

    /// What remains at the end.
    pub(super) fn end(mut self) -> Reached {
        if let Err(violation) = self.witness.finish() {
            panic!("policy {}: {violation}", self.spec);
        }
        self.meter.finish(self.ops);
        tally::check(&self.reached, &self.meter);
        self.reached
    }
}
