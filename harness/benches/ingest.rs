//! `cargo bench -p cma-harness --bench ingest`: how fast texts are read and failures explained.
//!
//! Six generated texts, each of `CMALAB_BENCH_MB` (64) megabytes, written piece by piece to a
//! file. Each speed is given beside that of counting newlines through the same reader in the same
//! run; of the last two, calls that are all granted or all refused, the times are compared. The
//! records are counted against what was generated, and a difference is a panic.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use cma_harness::diagnose::{self, Options};
use cma_harness::ingest::Source;
use cma_harness::ingest::log::{self, Record};
use cma_harness::seed::{Draws, Seed};

const ROUNDS: usize = 3;

/// Records by kind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Counts {
    failed: u64,
    lists: u64,
    runs: u64,
    starts: u64,
    busy: u64,
    finishes: u64,
    releases: u64,
    /// Records of any other kind: there is none in what is generated.
    others: u64,
    /// Failures in all.
    failures: u64,
}

fn main() {
    let mb = std::env::var("CMALAB_BENCH_MB").ok().and_then(|text| text.parse().ok());
    let bytes = mb.unwrap_or(64_u64) * 1_000_000;
    let folder = tempfile::tempdir().expect("a folder for the inputs");
    println!(
        "{} MB each, best of {ROUNDS}; MB/s, and the share of counting newlines",
        bytes / 1_000_000
    );
    println!(
        "{:<24} {:>9} {:>9} {:>6} {:>9} {:>6} {:>10}",
        "input", "newlines", "records", "share", "diagnose", "share", "peak MB"
    );
    type Input = (&'static str, fn(&mut Text, &mut Draws));
    let inputs: [Input; 6] = [
        ("dmesg, 0.1 % cma", sparse),
        ("dmesg, half lists", dense),
        ("dmesg, only lists", lists),
        ("ftrace, only cma", trace),
        ("ftrace, all granted", granted),
        ("ftrace, all refused", refused),
    ];
    let mut times = Vec::new();
    for (index, (name, piece)) in inputs.into_iter().enumerate() {
        let path = folder.path().join(format!("input-{index}.txt"));
        let truth = generate(&path, bytes, piece, &Seed::new(1).child(name, 0));
        times.push(measure(name, &path, bytes, &truth));
        std::fs::remove_file(&path).expect("the input is there");
    }
    let [.., granted, refused] = times[..] else { unreachable!("there are six inputs") };
    let ratio = refused.as_secs_f64() / granted.as_secs_f64();
    println!("a trace of refusals takes {ratio:.2} times what one of grants takes");
}

/// The best time of a whole diagnosis.
fn measure(name: &str, path: &Path, bytes: u64, truth: &Counts) -> Duration {
    let source = Source::file(path);
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        for (best, run) in best.iter_mut().zip([newlines, records, failures]) {
            let start = Instant::now();
            run(&source, truth);
            *best = start.elapsed().min(*best);
        }
    }
    let speed = best.map(|time| bytes as f64 / 1e6 / time.as_secs_f64());
    println!(
        "{name:<24} {:>9.0} {:>9.0} {:>6.3} {:>9.0} {:>6.3} {:>10}",
        speed[0],
        speed[1],
        speed[1] / speed[0],
        speed[2],
        speed[2] / speed[0],
        peak_mb().map_or("unknown".to_string(), |mb| format!("{mb:.1}"))
    );
    println!("{:<24} {truth:?}", "");
    best[2]
}

fn newlines(source: &Source, _: &Counts) {
    let mut reader = source.open().expect("the input opens");
    let mut lines = 0;
    loop {
        let bytes = reader.fill_buf().expect("the input can be read");
        if bytes.is_empty() {
            break;
        }
        lines += memchr::memchr_iter(b'\n', bytes).count();
        let read = bytes.len();
        reader.consume(read);
    }
    assert!(std::hint::black_box(lines) > 0);
}

