//! Pools that are not there yet, and the devices that go to them.

use super::edit::{Edit, Fresh, Target};
use super::plan::Plan;
use super::pool::both;
use super::room::{self, Piece, ranges_of_new};
use super::text::{free, legal, plain};
use super::{CannotPaste, Change, Device, Found, Replaced, Wanted, devices};
use crate::lint::{Board, Pool, size};
use crate::tree::{NodeId, Tree};

/// The change with names for new pools: legal ones that no node of `/reserved-memory`, no area and
/// no label has.
pub(super) fn named(board: &Board, change: &Change) -> Change {
    let mut change = change.clone();
    let mut taken: Vec<String> = vec!["reserved".to_string()];
    if let Some(tree) = &board.tree {
        taken.extend(tree.nodes().flat_map(|(_, node)| node.labels.clone()));
        let nodes = tree.find("/reserved-memory").into_iter().flat_map(|id| tree.children(id));
        taken.extend(nodes.map(|(_, node)| node.name.clone()));
    }
    for wanted in change.areas.iter_mut().filter(|wanted| wanted.is_new) {
        let clients = || format!("{}_pool", wanted.clients.join("_"));
        let name = if wanted.name.is_empty() { clients() } else { wanted.name.clone() };
        wanted.name = free(&legal(&name), |name| taken.iter().any(|own| own == name));
        taken.push(wanted.name.clone());
    }
    change
}

impl Plan<'_> {
    /// A pool that is not there yet.
    pub(super) fn create(&mut self, wanted: &Wanted) -> Result<(), CannotPaste> {
        let found = devices(self.board, &wanted.clients);
        let bytes = self.number(wanted, wanted.bytes, self.cells.1)?;
        let mut lines = vec![
            "compatible = \"shared-dma-pool\";".to_string(),
            "reusable;".to_string(),
            format!("size = <{bytes}>; /* {} */", size(wanted.bytes)),
        ];
        if let Some(step) = room::step(self.board) {
            let align = self.number(wanted, step, self.cells.0)?;
            lines.push(format!("alignment = <{align}>; /* {} */", size(step)));
        }
        if let Some(ranges) = self.reached(wanted, &found)? {
            lines.push(self.ranges(wanted, &ranges)?);
        }
        let name = wanted.name.clone();
        self.paste.replaces.push(Replaced {
            what: format!("size of {name}"),
            before: "none".to_string(),
            after: both(wanted.bytes),
        });
        let blank = found.iter().filter(|device| !self.is_given(device, &name));
        let blank = blank.map(|device| device.client.clone()).collect();
        self.back.gone.push(format!("&{name}"));
        self.edits.fresh.push(Fresh { name, lines, blank });
        Ok(())
    }

    /// Where a new pool may be: what its devices reach of where the default one may; none: anywhere.
    fn reached(
        &mut self,
        wanted: &Wanted,
        found: &[Device],
    ) -> Result<Option<Vec<Piece>>, CannotPaste> {
        let ends = found.iter().filter_map(|device| match device.found {
            Found::Node(id) => self.board.end_of_dma(id),
            _ => None,
        });
        let reach = ends.min();
        let memory = || reach.and(self.board.memory.clone());
        let Some(ranges) = ranges_of_new(self.board).or_else(memory) else {
            if self.board.memory.is_none() {
                let note = format!(
                    "the memory is not known: where some of it is above 4 GiB, the new pool {} \
                     needs alloc-ranges that its devices reach",
                    wanted.name
                );
                self.paste.notes.push(note);
            }
            self.widened(wanted)?;
            return Ok(None);
        };
        let below = cut(&ranges, reach.unwrap_or(u64::MAX));
        let ranges = if below.is_empty() { ranges } else { below };
        self.wider.push((wanted.name.clone(), ranges.clone()));
        Ok(Some(self.widened(wanted)?.unwrap_or(ranges)))
    }

    /// Gives a device its pool. Whether that could be done; what could not is a blank.
    fn is_given(&mut self, device: &Device, pool: &str) -> bool {
        let why = match self.device(device, pool) {
            Ok(()) => return true,
            Err(why) => why,
        };
        self.paste.blanks.push(format!("memory-region of {}: {why}", plain(&device.client)));
        false
    }

    fn device(&mut self, device: &Device, pool: &str) -> Result<(), String> {
        let tree = self.board.tree.as_ref().ok_or("there is no device tree")?;
        let id = match &device.found {
            Found::Node(id) => *id,
            Found::Several(nodes) => {
                let paths: Vec<_> = nodes.iter().map(|id| tree.path(*id)).collect();
                return Err(format!("it may be each of {}", paths.join(", ")));
            }
            Found::Unknown => return Err("no node is certain to be its device".to_string()),
        };
        let path = tree.path(id);
        match self.given.iter().find(|(own, _)| *own == id) {
            Some((_, own)) if own == pool => return Ok(()),
            Some((_, own)) => return Err(format!("{path} has {own} by this change")),
            None => {}
        }
        let others = others(tree, id)?;
        self.given.push((id, pool.to_string()));
        if !tree.is_enabled(id) {
            let note = format!("{path} is switched off (`status`): as it is, it uses no pool");
            self.paste.notes.push(note);
        }
        self.regions(tree, id, pool, &others);
        Ok(())
    }

    /// The first node of `memory-region` is the pool, and the others stay.
    fn regions(&mut self, tree: &Tree, id: NodeId, pool: &str, others: &[u32]) {
        let named = |phandles: &[u32]| {
            let each = phandles.iter().map(|phandle| region(tree, *phandle));
            each.collect::<Vec<_>>().join(", ")
        };
        let old = tree.node(id).cells("memory-region").unwrap_or_default();
        let before = if old.is_empty() { "none".to_string() } else { named(&old) };
        let back = match old.is_empty() {
            true => "/delete-property/ memory-region;".to_string(),
            false => format!("memory-region = {before};"),
        };
        let comma = if others.is_empty() { "" } else { ", " };
        let after = format!("<&{pool}>{comma}{}", named(others));
        self.edits.names_others |= !others.is_empty();
        let edit = |line: String| Edit { target: Target::Node(id), lines: vec![line] };
        self.edits.nodes.push(edit(format!("memory-region = {after};")));
        self.back.nodes.push(edit(back));
        let what = format!("memory-region of {}", tree.path(id));
        self.paste.replaces.push(Replaced { what, before, after });
    }
}

