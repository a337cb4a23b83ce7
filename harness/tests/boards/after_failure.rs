//! What callers do after a failure, step by step.

use cma_harness::metric::{Value, column};
use cma_harness::op::{Op, Part, Timed};
use cma_harness::seed::Seed;
use cma_harness::simulate::Answer;
use cma_harness::workload::{Setup, profile};

use super::rig::{Ran, alloc, ask, board, free, run_on};

/// What happened: when, to which buffer, `+` granted, `!` refused, `-` given back, `?` nothing
/// there to give back.
fn story(ran: &Ran) -> Vec<String> {
    let answers = ran.steps.iter().map(|seen| {
        let id = match seen.timed.op {
            Op::Alloc { id, .. } | Op::Free { id, .. } => id,
            other => panic!("{other:?}"),
        };
        let sign = match seen.answer {
            Answer::Granted(_) => '+',
            Answer::Refused(_) => '!',
            Answer::Freed(_) => '-',
            Answer::NothingToFree => '?',
            other => panic!("{other:?}"),
        };
        format!("{}{sign}{id}", seen.timed.at_us)
    });
    answers.collect()
}

fn run(after_failure: &str, ops: &[Timed]) -> Ran {
    let board = board(&[(16, &[])], "cma-only");
    run_on(&board, &["a", "b", "c"], &[vec![8]], after_failure, ops)
}

fn part(at_us: u64, id: u64, offset: u64, count: u64) -> Timed {
    Timed { at_us, op: Op::Free { id, part: Some(Part { offset, count }) } }
}

#[test]
fn a_retry_happens_at_its_own_time_until_it_is_granted() {
    let ops = [
        alloc(0, 1, 16),
        alloc(500, 2, 8),
        alloc(700, 3, 4),
        free(2500, 1), // the tries at 1500 and 1700, 2500 are over; the op goes first
        alloc(9000, 4, 8),
    ];
    let ran = run("retry:every_ms=1,times=5", &ops);
    let expected =
        ["0+1", "500!2", "700!3", "1500!2", "1700!3", "2500-1", "2500+2", "2700+3", "9000!4"];
    assert_eq!(story(&ran), expected);
    ran.check(&[("requests", "8"), ("refused", "5"), ("exhausted", "5"), ("load_max_pages", "28")]);
}

#[test]
fn patience_ends_and_so_does_the_wait_for_what_would_have_been_given_back() {
    let ops = [
        alloc(0, 1, 16),
        alloc(0, 2, 8), // twice more: 1000, 2000
        alloc(0, 3, 8),
        free(1500, 3), // it does not ask any more
        alloc(1600, 4, 8),
        part(2000, 4, 0, 4), // nor does one that would have given back a part
        free(7000, 1),
        free(8000, 2),
        free(8000, 4),
    ];
    let ran = run("retry:every_ms=1,times=2", &ops);
    let expected = [
        "0+1", "0!2", "0!3", "1000!2", "1000!3", "1500?3", "1600!4", "2000?4", "2000!2", "7000-1",
        "8000?2", "8000?4",
    ];
    assert_eq!(story(&ran), expected);
}

#[test]
fn who_waits_at_the_last_moment_still_asks() {
    let ran = run("retry:every_ms=1", &[alloc(0, 1, 16), alloc(1, 2, 1), free(1001, 1)]);
    assert_eq!(story(&ran), ["0+1", "1!2", "1001-1", "1001+2"]);
}

#[test]
fn a_session_is_all_or_nothing() {
    let ops = [
        ask(0, 1, 4, 0, true), // another session of the same client
        ask(5, 2, 4, 0, true),
        ask(5, 3, 4, 1, true), // another client's
        ask(5, 4, 2, 0, true),
        ask(5, 5, 8, 0, true), // refused: 2 and 4 go back, and 6 is not asked for
        ask(5, 6, 1, 0, true),
        ask(5, 7, 2, 1, true),
        ask(6, 8, 8, 0, true), // the next session
        part(7, 4, 0, 1),
        free(8, 4),
        free(8, 2),
        free(8, 5),
        free(8, 6),
        free(8, 3),
        free(9, 1),
        free(9, 8),
    ];
    let ran = run("session", &ops);
    let expected = ["0+1", "5+2", "5+3", "5+4", "5!5", "5-2", "5-4", "5+7", "6!8", "8-3", "9-1"];
    assert_eq!(story(&ran), expected);
    // What was asked for: 1 to 7 at once, and then 8 more.
    ran.check(&[("requests", "7"), ("load_max_pages", "33"), ("not_asked", "0")]);
}

