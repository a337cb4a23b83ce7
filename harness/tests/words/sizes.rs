//! Sizes with a unit, hexadecimal numbers and lists.

use std::fs;

use cma_harness::sweep::{Load, Plan, parse};
use cma_policies::builtin;

use crate::rig::Bench;

#[test]
fn a_size_is_as_many_pages_whichever_way_it_is_written() {
    let bench = Bench::new();
    let pages = ["8192", "0x2000", "32M", "32MiB", "32768K", "0x20M"];
    let replay = |file, size| bench.good(&["replay", file, "--pages", size, "--format", "json"]);
    let all = pages.map(|size| replay("s.csv", size));
    assert!(all[0].contains("8192") && all.iter().all(|one| *one == all[0]), "{}", all[0]);
    // Pages of 16 KiB, as the file says, or as the caller does.
    assert_eq!(replay("s16.csv", "128M"), replay("s16.csv", "8192"));
    let stated = |size| bench.good(&["replay", "s.csv", "--page-kib", "16K", "--pages", size]);
    assert_eq!(stated("128M"), stated("8192"));
    let ranges = |ranges| bench.good(&["replay", "s.csv", "--ranges", ranges]);
    assert_eq!(ranges("0x400:16M,0:4M"), ranges("1024:4096,0:1024"));
    let placed = |pfn| bench.good(&["replay", "s.csv", "--pages", "8192", "--base-pfn", pfn]);
    assert_eq!(placed("0x12fe00"), placed("1244672"));
}

#[test]
fn every_command_that_makes_an_area_takes_a_size() {
    let bench = Bench::new();
    let same = |one: &[&str], other: &[&str]| assert_eq!(bench.good(one), bench.good(other));
    same(
        &["generate", "gpu", "--ops", "50", "--pages", "256M"],
        &["generate", "gpu", "--ops", "50", "--pages", "65536"],
    );
    let of_16 = ["generate", "gpu", "--ops", "50", "--page-kib", "16", "--pages"];
    same(&[&of_16[..], &["256M"]].concat(), &[&of_16[..], &["16384"]].concat());
    let attack = ["attack", "--tries", "50", "--format", "csv"];
    same(
        &[&attack[..], &["--pages", "1M,0x80", "--largest", "64K"]].concat(),
        &[&attack[..], &["--pages", "256", "--pages", "128", "--largest", "16"]].concat(),
    );
    let draw = ["-q", "fit", "s.csv", "--pages", "8M", "--draw", "-", "--ops", "9"];
    same(
        &[&draw[..], &["--load-mib", "4M"]].concat(),
        &[&draw[..], &["--load-pages", "0x400"]].concat(),
    );
    same(
        &[&draw[..], &["--load-mib", "4"]].concat(),
        &[&draw[..], &["--load-pages", "4M"]].concat(),
    );
    let why = ["diagnose", "log.txt", "--pages"];
    let log = "[1.0] cma: cma_alloc: alloc failed, req-size: 456 pages, ret: -12\n\
               [1.0] cma: number of available pages: 511@58881=> 511 free of 286720 total pages\n";
    fs::write(bench.path().join("log.txt"), log).unwrap();
    same(&[&why[..], &["1120M"]].concat(), &[&why[..], &["286720"]].concat());
}

#[test]
fn a_recommendation_is_for_an_area_of_any_unit() {
    let bench = Bench::new();
    let of = |size: &[&str]| {
        let given = ["recommend", "camera", "--ops", "1000", "--format", "csv"];
        bench.run(&[&given[..], size].concat())
    };
    let (_, mib, _) = of(&["--mib", "256", "--load-mib", "180", "--ram", "512"]);
    let (_, unit, _) = of(&["--mib", "256M", "--load-mib", "0xb4", "--ram", "524288K"]);
    let (_, pages, _) = of(&["--pages", "256M", "--load-mib", "180MiB", "--ram", "0x200"]);
    assert!(mib.lines().count() > 1, "{mib}");
    assert_eq!((&unit, &pages), (&mib, &mib));
}

#[test]
fn what_is_no_whole_number_of_pages_is_refused_with_what_is() {
    let bench = Bench::new();
    let err = bench.bad(&["replay", "s16.csv", "--pages", "100K"]);
    let why = "error: failed to take --pages 100K: 100K is no whole number of pages of 16 KiB; take \
               96K or 112K\n";
    assert_eq!(err, why);
    let err = bench.bad(&["replay", "s.csv", "s16.csv", "--pages", "1M"]);
    assert!(err.contains("s.csv has pages of 4 KiB, s16.csv of 16 KiB"), "{err}");
    let err = bench.bad(&["replay", "s.csv", "--pages", "640MB"]);
    assert!(err.contains("MB may mean powers of ten; 640M is 640 MiB"), "{err}");
    let err = bench.bad(&["replay", "s.csv", "--pages", "1.5G"]);
    assert!(err.contains("or one with a unit: 512K, 640M or 640MiB, 2G"), "{err}");
    let err = bench.bad(&["replay", "s.csv", "--base-pfn", "1G"]);
    assert!(err.contains("its address divided by the size of a page"), "{err}");
    let err = bench.bad(&["replay", "s.csv", "--ranges", "0:1M,5"]);
    assert!(err.contains("range \"5\" is not BASE:PAGES"), "{err}");
}

