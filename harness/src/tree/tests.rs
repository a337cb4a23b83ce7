use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

fn blob(name: &str) -> Vec<u8> {
    fs::read(corpora().join(format!("boots/dtb/{name}.dtb"))).expect("it is there")
}

fn two() -> Tree {
    Tree::flat("two.dtb", &blob("two")).expect("it is whole")
}

/// A path, and names and values of its properties.
type Plain = (String, Vec<(String, Vec<u8>)>);

/// Everything but places.
fn all(tree: &Tree) -> Vec<Plain> {
    let node = |(id, node): (NodeId, &Node)| {
        let mut properties: Vec<_> =
            node.properties.iter().map(|own| (own.name.clone(), own.value.clone())).collect();
        properties.sort();
        (tree.path(id), properties)
    };
    let mut all: Vec<_> = tree.nodes().map(node).collect();
    all.sort();
    all
}

#[test]
fn a_flat_tree_has_paths_labels_and_values() {
    let tree = two();
    let id = tree.find("/reserved-memory/vpu_pool").expect("it is there");
    let pool = tree.node(id);
    assert_eq!(tree.path(id), "/reserved-memory/vpu_pool");
    assert_eq!((tree.path(Tree::ROOT), pool.name.as_str()), ("/".to_string(), "vpu_pool"));
    assert_eq!(pool.labels, ["vpu_pool"]);
    assert_eq!(pool.cells("size"), Some(vec![0, 0x0180_0000]));
    assert_eq!(pool.strings("compatible"), ["shared-dma-pool"]);
    assert!(pool.has("reusable") && pool.is_available() && !pool.has("no-map"));
    assert_eq!(tree.by_phandle(pool.phandle().expect("it has one")), Some(id));
    assert_eq!(tree.space(Tree::ROOT), (2, 2));
    assert_eq!(tree.find("/reserved-memory/vpu"), None);
    assert_eq!(joined(&[0, 1, 2]), Some((1 << 32) + 2));
    assert_eq!(joined(&[1, 0, 0]), None);
}

#[test]
fn a_folder_is_the_same_tree() {
    let (tree, root) = (two(), tempfile::tempdir().expect("a folder"));
    for (id, node) in tree.nodes() {
        let folder = root.path().join(tree.path(id).trim_start_matches('/'));
        fs::create_dir_all(&folder).expect("it is made");
        fs::write(folder.join("name"), format!("{}\0", node.name)).expect("it is written");
        for property in &node.properties {
            fs::write(folder.join(&property.name), &property.value).expect("it is written");
        }
    }
    assert!(is_tree(root.path()) && !is_tree(&corpora()));
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.path(), root.path().join("loop")).expect("a link");
    assert_eq!(all(&Tree::folder(root.path()).expect("it is read")), all(&tree));
}

#[test]
fn a_text_of_collect_has_the_nodes_of_areas_and_their_devices() {
    let text = "# cmalab collect: 1\n==> /proc/device-tree/model <==\n\"Foo\"\n\n==> \
                /proc/device-tree/reserved-memory/#address-cells <==\n<0x00000002>\n\n==> \
                /proc/device-tree/reserved-memory/#size-cells <==\n<0x00000002>\n\n==> \
                /proc/device-tree/reserved-memory/vpu@60000000/reusable <==\n\n==> \
                /proc/device-tree/reserved-memory/vpu@60000000/phandle <==\n<0x00000007>\n\n==> \
                /proc/device-tree/soc/video@1000/memory-region <==\n<&vpu@60000000 0x00000009>\n";
    let lines: Vec<_> = (1..).zip(text.lines().map(String::from)).collect();
    let tree = Tree::dump("board.txt", &lines).expect("there is one");
    let pool = tree.find("/reserved-memory/vpu@60000000").expect("it is there");
    let device = tree.node(tree.find("/soc/video@1000").expect("it is there"));
    assert_eq!(device.cells("memory-region"), Some(vec![7, 9]));
    assert_eq!(tree.by_phandle(7), Some(pool));
    assert_eq!(tree.node(pool).get("reusable"), Some(&[][..]));
    assert_eq!(tree.node(Tree::ROOT).strings("model"), ["Foo"]);
    assert_eq!(device.line.as_ref().map(|line| line.number), Some(16));
    assert!(!tree.is_whole);
    assert_eq!(Tree::dump("a.txt", &lines[..1]), None);
}

