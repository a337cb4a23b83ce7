//! What `cmalab diagnose` prints of logs of every kind, byte for byte.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p cma-harness --test snapshots` writes them anew; each is to be
//! read then as somebody would who has the board: is the first line the answer?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A log in `corpora/logs`, and what it is an example of.
const LOGS: &[(&str, &str)] = &[
    ("imx-note.txt", "alignment, from a list that is cut"),
    ("mail-wrapped.log", "alignment, the order not shown"),
    ("fragmented.txt", "fragmentation"),
    ("ranges.log", "exhausted, in two ranges"),
    ("quoted-printable.log", "busy"),
    ("elided.log", "busy, and a list of which little is there"),
    ("no-memory.txt", "migration, with what the board collected"),
    ("too-large.txt", "too large"),
    ("one-line.txt", "undecidable: no list"),
    ("two-areas.txt", "two areas, and failures that the rate limit hid"),
    ("android.txt", "a log of Android"),
    ("trace-only.txt", "a trace and nothing else"),
    ("negative.log", "no failure"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Run in the root of the repository, so that no path of a machine is in it.
fn said(log: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cmalab"))
        .args(["diagnose", "--color", "never", "--quiet"])
        .arg(format!("corpora/logs/{log}"))
        .current_dir(root())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn text_is_as_it_was_read() {
    let folder = root().join("harness/tests/snapshots");
    let renew = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut changed = Vec::new();
    for (log, about) in LOGS {
        let name = log.rsplit_once('.').map_or(*log, |(name, _)| name);
        let path = folder.join(format!("{name}.txt"));
        let now = format!("# {about}\n{}", said(log));
        let before = fs::read_to_string(&path).unwrap_or_default();
        if now != before && renew {
            fs::write(&path, now).unwrap();
        } else if now != before {
            changed.push(format!("--- {name}\n{before}+++ {name}\n{now}"));
        }
    }
    let remedy = "read it, then UPDATE_SNAPSHOTS=1 takes it over";
    assert!(changed.is_empty(), "{}\n{remedy}", changed.join("\n"));
}

#[test]
fn advice_is_short() {
    for (log, _) in LOGS {
        let text = said(log);
        for section in text.split("\n\n") {
            let advice = ["  helps ", "  no help ", "  next "];
            let lines = section.lines().filter(|line| advice.iter().any(|a| line.starts_with(a)));
            assert!(lines.count() <= 5, "{log}:\n{section}");
        }
    }
}

#[test]
fn every_snapshot_is_of_a_log() {
    let known = |name: &str| {
        let stem = |log: &str| log.rsplit_once('.').map(|(name, _)| format!("{name}.txt"));
        LOGS.iter().any(|(log, _)| stem(log).as_deref() == Some(name))
    };
    for entry in fs::read_dir(root().join("harness/tests/snapshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known(&name), "{name} is of no log: take it away");
    }
}
