//! A board: an area under the kernel's policy, and the lines that its calls leave.

use cma_harness::cause::Cause;
use cma_harness::seed::Draws;
use cma_policies::{Area, Claim, ClaimError, Policy, Request, Run, builtin};

use crate::release::{Asked, Bits, Ended, Listed, Release};

/// Who prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Task {
    pub(crate) cpu: u32,
    pub(crate) comm: &'static str,
    pub(crate) pid: u32,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Failure,
    /// A record of a list: its number, and how many there are.
    List(usize, usize),
    /// An empty record inside a list.
    Blank,
    Debug,
    /// A driver that says that it got nothing, of a call of which the kernel says nothing.
    Driver,
    /// Whatever else a board says.
    Chatter,
}

/// A record of the kernel's log, or an event.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at_us: u64,
    pub(crate) task: Task,
    pub(crate) text: String,
    /// The failure that it belongs to.
    pub(crate) of: Option<usize>,
    pub(crate) part: Part,
}

/// What is true of a failure.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) cause: Cause,
    /// A second answer that is as good: the last pass of a vendor's search and the ones before it.
    pub(crate) also: Option<Cause>,
    pub(crate) area: &'static str,
    pub(crate) asked: Asked,
    pub(crate) ret: i32,
    pub(crate) free: u64,
    pub(crate) total: u64,
    pub(crate) largest_run: u64,
    pub(crate) order_per_bit: u32,
    /// The base of its area is a multiple of 2^this.
    pub(crate) base_order: u32,
    /// A driver says that it got nothing.
    pub(crate) reported: bool,
}

/// What a board shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shows {
    pub(crate) list: bool,
    pub(crate) debug: bool,
    pub(crate) trace: bool,
    /// From the first call on, not only about the failures.
    pub(crate) from_start: bool,
    /// Failure lines before the rate limit hides them.
    pub(crate) burst: u64,
    /// What the boot and `/proc/meminfo` say of all areas together. Of two boards that are made one
    /// neither knows that.
    pub(crate) sums: bool,
}

/// How the claims of a call end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// The first so many are busy, then one succeeds.
    BusyThenFree(u64),
    Busy,
    /// The first so many are busy, then one ends like this.
    BusyThen(u64, ClaimError),
}

struct Pages {
    fate: Fate,
    tried: Vec<Run>,
    last: Option<ClaimError>,
}

impl Claim for Pages {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        let before = self.tried.len() as u64;
        self.tried.push(run);
        let end = match self.fate {
            Fate::Busy => Err(ClaimError::Busy),
            Fate::BusyThenFree(busy) | Fate::BusyThen(busy, _) if before < busy => {
                Err(ClaimError::Busy)
            }
            Fate::BusyThenFree(_) => Ok(()),
            Fate::BusyThen(_, error) => Err(error),
        };
        self.last = end.err();
        end
    }

    fn pause(&mut self, _: u64) -> Result<(), ClaimError> {
        self.last = None;
        Ok(())
    }
}

/// An area and its clients.
pub(crate) struct Board {
    pub(crate) release: Release,
    pub(crate) name: &'static str,
    pub(crate) area: Area,
    pub(crate) shows: Shows,
    pub(crate) live: Vec<Run>,
    pub(crate) lines: Vec<Line>,
    pub(crate) events: Vec<Line>,
    pub(crate) truths: Vec<Truth>,
    pub(crate) now_us: u64,
    /// Failure lines that were hidden.
    pub(crate) hidden: u64,
    /// Claims of the next failing call that were busy in a vendor's first pass; while it slept,
    /// others took what was free.
    pub(crate) lost: usize,
    /// Pages of another area, in which nothing fails.
    pub(crate) other_area: u64,
    policy: Box<dyn Policy>,
    /// `available_count`: what is left of all pages after what was asked for.
    available: u64,
}

