//! What is fitted to a file: near it, far from others, and exact where there is no chance.

#[path = "fit/predict.rs"]
mod predict;
#[path = "fit/texts.rs"]
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

use cma_harness::ingest::{Source, StreamWriter};
use cma_harness::op::{Op, Timed};
use cma_harness::reader::Options;
use cma_harness::seed::Seed;
use cma_harness::workload::fit::{DISTANCES, Distances, Fit};
use cma_harness::workload::{PROFILES, Setup, profile};

/// A stream of a profile as a file.
fn stream(name: &str, seed: u64, ops: u64) -> Source {
    let profile = profile(name).unwrap();
    let area_pages = match name {
        "network" => 4096,
        "audio" => 65_536,
        "set-top" => 262_144,
        _ => 131_072,
    };
    let setup = Setup { area_pages, load: 0.8, seed: Seed::new(seed), ops };
    let made = profile.open(&setup).unwrap();
    let names = made.clients().to_vec();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut out = Vec::new();
    let mut writer = StreamWriter::new(&mut out, &[], &names, false).unwrap();
    made.for_each(|timed| writer.write(timed).unwrap());
    writer.finish().unwrap();
    Source::bytes(name, out)
}

fn fit(source: &Source) -> Fit {
    Fit::read(source, &Options::default()).unwrap()
}

fn text(rows: &str) -> Source {
    Source::bytes("test", format!("at_us,op,id,count,align,client,area\n{rows}").into_bytes())
}

fn draw(fit: &Fit, load_pages: u64, seed: u64, ops: u64) -> Vec<Timed> {
    fit.open(load_pages, &Seed::new(seed), ops).unwrap().collect()
}

/// The most pages live at once; a stream that frees what is not there, asks for an id that is
/// live, or goes back in time fails here.
fn most_pages(ops: &[Timed]) -> u64 {
    let (mut live, mut pages, mut most, mut last_us) = (BTreeMap::new(), 0, 0, 0);
    for Timed { at_us, op } in ops {
        assert!(*at_us >= last_us, "time went back");
        last_us = *at_us;
        match op {
            Op::Alloc { id, request, .. } => {
                assert_eq!(live.insert(*id, request.count()), None, "{id} is live");
                pages += request.count();
            }
            Op::Free { id, part: None } => pages -= live.remove(id).expect("a live buffer"),
            other => panic!("{other:?}"),
        }
        most = most.max(pages);
    }
    most
}

#[test]
fn a_fit_is_near_its_own_profile() {
    for one in PROFILES.iter().filter(|profile| profile.seeded) {
        let fit = fit(&stream(one.name, 1, 4000));
        let d = fit.distances;
        println!("{} {:.3} chance {:.3} {d:?}", one.name, d.largest(), fit.between_draws);
        assert!(d.largest() < 0.35, "{}: {d:?}", one.name);
        let [sizes, aligns, lifetimes, _, live, ..] = d.0;
        assert!(sizes < 0.15 && lifetimes < 0.15 && live < 0.2, "{}: {d:?}", one.name);
        assert_eq!(aligns, 0.0);
        // The stream of another seed is not farther from it than sessions differ.
        let other = fit.distances_to(&stream(one.name, 2, 4000), &Options::default()).unwrap();
        assert!(other.largest() < 0.35, "{}: {other:?}", one.name);
    }
}

#[test]
fn a_fit_is_far_from_another_profile() {
    let fits = ["camera", "video", "gpu", "display", "npu", "vpu-encode"];
    for one in fits {
        let fit = fit(&stream(one, 1, 4000));
        for other in fits.iter().filter(|other| **other != one) {
            let d = fit.distances_to(&stream(other, 2, 4000), &Options::default()).unwrap();
            assert!(d.0[0] > 0.3 && d.largest() > 0.8, "{one} to {other}: {d:?}");
        }
    }
}

