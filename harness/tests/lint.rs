//! What `lint` says: its rules' own examples, and 37 boots of real kernels, of which it predicts
//! from the device tree and the command line what their logs say became of each area.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cma_harness::diagnose::{Options, diagnose};
use cma_harness::ingest::Source;
use cma_harness::lint::{Board, Example, Given, RULES, Report, Rule, lint};
use cma_harness::tree::{Tree, has_dtc};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

fn compiled(path: &Path) -> Tree {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Tree::flat(&path.display().to_string(), &bytes).expect("it is whole")
}

/// The kernel, the device tree and the command line that a boot's case names.
fn of_case(case: &str) -> (&'static str, &str, &'static str) {
    let mut parts = case.splitn(3, '-');
    let (kind, kernel, name) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let kernel = match kernel {
        "k612" => "6.12.117+deb13-arm64",
        "k16" => "6.12.117+deb13-arm64-16k",
        "k73" => "7.3.4+deb13-arm64",
        other => panic!("{other} is no kernel"),
    };
    if kind == "dts" {
        return (kernel, name, "");
    }
    let (line, tree) = match name {
        "cma0-def32" => ("cma=0", "def32"),
        "cma128-two" => ("cma=128M", "two"),
        "cma1m" => ("cma=1M", "none"),
        "cma48" => ("cma=48M", "none"),
        "cma900" => ("cma=2G", "none"),
        "cmaat" => ("cma=64M@0x50000000", "none"),
        "huge64" => ("hugetlb_cma=64M", "none"),
        other => panic!("{other} is no case"),
    };
    (kernel, tree, line)
}

fn predicted(case: &str) -> Report {
    let (kernel, tree, line) = of_case(case);
    let tree = compiled(&corpora().join(format!("boots/dtb/{tree}.dtb")));
    // Debian's: the default area of those boots.
    let config =
        Source::bytes("config", "CONFIG_DMA_CMA=y\nCONFIG_CMA_SIZE_MBYTES=64\n".as_bytes());
    let given = Given {
        tree: Some(tree),
        texts: vec![config],
        cmdline: (!line.is_empty()).then(|| ("--cmdline".to_string(), line.to_string())),
        kernel: Some(kernel.to_string()),
        ..Given::default()
    };
    lint(&Board::read(given).expect("it is read"))
}

/// `node linux,cma placed 33554432`, ascending.
type Areas = Vec<(&'static str, String, &'static str, Option<u64>)>;

fn areas(report: &Report) -> Areas {
    let area = |area: &cma_harness::lint::Area| {
        let bytes = area.bytes.filter(|_| matches!(area.outcome, "placed" | "not_default"));
        (area.asker.name(), area.name.clone(), area.outcome, bytes)
    };
    let mut all: Areas = report.areas.iter().map(area).collect();
    all.sort();
    all
}

/// What the log of the boot says, and nothing else does.
fn logged(case: &str) -> Areas {
    let source = Source::file(&corpora().join(format!("boots/{case}.txt")));
    let options = Options { kernel: Some(of_case(case).0.to_string()), ..Options::default() };
    let diagnosis = diagnose(&[source], &options, &mut |failure| panic!("{failure:?}")).unwrap();
    let area = |asked: &cma_harness::boot::Asked| {
        let fate = asked.fate.name();
        let name = asked.name.as_deref().unwrap_or(asked.origin.name());
        let bytes = asked.bytes.filter(|_| matches!(fate, "placed" | "not_default"));
        (asked.origin.name(), name.to_string(), fate, bytes)
    };
    let mut all: Areas = diagnosis.boot.areas.iter().map(area).collect();
    all.sort();
    all
}

fn cases() -> Vec<String> {
    let files = fs::read_dir(corpora().join("boots")).unwrap();
    let names = files.filter_map(|file| file.unwrap().file_name().into_string().ok());
    let mut cases: Vec<_> =
        names.filter_map(|name| Some(name.strip_suffix(".txt")?.to_string())).collect();
    cases.sort();
    cases
}

