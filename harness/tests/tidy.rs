//! What holds for the tree as a whole: who may use whom, and what the README promises.

#[path = "tidy/ranks.rs"]
mod ranks;

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

const DOCUMENTS: [&str; 2] = [".github/ARCHITECTURE.md", ".github/CONTRIBUTING.md"];

/// The places of the tree that a document names: the paths in backticks, without what comes after.
fn places(document: &str) -> Vec<&str> {
    let quoted = document.split('`').skip(1).step_by(2);
    let first = quoted.filter_map(|text| text.split_whitespace().next());
    first.filter(|word| word.contains('/') || word.ends_with(".md")).collect()
}

/// Whether a place is there, from the top or from the harness on.
fn is_there(place: &str) -> bool {
    ["", "harness/src"].iter().any(|from| root().join(from).join(place).exists())
}

#[test]
fn every_place_that_the_documents_name_is_there() {
    for name in DOCUMENTS {
        let text = read(&root().join(name));
        let text = text.replace("```", "");
        let places = places(&text);
        assert!(places.len() >= 20, "{name} names {places:?}");
        for place in places {
            assert!(is_there(place), "{name}: {place} is not there");
        }
    }
    let made_up = places("`policies/src/nobody.rs`, `README.md`, `Op` and `ingest/log NAME`");
    assert_eq!(made_up, ["policies/src/nobody.rs", "README.md", "ingest/log"]);
    assert_eq!(
        [is_there(made_up[0]), is_there(made_up[1]), is_there(made_up[2])],
        [false, true, true]
    );
}

#[test]
fn the_documents_are_short() {
    let lines = DOCUMENTS.map(|name| read(&root().join(name)).lines().count());
    assert!(lines.iter().sum::<usize>() <= 200, "{lines:?}");
}

/// The line of a text that a merge left open, from 1 on.
fn open_merge(text: &str) -> Option<usize> {
    let marks = ["<".repeat(7), "=".repeat(7), ">".repeat(7)];
    let is_mark =
        |line: &str| marks.iter().any(|mark| line == mark || line.starts_with(&format!("{mark} ")));
    text.lines().position(is_mark).map(|at| at + 1)
}

#[test]
fn no_merge_was_left_open() {
    let mut files: Vec<_> = DOCUMENTS.map(|name| root().join(name)).to_vec();
    files.push(root().join("README.md"));
    files.push(root().join("corpora/SOURCES.csv"));
    for folder in ["policies", "harness", "fuzz/fuzz_targets", "fuzz/bolero/src"] {
        rust_files(&root().join(folder), &mut files);
    }
    for file in files {
        assert_eq!(open_merge(&read(&file)), None, "{}", file.display());
    }
    let conflict = format!("a\n{} HEAD\nb\n", "<".repeat(7));
    assert_eq!((open_merge(&conflict), open_merge("a\n=== b")), (Some(2), None));
}

/// The documents that a text cites: words that end with the ending of one.
fn cited(text: &str) -> Vec<&str> {
    let is_apart = |c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c);
    let words = text.split(is_apart).map(|word| word.trim_end_matches('.'));
    words.filter(|word| word.strip_suffix(".md").is_some_and(|stem| !stem.is_empty())).collect()
}

#[test]
fn no_comment_cites_a_document_that_is_not_here() {
    let mut files = Vec::new();
    for folder in ["policies", "harness", "fuzz/fuzz_targets", "fuzz/bolero/src"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(files.len() > 400, "{} files", files.len());
    for file in files {
        let text = read(&file);
        let comments = text.lines().filter_map(|line| line.split_once("//"));
        for document in comments.flat_map(|(_, comment)| cited(comment)) {
            assert!(root().join(document).exists(), "{}: {document}", file.display());
        }
    }
    assert_eq!(cited("see `README.md`, a/b.md. Not .md, x.mdx"), ["README.md", "a/b.md"]);
}

/// The names that a text has between two others, each after `before` and up to `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let rest = text.split(before).skip(1);
    rest.map(|part| part.split(after).next().expect("the first piece")).collect()
}

/// Every fuzz target; those that must not fail.
#[cfg(feature = "cli")]
fn targets() -> (Vec<&'static str>, Vec<&'static str>) {
    use cma_harness::fuzzing::{Expected, TARGETS};
    let pass = |target: &&cma_harness::fuzzing::Target| target.expected == Expected::Passes;
    let mut all: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    let mut passing: Vec<_> = TARGETS.iter().filter(pass).map(|target| target.name).collect();
    all.sort_unstable();
    passing.sort_unstable();
    (all, passing)
}

#[test]
#[cfg(feature = "cli")]
fn every_target_has_one_file_of_glue_and_one_binary() {
    let (all, _) = targets();
    let folder = root().join("fuzz/fuzz_targets");
    let mut files = Vec::new();
    rust_files(&folder, &mut files);
    files.sort();
    let stems: Vec<_> =
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(stems, all, "files of fuzz/fuzz_targets/ and fuzzing::TARGETS");
    for file in &files {
        let text = read(file);
        let lines = text.lines().count();
        assert!(lines <= 15, "{} has {lines} lines: what it does belongs below", file.display());
        let stem = file.file_stem().unwrap().to_str().unwrap();
        assert!(text.contains(&format!("::{stem}")), "{} runs something else", file.display());
    }
    let manifest = read(&root().join("fuzz/Cargo.toml"));
    for (before, after) in [("[[bin]]\nname = \"", "\""), ("path = \"fuzz_targets/", ".rs\"")] {
        let mut names = between(&manifest, before, after);
        names.sort_unstable();
        assert_eq!(names, all, "binaries of fuzz/Cargo.toml, by {before:?}");
    }
}

