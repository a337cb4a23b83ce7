//! What `cmalab` says of all this.

use std::path::{Path, PathBuf};
use std::process::Command;

use cma_harness::sweep::{parse, prepare};
use cma_policies::builtin;

fn capture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/board");
    folder.join(format!("{name}.txt.gz"))
}

fn cmalab(args: &[&str]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_cmalab")).args(args).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

#[test]
fn the_cap_is_said_with_the_calls_that_show_it() {
    let trace = capture("7.3-rcap4-24-trace");
    let trace = trace.to_str().unwrap();
    let args = ["replay", trace, "--area", "vpu_pool", "--quiet"];
    let out = cmalab(&args);
    let cap = "recorded with cap 4: 1422 calls for 160 to 642 pages (the first on line 14) ask for \
               order 4\n";
    assert!(out.contains(cap), "{out}");
    assert!(out.contains("policy kernel answers 1422 calls as traced, 0 differently"), "{out}");
    assert!(!out.contains("differs"), "{out}");
    let json = cmalab(&[&args[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let file = &json["files"][0];
    assert_eq!(
        (&file["recorded_cap"], &file["recorded_cap_shown"]["by"]["calls"]),
        (&4.into(), &1422.into())
    );
    // Where the caller states it, nothing else is asked.
    let out = cmalab(&[&args[..], &["--recorded-cap", "8"]].concat());
    assert!(out.contains("recorded with cap 8\n"), "{out}");
}

#[test]
fn a_fit_says_the_cap_as_a_replay_does() {
    let trace = capture("7.3-rcap4-24-trace");
    let args = ["fit", trace.to_str().unwrap(), "--area", "vpu_pool", "--quiet"];
    let out = cmalab(&args);
    let cap = "recorded with cap 4: 1422 calls for 160 to 642 pages (the first on line 14) ask for \
               order 4\n";
    assert!(out.contains(cap), "{out}");
    assert!(out.contains("one buffer is given back at once"), "{out}");
    assert!(out.contains("clients that hold as much as they may: heap\n"), "{out}");
    assert!(!out.contains("0 sessions"), "{out}");
    let row = out.lines().find(|line| line.starts_with("first refusal")).unwrap();
    assert!(row.ends_with("yes") && !row.contains("none"), "{row}");
    let json = cmalab(&[&args[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["recorded_cap"], 4);
    assert_eq!(json["recorded_cap_shown"]["by"]["calls"], 1422);
}

/// Two clients with several sizes each, at different orders.
#[test]
fn where_clients_have_several_caps_each_is_named() {
    let mut text = String::new();
    let mut at = 0;
    for round in 0..20 {
        for (client, count, align) in
            [("heap", 160, 4), ("vpu", 300, 8), ("heap", 320, 4), ("vpu", 700, 8)]
        {
            at += 1000;
            let stamp = |us: u64| format!("{client}-7 [000] ..... 1.{:06}", at + us);
            text += &format!(
                "{}: cma_alloc_start: name=a count={count} align={align}\n\
                 {}: cma_alloc_finish: name=a pfn=0x40000 page=1 count={count} align={align} errorno=0\n\
                 {}: cma_release: name=a pfn=0x40000 page=1 count={count}\n",
                stamp(0),
                stamp(1),
                stamp(2 + round)
            );
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("two-caps.txt");
    std::fs::write(&file, text).unwrap();
    let (file, area) = (file.to_str().unwrap(), ["--base-pfn", "262144", "--pages", "1024"]);
    let out = cmalab(&[&["replay", file, "--quiet"][..], &area].concat());
    assert!(out.contains("recorded with cap 4 for heap, 8 for vpu: 40 calls"), "{out}");
    assert!(out.contains("of heap: 40 calls for 160 to 320 pages"), "{out}");
    assert!(out.contains("--recorded-cap 4 varies it"), "{out}");
    let out = cmalab(&[&["replay", file, "--quiet", "--recorded-cap", "4"][..], &area].concat());
    assert!(out.contains("40 of them follow the cap (50.000 %)"), "{out}");
    assert!(out.contains("answers 80 calls as traced, 0 differently"), "{out}");
}

#[test]
fn a_diagnosis_has_no_other_cap_than_the_calls_beside_it() {
    let [log, trace] = ["7.3-rcap4-24-dmesg", "7.3-rcap4-24-trace"].map(capture);
    let args = ["diagnose", log.to_str().unwrap(), trace.to_str().unwrap(), "--quiet"];
    let out = cmalab(&args);
    assert!(!out.contains("now 8") && !out.contains("itself"), "{out}");
    assert!(out.contains("(cap 4 now)"), "{out}");
    let json = cmalab(&[&args[..], &["--format", "json"]].concat());
    let says = "No CONFIG_CMA_ALIGNMENT from 4 on changes it: the caller asks for order 4 at most \
                (1422 calls for 160 to 642 pages have it).";
    assert_eq!(json.matches(says).count(), 2, "fragmentation and alignment");
    // What shows nothing of it, or the same, is no evidence.
    let out = cmalab(&["diagnose", log.to_str().unwrap(), "--quiet"]);
    assert!(!out.contains("from 4 on"), "{out}");
}

#[test]
fn what_a_signal_ended_is_no_refusal() {
    let trace = capture("7.3-rcap4-24-trace");
    let trace = trace.to_str().unwrap();
    let args = ["replay", trace, "--area", "linux,cma", "--quiet"];
    let out = cmalab(&args);
    assert!(out.contains("a signal ended 3 requests (ret: -4), the first on line 2838"), "{out}");
    assert!(out.contains("kernel at cap 4: nothing was refused"), "{out}");
    let row = out.lines().find(|line| line.starts_with("kernel    4")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[2..], ["1496", "1496", "0", "0", "0.000", "%", "0.000", "%"]);
    // The columns that were there mean what they did.
    let csv = cmalab(&[&args[..], &["--format", "csv"]].concat());
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (head, row) = (rows.next().unwrap(), rows.next().unwrap());
    let value = |name| row[head.iter().position(|column| *column == name).unwrap()];
    assert_eq!([value("requests"), value("refused"), value("interrupted")], ["1499", "3", "3"]);
    assert_eq!([value("withheld_per_request"), value("first_failure_errno")], ["0.002001", "-4"]);
    assert_eq!(
        [value("refused_by_area"), value("withheld_per_request_by_area")],
        ["0", "0.000000"]
    );
    let out = cmalab(&["fit", trace, "--area", "linux,cma", "--quiet"]);
    let left = "3 requests that a signal ended are not fitted: that says nothing of the area\n";
    assert!(out.contains(left) && !out.contains("not fitted: 3"), "{out}");
}

#[test]
fn a_replay_that_leaves_its_trace_at_the_first_call_says_what_would_keep_it_there() {
    let trace = capture("7.3-cma33M-default-trace");
    let trace = trace.to_str().unwrap();
    let pages = ["--base-pfn", "514048", "--pages", "8704"];
    let out = cmalab(&[&["replay", trace, "--quiet", "--policy", "kernel"][..], &pages].concat());
    let lines: Vec<&str> = out.lines().filter(|line| line.starts_with("it differs")).collect();
    let [line] = lines[..] else { panic!("{out}") };
    assert!(line.contains("from the first call on (line 13, alloc"), "{line}");
    assert!(line.contains("--snapshot") && line.contains("trace_event=cma"), "{line}");
    let out = cmalab(&["replay", trace, "--quiet"]);
    assert!(!out.contains("it differs"), "{out}");
}

#[test]
fn a_sweep_runs_at_the_cap_that_its_trace_shows() {
    let trace = capture("7.3-rcap4-24-trace");
    let trace = trace.to_str().unwrap();
    let area = "area = \"vpu_pool\"";
    let fit = format!("[[streams]]\nfit = \"{trace}\"\n{area}\nown_area = true\nops = 1000");
    let file = format!("[[streams]]\nfile = \"{trace}\"\n{area}");
    for (stream, caps, shown) in [
        (&file, "", [4]),
        (&fit, "", [4]),
        (&file, "caps = [8]\n", [8]),
        (&"[[streams]]\nprofile = \"imx-note\"\nops = 100".to_string(), "", [8]),
    ] {
        let text = format!("name = \"t\"\npolicies = [\"kernel\"]\n{caps}{stream}\n");
        let plan = parse("t.toml", &text, &builtin::catalog()).unwrap();
        let ready = prepare(plan).unwrap();
        assert_eq!(ready.plan.caps, shown, "{text}");
        let says = ready.warnings.iter().any(|warning| warning.starts_with("caps = [4]"));
        assert_eq!(says, shown == [4], "{:?}", ready.warnings);
    }
}
