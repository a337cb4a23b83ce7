//! Nodes of pools: those that change, and new ones.

use super::edit::{Edit, Fresh, Target};
use super::plan::Plan;
use super::room::{self, LOW, Piece, World, after, ranges_of_new, shown};
use super::text::{cells, free, legal, places, plain, said, value};
use super::{CannotPaste, Found, Replaced, Wanted, devices};
use crate::lint::{Numbers, Pool, size};
use crate::tree::{NodeId, Tree};

impl Plan<'_> {
    /// An area of a node that is there.
    pub(super) fn resize(
        &mut self,
        tree: &Tree,
        pool: &Pool,
        wanted: &Wanted,
    ) -> Result<(), CannotPaste> {
        self.must_be_area(pool, wanted)?;
        let mut lines = Vec::new();
        let mut back = Vec::new();
        let mut set = |lines: &mut Vec<String>, name: &str, line: String| {
            lines.push(line);
            back.push(restored(tree, pool.id, name));
        };
        if !tree.node(pool.id).is_available() {
            set(&mut lines, "status", "status = \"okay\";".to_string());
            let note = format!(
                "the node {} is switched off, and the fragment switches it on",
                wanted.name
            );
            self.paste.notes.push(note);
        }
        match pool.fixed() {
            Some((base, _)) => set(&mut lines, "reg", self.reg(pool, base, wanted)?),
            None => {
                let bytes = self.number(wanted, wanted.bytes, self.cells.1)?;
                set(&mut lines, "size", format!("size = <{bytes}>; /* {} */", size(wanted.bytes)));
                if let Some(ranges) = self.widened(wanted)? {
                    set(&mut lines, "alloc-ranges", self.ranges(wanted, &ranges)?);
                    self.replaces_ranges(pool, &ranges);
                }
            }
        }
        self.replaces_size(pool, wanted);
        self.edits.nodes.push(Edit { target: Target::Node(pool.id), lines });
        self.back.nodes.push(Edit { target: Target::Node(pool.id), lines: back });
        Ok(())
    }

    fn must_be_area(&self, pool: &Pool, wanted: &Wanted) -> Result<(), CannotPaste> {
        let why = match (pool.reusable, pool.no_map) {
            (true, false) => return Ok(()),
            (_, true) => "its node has no-map, which no area has: take it out of the node first",
            (false, _) => {
                "its node is not reusable, so it is no area: put `reusable;` into it first"
            }
        };
        Err(CannotPaste::NotAnArea { name: wanted.name.clone(), why: why.to_string() })
    }

    fn number(&self, wanted: &Wanted, number: u64, count: u32) -> Result<String, CannotPaste> {
        let why = "the cells of the root cannot state it (`#address-cells`, `#size-cells`)";
        cells(number, count).ok_or_else(|| self.no_room(wanted, why.to_string()))
    }

    fn no_room(&self, wanted: &Wanted, why: String) -> CannotPaste {
        CannotPaste::NoRoom { name: wanted.name.clone(), bytes: wanted.bytes, why }
    }

    /// `reg` with the same base; further places stay.
    fn reg(&mut self, pool: &Pool, base: u64, wanted: &Wanted) -> Result<String, CannotPaste> {
        let room = after(self.board, pool, base);
        if let Some((end, what)) = room.filter(|(end, _)| end.saturating_sub(base) < wanted.bytes) {
            let most = size(end.saturating_sub(base));
            let why = format!("it begins at {base:#x} and {what} is at {end:#x}, {most} above");
            return Err(self.no_room(wanted, why));
        }
        let grows = pool.bytes().is_none_or(|bytes| bytes < wanted.bytes);
        if room.is_none() && grows {
            let note = "whether there is room after the fixed place of {} is not known: no memory \
                        that the tree states lies there; look at /proc/iomem";
            self.paste.notes.push(note.replace("{}", &wanted.name));
        }
        let mut all = pool.reg.as_ref().map(Numbers::places).unwrap_or_default().to_vec();
        all[0].1 = wanted.bytes;
        let reg = places(&all, self.cells);
        let reg =
            reg.ok_or_else(|| self.no_room(wanted, "its cells cannot state it".to_string()))?;
        Ok(format!("reg = {reg}; /* {} */", size(wanted.bytes)))
    }

    /// `alloc-ranges` that have room for an area, where its own have not: first byte and end of each.
    fn widened(&self, wanted: &Wanted) -> Result<Option<Vec<Piece>>, CannotPaste> {
        let Some(mut world) = World::of(self.board, self.change) else { return Ok(None) };
        let Some(at) = world.asks.iter().position(|ask| ask.name == wanted.name) else {
            return Ok(None);
        };
        let is_placed = |world: &World| world.place().err().is_none_or(|failed| failed > at);
        if is_placed(&world) {
            return Ok(None);
        }
        let why = room::reason(self.board, &wanted.name, wanted.is_new);
        let free = world.beside(at);
        let ask = &mut world.asks[at];
        let wider = ask.allowed.as_ref().and_then(|ranges| wider(ranges, &free, ask));
        let wider = wider.ok_or_else(|| self.no_room(wanted, why.clone()))?;
        ask.allowed = Some(wider.clone());
        if is_placed(&world) { Ok(Some(wider)) } else { Err(self.no_room(wanted, why)) }
    }

    fn ranges(&self, wanted: &Wanted, ranges: &[Piece]) -> Result<String, CannotPaste> {
        let all: Vec<_> = ranges.iter().map(|(start, end)| (*start, end - start)).collect();
        let text = places(&all, self.cells);
        let text =
            text.ok_or_else(|| self.no_room(wanted, "its cells cannot state it".to_string()))?;
        Ok(format!("alloc-ranges = {text}; /* {} */", shown(ranges)))
    }

    fn replaces_size(&mut self, pool: &Pool, wanted: &Wanted) {
        let shown = |bytes: u64| format!("{bytes:#x} ({})", size(bytes));
        self.paste.replaces.push(Replaced {
            what: format!("{} of {}", pool.sized_by(), wanted.name),
            before: pool.bytes().map_or_else(|| "not legal".to_string(), shown),
            after: shown(wanted.bytes),
        });
    }

    fn replaces_ranges(&mut self, pool: &Pool, ranges: &[Piece]) {
        let before = pool.ranges.as_ref().map(Numbers::places).unwrap_or_default();
        self.paste.replaces.push(Replaced {
            what: format!("alloc-ranges of {}", pool.name),
            before: said(before),
            after: shown(ranges),
        });
        let note = "alloc-ranges of {} have no room for it, and are wider now: each device of the \
                    area must reach all of it";
        self.paste.notes.push(note.replace("{}", &pool.name));
    }

    /// A pool that is not there yet.
    pub(super) fn create(&mut self, wanted: &Wanted) -> Result<(), CannotPaste> {
        let name = self.name(wanted);
        let found = devices(self.board, &wanted.clients);
        let mut lines =
            vec!["compatible = \"shared-dma-pool\";".to_string(), "reusable;".to_string()];
        let bytes = self.number(wanted, wanted.bytes, self.cells.1)?;
        lines.push(format!("size = <{bytes}>; /* {} */", size(wanted.bytes)));
        if let Some(step) = room::step(self.board) {
            let align = self.number(wanted, step, self.cells.0)?;
            lines.push(format!("alignment = <{align}>; /* {} */", size(step)));
        }
        let wider = self.widened(wanted)?;
        if let Some(ranges) = wider.or_else(|| ranges_of_new(self.board)) {
            let reach = found.iter().filter_map(|device| self.reach(&device.found)).min();
            let reached = cut(&ranges, reach.unwrap_or(u64::MAX));
            let ranges = if reached.is_empty() { ranges } else { reached };
            lines.push(self.ranges(wanted, &ranges)?);
        } else if self.board.memory.is_none() {
            let note = "the memory is not known: where it goes above 4 GiB, the new pool {} needs \
                        alloc-ranges that its devices reach";
            self.paste.notes.push(note.replace("{}", &name));
        }
        let mut blank = Vec::new();
        for device in found {
            match self.device(&device.client, &device.found, &name) {
                Ok(()) => {}
                Err(why) => {
                    self.paste
                        .blanks
                        .push(format!("memory-region of {}: {why}", plain(&device.client)));
                    blank.push(device.client);
                }
            }
        }
        self.paste.replaces.push(Replaced {
            what: format!("size of {name}"),
            before: "none".to_string(),
            after: format!("{:#x} ({})", wanted.bytes, size(wanted.bytes)),
        });
        self.back.gone.push(format!("&{name}"));
        self.edits.fresh.push(Fresh { name: name.clone(), lines, blank });
        self.names.push(name);
        Ok(())
    }

    /// A name that no node of `/reserved-memory`, no area and no label has.
    fn name(&self, wanted: &Wanted) -> String {
        let clients = || format!("{}_pool", wanted.clients.join("_"));
        let name = if wanted.name.is_empty() { clients() } else { wanted.name.clone() };
        free(&legal(&name), |name| {
            let is_known = |tree: &Tree| {
                let path = format!("/reserved-memory/{name}");
                tree.find(&path).is_some()
                    || tree.nodes().any(|(_, node)| node.labels.iter().any(|own| own == name))
            };
            name == "reserved"
                || self.names.iter().any(|own| own == name)
                || self.board.tree.as_ref().is_some_and(is_known)
        })
    }

    fn reach(&self, found: &Found) -> Option<u64> {
        match found {
            Found::Node(id) => self.board.end_of_dma(*id),
            _ => None,
        }
    }

    /// Gives a device its pool; why not, where it cannot be done.
    fn device(&mut self, client: &str, found: &Found, pool: &str) -> Result<(), String> {
        let Some(tree) = &self.board.tree else {
            return Err("there is no device tree".to_string());
        };
        let id = match found {
            Found::Node(id) => *id,
            Found::Several(nodes) => {
                let paths: Vec<_> = nodes.iter().map(|id| tree.path(*id)).collect();
                return Err(format!("it may be each of {}", paths.join(", ")));
            }
            Found::Unknown => {
                return Err("no node of the tree is certain to be its device".to_string());
            }
        };
        let known = tree.node(id).cells("memory-region").unwrap_or_default();
        let mut regions = vec![format!("<&{pool}>")];
        if let Some((first, others)) = known.split_first() {
            let first = tree.by_phandle(*first).and_then(|id| Pool::of(tree, id));
            if !first.is_some_and(|pool| pool.is_area()) {
                return Err(format!(
                    "{} has a memory-region already whose first node is no area; \
                     of_reserved_mem_device_init() takes the first one, so its driver must be asked \
                     which one it takes",
                    tree.path(id)
                ));
            }
            regions.extend(others.iter().map(|phandle| self.region(tree, *phandle)));
        }
        if !tree.is_enabled(id) {
            let note =
                format!("{} is switched off (`status`): it uses no pool as it is", tree.path(id));
            self.paste.notes.push(note);
        }
        if self.edits.nodes.iter().any(|edit| edit.target == Target::Node(id)) {
            return Err(format!("{} has another pool by this change already", tree.path(id)));
        }
        let before = if known.is_empty() { "none" } else { "another pool" };
        self.paste.replaces.push(Replaced {
            what: format!("memory-region of {} ({})", tree.path(id), plain(client)),
            before: before.to_string(),
            after: format!("<&{pool}>"),
        });
        let all: Vec<_> = known.iter().map(|phandle| self.region(tree, *phandle)).collect();
        let old = match &all[..] {
            [] => "/delete-property/ memory-region;".to_string(),
            all => format!("memory-region = {};", all.join(", ")),
        };
        let line = format!("memory-region = {};", regions.join(", "));
        self.edits.names_others |= regions.len() > 1;
        self.edits.nodes.push(Edit { target: Target::Node(id), lines: vec![line] });
        self.back.nodes.push(Edit { target: Target::Node(id), lines: vec![old] });
        Ok(())
    }

    /// A node by its phandle, which `dtc` may give another number.
    fn region(&self, tree: &Tree, phandle: u32) -> String {
        let node = tree.by_phandle(phandle);
        node.map_or(format!("<{phandle:#x}>"), |id| format!("<{}>", tree.reference(id)))
    }
}

