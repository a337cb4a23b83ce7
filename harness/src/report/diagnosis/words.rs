//! The sentences that all formats share.

mod act;
mod advice;
mod aside;
pub(super) mod boot;
mod bounds;
mod headline;
mod hidden;
mod next;
pub(super) mod recommended;
mod size;
mod who;
mod why;

pub(super) use act::{act, one_cap};
pub(super) use advice::{advice, cost, label, most_useful, steps};
pub(super) use aside::{not_cma, paragraphs};
pub use headline::cut;
pub(super) use headline::{first_line, of_boot};
pub(super) use who::unreported;
pub(super) use why::why;

use super::CAPS;
use super::groups::{Group, Shown};
use super::plain::{clean, counted, percent, seconds};
use crate::cause::Cause;
use crate::diagnose::{
    AlignFrom, AreaState, Confidence, Diagnosis, Failure, Incident, Pitch, Reported, Resident, Why,
    errno_name,
};
use crate::page::Page;
use crate::words::{pages, pages_of};
use size::{share_of, sized};

/// The verdict and how sure it is; what is undecidable is so in any case.
pub(super) fn verdict(failure: &Failure) -> String {
    match failure.verdict {
        Some(cause) => format!("{} ({})", cause.name(), failure.confidence.name()),
        None => failure.verdict_name().to_string(),
    }
}

/// When, and how often.
pub(super) fn occurrence(shown: &Shown<'_>) -> String {
    format!("{}{}", how_often(shown.group), who::quiet(shown))
}

fn how_often(group: &Group) -> String {
    let tenths = |us: u64| format!("{}.{} s", us / 1_000_000, us / 100_000 % 10);
    let failures = counted(group.failures, "failure");
    match (group.first_us, group.last_us) {
        (Some(first), Some(last)) if tenths(first) != tenths(last) => {
            format!("{failures}, {} to {}", tenths(first), tenths(last))
        }
        (Some(first), _) => format!("{failures}, at {}", tenths(first)),
        _ => failures,
    }
}

/// What the failure is, in half a sentence: the answer.
pub(super) fn answer(failure: &Failure) -> String {
    let pages = failure.incident.count.map(|count| sized(failure, count));
    let Some(pages) = pages else { return answer_without_request(failure) };
    let (free, total) = (failure.free(), failure.total());
    let is_one_range = failure.why != Why::SplitByRanges;
    let longest = failure.room.map(|room| room.longest).filter(|run| *run > 0 && is_one_range);
    let order = failure.align.map_or_else(String::new, |(order, _)| format!(" at order {order}"));
    match failure.verdict {
        Some(Cause::Alignment) => {
            let run = longest.map_or_else(|| "enough".to_string(), |run| run.to_string());
            format!("{pages}{order} do not fit, though {run} are free in one run{}", lower(failure))
        }
        Some(Cause::Fragmentation) => {
            let free = free.map_or_else(|| "enough".to_string(), |free| free.to_string());
            let shown = if sees_all(failure) { "" } else { " shown" };
            let longest = longest.map_or_else(
                || "no run is long enough".to_string(),
                |longest| format!("the longest run{shown} has {longest}"),
            );
            let free = failure.drift().map_or_else(|| format!("{free} are free"), drifts);
            format!("{pages} do not fit in one piece: {free}, but {longest}")
        }
        Some(Cause::TooLarge)
            if let (Why::AboveBound, Some(most)) = (failure.why, bounds::most(failure)) =>
        {
            format!("{pages} were asked for, {most}")
        }
        Some(Cause::Exhausted)
            if let (Why::Held, Some(filled)) = (failure.why, bounds::filled(failure)) =>
        {
            filled
        }
        Some(Cause::Exhausted) if let Why::HeldByTrace { held, total } = failure.why => format!(
            "{pages} were asked for, and {held} of {total} are granted and not given back, by the \
             trace"
        ),
        Some(Cause::Exhausted) if let Some((available, 0)) = failure.drift() => format!(
            "{pages} asked for, and no bit of the area is free, though {} available by its counter",
            are(available)
        ),
        Some(Cause::Exhausted) if let Some((available, free)) = failure.drift() => format!(
            "{pages} were asked for and only {} available by the counter of the area, though \
             {free} are free in its bitmap",
            are(available)
        ),
        Some(Cause::Exhausted) => match free {
            Some(free) => {
                let of = total.map_or_else(String::new, |total| format!(" of {total}"));
                format!("{pages} were asked for and only {free}{of} are free")
            }
            None if failure.incident.count == Some(1) => {
                format!("{pages} was asked for and none is free")
            }
            None => format!("{pages} were asked for and fewer are free"),
        },
        Some(Cause::TooLarge) => {
            let range =
                longest_range(failure).map(|range| format!("its longest range only {range}"));
            let all = || {
                total.map_or("the area has fewer".into(), |all| format!("the area has only {all}"))
            };
            format!("{pages} were asked for and {}", range.unwrap_or_else(all))
        }
        Some(Cause::Migration) => format!(
            "there was room for {pages}, but the system had no memory to move what was on them"
        ),
        Some(Cause::Busy | Cause::Transient) => {
            let tries = failure.incident.busy_retries.filter(|tries| *tries > 0);
            let tries = tries.map_or_else(String::new, |tries| format!(" ({tries} tried)"));
            format!("every place for {pages} that was tried was in use by somebody{tries}")
        }
        Some(Cause::Interrupted) => {
            format!("a fatal signal ended the request for {pages}: the task was being killed")
        }
        Some(Cause::Policy) => format!("there was room for {pages}, and it was not tried"),
        None => {
            // A reason that says what -12 or -16 means names it.
            let why = why(failure);
            let ret = failure.incident.ret.filter(|_| !why.contains("-1"));
            let ret = ret.map(|ret| format!(" with {ret}"));
            let few = bounds::few(failure).or_else(|| bounds::with_held(failure));
            let few = few.map_or_else(String::new, |few| format!("; {few}"));
            format!("{pages}{order} failed{}{few}; {why}", ret.unwrap_or_default())
        }
    }
}

