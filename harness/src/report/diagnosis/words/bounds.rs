//! What bounds a request whose free runs are not in the text.

use super::super::plain::{clean, counted};
use crate::cause::Cause;
use crate::diagnose::{Bounds, By, Failure, Held, Holding, Slots, Stated, Why};
use crate::ingest::log::Holder;
use crate::page::Page;
use crate::words::{mib, pages};

/// So few buffers are worth a word in the first line, and a number in any case.
const FEW: u64 = 16;

/// The most labels of a dump that are named.
const MOST_LABELS: usize = 4;

/// What no request can be larger than: `the only area in the text has 12288 (reserved at boot, line
/// 1)`.
pub(super) fn most(failure: &Failure) -> Option<String> {
    let bounds = failure.incident.bounds.as_deref()?;
    Some(size(failure, bounds, bounds.most()?))
}

fn size(failure: &Failure, bounds: &Bounds, most: &Stated) -> String {
    let pages = most.pages;
    let what = match most.by {
        By::Memory | By::CmaTotal if pages == 0 => "there is no area that can be used".to_string(),
        By::Memory | By::CmaTotal => format!("all areas together have at most {pages}"),
        By::CommandLine | By::Tree => format!("the area has {pages} if it is as asked for"),
        _ if let Some(own) = &bounds.own => format!(
            "area {}, which {} was given (\"assigned reserved memory node\", {}), has {pages}",
            clean(&own.area),
            clean(&own.device),
            place(failure, &own.source, own.line)
        ),
        _ if bounds.is_largest => format!("the largest area has {pages}"),
        _ if failure.incident.area.is_some() => format!("the area has {pages}"),
        _ => format!("the only area in the text has {pages}"),
    };
    format!("{what} ({})", stated(failure, most))
}

/// `CmaTotal 8192 kB, line 2`, with the source where that is another one than the failure's.
fn stated(failure: &Failure, stated: &Stated) -> String {
    let kib = stated.bytes.unwrap_or(0) >> 10;
    let by = match stated.by {
        By::CommandLine => format!("cma= of {kib} kB on the command line"),
        By::Tree => format!("{kib} kB in the device tree"),
        By::Boot => format!("{kib} kB reserved at boot"),
        By::Trace => "total_count of the trace".to_string(),
        By::Sysfs => "total_pages of sysfs".to_string(),
        By::Debugfs => "count of debugfs".to_string(),
        By::Memory => format!("{kib}K cma-reserved"),
        By::CmaTotal => format!("CmaTotal {kib} kB"),
        By::CmaFree => format!("CmaFree {kib} kB"),
        By::Available => "available_pages of sysfs".to_string(),
    };
    format!("{by}, {}", place(failure, &stated.source, stated.line))
}

fn place(failure: &Failure, source: &str, line: u64) -> String {
    let is_here = *source == *failure.incident.source;
    if is_here { format!("line {line}") } else { format!("{} line {line}", clean(source)) }
}

/// In the first line: how few such buffers there can be.
pub(super) fn few(failure: &Failure) -> Option<String> {
    if sees_all(failure) {
        return None;
    }
    let slots = failure.slots()?;
    let (most, area) = (slots.most?, slots.area?);
    let is_few = (1..=FEW).contains(&most) && slots.stranded > 0;
    is_few.then(|| format!("at most {} fit into {}", counted(most, "such buffer"), pages(area)))
}

/// Whether a list, a bitmap or a trace shows the whole area, and with it all there is to say.
fn sees_all(failure: &Failure) -> bool {
    failure.incident.state.as_ref().is_some_and(|state| state.complete)
}