#[test]
fn places_are_those_of_the_source() {
    let mut tree = two();
    let text = "/dts-v1/;\n\n/ { /* a.dtsi:1, b.dts:9 */\n\treserved-memory { /* a.dtsi:2 */\n\
                \t\tpool: vpu_pool { /* b.dts:20 */\n\t\t\tsize = <0x00 0x01>; /* b.dts:21 */\n\
                \t\t}; /* b.dts:22 */\n\t};\n};\n";
    places::place(&mut tree, text, |file| format!("boards/{file}"));
    let line = |file: &str, number| Some(Line { file: file.into(), number });
    assert_eq!(tree.node(Tree::ROOT).line, line("boards/b.dts", 9));
    let pool = tree.node(tree.find("/reserved-memory/vpu_pool").expect("it is there"));
    assert_eq!((&pool.line, pool.labels.len()), (&line("boards/b.dts", 20), 2));
    assert_eq!(pool.property("size").expect("it has one").line, line("boards/b.dts", 21));
    assert_eq!(pool.property("reusable").expect("it has one").line, None);
}

#[test]
fn a_node_is_called_by_its_label_or_its_path() {
    let tree = two();
    let reference = |path: &str| tree.reference(tree.find(path).expect("it is there"));
    assert_eq!(reference("/reserved-memory/vpu_pool"), "&vpu_pool");
    assert_eq!(reference("/reserved-memory/linux,cma"), "&{/reserved-memory/linux,cma}");
}

#[test]
fn a_tree_is_opened_whatever_its_form() {
    let path = |name: &str| corpora().join(name);
    let whole = Tree::open(&path("boots/dtb/two.dtb")).expect("it is read").expect("it is one");
    assert_eq!(all(&whole), all(&two()));
    assert_eq!(Tree::open(&path("boots/dts-k73-two.txt")).expect("it is read"), None);
    assert_eq!(Tree::open(&path("logs")).expect("it is read"), None);
    assert!(!whole.is_overlay());
    assert!(Tree::built(&[("/fragment@0/__overlay__", "x", "")]).is_overlay());
}

#[test]
fn what_is_cut_or_damaged_is_an_error_with_its_place() {
    let whole = blob("def32");
    let error = |bytes: &[u8]| Tree::flat("a.dtb", bytes).expect_err("it is wrong").to_string();
    let cut = error(&whole[..1000]);
    assert!(cut.contains(&format!("it has 1000 of {} bytes", whole.len())), "{cut}");
    assert!(error(b"text").contains("does not begin as a device tree does"));
    let mut odd = whole.clone();
    odd[0x38..0x3c].copy_from_slice(&[0, 0, 0, 7]);
    assert!(
        error(&odd).contains("byte 0x38 is not a node, a property or an end"),
        "{}",
        error(&odd)
    );
    // Nodes in each other, none of which ends: as deep as Linux reads, deeper, and deeper than a stack.
    let deep = |nodes: usize| {
        let nodes = [&[0, 0, 0, 1, b'a', 0, 0, 0][..]].repeat(nodes).concat();
        let mut header = whole[..0x38].to_vec();
        for (at, word) in
            [(4, 0x38 + nodes.len()), (8, 0x38), (12, 0x38), (32, 0), (36, nodes.len())]
        {
            header[at..at + 4].copy_from_slice(&(word as u32).to_be_bytes());
        }
        error(&[header, nodes].concat())
    };
    assert!(deep(64).contains("a node has no end"), "{}", deep(64));
    assert!(deep(65).contains("deeper than 64"), "{}", deep(65));
    assert!(deep(100_000).contains("deeper than 64"));
}

proptest! {
    /// Whatever a file holds, it is a tree or an error, and nothing of a tree is out of its bounds.
    #[test]
    fn damaged_bytes_are_a_tree_or_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        words in prop::collection::vec((any::<prop::sample::Index>(), 0u32..12), 0..4),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = blob("two");
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        for (at, word) in &words {
            let at = at.index(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Ok(tree) = Tree::flat("a.dtb", &bytes) {
            for (id, node) in tree.nodes() {
                prop_assert!(tree.path(id).starts_with('/'));
                prop_assert!(node.parent().is_none_or(|parent| parent < id));
            }
        }
    }
}
