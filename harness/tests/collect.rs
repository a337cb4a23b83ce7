//! The script of `cmalab collect`, run on trees that look like a board's.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cma_harness::diagnose::Options;
use cma_harness::ingest::log::boot::Boot;
use cma_harness::ingest::log::{self, DebugfsFile, Knob, Record};
use cma_harness::ingest::{Format, Source};
use cma_harness::view;

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
    put(root, "proc/uptime", "61.50 120.01\n");
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

/// The script with this shell, on the tree of a board.
fn script(shell: &[&str], root: &Path, args: &[&str]) -> Command {
    let script = root.join("collect.sh");
    fs::write(&script, SCRIPT).unwrap();
    let mut command = Command::new(shell[0]);
    command
        .args(&shell[1..])
        .arg(&script)
        .args(args)
        .env("SYS", root.join("sys"))
        .env("PROC", root.join("proc"))
        .env("BOOT", root.join("boot"))
        .env("MODULES", root.join("modules"))
        .env("DEV", root.join("dev"))
        .env("DMESG", format!("cat {}", root.join("dmesg.txt").display()))
        .env("UNAME", "echo Linux board 6.6.23-bsp");
    command
}

fn run(shell: &[&str], root: &Path, args: &[&str]) -> Output {
    let output = script(shell, root, args).output().unwrap();
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

/// A pool with a place, one without, and a device that names both.
fn device_tree(root: &Path) {
    let tree = root.join("proc/device-tree");
    put(&tree, "model", "Foo Board\0");
    put(&tree, "compatible", "foo,board\0foo,soc\0");
    let nodes = tree.join("reserved-memory");
    put(&nodes, "#address-cells", [0, 0, 0, 2]);
    put(&nodes, "#size-cells", [0, 0, 0, 2]);
    let pools: [(&str, u8, &str, &[u8]); 2] = [
        ("linux,cma", 0x2a, "size", &[0, 0, 0, 0, 4, 0, 0, 0]),
        ("vpu@60000000", 0x2b, "reg", &[0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]),
    ];
    for (name, phandle, property, cells) in pools {
        let node = nodes.join(name);
        put(&node, "compatible", "shared-dma-pool\0");
        put(&node, "reusable", "");
        put(&node, "phandle", [0, 0, 0, phandle]);
        put(&node, "name", format!("{name}\0"));
        put(&node, property, cells);
    }
    put(&tree, "soc/video@1000/memory-region", [0, 0, 0, 0x2b, 0, 0, 0, 0x2a, 0, 0, 0, 9]);
}

#[test]
fn nodes_of_the_device_tree_are_written_with_their_values_and_read_back() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        device_tree(root.path());
        put(root.path(), "dev/dma_heap/reserved", "");
        let text = run(&shell, root.path(), &[]).stdout;
        let said = String::from_utf8(text.clone()).unwrap();
        let tree = root.path().join("proc/device-tree");
        for (property, value) in [
            ("model", "\"Foo Board\""),
            ("compatible", "\"foo,board\", \"foo,soc\""),
            ("reserved-memory/#address-cells", "<0x00000002>"),
            ("reserved-memory/linux,cma/compatible", "\"shared-dma-pool\""),
            ("reserved-memory/linux,cma/size", "<0x00000000 0x04000000>"),
            ("reserved-memory/linux,cma/reusable", ""),
            ("soc/video@1000/memory-region", "<&vpu@60000000 &linux,cma 0x00000009>"),
        ] {
            let section = format!("==> {} <==\n{value}\n", tree.join(property).display());
            assert!(said.contains(&section), "{section} in {said}");
        }
        assert!(!said.contains("/name <=="), "{said}");
        let found = records(&text);
        let nodes = found.iter().filter_map(|record| match record {
            Record::Boot(Boot::Dts(node)) => Some((&*node.name, node.is_area(), node.bytes())),
            _ => None,
        });
        let both = [("linux,cma", true, Some(64 << 20)), ("vpu@60000000", true, Some(32 << 20))];
        assert_eq!(nodes.collect::<Vec<_>>(), both, "{said}");
        let is_region = |record: &Record| {
            let Record::Boot(Boot::Region(region)) = record else { return false };
            &*region.device == "video@1000" && region.pools.len() == 2
        };
        assert!(found.iter().any(is_region), "{said}");
        assert!(said.contains("dma_heap <==\nreserved\n"), "{said}");
        let size = said.split_once("==> getconf PAGESIZE <==\n").unwrap().1;
        assert!(size.split('\n').next().unwrap().parse::<u32>().is_ok(), "{size}");
    }
}

