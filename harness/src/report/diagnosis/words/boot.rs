//! What a boot says of areas.

mod cure;
mod why;

pub(super) use cure::LOOK;
pub(in crate::report::diagnosis) use cure::cure;
use cure::{act, first_cure};
use why::{page_from, stride, why, wrong};

use super::super::plain::{clean, counted};
use crate::boot::{Asked, At, Fate, Misread, Note, Off, Origin, Slip, Story};

/// The worst trouble of a boot, in half a sentence.
pub(in crate::report::diagnosis) fn trouble(story: &Story) -> Option<String> {
    let asked = story.troubles().next()?;
    let more = story.troubles().count() - 1;
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Some(format!("{}{more}", short(asked, story)))
}

/// What concerns requests that failed in `area`: they asked the default area and not their own, or
/// the default area is not the one that was wanted.
fn concerned<'a>(story: &'a Story, area: Option<&str>) -> Option<&'a Asked> {
    let of_default = story.areas.iter().filter(|asked| asked.default && asked.fate == Fate::Placed);
    let is_default = area.is_some_and(|area| {
        area == "reserved" || of_default.clone().any(|asked| asked.name.as_deref() == Some(area))
    });
    let mut found = story.troubles().filter(|asked| match asked.fate {
        Fate::NotInEffect(_) => is_default,
        _ if asked.misread().is_some() => is_default || area.is_none(),
        _ => is_default && asked.instead.is_some(),
    });
    found.next()
}

/// The same in half a sentence.
pub(in crate::report::diagnosis) fn concerning(
    story: &Story,
    area: Option<&str>,
) -> Option<String> {
    let asked = concerned(story, area)?;
    Some(match &asked.fate {
        Fate::NotInEffect(device) => {
            format!("the memory-region of {} ({}) is not in effect", clean(device), who(asked))
        }
        _ => short(asked, story),
    })
}

/// What to do about it.
pub(super) fn act_concerning(story: &Story, area: Option<&str>) -> Option<String> {
    act(concerned(story, area)?, story)
}

/// What to do about the default area, where that is in trouble.
pub(super) fn act_default(story: &Story) -> Option<String> {
    act(story.troubles().find(|asked| asked.default)?, story)
}

/// What to do about the worst trouble.
pub(super) fn act_trouble(story: &Story) -> Option<String> {
    act(story.troubles().next()?, story)
}

/// What is no trouble, and may not be meant, in half a sentence.
pub(super) fn doubt(story: &Story) -> Option<String> {
    let asked = doubtful(story)?;
    Some(short(asked, story) + &notes(asked))
}

/// What to do about it, where it was not meant.
pub(super) fn act_doubt(story: &Story) -> Option<String> {
    first_cure(doubtful(story)?, story)
}

fn doubtful(story: &Story) -> Option<&Asked> {
    let overlaps = |asked: &&Asked| {
        let overlap = |note: &Note| matches!(note, Note::Overlap(_));
        asked.fate == Fate::Placed && asked.notes.iter().any(overlap)
    };
    let left_out = story.areas.iter().find(|asked| matches!(asked.fate, Fate::Bypassed(_)));
    let strange = story.areas.iter().find(|asked| overlaps(asked) || asked.is_outside());
    left_out.or(strange)
}

/// That there is no area, where meminfo says so and nothing else does.
pub(super) fn none(story: &Story) -> Option<String> {
    let off = story.areas.iter().any(|asked| asked.fate == Fate::Off);
    let said = off || story.troubles().next().is_some();
    let has = |asked: &Asked| asked.bytes.is_some_and(|bytes| bytes > 0);
    let placed = story.areas.iter().any(|asked| asked.fate == Fate::Placed && has(asked));
    story.cma_total.filter(|total| *total == 0 && !said)?;
    let counts = story.counts_dead();
    Some(match (placed, counts) {
        (true, _) => "CmaTotal is 0 though an area was placed: meminfo is of another boot",
        (false, Some(true)) => "CmaTotal is 0: there is no CMA area",
        (false, _) => {
            "CmaTotal is 0: there is no CMA area, or each is dead (\"could not be activated\" in the \
             log of the boot)"
        }
    }
    .to_string())
}

