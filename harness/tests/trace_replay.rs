//! Traces as streams: what a kernel traced is replayed, call by call.

use std::fmt::Write;
use std::path::Path;

use cma_harness::environment::{self, Environment, Pinned};
use cma_harness::ingest::{Geometry, Source};
use cma_harness::kernel::Kernel;
use cma_harness::op::{Op, Part, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::reader::{self, Options};
use cma_harness::replay::{self, Comparison, Under};
use cma_harness::seed::Seed;
use cma_harness::simulate::{Answer, step};
use cma_policies::{Area, Claim, ClaimError, Request, Run, builtin};
use proptest::prelude::*;

fn compare(source: &Source, options: &Options, policy: &str) -> Comparison {
    let reader = reader::open(source, options).unwrap();
    assert!(reader.is_trace());
    let under = Under {
        policy: &builtin::catalog().parse(policy).unwrap(),
        environment: &environment::Spec::parse("scripted").unwrap(),
        seed: &Seed::new(0),
        kernel: Kernel::find(reader.header().get("kernel").unwrap()).unwrap(),
        cap: reader.cap(),
    };
    let found = replay::survey(source, options, under.environment).unwrap();
    replay::expect(source, options, &found, None, &under).unwrap()
}

fn text(lines: &str) -> Source {
    Source::bytes("t", lines.as_bytes())
}

/// What the reader of this trace warns of.
fn warnings(source: &Source, options: &Options) -> Vec<String> {
    let mut reader = reader::open(source, options).unwrap();
    assert!(reader.by_ref().all(|row| row.is_ok()));
    reader.warnings()
}

/// `(equal, different)`.
fn answers(found: &Comparison) -> (u64, u64) {
    (found.equal, found.different)
}

fn geometry(base_pfn: u64, pages: u64, order_per_bit: u32) -> Options {
    let (base_pfn, pages) = (Some(base_pfn), Some(pages));
    let geometry =
        Geometry { base_pfn, pages, order_per_bit: Some(order_per_bit), ..Geometry::default() };
    Options { geometry, ..Options::default() }
}

#[test]
fn every_call_of_a_recorded_trace_is_answered_as_the_kernel_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/recordings");
    let mut ops = 0;
    for (kernel, names) in [
        ("6.12", &["align", "frag", "full", "busy", "dma-heap", "pins-a1-dma8"][..]),
        ("6.1", &["align", "frag", "full", "busy", "mix-a1-dma8"][..]),
    ] {
        for name in names {
            let source = folder.join(format!("{kernel}/text/trace-{name}.txt.gz"));
            let source = Source::file(&source);
            let found = compare(&source, &Options::default(), "kernel");
            assert_eq!(found.mismatches, 0, "{kernel} {name}: {:#?}", found.first);
            assert!(found.different == 0 && found.equal > 0 && found.unanswered == 0, "{found:?}");
            ops += found.ops;
            // The geometry that the recordings of the same run state.
            let stated = match *name {
                "dma-heap" => geometry(1 << 20, 16384, 0),
                _ => geometry(0x2b_8600, 16384, 0),
            };
            let found = compare(&source, &stated, "kernel");
            assert_eq!(found.mismatches, 0, "{kernel} {name}: {:#?}", found.first);
            let other = compare(&source, &Options::default(), "best-fit");
            assert!(found.ops < 1000 || other.different > 0, "{kernel} {name}: by any policy");
        }
    }
    assert_eq!(ops, 28_393, "nothing was skipped");
}

/// How the events of a kernel look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Generation {
    /// One event for a call.
    One,
    /// Start, busy retry and finish, without errno.
    Start,
    /// With errno.
    Errno,
    /// Errno -16 and pfn 0 where there is no place.
    Zero,
    /// With available and total pages.
    Totals,
}

impl Generation {
    fn kernel(self) -> &'static Kernel {
        let name = match self {
            Self::One => "5.10",
            Self::Start => "6.1",
            Self::Errno => "6.12",
            Self::Zero => "6.15",
            Self::Totals => "6.18",
        };
        Kernel::find(name).unwrap()
    }
}

/// Pages that write down how claims end.
#[derive(Default)]
struct Watched {
    pages: Pinned,
    claims: Vec<(Run, bool)>,
}

impl Claim for Watched {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        let end = self.pages.claim(run);
        self.claims.push((run, end.is_ok()));
        end
    }
}

