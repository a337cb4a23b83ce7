//! Failures made by hand.

use std::sync::Arc;

use cma_policies::Run;

use super::{Groups, Report};
use crate::diagnose::{
    AlignFrom, AreaState, Confidence, Diagnosis, Era, Failure, Hole, Incident, Known, Options,
    RangeState, Reported, Resident, judge,
};
use crate::ingest::log::{FreeRuns, RangeRuns, Shape};

pub(super) fn state(total: Option<u64>, complete: bool, holes: &[(u64, u64)]) -> AreaState {
    let holes = holes.iter().map(|(count, start)| Hole { start: *start, count: *count });
    let range = RangeState { number: 0, base_pfn: None, pages: total, holes: holes.collect() };
    AreaState {
        name: Some("linux,cma".into()),
        ranges: vec![range],
        order_per_bit: 0,
        total,
        free: None,
        available: None,
        longest: None,
        shown: None,
        complete,
        placed: true,
        known: Known::List,
        live: None::<Vec<Run>>,
        asked: Default::default(),
    }
}

/// 300 pages at order 8 in an area of 2048 pages: 500 are free from 513 on, which end at 1013.
pub(super) fn misaligned() -> Failure {
    let runs = [(255, 257), (500, 513), (100, 1500)];
    let ranges = vec![RangeRuns { range: 0, runs: runs.to_vec() }];
    let (free, total) = (Some(855), Some(2048));
    let list = FreeRuns { ranges, free, total, head: true, ..FreeRuns::default() };
    let incident = Incident {
        line: 7,
        time_us: Some(12_345_678),
        era: Era { name: Some("5.12-6.11".into()), flipped: Some(false), ..Era::default() },
        area: Some("linux,cma".into()),
        count: Some(300),
        ret: Some(-12),
        align: Some((8, AlignFrom::Trace)),
        busy_retries: Some(0),
        tried: Some(false),
        list: Some(Arc::new(list)),
        state: Some(Arc::new(state(total, true, &runs))),
        ..Incident::new("a.log".into(), Reported::Line(Shape::Named))
    };
    judge(incident, &Options::default())
}

/// The same failure with another incident.
pub(super) fn with(failure: &Failure, change: impl FnOnce(&mut Incident)) -> Failure {
    let mut incident = Incident::clone(&failure.incident);
    change(&mut incident);
    Failure { incident: Arc::new(incident), ..failure.clone() }
}

/// A page, and nothing that says why.
pub(super) fn undecidable() -> Failure {
    let incident = Incident {
        line: 9,
        count: Some(1),
        ret: Some(-12),
        ..misaligned().incident.as_ref().clone()
    };
    let known = Incident { tried: None, align: None, list: None, state: None, ..incident };
    let open = Incident { time_us: None, era: Era::default(), area: None, ..known };
    judge(open, &Options::default())
}

pub(super) fn diagnosis() -> Diagnosis {
    let resident = Resident {
        count: 257,
        align: 8,
        blocks: Some(2),
        stranded_pages: 510,
        confidence: Confidence::Likely,
        recoverable: vec![
            (7, 256),
            (6, 384),
            (5, 448),
            (4, 480),
            (3, 496),
            (2, 504),
            (1, 508),
            (0, 510),
        ],
    };
    let area = misaligned().incident.state.as_deref().cloned().unwrap();
    Diagnosis {
        failures: 2,
        areas: vec![area],
        residents: vec![vec![resident]],
        cap: 8,
        hidden: 0,
        suppressed: 0,
        cut: Vec::new(),
        free_blocks: Vec::new(),
        counters: Vec::new(),
        boot: crate::boot::Story::default(),
        lines: 1234,
        skipped_lines: 1,
        warnings: vec!["read a.log line 3: a number is cut".into()],
    }
}

/// What `write` writes of these failures.
pub(super) fn written(
    failures: &[Failure],
    diagnosis: &Diagnosis,
    write: impl FnOnce(&Report<'_>, &mut Vec<u8>) -> std::io::Result<()>,
) -> String {
    let mut groups = Groups::default();
    failures.iter().for_each(|failure| groups.push(failure));
    let mut out = Vec::new();
    write(&Report::new(&groups, diagnosis), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