impl Board {
    pub(crate) fn new(release: Release, name: &'static str, area: Area, shows: Shows) -> Self {
        let row = if release.is_android() { "android" } else { "6.12" };
        let spec = builtin::catalog().parse(&format!("kernel:row={row}")).expect("a row");
        let policy = spec.build(area.clone()).expect("an area");
        let available = area.pages();
        Self {
            release,
            name,
            area,
            shows,
            live: Vec::new(),
            lines: Vec::new(),
            events: Vec::new(),
            truths: Vec::new(),
            now_us: 0,
            hidden: 0,
            lost: 0,
            other_area: 0,
            policy,
            available,
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.area.pages()
    }

    /// The free runs, in pfns.
    pub(crate) fn holes(&self) -> Vec<Run> {
        let mut holes = Vec::new();
        self.policy.free_runs(&mut |run| holes.push(run));
        holes
    }

    pub(crate) fn free(&self) -> u64 {
        self.holes().iter().map(|hole| hole.count).sum()
    }

    /// What a request is held against before the bitmap is looked at: pages by the count of the
    /// area where it has one, else what is free.
    pub(crate) fn left(&self) -> u64 {
        if self.release.from(6, 15) { self.available } else { self.free() }
    }

    pub(crate) fn largest_run(&self) -> u64 {
        self.holes().iter().map(|hole| hole.count).max().unwrap_or(0)
    }

    /// The largest request at this order that has a place, page by page.
    pub(crate) fn largest_usable(&self, align: u32) -> u64 {
        let granule = 1 << self.area.order_per_bit();
        let unit = (1u64 << align).max(granule);
        let usable = |hole: &Run| {
            let range = self.area.ranges()[self.area.range_of(*hole).expect("a hole")];
            let mut pfn = hole.pfn.0;
            // Granules are counted from the base; what is aligned, from page 0.
            while pfn < hole.pfn.0 + hole.count {
                let bit_end = (pfn - range.pfn.0).is_multiple_of(granule);
                if bit_end && (pfn.is_multiple_of(unit) || unit == granule) {
                    return hole.pfn.0 + hole.count - pfn;
                }
                pfn += 1;
            }
            0
        };
        self.holes().iter().map(usable).max().unwrap_or(0)
    }

    fn say(&mut self, task: Task, text: String, of: Option<usize>, part: Part) {
        self.now_us += 7 + text.len() as u64 % 60;
        self.lines.push(Line { at_us: self.now_us, task, text, of, part });
    }

    fn debug(&mut self, shown: bool, task: Task, text: String, of: Option<usize>) {
        if shown && self.shows.debug {
            self.say(task, text, of, Part::Debug);
        }
    }

    fn event(&mut self, shown: bool, task: Task, text: Option<String>, of: Option<usize>) {
        if let (true, true, Some(text)) = (shown, self.shows.trace, text) {
            self.now_us += 5;
            let part = Part::Debug;
            self.events.push(Line { at_us: self.now_us, task, text, of, part });
        }
    }

    /// A line of something else.
    pub(crate) fn chat(&mut self, task: Task, text: String) {
        self.say(task, text, None, Part::Chatter);
    }

    /// A call for more than the area has, up to 6.14: `cma_alloc()` returns before its line, and the
    /// driver is alone to say so.
    pub(crate) fn refuse_silently(&mut self, task: Task, asked: Asked, driver: String) {
        let of = Some(self.truths.len());
        self.truths.push(Truth { reported: true, ..self.truth(asked, -12, Cause::TooLarge) });
        self.say(task, driver, of, Part::Driver);
        self.wait(700);
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, us: u64) {
        self.now_us += us;
    }

    /// A call that is granted, or not even that matters: what fills an area.
    pub(crate) fn quietly(&mut self, count: u64, align: u32) -> bool {
        let Ok(request) = Request::new(count, align) else { return false };
        let mut pages = Pages { fate: Fate::BusyThenFree(0), tried: Vec::new(), last: None };
        let shown = self.shows.from_start;
        let task = Task { cpu: 0, comm: "weston", pid: 412 };
        let Ok(pfn) = self.policy.alloc(request, &mut pages) else { return false };
        self.granted(shown, task, Asked { count, align }, pfn.0, &[]);
        true
    }

    /// A call that is granted after so many busy claims, and shown.
    pub(crate) fn alloc(&mut self, task: Task, count: u64, align: u32, busy: u64) -> bool {
        let Ok(request) = Request::new(count, align) else { return false };
        let mut pages = Pages { fate: Fate::BusyThenFree(busy), tried: Vec::new(), last: None };
        let Ok(pfn) = self.policy.alloc(request, &mut pages) else { return false };
        pages.tried.pop();
        self.granted(true, task, Asked { count, align }, pfn.0, &pages.tried);
        true
    }

    fn granted(&mut self, shown: bool, task: Task, asked: Asked, pfn: u64, busy: &[Run]) {
        self.live.push(Run::new(pfn, asked.count));
        self.begin(shown, task, asked, None);
        self.busy(shown, task, asked, busy, None);
        self.available = self.available.saturating_sub(asked.count);
        let ended = Ended { granted: Some(pfn), last_tried: Some(pfn), ret: 0 };
        let event = self.release.event_end(self.name, asked, ended);
        self.event(shown, task, Some(event), None);
        self.debug(shown, task, self.release.debug_returned(Some(pfn)), None);
        self.wait(90);
    }

    /// Gives back the buffer at `index`.
    pub(crate) fn give_back(&mut self, shown: bool, task: Task, index: usize) {
        let run = self.live.swap_remove(index);
        self.policy.free(run).expect("it is live");
        self.available += run.count;
        self.debug(shown, task, self.release.debug_release(run.pfn.0, run.count), None);
        let event = self.release.event_release(self.name, run.pfn.0, run.count);
        self.event(shown, task, Some(event), None);
    }

    fn begin(&mut self, shown: bool, task: Task, asked: Asked, of: Option<usize>) {
        let event = self.release.event_start(self.name, asked, self.available, self.total());
        self.event(shown, task, event, of);
        self.debug(shown, task, self.release.debug_start(self.name, self.total(), asked), of);
    }

    fn busy(&mut self, shown: bool, task: Task, asked: Asked, busy: &[Run], of: Option<usize>) {
        for run in busy {
            let pfns = self.release.pfns_busy(run.pfn.0, run.count);
            // It needs no debug, but it is limited: where there is none, it is not shown.
            if let Some(pfns) = pfns.filter(|_| shown && self.shows.debug) {
                self.say(task, pfns, of, Part::Debug);
            }
            self.debug(shown, task, self.release.debug_busy(run.pfn.0), of);
            let event = self.release.event_busy(self.name, asked, run.pfn.0);
            self.event(shown, task, event, of);
        }
    }

    /// A call that fails, with everything that is printed; `false` where it would not.
    pub(crate) fn fail(&mut self, task: Task, asked: Asked, fate: Fate, cause: Cause) -> bool {
        let Asked { count, align } = asked;
        let Ok(request) = Request::new(count, align) else { return false };
        let mut pages = Pages { fate, tried: Vec::new(), last: None };
        match self.policy.alloc(request, &mut pages) {
            Ok(pfn) => {
                self.policy.free(Run { pfn, count }).expect("just granted");
                return false;
            }
            Err(_) if pages.tried.len() > 700 => return false,
            Err(_) => {}
        }
        // There were fewer places than were to be busy first.
        if matches!(fate, Fate::BusyThen(_, error) if pages.last != Some(error)) {
            return false;
        }
        let ret = match pages.last {
            None => self.release.unfound(),
            Some(ClaimError::Busy) => -16,
            Some(ClaimError::NoMemory) => -12,
            Some(ClaimError::Interrupted) => -4,
        };
        let of = Some(self.truths.len());
        self.truths.push(self.truth(asked, ret, cause));
        self.begin(true, task, asked, of);
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 && pages.tried.is_empty() {
            let taken = self.live.iter().rev().take(lost);
            pages.tried = taken.map(|run| Run { count, ..*run }).collect();
            self.truths.last_mut().expect("pushed").also = Some(Cause::Busy);
            pages.last = None;
        }
        let last = pages.tried.last().map(|run| run.pfn.0);
        let ended = pages.last.is_some_and(|error| error != ClaimError::Busy);
        let busy = &pages.tried[..pages.tried.len() - usize::from(ended)];
        self.busy(true, task, asked, busy, of);
        let event = self.release.event_end(
            self.name,
            asked,
            Ended { granted: None, last_tried: last, ret },
        );
        let late = self.release.from(6, 6);
        if !late {
            self.event(true, task, Some(event.clone()), of);
        }
        self.report(task, asked, ret, of);
        if late {
            self.event(true, task, Some(event), of);
        }
        self.debug(true, task, self.release.debug_returned(None), of);
        self.wait(700);
        true
    }

    fn truth(&self, asked: Asked, ret: i32, cause: Cause) -> Truth {
        let base = self.area.ranges().iter().fold(0, |all, range| all | range.pfn.0);
        let inside = cause == Cause::TooLarge && asked.count <= self.total();
        Truth {
            cause,
            // A list says how large the area is, not how large its ranges are.
            also: inside.then_some(if asked.count > self.left() {
                Cause::Exhausted
            } else {
                Cause::Fragmentation
            }),
            area: self.name,
            asked,
            ret,
            free: self.free(),
            total: self.total(),
            largest_run: self.largest_run(),
            order_per_bit: self.area.order_per_bit(),
            base_order: base.trailing_zeros(),
            reported: false,
        }
    }

    fn report(&mut self, task: Task, asked: Asked, ret: i32, of: Option<usize>) {
        if self.shows.burst > 0 {
            self.shows.burst -= 1;
            let line = self.release.failure(self.name, asked.count, ret);
            self.say(task, line, of, Part::Failure);
        } else {
            self.hidden += 1;
        }
        if self.shows.list {
            let records = self.listed().records(&self.release);
            let is_blank = |record: &String| record == "cma: ";
            let all = records.iter().filter(|record| !is_blank(record)).count();
            let mut index = 0;
            for record in records {
                if is_blank(&record) {
                    self.say(task, record, of, Part::Blank);
                } else {
                    self.say(task, record, of, Part::List(index, all));
                    index += 1;
                }
            }
        }
    }

    fn listed(&self) -> Listed {
        let order = self.area.order_per_bit();
        let holes = self.holes();
        let ranges = self.area.ranges().iter().enumerate();
        let ranges = ranges.map(|(index, range)| {
            let inside = holes.iter().filter(|hole| self.area.range_of(**hole) == Some(index));
            let bit = |hole: &Run| ((hole.pfn.0 - range.pfn.0) >> order, hole.count >> order);
            Bits { runs: inside.map(bit).collect(), bits: range.count >> order }
        });
        Listed {
            order_per_bit: order,
            ranges: ranges.collect(),
            available: self.available,
            total: self.total(),
        }
    }
}

/// Sizes that clients ask for.
pub(crate) fn size(draws: &mut Draws, mix: u64) -> u64 {
    const MEDIA: [u64; 14] = [16, 32, 64, 76, 128, 178, 257, 266, 300, 385, 765, 900, 1016, 2025];
    match mix {
        // One page more than a slot: what strands half of an area.
        0 => draws.between(250, 262),
        1 => *draws.pick(&MEDIA),
        2 => 1 << draws.below(9),
        3 => draws.between(1, 96),
        _ => 1 + (1 << draws.below(10)) * draws.between(1, 3) / 2,
    }
}