#[test]
fn a_configuration_beside_the_modules_is_found() {
    for shell in shells() {
        for file in ["config", "build/.config"] {
            let root = tempfile::tempdir().unwrap();
            put(root.path(), "dmesg.txt", "");
            let config = "CONFIG_NET=y\nCONFIG_CMA_ALIGNMENT=7\n# CONFIG_CMA_DEBUGFS is not set\n";
            // What the script's `uname -r` prints here.
            let release = "Linux board 6.6.23-bsp -r";
            put(root.path(), &format!("modules/{release}/{file}"), config);
            let found = records(&run(&shell, root.path(), &[]).stdout);
            assert!(found.contains(&Record::Cap(7)), "{file}: {found:#?}");
            assert!(found.contains(&Record::Config(Knob::CmaDebugfs, false)), "{found:#?}");
        }
    }
}

#[test]
fn counters_are_there_before_and_after_a_recording() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        let found = records(&run(&shell, root.path(), &["-t", "0"]).stdout);
        let of_vmstat = |record: &Record| matches!(record, Record::Counter { name, .. } if &**name == "cma_alloc_success");
        let start = place(&found, is_start);
        let (before, after) = found.split_at(start);
        assert!(before.iter().any(of_vmstat) && after.iter().any(of_vmstat), "{found:#?}");
    }
}

/// The readings of the only area: when, and which words.
fn snapshots(records: &[Record]) -> Vec<(u64, Vec<u32>)> {
    let snapshot = |record: &Record| match record {
        Record::Snapshot { at_us, area: Some(area), range: None, words } if &**area == "vpu" => {
            Some((*at_us, words.to_vec()))
        }
        Record::Snapshot { .. } => panic!("{record:?}"),
        _ => None,
    };
    records.iter().filter_map(snapshot).collect()
}

#[test]
fn bitmaps_are_read_again_and_again_while_it_records() {
    let last = (64_500_000, vec![0, 1]);
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        let area = root.path().join("sys/kernel/debug/cma/vpu");
        let out = root.path().join("board.txt");
        let mut command = script(&shell, root.path(), &["-t", "03", out.to_str().unwrap()]);
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        while !fs::read_to_string(&out).is_ok_and(|text| text.contains("==> snapshot 61.50 ")) {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing is read");
            thread::sleep(Duration::from_millis(20));
        }
        put(root.path(), "proc/uptime", "64.50 9.0\n");
        put(&area, "bitmap", "0 1\n");
        assert!(child.wait().unwrap().success());
        let found = records(&fs::read(&out).unwrap());
        let readings = snapshots(&found);
        // At the start, after each second, and so at the end.
        assert_eq!(readings.len(), 4, "{readings:?}");
        assert_eq!(readings[0], (61_500_000, vec![255, u32::MAX]));
        assert_eq!(readings[1..], [last.clone(), last.clone(), last.clone()]);
        // They come before the events, which are shown when all are there.
        let is_snapshot = |record: &Record| matches!(record, Record::Snapshot { .. });
        assert!(found.iter().rposition(is_snapshot) < found.iter().position(is_start));
    }
}

