//! What bounds an area, and where those that the kernel places go.

use super::*;
use crate::lint::Given;
use crate::tree::Tree;

const MIB: u64 = 1 << 20;

/// A board with 2 GiB of memory from 0 on and these pools, each with its properties.
fn board(pools: &[(&str, &str, &str)], line: Option<&str>) -> Board {
    with_memory(pools, line, "<0x0 0x80000000>")
}

/// The same with this memory.
fn with_memory(pools: &[(&str, &str, &str)], line: Option<&str>, memory: &str) -> Board {
    let cells = |path| [(path, "#address-cells", "<0x1>"), (path, "#size-cells", "<0x1>")];
    let mut all = [cells("/"), cells("/reserved-memory")].concat();
    all.extend([("/memory", "device_type", "\"memory\""), ("/memory", "reg", memory)]);
    all.push(("/reserved-memory", "ranges", ""));
    let paths: Vec<_> = pools.iter().map(|(name, ..)| format!("/reserved-memory/{name}")).collect();
    for (path, (_, property, value)) in paths.iter().zip(pools) {
        let is_known = all.iter().any(|(known, ..)| known == path);
        if !is_known {
            all.extend([(&**path, "compatible", "\"shared-dma-pool\""), (path, "reusable", "")]);
        }
        all.push((path, property, value));
    }
    let cmdline = line.map(|line| ("--cmdline".to_string(), line.to_string()));
    let tree = Some(Tree::built(&all));
    let kernel = Some("6.12-arm64".to_string());
    Board::read(Given { tree, cmdline, kernel, ..Given::default() }).expect("it is read")
}

fn most(board: &Board, area: &str) -> Option<(u64, String)> {
    most_bytes(board, area).map(|room| (room.bytes / MIB, room.why))
}

#[test]
fn what_bounds_an_area_is_said() {
    let fixed = board(
        &[("a", "reg", "<0x40000000 0x2000000>"), ("b", "reg", "<0x48000000 0x200000>")],
        None,
    );
    let why = "a begins at 0x40000000, and another node of /reserved-memory is at 0x48000000";
    assert_eq!(most(&fixed, "a"), Some((128, why.to_string())));
    let why = "b begins at 0x48000000, and the end of the memory is at 0x80000000";
    assert_eq!(most(&fixed, "b"), Some((896, why.to_string())));
    // The boot loader fills in the memory: the other node is there all the same. A change of `a` to
    // 66 MiB on such a board overlapped it.
    let pools = [("a", "reg", "<0x48000000 0x200000>"), ("b", "reg", "<0x4c000000 0x200000>")];
    let filled = with_memory(&pools, None, "<0x0 0x0>");
    let why = "a begins at 0x48000000, and another node of /reserved-memory is at 0x4c000000";
    assert_eq!(most(&filled, "a"), Some((64, why.to_string())));
    assert_eq!(most(&filled, "b"), None);
    let window = board(
        &[
            ("a", "size", "<0x2000000>"),
            ("a", "alloc-ranges", "<0x40000000 0x4000000>"),
            ("a", "linux,cma-default", ""),
        ],
        None,
    );
    let why = "it may be in 0x40000000 to 0x44000000 (64 MiB), beside the other areas there";
    assert_eq!(most(&window, "a"), Some((64, why.to_string())));
    // A new one has what the default one leaves.
    assert_eq!(most(&window, "").map(|(mib, _)| mib), Some(32));
    // All but one step: the kernel itself is somewhere.
    let open = board(&[("a", "size", "<0x2000000>")], None);
    assert_eq!(most(&open, "a").map(|(mib, _)| mib), Some(2046));
}

#[test]
fn the_parameter_goes_below_4_gib_or_where_it_says() {
    let line = |line| most(&board(&[("a", "size", "<0x2000000>")], Some(line)), "reserved");
    assert_eq!(line("cma=64M").map(|(mib, _)| mib), Some(2014));
    assert_eq!(line("cma=64M@1G-1088M").map(|(mib, _)| mib), Some(64));
    let default = board(&[("a", "size", "<0x2000000>"), ("a", "linux,cma-default", "")], None);
    assert_eq!(most(&default, "reserved"), None);
}

#[test]
fn the_highest_place_that_is_free_and_aligned() {
    let ask = |bytes, align, allowed| Ask { name: String::new(), bytes, align, allowed };
    let free = [(0x1000, 0x5800), (0x8000, 0x9000)];
    assert_eq!(ask(0x1000, 0x1000, None).highest(&free), Some(0x8000));
    assert_eq!(ask(0x2000, 0x1000, None).highest(&free), Some(0x3000));
    assert_eq!(ask(0x2000, 0x4000, None).highest(&free), None);
    let ranges = Some(vec![(0x1000, 0x3000), (0x8000, 0x9000)]);
    assert_eq!(ask(0x1000, 0x1000, ranges).highest(&free), Some(0x2000));
}

/// ZONE_DMA32 ends at 4 GiB, and no area lies across that.
#[test]
fn a_fixed_place_ends_where_a_zone_does() {
    let tree = Tree::built(&[
        ("/", "#address-cells", "<0x2>"),
        ("/", "#size-cells", "<0x2>"),
        ("/memory", "device_type", "\"memory\""),
        ("/memory", "reg", "<0x0 0x40000000 0x1 0x0>"),
        ("/reserved-memory", "#address-cells", "<0x2>"),
        ("/reserved-memory", "#size-cells", "<0x2>"),
        ("/reserved-memory", "ranges", ""),
        ("/reserved-memory/a", "compatible", "\"shared-dma-pool\""),
        ("/reserved-memory/a", "reusable", ""),
        ("/reserved-memory/a", "reg", "<0x0 0xf0000000 0x0 0x2000000>"),
    ]);
    let kernel = Some("6.12-arm64".to_string());
    let board = Board::read(Given { tree: Some(tree), kernel, ..Given::default() });
    let board = board.expect("it is read");
    let why = "a begins at 0xf0000000, and the end of a zone is at 0x100000000";
    assert_eq!(most(&board, "a"), Some((256, why.to_string())));
    // A new one is kept below.
    let why = "it may be in 0x40000000 to 0x100000000 (3072 MiB), beside the other areas there";
    assert_eq!(most(&board, "b"), Some((2816, why.to_string())));
}
