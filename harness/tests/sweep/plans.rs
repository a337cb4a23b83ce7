//! Plans that are wrong, and a policy that lies.

use std::path::PathBuf;
use std::process::{Command, Output};

use cma_harness::sweep::{parse, prepare};
use cma_policies::{
    Area, Attempt, Entry, FreeError, Last, Next, Policy, Promises, Request, Run, builtin,
};

/// Hands out the first pages again and again.
#[derive(Debug)]
struct Liar(Area);

impl Policy for Liar {
    fn area(&self) -> &Area {
        &self.0
    }

    fn promises(&self) -> Promises {
        Promises::NONE
    }

    fn propose(&mut self, request: Request, _: Option<Last>) -> Next {
        let run = Run { pfn: self.0.ranges()[0].pfn, count: request.count() };
        Next::Try(Attempt { run, cookie: 0 })
    }

    fn settle(&mut self, _: Attempt, _: bool) {}

    fn free(&mut self, _: Run) -> Result<(), FreeError> {
        Ok(())
    }

    fn free_runs(&self, _: &mut dyn FnMut(Run)) {}
}

pub(super) const LIAR: Entry = Entry {
    name: "liar",
    about: "for tests",
    source: "none",
    params: &[],
    build: |area, _| Ok(Box::new(Liar(area))),
};

const BOARD: &str = "[[boards]]\nname = \"b\"\nareas = [{ mib = 128 }]\n";
const GPU: &str = "[[streams]]\nprofile = \"gpu\"\n";

