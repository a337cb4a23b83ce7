//! A sweep without a plan in a file, a plan to start from, what it would take, and what it does not
//! write over.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use cma_harness::answer::findings;
use cma_harness::metric::Value;
use cma_harness::report::text;
use cma_harness::sweep::{BUILTIN, Cell, Watch, parse, prepare, run};
use cma_policies::builtin;
use tempfile::TempDir;

/// A folder that `cmalab` is run in.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        let ran = command.args(args).current_dir(self.0.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }

    fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, 0, "{args:?}: {err}");
        out
    }

    /// The message of a command that could not do it.
    fn bad(&self, args: &[&str]) -> String {
        let before = files(self.0.path());
        let (code, out, err) = self.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert_eq!(files(self.0.path()), before, "{args:?}: what was there stays as it is");
        err
    }

    fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(
                files(&path).into_iter().map(|(below, it)| (format!("{name}/{below}"), it)),
            );
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// Options of a small sweep.
const SMALL: [&str; 13] = [
    "sweep",
    "--profile",
    "gpu,imx-note",
    "--policy",
    "kernel,zoned:share=0.25,order=8",
    "--cap",
    "8,4",
    "--pages",
    "64M,0x6000",
    "--seeds",
    "2",
    "--ops",
    "200",
];

#[test]
fn options_make_a_plan_that_is_written_and_made_again() {
    let bench = Bench::new();
    bench.good(&[&SMALL[..], &["--load", "0.7", "--name", "small", "--quiet"]].concat());
    let plan = bench.read("reports/small/plan.toml");
    for line in [
        "name = \"small\"",
        "seeds = 2",
        "caps = [8, 4]",
        "name = \"64-mib\"",
        "name = \"96-mib\"",
        "profile = \"gpu\"",
        "profile = \"imx-note\"",
        "own_area = false",
    ] {
        assert!(plan.lines().any(|own| own == line), "{line}: {plan}");
    }
    assert!(plan.contains("ops = 200 ") && plan.contains("pages = 16384, base_pfn = 0,"), "{plan}");
    let cells = bench.read("reports/small/cells.csv");
    // gpu has two seeds, the case of the note one: each at a LOAD, two boards, two caps, two policies.
    assert_eq!(cells.lines().count(), 1 + (2 + 1) * 2 * 2 * 2);
    let command = bench.read("reports/small/COMMAND");
    let command = command.split(" #").next().unwrap();
    assert_eq!(command, "cmalab sweep reports/small/plan.toml --seed 1");
    let before = files(&bench.path("reports/small"));
    let args: Vec<_> = command.split(' ').skip(1).chain(["--quiet"]).collect();
    bench.good(&args);
    assert_eq!(files(&bench.path("reports/small")), before);
}

