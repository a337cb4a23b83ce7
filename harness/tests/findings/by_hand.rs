//! What is said of results that are written down by hand: which, of several that do, is chosen, and
//! why one that looks as good is not.

use cma_harness::answer::{Candidate, Choice, Findings, SummaryRow, Verdict, findings};
use cma_harness::metric::{Value, column, columns};
use cma_harness::report::words;
use cma_harness::stats::{anytime, mcnemar};
use cma_harness::sweep::{Block, Cell, Ready};

use super::{Said, blocks, ready, said};

/// Boards of one area each by their MiB, and pools beside it; the rest of the plan.
fn plan(boards: &[(u64, Option<u64>)], rest: &str) -> Ready {
    let board = |(number, (mib, pool)): (usize, &(u64, Option<u64>))| {
        let pool = pool.map_or_else(String::new, |pool| {
            format!(", {{ name = \"vpu\", mib = {pool}, clients = [\"vpu\"] }}")
        });
        format!(
            "[[boards]]\nname = \"b{number}\"\nareas = [{{ name = \"d\", mib = {mib} }}{pool}]\n"
        )
    };
    let boards: String = boards.iter().enumerate().map(board).collect();
    let stream = "[[streams]]\nprofile = \"gpu\"\nloads_mib = [40]\nops = 10\n";
    ready(&format!("name = \"x\"\n{rest}\n{boards}{stream}"))
}

/// A stream of 100 requests that all go well, but for what `changes` say.
fn stream(changes: &[(&str, u64)]) -> Vec<Value> {
    let mut values = vec![Value::None; columns().count()];
    let well = [("requests", 100), ("grants", 100), ("refused", 0), ("unserved", 0)];
    let load = [("load_max_pages", 4096), ("granted_max_pages", 4000), ("structural", 0)];
    let classes = [("requests_257_2048", 10), ("refused_257_2048", 0), ("withheld_257_2048", 0)];
    for (name, count) in well.iter().chain(&load).chain(&classes).chain(changes) {
        values[column(name)] = Value::Count(*count);
    }
    values
}

/// One whose caller does not get what it asks for in that request.
fn lost(at: u64) -> Vec<Value> {
    let first = [("requests_to_first_failure", at), ("requests_to_first_unserved", at)];
    stream(&[&first[..], &[("refused", 1), ("unserved", 1), ("grants", 99)]].concat())
}

fn well() -> Vec<Value> {
    stream(&[])
}

/// What is said where every cell ends as `of` says.
fn answer(ready: &Ready, of: impl Fn(Cell) -> Vec<Value>) -> Findings {
    let seeds = |at| ready.plan.seeds_of(&ready.plan.streams[at]);
    let blocks = ready.plan.configurations().map(|at| {
        let streams =
            |policy| (0..seeds(at.stream)).map(|n| of(Cell { at, policy, seed: n + 1 })).collect();
        Block { at, values: (0..ready.plan.policies.len()).map(streams).collect() }
    });
    findings(ready, blocks.collect::<Vec<_>>())
}

fn headline(ready: &Ready, of: impl Fn(Cell) -> Vec<Value>) -> Said {
    said(ready, &answer(ready, of))
}

fn on(choice: &Choice, board: usize, policy: usize) -> &Candidate {
    let mut found = choice.ranked.iter();
    found.find(|one| (one.board, one.policy) == (Some(board), policy)).unwrap()
}

fn board_of(choice: &Choice) -> Option<usize> {
    choice.ranked[choice.chosen?].board
}

const KERNEL: &str = "seeds = 4\npolicies = [\"kernel\"]\ncaps = [8]";

#[test]
fn what_passes_where_a_larger_area_fails_passes_by_luck() {
    let ready = plan(&[(64, None), (80, None), (96, None)], KERNEL);
    let luck = |cell: Cell| match (cell.at.board, cell.seed) {
        (Some(1), 3) => lost(7),
        _ => well(),
    };
    let choice = headline(&ready, luck);
    assert_eq!((choice.verdict, board_of(&choice)), (Verdict::Met, Some(2)));
    let small = on(&choice, 0, 0);
    assert!(small.meets && small.larger_fails && !small.is_eligible());
    let why = "not chosen: 64 MiB (board b0), cap 8, policy kernel; a larger area fails, so that \
               it may pass by luck";
    assert!(choice.notes.iter().any(|note| note == why), "{:?}", choice.notes);
    // What is larger is not passed over for what fails below it; and of those that do, what is
    // larger than the choice is not excused.
    assert!(!on(&choice, 2, 0).larger_fails);
    let passed = |note: &&String| note.starts_with("not chosen");
    assert_eq!(choice.notes.iter().filter(passed).count(), 1);
    assert_eq!(choice.ranked.iter().map(|one| one.board).collect::<Vec<_>>(), [2, 0, 1].map(Some));
}

