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
