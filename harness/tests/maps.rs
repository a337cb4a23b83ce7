//! Maps of real bitmaps over the time: what `collect -t` reads, and what a log shows.

use std::fs;
use std::path::Path;
use std::process::Command;

use cma_harness::diagnose::Options;
use cma_harness::ingest::Source;
use cma_harness::view::{CLIENTS, Doomed, Film, Snapshots, State, doomed, snapshots};
use cma_policies::Run;
use proptest::prelude::*;
use serde_json::Value;

/// A trace of a board of 64 pages with a refused call, its failure line with a list, and where it
/// lies. Readings may stand where a mark is.
const BOARD: &str = "\
==> /sys/kernel/debug/cma/vpu/base_pfn <==
4096

==> /sys/kernel/debug/cma/vpu/count <==
64

==> /sys/kernel/debug/cma/vpu/bitmap <==
65535 0

%
==> /sys/kernel/tracing/trace <==
 a-7 [000] .... 61.000001: cma_alloc_start: name=vpu count=32 align=5
 a-7 [000] .... 61.000009: cma_alloc_finish: name=vpu pfn=0x1020 page=1 count=32 align=5 errorno=0
 a-7 [000] .... 62.000001: cma_alloc_start: name=vpu count=32 align=5
 a-7 [000] .... 62.000009: cma_alloc_finish: name=vpu pfn=0x0 page=0 count=32 align=5 errorno=-12

%
==> dmesg <==
[   62.000010] cma: cma_alloc: vpu: alloc failed, req-size: 32 pages, ret: -12
[   62.000011] cma: number of available pages: 16@16=> 16 free of 64 total pages
%";

/// Readings of other moments, which contradict what is beside them.
const READINGS: &str = "\
==> snapshot 61.50 /sys/kernel/debug/cma/vpu/bitmap <==
0 4294967295

==> snapshot 62.50 /sys/kernel/debug/cma/vpu/bitmap <==
0 0
";

fn cmalab(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cmalab"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The board's text with readings at the places that `has` them, and as many lines where not.
fn board(has: [bool; 3]) -> String {
    let blank: String = READINGS.lines().map(|_| "-\n").collect();
    let pieces = BOARD.split('%').filter(|piece| !piece.is_empty());
    let between = has.map(|has| if has { READINGS } else { &blank });
    pieces.zip(between).map(|(piece, between)| format!("{piece}{between}")).collect()
}

#[test]
fn readings_of_other_moments_change_no_verdict_and_no_replay() {
    let said = |has: [bool; 3], args: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("board.txt"), board(has)).unwrap();
        let args = [&args[..1], &["board.txt"], &args[1..]].concat();
        let (code, out, err) = cmalab(folder.path(), &args);
        assert_eq!(code, 0, "{err}");
        out
    };
    let commands: [&[&str]; 4] = [
        &["diagnose", "--format", "json"],
        &["diagnose", "--format", "text"],
        &["replay", "--format", "json"],
        &["view", "--format", "json"],
    ];
    for args in commands {
        let plain = said([false; 3], args);
        assert!(plain.contains("exhausted") || args[0] == "replay", "{plain}");
        for bits in 1..8 {
            let has = [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0];
            assert_eq!(said(has, args), plain, "{args:?} {has:?}");
        }
    }
}

fn seen(text: &str) -> Snapshots {
    let source = Source::bytes("board.txt", text.as_bytes());
    snapshots(&[source], &Options::default(), None).unwrap()
}

/// The pages that are not free at the end of moment `number`, and those of them that are hidden.
fn used(film: &Film, number: u64) -> (Vec<u64>, Vec<u64>) {
    let after = film.events.partition_point(|event| event.op <= number);
    let state = State::before(film, after);
    let pages = |run: Run| run.pfn.0..run.end().0;
    let all: Vec<u64> = state.live().flat_map(|(run, _)| pages(run)).collect();
    let is_hidden = |buffer: u32| film.buffers[buffer as usize].request.client() == 1;
    let hidden = state.live().filter(|(_, buffer)| is_hidden(*buffer));
    let hidden = hidden.flat_map(|(run, _)| pages(run)).collect();
    let free: u64 = film.area.pages() - all.len() as u64;
    assert_eq!(state.map().free_pages(), free);
    (all, hidden)
}