#[test]
fn what_a_session_gave_back_itself_is_not_given_back_again() {
    let ops = [
        ask(5, 1, 4, 0, true),
        part(5, 1, 0, 1),
        ask(5, 2, 4, 0, true),
        free(5, 2),
        ask(5, 3, 16, 0, true), // refused: the rest of 1 goes back
        ask(6, 2, 16, 0, true), // the id is used anew
        free(7, 1),
        free(8, 2),
    ];
    assert_eq!(
        story(&run("session", &ops)),
        ["5+1", "5-1", "5+2", "5-2", "5!3", "5-1", "6+2", "8-2"]
    );
}

#[test]
fn after_a_reboot_nothing_is_granted_and_nothing_comes_back() {
    let ops = [
        alloc(0, 1, 4),
        alloc(10, 2, 4),
        alloc(20, 3, 4),
        free(30, 2),
        alloc(40, 4, 8), // refused: F = 8, L = 4
        free(50, 1),
        free(50, 4),
        alloc(60, 5, 16),
        part(70, 3, 0, 2),
        free(70, 3),
        free(80, 5),
        free(100, 99), // a mistake of the stream is not seen any more
    ];
    let ran = run("reboot", &ops);
    assert_eq!(story(&ran), ["0+1", "10+2", "20+3", "30-2", "40!4", "60+5", "80-5"]);
    assert_eq!(ran.boots, [0, 0]);
    let dropped = run("drop", &ops);
    for name in ["requests_to_first_failure", "time_to_first_failure_us", "load_max_pages"] {
        assert_eq!(ran.values[column(name)], dropped.values[column(name)], "{name}");
    }
    // A probe of 8 pages fails from 30 to 40 of 100 us; without the reboot to 60 it would be more.
    ran.check(&[("probe_unavailable_time", "0.100000"), ("requests_to_first_failure", "4")]);
    dropped.check(&[("requests_to_first_failure", "4")]);
}

/// The same streams and policy: rates differ by what callers do after a failure, the time to the
/// first failure does not.
#[test]
fn rates_depend_on_what_callers_do_and_the_first_failure_does_not() {
    let pages = 32_768;
    let board = board(&[(pages, &[])], "cma-only");
    let words = ["drop", "retry:every_ms=1000,times=100", "reboot", "session"];
    let mut rates = [0.0; 4];
    for seed in 1..=12 {
        let setup = Setup { area_pages: pages, load: 0.9, seed: Seed::new(seed), ops: 2000 };
        let stream = profile("video").unwrap().open(&setup).unwrap();
        let ops: Vec<_> = stream.map(|timed| Timed { op: timed.op.with_cap(8), ..timed }).collect();
        let runs = words.map(|word| run_on(&board, &[""], &[vec![]], word, &ops));
        let value = |ran: &Ran, name: &str| ran.values[column(name)];
        for (ran, rate) in runs.iter().zip(&mut rates) {
            *rate += value(ran, "withheld_per_request").number().unwrap_or(0.0) / 12.0;
            for name in ["requests_to_first_failure", "time_to_first_failure_us", "load_max_pages"]
            {
                assert_eq!(value(ran, name), value(&runs[0], name), "{name}, seed {seed}");
            }
        }
        assert_ne!(value(&runs[0], "load_max_pages"), Value::Count(0));
    }
    println!("{words:?} {rates:?}");
    let [drop, retry, reboot, _] = rates;
    assert!(retry > drop && reboot < drop / 2.0, "{words:?} {rates:?}");
}
