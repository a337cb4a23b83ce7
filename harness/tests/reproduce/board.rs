//! A first-fit area, and what happens in it as kernel 7.3 prints it.

use std::fmt::Write;

use cma_harness::ingest::Source;
use cma_harness::policies::{Area, Pfn, Policy, Quiet, Request, Run, builtin, dma_align};
use cma_harness::workload::fit::Recorded;

/// Pages of an area begin here.
pub(crate) const BASE: u64 = 0x40000;

/// Who acts: a name and a pid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) pid: u32,
}

impl Task {
    pub(crate) fn new(name: &str, pid: u32) -> Self {
        Self { name: name.to_string(), pid }
    }
}

/// The text of a trace.
pub(crate) struct Print {
    text: String,
    /// Pages of the area, and those that are free.
    pages: u64,
    free_pages: u64,
    /// When the last event was, in microseconds.
    pub(crate) last_us: u64,
}

impl Print {
    pub(crate) fn new(pages: u64, free_pages: u64) -> Self {
        Self { text: "# tracer: nop\n#\n".to_string(), pages, free_pages, last_us: 0 }
    }

    fn line(&mut self, at_us: u64, task: &Task, event: &str) {
        // No two events happen at one moment.
        self.last_us = at_us.max(self.last_us + 1);
        let (seconds, us) = (self.last_us / 1_000_000, self.last_us % 1_000_000);
        let Task { name, pid } = task;
        writeln!(self.text, "{name:>16}-{pid:<7} [000] ..... {seconds:>5}.{us:06}: {event}")
            .unwrap();
    }

    /// A call for `count` pages, and where they are.
    pub(crate) fn ask(
        &mut self,
        at_us: u64,
        task: &Task,
        (count, align): (u64, u32),
        at: Option<Pfn>,
    ) {
        let (free, all) = (self.free_pages, self.pages);
        self.line(
            at_us,
            task,
            &format!(
                "cma_alloc_start: name=pool request_count={count} available_count={free} \
             total_count={all} align={align}"
            ),
        );
        let (pfn, page, errno) = at.map_or((0, 0, -16), |Pfn(pfn)| (pfn, pfn, 0));
        self.line(
            at_us + 9,
            task,
            &format!(
                "cma_alloc_finish: name=pool pfn={pfn:#x} page={page:016x} count={count} \
             align={align} errorno={errno}"
            ),
        );
        self.free_pages -= at.map_or(0, |_| count);
    }

    /// These pages go back.
    pub(crate) fn back(&mut self, at_us: u64, task: &Task, run: Run) {
        let Run { pfn: Pfn(pfn), count } = run;
        self.free_pages += count;
        self.line(
            at_us,
            task,
            &format!("cma_release: name=pool pfn={pfn:#x} page={pfn:016x} count={count}"),
        );
    }

    pub(crate) fn source(self) -> Source {
        Source::bytes("trace.txt", self.text.into_bytes())
    }
}

/// The area, under the policy of the kernel.
pub(crate) struct Board {
    kernel: Box<dyn Policy>,
    /// The cap of the order that is asked for.
    cap: u32,
    pub(crate) now_us: u64,
    pub(crate) print: Print,
    pub(crate) recorded: Recorded,
}

impl Board {
    /// An area of so many pages, of which the first `before` are taken.
    pub(crate) fn new(pages: u64, cap: u32, before: u64) -> Self {
        let area = Area::single(BASE, pages, 0).unwrap();
        let mut kernel = builtin::catalog().parse("kernel").unwrap().build(area).unwrap();
        if before > 0 {
            kernel.alloc(Request::new(before, 0).unwrap(), &mut Quiet).unwrap();
        }
        let print = Print::new(pages, pages - before);
        Self { kernel, cap, now_us: 0, print, recorded: Recorded::default() }
    }

    /// A task asks for pages.
    pub(crate) fn ask(&mut self, task: &Task, count: u64) -> Option<Run> {
        let align = dma_align(count, self.cap);
        let got = self.kernel.alloc(Request::new(count, align).unwrap(), &mut Quiet).ok();
        self.print.ask(self.now_us, task, (count, align), got);
        self.recorded.note(self.now_us, count, got.is_none());
        got.map(|pfn| Run { pfn, count })
    }

    /// A task gives pages back.
    pub(crate) fn back(&mut self, task: &Task, run: Run) {
        self.kernel.free(run).unwrap();
        self.print.back(self.now_us, task, run);
    }
}
