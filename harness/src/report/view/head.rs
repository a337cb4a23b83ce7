//! What the script is told beside the films.

use serde_json::{Value, json};

use super::refused::{first as first_refusal, told};
use super::{Panel, Part, View, words};
use crate::cause::Cause;
use crate::program;
use crate::report::page::sentence;
use crate::view::{What, difference};

/// The head of a page: names, areas, takes, and what was found of the first refusals.
pub(super) fn head(view: &View, clients: &[String]) -> Value {
    let (start_us, end_us) = view.span_us();
    let takes = view.takes.iter().map(|take| {
        let (name, policy) = (take.title(), &take.name);
        json!({ "name": name, "policy": policy, "cap": take.cap, "recorded": take.recorded })
    });
    let panels = view.panels().map(panel);
    json!({
        "schema": 1,
        "title": view.title,
        "tool": format!("{} {}", program::name(), env!("CARGO_PKG_VERSION")),
        "command": view.command,
        "page_bytes": view.page.bytes(),
        "has_time": view.has_time,
        "start_us": start_us,
        "end_us": end_us,
        "ops": view.ops(),
        "clients": clients,
        "causes": Cause::ALL.map(Cause::name),
        "areas": view.parts.iter().map(area).collect::<Vec<_>>(),
        "takes": takes.collect::<Vec<_>>(),
        "panels": panels.collect::<Vec<_>>(),
        "first": first(view),
        "difference": view.parts.iter().enumerate().find_map(|(area, part)| differ(view, area, part)),
        "notes": view.notes,
    })
}

fn area(part: &Part) -> Value {
    let area = &part.area;
    let ranges = area.ranges().iter();
    let ranges = ranges.map(|run| json!({ "base_pfn": run.pfn.0, "pages": run.count }));
    json!({
        "name": part.name(),
        "order_per_bit": area.order_per_bit(),
        "pages": area.pages(),
        "ranges": ranges.collect::<Vec<_>>(),
    })
}

fn panel(Panel { take, area, film, .. }: Panel<'_>) -> Value {
    let frees = film.events.iter();
    let frees = frees.filter(|event| matches!(event.what, What::Free(_) | What::Part(..))).count();
    json!({
        "take": take,
        "area": area,
        "events": film.events.len(),
        "grants": film.buffers.len(),
        "before": film.before,
        "frees": frees,
        "refusals": film.refusals.len(),
        "snapshots": film.snapshots,
    })
}

/// The answer for the first refusal of each film.
fn first(view: &View) -> Vec<Value> {
    let told = view.panels().map(|panel| {
        let (take, area, text) = (panel.take, panel.area, answer(panel));
        json!({ "take": take, "area": area, "refusal": first_refusal(panel), "text": text })
    });
    told.collect()
}

/// A sentence or two: when it failed, since when it had no place.
pub(super) fn answer(panel: Panel<'_>) -> String {
    let Panel { view, take, part, film, .. } = panel;
    let area = if view.parts.len() == 1 { String::new() } else { format!("{}, ", part.name()) };
    let totals = words::totals(film);
    let head = format!("{area}{}: {totals}.", view.takes[take].title());
    match told(panel) {
        None => head,
        Some(one) => format!(
            "{head} First, {}. {}",
            words::what(panel, &one),
            sentence(&words::doomed(panel, &one))
        ),
    }
}

fn differ(view: &View, area: usize, part: &Part) -> Option<Value> {
    let [one, other, ..] = &part.films[..] else { return None };
    let found = difference(one, other)?;
    let text = words::differ(view, part, &found);
    Some(json!({ "area": area, "op": found.op, "at_us": found.at_us, "text": sentence(&text) }))
}
