//! Boards of plans: what is nonsense, and where; what is run on them.

use std::path::Path;

use cma_harness::metric::{Value, column};
use cma_harness::sweep::{Cell, Watch, parse, prepare, run};
use cma_policies::builtin;

const GPU: &str = "[[streams]]\nprofile = \"gpu\"\n";

/// Boards, the line and column of what is wrong, and words of the message. The board is on the
/// lines from 2 on, its first area begins at column 10 of line 4.
fn wrong() -> Vec<(String, usize, usize, &'static str)> {
    let areas = |areas: &str| format!("areas = [{areas}]");
    let with = |text: &str| format!("areas = [{{ mib = 64 }}]\n{text}");
    let long = "x".repeat(257);
    vec![
        (areas("{ mib = 1, clients = [\"\"] }"), 4, 32, "a client is \"\"; it takes 1 to 256"),
        (areas(&format!("{{ mib = 1, name = \"{long}\" }}")), 4, 28, "1 to 256 bytes"),
        (areas("{ mib = 1, name = \"a\\nb\" }"), 4, 28, "control characters"),
        (
            areas("{ mib = 1 }, { mib = 1, clients = [\"v\", \"v\"] }"),
            4,
            50,
            "client \"v\" has an area already",
        ),
        (
            areas(
                "{ mib = 1 }, { name = \"p\", mib = 1, clients = [\"v\"] }, \
                 { name = \"q\", mib = 1, clients = [\"v\"] }",
            ),
            4,
            99,
            "client \"v\" has an area already",
        ),
        (areas("{ mib = 1 }, { mib = 1, clients = [\"v\"] }"), 4, 23, "are named \"cma\""),
        (
            areas("{ pages = 64 }, { name = \"p\", pages = 64, base_pfn = 63, clients = [\"v\"] }"),
            4,
            26,
            "overlaps",
        ),
        (
            areas("{ pages = 64, base_pfn = 4503599627370496 }"),
            4,
            35,
            "base_pfn is 4503599627370496",
        ),
        (areas("{ mib = 1, order_per_bit = 64 }"), 4, 37, "order_per_bit is 64"),
        (areas("{ mib = 1, policy = \"fast\" }"), 4, 30, "no policy is named \"fast\""),
        (areas("{ mib = 1, client = [\"v\"] }"), 4, 21, "unknown field `client`"),
        (with("caller = \"x11\""), 5, 10, "no caller is named \"x11\"; there are cma-only, dma-"),
        (with("callers = { gpu = \"x11\" }"), 5, 19, "no caller is named \"x11\""),
        (with("callers = { \"\" = \"ion\" }"), 5, 13, "a client of callers is \"\""),
    ]
}

#[test]
fn what_is_wrong_with_a_board_is_said_with_its_place_and_what_is_allowed() {
    for (board, line, column, words) in wrong() {
        let text = format!("name = \"x\"\n[[boards]]\nname = \"b\"\n{board}\n{GPU}");
        let message =
            parse("my.toml", &text, &builtin::catalog()).map(drop).expect_err(&text).to_string();
        let place = format!("read plan my.toml line {line}, column {column}: ");
        assert!(message.starts_with(&place), "{message}\nfor\n{text}");
        assert!(message.contains(words), "{message}\nfor\n{text}");
    }
}

struct Unwatched;

impl Watch for Unwatched {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

/// A stream of a file, on a board.
fn plan(board: &str, file: &Path) -> String {
    let file = toml::Value::from(file.to_str().unwrap());
    format!(
        "name = \"x\"\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n{board}\n\
         [[streams]]\nfile = {file}\n"
    )
}

const BOARD: &str = "areas = [{ name = \"linux,cma\", pages = 512 }, \
                     { name = \"vpu\", pages = 512, clients = [\"vpu\", \"codec\"] }]";

#[test]
fn the_area_column_of_a_stream_picks_the_area() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.csv");
    let stream = "at_us,op,id,count,align,client,area\n\
                  0,alloc,1,300,0,isp,vpu\n\
                  1,alloc,2,300,0,gpu,\n\
                  2,alloc,3,200,0,vpu,\n\
                  3,alloc,4,13,0,vpu,vpu\n\
                  4,alloc,5,13,0,dpu,elsewhere\n";
    std::fs::write(&file, stream).unwrap();
    let prepared = prepare(parse("p", &plan(BOARD, &file), &builtin::catalog()).unwrap()).unwrap();
    assert_eq!(prepared.warnings, ["board b names client \"codec\", which no stream has"]);
    let table = run(&prepared, 1, &Unwatched).unwrap();
    let value = |name: &str| table.values[0][column(name)].to_string();
    // 300 and 200 pages are in the pool, where 13 more do not fit; 300 and 13 are not.
    assert_eq!([value("grants"), value("exhausted")], ["4", "1"]);
    assert_eq!(value("free_at_first_failure_pages"), "12");
}

#[test]
fn an_area_against_the_route_of_the_board_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.csv");
    let stream = "at_us,op,id,count,align,client,area\n\
                  0,alloc,1,300,dma,vpu,\n\
                  1,alloc,2,300,dma,vpu,\"linux,cma\"\n";
    std::fs::write(&file, stream).unwrap();
    let text = plan(BOARD, &file);
    let error = prepare(parse("p", &text, &builtin::catalog()).unwrap()).unwrap_err().to_string();
    assert!(error.contains("s.csv line 3, column 23: area \"linux,cma\""), "{error}");
    assert!(error.contains("client \"vpu\", which board b sends to \"vpu\""), "{error}");
}

#[test]
fn each_area_is_built_with_its_own_policy() {
    // The same area with another policy on a second board; genalloc-like policies of the plan are
    // not built where an area has its own.
    let boards = "[[boards]]\nname = \"a\"\nareas = [{ pages = 65536 }]\n\
                  [[boards]]\nname = \"b\"\nareas = [{ pages = 65536, policy = \"best-fit\" }]\n";
    let text =
        format!("name = \"x\"\npolicies = [\"kernel\", \"best-fit\"]\n{boards}{GPU}ops = 400\n");
    let ready = prepare(parse("p", &text, &builtin::catalog()).unwrap()).unwrap();
    let all_own = "every area of board b has its own policy: those of the plan change nothing";
    assert!(ready.warnings.iter().any(|warning| warning == all_own), "{:?}", ready.warnings);
    let table = run(&ready, 1, &Unwatched).unwrap();
    let [kernel, best, own, same] = &table.values[..] else { panic!("{}", table.values.len()) };
    assert_eq!((own, own), (best, same));
    assert_ne!(kernel, best);
}

#[test]
fn an_area_that_does_not_say_where_begins_at_a_pageblock_behind_the_others() {
    let boards = "[[boards]]\nname = \"a\"\nareas = [{ pages = 1000 }, \
                  { name = \"p\", pages = 2048, order_per_bit = 11, clients = [\"v\"] }, \
                  { name = \"q\", pages = 5, clients = [\"w\"] }]\n";
    let text = format!("name = \"x\"\n{boards}{GPU}");
    let plan = parse("p", &text, &builtin::catalog()).unwrap();
    let bases: Vec<_> =
        plan.boards[0].areas.iter().map(|area| area.area.ranges()[0].pfn.0).collect();
    assert_eq!(bases, [0, 2048, 4096]);
}
