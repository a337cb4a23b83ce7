//! `cmalab diagnose --recommended`: whether the next boot is as it was advised.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

const TWO: &str = "linux,cma=32* vpu_pool=24";

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// The file of these areas (`NAME=MIB`, with a star the default one) and this cap.
fn recommendation(areas: &str, cap: Option<u32>) -> String {
    let area = |one: &str| {
        let (name, mib) = one.split_once('=')?;
        let bytes = mib.trim_end_matches('*').parse::<u64>().ok()? << 20;
        Some(json!({ "name": name, "bytes": bytes, "default": mib.ends_with('*') }))
    };
    let areas: Vec<_> = areas.split(' ').filter_map(area).collect();
    json!({ "schema": 1, "recommended": { "areas": areas, "cap": cap }, "table": [] }).to_string()
}

/// Exit status, standard output and standard error.
fn run(files: &[&Path], recommended: &str, args: &[&str]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("recommend.json");
    fs::write(&file, recommended).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.arg("diagnose").args(files).arg("--recommended").arg(&file).args(args);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The first line, whose verdict the exit status and JSON agree with.
fn first(files: &[&Path], recommended: &str, args: &[&str]) -> String {
    let (code, out, err) = run(files, recommended, args);
    assert_eq!(err, "", "{out}");
    let (json_code, json, _) = run(files, recommended, &[args, &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let held = &json["as_recommended"];
    let line = out.lines().next().unwrap().to_string();
    assert_eq!(held["text"], line.as_str());
    let verdict = match line.split(':').next().unwrap() {
        "as recommended" => "yes",
        "not as recommended" => "no",
        "cannot tell whether it is as recommended" => "unknown",
        other => panic!("{other}"),
    };
    assert_eq!((code, json_code), (i32::from(verdict == "no"), code), "{line}");
    assert_eq!(held["verdict"], verdict, "{line}");
    line
}

/// A case of `corpora/boots` by its kernel, or the text itself.
fn case(text: &str, folder: &Path) -> (PathBuf, &'static [&'static str]) {
    let boot = corpora().join(format!("boots/{text}.txt"));
    if !boot.exists() {
        let file = folder.join("next.txt");
        fs::write(&file, text.replace("\\n", "\n")).unwrap();
        return (file, &[]);
    }
    let kernel: &[&str] = match text.split('-').nth(1).unwrap() {
        "k612" => &["--kernel", "6.12.117+deb13-arm64"],
        "k16" => &["--kernel", "6.12.117+deb13-arm64-16k"],
        _ => &["--kernel", "7.3.4+deb13-arm64"],
    };
    (boot, kernel)
}

/// Boots of real kernels, and texts of other kernels, architectures, programs and files.
#[test]
fn each_text_is_held_against_what_was_advised() {
    let table = include_str!("recommended/table.txt").lines().filter(|row| !row.starts_with('#'));
    let folder = TempDir::new().unwrap();
    let mut rows = 0;
    for row in table {
        let [text, areas, cap, line] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let (file, kernel) = case(text, folder.path());
        let found = first(&[&file], &recommendation(areas, cap.parse().ok()), kernel);
        assert_eq!(found, line, "{text}");
        rows += 1;
    }
    assert!(rows > 30, "{rows}");
}

#[test]
fn the_reason_and_the_cure_are_beside_it() {
    let log = corpora().join("boots/cmd-k612-cma128-two.txt");
    let (_, out, _) = run(&[&log], &recommendation(TWO, Some(4)), &[]);
    let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "do: to use the node, take cma= off the command line",
        "advised linux,cma of 32 MiB, the default area: no: node linux,cma was left out: cma= on \
         the command line overrides it (lines 1, 2, 7, 9, 39). To use the node, take cma= off",
        "advised vpu_pool of 24 MiB: yes: node vpu_pool of 24 MiB was placed at 0x7e800000",
        "advised cap 4: unknown: nothing in this text shows it; `zcat",
    ] {
        assert!(flat.contains(part), "{part}: {out}");
    }
    let (_, page, _) = run(&[&log], &recommendation(TWO, Some(4)), &["--format", "html"]);
    assert!(page.contains("<p><b>Not as recommended: node linux,cma was left out"), "{page}");
    let (_, json, _) = run(&[&log], &recommendation(TWO, Some(4)), &["--format", "json"]);
    let held = &serde_json::from_str::<Value>(&json).unwrap()["as_recommended"];
    let verdicts = held["areas"].as_array().unwrap().iter().map(|area| &area["verdict"]);
    assert_eq!(verdicts.collect::<Vec<_>>(), ["no", "yes"]);
    assert_eq!(
        (&held["areas"][1]["has_bytes"], &held["cap"]["verdict"]),
        (&(24 << 20).into(), &"unknown".into())
    );
}

/// CSV has a row for each failure, as ever: what is not as advised is on standard error.
#[test]
fn rows_stay_as_they_are() {
    let log = corpora().join("boots/dts-k73-def32.txt");
    let (code, out, err) = run(&[&log], &recommendation(TWO, None), &["--format", "csv"]);
    assert_eq!((code, out.lines().count()), (1, 1), "{out}");
    assert!(err.starts_with("not as recommended: CmaTotal is 32 MiB"), "{err}");
}

#[test]
fn a_failure_on_what_was_advised_is_news() {
    let board = |name: &str| corpora().join(format!("logs/board/{name}.txt.gz"));
    let two = "linux,cma=64* vpu_pool=24";
    let held = |run: &str, cap| {
        let files = [board(&format!("{run}-dmesg")), board(&format!("{run}-trace"))];
        first(&[&files[0], &files[1]], &recommendation(two, Some(cap)), &[])
    };
    let has = "linux,cma has 64 MiB; vpu_pool has 24 MiB";
    let calls = "order 4 is asked for by 1499 calls for 18 to 768 pages (the first on line 13)";
    let yes = format!("as recommended: {has}; cap 4: {calls}; and yet 11 requests failed");
    assert_eq!(held("7.3-rcap4-24", 4), yes);
    // Callers may have a cap of their own.
    let unknown = format!(
        "cannot tell whether it is as recommended: whether the cap is 8 is not clear: {calls}"
    );
    assert_eq!(held("7.3-rcap4-24", 8), unknown);
    assert_eq!(
        held("7.3-rerun24", 4),
        "not as recommended: the cap is not 4: order 8 is asked for by 853 calls for 257 to 768 \
         pages (the first on line 20)"
    );
    let log = board("7.3-cma33M-default-dmesg");
    for mib in [33, 34] {
        let line = first(&[&log], &recommendation(&format!("reserved={mib}*"), None), &[]);
        assert_eq!(line, "as recommended: reserved has 34 MiB; and yet 246 requests failed");
    }
}

/// A trace with so many calls of these pages and order, each of a client.
fn trace(calls: &[(&str, u64, u64, u32)]) -> String {
    let all = calls.iter().flat_map(|(client, times, pages, order)| {
        (0..*times).map(move |_| (*client, *pages, *order))
    });
    let call = |(at, (client, pages, order)): (usize, (&str, u64, u32))| {
        let of = format!("{client}-7 [000] ..... {}.0", at + 1);
        let first = 4096 * at;
        format!(
            "{of}00000: cma_alloc_start: name=r count={pages} align={order}\n\
             {of}00009: cma_alloc_finish: name=r pfn={first:#x} page=0000000000000000 count={pages} \
             align={order} errorno=0\n"
        )
    };
    all.enumerate().map(call).collect()
}

#[test]
fn calls_show_a_cap_where_they_are_more_than_one_driver_s() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("trace.txt");
    let line = |calls: &[_], cap| {
        fs::write(&file, trace(calls)).unwrap();
        first(&[&file], &recommendation("", Some(cap)), &[])
    };
    // 300 pages have order 9 where no cap is lower: a single driver may name it.
    let one = line(&[("vpu", 1, 300, 9)], 4);
    assert_eq!(
        one,
        "cannot tell whether it is as recommended: whether the cap is 4 is not clear: order 9 is \
         asked for by 1 call for 300 pages (the first on line 1), so it is no less"
    );
    let many = line(&[("vpu", 20, 300, 9)], 4);
    assert!(many.starts_with("not as recommended: the cap is not 4: order 9 is"), "{many}");
    // Two clients, each with a cap: one of them has its own.
    let two = [("vpu", 9, 300, 8), ("vpu", 9, 600, 8), ("heap", 9, 40, 4), ("heap", 9, 300, 4)];
    let both = line(&two, 4);
    assert!(both.starts_with("cannot tell") && both.contains("order 8 is asked for"), "{both}");
    let eight = line(&two, 8);
    assert!(
        eight.starts_with("as recommended: cap 8: order 8 is asked for by 18 calls"),
        "{eight}"
    );
}

#[test]
fn a_file_that_is_no_recommendation_is_refused_before_anything_is_written() {
    let log = corpora().join("boots/dts-k73-def32.txt");
    for (text, why) in [
        ("alloc failed", "line 1, column 1: not as expected: expected value"),
        ("{\"schema\": 1}", "it has no key \"recommended\""),
        ("{\"schema\": 9, \"recommended\": 1}", "its schema is 9, and this cmalab reads 1"),
    ] {
        let (code, out, err) = run(&[&log], text, &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{text}");
        assert!(err.starts_with("error: failed to read") && err.contains(why), "{err}");
        assert!(err.contains("recommend.json") && err.contains("-o FILE`"), "{err}");
    }
}
