//! Rules against their own examples.
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::ingest::Source;
use crate::kernel::Arch;
use crate::tree::Tree;

fn blob(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora");
    fs::read(root.join(name)).expect("it is there")
}

fn board(tree: &str, given: Given) -> Report {
    let tree = Tree::flat(tree, &blob(tree)).expect("it is whole");
    lint(&Board::read(Given { tree: Some(tree), ..given }).expect("it is read"))
}

fn found(report: &Report) -> Vec<(&'static str, Severity)> {
    report.findings.iter().map(|finding| (finding.rule.name, finding.severity)).collect()
}

fn of_kernel(kernel: &str) -> Given {
    let cmdline = Some(("--cmdline".to_string(), String::new()));
    Given { kernel: Some(kernel.to_string()), cmdline, ..Given::default() }
}

/// 34 MiB: on the step of 2 MiB, off that of 4 MiB before 5.19, and off that of larger pages.
#[test]
fn the_step_is_that_of_the_kernel() {
    let tree = "lint/size-off-step-passes.dtb";
    let refused = [("size-off-step", Severity::Error)];
    assert_eq!(found(&board(tree, of_kernel("6.12-arm64"))), []);
    assert_eq!(found(&board(tree, of_kernel("5.15-arm64"))), refused);
    assert_eq!(found(&board(tree, of_kernel("6.12-arm64-16k"))), refused);
    let arm = Given { arch: Some(Arch::Arm), ..of_kernel("6.12") };
    assert_eq!(found(&board(tree, arm)), refused);
    let report = board(tree, of_kernel("6.12-arm64-64k"));
    assert!(report.findings[0].remedy.starts_with("512 MiB"), "{}", report.findings[0].remedy);
}

#[test]
fn what_is_not_stated_is_taken_and_said() {
    let report = board("lint/size-off-step-fails.dtb", Given::default());
    assert_eq!(found(&report), [("size-off-step", Severity::Error)]);
    let said = report.taken.join("\n");
    for what in ["4 KiB", "arm64", "5.19 or newer", "`cma=`"] {
        assert!(said.contains(what), "{said}");
    }
    assert_eq!(board("lint/size-off-step-fails.dtb", of_kernel("6.1-arm64-16k")).taken, [""; 0]);
}

#[test]
fn which_of_node_and_command_line_counts_depends_on_the_release() {
    let line = || Some(("--cmdline".to_string(), "cma=64M".to_string()));
    let outcomes = |kernel: &str| {
        let report = board("boots/dtb/def32.dtb", Given { cmdline: line(), ..of_kernel(kernel) });
        assert_eq!(found(&report), [("cmdline-drops-node", Severity::Error)]);
        report.areas.iter().map(|area| (area.asker.name(), area.outcome)).collect::<Vec<_>>()
    };
    assert_eq!(outcomes("5.9-arm64"), [("node", "placed"), ("cmdline", "beaten_by_node")]);
    assert_eq!(outcomes("5.10-arm64"), [("node", "bypassed"), ("cmdline", "placed")]);
}

#[test]
fn a_text_of_collect_is_a_board() {
    let text = "# cmalab collect: 1\n==> uname -a <==\nLinux foo 6.12.3 #1 SMP aarch64 \
                GNU/Linux\n\n==> /proc/cmdline <==\nconsole=ttyS0\n\n==> /proc/config.gz <==\n\
                CONFIG_CMA=y\nCONFIG_DMA_CMA=y\n\n==> getconf PAGESIZE <==\n4096\n\n==> \
                /proc/device-tree/reserved-memory/#address-cells <==\n<0x00000002>\n\n==> \
                /proc/device-tree/reserved-memory/#size-cells <==\n<0x00000002>\n\n==> \
                /proc/device-tree/reserved-memory/ranges <==\n\n==> \
                /proc/device-tree/reserved-memory/linux,cma/compatible <==\n\"shared-dma-pool\"\n\
                \n==> /proc/device-tree/reserved-memory/linux,cma/linux,cma-default <==\n\n==> \
                /proc/device-tree/reserved-memory/linux,cma/reusable <==\n\n==> \
                /proc/device-tree/reserved-memory/linux,cma/size <==\n<0x00000000 0x02100000>\n";
    let texts = vec![Source::bytes("board.txt", text.as_bytes())];
    let report = lint(&Board::read(Given { texts, ..Given::default() }).expect("it is read"));
    assert_eq!(found(&report), [("size-off-step", Severity::Error)]);
    assert_eq!(report.findings[0].place.line, Some(30));
    // Its memory is not in the text.
    assert_eq!(report.taken.len(), 1, "{:?}", report.taken);
}

proptest! {
    /// Rules get along with whatever a tree has in it.
    #[test]
    fn rules_take_any_tree(
        which in 0..RULES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..16),
        line in "(hugetlb_)?cma=[0-9A-Za-z@%.-]{0,24}",
    ) {
        let rule = RULES[which];
        if rule.fails.dts().is_none() {
            return Ok(());
        }
        let mut bytes = blob(&format!("lint/{}-fails.dtb", rule.name));
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Ok(tree) = Tree::flat("a.dtb", &bytes) {
            let cmdline = Some(("--cmdline".to_string(), line));
            let given = Given { tree: Some(tree), cmdline, ..of_kernel("6.12-arm64") };
            let report = lint(&Board::read(given).expect("it is read"));
            prop_assert!(report.findings.iter().all(|finding| !finding.message.is_empty()));
        }
    }
}
