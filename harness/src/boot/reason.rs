//! Why an area has no memory or less than was asked for.

use std::sync::Arc;

use super::cure::cures;
use super::tell::{Teller, counts_dead};
use super::{Asked, At, Fate, Misread, Note, Off, Origin, Reason, Size, Slip, Story};
use crate::ingest::log::dts::Node;
use crate::kernel::release;

/// The first release in which `cma=` counts more than `linux,cma-default`
/// (`rmem_cma_setup()`, `kernel/dma/contiguous.c`).
const COMMAND_FIRST: (u32, u32) = (5, 10);

/// The first release that prints the size that was asked for, before it is rounded
/// (`cma_declare_contiguous_nid()`, `mm/cma.c`).
const PRINTS_ASKED: (u32, u32) = (6, 15);

/// Completes the areas by what the whole text says.
pub(super) fn finish(teller: &mut Teller, story: &Story, failed: &[Arc<str>]) {
    name_bypassed(teller);
    name_refused(teller);
    nodes_of_text(teller, story);
    outside(teller);
    for index in 0..teller.areas.len() {
        by_node(teller, index, story);
    }
    command(teller, story);
    defaults(teller);
    round(teller, story);
    dead(teller, story);
    not_in_effect(teller, failed);
    instead(teller);
    teller.areas.retain(|asked| {
        let by_chance = asked.origin == Origin::Node && asked.fate == Fate::DmaPool;
        !by_chance || asked.default || asked.name.as_ref().is_some_and(|name| name.contains("cma"))
    });
    let movable = teller.command.as_ref().map(|(_, command)| command.movable);
    for asked in &mut teller.areas {
        asked.cures = cures(asked, story, movable);
    }
}

/// From 7.x on the node that is bypassed is not named: it is the one with `linux,cma-default`.
fn name_bypassed(teller: &mut Teller) {
    let default = teller.nodes.iter().find(|(_, node)| node.default);
    let Some((at, node)) = default.map(|(at, node)| (at.clone(), node.clone())) else { return };
    let known = teller.areas.iter().any(|asked| asked.name.as_ref() == Some(&node.name));
    let open = |asked: &&mut Asked| {
        asked.name.is_none() && matches!(asked.fate, Fate::Bypassed(_)) && !known
    };
    if let Some(asked) = teller.areas.iter_mut().find(open) {
        asked.name = Some(node.name);
        asked.at(&at);
    }
}

/// Kernels that do not name the node that they refuse may have one only.
fn name_refused(teller: &mut Teller) {
    let named = |node: &Node| {
        let mut names = teller.areas.iter().filter_map(|asked| asked.name.as_deref());
        names.any(|name| is(node, name))
    };
    let open: Vec<_> =
        teller.nodes.iter().filter(|(_, node)| node.is_area() && !named(node)).collect();
    let [(at, node)] = open[..] else { return };
    let (at, name) = (at.clone(), Arc::clone(&node.name));
    let mut refused = teller.areas.iter_mut().filter(|asked| {
        asked.origin == Origin::Node && asked.name.is_none() && asked.fate.reason().is_some()
    });
    if let (Some(asked), None) = (refused.next(), refused.next()) {
        asked.name = Some(name);
        asked.at(&at);
    }
}

/// Nodes that a text states and no line of the boot names.
fn nodes_of_text(teller: &mut Teller, story: &Story) {
    let has_boot = teller.has_boot();
    for (at, node) in teller.nodes.clone() {
        let named = |asked: &Asked| {
            asked.origin == Origin::Node
                && asked.name.as_deref().is_some_and(|name| is(&node, name))
        };
        // `rmem_cma_setup()` takes no node without `reusable`, whatever else it has.
        let lost = node.pool && node.default && !node.reusable && !node.no_map && !node.disabled;
        if teller.areas.iter().any(named) || node.listed || !(node.is_area() || lost && !has_boot) {
            continue;
        }
        let mut asked = Asked::new(Some(Arc::clone(&node.name)), Origin::Node);
        (asked.fate, asked.default) = (Fate::Unknown(has_boot), node.default);
        asked.at(&at);
        // It cannot be set up, whatever the kernel prints.
        if lost {
            (asked.fate, asked.asked_bytes) = (Fate::NoMatch(Some(false)), node.bytes());
        } else if let Some(off) = off(&node, story) {
            asked.fate = Fate::Refused(off);
            teller.refusals.iter().for_each(|(at, _)| asked.at(at));
        } else if let (Some((counted, total)), Some(bytes)) = (&teller.counted, node.bytes())
            && *total < bytes
        {
            (asked.fate, asked.asked_bytes) = (Fate::NoEffect(*total), Some(bytes));
            asked.at(counted);
        }
        teller.areas.push(asked);
    }
}