/// How large areas are, how much is free at least, and how many such buffers fit at most.
pub(super) fn fact(failure: &Failure) -> Option<String> {
    if sees_all(failure) || failure.incident.count.is_none() && failure.list.is_some() {
        return None;
    }
    let none = Bounds::default();
    let bounds = failure.incident.bounds.as_deref().unwrap_or(&none);
    let sizes = [bounds.area.as_ref(), bounds.all.as_ref()].into_iter().flatten();
    let sizes = sizes.filter(|_| failure.verdict.is_none());
    let mut parts: Vec<String> = sizes.map(|stated| size(failure, bounds, stated)).collect();
    parts.extend(bounds.of_other_boot.as_ref().map(|meminfo| {
        format!(
            "{} is of another boot: up to 6.14 no kernel prints a line where more is asked for than \
             the area has",
            stated(failure, meminfo)
        )
    }));
    // Without an area nothing is lent.
    let no_area = bounds.all.as_ref().is_some_and(|all| all.pages == 0);
    let free = bounds.free.as_ref().filter(|_| is_open(failure) && !no_area);
    parts.extend(free.map(|free| least_free(failure, free)));
    let available = bounds.available.as_ref().filter(|_| is_open(failure));
    parts.extend(available.map(|available| available_then(failure, available)));
    parts.extend(failure.slots().and_then(|slots| fits(failure, &slots)));
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether nothing but bounds says why.
fn is_open(failure: &Failure) -> bool {
    failure.verdict.is_none() || matches!(failure.why, Why::AboveBound | Why::Held)
}

/// What was free at least at that moment: `CmaFree` counts what is in the lists of free pages, and
/// not what is lent to movable pages, which the bitmap has as free, too.
fn least_free(failure: &Failure, free: &Stated) -> String {
    let line = stated(failure, free);
    match free.pages {
        0 => format!(
            "all that is free in the areas is lent to movable pages, which have to be moved ({line})"
        ),
        least => format!(
            "at least {} free in all areas together ({line}; what is lent to movable pages is not \
             counted)",
            super::are(least)
        ),
    }
}

/// What was free in the area when its counter was read, which is no moment of the failure.
fn available_then(failure: &Failure, available: &Stated) -> String {
    let few = match failure.incident.count {
        Some(count) if count > available.pages => {
            "; that is less than was asked for: the area was too full, if it was so when this failed"
        }
        _ => "",
    };
    format!(
        "{} {} free in the area when it was read ({}){few}",
        pages(available.pages),
        if available.pages == 1 { "was" } else { "were" },
        stated(failure, available)
    )
}

/// `at most 3 buffers of 4097 pages fit into 16384: each takes 4352 at order 8 and strands 255`.
fn fits(failure: &Failure, slots: &Slots) -> Option<String> {
    let (count, (order, _)) = (failure.incident.count?, failure.align?);
    let Slots { slot, stranded, area, most, padding } = *slots;
    let would_fit = padding.is_some_and(|padding| padding.most.is_some_and(|most| most > 0));
    if failure.verdict == Some(Cause::TooLarge) && !would_fit {
        return None;
    }
    let takes = format!("takes {slot} at order {order} and strands {stranded}");
    let without = padding.map(|padding| {
        let most = padding.most.filter(|more| most.is_some_and(|most| most < *more));
        let most = most.map_or_else(String::new, |most| match most {
            1 => ", and 1 fits".to_string(),
            most => format!(", and {most} fit"),
        });
        format!("; {} less and it takes {}{most}", pages(padding.over), padding.slot)
    });
    let without = without.unwrap_or_default();
    let (buffers, each) = match most.zip(area) {
        Some((most @ 1.., area)) if most <= FEW && is_open(failure) || padding.is_some() => {
            let fit = if most == 1 { "fits" } else { "fit" };
            let buffers = counted(most, "buffer");
            let of = pages(count);
            (format!("at most {buffers} of {of} {fit} into {area}"), ": each ")
        }
        _ if padding.is_some() => (format!("a buffer of {}", pages(count)), " "),
        _ => return None,
    };
    let strands = if stranded > 0 { format!("{each}{takes}{without}") } else { String::new() };
    Some(buffers + &strands)
}

/// What the driver holds and what was asked for, where that is more than there is.
pub(super) fn filled(failure: &Failure) -> Option<String> {
    let bounds = failure.incident.bounds.as_deref()?;
    let (held, most) = bounds.filled()?;
    let dump = bounds.held.as_ref()?;
    Some(format!(
        "{} were asked for and {held} of {} are held by {} ({}; {})",
        pages(failure.incident.count?),
        most.pages,
        who(dump),
        place(failure, &dump.source, dump.line),
        stated(failure, most)
    ))
}

fn who(held: &Held) -> &'static str {
    match held.holder {
        Holder::Vc4 => "the driver itself",
        Holder::DmaBuf => "dma-bufs",
    }
}

/// What is held and what was asked for together, where nothing states how much there is.
pub(super) fn with_held(failure: &Failure) -> Option<String> {
    let bounds = failure.incident.bounds.as_deref()?;
    let held = bounds.held.as_ref().filter(|_| bounds.most().is_none() && bounds.is_held_now())?;
    let asked = failure.incident.count?.checked_mul(bounds.page_bytes.max(1))?;
    let held = held.cma_bytes()?;
    let both = held.checked_add(asked)?;
    Some(format!(
        "{} kB are held, with this request {} kB ({}): if CmaTotal is below that, the area is simply \
         full",
        held >> 10,
        both >> 10,
        mib(both >> 12, Page::Kib4)
    ))
}

/// The exporters whose buffers may be CMA's, or not: `, fewer if those of drm are CMA's too`.
fn not_counted(held: &Held) -> String {
    let names: Vec<_> = held.maybe_of_cma().map(|of| clean(&of.label)).collect();
    match names.len() {
        0 => String::new(),
        _ => format!(", fewer where those of {} are CMA's too", names.join(", ")),
    }
}

/// What the driver says that it holds, and what is left.
pub(super) fn held(failure: &Failure) -> Option<String> {
    let bounds = failure.incident.bounds.as_deref()?;
    let held = bounds.held.as_ref()?;
    let mut of: Vec<&Holding> = held.of.iter().collect();
    of.sort_by_key(|of| std::cmp::Reverse(of.bytes));
    let each = of.iter().take(MOST_LABELS).map(|of| {
        let buffers = counted(of.buffers, "buffer");
        format!("{} holds {} kB in {buffers}", clean(&of.label), of.bytes >> 10)
    });
    let mut parts: Vec<String> = each.collect();
    let (bytes, buffers) = held.sum();
    let buffers =
        buffers.map_or_else(String::new, |count| format!(" in {}", counted(count, "buffer")));
    let line = place(failure, &held.source, held.line);
    parts.extend(bytes.map(|bytes| format!("{} kB{buffers} in all ({line})", bytes >> 10)));
    if let Some(cached) = held.cached.0.filter(|cached| *cached > 0) {
        parts.push(format!("{} kB of it freed and kept for the next request", cached >> 10));
    }
    if let Some((held, most)) = bounds.filled().filter(|(held, most)| *held <= most.pages) {
        let left = pages(most.pages - held);
        let open = bounds.held.as_ref().map_or_else(String::new, |held| not_counted(held));
        parts.push(format!(
            "at most {left} of {} are left ({}){open}",
            most.pages,
            stated(failure, most)
        ));
    }
    // What is held is said already.
    let both = with_held(failure);
    parts.extend(both.and_then(|text| Some(text.split_once(", ")?.1.to_string())));
    (!parts.is_empty()).then(|| parts.join("; "))
}
