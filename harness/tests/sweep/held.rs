//! What a sweep says of fits that do not fail as their files did, and of files that contradict it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use cma_harness::answer::{Doubt, Findings, Verdict, findings, pictures};
use cma_harness::report::{csv, html, text};
use cma_harness::sweep::disk::{Row, cells_header};
use cma_harness::sweep::{Ready, run};
use tempfile::TempDir;

use super::{Nobody, ready};

/// A trace of an area of 1024 pages. Each second a buffer of 64 pages comes and, half of it later, goes;
/// with `refused` 32 more are refused then, though the area is empty: no policy explains that.
fn trace(refused: bool) -> String {
    let mut out = String::new();
    for second in 0..40 {
        let mut line = |us: u64, event: &str, fields: &str| {
            writeln!(out, "cam-7 [000] ..... {second}.{us:06}: {event}: name=pool {fields}")
                .unwrap();
        };
        let counts = "available_count=1024 total_count=1024 align=0";
        line(0, "cma_alloc_start", &format!("request_count=64 {counts}"));
        line(9, "cma_alloc_finish", "pfn=0x1000 page=00000000e9f97517 count=64 align=0 errorno=0");
        line(500_000, "cma_release", "pfn=0x1000 page=00000000e9f97517 count=64");
        if refused {
            line(700_000, "cma_alloc_start", &format!("request_count=32 {counts}"));
            let none = "pfn=0x0 page=0000000000000000 count=32 align=0 errorno=-12";
            line(700_009, "cma_alloc_finish", none);
        }
    }
    out
}

/// A folder with `bad.trace`, which is not reproduced, and `good.trace`, which is.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("bad.trace"), trace(true)).unwrap();
    std::fs::write(folder.path().join("good.trace"), trace(false)).unwrap();
    let stream = "# pages=2048 base_pfn=0 order_per_bit=0\nat_us,op,id,count,align\n\
                  0,alloc,1,300,dma\n9,free,1,,\n";
    std::fs::write(folder.path().join("s.csv"), stream).unwrap();
    folder
}

/// A plan of boards of so many MiB; `@` is the folder.
fn plan(folder: &Path, head: &str, boards: &[u64], streams: &str) -> String {
    let board = |mib: &u64| format!("[[boards]]\nname = \"b{mib}\"\nareas = [{{ mib = {mib} }}]\n");
    let boards: String = boards.iter().map(board).collect();
    let streams = streams.replace('@', &folder.display().to_string());
    format!("name = \"p\"\nseeds = 2\npolicies = [\"kernel\"]\n{head}\n{boards}{streams}")
}

fn answered(ready: &Ready) -> (Findings, String, String) {
    let table = run(ready, 2, &Nobody).unwrap();
    let found = findings(ready, table.blocks());
    let mut out = Vec::new();
    text::write_findings(ready, &found, false, &mut out).unwrap();
    let pictures = pictures(ready, &found).unwrap();
    let page = html::page(ready, &found, &pictures, "cmalab sweep\n");
    // A sentence goes on below with four blanks.
    (found, String::from_utf8(out).unwrap().replace("\n    ", " "), page)
}

/// The last two columns of the summary, row by row, after it was seen that cells have the same.
fn columns(ready: &Ready, found: &Findings) -> Vec<[String; 2]> {
    let last = |line: &str| {
        let mut fields = line.rsplit(',').map(str::to_string);
        let [last, other] = [(); 2].map(|()| fields.next().unwrap());
        [other, last]
    };
    let mut out = Vec::new();
    csv::write_summary(ready, &found.summary, &mut out).unwrap();
    let rows: Vec<_> = String::from_utf8(out).unwrap().lines().map(last).collect();
    assert_eq!(rows[0], ["fit_reproduces", "fit_refused_distance"]);
    assert_eq!(last(&cells_header()), rows[0]);
    let table = run(ready, 1, &Nobody).unwrap();
    for ((number, cell), values) in table.numbers.iter().zip(&table.cells).zip(&table.values) {
        let row = Row::of(ready, *number, cell, values);
        let its = found.summary.rows.iter().position(|row| row.at == cell.at).unwrap();
        assert_eq!(last(&row.text), rows[its + 1]);
        assert_eq!(Row::parse_plain(&row.text), Some(row));
    }
    rows[1..].to_vec()
}

