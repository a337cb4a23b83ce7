//! Logs from public threads, which are not part of this repository: `../shared/logs` beside it.
//! `cases.json` there says what a careful reader concludes from each. Skipped where it is missing.

use std::fs;
use std::path::{Path, PathBuf};

use cma_harness::diagnose::{self, Diagnosis, Failure, Options};
use cma_harness::ingest::Source;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/logs")
}

fn number(value: &Value, key: &str) -> Option<u64> {
    value[key].as_u64()
}

fn is_null(value: &Value, key: &str) -> bool {
    value[key].is_null()
}

/// A file and what was found in it.
struct Found {
    failures: Vec<Failure>,
    diagnosis: Diagnosis,
}

fn read(path: &Path) -> Found {
    let mut failures = Vec::new();
    let sources = [Source::file(path)];
    let whole = diagnose::diagnose(&sources, &Options::default(), &mut |failure| {
        failures.push(failure);
    });
    Found { failures, diagnosis: whole.unwrap_or_else(|error| panic!("{error}")) }
}

/// Where something is not as it should be.
#[derive(Default)]
struct Deviations {
    place: String,
    lines: Vec<String>,
    compared: u64,
}

impl Deviations {
    fn same<T: Copy + PartialEq + std::fmt::Debug>(&mut self, what: &str, said: T, is: T) {
        self.compared += 1;
        if said != is {
            self.lines.push(format!("{}: {what} {said:?}, expected {is:?}", self.place));
        }
    }
}

fn failure(found: &Failure, expected: &Value, all: &mut Deviations) {
    let incident = &found.incident;
    all.same("count", incident.count, number(expected, "count"));
    all.same("verdict", found.verdict_name(), expected["expected_verdict"].as_str().unwrap());
    all.same("ret", incident.ret.map(i64::from), expected["ret"].as_i64());
    if let Some(area) = expected["area"].as_str() {
        all.same("area", incident.area.as_deref(), Some(area));
    }
    // What the text states, else what a caller of the DMA API asks for.
    let order = ["align", "align_true", "align_used"].map(|key| number(expected, key));
    if let Some(order) = order.into_iter().flatten().next() {
        all.same("align", found.align.map(|(order, _)| u64::from(order)), Some(order));
    }
    list(found, expected, all);
}

fn list(found: &Failure, expected: &Value, all: &mut Deviations) {
    let truncated = expected["list_truncated"].as_bool().unwrap_or(false);
    let Some(list) = &found.list else {
        // A note says where else in the text the list is.
        let shown = !is_null(expected, "runs") && is_null(expected, "note");
        all.same("a list is found", false, shown);
        return;
    };
    let stated = !is_null(expected, "runs") || truncated;
    all.same("a list is found", true, stated || !is_null(expected, "free_reported"));
    if truncated {
        all.same("list complete", list.complete, false);
    }
    if let Some(free) = number(expected, "free_reported").or(number(expected, "free_pages")) {
        all.same("free", list.free, Some(free));
    }
    if let Some(total) = number(expected, "total_pages").filter(|_| list.total.is_some()) {
        all.same("total", list.total, Some(total));
    }
    if truncated {
        return;
    }
    if let Some(runs) = number(expected, "runs") {
        all.same("runs", list.runs, runs);
    }
    if let Some(longest) = number(expected, "largest_run") {
        all.same("largest run", list.largest_run, longest);
    }
    let usable = number(expected, "largest_usable_at_align");
    if let (Some(usable), Some(said)) = (usable, list.largest_usable) {
        all.same("largest usable", said, usable);
    }
}

/// The sizes that fill the area, where a list shows them more than once.
fn residents(found: &Found, expected: &Value, all: &mut Deviations) {
    let guess = &expected["resident_guess"];
    let listed = found.failures.iter().any(|failure| failure.list.is_some());
    let (Some(pages), true) = (guess["pages"].as_array(), listed) else { return };
    let said: Vec<u64> =
        found.diagnosis.residents.iter().flatten().map(|resident| resident.count).collect();
    for size in pages.iter().filter_map(Value::as_u64) {
        let blocks = guess["counts"][size.to_string()].as_u64();
        if blocks != Some(1) {
            all.same(&format!("residents {said:?} have {size}"), said.contains(&size), true);
        }
    }
}

#[test]
fn verdicts_of_public_logs() {
    let Ok(cases) = fs::read_to_string(folder().join("cases.json")) else {
        eprintln!("skipped: no {}", folder().display());
        return;
    };
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let mut all = Deviations::default();
    let mut verdicts = 0;
    for case in cases.as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let found = read(&folder().join(file));
        let expected = case["failures"].as_array().unwrap();
        all.place = file.to_string();
        if case["negative"].as_bool() == Some(true) {
            assert_eq!(expected.len(), 0, "{file}");
        }
        all.same("failures", found.failures.len(), expected.len());
        for (index, (said, is)) in found.failures.iter().zip(expected).enumerate() {
            all.place = format!("{file} failure {}", index + 1);
            let before = all.lines.len();
            failure(said, is, &mut all);
            if all.lines.len() > before {
                let (confidence, why) = (said.confidence.name(), (said.why, said.room));
                all.lines.push(format!("    {confidence} {}: {why:?}", said.verdict_name()));
            }
            verdicts += 1;
        }
        all.place = file.to_string();
        residents(&found, case, &mut all);
    }
    println!("{verdicts} verdicts, {} things compared", all.compared);
    assert!(
        all.lines.is_empty(),
        "{} of {}:\n{}",
        all.lines.len(),
        all.compared,
        all.lines.join("\n")
    );
    assert!(verdicts >= 30, "{verdicts}");
}