#[test]
#[cfg(feature = "cli")]
fn every_target_that_can_be_is_under_bolero() {
    let (_, passing) = targets();
    // It reads TOML, whose crate and bolero have no lock file in common.
    let expected: Vec<_> = passing.iter().filter(|name| **name != "plan").copied().collect();
    let tests = read(&root().join("fuzz/bolero/src/lib.rs"));
    let list = between(&tests, "    targets!(", ");");
    assert_eq!(list.len(), 1, "one list of targets");
    let mut names: Vec<_> =
        list[0].split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
#[cfg(feature = "cli")]
fn a_night_on_github_has_every_target_that_must_not_fail() {
    let (_, passing) = targets();
    let night = &yaml(".github/workflows/fuzz.yml")["jobs"]["night"];
    let matrix = night["strategy"]["matrix"]["target"].as_vec().expect("a list of targets");
    let mut names: Vec<_> = matrix.iter().map(|name| name.as_str().expect("a name")).collect();
    names.sort_unstable();
    assert_eq!(names, passing);
    assert_eq!(night["strategy"]["fail-fast"].as_bool(), Some(false), "one crash stops no other");
    let shells = night["steps"].as_vec().expect("steps").iter();
    let runs: Vec<_> = shells.filter_map(|step| step["run"].as_str()).collect();
    assert!(runs.iter().any(|run| run.contains("corpora/overnight.sh")), "{runs:?}");
}

#[test]
fn workflows_and_build_files_are_what_they_have_to_be() {
    let steps = &yaml(".github/workflows/test.yml")["jobs"]["all"]["steps"];
    let runs: Vec<_> =
        steps.as_vec().expect("steps").iter().filter_map(|step| step["run"].as_str()).collect();
    assert!(runs.contains(&".ci/run"), "{runs:?}");
    let project = yaml(".clusterfuzzlite/project.yaml");
    assert_eq!(project["language"].as_str(), Some("rust"));
    let dockerfile = read(&root().join(".clusterfuzzlite/Dockerfile"));
    assert!(dockerfile.contains("COPY .clusterfuzzlite/build.sh $SRC/build.sh"), "{dockerfile}");
    for script in [
        ".ci/dist",
        ".ci/run",
        ".clusterfuzzlite/build.sh",
        "corpora/overnight.sh",
        "corpora/slurm.sh",
    ] {
        assert!(read(&root().join(script)).starts_with("#!"), "{script} has no interpreter");
    }
    // A cargo-fuzz here and another one there would build other binaries.
    let install = "cargo install cargo-fuzz --version ";
    let versions = [".ci/run", ".github/workflows/fuzz.yml"].map(|file| {
        let text = read(&root().join(file));
        between(&text, install, " ")[0].to_string()
    });
    assert_eq!(versions[0], versions[1]);
}

#[test]
fn a_release_has_static_binaries_of_the_compiler_that_is_tested() {
    let release = yaml(".github/workflows/release.yml");
    let build = &release["jobs"]["build"];
    let matrix = build["strategy"]["matrix"]["include"].as_vec().expect("targets").iter();
    let targets: Vec<_> = matrix.filter_map(|one| one["target"].as_str()).collect();
    assert_eq!(targets, ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]);
    let steps = build["steps"].as_vec().expect("steps").iter();
    let runs: Vec<_> = steps.filter_map(|step| step["run"].as_str()).collect();
    assert!(runs.iter().any(|run| run.starts_with(".ci/dist ")), "{runs:?}");
    let versions = ["test", "release"].map(|name| {
        let text = read(&root().join(format!(".github/workflows/{name}.yml")));
        let versions = between(&text, "rustup toolchain install ", " ");
        assert!(!versions.is_empty(), "{name}.yml installs no compiler");
        versions[0].to_string()
    });
    assert_eq!(versions[0], versions[1]);
    assert!(read(&root().join("Cargo.toml")).contains("\n[profile.dist]\n"));
}

/// The files that a text takes in, by the paths in it.
fn included(text: &str) -> Vec<&str> {
    let calls = ["include_str!(\"", "include_bytes!(\"", "include_bytes!(concat!(\""];
    calls.iter().flat_map(|call| between(text, call, "\"")).collect()
}

#[test]
fn what_is_published_is_whole_without_the_other_folders() {
    let mut taken = 0;
    for package in ["policies", "harness"] {
        let folder = root().join(package);
        let manifest = read(&folder.join("Cargo.toml"));
        for key in ["description", "keywords", "categories", "license", "repository", "readme"] {
            let has = |line: &str| line.starts_with(key);
            assert!(manifest.lines().any(has), "{package}/Cargo.toml has no {key}");
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert_eq!(read(&folder.join(licence)), read(&root().join(licence)), "{package}");
        }
        let mut files = Vec::new();
        rust_files(&folder.join("src"), &mut files);
        // Tests read corpora, which are not published.
        files.retain(|file| !file.ends_with("tests.rs"));
        for file in files {
            let text = read(&file);
            for path in included(&text) {
                taken += 1;
                let depth = file.strip_prefix(&folder).expect("in it").components().count() - 1;
                let ups = path.split('/').filter(|part| *part == "..").count();
                assert!(ups < depth, "{}: {path} is of another folder", file.display());
            }
        }
    }
    assert!(taken > 10, "{taken} files are taken in");
    for package in ["harness/example", "harness/mutants"] {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        assert!(manifest.contains("\npublish = false\n"), "{package} would be published");
    }
    let two = "include_str!(\"a/b\"); include_bytes!(\"../c\")";
    assert_eq!(included(two), ["a/b", "../c"]);
}

fn yaml(file: &str) -> yaml_rust2::Yaml {
    let text = read(&root().join(file));
    let mut documents = yaml_rust2::YamlLoader::load_from_str(&text)
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(documents.len(), 1, "{file}");
    documents.remove(0)
}
