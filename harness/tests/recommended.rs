//! `cmalab diagnose --recommended`: whether the next boot is as it was advised.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

const DEFAULT: &[(&str, u64, bool)] = &[("linux,cma", 32, true)];
const TWO: &[(&str, u64, bool)] = &[("linux,cma", 32, true), ("vpu_pool", 24, false)];

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// The file of these areas (name, MiB, whether it is the default one) and this cap.
fn recommendation(areas: &[(&str, u64, bool)], cap: Option<u32>) -> String {
    let area = |(name, mib, default): &(&str, u64, bool)| json!({ "name": name, "bytes": mib << 20, "default": default });
    let areas: Vec<_> = areas.iter().map(area).collect();
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

/// The first line of a text.
fn of_text(text: &str, areas: &[(&str, u64, bool)], cap: Option<u32>) -> String {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("next.txt");
    fs::write(&log, text).unwrap();
    first(&[&log], &recommendation(areas, cap), &[])
}

#[test]
fn boots_of_real_kernels_are_held_against_what_was_advised() {
    let table: &[(&str, &[(&str, u64, bool)], &str)] = &[
        ("dts-k73-two", TWO, "as recommended: linux,cma has 32 MiB; vpu_pool has 24 MiB"),
        ("dts-k612-two", TWO, "as recommended: linux,cma has 32 MiB; vpu_pool has 24 MiB"),
        ("dts-k16-def32", DEFAULT, "as recommended: linux,cma has 32 MiB"),
        (
            "dts-k73-def32",
            &[("linux,cma", 28, true)],
            "not as recommended: linux,cma has 32 MiB, not 28 MiB",
        ),
        (
            "dts-k73-def32",
            TWO,
            "not as recommended: CmaTotal is 32 MiB, less than what is recommended with vpu_pool (56 MiB)",
        ),
        ("dts-k612-fixed2m", &[("cma", 50, false)], "as recommended: cma has 50 MiB"),
        // The kernel rounds up what the command line asks for.
        ("cmd-k16-cma48", &[("reserved", 48, true)], "as recommended: reserved has 64 MiB"),
        ("cmd-k73-cma1m", &[("reserved", 1, true)], "as recommended: reserved has 2 MiB"),
        (
            "cmd-k612-cma1m",
            &[("reserved", 3, true)],
            "not as recommended: reserved has 2 MiB, not 3 MiB",
        ),
        // The default area may be made by another way.
        (
            "cmd-k73-cma128-two",
            &[("linux,cma", 128, true)],
            "as recommended: the default area has 128 MiB, by cma=128M and not linux,cma",
        ),
        (
            "cmd-k73-cma128-two",
            TWO,
            "not as recommended: node linux,cma was left out: cma= on the command line overrides it",
        ),
        (
            "cmd-k612-cma0-def32",
            DEFAULT,
            "not as recommended: node linux,cma was left out: cma=0 is on the command line",
        ),
        (
            "dts-k73-two",
            &[("reserved", 64, true)],
            "not as recommended: the default area is node linux,cma with 32 MiB, not reserved of 64 MiB",
        ),
        (
            "dts-k612-twodef",
            &[("pool_a", 32, true)],
            "not as recommended: node pool_a of 32 MiB was placed at 0x7e000000, and is not the default area: node pool_b has linux,cma-default too and was set up later",
        ),
        (
            "dts-k612-twodef",
            &[("pool_a", 32, false), ("pool_b", 24, true)],
            "as recommended: pool_a has 32 MiB; pool_b has 24 MiB",
        ),
        (
            "dts-k73-odd33",
            &[("linux,cma", 33, true)],
            "not as recommended: node linux,cma was refused: its size is no multiple of this kernel's 2 MiB; the default area that was made instead has 64 MiB",
        ),
        (
            "dts-k612-smallrange",
            DEFAULT,
            "not as recommended: node linux,cma of 32 MiB was not placed: nothing in its alloc-ranges is free and large enough (their numbers are not in the text); the default area that was made instead has 64 MiB, not 32 MiB",
        ),
        (
            "dts-k73-noreus",
            DEFAULT,
            "not as recommended: node linux,cma of 32 MiB became a DMA pool, which is no area: it has no `reusable`; the default area that was made instead has 64 MiB",
        ),
    ];
    for (case, areas, line) in table {
        let kernel = match case.split('-').nth(1).unwrap() {
            "k612" => "6.12.117+deb13-arm64",
            "k16" => "6.12.117+deb13-arm64-16k",
            _ => "7.3.4+deb13-arm64",
        };
        let log = corpora().join(format!("boots/{case}.txt"));
        let found = first(&[&log], &recommendation(areas, None), &["--kernel", kernel]);
        assert_eq!(found, *line, "{case}");
    }
}

#[test]
fn the_reason_and_the_cure_are_beside_it() {
    let log = corpora().join("boots/cmd-k612-cma128-two.txt");
    let (_, out, _) = run(&[&log], &recommendation(TWO, Some(4)), &[]);
    let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "do: to use the node, take cma= off the command line",
        "advised linux,cma of 32 MiB, the default area: no: node linux,cma was left out: cma= on the \
         command line overrides it (lines 1, 2, 7, 9, 39). To use the node, take cma= off",
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
    let two = [("linux,cma", 64, true), ("vpu_pool", 24, false)];
    let held = |run: &str, cap| {
        let files = [board(&format!("{run}-dmesg")), board(&format!("{run}-trace"))];
        first(&[&files[0], &files[1]], &recommendation(&two, Some(cap)), &[])
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
        "not as recommended: the cap is not 4: order 8 is asked for by 853 calls for 257 to 768 pages \
         (the first on line 20)"
    );
    let log = board("7.3-cma33M-default-dmesg");
    for mib in [33, 34] {
        let line = first(&[&log], &recommendation(&[("reserved", mib, true)], None), &[]);
        assert_eq!(line, "as recommended: reserved has 34 MiB; and yet 246 requests failed");
    }
}

#[test]
fn texts_of_all_kinds_are_read() {
    let default = |mib| [("reserved", mib, true)];
    for (text, areas, line) in [
        // 4.x and 5.x, x86 and journals.
        (
            "[    0.000000] cma: Reserved 320 MiB at 0x20000000\n",
            default(320),
            "as recommended: reserved has 320 MiB",
        ),
        (
            "[    0.000000] cma: Reserved 320 MiB at 0x20000000\n",
            default(352),
            "not as recommended: reserved has 320 MiB, not 352 MiB",
        ),
        (
            "Nov 30 10:00:00 board kernel: Command line: quiet cma=66M\n\
             Nov 30 10:00:00 board kernel: cma: Reserved 68 MiB at 0x00000000b0000000\n",
            default(66),
            "as recommended: reserved has 68 MiB",
        ),
        // 32-bit Arm.
        (
            "Linux version 5.4.1 (a@b) (arm-linux-gnueabihf-gcc) #1\n\
             Reserved memory: created CMA memory pool at 0x3c000000, size 64 MiB\n\
             OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n",
            [("linux,cma", 64, true)],
            "as recommended: linux,cma has 64 MiB",
        ),
        // Of several boots the last one counts.
        (
            "[    0.000000] Linux version 6.6.1 (a@b) #1\n[    0.000000] cma: Reserved 32 MiB at 0x20000000\n\
             [    0.000000] Linux version 6.6.1 (a@b) #2\n[    0.000000] cma: Reserved 64 MiB at 0x20000000\n",
            default(64),
            "as recommended: reserved has 64 MiB",
        ),
        // No boot: what the kernel that runs says.
        (
            "/sys/kernel/mm/cma/vpu/total_pages:7168\n$ getconf PAGESIZE\n4096\n",
            [("vpu", 28, false)],
            "as recommended: vpu has 28 MiB (by what the running kernel shows)",
        ),
        (
            "/sys/kernel/mm/cma/vpu/total_pages:7168\n$ getconf PAGESIZE\n4096\n",
            [("vpu", 32, false)],
            "not as recommended: vpu has 28 MiB, not 32 MiB (by what the running kernel shows)",
        ),
        (
            "/sys/kernel/mm/cma/vpu/total_pages:2048\n",
            [("vpu", 32, false)],
            "cannot tell whether it is as recommended: vpu has 2048 pages, and the size of a page is not in the text",
        ),
        (
            "CmaTotal:  65536 kB\n",
            default(64),
            "as recommended: CmaTotal is 64 MiB, which leaves 64 MiB for reserved (by the sum alone)",
        ),
        (
            "CmaTotal:  98304 kB\n",
            default(64),
            "cannot tell whether it is as recommended: the text does not mention reserved, and CmaTotal (96 MiB) does not show it",
        ),
        (
            "CmaTotal:  32768 kB\n",
            default(64),
            "not as recommended: CmaTotal is 32 MiB, less than what is recommended with reserved (64 MiB)",
        ),
        (
            "usb 1-1: new device\n",
            default(64),
            "cannot tell whether it is as recommended: the text does not mention reserved",
        ),
        // A device tree alone.
        (
            "p: vpu { size = <0x2000000>; compatible = \"shared-dma-pool\"; reusable; };\n",
            [("vpu", 32, false)],
            "cannot tell whether it is as recommended: node vpu of 32 MiB: what became of it is not in the text",
        ),
        (
            "p: vpu { size = <0x2000000>; compatible = \"shared-dma-pool\"; reusable; };\n",
            [("vpu", 24, false)],
            "not as recommended: the device tree asks for 32 MiB for vpu, not 24 MiB",
        ),
    ] {
        assert_eq!(of_text(text, &areas, None), line, "{text}");
    }
    // One may have what the other lacks.
    let line = of_text("CmaTotal:  57344 kB\n", TWO, None);
    assert!(
        line.contains("vpu_pool; CmaTotal is 56 MiB, as all recommended areas have together"),
        "{line}"
    );
}

#[test]
fn a_configuration_shows_the_cap() {
    for (text, line) in [
        ("CONFIG_CMA_ALIGNMENT=4\n", "as recommended: cap 4: CONFIG_CMA_ALIGNMENT=4 (line 1)"),
        (
            "x\nCONFIG_CMA_ALIGNMENT=8\n",
            "not as recommended: the cap is not 4: CONFIG_CMA_ALIGNMENT=8 (line 2)",
        ),
        (
            "CONFIG_CMA_ALIGNMENT=8\nCONFIG_CMA_ALIGNMENT=4\n",
            "cannot tell whether it is as recommended: whether the cap is 4 is not clear: CONFIG_CMA_ALIGNMENT=8 (line 1), CONFIG_CMA_ALIGNMENT=4 (line 2)",
        ),
        (
            "usb 1-1: new device\n",
            "cannot tell whether it is as recommended: nothing in this text shows whether the cap is 4",
        ),
    ] {
        assert_eq!(of_text(text, &[], Some(4)), line, "{text}");
    }
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
