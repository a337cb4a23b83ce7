//! Mixes of plans: what is nonsense, and where; what is run.

use std::fs;
use std::path::Path;

use cma_harness::metric::{Value, column};
use cma_harness::op::{Op, Timed};
use cma_harness::seed::Seed;
use cma_harness::sweep::{
    Cell, Length, Load, Ready, Watch, What, emit, emit_unread, parse, prepare, run,
};
use cma_policies::builtin;
use tempfile::TempDir;

const BOARD: &str = "[[boards]]\nname = \"b\"\nareas = [{ mib = 256 }]\n";

struct Unwatched;

impl Watch for Unwatched {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn plan(board: &str, stream: &str) -> String {
    format!("name = \"x\"\npolicies = [\"kernel\"]\n{board}[[streams]]\n{stream}\n")
}

fn ready(text: &str) -> Ready {
    prepare(parse("p.toml", text, &builtin::catalog()).expect(text)).expect(text)
}

/// Mixes, the line and column of what is wrong, and words of the message. The stream is on the
/// lines from 2 on.
fn wrong() -> Vec<(&'static str, usize, usize, &'static str)> {
    vec![
        ("mix = \"nix\"", 3, 7, "no mix is named \"nix\"; there are imx8m-camera-vpu-display, rpi"),
        ("mix = 4", 3, 7, "the name of a mix (cmalab list mixes) or a list of its parts"),
        ("mix = []", 3, 7, "the mix has 0 parts; 1 to 64 are allowed"),
        ("mix = [{ mix = \"rpi-camera-encoder-gpu\" }]", 3, 16, "a mix in a mix"),
        ("mix = [{ profile = \"camra\", load_mib = 90 }]", 3, 20, "no profile is named \"camra\""),
        ("mix = [{ profile = \"gpu\" }]", 3, 8, "states no load_mib"),
        (
            "mix = [\n  { profile = \"gpu\", load_mib = 64 },\n  { profile = \"camera\", load_mib = 62 },\n]",
            5,
            36,
            "too small for profile camera, whose sessions take at least 16000",
        ),
        ("mix = [{ profile = \"gpu\", load_mib = 0 }]", 3, 38, "load_mib is 0"),
        ("mix = [{ profile = \"gpu\", load = 0.5 }]", 3, 27, "unknown field `load`"),
        ("mix = [{ load_mib = 64 }]", 3, 8, "one of profile = …, fit = … and file = …"),
        ("mix = [{ fit = \"a\", file = \"b\" }]", 3, 8, "one of profile"),
        ("mix = [{ file = \"a\\nb\" }]", 3, 17, "a path without line ends"),
        ("mix = [{ file = \"a\", load_mib = 5 }]", 3, 33, "for a profile or a fit only"),
        ("mix = [{ fit = \"a\", repeat = true }]", 3, 30, "repeat of a part is for a file only"),
        (
            "mix = [{ profile = \"gpu\", load_mib = 64, client = \"app\" }]",
            3,
            51,
            "client of a part is for a file or a fit only",
        ),
        ("mix = [{ file = \"a\", client = \"\" }]", 3, 31, "client is \"\"; it takes 1 to 256"),
        ("mix = [{ file = \"a\", as = \"a1\" }]", 3, 27, "no digit at the end"),
        ("mix = \"rpi-camera-encoder-gpu\"\nprofile = \"gpu\"", 2, 1, "a stream is one of"),
        ("mix = \"rpi-camera-encoder-gpu\"\nloads = [0.5]", 4, 9, "for a profile or a fit only"),
        ("mix = \"rpi-camera-encoder-gpu\"\nloads_mib = [5]", 4, 13, "for a profile or a fit only"),
        ("mix = \"rpi-camera-encoder-gpu\"\narea = \"a\"", 4, 8, "a recording or a file only"),
        ("mix = \"rpi-camera-encoder-gpu\"\nsnapshot = \"a\"", 4, 12, "a recording or a file"),
        ("mix = \"rpi-camera-encoder-gpu\"\nrecorded_cap = 4", 4, 16, "a recording or a file"),
        ("mix = \"rpi-camera-encoder-gpu\"\nown_area = true", 2, 1, "a mix runs on the boards"),
        ("mix = \"rpi-camera-encoder-gpu\"\nhours = 0.0", 4, 9, "hours is 0"),
    ]
}

#[test]
fn what_is_wrong_with_a_mix_is_said_with_its_place_and_what_is_allowed() {
    for (stream, line, column, words) in wrong() {
        let text = format!("name = \"x\"\n[[streams]]\n{stream}\n{BOARD}");
        let error = parse("my.toml", &text, &builtin::catalog()).map(drop).expect_err(&text);
        let message = error.to_string();
        let place = format!("read plan my.toml line {line}, column {column}: ");
        assert!(message.starts_with(&place), "{message}\nfor\n{text}");
        assert!(message.contains(words), "{message}\nfor\n{text}");
    }
}

#[test]
fn a_part_whose_file_is_no_part_is_said_with_its_line() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let recording = "# base_pfn=0 pages=64 order_per_bit=0\nidx,kind,id,count,align,result\n\
                     0,alloc,7,4,2,0\n";
    fs::write(path("r.csv"), recording).unwrap();
    fs::write(path("s.csv"), "at_us,op,id,count,align,client\n0,alloc,1,4,dma,vpu0\n").unwrap();
    let gone = path("not-there.csv");
    let gpu = "{ profile = \"gpu\", load_mib = 64 }";
    for (part, words) in [
        (format!("file = {:?}", path("r.csv")), "r.csv: it is a recording, which has no time"),
        (format!("fit = {:?}", path("r.csv")), "r.csv: the file is a recording, which has no time"),
        (format!("file = {gone:?}"), "not-there.csv: No such file"),
        (format!("file = {:?}, client = \"isp\"", path("s.csv")), "there are \"vpu0\""),
        (format!("file = {:?}, repeat = true", path("s.csv")), "s.csv: the file lasts no time"),
        (format!("fit = {:?}, load_mib = 9", path("s.csv")), "2304 pages is out of bounds"),
    ] {
        let text = plan(BOARD, &format!("mix = [\n  {gpu},\n  {{ {part} }},\n]"));
        let error = prepare(parse("my.toml", &text, &builtin::catalog()).unwrap());
        let message = error.map(drop).unwrap_err().to_string();
        assert!(message.starts_with("read plan my.toml line 9, column 3: "), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_plan_with_mixes_comes_back_as_it_was() {
    let streams = "mix = \"imx8m-camera-vpu-display\"\n[[streams]]\nhours = 0.5\n\
                   mix = [{ profile = \"camera\", load_mib = 90, as = \"front\" }, \
                   { fit = \"a, 'b' \\\"c\\\".txt\", client = \"vpu\", load_mib = 7 }, \
                   { fit = \"d.txt\" }, { file = \"/elsewhere/e.csv.gz\", repeat = true }, \
                   { file = \"f.csv\", client = \"x\", as = \"y\" }]\n";
    let text = plan(BOARD, streams);
    let read = |text: &str| parse("p", text, &builtin::catalog()).expect(text);
    let first = read(&text);
    let second = read(&emit_unread(&first));
    let streams = |plan: &cma_harness::sweep::Plan| {
        let stream = |stream: &cma_harness::sweep::Stream| {
            format!("{:?} {:?} {:?}", stream.what, stream.loads, stream.length)
        };
        plan.streams.iter().map(stream).collect::<Vec<_>>()
    };
    assert_eq!(streams(&second), streams(&first));
    let [built_in, own] = &first.streams[..] else { panic!("{}", first.streams.len()) };
    assert_eq!(built_in.name(), "imx8m-camera-vpu-display");
    assert_eq!((built_in.length, own.length), (Length::DEFAULT, Length::Time(1_800_000_000)));
    assert_eq!((&built_in.loads[..], &own.loads[..]), (&[Load::Pages(368 * 256)][..], &[][..]));
    assert_eq!(own.name(), "front+vpu+d+e+y");
    for stream in [built_in, own] {
        assert!(!stream.own_area && stream.is_seeded());
        assert_eq!(stream.label(), Some("mix"));
    }
    let What::Mix(mix) = &own.what else { panic!("{:?}", own.what) };
    let paths = ["a, 'b' \"c\".txt", "d.txt", "/elsewhere/e.csv.gz", "f.csv"];
    assert!(mix.paths().eq(paths));
    // As a word of a shell, a quote in it ends nothing.
    assert!(mix.argument().contains(r"a, '\''b'\'' "), "{}", mix.argument());
}

#[test]
fn a_changed_file_is_another_plan() {
    let folder = TempDir::new().unwrap();
    let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    let rows = |count: u64| {
        format!("at_us,op,id,count,align,client\n0,alloc,1,{count},dma,vpu\n9,free,1,,,\n")
    };
    let stream = format!("ops = 20\nmix = [{{ file = {a:?} }}, {{ file = {b:?}, repeat = true }}]");
    let emitted = |counts: [u64; 2]| {
        fs::write(&a, rows(counts[0])).unwrap();
        fs::write(&b, rows(counts[1])).unwrap();
        emit(&ready(&plan(BOARD, &stream)))
    };
    let first = emitted([4, 5]);
    assert!(first.contains("\n# LOAD is that of all parts, 9 pages\nops = 20"), "{first}");
    assert_eq!(emitted([4, 5]), first);
    assert_ne!(emitted([4, 6]), first);
    assert_ne!(emitted([5, 5]), first);
}

/// A stream of two files on a board, one configuration.
fn values(board: &str, parts: &str) -> Vec<Value> {
    let ready = ready(&plan(board, &format!("ops = 1000\nmix = [{parts}]")));
    assert_eq!(ready.warnings, [] as [&str; 0]);
    run(&ready, 1, &Unwatched).unwrap().values.remove(0)
}

fn write(path: &Path, rows: &str) -> String {
    fs::write(path, format!("at_us,op,id,count,align,client,area\n{rows}")).unwrap();
    format!("file = {path:?}")
}

#[test]
fn pools_route_the_clients_of_all_parts() {
    let folder = TempDir::new().unwrap();
    let gpu = write(&folder.path().join("gpu.csv"), "0,alloc,1,300,0,gpu,\n2,alloc,2,200,0,vpu,\n");
    let vpu = write(&folder.path().join("vpu.csv"), "1,alloc,1,300,0,vpu,\n3,alloc,2,13,0,vpu,\n");
    let board = "[[boards]]\nname = \"b\"\nareas = [{ pages = 512 }, \
                 { name = \"vpu\", pages = 512, clients = [\"vpu\"] }]\n";
    let whole = "[[boards]]\nname = \"b\"\nareas = [{ pages = 512 }]\n";
    let got = |board: &str, parts: &str| {
        let values = values(board, parts);
        ["grants", "exhausted", "free_at_first_failure_pages", "load_max_pages"]
            .map(|name| values[column(name)].to_string())
    };
    let both = format!("{{ {gpu} }}, {{ {vpu} }}");
    // 300 and 200 pages of both parts' vpu are in the pool, where 13 more do not fit.
    assert_eq!(got(board, &both), ["3", "1", "12", "813"]);
    // In one area 300 of the second part do not fit, and 13 not after 200.
    assert_eq!(got(whole, &both), ["2", "2", "212", "813"]);
    // Called something else, the second part's vpu is not that of the pool: 300 beside 300.
    let apart = format!("{{ {gpu} }}, {{ {vpu}, as = \"codec\" }}");
    assert_eq!(got(board, &apart), ["3", "1", "212", "813"]);
    let renamed = board.replace("\"vpu\"] }", "\"codec\"] }");
    assert_eq!(got(&renamed, &apart), ["4", "0", "", "813"]);
}

#[test]
fn load_and_stream_of_a_cell_are_those_of_the_merged_stream() {
    let text = "name = \"x\"\nseeds = 3\nseed = 4\npolicies = [\"kernel\", \"best-fit\"]\n\
                [[boards]]\nname = \"b\"\nareas = [{ mib = 512 }]\n\
                [[boards]]\nname = \"c\"\nareas = [{ mib = 200 }, \
                { name = \"p\", mib = 200, clients = [\"app\", \"window\"] }]\n\
                [[streams]]\nmix = [{ profile = \"gpu\", load_mib = 64 }, \
                { profile = \"display\", load_mib = 100 }]\nops = 3000\n";
    let ready = ready(text);
    // Everybody whom a board names is there; that the streams are short is said.
    assert!(!ready.warnings.iter().any(|one| one.contains("client")), "{:?}", ready.warnings);
    let made = ready.checked[0].mix.clone().unwrap();
    assert_eq!(ready.plan.streams[0].loads, [Load::Pages(164 * 256)]);
    let table = run(&ready, 2, &Unwatched).unwrap();
    let cells: Vec<_> = ready.plan.cells().collect();
    assert_eq!(cells.len(), 12);
    for (cell, values) in cells.iter().zip(&table.values) {
        let ops = made.open(&Seed::new(cell.seed), 3000).unwrap();
        // As the definition says: the most pages live, were every request granted.
        let (mut live, mut pages, mut most) = (std::collections::BTreeMap::new(), 0, 0);
        let mut requests = 0;
        for Timed { op, .. } in ops {
            match op {
                Op::Alloc { id, request, .. } => {
                    requests += 1;
                    pages += request.count();
                    live.insert(id, request.count());
                }
                Op::Free { id, .. } => pages -= live.remove(&id).unwrap(),
                other => panic!("{other:?}"),
            }
            most = most.max(pages);
        }
        assert!(most > 150 * 256, "{most}");
        assert_eq!(values[column("load_max_pages")], Value::Count(most));
        assert_eq!(values[column("requests")], Value::Count(requests));
    }
    for threads in [1, 7] {
        assert_eq!(run(&ready, threads, &Unwatched).unwrap().values, table.values);
    }
}
