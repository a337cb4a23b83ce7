//! What a sweep refuses to do, and what it says then.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::{Bench, PLAN};

/// A plan that reads the file `s.csv`.
const WITH_FILE: &str = r#"
name = "p"
policies = ["kernel"]
caps = [8, 0]
[[boards]]
name = "b"
areas = [{ mib = 4 }]
[[streams]]
file = "s.csv"
"#;

const STREAM: &str = "at_us,op,id,count,align,client,area\n\
                      0,alloc,1,100,dma,,\n1,free,1,,,,\n2,alloc,2,300,dma,,\n";

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

#[test]
fn a_path_that_would_break_a_row_in_two_is_refused() {
    let bench = Bench::new("name = \"x\"\n[[streams]]\nfile = \"a\\nb.csv\"\n");
    let message = bench.bad(&["sweep", "p.toml"]);
    assert!(message.contains("p.toml line 3, column 8: file is "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_file_that_has_changed_since_makes_another_plan() {
    let bench = Bench::new(WITH_FILE);
    let write = |text: &str| fs::write(bench.path("s.csv"), text).unwrap();
    write(STREAM);
    let before = bench.whole("out");
    bench.good(&["sweep", "p.toml", "--shard", "1/2", "--out", "parts/1", "--quiet"]);
    // As many ops of the same LOAD: only what is in the file differs.
    write(&STREAM.replace("100", "200"));
    bench.good(&["sweep", "p.toml", "--out", "out", "--resume", "--quiet"]);
    let after = bench.whole("new");
    assert_ne!(after["plan.toml"], before["plan.toml"]);
    assert_ne!(after["cells.csv"], before["cells.csv"]);
    bench.same("out", &after);
    bench.good(&["sweep", "p.toml", "--shard", "2/2", "--out", "parts/2", "--quiet"]);
    let message = bench.bad(&["merge", "parts", "--out", "merged"]);
    assert!(message.contains("they are of different sweeps: parts/1 (plan "), "{message}");
    assert!(message.contains(": \"# sum over what was in the file: "), "{message}");
    let message = bench.bad(&["merge", "parts/1", "parts/1", "--out", "merged"]);
    assert!(message.contains("shard 2 of 2 is missing"), "{message}");
    // One shard that is a whole, and the file as it is now.
    write(STREAM);
    bench.good(&["sweep", "p.toml", "--shard", "1/1", "--out", "one", "--quiet"]);
    write(&STREAM.replace("100", "200"));
    let message = bench.bad(&["merge", "one", "--out", "merged"]);
    assert!(message.contains("merge one: it is of another plan than its plan.toml states"));
    assert!(message.contains("\"# sum over what was in the file: "), "{message}");
    assert!(!bench.path("merged").exists());
}

#[test]
fn the_command_of_a_plan_with_files_says_where_they_are_named_from() {
    let bench = Bench::new(WITH_FILE);
    fs::write(bench.path("s.csv"), STREAM).unwrap();
    let expected = bench.whole("far/out");
    fs::write(bench.path("far/out/cells.csv"), "").unwrap();
    let line = fs::read_to_string(bench.path("far/out/COMMAND")).unwrap();
    let line = line.replace("cmalab sweep", concat!(env!("CARGO_BIN_EXE_cmalab"), " sweep"));
    let run = |from: Option<&std::path::Path>| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line]).current_dir(bench.path("far/out")).env_remove("FROM");
        if let Some(from) = from {
            shell.env("FROM", from);
        }
        shell.output().unwrap()
    };
    let output = run(None);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("the folder from which files of the plan are named"), "{message}");
    let output = run(Some(&bench.path("")));
    assert!(output.status.success(), "{output:?}");
    bench.same("far/out", &expected);
}

#[test]
fn what_is_no_text_or_no_table_is_named_with_its_place() {
    let bench = Bench::new("");
    fs::write(bench.path("p.toml"), b"seeds = 1\nname = \"caf\xe9\"\n").unwrap();
    let message = bench.bad(&["sweep", "p.toml"]);
    assert_eq!(
        message,
        "error: failed to read plan p.toml line 2, column 12: byte 0xe9 is not UTF-8 text; save \
         the plan as UTF-8\n"
    );
    fs::write(bench.path("p.toml"), PLAN.replace("seeds", "stop = true\nseeds")).unwrap();
    let message = bench.bad(&["sweep", "p.toml"]);
    assert!(message.contains("expected { failed_share = a share }"), "{message}");
}

#[test]
fn a_reader_that_goes_away_leaves_a_whole_report() {
    let bench = Bench::new(PLAN);
    let expected = bench.whole("whole");
    let args = ["sweep", "p.toml", "--out", "out", "--quiet"];
    let mut child = bench.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    bench.same("out", &expected);
}
