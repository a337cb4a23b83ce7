//! A race: what is run follows from the plan alone, and longer streams from shorter ones.

use std::fs;

use cma_harness::metric::{METRICS, Of, Value, column};
use cma_harness::sweep::{
    Cell, Evidence, Known, Outcome, Ready, Shard, Target, Watch, complete, parse, prepare, run,
    wanted,
};
use cma_policies::builtin;

use super::{Bench, files, rows};

/// Two sizes of a board, two kinds of stream, two policies, two caps; 12 streams of 72 s each.
const PLAN: &str = r#"
name = "p"
seeds = 12
target = "mtbf=2min"
until = "first-failure"
policies = ["kernel", "zoned:share=0.25,order=8"]
caps = [8, 0]
[[boards]]
name = "small"
areas = [{ mib = 48 }]
[[boards]]
name = "large"
areas = [{ mib = 96 }]
[[streams]]
profile = "gpu"
loads_mib = [40]
hours = 0.02
[[streams]]
profile = "vpu-encode"
loads_mib = [40]
hours = 0.02
"#;

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn ready(plan: &str) -> Ready {
    prepare(parse("test", plan, &builtin::catalog()).unwrap()).unwrap()
}

/// How many seeds of each row are run, worked out in the plainest way from all of them: rounds of
/// 8, and a board and cap that is out with one kind of stream is not run with the next.
fn expected(all: &Ready, outcomes: &dyn Fn(&Cell) -> Outcome, target: Target) -> Vec<usize> {
    let mut out = std::collections::BTreeSet::new();
    let mut ran = Vec::new();
    for at in all.plan.configurations() {
        for policy in 0..all.plan.policies.len() {
            let candidate = (at.board, at.cap, policy);
            let (mut seen, mut seeds) = (Evidence::default(), 0);
            while seeds < 12 && !out.contains(&candidate) {
                let round = seeds..(seeds + 8).min(12);
                for seed in round.clone() {
                    let outcome = outcomes(&Cell { at, policy, seed: 1 + seed });
                    seen.add(outcome.watched_us, outcome.lost);
                }
                seeds = round.end;
                let missed = seen.p_missed(target, 72_000_000) <= 0.05;
                if missed || !seen.can_prove(target, 72_000_000, 12 - seeds) {
                    out.insert(candidate);
                }
            }
            ran.push(seeds as usize);
        }
    }
    ran
}

#[test]
fn what_cannot_be_the_answer_is_run_no_further() {
    let race = ready(PLAN);
    let target = race.plan.target.unwrap();
    let all = ready(&PLAN.replace("target =", "# target ="));
    let (some, whole) = (run(&race, 2, &Nobody).unwrap(), run(&all, 2, &Nobody).unwrap());
    let outcomes = |cell: &Cell| {
        let found = whole.cells.iter().position(|other| other == cell).unwrap();
        Outcome::of(&whole.values[found])
    };
    let expected = expected(&all, &outcomes, target);
    let ran: Vec<usize> =
        some.blocks().flat_map(|block| block.values.into_iter().map(|seeds| seeds.len())).collect();
    assert_eq!(ran, expected);
    for seeds in [0, 8, 12] {
        assert!(ran.contains(&seeds), "{seeds}: {ran:?}");
    }
    // What is run is run as without a race.
    for (cell, values) in some.cells.iter().zip(&some.values) {
        let found = whole.cells.iter().position(|other| other == cell).unwrap();
        assert_eq!(values, &whole.values[found]);
    }
}

#[test]
fn finished_cells_that_a_race_does_not_run_are_left_out() {
    let ready = ready(PLAN);
    let mut known = Known::of(&ready.plan);
    let cells = ready.plan.cell_count().unwrap();
    let at_once = Outcome { refused: true, lost: true, watched_us: 1 };
    (0..cells).for_each(|number| known.note(number, at_once));
    // Of the first stream a round of 8 on 2 boards, under 2 caps and 2 policies; of the other none.
    let wanted = wanted(&ready, Shard::WHOLE, &known);
    assert_eq!((cells, wanted.count()), (2 * 2 * 2 * 2 * 12, 2 * 2 * 2 * 8));
    assert!(wanted.has(0) && wanted.has(7) && !wanted.has(8) && !wanted.has(cells - 1));
    assert_eq!(complete(&ready, Shard::WHOLE, &known), Ok(wanted.count()));
    assert_eq!(complete(&ready, Shard::WHOLE, &wanted), Ok(wanted.count()));
}

#[test]
fn a_plan_that_proves_nothing_still_tells_what_it_sees() {
    // 12 streams of 72 s are 14 min: not even none of them failing proves an hour.
    let ready = ready(&PLAN.replace("mtbf=2min", "mtbf=1h"));
    let warned = |ready: &Ready| ready.warnings.iter().any(|one| one.contains("do not prove"));
    assert!(warned(&ready) && !warned(&self::ready(PLAN)), "{:?}", ready.warnings);
    let mut known = Known::of(&ready.plan);
    let well = Outcome { refused: false, lost: false, watched_us: 72_000_000 };
    (0..ready.plan.cell_count().unwrap()).for_each(|number| known.note(number, well));
    assert_eq!(wanted(&ready, Shard::WHOLE, &known).count(), known.count(), "nothing is dropped");
}