impl Environment for Watched {
    fn pin(&mut self, run: Run) -> bool {
        self.pages.pin(run)
    }

    fn unpin(&mut self, run: Run) -> bool {
        self.pages.unpin(run)
    }
}

/// What the policy of a kernel does with ops, as its trace.
struct Traced {
    /// The lines of each op, each with its time.
    ops: Vec<Vec<(u64, String)>>,
    /// The free runs before each op, and after the last one.
    free: Vec<Vec<Run>>,
}

/// Microseconds from the start of an op to that of the next one.
const STEP_US: u64 = 100_000;

fn trace(area: &Area, ops: &[Op], generation: Generation) -> Traced {
    let kernel = generation.kernel();
    let policy = builtin::catalog().parse(kernel.policy).unwrap().build(area.clone()).unwrap();
    let mut witness = Witness::new(area, policy, Checks::SWEEP);
    let mut pages = Watched::default();
    let mut traced = Traced { ops: Vec::new(), free: Vec::new() };
    for (index, op) in (0..).zip(ops) {
        traced.free.push(free_runs(&witness));
        pages.claims.clear();
        let left = witness.model().free_pages();
        let timed = Timed { at_us: index * STEP_US, op: *op };
        let step = step(index, timed, &mut witness, &mut pages).unwrap();
        let at_us = 5_000_000 + index * STEP_US;
        let mut lines = Lines { at_us, pid: 431 + index % 4, lines: Vec::new() };
        let answer = step.answer;
        match (*op, answer) {
            (Op::Alloc { request, .. }, Answer::Granted(_) | Answer::Refused(_)) => {
                let granted = if let Answer::Granted(pfn) = answer { Some(pfn.0) } else { None };
                let errno = match (answer, step.outcome) {
                    (Answer::Refused(error), Some(outcome)) => {
                        kernel.errno(error, outcome.attempts_in_last_pass)
                    }
                    _ => 0,
                };
                let call = Call { request, granted, errno, left, total: area.pages() };
                lines.call(generation, &call, &pages.claims);
            }
            (Op::Free { .. }, Answer::Freed(run)) => lines.release(generation, run),
            _ => {}
        }
        traced.ops.push(lines.lines);
    }
    traced.free.push(free_runs(&witness));
    traced
}

fn free_runs(witness: &Witness) -> Vec<Run> {
    let mut free = Vec::new();
    witness.free_runs(&mut |run| free.push(run));
    free
}

/// The text of the lines of `ops`.
fn joined(ops: &[Vec<(u64, String)>]) -> String {
    ops.iter().flatten().map(|(_, line)| line.as_str()).collect()
}

struct Lines {
    at_us: u64,
    pid: u64,
    lines: Vec<(u64, String)>,
}

struct Call {
    request: Request,
    granted: Option<u64>,
    errno: i32,
    left: u64,
    total: u64,
}

impl Lines {
    fn line(&mut self, event: &str, payload: &str) {
        let (at_us, pid) = (self.at_us, self.pid);
        let (seconds, rest) = (at_us / 1_000_000, at_us % 1_000_000);
        let line =
            format!(" gst-1.0-{pid} [001] ..... {seconds:4}.{rest:06}: {event}: {payload}\n");
        self.lines.push((at_us, line));
        self.at_us += 1;
    }

    fn call(&mut self, generation: Generation, call: &Call, claims: &[(Run, bool)]) {
        let (count, align) = (call.request.count(), call.request.align());
        let asked = format!("count={count} align={align}");
        let page = if call.granted.is_some() { "00000000a1b2c3d4" } else { "0000000000000000" };
        let last = claims.last().map(|(run, _)| run.pfn.0);
        if generation == Generation::One {
            let pfn = call.granted.or(last).unwrap_or(u64::MAX);
            return self.line("cma_alloc", &format!("pfn={pfn:x} page={page} {asked}"));
        }
        if generation == Generation::Totals {
            let (left, total) = (call.left, call.total);
            let free = format!("request_count={count} available_count={left} total_count={total}");
            self.line("cma_alloc_start", &format!("name=multimedia {free} align={align}"));
        } else {
            self.line("cma_alloc_start", &format!("name=multimedia {asked}"));
        }
        for (run, _) in claims.iter().filter(|(_, good)| !good) {
            let place = format!("pfn=0x{:x} page=00000000a1b2c3d4", run.pfn.0);
            self.line("cma_alloc_busy_retry", &format!("name=multimedia {place} {asked}"));
        }
        let zero = matches!(generation, Generation::Zero | Generation::Totals);
        let none = if zero { 0 } else { last.unwrap_or(u64::MAX) };
        let pfn = call.granted.unwrap_or(none);
        let errno = match generation {
            Generation::Start => String::new(),
            _ => format!(" errorno={}", call.errno),
        };
        let end = format!("name=multimedia pfn=0x{pfn:x} page={page} {asked}{errno}");
        self.line("cma_alloc_finish", &end);
    }

