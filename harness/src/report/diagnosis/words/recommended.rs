//! Whether a text is of the configuration that was recommended.

use super::super::groups::Report;
use super::super::plain::{clean, counted};
use super::boot::{LOOK, area, lines, short, size, who};
use crate::boot::{Asked, Fate, Story};
use crate::diagnose::{AreaBy, AreaHeld, AsRecommended, CallsShow, CapHeld, Holds};

/// The answer, before any other: what decides it.
pub fn answer(report: &Report<'_>) -> Option<String> {
    const MOST: usize = 3;
    let (held, story) = (report.diagnosis.as_recommended.as_ref()?, &report.diagnosis.boot);
    let verdict = held.verdict();
    let areas = held.areas.iter().map(|one| (one.holds, half(one, story)));
    let cap = held.cap.iter().map(|cap| (cap.holds, of_cap(cap)));
    let all: Vec<_> = areas.chain(cap).filter(|(holds, _)| *holds == verdict).collect();
    let first: Vec<_> = all.iter().take(MOST).map(|(_, text)| text.as_str()).collect();
    let more = match all.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let head = match verdict {
        Holds::Yes => "as recommended",
        Holds::No => "not as recommended",
        Holds::Unknown => "cannot tell whether it is as recommended",
    };
    Some(format!("{head}: {}{more}{}", first.join("; "), all_the_same(report, verdict)))
}

/// That requests failed on what was to help.
fn all_the_same(report: &Report<'_>, verdict: Holds) -> String {
    if verdict != Holds::Yes || report.failures == 0 {
        return String::new();
    }
    let boots = report.diagnosis.boot.boots;
    let of = if boots > 1 { format!(" in the {boots} boots of this text") } else { String::new() };
    format!("; and yet {} failed{of}", counted(report.failures, "request"))
}

/// A sentence or two for each area, and for the cap.
pub(in crate::report::diagnosis) fn each(held: &AsRecommended, story: &Story) -> Vec<String> {
    let areas = held.areas.iter().map(|one| of_area(one, story));
    areas.chain(held.cap.iter().map(whole_cap)).collect()
}

/// What is recommended, whether it is so, and what shows it.
pub(in crate::report::diagnosis) fn of_area(held: &AreaHeld, story: &Story) -> String {
    let default = if held.area.default { ", the default area" } else { "" };
    let shown = match held.by {
        AreaBy::Boot(index) => area(&story.areas[index], story),
        AreaBy::Instead(index) => {
            format!("the default area is another: {}", area(&story.areas[index], story))
        }
        _ => half(held, story),
    };
    let next = match held.holds {
        Holds::Unknown => format!("; {LOOK} would show it"),
        _ => String::new(),
    };
    format!("{}{default}: {}: {shown}{next}", wanted(held), held.holds.name())
}

fn wanted(held: &AreaHeld) -> String {
    format!("{} of {}", clean(&held.area.name), size(held.area.bytes))
}

/// The same in half a sentence.
fn half(held: &AreaHeld, story: &Story) -> String {
    let (name, bytes) = (clean(&held.area.name), size(held.area.bytes));
    let has = |asked: &Asked| asked.bytes.map_or_else(|| "some".to_string(), size);
    match held.by {
        AreaBy::Boot(index) => own(held, &story.areas[index], story),
        AreaBy::Instead(index) if held.holds == Holds::Yes => {
            let asked = &story.areas[index];
            format!("the default area has {}, by {} and not {name}", has(asked), who(asked))
        }
        AreaBy::Instead(index) => {
            let asked = &story.areas[index];
            format!("the default area is {} with {}, not {}", who(asked), has(asked), wanted(held))
        }
        AreaBy::Pages(pages) if held.holds == Holds::Unknown => {
            format!("{name} has {pages} pages, and the size of a page is not in the text")
        }
        AreaBy::Pages(pages) => {
            let has = size(pages.saturating_mul(story.page_bytes()));
            let not =
                if held.holds == Holds::No { format!(", not {bytes}") } else { String::new() };
            format!("{name} has {has}{not} by the files or events of the kernel that runs")
        }
        AreaBy::Total(total, sum) => {
            let by =
                if story.cma_total.is_some() { "CmaTotal" } else { "cma-reserved of the boot" };
            let (total, sum) = (size(total), size(sum));
            match held.holds {
                Holds::Yes => {
                    format!("{by} is {total}, which leaves {bytes} for {name} (by the sum alone)")
                }
                Holds::No => {
                    format!("{by} is {total}, less than {name} and the others need ({sum})")
                }
                Holds::Unknown => format!(
                    "the text does not mention {name}; {by} is {total} and the recommended areas \
                     have {sum}, which does not show it"
                ),
            }
        }
        AreaBy::Nothing => format!("the text does not mention {name}"),
    }
}

/// What became of an area of the recommended name.
fn own(held: &AreaHeld, asked: &Asked, story: &Story) -> String {
    let (name, bytes) = (clean(&held.area.name), size(held.area.bytes));
    match (&asked.fate, asked.bytes) {
        (Fate::Placed | Fate::NotDefault(_), Some(has)) if held.holds == Holds::Yes => {
            format!("{name} has {}", size(has))
        }
        (Fate::Placed, Some(has)) => format!("{name} has {}, not {bytes}", size(has)),
        (Fate::Unknown(_), _) if held.holds == Holds::No => {
            let has = asked.asked_bytes.map_or_else(|| "some".to_string(), size);
            format!("the device tree asks for {has} for {name}, not {bytes}")
        }
        _ => short(asked, story),
    }
}

fn of_cap(held: &CapHeld) -> String {
    let cap = held.cap;
    let shown: Vec<_> =
        held.stated.iter().map(stated).chain(held.calls.as_ref().map(calls)).collect();
    match (held.holds, shown.is_empty()) {
        (Holds::Yes, _) => format!("cap {cap}: {}", shown.join(", ")),
        (Holds::No, _) => format!("the cap is not {cap}: {}", shown.join(", ")),
        (Holds::Unknown, true) => format!("nothing in this text shows whether the cap is {cap}"),
        (Holds::Unknown, false) => {
            format!("whether the cap is {cap} is not clear: {}", shown.join(", "))
        }
    }
}

/// The same, with what would show it.
pub(in crate::report::diagnosis) fn whole_cap(held: &CapHeld) -> String {
    let next = match held.holds {
        Holds::Unknown => {
            "; `zcat /proc/config.gz | grep CMA_ALIGNMENT` would show it, or a trace (`cmalab collect`)"
        }
        _ => "",
    };
    format!("cap {}: {}: {}{next}", held.cap, held.holds.name(), of_cap(held))
}

fn stated((cap, at): &(u32, crate::boot::At)) -> String {
    let lines = lines(std::slice::from_ref(at)).unwrap_or_default();
    format!("CONFIG_CMA_ALIGNMENT={cap} ({lines})")
}

/// `12 calls for 5 to 300 pages ask for order 4 (the first on line 9)`
fn calls(calls: &CallsShow) -> String {
    let CallsShow { order, is_exact, class, .. } = calls;
    let (least, most) = class.pages;
    let pages = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let less = if *is_exact { "" } else { ", so it is no less" };
    let (n, line) = (counted(class.calls, "call"), class.line);
    format!("order {order} is asked for by {n} for {pages} pages (the first on line {line}){less}")
}