fn records(source: &Source, truth: &Counts) {
    // The failures are not the reader's to count.
    let mut counts = Counts { failures: truth.failures, ..Counts::default() };
    for found in log::open(source).expect("the input opens") {
        match found.expect("every line is good").record {
            Record::Failed { .. } => counts.failed += 1,
            Record::FreeRuns(list) => {
                counts.lists += 1;
                counts.runs += list.ranges.iter().map(|range| range.runs.len() as u64).sum::<u64>();
            }
            Record::Start { .. } => counts.starts += 1,
            Record::Busy { .. } => counts.busy += 1,
            Record::Finish { .. } => counts.finishes += 1,
            Record::Release { .. } => counts.releases += 1,
            _ => counts.others += 1,
        }
    }
    assert_eq!(&counts, truth);
}

fn failures(source: &Source, truth: &Counts) {
    let mut visited = 0;
    let sources = std::slice::from_ref(source);
    let all = diagnose::diagnose(sources, &Options::default(), &mut |_| visited += 1);
    let all = all.expect("the input can be read");
    assert_eq!((visited, all.failures), (truth.failures, truth.failures), "{:?}", all.warnings);
}

/// The most memory that was resident, so far.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024.0)
}

/// A text while it is written, and what is in it.
#[derive(Default)]
struct Text {
    out: String,
    counts: Counts,
    at_us: u64,
    slots: Vec<(u64, u64)>,
}

fn generate(path: &Path, bytes: u64, piece: fn(&mut Text, &mut Draws), seed: &Seed) -> Counts {
    let mut file = BufWriter::new(File::create(path).expect("the input can be created"));
    let (mut text, mut draws) = (Text::default(), seed.rng());
    let mut written = 0;
    while written < bytes {
        piece(&mut text, &mut draws);
        file.write_all(text.out.as_bytes()).expect("the input can be written");
        written += text.out.len() as u64;
        text.out.clear();
    }
    file.flush().expect("the input can be written");
    text.counts
}

impl Text {
    fn line(&mut self, words: std::fmt::Arguments<'_>) {
        self.at_us += 37;
        let (seconds, us) = (self.at_us / 1_000_000, self.at_us % 1_000_000);
        writeln!(self.out, "[{seconds:5}.{us:06}] {words}").expect("a string");
    }

    fn other(&mut self, draws: &mut Draws) {
        let n = draws.below(100_000);
        match draws.below(5) {
            0 => {
                self.line(format_args!("usb 1-1: new high-speed USB device number {n} using xhci"));
            }
            1 => self.line(format_args!(
                "EXT4-fs (mmcblk0p2): mounted filesystem {n} with ordered data"
            )),
            2 => self.line(format_args!("imx-sdma 30bd0000.dma-controller: loaded firmware 4.{n}")),
            3 => self
                .line(format_args!("audit: type=1400 audit({n}.001:7): avc:  denied  {{ read }}")),
            _ => self.line(format_args!("br0: port 2(eth{n}) entered forwarding state")),
        }
    }

    /// A failure line and its list of so many runs, in records of a thousand characters.
    fn failure(&mut self, runs: u64, draws: &mut Draws) {
        let count = draws.between(257, 4000);
        self.line(format_args!(
            "cma: cma_alloc: linux,cma: alloc failed, req-size: {count} pages, ret: -12"
        ));
        let mut record = "cma: number of available pages: ".to_string();
        let (mut at, mut free) = (draws.below(300), 0);
        for index in 0..runs {
            let pages = draws.between(1, 256);
            let plus = if index > 0 { "+" } else { "" };
            if record.len() > 970 {
                self.line(format_args!("{record}"));
                record.clear();
            }
            write!(record, "{plus}{pages}@{at}").expect("a string");
            free += pages;
            at += pages + draws.between(1, 300);
        }
        let total = at.next_multiple_of(512);
        self.line(format_args!("{record}=> {free} free of {total} total pages"));
        self.counts.failed += 1;
        self.counts.lists += 1;
        self.counts.runs += runs;
        self.counts.failures += 1;
    }

    fn event(&mut self, pid: u64, words: std::fmt::Arguments<'_>) {
        self.at_us += 11;
        let (seconds, us) = (self.at_us / 1_000_000, self.at_us % 1_000_000);
        writeln!(
            self.out,
            "          decode-{pid} [{:03}] ..... {seconds:5}.{us:06}: {words}",
            pid % 4
        )
        .expect("a string");
    }
}

