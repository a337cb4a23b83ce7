//! What would have helped, in at most two sentences, the numbers first.

use super::next::next;
use crate::diagnose::{Advice, Cap, Grow, Strands, What};
use crate::words::{mib, pages, percent_of};

/// The advice that a terminal shows, in its order: what helps most, whether a bigger area does, and
/// the next step. JSON and HTML have all of it.
pub(in crate::report::diagnosis) fn most_useful(advice: &[Advice]) -> Vec<&Advice> {
    const MOST: usize = 5;
    let always = |one: &Advice| {
        matches!(one.what, What::BiggerArea(_) | What::LookUpBounds | What::Collect(_))
    };
    let mut room = MOST.saturating_sub(advice.iter().filter(|one| always(one)).count());
    let mut keep = |one: &&Advice| {
        let kept = always(one) || room > 0;
        room = room.saturating_sub(usize::from(!always(one)));
        kept
    };
    advice.iter().filter(|one| keep(one)).collect()
}

/// What something that helps costs or saves; nothing where it is free, or does not help.
pub(in crate::report::diagnosis) fn cost(advice: &Advice) -> Option<String> {
    let cost = advice.cost_pages.filter(|pages| advice.helps && *pages != 0)?;
    let amount = pages(cost.unsigned_abs());
    Some(if cost > 0 { format!("costs {amount}") } else { format!("saves {amount}") })
}

/// The advice itself.
pub(in crate::report::diagnosis) fn advice(advice: &Advice) -> String {
    match advice.what {
        What::SmallerCap(cap) => smaller_cap(cap),
        What::NoShorterBuffer { align } => {
            format!("No buffer of order {align} fits, however short.")
        }
        What::ShorterBuffer { over, largest, align } => {
            format!("{over} less in this buffer: at most {largest} fit at order {align}.")
        }
        What::ResidentSize { over, count, room, slot, back, blocks } => format!(
            "{over} less in each buffer of {count} (which takes {room} of room now) gives a slot \
             of {slot} back: {back} for the {blocks} that are seen."
        ),
        What::NoPadding { over, count, room, slot, fit } => {
            let fit = fit.map_or_else(String::new, |(now, then)| {
                format!(" {then} fit into the area then, at most {now} do now.")
            });
            format!(
                "{over} less in each buffer of {count}, which takes {room} of room now and {slot} \
                 then.{fit}"
            )
        }
        What::OwnPool { pool, small, pitch } => {
            let or = |small| format!(" ({small} from 5.19 on, with pageblocks of 2 MiB)");
            let or = small.map(or).unwrap_or_default();
            format!(
                "{pool} for an area of its own{or}: reserved-memory with shared-dma-pool and \
                 reusable, memory-region in the device's node. {pitch} more for each further \
                 buffer live at a time."
            )
        }
        What::PoolWithoutTenants { pool } => format!(
            "{pool} that nobody borrows, lost to the system: a reserved-memory node for this \
             device without `reusable` is never busy."
        ),
        What::FewerBuffers { blocks, count, pages } => {
            format!("Fewer buffers: {blocks} of {count} hold {pages} as far as the list shows.")
        }
        What::KeepAllocated { count } => format!(
            "{count} taken for good: allocated once, when the driver starts, the place cannot be \
             lost."
        ),
        What::BiggerArea(grow) => bigger_area(grow),
        What::MoreMemory { count } => format!(
            "Up to {count} of free memory for what had to be moved. Free some before the request, \
             raise vm.min_free_kbytes, or make the area smaller."
        ),
        What::Retry { tries } => {
            let tried = match tries {
                0 => "A page in each place".to_string(),
                1 => "1 place was tried, a page in it".to_string(),
                tries => format!("{tries} places were tried, a page in each"),
            };
            format!(
                "Ask again a little later, or empty the page cache before (`echo 1 > \
                 /proc/sys/vm/drop_caches`). {tried} was pinned or in use; `page_owner=on` says by \
                 whom."
            )
        }
        What::NewerKernel => {
            "5.19, or a stable release of this kernel that is newer: 5.11 to 5.18 \
                              fail so where two requests run at once."
                .into()
        }
        What::LookUpBounds => "How large the areas are, which no rebuild is needed for: `grep Cma \
                               /proc/meminfo`, and `dmesg | grep -i cma` from the boot on. A \
                               request that is larger than all of them is answered by that."
            .into(),
        What::Collect(missing) => next(missing),
        What::Nothing { killed: true } => {
            "The task was being killed: the request ended because its caller did.".into()
        }
        What::Nothing { killed: false } => "Nothing else: no CONFIG_CMA_ALIGNMENT, no order of \
                                            frees and no other allocator makes memory."
            .into(),
    }
}