    fn release(&mut self, generation: Generation, run: Run) {
        let (pfn, count) = (run.pfn.0, run.count);
        let end = format!("page=00000000a1b2c3d4 count={count}");
        if generation == Generation::One {
            self.line("cma_release", &format!("pfn={pfn:x} {end}"));
        } else {
            self.line("cma_release", &format!("name=multimedia pfn=0x{pfn:x} {end}"));
        }
    }
}

/// Ops on an area: buffers of up to an eighth of it, freed in whole or, where every page has its
/// bit, in part; pins where the trace shows busy claims.
fn ops(area: &Area, picks: &[(u8, u64, u64)], pins: bool) -> Vec<Op> {
    let (base, pages) = (area.ranges()[0].pfn.0, area.pages());
    let mut live: Vec<(u64, u64, u64)> = Vec::new();
    let mut ops = Vec::new();
    for (id, &(kind, a, b)) in (0..).zip(picks) {
        match kind {
            0..=5 => {
                let request = Request::new(1 + a % (pages / 8), (b % 7) as u32).unwrap();
                ops.push(Op::Alloc { id, request, dma: false });
                live.push((id, request.count(), 0));
            }
            6..=9 if !live.is_empty() => {
                let at = a as usize % live.len();
                let (id, count, gone) = live[at];
                let part = (kind == 9 && area.order_per_bit() == 0 && count - gone > 1)
                    .then(|| Part { offset: gone, count: 1 + b % (count - gone - 1) });
                match part {
                    Some(part) => live[at].2 += part.count,
                    None => drop(live.remove(at)),
                }
                ops.push(Op::Free { id, part });
            }
            10 if pins => ops.push(Op::Pin(Run::new(base + a % (pages - 4), 1 + b % 4))),
            _ => {}
        }
    }
    ops
}

fn generations() -> impl Strategy<Value = Generation> {
    prop_oneof![
        Just(Generation::One),
        Just(Generation::Start),
        Just(Generation::Errno),
        Just(Generation::Zero),
        Just(Generation::Totals),
    ]
}

fn areas() -> impl Strategy<Value = Area> {
    (0u64..20, 1u64..40, 0u32..4).prop_map(|(base, pages, order)| {
        Area::single(512 + base * 32, pages * 64, order).expect("multiples of 32 pages")
    })
}

