//! What is said where streams end at their first failure, and where a race drops a policy.

use cma_harness::answer::{Findings, findings};
use cma_harness::metric::{Value, column, columns};
use cma_harness::sweep::Block;

use super::ready;

/// A stream of 100 requests and one hour, of which nothing is refused.
fn well() -> Vec<Value> {
    let mut values = vec![Value::None; columns().count()];
    let hour = 3_600_000_000;
    let counts = [("requests", 100), ("refused", 0), ("board_time_us", hour), ("ended_early", 0)];
    for (name, count) in counts {
        values[column(name)] = Value::Count(count);
    }
    values[column("withheld_per_satisfiable")] = Value::Micro(0);
    values
}

/// One that was ended by its first failure: its rates are empty.
fn ended() -> Vec<Value> {
    let mut values = well();
    values[column("withheld_per_satisfiable")] = Value::None;
    let first = [("refused", 1), ("ended_early", 1), ("time_to_first_unserved_us", 60_000_000)];
    let first =
        first.iter().chain(&[("requests_to_first_unserved", 7), ("board_time_us", 60_000_000)]);
    for (name, count) in first {
        values[column(name)] = Value::Count(*count);
    }
    values
}

/// What is said of these streams of the kernel's policy, and of another one.
fn answer(base: Vec<Vec<Value>>, other: Vec<Vec<Value>>) -> Findings {
    let ready = ready(
        "name = \"x\"\nseeds = 16\ntarget = \"mtbf=1h\"\nuntil = \"first-failure\"\n\
         policies = [\"kernel\", \"best-fit\"]\ncaps = [8]\n\
         [[boards]]\nname = \"b\"\nareas = [{ mib = 64 }]\n\
         [[streams]]\nprofile = \"gpu\"\nloads_mib = [40]\nhours = 1\n",
    );
    let at = ready.plan.configurations().next().unwrap();
    findings(&ready, [Block { at, values: vec![base, other] }])
}

#[test]
fn the_streams_that_went_well_do_not_stand_for_those_that_were_ended() {
    let found = answer([vec![well(); 15], vec![ended()]].concat(), vec![well(); 16]);
    let [base, other] = found.summary.rows.as_slice() else { panic!("two rows") };
    assert_eq!((base.ended_early, base.lost, base.rates[1].mean), (1, 1, None));
    // Nor do the pairs of them.
    assert_eq!(other.against_baseline.and_then(|rate| rate.mean), None);
    assert_eq!((other.ended_early, other.rates[1].mean), (0, Some(0.0)));
    assert_eq!(base.time.as_ref().and_then(|time| time.unserved_per_day), None);
    assert!(other.time.as_ref().is_some_and(|time| time.unserved_per_day.is_some()));
}

#[test]
fn a_policy_that_is_dropped_earlier_than_another_is_compared_as_far_as_it_came() {
    for [base, other] in [[8, 16], [16, 8], [0, 16], [16, 0], [0, 0]] {
        let found = answer(vec![well(); base], vec![well(); other]);
        let rows = &found.summary.rows;
        assert_eq!(rows.iter().map(|row| row.streams).sum::<u64>(), (base + other) as u64);
        assert_eq!((rows[0].dropped, rows[1].dropped), (base < 16, other < 16));
        let difference = rows[1].against_baseline.and_then(|rate| rate.mean);
        assert_eq!(difference, (base.min(other) > 0).then_some(0.0), "{base} {other}");
        assert_eq!(rows[1].mcnemar, (base.min(other) > 0).then_some(1.0), "{base} {other}");
    }
}
