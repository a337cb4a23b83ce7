//! What the script of `cmalab collect` prints of a tree: each property below
//! `==> /proc/device-tree/NODE/PROPERTY <==`, its value as in a dts.

use super::{Line, Node, NodeId, Property, Tree};

/// What the path of a property has before its node.
const ROOT: &str = "/device-tree/";

/// The longest path that is read: of fewer nodes than a tree may be deep.
const LONGEST: usize = 1024;

impl Tree {
    /// The tree in the lines of a text of `collect`, each with its number, where there is one: the
    /// nodes of areas, and the devices that name them. Those that follow no title may be left out.
    pub fn dump(source: &str, lines: &[(u64, String)]) -> Option<Self> {
        let mut tree = Self { is_whole: false, ..Self::new(source) };
        // `memory-region` has names of nodes where the script found them.
        let mut named = Vec::new();
        for (at, (number, line)) in lines.iter().enumerate() {
            let Some((path, name)) = title(line) else { continue };
            let next = lines.get(at + 1).filter(|(next, _)| *next == number + 1);
            let value = next.map_or("", |(_, value)| value.trim());
            let id = tree.grown(path);
            let line = Some(Line { file: source.into(), number: *number });
            if name == "memory-region" && value.contains('&') {
                named.push((id, tree.node(id).properties.len(), value.to_string()));
            }
            let value = bytes(value);
            let node = &mut tree.nodes[id.0];
            node.line = node.line.take().or_else(|| line.clone());
            node.properties.push(Property { name: name.to_string(), value, line });
        }
        for (id, at, value) in named {
            let value = tree.regions(&value);
            tree.nodes[id.0].properties[at].value = value;
        }
        (tree.nodes.len() > 1).then(|| tree.finished())
    }

    /// The node of this path, which is made where it is not there.
    pub(super) fn grown(&mut self, path: &str) -> NodeId {
        let names = path.split('/').filter(|name| !name.is_empty());
        names.fold(Self::ROOT, |id, name| {
            self.child(id, name).unwrap_or_else(|| self.add(id, Node::new(name)))
        })
    }

    /// `<&linux,cma 0x00000009>`: by the names of nodes of `reserved-memory`.
    fn regions(&self, value: &str) -> Vec<u8> {
        let words = value.trim_matches(['<', '>']).split_whitespace();
        let phandle = |word: &str| match word.strip_prefix('&') {
            Some(name) => {
                let id = self.child(self.find("/reserved-memory")?, name)?;
                self.node(id).phandle()
            }
            None => cell(word),
        };
        words.filter_map(phandle).flat_map(u32::to_be_bytes).collect()
    }
}

/// Whether a line is the title of a property: its value is in the next one.
pub fn is_dump(line: &str) -> bool {
    title(line).is_some()
}

/// Node and property of a title.
fn title(line: &str) -> Option<(&str, &str)> {
    let path = line.strip_prefix("==> ")?.strip_suffix(" <==")?;
    let rest = &path[path.find(ROOT)? + ROOT.len() - 1..];
    (rest.len() <= LONGEST).then(|| rest.rsplit_once('/'))?
}

/// `<0x00000000 0x04000000>`, `"one", "two"`, or nothing.
pub(super) fn bytes(value: &str) -> Vec<u8> {
    if let Some(cells) = value.strip_prefix('<') {
        let cells = cells.trim_end_matches('>').split_whitespace().filter_map(cell);
        return cells.flat_map(u32::to_be_bytes).collect();
    }
    let strings = value.split('"').skip(1).step_by(2);
    let strings = strings.filter(|_| value.starts_with('"'));
    strings.flat_map(|text| text.bytes().chain([0])).collect()
}

fn cell(word: &str) -> Option<u32> {
    u32::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}
