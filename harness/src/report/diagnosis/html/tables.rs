//! The failures, and the buffers of each area, as tables.

use maud::html;

use super::super::CAPS;
use super::super::groups::{Report, Shown};
use super::super::words::{self, recoverable};
use super::{capital, class};
use crate::diagnose::{AreaState, Resident};
use crate::report::page::Section;
use crate::report::page::table::{self, Field, Row, numbers, table};
use crate::words::{counted, percent_of};

/// A row for each group.
pub(super) fn overview(report: &Report<'_>) -> Section {
    let columns = [
        table::words("Why"),
        numbers("Failures"),
        numbers("Pages"),
        numbers("Order"),
        numbers("ret"),
        table::words("Area"),
        table::words("First seen"),
    ];
    let rows: Vec<_> = report.groups.iter().enumerate().map(row).collect();
    let beyond = counted(report.beyond, "failure");
    let body = html! {
        (table("Failures", &columns, &rows))
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
        table::markup(why),
        table::text(group.failures.to_string()),
        known(incident.count),
        known(failure.align.map(|(order, _)| order)),
        known(incident.ret),
        table::text(incident.area.as_deref().unwrap_or("–")),
        table::text(format!("{} line {}", incident.source, incident.line)),
    ];
    Row { class: "", fields }
}

fn known(number: Option<impl ToString>) -> Field {
    table::text(number.map_or_else(|| "–".to_string(), |number| number.to_string()))
}

/// A table for each area whose buffers are known.
pub(super) fn areas(report: &Report<'_>) -> impl Iterator<Item = Section> {
    let diagnosis = report.diagnosis;
    let areas = diagnosis.areas.iter().zip(&diagnosis.residents).enumerate();
    areas.filter(|(_, (_, all))| !all.is_empty()).map(|(index, (area, residents))| {
        let title = capital(&words::fills(area));
        let body = html! {
            p {
                "Buffers by size, the pages that they strand at CONFIG_CMA_ALIGNMENT="
                (diagnosis.cap) ", and what a smaller value would give back."
            } "\n"
            (buffers(&title, area, residents, diagnosis.cap))
            @if let Some(pitch) = words::pitch(area, residents, diagnosis.cap) {
                p { (pitch) } "\n"
            }
        };
        Section { id: format!("a{index}"), heading: html! { (title) }, body }
    })
}

fn buffers(title: &str, area: &AreaState, residents: &[Resident], cap: u32) -> maud::Markup {
    let caps: Vec<u32> = CAPS.into_iter().filter(|other| *other < cap).collect();
    let mut columns = ["Pages", "Order", "Buffers", "Stranded"].map(numbers).to_vec();
    columns.extend(caps.iter().map(|cap| numbers(&format!("Cap {cap}"))));
    columns.push(table::words("Sure"));
    // Of a list that is cut the share would be of no meaning.
    let total = area.total.filter(|_| area.complete);
    let row = |resident: &Resident| {
        let stranded = resident.stranded_pages;
        let share = total.map_or_else(String::new, |total| percent_of(stranded, total));
        let mut fields = vec![
            table::text(resident.count.to_string()),
            table::text(resident.align.to_string()),
            known(resident.blocks),
            table::noted(&stranded.to_string(), &share),
        ];
        fields.extend(caps.iter().map(|cap| known(recoverable(resident, *cap))));
        fields.push(table::text(resident.confidence.name()));
        Row { class: "", fields }
    };
    table(title, &columns, &residents.iter().map(row).collect::<Vec<_>>())
}
