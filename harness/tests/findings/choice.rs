//! What to choose, against the cells.

use cma_harness::answer::{CurveUnit, Scope, Verdict};
use cma_harness::metric::{Value, column};
use cma_harness::report::words;
use cma_harness::sweep::Outcome;

use super::{first_failures, ladder, of, ready, said};

const MIB: [u64; 4] = [64, 80, 96, 128];

#[test]
fn the_choice_is_the_smallest_board_from_which_on_no_stream_fails() {
    let plan = "seeds = 8\npolicies = [\"kernel\", \"worst-fit\"]\ncaps = [8, 4]";
    let ready = ready(&ladder("gpu", &MIB, plan));
    let (blocks, found) = of(&ready);
    // From the cells: per cap and policy the least index from which on every board is clean.
    let clean = |cap: usize, policy: usize| {
        let failed = |block: &&cma_harness::sweep::Block| {
            block.at.cap == cap && first_failures(block, policy).iter().any(Option::is_some)
        };
        let last = blocks.iter().filter(failed).filter_map(|block| block.at.board).max();
        last.map_or(0, |last| last + 1)
    };
    let ways = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(cap, policy)| clean(cap, policy));
    // What only a patch of the kernel gives comes last.
    let best = *[ways[0], ways[2]].iter().min().unwrap();
    assert!((1..MIB.len()).contains(&best), "the plan has an answer within it: {ways:?}");

    let headline = said(&ready, &found);
    assert_eq!((headline.verdict, headline.chosen), (Verdict::Met, Some(0)));
    let chosen = &headline.ranked[0];
    assert_eq!(chosen.board, Some(best));
    assert_eq!(chosen.pages_above_smallest, (MIB[best] - MIB[0]) * 256);
    assert_eq!(clean(chosen.cap, chosen.policy), best);
    // Among equals the kernel as it is.
    let equal = |cap: usize| ways[2 * cap] == best;
    if equal(0) || equal(1) {
        assert_eq!((chosen.policy, chosen.cap), (0, usize::from(!equal(0))));
    }
    // 8 clean streams of one kind allow 1 - 0.05^(1/8) = 31.2 %.
    assert!((chosen.interval.high.unwrap() - 0.3123).abs() < 1e-4);
    assert!(headline.sentence.contains("31.2 %"), "{}", headline.sentence);
    assert!(headline.notes.iter().any(|note| note.contains("--seed 9")), "{:?}", headline.notes);
    let need = words::need(&chosen.needs[0]);
    assert!(need.contains(&format!("cma={}M", MIB[best])), "{need}");

    // One stream and LOAD: its own choice is the same.
    let [one] = found.choices.as_slice() else { panic!("one stream") };
    assert_eq!(one.scope, Scope::One { stream: 0, load: Some(0), environment: 0 });
    assert_eq!(one.ranked, headline.ranked);

    // The picture: a stream that fails on the same board, and no other fails earlier.
    let worst = found.worst.unwrap();
    let block = blocks.iter().find(|block| block.at == worst.cell.at).unwrap();
    let failures = first_failures(block, worst.cell.policy);
    assert_eq!(failures.iter().flatten().min(), Some(&worst.requests));
    assert_eq!(failures[(worst.cell.seed - 1) as usize], Some(worst.requests));
    // The other: of what can be chosen without a target the smallest board, and of its streams,
    // which all go well, the one with the largest aligned LOAD.
    let inside = found.inside.unwrap();
    let least = headline.ranked.iter().filter(|one| one.is_eligible()).map(|one| one.pages).min();
    assert_eq!(ready.board(&inside.cell.at).pages(), least.unwrap());
    let block = blocks.iter().find(|block| block.at == inside.cell.at).unwrap();
    assert_eq!(first_failures(block, inside.cell.policy), [None; 8]);
    let loads: Vec<_> = block.values[inside.cell.policy]
        .iter()
        .map(|values| match values[column("aligned_load_max_pages")] {
            Value::Count(pages) => pages,
            value => panic!("{value:?}"),
        })
        .collect();
    let most = loads.iter().max().unwrap();
    let first = loads.iter().position(|pages| pages == most).unwrap();
    assert_eq!((inside.cell.seed, inside.aligned_load_pages), (first as u64 + 1, Some(*most)));
}

