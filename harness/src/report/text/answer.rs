//! What comes first: what to choose, how sure that is, and what size it takes.

use std::io::{self, Write};

use super::{WIDTH, lines, percent};
use crate::answer::{Choice, Findings, Scope, Sizing};
use crate::report::page::capital;
use crate::report::words::{
    callers_are, covers, need, not_reproduced, notes, on_boards, other_fits, pages_are, sentence,
};
use crate::stats::Interval;
use crate::sweep::{Load, Ready};
use crate::words::{mib, table::aligned, table::folded};

/// How lines below an answer begin.
const SUB: (&str, &str) = ("  ", "    ");
/// Streams and LOADs of which the choice is shown, and ladders of sizes.
const SHOWN: usize = 12;

/// Writes the answer, in as few lines as it takes.
pub(super) fn write(
    ready: &Ready,
    findings: &Findings,
    bold: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (on, off) = if bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let said = |choice: &Choice| sentence(ready, &findings.summary, choice);
    let unlike = not_reproduced(ready);
    for said in &unlike {
        lines(out, &format!("{on}{said}{off}."), ("", "    "))?;
    }
    let taken = taken(ready, findings);
    if let Some(headline) = &findings.headline {
        let all = match findings.choices.len() {
            ..=1 => "",
            _ => " for every stream, each alone on its board",
        };
        let said = format!("{on}The answer{all}{off}: {}", said(headline));
        lines(out, &said, ("", "    "))?;
        for said in &taken {
            lines(out, &format!("{said}."), SUB)?;
        }
        if let Some(chosen) = headline.best() {
            let needs: Vec<_> = chosen.needs.iter().map(need).collect();
            lines(out, &format!("it needs: {}", needs.join("; ")), SUB)?;
        }
        for note in notes(ready, headline) {
            lines(out, &note, SUB)?;
        }
    }
    let on_boards = |choice: &&Choice| choice.ranked.iter().any(|one| one.board.is_some());
    let each: Vec<_> = findings.choices.iter().filter(on_boards).collect();
    if each.len() > 1 {
        for choice in each.iter().take(SHOWN) {
            lines(out, &format!("{}: {}", scope(ready, choice.scope), said(choice)), SUB)?;
        }
        if each.len() > SHOWN {
            writeln!(out, "  and {} more streams and LOADs", each.len() - SHOWN)?;
        }
    }
    if findings.headline.is_none() {
        for said in &taken {
            lines(out, &format!("{said}."), ("", "    "))?;
        }
    }
    if findings.headline.is_some() || taken.len() + unlike.len() > 0 {
        writeln!(out)?;
    }
    write_sizing(ready, findings, bold, out)
}

/// What the answer rests on: how large pages are, who asks, which fits fail as their files did.
fn taken(ready: &Ready, findings: &Findings) -> Vec<String> {
    let pages = pages_are(ready, findings.headline.as_ref());
    let callers = callers_are(ready, &findings.summary).map(|said| capital(&said));
    pages.into_iter().chain(callers).chain(other_fits(ready)).collect()
}

/// A stream at a LOAD, in words.
fn scope(ready: &Ready, scope: Scope) -> String {
    let plan = &ready.plan;
    let Scope::One { stream, load, environment } = scope else { return "all".to_string() };
    let its = &plan.streams[stream];
    let load = load.map(|load| match its.loads[load] {
        Load::Share(share) => format!(", LOAD {} of the area", percent(share)),
        Load::Pages(pages) => format!(", LOAD {}", mib(pages, plan.page)),
    });
    let pages = (plan.environments.len() > 1)
        .then(|| format!(", pages {}", plan.environments[environment]));
    format!("{}{}{}", its.name(), load.unwrap_or_default(), pages.unwrap_or_default())
}

/// The sizes that the same LOAD takes, under the policy of the kernel.
fn write_sizing(
    ready: &Ready,
    findings: &Findings,
    bold: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let baseline = findings.summary.baseline;
    let shown: Vec<_> =
        findings.sizing.iter().filter(|one| baseline.is_none_or(|b| one.policy == b)).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let (on, off) = if bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    writeln!(out, "{on}The least area / LOAD from which on no request fails{off}, of those tried")?;
    let mut streams: Vec<_> = shown.iter().take(SHOWN).map(|one| one.stream).collect();
    streams.dedup();
    for stream in streams {
        let rows = findings.summary.rows.iter();
        let rows: Vec<_> = rows.filter(|row| row.at.stream == stream && row.streams > 0).collect();
        let name = ready.plan.streams[stream].name();
        lines(out, &format!("{name}: {}", covers(ready, &rows)), SUB)?;
    }
    let head = ["cap", "stream", "policy", "median", "95 % of streams", "certified", "anomalies"];
    let mut table = vec![head.map(String::from)];
    table.extend(shown.iter().take(SHOWN).map(|one| sizing_row(ready, one)));
    let table = folded(&table, WIDTH - 2, &[1]);
    aligned(out, "  ", &table, |column| column == 0)?;
    if findings.sizing.len() > shown.len().min(SHOWN) {
        writeln!(out, "  all of them: sizing.csv")?;
    }
    writeln!(out)
}

fn sizing_row(ready: &Ready, one: &Sizing) -> [String; 7] {
    let plan = &ready.plan;
    let at = Scope::One { stream: one.stream, load: one.load, environment: one.environment };
    let least = &one.least;
    let most = one.sizes.last().map_or(0.0, |size| size.per_load);
    let or = |value: Option<f64>, none: String| value.map_or(none, |value| format!("{value:.2}"));
    let with = |middle: Option<f64>, interval: &Interval, percent: u64| {
        let bound = if least.is_at_most(percent) { "<= " } else { "" };
        let high = or(interval.high, "?".to_string());
        let ends = interval.low.map(|low| format!(" ({low:.2}-{high})")).unwrap_or_default();
        format!("{bound}{}{ends}", or(middle, format!("> {most:.2}")))
    };
    [
        plan.caps[one.cap].to_string(),
        scope(ready, at) + &on_boards(ready, one),
        plan.policies[one.policy].to_string(),
        with(least.median, &least.median_interval, 50),
        match least.streams {
            1 => "one stream".to_string(),
            _ => with(least.quantile_95, &least.quantile_95_interval, 95),
        },
        one.certified_per_load.map_or_else(|| "-".to_string(), |bound| format!("{bound:.0}")),
        one.anomalies.to_string(),
    ]
}