const NOT: &str = "/bad.trace does NOT reproduce it: 50.00 % of its requests were refused, 0.00 % are \
                   predicted for the same board (0.00 % to 0.00 % in 95 % of 79 streams, cap 8, 4 MiB)";

#[test]
fn by_a_fit_that_fails_otherwise_than_its_file_nothing_is_advised() {
    let folder = folder();
    for bad in [
        "[[streams]]\nfit = \"@/bad.trace\"\nhours = 0.01\n",
        "[[streams]]\nmix = [{ fit = \"@/bad.trace\" }, { profile = \"audio\", load_mib = 2 }]\nops = 90\n",
        "[[streams]]\nmix = [{ fit = \"@/bad.trace\", client = \"cam\" }]\nops = 90\n",
    ] {
        let ready = ready(&plan(folder.path(), "", &[4, 8], bad));
        let (found, said, page) = answered(&ready);
        let first = said.lines().next().unwrap();
        assert!(first.starts_with("The fit to ") && first.contains(NOT), "{said}");
        assert!(
            said.lines().nth(1).unwrap().starts_with("The answer: none is advised, since"),
            "{said}"
        );
        assert!(!said.contains("choose ") && !page.contains("hoose 4 MiB"), "{said}");
        assert!(!said.contains("it needs:"), "{said}");
        let headline = found.headline.as_ref().unwrap();
        assert_eq!((headline.verdict, headline.chosen), (Verdict::NotReproduced, None));
        assert_eq!(headline.doubts, [Doubt::NotReproduced(0)]);
        assert!(
            page.contains("No advice") && page.contains("does NOT reproduce it: 50.00"),
            "{page}"
        );
        let apart = ["false".to_string(), "0.500000".to_string()];
        assert!(columns(&ready, &found).iter().all(|row| *row == apart));
        let mut json = Vec::new();
        csv::write_summary_json(&ready, &found.summary, &mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert!(json.contains("\"fit_refused_distance\":0.5,\"fit_reproduces\":false"), "{json}");
    }
}

#[test]
fn other_streams_of_the_plan_are_answered_still() {
    let folder = folder();
    let streams = "[[streams]]\nfit = \"@/bad.trace\"\nhours = 0.01\n\
                   [[streams]]\nfit = \"@/bad.trace\"\nhours = 0.02\n\
                   [[streams]]\nfit = \"@/good.trace\"\nhours = 0.01\n";
    let ready = ready(&plan(folder.path(), "", &[4, 8], streams));
    assert_eq!(ready.fits.len(), 2, "each is held against its file once");
    let (found, said, _) = answered(&ready);
    assert_eq!(said.matches(NOT).count(), 1, "{said}");
    let good = "good.trace reproduces it: 0.00 % of its requests were refused";
    assert!(said.contains(good), "{said}");
    let verdicts: Vec<_> = found.choices.iter().map(|choice| choice.verdict).collect();
    let [no, met] = [Verdict::NotReproduced, Verdict::Met];
    assert_eq!((found.headline.as_ref().unwrap().verdict, &verdicts[..]), (no, &[no, no, met][..]));
    assert!(said.contains("good.trace, LOAD 0.2 MiB: choose 4 MiB"), "{said}");
    let of: Vec<_> = columns(&ready, &found).into_iter().map(|[holds, _]| holds).collect();
    assert_eq!(of, ["false", "false", "false", "false", "true", "true"]);
}

#[test]
fn what_nobody_ran_is_not_known_to_be_reproduced() {
    let folder = folder();
    let streams = "[[streams]]\nfit = \"@/s.csv\"\nops = 40\n";
    let ready = ready(&plan(folder.path(), "", &[4, 8], streams));
    let (found, said, _) = answered(&ready);
    assert!(said.starts_with("The answer: choose 4 MiB"), "{said}");
    let unknown = "s.csv reproduces it is not known: a stream does not say what was refused.";
    assert!(said.contains(unknown), "{said}");
    assert!(columns(&ready, &found).iter().all(|row| row.iter().all(String::is_empty)));
}

#[test]
fn an_answer_that_the_file_contradicts_says_so() {
    let folder = folder();
    let streams = "[[streams]]\nfile = \"@/bad.trace\"\nown_area = false\n";
    let said = |head: &str, mib: u64| {
        let ready = ready(&plan(folder.path(), head, &[mib], streams));
        let said = answered(&ready).1;
        assert!(said.starts_with(&format!("The answer: choose {mib} MiB")), "{said}");
        said
    };
    let contradicts = "but its files contradict that: 50.00 % of the requests of ";
    for (head, mib, is_said) in [
        ("caps = [8]", 4, true),
        ("caps = [8]", 2, true),
        ("caps = [8]", 6, false),
        ("caps = [4]", 4, false),
    ] {
        let said = said(head, mib);
        let first = said.lines().next().unwrap();
        assert_eq!(first.contains(contradicts), is_said, "{head} {mib}: {said}");
        assert_eq!(first.contains("were refused in an area of 4 MiB at cap 8"), is_said, "{said}");
    }
    for (mib, larger) in [
        (16, "if they are of 16 KiB, 16 MiB is the area that failed."),
        (12, "if they are of 16 KiB, the area that failed has 16 MiB: 12 MiB is less."),
        (64, "if they are of 64 KiB, 64 MiB is the area that failed."),
    ] {
        let open = said("", mib);
        let line = open.lines().nth(1).unwrap();
        assert!(
            line.starts_with("  Pages are taken to be of 4 KiB") && line.ends_with(larger),
            "{open}"
        );
        let stated = said("page_kib = 4", mib);
        assert!(
            !stated.contains("that failed") && stated.contains("Pages are of 4 KiB."),
            "{stated}"
        );
    }
    assert!(!said("", 66).contains("that failed"));
}

#[test]
fn shards_say_the_same_of_fits_as_the_whole() {
    let folder = folder();
    let streams = "[[streams]]\nfit = \"@/bad.trace\"\nhours = 0.01\n\
                   [[streams]]\nfit = \"@/good.trace\"\nhours = 0.01\n";
    let text = plan(folder.path(), "", &[4, 8], streams);
    std::fs::write(folder.path().join("p.toml"), text).unwrap();
    let cmalab = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        let output = command.current_dir(folder.path()).args(args).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {errors}");
        (String::from_utf8(output.stdout).unwrap(), errors)
    };
    let (whole, warned) = cmalab(&["sweep", "p.toml", "--out", "whole", "--jobs", "2"]);
    assert!(warned.contains("warning: The fit to ") && warned.contains(NOT), "{warned}");
    cmalab(&["sweep", "p.toml", "--out", "parts/1", "--shard", "1/2", "--jobs", "1"]);
    cmalab(&["sweep", "p.toml", "--out", "parts/2", "--shard", "2/2"]);
    let (merged, _) = cmalab(&["merge", "parts", "--out", "merged"]);
    let (resumed, _) = cmalab(&["sweep", "p.toml", "--out", "whole", "--resume"]);
    assert_eq!((&merged, &resumed), (&whole, &whole));
    for name in ["cells.csv", "summary.csv", "report.html"] {
        let read = |out: &str| std::fs::read_to_string(folder.path().join(out).join(name)).unwrap();
        assert!(read("merged") == read("whole"), "{name}");
    }
}