#[test]
fn what_needs_no_patch_is_chosen_and_what_a_patch_would_save_is_said() {
    // No kernel can be configured for cap 0, with which gpu streams make do with less.
    let ready = ready(&ladder("gpu", &MIB, "seeds = 8\npolicies = [\"kernel\"]\ncaps = [8, 0]"));
    let headline = said(&ready, &of(&ready).1);
    let least = |patch: bool| {
        let eligible = headline.ranked.iter().filter(|one| one.is_eligible());
        eligible.filter(|one| one.needs_patch() == patch).map(|one| one.pages).min().unwrap()
    };
    let (as_it_is, patched) = (least(false), least(true));
    assert!(patched < as_it_is, "{patched} of {as_it_is}");
    assert_eq!((headline.chosen, headline.ranked[0].pages), (Some(0), as_it_is));
    let saved = format!("{} MiB less", (as_it_is - patched) / 256);
    let said = headline.notes.iter().find(|note| note.starts_with("with a patch of the kernel"));
    assert!(said.is_some_and(|note| note.contains(&saved)), "{:?}", headline.notes);
}

#[test]
fn sizes_by_hand_from_the_cells() {
    let plan = "seeds = 7\npolicies = [\"kernel\"]\ncaps = [8, 0]";
    // Named from large to small: what counts is the size.
    let text = ladder("video", &[200, 120, 100, 80], plan);
    let ready = ready(&text.replace("loads_mib = [64]", "loads_mib = [80]"));
    let (blocks, found) = of(&ready);
    assert_eq!(found.sizing.len(), 2);
    for (cap, sizing) in found.sizing.iter().enumerate() {
        let pages: Vec<_> = sizing.sizes.iter().map(|size| size.pages / 256).collect();
        assert_eq!(pages, [80, 100, 120, 200]);
        let at = |board: usize| {
            let found = blocks.iter().find(|b| b.at.board == Some(board) && b.at.cap == cap);
            first_failures(found.unwrap(), 0)
        };
        let (mut above, mut smallest) = (0, 0);
        for stream in 0..7 {
            // Boards are 200, 120, 100, 80: the first that fails from the large end on.
            let failed = (0..4).position(|board| at(board)[stream].is_some());
            above += u64::from(failed == Some(0));
            smallest += u64::from(failed.is_none());
        }
        assert_eq!((sizing.least.above_largest, sizing.least.at_smallest), (above, smallest));
        for size in &sizing.sizes {
            let failed = at(size.board).iter().flatten().count() as u64;
            assert_eq!((size.failed, size.streams), (failed, 7));
        }
        // The largest request of a video stream is a frame of 4K in 10 bits, 6075 pages, or
        // smaller: at cap 0 first-fit is certain with 1 + 13 times its LOAD at most.
        let certified = sizing.certified_per_load;
        assert_eq!(certified.is_some(), cap == 1);
        assert!(certified.is_none_or(|bound| (11.0..=14.0).contains(&bound)), "{certified:?}");
    }
}

#[test]
fn a_curve_ends_where_the_streams_that_never_fail_are() {
    let plan = "seeds = 8\npolicies = [\"kernel\"]\ncaps = [8]";
    let ready = ready(&ladder("gpu", &[64, 96, 160], plan));
    let (blocks, found) = of(&ready);
    assert_eq!(found.survival.len(), found.summary.rows.len());
    for (block, curve) in blocks.iter().zip(&found.survival) {
        let streams: Vec<_> = block.values[0].iter().map(|one| Outcome::of(one)).collect();
        let failures: Vec<_> = streams.iter().filter(|one| one.lost).collect();
        let last = curve.points.last().unwrap();
        assert_eq!((curve.unit, curve.streams), (CurveUnit::BoardTime, 8));
        assert_eq!(curve.failed, failures.len() as u64);
        // Streams of so many ops are not equally long: one that ends before another fails is cut
        // off there.
        let watched = |us: u64| streams.iter().filter(|one| one.watched_us >= us).count() as f64;
        let well = failures.iter().map(|one| 1.0 - 1.0 / watched(one.watched_us));
        assert!((last.surviving - well.product::<f64>()).abs() < 1e-12);
        assert!(last.low <= last.surviving && last.surviving <= last.high);
        let first = failures.iter().map(|one| one.watched_us).min();
        assert_eq!(curve.points.get(1).map(|point| point.at), first);
    }
    assert!(found.survival[0].failed == 8 && found.survival[2].failed == 0, "both ends are met");
}

