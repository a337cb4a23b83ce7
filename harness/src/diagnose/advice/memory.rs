//! More memory, inside the area and outside of it.

use super::super::AreaState;
use super::Advice;
use super::case::{Case, QUANTUM, up};
use crate::words::{pages, percent_of};

/// A longer area, where enough is free but in the wrong places.
pub(super) fn area_for_a_hole(case: &Case<'_>) -> Advice {
    let added = case.state.and_then(|state| added(case, state));
    let more = added.unwrap_or_else(|| case.pitch());
    let mut text = format!(
        "A bigger area: not for long, {} more{} take this one request.",
        pages(more),
        if added.is_some() { " at its end" } else { "" }
    );
    let free = case.state.map(AreaState::known_free).filter(|free| *free > 0);
    let part = if case.sees_all() {
        case.total().map(|total| format!("{} of the area is", percent_of(case.stranded(), total)))
    } else {
        free.map(|free| format!("Of the {free} free pages in the list {} are", case.stranded()))
    };
    if let Some(part) = part.filter(|_| case.stranded() > 0) {
        text.push_str(&format!(" {part} stranded, and a bigger one strands as large a share."));
    }
    Advice::no("bigger_area", text).costs(more)
}

/// Pages that its only range has to grow by, at its end, for this request to fit.
fn added(case: &Case<'_>, state: &AreaState) -> Option<u64> {
    let [range] = &state.ranges[..] else { return None };
    let end = range.pages.or(state.total)?;
    let last = range.holes.last().filter(|hole| hole.end() == end && state.complete);
    let free_from = last.map_or(end, |hole| hole.start);
    let unit = 1u64.checked_shl(case.align)?;
    let from = range.base().checked_add(free_from)?.checked_next_multiple_of(unit)? - range.base();
    from.checked_add(case.count)?.checked_sub(end)
}

/// A longer area, where too little is free.
pub(super) fn area_for_more(case: &Case<'_>) -> Option<Advice> {
    let free = case.free()?;
    let more = case.count.checked_sub(free).filter(|more| *more > 0)?;
    // What is free helps only if it adjoins.
    let most = case.state.and_then(|state| added(case, state)).unwrap_or_else(|| case.pitch());
    let most = up(most.max(more), QUANTUM);
    let total = case.total().map_or_else(String::new, |total| format!(" of {total}"));
    let text = format!(
        "A bigger area: {} more at least ({} asked for, {free}{total} free), {most} to be sure of \
         a place. If used pages grow for ever it is a leak, and this only fails later.",
        pages(more),
        case.count
    );
    Some(Advice::yes("bigger_area", text).costs(more))
}

/// Who has the memory.
pub(super) fn holders(case: &Case<'_>) -> Option<Advice> {
    let most = case.residents.iter().max_by_key(|found| found.pages())?;
    let blocks = most.blocks.unwrap_or(0);
    let text = format!(
        "Fewer buffers: {blocks} of {} hold {} as far as the list shows.",
        pages(most.count),
        pages(most.pages())
    );
    Some(Advice::yes("fewer_buffers", text).saves(most.count))
}

/// No other place, order or policy.
pub(super) fn no_placement(case: &Case<'_>) -> Advice {
    let _ = case;
    let text = "Nothing else: no CONFIG_CMA_ALIGNMENT, no order of frees and no other allocator \
                makes memory.";
    Advice::no("nothing", text.to_string())
}

/// A longer area, where the request is longer than all of it.
pub(super) fn area_for_too_large(case: &Case<'_>) -> Option<Advice> {
    let state = case.failure.incident.state.as_deref();
    let largest = state.and_then(|state| state.ranges.iter().filter_map(|range| range.pages).max());
    let longest = largest.or_else(|| case.total())?;
    let more = case.count.checked_sub(longest).filter(|more| *more > 0)?;
    let text = format!(
        "A bigger area: {} more, one range of at least {} (in steps of 4 MiB: {}). Look whether \
         the size is meant: even the empty area is too short.",
        pages(more),
        pages(case.count),
        up(case.count, QUANTUM)
    );
    Some(Advice::yes("bigger_area", text).costs(more))
}

/// Memory to move pages to.
pub(super) fn more_memory(case: &Case<'_>) -> Advice {
    let text = format!(
        "Up to {} of free memory for what had to be moved. Free some before the request, raise \
         vm.min_free_kbytes, or make the area smaller.",
        pages(case.count)
    );
    Advice::yes("more_memory", text)
}

/// What a bigger area is taken from.
pub(super) fn area_takes_memory(case: &Case<'_>) -> Advice {
    let _ = case;
    let text = "A bigger area: no, it takes from the memory that pages would have been moved to.";
    Advice::no("bigger_area", text.to_string())
}

/// Once more, later.
pub(super) fn retry(case: &Case<'_>) -> Advice {
    let tried = match case.failure.incident.busy_retries {
        Some(1) => "1 place was tried, a page in it".to_string(),
        Some(tries @ 2..) => format!("{tries} places were tried, a page in each"),
        _ => "A page in each place".to_string(),
    };
    let text = format!(
        "Ask again a little later, or empty the page cache before (`echo 1 > \
         /proc/sys/vm/drop_caches`). {tried} was pinned or in use; `page_owner=on` says by whom."
    );
    Advice::yes("retry", text).costs(0)
}

/// A kernel that lets one request at a time claim pages.
pub(super) fn serial_kernel(case: &Case<'_>) -> Option<Advice> {
    let kernel = case.failure.incident.era.name.as_deref()?;
    let mut numbers = kernel.split(['.', '-', '+']).map(str::parse::<u32>);
    let (Some(Ok(5)), Some(Ok(11..=18))) = (numbers.next(), numbers.next()) else { return None };
    let text = "5.19, or a stable release of this kernel that is newer: 5.11 to 5.18 fail so where \
                two requests run at once.";
    Some(Advice::yes("newer_kernel", text.to_string()).costs(0))
}

/// Memory that nobody borrows.
pub(super) fn pool_without_tenants(case: &Case<'_>) -> Advice {
    let pool = up(case.pitch(), QUANTUM);
    let text = format!(
        "{} that nobody borrows, lost to the system: a reserved-memory node for this device \
         without `reusable` is never busy.",
        pages(pool)
    );
    Advice::yes("own_pool", text).costs(pool)
}

/// More places to try.
pub(super) fn area_with_more_places(case: &Case<'_>) -> Advice {
    let _ = case;
    let text = "A bigger area: no, pages in its further places are as likely busy.";
    Advice::no("bigger_area", text.to_string())
}
