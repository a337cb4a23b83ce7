//! `cmalab lint` as somebody meets it: what it prints in each format, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cma_harness::lint::RULES;
use cma_harness::tree::has_dtc;
use serde_json::Value;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// Exit status, output and what is said of errors, in `corpora/boots`.
fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let done =
        command.arg("lint").args(args).current_dir(corpora().join("boots")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&run(args).1).unwrap()
}

#[test]
fn an_error_is_status_1_and_what_is_fine_is_0() {
    let (code, out, err) = run(&["dtb/odd33.dtb", "--kernel", "6.12-arm64", "--page-kib", "4"]);
    let expected = "\
1 error

dtb/odd33.dtb: /reserved-memory/linux,cma size: error [size-off-step]
  the size of linux,cma is 33 MiB, which is no multiple of 2 MiB: the kernel refuses it
  remedy: 32 MiB (`<0x0 0x2000000>`) or 34 MiB (`<0x0 0x2200000>`)
";
    assert!(out.starts_with(expected), "{out}");
    assert!(out.contains("linux,cma  node      33 MiB    refused  size-off-step"), "{out}");
    assert_eq!((code, err.as_str()), (1, ""));
    let (code, out, _) = run(&["dtb/def32.dtb", "--kernel", "6.12-arm64", "--page-kib", "4"]);
    assert!(out.starts_with("nothing is wrong\n"), "{out}");
    assert_eq!(code, 0);
    // What a log says itself.
    let (code, out, _) = run(&["cmd-k612-cma128-two.txt"]);
    assert!(out.contains("cmd-k612-cma128-two.txt:1: error [boot-log]"), "{out}");
    assert_eq!(code, 1);
    // A warning, a note.
    assert_eq!(run(&["../lint/above-4g-fails.dtb"]).0, 0);
    assert_eq!(run(&["--cmdline", "cma=33M"]).0, 0);
}

#[test]
fn what_cannot_be_read_is_status_2_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let whole = fs::read(corpora().join("boots/dtb/two.dtb")).unwrap();
    let (cut, prose) = (put("cut.dtb", &whole[..99]), put("prose.txt", b"nothing of areas\n"));
    for (args, why) in [
        (vec!["none.dtb"], "read none.dtb: No such file"),
        (vec![&*cut], "it is cut or damaged: copy it again"),
        (vec![&*prose], "no device tree, log of a boot, command line, configuration or trace"),
        (vec!["dtb/two.dtb", "dtb/two.dtb"], "it is a second device tree"),
        (vec![], "name a device tree"),
        (vec!["dtb/two.dtb", "--arch", "mips"], "arm64, arm, x86_64 and riscv64 are allowed"),
    ] {
        let (code, out, err) = run(&args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(why), "{args:?}: {err}");
    }
}

#[test]
fn without_dtc_a_source_is_refused_with_what_can_be_read() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let source = corpora().join("boots/dts/two.dts");
    let done = command.arg("lint").arg(source).env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(2));
    for part in ["`dtc`, which is not installed", "apt install device-tree-compiler", ".dtb"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn json_has_findings_and_areas_and_csv_has_a_row_for_each() {
    let args =
        ["dtb/two.dtb", "--cmdline", "cma=128M", "--kernel", "7.3-arm64", "--format", "json"];
    let found = json(&args);
    assert_eq!(found["schema"], 1);
    assert_eq!(found["findings"][0]["rule"], "cmdline-drops-node");
    assert_eq!(found["findings"][0]["node"], "/reserved-memory/linux,cma");
    let outcomes: Vec<_> =
        found["areas"].as_array().unwrap().iter().map(|area| area["outcome"].clone()).collect();
    assert_eq!(outcomes, ["bypassed", "placed", "placed"]);
    let (_, csv, _) = run(&["dtb/two.dtb", "--cmdline", "cma=128M", "--format", "csv"]);
    assert!(csv.starts_with("severity,rule,file,line,node,property,message,remedy\n"), "{csv}");
    assert_eq!(csv.lines().count(), 1 + found["findings"].as_array().unwrap().len());
}

#[test]
fn sarif_has_every_rule_and_a_place_for_each_result() {
    let found = json(&["dtb/twodef.dtb", "--kernel", "6.12-arm64", "--format", "sarif"]);
    assert_eq!(found["version"], "2.1.0");
    let run = &found["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), RULES.len());
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"two-defaults".into(), &"error".into()));
    let index = result["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(RULES[index].name, "two-defaults");
    let place = &result["locations"][0];
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "dtb/twodef.dtb");
    let name = &place["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(name, "/reserved-memory/pool_a/linux,cma-default");
    // It is of no other command.
    let mut other = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let done = other.args(["list", "laws", "--format", "sarif"]).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn a_rule_is_explained_with_its_examples() {
    for rule in RULES {
        let (code, out, _) = run(&["--explain", rule.name]);
        assert_eq!(code, 0);
        for part in [rule.name, "remedy: ", "kernel: ", "releases: ", "found in ", "not in "] {
            assert!(out.contains(part), "{}: {out}", rule.name);
        }
    }
    assert_eq!(run(&["--explain", "no-such-rule"]).0, 2);
}

#[test]
fn a_source_has_lines_of_each_of_its_files() {
    if !has_dtc() {
        println!("skipped: dtc is not installed (apt install device-tree-compiler)");
        return;
    }
    if Command::new("cpp").arg("--version").output().is_err() {
        println!("skipped: cpp is not installed (apt install cpp)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A name is no option, and no word of a shell.
    let (main, part) = (folder.path().join("-x $(a) b.dts"), folder.path().join("pools.dtsi"));
    let head = "/dts-v1/;\n#include \"pools.dtsi\"\n#define ODD 0x2100000\n";
    let memory = "/ { #address-cells = <2>; #size-cells = <2>;\nmemory@40000000 { device_type = \
                  \"memory\"; reg = <0 0x40000000 0 0x40000000>; };\n};\n";
    fs::write(&main, format!("{head}{memory}&odd {{\n    size = <0 ODD>;\n}};\n")).unwrap();
    let pools = "/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n\
                 odd: odd { compatible = \"shared-dma-pool\"; reusable; linux,cma-default;\n\
                 size = <0 0x2000000>; };\n\
                 zero { compatible = \"shared-dma-pool\"; reusable;\n  size = <0 0>; }; }; };\n";
    fs::write(&part, pools).unwrap();
    let path = main.display().to_string();
    let found = json(&[&path, "--kernel", "6.12-arm64", "--format", "json"]);
    let places: Vec<_> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .take(2)
        .map(|finding| {
            let file = Path::new(finding["file"].as_str().unwrap()).file_name().unwrap();
            (
                finding["rule"].as_str().unwrap().to_string(),
                file.to_owned(),
                finding["line"].clone(),
            )
        })
        .collect();
    let place = |rule: &str, file: &Path, line: u64| {
        (rule.to_string(), file.file_name().unwrap().to_owned(), Value::from(line))
    };
    let expected = [place("size-off-step", &main, 8), place("size-zero", &part, 5)];
    assert_eq!(places, expected);
    fs::write(&main, format!("{head}{memory}&nobody {{ }};\n")).unwrap();
    let (code, _, err) = run(&[&path]);
    assert_eq!(code, 2);
    assert!(err.contains("dtc says: ") && err.contains("nobody"), "{err}");
}
