//! Text of a device tree: pieces of a dts pasted between other lines, whole or not, and what
//! `/proc/device-tree/reserved-memory` lists.
//!
//! What is braced like a node is one; text that is not (prose, JSON, C) ends it. Only nodes of areas
//! and devices with a `memory-region` give a record.

mod listing;
mod node;
#[cfg(test)]
mod tests;
mod value;

use super::boot::Boot;
use super::{Record, Sink, bytes, prefix};
use listing::Listing;
use node::Open;
pub use node::{Node, Region};

/// The most nodes that are open at once.
const DEEPEST: usize = 24;

/// The most bytes of a statement that is kept.
const LONGEST: usize = 2048;

/// Lines after a piece of a tree in which another one may begin with any word.
const NEAR: u64 = 64;

/// Reads pieces of a tree, line by line.
#[derive(Default)]
pub(super) struct Trees {
    open: Vec<Open>,
    /// What follows the last `{`, `}` or `;`.
    text: Vec<u8>,
    /// The line that the text begins on.
    text_line: u64,
    in_comment: bool,
    /// The line of the last node.
    near: Option<u64>,
    listing: Listing,
}

impl Trees {
    /// Whether the next line is of interest whatever it says.
    pub(super) fn is_open(&self, line: u64) -> bool {
        let near = || self.near.is_some_and(|near| line.saturating_sub(near) < NEAR);
        !self.open.is_empty() || self.listing.is_open() || near()
    }

    /// Reads a line.
    pub(super) fn line(&mut self, raw: &[u8], sink: &mut Sink<'_>) {
        if self.listing.line(raw, sink) {
            return;
        }
        // What is braced like a node and never ends is none.
        if self.near.is_none_or(|near| sink.line.saturating_sub(near) > NEAR) {
            self.open.clear();
            self.text.clear();
        }
        if self.open.is_empty() && self.text.is_empty() && memchr::memchr(b'{', raw).is_none() {
            return;
        }
        // Lines of a log may come between, also where a tree is quoted.
        let quoted = bytes::trim_quote(raw);
        if prefix::body(quoted) > 0 {
            return;
        }
        let line = match quoted {
            // A patch: what it adds is there, what it takes away is not.
            [b'+', rest @ ..] => rest,
            [b'-', rest @ ..] if rest.first().is_none_or(u8::is_ascii_whitespace) => return,
            line => line,
        };
        self.statements(line, sink);
    }

    /// No line follows.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        self.listing.end(sink);
        // A piece may be cut at its end: what there is of it counts.
        while !self.open.is_empty() {
            self.close(sink);
        }
    }

    fn statements(&mut self, line: &[u8], sink: &mut Sink<'_>) {
        let mut at = 0;
        let mut in_string = false;
        while let Some(byte) = line.get(at) {
            let two = line.get(at..at + 2);
            if self.in_comment {
                self.in_comment = two != Some(b"*/");
                at += if self.in_comment { 1 } else { 2 };
                continue;
            }
            match byte {
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'/' if two == Some(b"//") => break,
                b'/' if two == Some(b"/*") => {
                    self.in_comment = true;
                    at += 2;
                    continue;
                }
                b'{' if self.text.ends_with(b"&") && line[at + 1..].starts_with(b"/") => {
                    // `&{/reserved-memory/linux,cma}` refers to a node by its path.
                    let end =
                        memchr::memchr(b'}', &line[at..]).map_or(line.len(), |end| at + end + 1);
                    line[at..end].iter().for_each(|byte| self.put(*byte, sink.line));
                    at = end;
                    continue;
                }
                b'{' | b'}' | b';' => {
                    self.mark(*byte, sink);
                    at += 1;
                    continue;
                }
                _ => {}
            }
            self.put(*byte, sink.line);
            at += 1;
        }
        // A line end parts words. Outside of a node a name is on the line of its brace.
        if self.open.is_empty() {
            self.text.clear();
            self.in_comment = false;
        } else {
            self.put(b' ', sink.line);
        }
    }

    fn put(&mut self, byte: u8, line: u64) {
        if self.text.is_empty() {
            if byte.is_ascii_whitespace() {
                return;
            }
            self.text_line = line;
        }
        if self.text.len() < LONGEST {
            self.text.push(byte);
        }
    }

    /// What the text before a brace or a semicolon is.
    fn mark(&mut self, mark: u8, sink: &mut Sink<'_>) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim_ascii();
        if !self.open.is_empty() {
            self.near = Some(sink.line);
        }
        match mark {
            b'{' => match Open::named(text, self.text_line) {
                Some(open) if self.open.len() < DEEPEST => {
                    self.near = Some(sink.line);
                    self.open.push(open);
                }
                _ => self.open.clear(),
            },
            b'}' => self.close(sink),
            _ => {
                if let Some(open) = self.open.last_mut() {
                    open.property(text);
                }
            }
        }
    }

    /// The innermost node ends.
    fn close(&mut self, sink: &mut Sink<'_>) {
        let Some(open) = self.open.pop() else { return };
        let parent = self.open.last();
        self.near = Some(sink.line);
        let line = open.line;
        if let Some(places) = open.memory(parent) {
            sink.at(line).push(None, None, Record::Boot(Boot::TreeMemory(places)));
        }
        if let Some(region) = open.region(parent) {
            sink.at(line).push(None, None, Record::Boot(Boot::Region(region)));
        }
        if let Some(node) = open.node(parent) {
            sink.at(line).push(None, None, Record::Boot(Boot::Dts(Box::new(node))));
        }
    }
}
