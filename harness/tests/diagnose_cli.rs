//! `cmalab diagnose` as somebody meets it: what it prints, where to, and how it ends.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A failure with a list: 300 pages were asked for, the longest run has 200.
const LOG: &str = "\
[    1.000000] Linux version 6.12.9 (gcc) #1 SMP\n\
[   12.345678] cma: __cma_alloc: linux,cma: alloc failed, req-size: 300 pages, ret: -12\n\
[   12.345690] cma: number of available pages: 200@100+150@400=> 350 free of 1024 total pages\n";

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a.log"), LOG).unwrap();
        fs::write(folder.path().join("none.log"), "[    1.000000] usb 1-1: new device\n").unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        command.arg("diagnose").args(args).current_dir(self.path()).env_remove("NO_COLOR");
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        ends(self.command(args).output().unwrap())
    }

    fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        let out = self.good(&[args, &["--format", "json"]].concat());
        serde_json::from_str(&out).unwrap()
    }
}

fn ends(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A failure with a list of `runs` runs between gaps that have nothing in common.
fn many_gaps(runs: u64) -> String {
    let (mut at, mut free, mut list) = (0, 0, Vec::new());
    for n in 0..runs {
        at += 1 + n.wrapping_mul(2_654_435_761) % 640;
        list.push(format!("{}@{at}", 1 + n % 7));
        free += 1 + n % 7;
        at += 1 + n % 7;
    }
    let total = at.next_multiple_of(512);
    let list = list.join("+");
    LOG.replace("200@100+150@400=> 350 free of 1024", &format!("{list}=> {free} free of {total}"))
}

#[test]
fn a_search_that_was_cut_short_is_said() {
    const NOTE: &str = "the search for the sizes of the buffers of linux,cma was cut short";
    let bench = Bench::new();
    for (runs, is_cut) in [(3, false), (900, true)] {
        fs::write(bench.path().join("many.log"), many_gaps(runs)).unwrap();
        let text = bench.good(&["many.log"]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(text.contains(&format!("note: {NOTE}")), is_cut, "{runs}: {text}");
        let warnings = bench.json(&["many.log"])["warnings"].clone();
        let said = |warning: &serde_json::Value| warning.as_str().unwrap().starts_with(NOTE);
        assert_eq!(warnings.as_array().unwrap().iter().any(said), is_cut, "{runs}: {warnings}");
    }
}

#[test]
fn the_first_line_is_the_answer() {
    let out = Bench::new().good(&["a.log"]);
    let first = "fragmentation (certain): 300 pages (1.2 MiB) do not fit in one piece: 350 are free, but the \
                 longest run has 200 (1 failure, at 12.3 s)\n";
    assert!(out.starts_with(first), "{out}");
}

#[test]
fn the_note_s_log_says_what_the_note_says_and_who_fills_the_area() {
    let note = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/imx-note.txt");
    let note = note.to_str().unwrap();
    let out = Bench::new().good(&[note]);
    let first = "alignment (certain): 456 pages (1.8 MiB) at order 8 do not fit, though 511 are free in one \
                 run; order 5 would have fitted (1 failure, at 731.4 s)\n";
    assert!(out.starts_with(first), "{out}");
    // The run ends at 59392: the 59396 of the note is a slip.
    assert!(out.contains("511@58881: aligned start 59136, 59136 + 456 = 59592 > 59392"), "{out}");
    assert!(out.contains("at order 5 they would have gone to pages 58912 to 59367"), "{out}");
    let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let shares = "nothing but buffers of 257 pages in it is 49.8 % free when the next one fails at \
                  cap 8; 33.1 % at cap 7, 19.7 % at cap 6, 10.8 % at cap 5, 5.5 % at cap 4, 0.1 % \
                  at cap 0.";
    assert!(flat.contains(shares), "{out}");
    let json = Bench::new().json(&[note]);
    let fit = &json["failures"][0]["would_fit"];
    assert_eq!((&fit["max_align"], &fit["at"]), (&5.into(), &58912.into()));
    assert_eq!(fit["largest_count_at_this_align"], 256);
    let resident = &json["residents"][0];
    assert_eq!((&resident["count"], &resident["align"]), (&257.into(), &8.into()));
}

#[test]
fn every_format_says_the_same() {
    let bench = Bench::new();
    let json = bench.json(&["a.log"]);
    let failure = &json["failures"][0];
    assert_eq!((&json["schema"], &failure["verdict"]), (&1.into(), &"fragmentation".into()));
    assert_eq!((&failure["count"], &failure["line"]), (&300.into(), &2.into()));
    assert_eq!(failure["list"]["free"], 350);
    let csv = bench.good(&["a.log", "--format", "csv"]);
    assert!(csv.starts_with("schema,source,line,time_s,"), "{csv}");
    assert!(csv.lines().nth(1).unwrap().contains(",fragmentation,certain,"), "{csv}");
    let html = bench.good(&["a.log", "--format", "html"]);
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("fragmentation (certain)"));
}

#[test]
fn standard_input_and_packed_files_are_read_too() {
    let bench = Bench::new();
    for args in [&["-"][..], &[]] {
        let mut child = bench
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(LOG.as_bytes()).unwrap();
        let (code, out, err) = ends(child.wait_with_output().unwrap());
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.starts_with("fragmentation (certain)"), "{out}");
        assert!(out.contains("standard input line 2"), "{out}");
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(LOG.as_bytes()).unwrap();
    fs::write(bench.path().join("a.log.gz"), packed.finish().unwrap()).unwrap();
    assert_eq!(bench.json(&["a.log.gz"])["failures"].as_array().unwrap().len(), 1);
}

#[test]
fn exit_status_is_0_unless_a_verdict_is_asked_for() {
    let bench = Bench::new();
    for (verdicts, expected) in [("alignment,busy", 0), ("busy,fragmentation", 1), ("any", 1)] {
        let (code, out, _) = bench.run(&["a.log", "--fail-on", verdicts]);
        assert_eq!(code, expected, "{verdicts}");
        assert!(out.starts_with("fragmentation"), "it is said all the same: {out}");
    }
    assert_eq!(bench.run(&["none.log", "--fail-on", "any"]).0, 0);
    let (code, _, err) = bench.run(&["a.log", "--fail-on", "policy"]);
    assert_eq!(code, 2, "no log leads to it: {err}");
}

#[test]
fn a_log_without_failures_is_said_to_be_one() {
    let bench = Bench::new();
    let out = bench.good(&["none.log"]);
    assert!(out.starts_with("no failed CMA allocation in this log\n"), "{out}");
    assert!(out.contains("read 1 line") && out.contains("cmalab collect"), "{out}");
    assert_eq!(bench.json(&["none.log"])["failures"].as_array().unwrap().len(), 0);
}

#[test]
fn every_format_is_whole_without_a_failure() {
    let bench = Bench::new();
    let csv = bench.good(&["none.log", "--format", "csv"]);
    assert!(csv.starts_with("schema,source,") && csv.lines().count() == 1, "{csv}");
    let json = bench.json(&["none.log"]);
    for key in ["failures", "residents", "warnings", "areas", "groups", "counters"] {
        assert_eq!(json[key], serde_json::json!([]), "{key}");
    }
    assert_eq!(json["unknown_suppressed"], 0);
    let html = bench.good(&["none.log", "--format", "html"]);
    assert!(html.trim_end().ends_with("</html>"), "{html}");
}

#[test]
fn hidden_failures_and_counters_are_told() {
    const HIDDEN: &str = "\
[    9.000000] cma_alloc: 29 callbacks suppressed\n\
==> /sys/kernel/mm/cma/vpu/alloc_pages_fail <==\n456\n\n\
==> /proc/meminfo <==\nMemAvailable:  2048 kB\nCmaFree:  16 kB\n\n\
==> /proc/vmstat <==\ncma_alloc_fail 30\n";
    let bench = Bench::new();
    fs::write(bench.path().join("hidden.log"), HIDDEN).unwrap();
    let json = bench.json(&["hidden.log"]);
    assert_eq!(
        (&json["unknown_suppressed"], &json["failures"]),
        (&29.into(), &Vec::<u8>::new().into())
    );
    let counters = serde_json::json!([
        {"area": "vpu", "name": "alloc_pages_fail", "value": 456, "unit": "pages"},
        {"area": null, "name": "MemAvailable", "value": 2_097_152, "unit": "bytes"},
        {"area": null, "name": "CmaFree", "value": 16_384, "unit": "bytes"},
        {"area": null, "name": "cma_alloc_fail", "value": 30, "unit": "calls"},
    ]);
    assert_eq!(json["counters"], counters);
    let text = bench.good(&["hidden.log"]);
    let first = "no failure in this log, but 29 failure lines were hidden by the rate limit\n";
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains("counters: vpu: alloc_pages_fail 456 pages"), "{text}");
    assert!(
        text.contains("MemAvailable 2048 kB, CmaFree 16 kB, cma_alloc_fail 30 calls"),
        "{text}"
    );
    let html = bench.good(&["hidden.log", "--format", "html"]);
    assert!(html.contains("29 failure lines were hidden") && html.contains("CmaFree 16 kB"));
    let (code, _, err) = bench.run(&["hidden.log", "--format", "csv"]);
    assert!(code == 0 && err.contains("29 failure lines were hidden"), "{err}");
}

