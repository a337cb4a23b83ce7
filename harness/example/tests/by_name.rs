//! The program of a stranger is called what it is called, wherever it speaks of itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const COMMANDS: &[&str] = &[
    "attack",
    "collect",
    "completions",
    "conform",
    "diagnose",
    "fit",
    "generate",
    "lint",
    "list",
    "man",
    "merge",
    "recommend",
    "replay",
    "shrink",
    "sweep",
];

const PLAN: &str = "name = \"small\"\nseeds = 1\npolicies = [\"kernel\", \"singles-on-top\"]\n\
                    [[boards]]\nname = \"b\"\nareas = [{ mib = 16 }]\n\
                    [[streams]]\nprofile = \"audio\"\nloads = [0.7]\nops = 50\n";

fn run_in(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_third-party"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

/// What it prints on both outputs, which has to name no command of `cmalab`.
fn said(folder: &Path, args: &[&str]) -> String {
    let Output { stdout, stderr, .. } = run_in(folder, args);
    let said = [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(!said.is_empty(), "{args:?} says nothing");
    names_itself(&said, &format!("{args:?}"));
    said
}

fn names_itself(said: &str, what: &str) {
    let commands = COMMANDS.iter().map(|command| format!("cmalab {command}"));
    let other = commands.into_iter().find(|command| said.contains(command));
    assert_eq!(other, None, "{what}: {said}");
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora")
}

#[test]
fn help_version_and_errors_name_it() {
    let folder = TempDir::new().unwrap();
    let said = |args: &[&str]| said(folder.path(), args);
    let help = said(&["--help"]);
    assert!(help.contains("Usage: third-party "), "{help}");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let help = said(&[command, "--help"]);
        assert!(help.contains(&format!("Usage: third-party {command}")), "{help}");
        said(&[command, "-h"]);
    }
    assert!(said(&["sweep", "--help"]).contains("\n  third-party sweep my-board.toml --resume"));
    let version = said(&["--version"]);
    assert!(version.starts_with("third-party with cmalab "), "{version}");
    let wrong = said(&["sweep", "--no-such-option"]);
    assert!(wrong.contains("Usage: third-party sweep"), "{wrong}");
    fs::write(folder.path().join("empty.txt"), "").unwrap();
    fs::write(folder.path().join("log.txt"), "[    1.0] cma: Reserved 64 MiB at 0x40000000\n")
        .unwrap();
    fs::write(folder.path().join("wrong.toml"), "[[streams]]\nmix = 7\n").unwrap();
    assert!(said(&["diagnose", "empty.txt"]).contains("`third-party collect` prints"));
    assert!(said(&["replay", "log.txt"]).contains("`third-party collect`"));
    assert!(said(&["sweep", "wrong.toml"]).contains("(third-party list mixes)"));
    let collect = run_in(folder.path(), &["collect"]);
    // A text of a board is read by every program that has these formats.
    assert!(String::from_utf8(collect.stdout).unwrap().contains("# cmalab collect: 1"));
}

#[test]
fn answers_name_it() {
    let folder = TempDir::new().unwrap();
    let said = |args: &[&str]| said(folder.path(), args);
    assert!(said(&["list", "lints"]).contains("`third-party fit`"));
    assert!(said(&["lint", "--explain", "boot-log"]).contains("`third-party diagnose`"));
    for family in ["policies", "formats", "messages", "columns", "mixes", "profiles"] {
        said(&["list", family]);
    }
    let logs = fs::read_dir(corpora().join("logs")).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> = logs.filter(|path| path.is_file()).collect();
    logs.sort();
    let mut asked = 0;
    for log in logs.iter().step_by(4).filter_map(|path| path.to_str()) {
        for format in ["text", "html", "json", "csv"] {
            asked += 1;
            let output = run_in(folder.path(), &["diagnose", log, "--format", format]);
            names_itself(&String::from_utf8_lossy(&output.stdout), log);
        }
    }
    assert!(asked > 20, "{asked}");
}

#[test]
fn a_sweep_is_made_again_by_it() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("reports")).unwrap();
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    fs::write(folder.path().join("plan.toml"), PLAN).unwrap();
    let done = run_in(folder.path(), &["sweep", "plan.toml", "--quiet"]);
    assert!(done.status.success(), "{done:?}");
    let command = read("reports/small/COMMAND");
    let version = env!("CARGO_PKG_VERSION");
    let expected =
        format!("third-party sweep reports/small/plan.toml --seed 1 # cmalab {version}\n");
    assert_eq!(command, expected);
    let page = read("reports/small/report.html");
    names_itself(&page, "report.html");
    assert!(page.contains("third-party sweep · plan small"));
    assert!(read("reports/small/cells.csv").contains(",singles-on-top,"));
    // It makes it again: the same bytes.
    let (words, _) = command.split_once(" #").unwrap();
    let words: Vec<_> = words.split(' ').skip(1).collect();
    assert!(run_in(folder.path(), &words).status.success());
    assert_eq!((read("reports/small/report.html"), read("reports/small/COMMAND")), (page, command));
    for engine in ["parallel", "slurm", "kubernetes", "hyperqueue"] {
        let recipe = ["sweep", "plan.toml", "--recipe", engine, "--shards", "2"];
        assert!(said(folder.path(), &recipe).contains("CMALAB:-third-party}"), "{engine}");
    }
}

#[test]
fn a_recommendation_is_made_again_by_it() {
    let folder = TempDir::new().unwrap();
    let args = ["recommend", "audio", "--mib", "16", "--ops", "20000", "--report", "r"];
    let done = run_in(folder.path(), &args);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{done:?}");
    let command = fs::read_to_string(folder.path().join("r/COMMAND")).unwrap();
    assert!(command.starts_with("third-party recommend audio --mib 16 --report r "), "{command}");
    let page = fs::read_to_string(folder.path().join("r/report.html")).unwrap();
    assert!(page.contains("third-party recommend · target"), "{page}");
    names_itself(&page, "report.html");
}
