//! Places as the rules name them.

use super::Place;
use crate::boot::At;
use crate::tree::{Line, NodeId, Tree};

impl Place {
    /// A node, or a property of it where it has that.
    pub(super) fn of(tree: &Tree, id: NodeId, property: Option<&str>) -> Self {
        let node = tree.node(id);
        let found = property.and_then(|name| node.property(name));
        let line = found.and_then(|property| property.line.as_ref()).or(node.line.as_ref());
        Self {
            file: line.map_or_else(|| tree.source.clone(), |line: &Line| line.file.clone()),
            line: line.map(|line| line.number),
            node: Some(tree.path(id)),
            property: found.map(|property| property.name.clone()),
        }
    }

    /// A line of a text.
    pub(super) fn at(at: &At) -> Self {
        Self { file: at.source.clone(), line: Some(at.line), node: None, property: None }
    }

    /// A text as a whole.
    pub(super) fn whole(file: &str) -> Self {
        Self { file: file.into(), line: None, node: None, property: None }
    }
}
