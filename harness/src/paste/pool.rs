//! Nodes of pools that are there.

use super::edit::{Edit, Target};
use super::plan::{Plan, pool};
use super::room::{Ask, LOW, Piece, World, after, ranges_of_new, reason, shown, step};
use super::text::{cells, places, said, value};
use super::{CannotPaste, Replaced, Wanted};
use crate::lint::{Numbers, Pool, size};
use crate::tree::{NodeId, Tree};

/// What is to be said where a number does not fit.
const CELLS: &str = "the cells of the root cannot state it (`#address-cells`, `#size-cells`)";

impl Plan<'_> {
    /// An area of a node that is there.
    pub(super) fn resize(
        &mut self,
        tree: &Tree,
        pool: &Pool,
        wanted: &Wanted,
    ) -> Result<(), CannotPaste> {
        self.must_be_area(pool)?;
        let mut lines = Vec::new();
        let is_off = !tree.node(pool.id).is_available();
        if is_off {
            lines.push(("status", "status = \"okay\";".to_string()));
            let note =
                format!("the node {} is switched off, and the fragment switches it on", pool.name);
            self.paste.notes.push(note);
        }
        self.replaces_size(pool, wanted);
        match pool.fixed() {
            Some((base, _)) => lines.push(("reg", self.reg(pool, base, wanted)?)),
            None => {
                let bytes = self.number(wanted, wanted.bytes, self.cells.1)?;
                lines.push(("size", format!("size = <{bytes}>; {}", sizes(pool, wanted))));
                let near = if is_off && pool.ranges.is_none() { self.near(wanted) } else { None };
                if let Some(ranges) = self.widened(wanted)?.or(near) {
                    let line = self.ranges(wanted, &ranges)?;
                    lines.push(("alloc-ranges", line));
                    self.replaces_ranges(pool, &ranges);
                }
            }
        }
        let back = lines.iter().map(|(name, _)| restored(tree, pool.id, name)).collect();
        let lines = lines.into_iter().map(|(_, line)| line).collect();
        self.edits.nodes.push(Edit { target: Target::Node(pool.id), lines });
        self.back.nodes.push(Edit { target: Target::Node(pool.id), lines: back });
        Ok(())
    }

    fn must_be_area(&self, pool: &Pool) -> Result<(), CannotPaste> {
        let step = step(self.board).unwrap_or(1);
        let off = pool.fixed().map(|(base, _)| base).filter(|base| !base.is_multiple_of(step));
        let why = match (pool.reusable, pool.no_map, off) {
            (true, false, None) => return Ok(()),
            (_, true, _) => {
                "its node has no-map, which no area has: take that out first".to_string()
            }
            (false, ..) => "its node is not reusable, so it is no area: put `reusable;` into it \
                            first"
                .to_string(),
            (.., Some(base)) => format!(
                "its node begins at {base:#x}, which is no multiple of {}, and the kernel refuses \
                 it: put it somewhere else first",
                self.board.steps.said()
            ),
        };
        Err(CannotPaste::NotAnArea { name: pool.name.clone(), why })
    }

    /// A number in cells.
    pub(super) fn number(
        &self,
        wanted: &Wanted,
        number: u64,
        count: u32,
    ) -> Result<String, CannotPaste> {
        cells(number, count).ok_or_else(|| no_room(wanted, CELLS.to_string()))
    }

    /// `reg` with the same base; further places stay.
    fn reg(&mut self, pool: &Pool, base: u64, wanted: &Wanted) -> Result<String, CannotPaste> {
        let room = after(self.board, pool, base);
        if let Some((end, what)) = room.filter(|(end, _)| end.saturating_sub(base) < wanted.bytes) {
            let most = size(end.saturating_sub(base));
            let why = format!("it begins at {base:#x}, and {what} is {most} above, at {end:#x}");
            return Err(no_room(wanted, why));
        }
        if room.is_none() && pool.bytes().is_none_or(|bytes| bytes < wanted.bytes) {
            let note = format!(
                "whether there is room after the fixed place of {} is not known, since the tree \
                 states no memory there: /proc/iomem does",
                pool.name
            );
            self.paste.notes.push(note);
        }
        let mut all = pool.reg.as_ref().map(Numbers::places).unwrap_or_default().to_vec();
        all[0].1 = wanted.bytes;
        let reg = places(&all, self.cells).ok_or_else(|| no_room(wanted, CELLS.to_string()))?;
        Ok(format!("reg = {reg}; {}", sizes(pool, wanted)))
    }

    /// What is free and asked for, with the ranges that were chosen so far.
    pub(super) fn world(&self) -> Option<World> {
        let mut world = World::of(self.board, &self.change)?;
        for ask in &mut world.asks {
            let wider = self.wider.iter().rev().find(|(name, _)| *name == ask.name);
            ask.allowed = wider.map(|(_, ranges)| ranges.clone()).or(ask.allowed.take());
        }
        Some(world)
    }

    /// `alloc-ranges` that have room for an area, where its own have not: first byte and end of each.
    pub(super) fn widened(&mut self, wanted: &Wanted) -> Result<Option<Vec<Piece>>, CannotPaste> {
        let Some(mut world) = self.world() else {
            return self.narrow(wanted).map_or(Ok(None), Err);
        };
        let at = world.asks.iter().position(|ask| ask.name == wanted.name);
        let is_placed = |world: &World| !world.placed(None).1.contains(&&*wanted.name);
        let Some(at) = at.filter(|_| !is_placed(&world)) else { return Ok(None) };
        let free = world.placed(Some(at)).0;
        let ask = &mut world.asks[at];
        ask.allowed = ask.allowed.as_ref().and_then(|ranges| wider(ranges, &free, ask));
        let ranges = ask.allowed.clone().filter(|_| is_placed(&world));
        let Some(ranges) = ranges else {
            let why = reason(self.board, &wanted.name, wanted.is_new);
            return Err(no_room(wanted, why));
        };
        self.wider.push((wanted.name.clone(), ranges.clone()));
        Ok(Some(ranges))
    }

    /// Where an area may be that is new to the kernel and whose node does not say it.
    pub(super) fn near(&mut self, wanted: &Wanted) -> Option<Vec<Piece>> {
        let ranges = ranges_of_new(self.board)?;
        self.wider.push((wanted.name.clone(), ranges.clone()));
        Some(ranges)
    }

    /// Where the memory is not known, ranges can be too narrow all the same.
    fn narrow(&self, wanted: &Wanted) -> Option<CannotPaste> {
        let chosen = self.wider.iter().rev().find(|(name, _)| *name == wanted.name);
        let own = || pool(self.board.tree.as_ref()?, &wanted.name)?.allowed();
        let ranges = chosen.map(|(_, ranges)| ranges.clone()).or_else(own);
        let ranges = ranges.filter(|ranges| !ranges.is_empty())?;
        let most = ranges.iter().map(|(start, end)| end.saturating_sub(*start)).max()?;
        let why = format!(
            "its alloc-ranges ({}) have less, and what memory is beside them is not known: a log of \
             the boot, or /proc/device-tree, has it",
            shown(&ranges)
        );
        (most < wanted.bytes).then(|| no_room(wanted, why))
    }

    /// The line of `alloc-ranges`.
    pub(super) fn ranges(&self, wanted: &Wanted, ranges: &[Piece]) -> Result<String, CannotPaste> {
        let all: Vec<_> =
            ranges.iter().map(|(start, end)| (*start, end.saturating_sub(*start))).collect();
        let text = places(&all, self.cells).ok_or_else(|| no_room(wanted, CELLS.to_string()))?;
        Ok(format!("alloc-ranges = {text}; /* {} */", shown(ranges)))
    }

    fn replaces_size(&mut self, pool: &Pool, wanted: &Wanted) {
        self.paste.replaces.push(Replaced {
            what: format!("{} of {}", pool.sized_by(), wanted.name),
            before: pool.bytes().map_or_else(|| "not legal".to_string(), both),
            after: both(wanted.bytes),
        });
    }

    fn replaces_ranges(&mut self, pool: &Pool, ranges: &[Piece]) {
        let before = pool.ranges.as_ref().map(Numbers::places);
        self.paste.replaces.push(Replaced {
            what: format!("alloc-ranges of {}", pool.name),
            before: before.map_or("none".to_string(), said),
            after: shown(ranges),
        });
        let what =
            if before.is_some() { "are wider now, since there was no room" } else { "are new" };
        let note = format!(
            "alloc-ranges of {} {what}: each of its devices must reach all of them",
            pool.name
        );
        self.paste.notes.push(note);
    }
}

