//! Whole texts: every message however it is broken and quoted, and the logs of `corpora/logs`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use crate::ingest::Source;
use crate::ingest::log::{FreeRuns, Origin, Page, RangeRuns, Record, Shape, open};

fn records(text: &[u8]) -> Vec<Record> {
    let records = open(&Source::bytes("test", text)).expect("opens");
    records.filter_map(Result::ok).map(|found| found.record).collect()
}

/// A message as the kernel prints it, and what it says.
fn message() -> impl Strategy<Value = (String, Record)> {
    let names = prop::sample::select(vec!["linux,cma", "reserved", "cma", "vpu@1c000000"]);
    let rets = prop::sample::select(vec![-12, -16, -4]);
    let failure = (names.clone(), 1..1_000_000u64, rets, 0..4usize).prop_map(failed);
    let call = (names, 1..100_000u64, 0..13u32).prop_map(|(name, count, align)| {
        let text = format!(
            "cma: cma_alloc(cma 00000000d0b1a2c3, name: {name}, count {count}, align {align})"
        );
        let (origin, area, named) = (Origin::Debug, Some(Arc::from(name)), true);
        let (available, total, vendor) = (None, None, false);
        (text, Record::Start { origin, area, count, align, available, total, vendor, named })
    });
    let busy = (1..u64::MAX >> 20, 1..4096u64).prop_map(|(start, pages)| {
        let end = start + pages;
        let text = format!("alloc_contig_range: [{start:x}, {end:x}) PFNs busy");
        (text, Record::PfnsBusy { start, end })
    });
    let returned = any::<bool>().prop_map(|null| {
        let what = if null { "(null)" } else { "ffff7e0000ba4000" };
        let (origin, area, pfn) = (Origin::Debug, None, None);
        let (count, align, errno, alone) = (None, None, None, false);
        let page = if null { Page::Null } else { Page::Some };
        let record = Record::Finish { origin, area, page, pfn, count, align, errno, alone };
        (format!("cma: cma_alloc(): returned {what}"), record)
    });
    prop_oneof![4 => failure, 4 => list(), 1 => call, 1 => busy, 1 => returned]
}

fn failed((name, count, ret, shape): (&str, u64, i32, usize)) -> (String, Record) {
    let (function, area, shape) = match shape {
        0 => ("cma_alloc", None, Shape::Unnamed),
        1 => ("cma_alloc", Some(name), Shape::Named),
        2 => ("__cma_alloc", Some(name), Shape::Inner),
        _ => ("__cma_alloc_frozen", Some(name), Shape::Frozen),
    };
    let named = area.map_or(String::new(), |area| format!("{area}: "));
    let text = format!("cma: {function}: {named}alloc failed, req-size: {count} pages, ret: {ret}");
    (text, Record::Failed { shape, area: area.map(Arc::from), count, ret: Some(ret) })
}

fn list() -> impl Strategy<Value = (String, Record)> {
    let gaps = prop::collection::vec((1..600u64, 1..600u64), 0..40);
    gaps.prop_map(|gaps| {
        let mut end = 0;
        let mut runs = Vec::new();
        for (gap, pages) in gaps {
            runs.push((pages, end + gap));
            end += gap + pages;
        }
        let free = runs.iter().map(|(pages, _)| pages).sum();
        let items: Vec<_> = runs.iter().map(|(pages, bit)| format!("{pages}@{bit}")).collect();
        let (items, total) = (items.join("+"), end + 7);
        let text =
            format!("cma: number of available pages: {items}=> {free} free of {total} total pages");
        let ranges = if runs.is_empty() { Vec::new() } else { vec![RangeRuns { range: 0, runs }] };
        let (free, total, head) = (Some(free), Some(total), true);
        (text, Record::FreeRuns(FreeRuns { ranges, free, total, head, ..FreeRuns::default() }))
    })
}

/// How a program broke and quoted a text.
#[derive(Clone, Debug)]
struct Broken {
    width: usize,
    first: &'static str,
    then: &'static str,
    encoded: bool,
    others: bool,
}

