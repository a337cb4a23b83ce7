//! Other texts of the board beside the trace that is fitted.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cma_harness::ingest::{Source, directory};
use cma_harness::op::{Op, Timed};
use cma_harness::page::Page;
use cma_harness::reader::{self, Options};
use cma_harness::seed::Seed;
use cma_harness::workload::fit::Fit;
use cma_policies::builtin;
use serde_json::Value;
use tempfile::TempDir;

pub(super) const TRACE: &str = "6.12-16k-pages-trace.txt.gz";
pub(super) const DMESG: &str = "6.12-16k-pages-dmesg.txt.gz";

fn board(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/board").join(name)
}

/// What is fitted to the trace among these texts.
fn fitted(texts: Vec<Source>) -> Fit {
    let (rows, beside) = reader::sorted(texts).unwrap();
    let options = Options { beside, ..Options::default() };
    Fit::read(&reader::only(rows).unwrap(), &options).unwrap()
}

fn trace_and(text: &str) -> Fit {
    fitted(vec![Source::bytes("text", text.as_bytes()), Source::file(&board(TRACE))])
}

/// LOAD in pages and in KiB, and what was there before.
fn loads(fit: &Fit) -> (u64, u64, u64) {
    (fit.load_pages(), fit.load_pages() * fit.paged.page.kib(), fit.before_pages())
}

/// A folder with these files in it, where the command runs.
pub(super) struct Bench(TempDir);