#[test]
fn a_collected_text_without_events_says_how_to_record_some() {
    let bench = Bench::new();
    let text = "# cmalab collect: 1\n==> uname -a <==\nLinux a 6.6.1 #1\n\n";
    fs::write(bench.path().join("board.txt"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.args(["replay", "board.txt"]).current_dir(bench.path());
    let (code, _, err) = ends(command.output().unwrap());
    assert_eq!(code, 2);
    assert!(err.contains("sh collect.sh -t 60"), "{err}");
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is_written() {
    let bench = Bench::new();
    fs::write(bench.path().join("bad.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2]).unwrap();
    for args in [&["a.log", "nothing.log"][..], &["a.log", "bad.gz", "-o", "out.json"], &["-", "-"]]
    {
        let (code, out, err) = bench.run(&[args, &["--format", "json"]].concat());
        assert_eq!(code, 2, "{args:?}");
        assert!(err.starts_with("error: failed to read "), "{err}");
        if args[1] != "bad.gz" {
            assert_eq!(out, "", "{args:?}");
        }
    }
    let left: Vec<_> =
        fs::read_dir(bench.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("out.json")), "{left:?}");
}

#[test]
fn a_file_is_written_whole() {
    let bench = Bench::new();
    assert_eq!(bench.good(&["a.log", "--format", "html", "-o", "why.html"]), "");
    let html = fs::read_to_string(bench.path().join("why.html")).unwrap();
    assert!(html.trim_end().ends_with("</html>"));
}

#[test]
fn html_is_for_commands_that_write_a_page_alone() {
    let bench = Bench::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.args(["list", "policies", "--format", "html"]).current_dir(bench.path());
    let (code, out, err) = ends(command.output().unwrap());
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("html is written by diagnose, recommend, replay and view"), "{err}");
}

#[test]
fn a_kernel_is_a_release_or_android() {
    let bench = Bench::new();
    for kernel in ["6.6", "3.10.17", "5.15.148-imx", "android"] {
        assert_eq!(bench.run(&["a.log", "--kernel", kernel]).0, 0, "{kernel}");
    }
    let (code, _, err) = bench.run(&["a.log", "--kernel", "six"]);
    assert_eq!(code, 2);
    assert!(err.contains("a release such as 5.15"), "{err}");
}