fn list(numbers: std::ops::RangeInclusive<u32>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

/// Plans, the line and column of what is wrong, and words of the message.
fn wrong() -> Vec<(String, usize, usize, &'static str)> {
    let plan = |text: &str| format!("name = \"x\"\n{text}\n{BOARD}{GPU}");
    let board = |text: &str| format!("name = \"x\"\n{text}\n{GPU}");
    let stream = |text: &str| format!("name = \"x\"\n{text}\n{BOARD}");
    let areas = |areas: &str| board(&format!("[[boards]]\nname = \"b\"\nareas = {areas}"));
    vec![
        (String::new(), 1, 1, "name"),
        (format!("{BOARD}{GPU}"), 1, 1, "name"),
        ("name = \"x\"".into(), 1, 1, "streams"),
        ("name = ".into(), 1, 8, ""),
        (plan("seedz = 1"), 2, 1, "unknown field `seedz`, expected one of"),
        (plan("seeds = 0"), 2, 9, "seeds is 0; a whole number from 1"),
        (plan("seeds = 9000000000"), 2, 9, "seeds is 9000000000"),
        (
            plan("seeds = 1000000\ncaps = [1, 2]\npolicies = [\"all\"]")
                .replace(GPU, &format!("{GPU}loads_mib = [{}]", list(1..=100))),
            8,
            1,
            "more than 1000000000 cells",
        ),
        (plan("stop = { failed_share = 1.0 }"), 2, 25, "above 0 and below 1"),
        (plan("stop = { failed = 0.1 }"), 2, 10, "unknown field `failed`"),
        (plan("stop = {}"), 2, 8, "failed_share"),
        (plan("seed = -1"), 2, 8, "seed is -1"),
        (plan("caps = [8, 64]"), 2, 12, "cap is 64; a whole number from 0 to 63"),
        (plan("caps = [8, 8]"), 2, 12, "in caps twice"),
        (plan("caps = []"), 2, 8, "caps is empty"),
        (plan("policies = [\"kernel\", \"bestfit\"]"), 2, 23, "no policy is named \"bestfit\""),
        (plan("policies = [\"zoned:share=2\"]"), 2, 13, "share"),
        (plan("policies = [\"all\", \"kernel\"]"), 2, 20, "twice"),
        (plan("environments = [\"calm\"]"), 2, 17, "no environment is named \"calm\""),
        (plan("after_failure = \"hope\""), 2, 17, "one of drop, retry"),
        (format!("name = \"../x\"\n{BOARD}{GPU}"), 1, 8, "letters, digits"),
        (areas("[]"), 4, 9, "0 areas; 1 to 64"),
        (areas("[{ mib = 1 }, { mib = 1 }]"), 4, 23, "one default area"),
        (areas("[{ mib = 1, pages = 256 }]"), 4, 10, "once"),
        (areas("[{ mib = 0 }]"), 4, 18, "mib is 0"),
        (areas("[{ mib = 9223372036854775807 }]"), 4, 18, "mib is 9223372036854775807"),
        (areas("[{ pages = 1000000000000 }]"), 4, 10, "no such area"),
        (areas("[{ pages = 15, order_per_bit = 4 }]"), 4, 10, "are less than a bit has, 16 pages"),
        (areas("[{ ranges = [] }]"), 4, 21, "an area of 0 ranges; 1 to"),
        (areas("[{ ranges = [{ mib = 1 }] }]"), 4, 22, "missing field `base_pfn`"),
        (areas("[{ ranges = [{ base_pfn = 0 }] }]"), 4, 22, "a range states its size once"),
        (areas("[{ pages = 4, ranges = [{ base_pfn = 0, pages = 4 }] }]"), 4, 20, "beside ranges"),
        (
            areas(
                "[{ ranges = [{ base_pfn = 9, pages = 4 }, { base_pfn = 0, pages = 2 },\n\
                   { base_pfn = 5, pages = 5 }] }]",
            ),
            5,
            1,
            "range 2 shares pages with range 0",
        ),
        (
            areas("[{ ranges = [{ base_pfn = 0, pages = 3 }], order_per_bit = 2 }]"),
            4,
            22,
            "the 3 pages of range 0 are less than a bit has, 4 pages",
        ),
        (
            areas(
                "[{ ranges = [{ base_pfn = 9, pages = 4 }, { base_pfn = 0, pages = 2 }] },\n\
                  { pages = 1, base_pfn = 1, clients = [\"q\"], name = \"q\" }]",
            ),
            5,
            1,
            "overlaps another area",
        ),
        (areas("[{ mib = 1, clients = [\"vpu\"] }]"), 4, 9, "no default area"),
        (stream("[[streams]]\nprofile = \"gpo\""), 3, 11, "no profile is named \"gpo\""),
        (stream("[[streams]]\nprofile = \"gpu\"\nfile = \"a\""), 2, 1, "one of profile"),
        (stream("[[streams]]\nrecorded = \"nix\""), 3, 12, "no recording \"nix\" is built in"),
        (stream("[[streams]]\nprofile = \"gpu\"\nloads = [0.5, 0.0]"), 4, 15, "above 0"),
        (
            stream("[[streams]]\nfile = \"a.csv\"\nloads = [0.5]"),
            4,
            9,
            "for a profile or a fit only",
        ),
        (stream("[[streams]]\nprofile = \"gpu\"\nops = 0"), 4, 7, "ops is 0"),
        (stream("[[streams]]\nprofile = \"gpu\"\nhours = 0"), 4, 9, "board time above 0"),
        (stream("[[streams]]\nprofile = \"gpu\"\nhours = -1.5"), 4, 9, "hours is -1.5"),
        (stream("[[streams]]\nprofile = \"gpu\"\nhours = nan"), 4, 9, "board time above 0"),
        (stream("[[streams]]\nprofile = \"gpu\"\ndays = 3651"), 4, 8, "at most 3650 days"),
        (stream("[[streams]]\nprofile = \"gpu\"\nhours = 1e-13"), 4, 9, "board time above 0"),
        (stream("[[streams]]\nprofile = \"gpu\"\nops = 9\nhours = 1"), 5, 9, "ops and hours"),
        (stream("[[streams]]\nprofile = \"gpu\"\nhours = 9\ndays = 1"), 5, 8, "hours and days"),
        (stream("[[streams]]\nfile = \"a.csv\"\nhours = 1"), 4, 9, "run to its end"),
        (plan("target = \"mtbf=never\""), 2, 10, "mtbf=30d"),
        (plan("target = \"failing=2%\""), 2, 10, "failing=1%/day"),
        (plan("until = \"noon\""), 2, 9, "\"first-failure\" is allowed"),
        (
            plan("stop = { failed_share = 0.1 }\ntarget = \"mtbf=1d\""),
            2,
            8,
            "stop and target exclude each other",
        ),
        (
            plan("until = \"first-failure\"\nstop = { failed_share = 0.1 }"),
            3,
            8,
            "stop and until exclude each other",
        ),
        (
            stream("[[streams]]\nprofile = \"gpu\"\nrecorded_cap = 4"),
            4,
            16,
            "a recording or a file",
        ),
    ]
}

#[test]
fn what_is_wrong_with_a_plan_is_said_with_its_place_and_what_is_allowed() {
    for (text, line, column, words) in wrong() {
        let error = parse("my.toml", &text, &builtin::catalog()).expect_err(&text);
        let message = error.to_string();
        let place = format!("read plan my.toml line {line}, column {column}: ");
        assert!(message.starts_with(&place), "{message}\nfor\n{text}");
        assert!(message.contains(words), "{message}\nfor\n{text}");
    }
}

#[test]
fn what_is_wrong_with_a_stream_is_known_before_anything_runs() {
    let why = |text: &str| {
        let plan = parse("test", text, &builtin::catalog()).unwrap();
        prepare(plan).expect_err(text).to_string()
    };
    let small = "name = \"x\"\n[[boards]]\nname = \"b\"\nareas = [{ mib = 8 }]\n";
    assert!(why(&format!("{small}{GPU}")).contains("too small for profile gpu"));
    assert!(why(&format!("name = \"x\"\n{GPU}")).contains("needs a [[boards]]"));
    let missing = why(&format!("{small}[[streams]]\nfile = \"not-there.csv\""));
    assert!(missing.starts_with("read not-there.csv"), "{missing}");
    let pins = "[[streams]]\nrecorded = \"6.12/pins-a1-dma8\"\nown_area = false";
    assert!(why(&format!("{small}{pins}")).contains("pins"));
    let target = "name = \"x\"\ntarget = \"mtbf=1d\"\n";
    let recorded = why(&format!("{target}[[streams]]\nrecorded = \"6.12/mix-a1-dma8\""));
    assert!(recorded.contains("line 3 of the plan") && recorded.contains("no board time"));
    let ops = why(&format!("{target}{BOARD}{GPU}ops = 2000\n"));
    assert!(ops.contains("line 6 of the plan") && ops.contains("state hours or days"), "{ops}");
}

#[test]
fn streams_that_are_short_are_warned_about_and_others_are_not() {
    let warned = |length: &str| {
        let text = format!("name = \"x\"\n{BOARD}{GPU}{length}\n");
        prepare(parse("test", &text, &builtin::catalog()).unwrap()).unwrap().warnings
    };
    let short = warned("ops = 300");
    assert!(
        short.len() == 1 && short[0].starts_with("streams are shorter than 20 of their longest"),
        "{short:?}"
    );
    assert!(short[0].contains(": gpu "), "{short:?}");
    assert_eq!(warned("hours = 0.01").len(), 1);
    assert_eq!(warned("hours = 24").len() + warned("").len(), 0);
}

#[test]
fn a_mix_knows_chance_where_a_part_of_it_does() {
    let seeded = |parts: &str| {
        let text = format!("name = \"x\"\n{BOARD}[[streams]]\nmix = [{parts}]\n");
        parse("test", &text, &builtin::catalog()).unwrap().streams[0].is_seeded()
    };
    let file = "{ file = \"a.csv\" }";
    assert!(!seeded(file) && !seeded(&format!("{file}, {{ file = \"b.csv\", repeat = true }}")));
    assert!(seeded(&format!("{file}, {{ fit = \"a.csv\" }}")));
    assert!(seeded(&format!("{file}, {{ profile = \"gpu\", load_mib = 40 }}")));
}

/// A folder of its own for a test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn cmalab(folder: &PathBuf, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.current_dir(folder).arg("sweep").args(args).output().unwrap()
}

