//! Early stopping: which seeds are run, and that nothing but the plan decides it.

use cma_harness::metric::Value;
use cma_harness::stats::anytime;
use cma_harness::sweep::{Cell, Outcome, Ready, Stop, Watch, parse, prepare, run};
use cma_policies::builtin;

use super::{Bench, early_plan, rows};

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn ready(plan: &str) -> Ready {
    prepare(parse("test", plan, &builtin::catalog()).unwrap()).unwrap()
}

/// The seeds that the rule runs, worked out in the plainest way from a sweep of all seeds.
fn expected(block: &[Vec<bool>], share: f64) -> usize {
    let seeds = block[0].len();
    let mut run = 0;
    loop {
        run = seeds.min(run + 16);
        let sure = |streams: &Vec<bool>| {
            let failed = streams[..run].iter().filter(|failed| **failed).count();
            let interval = anytime::share_interval(failed as u64, run as u64);
            interval.low.unwrap() > share || interval.high.unwrap() < share
        };
        if run == seeds || block.iter().all(sure) {
            return run;
        }
    }
}

#[test]
fn a_configuration_ends_at_the_first_round_at_which_every_policy_is_clear() {
    let early = ready(&early_plan());
    let all = ready(&early_plan().replace("stop =", "# stop ="));
    let share = early.plan.stop.unwrap().failed_share;
    assert_eq!(all.plan.stop, None);
    let (some, whole) = (run(&early, 2, &Nobody).unwrap(), run(&all, 2, &Nobody).unwrap());
    let mut ran = Vec::new();
    for (some, whole) in some.blocks().zip(whole.blocks()) {
        let failed = |streams: &Vec<Vec<Value>>| {
            streams.iter().map(|one| Outcome::of(one).refused).collect()
        };
        let block: Vec<Vec<bool>> = whole.values.iter().map(failed).collect();
        let seeds = expected(&block, share);
        ran.push(seeds);
        assert_eq!(some.at, whole.at);
        for (some, whole) in some.values.iter().zip(&whole.values) {
            assert_eq!(some[..], whole[..seeds], "the first seeds, and no others");
        }
    }
    // Two loads and two caps, then the recording under two caps.
    assert_eq!(ran.len(), 6);
    assert_eq!(ran[4..], [1, 1], "a recording is one stream");
    assert!(ran[..4].iter().any(|seeds| *seeds < 100), "nothing stopped early: {ran:?}");
    assert!(ran[..4].iter().all(|seeds| *seeds == 400 || seeds.is_multiple_of(16)), "{ran:?}");
    assert!(some.numbers.is_sorted_by(|a, b| a < b));
    assert_eq!(some.cells.len(), ran.iter().sum::<usize>() * 2);
    for (number, cell) in some.numbers.iter().zip(&some.cells) {
        assert_eq!(early.plan.cell(*number), Some(*cell));
    }
}

#[test]
fn a_row_that_was_not_run_is_not_there_and_keeps_its_number() {
    let bench = Bench::new(&early_plan());
    let files = bench.whole("out");
    let cells = String::from_utf8(files["cells.csv"].clone()).unwrap();
    let numbers: Vec<u64> =
        cells.lines().skip(1).map(|row| row.split(',').nth(2).unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    // 4 configurations of 2 policies and 400 seeds come before the recording's four cells.
    assert_eq!(numbers[numbers.len() - 4..], [3200, 3201, 3202, 3203]);
    assert!(rows(&files, "cells.csv") < 3204);
    let plan = String::from_utf8(files["plan.toml"].clone()).unwrap();
    assert!(plan.contains("stop = { failed_share = 0.4 }"), "{plan}");
    assert!(plan.contains(": at most 3204 cells."), "{plan}");
    // The plan as run makes it again.
    std::fs::write(bench.path("p.toml"), plan).unwrap();
    bench.good(&["sweep", "p.toml", "--out", "again", "--quiet"]);
    bench.same("again", &files);
}

#[test]
fn a_share_of_no_streams_or_all_is_no_question() {
    for share in ["0.0", "1.0", "-0.5", "nan"] {
        let plan = format!(
            "name = \"x\"\nstop = {{ failed_share = {share} }}\n[[streams]]\nprofile = \"gpu\""
        );
        let error = parse("test", &plan, &builtin::catalog()).unwrap_err();
        assert_eq!((error.line, error.column), (2, 25), "{error}");
        assert!(error.why.contains("above 0 and below 1"), "{error}");
    }
    assert_eq!(Stop::ROUND, 16, "it is part of what decides the bytes");
}