/// A size in hex and in MiB.
pub(super) fn both(bytes: u64) -> String {
    format!("{bytes:#x} ({})", size(bytes))
}

/// A comment with the size as it is to be, and as it was.
fn sizes(pool: &Pool, wanted: &Wanted) -> String {
    let was = pool.bytes().map_or(String::new(), |bytes| format!(", was {}", size(bytes)));
    format!("/* {}{was} */", size(wanted.bytes))
}

pub(super) fn no_room(wanted: &Wanted, why: String) -> CannotPaste {
    CannotPaste::NoRoom { name: wanted.name.clone(), bytes: wanted.bytes, why }
}

/// A property as it was.
fn restored(tree: &Tree, id: NodeId, name: &str) -> String {
    match tree.node(id).has(name) {
        true => value(tree.node(id), name),
        false => format!("/delete-property/ {name};"),
    }
}

/// The ranges, one of them wider by as little as it takes: downwards, since devices reach what is
/// below; else upwards, never across 4 GiB.
fn wider(ranges: &[Piece], pieces: &[Piece], ask: &Ask) -> Option<Vec<Piece>> {
    let down = |(start, end): Piece| {
        let bases =
            pieces.iter().filter_map(|(first, last)| ask.in_piece((*first, (*last).min(end))));
        bases.max().map(|base| (base, (start.min(base), end)))
    };
    let up = |(start, end): Piece| {
        let most = if end <= LOW { LOW } else { u64::MAX };
        let tops = pieces.iter().filter_map(|(first, last)| {
            let base = (*first).max(start).checked_next_multiple_of(ask.align)?;
            base.checked_add(ask.bytes).filter(|top| *top <= (*last).min(most))
        });
        tops.min().map(|top| (top, (start, end.max(top))))
    };
    let each = || ranges.iter().copied().enumerate();
    let lower = each().filter_map(|(at, range)| Some((at, down(range)?)));
    let lower = lower.max_by_key(|(_, (base, _))| *base);
    let upper = || each().filter_map(|(at, range)| Some((at, up(range)?)));
    let (at, (_, range)) = lower.or_else(|| upper().min_by_key(|(_, (top, _))| *top))?;
    let mut ranges = ranges.to_vec();
    ranges[at] = range;
    Some(ranges)
}