/// What the counter of an area and its bitmap say, where they differ.
fn drifts((available, free): (u64, u64)) -> String {
    format!("{} available by the counter, {free} are free in the bitmap", are(available))
}

fn are(count: u64) -> String {
    format!("{} {}", pages(count), if count == 1 { "is" } else { "are" })
}

/// Pages of the longest range of an area of several, where a request is larger than that.
fn longest_range(failure: &Failure) -> Option<u64> {
    let Why::TooLarge(most) = failure.why else { return None };
    failure.total().is_some_and(|total| most < total).then_some(most)
}

/// Where a trace or a bitmap shows all of it.
fn free_of_state(failure: &Failure) -> Option<String> {
    let state = failure.incident.state.as_ref()?;
    if let Some(cut) = cut_bitmap(state) {
        return Some(cut);
    }
    let state = Some(state).filter(|state| state.complete)?;
    let (free, total) = (state.known_free(), state.total?);
    if failure.why == Why::SplitByRanges {
        return Some(share_of(failure, free, total));
    }
    Some(format!(
        "{}, in {}, the longest of {}",
        share_of(failure, free, total),
        counted(state.holes().count() as u64, "run"),
        state.largest_run()
    ))
}

/// `96 of the 128 pages shown are free, 896 are not shown`, where a bitmap is cut.
fn cut_bitmap(area: &AreaState) -> Option<String> {
    let shown = area.shown?;
    let free = area.known_free();
    let are = if free == 1 { "is" } else { "are" };
    let hidden = area.total.map_or_else(String::new, |total| {
        let hidden = total.saturating_sub(shown);
        let are = if hidden == 1 { "is" } else { "are" };
        format!(", {hidden} {are} not shown")
    });
    Some(format!("{free} of the {} shown {are} free{hidden}", pages(shown)))
}

/// What it is that shows free runs in part.
fn source_of_runs(failure: &Failure) -> &'static str {
    let is_bitmap = failure.incident.state.as_ref().is_some_and(|state| state.shown.is_some());
    if is_bitmap && failure.list.is_none() { "bitmap" } else { "list" }
}

