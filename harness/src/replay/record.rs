//! What came out of a run, as a recording.

use std::io::{self, Write};

use super::Under;
use super::expect::answered;
use crate::ingest::{Paged, Recorded, RecordingWriter};
use crate::kernel::Sign;
use crate::oracle::Model;
use crate::page::Page;
use crate::simulate::{Answer, Observer, Step};

/// The state is written at every failure and at every so many ops.
const STATE_EVERY: u64 = 100;

/// Writes every step as a row of a recording. Errors are kept for [`Recorder::end`].
pub struct Recorder<'a, W: Write> {
    under: &'a Under<'a>,
    out: Option<W>,
    writer: Option<RecordingWriter<W>>,
    failed: Option<io::Error>,
    paged: Paged,
    /// Rows so far.
    rows: u64,
}

impl<'a, W: Write> Recorder<'a, W> {
    /// Records to `out`.
    pub const fn new(under: &'a Under<'a>, out: W) -> Self {
        Self {
            under,
            out: Some(out),
            writer: None,
            failed: None,
            paged: Paged { page: Page::Kib4, by: None },
            rows: 0,
        }
    }

    /// The same of what has pages of this size: the header says so, where it is stated.
    pub fn with_pages(self, paged: Paged) -> Self {
        Self { paged, ..self }
    }

    /// Writes what is left, and says what went wrong with the output, if anything did.
    ///
    /// # Errors
    /// That.
    pub fn end(self) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None => self.writer.map_or(Ok(()), RecordingWriter::finish),
        }
    }

    fn write(&mut self, step: &Step<'_>) -> io::Result<()> {
        if let Some(out) = self.out.take() {
            let (kernel, cap) = (self.under.kernel.name.to_string(), self.under.cap.to_string());
            let policy = self.under.policy.to_string();
            let mut pairs = vec![("kernel", kernel), ("cap", cap), ("policy", policy)];
            pairs.extend(self.paged.pair());
            self.writer = Some(RecordingWriter::new(out, step.model.area(), &pairs)?);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let idx = self.rows;
        self.rows += 1;
        writer.write(idx, step.op, &recorded(self.under, step))
    }
}

impl<W: Write> Observer for Recorder<'_, W> {
    /// What was live before is part of the recording, which needs nothing else.
    fn warm_up(&mut self, step: &Step<'_>) {
        self.step(step);
    }

    fn step(&mut self, step: &Step<'_>) {
        if self.failed.is_none() {
            self.failed = self.write(step).err();
        }
    }
}

/// The row's answers.
fn recorded(under: &Under<'_>, step: &Step<'_>) -> Recorded {
    let model: &Model = step.model;
    let got = answered(under, step);
    let failed = matches!(step.answer, Answer::Refused(_));
    let state = failed || step.index.is_multiple_of(STATE_EVERY);
    Recorded {
        result: got.result.ok(),
        retries: step.outcome.map(|_| got.retries),
        free: state.then(|| model.free_pages()),
        maxrun: state.then(|| model.longest_run()),
        refused_at: got.refused_at,
        available: (state && under.kernel.shows(Sign::CountersOfPages))
            .then(|| model.available_pages()),
        pid: None,
    }
}
