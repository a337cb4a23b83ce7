//! Streams made smaller: what is kept, what goes, and in which forms it comes out.

mod board;
mod cases;
mod cli;
mod law_example;
mod laws;
mod property;
mod regressions;

use std::path::{Path, PathBuf};

use cma_harness::environment;
use cma_harness::ingest::Source;
use cma_harness::kernel::Kernel;
use cma_harness::op::Op;
use cma_harness::reader::Options;
use cma_harness::replay::Under;
use cma_harness::seed::Seed;
use cma_harness::shrink::{Goal, Limits, Seen, Shrunk, Subject, find, shrink, write};
use cma_policies::{Spec, builtin};

const LIMITS: Limits = Limits { tries: Limits::TRIES, area: false, sizes: true };

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// What streams are run under.
struct Setup {
    policy: Spec,
    environment: environment::Spec,
    seed: Seed,
    cap: u32,
}

impl Setup {
    fn new(policy: &str, cap: u32) -> Self {
        Self::of(builtin::catalog().parse(policy).unwrap(), cap)
    }

    fn of(policy: Spec, cap: u32) -> Self {
        let environment = environment::Spec::parse("pinned").unwrap();
        Self { policy, environment, seed: Seed::new(0), cap }
    }

    fn under(&self) -> Under<'_> {
        let Self { policy, environment, seed, cap } = self;
        let kernel = Kernel::find("6.12").unwrap();
        Under { policy, environment, seed, kernel, cap: *cap }
    }

    fn read(&self, source: &Source) -> Subject {
        Subject::read(source, &Options::default(), self.cap, false, false).unwrap()
    }

    /// The goal that is to keep the first refusal with enough free pages.
    fn goal(&self, subject: &Subject) -> Option<Goal> {
        let (found, broken) = find(subject, &self.under(), 1 << 20).unwrap();
        assert_eq!(broken, None);
        let first = found.iter().find(|found| found.cause.is_withheld())?;
        Some(Goal::Refusal {
            cause: first.cause,
            free_pages: first.free_pages,
            area_pages: subject.area.pages(),
            tolerance_ppm: 0,
        })
    }

    fn shrunk(&self, subject: &Subject, goal: Goal, limits: Limits) -> Shrunk {
        shrink(subject, &self.under(), goal, limits, &mut |_| {}).unwrap()
    }

    /// The bytes of the file.
    fn written(&self, shrunk: &Shrunk) -> String {
        let mut out = Vec::new();
        write(&shrunk.subject, &self.under(), &[why(&shrunk.seen)], &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

fn why(seen: &Seen) -> String {
    match seen {
        Seen::Refused(refusal) => format!("{}: {}", refusal.cause, refusal.why),
        Seen::Broken(violation) => violation.to_string(),
    }
}

/// The stream without op `at`, and without its frees where it is an alloc.
fn without(subject: &Subject, at: usize) -> Subject {
    let mut subject = subject.clone();
    let removed = subject.items.remove(at);
    if let Op::Alloc { id, .. } = removed.timed.op {
        subject.items.retain(|item| !matches!(item.timed.op, Op::Free { id: it, .. } if it == id));
    }
    if let Op::Pin(run) = removed.timed.op {
        subject.items.retain(|item| item.timed.op != Op::Unpin(run));
    }
    subject
}

/// No single op can go.
fn assert_minimal(setup: &Setup, shrunk: &Shrunk, goal: Goal) {
    assert!(shrunk.is_smallest);
    for at in 0..shrunk.subject.items.len() {
        let fewer = without(&shrunk.subject, at);
        let seen = fewer.run(&setup.under(), goal).unwrap();
        assert_eq!(seen, None, "op {at} of {:#?}", shrunk.subject.items);
    }
}