#[test]
fn a_fit_of_what_never_changes_is_that_for_every_seed() {
    // 100 pages every second for half a second, and two groups of 7 pages that meet now and then.
    let mut rows = String::new();
    for second in 0..40_u64 {
        let (at, id) = (second * 1_000_000, second * 10);
        writeln!(rows, "{at},alloc,{id},100,dma,cam0,\n{},free,{id},,,,", at + 500_000).unwrap();
        let (from, to) = (at + 600_000, at + 700_000);
        writeln!(rows, "{from},alloc,{},7,3,app,\n{from},alloc,{},7,3,app,", id + 1, id + 2)
            .unwrap();
        writeln!(rows, "{to},free,{},,,,\n{to},free,{},,,,", id + 1, id + 2).unwrap();
    }
    let source = text(&rows);
    let fit = fit(&source);
    assert_eq!(fit.distances, Distances::default());
    assert_eq!((fit.requests, fit.ops(), fit.load_pages()), (120, 240, 100));
    let first = draw(&fit, 100, 1, 240);
    assert_eq!(first, draw(&fit, 100, 2, 240));
    assert_eq!(first.len(), 240);
    let counts: Vec<_> = first[..6]
        .iter()
        .map(|Timed { at_us, op }| match op {
            Op::Alloc { request, dma, .. } => (*at_us, request.count(), *dma),
            _ => (*at_us, 0, false),
        })
        .collect();
    let (m, k) = (600_000, 700_000);
    let expected =
        [(0, 100, true), (500_000, 0, false), (m, 7, false), (m, 7, false), (k, 0, false)];
    assert_eq!(counts[..5], expected);
    let class = &fit.classes[0];
    assert_eq!((class.client.as_str(), class.count, class.align), ("cam", 100, None));
    assert_eq!((class.requests, class.live_at_end), (40, 0));
    assert_eq!((class.lifetimes_us, class.between_us), (Some([500_000; 3]), Some(1_000_000)));
    assert_eq!((fit.classes[1].count, fit.classes[1].align), (7, Some(3)));
}

#[test]
fn a_seed_gives_its_stream_and_other_seeds_others() {
    for name in ["camera", "gpu", "kiosk"] {
        let fit = fit(&stream(name, 1, 3000));
        let load = fit.load_pages();
        assert_eq!(draw(&fit, load, 1, 3000), draw(&fit, load, 1, 3000));
        assert_ne!(draw(&fit, load, 1, 3000), draw(&fit, load, 2, 3000), "{name}");
        let longer: Vec<_> = draw(&fit, load, 1, 9000);
        assert_eq!(longer.len(), 9000, "{name}: it goes on past the end of the file");
        assert_eq!(longer[..3000], draw(&fit, load, 1, 3000));
        most_pages(&longer);
    }
}

#[test]
fn load_follows_what_is_asked_for_and_sizes_do_not() {
    for name in ["camera", "gpu", "video", "display"] {
        let fit = fit(&stream(name, 1, 4000));
        let sizes: BTreeSet<_> = fit.classes.iter().map(|class| class.count).collect();
        for percent in [60, 100, 150, 200] {
            let load = fit.load_pages() * percent / 100;
            for seed in 1..=3 {
                let ops = draw(&fit, load, seed, 8000);
                let most = most_pages(&ops) as f64 / load as f64;
                println!("{name} {percent} {seed} {most:.3}");
                assert!((0.8..=1.0).contains(&most), "{name} at {percent} %: {most}");
                for timed in &ops {
                    if let Op::Alloc { request, .. } = timed.op {
                        assert!(sizes.contains(&request.count()));
                    }
                }
            }
        }
        let (made, more) = (fit.load_pages() * 65, fit.open(1, &Seed::new(1), 1));
        assert!(more.unwrap_err().to_string().contains("the largest group of the file takes"));
        assert!(fit.open(made, &Seed::new(1), 1).is_err());
    }
}

#[test]
fn groups_stay_together() {
    let fit = fit(&stream("vpu-encode", 1, 4000));
    let mut groups: BTreeMap<(u64, u16), Vec<u64>> = BTreeMap::new();
    for Timed { at_us, op } in draw(&fit, fit.load_pages(), 5, 4000) {
        if let Op::Alloc { request, .. } = op {
            groups.entry((at_us, request.client())).or_default().push(request.count());
        }
    }
    groups.pop_last();
    assert!(groups.len() > 100, "{}", groups.len());
    for group in groups.values() {
        let first = group == &[4, 124, 385, 152, 203, 148, 178, 178, 178, 178, 178];
        let later = group == &[4, 385, 152, 203, 148, 178, 178, 178, 178, 178];
        assert!(first || later, "{group:?}");
    }
}

