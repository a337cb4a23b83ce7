//! Captures of a board without debugfs: each call is answered as it was there.

use std::io::Read;
use std::path::Path;

use cma_harness::ingest::Source;
use cma_harness::reader::Options;
use cma_policies::Run;
use flate2::read::GzDecoder;

use crate::rig::{before, replayed};

fn path(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/board");
    folder.join(format!("{name}.txt.gz"))
}

fn file(name: &str) -> Source {
    Source::file(&path(name))
}

fn text(name: &str) -> String {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path(name)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn options(area: Option<&str>, beside: Vec<Source>) -> Options {
    Options { area: area.map(String::from), beside, ..Options::default() }
}

/// A trace, its area, its calls, where the area begins, and the pages that were taken at its start
/// as the lists in its kernel log show.
const CAPTURES: [(&str, &str, Option<&str>, u64, Run); 7] = [
    ("6.12-vivid-odd-trace_pipe", "6.12-vivid-odd-dmesg-bb", None, 521, Run::new(0x7aa00, 96)),
    ("6.12-vivid-odd-tc-report", "6.12-vivid-odd-dmesg-bb", None, 409, Run::new(0x7aa00, 96)),
    ("6.12-vivid-odd-perf-script", "6.12-vivid-odd-dmesg-bb", None, 235, Run::new(0x7aa00, 96)),
    ("6.12-16k-pages-trace", "6.12-16k-pages-dmesg", None, 1525, Run::new(0x1e800, 24)),
    ("7.3-cma33M-default-trace", "7.3-cma33M-default-dmesg", None, 800, Run::new(0x7da00, 32)),
    (
        "7.3-dmaheap-two-pools-trace",
        "7.3-dmaheap-two-pools-dmesg",
        Some("linux,cma"),
        343,
        Run::new(0x7c000, 32),
    ),
    ("7.3-rcap4-24-trace", "7.3-rcap4-24-dmesg", Some("linux,cma"), 1499, Run::new(0x7c000, 32)),
];

#[test]
fn a_trace_of_a_default_area_alone_replays() {
    for (trace, _, area, calls, taken) in CAPTURES {
        let options = options(area, Vec::new());
        let found = replayed(&file(trace), &options);
        assert_eq!((found.equal, found.different, found.unanswered), (calls, 0, 0), "{trace}");
        assert_eq!(found.first_different, None);
        let (runs, words) = before(&file(trace), &options);
        assert!(words.contains(&format!("from pfn {} on", taken.pfn.0)), "{trace}: {words}");
        let counted = words.contains("has available_count");
        assert_eq!(counted, trace.starts_with("7.3"), "{trace}: {words}");
        if counted {
            assert_eq!(runs, [taken], "{trace}");
        } else {
            assert!(words.contains("there may be"), "{trace}: {words}");
        }
    }
}

#[test]
fn lists_of_that_time_say_which_pages_were_taken() {
    for (trace, dmesg, area, calls, taken) in CAPTURES {
        let options = options(area, vec![file(dmesg)]);
        let found = replayed(&file(trace), &options);
        assert_eq!((found.equal, found.different), (calls, 0), "{trace}");
        let (runs, words) = before(&file(trace), &options);
        assert!(runs.contains(&taken), "{trace}: {runs:?}");
        // Of one no request of the default area failed: there is a list of another area alone.
        let by = if trace.contains("two-pools") { "for atomic DMA" } else { "list" };
        assert!(words.contains(by), "{trace}: {words}");
    }
}

/// Without its lists a kernel log still names the pools.
#[test]
fn pools_of_the_boot_say_which_pages_were_taken() {
    for (trace, dmesg, area, calls, taken) in CAPTURES {
        let log = text(dmesg);
        let log = log.lines().filter(|line| !line.contains("cma: ") || line.contains("Reserved"));
        let log = log.filter(|line| !line.contains("free of")).collect::<Vec<_>>().join("\n");
        let options = options(area, vec![Source::bytes("dmesg.txt", log.into_bytes())]);
        let found = replayed(&file(trace), &options);
        assert_eq!((found.equal, found.different), (calls, 0), "{trace}");
        let (runs, words) = before(&file(trace), &options);
        let pools: Vec<_> = runs.iter().filter(|run| taken.contains(**run)).collect();
        assert_eq!(pools.iter().map(|run| run.count).sum::<u64>(), taken.count, "{trace}: {words}");
        assert!(words.contains("for atomic DMA by the boot (dmesg.txt line"), "{trace}: {words}");
    }
}

#[test]
fn an_area_of_one_device_has_nothing_of_the_boot_in_it() {
    let options = options(Some("vpu_pool"), vec![file("7.3-rcap4-24-dmesg")]);
    let found = replayed(&file("7.3-rcap4-24-trace"), &options);
    assert_eq!((found.equal, found.different), (1422, 0));
    assert_eq!(before(&file("7.3-rcap4-24-trace"), &options).0, []);
}