/// A sentence or two for each area that was asked for, then what the step is.
pub(in crate::report::diagnosis) fn boot(story: &Story) -> Vec<String> {
    let mut all: Vec<_> = story.areas.iter().map(|asked| area(asked, story)).collect();
    all.extend(none(story));
    if story.boots > 1 {
        all.push(format!("the text has {} boots: this is of the last one", story.boots));
    }
    if story.areas.iter().any(needs_step) {
        all.push(stride(story));
    }
    if let Some((bytes, from)) = story.page.filter(|(bytes, _)| *bytes != 4096) {
        all.push(format!("pages have {} KiB: {}", bytes >> 10, page_from(from)));
    }
    all
}

/// An area, with its lines and what cures it.
pub(in crate::report::diagnosis) fn area(asked: &Asked, story: &Story) -> String {
    let mut text = sentence(asked, story);
    if let Some(lines) = lines(&asked.lines) {
        text += &format!(" ({lines})");
    }
    if let Some(cure) = cure(asked, story) {
        text += &format!(". {cure}");
    }
    text
}

/// What became of an area, without its lines.
pub(in crate::report::diagnosis) fn sentence(asked: &Asked, story: &Story) -> String {
    short(asked, story) + &rest(asked, story)
}

/// Whether the step is what its fate rests on.
fn needs_step(asked: &Asked) -> bool {
    let refused = matches!(
        asked.fate,
        Fate::Refused(Off::Base(_) | Off::Size(_) | Off::Both(..) | Off::BaseOrSize | Off::Nothing)
    );
    refused || asked.fate == Fate::Placed && asked.rounded_from().is_some()
}

/// `960 MiB`, `32772 KiB`, `17 bytes`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0 => "0 bytes".to_string(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => counted(bytes, "byte"),
    }
}

pub(super) fn who(asked: &Asked) -> String {
    let name = asked.name.as_deref().map(clean);
    match (&asked.origin, &name) {
        (Origin::Node, Some(name)) => format!("node {name}"),
        (Origin::Node, None) if asked.default => "the node with linux,cma-default".to_string(),
        (Origin::Node, None) => "a node".to_string(),
        (Origin::CommandLine(_), _) if let Some(misread) = asked.misread() => clean(&misread.word),
        (Origin::CommandLine(place), _) => match (place.base, place.limit) {
            (Some(base), Some(limit)) => format!("cma={}@{base:#x}-{limit:#x}", short_size(*place)),
            (Some(base), None) => format!("cma={}@{base:#x}", short_size(*place)),
            _ => format!("cma={}", short_size(*place)),
        },
        (Origin::Config, _) => "the default of the kernel's configuration".to_string(),
        (Origin::ConfigOrCommandLine, Some(name)) if asked.default => {
            format!("area \"{name}\" (the default one)")
        }
        (Origin::ConfigOrCommandLine, Some(name)) => format!("area {name}"),
        (Origin::ConfigOrCommandLine, None) => "an area without a name".to_string(),
        (Origin::Hugetlb, Some(name)) => format!("area {name} of hugetlb_cma="),
        (Origin::Hugetlb, None) => "hugetlb_cma=".to_string(),
        (Origin::Crash, _) => "crashkernel=,cma".to_string(),
        (Origin::Numa, _) => "an area of one node of memory".to_string(),
    }
}

/// As it is written on the command line.
fn short_size(place: crate::boot::Size) -> String {
    let bytes = place.bytes;
    match bytes {
        0 => "0".to_string(),
        _ if bytes.is_multiple_of(1 << 30) => format!("{}G", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}M", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}K", bytes >> 10),
        _ => bytes.to_string(),
    }
}

/// The answer, in half a sentence.
pub(super) fn short(asked: &Asked, story: &Story) -> String {
    fate(asked, story) + &asked.misread().map_or_else(String::new, |misread| odd(misread, asked))
}

