//! The failures, and the buffers of each area, as tables.

use std::io::{self, Write};

use super::super::CAPS;
use super::super::groups::Report;
use super::super::plain::{self, counted};
use super::super::words::{self, recoverable};
use super::{Escaped, class, sentence};
use crate::diagnose::{AreaState, Resident};

/// Writes a row for each group.
pub(super) fn overview(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"all\">\n<h2 id=\"all\">Failures</h2>\n<div class=\"wide\" \
         tabindex=\"0\" role=\"region\" aria-labelledby=\"all\">\n<table>\n<thead><tr>\
         <th scope=\"col\">Why</th><th scope=\"col\" class=\"n\">Failures</th>\
         <th scope=\"col\" class=\"n\">Pages</th><th scope=\"col\" class=\"n\">Order</th>\
         <th scope=\"col\" class=\"n\">ret</th><th scope=\"col\">Area</th>\
         <th scope=\"col\">First seen</th></tr></thead>\n<tbody>"
    )?;
    for (index, shown) in report.groups.iter().enumerate() {
        let (group, failure) = (shown.group, &shown.group.first);
        let incident = &failure.incident;
        let number = |value: Option<String>| value.unwrap_or_else(|| "–".to_string());
        let verdict = Escaped(words::verdict(failure));
        let verdict = match shown.detailed {
            true => format!("<a href=\"#f{index}\">{verdict}</a>"),
            false => verdict.to_string(),
        };
        writeln!(
            out,
            "<tr><td><span class=\"dot {}\"></span>{verdict}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td>\
             <td>{}</td></tr>",
            class(failure.verdict),
            group.failures,
            number(incident.count.map(|count| count.to_string())),
            number(failure.align.map(|(order, _)| order.to_string())),
            number(incident.ret.map(|ret| ret.to_string())),
            Escaped(incident.area.as_deref().unwrap_or("–")),
            Escaped(format!("{} line {}", incident.source, incident.line)),
        )?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>")?;
    if report.beyond > 0 {
        let beyond = counted(report.beyond, "failure");
        writeln!(out, "<p>And {beyond} of other sizes or areas: the CSV has a row for each.</p>")?;
    }
    writeln!(out, "</section>")
}

/// Writes a table for each area whose buffers are known.
pub(super) fn areas(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diagnosis = report.diagnosis;
    let areas = diagnosis.areas.iter().zip(&diagnosis.residents);
    for (index, (area, residents)) in areas.enumerate().filter(|(_, (_, all))| !all.is_empty()) {
        let title = sentence(&words::fills(area));
        writeln!(
            out,
            "<section aria-labelledby=\"a{index}\">\n<h2 id=\"a{index}\">{}</h2>\n\
             <p>Buffers by size, the pages that they strand at CONFIG_CMA_ALIGNMENT={cap}, and what \
             a smaller value would give back.</p>",
            Escaped(title),
            cap = diagnosis.cap,
        )?;
        table(area, residents, diagnosis.cap, index, out)?;
        if let Some(pitch) = words::pitch(area, residents, diagnosis.cap) {
            writeln!(out, "<p>{}</p>", Escaped(pitch))?;
        }
        writeln!(out, "</section>")?;
    }
    Ok(())
}

fn table(
    area: &AreaState,
    residents: &[Resident],
    cap: u32,
    index: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let caps: Vec<u32> = CAPS.into_iter().filter(|other| *other < cap).collect();
    write!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"a{index}\">\n<table>\n\
         <thead><tr><th scope=\"col\" class=\"n\">Pages</th><th scope=\"col\" class=\"n\">Order</th>\
         <th scope=\"col\" class=\"n\">Buffers</th><th scope=\"col\" class=\"n\">Stranded</th>"
    )?;
    for cap in &caps {
        write!(out, "<th scope=\"col\" class=\"n\">Cap {cap}</th>")?;
    }
    writeln!(out, "<th scope=\"col\">Sure</th></tr></thead>\n<tbody>")?;
    for resident in residents {
        let blocks = resident.blocks.map_or_else(|| "–".to_string(), |blocks| blocks.to_string());
        // Of a list that is cut the share would be of no meaning.
        let (stranded, total) = (resident.stranded_pages, area.total.filter(|_| area.complete));
        let share = total.map_or_else(String::new, |total| {
            format!(" <small>{}</small>", plain::percent(stranded, total))
        });
        write!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{blocks}</td>\
             <td class=\"n\">{stranded}{share}</td>",
            resident.count, resident.align
        )?;
        for cap in &caps {
            let pages = recoverable(resident, *cap);
            let pages = pages.map_or_else(|| "–".to_string(), |pages| pages.to_string());
            write!(out, "<td class=\"n\">{pages}</td>")?;
        }
        writeln!(out, "<td>{}</td></tr>", resident.confidence.name())?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>")
}
