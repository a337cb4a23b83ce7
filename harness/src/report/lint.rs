//! What the rules of `lint` found, as text, JSON, CSV and SARIF.

mod sarif;

use std::io::{self, Write};

use serde_json::{Value, json};

pub use sarif::sarif;

use super::plain::{clean, counted};
use crate::lint::{Area, Finding, Place, Report, Rule, Severity, size};
use crate::program::named;
use crate::words::wrapped;

/// The width of the text.
const WIDTH: usize = 100;

/// Every severity, the worst first.
const ALL: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

/// `board.dts:12`, or as much of it as is known, then the node.
fn place(place: &Place) -> String {
    let mut text = clean(&place.file);
    if let Some(line) = place.line {
        text += &format!(":{line}");
    }
    match (&place.node, &place.property) {
        (Some(node), Some(property)) => text + &format!(": {} {}", clean(node), clean(property)),
        (Some(node), None) => text + &format!(": {}", clean(node)),
        _ => text,
    }
}

/// `1 error, 2 warnings`.
fn counts(report: &Report) -> String {
    let all = ALL.map(|severity| (severity, report.count(severity)));
    let parts = all.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<_> =
        parts.map(|(severity, count)| counted(*count as u64, severity.name())).collect();
    if parts.is_empty() { "nothing is wrong".to_string() } else { parts.join(", ") }
}

/// What becomes of an area, in words.
fn outcome(area: &Area) -> &'static str {
    match area.outcome {
        "not_placed" => "not placed",
        "refused" => "refused",
        "no_match" => "no area",
        "bypassed" => "dropped for cma=",
        "beaten_by_node" => "ignored, a node counts",
        "dma_pool" => "no CMA area, its devices' own",
        "dead" => "cannot be used",
        "not_default" => "placed, not the default area",
        "off" => "none is wanted",
        other => other,
    }
}

fn mib(bytes: Option<u64>) -> String {
    bytes.map_or("?".to_string(), size)
}

/// For people: what is wrong, the worst first; then what this kernel makes of each area, and what
/// was taken to be so.
///
/// # Errors
/// Where the output takes no more.
pub fn text(report: &Report, color: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", counts(report))?;
    for finding in &report.findings {
        writeln!(out)?;
        one(finding, color, out)?;
    }
    if !report.areas.is_empty() {
        writeln!(out, "\nwhat this kernel makes of each area that is asked for:")?;
        let mut rows = vec![["area", "asked by", "asks for", "becomes", "rule"].map(String::from)];
        rows.extend(report.areas.iter().map(|area| {
            let has = if area.outcome == "placed" && area.bytes != area.asked_bytes {
                format!("placed, {}", mib(area.bytes))
            } else {
                outcome(area).to_string()
            };
            let asked = mib(area.asked_bytes);
            let rule = area.rule.unwrap_or_default().to_string();
            [clean(&area.name), area.asker.name().to_string(), asked, has, rule]
        }));
        write!(out, "{}", aligned(&rows))?;
    }
    for taken in &report.taken {
        let lines = wrapped(taken, WIDTH, ("taken: ", "       "));
        writeln!(
            out,
            "{}{}",
            if Some(taken) == report.taken.first() { "\n" } else { "" },
            lines.join("\n")
        )?;
    }
    Ok(())
}

fn aligned(rows: &[[String; 5]]) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn one(finding: &Finding, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let code = match finding.severity {
        Severity::Error => "31",
        Severity::Warning => "33",
        Severity::Note => "36",
    };
    let name = finding.severity.name();
    let name = if color { format!("\x1b[1;{code}m{name}\x1b[0m") } else { name.to_string() };
    writeln!(out, "{}: {name} [{}]", place(&finding.place), finding.rule.name)?;
    let rule = finding.rule;
    let source = format!("{}; releases: {}", rule.source, rule.releases);
    for (head, text) in
        [("", &finding.message), ("remedy: ", &finding.remedy), ("kernel: ", &source)]
    {
        let first = format!("  {head}");
        let next = " ".repeat(first.len());
        for line in wrapped(&clean(text), WIDTH, (&first, &next)) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// One object: findings, areas, what was taken to be so.
pub fn json(report: &Report) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "rule": finding.rule.name,
            "severity": finding.severity.name(),
            "file": &*finding.place.file,
            "line": finding.place.line,
            "node": finding.place.node,
            "property": finding.place.property,
            "message": finding.message,
            "remedy": finding.remedy,
            "source": finding.rule.source,
            "releases": finding.rule.releases,
        })
    };
    let area = |area: &Area| {
        json!({
            "name": area.name,
            "asked_by": area.asker.name(),
            "default": area.default,
            "asked_bytes": area.asked_bytes,
            "bytes": area.bytes,
            "outcome": area.outcome,
            "rule": area.rule,
        })
    };
    json!({
        "schema": 1,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "notes": report.count(Severity::Note),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "areas": report.areas.iter().map(area).collect::<Vec<_>>(),
        "taken": report.taken,
    })
}

/// The names of the columns, and a row for each finding.
pub fn csv(report: &Report) -> (String, Vec<Vec<String>>) {
    let row = |finding: &Finding| {
        let place = &finding.place;
        vec![
            finding.severity.name().to_string(),
            finding.rule.name.to_string(),
            place.file.to_string(),
            place.line.map_or(String::new(), |line| line.to_string()),
            place.node.clone().unwrap_or_default(),
            place.property.clone().unwrap_or_default(),
            finding.message.clone(),
            finding.remedy.clone(),
        ]
    };
    let head = "severity,rule,file,line,node,property,message,remedy";
    (head.to_string(), report.findings.iter().map(row).collect())
}

/// All of a rule, with its examples.
///
/// # Errors
/// Where the output takes no more.
pub fn explain(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} ({})", rule.name, rule.severity.name())?;
    let parts = [
        ("", rule.about),
        ("remedy: ", &named(rule.remedy)),
        ("kernel: ", rule.source),
        ("releases: ", rule.releases),
    ];
    for (head, text) in parts {
        let first = format!("  {head}");
        let next = " ".repeat(first.len());
        writeln!(out, "{}", wrapped(text, WIDTH, (&first, &next)).join("\n"))?;
    }
    for (head, example) in [("found in", &rule.fails), ("not in", &rule.passes)] {
        writeln!(out, "\n{head} (kernel {}):", example.kernel)?;
        for (what, text) in example.parts() {
            writeln!(out, "  {what}:")?;
            for line in text.lines() {
                writeln!(out, "    {line}")?;
            }
        }
    }
    Ok(())
}
