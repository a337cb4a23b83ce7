//! A node of `/reserved-memory` that asks for memory as a pool of DMA buffers.

use crate::tree::{NodeId, Tree, joined};

/// First byte and bytes of each place that a property names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// These.
    Places(Vec<(u64, u64)>),
    /// It has so many cells, which are no whole places.
    Cells(usize),
}

/// A node that is compatible with `shared-dma-pool`, as `drivers/of/of_reserved_mem.c` and
/// `kernel/dma/contiguous.c` read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pool {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// `reusable`.
    pub reusable: bool,
    /// `no-map`.
    pub no_map: bool,
    /// `linux,cma-default`.
    pub default: bool,
    /// `reg`.
    pub reg: Option<Numbers>,
    /// `size` in bytes; the number of its cells where that is wrong.
    pub size: Option<Result<u64, usize>>,
    /// `alignment` in bytes, likewise.
    pub alignment: Option<Result<u64, usize>>,
    /// `alloc-ranges`.
    pub ranges: Option<Numbers>,
}

/// Cells of an address and of a size: as the kernel takes them, those of the root.
pub(super) fn space(tree: &Tree) -> (u32, u32) {
    let of = if tree.is_whole { Some(Tree::ROOT) } else { tree.find("/reserved-memory") };
    tree.space(of.unwrap_or(Tree::ROOT))
}

/// The pools of a tree that are not switched off, in the order of the tree.
pub(super) fn pools(tree: &Tree) -> Vec<Pool> {
    let Some(reserved) = tree.find("/reserved-memory") else { return Vec::new() };
    let nodes = tree.children(reserved).filter(|(_, node)| node.is_available());
    nodes.filter_map(|(id, _)| Pool::of(tree, id)).collect()
}

fn number(tree: &Tree, id: NodeId, name: &str, cells: u32) -> Option<Result<u64, usize>> {
    let value = tree.node(id).get(name)?;
    let found = tree.node(id).cells(name).filter(|found| found.len() == cells as usize);
    Some(found.and_then(|found| joined(&found)).ok_or(value.len() / 4))
}

/// The places that a property names.
pub(super) fn places(
    tree: &Tree,
    id: NodeId,
    name: &str,
    (address, size): (u32, u32),
) -> Option<Numbers> {
    let value = tree.node(id).get(name)?;
    let (address, each) = (address as usize, address.saturating_add(size) as usize);
    let whole = || {
        let cells = tree.node(id).cells(name).filter(|_| (1..=8).contains(&each))?;
        let (places, rest) = (cells.chunks_exact(each), cells.len() % each);
        let place = |place: &[u32]| Some((joined(&place[..address])?, joined(&place[address..])?));
        (rest == 0).then(|| places.map(place).collect::<Option<Vec<_>>>())?
    };
    Some(whole().map_or(Numbers::Cells(value.len() / 4), Numbers::Places))
}

impl Numbers {
    /// The places; none where they are not whole.
    pub fn places(&self) -> &[(u64, u64)] {
        match self {
            Self::Places(places) => places,
            Self::Cells(_) => &[],
        }
    }
}

impl Pool {
    /// What a node asks for, switched off or not; none where it is no pool.
    pub fn of(tree: &Tree, id: NodeId) -> Option<Self> {
        let (node, space) = (tree.node(id), space(tree));
        node.is_compatible("shared-dma-pool").then(|| Self {
            id,
            name: node.name.clone(),
            reusable: node.has("reusable"),
            no_map: node.has("no-map"),
            default: node.has("linux,cma-default"),
            reg: places(tree, id, "reg", space),
            size: number(tree, id, "size", space.1),
            alignment: number(tree, id, "alignment", space.0),
            ranges: places(tree, id, "alloc-ranges", space),
        })
    }

    /// Whether the kernel is to make an area of it.
    pub const fn is_area(&self) -> bool {
        self.reusable && !self.no_map
    }

    /// Where it is to be: first byte and bytes.
    pub fn fixed(&self) -> Option<(u64, u64)> {
        self.reg.as_ref()?.places().first().copied()
    }

    /// Bytes that it asks for.
    pub fn bytes(&self) -> Option<u64> {
        match &self.reg {
            Some(_) => self.fixed().map(|(_, bytes)| bytes),
            None => self.size?.ok(),
        }
    }

    /// The property that has its bytes.
    pub const fn sized_by(&self) -> &'static str {
        if self.reg.is_some() { "reg" } else { "size" }
    }

    /// First byte and end of each of its `alloc-ranges`; none where it may be anywhere.
    pub fn allowed(&self) -> Option<Vec<(u64, u64)>> {
        let places = self.ranges.as_ref()?.places();
        Some(places.iter().map(|(base, bytes)| (*base, base.saturating_add(*bytes))).collect())
    }
}