#[test]
fn a_board_with_a_smaller_pool_is_not_a_larger_one() {
    // The sum grows from 80 to 136 MiB, but the pool shrinks; then one without the pool.
    for boards in [[(64, Some(16)), (128, Some(8))], [(64, Some(16)), (128, None)]] {
        let ready = plan(&boards, KERNEL);
        let choice =
            headline(&ready, |cell| if cell.at.board == Some(1) { lost(5) } else { well() });
        assert_eq!(board_of(&choice), Some(0), "{:?}", choice.sentence);
        assert!(!on(&choice, 0, 0).larger_fails);
    }
}

#[test]
fn a_patch_of_the_kernel_comes_behind_what_does_without_and_its_saving_is_said() {
    let rest = "seeds = 4\npolicies = [\"kernel\", \"best-fit\"]\ncaps = [8]";
    let ready = plan(&[(64, None), (80, None), (96, None)], rest);
    let patched = |cell: Cell| match (cell.policy, cell.at.board) {
        (0, Some(0 | 1)) => lost(5),
        _ => well(),
    };
    let choice = headline(&ready, patched);
    let first = &choice.ranked[0];
    assert_eq!((first.board, first.policy, choice.chosen), (Some(2), 0, Some(0)));
    let saved =
        "with a patch of the kernel: 64 MiB (board b0), cap 8, policy best-fit, 32 MiB less";
    assert!(choice.notes.iter().any(|note| note.starts_with(saved)), "{:?}", choice.notes);
    // Where nothing else does, it is chosen.
    let choice = headline(&ready, |cell| if cell.policy == 0 { lost(5) } else { well() });
    let first = &choice.ranked[0];
    assert_eq!((first.board, first.policy, choice.chosen), (Some(0), 1, Some(0)));
    let without = "without a patch of the kernel: nothing that was tried does";
    assert!(choice.notes.iter().any(|note| note == without), "{:?}", choice.notes);
    // Of equals the kernel as it is.
    let choice = headline(&ready, |_| well());
    assert_eq!((choice.ranked[0].board, choice.ranked[0].policy), (Some(0), 0));
    assert!(!choice.notes.iter().any(|note| note.starts_with("with")), "{:?}", choice.notes);
}

#[test]
fn ram_counts_before_a_line_of_the_configuration_and_what_does_with_less_change_is_said() {
    let rest = "seeds = 4\npolicies = [\"kernel\"]\ncaps = [8, 4]";
    let ready = plan(&[(64, None), (80, None), (96, None)], rest);
    let choice = headline(&ready, |cell| match (cell.at.cap, cell.at.board) {
        (0, Some(0 | 1)) => lost(5),
        _ => well(),
    });
    let first = &choice.ranked[0];
    assert_eq!((first.board, first.cap, choice.chosen), (Some(0), 1, Some(0)));
    let with = "with nothing but the size of one area changed: 96 MiB (board b2), cap 8, policy \
                kernel, 32 MiB more";
    assert!(choice.notes.iter().any(|note| note == with), "{:?}", choice.notes);
}

