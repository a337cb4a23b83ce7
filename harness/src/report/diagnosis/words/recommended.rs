//! Whether a text is of the configuration that was recommended.

use super::super::groups::Report;
use super::super::plain::{clean, counted};
use super::boot::{LOOK, act_doubt, area, lines, short, size, who};
use crate::boot::{Asked, Fate, Story};
use crate::diagnose::{AreaBy, AreaHeld, AsRecommended, CallsShow, CapHeld, Diagnosis, Holds};
use crate::program::named;

/// What shows the cap.
const CONFIG: &str = "`zcat /proc/config.gz | grep CMA_ALIGNMENT`";

/// What shows that another tree or kernel was booted.
const BOOTED: &str = "see whether the board booted the new device tree, command line and kernel \
                      (`ls /proc/device-tree/reserved-memory`, `cat /proc/cmdline`, `uname -a`)";

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

/// What to do where nothing failed and it is not as recommended, or not known to be.
pub(super) fn act(diagnosis: &Diagnosis) -> Option<String> {
    let held = diagnosis.as_recommended.as_ref()?;
    let is_open = |cap: &CapHeld| cap.holds == Holds::Unknown;
    let areas = held.areas.iter().any(|one| one.holds == Holds::Unknown).then_some(LOOK);
    let cap = held.cap.as_ref().filter(|cap| is_open(cap)).map(|_| CONFIG);
    let open: Vec<_> = areas.into_iter().chain(cap).collect();
    match held.verdict() {
        Holds::Yes => None,
        Holds::No => act_doubt(&diagnosis.boot).or_else(|| Some(BOOTED.to_string())),
        Holds::Unknown => Some(format!("add what shows the rest: {}", open.join(", and "))),
    }
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
        AreaBy::Pages(pages, is_instead) => {
            let of = if is_instead { "the default area (reserved)" } else { &*name };
            let has = size(pages.saturating_mul(story.page_bytes()));
            match held.holds {
                Holds::Yes => format!("{of} has {has} (by what the running kernel shows)"),
                Holds::No => {
                    format!("{of} has {has}, not {bytes} (by what the running kernel shows)")
                }
                Holds::Unknown => {
                    format!("{of} has {pages} pages, and the size of a page is not in the text")
                }
            }
        }
        AreaBy::Total(total, sum) => by_sum(held, (total, sum), story),
        AreaBy::Nothing => format!("the text does not mention {name}"),
    }
}

/// What the sum of all areas says of one that the text does not mention.
fn by_sum(held: &AreaHeld, (total, sum): (u64, u64), story: &Story) -> String {
    let (name, bytes) = (clean(&held.area.name), size(held.area.bytes));
    let by = if story.cma_total.is_some() { "CmaTotal" } else { "cma-reserved of the boot" };
    let is = size(total);
    match held.holds {
        Holds::Yes => format!("{by} is {is}, which leaves {bytes} for {name} (by the sum alone)"),
        Holds::No => {
            format!("{by} is {is}, less than what is recommended with {name} ({})", size(sum))
        }
        Holds::Unknown if total == sum => format!(
            "the text does not mention {name}; {by} is {is}, as all recommended areas have together, \
             which says nothing of each"
        ),
        Holds::Unknown => {
            format!("the text does not mention {name}, and {by} ({is}) does not show it")
        }
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
    let (cap, shown) = (held.cap, shown(held));
    match (held.holds, shown) {
        (Holds::Yes, shown) => format!("cap {cap}: {}", shown.unwrap_or_default()),
        (Holds::No, shown) => format!("the cap is not {cap}: {}", shown.unwrap_or_default()),
        (Holds::Unknown, None) => format!("nothing in this text shows whether the cap is {cap}"),
        (Holds::Unknown, Some(shown)) => format!("whether the cap is {cap} is not clear: {shown}"),
    }
}

/// The same, with what would show it.
pub(in crate::report::diagnosis) fn whole_cap(held: &CapHeld) -> String {
    let shown = shown(held).unwrap_or_else(|| "nothing in this text shows it".to_string());
    let more = match held.holds {
        Holds::Unknown => {
            let collect = named("`cmalab collect`");
            format!("; {CONFIG} would show it, or a trace ({collect})")
        }
        Holds::Yes if held.stated.is_empty() => {
            ", by the kernel's cap or one of their own".to_string()
        }
        _ => String::new(),
    };
    format!("cap {}: {}: {shown}{more}", held.cap, held.holds.name())
}

/// What there is to see of the cap.
fn shown(held: &CapHeld) -> Option<String> {
    let all: Vec<_> =
        held.stated.iter().map(stated).chain(held.calls.as_ref().map(calls)).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn stated((cap, at): &(u32, crate::boot::At)) -> String {
    let lines = lines(std::slice::from_ref(at)).unwrap_or_default();
    format!("CONFIG_CMA_ALIGNMENT={cap} ({lines})")
}

/// `12 calls for 5 to 300 pages ask for order 4 (the first on line 9)`
fn calls(calls: &CallsShow) -> String {
    let CallsShow { order, is_exact, class, .. } = calls;
    let (least, most) = class.pages;
    let pages = match least == most {
        true => counted(least, "page"),
        false => format!("{least} to {most} pages"),
    };
    let less = if *is_exact { "" } else { ", so it is no less" };
    let (n, line) = (counted(class.calls, "call"), class.line);
    format!("order {order} is asked for by {n} for {pages} (the first on line {line}){less}")
}