/// What the kernel reads in its parameter, and why.
fn odd(misread: &Misread, asked: &Asked) -> String {
    let bytes = asked.asked_bytes.unwrap_or(0);
    let why = match misread.slip {
        Slip::Share(_) => "the kernel takes no share of memory there",
        Slip::Unit => "it has no unit (K, M, G)",
        Slip::Blank => "its unit is another word",
        Slip::Point => "the number ends at the point",
        Slip::NoNumber => "no number begins it",
        Slip::Octal => "a number that begins with 0 is octal",
        // The fate says it.
        Slip::Case => return String::new(),
    };
    format!("; it is read as {} (memparse(), lib/cmdline.c): {why}", size(bytes))
}

/// What became of it, in half a sentence.
fn fate(asked: &Asked, story: &Story) -> String {
    let who = who(asked);
    let of = match (&asked.origin, asked.asked_bytes) {
        (Origin::CommandLine(_), _) | (_, None) => String::new(),
        (_, Some(bytes)) => format!(" of {}", size(bytes)),
    };
    match &asked.fate {
        Fate::Placed => format!("{who}{} {}", of_placed(asked), placed(asked)),
        Fate::NotPlaced(reason) => {
            format!("{who}{of} was not placed: {}{}", why(*reason, asked), instead(asked))
        }
        Fate::Refused(off) => {
            format!("{who}{of} was refused: {}{}", wrong(off, asked, story), instead(asked))
        }
        Fate::NoMatch(reusable) => {
            let why = match reusable {
                Some(false) => "it has no `reusable`",
                Some(true) => "CONFIG_DMA_CMA is off in this kernel",
                None => "it has no `reusable`, or CONFIG_DMA_CMA is off in this kernel",
            };
            format!(
                "{who}{of} became no area (\"compatible matching fail\"): {why}{}",
                instead(asked)
            )
        }
        Fate::Bypassed(Some(0)) => format!("{who}{of} was left out: cma=0 is on the command line"),
        Fate::Bypassed(_) => {
            format!("{who}{of} was left out: cma= on the command line overrides it")
        }
        Fate::BeatenByNode(node) => format!(
            "{who} had no effect: node {} has linux,cma-default, which overrides cma= up to 5.9",
            clean(node)
        ),
        Fate::Off => format!("{who} leaves no default area"),
        Fate::NoEffect(total) if story.cma_total.is_none() => {
            let only = if *total > 0 { "only " } else { "" };
            format!("{who}{of} had no effect: the boot says {only}{}K cma-reserved", total >> 10)
        }
        Fate::NoEffect(0) => format!("{who}{of} had no effect: CmaTotal is 0"),
        Fate::NoEffect(total) => {
            format!("{who}{of} had no effect: CmaTotal is only {}", size(*total))
        }
        Fate::DmaPool => format!(
            "{who}{} became a DMA pool, which is no area: it has no `reusable`{}",
            asked.bytes.map_or_else(String::new, |bytes| format!(" of {}", size(bytes))),
            instead(asked)
        ),
        Fate::Dead(_) if asked.in_one_zone() => {
            format!("{who}{} is dead: it could not be activated", of_placed(asked))
        }
        Fate::Dead(_) => {
            format!(
                "{who}{} is dead: it spans two zones and could not be activated",
                of_placed(asked)
            )
        }
        Fate::NotInEffect(device) => format!(
            "{who}{of} is the memory-region of {}, and is not in effect where requests failed: they \
             asked the default area",
            clean(device)
        ),
        Fate::NotDefault(other) if asked.base.is_none() => format!(
            "{who}{of} is not the default area: node {} has linux,cma-default too and is set up later",
            clean(other)
        ),
        Fate::NotDefault(other) => format!(
            "{who}{} {}, and is not the default area: node {} has linux,cma-default too and was set \
             up later",
            of_placed(asked),
            placed(asked),
            clean(other)
        ),
        Fate::Unknown(false) => format!("{who}{of}: what became of it is not in the text"),
        Fate::Unknown(true) => format!("{who}{of}: the boot says nothing of it"),
    }
}

