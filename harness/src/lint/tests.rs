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

/// Properties of a board with 2 GiB of memory from 0 on.
const ROOT: [(&str, &str, &str); 7] = [
    ("/", "#address-cells", "<0x1>"),
    ("/", "#size-cells", "<0x1>"),
    ("/memory", "device_type", "\"memory\""),
    ("/memory", "reg", "<0x0 0x80000000>"),
    ("/reserved-memory", "#address-cells", "<0x1>"),
    ("/reserved-memory", "#size-cells", "<0x1>"),
    ("/reserved-memory", "ranges", ""),
];

/// Such a board with pools, each with its name and one property, and other properties.
fn with_pools(pools: &[(&str, &str, &str)], others: &[(&str, &str, &str)], given: Given) -> Report {
    let path = |name: &str| format!("/reserved-memory/{name}");
    let paths: Vec<_> = pools.iter().map(|(name, ..)| path(name)).collect();
    let mut all = ROOT.to_vec();
    for (path, (_, property, value)) in paths.iter().zip(pools) {
        all.push((path, "compatible", "\"shared-dma-pool\""));
        all.push((path, "reusable", ""));
        all.push((path, "linux,cma-default", ""));
        all.push((path, property, value));
    }
    let tree = Some(Tree::built(&[&all, others].concat()));
    lint(&Board::read(Given { tree, ..given }).expect("it is read"))
}

fn outcomes(report: &Report) -> Vec<&'static str> {
    report.areas.iter().map(|area| area.outcome).collect()
}

/// Nodes with a place are set up after the others: by address up to 6.11, later in order.
#[test]
fn of_several_defaults_the_one_that_is_set_up_last_counts() {
    let high = ("high", "reg", "<0x60000000 0x2000000>");
    let low = ("low", "reg", "<0x40000000 0x2000000>");
    let any = ("any", "size", "<0x2000000>");
    for (kernel, pools, outcome) in [
        ("6.12-arm64", [high, any], ["placed", "not_default"]),
        ("6.12-arm64", [high, low], ["not_default", "placed"]),
        ("6.1-arm64", [high, low], ["placed", "not_default"]),
    ] {
        let report = with_pools(&pools, &[], of_kernel(kernel));
        assert_eq!(outcomes(&report), outcome, "{kernel} {pools:?}");
    }
}

#[test]
fn a_bus_that_reaches_1_gib_makes_a_zone_end_there() {
    let bus = [
        ("/soc", "#address-cells", "<0x1>"),
        ("/soc", "#size-cells", "<0x1>"),
        ("/soc", "dma-ranges", "<0xc0000000 0x0 0x40000000>"),
    ];
    let border = |base: &str| {
        let pool = [("pool", "reg", base)];
        found(&with_pools(&pool, &bus, of_kernel("6.12-arm64")))
    };
    assert_eq!(border("<0x3f000000 0x2000000>"), [("zone-border", Severity::Warning)]);
    assert_eq!(border("<0x3e000000 0x2000000>"), []);
    assert_eq!(border("<0x40000000 0x2000000>"), []);
}

/// 34 MiB: the processor says that it is 32-bit Arm, whose step is 4 MiB.
#[test]
fn processors_say_the_architecture() {
    let pool = [("pool", "size", "<0x2200000>")];
    let step = |cpu: &str| {
        let cpu = [("/cpus/cpu@0", "compatible", cpu)];
        found(&with_pools(&pool, &cpu, of_kernel("6.12")))
    };
    assert_eq!(step("\"arm,cortex-a9\""), [("size-off-step", Severity::Error)]);
    assert_eq!(step("\"arm,cortex-a53\""), []);
    assert_eq!(step("\"foo,x1\", \"riscv\""), []);
}

#[test]
fn up_to_6_8_there_is_a_slot_more_than_the_configuration_says() {
    let config = || vec![Source::bytes(".config", "CONFIG_CMA_AREAS=1\n".as_bytes())];
    let line = Some(("--cmdline".to_string(), "hugetlb_cma=1G".to_string()));
    let slots = |kernel: &str| {
        let given = Given { texts: config(), cmdline: line.clone(), ..of_kernel(kernel) };
        let report = with_pools(&[("pool", "size", "<0x2000000>")], &[], given);
        found(&report).iter().any(|(rule, _)| *rule == "too-many-areas")
    };
    assert_eq!((slots("6.1-arm64"), slots("6.12-arm64")), (false, true));
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
