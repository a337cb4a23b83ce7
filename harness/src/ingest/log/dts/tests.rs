use proptest::prelude::*;

use super::super::boot::Boot;
use super::super::{Found, Record, open};
use super::*;
use crate::ingest::source::Source;

fn trees(text: &str) -> Vec<Boot> {
    let source = Source::bytes("tree", text.as_bytes());
    let records = open(&source).expect("opens").flatten().map(|found| found.record);
    let boots = records.filter_map(|record| match record {
        Record::Boot(boot @ (Boot::Dts(_) | Boot::Region(_))) => Some(boot),
        _ => None,
    });
    boots.collect()
}

fn only(text: &str) -> Node {
    let [Boot::Dts(node)] = &trees(text)[..] else { panic!("one node: {:?}", trees(text)) };
    (**node).clone()
}

#[test]
fn a_node_is_read_with_one_cell_and_with_two() {
    let node = |address: u32, size: u32, text: &str| {
        only(&format!(
            "reserved-memory {{\n\t#address-cells = <{address}>;\n\t#size-cells = <{size}>;\n\tranges;\n\
             \tcma: linux,cma {{ compatible = \"shared-dma-pool\"; reusable; {text} linux,cma-default; }};\n}};\n"
        ))
    };
    let one = node(1, 1, "size = <0x2000000>; alloc-ranges = <0x40000000 0x20000000>;");
    assert_eq!((one.size, &one.ranges[..]), (Some(0x200_0000), &[(0x4000_0000, 0x2000_0000)][..]));
    assert_eq!((&*one.name, one.label.as_deref()), ("linux,cma", Some("cma")));
    assert!(one.is_area() && one.default && one.ranged && !one.fixed && !one.size_cells_off);
    let two = node(2, 2, "reg = <0x1 0x80000000 0x0 0x4000000>; alignment = <0 0x400000>;");
    assert_eq!(two.reg, [(0x1_8000_0000, 0x400_0000)]);
    assert_eq!((two.bytes(), two.alignment), (Some(0x400_0000), Some(0x40_0000)));
    let mixed = node(2, 1, "reg = <0x0 0x80000000 0x4000000>;");
    assert_eq!(mixed.reg, [(0x8000_0000, 0x400_0000)]);
    assert!(node(2, 2, "size = <0x2000000>;").size_cells_off);
}

#[test]
fn a_piece_without_its_parent_shows_its_cells() {
    let node = |text: &str| {
        only(&format!("pool@1 {{ compatible = \"shared-dma-pool\";\n reusable;\n {text}\n}};\n"))
    };
    assert_eq!(node("size = <0 0x2000000>;").size, Some(0x200_0000));
    assert_eq!(node("reg = <0xd8000000 0x100000>;").reg, [(0xd800_0000, 0x10_0000)]);
    assert_eq!(node("reg = <0 0x60000000 0 0x3200000>;").reg, [(0x6000_0000, 0x320_0000)]);
    assert_eq!(node("size = <(64 * 1024 * 1024)>;").size, Some(64 << 20));
    assert_eq!(
        node("size = <0x0 0x3c000000>; // 960 MiB\n /* size = <1>; */").size,
        Some(960 << 20)
    );
    assert!(!node("no-map;").is_area());
    assert!(!node("status = \"disabled\";").is_area());
    assert!(node("status = \"okay\";").is_area());
}

#[test]
fn quotes_patches_and_lines_of_a_log_are_passed_over() {
    let text = "> reserved-memory {\n> \t#address-cells = <2>;\n[    1.0] cma: something else\n\
                > \tvpu_pool: vpu@90000000 {\n> \t\tcompatible = \"shared-dma-pool\";\n\
                > \t\treusable;\n> \t\treg = <0x0 0x90000000 0x0 0x1000000>;\n> \t};\n> };\n";
    assert_eq!(only(text).reg, [(0x9000_0000, 0x100_0000)]);
    let patch = "+\tlinux,cma {\n+\t\tcompatible = \"shared-dma-pool\";\n-\t\tsize = <0x1000000>;\n\
                 +\t\tsize = <0x2000000>;\n+\t\treusable;\n+\t};\n";
    assert_eq!(only(patch).size, Some(0x200_0000));
}

