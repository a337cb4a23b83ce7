//! The same on the command line.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

struct Bench(TempDir);

impl Bench {
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        command.args(args).current_dir(self.0.path()).output().unwrap()
    }

    fn good(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {message}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn bad(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Two capturing tools' worth: the release in front, events after it.
const TRACE: &str = "[    0.000000] Linux version 6.12.9-arm64-16k (me@host) #1 SMP\n\
    [    0.000000] cma: Reserved 64 MiB at 0x000000007a000000 on node -1\n\
    \u{20}         cam-9 [000] ..... 5.000001: cma_alloc_start: name=reserved count=65 align=7\n\
    \u{20}         cam-9 [000] ..... 5.000002: cma_alloc_finish: name=reserved pfn=0x1e800 \
    page=00000000457da1c0 count=65 align=7 errorno=0\n\
    \u{20}         cam-9 [000] ..... 6.000002: cma_release: name=reserved pfn=0x1e800 \
    page=00000000457da1c0 count=65\n";

fn bench() -> Bench {
    let bench = Bench(TempDir::new().unwrap());
    fs::write(bench.0.path().join("trace.txt"), TRACE).unwrap();
    bench
}

#[test]
fn replay_and_fit_say_how_large_a_page_is_and_what_says_so() {
    let bench = bench();
    let by_name = "pages are of 16 KiB, by the name of the kernel\n";
    let replayed = bench.good(&["replay", "trace.txt"]);
    assert!(replayed.contains(by_name), "{replayed}");
    assert!(replayed.contains("4096 pages at pfn 124928"), "{replayed}");
    let fitted = bench.good(&["fit", "trace.txt"]);
    assert!(fitted.contains(by_name) && fitted.contains("LOAD 65 pages (1 MiB)"), "{fitted}");
    let given = bench.good(&["fit", "trace.txt", "--page-kib", "64"]);
    assert!(given.contains("pages are of 64 KiB, by --page-kib"), "{given}");
    assert!(given.contains("LOAD 65 pages (4.1 MiB)"), "{given}");
    let json = bench.good(&["replay", "trace.txt", "--format", "json"]);
    assert!(
        json.contains("\"page_kib\": 16") && json.contains("\"page_kib_stated\": true"),
        "{json}"
    );
    let csv = bench.good(&["replay", "trace.txt", "--format", "csv"]);
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "page_kib");
    let row = csv.lines().nth(1).unwrap().split(',').nth(column.unwrap());
    assert_eq!(row, Some("16"));
    // A stream or a recording that is written of it says so.
    bench.good(&["replay", "trace.txt", "--to-stream", "s.csv", "--record", "r.csv"]);
    for name in ["s.csv", "r.csv"] {
        let text = fs::read_to_string(bench.0.path().join(name)).unwrap();
        assert!(text.contains("# page_kib=16\n"), "{text}");
        let again = bench.good(&["replay", name]);
        assert!(again.contains("pages are of 16 KiB, by its header"), "{again}");
    }
    let wrong = bench.bad(&["fit", "trace.txt", "--page-kib", "8"]);
    assert!(wrong.contains("4, 16 and 64 are allowed"), "{wrong}");
}

#[test]
fn a_recording_without_a_statement_is_taken_to_have_4_kib() {
    let bench = bench();
    let text = "# area=lab base_pfn=0 pages=64 order_per_bit=0\nidx,kind,id,count,align,result\n\
                0,alloc,7,40,6,0\n";
    fs::write(bench.0.path().join("r.csv"), text).unwrap();
    let said = bench.good(&["replay", "r.csv"]);
    assert!(said.contains("pages are taken to be of 4 KiB: nothing states it\n"), "{said}");
    let json = bench.good(&["fit", "r.csv", "--format", "json"]);
    assert!(json.contains("\"page_kib_stated\": false"), "{json}");
}

#[test]
fn a_sweep_follows_the_pages_of_its_files() {
    let bench = bench();
    let plan = |mib: u64| {
        format!(
            "name = \"p\"\nseeds = 2\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n\
             areas = [{{ mib = {mib} }}]\n[[streams]]\nfit = \"trace.txt\"\nops = 40\n"
        )
    };
    fs::write(bench.0.path().join("p.toml"), plan(64)).unwrap();
    let said = bench.good(&["sweep", "p.toml", "--out", "r"]);
    assert!(said.contains("Pages are of 16 KiB."), "{said}");
    assert!(said.contains("of 4096 pages") && said.contains("default area of 64 MiB"), "{said}");
    let read = |name: &str| fs::read_to_string(bench.0.path().join("r").join(name)).unwrap();
    for name in ["cells.csv", "summary.csv"] {
        let text = read(name);
        let head: Vec<_> = text.lines().next().unwrap().split(',').collect();
        let column = head.iter().position(|name| *name == "page_kib").unwrap();
        let is_16 = |row: &str| row.split(',').nth(column) == Some("16");
        assert!(text.lines().count() > 1 && text.lines().skip(1).all(is_16), "{text}");
    }
    assert!(
        read("plan.toml").contains("page_kib = 16\n")
            && read("plan.toml").contains("step_mib = 32\n")
    );
    assert!(read("report.html").contains("Pages are of 16 KiB."));
    // The same from the plan as it was run.
    let html = read("report.html");
    bench.good(&["sweep", "r/plan.toml", "--out", "again"]);
    let again = fs::read_to_string(bench.0.path().join("again/summary.csv")).unwrap();
    assert_eq!(again, read("summary.csv"));
    assert!(html.contains("64\u{a0}MiB"), "{html}");
    fs::write(bench.0.path().join("p.toml"), plan(34)).unwrap();
    let why = bench.bad(&["sweep", "p.toml", "--out", "other"]);
    assert!(why.contains("multiple of 32 MiB") && why.contains("take 32 or 64"), "{why}");
}

#[test]
fn generate_makes_streams_of_pages_of_any_size() {
    let bench = bench();
    let parts = "[{ profile = \"gpu\", load_mib = 64 }]";
    for what in ["gpu", parts] {
        let args = [
            "generate",
            what,
            "--pages",
            "8192",
            "--page-kib",
            "16",
            "--ops",
            "500",
            "-o",
            "s.csv",
        ];
        bench.good(&args);
        let text = fs::read_to_string(bench.0.path().join("s.csv")).unwrap();
        assert!(text.contains("# page_kib=16\n"), "{text}");
        let counts = text.lines().filter(|line| line.contains(",alloc,"));
        let counts: Vec<u64> =
            counts.map(|line| line.split(',').nth(3).unwrap().parse().unwrap()).collect();
        // 16 MiB at most, and objects of 1 MiB and a page.
        assert!(counts.iter().all(|count| *count <= 1024) && counts.contains(&65), "{counts:?}");
    }
    let why = bench.bad(&["generate", "p.toml", "--page-kib", "16"]);
    assert!(why.contains("read p.toml"), "{why}");
}
