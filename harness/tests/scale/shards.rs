//! Shards, and their merge.

use std::fs;

use super::{Bench, PLAN, early_plan, files};

/// Runs all shards of `p.toml` into folders under `parts`.
fn shard(bench: &Bench, of: usize) {
    for index in 1..=of {
        let (shard, out) = (format!("{index}/{of}"), format!("parts/{index}"));
        let output = bench.good(&["sweep", "p.toml", "--shard", &shard, "--out", &out, "--quiet"]);
        assert!(output.stdout.is_empty(), "a shard says nothing of its own");
    }
}

#[test]
fn shards_merged_are_one_run() {
    for plan in [PLAN.to_string(), early_plan()] {
        let bench = Bench::new(&plan);
        let whole = bench.good(&["sweep", "p.toml", "--out", "whole", "--quiet"]);
        let expected = files(&bench.path("whole"));
        for of in [1, 2, 3] {
            let _ = fs::remove_dir_all(bench.path("parts"));
            let _ = fs::remove_dir_all(bench.path("out"));
            shard(&bench, of);
            let merged = bench.good(&["merge", "parts", "--out", "out", "--quiet"]);
            bench.same("out", &expected);
            assert_eq!(merged.stdout, whole.stdout, "what is printed too");
        }
        // In any order, one of them twice.
        let twice = ["merge", "parts/3", "parts/1", "parts", "--out", "out2", "--quiet"];
        bench.good(&twice);
        bench.same("out2", &expected);
    }
}

#[test]
fn without_out_a_merge_is_a_sweep_without_out() {
    let bench = Bench::new(PLAN);
    bench.good(&["sweep", "p.toml", "--quiet"]);
    let expected = files(&bench.path("reports/p"));
    fs::rename(bench.path("reports/p"), bench.path("reports/before")).unwrap();
    for shard in ["1/2", "2/2"] {
        bench.good(&["sweep", "p.toml", "--shard", shard, "--quiet"]);
    }
    bench.good(&["merge", "reports/p-shards", "--quiet"]);
    bench.same("reports/p", &expected);
    let shards = files(&bench.path("reports/p-shards"));
    let names: Vec<_> = shards.keys().collect();
    assert_eq!(
        names,
        ["1-of-2/plan.toml", "1-of-2/shard.csv", "2-of-2/plan.toml", "2-of-2/shard.csv"]
    );
}

#[test]
fn the_cells_are_shared_out_evenly() {
    let bench = Bench::new(PLAN);
    shard(&bench, 3);
    let parts = files(&bench.path("parts"));
    let rows =
        |index| String::from_utf8_lossy(&parts[&format!("{index}/shard.csv")]).lines().count();
    // 4 x 2 x 40 + 4 cells: 108 for each, below two lines of head.
    assert_eq!([1, 2, 3].map(rows), [110, 110, 110]);
}

#[test]
fn what_does_not_make_a_whole_is_not_merged() {
    let bench = Bench::new(PLAN);
    shard(&bench, 3);
    let merge = |folders: &[&str]| bench.bad(&[&["merge"], folders, &["--out", "out"]].concat());
    assert!(merge(&["parts/1", "parts/3"]).contains("merge: shard 2/3 is missing"));
    assert!(merge(&["parts/2"]).contains("merge: shard 1/3 and 1 more is missing"));
    assert!(merge(&["parts/4"]).contains("read parts/4: No such file"));
    fs::create_dir(bench.path("empty")).unwrap();
    assert!(merge(&["empty"]).contains("there is no shard.csv in it"));

    bench.good(&["sweep", "p.toml", "--shard", "1/2", "--out", "half", "--quiet"]);
    let parted = merge(&["parts", "half"]);
    assert!(
        parted.contains("shards 1/3 and 1/2, of sweeps that were parted differently"),
        "{parted}"
    );

    let path = bench.path("parts/2/shard.csv");
    let text = fs::read_to_string(&path).unwrap();
    // A row that is gone, one that was changed, and one of another version.
    let row = text.lines().nth(7).unwrap();
    let number = row.split(',').nth(2).unwrap();
    fs::write(&path, text.replace(&format!("{row}\n"), "")).unwrap();
    let gone = merge(&["parts"]);
    assert!(gone.contains(&format!("cell {number} is missing in parts/2/shard.csv")), "{gone}");
    fs::write(
        &path,
        text.replacen(row, &row.replacen("kernel", "kernal", 1).replacen("zoned", "zonad", 1), 1),
    )
    .unwrap();
    assert_eq!(merge(&["parts"]), gone);
    fs::write(&path, text.replacen("version=", "version=9", 1)).unwrap();
    assert!(merge(&["parts"]).contains("parts/2/shard.csv: it is of another plan or version"));
    fs::write(&path, text).unwrap();
    fs::rename(&path, bench.path("parts/2/shard.csv.partial")).unwrap();
    assert!(merge(&["parts"]).contains("parts/2: the shard is not finished"));
    assert!(!bench.path("out").exists(), "nothing half-written is left");
}

#[test]
fn shards_of_another_plan_do_not_mix() {
    let bench = Bench::new(PLAN);
    shard(&bench, 2);
    fs::write(bench.path("p.toml"), PLAN.replace("0.98", "0.97")).unwrap();
    bench.good(&["sweep", "p.toml", "--shard", "2/2", "--out", "parts/2", "--quiet"]);
    let message = bench.bad(&["merge", "parts", "--out", "out"]);
    assert!(message.contains("parts/2/shard.csv: it is of another plan or version"), "{message}");
}

#[test]
fn a_shard_does_not_overwrite_another_one() {
    let bench = Bench::new(PLAN);
    bench.good(&["sweep", "p.toml", "--shard", "1/2", "--out", "o", "--quiet"]);
    let before = files(&bench.path("o"));
    let message = bench.bad(&["sweep", "p.toml", "--shard", "2/2", "--out", "o", "--quiet"]);
    assert!(message.contains("shard 1/2 of this plan is there"), "{message}");
    bench.same("o", &before);
    // What is finished stays as it is.
    bench.good(&["sweep", "p.toml", "--shard", "1/2", "--out", "o", "--resume", "--quiet"]);
    bench.same("o", &before);
}
