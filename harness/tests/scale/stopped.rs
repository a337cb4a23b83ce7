//! Sweeps that are ended by force, at any moment, and go on.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{Bench, PLAN, early_plan, files};

/// Waits until `there` holds, or the process has ended.
fn wait_for(child: &mut Child, there: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if there() {
            return child.try_wait().unwrap().is_none();
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "it never came");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Kills the process as kill -9 does.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |there| there.len())
}

#[test]
fn a_sweep_killed_again_and_again_leaves_the_same_files() {
    for plan in [PLAN.to_string(), early_plan()] {
        let bench = Bench::new(&plan);
        let expected = bench.whole("whole");
        let partial = bench.path("out/cells.csv.partial");
        let args = ["sweep", "p.toml", "--out", "out", "--quiet", "--resume", "--jobs", "2"];
        let mut killed = 0;
        for step in 1..=6 {
            let before = bytes(&partial);
            let mut child = bench.command(&args).stdout(Stdio::null()).spawn().unwrap();
            // A few rows further each time.
            let more = before + 5_000 * step;
            if wait_for(&mut child, || bytes(&partial) > more) {
                killed += 1;
            }
            kill(child);
            // What was finished is not run again: it is still there.
            assert!(bytes(&partial) >= before || !partial.exists());
            if step == 2 {
                // As if the row that was being written had been torn, and a disk had lost a bit.
                let mut text = fs::read(&partial).unwrap();
                let middle = text.len() * 2 / 3;
                text[middle] ^= 1;
                text.truncate(text.len() - 30);
                fs::write(&partial, text).unwrap();
            }
        }
        assert!(killed >= 3, "it was stopped {killed} times only");
        bench.good(&args);
        bench.same("out", &expected);
    }
}

#[test]
fn a_shard_killed_and_resumed_is_the_same_shard() {
    let bench = Bench::new(&early_plan().replace("ops = 300", "ops = 5000"));
    let sweep = |out| ["sweep", "p.toml", "--shard", "2/2", "--out", out, "--quiet", "--resume"];
    bench.good(&sweep("whole"));
    let partial = bench.path("out/shard.csv.partial");
    let mut child = bench.command(&sweep("out")).spawn().unwrap();
    assert!(wait_for(&mut child, || bytes(&partial) > 5_000), "it ended too early");
    kill(child);
    let message = bench.bad(&["merge", "out"]);
    assert!(message.contains("out is not finished: the same sweep with --shard 2/2 "), "{message}");
    bench.good(&sweep("out"));
    bench.same("out", &files(&bench.path("whole")));
}

/// Many cells with little to do, so that the end takes its time.
const MANY: &str = r#"
name = "many"
seeds = 400
policies = ["kernel", "best-fit", "next-fit", "worst-fit"]
caps = [8, 6, 4, 0]
[[boards]]
name = "b"
areas = [{ mib = 64 }]
[[streams]]
profile = "gpu"
loads = [0.9, 0.5]
ops = 4
"#;

