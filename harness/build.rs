//! The version that `cmalab --version` prints, with the commit where it is known.
//!
//! A package says its commit in a file of cargo's; the project's own repository is asked with git,
//! for a release build: else every commit would build the library and all of its tests again.
//! Without either it is the version alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = of_package(&here).or_else(|| if is_release { of_repository(&here) } else { None });
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let version = match commit {
        Some(commit) => format!("{version} (commit {commit})"),
        None => version,
    };
    println!("cargo:rustc-env=CMALAB_VERSION={version}");
}

/// The commit that a package was made of.
fn of_package(here: &Path) -> Option<String> {
    let path = here.join(".cargo_vcs_info.json");
    let text = fs::read_to_string(&path).ok()?;
    let (_, hash) = text.split_once("\"sha1\":")?;
    short(hash.trim_start().trim_start_matches('"'))
}

/// The commit of the repository that this crate's folder is right below the top of: a copy that
/// somebody keeps in a repository of their own is none.
fn of_repository(here: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(here).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_string())
    };
    let top = fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()?;
    if Some(top.as_path()) != fs::canonicalize(here).ok()?.parent() {
        return None;
    }
    // Of what does not exist cargo would take every build for a change.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD"].into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name]).map(|path| here.join(path));
        if let Some(path) = path.filter(|path| path.is_file()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    short(&git(&["rev-parse", "HEAD"])?)
}

/// The first digits of a hash.
fn short(hash: &str) -> Option<String> {
    let digits: String = hash.chars().take(10).collect();
    (digits.len() == 10 && digits.chars().all(|c| c.is_ascii_hexdigit())).then_some(digits)
}
