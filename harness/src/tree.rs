//! A device tree: nodes with their properties as bytes, from whatever form of it there is.
//!
//! ```text
//! .dtb ─► flat ──────────────┐
//! /proc/device-tree ─► folder ┼─► Tree
//! .dts ─► dtc ─► flat, places ┤
//! text of `collect` ─► dump ──┘
//! ```
//! What its bytes mean is asked of a node ([`Node::cells`], [`Node::strings`]); which of them a
//! kernel heeds is no matter of this room.

mod dtc;
mod dump;
mod flat;
mod folder;
mod places;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use dtc::is_source;
pub use dtc::{Compiled, has_dtc};
pub use dump::is_dump;
pub use flat::is_flat;
use folder::is_tree;

use crate::ingest::IngestError;

/// A node, by its number: the root is 0, and each comes after its parent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(usize);

/// A line of a source.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Line {
    /// The file.
    pub file: Arc<str>,
    /// From 1 on.
    pub number: u64,
}

/// A property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its value; one without a value is there or not.
    pub value: Vec<u8>,
    /// Where it was written, where that is known.
    pub line: Option<Line>,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Node {
    /// Its name with its address; of the root it is empty.
    pub name: String,
    /// Its labels, where they are known.
    pub labels: Vec<String>,
    /// Its properties, in order.
    pub properties: Vec<Property>,
    /// Where it was written, where that is known: the last one of several places.
    pub line: Option<Line>,
    parent: Option<NodeId>,
    children: Vec<NodeId>,
}

/// A device tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    /// The file or the folder, as it was named.
    pub source: Arc<str>,
    /// It has all nodes of the board. What `collect` prints has those of areas and their devices.
    pub is_whole: bool,
    nodes: Vec<Node>,
    phandles: BTreeMap<u32, NodeId>,
}

impl Node {
    fn new(name: &str) -> Self {
        Self { name: name.to_string(), ..Self::default() }
    }

    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// Its value.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.property(name).map(|property| &*property.value)
    }

    /// Whether it is there, whatever its value.
    pub fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    /// Its value as cells of 32 bits; none where it is no multiple of them.
    pub fn cells(&self, name: &str) -> Option<Vec<u32>> {
        let (cells, rest) = self.get(name)?.as_chunks::<4>();
        rest.is_empty().then(|| cells.iter().map(|cell| u32::from_be_bytes(*cell)).collect())
    }

    /// Its value where it is one cell.
    pub fn cell(&self, name: &str) -> Option<u32> {
        match *self.cells(name)? {
            [cell] => Some(cell),
            _ => None,
        }
    }

    /// Its value as strings.
    pub fn strings(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        let parts = value.split(|byte| *byte == 0).filter(|part| !part.is_empty());
        parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    /// Whether one of the strings of `compatible` is this one (`of_flat_dt_is_compatible()`,
    /// `drivers/of/fdt.c`).
    pub fn is_compatible(&self, with: &str) -> bool {
        self.strings("compatible").iter().any(|own| own.eq_ignore_ascii_case(with))
    }

    /// Whether its `status` lets the kernel use it (`of_fdt_device_is_available()`).
    pub fn is_available(&self) -> bool {
        let status = self.strings("status");
        status.first().is_none_or(|status| matches!(&**status, "okay" | "ok"))
    }

    /// The number that others name it by.
    pub fn phandle(&self) -> Option<u32> {
        self.cell("phandle").or_else(|| self.cell("linux,phandle"))
    }

    /// The node that it is in; the root is in none.
    pub const fn parent(&self) -> Option<NodeId> {
        self.parent
    }
}

impl Tree {
    /// One with a root alone.
    fn new(source: &str) -> Self {
        let (nodes, phandles) = (vec![Node::default()], BTreeMap::new());
        Self { source: source.into(), is_whole: true, nodes, phandles }
    }