fn stated(area: &Area) -> Options {
    let range = area.ranges()[0];
    geometry(range.pfn.0, range.count, area.order_per_bit())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_the_kernel_s_policy_did_is_replayed_without_a_mismatch(
        area in areas(),
        generation in generations(),
        picks in prop::collection::vec((0u8..12, any::<u64>(), any::<u64>()), 1..200),
    ) {
        let ops = ops(&area, &picks, generation != Generation::One);
        let traced = trace(&area, &ops, generation);
        let text = joined(&traced.ops);
        prop_assume!(text.contains("cma_alloc"));
        let source = Source::bytes("t", text.into_bytes());
        let found = compare(&source, &stated(&area), "kernel");
        prop_assert_eq!(found.mismatches, 0, "{:#?}", found.first);
        prop_assert_eq!(found.equal, ops.iter().filter(|op| matches!(op, Op::Alloc { .. })).count() as u64);
        // Where nothing states the area the pages seen do, but for its order_per_bit.
        if area.order_per_bit() == 0
            && area.ranges()[0].pfn.0 % 512 == 0
            && area.pages() % 512 == 0
            && source_places_something(&traced)
        {
            let found = compare(&source, &Options::default(), "kernel");
            prop_assert_eq!(found.mismatches, 0, "{:#?}", found.first);
        }
    }

    #[test]
    fn a_trace_that_begins_later_goes_on_from_a_snapshot(
        area in areas(),
        generation in generations(),
        picks in prop::collection::vec((0u8..12, any::<u64>(), any::<u64>()), 20..200),
        cut in any::<prop::sample::Index>(),
        after in any::<bool>(),
    ) {
        let ops = ops(&area, &picks, generation != Generation::One);
        prop_assume!(!ops.is_empty());
        let traced = trace(&area, &ops, generation);
        let cut = cut.index(ops.len());
        let text = joined(&traced.ops[cut..]);
        prop_assume!(text.contains("cma_alloc"));
        let source = Source::bytes("t", text.into_bytes());
        // It may be taken before the trace or after it.
        let taken = if after { ops.len() } else { cut };
        let snapshot = snapshot(&area, &traced.free[taken]);
        let snapshot = Some(Source::bytes("debugfs", snapshot.into_bytes()));
        let options = Options { snapshot, ..Options::default() };
        let found = compare(&source, &options, "kernel");
        prop_assert_eq!(found.mismatches, 0, "{:#?}", found.first);
    }

    #[test]
    fn calls_that_overlap_and_releases_that_come_late_are_put_in_order(
        area in areas(),
        generation in generations(),
        picks in prop::collection::vec((0u8..12, any::<u64>(), any::<u64>()), 1..200),
        delays in prop::collection::vec(0u64..4, 200),
    ) {
        // In whole: of which part a release was is not known before its event.
        let whole = |&(kind, a, b): &(u8, u64, u64)| (if kind == 9 { 8 } else { kind }, a, b);
        let picks: Vec<_> = picks.iter().map(whole).collect();
        let ops = ops(&area, &picks, generation != Generation::One);
        let traced = trace(&area, &ops, generation);
        // The last event of a call, or a release, may come after those of up to three ops that
        // follow: each is another task's.
        let mut lines = Vec::new();
        for (events, delay) in traced.ops.iter().zip(&delays) {
            for (at, (at_us, line)) in events.iter().enumerate() {
                let last = generation != Generation::One && at + 1 == events.len();
                lines.push((at_us + if last { delay * STEP_US } else { 0 }, line.as_str()));
            }
        }
        lines.sort_by_key(|(at_us, _)| *at_us);
        let text: String = lines.iter().map(|(_, line)| *line).collect();
        prop_assume!(text.contains("cma_alloc"));
        let source = Source::bytes("t", text.into_bytes());
        let found = compare(&source, &stated(&area), "kernel");
        let calls = ops.iter().filter(|op| matches!(op, Op::Alloc { .. })).count() as u64;
        prop_assert_eq!(answers(&found), (calls, 0), "{:#?}", found.first);
    }

    #[test]
    fn no_trace_is_too_odd(
        lines in prop::collection::vec((0u8..8, 0usize..6, 0usize..6, 0u8..3), 0..60),
        order_per_bit in 0u32..3,
    ) {
        const NUMBERS: [u64; 6] = [0, 1, 64, 700, u32::MAX as u64, u64::MAX];
        let mut text = String::new();
        for (at, (kind, a, b, task)) in lines.into_iter().enumerate() {
            let (pfn, count) = (NUMBERS[a], NUMBERS[b]);
            let shape = format!("count={count} align={b}");
            let end = match kind {
                0 => format!("cma_alloc_start: name=x {shape}"),
                1 => format!("cma_alloc_busy_retry: name=x pfn=0x{pfn:x} page=0 {shape}"),
                2 => format!("cma_alloc_finish: name=x pfn=0x{pfn:x} page=(null) {shape}"),
                3 => format!("cma_alloc_finish: name=x pfn=0x{pfn:x} page=1 {shape} errorno=0"),
                4 => format!("cma_alloc: pfn={pfn:x} page=1 {shape}"),
                5 => "CPU:0 [LOST 4 EVENTS]".to_string(),
                _ => format!("cma_release: name=x pfn=0x{pfn:x} page=1 count={count}"),
            };
            let _ = match kind {
                5 => writeln!(text, "{end}"),
                _ => writeln!(text, " a b-c-{task} [000] ..... {}.000000: {end}", at % 7),
            };
        }
        let source = Source::bytes("t", text.into_bytes());
        let options = geometry(0, 768, order_per_bit);
        if let Ok(reader) = reader::open(&source, &options) {
            let rows: Vec<_> = reader.map(|row| row.unwrap()).collect();
            prop_assert!(rows.is_sorted_by(|a, b| a.at_us < b.at_us));
            compare(&source, &options, "kernel");
            compare(&source, &options, "best-fit");
        }
        drop(reader::open(&source, &Options::default()));
    }
}

