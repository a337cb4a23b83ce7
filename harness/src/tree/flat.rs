//! The flattened form: `.dtb`, `/sys/firmware/fdt`.
//!
//! A reader of its own, since the crates that read it take less than the kernel does: `dtoolkit`
//! refuses names of more than 31 bytes, which real trees have
//! (`findings/dtoolkit-0.4.1-names-of-32-bytes.sh`), `fdt-rs` is unsafe to call, `fdt` is under a
//! licence that is none of this package's. It is bounded: each step goes forward, and a tree deeper
//! than the kernel's 64 is refused (`FDT_MAX_DEPTH`, `drivers/of/fdt.c`).

use super::{Node, Property, Tree};
use crate::ingest::IngestError;

const MAGIC: [u8; 4] = [0xd0, 0x0d, 0xfe, 0xed];
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// The deepest node of a tree that a kernel takes.
pub(super) const DEEPEST: usize = 64;

/// The longest name: more than any kernel has.
const LONGEST_NAME: usize = 255;

/// Whether the bytes begin as a flattened tree does.
pub fn is_flat(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// A block of the file, read from its front.
#[derive(Clone, Copy)]
struct Block<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Block<'a> {
    fn word(&mut self) -> Option<u32> {
        let word = self.bytes.get(self.at..self.at.checked_add(4)?)?;
        self.at += 4;
        word.try_into().ok().map(u32::from_be_bytes)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at = self.at.checked_add(len)?.checked_next_multiple_of(4)?;
        Some(taken)
    }

    /// Up to the next 0, which is passed over.
    fn name(&mut self) -> Option<String> {
        let rest = self.bytes.get(self.at..)?;
        let rest = &rest[..rest.len().min(LONGEST_NAME + 1)];
        let len = rest.iter().position(|byte| *byte == 0)?;
        let name = self.take(len + 1)?;
        Some(String::from_utf8_lossy(&name[..len]).into_owned())
    }
}

impl Tree {
    /// Reads the flattened form; `source` is its name in messages.
    ///
    /// # Errors
    /// Where it is cut or damaged: the byte, and what should be there.
    pub fn flat(source: &str, bytes: &[u8]) -> Result<Self, IngestError> {
        let fail = |why: String| {
            IngestError::of(source, format!("{why}; it is cut or damaged: copy it again"))
        };
        let (blocks, strings) = blocks(bytes).map_err(fail)?;
        let at = blocks.at;
        read(source, blocks, strings)
            .map_err(|(block, what)| fail(format!("byte {:#x} is not {what}", at + block)))
    }
}

/// The structure, with its place in the file in place of its front, and the strings.
fn blocks(bytes: &[u8]) -> Result<(Block<'_>, &[u8]), String> {
    if !is_flat(bytes) {
        return Err("it does not begin as a device tree does (d0 0d fe ed)".to_string());
    }
    let mut header = Block { bytes, at: 4 };
    let mut words = [0; 9];
    for word in &mut words {
        *word = header.word().ok_or("its header ends before 40 bytes")? as usize;
    }
    let [total, structure, strings, _, version, _, _, strings_len, structure_len] = words;
    if version < 16 {
        return Err(format!("version {version} is older than any that Linux reads (16)"));
    }
    let whole = bytes.get(..total);
    let whole = whole.ok_or_else(|| format!("it has {} of {total} bytes", bytes.len()))?;
    let block = |what: &str, from: usize, len: usize| {
        let end = from.saturating_add(len);
        whole.get(from..end).ok_or_else(|| format!("its {what} lie outside of it"))
    };
    // Version 16 does not state how long the structure is.
    let structure_len =
        if version < 17 { whole.len().saturating_sub(structure) } else { structure_len };
    block("nodes", structure, structure_len)?;
    let block_of = Block { bytes: &whole[..structure + structure_len], at: structure };
    Ok((block_of, block("names", strings, strings_len)?))
}

/// Reads the structure. Where it is wrong: the byte, counted from its front, and what should be
/// there.
fn read(source: &str, block: Block<'_>, strings: &[u8]) -> Result<Tree, (usize, &'static str)> {
    let mut block = Block { bytes: &block.bytes[block.at..], at: 0 };
    let mut tree = Tree::new(source);
    let mut open = Vec::new();
    let mut is_begun = false;
    loop {
        let at = block.at;
        match block.word().ok_or((at, "there: a node has no end"))? {
            BEGIN_NODE => {
                let name = block.name().ok_or((at, "a node: its name has no end"))?;
                match open.last() {
                    None if is_begun => return Err((at, "the end: a second root begins")),
                    None => open.push(Tree::ROOT),
                    Some(_) if open.len() >= DEEPEST => {
                        return Err((at, "a node that Linux reads: it is deeper than 64"));
                    }
                    Some(parent) => open.push(tree.add(*parent, Node::new(&name))),
                }
                is_begun = true;
            }
            END_NODE => _ = open.pop().ok_or((at, "a node: none is open"))?,
            PROPERTY => {
                let id = open.last().ok_or((at, "a node: a property is outside of all"))?;
                let (len, name) = (block.word(), block.word());
                let value = len.and_then(|len| block.take(len as usize));
                let value = value.ok_or((at, "a property: its value has no end"))?;
                let name = name.and_then(|name| string(strings, name as usize));
                let name = name.ok_or((at, "a property: its name is not among the names"))?;
                let properties = &mut tree.nodes[id.0].properties;
                properties.push(Property { name, value: value.to_vec(), line: None });
            }
            NOP => {}
            END if open.is_empty() && is_begun => return Ok(tree.finished()),
            END => return Err((at, "the end: a node is open")),
            _ => return Err((at, "a node, a property or an end")),
        }
    }
}

fn string(strings: &[u8], at: usize) -> Option<String> {
    Block { bytes: strings, at }.name()
}