#[test]
fn of_those_that_fail_the_nearest_comes_first() {
    let ready = plan(&[(64, None), (80, None), (96, None)], KERNEL);
    // 2, 1 and 3 of 4 streams.
    let failing = [2, 1, 3];
    let choice = headline(&ready, |cell| {
        if cell.seed <= failing[cell.at.board.unwrap()] { lost(5) } else { well() }
    });
    assert_eq!((choice.verdict, choice.chosen), (Verdict::NotMet, None));
    assert_eq!(choice.ranked.iter().map(|one| one.board).collect::<Vec<_>>(), [1, 0, 2].map(Some));
    assert_eq!(choice.ranked.iter().map(|one| one.failed).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn what_does_not_align_is_not_chosen() {
    let rest = "seeds = 4\npolicies = [\"kernel\", \"genalloc-best-fit\"]\ncaps = [8]";
    let ready = plan(&[(64, None), (80, None)], rest);
    assert_eq!(ready.aligned, [true, false]);
    let apart = |cell: Cell| match (cell.policy, cell.at.board) {
        (0, Some(0)) => lost(5),
        _ => well(),
    };
    let choice = headline(&ready, apart);
    let first = &choice.ranked[0];
    assert_eq!((first.board, first.policy), (Some(1), 0));
    assert!(on(&choice, 0, 1).meets && !on(&choice, 0, 1).is_eligible());
    let why = "not chosen: 64 MiB (board b0), cap 8, policy genalloc-best-fit; it grants what is not aligned";
    assert!(choice.notes.iter().any(|note| note == why), "{:?}", choice.notes);
    // On the board that is chosen it passes too: that needs no excuse.
    let passed = choice.notes.iter().filter(|note| note.starts_with("not chosen"));
    assert_eq!(passed.count(), 1, "{:?}", choice.notes);
    // Nor does it come nearest where nothing does.
    let choice =
        headline(&ready, |cell| if cell.policy == 0 || cell.seed == 1 { lost(5) } else { well() });
    assert_eq!((choice.chosen, choice.ranked[0].policy), (None, 0));
}

#[test]
fn what_refuses_the_large_ones_is_not_chosen_though_no_stream_fails() {
    let rest = "seeds = 4\npolicies = [\"kernel\", \"best-fit\"]\ncaps = [8]";
    let ready = plan(&[(64, None), (80, None)], rest);
    let choice = headline(&ready, |cell| match (cell.policy, cell.at.board) {
        (1, _) => stream(&[("granted_max_pages", 2000)]),
        (0, Some(0)) => lost(5),
        _ => well(),
    });
    assert_eq!((choice.ranked[0].board, choice.ranked[0].policy), (Some(1), 0));
    assert!(on(&choice, 0, 1).meets && on(&choice, 0, 1).flagged);
    let why = "not chosen: 64 MiB (board b0), cap 8, policy best-fit; it refuses more requests of \
               some size than the kernel's policy";
    assert!(choice.notes.iter().any(|note| note == why), "{:?}", choice.notes);
}

#[test]
fn it_is_structural_only_where_nothing_could_do() {
    let ready = plan(&[(64, None), (80, None)], KERNEL);
    let verdict = |short: [u64; 2]| {
        let of = |cell: Cell| {
            let mut values = lost(5);
            values[column("structural")] = Value::Count(short[cell.at.board.unwrap()]);
            values
        };
        headline(&ready, of).verdict
    };
    assert_eq!(verdict([1, 1]), Verdict::Structural);
    assert_eq!(verdict([1, 0]), Verdict::NotMet, "the larger one could");
    assert_eq!(verdict([0, 1]), Verdict::NotMet);
    // LOAD: as much as there is can be met by some policy, a page more by none.
    let load = |pages: u64| {
        let of = |_| {
            let mut values = lost(5);
            values[column("load_max_pages")] = Value::Count(pages);
            values
        };
        headline(&ready, of).verdict
    };
    assert_eq!([load(80 * 256), load(80 * 256 + 1)], [Verdict::NotMet, Verdict::Overloaded]);
}

#[test]
fn a_request_that_was_served_elsewhere_does_not_stand_against_a_board() {
    let ready = plan(&[(64, None), (80, None)], KERNEL);
    let elsewhere = stream(&[
        ("refused", 2),
        ("fell_back", 2),
        ("requests_to_first_failure", 9),
        ("grants", 98),
    ]);
    let found =
        answer(&ready, |cell| if cell.at.board == Some(0) { elsewhere.clone() } else { well() });
    let row = &found.summary.rows[0];
    assert_eq!((row.failed, row.lost, row.fell_back), (4, 0, 8));
    assert_eq!((row.first_failure, row.earliest), (Some(9.0), None));
    assert_eq!(found.survival[0].failed, 0);
    let choice = found.headline.unwrap();
    assert_eq!((choice.verdict, board_of(&choice)), (Verdict::Met, Some(0)));
}

#[test]
fn several_kinds_of_streams_have_to_hold_at_once() {
    let ready = {
        let boards = "[[boards]]\nname = \"a\"\nareas = [{ mib = 64 }]\n\
                      [[boards]]\nname = \"b\"\nareas = [{ mib = 80 }]\n";
        let kinds = "[[streams]]\nprofile = \"gpu\"\nloads_mib = [40, 50]\nops = 10\n";
        ready(&format!("name = \"x\"\n{KERNEL}\n{boards}{kinds}"))
    };
    let choice = headline(&ready, |_| well());
    let first = &choice.ranked[0];
    assert_eq!((first.rows, first.streams, first.failed), (2, 4, 0));
    // The worst of two kinds has its own bound, 1 - 0.05^(1/4); of both boards 1 - 0.025^(1/4).
    assert!((first.interval.high.unwrap() - 0.527_129).abs() < 1e-6, "{:?}", first.interval);
    let sure = "none of 4 streams of each of 2 kinds, counted in requests (no board time), fails; \
                at 95 % that still allows 52.7 % of the worst kind";
    let found = answer(&ready, |_| well());
    assert_eq!(words::sure(&ready, &found.summary, first), sure);
    let best = "chosen as the best of 2: for all of them at once the streams allow 60.2 %";
    assert!(choice.notes.iter().any(|note| note.starts_with(best)), "{:?}", choice.notes);
    // The worst kind counts: more streams that fail, then the one that fails earlier.
    for (less, more, worst) in [(1, 2, 1), (2, 1, 0), (1, 1, 1)] {
        let choice = headline(&ready, |cell| match (cell.at.load.unwrap(), cell.seed) {
            (0, seed) if seed <= less => lost(50),
            (1, seed) if seed <= more => lost(40 + seed),
            _ => well(),
        });
        let one = on(&choice, 0, 0);
        assert_eq!((one.failed, one.meets), (less.max(more), false));
        let found = answer(&ready, |cell| match (cell.at.load.unwrap(), cell.seed) {
            (0, seed) if seed <= less => lost(50),
            (1, seed) if seed <= more => lost(40 + seed),
            _ => well(),
        });
        assert_eq!(found.summary.rows[one.worst_row].at.load, Some(worst), "{less} {more}");
    }
}

fn rows(of: impl Fn(Cell) -> Vec<Value>, seeds: u64) -> Vec<SummaryRow> {
    let rest = format!(
        "seeds = {seeds}\npolicies = [\"kernel\", \"best-fit\", \"worst-fit\"]\ncaps = [8]"
    );
    answer(&plan(&[(64, None)], &rest), of).summary.rows
}

/// Class 2 has 257 to 2048 pages, class 3 what is larger.
#[test]
fn a_policy_is_worse_for_a_size_where_it_refuses_or_withholds_more_of_it() {
    // One more is refused of ten, since the area is full; one more is withheld of as many refused.
    let refused = [("refused_257_2048", 1), ("refused", 1)];
    let of = |own: &'static [(&'static str, u64)]| {
        move |cell: Cell| if cell.policy == 1 { stream(own) } else { well() }
    };
    for seeds in [1, 3, 32] {
        assert_eq!(
            rows(of(&[("refused_257_2048", 1), ("refused", 1)]), seeds)[1].worse_classes,
            [2]
        );
    }
    let base = |cell: Cell| match cell.policy {
        1 => stream(&[&refused[..], &[("withheld_257_2048", 1)]].concat()),
        _ => stream(&refused),
    };
    for seeds in [1, 3, 32] {
        let rows = rows(base, seeds);
        assert_eq!(rows[1].worse_classes, [2]);
        assert!(rows[0].worse_classes.is_empty() && rows[2].worse_classes.is_empty());
    }
    // As many better as worse.
    let either = |cell: Cell| match (cell.policy + cell.seed as usize) % 2 {
        1 if cell.policy < 2 => stream(&refused),
        _ => well(),
    };
    for seeds in [2, 32] {
        assert!(rows(either, seeds)[1].worse_classes.is_empty());
    }
}