fn source_places_something(traced: &Traced) -> bool {
    // The lowest page of the area is used first, so the base is seen where anything is.
    joined(&traced.ops).contains("page=00000000a1b2c3d4")
}

/// Debugfs of `area`, all of which is taken but `free`.
fn snapshot(area: &Area, free: &[Run]) -> String {
    let bits = area.bits(0) as usize;
    let mut words = vec![u32::MAX; bits.div_ceil(32)];
    if !bits.is_multiple_of(32) {
        *words.last_mut().unwrap() = (1 << (bits % 32)) - 1;
    }
    for run in free {
        let first = area.pfn_to_bit(0, run.pfn);
        for bit in first..first + (run.count >> area.order_per_bit()) {
            words[bit as usize / 32] &= !(1 << (bit % 32));
        }
    }
    let words: Vec<_> = words.iter().map(u32::to_string).collect();
    let range = area.ranges()[0];
    let mut text = String::new();
    for (file, content) in [
        ("base_pfn", range.pfn.0.to_string()),
        ("bitmap", words.join(" ")),
        ("count", range.count.to_string()),
        ("order_per_bit", area.order_per_bit().to_string()),
    ] {
        writeln!(text, "==> /sys/kernel/debug/cma/multimedia/{file} <==\n{content}").unwrap();
    }
    text
}

/// Lines of a trace: task, microseconds, event.
fn events(lines: &[(u32, u64, &str)]) -> Source {
    let mut text = String::new();
    for (pid, at_us, event) in lines {
        writeln!(text, "   v4l2-{pid} [000] .....  1.{at_us:06}: {event}").unwrap();
    }
    self::text(&text)
}

#[test]
fn a_release_that_is_traced_late_is_before_the_next_grant() {
    let source = events(&[
        (1, 0, "cma_alloc_start: name=m count=8 align=3"),
        (1, 1, "cma_alloc_finish: name=m pfn=0x200 page=1 count=8 align=3 errorno=0"),
        (2, 2, "cma_alloc_start: name=m count=8 align=3"),
        (2, 3, "cma_alloc_finish: name=m pfn=0x200 page=1 count=8 align=3 errorno=0"),
        (1, 4, "cma_release: name=m pfn=0x200 page=1 count=8"),
        (2, 5, "cma_release: name=m pfn=0x200 page=1 count=8"),
        (2, 6, "cma_alloc_start: name=m count=9 align=0"),
        (2, 7, "cma_alloc_finish: name=m pfn=0x200 page=1 count=9 align=0 errorno=0"),
    ]);
    let found = compare(&source, &geometry(512, 512, 0), "kernel");
    assert_eq!((found.ops, found.mismatches), (5, 0), "{:#?}", found.first);
    let warnings = warnings(&source, &geometry(512, 512, 0));
    assert!(warnings[0].starts_with("1 release is traced after"), "{warnings:?}");
}

#[test]
fn what_was_live_before_is_put_in_place_and_is_no_request() {
    let source = events(&[
        (1, 0, "cma_release: name=m pfn=0x208 page=1 count=8"),
        (1, 1, "cma_alloc_start: name=m count=4 align=2"),
        (1, 2, "cma_alloc_finish: name=m pfn=0x200 page=1 count=4 align=2 errorno=0"),
        (1, 3, "cma_alloc_start: name=m count=24 align=3"),
        (1, 4, "cma_alloc_finish: name=m pfn=0x208 page=1 count=24 align=3 errorno=0"),
        (1, 5, "cma_release: name=m pfn=0x220 page=1 count=8"),
        (1, 6, "cma_release: name=m pfn=0x220 page=1 count=8"),
    ]);
    let found = compare(&source, &geometry(512, 64, 0), "kernel");
    assert_eq!((found.ops, found.mismatches), (4, 0), "{:#?}", found.first);
    let mut reader = reader::open(&source, &geometry(512, 64, 0)).unwrap();
    let before = reader.warm_up();
    assert_eq!(before.len(), 6, "{before:?}");
    assert_eq!(reader.by_ref().count(), 4);
    let warnings = reader.warnings();
    let live = "2 buffers, 16 pages, were live before the trace began";
    assert!(warnings[0].starts_with(live), "{warnings:?}");
    assert!(warnings[1].starts_with("1 release is of pages that nobody holds"), "{warnings:?}");

    let survey =
        replay::survey(&source, &geometry(512, 64, 0), &environment::Spec::parse("quiet").unwrap());
    let under = Under {
        policy: &builtin::catalog().parse("kernel").unwrap(),
        environment: &environment::Spec::parse("quiet").unwrap(),
        seed: &Seed::new(0),
        kernel: Kernel::find("6.12").unwrap(),
        cap: 8,
    };
    let run = replay::run(&source, &geometry(512, 64, 0), &survey.unwrap(), &under, &mut []);
    let run = run.unwrap();
    assert_eq!(run.value("requests").to_string(), "2");
    // 16 pages before, 8 of them given back, then 4 and 24 more.
    assert_eq!(run.value("load_max_pages").to_string(), "36");
}