/// The area `vpu` of 40 pages from 4096 on, then these readings.
fn readings(all: &[(&str, u64)]) -> String {
    let mut text = "==> cma/vpu/base_pfn <==\n4096\n\n==> cma/vpu/count <==\n40\n\n".to_string();
    for (stamp, bits) in all {
        let (low, high) = (*bits as u32, (*bits >> 32) as u32);
        text +=
            &format!("==> snapshot {stamp} /sys/kernel/debug/cma/vpu/bitmap <==\n{low} {high}\n\n");
    }
    text
}

#[test]
fn what_changed_between_two_readings_was_granted_or_given_back() {
    let found = seen(&readings(&[("10.5", 0xff), ("11.5", 0x0f0f), ("12.5", 0x0f0f), ("13.5", 0)]));
    assert!(found.has_time);
    let [film] = &found.films[..] else { panic!("{found:?}") };
    assert!(film.snapshots);
    assert_eq!((film.ops, film.before, film.span_us()), (4, 1, Some((10_500_000, 13_500_000))));
    let pages = |range: std::ops::Range<u64>| range.map(|page| 4096 + page).collect::<Vec<_>>();
    assert_eq!(used(film, 0).0, pages(0..8));
    assert_eq!(used(film, 1).0, [pages(0..4), pages(8..12)].concat());
    assert_eq!(used(film, 2), used(film, 1));
    assert_eq!(used(film, 3), (vec![], vec![]));
    // Half of the first run, a new one, and at last all of both.
    assert_eq!(film.buffers.len(), 2);
    assert_eq!(film.events.len(), 5);
}

#[test]
fn bitmaps_without_a_stamp_are_numbered() {
    let bitmap = |words: &str| format!("==> cma/vpu/bitmap <==\n{words}\n\n");
    let text = readings(&[]) + &bitmap("1 0") + "[    5.0] usb 1-1: x\n" + &bitmap("3 0");
    let found = seen(&text);
    assert!(!found.has_time && found.notes.iter().any(|note| note.contains("numbered")));
    let [film] = &found.films[..] else { panic!("{found:?}") };
    let ops: Vec<_> = film.events.iter().map(|event| (event.op, event.at_us)).collect();
    assert_eq!((film.ops, ops), (2, vec![(0, 0), (1, 1)]));
}

#[test]
fn a_failure_is_refused_over_what_was_read_before_it() {
    let failed = "[   11.0] cma: cma_alloc: vpu: alloc failed, req-size: 8 pages, ret: -12\n\
                  [   11.0] cma: number of available pages: 4@4=> 4 free of 40 total pages\n";
    let found = seen(&(readings(&[("10.5", 0xf), ("12.5", 0)]) + failed));
    let [film] = &found.films[..] else { panic!("{found:?}") };
    assert_eq!((film.ops, film.refusals.len()), (3, 1));
    // The list is a state of its own: all but four pages.
    assert_eq!(used(film, 1).0.len(), 36);
    assert_eq!(used(film, 2).0.len(), 0);
    let refusal = &film.refusals[0];
    let event = &film.events[refusal.event as usize];
    assert_eq!((refusal.request.count(), event.op, event.at_us), (8, 1, 11_000_000));
    // From the first change of that moment on, and not in the midst of it.
    let first = film.events.iter().position(|event| event.op == 1).unwrap();
    assert_eq!(doomed(film), [Doomed::Since(first as u32)]);
}

/// Between two readings what is new comes before what goes, but what no list showed may change
/// places: that is no room that anybody saw.
#[test]
fn no_room_is_made_up_within_a_moment() {
    let list = |stamp: &str, runs: &str, free: u64| {
        format!(
            "[   {stamp}] cma: cma_alloc: vpu: alloc failed, req-size: 16 pages, ret: -12\n\
             [   {stamp}] cma: number of available pages: {runs}=> {free} free of 40 total pages\n"
        )
    };
    let text = readings(&[]) + &list("20.0", "8@0", 8) + &list("30.0", "8@32", 8);
    let [film] = &seen(&text).films[..] else { panic!("one area") };
    assert_eq!(film.refusals.len(), 2);
    assert_eq!(doomed(film), [Doomed::Always, Doomed::Always]);
}

#[test]
fn what_a_list_leaves_out_is_not_shown() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpora/logs/imx-note.txt");
    let source = Source::file(Path::new(path));
    let found = snapshots(&[source], &Options::default(), None).unwrap();
    let [film] = &found.films[..] else { panic!("{found:?}") };
    assert_eq!((film.area.pages(), film.ops, found.has_time), (286_720, 1, true));
    let (all, hidden) = used(film, 0);
    assert_eq!(all, hidden);
    assert_eq!(film.area.pages() - all.len() as u64, 2722);
    // The list says where the area lies only up to a pageblock.
    assert!(found.notes.iter().any(|note| note.contains("--base-pfn")), "{:?}", found.notes);
}