#[test]
fn a_burst_is_found_where_it_is() {
    let mut rows = String::new();
    let mut id = 0;
    for second in 0..64_u64 {
        // Ten a second, but a hundred in seconds 16 to 19.
        let times = if (16..20).contains(&second) { 100 } else { 10 };
        for n in 0..times {
            let at = second * 1_000_000 + n * 1_000_000 / times;
            writeln!(rows, "{at},alloc,{id},{},dma,c,\n{at},free,{id},,,,", 1 + id % 5).unwrap();
            id += 1;
        }
    }
    let fit = fit(&text(&rows));
    let bursts: Vec<_> = fit.phases().iter().filter(|phase| phase.burst).collect();
    assert_eq!(bursts.len(), 1, "{bursts:?}");
    let seconds = (bursts[0].from_us + 500_000) / 1_000_000..=bursts[0].to_us / 1_000_000;
    assert_eq!((*seconds.start(), *seconds.end()), (16, 19), "{bursts:?}");
    assert!((395..=405).contains(&bursts[0].requests), "{bursts:?}");
    // A drawn stream has it there, too.
    let there = draw(&fit, fit.load_pages(), 3, fit.ops());
    let inside = |timed: &&Timed| (15_900_000..20_100_000).contains(&timed.at_us);
    let inside = there.iter().filter(inside).count() as f64 / there.len() as f64;
    assert!((0.3..0.5).contains(&inside), "{inside}: 400 of 1000 in the file");
}

#[test]
fn a_recording_counts_ops_and_says_what_it_leaves_out() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../corpora/recordings/6.12/pins-a1-dma8.csv.gz");
    let fit = fit(&Source::file(path.as_ref()));
    assert!(fit.is_in_ops());
    assert!(fit.left_out.pins > 0 && fit.left_out.given_back > 0, "{:?}", fit.left_out);
    assert!(fit.left_out.warnings().iter().any(|said| said.contains("pins")));
    assert_eq!(fit.area.as_ref().map(cma_policies::Area::pages), Some(16_384));
    let d = fit.distances;
    println!("{d:?} chance {}", fit.between_draws);
    assert!(d.largest() < 0.35, "{d:?}");
}

#[test]
fn distances_have_names_and_nothing_is_not_fitted() {
    let values = Distances(DISTANCES.map(|(name, _)| if name == "live" { 0.5 } else { 0.0 }));
    assert_eq!((values.0[4], values.largest()), (0.5, 0.5));
    let error = Fit::read(&text(""), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("nothing to fit"), "{error}");
}

#[test]
fn buffers_that_stay_stay_in_every_stream() {
    // As in the note on i.MX: 5 that stay, then one again and again.
    let mut rows = String::new();
    for n in 0..5 {
        writeln!(rows, "{n},alloc,{n},257,dma,a,").unwrap();
    }
    for n in 0..50_u64 {
        let at = 10 + n * 4;
        writeln!(rows, "{at},alloc,{},456,dma,b,\n{},free,{},,,,", n + 9, at + 2, n + 9).unwrap();
    }
    let fit = fit(&text(&rows));
    assert_eq!((fit.sessions(), fit.load_pages()), ((50, 5), 5 * 257 + 456));
    assert_eq!(fit.distances, Distances::default());
    let twice = draw(&fit, fit.load_pages() * 2, 1, 500);
    let of = |count: u64| {
        let is = |t: &&Timed| matches!(t.op, Op::Alloc { request, .. } if request.count() == count);
        twice.iter().filter(is).count()
    };
    assert_eq!(of(257), 10, "twice as many stay at twice the LOAD");
    assert!(most_pages(&twice) == fit.load_pages() * 2);
}

/// Runs the command in a folder of its own, where these files are.
fn cmalab(folder: &str, files: &[(&str, Vec<u8>)], args: &[&str]) -> (bool, String, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = command.current_dir(&folder).args(args).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (output.status.success(), said, folder)
}

