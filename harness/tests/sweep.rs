//! Plans, their cells, and what is written about them.

use std::fmt::Write as _;
use std::fs;

#[path = "sweep/golden.rs"]
mod golden;
#[path = "sweep/held.rs"]
mod held;
#[path = "sweep/plans.rs"]
mod plans;

use cma_harness::answer::findings;
use cma_harness::metric::{Value, cause_column, column};
use cma_harness::report::{csv, text};
use cma_harness::sweep::disk::{Row, cells_header, write_cells};
use cma_harness::sweep::{
    BUILTIN, Cell, Failed, Load, Ready, Table, Watch, emit, parse, prepare, run, run_cell,
};
use cma_policies::{Catalog, builtin};

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn catalog() -> Catalog {
    builtin::catalog()
}

fn ready(plan: &str) -> Ready {
    prepare(parse("test", plan, &catalog()).unwrap()).unwrap()
}

/// Writes `cells.csv`.
fn write_table(table: &Table<'_>, out: &mut Vec<u8>) {
    let rows = table.numbers.iter().zip(&table.cells).zip(&table.values);
    let row = |((number, cell), values): ((&u64, &Cell), &Vec<Value>)| {
        Ok(Row::of(table.ready, *number, cell, values))
    };
    write_cells(rows.map(row), out).unwrap();
}

