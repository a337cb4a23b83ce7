//! The form of folders and files: `/proc/device-tree`, or a copy of it.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::flat::DEEPEST;
use super::{Node, NodeId, Property, Tree};
use crate::ingest::IngestError;

/// The most nodes and properties: large boards have some ten thousand.
const MOST: usize = 1 << 18;

/// The most bytes of a value.
const LONGEST: u64 = 1 << 24;

/// Whether the folder is one of a device tree.
pub(super) fn is_tree(path: &Path) -> bool {
    let file = |name| path.join(name).is_file();
    let folder = |name| path.join(name).is_dir();
    file("#address-cells") || file("compatible") && file("model") || folder("reserved-memory")
}

impl Tree {
    /// Reads a folder of this form. Links in it are passed over.
    ///
    /// # Errors
    /// Where a folder or a file cannot be read, and where there are more than any board has.
    pub fn folder(path: &Path) -> Result<Self, IngestError> {
        let mut tree = Self::new(&path.display().to_string());
        let mut left = MOST;
        fill(&mut tree, Self::ROOT, path, 0, &mut left)?;
        Ok(tree.finished())
    }
}

fn fill(
    tree: &mut Tree,
    id: NodeId,
    path: &Path,
    depth: usize,
    left: &mut usize,
) -> Result<(), IngestError> {
    let fail = |path: &Path, why: &dyn std::fmt::Display| {
        IngestError::of(&path.display().to_string(), why)
    };
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(|error| fail(path, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    if entries.len() > *left || depth > DEEPEST {
        return Err(fail(path, &"it holds more than a device tree; name its folder alone"));
    }
    *left -= entries.len();
    for entry in entries {
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let kind = entry.file_type().map_err(|error| fail(&path, &error))?;
        if kind.is_dir() {
            let child = tree.add(id, Node::new(&name));
            fill(tree, child, &path, depth + 1, left)?;
        } else if kind.is_file() && name != "name" {
            let value = value(&path).map_err(|error| fail(&path, &error))?;
            tree.nodes[id.0].properties.push(Property { name, value, line: None });
        }
    }
    Ok(())
}

fn value(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut value = Vec::new();
    fs::File::open(path)?.take(LONGEST).read_to_end(&mut value)?;
    Ok(value)
}
