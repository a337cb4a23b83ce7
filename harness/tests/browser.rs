//! The page of `view` in a real browser, where there is one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Pages that are opened: of a trace, of a board with several areas, of bits of several pages, of
/// several ranges, and of two caps side by side.
const PAGES: [(&str, &[&str]); 5] = [
    ("trace", &["recordings/6.12/text/trace-align.txt.gz"]),
    ("board", &["logs/board/7.3-dmaheap-two-pools-trace.txt.gz"]),
    ("bits", &["recordings/6.12/mix-a4-opb2-weird.csv.gz"]),
    ("ranges", &["recordings/7.3/exhaust-m9.csv.gz"]),
    ("caps", &["recordings/6.12/video-a2-dma8.csv.gz", "--cap", "8", "--cap", "4"]),
];

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Why the page cannot be opened here.
fn missing() -> Option<String> {
    let runs = |program: &str| {
        let mut command = Command::new(program);
        let quiet = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_string());
    if !runs("node") {
        return Some("there is no node".to_string());
    }
    if !runs(&chromium) {
        return Some(format!("there is no {chromium}; CHROMIUM names another one"));
    }
    let modules = manifest().join("tests/browser/node_modules/playwright-core");
    (!modules.exists()).then(|| "`npm ci` was not run in harness/tests/browser".to_string())
}

/// Writes every page and beside it what a script is told of the same.
fn pages(folder: &Path) {
    let corpora = manifest().join("../corpora");
    for (name, args) in PAGES {
        let file = |arg: &&str| match arg.contains('/') {
            true => corpora.join(arg),
            false => PathBuf::from(arg),
        };
        let args: Vec<PathBuf> = args.iter().map(file).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        command.arg("view").args(args).args(["-q", "--format", "json", "-o"]);
        let output = command.arg(folder.join(name).with_extension("html")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(folder.join(name).with_extension("json"), output.stdout).unwrap();
    }
}

#[test]
fn the_page_is_drawn_and_answers_in_a_browser() {
    if let Some(why) = missing() {
        eprintln!("skipped: {why}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    pages(folder.path());
    let mut command = Command::new("node");
    command.args(["--test", "view.test.mjs"]).current_dir(manifest().join("tests/browser"));
    let output = command.env("CMALAB_PAGES", folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{text}");
}
