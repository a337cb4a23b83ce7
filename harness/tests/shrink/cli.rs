//! `cmalab shrink` as somebody meets it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::cases::comb;

/// Four buffers of 257 pages in 2048, one of 3 that comes and goes, then 255 that do not fit.
const STREAM: &str = "# pages=2048 base_pfn=0 order_per_bit=0 area=linux,cma\n\
                      at_us,op,id,count,align,client,area\n\
                      0,alloc,1,257,dma,vpu,\n\
                      1,alloc,9,3,dma,isp,\n\
                      2,alloc,2,257,dma,vpu,\n\
                      3,free,9,,,isp,\n\
                      4,alloc,3,257,dma,vpu,\n\
                      5,alloc,4,257,dma,vpu,\n\
                      6,alloc,5,255,dma,vpu,\n\
                      7,alloc,6,2000,0,vpu,\n";

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("s.csv"), STREAM).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmalab"));
        let output = command.arg("shrink").args(args).current_dir(self.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    }
}

const SMALL: &str = "\
# alignment: 255 pages at order 8 were asked for; 1020 of 2048 are free (49.8 %), but no hole has
# more than 0 from an aligned page on: the longest hole, 255@257, has its first aligned page at 512,
# and 512 + 255 = 767 is past its end at 512; at order 0 it would fit
# kernel=6.12
# policy=kernel
# area=linux,cma
# cap=8
# base_pfn=0
# pages=2048
# order_per_bit=0
at_us,op,id,count,align,client,area
0,alloc,0,257,dma,,
1,alloc,1,257,dma,,
2,alloc,2,257,dma,,
3,alloc,3,257,dma,,
4,alloc,4,255,dma,,
";

#[test]
fn sizes_can_be_kept() {
    let bench = Bench::new();
    let out = bench.good(&["s.csv", "--keep-sizes", "--format", "csv"]);
    assert_eq!(out, SMALL);
    let report = bench.good(&["s.csv", "--keep-sizes", "-o", "small.csv"]);
    assert_eq!(fs::read_to_string(bench.path().join("small.csv")).unwrap(), SMALL);
    let expected = "\n\
s.csv: stream, policy kernel at cap 8, environment pinned
kept: refusal of op 6 at line 9 for the cause alignment, and the free share

                   before    left
ops                     8       5
pages asked for      3286    1283
pages of the area    2048    2048
free pages           1020    1020
free share         49.8 %  49.8 %
";
    assert!(report.starts_with("alignment: 255 pages at order 8"), "{report}");
    assert!(report.contains(expected), "{report}");
    assert!(report.contains("  at page 1536\n") && report.contains("  refused\n"), "{report}");
    assert!(report.contains('!') && report.contains("a character is 32 pages"), "{report}");
    // What is smallest is so for the command, too.
    assert_eq!(bench.good(&["small.csv", "--keep-sizes", "--format", "csv"]), SMALL);
}

