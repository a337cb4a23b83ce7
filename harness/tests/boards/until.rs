//! How long a board is watched.

use cma_harness::op::Timed;
use cma_harness::simulate::Until;

use super::rig::{Ran, alloc, board, free, run_until};

fn run(after_failure: &str, until: Until, ops: &[Timed]) -> Ran {
    run_until(&board(&[(16, &[])], "cma-only"), &["a"], &[vec![8]], (after_failure, until), ops)
}

/// What each step was at, in microseconds.
fn times(ran: &Ran) -> Vec<u64> {
    ran.steps.iter().map(|seen| seen.timed.at_us).collect()
}

const TO_THE_END: [(&str, &str); 2] = [("ended_early", "0"), ("stream_ops", "3")];

#[test]
fn a_stream_is_watched_from_its_first_op_on_for_so_long() {
    let ops =
        [alloc(1000, 1, 8), free(3000, 1), alloc(4999, 2, 8), free(5000, 2), alloc(9000, 3, 8)];
    let of = |time_us| run("drop", Until { time_us: Some(time_us), first_failure: false }, &ops);
    let ran = of(4000);
    assert_eq!(times(&ran), [1000, 3000, 4999]);
    ran.check(&TO_THE_END);
    ran.check(&[("board_time_us", "4000"), ("requests", "2")]);
    // It ends before that: up to its last op.
    let ran = of(90_000);
    assert_eq!(times(&ran).len(), 5);
    ran.check(&[("board_time_us", "8000")]);
    run("drop", Until::END, &ops).check(&[("board_time_us", "8000"), ("ended_early", "0")]);
}

#[test]
fn what_happens_beside_the_stream_is_cut_at_the_same_time() {
    // Refused at 100, tried again at 1100, 2100, 3100 …
    let ops = [alloc(0, 1, 16), alloc(100, 2, 8), free(9000, 1)];
    let until = Until { time_us: Some(3000), first_failure: false };
    let ran = run("retry:every_ms=1,times=50", until, &ops);
    assert_eq!(times(&ran), [0, 100, 1100, 2100]);
    ran.check(&[("board_time_us", "3000"), ("unserved", "3")]);
}

#[test]
fn it_ends_at_the_first_failure_before_anything_follows_from_it() {
    let ops = [alloc(0, 1, 8), alloc(500, 2, 8), alloc(700, 3, 8), alloc(800, 4, 8), free(900, 1)];
    let until = Until { time_us: Some(5000), first_failure: true };
    for after_failure in ["drop", "session", "reboot", "retry:every_ms=1,times=5"] {
        let ran = run(after_failure, until, &ops);
        assert_eq!(times(&ran), [0, 500, 700], "{after_failure}");
        ran.check(&TO_THE_END[1..]);
        ran.check(&[
            ("ended_early", "1"),
            ("board_time_us", "700"),
            ("time_to_first_unserved_us", "700"),
            ("requests", "3"),
            ("refused", "1"),
            // What is of a whole stream is not said of a part.
            ("withheld_per_request", ""),
            ("probe_unavailable_time", ""),
            ("load_max_pages", ""),
        ]);
        assert_eq!(ran.boots.len(), 1, "{after_failure}");
    }
    let well = run("drop", until, &ops[..2]);
    well.check(&[("ended_early", "0"), ("withheld_per_request", "0.000000")]);
}
