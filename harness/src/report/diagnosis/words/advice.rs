//! What would have helped: the numbers first, then the knob and its value.

use super::next::next;
use crate::diagnose::{Advice, Cap, Grow, SizeBy, Strands, What};
use crate::page::Page;
use crate::program;
use crate::words::{counted, mib, pages, percent_of, size_cells};

/// The advice that a terminal shows, in its order: what helps most, whether a bigger area does, and
/// the next step. JSON and HTML have all of it.
pub(in crate::report::diagnosis) fn most_useful(advice: &[Advice]) -> Vec<&Advice> {
    const MOST: usize = 5;
    let always = |one: &Advice| {
        matches!(one.what, What::BiggerArea(_) | What::LookUpBounds | What::Collect(_))
    };
    let mut room = MOST.saturating_sub(advice.iter().filter(|one| always(one)).count());
    let mut keep = |one: &&Advice| {
        // A node of the device tree is what helps without another kernel.
        let is_node = one.helps && matches!(one.what, What::OwnPool { .. });
        let kept = always(one) || is_node || room > 0;
        room = room.saturating_sub(usize::from(!always(one)));
        kept
    };
    advice.iter().filter(|one| keep(one)).collect()
}

/// The word before it.
pub(in crate::report::diagnosis) const fn label(advice: &Advice) -> &'static str {
    match (advice.what, advice.helps) {
        (What::Collect(_) | What::LookUpBounds, _) => "next",
        (_, true) => "helps",
        // Whether it does in the end depends on more than a log shows.
        (What::BiggerArea(Grow::ForOne { .. } | Grow::AsBusy | Grow::TakesMemory), _) => "partly",
        (_, false) => "no help",
    }
}

/// What something that helps costs or saves; nothing where it is free, or does not help.
pub(in crate::report::diagnosis) fn cost(advice: &Advice) -> Option<String> {
    let cost = advice.cost_pages.filter(|pages| advice.helps && *pages != 0)?;
    let amount = amount(cost.unsigned_abs(), advice.page_bytes);
    Some(if cost > 0 { format!("costs {amount}") } else { format!("saves {amount}") })
}

/// `12 MiB (3072 pages)`.
pub(super) fn amount(count: u64, page_bytes: u64) -> String {
    let bytes = count.saturating_mul(page_bytes);
    let size = match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        _ => mib(bytes >> 12, Page::Kib4),
    };
    format!("{size} ({})", pages(count))
}

/// Where the size of an area is set, with this one.
fn knobs(count: u64, Advice { page_bytes, size_by, .. }: &Advice) -> String {
    let bytes = count.saturating_mul(*page_bytes);
    let size = bytes.div_ceil(1 << 20);
    let (command, cells) = (format!("`cma={size}M` on the command line"), size_cells(bytes));
    let config = format!("CONFIG_CMA_SIZE_MBYTES={size} (needs a rebuilt kernel)");
    match size_by {
        SizeBy::Unknown => format!("{command}, {cells} in its node, or {config}"),
        SizeBy::Command => format!("{command}, or {config}"),
        SizeBy::DefaultNode => format!("{cells} in its node, or {command}"),
        SizeBy::Node => format!("{cells} in its node"),
        SizeBy::Kernel => format!("a kernel with CONFIG_DMA_CMA=y, and then {command}"),
        SizeBy::Parameter(name) => format!("a larger `{name}` on the command line"),
    }
}

/// The advice itself.
pub(in crate::report::diagnosis) fn advice(advice: &Advice) -> String {
    steps(advice).join(" ")
}

/// The same, each step for itself: a command in each.
pub(in crate::report::diagnosis) fn steps(advice: &Advice) -> Vec<String> {
    match advice.what {
        What::Collect(missing) => next(missing),
        What::LookUpBounds => vec![
            "How large the areas are, which needs no rebuild: `grep Cma /proc/meminfo`.".into(),
            "The same by the boot: `dmesg | grep -i cma`. A request that is larger than all of them \
             is answered by that."
                .into(),
        ],
        _ => vec![sentence(advice)],
    }
}