/// The free pages of an area: by its bitmap, and by its counter where that says otherwise.
pub(super) fn free_of_area(area: &AreaState) -> String {
    let of = area.total.map_or_else(String::new, |total| format!(" of {total}"));
    let free = area.stated_free().unwrap_or_else(|| area.known_free());
    if let Some(cut) = cut_bitmap(area) {
        return cut;
    }
    match area.available.filter(|available| *available != free) {
        Some(available) => {
            format!("{available}{of} pages available by the counter, {free} free in the bitmap")
        }
        None => match area.total {
            Some(total) => format!("{free} of {} free", pages(total)),
            None => format!("{} free", pages(free)),
        },
    }
}

/// Whether every free run is known.
fn sees_all(failure: &Failure) -> bool {
    let state = failure.incident.state.as_ref();
    failure.list.map_or_else(|| state.is_some_and(|state| state.complete), |list| list.complete)
}

fn answer_without_request(failure: &Failure) -> String {
    if let Why::Beside { count, line, equal } = failure.why {
        let here = match (equal, failure.verdict) {
            (true, _) => ", with the same free runs",
            (false, Some(Cause::Fragmentation)) => ", which do not fit here in one piece",
            (false, Some(Cause::Alignment)) => ", which do not fit here from an aligned page on",
            (false, _) => ", which do not fit here",
        };
        return format!("{} as at line {line}{here}", pages(count));
    }
    match failure.incident.reported {
        Reported::List if failure.why == Why::BesideEither => {
            "fragmentation or alignment, by which of the sizes that other lines name"
        }
        Reported::List => "a list of free runs is here without the request that failed",
        Reported::Driver => "a driver got no memory and the log does not say how much it asked for",
        _ => "a request failed and the log does not say for how many pages",
    }
    .to_string()
}

/// The order that would have been low enough.
fn lower(failure: &Failure) -> String {
    let order = failure.would_fit.and_then(|fit| fit.max_align);
    order.map_or_else(String::new, |order| format!("; order {order} would have fitted"))
}

/// A group in a line.
pub(super) fn group_line(shown: &Shown<'_>) -> String {
    let failure = &shown.group.first;
    format!("{}: {} ({})", verdict(failure), answer(failure), occurrence(shown))
}

/// What is known of the first failure of a group: a word and a sentence each.
pub(super) fn facts(shown: &Shown<'_>) -> Vec<(&'static str, String)> {
    let failure = &shown.group.first;
    let mut facts: Vec<_> = reason(failure).map(|text| ("why", text)).into_iter().collect();
    facts.push(("request", request(failure)));
    facts.push(("where", place(failure)));
    facts.extend(who::facts(failure, &shown.group.others));
    facts.extend(free(failure).map(|text| ("free", text)));
    facts.extend(fit(failure).map(|text| ("fits", text)));
    facts.extend(bounds::fact(failure).map(|text| ("bounds", text)));
    facts.extend(bounds::held(failure).map(|text| ("held", text)));
    facts.extend(shown.memory.clone().map(|text| ("memory", text)));
    facts
}

/// Why, as far as the answer has not said it.
fn reason(failure: &Failure) -> Option<String> {
    let (answer, why) = (answer(failure), why(failure));
    if answer.contains(&why) {
        return None;
    }
    let rest = why.strip_prefix(&answer).and_then(|rest| rest.strip_prefix("; "));
    Some(rest.map_or_else(|| why.clone(), String::from))
}

/// The name of an errno, and what it means beside it.
fn named(failure: &Failure, ret: i32) -> String {
    let is_busy = matches!(failure.verdict, Some(Cause::Busy | Cause::Transient));
    let also = match failure.incident.era.flipped {
        _ if ret != -16 || is_busy => "",
        Some(true) => "; this kernel returns it also where no place is found",
        Some(false) => "",
        None => "; from 6.15 on also where no place is found",
    };
    match errno_name(ret) {
        "" => String::new(),
        name => format!(" ({name}{also})"),
    }
}