#[test]
fn a_plan_that_options_make_is_called_after_them() {
    let bench = Bench::new();
    let name = |args: &[&str]| {
        let json = bench.good(&[args, &["--dry-run", "--format", "json", "--quiet"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["folder"], format!("reports/{}", json["plan"].as_str().unwrap()));
        json["plan"].as_str().unwrap().to_string()
    };
    let gpu = ["sweep", "--profile", "gpu", "--ops", "50", "--seeds", "1"];
    let with = |more: &[&str]| name(&[&gpu[..], more].concat());
    assert_eq!(with(&["--policy", "kernel", "--mib", "64"]), "gpu-kernel-64M-seeds1-ops50");
    assert_eq!(with(&["--policy", "kernel", "--cap", "8,4"]), "gpu-kernel-cap8-4-seeds1-ops50");
    let long =
        |cap| with(&["--policy", "kernel,best-fit,next-fit,two-ended,zoned,buddy", "--cap", cap]);
    let (one, other) = (long("8"), long("4"));
    assert!(one.len() <= 64 && one != other, "{one} {other}");
    assert_eq!(with(&["--name", "mine"]), "mine");
    assert!(files(bench.0.path()).is_empty(), "nothing is written");
}

const PLAN: &str = "name = \"p\"\nseeds = 3\npolicies = [\"kernel\"]\ncaps = [8]\n\
                    [[boards]]\nname = \"b\"\ncaller = \"dma-heap\"\nareas = [{ mib = 64 }]\n\
                    [[streams]]\nprofile = \"gpu\"\nops = 200\n";

#[test]
fn options_take_the_place_of_what_a_plan_says() {
    let bench = Bench::new();
    fs::write(bench.path("p.toml"), PLAN).unwrap();
    let over = ["--policy", "all", "--cap", "4,0", "--mib", "48,64", "--load-mib", "32,40"];
    let more = ["--seeds", "1", "--ops", "100", "--environment", "quiet", "--quiet"];
    bench.good(&[&["sweep", "p.toml"][..], &over, &more].concat());
    let plan = bench.read("reports/p/plan.toml");
    for line in ["caps = [4, 0]", "seeds = 1", "loads_mib = [32, 40]", "environments = [\"quiet\"]"]
    {
        assert!(plan.lines().any(|own| own == line), "{line}: {plan}");
    }
    // Boards are otherwise as the plan's own.
    assert_eq!(plan.matches("caller = \"dma-heap\"").count(), 2, "{plan}");
    assert_eq!(plan.matches("[[boards]]").count(), 2, "{plan}");
    assert!(plan.contains("\"best-fit\"") && plan.contains("ops = 100 "), "{plan}");
    let recipe = ["--recipe", "parallel", "--shards", "2"];
    let recipe = bench.good(&[&["sweep", "p.toml"][..], &over, &recipe].concat());
    let said = "sweep p.toml --policy all --cap 4,0 --mib 48M,64M --load-mib 32M,40M";
    assert!(recipe.contains(said), "{recipe}");
}

#[test]
fn what_is_wrong_is_said_once_and_nothing_is_written() {
    let bench = Bench::new();
    let pools = PLAN.replace(
        "areas = [{ mib = 64 }]",
        "areas = [{ mib = 64 }, { name = \"v\", mib = 8, clients = [\"v\"] }]",
    );
    fs::write(bench.path("pools.toml"), pools).unwrap();
    let table: [(&[&str], &str); 12] = [
        (&["--mib", "641"], "take --mib 640 or 642, or --pages, where any size is taken"),
        (
            &["--pages", "640X"],
            "a whole number is allowed, hexadecimal after 0x, or one with a unit",
        ),
        (&["--policy", "kernle"], "no policy is named \"kernle\""),
        (&["--profile", "cam"], "take --profile: "),
        (&["--cap", "8,8"], "take --cap: an entry of its list is there twice"),
        (&["--pages", "512M,131072"], "take --pages: an entry of its list is there twice"),
        (&["--load", "50M"], "MiB are for --load-mib"),
        (&["--name", "a/b"], "take --name \"a/b\": it has 1 to 64 letters"),
        (&["--hours", "0"], "a number above 0 and at most 87600 (ten years) is allowed"),
        (&["--target", "mtbf=1d"], "name a plan, or profiles, as in --profile camera,video"),
        (&["--profile", "camera", "--pages", "3"], "ask for a larger area or load"),
        (&["pools.toml", "--pages", "3"], "its board b has several areas or ranges"),
    ];
    for (args, expected) in table {
        let message = bench.bad(&[&["sweep", "--quiet"], args].concat());
        assert!(message.contains(expected), "{args:?}: {message}");
    }
}

#[test]
fn a_plan_to_start_from_is_written_once_and_runs() {
    let bench = Bench::new();
    let said = bench.run(&["sweep", "--init"]);
    assert_eq!((said.0, said.1.as_str()), (0, ""));
    assert!(said.2.contains("cmalab sweep my-board.toml --dry-run"), "{}", said.2);
    let message = bench.bad(&["sweep", "--init", "my-board.toml"]);
    assert!(message.contains("it is there already") && message.contains("--init my-board-2"));
    assert!(bench.bad(&["sweep", "--init", "a b"]).contains("1 to 64 letters"));
    bench.bad(&["sweep", "--init", "other", "--cap", "8"]);
    bench.bad(&["sweep", "--init", "no/such/folder"]);
    bench.good(&["sweep", "--init", "other", "--quiet"]);
    assert!(bench.read("other.toml").contains("\nname = \"other\" "), "named as its file");
    assert_eq!(bench.good(&["sweep", "--init", "-"]), bench.read("my-board.toml"));
    // Without a word of warning: it has streams that are long enough for what it asks.
    let (code, out, err) = bench.run(&["sweep", "my-board.toml", "--dry-run"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
}

#[test]
fn a_dry_run_says_what_a_run_makes_and_writes_nothing() {
    let bench = Bench::new();
    fs::write(bench.path("p.toml"), PLAN).unwrap();
    let before = files(bench.0.path());
    let text = bench.good(&["sweep", "p.toml", "--dry-run"]);
    for start in
        ["plan ", "cells ", "board time ", "time here ", "disk ", "would write ", "nothing was"]
    {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let dry = |more: &[&str]| -> serde_json::Value {
        let args =
            [&["sweep", "p.toml", "--dry-run", "--format", "json", "--quiet"], more].concat();
        serde_json::from_str(&bench.good(&args)).unwrap()
    };
    let whole = dry(&[]);
    let halves = [dry(&["--shard", "1/2"]), dry(&["--shard", "2/2"])];
    assert_eq!(files(bench.0.path()), before);
    assert_eq!((&whole["cells"], &whole["ops"]), (&3.into(), &600.into()));
    let cells = halves.iter().map(|half| half["cells"].as_u64().unwrap());
    assert_eq!(cells.sum::<u64>(), 3);
    assert_eq!(whole["other_report_there"], false);
    bench.good(&["sweep", "p.toml", "--quiet"]);
    let written: Vec<_> = files(&bench.path("reports/p")).into_keys().collect();
    let mut would: Vec<_> =
        whole["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    would.sort_unstable();
    assert_eq!(would, written);
    let bytes = bench.read("reports/p/cells.csv").len() as f64;
    let said = whole["cells_csv_bytes"].as_f64().unwrap();
    assert!((0.8..1.3).contains(&(said / bytes)), "{said} of {bytes}");
    // The board time of streams of so many ops is that of those that were tried.
    let time: f64 = column(&bench.read("reports/p/cells.csv"), "board_time_us").iter().sum();
    let said = whole["board_time_us"].as_f64().unwrap();
    assert!((0.5..2.0).contains(&(said / time)), "{said} of {time}");
    assert_eq!(dry(&["--cap", "4"])["other_report_there"], true);
}

fn column(table: &str, name: &str) -> Vec<f64> {
    let mut lines = table.lines();
    let at = lines.next().unwrap().split(',').position(|own| own == name).unwrap();
    lines.map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
}

#[test]
fn a_finished_report_of_another_plan_is_not_written_over() {
    let bench = Bench::new();
    fs::write(bench.path("p.toml"), PLAN).unwrap();
    bench.good(&["sweep", "p.toml", "--quiet"]);
    let there = files(&bench.path("reports/p"));
    // The same plan, written otherwise.
    let comment = format!("# once more\n{PLAN}");
    fs::write(bench.path("p.toml"), comment.replace("mib = 64", "pages = 16384")).unwrap();
    bench.good(&["sweep", "p.toml", "--quiet"]);
    assert_eq!(files(&bench.path("reports/p")), there);
    for args in [
        &["sweep", "p.toml", "--cap", "4"][..],
        &["sweep", "p.toml", "--seed", "9"],
        &["sweep", "p.toml", "--cap", "4", "--resume"],
        &["sweep", "--profile", "gpu", "--ops", "60", "--out", "reports/p"],
    ] {
        let message = bench.bad(&[args, &["--quiet"]].concat());
        assert!(message.contains("another report is there, finished"), "{message}");
        assert!(message.contains("take another folder, or --force to write over it"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let message = bench.bad(&["sweep", "p.toml", "--cap", "4", "--quiet"]);
    assert!(message.contains("with `caps = [8]` where this one has `caps = [4]`"), "{message}");
    bench.good(&["sweep", "p.toml", "--cap", "4", "--force", "--quiet"]);
    assert!(bench.read("reports/p/plan.toml").contains("caps = [4]"));
    // A merge writes there too.
    for shard in ["1/2", "2/2"] {
        bench.good(&["sweep", "p.toml", "--shard", shard, "--quiet"]);
    }
    let message = bench.bad(&["merge", "reports/p-shards", "--quiet"]);
    assert!(message.contains("another report is there, finished"), "{message}");
    bench.good(&["merge", "reports/p-shards", "--force", "--quiet"]);
    assert_eq!(files(&bench.path("reports/p")), there);
}

#[test]
fn a_recommendation_does_not_take_the_place_of_another_report() {
    let bench = Bench::new();
    let line = |words: &str| {
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("cmalab recommend {words} --ops 9 --seed 1 # cmalab {version}\n");
        fs::create_dir_all(bench.path("r")).unwrap();
        fs::write(bench.path("r/COMMAND"), line).unwrap();
    };
    // A file that is not there is what is wrong with the question itself.
    let ask = |more: &[&str]| {
        let asked = ["recommend", "no.csv", "--mib", "64", "--report", "r", "--quiet"];
        bench.bad(&[&asked[..], more].concat())
    };
    line("no.csv --mib 128 --report r");
    let message = ask(&[]);
    let made =
        "write r: another report is there, finished (made by \"cmalab recommend no.csv --mib 128";
    assert!(message.contains(made), "{message}");
    assert!(ask(&["--force"]).contains("no.csv"), "{message}");
    assert!(!ask(&["--force"]).contains("another report"), "{message}");
    line("no.csv --mib 64 --report r");
    for (more, is_refused) in [(&[][..], false), (&["--ops", "7"], false), (&["--seed", "2"], true)]
    {
        let message = ask(more);
        assert_eq!(message.contains("another report"), is_refused, "{more:?}: {message}");
    }
    fs::write(bench.path("p.toml"), PLAN).unwrap();
    let message = bench.bad(&["sweep", "p.toml", "--out", "r", "--quiet"]);
    assert!(message.contains("(made by \"cmalab recommend"), "{message}");
}

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

/// The text of the built-in plan, with fewer and shorter streams and one of its recordings.
#[test]
fn the_text_of_the_built_in_plan_fits_a_terminal_and_ends_with_a_choice() {
    let short = BUILTIN.replace("seeds = 32", "seeds = 2").replace("ops = 3000", "ops = 2000");
    let short = short.replace("loads = [0.7, 0.8, 0.9]", "loads = [0.9]");
    let short = short.replace("ops = 2000", "ops = 1200");
    let mut plan = parse("built in", &short, &builtin::catalog());
    let plan = plan.as_mut().unwrap();
    let mut recordings = 0;
    plan.streams.retain(|stream| {
        let is_recorded = stream.profile().is_none();
        recordings += u32::from(is_recorded);
        !is_recorded || stream.name() == "6.12/pins-a1-dma8"
    });
    assert_eq!((recordings, plan.streams.len()), (4, 6));
    let ready = prepare(plan.clone()).unwrap();
    let table = run(&ready, 0, &Nobody).unwrap();
    let mut out = Vec::new();
    text::write_findings(&ready, &findings(&ready, table.blocks()), false, &mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    for line in said.lines() {
        assert!(line.chars().count() <= 100, "{line}\n{said}");
    }
    let end = said.trim_end().rsplit("\n\n").next().unwrap().replace("\n    ", " ");
    let end: Vec<_> = end.lines().collect();
    assert!(end[0].starts_with("Compared: 8 policies at caps 8, 6, 4, 0, over "), "{end:?}");
    let chosen = end.last().unwrap();
    assert!(chosen.contains("choose cap ") && chosen.contains(", policy "), "{end:?}");
    // It is said of what, and how often it is so.
    assert!(
        chosen.contains("less ENOMEM with free pages than cap 8, policy kernel in "),
        "{end:?}"
    );
}