/// From 6.15 on there are links to the first range.
#[test]
fn each_range_is_read_once_in_a_snapshot() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        let area = root.path().join("sys/kernel/debug/cma/vpu");
        fs::remove_file(area.join("bitmap")).unwrap();
        for (range, words) in [("0", "1\n"), ("1", "2\n")] {
            put(&area, &format!("ranges/{range}/bitmap"), words);
        }
        std::os::unix::fs::symlink(area.join("ranges/0/bitmap"), area.join("bitmap")).unwrap();
        let found = records(&run(&shell, root.path(), &["-t", "0"]).stdout);
        let ranges = found.iter().filter_map(|record| match record {
            Record::Snapshot { at_us, range, words, .. } => Some((*at_us, *range, words[0])),
            _ => None,
        });
        let expected = [(61_500_000, Some(0), 1), (61_500_000, Some(1), 2)];
        assert_eq!(ranges.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn without_trace_events_the_bitmaps_are_read_all_the_same() {
    for shell in shells() {
        let root = tempfile::tempdir().unwrap();
        board(root.path());
        fs::remove_dir_all(root.path().join("sys/kernel/tracing")).unwrap();
        let text = run(&shell, root.path(), &["-t", "1"]).stdout;
        let found = records(&text);
        assert_eq!(snapshots(&found).len(), 2, "{found:#?}");
        // And that is a map.
        let source = Source::bytes("board.txt", text.clone());
        let shown = view::snapshots(&[source], &Options::default(), None).unwrap();
        let [film] = &shown.films[..] else { panic!("{shown:?}") };
        assert_eq!((film.area.name(), film.area.ranges()[0].pfn.0), ("vpu", 4096));
        assert_eq!((film.ops, shown.has_time, film.buffers.len()), (2, true, 2));
        assert_eq!(shown.notes, [""; 0]);
        let said = String::from_utf8(text).unwrap();
        assert!(said.contains("missing ") && said.contains("mount -t tracefs"), "{said}");
        // And where there is nothing to read either, nothing is waited for.
        fs::remove_dir_all(root.path().join("sys/kernel/debug")).unwrap();
        let began = Instant::now();
        let found = records(&run(&shell, root.path(), &["-t", "60"]).stdout);
        assert!(snapshots(&found).is_empty() && began.elapsed() < Duration::from_secs(20));
    }
}

/// Sends `signal` to the shell alone, as `kill` does.
fn signal(child: &Child, signal: &str) {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

#[test]
fn a_signal_ends_a_recording_and_what_there_is_of_it_is_written() {
    for shell in shells() {
        for (name, status) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129)] {
            let root = tempfile::tempdir().unwrap();
            board(root.path());
            let tracing = root.path().join("sys/kernel/tracing");
            let switch = tracing.join("events/cma/cma_alloc_start/enable");
            let out = root.path().join("board.txt");
            let began = Instant::now();
            let mut command = script(&shell, root.path(), &["-t", "60", out.to_str().unwrap()]);
            let mut child = command.stderr(Stdio::null()).spawn().unwrap();
            while fs::read_to_string(&switch).unwrap() != "1\n" {
                assert!(began.elapsed() < Duration::from_secs(20), "it does not record");
                thread::sleep(Duration::from_millis(20));
            }
            // It has yet to wait.
            thread::sleep(Duration::from_millis(300));
            signal(&child, name);
            let ended = child.wait().unwrap();
            assert!(began.elapsed() < Duration::from_secs(30), "{shell:?} {name}");
            assert_eq!(ended.code(), Some(status), "{shell:?} {name}");
            assert_eq!(fs::read_to_string(&switch).unwrap(), "0\n", "{shell:?} {name}");
            let found = records(&fs::read(&out).unwrap());
            let start = place(&found, is_start);
            let (before, after) = found.split_at(start);
            assert!(after.iter().any(|record| matches!(record, Record::Counter { .. })));
            // The state as it began, and as it was when the signal came.
            assert_eq!(snapshots(before).len(), 2, "{shell:?} {name}");
        }
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
        // Whatever it shows, this machine has pages.
        let is_page = |record: &Record| matches!(record, Record::Boot(Boot::PageBytes(..)));
        let found: Vec<_> = records(said.as_bytes());
        assert_eq!(found.iter().filter(|record| is_page(record)).count(), 1, "{said}");
        let others: Vec<_> = found.into_iter().filter(|record| !is_page(record)).collect();
        assert_eq!(others, [Record::Kernel("6.6.23-bsp".into())]);
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
