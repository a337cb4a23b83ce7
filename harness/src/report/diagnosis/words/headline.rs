//! The first line: what it means comes first.

use super::super::board;
use super::super::groups::{Report, Shown};
use super::super::plain::{clean, counted};
use super::{aside, boot, bounds, group_line, hidden, occurrence, verdict, who, why};
use crate::diagnose::{Cut, Diagnosis};
use crate::words::pages;

/// The first line of all: how far was read, where that is not to the end, and the answer.
pub(in crate::report::diagnosis) fn first_line(report: &Report<'_>) -> String {
    match cut(report.diagnosis) {
        Some(cut) => format!("{cut}; up to there {}", headline(report)),
        None => headline(report),
    }
}

/// What could not be read to its end.
pub fn cut(diagnosis: &Diagnosis) -> Option<String> {
    let cut = |cut: &Cut| {
        format!("{} is cut or damaged after line {} ({})", clean(&cut.source), cut.lines, cut.why)
    };
    let all: Vec<_> = diagnosis.cut.iter().map(cut).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The answer to all of it.
fn headline(report: &Report<'_>) -> String {
    if let Some(burst) = hidden::headline(report) {
        return burst;
    }
    if report.groups.is_empty() {
        return without_failure(report.diagnosis);
    }
    let concerns = of_boot(report);
    if let ([shown], 0) = (report.groups.as_slice(), report.beyond) {
        return one(shown, concerns);
    }
    let at_boot = concerns.map_or_else(String::new, |text| format!("; at boot: {text}"));
    sums(report) + &at_boot
}

/// What the boot shows that concerns the first group of failures.
pub(in crate::report::diagnosis) fn of_boot(report: &Report<'_>) -> Option<String> {
    report.groups.first()?;
    boot::concerning(&report.diagnosis.boot, area(report))
}

/// The area of the first group.
pub(super) fn area<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    report.groups.first()?.group.first.incident.area.as_deref()
}

/// The answer where failures are alike. What nobody can decide does not come first where the boot
/// shows what concerns them.
fn one(shown: &Shown<'_>, of_boot: Option<String>) -> String {
    let failure = &shown.group.first;
    let Some(text) = of_boot else { return group_line(shown) };
    if failure.verdict.is_some() {
        return format!("{}; at boot: {text}", group_line(shown));
    }
    let count = failure.incident.count.map_or_else(|| "a request".to_string(), pages);
    let area = failure.incident.area.as_deref().map_or_else(String::new, |area| {
        let default = if area == "reserved" { ", the default one" } else { "" };
        format!(" in area {}{default}", clean(area))
    });
    let few = bounds::few(failure).map_or_else(String::new, |few| format!("; {few}"));
    format!(
        "{count} failed{area}: {text}{few}; why it failed there is undecidable: {} ({})",
        why(failure),
        occurrence(shown)
    )
}

/// The answer of a text without a failure.
fn without_failure(diagnosis: &Diagnosis) -> String {
    if let Some(hidden) = board::hidden(diagnosis) {
        return format!("no failure in this log, but {hidden}");
    }
    if let Some(trouble) = boot::trouble(&diagnosis.boot) {
        return format!("no failed CMA allocation, but {trouble}");
    }
    let doubt = boot::doubt(&diagnosis.boot);
    match (aside::headline(diagnosis), doubt) {
        (Some(headline), Some(doubt)) => format!("{headline}; at boot: {doubt}"),
        (Some(headline), None) => headline,
        (None, Some(doubt)) => format!("no failed CMA allocation, but {doubt}"),
        (None, None) => match boot::none(&diagnosis.boot).or_else(|| counted_failures(diagnosis)) {
            Some(none) => format!("no failed CMA allocation, but {none}"),
            None => "no failed CMA allocation in this log".to_string(),
        },
    }
}

/// What the counters say of failures of which the text has no line: `45 calls failed since boot
/// (cma_alloc_fail)`.
fn counted_failures(diagnosis: &Diagnosis) -> Option<String> {
    let sum = |name: &str| {
        let named = diagnosis.counters.iter().filter(|counter| &*counter.name == name);
        named.fold(0u64, |sum, counter| sum.saturating_add(counter.value))
    };
    let (calls, failed) = (sum("cma_alloc_fail"), sum("alloc_pages_fail"));
    let words = match (calls, failed) {
        (0, 0) => return None,
        (0, failed) => format!("requests for {} failed (alloc_pages_fail)", pages(failed)),
        (calls, 0) => format!("{} failed (cma_alloc_fail)", counted(calls, "call")),
        (calls, failed) => format!(
            "{} for {} failed, {} each on average (cma_alloc_fail, alloc_pages_fail)",
            counted(calls, "call"),
            pages(failed),
            failed / calls
        ),
    };
    Some(format!("since boot {words}, and the text has the line of none"))
}

/// The answer where failures differ.
fn sums(report: &Report<'_>) -> String {
    let all = report.groups.iter().all(|shown| !who::quiet(shown).is_empty());
    let none = all && report.diagnosis.half_reported == 0 && report.beyond == 0;
    let quiet = if none { "; no driver reported one" } else { "" };
    let failures = counted(report.failures, "failure");
    let mut verdicts: Vec<_> = report.groups.iter().map(|one| verdict(&one.group.first)).collect();
    verdicts.dedup();
    if let ([verdict], 0) = (verdicts.as_slice(), report.beyond) {
        return format!("{failures}, all {verdict}{quiet}");
    }
    let each = report.verdicts.iter().map(|(name, failures)| format!("{failures} {name}"));
    format!("{failures}: {}{quiet}", each.collect::<Vec<_>>().join(", "))
}