#[test]
fn a_list_is_the_option_several_times() {
    let bench = Bench::new();
    let of = |args: &[&str]| bench.good(&[&["replay", "s.csv", "--pages", "8M"], args].concat());
    let each = of(&[
        "--policy",
        "kernel",
        "--policy",
        "buddy:trim=false,max_order=9",
        "--policy",
        "best-fit",
        "--cap",
        "8",
        "--cap",
        "4",
    ]);
    let list = of(&["--policy", "kernel,buddy:trim=false,max_order=9,best-fit", "--cap", "8,4"]);
    assert_eq!(list, each);
    let err = bench.bad(&["replay", "s.csv", "--cap", "8,64"]);
    assert!(
        err.contains("invalid value '64' for '--cap <ORDER,…>': an order from 0 to 63 is"),
        "{err}"
    );
    let err = bench.bad(&["replay", "s.csv", "--policy", "kernel,zoned:order=8,share"]);
    assert!(err.contains("at character 22: no policy is named \"share\""), "{err}");
    let conform =
        |args: &[&str]| bench.good(&[&["conform", "--cases", "1", "--acts", "2"], args].concat());
    let list = conform(&["--policy", "kernel,zoned:share=0.25,order=8"]);
    let each = conform(&["--policy", "kernel", "--policy", "zoned:share=0.25,order=8"]);
    assert_eq!(list, each);
    assert_eq!(conform(&[]), conform(&["--policy", "all"]));
    let forms = |args: &[&str]| {
        bench.good(&[&["shrink", "s.csv", "--pages", "2M", "--cap", "8"], args].concat())
    };
    assert_eq!(forms(&["--as", "stream,test"]), forms(&["--as", "stream", "--as", "test"]));
}

fn plan(text: &str) -> Plan {
    parse("p.toml", text, &builtin::catalog()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_plan_takes_sizes_too() {
    let with = |page: &str, base: &str, pages: &str, mib: &str, load: &str| {
        let text = format!(
            "name = \"x\"\npage_kib = {page}\n\
             [[boards]]\nname = \"b\"\nstep_mib = {mib}\nareas = [\n\
             {{ mib = {mib}, base_pfn = {base} }},\n\
             {{ name = \"two\", clients = [\"v\"], ranges = [{{ base_pfn = 0, pages = {pages} }}] }}]\n\
             [[streams]]\nprofile = \"gpu\"\nloads_mib = [{load}]\n\
             [[streams]]\nmix = [{{ profile = \"gpu\", load_mib = {load} }}]\n"
        );
        format!("{:?}", plan(&text)).split("at: Place").next().unwrap().to_string()
    };
    let plain = with("16", "8192", "100", "64", "32");
    assert_eq!(with("\"16K\"", "\"0x2000\"", "\"1600K\"", "\"64M\"", "\"32MiB\""), plain);
    assert_eq!(with("0x10", "0x2000", "\"0x64\"", "0x40", "\"32768K\""), plain);
    // What is no whole number of MiB reads again as it was.
    let load = |text: &str| {
        let stream = "[[streams]]\nprofile = \"gpu\"\nloads_mib = ";
        plan(&format!("name = \"x\"\n{stream}[{text}]")).streams[0].loads.clone()
    };
    assert!(matches!(load("\"33280K\"")[..], [Load::Pages(8320)]));
    for (area, why) in [
        ("mib = \"64MB\"", "mib is \"64MB\"; MB may mean powers of ten"),
        ("mib = \"0M\"", "mib is \"0M\"; more than nothing is asked for"),
        ("pages = \"5K\"", "5K is no whole number of pages of 4 KiB; take 4K or 8K"),
        ("mib = 64.0", "a whole number, or a text with a unit such as \"640M\""),
        ("mib = 64, base_pfn = \"1M\"", "base_pfn is \"1M\"; a whole number is allowed"),
        ("mib = \"33M\"", "an area of 33 MiB is made by no node"),
        ("mib = \"512K\"", "an area of 0.5 MiB is made by no node"),
    ] {
        let text = format!(
            "name = \"x\"\n[[boards]]\nname = \"b\"\nstep_mib = \"2M\"\nareas = [{{ {area} }}]\n\
             [[streams]]\nprofile = \"gpu\""
        );
        let error = parse("p.toml", &text, &builtin::catalog()).expect_err(area).to_string();
        assert!(
            error.starts_with("read plan p.toml line 5, column ") && error.contains(why),
            "{error}"
        );
    }
    let step = "name = \"x\"\n[[boards]]\nname = \"b\"\nstep_mib = \"1536K\"\nareas = [{ mib = 3 }]\n\
                [[streams]]\nprofile = \"gpu\"";
    let error = parse("p.toml", step, &builtin::catalog()).expect_err("3/2 MiB").to_string();
    assert!(error.contains("step_mib is \"1536K\"; a pageblock is a power of two"), "{error}");
}
