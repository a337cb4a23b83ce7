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
    assert!(merge(&["parts/1", "parts/3"]).contains("merge: shard 2 of 3 is missing\n"));
    assert!(merge(&["parts/2"]).contains("merge: shards 1, 3 of 3 are missing\n"));
    assert!(merge(&["parts/4"]).contains("read parts/4: No such file"));
    fs::create_dir(bench.path("empty")).unwrap();
    assert!(merge(&["empty"]).contains("there is no shard.csv in it"));

    let path = bench.path("parts/2/shard.csv");
    let text = fs::read_to_string(&path).unwrap();
    // A row that is gone, one that was changed, two in the wrong order, and one of another version.
    let rows: Vec<_> = text.lines().skip(7).collect();
    let (row, next) = (rows[0], rows[1]);
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
    fs::write(&path, text.replace(&format!("{row}\n{next}\n"), &format!("{next}\n{row}\n")))
        .unwrap();
    let order = merge(&["parts"]);
    assert!(order.contains(&format!("parts/2/shard.csv are not in order at cell {number}")));
    fs::write(&path, text.replacen("version=", "version=9", 1)).unwrap();
    let version = merge(&["parts"]);
    assert!(version.contains("of different sweeps: parts/1, parts/3 (plan "), "{version}");
    assert!(version.contains("; parts/2 (plan ") && version.contains("the versions differ;"));
    let version = merge(&["parts/2"]);
    assert!(version.contains("shards 1, 3 of 3 are missing"), "{version}");
    fs::write(&path, "# what\n").unwrap();
    assert!(merge(&["parts"]).contains("merge parts/2/shard.csv: its first lines are not those"));
    fs::write(&path, text).unwrap();
    assert!(!bench.path("out").exists(), "nothing half-written is left");
}

