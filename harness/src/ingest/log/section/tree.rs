//! Properties of `reserved-memory` as the script of `cmalab collect` writes them: each below
//! `==> /proc/device-tree/reserved-memory/NODE/PROPERTY <==`, its value as in a dts.

use std::sync::Arc;

use super::super::{Record, Sink};

/// What the path of a property has before its node.
const FOLDER: &[u8] = b"/device-tree/reserved-memory/";

/// The node whose properties are read.
#[derive(Debug, Default)]
pub(super) struct Tree {
    node: Option<Node>,
    /// The property whose value follows.
    expected: Option<Property>,
}

#[derive(Debug, Default)]
struct Node {
    line: u64,
    name: Vec<u8>,
    is_pool: bool,
    is_reusable: bool,
    /// First byte, and bytes.
    reg: Option<(u64, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Property {
    Compatible,
    Reg,
}

impl Tree {
    /// Whether the next line may be the value of a property.
    pub(super) const fn is_open(&self) -> bool {
        self.expected.is_some()
    }

    /// The title of a section. Whether it is one of a node.
    pub(super) fn title(&mut self, path: &[u8], sink: &mut Sink<'_>) -> bool {
        let Some((name, property)) = split(path) else {
            self.end(sink);
            return false;
        };
        if self.node.as_ref().is_none_or(|node| node.name != name) {
            self.end(sink);
            self.node = Some(Node { line: sink.line, name: name.to_vec(), ..Node::default() });
        }
        self.expected = match property {
            b"compatible" => Some(Property::Compatible),
            b"reg" => Some(Property::Reg),
            _ => None,
        };
        if let Some(node) = self.node.as_mut().filter(|_| property == b"reusable") {
            node.is_reusable = true;
        }
        true
    }

    /// The line below a title. Whether it is the value.
    pub(super) fn value(&mut self, text: &[u8]) -> bool {
        let (Some(property), Some(node)) = (self.expected.take(), &mut self.node) else {
            return false;
        };
        match property {
            Property::Compatible => {
                node.is_pool = memchr::memmem::find(text, b"\"shared-dma-pool\"").is_some();
                text.starts_with(b"\"")
            }
            Property::Reg => {
                node.reg = cells(text).and_then(|cells| place(&cells));
                node.reg.is_some()
            }
        }
    }

    /// No property of this node follows: where it has a place, the kernel makes its area there.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        self.expected = None;
        let Some(node) = self.node.take().filter(|node| node.is_pool && node.is_reusable) else {
            return;
        };
        if let Some((base, bytes)) = node.reg {
            let area = Some(Arc::from(&*String::from_utf8_lossy(&node.name)));
            sink.at(node.line).push(None, None, Record::Reserved { area, base, bytes });
        }
    }
}

/// The node and the property of a path.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(path, FOLDER)?;
    let rest = &path[at + FOLDER.len()..];
    let slash = memchr::memchr(b'/', rest)?;
    Some((&rest[..slash], &rest[slash + 1..]))
}

/// `<0x00000000 0x04000000>`.
fn cells(text: &[u8]) -> Option<Vec<u64>> {
    let text = str::from_utf8(text.strip_prefix(b"<")?.strip_suffix(b">")?).ok()?;
    let cell = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok().map(u64::from);
    text.split_ascii_whitespace().map(cell).collect()
}

/// The first entry of `reg`: of one cell or two for each number. Where there are more, there may be
/// several entries, of which the kernel takes the first.
fn place(cells: &[u64]) -> Option<(u64, u64)> {
    match *cells {
        [base, bytes] => Some((base, bytes)),
        [base, base_low, bytes, bytes_low] => {
            Some((base << 32 | base_low, bytes << 32 | bytes_low))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Source;
    use crate::ingest::log::open;

    fn read(text: &str) -> Vec<Record> {
        let found = open(&Source::bytes("board.txt", text.as_bytes())).expect("bytes open");
        found.map(|found| found.expect("it is read").record).collect()
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
}
