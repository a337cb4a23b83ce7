//! The command line as somebody meets it: what it prints, and how it ends.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const STREAM: &str = "# pages=2048 base_pfn=0 order_per_bit=0\n\
                      at_us,op,id,count,align,client,area\n\
                      0,alloc,1,257,dma,vpu,\n\
                      1,alloc,2,257,dma,vpu,\n\
                      2,alloc,3,257,dma,vpu,\n\
                      3,alloc,4,257,dma,vpu,\n\
                      4,alloc,5,255,dma,vpu,\n\
                      5,free,5,,,vpu,\n\
                      6,alloc,6,128,7,,\n";

const RECORDING: &str = "# kernel=6.12.1 base_pfn=0 pages=64 order_per_bit=0\n\
                         idx,kind,id,count,align,result,retries,free,maxrun,note\n\
                         0,pin,3,1,,0,,,,\n\
                         1,alloc,1,4,2,4,1,60,56,\n";

/// A folder with these two files in it, and `cmalab` run in it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("s.csv"), STREAM).unwrap();
        fs::write(folder.path().join("r.csv"), RECORDING).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        command.args(args).current_dir(self.path()).env_remove("NO_COLOR");
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        ends(self.command(args).output().unwrap())
    }

    /// Its output, where it ends well.
    fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn ends(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn replay_shows_what_was_refused_and_why() {
    let out = Bench::new().good(&["replay", "s.csv", "--cap", "8", "--cap", "0"]);
    let expected = "\
s.csv: stream, errno as kernel 6.12
area cma: 2048 pages at pfn 0 (8 MiB), order_per_bit 0
7 rows, 6 allocs; 5 of them follow the cap (83.333 %), the others keep their order
LOAD 1283 pages (5 MiB), 62.646 % of the area

policy  cap  requests  granted  refused  with free pages    of all  of satisfiable  \
first at request  area in use then
kernel    8         6        5        1                1  16.667 %        16.667 %                 \
5          50.195 %
kernel    0         6        6        0                0   0.000 %         0.000 %

kernel at cap 8: refused by cause: alignment 1
    first at line 7, ret: -12, alignment: 255 pages at order 8 were asked for; 1020 of 2048 are \
free (49.8 %), but no hole has more than 0 from an aligned page on: the longest hole, 255@257, has \
its first aligned page at 512, and 512 + 255 = 767 is past its end at 512; at order 0 it \
would fit
kernel at cap 0: nothing was refused
";
    assert_eq!(out, expected);
}

#[test]
fn the_kernel_s_row_says_what_is_printed() {
    let bench = Bench::new();
    let out = bench.good(&["replay", "s.csv", "--kernel", "6.15.3"]);
    assert!(out.contains("first at line 7, ret: -16, alignment"), "{out}");
    let out = bench.good(&["replay", "s.csv", "--kernel", "android"]);
    assert!(out.contains("kernel:row=android at cap 8: refused by cause: alignment 1"), "{out}");
    let out = bench.good(&["replay", "s.csv", "--pages", "100"]);
    assert!(out.contains("kernel 6.12 prints nothing, too_large: 257 pages"), "{out}");
}

/// Three buffers of 257 pages, one of which was live before; the second one's first claim is busy.
const TRACE: &str = "\
# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
      vpu dec-71      [003] .....    41.000100: cma_alloc_start: name=multimedia count=257 align=8
      vpu dec-71      [003] .....    41.000150: cma_alloc_finish: name=multimedia pfn=0x90200 \
page=00000000a1b2c3d4 count=257 align=8 errorno=0
      vpu dec-71      [003] .....    41.000300: cma_alloc_start: name=multimedia count=257 align=8
      vpu dec-71      [003] .....    41.000350: cma_alloc_busy_retry: name=multimedia pfn=0x90400 \
page=00000000a1b2c3d5 count=257 align=8
      vpu dec-71      [003] .....    41.000400: cma_alloc_finish: name=multimedia pfn=0x90500 \
page=00000000a1b2c3d6 count=257 align=8 errorno=0
     isp/4:2-9       [000] .....    41.000500: cma_release: name=multimedia pfn=0x90000 \
page=00000000a1b2c3d7 count=257
";

#[test]
fn a_trace_is_replayed_like_a_recording() {
    let bench = Bench::new();
    fs::write(bench.path().join("t.txt"), TRACE).unwrap();
    let args = ["replay", "t.txt", "--quiet", "--policy", "kernel", "--cap", "8", "--cap", "4"];
    let expected = "\
t.txt: trace, errno as kernel 6.12
area multimedia: 2048 pages at pfn 589824 (8 MiB), order_per_bit 0
3 rows, 2 allocs; 2 of them follow the cap (100.000 %), the others keep their order
recorded with cap 8: 2 calls for 257 pages (the first on line 4) ask for order 8
policy kernel answers 2 calls as traced, 0 differently; of 0 the trace does not say
LOAD 771 pages (3 MiB), 37.646 % of the area
";
    let out = bench.good(&args);
    assert!(out.starts_with(expected), "{out}");
    let (code, out, err) = bench.run(&["replay", "t.txt", "--expect", "recorded"]);
    let expected = "\
t.txt under kernel, kernel 6.12: 3 ops, 5 fields compared, 0 mismatches
    of its calls 2 are answered as traced, 0 differently; of 0 it does not say
";
    assert_eq!((code, out.as_str()), (0, expected));
    assert!(err.contains("nothing states the area"), "{err}");
    assert!(err.contains("1 buffer, 257 pages, was live before"), "{err}");

    // A folder of debugfs states the area.
    let folder = bench.path().join("multimedia");
    fs::create_dir(&folder).unwrap();
    for (file, content) in [("base_pfn", "589824\n"), ("count", "1792\n"), ("order_per_bit", "0\n")]
    {
        fs::write(folder.join(file), content).unwrap();
    }
    let with = ["--snapshot", "multimedia", "--to-stream", "s2.csv", "--format", "json"];
    let out = bench.good(&[&args[..], &with].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let file = &json["files"][0];
    assert_eq!((&file["format"], &file["area_pages"]), (&"trace".into(), &1792.into()));
    assert_eq!(file["as_traced"]["equal"], 2);
    assert_eq!(file["runs"][1]["environment"], "scripted");
    let stream = fs::read_to_string(bench.path().join("s2.csv")).unwrap();
    assert!(stream.contains("# pages=1792\n") && stream.contains(",257,dma,vpu dec,"), "{stream}");
    assert_eq!(bench.good(&["replay", "s2.csv"]).lines().next().unwrap().split(',').count(), 2);

    let (code, out, err) = bench.run(&["replay", "t.txt", "--area", "video"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no event is of area \"video\""), "{err}");
}

#[test]
fn replay_writes_json_and_csv() {
    let bench = Bench::new();
    let args = ["replay", "s.csv", "r.csv", "--policy", "kernel", "--policy", "best-fit"];
    let out = bench.good(&[&args[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["schema"], 1);
    let run = &json["files"][0]["runs"][1];
    assert_eq!((&run["policy"], &run["cap"]), (&"best-fit".into(), &8.into()));
    let metrics = &run["metrics"];
    assert_eq!((&metrics["requests"], &metrics["alignment"]), (&6.into(), &1.into()));
    assert_eq!(run["first_failure"]["line"], 7);
    assert_eq!(json["files"][1]["format"], "recording");

    let out = bench.good(&[&args[..], &["--format", "csv"]].concat());
    let rows: Vec<Vec<_>> = out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 5);
    let names: std::collections::BTreeSet<_> = rows[0].iter().collect();
    assert_eq!(names.len(), rows[0].len(), "a column has its name alone: {:?}", rows[0]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{out}");
    assert_eq!(rows[0][..7].join(","), "schema,file,kernel,policy,cap,environment,requests");
    assert_eq!(rows[1][..7].join(","), "1,s.csv,6.12,kernel,8,pinned,6");
    let first = rows[0].iter().position(|name| *name == "first_failure_line").unwrap();
    let (line, errno) = (first, first + 2);
    assert_eq!(
        rows[0][line..=errno].join(","),
        "first_failure_line,first_failure_cause,first_failure_errno"
    );
    assert_eq!(rows[1][line..=errno].join(","), "7,alignment,-12");
    assert_eq!(rows[3][line..=errno].join(","), ",,");
}

#[test]
fn a_recording_that_agrees_ends_with_0_and_one_that_does_not_with_1() {
    let bench = Bench::new();
    let args = ["replay", "r.csv", "--policy", "kernel", "--expect", "recorded"];
    let expected = "r.csv under kernel, kernel 6.12: 2 ops, 5 fields compared, 0 mismatches\n";
    assert_eq!(bench.good(&args), expected);

    fs::write(bench.path().join("r.csv"), RECORDING.replace("2,4,1,60", "2,8,1,61")).unwrap();
    let expected = "\
r.csv under kernel, kernel 6.12: 2 ops, 5 fields compared, 2 mismatches
    line 4, idx 1, alloc 1 of 4 pages at order 2: result is 4, recorded is 8
    line 4, idx 1, alloc 1 of 4 pages at order 2: free is 60, recorded is 61
";
    assert_eq!(bench.run(&args), (1, expected.to_string(), String::new()));

    // The bitmaps beside it count, too; a kernel whose trace has no errno says so.
    let old = RECORDING.replace("6.12.1", "6.1.9");
    fs::write(bench.path().join("r.csv"), old).unwrap();
    fs::write(bench.path().join("r.bitmaps"), "1 0+3 8+56\n").unwrap();
    let expected = "\
r.csv under kernel, kernel 6.1: 2 ops, 6 fields compared, 1 mismatches
    the sign of a result and the retries are evidence, -12 against -16 is derived from them
    line 4, idx 1, alloc 1 of 4 pages at order 2: bitmap is 0+4 as free run 0, recorded is 0+3 as \
free run 0
";
    assert_eq!(bench.run(&args), (1, expected.to_string(), String::new()));
    let json = bench.run(&[&args[..], &["--format", "json"]].concat()).1;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["comparisons"][0]["mismatches"], 1);
    assert_eq!(json["comparisons"][0]["first"][0]["field"], "bitmap");
}

#[test]
fn what_came_out_is_recorded_and_compares_with_itself() {
    let bench = Bench::new();
    let rows = "\
# kernel=6.12.1 base_pfn=512 pages=64 order_per_bit=0
idx,kind,id,count,align
0,pin,3,1,
1,pin,0,1,
2,alloc,1,4,2
3,alloc,2,60,0
4,alloc,3,65,0
5,free,1,2,
6,unpin,9,1,
7,free,2,,
8,free,1,,
";
    fs::write(bench.path().join("in.csv"), rows).unwrap();
    bench.good(&["replay", "in.csv", "--record", "new.csv"]);
    let expected = "\
# kernel=6.12
# cap=8
# policy=kernel
# base_pfn=512 pages=64 order_per_bit=0
idx,kind,id,count,align,result,retries,free,maxrun,note
0,pin,3,1,,0,,64,64,
1,pin,0,1,,0,,,,
2,alloc,1,4,2,4,1,,,
3,alloc,2,60,0,-12,0,60,56,
4,alloc,3,65,0,-12,0,60,56,
5,free,1,2,,4,,,,offset=0
6,unpin,9,1,,-2,,,,
7,free,2,,,nop,,,,
8,free,1,,,6,,,,
";
    assert_eq!(fs::read_to_string(bench.path().join("new.csv")).unwrap(), expected);
    let out = bench.good(&["replay", "new.csv", "--expect", "recorded"]);
    assert!(out.ends_with("9 ops, 18 fields compared, 0 mismatches\n"), "{out}");
    let (code, _, err) = bench.run(&["replay", "s.csv", "in.csv", "--record", "two.csv"]);
    assert_eq!((code, bench.path().join("two.csv").exists()), (2, false), "{err}");
}

/// Ranges that touch, eight in mixed order, and three that descend and have tails without a bit.
#[test]
fn areas_of_several_ranges_are_written_and_read_back_in_their_order() {
    let bench = Bench::new();
    let eight = "9000:2048,1000:4096,20480:64,5120:2048,15000:5000,12000:2048,40960:64,30000:128";
    for (ranges, order, other) in [
        ("1024:8192,9216:8192", "0", "1024:16384"),
        (
            eight,
            "1",
            "1000:4096,9000:2048,20480:64,5120:2048,15000:5000,12000:2048,40960:64,30000:128",
        ),
        ("65536:5000,32768:2048,8192:9000", "10", "8192:9000,32768:2048,65536:5000"),
    ] {
        let generate = ["generate", "gpu", "--load", "1.2", "--ops", "600", "--seed", "3"];
        bench.good(&[&generate[..], &["--ranges", ranges, "-o", "g.csv"]].concat());
        let under = ["--order-per-bit", order, "--kernel", "7.3.4"];
        bench.good(&[&["replay", "g.csv", "--record", "r.csv"][..], &under].concat());
        let text = fs::read_to_string(bench.path().join("r.csv")).unwrap();
        let stated = format!("order_per_bit={order} ranges={ranges}\n");
        assert!(text.contains(&stated) && text.contains(",-16,"), "{text}");
        assert_eq!(text.contains("avail="), order != "0", "{ranges}");
        let expect = ["replay", "r.csv", "--expect", "recorded"];
        let out = bench.good(&expect);
        assert!(out.contains(" 0 mismatches\n") && out.contains("avail "), "{out}");
        bench.good(&["replay", "r.csv", "--to-stream", "s2.csv"]);
        let again = fs::read_to_string(bench.path().join("s2.csv")).unwrap();
        assert!(again.contains(&format!("# ranges={ranges}\n")), "{again}");
        let (code, out, err) = bench.run(&[&expect[..], &["--ranges", other]].concat());
        assert_eq!(code, 1, "{other}: {out}{err}");
    }
    let out = bench.good(&["replay", "r.csv"]);
    assert!(out.contains("16048 pages in 3 ranges, 5000 at pfn 65536, 2048 at pfn 32768"), "{out}");
    assert!(out.contains("1712 pages (6.7 MiB) of it have no bit and are never granted"), "{out}");
}

#[test]
fn a_release_inside_a_bit_is_counted() {
    let bench = Bench::new();
    let rows = "# pages=64 order_per_bit=2\nat_us,op,id,count,align,client,area,offset\n\
                0,alloc,1,10,0,,,\n1,free,1,4,,,,0\n2,free,1,1,,,,4\n\
                3,alloc,2,8,0,,,\n4,free,2,4,,,,4\n";
    fs::write(bench.path().join("part.csv"), rows).unwrap();
    let said = "1 release of a part of a buffer cut a bit of 4 pages: the kernel clears all of it";
    assert!(bench.good(&["replay", "part.csv"]).contains(said));
    let json = bench.good(&["replay", "part.csv", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["files"][0]["warnings"][0].as_str().unwrap().starts_with(said), "{json}");
    let whole = rows.replace("order_per_bit=2", "order_per_bit=0");
    fs::write(bench.path().join("part.csv"), whole).unwrap();
    assert!(!bench.good(&["replay", "part.csv"]).contains("cut a bit"));
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let bench = Bench::new();
    let mut child = bench
        .command(&["replay", "-", "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(STREAM.as_bytes()).unwrap();
    let (code, out, err) = ends(child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.lines().nth(1).unwrap().starts_with("1,standard input,6.12,kernel,8,"), "{out}");
}

#[test]
fn bad_input_is_one_message_and_leaves_no_file() {
    let bench = Bench::new();
    let file = |name: &str, text: &str| fs::write(bench.path().join(name), text).unwrap();
    file("bad.csv", &STREAM.replace("257,dma", "4x6,dma"));
    file("late.csv", &(STREAM.to_string() + "1,free,6,,,,\n"));
    file("bare.csv", STREAM.split_once('\n').unwrap().1);
    file("two.csv", &STREAM.replacen('\n', " pages=64\n", 1));
    file("pin.csv", &RECORDING.replace("pin,3", "pin,64"));
    file("m.csv", "# ranges=64:32,80:32\nat_us,op,id,count,align\n");
    file("sum.csv", "# pages=64 ranges=64:32,128:16\nat_us,op,id,count,align\n");
    file("m9.csv", "# ranges=64:32,80:x\nat_us,op,id,count,align\n");
    let rows = "# ranges=64:32,128:32\nidx,kind,id,count,align\n";
    file("r.csv", rows);
    file("at.csv", &format!("{rows}0,pin,30,4,\n"));
    for (number, base) in ["64", "512"].into_iter().enumerate() {
        let range = bench.path().join(format!("snap/ranges/{number}"));
        fs::create_dir_all(&range).unwrap();
        fs::write(range.join("base_pfn"), format!("{base}\n")).unwrap();
    }
    file("gone.csv.gz", "\u{1f}\u{8b}");
    fs::write(bench.path().join("cut.csv.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    let before = bench.files();
    let table: [(&[&str], &str); 32] = [
        (&["replay", "none.csv"], "failed to read none.csv: No such file"),
        (&["replay", "."], "failed to read ."),
        (&["replay", "bad.csv"], "read bad.csv line 3, column 11: count \"4x6\" is not a number"),
        (&["replay", "late.csv"], "read late.csv line 10, column 1: at_us 1 is before 6"),
        (&["replay", "two.csv"], "read two.csv line 1, column 47: pages is 64, but 2048 above"),
        (&["sweep", "none.toml"], "failed to read none.toml: No such file"),
        (&["replay", "s.csv", "late.csv"], "read late.csv line 10, column 1"),
        (&["replay", "bare.csv"], "read bare.csv: the stream states no pages"),
        (&["replay", "pin.csv"], "read pin.csv line 3, column 7: 1 pages from page 64 on"),
        (&["replay", "cut.csv.gz"], "failed to read cut.csv.gz"),
        (&["replay", "s.csv", "--policy", "bst"], "no policy is named \"bst\"; there are kernel,"),
        (&["replay", "s.csv", "--policy", "kernel:rows=1"], "at character 8: policy kernel has no"),
        (&["replay", "s.csv", "--policy", "kernel:row=7"], "at character 12: parameter row of"),
        (&["replay", "s.csv", "--environment", "calm"], "no environment is named \"calm\""),
        (&["replay", "s.csv", "--environment", "pinned:share=2"], "share of environment pinned"),
        (&["replay", "s.csv", "--kernel", "2.6"], "find kernel \"2.6\"; a release from 4.11 on"),
        (&["replay", "s.csv", "--pages", "1000000000000000000"], "at most 67108864 are allowed"),
        (&["replay", "s.csv", "--order-per-bit", "12"], "less than a bit has, 4096 pages"),
        (&["replay", "s.csv", "--ranges", "0:64,60:9"], "read s.csv: no area has the ranges 0:64,"),
        (&["replay", "m.csv"], "read m.csv line 1: no area has the ranges 64:32,80:32 with"),
        (&["replay", "sum.csv"], "read sum.csv line 1: pages is 64, but 48 by the 2 ranges"),
        (&["replay", "m9.csv"], "read m9.csv line 1, column 10: range \"80:x\" is not BASE:PAGES"),
        (&["replay", "at.csv"], "line 3, column 7: 4 pages from page 30 on are not inside one of"),
        (&["replay", "r.csv", "--snapshot", "snap"], "begin at pfn 64, 512, those of the rows at "),
        (&["generate", "gpu", "--ranges", "0:64,60:9"], "range 1 shares pages with range 0"),
        (&["attack", "--ranges", "0:64,60:9"], "range 1 shares pages with range 0"),
        (&["replay", "s.csv", "--expect", "recorded"], "it is a stream, which records no answers"),
        (&["generate", "disco"], "no profile is named \"disco\"; there are camera,"),
        (&["generate", "gpu", "--pages", "0"], "for an area of 0 pages: the count of pages must"),
        (&["generate", "gpu", "--load", "nan"], "make the stream: load NaN is out of bounds"),
        (&["generate", "gpu", "--format", "json"], "write json: generate writes text and csv"),
        (&["conform", "--policy", "nobody"], "no policy is named \"nobody\""),
    ];
    for (args, expected) in table {
        let with_out = [args, &["-o", "out.csv"]].concat();
        let args = if args[0] == "conform" { args } else { &with_out };
        let (code, out, err) = bench.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.starts_with("error: failed to ") && err.contains(expected), "{args:?}: {err}");
        assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
        assert_eq!(bench.files(), before, "{args:?}");
    }
}

#[test]
fn a_sweep_that_is_stopped_leaves_its_finished_cells_and_goes_on() {
    let bench = Bench::new();
    let plan = "name = \"x\"\nseeds = 500\npolicies = [\"kernel\"]\n\
                [[boards]]\nname = \"b\"\nareas = [{ mib = 128 }]\n\
                [[streams]]\nprofile = \"gpu\"\nops = 20000\n";
    fs::write(bench.path().join("x.toml"), plan).unwrap();
    let partial = bench.path().join("reports/x/cells.csv.partial");
    let rows = || fs::read_to_string(&partial).map_or(0, |text| text.lines().count());
    let mut child = bench.command(&["sweep", "x.toml", "--quiet", "--jobs", "1"]).spawn().unwrap();
    while rows() < 4 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = fs::read_to_string(&partial).unwrap();
    assert!(rows() >= 4, "{left}");

    // Other seeds are another plan.
    fs::write(bench.path().join("x.toml"), plan.replace("500", "3")).unwrap();
    let (code, _, err) = bench.run(&["sweep", "x.toml", "--quiet", "--resume"]);
    assert_eq!((code, err.contains("it is of another plan or version")), (2, true), "{err}");
    assert_eq!(fs::read_to_string(&partial).unwrap(), left, "what was finished is still there");
    bench.good(&["sweep", "x.toml", "--quiet"]);
    let cells = || fs::read_to_string(bench.path().join("reports/x/cells.csv")).unwrap();
    let whole = cells();
    assert_eq!((whole.lines().count(), partial.exists()), (4, false));
    bench.good(&["sweep", "x.toml", "--quiet", "--resume"]);
    assert_eq!(cells(), whole);
}

#[test]
fn the_command_of_a_report_makes_it_again_wherever_it_is() {
    let bench = Bench::new();
    let plan = "name = \"note\"\npolicies = [\"kernel\"]\n[[streams]]\nprofile = \"imx-note\"\nops = 2000\n";
    fs::write(bench.path().join("note.toml"), plan).unwrap();
    let out: [&[&str]; 2] = [&[], &["--out", "elsewhere"]];
    for (out, report, from) in [(out[0], "reports/note", "."), (out[1], "elsewhere", "elsewhere")] {
        bench.good(&[&["sweep", "note.toml", "--quiet"], out].concat());
        let report = bench.path().join(report);
        let read = |name| fs::read_to_string(report.join(name)).unwrap();
        let before = [read("cells.csv"), read("summary.csv"), read("plan.toml"), read("COMMAND")];
        let command = before[3].split(" #").next().unwrap();
        let args: Vec<_> = command.split(' ').skip(1).collect();
        fs::remove_file(report.join("cells.csv")).unwrap();
        let ran = bench.command(&args).current_dir(bench.path().join(from)).output().unwrap();
        assert!(ran.status.success(), "{command}: {ran:?}");
        let after = [read("cells.csv"), read("summary.csv"), read("plan.toml"), read("COMMAND")];
        assert_eq!(after, before, "{command}");
    }
}

#[test]
fn bad_usage_ends_with_2() {
    let bench = Bench::new();
    let table: [&[&str]; 10] = [
        &[],
        &["dance"],
        &["replay"],
        &["replay", "s.csv", "--to-stream", "-", "--record", "-"],
        &["replay", "s.csv", "--cap", "64"],
        &["replay", "s.csv", "--expect", "recorded", "--cap", "4"],
        &["replay", "s.csv", "--pages", "many"],
        &["list", "wishes"],
        // A plan.toml could not state it; no machine has so many cores.
        &["sweep", "--seed", "18446744073709551615"],
        &["sweep", "--jobs", "100000"],
    ];
    for args in table {
        let (code, out, err) = bench.run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!err.is_empty());
    }
}

#[test]
fn what_is_generated_is_the_same_each_time_and_runs() {
    let bench = Bench::new();
    let args = ["generate", "gpu", "--seed", "5", "--ops", "500", "--pages", "65536"];
    let out = bench.good(&args);
    assert_eq!(out, bench.good(&args));
    assert_ne!(out, bench.good(&["generate", "gpu", "--seed", "6", "--ops", "500"]));
    assert!(out.starts_with("# profile=gpu\n# seed=5\n"), "{out}");
    bench.good(&[&args[..], &["-o", "gpu.csv"]].concat());
    assert_eq!(fs::read_to_string(bench.path().join("gpu.csv")).unwrap(), out);
    assert_eq!(bench.files(), ["gpu.csv", "r.csv", "s.csv"]);
    let csv = bench.good(&["replay", "gpu.csv", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 2);
}

#[test]
fn every_family_is_listed_in_every_format() {
    let bench = Bench::new();
    let families = [
        ("policies", "kernel"),
        ("profiles", "camera"),
        ("environments", "quiet"),
        ("laws", "aligned"),
        ("metrics", "withheld_per_request"),
        ("formats", "recording"),
        ("messages", "failed-frozen"),
        ("kernels", "6.12"),
    ];
    for (family, one) in families {
        let text = bench.good(&["list", family]);
        assert!(text.lines().any(|line| line == one), "{family}: {text}");
        let json = bench.good(&["list", family, "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let names: Vec<_> = json.as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert!(names.contains(&&one.into()), "{family}: {names:?}");
        let csv = bench.good(&["list", family, "--format", "csv"]);
        assert!(csv.starts_with("name,about,details,param,takes,default,param_about\n"));
        assert!(csv.contains(&format!("\n{one},")), "{family}: {csv}");
    }
}

#[test]
fn conform_ends_well_for_the_baseline() {
    let bench = Bench::new();
    let out = bench.good(&["conform", "--policy", "kernel", "--cases", "20"]);
    assert!(out.starts_with("kernel: ") && out.contains(" laws hold in "), "{out}");
    let csv = bench.good(&["conform", "--policy", "kernel", "--cases", "1", "--format", "csv"]);
    assert!(csv.contains("1,kernel,aligned,"), "{csv}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let bench = Bench::new();
    let mut child = bench
        .command(&["generate", "gpu", "--ops", "200000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, err) = ends(child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn every_subcommand_explains_itself_with_examples() {
    let bench = Bench::new();
    let help = bench.good(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<_> =
        commands.map_while(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(commands.contains(&"replay") && commands.contains(&"list"), "{commands:?}");
    for command in commands.iter().filter(|command| !["help", ""].contains(command)) {
        let help = bench.good(&[command, "--help"]);
        assert!(help.contains("Examples:\n  cmalab "), "{command}: {help}");
    }
}