fn sentence(advice: &Advice) -> String {
    let amount = |count| amount(count, advice.page_bytes);
    match advice.what {
        What::SmallerCap(cap) => smaller_cap(cap),
        What::NoShorterBuffer { align } => {
            format!("No buffer of order {align} fits, however short.")
        }
        What::ShorterBuffer { over, largest, align } => format!(
            "{} less in this buffer: at most {} fit at order {align}.",
            amount(over.0),
            amount(largest)
        ),
        What::ResidentSize { over, count, room, slot, back, blocks } => format!(
            "{} less in each buffer of {count} (which takes {room} of room now) gives a slot of \
             {slot} back: {} for the {blocks} that are seen.",
            amount(over.0),
            amount(back.0)
        ),
        What::NoPadding { over, count, room, slot, fit } => {
            let fit = fit.map_or_else(String::new, |(now, then)| {
                format!(" {then} fit into the area then, at most {now} do now.")
            });
            format!(
                "{} less in each buffer of {count}, which takes {room} of room now and {slot} then: \
                 that helps only where several such buffers live.{fit}",
                amount(over.0)
            )
        }
        What::OwnPool { pool, small, known, pitch } => {
            let or = |small| {
                let since = if known { "" } else { "from 5.19 on, " };
                format!(", or of {} {since}with pageblocks of 2 MiB", amount(small))
            };
            format!(
                "An area of its own of {}{}: a node below /reserved-memory with `compatible = \
                 \"shared-dma-pool\"`, `reusable` and {}, which the device's node names as its \
                 `memory-region`. {} more for each further buffer live at a time.",
                amount(pool.0),
                small.map(or).unwrap_or_default(),
                size_cells(pool.0.saturating_mul(advice.page_bytes)),
                amount(pitch.0)
            )
        }
        What::PoolWithoutTenants { pool } => format!(
            "{} that nobody borrows, lost to the system: a node below /reserved-memory for this \
             device with {} and without `reusable` is never busy.",
            amount(pool.0),
            size_cells(pool.0.saturating_mul(advice.page_bytes))
        ),
        What::FewerBuffers { blocks, count, pages } => {
            format!("Fewer buffers: {blocks} of {count} hold {pages} as far as the list shows.")
        }
        What::KeepAllocated { count } => format!(
            "{} taken for good: allocated once, when the driver starts, the place cannot be lost.",
            amount(count.0)
        ),
        What::BiggerArea(grow) => bigger_area(grow, advice),
        What::MoreMemory { count } => format!(
            "Up to {} of free memory for what had to be moved. Free some before the request, raise \
             vm.min_free_kbytes, or make the area smaller.",
            amount(count.0)
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
        What::LookUpBounds | What::Collect(_) => String::new(),
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
        Cap::Shown { cap, calls, pages: (least, most) } => {
            let pages =
                if least == most { pages(most) } else { format!("{least} to {most} pages") };
            let have = if calls == 1 { "has" } else { "have" };
            format!(
                "No CONFIG_CMA_ALIGNMENT from {cap} on changes it: the caller asks for order {cap} at \
                 most ({} for {pages} {have} it). Whether it would follow a smaller one is not shown.",
                counted(calls, "call")
            )
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
                "CONFIG_CMA_ALIGNMENT={cap} (now {now}; needs a rebuilt kernel): {count} fit at page {at} of the area as it is.{and}"
            )
        }
        Cap::FromBoot { cap, now, strands: Strands { now: all, left, worst, whole } } => {
            let of = if whole { "" } else { "of what the list shows " };
            format!(
                "CONFIG_CMA_ALIGNMENT={cap} (now {now}; needs a rebuilt kernel) from boot on: {of}{left} stranded instead \
                 of {all}, most after buffers of {worst}. In the area as it is no hole is long \
                 enough."
            )
        }
    }
}

