//! Why requests fail on the board as it is.

use maud::{Markup, html};

use super::super::Shown;
use super::super::costs::needs;
use super::super::words::{asked_for, often, seen};
use crate::recommend::{Found, Verdict};
use crate::report::page::sentence;
use crate::report::page::table::{self, Row, table};
use crate::reproduce::{Figure, Reproduction};
use crate::words::{mib, percent};

/// None where it is good as it is, or nothing states how it is.
pub(super) fn section(shown: &Shown<'_>, found: &Found) -> Option<Markup> {
    let task = shown.task;
    let now = found.baseline.map(|at| &found.ranked[at]);
    let now = now.filter(|now| now.verdict != Verdict::Meets)?;
    let by_size = task.works.iter().zip(&shown.advice.reproduced);
    let by_size = by_size.filter_map(|(work, held)| Some((work, held.as_ref()?)));
    Some(html! {
        p {
            "As it is, failures come " (often(task, now.evidence())) "; failed: "
            (seen(task, now.evidence())) "."
        } "\n"
        p { (sentence(&asked_for(&task.base, found))) " " (room(shown, found)) } "\n"
        @for line in &needs(shown) { p { (sentence(line)) } "\n" }
        @for (work, held) in by_size.filter(|(_, held)| held.is_known()) {
            (sizes(&work.name, held))
        }
    })
}

/// Whether it is a matter of size or of places.
fn room(shown: &Shown<'_>, found: &Found) -> String {
    let base = &shown.task.base;
    let (Some(pages), page) = (base.pages, base.ground.page) else { return String::new() };
    let aligned = found.survey.aligned_load_pages.get(base.cap as usize).copied().unwrap_or(0);
    let area = mib(pages, page);
    if found.survey.load_pages > pages {
        format!("The area has {area}: more is asked for at once than there is.")
    } else if aligned > pages {
        format!(
            "The area has {area}: what is asked for at once has room, but not with every buffer at \
             a multiple of its alignment. The cap is in the way, not the policy."
        )
    } else {
        format!(
            "The area has {area}: there is room for that, so what fails is a matter of where \
             buffers lie, or of moments when more is asked for than in what was looked at."
        )
    }
}

/// Refused requests by size, of the file and of streams.
fn sizes(name: &str, held: &Reproduction) -> Markup {
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_string(), |at| percent(at, 1));
    let row = |(pages, figure): &(u64, Figure)| {
        let range = figure.range.map_or_else(String::new, |(low, high)| {
            format!("{} to {}", percent(low, 1), percent(high, 1))
        });
        let fields = vec![
            table::text("Asked for", crate::words::pages(*pages)),
            table::sure("Refused on the board", figure.recorded, &share(figure.recorded), ""),
            table::sure("In streams", figure.predicted, &share(figure.predicted), &range),
        ];
        Row { class: "", fields }
    };
    let rows: Vec<_> = held.by_size.iter().map(row).collect();
    html! {
        @if !rows.is_empty() { (table(&format!("Refused requests by size, {name}"), &rows)) }
    }
}
