//! Refusals of real kernels: who stood in the way, and since when.

use std::path::Path;

use cma_harness::environment::{self, Quiet};
use cma_harness::ingest::Source;
use cma_harness::kernel::Kernel;
use cma_harness::op::{Op, Timed};
use cma_harness::oracle::{Checks, Witness};
use cma_harness::reader::{self, Options};
use cma_harness::replay::{self, Under};
use cma_harness::seed::Seed;
use cma_harness::simulate::{Answer, step, warm_up};
use cma_harness::view::{self, Doomed, Film, State, difference, doomed, places};
use cma_policies::builtin;

use super::common;

/// Recordings and traces of real kernels: of one range and of several, of bits of one page and of
/// four, of a machine and of a board.
const FILES: [&str; 8] = [
    "recordings/6.12/mix-a1-dma8.csv.gz",
    "recordings/6.12/video-a2-dma8.csv.gz",
    "recordings/6.12/mix-a4-opb2-weird.csv.gz",
    "recordings/6.1/short-a1-dma8.csv.gz",
    "recordings/7.3/exhaust-m3.csv.gz",
    "recordings/7.3/exhaust-m9.csv.gz",
    "recordings/6.12/text/trace-align.txt.gz",
    "logs/board/7.3-dmaheap-two-pools-trace.txt.gz",
];

/// Refusals of each file that are looked at.
const EACH: usize = 4;

/// Events that are gone through page by page at most.
const MOST: u32 = 2500;

struct File {
    source: Source,
    film: Film,
}

fn open(name: &str) -> File {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora").join(name);
    let source = Source::file(&path);
    let (options, reader) =
        (Options::default(), reader::open(&source, &Options::default()).unwrap());
    let kernel = Kernel::find(reader.header().get("kernel").unwrap()).unwrap();
    let policy = builtin::catalog().parse(kernel.policy).unwrap();
    let environment = environment::Spec::parse("scripted").unwrap();
    let under = Under {
        policy: &policy,
        environment: &environment,
        seed: &Seed::new(0),
        kernel,
        cap: reader.cap(),
    };
    let film = view::recorded(&source, &options, &under).unwrap();
    // The kernel's own policy answers as the kernel did: one film is held against the other.
    let survey = replay::survey(&source, &options, &environment).unwrap();
    let again = view::run(&source, &options, &survey, &under).unwrap();
    assert_eq!(difference(&film, &again), None, "{name}");
    assert_eq!(film.odd, 0, "{name}");
    File { source, film }
}

/// The refusals that are looked at: those with free pages first.
fn some(film: &Film) -> Vec<usize> {
    let early = |number: &usize| film.refusals[*number].event < MOST;
    let mut numbers: Vec<usize> = (0..film.refusals.len()).filter(early).collect();
    numbers.sort_by_key(|number| !film.refusals[*number].cause.is_withheld());
    numbers.truncate(EACH);
    numbers
}

#[test]
fn without_who_stands_in_a_place_the_request_is_granted() {
    let mut asked = 0;
    for name in FILES {
        let File { source, film } = open(name);
        for number in some(&film) {
            let refusal = film.refusals[number];
            let state = State::before(&film, refusal.event as usize);
            let found = places(&film, &state, refusal.request, 3);
            for place in &found.best {
                let ids = place.buffers.iter().map(|&one| film.buffers[one as usize].id);
                let ids: Vec<u64> = ids.collect();
                let (before, after) = ask(&source, &film, number, &ids);
                let is_free = place.buffers.is_empty();
                assert_eq!(before, is_free, "{name}, refusal {number}, {:?}", place.run);
                assert!(after, "{name}, refusal {number}, {:?}, without {ids:?}", place.run);
                asked += 1;
            }
        }
    }
    assert!(asked >= 30, "{asked}");
}

/// Whether refusal `number` is granted where pages are never busy: as it was, and once `ids` are
/// given back.
fn ask(source: &Source, film: &Film, number: usize, ids: &[u64]) -> (bool, bool) {
    let refusal = film.refusals[number];
    let reader = reader::open(source, &Options::default()).unwrap();
    let cap = reader.cap();
    let policy = builtin::catalog().parse("kernel").unwrap();
    let built = policy.build(film.area.clone()).unwrap();
    let mut witness = Witness::new(&film.area, built, Checks::SWEEP);
    warm_up(reader.warm_up(), &mut witness, &mut []).unwrap();
    let free = |witness: &mut Witness, id| {
        let timed = Timed { at_us: 0, op: Op::Free { id, part: None } };
        step(0, timed, witness, &mut Quiet).unwrap();
    };
    let asks = |witness: &mut Witness| {
        let op = Op::Alloc { id: u64::MAX, request: refusal.request, dma: false };
        let answer = step(0, Timed { at_us: 0, op }, witness, &mut Quiet).unwrap().answer;
        let granted = matches!(answer, Answer::Granted(_));
        if granted {
            free(witness, u64::MAX);
        }
        granted
    };
    for op in reader.ops(cap) {
        let (_, timed) = op.unwrap();
        match timed.op {
            Op::Alloc { id, .. } if id == refusal.id => break,
            Op::Pin(_) | Op::Unpin(_) => continue,
            _ => {}
        }
        step(0, timed, &mut witness, &mut Quiet).unwrap();
    }
    let before = asks(&mut witness);
    ids.iter().for_each(|id| free(&mut witness, *id));
    (before, asks(&mut witness))
}

#[test]
fn no_point_since_the_doomed_one_has_a_place_and_the_point_before_it_has() {
    let (mut asked, mut since) = (0, 0);
    for name in FILES {
        let File { film, .. } = open(name);
        let found = doomed(&film);
        for number in some(&film) {
            assert_eq!(found[number], common::doomed(&film, number), "{name}, refusal {number}");
            asked += 1;
            since += u64::from(matches!(found[number], Doomed::Since(_)));
        }
    }
    assert!(asked >= 10 && since >= 10, "{asked} asked, {since} since a moment");
}