#[test]
fn an_op_or_a_line_can_be_named() {
    let bench = Bench::new();
    for args in [["--op", "7"], ["--line", "10"]] {
        let report = bench.good(&[&["s.csv"][..], &args].concat());
        assert!(report.starts_with("exhausted: "), "{report}");
    }
    let (code, out, err) = bench.run(&["s.csv", "--op", "2"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let why = "error: s.csv under policy kernel at cap 8: that op is not refused; the first \
               that is is op 6, at line 9\n";
    assert_eq!(err, why);
}

#[test]
fn forms_follow_each_other_and_one_that_cannot_be_said_says_why() {
    let bench = Bench::new();
    let forms = ["--as", "debugfs", "--as", "test"];
    let out = bench.good(&[&["s.csv", "--keep-sizes"][..], &forms].concat());
    let (script, test) = out.split_once("//! ").unwrap();
    // Orders are not 0, so the holes are made by other requests; 257 used, 255 free, four times.
    let pages: Vec<_> = script.lines().filter_map(|line| line.strip_prefix("echo ")).collect();
    assert_eq!(pages.len(), 1 + 3 * 2, "{script}");
    assert_eq!(pages[0], "257 > /sys/kernel/debug/cma/linux,cma/alloc");
    assert_eq!(pages[1], "512 > /sys/kernel/debug/cma/linux,cma/alloc");
    assert_eq!(pages[2], "255 > /sys/kernel/debug/cma/linux,cma/free");
    assert!(test.contains("#[test]\nfn kernel_refuses_255_pages_with_1020_of_2048_free() {"));
    let busy = "# kernel=6.12 base_pfn=0 pages=8 order_per_bit=0\n\
                idx,kind,id,count,align,result,retries,free,maxrun,note\n\
                0,pin,3,1,,0,,,,\n1,alloc,1,8,0,-16,1,8,8,\n";
    fs::write(bench.path().join("busy.csv"), busy).unwrap();
    let out = bench.good(&["busy.csv", "--as", "debugfs", "--as", "stream"]);
    let (why, recording) = out.split_once('\n').unwrap();
    let right = "# failed to bring this about by debugfs: debugfs cannot make claims fail, and \
                 this refusal is for the cause busy";
    assert_eq!(why, right);
    assert!(recording.contains("\n0,pin,3,1,,1,,,,\n") || recording.contains("pin"), "{out}");
}

#[test]
fn json_holds_every_form() {
    let out = Bench::new().good(&["s.csv", "--keep-sizes", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["stream"], SMALL);
    assert_eq!((&json["ops_before"], &json["ops_after"]), (&8.into(), &5.into()));
    assert_eq!(json["kept"]["cause"], "alignment");
    assert_eq!(json["is_smallest"], true);
    assert!(json["debugfs"].as_str().unwrap().contains("/debug/cma/linux,cma/alloc"));
    assert!(json["test"].as_str().unwrap().contains("#[test]"));
}

#[test]
fn what_a_fuzzer_left_is_read_as_it_is() {
    let bench = Bench::new();
    fs::write(bench.path().join("crash-1"), comb().encode()).unwrap();
    let report = bench.good(&["crash-1"]);
    assert!(report.contains("crash-1: case, policy kernel at cap 8"), "{report}");
    assert!(report.starts_with("fragmentation: 2 pages were asked for"), "{report}");
    let other = bench.good(&["crash-1", "--policy", "best-fit", "--format", "csv"]);
    assert!(other.contains("\n# policy=best-fit\n"), "{other}");
    // Text is a case only where that is said, and this one asks for nothing that is refused.
    fs::write(bench.path().join("text"), "no stream").unwrap();
    let (code, _, err) = bench.run(&["text"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.ends_with("; the bytes of a case are read with --case\n"), "{err}");
    let (code, _, err) = bench.run(&["crash-1", "--pages", "10"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("take --pages for a case"), "{err}");
    let (code, _, err) = bench.run(&["text", "--case"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.ends_with("nothing is refused, so there is nothing to keep\n"), "{err}");
    let (code, _, err) = bench.run(&["crash-1", "--keep", "law"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.ends_with("no law is broken, so there is none to keep\n"), "{err}");
}

#[test]
fn the_case_that_the_readme_names_is_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("cmalab shrink corpora/seeds/"));
    let mut count = 0;
    for line in lines {
        let mut words = line.split_whitespace().take_while(|word| *word != "#");
        let file = root.join("corpora/seeds").join(words.next().unwrap());
        let args: Vec<_> = std::iter::once(file.to_str().unwrap()).chain(words).collect();
        assert!(Bench::new().good(&args).contains(": case, policy "), "{line}");
        count += 1;
    }
    assert!(count > 0, "the README shows one");
}

#[test]
fn a_packed_file_with_a_mistake_is_no_case() {
    let bench = Bench::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(STREAM.as_bytes()).unwrap();
    fs::write(bench.path().join("s.csv.gz"), packed.finish().unwrap()).unwrap();
    let (code, out, err) = bench.run(&["s.csv.gz", "--pages", "0"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("failed to read s.csv.gz line 1: no area has 0 pages"), "{err}");
}

#[test]
fn the_only_form_must_be_possible() {
    let bench = Bench::new();
    let table = [
        ("case", &["s.csv"][..], "write a stream as a case"),
        ("debugfs", &["s.csv", "--policy", "buddy", "--line", "9", "--cap", "0"], "by debugfs: "),
    ];
    for (form, args, says) in table {
        let (code, out, err) = bench.run(&[args, &["--as", form]].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{form}: {err}");
        assert!(err.contains(says) && err.lines().count() == 1, "{form}: {err}");
    }
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_written() {
    let bench = Bench::new();
    let table: &[(&[&str], i32, &str)] = &[
        (&["none.csv"], 2, "error: failed to read none.csv: "),
        (&["s.csv", "--policy", "worst"], 2, "no policy is named \"worst\"; there are kernel"),
        (&["s.csv", "--tolerance", "101"], 2, "101 percent; 0 to 100 is allowed"),
        (&["s.csv", "--tolerance", "nan"], 2, "0 to 100 is allowed"),
        (&["s.csv", "--cap", "0", "--line", "9"], 1, "that op is not refused"),
        (&["s.csv", "--pages", "1000000"], 1, "nothing is refused, so there is nothing to keep"),
        (&["s.csv", "--keep", "law"], 1, "no law is broken, so there is none to keep"),
        (&["s.csv", "--as", "test", "--as", "stream"], 2, "write several forms to one file"),
        (&["s.csv", "--as", "case"], 2, "only a case that breaks a law is one"),
        (&["s.csv", "--kernel", "3.10"], 2, "find kernel \"3.10\""),
        (&["s.csv", "--environment", "calm"], 2, "calm"),
    ];
    for (args, code, says) in table {
        let args = [*args, &["-o", "out"]].concat();
        let (ended, out, err) = bench.run(&args);
        assert_eq!((ended, out.as_str()), (*code, ""), "{args:?}: {err}");
        assert!(err.contains(says) && err.lines().count() == 1, "{args:?}: {err}");
        let left = fs::read_dir(bench.path()).unwrap().count();
        assert_eq!(left, 1, "{args:?} left a file");
    }
}
