//! What guides a search, measured: not run by `cargo test` but by `corpora/guidance.sh`, which
//! builds the fuzz target. It takes minutes, and says what it found; nothing here can fail by luck.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cma_harness::stats::rank_sum;

/// `name` of the environment as a number.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name} is \"{text}\", give a whole number"))
    })
}

/// The fuzz target's binary.
fn fuzzer() -> PathBuf {
    let path = std::env::var_os("CMALAB_ENOMEM").expect("CMALAB_ENOMEM names the fuzz target");
    PathBuf::from(path)
}

/// Pages of LOAD that a guided run needs for a refusal: its champion, from an empty corpus. The
/// area's where there is none.
fn fuzzed(goal: &str, pages: u64, mutator: &str, counters: &str, runs: u64, seed: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, champions) = (folder.path().join("corpus"), folder.path().join("champions"));
    fs::create_dir(&corpus).unwrap();
    let status = Command::new(fuzzer())
        .args([&format!("-runs={runs}"), &format!("-seed={seed}"), "-max_len=1024"])
        .args(["-len_control=0", "-verbosity=0"])
        .arg(&corpus)
        .env("CMALAB_GOAL", goal)
        .env("CMALAB_CHAMPIONS", &champions)
        .env("CMALAB_MUTATOR", mutator)
        .env("CMALAB_COUNTERS", counters)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the fuzz target runs");
    assert!(status.success(), "{goal}: a law of harm was broken, or the target did not start");
    champion(&champions).unwrap_or(pages)
}

/// M of the one champion in `folder`.
fn champion(folder: &Path) -> Option<u64> {
    let index = fs::read_to_string(folder.join("index.csv")).ok()?;
    let head: Vec<_> = index.lines().next()?.split(',').collect();
    // A policy may have commas of its own: count from the end.
    let from_end = head.len() - head.iter().position(|name| *name == "load_pages")?;
    let fields: Vec<_> = index.lines().nth(1)?.split(',').collect();
    fields[fields.len() - from_end].parse().ok()
}

const WAYS: [(&str, &str); 4] = [("acts", "yes"), ("acts", "no"), ("bytes", "yes"), ("bytes", "no")];

#[test]
#[ignore = "minutes: run by corpora/guidance.sh"]
fn what_mutator_and_counters_are_worth() {
    let runs = number("RUNS", 40_000);
    let pages = number("PAGES", 1024);
    let repeats = |policy: &str| match policy {
        "kernel" | "buddy" => number("REPEATS", 10),
        _ => number("REPEATS_OTHERS", 3),
    };
    println!("policy,pages,mutator,counters,seed,executions,load_pages,harm");
    let mut text = String::new();
    for policy in ["kernel", "buddy", "best-fit", "zoned"] {
        let goal = format!("{policy},{pages}");
        let mut groups: Vec<Vec<u64>> = Vec::new();
        for (mutator, counters) in WAYS {
            let mut needs = Vec::new();
            for seed in 1..=repeats(policy) {
                let need = fuzzed(&goal, pages, mutator, counters, runs, seed);
                let harm = 1.0 - need as f64 / pages as f64;
                println!("{policy},{pages},{mutator},{counters},{seed},{runs},{need},{harm:.4}");
                needs.push(need);
            }
            groups.push(needs);
        }
        text += &table(policy, pages, &groups);
    }
    println!("\n{text}");
}

fn median(values: &[u64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half] as f64
    } else {
        (sorted[half - 1] + sorted[half]) as f64 / 2.0
    }
}

/// A line for each way, and one for each pair of them.
fn table(policy: &str, pages: u64, groups: &[Vec<u64>]) -> String {
    let mut text = format!("{policy}, {pages} pages: harm, median (least to most) of each\n");
    let harm = |need: f64| 1.0 - need / pages as f64;
    for ((mutator, counters), needs) in WAYS.iter().zip(groups) {
        let least = needs.iter().max().map_or(0.0, |need| harm(*need as f64));
        let most = needs.iter().min().map_or(0.0, |need| harm(*need as f64));
        let (median, runs) = (harm(median(needs)), needs.len());
        text += &format!(
            "    mutator {mutator:5}  counters {counters:3}  {median:.3} ({least:.3} to {most:.3}), \
             {runs} runs\n"
        );
    }
    for one in 0..WAYS.len() {
        for other in one + 1..WAYS.len() {
            let p = rank_sum(&groups[one], &groups[other]);
            let name = |(mutator, counters): (&str, &str)| format!("{mutator}/{counters}");
            text += &format!(
                "    {:9} against {:9}  p = {p:.5} (rank sum, two-sided, exact)\n",
                name(WAYS[one]),
                name(WAYS[other])
            );
        }
    }
    text
}

#[test]
#[ignore = "minutes: run by corpora/guidance.sh"]
fn harm_by_each_means() {
    let runs = number("RUNS", 40_000);
    let tries = number("TRIES", 80_000).to_string();
    println!("policy,pages,largest,means,detail,load_pages,harm,load_per_adversary");
    for policy in ["kernel", "best-fit", "buddy", "zoned"] {
        for pages in [64, 256, 1024, 4096] {
            // In larger areas an execution takes longer.
            let runs = (runs * 1024 / pages).clamp(runs / 4, runs * 4);
            let need = fuzzed(&format!("{policy},{pages}"), pages, "acts", "yes", runs, 1);
            let largest = 1_u64 << (pages / 8).ilog2();
            let adversary = cma_harness::harm::bounds::adversary(pages, largest);
            let (harm, ratio) = (1.0 - need as f64 / pages as f64, need as f64 / adversary as f64);
            println!("{policy},{pages},{largest},fuzz,{runs} runs,{need},{harm:.4},{ratio:.4}");
            let output = Command::new(env!("CARGO_BIN_EXE_cmalab"))
                .args(["attack", "--policy", policy, "--pages", &pages.to_string()])
                .args(["--tries", &tries, "--format", "csv"])
                .output()
                .expect("cmalab runs");
            let csv = String::from_utf8(output.stdout).unwrap();
            let head: Vec<_> = csv.lines().next().unwrap().split(',').collect();
            for line in csv.lines().skip(1) {
                let fields: Vec<_> = line.split(',').collect();
                let column = |name| fields[head.iter().position(|head| *head == name).unwrap()];
                let columns = ["policy", "pages", "largest", "means", "detail", "load_pages"];
                let shown = columns.into_iter().chain(["harm", "load_per_adversary"]);
                println!("{}", shown.map(column).collect::<Vec<_>>().join(","));
            }
        }
    }
}