#[test]
fn a_trace_written_as_a_recording_or_a_stream_is_the_same_run() {
    let source = events(&[
        (1, 0, "cma_alloc_start: name=m count=24 align=4"),
        (1, 1, "cma_alloc_busy_retry: name=m pfn=0x210 page=1 count=24 align=4"),
        (1, 2, "cma_alloc_finish: name=m pfn=0x220 page=1 count=24 align=4 errorno=0"),
        (1, 3, "cma_release: name=m pfn=0x208 page=1 count=6"),
        (1, 4, "cma_release: name=m pfn=0x228 page=1 count=2"),
        (1, 5, "cma_alloc_start: name=m count=40 align=0"),
        (
            1,
            6,
            "cma_alloc_finish: name=m pfn=0xffffffffffffffff page=(null) count=40 align=0 \
                errorno=-12",
        ),
    ]);
    let options = geometry(512, 64, 0);
    let survey =
        replay::survey(&source, &options, &environment::Spec::parse("scripted").unwrap()).unwrap();
    let under = Under {
        policy: &builtin::catalog().parse("kernel").unwrap(),
        environment: &environment::Spec::parse("scripted").unwrap(),
        seed: &Seed::new(0),
        kernel: Kernel::find("6.12").unwrap(),
        cap: 8,
    };
    let mut recording = Vec::new();
    let mut recorder = replay::Recorder::new(&under, &mut recording);
    replay::run(&source, &options, &survey, &under, &mut [&mut recorder]).unwrap();
    recorder.end().unwrap();
    let recording = String::from_utf8(recording).unwrap();
    assert!(recording.contains("\n3,alloc,2,24,4,32,1,"), "{recording}");
    let recorded = Source::bytes("r", recording.into_bytes());
    let options = Options::default();
    let survey = replay::survey(&recorded, &options, under.environment).unwrap();
    let found = replay::expect(&recorded, &options, &survey, None, &under).unwrap();
    assert_eq!(found.mismatches, 0, "{:#?}", found.first);

    let mut stream = Vec::new();
    replay::to_stream(&source, &geometry(512, 64, 0), "6.12", &mut stream).unwrap();
    let stream = String::from_utf8(stream).unwrap();
    let rows: Vec<_> = stream.lines().skip_while(|line| !line.starts_with("0,")).collect();
    let expected = [
        "0,alloc,1,8,0,,,",
        "0,alloc,0,6,0,,,",
        "0,free,1,,,,,",
        "1,alloc,2,24,4,v4l2,,",
        "3,free,0,,,,,",
        "4,free,2,2,,,,8",
        "5,alloc,3,40,0,v4l2,,",
        "5,free,3,,,,,",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn one_of_several_areas_is_taken() {
    let source = events(&[
        (1, 0, "cma_alloc_start: name=a count=8 align=3"),
        (2, 1, "cma_alloc_start: name=b, c count=4 align=2"),
        (2, 2, "cma_alloc_finish: name=b, c pfn=0x800 page=1 count=4 align=2 errorno=0"),
        (1, 3, "cma_alloc_finish: name=a pfn=0x200 page=1 count=8 align=3 errorno=0"),
        (2, 4, "cma_release: name=b, c pfn=0x800 page=1 count=4"),
    ]);
    let area = |name: Option<&str>| {
        let options = Options { area: name.map(str::to_string), ..Options::default() };
        reader::open(&source, &options).map(|reader| reader.area().unwrap().clone())
    };
    let taken = area(None).unwrap();
    assert_eq!((taken.name(), taken.ranges()), ("b, c", &[Run::new(2048, 512)][..]));
    let taken = area(Some("a")).unwrap();
    assert_eq!((taken.name(), taken.ranges()), ("a", &[Run::new(512, 512)][..]));
    let why = area(Some("c")).unwrap_err().to_string();
    assert!(why.contains("no event is of area \"c\"; areas and their events: \"a\" 2, \"b, c\" 3"));
    let found = compare(&source, &Options::default(), "kernel");
    assert_eq!((found.ops, answers(&found)), (2, (1, 0)));
    assert!(warnings(&source, &Options::default())[0].starts_with("events of several areas"));
}

#[test]
fn what_asks_for_too_much_or_nothing_ends_without_a_finish() {
    let source = events(&[
        (1, 0, "cma_alloc_start: name=m count=0 align=0"),
        (1, 1, "cma_alloc_start: name=m count=65 align=0"),
        (1, 2, "cma_alloc_start: name=m count=64 align=0"),
        (1, 3, "cma_alloc_start: name=m count=8 align=0"),
        (1, 4, "cma_alloc_finish: name=m pfn=0x200 page=1 count=8 align=0 errorno=0"),
    ]);
    let options = geometry(512, 64, 0);
    let found = compare(&source, &options, "kernel");
    assert_eq!((found.ops, found.mismatches), (3, 0), "{:#?}", found.first);
    assert_eq!((found.equal, found.unanswered), (1, 1));
    assert_eq!(warnings(&source, &options), ["1 call has no finish; it is left out"]);
}

#[test]
fn where_nothing_is_placed_the_area_must_be_stated() {
    let source = events(&[
        (1, 0, "cma_alloc_start: name=m count=8 align=0"),
        (1, 1, "cma_alloc_finish: name=m pfn=0xffffffffffffffff page=(null) count=8 align=0"),
    ]);
    let Err(error) = reader::open(&source, &Options::default()) else { panic!("it has no area") };
    assert!(error.to_string().contains("--base-pfn"), "{error}");
    let found = compare(&source, &geometry(512, 4, 0), "kernel");
    assert_eq!(found.ops, 1);
    let other = text("      x-1 [000] ..... 1.000000: kmalloc: call_site=0\n");
    let Err(error) = reader::open(&other, &Options::default()) else { panic!("no events") };
    assert!(error.to_string().contains("no known format"), "{error}");
}

/// As `cmalab diagnose dmesg.txt trace.txt` takes them: what a trace does not state is in the log.
#[test]
fn other_texts_of_a_board_say_what_its_trace_does_not() {
    let trace = events(&[
        (1, 0, "cma_alloc_start: name=m count=8 align=3"),
        (1, 1, "cma_alloc_finish: name=m pfn=0x40208 page=1 count=8 align=3 errorno=0"),
    ]);
    let log = "[    0.000000] Linux version 6.6.47-board (builder@host) (gcc) #1 SMP\n\
               [    0.000000] Reserved memory: created CMA memory pool at 0x40200000, size 4 MiB\n";
    let log = Source::bytes("dmesg.txt", log.as_bytes());
    let stream = Source::bytes("s.csv", &b"at_us,op,id,count,align\n"[..]);
    for texts in [[&log, &trace, &stream], [&stream, &trace, &log]] {
        let texts = texts.map(Clone::clone).to_vec();
        let (rows, beside) = reader::sorted(texts).unwrap();
        let names = |sources: &[Source]| -> Vec<_> {
            sources.iter().map(|source| source.name().to_string()).collect()
        };
        assert_eq!((rows.len(), names(&beside)), (2, vec!["dmesg.txt".to_string()]));
        let options = Options { beside, ..Options::default() };
        let reader = reader::open(&trace, &options).unwrap();
        assert_eq!(reader.header().get("kernel"), Some("6.6.47-board"));
        let area = reader.area().unwrap();
        assert_eq!((area.ranges()[0].pfn.0, area.pages()), (0x40200, 1024));
    }
    let (rows, beside) = reader::sorted(vec![log.clone(), log]).unwrap();
    assert_eq!((rows.len(), beside.len()), (2, 0), "no trace: each is wrong by itself");
}