/// What `memory-region` of a device names after its first node, which is the area that it uses: a
/// driver calls `of_reserved_mem_device_init()` (`include/linux/of_reserved_mem.h`), which takes the
/// first one.
///
/// # Errors
/// Where the first one is no area: the driver takes another one, or looks it up itself.
fn others(tree: &Tree, id: NodeId) -> Result<Vec<u32>, String> {
    let known = tree.node(id).cells("memory-region").unwrap_or_default();
    let Some((first, others)) = known.split_first() else { return Ok(Vec::new()) };
    let first = tree.by_phandle(*first).and_then(|id| Pool::of(tree, id));
    match first {
        Some(pool) if pool.is_area() => Ok(others.to_vec()),
        _ => Err(format!(
            "memory-region of {} is there, and its first node, which \
             of_reserved_mem_device_init() takes, is no area: which one its driver takes for \
             buffers is in its source",
            tree.path(id)
        )),
    }
}

/// A node by its phandle, which `dtc` may give another number.
fn region(tree: &Tree, phandle: u32) -> String {
    let node = tree.by_phandle(phandle);
    node.map_or(format!("<{phandle:#x}>"), |id| format!("<{}>", tree.reference(id)))
}

/// Ranges below an end.
fn cut(ranges: &[Piece], end: u64) -> Vec<Piece> {
    let ranges = ranges.iter().map(|(start, last)| (*start, (*last).min(end)));
    ranges.filter(|(start, last)| start < last).collect()
}