    fn add(&mut self, parent: NodeId, node: Node) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { parent: Some(parent), ..node });
        self.nodes[parent.0].children.push(id);
        id
    }

    /// All nodes are there: what names another one can be looked up.
    fn finished(mut self) -> Self {
        let all = self.nodes.iter().enumerate();
        let known = all.filter_map(|(at, node)| Some((node.phandle()?, NodeId(at))));
        // The first one counts, as in `of_find_node_by_phandle()`.
        self.phandles = known.rev().collect();
        let labels: Vec<_> = self.find("/__symbols__").map_or_else(Vec::new, |symbols| {
            let paths = self.node(symbols).properties.iter();
            paths.map(|label| (label.name.clone(), label.value.clone())).collect()
        });
        for (label, path) in labels {
            let path = String::from_utf8_lossy(path.strip_suffix(b"\0").unwrap_or(&path));
            if let Some(id) = self.find(&path) {
                let node = &mut self.nodes[id.0];
                if !node.labels.contains(&label) {
                    node.labels.push(label);
                }
            }
        }
        self
    }

    /// Reads the tree at `path`, whatever its form; none where it is no tree.
    ///
    /// # Errors
    /// As those of [`flat`](Self::flat), [`folder`](Self::folder) and [`source`](Self::source).
    pub fn open(path: &Path) -> Result<Option<Self>, IngestError> {
        /// So much says what a file is.
        const HEAD: u64 = 4096;
        if path.is_dir() {
            return is_tree(path).then(|| Self::folder(path)).transpose();
        }
        // A pipe is read once, and is no tree.
        if !path.is_file() {
            return Ok(None);
        }
        let name = path.display().to_string();
        let read = |most| read(path, most).map_err(|error| IngestError::of(&name, error));
        let head = read(HEAD)?;
        match is_flat(&head) {
            true => Self::flat(&name, &read(MOST)?).map(Some),
            false => is_source(path, &head).then(|| Self::source(path)).transpose(),
        }
    }

    /// The root.
    pub const ROOT: NodeId = NodeId(0);

    /// The node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Every node, each after its parent.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(at, node)| (NodeId(at), node))
    }

    /// The nodes in `id`, in order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = (NodeId, &Node)> {
        self.node(id).children.iter().map(|id| (*id, self.node(*id)))
    }

    /// Whether it is one that changes another one (`/plugin/;`, `.dtbo`).
    pub fn is_overlay(&self) -> bool {
        let inner = |id| self.child(id, "__overlay__").is_some();
        self.children(Self::ROOT).any(|(id, _)| inner(id))
    }

    /// Whether the kernel uses a node: neither it nor one that it is in is switched off.
    pub fn is_enabled(&self, id: NodeId) -> bool {
        let mut above = std::iter::successors(Some(id), |id| self.node(*id).parent);
        above.all(|id| self.node(id).is_available())
    }

    /// The node of this path: `/reserved-memory/linux,cma`.
    pub fn find(&self, path: &str) -> Option<NodeId> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(Self::ROOT, |id, name| self.child(id, name))
    }

    /// The node of this name in `id`.
    pub fn child(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.children(id).find(|(_, node)| node.name == name).map(|(id, _)| id)
    }

    /// The path of a node.
    pub fn path(&self, id: NodeId) -> String {
        let above = std::iter::successors(Some(id), |id| self.node(*id).parent);
        let names: Vec<_> = above.map(|id| &*self.node(id).name).collect();
        match &names[..] {
            [_] => "/".to_string(),
            names => names.iter().rev().copied().collect::<Vec<_>>().join("/"),
        }
    }

    /// What a dts that is appended calls a node: `&label`, else `&{/path}`.
    pub fn reference(&self, id: NodeId) -> String {
        match self.node(id).labels.first() {
            Some(label) => format!("&{label}"),
            None => format!("&{{{}}}", self.path(id)),
        }
    }

    /// The node that has this phandle.
    pub fn by_phandle(&self, phandle: u32) -> Option<NodeId> {
        self.phandles.get(&phandle).copied()
    }

    /// `#address-cells` and `#size-cells` of a node, for the numbers of those in it: 1 and 1 where
    /// it has none (`early_init_dt_scan_root()`, `drivers/of/fdt.c`).
    pub fn space(&self, id: NodeId) -> (u32, u32) {
        let node = self.node(id);
        let cells = |name| node.cell(name).unwrap_or(1);
        (cells("#address-cells"), cells("#size-cells"))
    }
}

#[cfg(test)]
impl Tree {
    /// One of these properties: the path of the node, the name, and the value as strings in quotes,
    /// or as cells.
    pub(crate) fn built(properties: &[(&str, &str, &str)]) -> Self {
        let mut tree = Self::new("built");
        for (path, name, value) in properties {
            let (id, name) = (tree.grown(path), (*name).to_string());
            let property = Property { name, value: dump::bytes(value), line: None };
            tree.nodes[id.0].properties.push(property);
        }
        tree.finished()
    }
}

/// More bytes than any tree has.
const MOST: u64 = 1 << 26;

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Cells as a number, the first one the highest; none where it has more than 64 bits.
pub fn joined(cells: &[u32]) -> Option<u64> {
    let high = cells.len().saturating_sub(2);
    let fits = cells.iter().take(high).all(|cell| *cell == 0);
    fits.then(|| cells.iter().skip(high).fold(0, |sum, cell| sum << 32 | u64::from(*cell)))
}

#[cfg(test)]
mod tests;
