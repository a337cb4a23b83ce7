//! What a board says beside its failures: counters, and how many failures it kept to itself.

use super::plain::{clean, counted};
use crate::diagnose::{Counter, Diagnosis};
use crate::ingest::log::FreeBlocks;

/// The most areas whose counters are shown.
const MOST_AREAS: usize = 8;

/// How many failures there are of which nothing is known; none where there is none.
pub fn suppressed(diagnosis: &Diagnosis) -> Option<String> {
    let (hidden, unknown) = (hidden(diagnosis)?, diagnosis.suppressed);
    Some(match diagnosis.hidden.saturating_sub(unknown) {
        0 => format!("{hidden}: of those failures nothing is known"),
        _ if unknown == 0 => format!("{hidden}: lists or a trace show all of those failures"),
        _ => format!("{hidden}: of {unknown} of those failures nothing is known"),
    })
}

/// `3 failure lines were hidden by the rate limit`.
pub(super) fn hidden(diagnosis: &Diagnosis) -> Option<String> {
    let lines = diagnosis.hidden;
    let were = if lines == 1 { "was" } else { "were" };
    let counted = counted(lines, "failure line");
    (lines > 0).then(|| format!("{counted} {were} hidden by the rate limit"))
}

/// The counters: of the system, then of each area.
pub(super) fn counters(diagnosis: &Diagnosis) -> Vec<String> {
    let all = &diagnosis.counters;
    let mut lines = Vec::new();
    let system: Vec<_> = all.iter().filter(|one| one.area.is_none()).map(value).collect();
    if !system.is_empty() {
        let mut text = format!("{}, as last seen", system.join(", "));
        let no_area = find(diagnosis, "CmaTotal").is_some_and(|all| all.value == 0);
        if find(diagnosis, "CmaFree").is_some() && !no_area {
            text += "; CmaFree leaves out what is lent to movable pages, so the areas may have more \
                     free, and says nothing of runs";
        }
        lines.push(text);
    }
    let mut areas: Vec<_> = Vec::new();
    for area in all.iter().filter_map(|one| one.area.as_ref()) {
        if !areas.contains(&area) {
            areas.push(area);
        }
    }
    for area in areas.iter().take(MOST_AREAS) {
        let own = all.iter().filter(|one| one.area.as_ref() == Some(area));
        let (now, sums): (Vec<_>, Vec<_>) = own.partition(|one| !is_sum(one));
        let now = now.into_iter().map(value).collect::<Vec<_>>().join(", ");
        let mut text = format!("{}: {now}", clean(area));
        if !sums.is_empty() {
            let sums = sums.into_iter().map(value).collect::<Vec<_>>().join(", ");
            let gap = if now.is_empty() { "" } else { "; " };
            text += &format!("{gap}{sums} (pages since boot, not requests)");
        }
        lines.push(text);
    }
    if areas.len() > MOST_AREAS {
        let more = (areas.len() - MOST_AREAS) as u64;
        lines.push(format!("and those of {}", counted(more, "other area")));
    }
    lines.extend(diagnosis.free_blocks.iter().map(blocks));
    lines
}

/// `node 0 DMA: 23458 pages of CMA free in the page allocator, …`.
///
/// What is free there was given to nobody by an area, and is lent to nobody: its areas have at least
/// as much free.
fn blocks(zone: &FreeBlocks) -> String {
    let of = if zone.cma { " of CMA" } else { "" };
    let pages = counted(zone.pages(), "page");
    let head = format!("{}: {pages}{of} free in the page allocator", clean(&zone.zone));
    match zone.largest() {
        None => head,
        Some((pages, blocks)) => {
            let run = if zone.cma { ", each a free run or a part of one" } else { "" };
            let largest = counted(blocks, "block");
            format!("{head}, the largest {largest} of {}{run}", counted(pages, "page"))
        }
    }
}

/// Whether it counts since boot (`mm/cma_sysfs.c`).
fn is_sum(counter: &Counter) -> bool {
    counter.name.ends_with("_success") || counter.name.ends_with("_fail")
}

/// What there was to move pages into, as far as the text shows.
pub(super) fn memory(diagnosis: &Diagnosis) -> Option<String> {
    let names = ["MemAvailable", "MemFree", "SwapFree", "CmaFree"];
    let there = names.into_iter().filter_map(|name| find(diagnosis, name)).map(value);
    let there: Vec<_> = there.collect();
    (!there.is_empty()).then(|| format!("{}, as last seen in the log", there.join(", ")))
}

fn find<'a>(diagnosis: &'a Diagnosis, name: &str) -> Option<&'a Counter> {
    diagnosis.counters.iter().find(|one| one.area.is_none() && &*one.name == name)
}

/// `CmaFree 1352 kB`, `cma_alloc_fail 3 calls`.
fn value(counter: &Counter) -> String {
    let Counter { name, value, .. } = counter;
    match counter.unit() {
        // As /proc/meminfo prints them.
        "bytes" => format!("{} {} kB", clean(name), value / 1024),
        "calls" => format!("{} {}", clean(name), counted(*value, "call")),
        _ => format!("{} {}", clean(name), counted(*value, "page")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::diagnosis;
    use super::*;

    fn counter(area: Option<&str>, name: &str, value: u64) -> Counter {
        Counter { area: area.map(Into::into), name: name.into(), value }
    }

    #[test]
    fn counters_stand_in_the_unit_of_the_kernel() {
        let mut found = diagnosis();
        assert_eq!((counters(&found), memory(&found)), (Vec::new(), None));
        found.counters = vec![
            counter(None, "MemAvailable", 4096 * 1024),
            counter(Some("vpu"), "alloc_pages_fail", 456),
            counter(None, "cma_alloc_fail", 1),
        ];
        let lines = counters(&found);
        assert_eq!(lines[0], "MemAvailable 4096 kB, cma_alloc_fail 1 call, as last seen");
        let vpu = "vpu: alloc_pages_fail 456 pages (pages since boot, not requests)";
        assert_eq!(lines[1], vpu);
        assert_eq!(
            memory(&found).as_deref(),
            Some("MemAvailable 4096 kB, as last seen in the log")
        );
        found.counters.push(counter(None, "CmaFree", 1024));
        assert!(counters(&found)[0].contains("says nothing of runs"));
        found.counters.extend((0..20).map(|n| counter(Some(&format!("a{n}")), "total_pages", n)));
        assert_eq!(counters(&found).last().unwrap(), "and those of 13 other areas");
    }

    #[test]
    fn hidden_failures_are_unknown() {
        let mut found = diagnosis();
        assert_eq!(suppressed(&found), None);
        (found.hidden, found.suppressed) = (1, 1);
        assert!(suppressed(&found).unwrap().starts_with("1 failure line was hidden"));
        (found.hidden, found.suppressed) = (283, 283);
        assert!(suppressed(&found).unwrap().starts_with("283 failure lines were hidden"));
        found.suppressed = 3;
        assert!(suppressed(&found).unwrap().ends_with(": of 3 of those failures nothing is known"));
        found.suppressed = 0;
        assert!(suppressed(&found).unwrap().ends_with("show all of those failures"));
    }
}
