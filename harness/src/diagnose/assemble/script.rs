//! Records written by hand, for tests.

use std::sync::Arc;

use super::super::{Failure, Options, judge};
use super::Assembler;
use crate::ingest::log::{
    DebugfsFile, Found, FreeRuns, Origin, Page, RangeRuns, Record, Shape, Task,
};

/// The page number of a call that tried none.
pub(in crate::diagnose) const NO_PFN: Option<u64> = Some(u64::MAX);

/// A text, record by record.
pub(in crate::diagnose) struct Script {
    assembler: Assembler,
    line: u64,
    time_us: Option<u64>,
    task: Option<Task>,
}

impl Script {
    pub(in crate::diagnose) fn new() -> Self {
        Self::with(&Options::default())
    }

    pub(in crate::diagnose) fn with(options: &Options) -> Self {
        let mut assembler = Assembler::new(options);
        assembler.source("a.log");
        Self { assembler, line: 0, time_us: None, task: None }
    }

    /// Another source begins.
    pub(in crate::diagnose) fn source(mut self, name: &str) -> Self {
        self.assembler.source(name);
        (self.line, self.time_us, self.task) = (0, None, None);
        self
    }

    /// The next records are stamped so.
    pub(in crate::diagnose) fn at(mut self, time_us: u64) -> Self {
        self.time_us = Some(time_us);
        self
    }

    /// The next records are of this task.
    pub(in crate::diagnose) fn task(mut self, pid: u32) -> Self {
        self.task = Some(Task { comm: None, pid: Some(pid), cpu: None });
        self
    }

    /// Lines that say nothing.
    pub(in crate::diagnose) fn skip(mut self, lines: u64) -> Self {
        self.line += lines;
        self
    }

    pub(in crate::diagnose) fn say(mut self, record: Record) -> Self {
        self.line += 1;
        let (line, time_us, task) = (self.line, self.time_us, self.task.clone());
        self.assembler.push(Found { line, time_us, task, record });
        self
    }

    pub(in crate::diagnose) fn fail(self, shape: Shape, count: u64, ret: i32) -> Self {
        let area = (shape != Shape::Unnamed).then(|| Arc::from("reserved"));
        self.say(Record::Failed { shape, area, count, ret: Some(ret) })
    }

    /// A list of one range, whole.
    pub(in crate::diagnose) fn list(self, runs: &[(u64, u64)], total: u64) -> Self {
        self.say(Record::FreeRuns(whole(runs, total)))
    }

    pub(in crate::diagnose) fn start(self, origin: Origin, count: u64, align: u32) -> Self {
        let area = (origin == Origin::Trace).then(|| Arc::from("reserved"));
        let (available, total, vendor, named) = (None, None, false, false);
        self.say(Record::Start { origin, area, count, align, available, total, vendor, named })
    }

    pub(in crate::diagnose) fn busy(self, origin: Origin, pfn: Option<u64>) -> Self {
        let (area, page, count, align) = (None, None, None, None);
        self.say(Record::Busy { origin, area, pfn, page, count, align })
    }

    /// `returned …` of a debug line.
    pub(in crate::diagnose) fn returned(self, page: Page) -> Self {
        let (origin, area, pfn, count, align) = (Origin::Debug, None, None, None, None);
        let (errno, alone) = (None, false);
        self.say(Record::Finish { origin, area, page, pfn, count, align, errno, alone })
    }

    /// A finish event.
    pub(in crate::diagnose) fn finish(
        self,
        pfn: Option<u64>,
        asked: (u64, u32),
        errno: Option<i32>,
        page: Page,
    ) -> Self {
        let (count, align) = (Some(asked.0), Some(asked.1));
        let (origin, area, alone) = (Origin::Trace, Some(Arc::from("reserved")), false);
        self.say(Record::Finish { origin, area, page, pfn, count, align, errno, alone })
    }

    pub(in crate::diagnose) fn debugfs(self, file: DebugfsFile) -> Self {
        let area = Some(Arc::from("reserved"));
        self.say(Record::Debugfs { area, range: None, file })
    }

    pub(in crate::diagnose) fn kernel(self, release: &str) -> Self {
        self.say(Record::Kernel(Arc::from(release)))
    }

    /// What is said in the end, and what is strange.
    pub(in crate::diagnose) fn end(mut self) -> (Vec<Failure>, Vec<String>) {
        self.assembler.end();
        let mut failures = Vec::new();
        while let Some(incident) = self.assembler.next_incident() {
            failures.push(judge(incident, self.assembler.options()));
        }
        (failures, self.assembler.warnings())
    }

    pub(in crate::diagnose) fn failures(self) -> Vec<Failure> {
        self.end().0
    }

    /// The only failure.
    pub(in crate::diagnose) fn only(self) -> Failure {
        let mut failures = self.failures();
        assert_eq!(failures.len(), 1, "{failures:#?}");
        failures.remove(0)
    }

    /// The areas in the end.
    pub(in crate::diagnose) fn areas(mut self) -> Vec<super::AreaState> {
        self.assembler.end();
        self.assembler.into_areas()
    }

    /// The words for each verdict and how sure it is.
    pub(in crate::diagnose) fn words(self) -> Vec<String> {
        let word = |failure: &Failure| match failure.verdict {
            Some(_) => format!("{} {}", failure.verdict_name(), failure.confidence.name()),
            None => failure.verdict_name().to_string(),
        };
        self.failures().iter().map(word).collect()
    }
}

/// A whole list of one range.
pub(in crate::diagnose) fn whole(runs: &[(u64, u64)], total: u64) -> FreeRuns {
    FreeRuns {
        ranges: vec![RangeRuns { range: 0, runs: runs.to_vec() }],
        free: Some(runs.iter().map(|(pages, _)| pages).sum()),
        total: Some(total),
        head: true,
        ..FreeRuns::default()
    }
}