/// A group of hidden lines, whose numbers are those of another group.
pub(super) fn hidden_line(shown: &Shown<'_>) -> String {
    let Incident { source, line, .. } = &*shown.group.first.incident;
    format!("{}; as above (first {} line {line})", group_line(shown), clean(source))
}

fn request(failure: &Failure) -> String {
    let incident = &failure.incident;
    let count = incident.count.map(|count| sized(failure, count));
    let count = count.unwrap_or_else(|| "of unknown size".to_string());
    let mut parts = vec![count];
    if let Some((order, from)) = failure.align {
        let from = match from {
            AlignFrom::Trace => "as traced",
            AlignFrom::Debug => "as the log shows",
            AlignFrom::Gigantic => "as gigantic pages are asked for: the log does not show it",
            AlignFrom::Cap => "as DMA callers ask: the log does not show it",
        };
        parts.push(format!("order {order} ({from})"));
    }
    if let Some(area) = &incident.area {
        parts.push(format!("area {}", clean(area)));
    }
    if let Some(ret) = incident.ret {
        parts.push(format!("ret {ret}{}", named(failure, ret)));
    }
    match incident.busy_retries {
        Some(0) => parts.push("no place was busy".to_string()),
        Some(tries) => parts.push(format!("{} tried and busy", counted(tries, "place"))),
        None => {}
    }
    parts.join(", ")
}

fn place(failure: &Failure) -> String {
    let incident = &failure.incident;
    let mut text = format!("{} line {}", clean(&incident.source), incident.line);
    if let Some(us) = incident.time_us {
        text += &format!(", at {} s", seconds(us));
    }
    if incident.duplicates > 0 {
        text += &format!(", reported {} more", counted(incident.duplicates, "time"));
    }
    match &incident.era.name {
        Some(kernel) if incident.era.disputed => {
            text += &format!(
                "; kernel {} by its lines, which contradict what is stated",
                clean(kernel)
            );
        }
        Some(kernel) => text += &format!("; kernel {}", clean(kernel)),
        None => text += "; kernel unknown",
    }
    text
}

fn free(failure: &Failure) -> Option<String> {
    let Some(list) = failure.list else { return free_of_state(failure) };
    let drift = failure.drift().zip(list.total);
    let mut text = match (list.free, list.total) {
        _ if let Some(((available, free), total)) = drift => format!(
            "{available} of {} available by the counter ({}), {free} free in the bitmap",
            pages(total),
            percent(available, total)
        ),
        (Some(free), Some(total)) => share_of(failure, free, total),
        (Some(free), None) => sized(failure, free),
        (None, Some(total)) => format!("unknown, of {}", sized(failure, total)),
        (None, None) => "unknown".to_string(),
    };
    let runs = format!("{}, the longest of {}", counted(list.runs, "run"), list.largest_run);
    let shown = failure.incident.state.as_ref().map(|state| state.known_free());
    text += &match (list.complete, list.runs, shown) {
        (_, 0, _) => String::new(),
        (true, ..) => format!(", in {runs}"),
        (false, _, Some(shown)) if list.free == Some(shown) => {
            format!(", in {runs}; the list is cut, and its rest holds no more")
        }
        (false, _, Some(shown)) => format!("; the list is cut: it shows {shown} in {runs}"),
        (false, _, None) => format!("; the list is cut: it shows {runs}"),
    };
    if let (1.., Some(usable), Some((order, _))) = (list.runs, list.largest_usable, failure.align) {
        text += &format!("; at order {order} at most {usable} of one can be used");
    }
    Some(text)
}

fn fit(failure: &Failure) -> Option<String> {
    let (fit, count) = (failure.would_fit?, failure.incident.count?);
    let (order, _) = failure.align?;
    let what = source_of_runs(failure);
    let most = match (sees_all(failure), fit.largest_count_at_this_align) {
        (true, most) => format!("at order {order} at most {most} fit"),
        (false, most) => format!("at order {order} the {what} shows room for {most}"),
    };
    Some(match (fit.max_align, fit.at) {
        (Some(max), Some(at)) if max < order => {
            let last = at.saturating_add(count).saturating_sub(1);
            format!("at order {max} they would have gone to pages {at} to {last}; {most}")
        }
        (Some(_), Some(at)) => format!("they fit, at page {at}: room was not what was missing"),
        (Some(max), None) if max < order => format!("at order {max}; {most}"),
        (Some(_), None) => "they fit: room was not what was missing".to_string(),
        (None, _) if failure.verdict == Some(Cause::Exhausted) => return None,
        (None, _) if sees_all(failure) => format!("at no order; {most}"),
        (None, _) => format!("nowhere in what the {what} shows"),
    })
}

