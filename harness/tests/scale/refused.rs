//! What a sweep refuses to do, and what it says then.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::{Bench, PLAN};

#[test]
fn a_shard_that_is_none_is_bad_usage() {
    let bench = Bench::new(PLAN);
    for shard in ["0/4", "5/4", "x", "1/0", "4", ""] {
        let message = bench.bad(&["sweep", "p.toml", "--shard", shard]);
        assert!(message.contains("a shard is i/n with 1 <= i <= n"), "{shard}: {message}");
    }
    for args in
        [&["--recipe", "slurm"][..], &["--shards", "3"], &["--recipe", "cron", "--shards", "3"]]
    {
        bench.bad(&[&["sweep", "p.toml"], args].concat());
    }
    bench.bad(&["merge"]);
    assert!(!bench.path("reports").exists());
}

#[test]
fn resuming_from_nothing_begins_and_says_so() {
    let bench = Bench::new(PLAN);
    let output = bench.good(&["sweep", "p.toml", "--resume", "--out", "out"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("there is nothing to resume from; the sweep begins\n"),
        "{message}"
    );
    assert!(message.contains("324 cells in out: "), "{message}");
    let output = bench.good(&["sweep", "p.toml", "--resume", "--out", "out"]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "out is finished already\n");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = Bench::new(PLAN);
    let message = bench.bad(&["sweep", "p.toml", "--out", "p.toml/x"]);
    assert!(message.starts_with("error: failed to write p.toml/x: "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    let message = bench.bad(&["sweep", "p.toml", "--out", "p.toml"]);
    assert!(message.starts_with("error: failed to write p.toml: "), "{message}");
}

#[test]
fn a_full_disk_is_named_and_what_is_finished_stays() {
    let bench = Bench::new(PLAN);
    fs::create_dir(bench.path("out")).unwrap();
    // Rows first: the head is written, and /dev/full takes none of it.
    symlink("/dev/full", bench.path("out/cells.csv.partial")).unwrap();
    let message = bench.bad(&["sweep", "p.toml", "--out", "out"]);
    assert!(
        message.starts_with("error: failed to write out/cells.csv.partial: No space left"),
        "{message}"
    );
    fs::remove_file(bench.path("out/cells.csv.partial")).unwrap();
    // Then the table: the finished cells are kept, and go into it once there is room.
    symlink("/dev/full", bench.path("out/cells.csv.new")).unwrap();
    let message = bench.bad(&["sweep", "p.toml", "--out", "out", "--quiet"]);
    assert!(message.contains("No space left"), "{message}");
    fs::remove_file(bench.path("out/cells.csv.new")).unwrap();
    bench.good(&["sweep", "p.toml", "--out", "out", "--quiet", "--resume"]);
    let expected = bench.whole("whole");
    bench.same("out", &expected);
}

#[test]
fn two_sweeps_do_not_share_a_folder() {
    let bench = Bench::new(&PLAN.replace("ops = 300", "ops = 200000"));
    let args = ["sweep", "p.toml", "--out", "out", "--quiet"];
    let mut first = bench.command(&args).stdout(Stdio::null()).spawn().unwrap();
    let partial = bench.path("out/cells.csv.partial");
    while fs::metadata(&partial).map_or(0, |there| there.len()) < 1_000 {
        assert!(first.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    for resume in [&[][..], &["--resume"]] {
        let message = bench.bad(&[&args[..], resume].concat());
        assert!(message.contains("another sweep is running there"), "{message}");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    // A process that was killed locks nothing.
    fs::write(bench.path("p.toml"), PLAN).unwrap();
    bench.good(&args);
}