fn bigger_area(grow: Grow, advice: &Advice) -> String {
    let amount = |count| amount(count, advice.page_bytes);
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
                "A bigger area: it helps a fixed number of buffers ({} more{end} take this one request), \
                 and not for long a load that grows with it.{part}{share}",
                amount(more.0)
            )
        }
        Grow::ForLoad { more, at_end, size } => {
            let end = if at_end { " at its end" } else { "" };
            let all =
                size.map(|size| format!(": {} in all, {}", amount(size), knobs(size, advice)));
            format!(
                "A bigger area: {} more{end} take this one request{}. Of the same load fewer requests \
                 are refused then, as a rule (`{} sweep` says how many); a load that grows with \
                 the area fills it again.",
                amount(more.0),
                all.unwrap_or_default(),
                program::name()
            )
        }
        Grow::ForMore { more, count, free, total, most, size } => {
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            let all =
                size.map(|size| format!(": {} in all, {}", amount(size), knobs(size, advice)));
            format!(
                "A bigger area: {} more at least ({count} asked for, {free}{of} free), {} to be sure of \
                 a place{}. If used pages grow for ever it is a leak, and this only fails later.",
                amount(more.0),
                amount(most),
                all.unwrap_or_default()
            )
        }
        Grow::ForRange { more, size } => format!(
            "A bigger area: {} in one range, {} more: {}. That is the least that takes this one buffer \
             alone. Check that the driver really needs this size: even the empty area is too short.",
            amount(size),
            amount(more.0),
            knobs(size, advice)
        ),
        Grow::TakesMemory => {
            "A bigger area: it adds no memory that pages could be moved to, only places, which help as \
             far as nobody borrows them."
                .into()
        }
        Grow::AsBusy => "A bigger area: pages in its further places are as likely busy; there are more \
                         places to try, so that it is rarer that all of them are."
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Pages;

    fn text(what: What) -> String {
        advice(&Advice {
            what,
            helps: true,
            cost_pages: None,
            page_bytes: 4096,
            size_by: SizeBy::Unknown,
        })
    }

    #[test]
    fn a_cap_that_kconfig_does_not_take_is_said_to_need_a_patch() {
        let fits = |cap, strands| {
            let count = Pages(1);
            text(What::SmallerCap(Cap::Fits { cap, now: 8, count, at: 5, strands }))
        };
        let head = |cap| {
            format!(
                "CONFIG_CMA_ALIGNMENT={cap} (now 8; needs a rebuilt kernel): 1 page fit at page 5 of "
            )
        };
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
    fn the_knobs_have_their_values() {
        let range = What::BiggerArea(Grow::ForRange { more: Pages(3072), size: 15360 });
        let said = text(range);
        for part in [
            "60 MiB (15360 pages) in one range, 12 MiB (3072 pages) more: `cma=60M` on the command",
            "`size = <0x03c00000>` (with two cells `<0x0 0x03c00000>`) in its node",
            "CONFIG_CMA_SIZE_MBYTES=60 (needs a rebuilt kernel)",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        // Pages of 16 KiB are four times as large.
        let large = Advice {
            what: range,
            helps: true,
            cost_pages: Some(3072),
            page_bytes: 16384,
            size_by: SizeBy::Node,
        };
        assert!(
            advice(&large).contains("240 MiB (15360 pages)")
                && !advice(&large).contains("cma=240M")
        );
        assert_eq!(cost(&large).unwrap(), "costs 48 MiB (3072 pages)");
    }

    #[test]
    fn no_bigger_area_is_said_not_to_help_without_the_reason() {
        let size = Some(26 * 256);
        let grow = What::BiggerArea(Grow::ForLoad { more: Pages(64), at_end: true, size });
        let of_pool = Advice {
            size_by: SizeBy::Node,
            ..Advice {
                what: grow,
                helps: true,
                cost_pages: None,
                page_bytes: 4096,
                size_by: SizeBy::Unknown,
            }
        };
        let said = advice(&of_pool);
        let head = "A bigger area: 256 KiB (64 pages) more at its end take this one request: 26 MiB \
                    (6656 pages) in all, `size = <0x01a00000>` (with two cells `<0x0 0x01a00000>`) in \
                    its node. Of the same load fewer requests are refused then";
        assert!(said.starts_with(head) && !said.contains("cma="), "{said}");
        for grow in [Grow::AsBusy, Grow::TakesMemory] {
            let one = Advice { what: What::BiggerArea(grow), helps: false, ..of_pool };
            assert_eq!(label(&one), "partly");
            assert!(!advice(&one).contains(": no"), "{}", advice(&one));
        }
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
        let head = "A bigger area: it helps a fixed number of buffers (4 KiB (1 page) more at its end \
                    take this one request), and not for long a load that grows with it.";
        let tail = " stranded, and a bigger one strands as large a share.";
        let said = |stranded, free| text(What::BiggerArea(grow(stranded, free)));
        assert_eq!(said(0, true), head);
        assert_eq!(said(9, true), format!("{head} Of the 1000 free pages in the list 9 are{tail}"));
        assert_eq!(said(9, false), format!("{head} 0.9 % of the area is{tail}"));
    }
}