fn of_placed(asked: &Asked) -> String {
    match (&asked.origin, asked.bytes) {
        (Origin::CommandLine(_), _) | (_, None) => String::new(),
        (_, Some(bytes)) => format!(" of {}", size(bytes)),
    }
}

fn placed(asked: &Asked) -> String {
    let mut text = match &asked.origin {
        Origin::CommandLine(_) => {
            let bytes = asked.bytes.map_or_else(String::new, |bytes| format!(" {}", size(bytes)));
            format!("has{bytes}")
        }
        _ => "was placed".to_string(),
    };
    if let Some(base) = asked.base {
        text += &format!(" at {base:#x}");
    }
    if let Some(ranges) = asked.ranges {
        text += &format!(" in {}", counted(ranges, "range"));
    }
    text
}

/// What is said after the answer.
fn rest(asked: &Asked, story: &Story) -> String {
    let mut text = String::new();
    let rounded = asked.rounded_from().filter(|_| asked.misread().is_none());
    if let (Fate::Placed, Some(from)) = (&asked.fate, rounded) {
        text += &format!(", rounded up from {}", size(from));
    }
    if let Some(printed) = asked.printed_bytes {
        text += &format!(" (the kernel prints {})", size(printed));
    }
    text += &notes(asked);
    match &asked.fate {
        Fate::Placed if asked.origin == Origin::ConfigOrCommandLine && asked.default => {
            text += ", by the kernel's configuration or cma=: the command line is not in the text";
        }
        Fate::Dead(counts) => text += &dead(*counts, story),
        _ => {}
    }
    text
}

fn notes(asked: &Asked) -> String {
    let each = asked.notes.iter().map(|note| match note {
        // What is left out gives its memory back.
        Note::Overlap(_) if asked.fate != Fate::Placed => String::new(),
        Note::Overlap(other) => format!("; the kernel says that it overlaps {}", clean(other)),
        Note::FirstEntry => "; of its reg only the first entry is used".to_string(),
        Note::RangesOutside(start, end) => format!(
            "; its alloc-ranges ({start:#x} to {:#x}) have none of the memory that the device tree \
             states, unless the boot loader changes that",
            end - 1
        ),
        Note::OneZone(start, end) => {
            format!("; it lies in one zone ({start:#x} to {:#x}), so that is not why", end - 1)
        }
        Note::Of(bytes, total) => {
            format!("; of all {} of hugetlb_cma= {} are there", size(*total), size(*bytes))
        }
        // It is in the answer.
        Note::Misread(_) => String::new(),
    });
    each.collect()
}

fn dead(counts: Option<bool>, story: &Story) -> String {
    let total = story.cma_total.map_or_else(String::new, |total| format!(" ({})", size(total)));
    match counts {
        Some(true) => format!("; CmaTotal{total} counts it all the same (up to 5.11)"),
        Some(false) => format!("; CmaTotal{total} does not count it (from 5.12 on)"),
        None => format!(
            "; CmaTotal{total} counts it up to 5.11 and does not from 5.12 on \
             (cma_activate_area(), mm/cma.c)"
        ),
    }
}

fn instead(asked: &Asked) -> String {
    let Some(bytes) = asked.instead else { return String::new() };
    let not = asked.asked_bytes.filter(|asked| *asked > 0 && *asked != bytes);
    let not = not.map_or_else(String::new, |asked| format!(", not {}", size(asked)));
    format!("; the default area that was made instead has {}{not}", size(bytes))
}

/// `lines 1, 2, 7`; with their sources where these are several.
pub(super) fn lines(all: &[At]) -> Option<String> {
    let first = all.first()?;
    let one_source = all.iter().all(|at| at.source == first.source);
    if !one_source {
        let each = all.iter().map(|at| format!("{} line {}", clean(&at.source), at.line));
        return Some(each.collect::<Vec<_>>().join(", "));
    }
    let mut numbers: Vec<_> = all.iter().map(|at| at.line).collect();
    numbers.sort_unstable();
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    let word = if numbers.len() == 1 { "line" } else { "lines" };
    Some(format!("{word} {}", numbers.join(", ")))
}