/// The ranges of nodes that nothing became of in the text against the memory of the tree.
fn outside(teller: &mut Teller) {
    let Some((at, memory)) = teller.tree_memory.clone().filter(|_| teller.blocks.is_empty()) else {
        return;
    };
    for asked in &mut teller.areas {
        let name = asked.name.clone().unwrap_or_default();
        let node = teller.nodes.iter().map(|(_, node)| node).find(|node| is(node, &name));
        let first = node.and_then(|node| outside_of(&node.ranges, &memory));
        let Some((start, end)) = first.filter(|_| asked.origin == Origin::Node) else { continue };
        match asked.fate {
            Fate::Unknown(_) => asked.notes.push(Note::RangesOutside(start, end)),
            Fate::NotPlaced(Reason::Open) => {
                asked.fate = Fate::NotPlaced(Reason::RangesOutsideTree(start, end));
            }
            _ => continue,
        }
        asked.at(&at);
    }
}

/// The first of the ranges, where none of them meets any of the memory.
fn outside_of(ranges: &[(u64, u64)], memory: &[(u64, u64)]) -> Option<(u64, u64)> {
    let end = |range: &(u64, u64)| range.0.saturating_add(range.1);
    let meets = |range: &(u64, u64)| {
        memory.iter().any(|(start, stop)| range.0 < *stop && *start < end(range))
    };
    let first = ranges.first().filter(|_| !ranges.iter().any(meets))?;
    Some((first.0, end(first)))
}

/// Whether `name` is that of a node: with or without its address.
fn is(node: &Node, name: &str) -> bool {
    let short = |name: &str| name.split('@').next().unwrap_or_default().to_string();
    node.labels(name)
        || *node.name == *name
        || short(&node.name) == name
        || *node.name == *short(name)
}

/// What is off the step in a node whose numbers are known.
fn off(node: &Node, story: &Story) -> Option<Off> {
    if node.bytes() == Some(0) {
        return Some(Off::Nothing);
    }
    if node.size_cells_off {
        return Some(Off::Cells("size".into()));
    }
    let wrong = |value: u64| !story.stride.may_divide(value);
    let base = node.reg.first().map(|(base, _)| *base).filter(|base| wrong(*base));
    let size = node.bytes().filter(|size| wrong(*size));
    if let Some((base, size)) = base.zip(size) {
        return Some(Off::Both(base, size));
    }
    base.map(Off::Base).or_else(|| size.map(|size| Off::Size(Some(size))))
}