#[test]
fn all_shards_by_another_version_are_not_merged() {
    let bench = Bench::new(PLAN);
    shard(&bench, 1);
    let path = bench.path("parts/1/shard.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("version=", "version=9", 1)).unwrap();
    let message = bench.bad(&["merge", "parts", "--out", "out"]);
    assert!(message.contains("merge parts/1: cmalab 9"), "{message}");
    assert!(message.contains("merge it with that version, or run the shards again"), "{message}");
}

#[test]
fn an_unfinished_shard_is_named_with_how_it_is_finished() {
    let bench = Bench::new(PLAN);
    shard(&bench, 3);
    let merge = || bench.bad(&["merge", "parts", "--out", "out"]);
    let (path, partial) =
        (bench.path("parts/2/shard.csv"), bench.path("parts/2/shard.csv.partial"));
    fs::rename(&path, &partial).unwrap();
    let message = merge();
    assert!(
        message.contains(
            "merge: shard 2 of 3 is missing; parts/2 is not finished: the same sweep with --shard \
             2/3 --out parts/2 --resume goes on\n"
        ),
        "{message}"
    );
    bench.good(&["sweep", "p.toml", "--shard", "2/3", "--out", "parts/2", "--resume", "--quiet"]);
    fs::rename(&path, &partial).unwrap();
    // As one that was begun of another plan says neither how this one is parted nor goes on.
    let text = fs::read_to_string(&partial).unwrap();
    let other = format!("# plan={:016x}", 1);
    let text = text.replacen(&text[..other.len()], &other, 1).replacen("/3 ", "/7 ", 1);
    fs::write(&partial, text).unwrap();
    let message = merge();
    assert!(message.contains("merge: shard 2 of 3 is missing; parts/2 holds what was begun of "));
    let resumed = bench.bad(&["sweep", "p.toml", "--shard", "2/3", "--out", "parts/2", "--resume"]);
    assert!(resumed.contains("of another plan or version (the plan was changed since"));
    assert!(resumed.contains("remove it or leave out --resume to begin anew"), "{resumed}");
    fs::write(&partial, "").unwrap();
    assert!(merge().contains("parts/2 has no first lines of this version: remove it and run "));
    fs::remove_dir_all(bench.path("parts/1")).unwrap();
    fs::remove_dir_all(bench.path("parts/3")).unwrap();
    assert!(merge().contains("merge: parts/2 has no first lines"));
}

#[test]
fn a_sweep_that_was_parted_twice_in_one_folder_is_merged_once_one_is_whole() {
    let bench = Bench::new(PLAN);
    let expected = bench.whole("whole");
    let run = |shards: &[&str]| {
        for shard in shards {
            bench.good(&["sweep", "p.toml", "--shard", shard, "--quiet"]);
        }
    };
    run(&["1/3", "2/3", "2/4"]);
    let message = bench.bad(&["merge", "reports/p-shards", "--out", "out"]);
    assert!(
        message.contains(
            "merge: shard 3 of 3 is missing; shards 1, 3-4 of 4 are missing; the sweep was parted \
             in several ways"
        ),
        "{message}"
    );
    run(&["1/4", "3/4", "4/4"]);
    let merged = bench.good(&["merge", "reports/p-shards", "--out", "out"]);
    let message = String::from_utf8(merged.stderr).unwrap();
    assert!(
        message.contains("all 4 shards of 4 are there; left out: shards 1-2 of 3"),
        "{message}"
    );
    bench.same("out", &expected);
    run(&["3/3"]);
    bench.good(&["merge", "reports/p-shards", "--out", "both", "--quiet"]);
    bench.same("both", &expected);
}

#[test]
fn shards_of_another_plan_do_not_mix() {
    let bench = Bench::new(PLAN);
    shard(&bench, 2);
    fs::write(bench.path("p.toml"), PLAN.replace("0.98", "0.97")).unwrap();
    // All are of the plan before: nothing shows that, but for who names the plan.
    bench.good(&["merge", "parts", "--out", "before", "--quiet"]);
    let stale = bench.bad(&["merge", "parts", "--out", "out", "--", "sweep", "p.toml"]);
    assert!(stale.contains("merge parts/1: it is of another plan than the one"), "{stale}");
    assert!(stale.contains("\"loads = [0.98, 0.5]\" and \"loads = [0.97, 0.5]\""), "{stale}");
    let again = ["sweep", "p.toml", "--shard", "2/2", "--out", "parts/2", "--resume", "--quiet"];
    let before = files(&bench.path("parts"));
    for args in [&again[..], &[&again[..5], &again[5..6], &again[7..]].concat()] {
        let message = bench.bad(args);
        assert!(
            message.contains("write parts/2/shard.csv: a finished shard of another sweep is there"),
            "{message}"
        );
        assert!(message.contains("remove it, or take another --out"), "{message}");
        bench.same("parts", &before);
    }
    fs::remove_dir_all(bench.path("parts/2")).unwrap();
    bench.good(&again);
    let message = bench.bad(&["merge", "parts", "--out", "out"]);
    assert!(message.contains("they are of different sweeps: parts/1 (plan "), "{message}");
    assert!(message.contains("; plan.toml differs in line "), "{message}");
    assert!(message.contains("\"loads = [0.98, 0.5]\" and \"loads = [0.97, 0.5]\""), "{message}");
    assert!(!bench.path("out").exists(), "nothing half-written is left");
}

#[test]
fn the_sweep_behind_a_merge_is_read_as_one() {
    const MERGE: [&str; 8] = ["merge", "parts", "--out", "out", "--quiet", "--", "sweep", "p.toml"];
    let bench = Bench::new(PLAN);
    let expected = bench.whole("whole");
    shard(&bench, 2);
    bench.good(&MERGE);
    bench.same("out", &expected);
    let seed = bench.bad(&[&MERGE[..], &["--seed", "7"]].concat());
    assert!(seed.contains("\"seed = 1\" and \"seed = 7\""), "{seed}");
    let wrong = bench.bad(&[&MERGE[..], &["--sed", "7"]].concat());
    assert!(wrong.contains("the sweep after --: unexpected argument '--sed'"), "{wrong}");
    assert_eq!(wrong.lines().count(), 1, "{wrong}");
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
    // What another version left may have columns that this one does not know.
    fs::write(bench.path("o/shard.csv"), "# plan=1 version=9\n").unwrap();
    let message = bench.bad(&["sweep", "p.toml", "--shard", "1/2", "--out", "o", "--resume"]);
    assert!(message.contains("its head is none of this version"), "{message}");
}
