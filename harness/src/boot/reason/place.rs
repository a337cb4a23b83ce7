//! Why no memory was found, by the blocks that a boot prints and by the memory of a tree.

use super::super::tell::Teller;
use super::super::{At, Fate, Note, Origin, Reason, Story};
use super::is;
use crate::ingest::log::dts::Node;

/// The ranges of nodes that nothing became of in the text against the memory of the tree.
pub(super) fn outside(teller: &mut Teller) {
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

/// Why no memory was found, and the line of the longest block where that says it.
pub(super) fn not_placed(
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