#[test]
fn a_sweep_killed_while_it_writes_its_end_goes_on_too() {
    let bench = Bench::new(MANY);
    let expected = bench.whole("whole");
    let args = ["sweep", "p.toml", "--out", "out", "--quiet", "--resume"];
    let partial = bench.path("out/cells.csv.partial");
    let mut killed = Vec::new();
    for moment in ["cells.csv.new.partial", "cells.csv", "summary.csv.partial"] {
        for name in ["cells.csv", "cells.csv.new", "cells.csv.new.partial", "summary.csv.partial"] {
            let _ = fs::remove_file(bench.path("out").join(name));
        }
        let mut child = bench.command(&args).stdout(Stdio::null()).spawn().unwrap();
        let path = bench.path("out").join(moment);
        if wait_for(&mut child, || path.exists()) {
            killed.push(moment);
        }
        kill(child);
        if !killed.contains(&moment) {
            continue;
        }
        // A whole table or none, and nothing that would have to be run again.
        assert!(partial.exists(), "{moment}");
        if let Ok(cells) = fs::read(bench.path("out/cells.csv")) {
            assert!(cells == expected["cells.csv"], "{moment}");
        }
    }
    assert!(killed.len() >= 2, "it was stopped at {killed:?} only");
    bench.good(&args);
    bench.same("out", &expected);
    // Once more with nothing left to do: it says the same.
    let again = bench.good(&args);
    let whole = bench.good(&["sweep", "p.toml", "--out", "whole", "--resume", "--quiet"]);
    assert_eq!(again.stdout, whole.stdout);
    bench.same("out", &expected);
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let bench = Bench::new(&PLAN.replace("ops = 300", "ops = 100000"));
    let partial = bench.path("reports/p/cells.csv.partial");
    for signal in ["INT", "TERM"] {
        let args = ["sweep", "p.toml", "--resume"];
        let mut child = bench.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let before = bytes(&partial);
        assert!(wait_for(&mut child, || bytes(&partial) > before.max(3_000)), "it ended too early");
        let kill = format!("kill -{signal} {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let mut message = String::new();
        child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert!(
            message.ends_with(
                "stopped: the finished cells are in reports/p/cells.csv.partial; the same command \
                 with --resume goes on\n"
            ),
            "{message}"
        );
    }
}

#[test]
fn a_sweep_under_nohup_does_not_end_with_its_terminal() {
    let bench = Bench::new(&PLAN.replace("ops = 300", "ops = 100000"));
    let partial = bench.path("reports/p/cells.csv.partial");
    let nohup = format!("trap '' HUP; exec {} sweep p.toml --quiet", env!("CARGO_BIN_EXE_cmalab"));
    let mut command = std::process::Command::new("sh");
    let mut child = command.args(["-c", &nohup]).current_dir(bench.path("")).spawn().unwrap();
    assert!(wait_for(&mut child, || bytes(&partial) > 3_000), "it ended too early");
    let hang_up = format!("kill -HUP {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &hang_up]).status().unwrap().success());
    let before = bytes(&partial);
    assert!(wait_for(&mut child, || bytes(&partial) > before), "it ended");
    kill(child);
}

#[test]
fn what_is_left_of_another_plan_is_refused_and_stays() {
    let bench = Bench::new(PLAN);
    let partial = bench.path("out/cells.csv.partial");
    let args = ["sweep", "p.toml", "--out", "out", "--resume"];
    let mut child = bench.command(&args).stderr(Stdio::null()).spawn().unwrap();
    assert!(wait_for(&mut child, || bytes(&partial) > 20_000), "it ended too early");
    kill(child);
    let left = fs::read(&partial).unwrap();
    fs::write(bench.path("p.toml"), PLAN.replace("seeds = 40", "seeds = 41")).unwrap();
    let message = bench.bad(&args);
    assert!(message.contains("another plan or version (the plan was changed "), "{message}");
    assert_eq!(fs::read(&partial).unwrap(), left);
    fs::write(bench.path("p.toml"), PLAN).unwrap();
    let shard = [&args[..], &["--shard", "1/2"]].concat();
    // A shard is another file: it does not touch what is there.
    bench.good(&shard);
    assert_eq!(fs::read(&partial).unwrap(), left);
    let version = format!("version={}", env!("CARGO_PKG_VERSION"));
    let text = String::from_utf8(left).unwrap();
    fs::write(&partial, text.replacen(&version, "version=0.0.9", 1)).unwrap();
    assert!(bench.bad(&args).contains("or version (made by cmalab 0.0.9, this is "));

    // Without --resume it begins anew, and says what that costs.
    let output = bench.good(&["sweep", "p.toml", "--out", "out"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("warning: out/cells.csv.partial: the finished cells"), "{message}");
}

#[test]
fn a_head_that_was_torn_is_begun_again() {
    let bench = Bench::new(PLAN);
    let expected = bench.whole("whole");
    fs::create_dir(bench.path("out")).unwrap();
    let args = ["sweep", "p.toml", "--out", "out", "--resume", "--quiet"];
    let mut file = fs::File::create(bench.path("out/cells.csv.partial")).unwrap();
    file.write_all(b"# plan=").unwrap();
    bench.good(&args);
    bench.same("out", &expected);
}
