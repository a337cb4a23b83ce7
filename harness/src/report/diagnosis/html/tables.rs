//! The failures, and the buffers of each area, as tables.

use maud::html;

use super::super::CAPS;
use super::super::groups::{Report, Shown};
use super::super::words::{self, recoverable};
use super::{capital, class};
use crate::diagnose::{AreaState, Resident};
use crate::report::page::Section;
use crate::report::page::table::{self, Field, Row, table};
use crate::words::{counted, percent_of};

/// A row for each group.
pub(super) fn overview(report: &Report<'_>) -> Section {
    let rows: Vec<_> = report.groups.iter().enumerate().map(row).collect();
    let beyond = counted(report.beyond, "failure");
    let body = html! {
        (table("Failures", &rows))
        @if report.beyond > 0 {
            p { "And " (beyond) " of other sizes or areas: the CSV has a row for each." } "\n"
        }
    };
    Section { id: "all".to_string(), heading: html! { "Failures" }, body }
}

fn row((index, shown): (usize, &Shown<'_>)) -> Row {
    let (group, failure) = (shown.group, &shown.group.first);
    let incident = &failure.incident;
    let verdict = words::verdict(failure);
    let why = html! {
        span .dot.(class(failure.verdict)) {}
        @if shown.detailed { a href={ "#f" (index) } { (verdict) } } @else { (verdict) }
    };
    let fields = vec![
        table::markup("Why", why),
        known("Failures", Some(group.failures)),
        known("Pages", incident.count),
        known("Order", failure.align.map(|(order, _)| order)),
        known("ret", incident.ret),
        table::text("Area", incident.area.as_deref().unwrap_or("–")),
        table::text("First seen", format!("{} line {}", incident.source, incident.line)),
    ];
    Row { class: "", fields }
}

fn known(title: &str, number: Option<impl ToString>) -> Field {
    let shown = number.map_or_else(|| "–".to_string(), |number| number.to_string());
    table::digits(title, &shown, "")
}

/// A table for each area whose buffers are known.
pub(super) fn areas(report: &Report<'_>) -> impl Iterator<Item = Section> {
    let diagnosis = report.diagnosis;
    let areas = diagnosis.areas.iter().zip(&diagnosis.residents).enumerate();
    areas.filter(|(_, (_, all))| !all.is_empty()).map(|(index, (area, residents))| {
        let title = capital(&words::fills(area));
        let cap = diagnosis.cap_in(area.name.as_ref());
        let body = html! {
            p {
                "Buffers by size, the pages that they strand at CONFIG_CMA_ALIGNMENT="
                (cap) ", and what a smaller value would give back."
            } "\n"
            (buffers(&title, area, residents, cap))
            @if let Some(pitch) = words::pitch(area, residents, cap) {
                p { (pitch) } "\n"
            }
        };
        Section { id: format!("a{index}"), heading: html! { (title) }, body }
    })
}

fn buffers(title: &str, area: &AreaState, residents: &[Resident], cap: u32) -> maud::Markup {
    let caps: Vec<u32> = CAPS.into_iter().filter(|other| *other < cap).collect();
    let total = area.total.filter(|_| area.complete);
    let row = |resident: &Resident| {
        let stranded = resident.stranded_pages;
        let share = total.map_or_else(String::new, |total| percent_of(stranded, total));
        let mut fields = vec![
            known("Pages", Some(resident.count)),
            known("Order", Some(resident.align)),
            known("Buffers", resident.blocks),
            table::digits("Stranded", &stranded.to_string(), &share),
        ];
        let back = |cap: &u32| known(&format!("Cap {cap}"), recoverable(resident, *cap));
        fields.extend(caps.iter().map(back));
        fields.push(table::text("Sure", resident.confidence.name()));
        Row { class: "", fields }
    };
    table(title, &residents.iter().map(row).collect::<Vec<_>>())
}
