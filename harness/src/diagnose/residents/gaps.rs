//! What is not free: the gaps between holes, in bits.

use std::collections::BTreeMap;

use super::super::AreaState;

/// A maximal row of bits that are not free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gap {
    /// The bit after its last one, counted from address 0.
    pub(super) end: u64,
    /// Bits of the hole after it; 0 at the end of the area.
    pub(super) hole_after: u64,
    /// Its class, in [`Gaps::classes`].
    pub(super) class: usize,
}

/// Gaps that look alike to a search: of one length, and the same way past an aligned bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Class {
    /// Bits.
    pub(super) len: u64,
    /// The first bit modulo 2^cap.
    pub(super) phase: u64,
    /// How many of them there are.
    pub(super) times: u64,
}

/// Gaps that begin at the same phase: what a row of buffers comes to from there on is the same in
/// each of them, up to where it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// The first bit modulo 2^cap.
    pub(super) phase: u64,
    /// Their places in the list that was grouped, in its order.
    pub(super) members: Vec<usize>,
    /// Bits of each of them, in the same order.
    pub(super) lens: Vec<u64>,
}

/// `gaps`, each a phase and its bits, by phase.
pub(super) fn grouped(gaps: impl Iterator<Item = (u64, u64)>) -> Vec<Group> {
    let mut groups: BTreeMap<u64, Group> = BTreeMap::new();
    for (member, (phase, len)) in gaps.enumerate() {
        let new = || Group { phase, members: Vec::new(), lens: Vec::new() };
        let group = groups.entry(phase).or_insert_with(new);
        group.members.push(member);
        group.lens.push(len);
    }
    groups.into_values().collect()
}

/// The gaps of an area.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Gaps {
    /// Ascending within a range.
    pub(super) gaps: Vec<Gap>,
    /// Each once, by length and phase.
    pub(super) classes: Vec<Class>,
    /// The cap as an order in bits.
    pub(super) cap: u32,
}

impl Gaps {
    /// The gaps of `area`, with phases by `cap`, an order in bits (below 64). What lies before
    /// the first hole and past the last one is one only where no hole is missing.
    pub(super) fn of(area: &AreaState, cap: u32) -> Self {
        let unit = area.order_per_bit;
        if unit >= u64::BITS {
            return Self::default();
        }
        // (len, phase, end, hole after it)
        let mut found = Vec::new();
        let mut push = |start: u64, end: u64, hole_after: u64| {
            if start < end {
                found.push((end - start, start & ((1 << cap) - 1), end, hole_after));
            }
        };
        for range in &area.ranges {
            let base = area.grid(range).base() >> unit;
            let bit = |page: u64| base.saturating_add(page >> unit);
            // Where the last gap began, if that is known.
            let mut from = area.complete.then_some(base);
            for hole in &range.holes {
                let start = bit(hole.start);
                if let Some(from) = from {
                    push(from, start, hole.count >> unit);
                }
                from = Some(bit(hole.end()));
            }
            let pages = range.pages.or(area.total.filter(|_| area.ranges.len() == 1));
            if let (Some(from), Some(pages), true) = (from, pages, area.complete) {
                push(from, bit(pages), 0);
            }
        }
        Self::classify(&found, cap)
    }

    fn classify(found: &[(u64, u64, u64, u64)], cap: u32) -> Self {
        let mut keys: Vec<_> = found.iter().map(|&(len, phase, ..)| (len, phase)).collect();
        keys.sort_unstable();
        let class = |same: &[(u64, u64)]| {
            let (len, phase) = same[0];
            Class { len, phase, times: same.len() as u64 }
        };
        let classes: Vec<Class> = keys.chunk_by(|a, b| a == b).map(class).collect();
        let class_of =
            |key: (u64, u64)| classes.partition_point(|class| (class.len, class.phase) < key);
        let gap = |&(len, phase, end, hole_after): &(u64, u64, u64, u64)| Gap {
            end,
            hole_after,
            class: class_of((len, phase)),
        };
        let gaps = found.iter().map(gap).collect();
        Self { gaps, classes, cap }
    }
}
