use std::sync::Arc;

use super::*;
use crate::ingest::Source;
use crate::ingest::log;

const MIB: u64 = 1 << 20;

pub(super) fn story(text: &str) -> Story {
    failed(text, &[])
}

fn failed(text: &str, areas: &[&str]) -> Story {
    let mut notes = Notes::default();
    notes.source("a.log");
    for found in log::open(&Source::bytes("a.log", text.as_bytes())).expect("opens").flatten() {
        notes.note(&found);
    }
    let areas: Vec<Arc<str>> = areas.iter().map(|area| Arc::from(*area)).collect();
    notes.story(&areas)
}

fn stride(text: &str) -> (Option<u64>, StrideFrom) {
    let stride = story(text).stride;
    (stride.bytes.map(|bytes| bytes / MIB), stride.from)
}

#[test]
fn the_step_is_said_by_what_the_text_has() {
    let linux =
        |release: &str, gcc: &str| format!("Linux version {release} (a@b) ({gcc}-gcc) #1\n");
    let arm64 = |release: &str| linux(release, "aarch64-linux-gnu");
    for (text, mib, from) in [
        (arm64("6.6.1-64k"), Some(512), StrideFrom::Kind),
        (arm64("6.12.25+rpt-rpi-2712"), Some(32), StrideFrom::Kind),
        (linux("6.6.1", "arm-linux-gnueabihf"), Some(4), StrideFrom::Kind),
        (linux("5.10.1", "x86_64-linux-gnu"), Some(4), StrideFrom::Kind),
        (arm64("6.6.1") + "Hugepagesize:   2048 kB\n", Some(2), StrideFrom::Kind),
        (arm64("5.4.1") + "$ getconf PAGESIZE\n4096\n", Some(4), StrideFrom::Kind),
        (arm64("6.6.1"), None, StrideFrom::Nowhere),
        (arm64("6.6.1") + "CONFIG_ARM64_16K_PAGES=y\n", Some(32), StrideFrom::Kind),
        (
            arm64("7.3.1") + "CONFIG_ARM64_4K_PAGES=y\nCONFIG_PAGE_BLOCK_MAX_ORDER=7\n",
            Some(0),
            StrideFrom::Config,
        ),
        ("Page block order: 10\n".to_string(), Some(4), StrideFrom::BlockOrder),
        (String::new(), None, StrideFrom::Nowhere),
    ] {
        assert_eq!(stride(&text), (mib, from), "{text}");
    }
    let text = "CONFIG_ARM64_4K_PAGES=y\nCONFIG_PAGE_BLOCK_MAX_ORDER=7\n";
    let bytes = story(&(arm64("7.3.1") + text)).stride.bytes;
    assert_eq!(bytes, Some(512 << 10), "128 pages of 4 KiB");
}

#[test]
fn an_area_that_is_there_rules_steps_out() {
    let text = "Reserved memory: created CMA memory pool at 0x000000007e200000, size 6 MiB\n\
                OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n";
    assert_eq!(stride(text), (Some(2), StrideFrom::Kind));
}

#[test]
fn the_size_of_a_page_is_taken_from_what_is_worth_most() {
    for (text, page) in [
        ("", None),
        ("Hugepagesize:  524288 kB\n", Some(65536)),
        ("Hugepagesize:  524288 kB\n$ getconf PAGE_SIZE\n16384\n", Some(16384)),
        ("CmaTotal:  65536 kB\n/sys/kernel/mm/cma/reserved/total_pages:4096\n", Some(16384)),
        ("$ uname -m\nx86_64\nHugepagesize:  1048576 kB\n", None),
    ] {
        assert_eq!(story(text).page.map(|(bytes, _)| bytes), page, "{text}");
    }
}

#[test]
fn two_dumps_of_one_boot_count_once() {
    let boot = "cma: Reserved 64 MiB at 0x3a000000\n\
                Reserved memory: incorrect alignment of CMA region\n\
                OF: reserved mem: node vpu@100000 compatible matching fail\n";
    let (one, two) = (story(boot), story(&format!("{boot}{boot}")));
    let names = |story: &Story| {
        story.areas.iter().map(|asked| (asked.name.clone(), asked.fate.name())).collect::<Vec<_>>()
    };
    assert_eq!(names(&one), names(&two));
    assert_eq!(one.areas.len(), 2);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut text = String::new();
    for node in 0..5000 {
        text += &format!(
            "OF: reserved mem: failed to allocate memory for node 'n{node}': size 9 MiB\n"
        );
    }
    assert_eq!(story(&text).areas.len(), 64);
}

#[test]
fn a_device_s_area_counts_where_it_is_asked() {
    let tree = "p: pool { size = <0x2000000>; compatible = \"shared-dma-pool\"; reusable; };\n\
                &vpu { memory-region = <&p>; };\n";
    let fate = |areas: &[&str]| failed(tree, areas).areas[0].fate.clone();
    assert_eq!(fate(&["reserved"]), Fate::NotInEffect("&vpu".into()));
    assert_eq!(fate(&["pool"]), Fate::Unknown(false));
    assert_eq!(fate(&[]), Fate::Unknown(false));
}

#[test]
fn whether_cma_total_counts_a_dead_area_depends_on_the_release() {
    let dead = |release: &str| {
        let text =
            format!("Linux version {release} (a@b) #1\ncma: CMA area vpu could not be activated\n");
        story(&text).areas[0].fate.clone()
    };
    assert_eq!(dead("5.11.1"), Fate::Dead(Some(true)));
    assert_eq!(dead("5.12.0"), Fate::Dead(Some(false)));
}
