//! What any placement of a stream needs, and what first fit needs beyond it.

use crate::optimum::Bounds;
use crate::page::Page;
use crate::reproduce::{YARDSTICK_OPS, Yardstick};
use crate::words::{counted, mib, pages};

/// What any placement needs, step by step to what the kernel's needs; then what part of that
/// another placement could save, and what the bounds leave out. A line each.
pub fn any_placement_needs(one: &Yardstick, page: Page) -> Vec<String> {
    let bounds = &one.bounds;
    let sized = |count| format!("{count} pages ({})", mib(count, page));
    let of_ops = match one.is_whole {
        true => String::new(),
        false => format!(" of the first {YARDSTICK_OPS} ops"),
    };
    let offline = match bounds.is_exact() {
        true => format!("{} offline, the optimum", sized(bounds.upper_pages)),
        false => format!(
            "at least {}, at most {} offline",
            sized(bounds.lower_pages),
            sized(bounds.upper_pages)
        ),
    };
    let mut lines = vec![format!(
        "what any placement{of_ops} needs: LOAD {} → aligned LOAD {} → {offline} → kernel \
         first-fit {}",
        sized(bounds.load_pages),
        sized(bounds.aligned_load_pages),
        one.first_fit_pages.map_or_else(|| "more than any area has".to_string(), sized)
    )];
    lines.extend(one.first_fit_pages.map(|first_fit| saved(bounds, first_fit)));
    if bounds.in_parts > 0 {
        lines.push(format!(
            "{} given back in parts: what is needed at least counts each until its first part, a \
             placement holds it until its last",
            was_or_were(bounds.in_parts as u64)
        ));
    }
    lines
}

fn was_or_were(buffers: u64) -> String {
    let were = if buffers == 1 { "was" } else { "were" };
    format!("{} {were}", counted(buffers, "buffer"))
}

/// What another placement could save of what first fit needs above LOAD.
fn saved(bounds: &Bounds, first_fit: u64) -> String {
    let above = first_fit.saturating_sub(bounds.load_pages);
    let least = first_fit.saturating_sub(bounds.upper_pages);
    let most = first_fit.saturating_sub(bounds.lower_pages);
    let aligned = bounds.aligned_load_pages - bounds.load_pages;
    if above == 0 {
        return "first fit needs no more than LOAD: no placement needs less".to_string();
    }
    let saves = match (least, most) {
        (_, 0) => "no placement saves any".to_string(),
        (0, most) => format!("another placement saves {most} at most, and none is known that does"),
        (least, most) if least == most => {
            format!("one that knows what will come saves {most}, and none saves more")
        }
        (least, most) => {
            format!("one that knows what will come saves {least} at least, none more than {most}")
        }
    };
    let align = match aligned {
        0 => String::new(),
        _ => format!("; aligns alone take {aligned}: a lower cap or other sizes may save those"),
    };
    format!("of the {} that first fit needs above LOAD, {saves}{align}", pages(above))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(load: u64, aligned: u64, (lower, upper): (u64, u64), first_fit: u64) -> Vec<String> {
        let bounds = Bounds {
            load_pages: load,
            aligned_load_pages: aligned,
            lower_pages: lower,
            upper_pages: upper,
            boxes: 9,
            in_parts: 0,
            looked_at: 0,
        };
        let one = Yardstick { bounds, first_fit_pages: Some(first_fit), is_whole: true };
        any_placement_needs(&one, Page::Kib4)
    }

    #[test]
    fn each_step_is_said_and_what_a_placement_saves() {
        let lines = said(1024, 2048, (2304, 2560), 3072);
        assert_eq!(
            lines[0],
            "what any placement needs: LOAD 1024 pages (4 MiB) → aligned LOAD 2048 pages (8 MiB) → \
             at least 2304 pages (9 MiB), at most 2560 pages (10 MiB) offline → kernel first-fit \
             3072 pages (12 MiB)"
        );
        assert_eq!(
            lines[1],
            "of the 2048 pages that first fit needs above LOAD, one that knows what will come \
             saves 512 at least, none more than 768; aligns alone take 1024: a lower cap or other \
             sizes may save those"
        );
        let exact = said(1024, 2048, (2048, 2048), 2048);
        assert!(exact[0].contains("→ 2048 pages (8 MiB) offline, the optimum →"), "{exact:?}");
        assert!(exact[1].contains("above LOAD, no placement saves any; aligns"), "{exact:?}");
        let packed = said(1024, 1024, (1024, 1024), 1100);
        assert!(packed[1].ends_with("one that knows what will come saves 76, and none saves more"));
        let open = said(1024, 1024, (1030, 1100), 1100);
        assert!(
            open[1].ends_with("another placement saves 70 at most, and none is known that does")
        );
        assert_eq!(
            said(7, 7, (7, 7), 7)[1],
            "first fit needs no more than LOAD: no placement needs less"
        );
    }
}
