//! Why an area has no memory or less than was asked for.

mod parameter;
mod place;

use std::sync::Arc;

pub(crate) use parameter::COMMAND_FIRST;
use parameter::{command, whole};
use place::{not_placed, outside};

use super::cure::cures;
use super::tell::Teller;
use super::{Asked, At, Fate, Note, Off, Origin, Reason, Story};
use crate::ingest::log::dts::Node;
use crate::kernel::release;

/// The first release that prints the size that was asked for, before it is rounded
/// (`cma_declare_contiguous_nid()`, `mm/cma.c`).
const PRINTS_ASKED: (u32, u32) = (6, 15);

/// Completes the areas by what the whole text says.
pub(super) fn finish(teller: &mut Teller, story: &Story, failed: &[Arc<str>]) {
    dma_cma_off(teller);
    name_bypassed(teller);
    name_refused(teller);
    nodes_of_text(teller, story);
    outside(teller);
    for index in 0..teller.areas.len() {
        by_node(teller, index, story);
    }
    command(teller, story);
    without_dma_cma(teller);
    defaults(teller);
    round(teller, story);
    dead(teller, story);
    not_in_effect(teller, failed);
    instead(teller);
    let named = pools_of_devices(teller);
    teller.areas.retain(|asked| {
        let by_chance = asked.origin == Origin::Node && asked.fate == Fate::DmaPool;
        let name = || asked.name.as_deref().unwrap_or_default();
        !by_chance
            || asked.default
            || name().contains("cma")
            || named.iter().any(|own| **own == *name())
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
        // `rmem_cma_setup()` takes no node without `reusable`, whatever else it has, and none with
        // both of these.
        let lost = node.pool && node.default && !node.reusable && !node.no_map && !node.disabled;
        let both = node.pool && node.reusable && node.no_map && !node.disabled;
        let never = (lost || both) && !has_boot;
        if teller.areas.iter().any(named) || node.listed || !(node.is_area() || never) {
            continue;
        }
        let mut asked = Asked::new(Some(Arc::clone(&node.name)), Origin::Node);
        (asked.fate, asked.default) = (Fate::Unknown(has_boot), node.default);
        asked.at(&at);
        // It cannot be set up, whatever the kernel prints.
        if lost {
            (asked.fate, asked.asked_bytes) = (Fate::NoMatch(Some(false)), node.bytes());
        } else if both {
            (asked.fate, asked.asked_bytes) = (Fate::Refused(Off::NoMap), node.bytes());
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

/// A configuration without `CONFIG_DMA_CMA` is of this kernel, unless something is an area.
fn dma_cma_off(teller: &mut Teller) {
    let counted = teller.counted.as_ref().is_some_and(|(_, total)| *total > 0);
    if !counted && !teller.areas.iter().any(|asked| asked.fate.has_memory()) {
        teller.unknown = teller.unknown.take().or(teller.config_off.take());
    }
}

/// What has no effect where `CONFIG_DMA_CMA` is off: no node is an area then.
fn without_dma_cma(teller: &mut Teller) {
    let Some(off) = teller.unknown.clone() else { return };
    for asked in &mut teller.areas {
        let fate = match (&asked.origin, &asked.fate) {
            (
                Origin::Node,
                Fate::NoMatch(None | Some(true)) | Fate::NoEffect(_) | Fate::Unknown(_),
            ) => Fate::NoMatch(Some(true)),
            (Origin::CommandLine(_), Fate::NoEffect(_)) => Fate::Refused(Off::Unknown),
            _ => continue,
        };
        asked.fate = fate;
        asked.at(&off);
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
    let counts = story.counts_dead();
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
        let Some((base, bytes)) = asked.base.zip(asked.bytes) else { continue };
        let within = |(_, start, end): &&(At, u64, u64)| {
            *start <= base && base.saturating_add(bytes) <= *end
        };
        if let Some((at, start, end)) = teller.zones.iter().find(within) {
            asked.notes.push(Note::OneZone(*start, *end));
            asked.at(at);
        }
    }
}

/// The nodes that devices name as their `memory-region`.
fn pools_of_devices(teller: &Teller) -> Vec<Arc<str>> {
    let all = teller.regions.iter().flat_map(|(_, region)| &region.pools);
    all.filter_map(|pool| Some(Arc::clone(&of_pool(teller, pool)?.1.name))).collect()
}

/// The node that a `memory-region` names.
fn of_pool<'a>(teller: &'a Teller, pool: &Arc<str>) -> Option<&'a (At, Node)> {
    let name = pool.rsplit('/').next().unwrap_or_default().trim_end_matches('}');
    teller.nodes.iter().find(|(_, node)| node.label.as_ref() == Some(pool) || *node.name == *name)
}

/// Where a device has an area of its own by the device tree, and a request failed in the default
/// one.
fn not_in_effect(teller: &mut Teller, failed: &[Arc<str>]) {
    for (at, region) in teller.regions.clone() {
        for pool in &region.pools {
            let node = of_pool(teller, pool);
            // A pool of its own serves its device alone (`dma_alloc_from_dev_coherent()`,
            // `kernel/dma/coherent.c`).
            let own = |node: &Node| node.is_area() || node.pool && !node.disabled;
            let Some((_, node)) = node.filter(|(_, node)| own(node) && !node.default) else {
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
