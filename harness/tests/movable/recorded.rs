//! What real kernels did.

use std::path::{Path, PathBuf};

use cma_harness::cause::Cause;
use cma_harness::environment;
use cma_harness::ingest::Source;
use cma_harness::kernel::Kernel;
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::reader::{self, Options};
use cma_harness::replay::{self, Comparison, Under};
use cma_harness::seed::Seed;
use cma_harness::simulate::step;
use cma_policies::{AllocError, Area, ClaimError, Request, Run, builtin};

use crate::pages;

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/recordings")
}

fn compare(path: &Path, pages: &str) -> Comparison {
    let (source, options) = (Source::file(path), Options::default());
    let reader = reader::open(&source, &options).unwrap();
    let under = Under {
        policy: &builtin::catalog().parse("kernel").unwrap(),
        environment: &environment::Spec::parse(pages).unwrap(),
        seed: &Seed::new(0),
        kernel: Kernel::find(reader.header().get("kernel").unwrap()).unwrap(),
        cap: reader.cap(),
    };
    let found = replay::survey(&source, &options, under.environment).unwrap();
    replay::expect(&source, &options, &found, None, &under).unwrap()
}

/// The pins of a recording are all there was: with nothing else in the pages the model repeats
/// every placement, errno and retry of the kernel.
#[test]
fn pins_make_claims_busy_exactly_as_recorded() {
    let names = ["6.12/pins-a1-dma8", "6.12/pins-a0-dma8", "6.1/pins-a1-dma8", "6.1/pins-a0-dma8"];
    for name in names.into_iter().chain(["6.12/text/busy"]) {
        let path = recordings().join(format!("{name}.csv.gz"));
        let (model, pinned) = (compare(&path, "movable:fill=0"), compare(&path, "pinned"));
        assert_eq!(model.mismatches, 0, "{name}: {:#?}", model.first);
        assert_eq!((model.ops, model.fields), (pinned.ops, pinned.fields), "{name}");
        assert!(compare(&path, "quiet").mismatches > 0, "{name} has no pins");
    }
    let full = compare(&recordings().join("6.12/pins-a1-dma8.csv.gz"), "movable:fill=1,pin=0.01");
    assert!(full.mismatches > 0, "pins on top of the recorded ones are seen");
}

/// The number after `key` in the first line of `text` that has it.
fn number(text: &str, key: &str) -> u64 {
    let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("{key}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// The counters of the kernel's report: 359950 anonymous pages and next to nothing free. Five
/// requests of 20000 to 100000 pages were answered -12, the area's bitmap being all clear.
#[test]
fn without_memory_to_migrate_to_an_empty_area_refuses() {
    let file = recordings().join("6.12/text/dmesg-lowmem.txt.gz");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut Source::file(&file).open().unwrap(), &mut text).unwrap();
    let at = ["active_anon:", "inactive_anon:", "isolated_anon:", "]  free:", "free_pcp:"];
    let [active, inactive, isolated, free, on_cpus] = at.map(|key| number(&text, key));
    let anonymous = active + inactive + isolated;
    assert_eq!((anonymous, free), (359_950, 305));
    let area_pages = number(&text, "number of available pages: ");
    assert_eq!(area_pages, 131_072);
    // All memory that movable pages can be in, less the area.
    let elsewhere = anonymous + free + on_cpus - area_pages;
    let counts: Vec<_> = text.split("req-size: ").skip(1).map(|rest| number(rest, "")).collect();
    assert_eq!(counts, [20_000, 40_000, 60_000, 80_000, 100_000]);

    let causes = |used: u64| -> Vec<_> {
        let total = (elsewhere.div_ceil(256) * 256 + area_pages) as f64;
        let demand = used as f64 / total;
        let spec = format!(
            "movable:system_mib={},clean=0,dirty=0,demand={demand},demand_end={demand},pin=0",
            elsewhere.div_ceil(256)
        );
        let area = Area::single(0, area_pages, 0).unwrap();
        let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
        let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
        let mut pages = pages(&spec, area_pages, 1);
        let ask = |(index, count): (u64, &u64)| {
            let request = Request::new(*count, 8).unwrap();
            let op = Op::Alloc { id: index, request, dma: true };
            let step = self::step(index, Timed { at_us: index, op }, &mut witness, pages.as_mut());
            let step = step.unwrap();
            let outcome = step.outcome.unwrap();
            if let Err(error) = outcome.answer {
                // The kernel gives up at the first window, and its list is that of an empty area.
                assert_eq!((error, outcome.attempts), (AllocError::NoMemory, 1));
                assert_eq!(outcome.last_failed.unwrap().1, ClaimError::NoMemory);
                assert_eq!(step.model.free_pages(), area_pages);
            }
            let cause = step.cause;
            let back = Timed { at_us: index, op: Op::Free { id: index, part: None } };
            self::step(index, back, &mut witness, pages.as_mut()).unwrap();
            cause
        };
        (0..).zip(&counts).map(ask).collect()
    };
    assert_eq!(causes(anonymous), [Some(Cause::Migration); 5]);
    // The same machine with 60000 pages in use.
    assert_eq!(causes(60_000), [None; 5]);
}

/// `movable:fill=0` asks nothing of the pages, so `Run`s are free wherever no pin is.
#[test]
fn an_empty_system_is_the_pinned_environment() {
    let mut draws = Seed::new(7).rng();
    let (mut model, mut pinned) = (pages("movable:fill=0", 512, 1), pages("pinned", 512, 1));
    for at_us in 0..5_000 {
        let start = draws.below(500);
        let run = Run::new(start, 1 + draws.below(12));
        model.advance(at_us);
        pinned.advance(at_us);
        let answers = |pages: &mut dyn environment::Environment, kind| match kind {
            0 => pages.pin(run),
            1 => pages.unpin(run),
            _ => pages.claim(run).is_ok(),
        };
        let kind = draws.below(4);
        assert_eq!(answers(model.as_mut(), kind), answers(pinned.as_mut(), kind), "{at_us}");
    }
}
