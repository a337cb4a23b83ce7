//! `candidates.csv` and `curve.csv`: a row for each candidate, the best first, and one for each
//! size of the curves.

use std::io::{self, Write};

use super::Shown;
use super::figures::{Often, SCHEMA, meets, more_pages, stage, unit};
use super::words::changes;
use crate::recommend::{Candidate, Evidence, Found, Lever, Point, Task};
use crate::report::csv::header;
use crate::report::plain::clean;
use crate::words::csv::{optional, table};

/// Writes `candidates.csv`: its columns alone where nothing was searched.
///
/// # Errors
/// Where the output takes no more.
pub fn candidates(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let found = shown.advice.found.iter();
    let rows = found.flat_map(|found| (0..found.ranked.len()).map(|at| row(shown.task, found, at)));
    table(out, &header("candidates.csv"), rows)
}

/// Writes `curve.csv`, likewise.
///
/// # Errors
/// Where the output takes no more.
pub fn curve(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let points = shown.advice.found.iter().flat_map(|found| found.curves.iter().flatten());
    table(out, &header("curve.csv"), points.map(|at| point(shown.task, at)))
}

fn row(task: &Task, found: &Found, at: usize) -> Vec<String> {
    let one = &found.ranked[at];
    let config = &one.config;
    let pools = config.areas.iter().skip(1);
    let pools = pools.map(|pool| format!("{}:{}", pool.clients.join("+"), pool.pages));
    let mut fields = vec![
        SCHEMA.to_string(),
        (at + 1).to_string(),
        (found.chosen == Some(at)).to_string(),
        (found.smallest == Some(at)).to_string(),
        changes(&task.base, one),
        one.class().name().to_string(),
        config.pages().to_string(),
        optional(more_pages(task, one)),
        config.areas[0].pages.to_string(),
        clean(&pools.collect::<Vec<_>>().join(" ")),
        config.cap.to_string(),
        config.policy.to_string(),
        drivers(one),
        meets(one.verdict).to_string(),
        stage(one).to_string(),
    ];
    fields.extend(seen(task, one.evidence()));
    fields.push(one.anomalies.to_string());
    fields.push(task.base.ground.page.bytes().to_string());
    fields
}

/// What drivers and applications do otherwise.
fn drivers(one: &Candidate) -> String {
    let changed = one.levers.iter().filter_map(|lever| match lever {
        Lever::Driver(proposal) => Some(clean(&proposal.change.to_string())),
        _ => None,
    });
    changed.collect::<Vec<_>>().join("; ")
}

fn seen(task: &Task, evidence: &Evidence) -> [String; 9] {
    let often = Often::of(task, evidence);
    [
        optional(often.mtbf_us),
        optional(often.low_us),
        optional(often.high_us),
        evidence.failed.to_string(),
        evidence.streams.to_string(),
        often.at_risk_us.to_string(),
        evidence.fell_back.to_string(),
        evidence.ops.to_string(),
        unit(task).to_string(),
    ]
}

fn point(task: &Task, point: &Point) -> Vec<String> {
    let mut fields = vec![SCHEMA.to_string(), point.cap.to_string(), point.pages.to_string()];
    fields.extend(seen(task, &point.evidence));
    fields.push(task.base.ground.page.bytes().to_string());
    fields
}
