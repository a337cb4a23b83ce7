//! Mixes on the command line: written, read by everything that reads streams, swept in parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// An empty folder, and `cmalab` run in it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        command.args(args).current_dir(self.0.path()).output().unwrap()
    }

    /// Runs what has to end well, and gives what it prints.
    fn good(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {message}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what cannot be done, and gives its one message.
    fn bad(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(output.stdout.is_empty() && message.lines().count() == 1, "{args:?}: {message}");
        message
    }
}

const PARTS: &str = "[{ profile = \"camera\", load_mib = 64 }, { profile = \"gpu\", load_mib = 40 }, \
                     { file = \"own.csv\", repeat = true, as = \"dsp\" }]";
const OWN: &str = "at_us,op,id,count,align,client\n\
                   100000,alloc,1,700,dma,vpu\n2000000,free,1,,,\n2500000,alloc,2,9,dma,vpu\n";

fn plan(streams: &str) -> String {
    format!(
        "name = \"p\"\nseeds = 4\npolicies = [\"kernel\", \"best-fit\"]\n\
         [[boards]]\nname = \"one\"\nareas = [{{ mib = 112 }}]\n\
         [[boards]]\nname = \"two\"\nareas = [{{ mib = 64 }}, {{ name = \"q\", mib = 48, \
         clients = [\"app\", \"dsp\"] }}]\n{streams}"
    )
}

/// A plan whose second stream is the mix.
fn second() -> String {
    plan(&format!(
        "[[streams]]\nprofile = \"gpu\"\nops = 90\n[[streams]]\nhours = 0.05\nmix = {PARTS}\n"
    ))
}

#[test]
fn a_mix_is_the_same_by_parts_by_its_file_and_by_its_plan() {
    let bench = Bench::new();
    bench.write("own.csv", OWN);
    bench.write("m.toml", &format!("# of a board\nmix = {PARTS}\n"));
    bench.write("p.toml", &second());
    let by_parts = bench.good(&["generate", PARTS, "--seed", "3", "--ops", "3000"]);
    let head = "# mix=camera+gpu+dsp\n# seed=3\n# load_pages=27324\n# base_pfn=0\n# pages=286720\n\
                # order_per_bit=0\nat_us,op,id,count,align,client,area\n";
    assert!(by_parts.starts_with(head), "{}", &by_parts[..300]);
    assert_eq!(by_parts.lines().count(), 7 + 3000);
    for what in ["m.toml", "p.toml"] {
        assert_eq!(bench.good(&["generate", what, "--seed", "3", "--ops", "3000"]), by_parts);
    }
    let picked = ["generate", "p.toml", "--stream", "2", "--seed", "3", "--ops", "3000"];
    assert_eq!(bench.good(&picked), by_parts);
    // Board time from the first op on.
    let hours = bench.good(&["generate", "m.toml", "--hours", "0.05", "--seed", "3"]);
    let rows: Vec<_> = hours.lines().skip(7).collect();
    let time = |row: &str| row.split(',').next().unwrap().parse::<u64>().unwrap();
    let (first, last) = (time(rows[0]), time(rows[rows.len() - 1]));
    assert!((170_000_000..180_000_000).contains(&(last - first)), "{first} to {last}");
    let shorter = bench.good(&["generate", "camera", "--hours", "0.01"]);
    assert!((20..2000).contains(&shorter.lines().count()), "{}", shorter.lines().count());
}

#[test]
fn what_reads_streams_reads_a_mix() {
    let bench = Bench::new();
    let few = ["--ops", "3000", "--pages", "65536", "-o", "m.csv"];
    bench.good(&[&["generate", "rpi-camera-encoder-gpu"], &few[..]].concat());
    let replayed = bench.good(&["replay", "m.csv", "--policy", "kernel", "--format", "csv"]);
    assert_eq!(replayed.lines().count(), 2);
    let small = ["replay", "m.csv", "--pages", "40960", "--policy", "kernel"];
    assert!(bench.good(&small).contains("first at line"));
    let shrunk = ["shrink", "m.csv", "--pages", "40960", "--policy", "kernel", "-o", "s.csv"];
    assert!(bench.good(&shrunk).contains("were asked for"));
    let again = bench.good(&["replay", "s.csv", "--policy", "kernel"]);
    assert!(again.contains("first at line"), "{again}");
    let area = ["--pages", "1024", "--largest", "512", "--align", "dma"];
    let tried = ["--tries", "0", "--from", "m.csv", "--format", "csv"];
    let attacked = bench.good(&[&["attack"], &area[..], &tried[..]].concat());
    // What is above n or above the area is not asked for; the rest is refused by itself.
    let row = attacked.lines().find(|row| row.contains(",stream,m.csv,")).expect(&attacked);
    assert!(row.contains(",alignment,") || row.contains(",fragmentation,"), "{row}");
    let fit = bench.good(&["fit", "m.csv", "--format", "json"]);
    assert!(fit.contains("\"camera"), "{}", &fit[..200]);
}

