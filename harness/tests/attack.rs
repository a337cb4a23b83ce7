//! `cmalab attack` as somebody meets it, and the champions that are committed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cma_harness::harm::archive::{Archive, INDEX, file_name, index};
use cma_harness::harm::{confirm, plain, played};
use cma_policies::builtin;

fn cmalab(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cmalab")).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn good(args: &[&str]) -> String {
    let (code, out, err) = cmalab(args);
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    out
}

fn champions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/champions")
}

/// The rows of a CSV as field by column.
fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut lines = csv.lines().map(|line| line.split(',').map(String::from));
    let head: Vec<_> = lines.next().unwrap().collect();
    lines.map(|line| head.iter().cloned().zip(line).collect()).collect()
}

#[test]
fn the_worst_stream_is_refused_at_the_same_op_by_replay() {
    let folder = tempfile::tempdir().unwrap();
    for (policy, align) in [("kernel", "none"), ("buddy", "dma:4")] {
        let path = folder.path().join("worst.csv");
        let path = path.to_str().unwrap();
        let args = ["attack", "--policy", policy, "--pages", "64", "--align", align];
        let args = [&args[..], &["--tries", "600", "--climbs", "4", "--format", "csv"]].concat();
        let csv = good(&[&args[..], &["-o", path]].concat());
        let rows = rows(&csv);
        let load = |row: &std::collections::BTreeMap<String, String>| {
            row["load_pages"].parse::<u64>().unwrap_or(u64::MAX)
        };
        let worst = rows.iter().min_by_key(|row| load(row)).unwrap();
        assert!(load(worst) < 64);
        let replay = ["replay", path, "--policy", policy, "--pages", "64", "--format", "csv"];
        let replayed = good(&replay);
        let table = self::rows(&replayed);
        let stream = fs::read_to_string(path).unwrap();
        let ops: Vec<_> = stream
            .lines()
            .filter(|line| line.contains(",alloc,") || line.contains(",free,"))
            .collect();
        assert_eq!(ops.len() as u64, worst["ops"].parse::<u64>().unwrap() + 1, "up to the refusal");
        let allocs = ops.iter().filter(|line| line.contains(",alloc,")).count();
        assert_eq!(table[0]["refused"], "1", "{replayed}");
        assert_eq!(table[0]["requests_to_first_failure"], allocs.to_string(), "{replayed}");
        assert_eq!(table[0]["free_at_first_failure_pages"], worst["free_pages"], "{replayed}");
        assert_eq!(table[0]["first_failure_cause"], worst["cause"], "{replayed}");
        assert_eq!(table[0]["grants"], (allocs - 1).to_string(), "{replayed}");
        assert!(ops.last().unwrap().contains(&format!(",{},", worst["count"])));
    }
}

#[test]
fn threads_do_not_change_the_result_and_a_case_is_tried() {
    let folder = champions();
    let args = ["attack", "--policy", "best-fit", "--pages", "64,128", "--tries", "400"];
    let args = [&args[..], &["--climbs", "5", "--from", folder.to_str().unwrap()]].concat();
    let one = good(&[&args[..], &["--jobs", "1", "--format", "json"]].concat());
    assert_eq!(one, good(&[&args[..], &["--jobs", "3", "--format", "json"]].concat()));
    for means in ["adversary", "cases", "search"] {
        assert!(one.contains(&format!("\"means\": \"{means}\"")), "{one}");
    }
}

#[test]
fn the_stream_alone_goes_to_standard_output_where_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worst.csv");
    let args = ["attack", "--pages", "64", "--tries", "0", "-o"];
    let report = good(&[&args[..], &[path.to_str().unwrap()]].concat());
    assert!(report.contains("adversary"));
    assert_eq!(good(&[&args[..], &["-"]].concat()), fs::read_to_string(path).unwrap());
}

#[test]
fn what_a_broken_off_attack_has_found_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kernel__64__8__none.case");
    // The second area takes minutes.
    let args = ["attack", "--pages", "64,65536", "--tries", "800", "--climbs", "4", "--champions"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_cmalab"))
        .args(args)
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut is_running = true;
    while is_running && !folder.path().join(INDEX).exists() {
        std::thread::sleep(Duration::from_millis(20));
        is_running = child.try_wait().unwrap().is_none();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_running, "it was not done when the first was kept");
    let [champion] = &Archive::new(folder.path(), builtin::catalog()).all().unwrap()[..] else {
        panic!("one champion")
    };
    assert!(champion.goal.pages == 64 && kept.exists());
}

#[test]
fn a_stream_is_run_under_the_policy_that_it_states() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worst.csv");
    let path = path.to_str().unwrap();
    let policy = "buddy:max_order=4";
    good(&["attack", "--policy", policy, "--pages", "64", "--tries", "0", "-o", path]);
    let replayed = rows(&good(&["replay", path, "--format", "csv"]));
    assert_eq!((replayed[0]["policy"].as_str(), replayed[0]["refused"].as_str()), (policy, "1"));
    let shrunk = good(&["shrink", path, "--format", "json"]);
    assert!(shrunk.contains(&format!("\"policy\": \"{policy}\"")), "{shrunk}");
    let stated = fs::read_to_string(path).unwrap().replace(policy, "somebody-s-own");
    fs::write(path, stated).unwrap();
    let (code, _, err) = cmalab(&["replay", path]);
    assert!(code == 0 && err.contains("its policy is not known"), "{err}");
    good(&["replay", path, "--policy", "kernel"]);
}

#[test]
fn what_cannot_be_attacked_is_said() {
    let wrong = |args: &[&str], expected: &str| {
        let (code, out, err) = cmalab(&[&["attack"], args].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(expected), "{err}");
    };
    wrong(&["--pages", "15"], "an area of 15 pages: give 16 to 65536");
    wrong(&["--pages", "64", "--largest", "3"], "a power of two, 2 to 64");
    wrong(&["--policy", "nobody"], "no policy is named");
    wrong(&["--align", "dma:64"], "a cap below 64");
    wrong(&["--from", "not-there"], "read not-there");
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    wrong(&["--from", empty], "no case is in this folder");
    fs::write(folder.path().join("text.csv"), "a stream").unwrap();
    wrong(&["--from", empty], "no case is in this folder");
    let file = folder.path().join("text.csv");
    wrong(&["--champions", file.to_str().unwrap()], "keep champions in");
    wrong(&["--tries", "0", "--case", "--from", "/dev/zero"], "read /dev/zero: it is a device");
}

#[test]
fn the_champions_do_what_their_index_says() {
    let archive = Archive::new(&champions(), builtin::catalog());
    let all = archive.all().unwrap();
    assert!(all.len() >= 16, "{} champions", all.len());
    for champion in &all {
        let (goal, case) = (&champion.goal, &champion.case);
        let (outcome, stream) = played(goal, &case.acts, case.most_live());
        assert_eq!(outcome.refusal, Some(champion.refusal), "{goal}");
        assert_eq!(plain(goal, &case.acts), case.acts, "{goal}: as it is run by anybody");
        assert_eq!(confirm(goal, &stream).unwrap(), Some(champion.refusal), "{goal}");
    }
    let written = fs::read_to_string(champions().join(INDEX)).unwrap();
    assert_eq!(index(&all), written);
    let files = fs::read_dir(champions()).unwrap().count();
    assert_eq!(files, all.len() + 1, "every file is the champion of a goal");
    assert!(all.iter().all(|champion| champions().join(file_name(&champion.goal)).exists()));
}
