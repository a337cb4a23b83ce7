//! What 37 boots of real kernels say of areas: `corpora/boots`, each against the name of its case.
//!
//! 6.12 and 7.3 with pages of 4 KiB, 6.12 with pages of 16 KiB; 1024 MiB of memory from 0x40000000
//! on, a default area of 64 MiB by the kernel's configuration.

use std::fs;
use std::path::{Path, PathBuf};

use cma_harness::boot::{Asked, Cure, Fate, Off, Reason, Story};
use cma_harness::diagnose::{Options, diagnose};
use cma_harness::ingest::Source;

const MIB: u64 = 1 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/boots")
}

/// What the boot of a case says, and the device tree that it booted where `tree` is set.
fn story(case: &str, tree: bool) -> Story {
    let kernel = match case.split('-').nth(1).unwrap() {
        "k612" => "6.12.117+deb13-arm64",
        "k16" => "6.12.117+deb13-arm64-16k",
        _ => "7.3.4+deb13-arm64",
    };
    let mut sources = vec![Source::file(&folder().join(format!("{case}.txt")))];
    if tree {
        let name = case.rsplit('-').next().unwrap();
        sources.push(Source::file(&folder().join(format!("dts/{name}.dts"))));
    }
    let options = Options { kernel: Some(kernel.to_string()), ..Options::default() };
    let diagnosis = diagnose(&sources, &options, &mut |failure| panic!("{case}: {failure:?}"));
    diagnosis.unwrap().boot
}

/// `node vpu_pool placed 24 at 0x7e800000`, with MiB.
fn short(asked: &Asked) -> String {
    let mib = |bytes: u64| bytes / MIB;
    let mut text = format!(
        "{} {} {}",
        asked.origin.name(),
        asked.name.as_deref().unwrap_or("-"),
        asked.fate.name()
    );
    if let Some(reason) = asked.fate.reason() {
        text += &format!(" {reason}");
    }
    if let Some(bytes) = asked.asked_bytes {
        text += &format!(" asked {}", mib(bytes));
    }
    if let Some(bytes) = asked.bytes {
        text += &format!(" has {}", mib(bytes));
    }
    if let Some(printed) = asked.printed_bytes {
        text += &format!(" printed {}", mib(printed));
    }
    if let Some(base) = asked.base {
        text += &format!(" at {base:#x}");
    }
    if let Some(bytes) = asked.instead {
        text += &format!(" instead {}", mib(bytes));
    }
    text
}

/// The areas of each case.
const BOOTS: &[(&str, &[&str])] = &[
    ("cmd-k16-cma48", &["cmdline reserved placed asked 48 has 64 at 0x7a000000"]),
    ("cmd-k612-cma0-def32", &["node linux,cma bypassed", "cmdline reserved off asked 0"]),
    (
        "cmd-k612-cma128-two",
        &[
            "node linux,cma bypassed",
            "node vpu_pool placed has 24 at 0x7e800000",
            "cmdline reserved placed asked 128 has 128 at 0x75200000",
        ],
    ),
    ("cmd-k612-cma1m", &["cmdline reserved placed asked 1 has 2 at 0x7e800000"]),
    ("cmd-k612-cma900", &["cmdline reserved not_placed all_memory asked 2048"]),
    ("cmd-k612-cmaat", &["cmdline reserved placed asked 64 has 64 at 0x50000000"]),
    (
        "cmd-k612-huge64",
        &[
            "hugetlb - refused gigantic_page asked 64",
            "config reserved placed has 64 at 0x7aa00000",
        ],
    ),
    ("cmd-k73-cma0-def32", &["node linux,cma bypassed", "cmdline reserved off asked 0"]),
    (
        "cmd-k73-cma128-two",
        &[
            "node linux,cma bypassed",
            "node vpu_pool placed has 24 at 0x7e800000",
            "cmdline reserved placed asked 128 has 128 at 0x76400000",
        ],
    ),
    ("cmd-k73-cma1m", &["cmdline reserved placed asked 1 has 2 printed 1 at 0x7fa00000"]),
    ("cmd-k73-cma900", &["cmdline reserved not_placed all_memory asked 2048"]),
    ("cmd-k73-cmaat", &["cmdline reserved placed asked 64 has 64 at 0x50000000"]),
    (
        "cmd-k73-huge64",
        &[
            "config reserved placed has 64 at 0x7bc00000",
            "hugetlb - refused gigantic_page asked 64",
        ],
    ),
    ("dts-k16-def32", &["node linux,cma placed has 32 at 0x7e000000"]),
    ("dts-k612-align16m", &["node linux,cma placed has 32 at 0x7e000000"]),
    ("dts-k612-align1m", &["node linux,cma placed has 32 at 0x7e000000"]),
    (
        "dts-k612-badrange",
        &[
            "node linux,cma not_placed ranges asked 32 instead 64",
            "config reserved placed has 64 at 0x7aa00000",
        ],
    ),
    (
        "dts-k612-cells1",
        &["node linux,cma refused cells instead 64", "config reserved placed has 64 at 0x7aa00000"],
    ),
    ("dts-k612-fixed2m", &["node cma@60200000 placed has 50 at 0x60200000"]),
    (
        "dts-k612-fixedodd",
        &[
            "node cma@60100000 refused base_off_step instead 64",
            "config reserved placed has 64 at 0x7aa00000",
        ],
    ),
    (
        "dts-k612-noreus",
        &[
            "node linux,cma dma_pool has 32 at 0x7e000000 instead 64",
            "config reserved placed has 64 at 0x78a00000",
        ],
    ),
    (
        "dts-k612-odd1page",
        &[
            "node linux,cma refused size_off_step instead 64",
            "config reserved placed has 64 at 0x7aa00000",
        ],
    ),
    (
        "dts-k612-odd3m",
        &[
            "node linux,cma refused size_off_step instead 64",
            "config reserved placed has 64 at 0x7aa00000",
        ],
    ),
    (
        "dts-k612-smallrange",
        &[
            "node linux,cma not_placed ranges asked 32 instead 64",
            "config reserved placed has 64 at 0x7aa00000",
        ],
    ),
    (
        "dts-k612-two",
        &[
            "node linux,cma placed has 32 at 0x7e000000",
            "node vpu_pool placed has 24 at 0x7c800000",
        ],
    ),
    (
        "dts-k612-twodef",
        &[
            "node pool_a not_default has 32 at 0x7e000000",
            "node pool_b placed has 24 at 0x7c800000",
        ],
    ),
    ("dts-k73-align64k", &["node linux,cma placed has 32 at 0x7e000000"]),
    (
        "dts-k73-badrange",
        &[
            "node linux,cma not_placed ranges asked 32 instead 64",
            "config reserved placed has 64 at 0x7bc00000",
        ],
    ),
    ("dts-k73-def32", &["node linux,cma placed has 32 at 0x7e000000"]),
    ("dts-k73-fixed2m", &["node cma@60200000 placed has 50 at 0x60200000"]),
    (
        "dts-k73-fixedsz",
        &[
            "node cma@60000000 refused size_off_step instead 64",
            "config reserved placed has 64 at 0x7bc00000",
        ],
    ),
    (
        "dts-k73-noreus",
        &[
            "node linux,cma dma_pool has 32 at 0x7e000000 instead 64",
            "config reserved placed has 64 at 0x79c00000",
        ],
    ),
    (
        "dts-k73-odd33",
        &[
            "node linux,cma refused size_off_step instead 64",
            "config reserved placed has 64 at 0x7bc00000",
        ],
    ),
    (
        "dts-k73-odd3m",
        &[
            "node linux,cma refused size_off_step instead 64",
            "config reserved placed has 64 at 0x7bc00000",
        ],
    ),
    (
        "dts-k73-toobig",
        &[
            "node linux,cma not_placed all_memory asked 1280 instead 64",
            "config reserved placed has 64 at 0x7bc00000",
        ],
    ),
    (
        "dts-k73-two",
        &[
            "node linux,cma placed has 32 at 0x7e000000",
            "node vpu_pool placed has 24 at 0x7c800000",
        ],
    ),
    (
        "dts-k73-zero",
        &[
            "node linux,cma refused unsaid instead 64",
            "config reserved placed has 64 at 0x7bc00000",
        ],
    ),
];