#[test]
fn each_range_has_its_own_bitmap() {
    let text = "==> cma/a/ranges/0/base_pfn <==\n4096\n\n==> cma/a/ranges/1/base_pfn <==\n8192\n\n\
                ==> cma/a/count <==\n96\n\n\
                ==> snapshot 1.0 cma/a/ranges/0/bitmap <==\n1 0\n\n\
                ==> snapshot 1.0 cma/a/ranges/1/bitmap <==\n3\n\n\
                ==> snapshot 2.0 cma/a/ranges/0/bitmap <==\n0 0\n\n";
    let [film] = &seen(text).films[..] else { panic!("one area") };
    assert_eq!(film.area.ranges(), [Run::new(4096, 64), Run::new(8192, 32)]);
    assert_eq!(used(film, 0), (vec![4096, 8192, 8193], vec![]));
    // Of the second range nothing is known then.
    let second: Vec<u64> = (8192..8224).collect();
    assert_eq!(used(film, 1), (second.clone(), second));
}

proptest! {
    #[test]
    fn every_moment_is_as_its_bitmap_says(all in prop::collection::vec(0u64..1 << 40, 1..9)) {
        let stamps: Vec<String> = (0..all.len()).map(|at| format!("{}.25", 10 + at)).collect();
        let pairs: Vec<_> = stamps.iter().map(String::as_str).zip(all.iter().copied()).collect();
        let found = seen(&readings(&pairs));
        let [film] = &found.films[..] else { panic!("{found:?}") };
        for (number, bits) in all.iter().enumerate() {
            let pages: Vec<u64> =
                (0..40).filter(|page| bits >> page & 1 != 0).map(|page| 4096 + page).collect();
            prop_assert_eq!(used(film, number as u64), (pages, vec![]));
        }
    }
}

fn view_json(folder: &Path, args: &[&str]) -> Value {
    let (code, out, err) = cmalab(folder, &[&["view", "--format", "json"], args].concat());
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn the_note_on_imx_is_a_map_of_one_moment_with_who_stands_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpora/logs/imx-note.txt");
    let shown = view_json(folder.path(), &[path]);
    let panel = &shown["panels"][0];
    assert_eq!((&panel["snapshots"], &panel["refused"]), (&true.into(), &1.into()));
    let refusal = &panel["refusals"][0];
    let told =
        ["count", "align", "cause", "longest_hole", "longest_usable"].map(|key| &refusal[key]);
    assert_eq!(told, [&456.into(), &8.into(), &"alignment".into(), &511.into(), &Value::from(256)]);
    let best = &refusal["best"][0];
    assert_eq!((&best["pfn"], &best["taken_pages"]), (&58880.into(), &1.into()));
    assert_eq!(best["buffers"][0]["client"], CLIENTS[1]);
    assert!(!folder.path().join("view.html").exists(), "json is all that was asked for");
    let (_, out, _) = cmalab(folder.path(), &["view", path]);
    let page = fs::read_to_string(folder.path().join("view.html")).unwrap();
    assert!(page.contains("\"snapshots\":true"));
    assert!(out.contains("1 moment, 1 request refused"), "{out}");
    assert!(!out.contains("id "), "what has no name has no number: {out}");
}

#[test]
fn what_is_shown_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let text = readings(&[("3.0", 1)]);
    fs::write(folder.path().join("a.txt"), &text).unwrap();
    let (code, out, err) = cmalab(folder.path(), &["view", "a.txt", "-o", "./a.txt"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("failed to write a.txt: it is what is shown"), "{err}");
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), text);
    let (code, ..) = cmalab(folder.path(), &["view", "gone.txt"]);
    assert_eq!(code, 2);
}

#[test]
fn several_texts_are_those_of_one_board() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("files.txt", &readings(&[]));
    put("more.txt", &readings(&[("3.0", 1), ("4.0", 2)]).split_off(readings(&[]).len()));
    let shown = view_json(folder.path(), &["files.txt", "more.txt"]);
    assert_eq!(
        (&shown["areas"][0]["name"], &shown["areas"][0]["pages"]),
        (&"vpu".into(), &40.into())
    );
    assert_eq!(shown["has_time"], true);
}