/// What the buffers that strand most would do to the whole area, at this cap and at lower ones.
pub(super) fn pitch(area: &AreaState, residents: &[Resident], cap: u32) -> Option<String> {
    let total = area.total?;
    let sure = residents.iter().filter(|resident| resident.confidence > Confidence::Guess);
    let worst = sure.max_by_key(|resident| resident.stranded_pages)?;
    let at = |cap| Pitch::of(worst.count, total, cap);
    let free = |pitch: Pitch| format!("{:.1} %", 100.0 * pitch.free_share(total));
    let now = at(cap);
    // A page in a hundred is worth no word.
    if now.blocks == 0 || now.free_pages < total / 100 {
        return None;
    }
    let mut text = format!(
        "An area of {total} pages with nothing but buffers of {} in it is {} free when the next one \
         fails at cap {cap}",
        pages(worst.count),
        free(now),
    );
    let lower = CAPS.into_iter().filter(|other| *other < cap);
    let lower: Vec<_> = lower.map(|cap| format!("{} at cap {cap}", free(at(cap)))).collect();
    if !lower.is_empty() {
        text += &format!("; {}", lower.join(", "));
    }
    Some(text + ".")
}

/// What the table of buffers is about: of a list that is cut only what it shows.
pub(super) fn fills(area: &AreaState) -> String {
    let name = area.name.as_deref().map_or_else(|| "the area".to_string(), clean);
    if area.complete {
        format!("what fills {name}")
    } else {
        format!("what is seen to fill {name}")
    }
}

/// Pages that `cap` gives back.
pub(super) fn recoverable(resident: &Resident, cap: u32) -> Option<u64> {
    resident.recoverable.iter().find(|(other, _)| *other == cap).map(|(_, pages)| *pages)
}

/// What was read.
pub(super) fn read(diagnosis: &Diagnosis) -> String {
    let mut text = format!("read {}", counted(diagnosis.lines, "line"));
    let page = Page::of_bytes(diagnosis.boot.page_bytes()).unwrap_or_default();
    let areas: Vec<_> = diagnosis
        .areas
        .iter()
        .map(|area| {
            let name = area.name.as_deref().map_or_else(|| "without a name".to_string(), clean);
            let of = |total| format!("{name} of {}", pages_of(total, page));
            area.total.map_or_else(|| name.clone(), of)
        })
        .collect();
    match areas.len() {
        0 => {}
        1 => text += &format!("; area {}", areas[0]),
        _ => text += &format!("; areas {}", areas.join(", ")),
    }
    if diagnosis.skipped_lines > 0 {
        let skipped = counted(diagnosis.skipped_lines, "line");
        text += &format!("; {skipped} looked like the kernel's and could not be read");
    }
    text
}

/// Whether a text without a failure says something all the same: of other allocators, of busy places,
/// or of a boot that did not do as it was asked.
pub(super) fn found_anything(diagnosis: &Diagnosis) -> bool {
    let of_boot =
        boot::trouble(&diagnosis.boot).is_some() || boot::doubt(&diagnosis.boot).is_some();
    of_boot || !diagnosis.not_cma.is_empty() || !diagnosis.busy.is_empty()
}

/// What to do where a log holds no failure.
pub(super) const NOTHING_FOUND: &[&str] = &[
    "A failed allocation looks like `cma: cma_alloc: alloc failed, req-size: 456 pages, ret: -12`. \
     Kernels before 4.11 print no such line, none prints it for callers that ask for silence, and \
     up to 6.14 none prints it where more pages are asked for than the area has.",
    "`cmalab collect` prints a script for the board: it gathers dmesg, debugfs, trace events and \
     counters into one file that this command reads.",
];
