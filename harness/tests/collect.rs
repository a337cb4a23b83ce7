//! The script of `cmalab collect`, run on trees that look like a board's.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use cma_harness::ingest::log::{self, DebugfsFile, Record};
use cma_harness::ingest::{Format, Source};

const SCRIPT: &str = include_str!("../src/cli/collect/collect.sh");

/// The shells that are here, of those that boards have.
fn shells() -> Vec<Vec<&'static str>> {
    let all = [vec!["dash"], vec!["busybox", "sh"], vec!["sh"]];
    let mut here = Vec::new();
    for shell in all {
        let there = Command::new(shell[0]).args(&shell[1..]).args(["-c", "true"]).output();
        if there.is_ok_and(|output| output.status.success()) {
            here.push(shell);
        } else {
            eprintln!("no {} here: not tried", shell.join(" "));
        }
    }
    assert!(!here.is_empty(), "no shell at all");
    here
}

fn put(root: &Path, file: &str, text: impl AsRef<[u8]>) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

const TRACE: &str = "\
# tracer: nop
#
# entries-in-buffer/entries-written: 1/1   #P:2
#
           codec-812     [001] .....    61.500000: cma_alloc_start: name=vpu count=77 align=7
";

/// A board of 6.6 with everything switched on.
fn board(root: &Path) {
    put(root, "proc/version", "Linux version 6.6.23-bsp (a@b) (gcc 13.2)\n");
    put(root, "proc/cmdline", "console=ttyS0 cma=64M\n");
    put(root, "proc/config.gz", packed("CONFIG_NET=y\nCONFIG_CMA=y\nCONFIG_CMA_ALIGNMENT=6\n"));
    put(root, "proc/meminfo", "MemTotal:  100 kB\nActive: 7 kB\nCmaFree:  3 kB\n");
    put(root, "proc/vmstat", "nr_zone 5\nnr_free_cma 9\ncma_alloc_success 4\n");
    put(root, "proc/zoneinfo", "Node 0, zone Normal\n      nr_free_cma  8\n");
    put(root, "sys/kernel/mm/cma/vpu/alloc_pages_fail", "456\n");
    for (file, text) in [
        ("base_pfn", "4096\n"),
        ("bitmap", "255 4294967295\n"),
        ("count", "64\n"),
        ("order_per_bit", "0\n"),
        ("used", "40\n"),
        ("maxchunk", "24\n"),
    ] {
        put(root, &format!("sys/kernel/debug/cma/vpu/{file}"), text);
    }
    for event in ["cma_alloc_start", "cma_release"] {
        put(root, &format!("sys/kernel/tracing/events/cma/{event}/enable"), "0\n");
    }
    put(root, "sys/kernel/tracing/tracing_on", "0\n");
    put(root, "sys/kernel/tracing/trace", TRACE);
    put(root, "dmesg.txt", "[    1.5] cma: Reserved 64 MiB at 0x2b000000\n");
}

fn run(shell: &[&str], root: &Path, args: &[&str]) -> Output {
    let script = root.join("collect.sh");
    fs::write(&script, SCRIPT).unwrap();
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .arg(&script)
        .args(args)
        .env("SYS", root.join("sys"))
        .env("PROC", root.join("proc"))
        .env("BOOT", root.join("boot"))
        .env("DMESG", format!("cat {}", root.join("dmesg.txt").display()))
        .env("UNAME", "echo Linux board 6.6.23-bsp")
        .output()
        .unwrap();
    let noise = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(noise, "", "{shell:?} {args:?}");
    output
}

fn records(text: &[u8]) -> Vec<Record> {
    let source = Source::bytes("collected", text);
    log::open(&source).unwrap().map(|found| found.unwrap().record).collect()
}

fn place(records: &[Record], what: impl Fn(&Record) -> bool) -> usize {
    records.iter().position(what).unwrap_or_else(|| panic!("not there: {records:#?}"))
}

fn is_start(record: &Record) -> bool {
    let Record::Start { area: Some(area), count: 77, align: 7, .. } = record else { return false };
    &**area == "vpu"
}

fn is_bitmap(record: &Record) -> bool {
    let Record::Debugfs { area: Some(area), file: DebugfsFile::Bitmap(words), .. } = record else {
        return false;
    };
    &**area == "vpu" && **words == [255, u32::MAX]
}

