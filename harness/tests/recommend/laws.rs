//! What every answer keeps, whatever is asked.

use cma_harness::page::Page;
use cma_harness::policies::builtin;
use cma_harness::recommend::{
    Base, Candidate, Class, Failed, Found, Ground, Limits, Load, Origin, Outcome, Stage, Task,
    Verdict, Work, advise,
};
use cma_harness::sweep::Target;
use cma_harness::workload::{Filled, PROFILES, profile};
use proptest::prelude::*;

use super::{GROUND, Nobody, STEP, base, kernel, work};

/// A search that is soon over.
const OPS: u64 = 60_000;

fn found(task: &Task, ops: u64) -> Result<Found, Failed> {
    let advice = advise(task, &builtin::catalog(), ops, &Nobody)?;
    Ok(advice.found.expect("a profile is never too short"))
}

fn limits() -> impl Strategy<Value = Limits> {
    let flags = prop::array::uniform4(prop::bool::weighted(0.3));
    let names = || prop::sample::subsequence(vec!["camera", "display", "video"], 0..=1);
    (flags, 1u64..=3, names(), names()).prop_map(|(flags, max_areas, split, no_split)| {
        let [keeps_size, no_kconfig, no_driver, no_patch] = flags;
        let owned = |names: Vec<&str>| names.into_iter().map(String::from).collect();
        let (split, no_split) = (owned(split), owned(no_split));
        Limits { keeps_size, no_kconfig, no_driver, no_patch, max_areas, split, no_split }
    })
}

fn tasks() -> impl Strategy<Value = Task> {
    let seeded: Vec<&str> = PROFILES
        .iter()
        .filter(|one| one.seeded && one.area.is_none())
        .map(|one| one.name)
        .collect();
    let who = prop::collection::vec((prop::sample::select(seeded), 4u64..24), 1..=2);
    let of_load = 70u64..180;
    let cap = prop::sample::select(vec![2, 4, 6, 8, 10]);
    let minutes = prop::sample::select(vec![1u64, 10, 120, 1440]);
    (who, of_load, cap, minutes, limits(), any::<u16>()).prop_map(
        |(who, of_load, cap, minutes, limits, seed)| {
            let of = |(name, steps): (&str, u64)| {
                let profile = profile(name).unwrap();
                let pages = (steps * STEP).max(profile.least_pages * 5 / 4);
                (work(name, Origin::Profile(profile, Load::Pages(pages))), pages)
            };
            let (works, loads): (Vec<Work>, Vec<u64>) = who.into_iter().map(of).unzip();
            let pages = loads.into_iter().max().unwrap() * of_load / 100;
            let base = base(pages.next_multiple_of(STEP), cap);
            let target = Target::Mtbf(minutes * 60_000_000);
            Task { works, base, limits, target, seed: seed.into() }
        },
    )
}

fn keeps_limits(Task { base, limits, .. }: &Task, one: &Candidate) {
    let areas = &one.config.areas;
    assert!(areas.iter().all(|area| area.pages > 0 && area.pages % base.step_pages == 0));
    assert!(one.config.pages() <= base.most_pages || one.levers.is_empty());
    assert!(!limits.keeps_size || Some(areas[0].pages) == base.pages);
    assert!(!limits.no_kconfig || one.config.cap == base.cap);
    assert!(one.config.cap == base.cap || base.caps.contains(&one.config.cap));
    assert!(!limits.no_driver || one.config.changed.is_empty());
    assert!(!limits.no_patch || one.config.policy.to_string() == kernel().to_string());
    assert!(areas.len() == 1 || base.areas - 1 + areas.len() as u64 <= limits.max_areas);
    for name in areas.iter().flat_map(|area| &area.clients) {
        assert!(limits.split.is_empty() || limits.split.contains(name), "{name}");
        assert!(!limits.no_split.contains(name), "{name}");
    }
}

/// What is better comes first.
fn order(base: &Base, one: &Candidate) -> (u8, u8, u64) {
    let verdict = match one.verdict {
        Verdict::Meets => 0,
        Verdict::Open => 1,
        Verdict::Misses => 2,
    };
    let who = match one.class() {
        Class::AsIs | Class::Tree | Class::Kconfig => 0,
        Class::Driver => 1,
        Class::Patch => 2,
    };
    (verdict, who, one.config.pages().saturating_sub(base.pages.unwrap_or(0)))
}

/// What is chosen was shown to meet the target by fresh streams.
fn is_shown(task: &Task, found: &Found, at: usize) {
    let one = &found.ranked[at];
    assert_eq!(one.verdict, Verdict::Meets);
    let said = one.proven.interval(task.target, Stage::Proof.miss());
    // One stream that no seed changes passes or fails.
    let is_one = !task.works.iter().any(Work::is_seeded) && one.proven.failed == 0;
    let meets = is_one || said.low >= Some(task.target.mtbf_us());
    assert!(one.proven.streams > 0 && meets, "{one:?}");
}