#[test]
fn each_boot_says_what_its_name_says() {
    for (case, areas) in BOOTS {
        let story = story(case, false);
        let found: Vec<_> = story.areas.iter().map(short).collect();
        assert_eq!(found, *areas, "{case}");
        assert!(story.areas.iter().all(|asked| !asked.lines.is_empty()), "{case}");
        let (page, step) = if case.contains("k16") { (16384, 32) } else { (4096, 2) };
        assert_eq!((story.page_bytes(), story.stride.bytes), (page, Some(step * MIB)), "{case}");
    }
}

#[test]
fn every_boot_is_in_the_table() {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".txt")?.to_string()))
        .collect();
    files.sort();
    assert_eq!(files, BOOTS.iter().map(|(case, _)| *case).collect::<Vec<_>>());
}

/// With the device tree beside the boot: what was asked for, why it could not be, and what can.
#[test]
fn with_its_device_tree_a_boot_says_the_numbers() {
    let fate = |case: &str| {
        let asked = story(case, true).areas[0].clone();
        (asked.asked_bytes, asked.fate, asked.cures)
    };
    let size = |bytes| Fate::Refused(Off::Size(Some(bytes)));
    let table = [
        ("dts-k73-odd33", 33 * MIB, size(33 * MIB), Cure::Round(32 * MIB, 34 * MIB)),
        ("dts-k612-odd3m", 3 * MIB, size(3 * MIB), Cure::Round(2 * MIB, 4 * MIB)),
        (
            "dts-k612-odd1page",
            32 * MIB + 4096,
            size(32 * MIB + 4096),
            Cure::Round(32 * MIB, 34 * MIB),
        ),
        (
            "dts-k73-fixedsz",
            48 * MIB + 4096,
            size(48 * MIB + 4096),
            Cure::Round(48 * MIB, 50 * MIB),
        ),
        ("dts-k73-zero", 0, Fate::Refused(Off::Nothing), Cure::Round(0, 2 * MIB)),
        (
            "dts-k612-smallrange",
            32 * MIB,
            Fate::NotPlaced(Reason::RangesNarrow(16 * MIB)),
            Cure::Ranges,
        ),
        ("dts-k612-cells1", 32 * MIB, Fate::Refused(Off::Cells("size".into())), Cure::Cells),
    ];
    for (case, bytes, expected, cure) in table {
        assert_eq!(fate(case), (Some(bytes), expected, vec![cure]), "{case}");
    }
    let odd = fate("dts-k612-fixedodd");
    let cures = vec![Cure::Base(0x6000_0000, 0x6020_0000), Cure::Round(48 * MIB, 50 * MIB)];
    assert_eq!(odd, (Some(49 * MIB), Fate::Refused(Off::Both(0x6010_0000, 49 * MIB)), cures));
    let placed = fate("dts-k73-def32");
    assert_eq!(placed, (Some(32 * MIB), Fate::Placed, vec![]));
}