fn broken() -> impl Strategy<Value = Broken> {
    let prefixes = prop::sample::select(vec![
        ("", ""),
        ("> ", "> "),
        ("> > ", "> "),
        ("[   12.345678] ", ""),
        ("[   12.345678][  T731] ", "[   12.345679][  T731] "),
        ("<3>[   12.345678] ", "<3>[   12.345679] "),
        ("Oct 14 20:11:07 board kernel: ", "Oct 14 20:11:07 board kernel: "),
        ("> [   12.345678] ", "> "),
        ("3,801,12345678,-;", "3,802,12345679,-;"),
        ("(XEN) ", "(XEN) "),
        ("board/k99 : ", "board/k100 : "),
    ]);
    (24..120usize, prefixes, any::<bool>(), any::<bool>()).prop_map(
        |(width, (first, then), encoded, others)| Broken { width, first, then, encoded, others },
    )
}

fn print(text: &str, how: &Broken, out: &mut String) {
    let mut rest = text;
    let mut prefix = how.first;
    while rest.len() > how.width {
        let (piece, after) = rest.split_at(how.width);
        writeln!(out, "{prefix}{piece}").expect("a string");
        // What may be whole must be followed by its rest at once.
        let open = ["free", "ret: -1", "="].iter().any(|end| piece.trim_end().ends_with(end));
        if how.others && !open {
            writeln!(out, "{}EXT4-fs (mmcblk0p2): mounted filesystem", how.then).expect("a string");
        }
        prefix = how.then;
        rest = after;
    }
    writeln!(out, "{prefix}{rest}").expect("a string");
}

/// What programs and pages put around a line, from the first to the last sign of it.
fn wrapped(how: usize, line: &str, number: usize) -> String {
    match how {
        0 => format!("{{\"n\":{number},\"MESSAGE\":\"{line}\",\"PRIORITY\":\"3\"}}"),
        1 => format!("| {number} | `{line}` | seen |"),
        2 => format!("<span id=l{number}>{line}</span>"),
        3 => format!("2026-11-23,kernel,{number},\"{line}\""),
        4 => format!("**{line}**"),
        5 => format!("MESSAGE={line}\n_PID={number}\n"),
        6 => format!("{number}:dmesg.txt: {line}$"),
        _ => format!("<someone{number}> {line}"),
    }
}

#[test]
fn a_list_says_the_same_whatever_stands_around_its_lines() {
    let ranges = "cma: number of available pages: \ncma: range 0: 9@100+7@200\n\
                  cma: range 1: 5@3\ncma: \n=> 21 free of 512 total pages";
    let long = "cma: number of available pages: 9@100+7@200\n+5@300+4@401\n+3@501\n\
                => 28 free of 512 total pages";
    for how in 0..8 {
        for (text, sum, count) in [(ranges, 21, 3), (long, 28, 5)] {
            let lines = text.lines().enumerate();
            let lines: Vec<_> = lines.map(|(at, line)| wrapped(how, line, 99 + at)).collect();
            let found = records((lines.join("\n") + "\n").as_bytes());
            let [Record::FreeRuns(list)] = found.as_slice() else { panic!("{how}: {found:?}") };
            let runs: usize = list.ranges.iter().map(|range| range.runs.len()).sum();
            assert!(list.is_complete(), "{how}: {list:?}");
            assert_eq!((list.sum(), runs, list.total), (sum, count, Some(512)), "{how}");
        }
    }
}

#[test]
fn line_ends_that_are_spelled_out_are_line_ends() {
    let text = "{\"log\":\"[  1.0] cma: number of available pages: 9@100\\r\\n[  1.0] +7@200=\\u003e \
                16 free of 512 total pages\\n\"}";
    let found = records(text.as_bytes());
    let [Record::FreeRuns(list)] = found.as_slice() else { panic!("{found:?}") };
    assert!(list.is_complete() && list.sum() == 16);
}

