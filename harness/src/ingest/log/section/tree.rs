//! Properties of `reserved-memory` as the script of `cmalab collect` writes them: each below
//! `==> /proc/device-tree/reserved-memory/NODE/PROPERTY <==`, its value as in a dts.

use super::super::boot::Boot;
use super::super::dts::Open;
use super::super::{Record, Sink};

/// What the path of a node has before it.
const FOLDER: &[u8] = b"/device-tree/reserved-memory/";

/// The most bytes of a value.
const LONGEST: usize = 1024;

/// The node whose properties are read.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// `reserved-memory` itself: how many cells a number has.
    parent: Open,
    node: Option<Open>,
    /// Whose property follows, and its name.
    expected: Option<(Of, Vec<u8>)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Of {
    Parent,
    Node,
    /// A device, by its name.
    Device(Vec<u8>),
}

impl Tree {
    /// Whether the next line may be the value of a property.
    pub(super) const fn is_open(&self) -> bool {
        self.expected.is_some()
    }

    /// The title of a section. Whether it is one of a property that is of use.
    pub(super) fn title(&mut self, path: &[u8], sink: &mut Sink<'_>) -> bool {
        self.expected = None;
        let Some((of, property)) = split(path) else {
            self.end(sink);
            return false;
        };
        if let Of::Device(name) = of {
            self.end(sink);
            self.expected = Some((Of::Device(name), property.to_vec()));
            return true;
        }
        let Some(name) = node_of(path) else {
            self.expected = Some((Of::Parent, property.to_vec()));
            return true;
        };
        if self.node.as_ref().is_none_or(|node| !node.is_called(name)) {
            self.end(sink);
            self.node = Open::named(name, sink.line);
        }
        match &mut self.node {
            // It has no value: that it is there says it all.
            Some(node) if matches!(property, b"reusable" | b"no-map" | b"linux,cma-default") => {
                node.property(property);
            }
            _ => self.expected = Some((Of::Node, property.to_vec())),
        }
        true
    }

    /// The line below a title. Whether it is the value.
    pub(super) fn value(&mut self, text: &[u8], sink: &mut Sink<'_>) -> bool {
        let Some((of, mut property)) = self.expected.take() else { return false };
        if !text.starts_with(b"<") && !text.starts_with(b"\"") {
            return false;
        }
        property.extend_from_slice(b" = ");
        property.extend_from_slice(&text[..text.len().min(LONGEST)]);
        match (of, &mut self.node) {
            (Of::Parent, _) => self.parent.property(&property),
            (Of::Node, Some(node)) => node.property(&property),
            (Of::Node, None) => return false,
            (Of::Device(name), _) => region(&name, &property, sink),
        }
        true
    }

    /// No property of this node follows: where it has a place, the kernel makes its area there.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        self.expected = None;
        let Some(open) = self.node.take() else { return };
        let Some(node) = open.node(Some(&self.parent)).filter(|node| node.pool) else { return };
        let sink = &mut sink.at(open.line);
        let (area, place) = (node.name.clone(), node.reg.first().copied());
        let is_area = node.is_area();
        sink.push(None, None, Record::Boot(Boot::Dts(node)));
        if let Some((base, bytes)) = place.filter(|_| is_area) {
            sink.push(None, None, Record::Reserved { area: Some(area), base, bytes });
        }
    }
}

/// A device whose `memory-region` names nodes.
fn region(name: &[u8], property: &[u8], sink: &mut Sink<'_>) {
    let Some(mut open) = Open::named(name, sink.line) else { return };
    open.property(property);
    if let Some(region) = open.region() {
        sink.push(None, None, Record::Boot(Boot::Region(region)));
    }
}

/// Whose property a path names, and the property.
fn split(path: &[u8]) -> Option<(Of, &[u8])> {
    let slash = memchr::memrchr(b'/', path)?;
    let (front, property) = (&path[..slash], &path[slash + 1..]);
    memchr::memmem::find(path, b"/device-tree/")?;
    if memchr::memmem::find(path, FOLDER).is_some() {
        return Some((if node_of(path).is_some() { Of::Node } else { Of::Parent }, property));
    }
    (property == b"memory-region").then_some(())?;
    let name = &front[memchr::memrchr(b'/', front)? + 1..];
    Some((Of::Device(name.to_vec()), property))
}

/// The node of `reserved-memory` in a path; none of its own properties'.
fn node_of(path: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(path, FOLDER)?;
    let rest = &path[at + FOLDER.len()..];
    Some(&rest[..memchr::memchr(b'/', rest)?])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ingest::Source;
    use crate::ingest::log::open;

    fn read(text: &str) -> Vec<Record> {
        let found = open(&Source::bytes("board.txt", text.as_bytes())).expect("bytes open");
        let records = found.map(|found| found.expect("it is read").record);
        records.filter(|record| matches!(record, Record::Reserved { .. })).collect()
    }

    fn section(property: &str, value: &str) -> String {
        format!("==> /proc/device-tree/reserved-memory/{property} <==\n{value}\n\n")
    }

    #[test]
    fn a_pool_that_has_a_place_is_an_area() {
        let pool = section("vpu@60000000/compatible", "\"shared-dma-pool\"");
        let reg = |cells| section("vpu@60000000/reg", cells);
        let reusable = "==> /proc/device-tree/reserved-memory/vpu@60000000/reusable <==\n\n";
        let area = Some(Arc::from("vpu@60000000"));
        let expected = [Record::Reserved { area, base: 0x6000_0000, bytes: 0x320_0000 }];
        for cells in ["<0x00000000 0x60000000 0x00000000 0x03200000>", "<0x60000000 0x03200000>"] {
            assert_eq!(read(&[&pool, &reg(cells), reusable].concat()), expected, "{cells}");
        }
        let cells = "<0x60000000 0x03200000>";
        assert_eq!(read(&[pool.as_str(), &reg(cells)].concat()), [], "nobody may borrow it");
        assert_eq!(read(&[&reg(cells), reusable].concat()), [], "no pool");
        let other = section("other/status", "\"okay\"");
        assert_eq!(read(&[pool.as_str(), &reg(cells), &other, reusable].concat()), []);
    }
    #[test]
    fn a_node_and_a_device_are_told_as_in_a_dts() {
        let text = [
            section("#address-cells", "<0x00000002>"),
            section("#size-cells", "<0x00000001>"),
            section("pool/compatible", "\"shared-dma-pool\""),
            section("pool/size", "<0x02000000>"),
            "==> /proc/device-tree/reserved-memory/pool/reusable <==\n\n".to_string(),
            section("pool/alloc-ranges", "<0x00000000 0x40000000 0x10000000>"),
            "==> /proc/device-tree/soc/video@1e700000/memory-region <==\n<&pool>\n\n".to_string(),
        ];
        let found =
            open(&Source::bytes("board.txt", text.concat().as_bytes())).expect("bytes open");
        let records: Vec<_> = found.flatten().map(|found| found.record).collect();
        let [Record::Boot(Boot::Dts(node)), Record::Boot(Boot::Region(region))] = &records[..]
        else {
            panic!("{records:?}")
        };
        assert_eq!((&*node.name, node.size), ("pool", Some(0x200_0000)));
        assert_eq!(node.ranges, [(0x4000_0000, 0x1000_0000)]);
        assert!(node.is_area() && !node.size_cells_off);
        assert_eq!((&*region.device, &*region.pools[0]), ("video@1e700000", "pool"));
    }
}
