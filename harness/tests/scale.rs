//! Sweeps that are large, stopped, parted and put together again: always the same bytes.

#[path = "scale/early.rs"]
mod early;
#[path = "scale/kubernetes.rs"]
mod kubernetes;
#[path = "scale/many.rs"]
mod many;
#[path = "scale/race.rs"]
mod race;
#[path = "scale/recipes.rs"]
mod recipes;
#[path = "scale/refused.rs"]
mod refused;
#[path = "scale/shards.rs"]
mod shards;
#[path = "scale/slurm.rs"]
mod slurm;
#[path = "scale/stopped.rs"]
mod stopped;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// 4 configurations of 2 policies and 40 seeds, and a recording under 2 caps.
const PLAN: &str = r#"
name = "p"
seeds = 40
policies = ["kernel", "zoned:share=0.25,order=8"]
caps = [8, 0]
[[boards]]
name = "b"
areas = [{ mib = 64 }]
[[streams]]
profile = "gpu"
loads = [0.98, 0.5]
ops = 300
[[streams]]
recorded = "6.12/video-a2-dma8"
"#;

/// [`PLAN`] with early stopping.
fn early_plan() -> String {
    PLAN.replace("seeds = 40", "seeds = 400\nstop = { failed_share = 0.4 }")
}

/// An empty folder, and `cmalab` run in it.
struct Bench(TempDir);

impl Bench {
    /// With this plan as `p.toml`.
    fn new(plan: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("p.toml"), plan).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        command.args(args).current_dir(self.0.path());
        command
    }

    /// Runs it. That the streams of these plans are short is no news here.
    fn run(&self, args: &[&str]) -> Output {
        let mut output = self.command(args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = message.split_inclusive('\n');
        let lines = lines.filter(|line| !line.starts_with("warning: streams are shorter than "));
        output.stderr = lines.collect::<String>().into_bytes();
        output
    }

    /// Runs what has to end well.
    fn good(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {message}");
        output
    }

    /// Runs what cannot be done, and gives its one message.
    fn bad(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        message
    }

    /// What `sweep p.toml --out NAME --jobs 1` writes: what everything else is held against.
    fn whole(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        self.good(&["sweep", "p.toml", "--out", name, "--jobs", "1", "--quiet"]);
        files(&self.path(name))
    }

    /// Nothing differs between the folder and these files.
    fn same(&self, name: &str, expected: &BTreeMap<String, Vec<u8>>) {
        let found = files(&self.path(name));
        assert_eq!(names(&found), names(expected), "files of {name}");
        for (file, bytes) in expected {
            assert!(found[file] == *bytes, "{name}/{file} is another");
        }
    }
}

fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if path.is_dir() {
            let inner = files(&path).into_iter();
            found.extend(inner.map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// Rows of a table of a report.
fn rows(files: &BTreeMap<String, Vec<u8>>, name: &str) -> usize {
    files[name].iter().filter(|byte| **byte == b'\n').count() - 1
}

#[test]
fn one_thread_and_several_leave_the_same_files() {
    for plan in [PLAN.to_string(), early_plan()] {
        let bench = Bench::new(&plan);
        let one = bench.whole("one");
        // 2 loads, 2 caps, 2 policies; the recording under 2 caps and 2 policies. Whoever adds
        // a file to a report adds it here.
        assert_eq!(rows(&one, "summary.csv"), 8 + 4);
        for file in ["COMMAND", "cells.csv", "plan.toml", "summary.csv"] {
            assert!(one.contains_key(file), "{file} of {:?}", names(&one));
        }
        for jobs in ["2", "7"] {
            bench.good(&["sweep", "p.toml", "--out", jobs, "--jobs", jobs, "--quiet"]);
            bench.same(jobs, &one);
        }
    }
}