#[test]
fn a_policy_that_never_grants_the_largest_is_worse_for_them_unless_by_chance() {
    let granted = |smaller: u64| {
        move |cell: Cell| match (cell.policy, cell.seed) {
            (1, seed) if seed <= smaller => stream(&[("granted_max_pages", 2000)]),
            (1, _) => stream(&[("granted_max_pages", 4001)]),
            _ => well(),
        }
    };
    let worse = |smaller, seeds| rows(granted(smaller), seeds)[1].worse_classes.clone();
    assert_eq!([worse(3, 3), worse(2, 3)], [vec![3], vec![]], "of few none may be larger");
    // Of 16 the sign test: 13 to 3 has p = 0.021, 12 to 4 0.077.
    assert_eq!([worse(13, 16), worse(12, 16)], [vec![3], vec![]]);
}

#[test]
fn policies_are_held_against_the_baseline_stream_by_stream() {
    // Against 0 of 16 streams 16 and 6 fail: p = 2 / 2^16 and 2 / 2^6; twice the smaller.
    let of = |cell: Cell| {
        let mut values = match (cell.policy, cell.seed) {
            (1, _) | (2, ..=6) => lost(5),
            _ => well(),
        };
        let rate = [10_000, 30_000, 5_000][cell.policy];
        values[column("withheld_per_satisfiable")] = Value::Micro(rate);
        values[column("latency_max_us")] = Value::Count(100 * cell.seed);
        values
    };
    let rows = rows(of, 16);
    let p: Vec<_> = rows.iter().map(|row| (row.mcnemar, row.holm)).collect();
    let near = |found: Option<f64>, wanted: f64| (found.unwrap() - wanted).abs() < 1e-12;
    assert_eq!(p[0], (None, None));
    assert!(near(p[1].0, 2.0 / 65_536.0) && near(p[1].1, 4.0 / 65_536.0), "{p:?}");
    assert!(near(p[2].0, 2.0 / 64.0) && near(p[2].1, 2.0 / 64.0), "{p:?}");
    // Its own share less the baseline's: above zero is worse.
    let difference = |row: &SummaryRow| row.against_baseline.map(|rate| rate.mean.unwrap());
    assert_eq!(difference(&rows[0]), None);
    assert!(near(difference(&rows[1]), 0.02) && near(difference(&rows[2]), -0.005));
    assert_eq!(rows[0].latency_max_us, Some(1600));
    let first = rows[2].earliest.unwrap();
    assert_eq!((first.requests, first.seed), (5, 1), "the first of equals");
}