fn bytes_of(source: &Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.open().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_plan_runs_a_trace_as_it_is_and_streams_like_it_with_their_distance() {
    let plan = r#"
name = "fitted"
seeds = 2
policies = ["kernel"]
[[boards]]
name = "pool"
areas = [{ name = "linux,cma", mib = 128 }, { name = "cam", mib = 512, clients = ["camera"] }]
[[streams]]
file = "camera.csv"
own_area = false
[[streams]]
fit = "camera.csv"
[[streams]]
fit = "camera.csv"
loads = [0.4, 0.6]
ops = 500
"#;
    let files = [("camera.csv", bytes_of(&stream("camera", 1, 1500))), ("plan.toml", plan.into())];
    let args = ["sweep", "plan.toml", "--out", "out", "--jobs", "1"];
    let (good, said, folder) = cmalab("fit-plan", &files, &args);
    assert!(good, "{said}");
    let cells = std::fs::read_to_string(folder.join("out/cells.csv")).unwrap();
    let head: Vec<_> = cells.lines().next().unwrap().split(',').collect();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let rows: Vec<Vec<_>> = cells.lines().skip(1).map(|row| row.split(',').collect()).collect();
    assert_eq!(rows.len(), 1 + 2 + 2 * 2);
    let column = |name: &str| rows.iter().map(|row| row[at(name)]).collect::<Vec<_>>();
    let model = ["model"; 6];
    assert_eq!(column("profile"), [&[""], &model[..]].concat());
    assert_eq!(column("stream"), ["camera.csv"; 7]);
    let distance = format!("{:.6}", fit(&stream("camera", 1, 1500)).distances.largest());
    assert_eq!(column("fit_distance"), [&[""], &[distance.as_str(); 6][..]].concat());
    assert_eq!(column("seed"), ["1", "1", "2", "1", "2", "1", "2"]);
    let requests = column("requests");
    assert_ne!(requests[1..3], [requests[0]; 2], "streams of their own");
    // The plan as run runs the same.
    let as_run = std::fs::read_to_string(folder.join("out/plan.toml")).unwrap();
    assert!(
        as_run.contains("fit = \"camera.csv\"") && as_run.contains("hours = 24.0 #"),
        "{as_run}"
    );
    let files = [files[0].clone(), ("plan.toml", as_run.into_bytes())];
    let (good, said, folder) = cmalab("fit-plan-again", &files, &args);
    assert!(good, "{said}");
    assert_eq!(std::fs::read_to_string(folder.join("out/cells.csv")).unwrap(), cells);
}

#[test]
fn the_command_prints_classes_and_distances_and_draws_streams() {
    let files = [("s.csv", bytes_of(&stream("video", 1, 1500)))];
    let (good, said, folder) = cmalab(
        "fit-command",
        &files,
        &["fit", "s.csv", "--draw", "d.csv", "--seed", "3", "--ops", "200"],
    );
    assert!(good && said.contains("the distance: 0."), "{said}");
    for (_, about) in DISTANCES {
        assert!(said.contains(about), "{said}");
    }
    let drawn = std::fs::read(folder.join("d.csv")).unwrap();
    let again = fit(&Source::bytes("d.csv", drawn));
    assert_eq!(again.ops(), 200);
    for (format, words) in [("json", "\"distance\": 0."), ("csv", "client,pages,align,requests,")] {
        let (good, said, _) = cmalab("fit-format", &files, &["fit", "s.csv", "--format", format]);
        assert!(good && said.contains(words), "{said}");
    }
    let (good, said, _) =
        cmalab("fit-wrong", &[("e.csv", b"at_us,op,id\n".to_vec())], &["fit", "e.csv"]);
    assert!(!good && said.starts_with("error: failed to read e.csv line 1"), "{said}");
}

#[test]
fn time_may_go_up_to_its_end() {
    let source = text("0,alloc,1,4,dma,,\n18446744073709551615,alloc,2,4,dma,,\n");
    let fit = Fit::read(&source, &Options::default()).unwrap();
    assert_eq!(fit.load_pages(), 8);
    assert!(fit.open(8, &Seed::new(1), 20).unwrap().count() > 0);
}