fn smaller_cap(cap: Cap) -> String {
    match cap {
        Cap::OwnOrder { align } => {
            format!("CONFIG_CMA_ALIGNMENT is not it: the caller asked for order {align} itself.")
        }
        Cap::HadPlace { align } => {
            format!("CONFIG_CMA_ALIGNMENT is not it: there was a place at order {align} already.")
        }
        Cap::NoneFits => {
            "No CONFIG_CMA_ALIGNMENT helps: no hole takes it at order 0 either.".into()
        }
        Cap::Fits { cap, now, count, at, strands } => {
            // 2 to 12 in `kernel/dma/Kconfig` (6.1, 6.12), 4 to 12 in `drivers/base/Kconfig` (4.x).
            let and = match (cap, strands) {
                (0..2, _) => {
                    " Kconfig takes 2 to 12 (4 to 12 in 4.x): its range has to be patched.".into()
                }
                (2..4, _) => " Kernels 4.x take 4 to 12: there the range has to be patched.".into(),
                (_, None) => String::new(),
                (_, Some(Strands { now, left, worst, whole })) => {
                    let of = if whole { " Its b" } else { " Of what the list shows, b" };
                    format!(
                        "{of}uffers strand {left} instead of {now}, most after those of {worst}."
                    )
                }
            };
            format!(
                "CONFIG_CMA_ALIGNMENT={cap} (now {now}): {count} fit at page {at} of the area as it is.{and}"
            )
        }
        Cap::FromBoot { cap, now, strands: Strands { now: all, left, worst, whole } } => {
            let of = if whole { "" } else { "of what the list shows " };
            format!(
                "CONFIG_CMA_ALIGNMENT={cap} (now {now}) from boot on: {of}{left} stranded instead \
                 of {all}, most after buffers of {worst}. In the area as it is no hole is long \
                 enough."
            )
        }
    }
}

fn bigger_area(grow: Grow) -> String {
    match grow {
        Grow::ForOne { more, at_end, stranded, of, free } => {
            let part = match (stranded, free) {
                (0, _) => String::new(),
                (_, true) => format!(" Of the {of} free pages in the list {stranded} are"),
                (_, false) => format!(" {} of the area is", percent_of(stranded, of)),
            };
            let end = if at_end { " at its end" } else { "" };
            let share = match stranded {
                0 => "",
                _ => " stranded, and a bigger one strands as large a share.",
            };
            format!(
                "A bigger area: not for long, {more} more{end} take this one request.{part}{share}"
            )
        }
        Grow::ForMore { more, count, free, total, most } => {
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            format!(
                "A bigger area: {more} more at least ({count} asked for, {free}{of} free), {most} \
                 to be sure of a place. If used pages grow for ever it is a leak, and this only \
                 fails later."
            )
        }
        Grow::ForRange { more, least, steps, step } => {
            let mib = |bytes: u64| mib(bytes / 4096);
            format!(
                "A bigger area: {more} more, one range of at least {least} (in steps of {}: \
                 {steps}, {}). Look whether the size is meant: even the empty area is too short.",
                mib(step.bytes),
                mib(steps.saturating_mul(step.page_bytes))
            )
        }
        Grow::TakesMemory => {
            "A bigger area: no, it takes from the memory that pages would have been moved to."
                .into()
        }
        Grow::AsBusy => "A bigger area: no, pages in its further places are as likely busy.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Pages;

    fn text(what: What) -> String {
        advice(&Advice { what, helps: true, cost_pages: None })
    }

    #[test]
    fn a_cap_that_kconfig_does_not_take_is_said_to_need_a_patch() {
        let fits = |cap, strands| {
            let count = Pages(1);
            text(What::SmallerCap(Cap::Fits { cap, now: 8, count, at: 5, strands }))
        };
        let head = |cap| format!("CONFIG_CMA_ALIGNMENT={cap} (now 8): 1 page fit at page 5 of ");
        for (cap, end) in
            [(1, "4.x): its range has to be patched."), (3, "the range has to be patched.")]
        {
            let said = fits(cap, None);
            assert!(said.starts_with(&head(cap)) && said.ends_with(end), "{said}");
        }
        let strands = |whole| Some(Strands { now: 4826, left: Pages(1178), worst: 258, whole });
        let end = "uffers strand 1178 pages instead of 4826, most after those of 258.";
        assert!(fits(6, strands(true)).ends_with(&format!(" Its b{end}")));
        assert!(fits(6, strands(false)).ends_with(&format!(" Of what the list shows, b{end}")));
        assert!(fits(6, None).ends_with("of the area as it is."));
    }

    #[test]
    fn a_bigger_area_strands_as_large_a_share() {
        let grow = |stranded, free| Grow::ForOne {
            more: Pages(1),
            at_end: true,
            stranded,
            of: 1000,
            free,
        };
        let head = "A bigger area: not for long, 1 page more at its end take this one request.";
        let tail = " stranded, and a bigger one strands as large a share.";
        let said = |stranded, free| text(What::BiggerArea(grow(stranded, free)));
        assert_eq!(said(0, true), head);
        assert_eq!(said(9, true), format!("{head} Of the 1000 free pages in the list 9 are{tail}"));
        assert_eq!(said(9, false), format!("{head} 0.9 % of the area is{tail}"));
    }
}