#[test]
fn where_a_sweep_may_stop_early_choice_and_test_hold_at_any_time() {
    let rest = "seeds = 16\nstop = { failed_share = 0.5 }\npolicies = [\"kernel\", \"best-fit\"]\n\
                caps = [8]";
    let ready = plan(&[(64, None), (80, None)], rest);
    let found = answer(&ready, |cell| if cell.policy == 1 { lost(5) } else { well() });
    let p = found.summary.rows[1].mcnemar;
    assert_eq!(p, Some(anytime::paired_p(16, 0)));
    assert!(p.unwrap() > mcnemar(16, 0), "freedom to stop has its price");
    let chosen = &found.headline.unwrap().ranked[0];
    assert_eq!(chosen.interval, anytime::share_interval(0, 16));
}

#[test]
fn a_load_that_is_a_share_of_the_area_has_no_sizes() {
    let boards = "[[boards]]\nname = \"a\"\nareas = [{ mib = 64 }]\n\
                  [[boards]]\nname = \"b\"\nareas = [{ mib = 80 }]\n";
    let of = |loads: &str| {
        let stream = format!("[[streams]]\nprofile = \"gpu\"\n{loads}\nops = 20\n");
        let ready = ready(&format!("name = \"x\"\n{KERNEL}\n{boards}{stream}"));
        findings(&ready, blocks(&ready)).sizing.len()
    };
    assert_eq!([of("loads = [0.5]"), of("loads_mib = [40]")], [0, 1]);
}

#[test]
fn sizes_follow_boards_of_which_no_area_shrinks() {
    // 80, 100 and 136 MiB: the second has the smaller pool, the third none that is smaller.
    let ready = plan(&[(64, Some(16)), (92, Some(8)), (120, Some(16))], KERNEL);
    let found = answer(&ready, |_| well());
    let [sizing] = found.sizing.as_slice() else { panic!("{:?}", found.sizing) };
    let boards: Vec<_> = sizing.sizes.iter().map(|size| size.board).collect();
    assert_eq!(boards, [0, 2]);
    // 4096 pages of LOAD on 20480.
    assert_eq!((sizing.load_pages, sizing.sizes[0].per_load), (4096.0, 5.0));
    assert_eq!(sizing.certified_per_load, None, "at cap 8 no theorem holds");
}