#[test]
fn a_device_names_its_areas() {
    let text = "&video {\n\tstatus = \"okay\";\n\tmemory-region = <&video_mem>, <&other 0>;\n};\n\
                / { soc { vpu@1e700000 { memory-region = <&vpu_pool>; }; }; };\n";
    let [Boot::Region(video), Boot::Region(vpu)] = &trees(text)[..] else { panic!("two") };
    assert_eq!(&*video.device, "&video");
    assert_eq!(video.pools.iter().map(|pool| &**pool).collect::<Vec<_>>(), ["video_mem", "other"]);
    assert_eq!((&*vpu.device, &*vpu.pools[0]), ("vpu@1e700000", "vpu_pool"));
}

#[test]
fn what_the_running_tree_lists_is_a_node_without_numbers() {
    let text = "/proc/device-tree/reserved-memory:\n#address-cells\nlinux,cma\nname\nranges\n\n\
                /proc/device-tree/reserved-memory/linux,cma:\nalloc-ranges\ncompatible\n\
                linux,cma-default\nname\nreusable\nsize\njob rc 0\n";
    let node = only(text);
    assert!(node.listed && node.default && node.reusable && node.ranged && !node.fixed);
    assert_eq!((&*node.name, node.size), ("linux,cma", None));
    let find = "/sys/firmware/devicetree/base/reserved-memory/vpu@9/compatible\n\
                /sys/firmware/devicetree/base/reserved-memory/vpu@9/reg\nother\n";
    assert!(only(find).fixed);
}

#[test]
fn what_is_no_tree_is_none() {
    for text in [
        "{\n  \"reusable\": {\n \"size\": 1 }\n}\n",
        "struct cma {\n\tunsigned long count;\n};\n",
        "audit: foo { reusable; }\n",
        "static int f(void) {\n\treturn 0;\n}\n",
        "reserved-memory {\n",
        "}}}};;;\n",
    ] {
        assert_eq!(trees(text), [], "{text}");
    }
}

#[test]
fn nodes_that_never_end_are_let_go() {
    let mut text = "a {\n".repeat(1000);
    text += &"nothing\n".repeat(500);
    let source = Source::bytes("tree", text.as_bytes());
    let mut records = open(&source).expect("opens");
    assert_eq!(records.by_ref().count(), 0);
    assert_eq!(records.trees.open.len(), 0);
}

proptest! {
    /// Any text of the pieces of a tree is read without a panic, and no more is kept of it than the
    /// bounds say.
    #[test]
    fn any_text_is_read_in_bounds(pieces in proptest::collection::vec(0usize..24, 0..200), tail in ".*") {
        const PIECES: [&str; 24] = [
            "{", "}", ";", "\n", "<", ">", "&x", " = ", "reserved-memory {\n", "linux,cma {\n",
            "compatible = \"shared-dma-pool\";", "reusable;", "size = <0 0x2000000>;",
            "reg = <1 2 3 4>;", "reg = <0xffffffff>;", "#size-cells = <2>;",
            "#address-cells = <99>;", "/*", "*/", "\"", "memory-region = <&a &b>;",
            "alloc-ranges = <1 2 3>;", "/proc/device-tree/reserved-memory/x:\n", "status = \"no\"",
        ];
        let mut text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        text += &tail;
        let source = Source::bytes("tree", text.as_bytes());
        let mut records = open(&source).expect("opens");
        while let Some(found) = records.next() {
            if let Ok(Found { record: Record::Boot(Boot::Dts(node)), .. }) = found {
                prop_assert!(node.name.len() <= 200 && node.ranges.len() <= 8 && node.reg.len() <= 8);
            }
            prop_assert!(records.trees.open.len() <= DEEPEST);
            prop_assert!(records.trees.text.len() <= LONGEST);
        }
    }
}
