//! Order, size and place: what changes how much fits into the same memory.

use super::super::{Confidence, Resident};
use super::Advice;
use super::case::{Case, QUANTUM, up};
use crate::words::pages;

/// The largest cap at which this request fits as the area is.
pub(super) fn smaller_cap(case: &Case<'_>) -> Option<Advice> {
    const KIND: &str = "smaller_cap";
    if !case.follows_cap() {
        let text = format!(
            "CONFIG_CMA_ALIGNMENT is not it: the caller asked for order {} itself.",
            case.align
        );
        return Some(Advice::no(KIND, text));
    }
    let smaller = (0..case.align).rev();
    let Some((cap, at)) = smaller.map(|cap| (cap, case.place(case.align_at(cap)))).find_map(fits)
    else {
        // From a list with holes missing nothing follows.
        case.state.filter(|state| state.complete)?;
        let text = "No CONFIG_CMA_ALIGNMENT helps: no hole takes it at order 0 either.";
        return Some(Advice::no(KIND, text.to_string()));
    };
    let mut text = format!(
        "CONFIG_CMA_ALIGNMENT={cap} (now {}): {} fit at page {at} of the area as it is.",
        case.cap,
        pages(case.count)
    );
    // 2 to 12 in `kernel/dma/Kconfig` (6.1, 6.12), 4 to 12 in `drivers/base/Kconfig` (4.x).
    text.push_str(&match cap {
        0..2 => " Kconfig takes 2 to 12 (4 to 12 in 4.x): its range has to be patched.".into(),
        2..4 => " Kernels 4.x take 4 to 12: there the range has to be patched.".into(),
        _ => strands_less(case, cap),
    });
    Some(Advice::yes(KIND, text).saves(case.recoverable(cap)))
}

fn fits((cap, at): (u32, Option<u64>)) -> Option<(u32, u64)> {
    at.map(|at| (cap, at))
}

/// What the residents would strand at `cap`.
fn strands_less(case: &Case<'_>, cap: u32) -> String {
    let Some(worst) = case.worst() else { return String::new() };
    let (now, back) = (case.stranded(), case.recoverable(cap));
    format!(
        " {}uffers strand {} instead of {now}, most behind those of {}.",
        case.seen("Its b", "Of what the list shows, b"),
        pages(now.saturating_sub(back)),
        worst.count
    )
}

/// A smaller cap from boot on, where no hole is long enough now.
pub(super) fn cap_beforehand(case: &Case<'_>) -> Option<Advice> {
    let worst = case.worst()?;
    let smaller = (4..case.cap.min(8)).map(|cap| (cap, case.recoverable(cap)));
    let (cap, back) =
        smaller.max_by_key(|(cap, back)| (*back, *cap)).filter(|(_, back)| *back > 0)?;
    let now = case.stranded();
    let text = format!(
        "CONFIG_CMA_ALIGNMENT={cap} (now {}) from boot on: {}{} stranded instead of {now}, most \
         behind buffers of {}. In the area as it is no hole is long enough.",
        case.cap,
        case.seen("", "of what the list shows "),
        pages(now.saturating_sub(back)),
        worst.count
    );
    let helps = back >= case.pitch() && worst.confidence > Confidence::Guess;
    let advice =
        if helps { Advice::yes("smaller_cap", text) } else { Advice::no("smaller_cap", text) };
    Some(advice.saves(back))
}

/// Where there was a place.
pub(super) fn cap_is_not_it(case: &Case<'_>) -> Advice {
    let text = format!(
        "CONFIG_CMA_ALIGNMENT is not it: there was a place at order {} already.",
        case.align
    );
    Advice::no("smaller_cap", text)
}

/// How many pages too many it has.
pub(super) fn shorter_buffer(case: &Case<'_>) -> Option<Advice> {
    const KIND: &str = "shorter_buffer";
    let largest = case.largest()?;
    let over = case.count.checked_sub(largest).filter(|over| *over > 0)?;
    if largest == 0 {
        let text = format!("No buffer of order {} fits, however short.", case.align);
        return Some(Advice::no(KIND, text));
    }
    let text = format!(
        "{} less in this buffer: at most {largest} fit at order {}.",
        pages(over),
        case.align
    );
    // A driver can do without padding, not without a part of its picture.
    let advice =
        if over <= case.count / 16 { Advice::yes(KIND, text) } else { Advice::no(KIND, text) };
    Some(advice.saves(over))
}

/// Residents that are little longer than whole slots.
pub(super) fn resident_size(case: &Case<'_>) -> Option<Advice> {
    let slot_of = |found: &Resident| 1u64.checked_shl(found.align).unwrap_or(u64::MAX);
    let over = |found: &Resident| found.count % slot_of(found);
    let is_padded = |found: &&Resident| {
        let over = over(found);
        found.count > slot_of(found) && 0 < over && over <= slot_of(found) / 16
    };
    let padded = case.residents.iter().filter(is_padded);
    let found = padded.max_by_key(|found| found.stranded_pages)?;
    let (over, slot) = (over(found), slot_of(found));
    let blocks = found.blocks.unwrap_or(1);
    let text = format!(
        "{} less in each buffer of {} (which takes {} of room now) gives a slot of {slot} back: {} \
         for the {blocks} that are seen.",
        pages(over),
        found.count,
        up(found.count, slot),
        pages(slot.saturating_mul(blocks))
    );
    Some(Advice::yes("resident_size", text).saves(slot.saturating_mul(blocks)))
}

/// A `reserved-memory` node of its own.
pub(super) fn own_pool(case: &Case<'_>) -> Advice {
    let slots = case.pitch();
    let pool = up(slots, QUANTUM);
    let small = up(slots, QUANTUM / 2);
    let or = match small < pool {
        true => format!(" ({small} from 5.19 on, with pageblocks of 2 MiB)"),
        false => String::new(),
    };
    let text = format!(
        "{} for an area of its own{or}: reserved-memory with shared-dma-pool and reusable, \
         memory-region in the device's node. {} more for each further buffer live at a time.",
        pages(pool),
        pages(slots)
    );
    Advice::yes("own_pool", text).costs(pool)
}

/// Allocated once, at start.
pub(super) fn keep_allocated(case: &Case<'_>) -> Advice {
    let text = format!(
        "{} taken for good: allocated once, when the driver starts, the place cannot be lost.",
        pages(case.count)
    );
    Advice::yes("keep_allocated", text).costs(case.count)
}
