//! More memory, inside the area and outside of it.

use super::super::AreaState;
use super::Advice;
use super::case::{Case, QUANTUM, pages, percent, up};

/// A longer area, where enough is free but in the wrong places.
pub(super) fn area_for_a_hole(case: &Case<'_>) -> Advice {
    let mut text = match case.state.and_then(|state| added(case, state)) {
        Some(more) => format!(
            "{} more at its end are a place for this one request, until the same buffers have \
             filled them too.",
            pages(more)
        ),
        None => format!(
            "{} more (its size in whole slots) are a place for this one request, until the same \
             buffers have filled them too.",
            pages(case.pitch())
        ),
    };
    if let (Some(total), stranded @ 1..) = (case.total(), case.stranded()) {
        text.push_str(&format!(
            " {} of the area is stranded, and a bigger one strands as large a share.",
            percent(stranded, total)
        ));
    }
    let more = case.state.and_then(|state| added(case, state)).unwrap_or_else(|| case.pitch());
    Advice::no("bigger_area", format!("A bigger area: not for long. {text}")).costs(more)
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
        "A bigger area: at least {} more ({} asked for, {free}{total} free), {} to be sure of a \
         place (whole slots, in steps of 4 MiB). If the same buffers were never freed (a leak), \
         it only fails later: look whether the used pages grow for ever.",
        pages(more),
        case.count,
        pages(most)
    );
    Some(Advice::yes("bigger_area", text).costs(more))
}

/// Who has the memory.
pub(super) fn holders(case: &Case<'_>) -> Option<Advice> {
    let most = case.residents.iter().max_by_key(|found| found.pages())?;
    let blocks = most.blocks.unwrap_or(0);
    let text = format!(
        "Fewer buffers: {blocks} of {} hold {} as far as gaps show; one driver that asks for less \
         of them is worth as much as a bigger area.",
        pages(most.count),
        pages(most.pages())
    );
    Some(Advice::yes("fewer_buffers", text).saves(most.count))
}

/// No other place, order or policy.
pub(super) fn no_placement(case: &Case<'_>) -> Advice {
    let free = case.free().map_or_else(|| "fewer pages".to_string(), pages);
    let text = format!(
        "Nothing else: {free} for a request of {}. No CONFIG_CMA_ALIGNMENT, no order of frees and \
         no other allocator makes memory.",
        pages(case.count)
    );
    Advice::no("nothing", text)
}

/// A longer area, where the request is longer than all of it.
pub(super) fn area_for_too_large(case: &Case<'_>) -> Option<Advice> {
    let state = case.failure.incident.state.as_deref();
    let largest = state.and_then(|state| state.ranges.iter().filter_map(|range| range.pages).max());
    let longest = largest.or_else(|| case.total())?;
    let more = case.count.checked_sub(longest).filter(|more| *more > 0)?;
    let text = format!(
        "A bigger area: one range of at least {} ({} more, in steps of 4 MiB: {}). Look whether \
         the size is meant: no state of this area could have served it.",
        pages(case.count),
        pages(more),
        pages(up(case.count, QUANTUM))
    );
    Some(Advice::yes("bigger_area", text).costs(more))
}

/// Memory to move pages to.
pub(super) fn more_memory(case: &Case<'_>) -> Advice {
    let text = format!(
        "More free memory outside of CMA: the place was there, and its movable pages, at most {}, \
         had nowhere to go. Make the area smaller, raise vm.min_free_kbytes, or free memory before \
         the request; see MemFree and CmaFree in /proc/meminfo when it fails.",
        pages(case.count)
    );
    Advice::yes("more_memory", text)
}

/// What a bigger area is taken from.
pub(super) fn area_takes_memory(case: &Case<'_>) -> Advice {
    let _ = case;
    let text = "A bigger area: no. It takes from the memory that pages would have been moved to.";
    Advice::no("bigger_area", text.to_string())
}

/// Once more, later.
pub(super) fn retry(case: &Case<'_>) -> Advice {
    let tried = match case.failure.incident.busy_retries {
        Some(tries @ 1..) => format!(" ({tries} places were tried)"),
        _ => String::new(),
    };
    let text = format!(
        "Ask again a little later: a page in each place was pinned or in use{tried}. Page cache \
         is given up after `echo 1 > /proc/sys/vm/drop_caches`; what stays busy for minutes is \
         pinned for long (`page_owner=on` and /sys/kernel/debug/page_owner say by whom). Kernels \
         5.11 to 5.18 also fail so where two requests run at once (mended in 5.19 and in stable)."
    );
    Advice::yes("retry", text).costs(0)
}

/// Memory that nobody borrows.
pub(super) fn pool_without_tenants(case: &Case<'_>) -> Advice {
    let pool = up(case.pitch(), QUANTUM);
    let text = format!(
        "Memory that nobody borrows: a reserved-memory node for this device without `reusable` \
         (`no-map`) is never busy; {} for one such buffer are lost to the system.",
        pages(pool)
    );
    Advice::yes("own_pool", text).costs(pool)
}

/// More places to try.
pub(super) fn area_with_more_places(case: &Case<'_>) -> Advice {
    let _ = case;
    let text = "A bigger area: no. It has more places to try, and pages in each as likely busy.";
    Advice::no("bigger_area", text.to_string())
}