#[test]
fn numbers_behind_a_head_are_no_runs() {
    for line in ["3,802,512000404,-;foo", "12", "12 apples", "3, 4, 5"] {
        let text = format!("cma: number of available pages: \n{line}\n");
        let found = records(text.as_bytes());
        assert!(found.is_empty(), "{line}: {found:?}");
    }
    let sizes = records(b"cma: number of available pages: \n4+7+7=>18 pages, total: 64 pages");
    assert!(matches!(&sizes[..], [Record::FreeRuns(list)] if list.unplaced && list.is_complete()));
}

#[test]
fn a_stranger_inside_a_list_is_told_by_the_sum() {
    let stranger = |tail: &str| {
        let text = format!(
            "cma: number of available pages: 9@100+7@200[  2.0] random: crng init done\n+5@300{tail}"
        );
        records(text.as_bytes())
    };
    let whole = stranger("=> 21 free of 512 total pages");
    assert!(matches!(&whole[..], [Record::FreeRuns(list)] if list.is_complete()), "{whole:?}");
    for tail in ["=> 22 free of 512 total pages", ""] {
        let cut = stranger(tail);
        assert!(matches!(&cut[..], [Record::FreeRuns(list)] if list.cut), "{tail}: {cut:?}");
    }
}

#[test]
fn what_is_typed_by_hand_is_read() {
    for text in [
        "CMA: cma_alloc: linux,cma: Alloc failed, Req-size: 640 pages, Ret: -12",
        "cma: cma_alloc: linux,cma: alloc failed req size 640 pages ret -12",
        "cma: cma_alloc: linux,cma: alloc failed\u{ff0c} req-size\u{ff1a}640 pages, ret\u{ff1a}-12",
    ] {
        let found = records(text.as_bytes());
        let read = matches!(&found[..], [Record::Failed { count: 640, ret: Some(-12), .. }]);
        assert!(read, "{text}: {found:?}");
    }
    assert_eq!(records(b"the req size 640 pages is too large"), []);
}