#[test]
fn what_there_is_no_mix_of_is_said_in_one_message() {
    let bench = Bench::new();
    bench.write("own.csv", OWN);
    bench.write("p.toml", &second());
    bench.write("none.toml", &plan("[[streams]]\nprofile = \"gpu\"\n"));
    let two = "[[streams]]\nmix = \"rpi-camera-encoder-gpu\"\n";
    bench.write("two.toml", &plan(&format!("{two}ops = 5\n{two}ops = 6\n")));
    bench.write("bad.toml", "mix = [\n  { profile = \"gpu\" },\n]\n");
    bench.write("m.toml", &format!("mix = {PARTS}\n"));
    for (args, words) in [
        (&["nix"][..], "no profile is named \"nix\""),
        (&["nix"], "no mix is named \"nix\" either; there are imx8m-camera-vpu-display, rpi-"),
        (
            &["[{ profile = \"gpu\" }]"],
            "read plan MIX line 1, column 2: the part states no load_mib",
        ),
        (&["[{ file = \"gone.csv\" }]"], "read plan MIX line 1, column 2: read gone.csv: No such"),
        (&["bad.toml"], "read plan bad.toml line 2, column 3: the part states no load_mib"),
        (&["gone.toml"], "failed to read gone.toml: No such file"),
        (&["none.toml"], "take a mix from none.toml: no stream of the plan is a mix"),
        (&["two.toml"], "its mixes are streams 1, 2; choose one with --stream N"),
        (&["two.toml", "--stream", "3"], "take stream 3 of two.toml for a mix: its mixes are"),
        (&["p.toml", "--stream", "1"], "its mix is stream 2"),
        (&["m.toml", "--stream", "1"], "m.toml is one mix and no plan"),
        (&["camera", "--stream", "1"], "--stream, which is for a plan"),
        (&["rpi-camera-encoder-gpu", "--stream", "1"], "--stream, which is for a plan"),
        (&["rpi-camera-encoder-gpu", "--load", "0.5"], "each of its parts states its own load_mib"),
        (&["rpi-camera-encoder-gpu", "--pages", "0"], "an area of 0 pages"),
    ] {
        let message = bench.bad(&[&["generate"], args].concat());
        assert!(message.contains(words), "{args:?}: {message}");
    }
    // The command line's own messages have more lines.
    for args in [&["--hours", "0"][..], &["--hours", "-1"], &["--hours", "1", "--ops", "5"]] {
        let output = bench.run(&[&["generate", "camera"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    bench.write("p.toml", &second().replace("own.csv", "gone.csv"));
    let message = bench.bad(&["sweep", "p.toml"]);
    let column = 1 + "mix = ".len() + PARTS.find("{ file").unwrap();
    let place = format!("failed to read plan p.toml line 15, column {column}: read gone.csv: No");
    assert!(message.contains(&place), "{message}");
    assert!(!bench.path("reports").exists());
}

#[test]
fn the_mixes_are_listed() {
    let bench = Bench::new();
    let list = bench.good(&["list", "mixes"]);
    assert!(list.contains("rpi-camera-encoder-gpu\n") && list.contains("load_mib: 368"), "{list}");
    let json = bench.good(&["list", "mixes", "--format", "json"]);
    assert_eq!(json.matches("\"parts_mib\"").count(), 2);
}

/// Every file of a report, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn any_number_of_threads_and_of_shards_leaves_the_same_bytes() {
    let bench = Bench::new();
    bench.write("own.csv", OWN);
    bench.write("p.toml", &second());
    bench.good(&["sweep", "p.toml", "--out", "one", "--jobs", "1", "--quiet"]);
    let one = files(&bench.path("one"));
    let cells = fs::read_to_string(bench.path("one/cells.csv")).unwrap();
    let of_mix = cells.lines().filter(|row| row.contains(",camera+gpu+dsp,mix,")).count();
    assert_eq!(of_mix, 2 * 2 * 4, "{}", cells.lines().next_back().unwrap());
    for jobs in ["2", "7"] {
        bench.good(&["sweep", "p.toml", "--out", jobs, "--jobs", jobs, "--quiet"]);
        assert!(files(&bench.path(jobs)) == one, "{jobs} threads");
    }
    for shard in 1..=3 {
        let (part, out) = (format!("{shard}/3"), format!("parts/{shard}"));
        bench.good(&["sweep", "p.toml", "--shard", &part, "--out", &out, "--quiet"]);
    }
    bench.good(&["merge", "parts", "--out", "merged", "--quiet"]);
    assert!(files(&bench.path("merged")) == one, "shards");
    // What it wrote can be run again.
    bench.good(&["sweep", "one/plan.toml", "--out", "again", "--quiet"]);
    let cells_again = fs::read_to_string(bench.path("again/cells.csv")).unwrap();
    assert!(cells_again == cells);
}