#[test]
fn a_cell_ends_at_its_first_failure_and_not_before() {
    let (short, long) = (ready(PLAN), ready(&PLAN.replace("until =", "# until =")));
    let (short, long) = (run(&short, 2, &Nobody).unwrap(), run(&long, 2, &Nobody).unwrap());
    assert_eq!(short.cells, long.cells, "the race goes by first failures alone");
    let mut ended = 0;
    for (short, long) in short.values.iter().zip(&long.values) {
        let value = |values: &[Value], name: &str| values[column(name)];
        for name in [
            "requests_to_first_failure",
            "requests_to_first_unserved",
            "time_to_first_unserved_us",
            "utilisation_at_first_failure",
        ] {
            assert_eq!(value(short, name), value(long, name), "{name}");
        }
        let early = value(short, "ended_early") == Value::Count(1);
        assert_eq!(early, value(long, "time_to_first_unserved_us") != Value::None);
        assert_eq!(value(long, "ended_early"), Value::Count(0));
        assert_eq!(value(long, "board_time_us"), Value::Count(72_000_000));
        if early {
            ended += 1;
            assert_eq!(value(short, "board_time_us"), value(short, "time_to_first_unserved_us"));
            assert_eq!(value(short, "withheld_per_request"), Value::None);
            assert_eq!(value(short, "unserved"), Value::Count(1));
        } else {
            let entries = METRICS.iter().flat_map(|entry| entry.columns.iter().map(|_| entry.of));
            for ((short, long), of) in short.iter().zip(long).zip(entries) {
                assert_eq!(*short, if of == Of::Moments { Value::None } else { *long });
            }
        }
    }
    assert!(ended > 8 && ended < short.values.len(), "{ended} of {}", short.values.len());
}

#[test]
fn threads_and_shards_do_not_change_what_is_dropped() {
    let bench = Bench::new(PLAN);
    let whole = bench.good(&["sweep", "p.toml", "--out", "whole", "--quiet", "--jobs", "1"]);
    let expected = files(&bench.path("whole"));
    for jobs in ["2", "7"] {
        bench.good(&["sweep", "p.toml", "--out", "out", "--quiet", "--jobs", jobs]);
        bench.same("out", &expected);
    }
    for of in [2, 3] {
        let _ = fs::remove_dir_all(bench.path("parts"));
        for index in 1..=of {
            let (shard, out) = (format!("{index}/{of}"), format!("parts/{index}"));
            bench.good(&["sweep", "p.toml", "--shard", &shard, "--out", &out, "--quiet"]);
        }
        let merged = bench.good(&["merge", "parts", "--out", "merged", "--quiet"]);
        bench.same("merged", &expected);
        assert_eq!(merged.stdout, whole.stdout);
    }
    let text = String::from_utf8_lossy(&whole.stdout).to_string();
    assert!(text.contains("target mtbf=2min: the 95 % hold for the choice as a whole"), "{text}");
    assert!(text.contains("the race ran "), "{text}");
}

#[test]
fn longer_streams_go_on_from_shorter_ones() {
    let longer = PLAN.replace("hours = 0.02", "hours = 0.04");
    let bench = Bench::new(PLAN);
    fs::write(bench.path("long.toml"), &longer).unwrap();
    bench.good(&["sweep", "long.toml", "--out", "fresh", "--quiet"]);
    let fresh = files(&bench.path("fresh"));
    bench.good(&["sweep", "p.toml", "--out", "out", "--quiet"]);
    let before = rows(&files(&bench.path("out")), "cells.csv");
    let said = bench.good(&["sweep", "long.toml", "--out", "out", "--resume"]);
    let said = String::from_utf8_lossy(&said.stderr).to_string();
    bench.same("out", &fresh);
    assert!(said.contains("streams are longer than before: "), "{said}");
    assert!(before > 20, "{before}");
    // A finished shard goes on too, and one that was stopped.
    for (folder, of) in [("parts/1", "1/2"), ("parts/2", "2/2")] {
        bench.good(&["sweep", "p.toml", "--shard", of, "--out", folder, "--quiet"]);
        bench.good(&["sweep", "long.toml", "--shard", of, "--out", folder, "--quiet", "--resume"]);
    }
    bench.good(&["merge", "parts", "--out", "merged", "--quiet"]);
    bench.same("merged", &fresh);
    // Shorter ones do not: their rows are of streams that are cut elsewhere.
    let shorter = ["sweep", "p.toml", "--out", "out", "--resume"];
    let refused = bench.run(&shorter);
    assert_eq!(refused.status.code(), Some(2));
    bench.same("out", &fresh);
    let shorter = bench.run(&[&shorter[..], &["--force"]].concat());
    let said = String::from_utf8_lossy(&shorter.stderr).to_string();
    assert!(said.contains("there is nothing to resume from"), "{said}");
    bench.good(&["sweep", "p.toml", "--out", "again", "--quiet"]);
    bench.same("out", &files(&bench.path("again")));
}
