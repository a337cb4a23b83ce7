//! What completes the command line of a stranger's program, and its pages for man.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use tempfile::TempDir;

fn said(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_third-party")).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_shell_completes_it_by_its_name() {
    for (shell, line) in [
        ("bash", "complete -F _third__party"),
        ("zsh", "#compdef third-party"),
        ("fish", "complete -c third-party "),
    ] {
        let script = said(&["completions", shell]);
        assert!(script.contains(line), "{shell}: {script}");
        assert!(!script.contains("cmalab diagnose"), "{shell}");
    }
}

#[test]
fn its_pages_have_its_name() {
    let folder = TempDir::new().unwrap();
    let man = folder.path().join("man");
    assert_eq!(said(&["man", man.to_str().unwrap()]), "");
    let names = fs::read_dir(&man).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(names.contains("third-party.1") && names.contains("third-party-sweep.1"), "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("third-party")), "{names:?}");
    let page = fs::read_to_string(man.join("third-party-sweep.1")).unwrap();
    assert!(page.contains("third\\-party sweep my\\-board.toml"), "{page}");
    assert!(!page.contains("cmalab sweep"), "{page}");
    assert_eq!(fs::read_to_string(man.join("third-party.1")).unwrap(), said(&["man"]));
}