/// What a node that the text states says of the fate of its area.
fn by_node(teller: &mut Teller, index: usize, story: &Story) {
    let asked = &teller.areas[index];
    if asked.origin != Origin::Node {
        return;
    }
    let name = asked.name.clone().unwrap_or_default();
    let found = teller.nodes.iter().find(|(_, node)| is(node, &name)).cloned();
    let (blocks, memory) = (teller.blocks.clone(), teller.memory);
    let dma_cma = teller.dma_cma;
    let asked = &mut teller.areas[index];
    if let Some((at, node)) = &found {
        asked.default |= node.default;
        asked.asked_bytes = asked.asked_bytes.or_else(|| node.bytes());
        if !matches!(asked.fate, Fate::Placed) {
            asked.at(at);
        }
    } else if &*name == "linux,cma" {
        // So everybody calls the default one.
        asked.default = true;
    }
    let node = found.as_ref().map(|(_, node)| node);
    match &asked.fate {
        Fate::NotPlaced(Reason::Open) => {
            let (reason, at) = not_placed(asked.asked_bytes, node, story, &blocks, memory);
            asked.fate = Fate::NotPlaced(reason);
            at.iter().for_each(|at| asked.at(at));
        }
        Fate::Refused(Off::BaseOrSize) => {
            asked.fate = Fate::Refused(which(&name, node, story));
        }
        Fate::Refused(Off::Unsaid) if asked.asked_bytes == Some(0) => {
            asked.fate = Fate::Refused(Off::Nothing);
        }
        Fate::NoMatch(None) if node.is_some_and(|node| node.reusable && node.no_map) => {
            asked.fate = Fate::Refused(Off::NoMap);
        }
        Fate::NoMatch(None) => {
            let reusable = node.map(|node| node.reusable);
            asked.fate = Fate::NoMatch(reusable.or(dma_cma.then_some(false)));
        }
        _ => {}
    }
}

/// Which of base and size is off the step.
fn which(name: &str, node: Option<&Node>, story: &Story) -> Off {
    if let Some(off) = node.filter(|node| !node.listed).and_then(|node| off(node, story)) {
        return off;
    }
    let address = name.split_once('@').and_then(|(_, hex)| u64::from_str_radix(hex, 16).ok());
    match (address, story.stride.bytes) {
        (Some(base), Some(step)) if !base.is_multiple_of(step) => Off::Base(base),
        (Some(_), Some(_)) => Off::Size(None),
        (Some(_), None) => Off::BaseOrSize,
        // Without `reg` the kernel itself chooses the base.
        (None, _) if node.is_some_and(|node| !node.fixed) => Off::Size(None),
        (None, _) => Off::BaseOrSize,
    }
}

/// Why no memory was found, and the line of the longest block where that says it.
fn not_placed(
    bytes: Option<u64>,
    node: Option<&Node>,
    story: &Story,
    blocks: &[(At, u64, u64)],
    memory: Option<u64>,
) -> (Reason, Option<At>) {
    let step = story.stride.bytes.unwrap_or(1 << 20);
    let steps = |start: u64, end: u64| {
        let start = start.checked_next_multiple_of(step).unwrap_or(end);
        (end / step * step).saturating_sub(start)
    };
    let larger = |most: u64| bytes.is_some_and(|bytes| bytes > most);
    if let Some(node) = node.filter(|node| !node.ranges.is_empty()) {
        let end = |range: &(u64, u64)| range.0.saturating_add(range.1);
        let widest = node.ranges.iter().map(|range| steps(range.0, end(range))).max();
        let memory: Vec<_> = blocks.iter().map(|(_, start, end)| (*start, *end)).collect();
        if let Some(widest) = widest.filter(|widest| larger(*widest)) {
            return (Reason::RangesNarrow(widest), None);
        }
        let first = outside_of(&node.ranges, &memory).filter(|_| !memory.is_empty());
        if let Some((start, end)) = first {
            return (Reason::RangesOutside(start, end), None);
        }
        // What of a block lies in one of the ranges.
        let shared = node.ranges.iter().flat_map(|range| {
            blocks.iter().map(move |(at, start, stop)| {
                (steps(range.0.max(*start), end(range).min(*stop)), at)
            })
        });
        let most = shared.max_by_key(|(bytes, _)| *bytes);
        if let Some((most, at)) = most.filter(|(most, _)| larger(*most)) {
            return (Reason::RangesNarrow(most), Some(at.clone()));
        }
    }
    let longest = blocks.iter().max_by_key(|(_, start, end)| (end - start, *start));
    if let Some((at, start, end)) = longest {
        let most = steps(*start, *end);
        if larger(most) {
            return (Reason::Block { start: *start, end: *end, most }, Some(at.clone()));
        }
    }
    // Some of it always has something in it.
    if let Some(memory) = memory.filter(|memory| larger(memory.saturating_sub(1))) {
        return (Reason::Memory(memory), None);
    }
    let ranged = node.is_some_and(|node| node.ranged);
    let stated = node.is_some_and(|node| !node.ranges.is_empty());
    (if ranged { Reason::Ranges(stated) } else { Reason::Open }, None)
}

