//! What a boot says of areas.

use super::super::plain::{clean, counted};
use crate::boot::{
    Asked, At, Border, Cure, Fate, Note, Off, Origin, Reason, Story, Stride, StrideFrom,
};
use crate::ingest::log::boot::PageFrom;

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
    left_out.or_else(|| story.areas.iter().find(overlaps))
}

/// A sentence or two for each area that was asked for, then what the step is.
pub(in crate::report::diagnosis) fn boot(story: &Story) -> Vec<String> {
    let mut all: Vec<_> = story.areas.iter().map(|asked| area(asked, story)).collect();
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
fn size(bytes: u64) -> String {
    match bytes {
        0 => "0 bytes".to_string(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => counted(bytes, "byte"),
    }
}

fn who(asked: &Asked) -> String {
    let name = asked.name.as_deref().map(clean);
    match (&asked.origin, &name) {
        (Origin::Node, Some(name)) => format!("node {name}"),
        (Origin::Node, None) if asked.default => "the node with linux,cma-default".to_string(),
        (Origin::Node, None) => "a node".to_string(),
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
fn short(asked: &Asked, story: &Story) -> String {
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
            format!("{who}{of} was refused: {}{}", wrong(off, story), instead(asked))
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
    if let (Fate::Placed, Some(from)) = (&asked.fate, asked.rounded_from()) {
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

fn why(reason: Reason, asked: &Asked) -> String {
    match reason {
        Reason::Block { start, end, most } => format!(
            "the longest memory block has {} ({start:#x} to {:#x}), so at most {most:#x} fit",
            size(end - start),
            end - 1
        ),
        Reason::Memory(bytes) => format!("all memory is {}", size(bytes)),
        Reason::RangesOutside(start, end) => {
            format!("its alloc-ranges ({start:#x} to {:#x}) have no memory in them", end - 1)
        }
        Reason::RangesNarrow(bytes) => format!("its alloc-ranges have room for {}", size(bytes)),
        Reason::Ranges(true) => {
            "nothing in its alloc-ranges is free and large enough".to_string()
        }
        Reason::Ranges(false) => {
            "nothing in its alloc-ranges is free and large enough (their numbers are not in the text)"
                .to_string()
        }
        Reason::Taken if asked.origin == Origin::Node => {
            "the memory that its reg names is taken, or is no memory".to_string()
        }
        Reason::Taken => "the memory there is taken, or is no memory".to_string(),
        Reason::Crosses(boundary) => {
            format!("it would lie across the end of low memory, {boundary:#x}")
        }
        Reason::Limit(limit) => format!("it would end above {limit:#x}, the limit"),
        Reason::Open => match asked.asked_bytes {
            Some(bytes) => format!("no free piece of {} was found below the limit", size(bytes)),
            None => "no free piece was found".to_string(),
        },
    }
}

fn wrong(off: &Off, story: &Story) -> String {
    let step = || step(&story.stride);
    match off {
        Off::Base(base) => format!("its base {base:#x} is no multiple of {}", step()),
        Off::Size(Some(bytes)) => format!("{} is no multiple of {}", size(*bytes), step()),
        Off::Size(None) => format!("its size is no multiple of {}", step()),
        Off::Both(base, bytes) => format!(
            "neither its base {base:#x} nor its size, {}, is a multiple of {}",
            size(*bytes),
            step()
        ),
        Off::BaseOrSize => format!("its base or its size is no multiple of {}", step()),
        Off::Nothing => "its size is 0".to_string(),
        Off::Slots => "there are as many areas as CONFIG_CMA_AREAS allows".to_string(),
        Off::Cells(property) => format!(
            "its {} has not the number of cells that the node above it states",
            clean(property)
        ),
        Off::GiganticPage(page) => format!("it is no multiple of a gigantic page, {}", size(*page)),
        Off::Unsupported => "this architecture has no hugetlb_cma=".to_string(),
        Off::Unknown => "this kernel does not know cma= (CONFIG_DMA_CMA is off)".to_string(),
        Off::NoMap => "it has `no-map` beside `reusable`".to_string(),
        Off::Unsaid => {
            "\"unable to setup CMA region\": its size is 0, its memory is not reserved, \
                        or there are as many areas as CONFIG_CMA_AREAS allows"
                .to_string()
        }
    }
}

/// `this kernel's 2 MiB`
fn step(stride: &Stride) -> String {
    match stride.bytes {
        Some(bytes) => format!("this kernel's {}", size(bytes)),
        None => {
            let mut all: Vec<_> = stride.open.iter().map(|step| step.bytes).collect();
            all.sort_unstable();
            all.dedup();
            let all: Vec<_> = all.into_iter().map(size).collect();
            format!("the kernel's step, {}", all.join(" or "))
        }
    }
}

/// What the step is known from.
fn stride(story: &Story) -> String {
    let Stride { bytes, from, open } = &story.stride;
    let kinds = || {
        let all = open.iter().map(|step| format!("{} for {}", size(step.bytes), step.kind));
        all.collect::<Vec<_>>().join(", ")
    };
    let Some(bytes) = bytes else {
        return format!("the step is not known: {}", kinds());
    };
    let source = || {
        let kinds: Vec<_> = open.iter().map(|step| step.kind).collect();
        let source = open.first().map_or("", |step| step.source);
        format!("{} ({source})", kinds.join(" or "))
    };
    let from = match from {
        StrideFrom::Message => "as the kernel prints it".to_string(),
        StrideFrom::BlockOrder => "a pageblock, by its order in /proc/pagetypeinfo".to_string(),
        StrideFrom::Config => "by the order of blocks in the kernel's configuration".to_string(),
        StrideFrom::Kind => source(),
        StrideFrom::OneCell => format!(
            "{}, which addresses of one cell suggest; 32 MiB with imx_v6_v7_defconfig, 2 MiB on arm64 \
             with 4 KiB pages from 5.19 on",
            source()
        ),
        StrideFrom::Nowhere => String::new(),
    };
    format!("base and size of an area are multiples of {}: {from}", size(*bytes))
}

fn page_from(from: PageFrom) -> &'static str {
    match from {
        PageFrom::Getconf => "getconf PAGESIZE",
        PageFrom::HugePage => "Hugepagesize is what one page of page table entries maps",
        PageFrom::Config => "the kernel's configuration",
        PageFrom::Release => "the kernel's name",
        PageFrom::Pages => "CmaTotal against total_pages",
        PageFrom::Arch => "the architecture has no others",
    }
}

/// `a.log lines 1, 2 and 7`
fn lines(all: &[At]) -> Option<String> {
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

/// What shows the lines of a boot that are about areas.
const LOOK: &str = "`dmesg | grep -iE 'cma|reserved mem|node +[0-9]+: '` right after a boot";

/// What to do.
pub(in crate::report::diagnosis) fn cure(asked: &Asked, story: &Story) -> Option<String> {
    let each: Vec<_> = asked.cures.iter().map(|cure| one_cure(cure, asked, story)).collect();
    // Of a base and a size that are both off, one alone cures nothing.
    let all = matches!(asked.fate, Fate::Refused(Off::Both(..)));
    (!each.is_empty()).then(|| each.join(if all { ". " } else { ", or " }))
}

/// The first cure, and of which area.
fn act(asked: &Asked, story: &Story) -> Option<String> {
    Some(format!("{}: {}", who(asked), first_cure(asked, story)?))
}

/// The first cure that needs no other kernel, else the one that does, in lower case; of a base and a
/// size that are both off both.
fn first_cure(asked: &Asked, story: &Story) -> Option<String> {
    let all = || asked.cures.iter();
    let needs_kernel = |cure: &&Cure| matches!(cure, Cure::DmaCma | Cure::Slots);
    let first = all().find(|cure| !needs_kernel(cure)).or_else(|| all().next())?;
    let text = match (&asked.fate, first) {
        (Fate::Refused(Off::Both(..)), _) => cure(asked, story)?.replace(". G", ", and g"),
        (_, Cure::Look) => format!("{LOOK} says why"),
        (_, Cure::Attach) => {
            "look whether `ls /proc/device-tree/reserved-memory` has the node, and \
                              whether the driver calls of_reserved_mem_device_init()"
                .to_string()
        }
        _ => one_cure(first, asked, story),
    };
    let (head, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    Some(head.to_lowercase() + rest)
}

fn one_cure(cure: &Cure, asked: &Asked, story: &Story) -> String {
    let node = asked.origin == Origin::Node;
    match cure {
        Cure::Size(bytes) if node => format!(
            "Ask for less: size = <{}> ({}) leaves room in that block for what lies in it",
            cells(*bytes),
            size(*bytes)
        ),
        Cure::Size(bytes) => format!("Ask for less: cma={}M", bytes >> 20),
        Cure::Less => format!("Ask for less; {LOOK} shows the blocks of memory that can have it"),
        Cure::Round(0, up) => format!("Give it {} ({up:#x}) or a multiple of that", size(*up)),
        Cure::Round(down, up) => {
            format!("Give it {} ({down:#x}) or {} ({up:#x})", size(*down), size(*up))
        }
        Cure::Base(down, up) => format!("Let it begin at {down:#x} or {up:#x}"),
        Cure::Step => match story.stride.bytes {
            Some(bytes) => {
                format!("Give base and size in multiples of {} ({bytes:#x})", size(bytes))
            }
            None => "Give base and size in multiples of the step".to_string(),
        },
        Cure::Ranges => {
            "Let alloc-ranges name memory (\"Early memory node ranges\" of the boot has \
                         it) that is at least as wide as the area, or leave it out"
                .to_string()
        }
        Cure::Place => "Name a place that is memory and free, or a size alone".to_string(),
        Cure::Reusable => "Add `reusable;` to the node".to_string(),
        Cure::Map => "Take `no-map` out of the node".to_string(),
        Cure::DmaCma => "build the kernel with CONFIG_DMA_CMA=y".to_string(),
        Cure::Cells => {
            let bytes = asked.asked_bytes.filter(|bytes| *bytes > 0);
            let example = bytes.map_or_else(String::new, |bytes| {
                let (high, low) = (bytes >> 32, bytes & 0xffff_ffff);
                format!(": size = <{high:#x} {low:#x}> where that is 2")
            });
            format!("Give it as many cells as #size-cells (#address-cells) above it says{example}")
        }
        Cure::DropCommand => "To use the node, take cma= off the command line".to_string(),
        Cure::DropDefault => {
            "Change the size in the node, or take its linux,cma-default away".to_string()
        }
        Cure::OneDefault => "Leave linux,cma-default in one node only".to_string(),
        Cure::Gigantic(page) => format!("Give hugetlb_cma= a multiple of {}", size(*page)),
        Cure::Zones(None) => {
            "Make it smaller, or place it in one zone: the boot prints them as \"Zone ranges\""
                .to_string()
        }
        Cure::Zones(Some(Border::At(address))) => format!(
            "Place it below or above {address:#x}, where zones end on many boards (\"Zone ranges\" of \
             the boot)"
        ),
        Cure::Zones(Some(Border::Parameter)) => {
            "Take kernelcore= or movablecore= off the command line (they put the border of \
                        zones into the area), or make it smaller"
                .to_string()
        }
        Cure::Slots => "Raise CONFIG_CMA_AREAS, or ask for fewer areas".to_string(),
        Cure::Look => format!("Next: {LOOK} says why"),
        Cure::Attach => {
            "The node belongs below /reserved-memory of the tree that is booted, and the \
                         driver has to take it (of_reserved_mem_device_init()); the boot then says \
                         \"assigned reserved memory node\""
                .to_string()
        }
    }
}

/// As cells of a device tree with two for a size; one where that is enough.
fn cells(bytes: u64) -> String {
    match bytes >> 32 {
        0 => format!("{bytes:#x}"),
        high => format!("{high:#x} {:#x}", bytes & 0xffff_ffff),
    }
}
