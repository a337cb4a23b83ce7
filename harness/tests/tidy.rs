//! What holds for the tree as a whole: who may use whom, and what the README promises.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The ranks that the crate's own documentation states: `a, b < c` gives a and b 0, c 1.
fn ranks(lib: &str) -> BTreeMap<String, usize> {
    let prose: String = lib.lines().filter_map(|line| line.strip_prefix("//!")).collect();
    let (_, rest) = prose.split_once("a test reads this line:").expect("the ranks");
    let line = rest.split('`').nth(1).expect("the ranks in backticks");
    let steps = line.split('<').enumerate();
    steps
        .flat_map(|(rank, names)| names.split(',').map(move |name| (name.trim().to_string(), rank)))
        .collect()
}

/// The modules of its crate that a file names outside comments and its tests.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = lines.flat_map(|line| line.split("crate::").skip(1));
    let name = |path: &str| {
        path.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>()
    };
    paths.map(name).filter(|name| !name.is_empty()).collect()
}

fn check_ranks(package: &str) {
    let src = root().join(package).join("src");
    let ranks = ranks(&read(&src.join("lib.rs")));
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&src).expect("below src");
        let module = inside.components().next().expect("a name").as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs").to_string();
        if module == "lib" {
            continue;
        }
        let Some(rank) = ranks.get(&module) else {
            wrong.push(format!("{module} has no rank"));
            continue;
        };
        for used in used(&read(file)).iter().filter(|used| **used != module) {
            match ranks.get(used) {
                Some(lower) if lower < rank => {}
                // A function or macro at the top of the crate.
                None => {}
                Some(_) => wrong.push(format!("{} uses {used}", inside.display())),
            }
        }
    }
    assert!(files.len() > 10, "found {} files", files.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_use_only_lower_ranks() {
    check_ranks("policies");
    check_ranks("harness");
}

#[test]
fn a_use_of_a_higher_rank_would_be_seen() {
    assert_eq!(used("use crate::cli::X;\n// crate::op\nlet x = crate::op::y();"), ["cli", "op"]);
    assert_eq!(used("fn f() {}\n#[cfg(test)]\nmod tests { use crate::cli; }"), [""; 0]);
}

#[test]
fn policies_have_no_dependency() {
    let manifest = read(&root().join("policies/Cargo.toml"));
    assert!(!manifest.contains("dependencies]"), "{manifest}");
}

#[test]
fn every_command_that_the_readme_shows_exists() {
    let readme = read(&root().join("README.md"));
    let cli = read(&root().join("harness/src/cli.rs")).to_lowercase();
    let words = readme.lines().filter_map(|line| line.trim_start().strip_prefix("cmalab "));
    let commands: Vec<_> = words.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 5, "the README shows {commands:?}");
    for command in commands {
        assert!(cli.contains(&format!("mod {command};")), "cmalab {command} is not a command");
    }
}

#[test]
fn every_file_that_the_readme_names_is_there() {
    let readme = read(&root().join("README.md"));
    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | ')' | '(' | ',');
    let files: Vec<_> = readme.split(ends).filter(|word| word.starts_with("corpora/")).collect();
    assert!(files.len() >= 5, "the README names {files:?}");
    for file in files {
        assert!(root().join(file).exists(), "{file} is not there");
    }
}