/// What became of `cma=`.
fn command(teller: &mut Teller, story: &Story) {
    let Some((at, command)) = teller.command.clone() else {
        if teller.bypass().is_some() {
            // The command line is not in the text, but has it.
            of_command_unseen(teller);
        }
        return;
    };
    let blocks = teller.blocks.clone();
    for asked in &mut teller.areas {
        if let Fate::NotPlaced(Reason::Open) = asked.fate
            && asked.origin != Origin::Node
        {
            let (reason, line) = not_placed(asked.asked_bytes, None, story, &blocks, teller.memory);
            // A place that is named is free, or not.
            let named = |size: &Size| size.base.is_some() && size.limit.is_none();
            let taken = matches!(&asked.origin, Origin::CommandLine(size) if named(size))
                && reason == Reason::Open;
            asked.fate = Fate::NotPlaced(if taken { Reason::Taken } else { reason });
            line.iter().for_each(|line| asked.at(line));
        }
        match (&mut asked.fate, command.cma) {
            (Fate::Bypassed(size), Some(cma)) => {
                *size = Some(cma.bytes);
                asked.at(&at);
            }
            _ if matches!(asked.origin, Origin::CommandLine(_)) => asked.at(&at),
            _ if asked.origin == Origin::Hugetlb => {
                asked.at(&at);
                let refused = matches!(asked.fate, Fate::Refused(_));
                asked.asked_bytes =
                    asked.asked_bytes.or(command.hugetlb.filter(|bytes| refused && *bytes > 0));
            }
            _ => {}
        }
    }
    if let Some(size) = command.cma {
        of_command(teller, &at, size, story);
    }
    if let Some(misread) = command.misread {
        odd(teller, &at, misread);
    }
}

/// A parameter that is not read as it looks.
fn odd(teller: &mut Teller, at: &At, misread: Misread) {
    if let (Slip::Case, Some(bytes)) = (misread.slip, misread.meant) {
        let size = Size { bytes, base: None, limit: None };
        let mut asked = Asked::new(None, Origin::CommandLine(size));
        (asked.fate, asked.asked_bytes) = (Fate::Refused(Off::Spelling), Some(bytes));
        asked.at(at);
        asked.notes.push(Note::Misread(misread));
        teller.areas.push(asked);
        return;
    }
    let is_it = |asked: &&mut Asked| match &asked.origin {
        // Who asks for nothing has no memory: that is another's.
        Origin::CommandLine(size) => size.bytes > 0 || !asked.fate.has_memory(),
        _ => false,
    };
    if let Some(asked) = teller.areas.iter_mut().find(is_it) {
        asked.notes.push(Note::Misread(misread));
    }
}