/// 2000 lines of which two are about CMA.
fn sparse(text: &mut Text, draws: &mut Draws) {
    for _ in 0..1998 {
        text.other(draws);
    }
    text.failure(30, draws);
}

/// As many bytes of failures as of other lines.
fn dense(text: &mut Text, draws: &mut Draws) {
    text.failure(draws.between(20, 400), draws);
    let own = text.out.len();
    while text.out.len() < 2 * own {
        text.other(draws);
    }
}

/// Nothing but failures, each with its list.
fn lists(text: &mut Text, draws: &mut Draws) {
    text.failure(draws.between(20, 400), draws);
}

/// One call, or a release: buffers lie in slots of 512 pages.
fn trace(text: &mut Text, draws: &mut Draws) {
    const SLOTS: u64 = 256;
    const BASE: u64 = 0x40000;
    let pid = 1000 + draws.below(9);
    if text.slots.len() as u64 > draws.below(SLOTS) {
        let index = draws.below(text.slots.len() as u64) as usize;
        let (slot, count) = text.slots.swap_remove(index);
        let pfn = BASE + slot * 512;
        text.event(
            pid,
            format_args!(
                "cma_release: name=linux,cma pfn=0x{pfn:x} page=00000000{pfn:08x} count={count}"
            ),
        );
        text.counts.releases += 1;
        return;
    }
    let (count, align) = (draws.between(257, 512), 8);
    text.event(pid, format_args!("cma_alloc_start: name=linux,cma count={count} align={align}"));
    text.counts.starts += 1;
    let free = (0..SLOTS).find(|slot| text.slots.iter().all(|(taken, _)| taken != slot));
    let Some(slot) = free else { unreachable!("fewer are live than there are slots") };
    let pfn = BASE + slot * 512;
    let (busy, fails) = (draws.below(20) == 0, draws.below(50) == 0);
    if busy || fails {
        text.event(
            pid,
            format_args!(
                "cma_alloc_busy_retry: name=linux,cma pfn=0x{pfn:x} page=00000000{pfn:08x} \
             count={count} align={align}"
            ),
        );
        text.counts.busy += 1;
    }
    let (page, errno) = if fails { (0, -16) } else { (pfn, 0) };
    text.event(
        pid,
        format_args!(
            "cma_alloc_finish: name=linux,cma pfn=0x{pfn:x} page={page:016x} count={count} \
         align={align} errorno={errno}"
        ),
    );
    text.counts.finishes += 1;
    if fails {
        text.counts.failures += 1;
    } else {
        text.slots.push((slot, count));
    }
}

/// A call that is granted, and given back.
fn granted(text: &mut Text, draws: &mut Draws) {
    const PFN: u64 = 0x40000;
    let (pid, count) = (1000 + draws.below(9), draws.between(257, 512));
    text.event(pid, format_args!("cma_alloc_start: name=linux,cma count={count} align=8"));
    text.event(
        pid,
        format_args!(
            "cma_alloc_finish: name=linux,cma pfn=0x{PFN:x} page=00000000{PFN:08x} count={count} \
             align=8 errorno=0"
        ),
    );
    text.event(
        pid,
        format_args!(
            "cma_release: name=linux,cma pfn=0x{PFN:x} page=00000000{PFN:08x} count={count}"
        ),
    );
    text.counts.starts += 1;
    text.counts.finishes += 1;
    text.counts.releases += 1;
}

/// A call that finds no place.
fn refused(text: &mut Text, draws: &mut Draws) {
    let (pid, count) = (1000 + draws.below(9), draws.between(257, 512));
    text.event(pid, format_args!("cma_alloc_start: name=linux,cma count={count} align=8"));
    text.event(
        pid,
        format_args!(
            "cma_alloc_finish: name=linux,cma pfn=0xffffffffffffffff page=0000000000000000 \
             count={count} align=8 errorno=-12"
        ),
    );
    text.counts.starts += 1;
    text.counts.finishes += 1;
    text.counts.failures += 1;
}