proptest! {
    #[test]
    fn a_message_says_the_same_however_it_is_broken(
        messages in prop::collection::vec(message(), 1..6),
        how in broken(),
    ) {
        let mut text = String::new();
        for (message, _) in &messages {
            print(message, &how, &mut text);
        }
        if how.encoded {
            text = text.replace("=>", "=&gt;");
        }
        let expected: Vec<_> = messages.into_iter().map(|(_, record)| record).collect();
        prop_assert_eq!(records(text.as_bytes()), expected, "{}", text);
    }

    #[test]
    fn soft_breaks_anywhere_are_undone(message in message(), width in 24..76usize) {
        let (message, record) = message;
        let encoded = message.replace('=', "=3D");
        let mut text = String::new();
        let mut rest = encoded.as_str();
        while rest.len() > width {
            // An encoded sign is not broken.
            let at = (width - 2..=width).find(|at| !rest[at - 2..*at].contains('=')).unwrap_or(width);
            let (piece, after) = rest.split_at(at);
            writeln!(text, "{piece}=").expect("a string");
            rest = after;
        }
        writeln!(text, "{rest}").expect("a string");
        prop_assert_eq!(records(text.as_bytes()), [record], "{}", text);
    }

    #[test]
    fn no_bytes_panic(parts in prop::collection::vec(
        prop_oneof![
            prop::sample::select(vec![
                "cma: ", "cma_alloc", ": ", "(", ")", "\n", "=", "=\n", "+", "@", "7@585", "...",
                "number of available pages: ", "=> 5 free", " of 9 total pages", "range 0: ",
                "alloc failed, req-size: ", "99999999999999999999999", "[", "]", "> ", "`", "\r",
                "alloc_contig_range: [", ", ret: -1", "cma_alloc(): returned ", "[  1.0] ", "\u{2026}",
                "dma alloc of size ", "bitmap_find_next_zero_area_off: size=", "uname -r\n", "tainted ",
                "echo 5 > /d/cma/", "/alloc", "pfn 0x", "{1,2}", "Linux version 6.1", "{", "<3>", "(2)[",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..8),
        ],
        0..60,
    )) {
        // The first bytes must not be those of a packed file.
        records(&[b" ", parts.concat().as_slice()].concat());
    }
}

#[test]
fn long_nonsense_is_read_once() {
    for (unit, most) in
        [("1@1+", 1), (">", 0), ("x 1@1, ", 1), ("cma: ", 0), ("cma_alloc(\n", 0), ("cma:\n", 0)]
    {
        let text = unit.repeat((1 << 20) / unit.len());
        assert!(records(text.as_bytes()).len() <= most, "{unit}");
    }
}

#[test]
fn two_lists_at_a_time_are_kept_apart() {
    let text = "\
[    1.0][    T7] cma: number of available pages: 4@10+5@300\n\
[    1.0][    T9] cma: number of available pages: 6@20+7@310\n\
[    1.0][    T7] +8@400=> 17 free of 999 total pages\n\
[    1.0][    T9] +9@420=> 22 free of 999 total pages\n";
    let by_task = records(text.as_bytes());
    let by_sum = records(text.replace("[    T7]", "").replace("[    T9]", "").as_bytes());
    assert_eq!(by_task, by_sum);
    for record in &by_task {
        let Record::FreeRuns(list) = record else { panic!("{record:?}") };
        assert!(list.is_complete(), "{list:?}");
    }
    assert_eq!(by_task.len(), 2);
}

#[test]
fn a_line_may_end_behind_the_first_word_of_a_head() {
    let whole = records(b"cma: number of available pages: 4@10+5@300=> 9 free of 999 total pages");
    let Record::FreeRuns(list) = &whole[0] else { panic!("{whole:?}") };
    assert!(list.is_complete(), "{list:?}");
    let broken = b"cma: number\nof available pages:\n4@10+5@300=>\n9 free of 999 total pages";
    assert_eq!(records(broken), whole);
    let reserved = records(b"cma: Reserved\n32 MiB at 0x5e200000");
    assert_eq!(reserved, records(b"cma: Reserved 32 MiB at 0x5e200000"));
    assert!(matches!(reserved[..], [Record::Reserved { .. }, Record::Boot(_)]), "{reserved:?}");
}

/// What precedes a run is no prefix.
#[test]
fn soft_breaks_in_front_of_a_sign_are_no_line_ends() {
    let text = b"cma: number of available pages: 2@400+1=\n@410+1@442=\n+1@493+1@4=\n96+2@18=\n\
        10=3D> 8 free of 16384 total pages\n";
    let Record::FreeRuns(list) = &records(text)[0] else { panic!("no list") };
    assert_eq!(list.ranges[0].runs, [(2, 400), (1, 410), (1, 442), (1, 493), (1, 496), (2, 1810)]);
}

#[test]
fn a_failure_line_behind_a_cut_list_keeps_its_area() {
    let text = b"number of available pages:\nrange 2: 1@39+1@48\n\
        __cma_alloc: cma: alloc failed, req-size: 730 pages, ret: -16\n";
    let records = records(text);
    let Some(Record::Failed { area, count, .. }) = records.last() else { panic!("{records:?}") };
    assert_eq!((area.as_deref(), *count), (Some("cma"), 730));
}

/// A list of ranges whose tail is gone does not take that of the next one.
#[test]
fn a_new_head_ends_a_list_of_ranges() {
    let text = "\
cma: number of available pages: \n\
cma: range 0: 4@10+5@300\n\
cma: number of available pages: \n\
cma: \n\
=> 9 free of 999 total pages\n";
    for cpu in ["", "[    1.0][c0] "] {
        let text: String = text.lines().map(|line| format!("{cpu}{line}\n")).collect();
        let records = records(text.as_bytes());
        let whole = records
            .iter()
            .filter(|record| matches!(record, Record::FreeRuns(list) if list.is_complete()));
        assert_eq!((records.len(), whole.count()), (2, 0), "{records:?}");
    }
}

/// The first list has nothing but its head: it is reported, so that its failure waits no more.
#[test]
fn a_head_alone_is_a_list_that_is_lost() {
    let text = "\
number of available pages: \n\
\n\
number of available pages: \n\
range 0: 9@10\n\
=> 9 free of 999 total pages\n";
    let records = records(text.as_bytes());
    let lost = FreeRuns { head: true, cut: true, ..FreeRuns::default() };
    assert_eq!((records.len(), &records[0]), (2, &Record::FreeRuns(lost)));
    let Record::FreeRuns(list) = &records[1] else { panic!("{records:?}") };
    assert!(list.is_complete(), "{list:?}");
}

#[test]
fn a_default_name_ends_in_a_line_end() {
    let text =
        "[    4.0] cma: cma_alloc: cma1\n[    4.0] : alloc failed, req-size: 9 pages, ret: -12";
    let (_, expected) = failed(("cma1", 9, -12, 1));
    assert_eq!(records(text.as_bytes()), [expected]);
}

#[test]
fn records_come_in_the_order_of_their_lines() {
    let text = "\
cma: cma_alloc: alloc failed, req-size: 9\n\
alloc_contig_range: [100, 140) PFNs busy\n\
pages, ret: -16\n\
cma: cma_alloc: alloc failed, req-size: 77\n";
    let found = open(&Source::bytes("test", text.as_bytes())).expect("opens");
    let lines: Vec<_> = found.filter_map(Result::ok).map(|found| found.line).collect();
    assert_eq!(lines, [1, 2, 4]);
}

#[test]
fn what_only_looks_like_runs_is_none() {
    let text = "\
cma: cma_alloc: alloc failed, req-size: 9 pages, ret: -16\n\
drm: mode 1920x1080@60 is set, 1080@60Hz\n\
mail 12@34.com, 5@example\n\
[   12.345678@2] usb 1-1: new device\n\
a run such as 511@58881 is one of many\n";
    assert_eq!(records(text.as_bytes()).len(), 1);
    let quoted = records(format!("{text}only `9@512` was left").as_bytes());
    let Some(Record::FreeRuns(list)) = quoted.last() else { panic!("{quoted:?}") };
    assert!(list.quoted && list.is_complete(), "{list:?}");
}

/// One line for each record that matters.
fn short(record: &Record) -> Option<String> {
    Some(match record {
        Record::Failed { area, count, ret, .. } => {
            let area = area.as_deref().unwrap_or("-");
            format!("failed {area} {count} {}", ret.map_or("-".into(), |ret| ret.to_string()))
        }
        Record::FreeRuns(list) => {
            let runs: usize = list.ranges.iter().map(|range| range.runs.len()).sum();
            let how = if list.is_complete() { "whole" } else { "cut" };
            format!("list {runs} {} {how}", list.sum())
        }
        Record::Start { count, align, .. } => format!("start {count} {align}"),
        Record::Busy { .. } | Record::PfnsBusy { .. } => "busy".into(),
        Record::Finish { page, .. } => format!("returned {page:?}"),
        Record::Driver { bytes, .. } => format!("driver {}", bytes.unwrap_or(0)),
        Record::Kernel(name) => format!("kernel {name}"),
        Record::Suppressed { lines, .. } => format!("hidden {lines}"),
        Record::Reserved { bytes, .. } => format!("reserved {bytes}"),
        Record::DebugfsAlloc { count, .. } => format!("debugfs {count}"),
        _ => return None,
    })
}

#[test]
fn the_logs_of_the_corpus_say_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs");
    let expected = include_str!("../../../../../corpora/logs/expected.txt");
    let mut read = String::new();
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("corpora/logs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect();
    names.sort();
    for path in names {
        writeln!(read, "{}", path.file_name().expect("a name").to_string_lossy())
            .expect("a string");
        for record in open(&Source::file(&path)).expect("opens").filter_map(Result::ok) {
            if let Some(short) = short(&record.record) {
                writeln!(read, "  {} {short}", record.line).expect("a string");
            }
        }
    }
    assert_eq!(read, expected);
}
