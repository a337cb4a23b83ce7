//! What is made from the table of commands: formats, completions, pages for man, the version.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cma_harness::kernel::KERNELS;

use crate::rig::Bench;

/// Every command, as the help names them.
fn commands(bench: &Bench) -> Vec<String> {
    let help = bench.good(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter(|line| !line.starts_with("   ")).map(str::trim);
    let names = names.map(|line| line.split(' ').next().unwrap().to_string());
    names.filter(|name| name != "help").collect()
}

#[test]
fn a_command_takes_the_formats_that_its_help_has_and_says_who_writes_the_others() {
    let bench = Bench::new();
    let all = ["text", "json", "csv", "html", "sarif"];
    let mut writers = Vec::new();
    for command in commands(&bench) {
        let help = bench.good(&[&command, "--help"]);
        let (_, own) = help.split_once("--format <FORMAT>").unwrap();
        let own = own.split("[default:").next().unwrap();
        for format in all {
            let takes = own.contains(&format!("- {format}:"))
                || own.contains(&format!("[possible values: {format}"));
            let (_, _, err) = bench.run(&[&command, "--format", format, "--help"]);
            let refused = format!("error: failed to write {format}: {command} writes text");
            assert_eq!(!err.starts_with(&refused), takes, "{command} {format}: {err}");
            if takes {
                writers.push((command.clone(), format));
            }
        }
    }
    let of = |format| {
        let own = writers.iter().filter(|(_, other)| *other == format);
        own.map(|(command, _)| command.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of("sarif"), ["lint"]);
    let mut html = of("html");
    html.sort_unstable();
    assert_eq!(html, ["diagnose", "recommend", "replay", "view"]);
    let html = "diagnose, recommend, replay and view";
    let place =
        [&["list", "policies", "--format", "html"][..], &["--format", "html", "list", "laws"]];
    for args in place {
        let err = bench.bad(args);
        let said =
            "error: failed to write html: list writes text, json and csv; html is written by";
        assert_eq!(err, format!("{said} {html}\n"), "{args:?}");
    }
    let err = bench.bad(&["generate", "gpu", "--format", "json"]);
    assert_eq!(err, "error: failed to write json: generate writes text and csv\n");
    // Before the command or after it.
    let json = bench.good(&["list", "laws", "--format", "json"]);
    assert_eq!(bench.good(&["--format", "json", "list", "laws"]), json);
    assert!(json.starts_with('['), "{json}");
}

#[test]
fn a_shell_completes_commands_options_and_words() {
    let bench = Bench::new();
    let commands = commands(&bench);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.good(&["completions", shell]);
        let missing = commands.iter().find(|command| !script.contains(command.as_str()));
        assert_eq!(missing, None, "{shell}");
        assert!(script.contains("recorded-cap"), "{shell}");
    }
    fs::write(bench.path().join("c.bash"), bench.good(&["completions", "bash"])).unwrap();
    let complete = |words: &[&str]| {
        let last = words[words.len() - 1];
        let line = format!(
            ". ./c.bash; COMP_WORDS=({}); COMP_CWORD={}; _cmalab cmalab '{last}' '{}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1,
            words[words.len() - 2]
        );
        let output = Command::new("bash").args(["-c", &line]).current_dir(bench.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete(&["cmalab", "diag"]), "diagnose\n");
    assert_eq!(complete(&["cmalab", "list", "pol"]), "policies\n");
    assert_eq!(complete(&["cmalab", "replay", "--recorded"]), "--recorded-cap\n");
    assert_eq!(complete(&["cmalab", "lint", "--format", "s"]), "sarif\n");
}

#[test]
fn there_is_a_page_for_man_of_every_command() {
    let bench = Bench::new();
    let first = bench.good(&["man"]);
    assert!(first.contains(".SH SYNOPSIS"), "{first}");
    assert_eq!(bench.good(&["man", "pages/man1"]), "");
    let folder = bench.path().join("pages/man1");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    let pages = commands(&bench).into_iter().map(|command| format!("cmalab-{command}.1"));
    let pages: BTreeSet<_> = pages.chain(["cmalab.1".to_string()]).collect();
    assert_eq!(names, pages);
    assert_eq!(fs::read_to_string(folder.join("cmalab.1")).unwrap(), first);
    let replay = fs::read_to_string(folder.join("cmalab-replay.1")).unwrap();
    let version = format!("\"cmalab {}", env!("CARGO_PKG_VERSION"));
    for part in [".TH cmalab-replay 1", &version, "\\-\\-recorded\\-cap", "Examples:\n"] {
        assert!(replay.contains(part), "{part}: {replay}");
    }
    let err = bench.bad(&["man", "s.csv/x"]);
    assert!(err.starts_with("error: failed to write s.csv/x: "), "{err}");
}

#[test]
fn the_version_names_the_kernels_and_the_commit_where_it_is_known() {
    let bench = Bench::new();
    let long = bench.good(&["--version"]);
    let (first, rest) = long.split_once('\n').unwrap();
    assert_eq!(bench.good(&["-V"]), format!("{first}\n"));
    let version = format!("cmalab {}", env!("CARGO_PKG_VERSION"));
    let commit = first.strip_prefix(&version).unwrap();
    let hash = commit.strip_prefix(" (commit ").and_then(|rest| rest.strip_suffix(')'));
    let is_hash = |hash: &str| hash.len() == 10 && hash.chars().all(|c| c.is_ascii_hexdigit());
    assert!(commit.is_empty() || hash.is_some_and(is_hash), "{first}");
    for row in KERNELS {
        let line = rest.lines().find(|line| line.starts_with(&format!("  {} ", row.name)));
        assert!(line.is_some_and(|line| line.ends_with(row.about)), "{}: {rest}", row.name);
    }
    let newest = KERNELS.iter().rfind(|row| row.name != "android").unwrap().name;
    assert!(rest.contains(&format!("\nThe newest is {newest}: ")), "{rest}");
}
