//! Properties of a device tree as the script of `cmalab collect` writes them: each below
//! `==> /proc/device-tree/NODE/PROPERTY <==`, its value as in a dts.

use super::super::Sink;
use super::super::dts::Trees;

/// What the path of a property has before its node.
const ROOT: &[u8] = b"/device-tree/";

/// The node of all areas.
const RESERVED: &[u8] = b"reserved-memory";

/// The most bytes of the properties of a node.
const LONGEST: usize = 4096;

/// Puts the properties of a node together, and reads them as a piece of a dts.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The properties of `reserved-memory` itself: of how many cells a number is.
    cells: Vec<u8>,
    node: Option<Node>,
    /// The property whose value may follow.
    property: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Node {
    line: u64,
    path: Vec<u8>,
    properties: Vec<u8>,
}

impl Tree {
    /// Whether the next line may be the value of a property.
    pub(super) const fn is_open(&self) -> bool {
        self.property.is_some()
    }

    /// The title of a section. Whether it is one of a property.
    pub(super) fn title(&mut self, path: &[u8], sink: &mut Sink<'_>) -> bool {
        self.statement(None);
        let Some((path, property)) = split(path) else {
            self.end(sink);
            return false;
        };
        if path != RESERVED && self.node.as_ref().is_none_or(|node| node.path != path) {
            self.end(sink);
            let properties = Vec::new();
            self.node = Some(Node { line: sink.line, path: path.to_vec(), properties });
        }
        self.property = Some(property.to_vec());
        true
    }

    /// The line below a title. Whether it is the value.
    pub(super) fn value(&mut self, text: &[u8]) -> bool {
        let is_value = text.starts_with(b"<") || text.starts_with(b"\"");
        self.statement(is_value.then_some(text));
        is_value
    }

    /// The property has this value; one without a value is there, and that is all it says.
    fn statement(&mut self, value: Option<&[u8]>) {
        let Some(property) = self.property.take() else { return };
        let into = self.node.as_mut().map_or(&mut self.cells, |node| &mut node.properties);
        if into.len() < LONGEST {
            let value = value.map_or_else(Vec::new, |value| [b" = ", value].concat());
            into.extend_from_slice(&[&property, &*value, b"; "].concat());
        }
    }

    /// No property of this node follows.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        self.statement(None);
        let Some(Node { line, path, properties }) = self.node.take() else { return };
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let node = [name, b" { ", &properties, b"};"].concat();
        let text = if path.starts_with(RESERVED) {
            [RESERVED, b" { ", &self.cells, &node, b" };"].concat()
        } else {
            node
        };
        let (mut trees, mut sink) = (Trees::default(), sink.at(line));
        trees.line(&text, &mut sink);
        trees.end(&mut sink);
    }
}

/// The path of the node, and the property of a path.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(path, ROOT)?;
    let rest = &path[at + ROOT.len()..];
    let slash = memchr::memrchr(b'/', rest)?;
    Some((&rest[..slash], &rest[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::ingest::Source;
    use crate::ingest::log::boot::Boot;
    use crate::ingest::log::dts::{Node, Region};
    use crate::ingest::log::{Record, open};

    fn read(sections: &[(&str, &str)]) -> Vec<Record> {
        let section = |(path, value): &(&str, &str)| {
            format!(
                "==> /proc/device-tree/{path} <==\n{value}\n{}",
                if value.is_empty() { "" } else { "\n" }
            )
        };
        let text: String = sections.iter().map(section).collect();
        let found = open(&Source::bytes("board.txt", text.as_bytes())).expect("bytes open");
        found.map(|found| found.expect("it is read").record).collect()
    }

    fn pool(name: &str) -> Node {
        Node {
            name: Arc::from(name),
            pool: true,
            reusable: true,
            cells: Some(2),
            ..Node::default()
        }
    }

    #[test]
    fn sections_of_properties_are_nodes() {
        let found = read(&[
            ("model", "\"Foo Board\""),
            ("reserved-memory/#address-cells", "<0x00000002>"),
            ("reserved-memory/#size-cells", "<0x00000002>"),
            ("reserved-memory/ranges", ""),
            ("reserved-memory/linux,cma/compatible", "\"shared-dma-pool\""),
            ("reserved-memory/linux,cma/linux,cma-default", ""),
            ("reserved-memory/linux,cma/reusable", ""),
            ("reserved-memory/linux,cma/size", "<0x00000000 0x04000000>"),
            ("reserved-memory/vpu@60000000/compatible", "\"shared-dma-pool\""),
            ("reserved-memory/vpu@60000000/reg", "<0x00000000 0x60000000 0x00000000 0x02000000>"),
            ("reserved-memory/vpu@60000000/reusable", ""),
            ("soc/video@1000/memory-region", "<&vpu@60000000>"),
        ]);
        let default = Node { default: true, size: Some(64 << 20), ..pool("linux,cma") };
        let fixed =
            Node { fixed: true, reg: vec![(0x6000_0000, 32 << 20)], ..pool("vpu@60000000") };
        let device = Region { device: "video@1000".into(), pools: vec!["vpu@60000000".into()] };
        let expected = [Boot::Dts(default.into()), Boot::Dts(fixed.into()), Boot::Region(device)];
        assert_eq!(found, expected.map(Record::Boot));
    }

    #[test]
    fn what_is_no_pool_is_read_past() {
        let found = read(&[
            ("soc/serial@0/status", "\"okay\""),
            ("soc/video@1000/memory-region", "<0x00000009>"),
        ]);
        assert_eq!(found, []);
    }
}