/// Everything that is written about a plan, run on so many threads.
fn outputs(ready: &Ready, jobs: usize) -> String {
    let table = run(ready, jobs, &Nobody).unwrap();
    let summary = findings(table.ready, table.blocks()).summary;
    let mut out = Vec::new();
    write_table(&table, &mut out);
    csv::write_summary(ready, &summary, &mut out).unwrap();
    csv::write_summary_json(ready, &summary, &mut out).unwrap();
    text::write(ready, &summary, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The value of a column of a cell.
fn value(table: &Table<'_>, cell: usize, name: &str) -> Value {
    table.values[cell][column(name)]
}

const SMALL: &str = r#"
name = "small"
seeds = 3
policies = ["kernel", "best-fit"]
caps = [8, 0]
[[boards]]
name = "one"
areas = [{ mib = 128 }]
[[boards]]
name = "odd"
areas = [{ pages = 40000, base_pfn = 12, order_per_bit = 2 }]
[[streams]]
profile = "gpu"
loads = [0.9, 0.7]
ops = 400
[[streams]]
recorded = "6.12/mix-a1-dma8"
"#;

#[test]
fn the_same_bytes_whatever_the_number_of_threads() {
    let ready = ready(SMALL);
    let one = outputs(&ready, 1);
    assert_eq!(one, outputs(&ready, 2));
    assert_eq!(one, outputs(&ready, 7));
}

/// Streams of every kind that is made, on boards of several sizes.
const MADE: &str = r#"
name = "made"
seeds = 2
policies = ["kernel", "best-fit"]
caps = [8, 4]
[[boards]]
name = "one"
areas = [{ mib = 128 }]
[[boards]]
name = "more"
areas = [{ mib = 160 }]
[[streams]]
profile = "gpu"
loads_mib = [100, 80]
hours = 0.01
[[streams]]
profile = "camera"
loads = [0.5]
ops = 300
[[streams]]
mix = "rpi-camera-encoder-gpu"
hours = 0.02
[[streams]]
fit = "FIT"
ops = 200
"#;

#[test]
fn a_stream_that_was_made_for_another_cell_is_the_same() {
    // What a fit is drawn from: three buffers that come and go.
    let mut stream = "at_us,op,id,count,align,client,area\n".to_string();
    for n in 0..40 {
        let (at_us, id) = (n * 1000, n / 2 % 3);
        let op = if n % 2 == 0 { "alloc" } else { "free" };
        let count = if n % 2 == 0 { "255,dma,app," } else { ",,," };
        writeln!(stream, "{at_us},{op},{id},{count}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fit.csv");
    fs::write(&file, stream).unwrap();
    let plan = MADE.replace("FIT", file.to_str().unwrap());
    for plan in [plan.clone(), plan.replace("seeds = 2", "seeds = 2\nuntil = \"first-failure\"")] {
        let all = ready(&plan);
        let table = run(&all, 1, &Nobody).unwrap();
        for (cell, values) in table.cells.iter().zip(&table.values) {
            // Nothing was made before for this one.
            assert_eq!(run_cell(&ready(&plan), cell, &mut []).unwrap(), *values, "{cell:?}");
        }
    }
}

#[test]
fn another_seed_gives_other_streams_but_the_same_recording() {
    let mut plan = parse("test", SMALL, &catalog()).unwrap();
    plan.seed = 100;
    let (one, other) = (ready(SMALL), prepare(plan).unwrap());
    let (one, other) = (run(&one, 2, &Nobody).unwrap(), run(&other, 2, &Nobody).unwrap());
    let last = one.values.len() - 1;
    assert_ne!(one.values[0], other.values[0]);
    assert_eq!(one.values[last], other.values[last]);
    assert_eq!((one.cells[0].seed, other.cells[2].seed), (1, 102));
}

#[test]
fn busy_as_recorded_is_as_busy_as_under_the_pins_of_the_recording() {
    let plan = "name = \"busy\"\npolicies = [\"kernel\"]\n\
                environments = [\"pinned\", \"scripted\", \"quiet\"]\n\
                [[streams]]\nrecorded = \"6.12/pins-a1-dma8\"";
    let ready = ready(plan);
    let table = run(&ready, 1, &Nobody).unwrap();
    let busy = [0, 1, 2].map(|cell| value(&table, cell, "busy"));
    assert_eq!(busy, [Value::Count(392), Value::Count(392), Value::Count(0)]);
}

#[test]
fn the_seed_also_places_the_pins_of_an_environment() {
    let refused = |seed| {
        let plan = format!(
            "name = \"pins\"\nseed = {seed}\npolicies = [\"kernel\"]\n\
             environments = [\"pinned:share=0.01\"]\n\
             [[streams]]\nrecorded = \"6.12/mix-a1-dma8\""
        );
        let ready = ready(&plan);
        run(&ready, 1, &Nobody).unwrap().values
    };
    assert_eq!(refused(1), refused(1));
    assert_ne!(refused(1), refused(2));
    assert_ne!(refused(1)[0][column("busy")], Value::Count(0));
}

#[test]
fn the_rows_are_the_product_of_the_plan_in_its_order() {
    let ready = ready(SMALL);
    let cells: Vec<_> = ready.plan.cells().collect();
    // gpu: 2 boards x 2 loads x 2 caps x 2 policies x 3 seeds; the recording: 2 caps x 2 policies.
    assert_eq!(cells.len(), 2 * 2 * 2 * 2 * 3 + 2 * 2);
    assert_eq!(ready.plan.cell_count(), Some(cells.len() as u64));
    let key = |cell: &Cell| {
        let at = cell.at;
        (at.stream, at.board, at.load, at.environment, at.cap, cell.policy, cell.seed)
    };
    assert!(cells.is_sorted_by(|a, b| key(a) < key(b)));
    let table = run(&ready, 2, &Nobody).unwrap();
    let mut out = Vec::new();
    write_table(&table, &mut out);
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.lines().count(), cells.len() + 1);
    let commas = |line: &str| line.matches(',').count();
    assert!(out.lines().all(|line| commas(line) == commas(&cells_header())));
    for (row, line) in out.lines().skip(1).enumerate() {
        assert!(line.starts_with(&format!("1,small,{row},")), "{line}");
    }
}

#[test]
fn the_columns_stand_as_promised() {
    let promised = "schema,plan,cell,stream,profile,load,area_pages,base_pfn,order_per_bit,cap,\
                    policy,environment,after_failure,seed,requests,grants,refused,too_large,\
                    exhausted,fragmentation,alignment,interrupted,migration,busy,transient,\
                    policy_cause,withheld_per_request,withheld_per_satisfiable,\
                    withheld_pages_share,probe_unavailable_time,requests_to_first_failure,unusable_free,";
    assert!(cells_header().starts_with(promised), "{}", cells_header());
    for header in [cells_header(), csv::summary_header()] {
        let names: std::collections::BTreeSet<_> = header.split(',').collect();
        assert_eq!(names.len(), header.split(',').count(), "a name is there twice: {header}");
    }
}

#[test]
fn every_refusal_has_a_cause_and_every_request_an_answer() {
    let ready = ready(SMALL);
    let table = run(&ready, 2, &Nobody).unwrap();
    let count = |cell, name: &str| match value(&table, cell, name) {
        Value::Count(count) => count,
        other => panic!("{name} is {other}"),
    };
    for cell in 0..table.cells.len() {
        let causes = cma_harness::cause::Cause::ALL;
        let refused: u64 = causes.iter().map(|cause| count(cell, cause_column(*cause))).sum();
        assert_eq!(refused, count(cell, "refused"));
        assert_eq!(refused + count(cell, "grants"), count(cell, "requests"));
    }
    let load = |cell| value(&table, cell, "load_measured").number().unwrap();
    for (cell, at) in table.cells.iter().enumerate() {
        if let Some(target) = ready.plan.load(&at.at) {
            // So short a stream has not filled its target yet. LOAD is rounded to whole pages.
            assert!(
                (0.5..=1.0001).contains(&(load(cell) / target.share_of(1))),
                "{} for {target:?}",
                load(cell)
            );
        }
    }
}

#[test]
fn the_imx_note_at_cap_8_fails_with_half_of_the_area_free_and_not_at_cap_4() {
    let plan = "name = \"imx\"\ncaps = [8, 4]\npolicies = [\"kernel\"]\n\
                [[streams]]\nprofile = \"imx-note\"\nops = 1000";
    let ready = ready(plan);
    let table = run(&ready, 1, &Nobody).unwrap();
    let text = |cell, name: &str| value(&table, cell, name).to_string();
    assert_eq!(text(0, "requests_to_first_failure"), "561");
    assert_eq!(text(0, "free_at_first_failure_pages"), "142800", "49.8 % of 286720");
    assert_eq!(text(0, "longest_run_at_first_failure_pages"), "255");
    assert_eq!(text(0, "utilisation_at_first_failure"), "0.501953");
    // No hole is above 255, so it is fragmentation: every one of the 456-page requests.
    assert_eq!((text(0, "refused"), text(0, "fragmentation")), ("220".into(), "220".into()));
    assert_eq!(text(1, "refused"), "0");
}

#[test]
fn the_pitch_law_holds_inside_a_sweep() {
    let plan = "name = \"pitch\"\ncaps = [8, 7, 6, 5, 4, 0]\n\
                policies = [\"kernel\", \"best-fit\"]\n[[streams]]\nprofile = \"imx-note\"\n\
                loads = [1.0]\nops = 1115";
    let ready = ready(plan);
    let table = run(&ready, 2, &Nobody).unwrap();
    for (cap, fit) in [560, 746, 896, 995, 1054, 1115].into_iter().enumerate() {
        for policy in 0..2 {
            assert_eq!(value(&table, cap * 2 + policy, "grants"), Value::Count(fit), "{cap}");
        }
    }
}

#[test]
fn a_recording_at_its_own_cap_refuses_what_the_kernel_refused() {
    let plan = "name = \"mix\"\npolicies = [\"kernel\"]\n\
                [[streams]]\nrecorded = \"6.12/mix-a1-dma8\"";
    let ready = ready(plan);
    let table = run(&ready, 1, &Nobody).unwrap();
    // The recording has 11870 requests, 3602 of them refused.
    assert_eq!(value(&table, 0, "requests"), Value::Count(11_870));
    assert_eq!(value(&table, 0, "refused"), Value::Count(3_602));
    // What was refused there must not pile up as live elsewhere.
    let load = value(&table, 0, "load_measured").number().unwrap();
    assert!(load < 1.2, "{load}");
}

#[test]
fn a_plan_as_run_is_a_plan_that_runs_the_same() {
    let first = ready(SMALL);
    let text = emit(&first);
    let second = ready(&text);
    assert_eq!(emit(&second), text);
    assert!(second.plan.cells().eq(first.plan.cells()));
    assert_eq!(outputs(&second, 2), outputs(&first, 2));
    assert!(text.contains("ops = 400"), "{text}");
}

#[test]
fn ranges_of_a_plan_keep_their_order() {
    let plan = |ranges: &str| {
        format!(
            "name = \"r\"\nseeds = 2\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n\
             areas = [{{ name = \"x\", ranges = [{ranges}] }}, {{ name = \"y\", mib = 2, \
             clients = [\"q\"] }}]\n[[streams]]\nprofile = \"gpu\"\nloads = [0.9]\nops = 300\n"
        )
    };
    let (low, high) = ("{ base_pfn = 0x1000, pages = 3000 }", "{ base_pfn = 0x12fe00, mib = 60 }");
    let first = ready(&plan(&format!("{high}, {low}")));
    let areas = &first.plan.boards[0].areas;
    let [one, other] = areas[0].area.ranges() else { panic!("two ranges") };
    assert_eq!((one.pfn.0, one.count, other.pfn.0, other.count), (0x12fe00, 15360, 4096, 3000));
    assert!(areas[1].area.ranges()[0].pfn >= one.end(), "past all ranges of the others");
    let text = emit(&first);
    let line =
        "ranges = [{ base_pfn = 1244672, pages = 15360 }, { base_pfn = 4096, pages = 3000 }]";
    assert!(text.contains(line), "{text}");
    assert_eq!(outputs(&ready(&text), 1), outputs(&first, 1));
    let swapped = outputs(&ready(&plan(&format!("{low}, {high}"))), 1);
    assert_ne!(swapped, outputs(&first, 1), "the search begins in range 0");
    let nine: Vec<_> =
        (0..9).map(|at| format!("{{ base_pfn = {}, pages = 2048 }}", 4096 * at)).collect();
    let warnings = ready(&plan(&nine.join(", "))).warnings;
    let many = |warning: &&String| warning.contains("CMA_MAX_RANGES = 8");
    assert_eq!(warnings.iter().filter(many).count(), 1, "{warnings:?}");
}

#[test]
fn the_built_in_plan_needs_no_file_and_is_the_product_that_it_states() {
    let ready = ready(BUILTIN);
    let plan = &ready.plan;
    let policies = plan.policies.len() as u64;
    assert_eq!(plan.caps, [8, 6, 4, 0]);
    assert_eq!(plan.seeds, 32);
    assert_eq!(policies, catalog().entries().len() as u64, "all policies");
    assert!(plan.policies[0].is_baseline(), "the baseline first");
    // Four recordings and the note for one seed; four profiles at three loads for 32.
    let configurations = 4 * (4 + 1 + 4 * 3 * 32);
    assert_eq!(plan.cell_count(), Some(configurations * policies));
    for load in [0.7, 0.8, 0.9] {
        let profiles =
            plan.streams.iter().filter(|stream| stream.loads.contains(&Load::Share(load)));
        assert_eq!(profiles.count(), 4, "{load}");
    }
}

#[test]
fn a_policy_that_lies_is_named_with_what_leads_there() {
    let liar = catalog().with(&[plans::LIAR]);
    let plan = "name = \"lie\"\npolicies = [\"kernel\", \"liar\"]\n[[boards]]\nname = \"b\"\n\
                areas = [{ mib = 128 }]\n[[streams]]\nprofile = \"gpu\"\nops = 100";
    let ready = prepare(parse("test", plan, &liar).unwrap()).unwrap();
    let Err(Failed::Broken(broken)) = run(&ready, 2, &Nobody) else { panic!("it got away") };
    assert_eq!((broken.policy.as_str(), broken.violation.law), ("liar", "disjoint"));
    let ops = broken.violation.op + 1;
    let command = format!("cmalab generate gpu --seed 1 --pages 32768 --load 0.7 --ops {ops}");
    assert_eq!(broken.ops, command);
}
