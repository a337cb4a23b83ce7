//! Small inputs from the recordings of 7.3.4, each with what is right: `corpora/logs/7.3`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/7.3").join(name)
}

fn run(command: &str, args: &[&str], paths: &[PathBuf]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = run.arg(command).args(paths).args(args).output().unwrap();
    assert!(output.status.success(), "{paths:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a diagnosis of these texts says, as text and as an object.
fn of(paths: &[PathBuf]) -> (String, Value) {
    let text = run("diagnose", &[], paths).split_whitespace().collect::<Vec<_>>().join(" ");
    let object = run("diagnose", &["--format", "json"], paths);
    (text, serde_json::from_str(&object).unwrap())
}

fn diagnosed(names: &[&str]) -> (String, Value) {
    of(&names.iter().map(|name| corpus(name)).collect::<Vec<_>>())
}

/// A text that is no file of the corpus.
fn written(text: &str) -> (String, Value) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    of(&[path])
}

/// The failures in short: `fragmentation certain`.
fn verdicts(object: &Value) -> Vec<String> {
    let word = |failure: &Value, key: &str| failure[key].as_str().unwrap().to_string();
    let failures = object["failures"].as_array().unwrap().iter();
    failures.map(|one| format!("{} {}", word(one, "verdict"), word(one, "confidence"))).collect()
}

#[test]
fn f1b_is_whole_though_its_tail_counts_pages_and_its_run_bits() {
    let (text, object) = diagnosed(&["f1b.txt"]);
    assert_eq!(verdicts(&object), ["fragmentation certain"]);
    let list = &object["failures"][0]["list"];
    assert_eq!(
        (&list["complete"], &list["free"], &list["largest_run"]),
        (&Value::from(true), &Value::from(100), &Value::from(64))
    );
    let said =
        "largest run 64 < 80; 100 pages are available by the counter, 64 are free in the bitmap";
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_list_with_a_run_of_an_odd_length_must_make_up_what_its_tail_states() {
    let text = fs::read_to_string(corpus("f1b.txt")).unwrap().replace("64@252", "63@252");
    let (_, object) = written(&text);
    assert_eq!(object["failures"][0]["list"]["complete"], false);
    assert_eq!(verdicts(&object), ["undecidable guess"]);
}

#[test]
fn m1_and_m2_had_nothing_busy_and_the_order_of_the_line_above() {
    for name in ["m1.txt", "m2.txt"] {
        let (text, object) = diagnosed(&[name]);
        assert_eq!(verdicts(&object), ["alignment likely"], "{name}");
        let failure = &object["failures"][0];
        let order = (failure["align"].as_u64(), failure["align_from"].as_str());
        assert_eq!(order, (Some(10), Some("debug")), "{name}");
        assert!(
            text.contains("no place was busy") && text.contains("base_pfn is missing"),
            "{text}"
        );
    }
}

/// Up to 6.14 a request for more than the area has ends without a word, too.
#[test]
fn a_call_for_more_than_the_area_has_does_not_spoil_the_order_of_a_later_one() {
    let lines = "\
[   39.125416] cma: __cma_alloc(cma 000000004d7a8c8a, name: lab0, count 1025, align 0)\n\
[   39.125687] cma: __cma_alloc(cma 000000004d7a8c8a, name: lab0, count 1024, align 0)\n\
[   39.126477] cma: __cma_alloc(): returned 00000000fd0aa0c1\n\
[   39.126690] cma: cma_release(page 00000000fd0aa0c1, count 1024)\n\
[   39.126816] cma: __cma_alloc(cma 000000004d7a8c8a, name: lab0, count 1024, align 10)\n\
[   39.126936] cma: __cma_alloc: lab0: alloc failed, req-size: 1024 pages, ret: -12\n\
[   39.126945] cma: number of available pages: 1024@0=> 1024 free of 1024 total pages\n\
[   39.126963] cma: __cma_alloc(): returned 0000000000000000\n";
    let (text, object) = written(lines);
    let failure = &object["failures"][0];
    let order = (failure["align"].as_u64(), failure["align_from"].as_str());
    assert_eq!(order, (Some(10), Some("debug")), "{text}");
}

#[test]
fn lab8_is_bounded_by_count_used_and_maxchunk() {
    let (text, object) = diagnosed(&["lab8"]);
    assert!(text.contains("lab8: 22528 of 22528 pages free, the longest run 16384"), "{text}");
    let area = &object["areas"][0];
    let numbers = ["pages", "free", "available", "largest_run"].map(|key| area[key].as_u64());
    assert_eq!(numbers, [22528, 22528, 22528, 16384].map(Some));
}

#[test]
fn tt_has_a_border_where_two_ranges_touch() {
    let (text, object) = diagnosed(&["tt.txt"]);
    assert_eq!(verdicts(&object), ["fragmentation likely"]);
    assert!(text.contains("the area has several ranges, and one ends"), "{text}");
    assert!(!text.contains("they fit"), "{text}");
}

#[test]
fn tmf_beside_its_ranges_is_fragmentation_three_times() {
    for names in [["snapm0.txt", "tmf.txt"], ["tmf.txt", "snapm0.txt"]] {
        let (_, object) = diagnosed(&names);
        let said = verdicts(&object);
        assert_eq!(said[..3], ["fragmentation certain"; 3], "{names:?} {said:?}");
        assert!(said[3..].iter().all(|one| one == "too_large certain"), "{names:?} {said:?}");
    }
}

#[test]
fn tmf_replays_in_both_of_its_ranges() {
    let snapshot = corpus("snapm0.txt");
    let snapshot = snapshot.to_str().unwrap();
    let args = ["--snapshot", snapshot, "--policy", "kernel", "--expect", "recorded"];
    let said = run("replay", &args, &[corpus("tmf.txt")]);
    assert!(said.contains(" 0 mismatches"), "{said}");
    assert!(said.contains("102 are answered as traced, 0 differently"), "{said}");
}

#[test]
fn an_area_without_a_free_bit_is_exhausted_whatever_its_counter_has_left() {
    let list = "[1.0] cma: __cma_alloc_frozen: x: alloc failed, req-size: 1 pages, ret: -16\n\
                [1.0] cma: number of available pages: \n[1.0] cma: range 0: \n[1.0] cma: \n\
                [1.0] => 512 free of 16896 total pages\n";
    let (text, object) = written(list);
    assert_eq!(verdicts(&object), ["exhausted certain"]);
    assert!(text.contains("no bit of the area is free"), "{text}");
}

#[test]
fn a_snapshot_of_another_area_is_refused() {
    let other = corpus("lab8");
    let args = ["replay".into(), corpus("tmf.txt"), "--snapshot".into(), other];
    let out = Command::new(env!("CARGO_BIN_EXE_cmalab")).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("22528 pages of area lab0, its events 6144"), "{said}");
}

#[test]
fn skip_is_across_a_hole_and_not_busy() {
    let (text, object) = diagnosed(&["skip.txt"]);
    assert_eq!(verdicts(&object), ["undecidable guess"]);
    assert!(text.contains("pages across a hole of the memmap"), "{text}");
    assert!(!text.contains("in use by somebody"), "{text}");
}

#[test]
fn sl3_is_the_list_of_the_call_within_which_it_was_printed() {
    for names in [["sl3.txt", "sl3-trace.txt"], ["sl3-trace.txt", "sl3.txt"]] {
        let (_, object) = diagnosed(&names);
        assert_eq!(verdicts(&object), ["exhausted certain"], "{names:?}");
        let failure = &object["failures"][0];
        assert_eq!((&failure["count"], &failure["list"]["free"]), (&600.into(), &512.into()));
    }
    // Another call of the same moment had other pages left.
    let trace = fs::read_to_string(corpus("sl3-trace.txt")).unwrap();
    let list = fs::read_to_string(corpus("sl3.txt")).unwrap();
    let (_, object) = written(&(trace.replace("count=512", "count=511") + &list));
    assert_eq!(verdicts(&object).len(), 2);
}

#[test]
fn two_clocks_a_second_apart_are_found_and_said() {
    let line = |s: u64, us: u64| {
        format!(
            "[{s:5}.{us:06}] cma: __cma_alloc_frozen: lab0: alloc failed, req-size: 600 pages, \
             ret: -16\n"
        )
    };
    let call = |s: u64, us: u64| {
        let from = format!("feeder-9 [000] ..... {s}.{us:06}: cma_alloc_start: name=lab0 ");
        let to =
            format!("feeder-9 [000] ..... {s}.{:06}: cma_alloc_finish: name=lab0 ", us + 90_000);
        from + "request_count=600 available_count=512 total_count=1024 align=3\n"
            + &to
            + "pfn=0x0 page=0000000000000000 count=600 align=3 errorno=-16\n"
    };
    // Each list takes 87 ms on a serial console, so the calls are as long.
    let log: String = (10..14).map(|s| line(s, 400)).collect();
    let trace: String = (10..14).map(|s| call(s + 1, 20_300)).collect();
    let (text, object) = written(&(log + &trace));
    assert_eq!(verdicts(&object), vec!["exhausted certain"; 4], "{text}");
    assert!(object["failures"].as_array().unwrap().iter().all(|one| one["align"] == 3));
    assert!(text.contains("is 1.019 s ahead of that of the kernel log"), "{text}");
}

#[test]
fn records_of_dev_kmsg_are_read_up_to_the_tail_without_a_prefix() {
    let (text, object) = written(
        "4,1230,82156000,-;cma: __cma_alloc_frozen: lab5: alloc failed, req-size: 80 pages, ret: -16\n\
         6,1231,82156010,-;cma: number of available pages: \n\
         6,1232,82156012,-;cma: range 0: +64@252\n\
         6,1233,82156020,-;cma: \n\
         6,1234,82156022,-;cma: range 1: \n\
         6,1235,82156030,-;cma: \n\
         6,1236,82156032,-;cma: range 2: +16@3+16@18\n\
         6,1237,82156040,-;cma: \n\
         6,1238,82156042,c;=> 130 free of 12288 total pages\n",
    );
    assert_eq!(verdicts(&object), ["fragmentation certain"], "{text}");
    let failure = &object["failures"][0];
    assert_eq!(failure["time_s"].as_f64(), Some(82.156));
    assert_eq!((&failure["list"]["runs"], &failure["list"]["free"]), (&3.into(), &130.into()));
}

/// The record of range 1 is missing; its empty one is there.
#[test]
fn an_empty_record_without_its_range_is_a_piece_that_is_missing() {
    let text = fs::read_to_string(corpus("f1b.txt")).unwrap();
    let (_, object) = written(&text.replace("[    5.0] =>", "[    5.0] cma: \n[    5.0] =>"));
    assert_eq!(verdicts(&object), ["undecidable guess"]);
}

#[test]
fn exhausted_by_the_counter_though_the_bitmap_has_a_place() {
    let (text, object) = written(
        "[    5.0] cma: __cma_alloc_frozen: lab9: alloc failed, req-size: 16384 pages, ret: -16\n\
         [    5.0] cma: number of available pages: \n\
         [    5.0] cma: range 0: 16384@0\n\
         [    5.0] cma: \n\
         [    5.0] => 16374 free of 16384 total pages\n",
    );
    assert_eq!(verdicts(&object), ["exhausted certain"]);
    assert!(text.contains("only 16374 pages are available by the counter"), "{text}");
    assert!(text.contains("16384 are free in its bitmap"), "{text}");
}

#[test]
fn parts_of_buffers_given_back_to_bits_of_several_pages_are_warned_of() {
    let call = |pfn: u64, count: u64, left: u64| {
        format!(
            "f-1 [000] ..... 1.5: cma_alloc_start: name=lab9 request_count={count} \
             available_count={left} total_count=16384 align=0\n\
             f-1 [000] ..... 1.6: cma_alloc_finish: name=lab9 pfn={pfn:#x} page=00000000394c832c \
             count={count} align=0 errorno=0\n"
        )
    };
    let free = |pfn: u64, count: u64| {
        format!(
            "f-1 [000] ..... 1.7: cma_release: name=lab9 pfn={pfn:#x} page=00000000394c832c count={count}\n"
        )
    };
    let grants = call(0x14c200, 100, 16384) + &call(0x14c270, 15, 16284);
    let (text, _) = written(&(grants.clone() + &free(0x14c270, 5)));
    assert!(
        text.contains("whose order_per_bit seems to be, by where its buffers went, 4"),
        "{text}"
    );
    let (text, _) = written(&(grants + &free(0x14c270, 15)));
    assert!(!text.contains("order_per_bit"), "{text}");
    // Bits of single pages: a part leaves nothing behind.
    let close = call(0x14c200, 100, 16384) + &call(0x14c264, 15, 16284) + &free(0x14c264, 5);
    assert!(!written(&close).0.contains("order_per_bit"));
}