fn keeps_laws(task: &Task, found: &Found) {
    found.ranked.iter().for_each(|one| keeps_limits(task, one));
    assert!(found.ranked.is_sorted_by_key(|one| order(&task.base, one)), "{found:#?}");
    found.chosen.into_iter().chain(found.smallest).for_each(|at| is_shown(task, found, at));
    let is_met = matches!(found.outcome, Outcome::AsItIs | Outcome::Met);
    assert_eq!((found.chosen.is_some(), found.smallest.is_some()), (is_met, is_met));
    let as_is = found.chosen.is_some_and(|at| found.ranked[at].levers.is_empty());
    assert_eq!(found.outcome == Outcome::AsItIs, as_is);
    assert_eq!(found.baseline.is_some(), task.base.pages.is_some());
    for point in found.curves.iter().flatten() {
        assert!(point.evidence.streams > 0 && point.pages <= task.base.most_pages, "{point:?}");
        assert!(point.pages % task.base.step_pages == 0, "{point:?}");
    }
}

fn on_threads(threads: usize, task: &Task) -> String {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    format!("{:?}", pool.install(|| found(task, OPS)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_keeps_to_the_limits_and_is_shown_by_fresh_streams(task in tasks()) {
        keeps_laws(&task, &found(&task, OPS).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn threads_change_nothing(task in tasks()) {
        prop_assert_eq!(on_threads(1, &task), on_threads(2, &task));
    }

    /// What was shown stays so where more is run.
    #[test]
    fn more_ops_prove_no_less(task in tasks()) {
        let (few, many) = (found(&task, OPS / 3).unwrap(), found(&task, OPS).unwrap());
        prop_assert!(few.chosen.is_none() || many.chosen.is_some(), "{few:?} {many:?}");
    }
}

fn encoders(pages: u64) -> Work {
    work("vpu-encode", Origin::Profile(profile("vpu-encode").unwrap(), Load::Pages(pages)))
}

fn task(work: Work, base: Base) -> Task {
    let (limits, target) = (Limits { max_areas: 2, ..Limits::default() }, Target::Mtbf(60_000_000));
    Task { works: vec![work], base, limits, target, seed: 1 }
}

/// An answer that keeps the laws, or an error that says why there is none.
fn answers(task: &Task) -> Option<Found> {
    match found(task, OPS) {
        Ok(found) => {
            keeps_laws(task, &found);
            Some(found)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

#[test]
fn odd_boards_are_answered() {
    let odd = |change: &dyn Fn(&mut Base)| {
        let mut base = base(20 * STEP, 8);
        change(&mut base);
        answers(&task(encoders(16 * STEP), base)).expect("an answer")
    };
    // An area below its largest request, and no memory for a larger one.
    let small = odd(&|base| (base.pages, base.most_pages) = (Some(STEP), STEP));
    assert_eq!(small.chosen, None);
    assert!(small.ranked[small.baseline.unwrap()].proven.failed > 0);
    // Less memory than it has.
    odd(&|base| base.most_pages = STEP);
    // A size that is no multiple of a step.
    let task_of_odd_size =
        task(encoders(16 * STEP), Base { pages: Some(20 * STEP + 3), ..base(STEP, 8) });
    assert!(found(&task_of_odd_size, OPS).is_ok());
    // Nothing is known of the area.
    let unknown = odd(&|base| base.pages = None);
    assert_eq!(unknown.baseline, None);
    // A cap that no kernel takes from its configuration, and the largest.
    odd(&|base| base.cap = 0);
    odd(&|base| base.cap = 12);
    // Bits of several pages, another base.
    odd(&|base| base.ground = Ground { order_per_bit: 2, ..GROUND });
    odd(&|base| base.ground.base_pfn = (1 << 18) + 512);
    // Pages of 16 KiB, of which the step is 2048.
    odd(&|base| {
        base.ground.page = Page::Kib16;
        (base.step_pages, base.most_pages) = (2048, 16 * 2048);
        base.pages = Some(4 * 2048);
    });
}

#[test]
fn odd_streams_are_answered() {
    let base = || base(4 * STEP, 8);
    // A LOAD of nothing cannot be drawn.
    assert!(answers(&task(encoders(0), base())).is_none());
    // One request that fits, and one that does not.
    let one = |frame| {
        let filled = Filled { resident: 1, frame };
        task(work("one", Origin::Filled(filled, 0.0)), base())
    };
    assert_eq!(answers(&one(300)).unwrap().outcome, Outcome::AsItIs);
    assert_ne!(answers(&one(5 * STEP)).unwrap().outcome, Outcome::AsItIs);
    // No time to look at anything.
    let none = advise(&task(encoders(8 * STEP), base()), &builtin::catalog(), 1, &Nobody).unwrap();
    assert_eq!(none.found.unwrap().outcome, Outcome::Unproven);
}
