//! For programs: an object, and rows.

use serde_json::{Value, json};

use super::refused::{Refused, refused};
use super::{Panel, Part, View, words};
use crate::view::{Answered, Buffer, Doomed, Film, Place, What, difference};
use crate::words::csv::optional;

/// One object: the takes, the areas, and the first refusals of each with who stood in their way.
pub fn json(view: &View) -> Value {
    let takes = view
        .takes
        .iter()
        .map(|take| json!({ "policy": take.name, "cap": take.cap, "recorded": take.recorded }));
    let panels = view.panels().map(|panel| {
        let Panel { take, area, part, film, .. } = panel;
        let refusals: Vec<_> = refused(panel).iter().map(|one| refusal(part, film, one)).collect();
        json!({
            "take": take,
            "area": area,
            "grants": film.buffers.len() - film.before,
            "live_before": film.before,
            "refused": film.refusals.len(),
            "snapshots": film.snapshots,
            "refusals": refusals,
        })
    });
    json!({
        "schema": 1,
        "title": view.title,
        "has_time": view.has_time,
        "takes": takes.collect::<Vec<_>>(),
        "areas": view.parts.iter().map(|part| area(view, part)).collect::<Vec<_>>(),
        "panels": panels.collect::<Vec<_>>(),
        "notes": view.notes,
    })
}

fn area(view: &View, part: &Part) -> Value {
    let ranges = part.area.ranges().iter();
    let ranges = ranges.map(|run| json!({ "base_pfn": run.pfn.0, "pages": run.count }));
    let found = match &part.films[..] {
        [one, other, ..] => difference(one, other),
        _ => None,
    };
    json!({
        "name": part.name(),
        "pages": part.area.pages(),
        "page_bytes": view.page.bytes(),
        "order_per_bit": part.area.order_per_bit(),
        "ranges": ranges.collect::<Vec<_>>(),
        "first_difference": found.map(|found| json!({
            "op": found.op,
            "at_us": found.at_us,
            "answers": found.answers.map(|answer| match answer {
                Answered::Granted(pfn) => json!(pfn.0),
                Answered::Refused => Value::Null,
            }),
        })),
    })
}

fn refusal(part: &Part, film: &Film, refused: &Refused<'_>) -> Value {
    let (event, request) = (&film.events[refused.refusal.event as usize], refused.refusal.request);
    let [free, longest, usable] = refused.free;
    json!({
        "op": event.op,
        "at_us": event.at_us,
        "id": refused.refusal.id,
        "client": words::name(part, request.client()),
        "count": request.count(),
        "align": request.align(),
        "cause": refused.refusal.cause.name(),
        "free_pages": free,
        "longest_hole": longest,
        "longest_usable": usable,
        "doomed": state(refused.doomed),
        "doomed_by": since(film, refused.doomed).map(|(op, at_us, taker)| json!({
            "op": op, "at_us": at_us, "buffer": taker.map(|one| buffer(part, film, one)),
        })),
        "places": refused.places.all,
        "best": refused.places.best.iter().map(|one| place(part, film, one)).collect::<Vec<_>>(),
    })
}

const fn state(doomed: Doomed) -> &'static str {
    match doomed {
        Doomed::Never => "never",
        Doomed::Since(_) => "since",
        Doomed::Always => "always",
    }
}

/// The op since which there was no place, when it was, and the buffer that it was granted.
fn since(film: &Film, doomed: Doomed) -> Option<(u64, u64, Option<&Buffer>)> {
    let Doomed::Since(event) = doomed else { return None };
    let event = &film.events[event as usize];
    let taker = match event.what {
        What::Grant(buffer) => Some(&film.buffers[buffer as usize]),
        _ => None,
    };
    Some((event.op, event.at_us, taker))
}

fn place(part: &Part, film: &Film, place: &Place) -> Value {
    let buffers = place.buffers.iter().map(|&one| &film.buffers[one as usize]);
    json!({
        "pfn": place.run.pfn.0,
        "pages": place.run.count,
        "taken_pages": place.taken,
        "unowned_pages": place.unowned,
        "buffers": buffers.map(|one| buffer(part, film, one)).collect::<Vec<_>>(),
    })
}

fn buffer(part: &Part, film: &Film, buffer: &Buffer) -> Value {
    let event = &film.events[buffer.event as usize];
    json!({
        "id": buffer.id,
        "client": words::name(part, buffer.request.client()),
        "pfn": buffer.run.pfn.0,
        "count": buffer.run.count,
        "align": buffer.request.align(),
        "op": event.op,
        "at_us": event.at_us,
        "before_the_start": (buffer.event as usize) < film.before,
    })
}

/// A row for each of the first refusals.
pub fn csv(view: &View) -> (String, Vec<Vec<String>>) {
    let rows = view.panels().flat_map(|panel| {
        let Panel { take, part, film, .. } = panel;
        let title = view.takes[take].title();
        let rows = refused(panel);
        rows.iter().map(|one| row(&title, part, film, one)).collect::<Vec<_>>()
    });
    let head = "schema,take,area,op,at_us,id,client,count,align,cause,free_pages,longest_hole,\
                longest_usable,doomed,doomed_op,doomed_at_us,places,best_pfn,best_taken_pages,\
                best_ids";
    (head.to_string(), rows.collect())
}

fn row(title: &str, part: &Part, film: &Film, refused: &Refused<'_>) -> Vec<String> {
    let (event, request) = (&film.events[refused.refusal.event as usize], refused.refusal.request);
    let doomed = since(film, refused.doomed);
    let best = refused.places.best.first();
    let ids = best.map(|place| {
        let ids = place.buffers.iter().map(|&one| film.buffers[one as usize].id.to_string());
        ids.collect::<Vec<_>>().join(" ")
    });
    let [free, longest, usable] = refused.free;
    vec![
        "1".to_string(),
        title.to_string(),
        part.name(),
        event.op.to_string(),
        event.at_us.to_string(),
        refused.refusal.id.to_string(),
        optional(words::name(part, request.client())),
        request.count().to_string(),
        request.align().to_string(),
        refused.refusal.cause.name().to_string(),
        free.to_string(),
        longest.to_string(),
        usable.to_string(),
        state(refused.doomed).to_string(),
        optional(doomed.map(|(op, ..)| op)),
        optional(doomed.map(|(_, at_us, _)| at_us)),
        refused.places.all.to_string(),
        optional(best.map(|place| place.run.pfn.0)),
        optional(best.map(|place| place.taken)),
        optional(ids),
    ]
}
