//! Which buffers fill an area, on 1000 generated areas whose truth the inference does not see.

#[path = "residents/area.rs"]
mod area;
#[path = "residents/score.rs"]
mod score;

use std::path::Path;

use area::{Style, Truth};
use cma_harness::diagnose::{Hole, Resident, residents};
use cma_harness::seed::Seed;
use score::Score;

/// A size counts where it covers this share of the used pages.
const SHARE: f64 = 0.2;

struct Figures {
    full: Score,
    half: Score,
    /// Areas with a size of which two make a gap that one of twice the size makes as well.
    full_sums: Score,
}

fn figures(seed: &Seed, style: Style, areas: u64) -> Figures {
    let mut figures =
        Figures { full: Score::default(), half: Score::default(), full_sums: Score::default() };
    for number in 0..areas {
        let seed = seed.child("area", number);
        let truth = Truth::generate(&seed, style);
        let full = residents(&truth.state(), truth.cap);
        figures.full.add(&truth, &full, truth.used());
        if truth.has_sums() {
            figures.full_sums.add(&truth, &full, truth.used());
        }
        let half = residents(&truth.half(&seed), truth.cap);
        // How much is used in the half that was lost does not show.
        let explained = half.iter().map(Resident::pages).sum();
        figures.half.add(&truth, &half, explained);
    }
    figures
}

fn print(style: Style, figures: &Figures) {
    println!("{style:?}, full list: {}", figures.full);
    println!("{style:?}, of them with sums: {}", figures.full_sums);
    println!("{style:?}, half of the records: {}", figures.half);
}

#[test]
fn sizes_that_fill_a_fifth_are_found() {
    for (style, seed, areas) in [
        (Style::Board, 20_240_611, 1000),
        (Style::Uniform, 3_301, 150),
        (Style::Seen, 3_302, 150),
        (Style::Churn, 3_303, 150),
        (Style::Merged, 3_304, 150),
    ] {
        let figures = figures(&Seed::new(seed), style, areas);
        print(style, &figures);
        let Figures { full, half, .. } = figures;
        assert_eq!(full.areas, areas);
        assert!(full.precision() >= 0.9, "{style:?}: {full}");
        assert!(full.recall() >= 0.9, "{style:?}: {full}");
        assert!(half.precision() >= 0.7, "{style:?}: {half}");
        // Where it says so, a size is there.
        assert!(full.likely[1] * 100 >= full.likely[0] * 97, "{style:?}: {full}");
        assert!(full.blocks.share() <= 0.1, "{style:?}: {full}");
        assert!(full.stranded.share() <= 0.1, "{style:?}: {full}");
        assert!(full.recoverable.share() <= 0.1, "{style:?}: {full}");
        // A score that nothing could fail would be none.
        assert!(full.expected > areas && half.said > areas * 7 / 10, "{style:?}");
    }
}

/// The runs of the first list in a text whose numbers are not broken, however it is laid out.
fn runs(text: &str) -> Vec<Hole> {
    let pairs = text.split(|c: char| !(c.is_ascii_digit() || c == '@'));
    let pairs = pairs.filter_map(|pair| pair.split_once('@'));
    let holes = pairs.filter_map(|(count, start)| {
        Some(Hole { start: start.parse().ok()?, count: count.parse().ok()? })
    });
    let mut ascending: Vec<Hole> = Vec::new();
    for hole in holes {
        if ascending.last().is_none_or(|last| last.end() < hole.start) {
            ascending.push(hole);
        }
    }
    ascending
}

#[test]
fn real_lists() {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/logs");
    if !logs.is_dir() {
        println!("skipped: no folder {}", logs.display());
        return;
    }
    // As `cases.json` says; what is there once only is not asked for.
    for (name, complete, total, sizes) in [
        ("04-imx6q-vpu-148-busy.log", true, 81_920, &[148, 44, 797][..]),
        ("06-imx8mq-4k-3595-busy.log", true, 245_760, &[3038, 3595]),
        ("114-seed-456-alignment-truncated.log", false, 286_720, &[257]),
    ] {
        let Ok(text) = std::fs::read_to_string(logs.join(name)) else {
            println!("skipped: no {name}");
            continue;
        };
        let found = residents(&area::state(0, total, runs(&text), complete), 8);
        println!("{name}: {found:#?}");
        let found: Vec<u64> = found.iter().map(|found| found.count).collect();
        for size in sizes {
            assert!(found.contains(size), "{name}: {size} in {found:?}");
        }
    }
}
