//! What becomes of a board on which what is recommended was done: a hidden board, of which the
//! recommendation knows the trace of one session.
//!
//! `CMALAB_RECOMMENDED=60 cargo test --release --test recommend truth -- --nocapture` takes 60 in
//! place of 6.

use cma_harness::policies::builtin;
use cma_harness::recommend::{Task, advise};
use cma_harness::seed::Seed;
use cma_harness::sweep::Target;

use super::hidden::Hidden;
use super::{Nobody, base, configuration_alone, fitted, of_fit};

/// The target, in times of the trace.
const TIMES: u64 = 20;
/// Ops of a search at most.
const OPS: u64 = 2 << 20;
/// A session of the board afterwards is so many times as long as the trace, and there are so many:
/// together four times the target.
const LONGER: u64 = 5;
const SESSIONS: u64 = 16;

/// Board time of a session up to its first refusal or its end in microseconds, and whether it has one.
fn session(hidden: &Hidden, pages: u64, cap: u32, seed: u64) -> (u64, bool) {
    let ran = hidden.session(pages, cap, seed);
    match ran.recorded.first_refused_us {
        Some(at_us) => (at_us, true),
        None => (ran.print.last_us, false),
    }
}

/// Whether a board meets the target with what is recommended for it, which may be to leave it as it
/// is; None where nothing is recommended.
fn meets(number: u64) -> Option<bool> {
    let mut draws = Seed::new(number).child("hidden board", number).rng();
    let mut hidden = Hidden::draw(&mut draws);
    let fit = fitted(&hidden, number);
    let target_us = TIMES * fit.end_us();
    let task = Task {
        works: vec![of_fit(fit)],
        base: base(hidden.pages, hidden.cap),
        limits: configuration_alone(),
        target: Target::Mtbf(target_us),
        seed: number,
    };
    let advice = advise(&task, &builtin::catalog(), OPS, &Nobody).unwrap();
    let Some(found) = &advice.found else {
        println!("{number:>4} {}: nothing is advised, {:?}", hidden.class, advice.why_not);
        return None;
    };
    let Some(chosen) = found.chosen else {
        println!("{number:>4} {}: {:?}", hidden.class, found.outcome);
        return None;
    };
    let (pages, cap) = (found.ranked[chosen].config.pages(), found.ranked[chosen].config.cap);
    hidden.length *= LONGER;
    let all = (0..SESSIONS).map(|one| session(&hidden, pages, cap, 1_000_000 + number * 100 + one));
    let (at_risk_us, failed) =
        all.fold((0, 0), |(us, failed), (own, has)| (us + own, failed + u64::from(has)));
    let is_met = at_risk_us >= failed * target_us;
    println!(
        "{}{number:>4} {}: {} pages, cap {} -> {pages}, cap {cap}: {failed} failures in {:.1} times \
         the target",
        if is_met { "     " } else { "MISS " },
        hidden.class,
        hidden.pages,
        hidden.cap,
        at_risk_us as f64 / target_us as f64,
    );
    Some(is_met)
}

#[test]
fn boards_meet_the_target_with_what_is_recommended_for_them() {
    let wanted = std::env::var("CMALAB_RECOMMENDED").map_or(6, |many| many.parse().unwrap());
    let all: Vec<bool> = (0..).filter_map(meets).take(wanted).collect();
    let met = all.iter().filter(|is_met| **is_met).count();
    println!("{met} of {wanted} boards meet the target with what is recommended for them");
    assert!(met * 100 >= wanted * 60, "{met} of {wanted}");
}