impl Bench {
    pub(super) fn new() -> Self {
        let bench = Self(TempDir::new().unwrap());
        for name in [TRACE, DMESG] {
            fs::copy(board(name), bench.0.path().join(name)).unwrap();
        }
        bench
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Exit status, and what it prints.
    pub(super) fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        let output = command.args(args).current_dir(self.0.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    pub(super) fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {err}");
        out
    }
}

#[test]
fn a_kernel_log_says_how_large_a_page_is_where_the_area_lies_and_what_was_taken() {
    let alone = fitted(vec![Source::file(&board(TRACE))]);
    assert_eq!((alone.paged.page, alone.paged.by), (Page::Kib4, None));
    let both = fitted(vec![Source::file(&board(TRACE)), Source::file(&board(DMESG))]);
    // 40.5 MiB of 64.
    assert_eq!(loads(&both), (2592, 41_472, 24));
    assert!(both.paged.by.is_some());
    let area = both.area.as_ref().unwrap();
    assert_eq!((area.ranges()[0].pfn.0, area.pages()), (124_928, 4096));
    let states = |fit: &Fit| !fit.warnings.iter().any(|w| w.contains("nothing states the area"));
    assert!(states(&both) && !states(&alone));
}

#[test]
fn every_text_that_states_a_page_does_so_beside_a_trace() {
    for text in [
        "Linux version 6.12.9-arm64-16k (me@host) #1 SMP\n",
        "<5>[    0.000000] Linux version 6.1.20-16k-board (me@host) #3 SMP PREEMPT\n",
        "Mar 03 10:00:00 imx8 kernel: Linux version 6.12.9-arm64-16k (me@host) #1 SMP\n",
        "Linux board 6.12.9-arm64-16k #1 SMP PREEMPT Debian aarch64 GNU/Linux\n",
        "MemTotal:  1024 kB\nHugepagesize:      32768 kB\n",
        "CONFIG_ARM64_16K_PAGES=y\nCONFIG_CMA=y\n",
        "$ getconf PAGESIZE\n16384\n",
        "Page block order: 11\nPages per block:  2048\n",
    ] {
        let fit = trace_and(text);
        assert_eq!((fit.paged.page, loads(&fit).1), (Page::Kib16, 41_472), "{text}");
    }
    // What the boot took for atomic DMA: 128 KiB.
    let pool = "Linux version 6.12.9-arm64-16k (me@host) #1 SMP\n\
                [    0.2] DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations\n";
    let fit = trace_and(pool);
    let said = fit.warnings.iter().find(|warning| warning.contains("for atomic DMA by the boot"));
    assert!(said.is_some_and(|said| said.contains("(text line 2)")), "{:?}", fit.warnings);
    assert_eq!(fit.before_pages(), 8);
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let bench = Bench::new();
    let debugfs = bench.0.path().join("cma/reserved");
    fs::create_dir_all(&debugfs).unwrap();
    for (name, text) in [("base_pfn", "124928\n"), ("count", "4096\n"), ("order_per_bit", "0\n")] {
        fs::write(debugfs.join(name), text).unwrap();
    }
    assert!(directory(&debugfs).is_ok());
    let orders = [
        [TRACE, DMESG, "cma"],
        [TRACE, "cma", DMESG],
        [DMESG, TRACE, "cma"],
        [DMESG, "cma", TRACE],
        ["cma", TRACE, DMESG],
        ["cma", DMESG, TRACE],
    ];
    let run = |order: &[&str; 3]| bench.run(&[&["fit"], &order[..]].concat());
    let first = run(&orders[0]);
    assert!(first.1.contains("LOAD 2592 pages (40.5 MiB), beside 24 pages that were there before"));
    assert!(first.1.contains("pages are of 16 KiB, by the name of the kernel"), "{}", first.1);
    for order in &orders[1..] {
        assert_eq!(run(order), first, "{order:?}");
    }
}

#[test]
fn json_text_and_a_drawn_stream_say_the_same_load() {
    let bench = Bench::new();
    let json = bench.good(&["fit", DMESG, TRACE, "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let keys = ["load_pages", "before_pages", "page_kib"].map(|key| json[key].as_u64());
    assert_eq!(keys, [Some(2592), Some(24), Some(16)]);
    let asked = json["asked_pages"].as_u64().unwrap();
    assert!(asked > 2592, "{asked}");
    for (load_mib, load_pages) in [(None, 2592), (Some("20"), 1280), (Some("81"), 5184)] {
        let mut args = vec!["fit", TRACE, DMESG, "--draw", "d.csv", "--seed", "3"];
        args.extend(load_mib.iter().flat_map(|mib| ["--load-mib", mib]));
        // Of twice the LOAD as many ops are half the time of the file.
        args.extend(["--ops", "6200"]);
        bench.good(&args);
        let drawn = fs::read_to_string(bench.0.path().join("d.csv")).unwrap();
        let head = format!(
            "# model={TRACE}\n# seed=3\n# load_pages={load_pages}\n# before_pages=24\n# page_kib=16\n"
        );
        assert!(drawn.starts_with(&head), "{}", &drawn[..200]);
        let again = Fit::read(&Source::bytes("d", drawn.into_bytes()), &Options::default());
        // A stream asks for what was refused too. Most of that is there at some moment.
        let (most, all) = (again.unwrap().load_pages(), asked * load_pages / 2592);
        assert!((all * 9 / 10..=all + 24).contains(&most), "{load_pages}: {most} of {all}");
    }
}

#[test]
fn load_is_bounded_beside_what_was_there_before() {
    let fit = fitted(vec![Source::file(&board(TRACE)), Source::file(&board(DMESG))]);
    let pages = |op: &Op| if let Op::Alloc { request, .. } = op { request.count() } else { 0 };
    assert_eq!(fit.before().iter().map(pages).sum::<u64>(), fit.before_pages());
    let opens = |fit: &Fit, load_pages| fit.open(load_pages, &Seed::new(1), 10).is_ok();
    let most = 2592 * 64;
    assert_eq!([2592, most, most + 1].map(|load| opens(&fit, load)), [true, true, false]);
    // What the boot took is 256 times of what is asked for.
    let boot = "[    0.000000] cma: Reserved 64 MiB at 0x0000000040000000 on node -1\n\
                [    0.2] DMA: preallocated 4096 KiB GFP_KERNEL pool for atomic allocations\n";
    let fields = "name=reserved pfn=0x40400 page=00000000457da1c0 count=4";
    let mut trace = String::new();
    for second in 5..45 {
        write!(
            trace,
            "cam-9 [000] ..... {second}.000001: cma_alloc_start: name=reserved count=4 align=2\n\
             cam-9 [000] ..... {second}.000002: cma_alloc_finish: {fields} align=2 errorno=0\n\
             cam-9 [000] ..... {second}.500000: cma_release: {fields}\n"
        )
        .unwrap();
    }
    let small = fitted(vec![
        Source::bytes("boot", boot.as_bytes()),
        Source::bytes("trace", trace.into_bytes()),
    ]);
    assert_eq!((small.load_pages(), small.before_pages()), (4, 1024));
    assert_eq!([3, 4, 256, 257].map(|load| opens(&small, load)), [false, true, true, false]);
    let requests = |load: u64| {
        let ops = small.open(load, &Seed::new(1), 200).unwrap();
        let (mut live, mut most) = (0_i64, 0);
        for Timed { op, .. } in ops {
            live += if let Op::Alloc { .. } = op { 4 } else { -4 };
            most = most.max(live);
        }
        most
    };
    assert_eq!([4, 8].map(requests), [4, 8]);
}

#[test]
fn what_is_no_run_or_more_than_one_is_said() {
    let bench = Bench::new();
    bench.write("empty.txt", "");
    bench.write("notes.txt", "hello\n");
    bench.write("s.csv", "at_us,op,id,count,align\n0,alloc,1,4,dma\n");
    fs::create_dir(bench.0.path().join("folder")).unwrap();
    let no_event = "no cma event is in it, so it says something only beside a trace";
    for (args, words) in [
        (&[DMESG][..], no_event),
        (&[DMESG, DMESG], no_event),
        (&["s.csv", DMESG], no_event),
        (&["s.csv", TRACE], "it is a run of its own, as s.csv is; name one of them"),
        (&[TRACE, DMESG, TRACE], "it is a run of its own"),
        (&["empty.txt"], "empty.txt line 1: no row of column names; a recording has"),
        (&[TRACE, "folder"], "read folder: no file of debugfs cma/"),
        (&[TRACE, "nothing.txt"], "read nothing.txt: No such file"),
        (&["-", "-"], "read standard input twice; name - once"),
        (&[TRACE, "-", "--snapshot", "-"], "read standard input twice"),
    ] {
        let (code, out, err) = bench.run(&[&["fit"], args].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(
            err.starts_with("error: failed to read ") && err.contains(words),
            "{args:?}: {err}"
        );
    }
    for silent in ["empty.txt", "notes.txt"] {
        let (code, _, err) = bench.run(&["fit", TRACE, silent]);
        let said = format!("{silent} says nothing of its board: no line of it is known");
        assert!(code == Some(0) && err.contains(&said), "{err}");
    }
    let (_, _, err) = bench.run(&["fit", TRACE, DMESG]);
    assert!(!err.contains("says nothing"), "{err}");
}

#[test]
fn the_area_of_a_file_may_be_given() {
    let bench = Bench::new();
    bench.write("s.csv", "at_us,op,id,count,align\n0,alloc,1,4,dma\n9,free,1,,\n");
    let unknown = bench.good(&["fit", "s.csv"]);
    assert!(unknown.starts_with("whether it reproduces the file is not known"), "{unknown}");
    let given = bench.good(&["fit", "s.csv", "--pages", "1024"]);
    // A stream does not say what was refused.
    assert!(given.contains("the file does not say what was refused"), "{given}");
    assert!(given.contains("are predicted") && given.contains("4 MiB)"), "{given}");
}

#[test]
fn a_plan_names_them_as_a_list() {
    let bench = Bench::new();
    let plan = |key: &str, files: &str| {
        format!(
            "name = \"p\"\nseeds = 2\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n\
             areas = [{{ mib = 64 }}]\n[[streams]]\n{key} = {files}\n{}",
            if key == "fit" { "ops = 400\n" } else { "" }
        )
    };
    for key in ["fit", "file"] {
        let mut written = Vec::new();
        for files in [[DMESG, TRACE], [TRACE, DMESG]] {
            bench.write("p.toml", &plan(key, &format!("{files:?}")));
            bench.good(&["sweep", "p.toml", "--out", "r", "--quiet"]);
            let read =
                |name: &str| fs::read_to_string(bench.0.path().join("r").join(name)).unwrap();
            written.push([read("plan.toml"), read("cells.csv")]);
            fs::remove_dir_all(bench.0.path().join("r")).unwrap();
        }
        assert_eq!(written[0], written[1]);
        let [plan, cells] = &written[0];
        // The pages of the board are those of the kernel log; the trace names the stream.
        assert!(plan.contains("page_kib = 16") && plan.contains("pages = 4096"), "{plan}");
        assert!(plan.contains(&format!("{key} = [\"{TRACE}\", \"{DMESG}\"]\n")), "{plan}");
        assert!(cells.lines().nth(1).unwrap().starts_with(&format!("1,p,0,{TRACE},")), "{cells}");
        if key == "fit" {
            assert!(plan.contains("# LOAD is that of the file, 2592 pages, beside 24 that were"));
            assert!(cells.contains(",model,0.6328125,4096,"), "{cells}");
        }
    }
    // A sweep is not resumed where what is beside the trace has changed.
    let sums = ["getconf PAGESIZE 16384\n", "PAGESIZE 16384\n"].map(|text| {
        bench.write("page.txt", text);
        bench.write("p.toml", &plan("fit", &format!("[{TRACE:?}, \"page.txt\"]")));
        bench.good(&["sweep", "p.toml", "--out", text.trim(), "--quiet"]);
        let ran = bench.0.path().join(text.trim()).join("plan.toml");
        let ran = fs::read_to_string(ran).unwrap();
        ran.lines().find(|line| line.starts_with("# sum over")).unwrap().to_string()
    });
    assert_ne!(sums[0], sums[1]);
    for (files, words) in [
        ("[]", "line 8, column 7: the list names no file"),
        ("[3]", "line 8, column 7: a path is allowed, or a list"),
        ("[\"a\\nb\", \"c\"]", "line 8, column 7: file is \"a\\nb\""),
    ] {
        let error = cma_harness::sweep::parse("p", &plan("fit", files), &builtin::catalog());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
