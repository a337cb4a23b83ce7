//! What `ls` and `find` show of `/proc/device-tree/reserved-memory`: which properties each node has.

use super::super::boot::Boot;
use super::super::{Record, Sink, bytes};
use super::node::Node;

/// The most lines of a listing.
const LONGEST: u64 = 256;

/// What the path of a node has before the node.
const FOLDER: &[u8] = b"/reserved-memory/";

/// A node whose properties are being listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    node: Option<(u64, Node)>,
    /// By path (`find`), not in a block of its own (`ls`).
    by_path: bool,
}

impl Listing {
    pub(super) const fn is_open(&self) -> bool {
        self.node.is_some()
    }

    /// Reads a line. Whether it belongs to a listing.
    pub(super) fn line(&mut self, raw: &[u8], sink: &mut Sink<'_>) -> bool {
        let text = bytes::trim_quote(raw.trim_ascii());
        if let Some((node, property)) = path(text) {
            let name = String::from_utf8_lossy(node);
            if self.node.as_ref().is_none_or(|(_, open)| *open.name != *name) {
                self.end(sink);
                let node = Node { name: name.into(), listed: true, ..Node::default() };
                self.node = Some((sink.line, node));
            }
            self.by_path = !property.is_empty();
            self.property(property);
            return true;
        }
        let Some((line, _)) = self.node else { return false };
        let word = text.iter().all(|byte| byte.is_ascii_alphanumeric() || b",#-_".contains(byte));
        if self.by_path || text.is_empty() || !word || sink.line > line + LONGEST {
            self.end(sink);
            return false;
        }
        self.property(text);
        true
    }

    fn property(&mut self, name: &[u8]) {
        let Some((_, node)) = &mut self.node else { return };
        match name {
            // A listing does not show the values: a node of another kind has no `size`.
            b"size" => node.pool = true,
            b"compatible" => node.pool = true,
            b"reusable" => node.reusable = true,
            b"no-map" => node.no_map = true,
            b"linux,cma-default" => node.default = true,
            b"alloc-ranges" => node.ranged = true,
            b"reg" => node.fixed = true,
            _ => {}
        }
    }

    /// The listing ends.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        let Some((line, node)) = self.node.take() else { return };
        // The name alone says nothing, and other nodes are none of an area.
        if node.pool {
            sink.at(line).push(None, None, Record::Boot(Boot::Dts(Box::new(node))));
        }
    }
}

/// The node and the property of a path below `reserved-memory` of a device tree.
fn path(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let tree = text.starts_with(b"/proc/device-tree/") || text.starts_with(b"/sys/firmware/");
    let at = tree.then(|| memchr::memmem::find(text, FOLDER)).flatten()?;
    let rest = &text[at + FOLDER.len()..];
    let rest = rest.strip_suffix(b":").unwrap_or(rest);
    let mut parts = rest.split(|byte| *byte == b'/');
    let (node, property) = (parts.next()?, parts.next().unwrap_or_default());
    let short = |part: &[u8]| part.len() <= 64 && !part.contains(&b' ');
    (!node.is_empty() && parts.next().is_none() && short(node) && short(property))
        .then_some((node, property))
}