#[test]
fn what_cannot_be_shown_says_what_would() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("board.txt", &readings(&[("1.0", 3)]));
    put("dmesg.txt", "[    1.0] cma: cma_alloc: vpu: alloc failed, req-size: 8 pages, ret: -12\n");
    put("prose.txt", "nothing of the kind\n");
    let error = |args: &[&str]| {
        let (code, out, err) = cmalab(folder.path(), &[&["view"], args].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(!folder.path().join("view.html").exists());
        err.lines().last().unwrap_or_default().to_string()
    };
    for option in [["--policy", "kernel"], ["--cap", "4"], ["--environment", "quiet"]] {
        let err = error(&[&["board.txt"][..], &option].concat());
        assert!(err.contains(option[0]) && err.contains("leave it out"), "{err}");
    }
    for args in [&["dmesg.txt"][..], &["board.txt", "--area", "camera"]] {
        let err = error(args);
        assert!(err.contains("sh collect.sh -t 60"), "{err}");
    }
    let err = error(&["prose.txt"]);
    assert!(err.contains("prose.txt"), "{err}");
}

/// Where the area begins is not known: above the order of a pageblock that decides what is usable.
#[test]
fn nothing_is_said_of_an_order_that_the_unknown_base_decides() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpora/logs/7.3/m1.txt");
    for (base_pfn, refused) in [(None, 0), (Some(512), 1)] {
        let mut options = Options::default();
        options.geometry.base_pfn = base_pfn;
        let source = Source::file(Path::new(path));
        let found = snapshots(&[source], &options, Some("lab0")).unwrap();
        let [film] = &found.films[..] else { panic!("{found:?}") };
        // 1024 pages at order 10 in an empty area of 1024.
        assert_eq!((film.area.pages(), film.refusals.len()), (1024, refused), "{found:?}");
        let says = found.notes.iter().any(|note| note.contains("an order above 9"));
        assert_eq!(says, refused == 0, "{:?}", found.notes);
        assert_eq!(doomed(film), vec![Doomed::Always; refused]);
    }
}

/// The page of `diagnose`, and the parts of it by their headings.
fn diagnosed(folder: &Path, args: &[&str]) -> (String, Vec<String>) {
    let (code, page, err) = cmalab(folder, &[&["diagnose", "--format", "html"], args].concat());
    assert_eq!(code, 0, "{err}");
    let ids = page.split("<section id=\"").skip(1);
    let ids = ids.map(|rest| rest.split('"').next().unwrap().to_string()).collect();
    (page, ids)
}

#[test]
fn the_first_picture_of_a_diagnosis_is_the_area_over_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| format!("{}/../corpora/logs/board/{name}", env!("CARGO_MANIFEST_DIR"));
    let dmesg = text("7.3-dmaheap-two-pools-dmesg.txt.gz");
    let trace = text("7.3-dmaheap-two-pools-trace.txt.gz");
    let (page, sections) = diagnosed(folder.path(), &[&dmesg, &trace]);
    assert_eq!(sections[0], "over-time", "{sections:?}");
    let map = page.split("</section>").next().unwrap();
    assert_eq!(map.matches("href=\"data:image/png;base64,").count(), 1);
    for part in [
        "vpu_pool, 6144 pages (24 MiB)",
        "refused: 320 pages, order 8",
        "no place from here on",
        "100 of 474 requests refused",
        "No place for it since op 26",
        "cmalab view 7.3-dmaheap-two-pools-dmesg.txt.gz 7.3-dmaheap-two-pools-trace.txt.gz --area \
         vpu_pool",
    ] {
        assert!(map.contains(part), "{part}");
    }
    for class in ["first", "doomed", "refused", "free-pages", "hole", "usable", "asked"] {
        assert!(map.contains(&format!("<path class=\"{class}\" d=\"M")), "{class}");
    }
    assert!(!page.contains("<script") && !page.contains("://"));
    // Without the trace, and where a trace is of another area, it is as it was.
    for args in [&[&*dmesg][..], &[&*dmesg, "other.txt"]] {
        let other = " a-7 [000] .... 1.5: cma_alloc_start: name=camera count=4 align=2\n";
        fs::write(folder.path().join("other.txt"), other).unwrap();
        let (page, sections) = diagnosed(folder.path(), args);
        assert_ne!(sections[0], "over-time");
        assert!(!page.contains("still-map") && !page.contains("data:image"));
    }
}

#[test]
fn events_are_counted_only_as_far_as_they_matter() {
    let source = Source::bytes("board.txt", BOARD.as_bytes());
    let events = |most| cma_harness::reader::events(&source, most).unwrap();
    assert_eq!([events(3), events(4), events(100)], [3, 4, 4]);
}
