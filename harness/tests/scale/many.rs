//! More shards than a process may have files open.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::{Command, Output};

use cma_harness::sweep::Shard;
use cma_harness::sweep::disk::Row;

use super::{Bench, PLAN, files};

/// More than the files that a process may have open by default (1024).
const SHARDS: u64 = 1100;

/// A bench of a plan with some more cells than shards, all of them under `parts`: parted by hand,
/// since so many sweeps take their time.
fn parted() -> Bench {
    let bench = Bench::new(&PLAN.replace("seeds = 40", "seeds = 150").replace("300", "40"));
    bench.good(&["sweep", "p.toml", "--shard", "1/1", "--out", "all", "--quiet"]);
    let text = fs::read_to_string(bench.path("all/shard.csv")).unwrap();
    let (head, rows) = text.split_once(",checksum\n").unwrap();
    for index in 1..=SHARDS {
        let shard = Shard::new(index, SHARDS).unwrap();
        let folder = bench.path("parts").join(format!("{index}-of-{SHARDS}"));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(bench.path("all/plan.toml"), folder.join("plan.toml")).unwrap();
        let mut file = BufWriter::new(File::create(folder.join("shard.csv")).unwrap());
        let head = head.replacen("shard=1/1", &format!("shard={shard}"), 1);
        writeln!(file, "{head},checksum").unwrap();
        let mine = rows.lines().filter(|row| {
            let number = row.split(',').nth(2).unwrap();
            shard.has(number.parse().unwrap())
        });
        for row in mine {
            writeln!(file, "{row}").unwrap();
        }
    }
    bench
}

/// `cmalab merge parts` where a process may have so many files open.
fn merge(bench: &Bench, files: u32) -> Output {
    let limit = format!("ulimit -n {files}; exec \"$0\" merge parts --out out --quiet");
    let mut shell = Command::new("sh");
    shell.args(["-c", &limit, env!("CARGO_BIN_EXE_cmalab")]).current_dir(bench.path(""));
    shell.output().unwrap()
}

#[test]
fn more_shards_than_a_process_may_open_files_are_merged() {
    let bench = parted();
    let expected = bench.whole("whole");
    let output = merge(&bench, 256);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    bench.same("out", &expected);

    // What was parted by hand is what a sweep writes.
    for index in [1, 700, SHARDS] {
        let shard = format!("{index}/{SHARDS}");
        bench.good(&["sweep", "p.toml", "--shard", &shard, "--out", "one", "--quiet"]);
        bench.same("one", &files(&bench.path("parts").join(format!("{index}-of-{SHARDS}"))));
        fs::remove_dir_all(bench.path("one")).unwrap();
    }

    for index in [3, 4, 5, 6, 7, 12, 1100] {
        fs::remove_dir_all(bench.path("parts").join(format!("{index}-of-{SHARDS}"))).unwrap();
    }
    let message = String::from_utf8(merge(&bench, 256).stderr).unwrap();
    assert_eq!(message, "error: failed to merge: shards 3-7, 12, 1100 of 1100 are missing\n");
}

#[test]
fn a_shard_that_is_there_twice_has_to_be_the_same_twice() {
    let bench = Bench::new(PLAN);
    for shard in ["1/2", "2/2"] {
        let out = format!("parts/{}", &shard[..1]);
        bench.good(&["sweep", "p.toml", "--shard", shard, "--out", &out, "--quiet"]);
    }
    fs::create_dir(bench.path("parts/3")).unwrap();
    let text = fs::read_to_string(bench.path("parts/2/shard.csv")).unwrap();
    let line = text.lines().nth(9).unwrap();
    let row = Row::parse(format!("{line}\n").as_bytes()).unwrap();
    let mut changed = Vec::new();
    let other = row.text.replacen(",gpu,", ",gpo,", 1);
    Row { text: other, ..row }.write(&mut changed).unwrap();
    let changed = text.replacen(&format!("{line}\n"), &String::from_utf8(changed).unwrap(), 1);
    assert_ne!(changed, text);
    for (third, differs) in [(&text, false), (&changed, true)] {
        fs::write(bench.path("parts/3/shard.csv"), third).unwrap();
        let output = bench.run(&["merge", "parts", "--out", "out", "--quiet"]);
        let message = String::from_utf8(output.stderr).unwrap();
        let expected = format!("shard.csv differ in cell {}", row.number);
        assert_eq!(message.contains(&expected), differs, "{message}");
        assert_eq!(output.status.code(), Some(if differs { 2 } else { 0 }), "{message}");
    }
}
