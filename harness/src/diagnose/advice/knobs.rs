//! Order, size and place: what changes how much fits into the same memory.

use super::super::{Confidence, Resident};
use super::case::{Case, up};
use super::{Advice, Cap, Pages, What};
use crate::kernel;

/// The first release whose areas are a multiple of a pageblock (`CMA_MIN_ALIGNMENT_PAGES`,
/// `include/linux/cma.h`).
const BY_PAGEBLOCK: (u32, u32) = (5, 19);

/// The largest cap at which this request fits as the area is.
pub(super) fn smaller_cap(case: &Case<'_>) -> Option<Advice> {
    let (align, now, count) = (case.align, case.cap, Pages(case.count));
    if !case.follows_cap() {
        return Some(Advice::no(What::SmallerCap(Cap::OwnOrder { align })));
    }
    if let Some(shown) = as_shown(case) {
        return Some(shown);
    }
    let mut smaller = (0..align).rev();
    let fits = smaller.find_map(|cap| Some((cap, case.place(case.align_at(cap))?)));
    let Some((cap, at)) = fits else {
        // From a list with holes missing nothing follows.
        return case.sees_all().then_some(Advice::no(What::SmallerCap(Cap::NoneFits)));
    };
    let strands = if cap < 4 { None } else { case.strands(cap) };
    let advice = Advice::yes(What::SmallerCap(Cap::Fits { cap, now, count, at, strands }));
    Some(advice.saves(case.recoverable(cap)))
}

/// That it is no use from the cap on that calls show.
fn as_shown(case: &Case<'_>) -> Option<Advice> {
    let (cap, (calls, pages)) = (case.cap, case.shown?);
    Some(Advice::no(What::SmallerCap(Cap::Shown { cap, calls, pages })))
}

/// A smaller cap from boot on, where no hole is long enough now.
pub(super) fn cap_beforehand(case: &Case<'_>) -> Option<Advice> {
    if let Some(shown) = as_shown(case).filter(|_| case.follows_cap()) {
        return Some(shown);
    }
    let now = case.cap;
    let smaller = (4..now.min(8)).map(|cap| (case.recoverable(cap), cap));
    let (back, cap) = smaller.max().filter(|(back, _)| *back > 0)?;
    let what = What::SmallerCap(Cap::FromBoot { cap, now, strands: case.strands(cap)? });
    let helps = back >= case.pitch() && case.worst()?.confidence > Confidence::Guess;
    Some(Advice { helps, ..Advice::no(what) }.saves(back))
}

/// How many pages too many it has.
pub(super) fn shorter_buffer(case: &Case<'_>) -> Option<Advice> {
    let (largest, align) = (case.largest()?, case.align);
    let over = case.count.checked_sub(largest).filter(|over| *over > 0)?;
    if largest == 0 {
        return Some(Advice::no(What::NoShorterBuffer { align }));
    }
    // A driver can do without padding, not without a part of its picture.
    let helps = over <= case.count / 16;
    Some(
        Advice { helps, ..Advice::no(What::ShorterBuffer { over: Pages(over), largest, align }) }
            .saves(over),
    )
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
    let (over, slot, count) = (over(found), slot_of(found), found.count);
    let blocks = found.blocks.unwrap_or(1);
    let (room, back) = (up(count, slot), slot.saturating_mul(blocks));
    let (over, back_pages) = (Pages(over), Pages(back));
    let what = What::ResidentSize { over, count, room, slot, back: back_pages, blocks };
    Some(Advice::yes(what).saves(back))
}

/// The pages too many of a buffer that is little longer than whole slots, where no list shows more.
pub(super) fn without_padding(case: &Case<'_>) -> Option<Advice> {
    let slots = case.failure.slots().filter(|_| !case.sees_all())?;
    let padding = slots.padding?;
    let (over, count, room) = (Pages(padding.over), case.count, slots.slot);
    let fit = slots.most.zip(padding.most).filter(|(now, then)| now < then);
    let what = What::NoPadding { over, count, room, slot: padding.slot, fit };
    Some(Advice::yes(what).saves(slots.slot - padding.slot))
}

/// A `reserved-memory` node of its own.
pub(super) fn own_pool(case: &Case<'_>) -> Advice {
    let pitch = case.pitch();
    let step = case.step;
    let pool = up(pitch, step.pages());
    // Half of it from 5.19 on, where the kind of kernel is not known.
    let small = Some(up(pitch, (step.pages() / 2).max(1)));
    let release = case.failure.incident.era.name.as_deref().and_then(kernel::release);
    let is_old = release.is_some_and(|release| release < BY_PAGEBLOCK);
    let small = small.filter(|small| !step.is_known && !is_old && *small < pool);
    let known = release.is_some();
    Advice::yes(What::OwnPool { pool: Pages(pool), small, known, pitch: Pages(pitch) }).costs(pool)
}
