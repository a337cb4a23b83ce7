//! What is said of a film.

use super::{Panel, Part, View};
use crate::page::Page;
use crate::report::plain::clean;
use crate::view::{Answered, Buffer, Difference, Doomed, Film, What};
use crate::words::{counted, mib, pages};

use super::refused::Refused;

/// `257 pages (1 MiB)`.
pub(super) fn sized(count: u64, page: Page) -> String {
    format!("{} ({})", pages(count), mib(count, page))
}

/// When an event was: `op 561 (20.500000 s)`.
pub(super) fn when(Panel { view, film, .. }: Panel<'_>, event: u32) -> String {
    let event = &film.events[event as usize];
    let op = match film.snapshots {
        true => format!("moment {}", event.op + 1),
        false => format!("op {}", event.op),
    };
    if view.has_time { format!("{op} ({} s)", crate::words::seconds(event.at_us)) } else { op }
}

/// The client with this number, ` of vpu`; nothing where it has no name.
pub(super) fn of_client(part: &Part, number: u16) -> String {
    name(part, number).map_or_else(String::new, |name| format!(" of {name}"))
}

/// The name of a client, where it has one.
pub(super) fn name(part: &Part, number: u16) -> Option<String> {
    let name = part.clients.get(usize::from(number)).filter(|name| !name.is_empty());
    name.map(|name| clean(name))
}

/// What was asked for and refused, and why.
pub(super) fn what(panel: Panel<'_>, refused: &Refused<'_>) -> String {
    let Panel { view, part, film, .. } = panel;
    let refusal = refused.refusal;
    let [free, longest, usable] = refused.free;
    format!(
        "{}: {}{} at order {} refused: {}; {} {}free, longest hole {}, {} of it usable at this order",
        when(panel, refusal.event),
        sized(refusal.request.count(), view.page),
        of_client(part, refusal.request.client()),
        refusal.request.align(),
        refusal.cause,
        sized(free, view.page),
        if film.snapshots { "seen to be " } else { "" },
        pages(longest),
        if usable == 0 { "none".to_string() } else { pages(usable) },
    )
}

/// Since when it had no place.
pub(super) fn doomed(panel: Panel<'_>, refused: &Refused<'_>) -> String {
    let Panel { part, film, .. } = panel;
    match refused.doomed {
        Doomed::Always if film.snapshots => "no place for it was seen from moment 1 on".to_string(),
        Doomed::Since(event) if film.snapshots => {
            format!("no place for it was seen from {} on", when(panel, event))
        }
        Doomed::Never => {
            "a place was free: claims of it failed, or the policy passed it over".to_string()
        }
        Doomed::Always => "it had no place from the start on".to_string(),
        Doomed::Since(event) => {
            let taker = match film.events[event as usize].what {
                What::Grant(buffer) => {
                    let buffer = &film.buffers[buffer as usize];
                    let of = of_client(part, buffer.request.client());
                    format!(", when {}{of} took {}", pages(buffer.run.count), buffer.run)
                }
                _ => String::new(),
            };
            format!("no place for it since {}{taker}", when(panel, event))
        }
    }
}

/// Who stands in its best places: a line for each.
pub(super) fn in_the_way(panel: Panel<'_>, refused: &Refused<'_>) -> Vec<String> {
    let Panel { part, film, .. } = panel;
    let places = &refused.places;
    let lines = places.best.iter().map(|place| {
        let named = place.buffers.iter().take(NAMED).map(|&buffer| {
            let buffer = &film.buffers[buffer as usize];
            if film.snapshots {
                return used(panel, buffer);
            }
            let since = if (buffer.event as usize) < film.before {
                "from the start".to_string()
            } else {
                format!("since {}", when(panel, buffer.event))
            };
            let of = of_client(part, buffer.request.client());
            format!("id {}{of}, {}, {since}", buffer.id, buffer.run)
        });
        let mut named: Vec<String> = named.collect();
        let left = place.buffers.len().saturating_sub(NAMED);
        if left > 0 {
            named.push(format!("{left} more"));
        }
        if place.unowned > 0 {
            named.push(format!("{} that a release of a part left set", pages(place.unowned)));
        }
        let who = if named.is_empty() { "nobody".to_string() } else { named.join("; ") };
        let taken = pages(place.taken);
        format!("at {}: {taken} in the way, oldest first: {who}", place.run.pfn)
    });
    let lines: Vec<_> = lines.collect();
    match places.all {
        0 => vec!["no aligned place of the area is so long".to_string()],
        _ => lines,
    }
}

/// Pages that are not free, by what was seen of them.
fn used(panel: Panel<'_>, buffer: &Buffer) -> String {
    let of = name(panel.part, buffer.request.client())
        .map_or_else(String::new, |name| format!(" {name}"));
    format!("{}{of}, from {} on", buffer.run, when(panel, buffer.event))
}

/// Buffers of a place that are named.
const NAMED: usize = 4;

/// How many were asked for and refused.
pub(super) fn totals(film: &Film) -> String {
    let refusals = film.refusals.len() as u64;
    if film.snapshots {
        let moments = counted(film.ops, "moment");
        return format!("{moments}, {} refused", counted(refusals, "request"));
    }
    let requests = (film.buffers.len() - film.before) as u64 + refusals;
    format!("{refusals} of {} refused", counted(requests, "request"))
}

/// The first answer that differs between the first two takes of a part.
pub(super) fn differ(view: &View, part: &Part, difference: &Difference) -> String {
    let answer = |which: usize| match difference.answers[which] {
        Answered::Granted(pfn) => format!("{} grants it at page {pfn}", view.takes[which].title()),
        Answered::Refused => format!("{} refuses it", view.takes[which].title()),
    };
    let request = difference.request;
    format!(
        "first answer that differs: op {}, {}{}: {}, {}",
        difference.op,
        sized(request.count(), view.page),
        of_client(part, request.client()),
        answer(0),
        answer(1)
    )
}
