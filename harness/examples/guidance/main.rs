//! The table of `corpora/guidance.sh`: how much harm guided fuzzing reached, with and without the
//! mutator that knows what an act is, with and without counters of harm.
//!
//! `cargo run --release -p cma-harness --example guidance -- overnight/guidance.csv`

use std::process::ExitCode;

mod rank_sum;

use cma_harness::stats::{holm, median};
use rank_sum::rank_sum;
use serde::Deserialize;

/// A run.
#[derive(Deserialize)]
struct Row {
    goal: String,
    mutator: String,
    counters: String,
    harm: f64,
}

/// What is compared with what: (mutator, counters) and (mutator, counters).
const CONTRASTS: [[(&str, &str); 2]; 4] = [
    [("bytes", "no"), ("structural", "no")],
    [("bytes", "yes"), ("structural", "yes")],
    [("bytes", "no"), ("bytes", "yes")],
    [("structural", "no"), ("structural", "yes")],
];

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("guidance FILE: the CSV that corpora/guidance.sh wrote");
        return ExitCode::from(2);
    };
    match rows(&path) {
        Ok(rows) => {
            print(&rows);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::from(2)
        }
    }
}

fn rows(path: &str) -> Result<Vec<Row>, csv::Error> {
    csv::Reader::from_path(path)?.into_deserialize().collect()
}

fn print(rows: &[Row]) {
    let mut goals: Vec<&str> = rows.iter().map(|row| row.goal.as_str()).collect();
    goals.dedup();
    for goal in goals {
        let of = |(mutator, counters): (&str, &str)| -> Vec<f64> {
            let same = |row: &&Row| {
                (&*row.goal, &*row.mutator, &*row.counters) == (goal, mutator, counters)
            };
            rows.iter().filter(same).map(|row| row.harm).collect()
        };
        println!("{goal}");
        println!(
            "  {:<10} {:<8} {:>4} {:>8} {:>8} {:>8}",
            "mutator", "counters", "runs", "least", "median", "most"
        );
        for cell in [("bytes", "no"), ("bytes", "yes"), ("structural", "no"), ("structural", "yes")]
        {
            let mut values = of(cell);
            values.sort_by(f64::total_cmp);
            let (Some(least), Some(most)) = (values.first(), values.last()) else { continue };
            let middle = median(&values.iter().copied().map(Some).collect::<Vec<_>>());
            let middle = middle.unwrap_or(f64::NAN);
            println!(
                "  {:<10} {:<8} {:>4} {least:>8.4} {middle:>8.4} {most:>8.4}",
                cell.0,
                cell.1,
                values.len()
            );
        }
        let tests = CONTRASTS.map(|[from, to]| rank_sum(&of(from), &of(to)));
        let raw: Vec<f64> = tests.iter().map(|test| test.map_or(1.0, |test| test.p)).collect();
        for (([from, to], test), p) in CONTRASTS.iter().zip(tests).zip(holm(&raw)) {
            let Some(test) = test else { continue };
            println!(
                "  {}, counters {} -> {}, counters {}: larger in {:.0} % of pairs, p = {:.4} (Holm {p:.4})",
                from.0,
                from.1,
                to.0,
                to.1,
                test.above * 100.0,
                test.p
            );
        }
    }
}
