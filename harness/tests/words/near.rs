//! Words that are nearly right.

use std::fs;

use cma_harness::sweep::parse;
use cma_policies::builtin;

use crate::rig::Bench;

#[test]
fn a_word_that_is_nearly_right_is_told_the_right_one() {
    let bench = Bench::new();
    let trace = "\
t-1 [000] .... 1.0: cma_alloc_start: name=vpu_pool count=4 align=2
t-1 [000] .... 1.1: cma_alloc_finish: name=vpu_pool pfn=0x1000 page=0000000000000000 count=4 align=2 errorno=0
";
    fs::write(bench.path().join("t.txt"), trace).unwrap();
    let area = ["--pages", "8M"];
    for (args, meant) in [
        (&["replay", "s.csv", "--policy", "kernel,bestfit"][..], "best-fit"),
        (&["replay", "s.csv", "--policy", "buddy:trm=false"], "trim"),
        (&["replay", "s.csv", "--policy", "buddy:trim=flase"], "false"),
        (&["replay", "s.csv", "--environment", "movabel"], "movable"),
        (&["replay", "s.csv", "--environment", "pinned:shar=0.1"], "share"),
        (&["replay", "s.csv", "--kernel", "androit"], "android"),
        (&["replay", "t.txt", "--area", "vpu-pool"], "vpu_pool"),
        (&["conform", "--policy", "kernal"], "kernel"),
        (&["diagnose", "t.txt", "--kernel", "andriod"], "android"),
        (&["attack", "--policy", "kernel,nextfit"], "next-fit"),
        (&["generate", "camra"], "camera"),
        (&["generate", "rpi-camera-encoder-gpo"], "rpi-camera-encoder-gpu"),
        (&["generate", "[{ profile = \"gpo\", load_mib = 9 }]"], "gpu"),
        (&["generate", "[{ profil = \"gpu\" }]"], "profile"),
        (&["recommend", "vidoe"], "video"),
        (&["lint", "s.csv", "--arch", "amr64"], "arm64"),
    ] {
        let takes_area = args[0] == "replay" && args[1] == "s.csv";
        let err = bench.bad(&[args, if takes_area { &area[..] } else { &[] }].concat());
        let said = format!("did you mean \"{meant}\"?");
        assert!(err.contains(&said) && err.lines().count() <= 3, "{args:?}: {err}");
    }
    // Of options, commands and words of the command line clap says it.
    for (args, meant) in [
        (&["reply", "s.csv"][..], "'replay'"),
        (&["replay", "s.csv", "--polcy", "kernel"], "'--policy'"),
        (&["list", "polices"], "'policies'"),
        (&["lint", "--explain", "size-of-step"], "'size-off-step'"),
        (&["diagnose", "--fail-on", "alignmnt"], "'alignment'"),
    ] {
        let err = bench.bad(args);
        assert!(err.contains("similar") && err.contains(meant), "{args:?}: {err}");
    }
}

#[test]
fn a_key_of_a_plan_that_is_nearly_right_is_told_the_right_one() {
    let plan = |top: &str, board: &str, stream: &str| {
        format!(
            "name = \"x\"\n{top}\n[[boards]]\nname = \"b\"\n{board}\n\
             [[streams]]\nprofile = \"gpu\"\n{stream}"
        )
    };
    let areas = "areas = [{ mib = 64 }]";
    for (text, line, meant) in [
        (plan("polices = [\"kernel\"]", areas, ""), 2, "policies"),
        (plan("policies = [\"bestfit\"]", areas, ""), 2, "best-fit"),
        (plan("environments = [\"pined\"]", areas, ""), 2, "pinned"),
        (plan("after_failure = \"rety\"", areas, ""), 2, "retry"),
        (plan("after_failure = \"retry:tmies=3\"", areas, ""), 2, "times"),
        (plan("", "areas = [{ mbi = 64 }]", ""), 5, "mib"),
        (plan("", "areas = [{ mib = 64, made_by = \"cmd\" }]", ""), 5, "cmdline"),
        (plan("", &format!("caller = \"dma-heep\"\n{areas}"), ""), 5, "dma-heap"),
        (plan("", &format!("arch = \"arm46\"\n{areas}"), ""), 5, "arm64"),
        (plan("", areas, "load_mib = [9]"), 8, "loads_mib"),
        ("name = \"x\"\n[[streams]]\nprofile = \"gpo\"".to_string(), 3, "gpu"),
        (
            "name = \"x\"\n[[streams]]\nmix = \"rpi-camera\"".to_string(),
            3,
            "rpi-camera-encoder-gpu",
        ),
        (
            "name = \"x\"\n[[streams]]\nrecorded = \"mix-a1-dma9\"".to_string(),
            3,
            "6.12/mix-a1-dma8",
        ),
    ] {
        let error = parse("p.toml", &text, &builtin::catalog()).expect_err(&text).to_string();
        assert!(error.starts_with(&format!("read plan p.toml line {line},")), "{error}");
        assert!(error.ends_with(&format!("; did you mean \"{meant}\"?")), "{text}\n{error}");
    }
}