fn of_command(teller: &mut Teller, at: &At, size: Size, story: &Story) {
    let declared = |asked: &&mut Asked| matches!(asked.origin, Origin::CommandLine(_));
    if let Some(asked) = teller.areas.iter_mut().find(declared) {
        asked.asked_bytes = Some(size.bytes);
        return;
    }
    let mut asked = Asked::new(Some("reserved".into()), Origin::CommandLine(size));
    (asked.asked_bytes, asked.default) = (Some(size.bytes), true);
    asked.at(at);
    if let Some(line) = teller.unknown.clone() {
        asked.at(&line);
        asked.fate = Fate::Refused(Off::Unknown);
        teller.areas.push(asked);
        return;
    }
    // Up to 5.9 the default node counts; later one is bypassed, with a line.
    let stated = story.release.as_deref().and_then(release);
    let placed = |asked: &&Asked| asked.origin == Origin::Node && asked.fate == Fate::Placed;
    let default = teller.areas.iter().filter(placed).find(|asked| asked.default);
    let node = default.filter(|_| stated.is_none_or(|release| release < COMMAND_FIRST));
    // Which node is the default one is mostly not in a text: that no memory is left for `cma=` is.
    let alone = || {
        let older = stated.is_some_and(|release| release < COMMAND_FIRST);
        let mut nodes = teller.areas.iter().filter(placed);
        let only = nodes.next().filter(|_| nodes.next().is_none() && older)?;
        (only.bytes == story.cma_total.or(story.cma_reserved)).then_some(only)
    };
    let node = node.or_else(alone);
    asked.fate = match (node.and_then(|node| node.name.clone()), &teller.counted) {
        _ if size.bytes == 0 => Fate::Off,
        (Some(node), _) => Fate::BeatenByNode(node),
        (None, Some((counted, total))) if *total < size.bytes => {
            asked.lines.push(counted.clone());
            Fate::NoEffect(*total)
        }
        (None, Some((counted, total))) if whole(story, size.bytes, *total) => {
            asked.lines.push(counted.clone());
            asked.bytes = Some(*total);
            Fate::Placed
        }
        _ => Fate::Unknown(teller.has_boot()),
    };
    teller.areas.push(asked);
}

/// Whether `total` is `bytes` in whole steps.
fn whole(story: &Story, bytes: u64, total: u64) -> bool {
    let steps = story.stride.open.iter().map(|step| step.bytes);
    let mut steps = story.stride.bytes.into_iter().chain(steps);
    steps.any(|step| bytes.checked_next_multiple_of(step) == Some(total))
}

fn of_command_unseen(teller: &mut Teller) {
    for asked in &mut teller.areas {
        if asked.origin == Origin::ConfigOrCommandLine
            && let Some(bytes) = asked.bytes
        {
            asked.origin = Origin::CommandLine(Size { bytes, base: None, limit: None });
        }
    }
}

/// Of several nodes with `linux,cma-default` the one that is set up last is the default area.
fn defaults(teller: &mut Teller) {
    // Of a device tree alone, all is as it will be if all are placed.
    let is_one = |asked: &Asked| {
        let may_be = matches!(asked.fate, Fate::Placed | Fate::Unknown(false));
        asked.default && asked.origin == Origin::Node && may_be
    };
    let of: Vec<_> = teller.areas.iter().filter(|asked| is_one(asked)).collect();
    let Some(last) = of.last().filter(|_| of.len() > 1).and_then(|asked| asked.name.clone()) else {
        return;
    };
    for asked in &mut teller.areas {
        if is_one(asked) && asked.name.as_ref() != Some(&last) {
            asked.fate = Fate::NotDefault(Arc::clone(&last));
        }
    }
}

/// The size of the default area, where the kernel printed the one that was asked for: by sysfs, by
/// the sum of all areas, or by the step.
fn round(teller: &mut Teller, story: &Story) {
    let placed = |asked: &&Asked| asked.bytes.is_some() && asked.fate.has_memory();
    let all: u64 = teller.areas.iter().filter(placed).filter_map(|asked| asked.bytes).sum();
    let declared = |asked: &&mut Asked| {
        asked.fate == Fate::Placed && asked.default && asked.origin != Origin::Node
    };
    let Some(asked) = teller.areas.iter_mut().find(declared) else { return };
    let Some(printed) = asked.bytes else { return };
    let of_sysfs = teller.pages.iter().find(|(name, _)| Some(name) == asked.name.as_ref());
    let sysfs = of_sysfs.map(|(_, pages)| pages.saturating_mul(story.page_bytes()));
    // What is missing in the sum may be another area's, unless it makes up whole steps.
    let sum = story.cma_reserved.or(story.cma_total).and_then(|sum| sum.checked_sub(all));
    let sum = sum.and_then(|more| printed.checked_add(more));
    let sum = sum.filter(|bytes| whole(story, printed, *bytes));
    let is_new = story.release.as_deref().and_then(release).is_some_and(|r| r >= PRINTS_ASKED);
    // What is printed is in whole MiB.
    let exact = asked.asked_bytes.filter(|bytes| bytes >> 20 == printed >> 20).unwrap_or(printed);
    let rounded = || exact.checked_next_multiple_of(story.stride.bytes.filter(|_| is_new)?);
    if let Some(bytes) = sysfs.or(sum).or_else(rounded).filter(|bytes| *bytes > printed) {
        (asked.bytes, asked.printed_bytes) = (Some(bytes), Some(printed));
        asked.asked_bytes = asked.asked_bytes.or(Some(printed));
    } else if printed == 0 {
        asked.bytes = None;
    }
}