#[test]
fn what_it_collects_is_read_back() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        let text = run(&shell, root.path(), &[]).stdout;
        let found = records(&text);
        for expected in [
            Record::Kernel("6.6.23-bsp".into()),
            Record::CommandLine("console=ttyS0 cma=64M".into()),
            Record::Cap(6),
            Record::Counter { area: None, name: "CmaFree".into(), value: 3072 },
            Record::Counter { area: None, name: "nr_free_cma".into(), value: 9 },
            Record::Counter {
                area: Some("vpu".into()),
                name: "alloc_pages_fail".into(),
                value: 456,
            },
        ] {
            assert!(found.contains(&expected), "{expected:?} in {found:#?}");
        }
        place(&found, is_bitmap);
        let files = found.iter().filter(|record| matches!(record, Record::Debugfs { .. })).count();
        assert_eq!(files, 6);
        // The events are off, and were not switched on; one zone's counter is not the system's.
        assert!(!found.iter().any(is_start), "{found:#?}");
        let said = String::from_utf8(text).unwrap();
        assert!(said.contains("missing trace events, which are off"), "{said}");
        assert!(said.contains("cma: Reserved 64 MiB"), "{said}");
        assert!(!said.contains("CONFIG_NET"), "{said}");
        let eight = Record::Counter { area: None, name: "nr_free_cma".into(), value: 8 };
        assert!(!found.contains(&eight));
    }
}

#[test]
fn a_trace_that_is_on_is_taken_as_it_is() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        put(root.path(), "sys/kernel/tracing/events/cma/cma_release/enable", "1\n");
        let found = records(&run(&shell, root.path(), &[]).stdout);
        // What happened, then how it is.
        assert!(place(&found, is_start) < place(&found, is_bitmap));
    }
}

#[test]
fn a_new_trace_leaves_no_trace() {
    for shell in shells() {
        for instances in [false, true] {
            let root = tempfile::tempdir().unwrap();
            board(root.path());
            let tracing = root.path().join("sys/kernel/tracing");
            put(&tracing, "events/cma/cma_release/enable", "1*\n");
            if instances {
                // One that is no tracer's has no events in it: it is taken away again.
                fs::create_dir(tracing.join("instances")).unwrap();
            }
            let out = root.path().join("board.txt");
            let output = run(&shell, root.path(), &["-t", "0", out.to_str().unwrap()]);
            assert!(output.stdout.is_empty() && output.status.success());
            let found = records(&fs::read(out).unwrap());
            // How it was, then what happened.
            assert!(place(&found, is_bitmap) < place(&found, is_start));
            let state = |file: &str| fs::read_to_string(tracing.join(file)).unwrap();
            assert_eq!(state("tracing_on"), "0\n");
            assert_eq!(state("events/cma/cma_alloc_start/enable"), "0\n");
            assert_eq!(state("events/cma/cma_release/enable"), "1\n");
            let left = fs::read_dir(tracing.join("instances")).map_or(0, Iterator::count);
            assert_eq!(left, 0);
        }
    }
}

#[test]
fn a_board_that_shows_nothing_learns_how() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "dmesg.txt", "");
        let said = String::from_utf8(run(&shell, root.path(), &[]).stdout).unwrap();
        for hint in
            ["mount -t debugfs", "mount -t tracefs", "CONFIG_IKCONFIG_PROC", "CONFIG_CMA_SYSFS"]
        {
            assert!(said.contains(hint), "{hint}: {said}");
        }
        assert_eq!(records(said.as_bytes()), [Record::Kernel("6.6.23-bsp".into())]);
        // Mounted, and the kernel has no such files.
        put(root.path(), "sys/kernel/debug/other", "");
        put(root.path(), "sys/kernel/tracing/trace", "");
        let said = String::from_utf8(run(&shell, root.path(), &[]).stdout).unwrap();
        assert!(said.contains("CONFIG_CMA_DEBUGFS=y"), "{said}");
        assert!(said.contains("CONFIG_EVENT_TRACING=y"), "{said}");
    }
}

#[test]
fn wrong_usage_is_refused() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        let script = root.path().join("collect.sh");
        fs::write(&script, SCRIPT).unwrap();
        for args in [&["-t", "soon"][..], &["-x"]] {
            let mut command = Command::new(shell[0]);
            let output = command.args(&shell[1..]).arg(&script).args(args).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{shell:?} {args:?}");
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn every_format_says_what_it_is() {
    let formats: Vec<&Format> = log::FORMATS.iter().copied().flatten().collect();
    let mut names: Vec<_> = formats.iter().map(|format| format.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), formats.len());
    for format in formats {
        assert!(
            !format.about.is_empty() && !format.columns.is_empty() && !format.kernels.is_empty()
        );
    }
}
