//! `cmalab recommend` as somebody meets it who asks for what cannot be.

use std::fs;
use std::path::Path;
use std::process::Command;

use cma_harness::tree::has_dtc;

/// Exit status, output and what is said of errors, in `corpora`; the search is soon over.
fn run(args: &[&str]) -> (i32, String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    command.arg("recommend").args(args).args(["--ops", "30000"]).current_dir(folder);
    let done = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// Ends with status 2 and one message, which says `why`.
fn is_refused(args: &[&str], why: &str) {
    let (code, out, err) = run(args);
    assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
    assert_eq!(err.matches("error: ").count(), 1, "{args:?}: {err}");
    assert!(err.contains(why), "{args:?}: {err}");
}

const TREE: &str = "boots/dtb/two.dtb";
const STREAM: &str = "regressions/257-pages-at-cap-8.csv";
const RECORDING: &str = "recordings/6.12/short-a0-dma8.csv.gz";

#[test]
fn what_contradicts_is_status_2_with_one_message_that_names_it() {
    let no_change = ["--no-kconfig", "--no-driver", "--no-patch", "--leave", "linux,cma"];
    let cases: [(&[&str], &str); 15] = [
        (
            &["--no-split", "video", "--split", "video"],
            "split video off: --split and --no-split both name it",
        ),
        (&["--leave", "foo"], "leave foo as it is: no area is known by that name; there are none"),
        (
            &["--leave", "foo", "--dts", TREE],
            "no area is known by that name; there are linux,cma, ",
        ),
        (&["--dts", TREE, "--ram", "20"], "--ram 20 MiB: other areas of the board take "),
        (&["--dts", TREE, "--ram", "5000"], "--ram 5000 MiB: the board has 1024 MiB in all"),
        (&["--ram", "1"], "--ram 1 MiB: areas are multiples of 2 MiB"),
        (&["--dts", TREE, "--max-areas", "1"], "--max-areas 1: the board has "),
        (&["--max-areas", "0"], "--max-areas 0: the board has 1 area\n"),
        (&["--weight", "1,2"], "--weight has 2, and there are 1"),
        (&["--weight", "0"], "0 is no share; it is a number above 0"),
        (&["--weight", "NaN"], "NaN is no share"),
        (&["--target", "garbage"], "target \"garbage\" is none; allowed are mtbf=30d"),
        (&["--time", "soon"], "a time such as 90s, 10min or 2h is allowed"),
        (&["--config", "none"], "read none: No such file"),
        (&[RECORDING], "a recording counts its ops: recommend for each alone"),
    ];
    for (args, why) in cases {
        is_refused(&[&["video", "--mib", "128"], args].concat(), why);
    }
    let all = [&["video", "--dts", TREE, "--load-mib", "90"], &no_change[..]].concat();
    is_refused(&all, "--leave, --no-kconfig, --no-driver and --no-patch leave nothing to change");
    is_refused(&["camera"], "name --load-mib, or --mib of the area");
    is_refused(&["nosuch"], "the profiles are camera, video, ");
    is_refused(&["video", "--mib", "8"], "is too small for profile video");
}

#[test]
fn a_tree_with_an_error_is_said_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.dts");
    fs::write(&path, "/dts-v1/;\n/ {\n  reserved-memory {\n    a = <1 2>\n  };\n};\n").unwrap();
    let path = path.display().to_string();
    let why = if has_dtc() { "bad.dts:5.3-4 syntax error" } else { "dtc" };
    is_refused(&["video", "--mib", "128", "--dts", &path], why);
    is_refused(&["video", "--mib", "128", "--dts", STREAM], "it is no device tree");
}

#[test]
fn what_cannot_be_advised_is_status_1_with_what_to_do() {
    // The memory that it may have is less than LOAD.
    let (code, out, err) = run(&["video", "--load-mib", "100", "--mib", "64", "--ram", "64"]);
    assert_eq!(code, 1, "{err}");
    assert!(out.starts_with("nothing that may be changed meets mtbf=1d"), "{out}");
    // A few requests.
    let (code, out, err) = run(&[STREAM, "--pages", "1024"]);
    assert_eq!(code, 1, "{err}");
    assert!(out.starts_with("cannot advise: ") && out.contains("sessions"), "{out}");
    // Drawn streams do not fail as this one did.
    let (code, out, _) = run(&["recordings/6.12/mix-a1-dma8.csv.gz"]);
    assert_eq!(code, 1);
    assert!(out.contains("do not fail as it did") && out.contains("collect.sh -t 600"), "{out}");
}

#[test]
fn a_trace_that_is_too_short_is_answered_with_how_long_to_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.csv");
    let mut text = "# base_pfn=0 pages=1024 order_per_bit=0\nidx,kind,id,count,align\n".to_string();
    for id in 0..3 {
        let (alloc, free) = (2 * id, 2 * id + 1);
        text += &format!("{alloc},alloc,{id},300,8\n{free},free,{id},300,0\n");
    }
    fs::write(&path, text).unwrap();
    let (code, out, err) = run(&[&path.display().to_string()]);
    assert_eq!(code, 1, "{err}");
    assert!(
        out.starts_with("cannot advise: ") && out.contains("; record 30 ops or longer"),
        "{out}"
    );
}