/// `cargo test -p cma-harness --test lint -- --nocapture` prints the table.
#[test]
fn what_a_kernel_makes_of_each_area_is_predicted() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    let cases = cases();
    assert_eq!(cases.len(), 37);
    for case in &cases {
        let (report, log) = (predicted(case), logged(case));
        let found = areas(&report);
        for (asker, name, outcome, bytes) in &found {
            let mib = bytes.map_or(String::new(), |bytes| format!(" {} MiB", bytes >> 20));
            let holds = log.contains(&(*asker, name.clone(), *outcome, *bytes));
            let holds = if holds { "as the log says" } else { "WRONG" };
            writeln!(
                table,
                "{case:22} {asker:8} {name:14} {:18} {holds}",
                format!("{outcome}{mib}")
            )
            .unwrap();
        }
        if found != log {
            wrong.push(format!("{case}: predicted {found:?}, the log says {log:?}"));
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is refused, replaced or passed over is an error, and nothing else of those boots is.
#[test]
fn an_error_is_what_the_kernel_does_not_do_as_asked() {
    for case in cases() {
        let report = predicted(&case);
        let errors: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.severity.name() == "error")
            .map(|finding| finding.rule.name)
            .collect();
        let as_asked =
            logged(&case).iter().all(|(_, _, fate, _)| matches!(*fate, "placed" | "off"));
        assert_eq!(errors.is_empty(), as_asked, "{case}: {errors:?}");
    }
}

fn of_example(rule: &Rule, which: &str) -> (Example, PathBuf) {
    let example = if which == "fails" { rule.fails } else { rule.passes };
    (example, corpora().join(format!("lint/{}-{which}.dtb", rule.name)))
}

fn of_board(example: &Example, tree: Option<Tree>) -> Report {
    let text = |name: &str, text: &'static str| {
        (!text.is_empty()).then(|| Source::bytes(name, text.as_bytes()))
    };
    let given = Given {
        tree,
        texts: text(".config", example.config)
            .into_iter()
            .chain(text("text", example.text))
            .collect(),
        cmdline: Some(("--cmdline".to_string(), example.cmdline.to_string())),
        kernel: Some(example.kernel.to_string()),
        page: Some(cma_harness::page::Page::Kib4),
        ..Given::default()
    };
    lint(&Board::read(given).expect("it is read"))
}

/// Each rule and which of its examples, with what is found in it.
fn examples() -> Vec<(&'static Rule, &'static str, Report)> {
    let each = RULES.iter().flat_map(|rule| [(*rule, "fails"), (*rule, "passes")]);
    each.map(|(rule, which)| {
        let (example, path) = of_example(rule, which);
        let tree = example.dts().map(|_| compiled(&path));
        (rule, which, of_board(&example, tree))
    })
    .collect()
}

#[test]
fn each_rule_finds_its_example_and_passes_the_other_one() {
    for (rule, which, report) in examples() {
        let names: Vec<_> = report.findings.iter().map(|finding| finding.rule.name).collect();
        match which {
            "fails" => {
                let own = report.findings.iter().find(|finding| finding.rule.name == rule.name);
                let own = own.unwrap_or_else(|| panic!("{} finds {names:?}", rule.name));
                assert!(own.severity >= rule.severity, "{}", rule.name);
                assert!(!own.message.is_empty() && !own.remedy.is_empty(), "{}", rule.name);
            }
            _ => assert_eq!(names, [""; 0], "{}", rule.name),
        }
        assert!(report.taken.is_empty(), "{}: {:?}", rule.name, report.taken);
    }
}

#[test]
fn rules_have_names_of_their_own_in_lower_case_with_dashes() {
    let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    let good =
        |name: &str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    assert!(names.iter().all(|name| good(name)), "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
}

/// The compiled trees are those of the examples and of the boots. `UPDATE_LINT=1` makes them again.
#[test]
fn compiled_trees_are_what_dtc_makes_of_their_sources() {
    if !has_dtc() {
        println!("skipped: dtc is not installed (apt install device-tree-compiler)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut pairs = Vec::new();
    for rule in RULES {
        for which in ["fails", "passes"] {
            let (example, path) = of_example(rule, which);
            let Some(dts) = example.dts() else { continue };
            let source = folder.path().join(format!("{}-{which}.dts", rule.name));
            fs::write(&source, dts).unwrap();
            pairs.push((source, path));
        }
    }
    for file in fs::read_dir(corpora().join("boots/dts")).unwrap() {
        let source = file.unwrap().path();
        let name = source.file_stem().unwrap().to_str().unwrap().to_string();
        pairs.push((source, corpora().join(format!("boots/dtb/{name}.dtb"))));
    }
    for (source, path) in pairs {
        if std::env::var_os("UPDATE_LINT").is_some() {
            let done = std::process::Command::new("dtc")
                .args(["-q", "-@", "-I", "dts", "-O", "dtb", "-o"])
                .arg(&path)
                .arg(&source)
                .status();
            assert!(done.unwrap().success(), "{}", source.display());
        }
        let (made, kept) = (Tree::source(&source).unwrap(), compiled(&path));
        let all = |tree: &Tree| {
            let node = |(id, node): (_, &cma_harness::tree::Node)| {
                let properties = node.properties.iter();
                let properties: Vec<_> =
                    properties.map(|own| (own.name.clone(), own.value.clone())).collect();
                (tree.path(id), node.labels.clone(), properties)
            };
            tree.nodes().map(node).collect::<Vec<_>>()
        };
        assert_eq!(all(&made), all(&kept), "{}", path.display());
    }
}