/// A property as it was.
fn restored(tree: &Tree, id: NodeId, name: &str) -> String {
    match tree.node(id).has(name) {
        true => value(tree.node(id), name),
        false => format!("/delete-property/ {name};"),
    }
}

/// Ranges below an end.
fn cut(ranges: &[Piece], end: u64) -> Vec<Piece> {
    let ranges = ranges.iter().map(|(start, last)| (*start, (*last).min(end)));
    ranges.filter(|(start, last)| start < last).collect()
}

/// The ranges, one of them wider by as little as it takes: downwards, since devices reach what is
/// below; else upwards, never across 4 GiB.
fn wider(ranges: &[Piece], pieces: &[Piece], ask: &room::Ask) -> Option<Vec<Piece>> {
    let down = ranges.iter().enumerate().flat_map(|(at, (start, end))| {
        let bases =
            pieces.iter().filter_map(|(first, last)| ask.in_piece((*first, (*last).min(*end))));
        bases.map(move |base| (at, ((*start).min(base), *end), base))
    });
    let up = || {
        ranges.iter().enumerate().flat_map(|(at, (start, end))| {
            let most = if *end <= LOW { LOW } else { u64::MAX };
            let bases = pieces.iter().filter_map(move |(first, last)| {
                let base = (*first).max(*start).checked_next_multiple_of(ask.align)?;
                let top = base.checked_add(ask.bytes)?;
                (top <= (*last).min(most)).then_some(top)
            });
            bases.map(move |top| (at, (*start, (*end).max(top)), top))
        })
    };
    let down = down.max_by_key(|(_, _, base)| *base);
    let (at, range, _) = down.or_else(|| up().min_by_key(|(_, _, top)| *top))?;
    let mut ranges = ranges.to_vec();
    ranges[at] = range;
    Some(ranges)
}