#[test]
fn a_bad_plan_exits_with_2_and_leaves_nothing() {
    let folder = folder("sweep-bad");
    std::fs::write(folder.join("p.toml"), "name = \"x\"\ncaps = [99]\n").unwrap();
    std::fs::write(
        folder.join("s.csv"),
        "at_us,op,id,count,align,client,area\n5,alloc,1,x,dma,,\n",
    )
    .unwrap();
    let stream = format!("name = \"x\"\n{BOARD}[[streams]]\nfile = \"s.csv\"\n");
    std::fs::write(folder.join("q.toml"), stream).unwrap();
    std::fs::write(
        folder.join("n.csv"),
        "at_us,op,id,count,align,client,area\n1,free,7,,,,\n9,free,8,,,,\n",
    )
    .unwrap();
    let nothing = format!(
        "name = \"x\"\n{BOARD}[[streams]]\nmix = [{{ file = \"n.csv\", repeat = true }}]\n"
    );
    std::fs::write(folder.join("r.toml"), nothing).unwrap();
    for (plan, words) in [
        ("p.toml", "failed to read plan p.toml line "),
        ("q.toml", "failed to read s.csv line 2, column 11"),
        ("r.toml", "there is nothing to repeat"),
        ("none.toml", "failed to read none.toml"),
    ] {
        let output = cmalab(&folder, &[plan]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{plan}: {message}");
        assert!(message.contains(words), "{plan}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(output.stdout.is_empty() && !folder.join("reports").exists(), "{plan}");
    }
}

#[test]
fn a_report_has_its_files_and_can_be_made_again_from_them() {
    let folder = folder("sweep-good");
    let plan =
        format!("name = \"tiny\"\nseeds = 2\npolicies = [\"kernel\"]\n{BOARD}{GPU}ops = 50\n");
    std::fs::write(folder.join("my.toml"), plan).unwrap();
    let output = cmalab(&folder, &["my.toml", "--seed", "5", "--jobs", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let read =
        |name: &str| std::fs::read_to_string(folder.join("reports/tiny").join(name)).unwrap();
    let names = ["cells.csv", "summary.csv", "plan.toml", "COMMAND", "report.html", "sizing.csv"];
    let before = names.map(read);
    let mut there: Vec<_> = std::fs::read_dir(folder.join("reports/tiny"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort_unstable();
    let mut all = names;
    all.sort_unstable();
    assert_eq!(there, all);
    let words: Vec<_> = before[3].split_whitespace().collect();
    assert_eq!(words[..3], ["cmalab", "sweep", "reports/tiny/plan.toml"]);
    let again = cmalab(&folder, &words[2..3]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(again.stdout, output.stdout);
    assert_eq!(names.map(read), before);
    assert!(before[2].contains("seed = 5") && before[0].contains(",drop,5,"));
}

#[test]
fn a_streams_file_runs_on_the_boards() {
    let folder = folder("sweep-stream");
    let stream = "at_us,op,id,count,align,client,area\n0,alloc,1,300,dma,a,\n9,free,1,,,,\n";
    std::fs::write(folder.join("s.csv"), stream).unwrap();
    let plan =
        format!("name = \"s\"\npolicies = [\"kernel\"]\n{BOARD}[[streams]]\nfile = \"s.csv\"\n");
    std::fs::write(folder.join("p.toml"), plan).unwrap();
    let output = cmalab(&folder, &["p.toml", "--out", "here", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
    let cells = std::fs::read_to_string(folder.join("here/cells.csv")).unwrap();
    let row = cells.lines().nth(1).unwrap();
    assert!(row.starts_with("1,s,0,s.csv,,,32768,0,0,8,kernel,pinned,drop,1,1,1,0,"), "{row}");
    assert!(row.contains(",b,true,"), "{row}");
}
