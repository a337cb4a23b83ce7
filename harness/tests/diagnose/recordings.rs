//! What real kernels printed for scripted cases, against what was asked and answered.

use std::io::Read;
use std::path::{Path, PathBuf};

use cma_harness::cause::Cause;
use cma_harness::diagnose::{AlignFrom, Confidence};
use cma_harness::ingest::Source;

use crate::score::{found, short};

fn text(kernel: &str, file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/recordings");
    root.join(kernel).join("text").join(file)
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = Source::file(path).open().unwrap_or_else(|error| panic!("{error}"));
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A bitmap that is a list of pages, and what is read off it page by page.
struct Bitmap {
    base: u64,
    taken: Vec<bool>,
}

#[derive(PartialEq, Debug)]
struct Row {
    count: u64,
    align: u32,
    ret: i32,
    retries: u64,
    cause: Cause,
    free: u64,
    total: u64,
    largest_run: u64,
}

impl Bitmap {
    fn set(&mut self, start: u64, count: u64, taken: bool) {
        for page in start..start + count {
            assert_ne!(self.taken[page as usize], taken, "page {page}");
            self.taken[page as usize] = taken;
        }
    }

    fn free(&self) -> u64 {
        self.taken.iter().filter(|taken| !**taken).count() as u64
    }

    /// The longest stretch of free pages that begins at a multiple of 2^align.
    fn longest(&self, align: u32) -> u64 {
        let (mut longest, mut length) = (0, 0);
        for (page, taken) in self.taken.iter().enumerate().rev() {
            length = if *taken { 0 } else { length + 1 };
            if (self.base + page as u64).is_multiple_of(1 << align) {
                longest = longest.max(length);
            }
        }
        longest
    }

    fn cause(&self, count: u64, align: u32, ret: i32) -> Cause {
        if count > self.free() {
            Cause::Exhausted
        } else if count > self.longest(0) {
            Cause::Fragmentation
        } else if count > self.longest(align) {
            Cause::Alignment
        } else if ret == -16 {
            Cause::Busy
        } else {
            Cause::Migration
        }
    }
}

/// The rows of a recording that failed, with the state that they met.
fn failed(path: &Path) -> Vec<Row> {
    let text = String::from_utf8(unpacked(path)).unwrap();
    let header = |key: &str| -> u64 {
        let mut words = text.lines().take(2).flat_map(str::split_whitespace);
        let value = words.find_map(|word| word.strip_prefix(&format!("{key}=")));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {key}"))
    };
    assert_eq!(header("order_per_bit"), 0);
    let total = header("pages");
    let mut map = Bitmap { base: header("base_pfn"), taken: vec![false; total as usize] };
    let mut failed = Vec::new();
    for line in text.lines().skip(3) {
        let fields: Vec<_> = line.split(',').collect();
        let number = |index: usize| fields[index].parse::<i64>().unwrap_or_default();
        let (count, result) = (number(3) as u64, number(5));
        match fields[1] {
            "alloc" if result >= 0 => map.set(result as u64, count, true),
            "free" if result >= 0 => map.set(result as u64, count, false),
            "alloc" => {
                let (align, ret) = (number(4) as u32, result as i32);
                let cause = map.cause(count, align, ret);
                let (free, largest_run) = (map.free(), map.longest(0));
                let retries = number(6) as u64;
                failed.push(Row { count, align, ret, retries, cause, free, total, largest_run });
            }
            _ => {}
        }
    }
    failed
}

fn sources(kernel: &str, files: &[&str]) -> Vec<(String, Vec<u8>)> {
    files.iter().map(|file| ((*file).to_string(), unpacked(&text(kernel, file)))).collect()
}

/// What was found as rows; the errno and the list only where a failure line and a list are given.
fn check(kernel: &str, files: &[&str], rows: &[Row], from: AlignFrom, dmesg: bool) {
    let (failures, _) = found(&sources(kernel, files));
    let said: Vec<_> = failures.iter().map(short).collect();
    assert_eq!(failures.len(), rows.len(), "{kernel} {files:?}: {said:#?}");
    for (failure, row) in failures.iter().zip(rows) {
        let incident = &failure.incident;
        let place = format!("{kernel} {files:?} {}: {row:?}", short(failure));
        assert_eq!(incident.count, Some(row.count), "{place}");
        assert_eq!(incident.busy_retries, Some(row.retries), "{place}");
        assert_eq!(failure.align, Some((row.align, from)), "{place}");
        if dmesg {
            assert_eq!(incident.ret, Some(row.ret), "{place}");
            assert_eq!(failure.verdict, Some(row.cause), "{place}");
            // 512@256+512@2304+256@5120 of 16384 pages could as well be in bits of two pages.
            let likely = !incident.other_readings.is_empty();
            let sure = if likely { Confidence::Likely } else { Confidence::Certain };
            assert!(failure.confidence >= sure, "{place}");
            let list = failure.list.expect("a list");
            let said = (list.free, list.total, list.largest_run, list.complete);
            assert_eq!(said, (Some(row.free), Some(row.total), row.largest_run, true), "{place}");
        } else if failure.confidence == Confidence::Certain && failure.verdict.is_some() {
            assert_eq!(failure.verdict, Some(row.cause), "{place}");
        }
    }
}

fn each(check: impl Fn(&str, &str, &[Row])) {
    let mut failures = 0;
    for kernel in ["6.1", "6.12"] {
        for case in ["align", "frag", "full", "busy"] {
            let rows = failed(&text(kernel, &format!("{case}.csv.gz")));
            failures += rows.len();
            check(kernel, case, &rows);
        }
    }
    assert_eq!(failures, 22);
}

#[test]
fn scripted_cases_from_dmesg() {
    each(|kernel, case, rows| {
        check(kernel, &[&format!("dmesg-{case}.txt.gz")], rows, AlignFrom::Debug, true);
    });
}

#[test]
fn scripted_cases_from_a_trace() {
    each(|kernel, case, rows| {
        check(kernel, &[&format!("trace-{case}.txt.gz")], rows, AlignFrom::Trace, false);
    });
}

#[test]
fn a_trace_of_the_same_run_adds_no_failure() {
    each(|kernel, case, rows| {
        let (dmesg, trace) = (format!("dmesg-{case}.txt.gz"), format!("trace-{case}.txt.gz"));
        for files in [[dmesg.as_str(), &trace], [&trace, &dmesg]] {
            let (failures, _) = found(&sources(kernel, &files));
            let said: Vec<_> = failures.iter().map(short).collect();
            assert_eq!(failures.len(), rows.len(), "{kernel} {files:?}: {said:#?}");
            for (failure, row) in failures.iter().zip(rows) {
                assert_eq!(failure.incident.count, Some(row.count), "{}", short(failure));
                assert_eq!(failure.align.map(|(align, _)| align), Some(row.align));
                assert_eq!(failure.verdict, Some(row.cause), "{}", short(failure));
            }
        }
    });
}

#[test]
fn no_memory_to_migrate_to() {
    let (failures, _) = found(&sources("6.12", &["dmesg-lowmem.txt.gz"]));
    let counts: Vec<_> = failures.iter().map(|failure| failure.incident.count).collect();
    assert_eq!(counts, [20_000, 40_000, 60_000, 80_000, 100_000].map(Some));
    for failure in &failures {
        assert_eq!(failure.verdict, Some(Cause::Migration), "{}", short(failure));
        assert_ne!(failure.confidence, Confidence::Guess, "{}", short(failure));
    }
}

/// The lists of a dmesg, by the plainest reading: free pages and runs.
fn lists(dmesg: &str) -> Vec<(u64, Vec<(u64, u64)>)> {
    let mut lists = Vec::new();
    let mut runs = Vec::new();
    for line in dmesg.lines() {
        let text = line.split_once("] ").map_or(line, |(_, text)| text);
        let text = text.strip_prefix("cma: number of available pages: ").unwrap_or(text);
        let (items, tail) = text.split_once("=>").unwrap_or((text, ""));
        let items = items.split('+').filter_map(|item| item.split_once('@'));
        runs.extend(items.filter_map(|(count, at)| Some((at.parse().ok()?, count.parse().ok()?))));
        if let Some(free) = tail.trim().split(' ').next().filter(|free| !free.is_empty()) {
            lists.push((free.parse().unwrap(), std::mem::take(&mut runs)));
        }
    }
    lists
}

/// 10 of 283 failure lines passed the rate limit, every list did, and the trace shows what was
/// asked.
#[test]
fn a_flood_whose_lines_are_suppressed() {
    let dmesg = String::from_utf8(unpacked(&text("6.12", "dmesg-dma-heap.txt.gz"))).unwrap();
    let trace = String::from_utf8(unpacked(&text("6.12", "trace-dma-heap.txt.gz"))).unwrap();
    let lists = lists(&dmesg);
    let field = |line: &str, key: &str| -> u64 {
        let word = line.split(' ').find_map(|word| word.strip_prefix(key)).unwrap();
        word.parse().unwrap()
    };
    let refused: Vec<_> = trace.lines().filter(|line| line.contains("errorno=-")).collect();
    assert_eq!((lists.len(), refused.len()), (283, 283));

    let (alone, _) = found(&sources("6.12", &["dmesg-dma-heap.txt.gz"]));
    assert_eq!(alone.len(), 283);
    assert_eq!(alone.iter().filter(|failure| failure.incident.count.is_some()).count(), 10);
    let (both, _) = found(&sources("6.12", &["dmesg-dma-heap.txt.gz", "trace-dma-heap.txt.gz"]));
    assert_eq!(both.len(), 283);
    let mut certain = 0;
    for ((failure, (free, runs)), line) in both.iter().zip(&lists).zip(refused) {
        let (count, align) = (field(line, "count="), field(line, "align=") as u32);
        assert_eq!(failure.incident.count, Some(count), "{}", short(failure));
        assert_eq!(failure.align.map(|(align, _)| align), Some(align), "{}", short(failure));
        let unit = 1 << align;
        let fits = |(at, pages): &(u64, u64)| at.next_multiple_of(unit) + count <= at + pages;
        let cause = if count > *free {
            Cause::Exhausted
        } else if runs.iter().all(|(_, pages)| *pages < count) {
            Cause::Fragmentation
        } else {
            assert!(!runs.iter().any(fits), "{line}");
            Cause::Alignment
        };
        assert_eq!(failure.verdict, Some(cause), "{}", short(failure));
        certain += u64::from(failure.confidence == Confidence::Certain);
    }
    assert!(certain > 270, "{certain}");
}