/// Dead areas, with the memory of the one line that can be theirs.
fn dead(teller: &mut Teller, story: &Story) {
    let counts = counts_dead(story.release.as_deref());
    let memory: Vec<_> = (0..teller.areas.len())
        .filter(|index| {
            let asked = &teller.areas[*index];
            asked.origin == Origin::Hugetlb && asked.name.is_none() && asked.bytes.is_some()
        })
        .collect();
    let is_dead = |asked: &&mut Asked| matches!(asked.fate, Fate::Dead(_));
    let hugetlb = teller
        .areas
        .iter()
        .filter(|asked| asked.origin == Origin::Hugetlb && matches!(asked.fate, Fate::Dead(_)));
    if let ([index], 1) = (memory.as_slice(), hugetlb.count()) {
        let placed = teller.areas.remove(*index);
        let dead = teller.areas.iter_mut().filter(is_dead);
        for asked in dead.filter(|asked| asked.origin == Origin::Hugetlb) {
            (asked.base, asked.bytes) = (placed.base, placed.bytes);
            placed.lines.iter().for_each(|at| asked.at(at));
        }
    }
    for asked in teller.areas.iter_mut().filter(is_dead) {
        asked.fate = Fate::Dead(counts);
        teller.counted.iter().for_each(|(at, _)| asked.at(at));
    }
}

/// Where a device has an area of its own by the device tree, and a request failed in the default
/// one.
fn not_in_effect(teller: &mut Teller, failed: &[Arc<str>]) {
    for (at, region) in teller.regions.clone() {
        for pool in &region.pools {
            let node = teller.nodes.iter().find(|(_, node)| {
                let name = pool.rsplit('/').next().unwrap_or_default().trim_end_matches('}');
                node.label.as_ref() == Some(pool) || *node.name == *name
            });
            let Some((_, node)) = node.filter(|(_, node)| node.is_area() && !node.default) else {
                continue;
            };
            let own = |name: &&Arc<str>| is(node, name);
            let default = |name: &&Arc<str>| {
                &***name == "reserved"
                    || teller
                        .areas
                        .iter()
                        .any(|asked| asked.default && asked.name.as_ref() == Some(*name))
            };
            let assigned = teller.assigned.iter().any(|name| own(&name));
            if assigned
                || failed.iter().any(|name| own(&name))
                || !failed.iter().any(|name| default(&name))
            {
                continue;
            }
            let name = node.name.clone();
            let named = |asked: &&mut Asked| {
                asked.origin == Origin::Node && asked.name.as_ref() == Some(&name)
            };
            if let Some(asked) = teller.areas.iter_mut().find(named)
                && asked.fate.rank() > 0
            {
                asked.fate = Fate::NotInEffect(Arc::clone(&region.device));
                asked.at(&at);
            }
        }
    }
}

/// The default area that was made where a node was to be it.
fn instead(teller: &mut Teller) {
    let made = teller
        .areas
        .iter()
        .find(|asked| asked.origin != Origin::Node && asked.default && asked.fate == Fate::Placed);
    let Some((bytes, lines)) = made.map(|asked| (asked.bytes, asked.lines.clone())) else { return };
    for asked in &mut teller.areas {
        if asked.origin == Origin::Node
            && asked.default
            && (asked.fate.rank() == 0 || asked.fate == Fate::DmaPool)
        {
            asked.instead = bytes;
            lines.iter().for_each(|at| asked.at(at));
        }
    }
}
