//! Edits of a tree, and the texts that make them: an appended fragment and an overlay.

use super::text::plain;
use crate::tree::{NodeId, Tree};

/// Who an edit is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// A node of the tree.
    Node(NodeId),
    /// A node by its path, where there is no tree.
    Path(String),
}

/// Properties of a node.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) target: Target,
    pub(super) lines: Vec<String>,
}

/// A new pool.
#[derive(Clone, Debug)]
pub(super) struct Fresh {
    /// Its name and its label.
    pub(super) name: String,
    pub(super) lines: Vec<String>,
    /// Clients whose devices are not known.
    pub(super) blank: Vec<String>,
}

/// All edits of a tree.
#[derive(Clone, Default, Debug)]
pub(super) struct Edits {
    pub(super) nodes: Vec<Edit>,
    pub(super) fresh: Vec<Fresh>,
    /// What `/reserved-memory` gets, where it is not there.
    pub(super) around: Vec<String>,
    /// Labels or paths of nodes that go.
    pub(super) gone: Vec<String>,
    /// Cells of an address and of a size in `/reserved-memory`.
    pub(super) cells: (u32, u32),
    /// What is said at the front.
    pub(super) head: Vec<String>,
    /// A value names a node that an overlay cannot be sure of.
    pub(super) names_others: bool,
}

impl Target {
    /// As an appended text names it.
    fn appended(&self, tree: Option<&Tree>) -> String {
        match (self, tree) {
            (Self::Node(id), Some(tree)) => tree.reference(*id),
            (Self::Path(path), _) => format!("&{{{path}}}"),
            (Self::Node(_), None) => "&{/}".to_string(),
        }
    }
}

impl Edits {
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.fresh.is_empty() && self.gone.is_empty()
    }

    fn heading(&self) -> String {
        self.head.iter().map(|line| format!("/* {} */\n", plain(line))).collect()
    }

    /// The text to append.
    pub(super) fn fragment(&self, tree: Option<&Tree>) -> String {
        let mut parts = Vec::new();
        if !self.fresh.is_empty() {
            parts.push(self.pools());
        }
        parts.extend(
            self.nodes.iter().map(|edit| block(0, &edit.target.appended(tree), &edit.lines)),
        );
        let gone: String =
            self.gone.iter().map(|node| format!("/delete-node/ {node};\n")).collect();
        parts.extend((!gone.is_empty()).then_some(gone));
        parts.extend(self.fresh.iter().flat_map(Fresh::blanks));
        self.heading() + &parts.join("\n")
    }

    fn pools(&self) -> String {
        let mut inner: Vec<String> = Vec::new();
        if !self.around.is_empty() {
            inner.push(self.around.iter().map(|line| format!("\t\t{line}\n")).collect());
        }
        inner.extend(self.fresh.iter().map(|pool| pool.block(2)));
        format!("/ {{\n\treserved-memory {{\n{}\t}};\n}};\n", inner.join("\n"))
    }

    /// The same as an overlay; none where there is none that is sure to apply.
    pub(super) fn overlay(&self, tree: &Tree) -> Option<String> {
        // `dtc` warns of `ranges` in whatever an overlay makes `/reserved-memory` of.
        if self.names_others || !self.around.is_empty() {
            return None;
        }
        let mut parts = vec![format!("/dts-v1/;\n/plugin/;\n{}", self.heading())];
        if !self.fresh.is_empty() {
            let pools: Vec<_> = self.fresh.iter().map(|pool| pool.block(1)).collect();
            parts.push(format!("&{{/reserved-memory}} {{\n{}}};\n", pools.join("\n")));
        }
        parts.extend(self.nodes.iter().map(|edit| self.overlaid(edit, tree)));
        parts.extend(self.fresh.iter().flat_map(Fresh::blanks));
        Some(parts.join("\n"))
    }

    /// An edit in an overlay, whose base may have no labels. A `reg` is looked at by `dtc`, which
    /// must see its cells there.
    fn overlaid(&self, edit: &Edit, tree: &Tree) -> String {
        let Target::Node(id) = edit.target else { return String::new() };
        if !edit.lines.iter().any(|line| line.starts_with("reg ")) {
            return block(0, &format!("&{{{}}}", tree.path(id)), &edit.lines);
        }
        let cells: String = self.cell_lines().iter().map(|line| format!("\t{line}\n")).collect();
        let node = block(1, &tree.node(id).name, &edit.lines);
        format!("&{{/reserved-memory}} {{\n{cells}\n{node}}};\n")
    }

    /// The properties of a node that say how many cells numbers in it have.
    pub(super) fn cell_lines(&self) -> Vec<String> {
        let (address, bytes) = self.cells;
        vec![format!("#address-cells = <{address}>;"), format!("#size-cells = <{bytes}>;")]
    }
}

impl Fresh {
    fn block(&self, depth: usize) -> String {
        block(depth, &format!("{0}: {0}", self.name), &self.lines)
    }

    /// What is left for the reader to fill in, a comment each.
    fn blanks(&self) -> impl Iterator<Item = String> {
        self.blank.iter().map(|client| {
            format!(
                "/* BLANK: the device of \"{}\" is not known.\n   Put its label in place of LABEL, and \
                 take the marks of this comment away.\n&LABEL {{\n\tmemory-region = <&{}>;\n}};\n*/\n",
                plain(client),
                self.name
            )
        })
    }
}

fn block(depth: usize, name: &str, lines: &[String]) -> String {
    let indent = "\t".repeat(depth);
    let lines: String = lines.iter().map(|line| format!("{indent}\t{line}\n")).collect();
    format!("{indent}{name} {{\n{lines}{indent}}};\n")
}
