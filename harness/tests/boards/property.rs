//! What callers do after a failure, over all streams: each against what the words say.

use std::collections::{BTreeMap, BTreeSet};

use cma_harness::op::{Op, Timed};
use cma_harness::simulate::Answer;
use cma_harness::strategy::Streams;
use cma_policies::Area;
use proptest::prelude::*;

use super::rig::{Ran, board, free, run_on};

const CLIENTS: [&str; 3] = ["a", "b", "c"];
/// Of the area.
const PAGES: u64 = 40;
/// Retries come every millisecond.
const EVERY_US: u64 = 1000;

/// Buffers, given back in whole, of an area that holds some of them.
fn stream() -> impl Strategy<Value = Vec<Timed>> {
    let buffers = Streams {
        sizes: (1..24).collect(),
        dma_only: true,
        clients: 3,
        parts: false,
        pins: false,
        ..Streams::default()
    };
    buffers.in_area(&Area::single(0, PAGES, 0).unwrap())
}

fn go(after_failure: &str, ops: &[Timed]) -> Ran {
    run_on(&board(&[(PAGES, &[])], "cma-only"), &CLIENTS, &[vec![]], after_failure, ops)
}

fn id_of(op: Op) -> u64 {
    match op {
        Op::Alloc { id, .. } | Op::Free { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

fn is_refused(answer: Answer) -> bool {
    matches!(answer, Answer::Refused(_))
}

/// What happens, the answers of `ran` granted: which ops of the stream, and which frees besides.
fn session_by_the_words(ops: &[Timed], ran: &Ran) -> Vec<Timed> {
    let refused: BTreeSet<u64> = ran
        .steps
        .iter()
        .filter(|seen| is_refused(seen.answer))
        .map(|seen| id_of(seen.timed.op))
        .collect();
    let place = |id: u64, is_alloc: bool| {
        let is = |timed: &Timed| {
            id_of(timed.op) == id && matches!(timed.op, Op::Alloc { .. }) == is_alloc
        };
        ops.iter().position(is)
    };
    let session = |id: u64| {
        let Timed { at_us, op } = ops[place(id, true).unwrap()];
        let Op::Alloc { request, .. } = op else { panic!("{op:?}") };
        (request.client(), at_us)
    };
    // Where each session that ends does so.
    let ends: BTreeMap<_, _> = refused.iter().map(|&id| (session(id), place(id, true))).collect();
    let mut happens = Vec::new();
    for (index, &timed) in ops.iter().enumerate() {
        let id = id_of(timed.op);
        let end = ends.get(&session(id)).copied().flatten();
        if end.is_none_or(|end| index <= end) {
            happens.push(timed);
        }
        if end == Some(index) {
            let before = ops[..index].iter().filter(|other| matches!(other.op, Op::Alloc { .. }));
            let mine = before.map(|other| id_of(other.op)).filter(|&other| {
                session(other) == session(id) && place(other, false).is_none_or(|at| at > index)
            });
            happens.extend(mine.map(|other| free(timed.at_us, other)));
        }
    }
    happens
}

proptest! {
    #[test]
    fn who_asks_again_does_so_at_every_due_time_and_at_no_other(
        ops in stream(),
        times in 1..6_u64,
    ) {
        let ran = go(&format!("retry:every_ms=1,times={times}"), &ops);
        let end_us = ops.last().unwrap().at_us;
        prop_assert!(ran.steps.is_sorted_by_key(|seen| seen.timed.at_us));
        // The stream is there, op by op.
        let mut first = BTreeSet::new();
        let of_stream: Vec<_> = ran
            .steps
            .iter()
            .map(|seen| seen.timed)
            .filter(|timed| matches!(timed.op, Op::Free { .. }) || first.insert(id_of(timed.op)))
            .collect();
        prop_assert_eq!(&of_stream, &ops);
        for timed in &ops {
            let Op::Alloc { id, .. } = timed.op else { continue };
            let is_mine = |op: Op| matches!(op, Op::Alloc { .. }) && id_of(op) == id;
            let tries: Vec<_> = ran.steps.iter().filter(|seen| is_mine(seen.timed.op)).collect();
            let freed = ops.iter().find(|other| other.op == free(0, id).op);
            let until_us = freed.map_or(end_us + 1, |freed| freed.at_us);
            for (n, seen) in (0..).zip(&tries) {
                prop_assert_eq!(seen.timed.at_us, timed.at_us + n * EVERY_US);
                prop_assert!(n == 0 || seen.timed.at_us < until_us);
                prop_assert_eq!(is_refused(seen.answer), n + 1 < tries.len() as u64
                    || is_refused(tries[tries.len() - 1].answer));
            }
            let last = tries[tries.len() - 1];
            let due_us = last.timed.at_us + EVERY_US;
            let over = !is_refused(last.answer)
                || tries.len() as u64 == times + 1
                || due_us >= until_us;
            prop_assert!(over, "buffer {} stopped asking", id);
        }
        // At one moment the stream goes first.
        let mut first = BTreeSet::new();
        let mut waited_us = None;
        for seen in &ran.steps {
            let is_again =
                matches!(seen.timed.op, Op::Alloc { .. }) && !first.insert(id_of(seen.timed.op));
            prop_assert!(is_again || waited_us != Some(seen.timed.at_us));
            waited_us = is_again.then_some(seen.timed.at_us).or(waited_us);
        }
    }

    #[test]
    fn a_session_that_was_refused_leaves_nothing(ops in stream()) {
        let ran = go("session", &ops);
        let happened: Vec<_> = ran.steps.iter().map(|seen| seen.timed).collect();
        prop_assert_eq!(happened, session_by_the_words(&ops, &ran));
        prop_assert!(ran.answers().iter().all(|answer| *answer != Answer::NothingToFree));
    }

    #[test]
    fn a_reboot_is_a_new_run_over_the_rest_of_the_stream(ops in stream()) {
        let ran = go("reboot", &ops);
        prop_assert!(ran.boots.iter().all(|live| *live == 0));
        let mut expected = Vec::new();
        let mut rest = ops.clone();
        while !rest.is_empty() {
            // What is given back was asked for since.
            let asked: BTreeSet<_> = rest
                .iter()
                .filter(|timed| matches!(timed.op, Op::Alloc { .. }))
                .map(|timed| id_of(timed.op))
                .collect();
            rest.retain(|timed| asked.contains(&id_of(timed.op)));
            let fresh = go("drop", &rest).steps;
            let end = fresh.iter().position(|seen| is_refused(seen.answer));
            let end = end.map_or(fresh.len(), |end| end + 1);
            expected.extend_from_slice(&fresh[..end]);
            rest.drain(..end);
        }
        prop_assert_eq!(&ran.steps, &expected);
        let refused = ran.steps.iter().filter(|seen| is_refused(seen.answer)).count();
        prop_assert_eq!(ran.boots.len(), 1 + refused);
    }

    #[test]
    fn the_first_failure_is_the_same_whatever_follows(ops in stream()) {
        let dropped = go("drop", &ops);
        for word in ["retry:every_ms=1,times=3", "session", "reboot"] {
            let ran = go(word, &ops);
            for name in [
                "requests_to_first_failure",
                "time_to_first_failure_us",
                "utilisation_at_first_failure",
                "load_max_pages",
                "aligned_load_max_pages",
                "structural",
            ] {
                let column = cma_harness::metric::column(name);
                prop_assert_eq!(ran.values[column], dropped.values[column], "{} {}", word, name);
            }
        }
    }

    #[test]
    fn who_goes_on_asks_for_all_and_holds_no_more_than_it_would(ops in stream(), back in 0..3_u64) {
        let ran = go(&format!("next:back={back}"), &ops);
        let asks = |all: &[Timed]| -> Vec<Timed> {
            all.iter().filter(|timed| matches!(timed.op, Op::Alloc { .. })).copied().collect()
        };
        let happened: Vec<_> = ran.steps.iter().map(|seen| seen.timed).collect();
        prop_assert_eq!(asks(&happened), asks(&ops));
        if ran.steps.iter().all(|seen| !is_refused(seen.answer)) {
            prop_assert_eq!(&happened, &ops);
        }
        let asked: BTreeMap<u64, (u16, u64)> = ops
            .iter()
            .filter_map(|timed| match timed.op {
                Op::Alloc { id, request, .. } => Some((id, (request.client(), request.count()))),
                _ => None,
            })
            .collect();
        // What each client holds in the stream and has held at most, and what it holds in fact.
        let (mut meant, mut most, mut held) = ([0; 3], [0; 3], [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()]);
        let mut stream = ops.iter().peekable();
        let pages = |ids: &BTreeSet<u64>| ids.iter().map(|id| asked[id].1).sum::<u64>();
        let mut may_give = [0; 3];
        for seen in &ran.steps {
            let id = id_of(seen.timed.op);
            let (client, count) = (usize::from(asked[&id].0), asked[&id].1);
            if matches!(seen.timed.op, Op::Alloc { .. }) {
                // The stream comes to this request.
                for timed in stream.by_ref() {
                    let (its, pages) = asked[&id_of(timed.op)];
                    let its = usize::from(its);
                    if matches!(timed.op, Op::Free { .. }) {
                        meant[its] -= pages;
                        continue;
                    }
                    meant[its] += pages;
                    most[its] = meant[its].max(most[its]);
                    prop_assert_eq!(timed.op, seen.timed.op);
                    break;
                }
                if is_refused(seen.answer) {
                    may_give[client] += back;
                } else {
                    held[client].insert(id);
                    prop_assert!(pages(&held[client]) <= most[client], "{} of {}", id, count);
                }
            } else {
                prop_assert!(held[client].remove(&id), "{} goes back twice", id);
                let freed = ops.iter().position(|timed| timed.op == free(0, id).op);
                let is_early = freed.is_none_or(|at| ops[at].at_us > seen.timed.at_us);
                if is_early {
                    prop_assert!(may_give[client] > 0, "{} goes back early", id);
                    may_give[client] -= 1;
                }
            }
        }
        // Where the stream holds nothing in the end, nothing is held.
        for timed in stream {
            meant[usize::from(asked[&id_of(timed.op)].0)] -= asked[&id_of(timed.op)].1;
        }
        for client in 0..3 {
            prop_assert!(meant[client] > 0 || held[client].is_empty(), "{:?}", held[client]);
        }
    }
}
