//! Where nodes and properties were written, by what `dtc -T` puts behind each of them:
//! `size = <0x00 0x2100000>; /* board.dts:12 */`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Line, NodeId, Tree};

/// Places and labels of the tree that `text` is of; `full` is the name of a file as a user knows
/// it.
pub(super) fn place(tree: &mut Tree, text: &str, full: impl Fn(&str) -> String) {
    let mut files: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let mut open: Vec<NodeId> = Vec::new();
    for line in text.lines() {
        let (code, comment) = line.split_once(" /* ").unwrap_or((line, ""));
        let at = last(comment).map(|(file, number)| {
            let known = files.entry(file.to_string()).or_insert_with(|| full(file).into());
            Line { file: known.clone(), number }
        });
        let code = code.trim();
        if let Some(head) = code.strip_suffix('{') {
            let mut labels: Vec<_> = head.split(':').map(str::trim).collect();
            let name = labels.pop().unwrap_or_default();
            let id = match open.last() {
                None => Some(Tree::ROOT),
                Some(parent) => tree.child(*parent, name),
            };
            // What is not there is not what was compiled.
            let Some(id) = id else { return };
            let node = &mut tree.nodes[id.0];
            node.line = at;
            for label in labels {
                if !node.labels.iter().any(|own| own == label) {
                    node.labels.push(label.to_string());
                }
            }
            open.push(id);
        } else if code.starts_with('}') {
            open.pop();
        } else if let Some(id) = open.last() {
            let name = code.split(['=', ';']).next().unwrap_or_default().trim();
            let named = tree.nodes[id.0].properties.iter_mut();
            if let Some(property) = named.into_iter().find(|property| property.name == name) {
                property.line = at;
            }
        }
    }
}

/// The last one of `board.dtsi:3, board.dts:12 */`: file and line.
fn last(comment: &str) -> Option<(&str, u64)> {
    let places = comment.strip_suffix("*/")?.trim();
    let (file, rest) = places.rsplit(", ").next()?.rsplit_once(':')?;
    let number = rest.split(|byte: char| !byte.is_ascii_digit()).next()?.parse().ok()?;
    (!file.is_empty()).then_some((file, number))
}
