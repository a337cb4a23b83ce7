//! Edits of a tree, and the texts that make them: an appended fragment and an overlay.

use std::fmt::Write as _;

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

    /// As an overlay names it, whose base may have no labels.
    fn by_path(&self, tree: Option<&Tree>) -> String {
        match (self, tree) {
            (Self::Node(id), Some(tree)) => format!("&{{{}}}", tree.path(*id)),
            _ => self.appended(tree),
        }
    }
}

fn block(text: &mut String, depth: usize, name: &str, lines: &[String]) {
    let indent = "\t".repeat(depth);
    _ = writeln!(text, "{indent}{name} {{");
    lines.iter().for_each(|line| _ = writeln!(text, "{indent}\t{line}"));
    _ = writeln!(text, "{indent}}};");
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
        let mut text = self.heading();
        if !self.fresh.is_empty() {
            self.pools(&mut text);
        }
        for edit in &self.nodes {
            block(&mut text, 0, &edit.target.appended(tree), &edit.lines);
        }
        self.gone.iter().for_each(|node| _ = writeln!(text, "/delete-node/ {node};"));
        self.fresh.iter().for_each(|pool| text += &pool.blank());
        text
    }

    fn pools(&self, text: &mut String) {
        *text += "/ {\n\treserved-memory {\n";
        self.around.iter().for_each(|line| _ = writeln!(text, "\t\t{line}"));
        self.each_pool(text, 2);
        *text += "\t};\n};\n";
    }

    fn each_pool(&self, text: &mut String, depth: usize) {
        for (at, Fresh { name, lines, .. }) in self.fresh.iter().enumerate() {
            *text += if at > 0 || depth == 2 && !self.around.is_empty() { "\n" } else { "" };
            block(text, depth, &format!("{name}: {name}"), lines);
        }
    }

    /// The same as an overlay; none where there is none that is sure to apply.
    pub(super) fn overlay(&self, tree: Option<&Tree>) -> Option<String> {
        // `dtc` warns of `ranges` in whatever an overlay makes `/reserved-memory` of.
        if self.names_others || !self.around.is_empty() {
            return None;
        }
        let mut text = format!("/dts-v1/;\n/plugin/;\n\n{}", self.heading());
        if !self.fresh.is_empty() {
            text += "&{/reserved-memory} {\n";
            self.each_pool(&mut text, 1);
            text += "};\n";
        }
        self.nodes.iter().for_each(|edit| self.overlaid(&mut text, edit, tree));
        self.fresh.iter().for_each(|pool| text += &pool.blank());
        Some(text)
    }

    /// An edit in an overlay. A `reg` is looked at by `dtc`, which must see its cells there.
    fn overlaid(&self, text: &mut String, edit: &Edit, tree: Option<&Tree>) {
        let name = match (&edit.target, tree) {
            (Target::Node(id), Some(tree)) => tree.node(*id).name.clone(),
            _ => String::new(),
        };
        if !edit.lines.iter().any(|line| line.starts_with("reg ")) {
            return block(text, 0, &edit.target.by_path(tree), &edit.lines);
        }
        *text += "&{/reserved-memory} {\n";
        self.cell_lines().iter().for_each(|line| _ = writeln!(text, "\t{line}"));
        *text += "\n";
        block(text, 1, &name, &edit.lines);
        *text += "};\n";
    }

    /// The properties of a node that say how many cells numbers in it have.
    pub(super) fn cell_lines(&self) -> Vec<String> {
        let (address, bytes) = self.cells;
        vec![format!("#address-cells = <{address}>;"), format!("#size-cells = <{bytes}>;")]
    }
}

impl Fresh {
    /// What is left for the reader to fill in, as a comment.
    fn blank(&self) -> String {
        let name = &self.name;
        let node = |client: &String| {
            format!(
                "/* BLANK: the device of \"{}\" is not known. Put its label in place of LABEL, and \
                 take the marks of the comment away:\n&LABEL {{\n\tmemory-region = <&{name}>;\n}};\n*/\n",
                plain(client)
            )
        };
        self.blank.iter().map(node).collect()
    }
}