#[test]
fn honest_where_nothing_can_be_chosen() {
    // More than there is: LOAD 64 MiB on 32 and 48 MiB.
    let plan = "seeds = 3\npolicies = [\"kernel\"]\ncaps = [4]";
    let found = of(&ready(&ladder("gpu", &[32, 48], plan))).1;
    let headline = found.headline.unwrap();
    assert_eq!((headline.verdict, headline.chosen), (Verdict::Overloaded, None));
    assert!(headline.ranked.iter().all(|one| one.rho > Some(1.0)));
    assert!(found.worst.is_some() && found.inside.is_none());
    // Enough in theory, not in practice; the larger one comes nearest. One size is said to be one.
    let found = of(&ready(&ladder("gpu", &[66, 68], plan))).1;
    let headline = found.headline.unwrap();
    assert_eq!((headline.verdict, headline.chosen), (Verdict::NotMet, None));
    let ready = ready(&ladder("gpu", &[160], plan));
    let found = of(&ready).1;
    let headline = said(&ready, &found);
    assert_eq!(headline.verdict, Verdict::Met);
    assert!(headline.notes.iter().any(|note| note.contains("one size")), "{:?}", headline.notes);
    assert_eq!(found.sizing, [], "one size is no ladder");
}

#[test]
fn a_board_must_serve_all_streams_of_the_plan() {
    let plan = "seeds = 4\npolicies = [\"kernel\"]\ncaps = [4]";
    let text = ladder("gpu", &MIB, plan);
    let both = format!("{text}[[streams]]\nprofile = \"video\"\nloads_mib = [90]\nops = 300\n");
    let both = ready(&both);
    let (_, found) = of(&both);
    let pages = |choice: &cma_harness::answer::Choice| {
        choice.chosen.map_or(u64::MAX, |chosen| choice.ranked[chosen].pages)
    };
    let headline = found.headline.as_ref().unwrap();
    let each: Vec<_> = found.choices.iter().map(pages).collect();
    assert_eq!(each.len(), 2);
    assert_eq!(pages(headline), each.iter().copied().max().unwrap());
    assert!(each[0] < each[1], "the second stream is the one that needs more");
    assert!(headline.ranked.iter().all(|one| one.rows == 2));
    // A recording runs on its own area: it has a choice, but is no part of the boards'.
    let apart = format!("{text}[[streams]]\nrecorded = \"6.12/mix-a1-dma8\"\n");
    let apart = ready(&apart);
    let found = of(&apart).1;
    assert_eq!(found.choices.len(), 2);
    let headline = said(&apart, &found);
    assert!(headline.ranked.iter().all(|one| one.rows == 1 && one.board.is_some()));
    assert!(headline.notes.iter().any(|note| note.contains("1 stream runs")), "{headline:?}");
}

#[test]
fn a_model_and_a_load_that_is_not_reached_are_said() {
    let plan = |environment: &str, stream: &str| {
        let text = format!(
            "name = \"said\"\nseeds = 2\npolicies = [\"kernel\"]\nenvironments = [\"{environment}\"]\n\
             [[boards]]\nname = \"b\"\nareas = [{{ mib = 64 }}]\n[[streams]]\n{stream}\n"
        );
        let ready = ready(&text);
        let headline = said(&ready, &of(&ready).1);
        let said = |words: &str| headline.notes.iter().any(|note| note.contains(words));
        (said("model: what claims meet"), said("audio does not reach its LOAD"))
    };
    let audio = |ops: u64| format!("profile = \"audio\"\nloads = [0.9]\nops = {ops}");
    assert_eq!(plan("movable", &audio(4000)), (true, false));
    assert_eq!(plan("pinned", &audio(40)), (false, true));
}

/// What a file says is taken as it is: a request of more pages than half of all, and no request.
#[test]
fn sizes_for_streams_at_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let sizing = |rows: &str| {
        let path = folder.path().join("s.csv");
        std::fs::write(&path, format!("at_us,op,id,count,align\n{rows}")).unwrap();
        let boards = "[[boards]]\nname = \"a\"\nareas = [{ pages = 256 }]\n\
                      [[boards]]\nname = \"b\"\nareas = [{ mib = 2 }]\n";
        let path = path.display();
        of(&ready(&format!(
            "name = \"x\"\npolicies = [\"kernel\"]\ncaps = [0]\n{boards}[[streams]]\n\
             file = \"{path}\"\nown_area = false\n"
        )))
        .1
        .sizing
    };
    // 2^63 + 1 pages lie below 2^64: 1 + 64 times the LOAD.
    let large = sizing("0,alloc,1,9223372036854775809,0\n");
    assert_eq!(large.len(), 1);
    assert_eq!((large[0].certified_per_load, large[0].least.above_largest), (Some(65.0), 1));
    assert_eq!(sizing("0,free,1,,\n"), [], "no share of nothing");
}
