//! What bounds a request without a list of free runs, what drivers hold, and bursts of which the
//! rate limit hid most lines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs").join(name)
}

fn run(args: &[&str], paths: &[PathBuf]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = run.arg("diagnose").args(paths).args(args).output().unwrap();
    assert!(output.status.success(), "{paths:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is said of a text, as words in one line and as an object.
struct Said {
    text: String,
    first: String,
    object: Value,
}

impl Said {
    fn of(paths: &[PathBuf]) -> Self {
        let text = run(&[], paths);
        let first = text.lines().next().unwrap_or_default().to_string();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let object = serde_json::from_str(&run(&["--format", "json"], paths)).unwrap();
        Self { text, first, object }
    }

    fn corpora(names: &[&str]) -> Self {
        Self::of(&names.iter().map(|name| corpus(name)).collect::<Vec<_>>())
    }

    fn written(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("dmesg.txt");
        fs::write(&path, text).unwrap();
        Self::of(&[path])
    }

    /// `too_large likely`, one for each failure.
    fn verdicts(&self) -> Vec<String> {
        let word = |failure: &Value, key: &str| failure[key].as_str().unwrap().to_string();
        let failures = self.object["failures"].as_array().unwrap().iter();
        let each = |one: &Value| format!("{} {}", word(one, "verdict"), word(one, "confidence"));
        failures.map(each).collect()
    }

    /// How many failures have each verdict: `56 alignment likely`, the most frequent first.
    fn sums(&self) -> Vec<String> {
        let all = self.verdicts();
        let mut kinds = all.clone();
        kinds.sort();
        kinds.dedup();
        let count = |kind: &String| all.iter().filter(|one| *one == kind).count();
        let mut sums: Vec<_> = kinds.iter().map(|kind| (count(kind), kind)).collect();
        sums.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        sums.into_iter().map(|(count, kind)| format!("{count} {kind}")).collect()
    }

    fn bounds(&self, key: &str) -> &Value {
        &self.object["failures"][0]["bounds"][key]
    }

    fn says(&self, part: &str) {
        assert!(self.text.contains(part), "{part}: {}", self.text);
    }
}

const OPEN: &str = "undecidable guess";
const LARGE: &str = "too_large likely";

#[test]
fn k05a_is_more_than_the_only_area_has() {
    let said = Said::corpora(&["min/k05a-bound-only-area.txt"]);
    assert_eq!(said.verdicts(), [LARGE]);
    let first = "too_large (likely): 15252 pages (59.6 MiB) were asked for, the only area in the text has 12288 \
                 (49152 kB reserved at boot, line 1)";
    assert!(said.first.starts_with(first), "{}", said.first);
    said.says("60 MiB (15360 pages) in one range, 12 MiB (3072 pages) more: `cma=60M` on the");
    said.says("[costs 12 MiB (3072 pages)]");
}

#[test]
fn k05b_is_more_than_all_areas_together_have() {
    let said = Said::corpora(&["min/k05b-bound-cmatotal.txt"]);
    assert_eq!(said.verdicts(), [LARGE]);
    let first = "too_large (likely): 4096 pages (16 MiB) were asked for, all areas together have at most 2048 \
                 (CmaTotal 8192 kB, line 2)";
    assert!(said.first.starts_with(first), "{}", said.first);
    said.says("lent to movable pages, which have to be moved (CmaFree 0 kB, line 3)");
    assert_eq!(*said.bounds("least_free_pages"), 0);
}

#[test]
fn k05d_is_more_than_was_reserved_at_boot() {
    let said = Said::corpora(&["min/k05d-bound-cma-reserved.txt"]);
    assert_eq!(said.verdicts(), [LARGE]);
    said.says("all areas together have at most 16384 (65536K cma-reserved, line 1)");
}

/// A driver that wants 64 MiB and a page, after these lines.
fn driver_after(lines: &str) -> Said {
    Said::written(&format!("{lines}\n[   40.5] foo 1000.csi: dma alloc of size 67112960 failed\n"))
}

#[test]
fn whatever_states_the_size_of_the_area_bounds() {
    let node = "OF: reserved mem: 0x7c000000..0x7fffffff (65536 KiB) map reusable linux,cma";
    let pool = "Reserved memory: created CMA memory pool at 0x000000007c000000, size 64 MiB";
    for (lines, by) in [
        ("[    0.0] cma: Reserved 64 MiB at 0x7aa00000 on node -1", "65536 kB reserved at boot"),
        (&format!("[    0.0] {node}"), "65536 kB reserved at boot"),
        (&format!("[    0.0] {pool}"), "65536 kB reserved at boot"),
        ("/sys/kernel/mm/cma/reserved/total_pages:16384", "total_pages of sysfs"),
        ("==> /sys/kernel/debug/cma/reserved/count <==\n16384", "count of debugfs"),
        ("# cat /proc/meminfo\nCmaTotal:          65536 kB", "CmaTotal 65536 kB"),
    ] {
        let said = driver_after(lines);
        assert_eq!(said.verdicts(), [LARGE], "{lines}");
        said.says(&format!("16384 ({by}, line "));
    }
}

#[test]
fn the_command_line_is_a_guess_and_only_where_nothing_else_is() {
    let asked = "[    0.0] Kernel command line: console=ttyAMA0 cma=64M root=/dev/vda";
    let said = driver_after(asked);
    assert_eq!(said.verdicts(), ["too_large guess"]);
    said.says("the area has 16384 if it is as asked for (cma= of 65536 kB on the command line");
    let placed = driver_after(&format!("{asked}\n[    0.0] cma: Reserved 128 MiB at 0x70000000"));
    assert_eq!(placed.verdicts(), [OPEN]);
    placed.says("the only area in the text has 32768");
}

#[test]
fn a_device_tree_is_a_guess_too() {
    let tree = "reserved-memory {\n\tlinux,cma {\n\t\tcompatible = \"shared-dma-pool\";\n\t\t\
                reusable;\n\t\tsize = <0x4000000>;\n\t\tlinux,cma-default;\n\t};\n};";
    let said = driver_after(tree);
    assert_eq!(said.verdicts(), ["too_large guess"]);
    said.says("the area has 16384 if it is as asked for (65536 kB in the device tree, line ");
    let placed = format!("{tree}\n[    0.0] cma: Reserved 128 MiB at 0x70000000");
    assert_eq!(driver_after(&placed).verdicts(), [OPEN]);
}

/// 64 MiB are 4096 pages of 16 KiB.
#[test]
fn pages_are_as_large_as_the_kernel_s() {
    let said = Said::written(
        "[    0.0] Linux version 6.12.1-arm64-16k (me@here) (gcc) #1 SMP\n[    0.0] cma: Reserved \
         64 MiB at 0x7c000000\n[   38.4] cma: __cma_alloc: reserved: alloc failed, req-size: 257 \
         pages, ret: -12\n",
    );
    said.says("at most 8 buffers of 257 pages fit into 4096");
    let driver =
        driver_after("[    0.0] Linux version 6.12.1-arm64-16k (me@here)\nCmaTotal: 65536 kB");
    assert_eq!(driver.verdicts(), [LARGE]);
    driver
        .says("4097 pages were asked for, all areas together have at most 4096 (CmaTotal 65536 kB");
}

#[test]
fn what_may_be_in_another_area_is_not_bounded() {
    // 192 MiB are of areas that the text does not state.
    let some = "[    0.0] cma: Reserved 64 MiB at 0x70000000\nCmaTotal:         262144 kB";
    assert_eq!(driver_after(some).verdicts(), [OPEN]);
    let several = "[    0.0] cma: Reserved 64 MiB at 0x70000000\n\
                   [    0.0] OF: reserved mem: 0x60000000..0x67ffffff (131072 KiB) map reusable cam,cma";
    assert_eq!(driver_after(several).verdicts(), [OPEN]);
    // A trace shows the areas that are asked.
    let traced = "vpu-12 [002] ..... 5.3: cma_alloc_start: name=vpu request_count=4 \
                  available_count=96 total_count=8192 align=0";
    assert_eq!(driver_after(traced).verdicts(), [OPEN]);
    // Without any area nothing fits.
    assert_eq!(driver_after("CmaTotal:              0 kB").verdicts(), [LARGE]);
}

/// 7.3 prints the size that was asked for, of which whole steps are made.
#[test]
fn a_size_that_is_rounded_up_does_not_bound_below_that() {
    let odd = "[    0.0] cma: Reserved 33 MiB at 0x7de00000";
    let asks = |kib: u64| {
        let bytes = kib << 10;
        Said::written(&format!("{odd}\n[   40.5] foo 1.csi: dma alloc of size {bytes} failed\n"))
    };
    assert_eq!(asks(34 << 10).verdicts(), [OPEN]);
    assert_eq!(asks(37 << 10).verdicts(), [LARGE]);
}

/// Up to 6.14 no line is printed for more than the area has: the line is of a larger area.
#[test]
fn a_line_of_an_old_kernel_is_not_too_large() {
    let meminfo = "CmaTotal:           8192 kB\n";
    let old = "[    5.0] cma: cma_alloc: cam: alloc failed, req-size: 4096 pages, ret: -12\n";
    assert_eq!(Said::written(&format!("{meminfo}{old}")).verdicts(), [OPEN]);
    let new = "[    0.0] Linux version 6.18.3 (me@here) (gcc) #1 SMP\n[    5.0] cma: __cma_alloc: \
               cam: alloc failed, req-size: 4096 pages, ret: -16\n";
    assert_eq!(Said::written(&format!("{meminfo}{new}")).verdicts(), [LARGE]);
    let busy = "[    0.0] Linux version 6.6.3 (me@here) (gcc) #1 SMP\n[    5.0] cma: cma_alloc: \
                cam: alloc failed, req-size: 4096 pages, ret: -16\n";
    assert_eq!(Said::written(&format!("{meminfo}{busy}")).verdicts(), ["busy certain"]);
}

#[test]
fn sizes_just_past_a_multiple_are_named_with_what_they_strand() {
    for (count, slot, stranded, most, over, then) in [
        (257, 512, 255, 32, "1 page", 64),
        (258, 512, 254, 32, "2 pages", 64),
        (266, 512, 246, 32, "10 pages", 64),
        (4097, 4352, 255, 3, "1 page", 4),
    ] {
        let said = Said::written(&format!(
            "[    0.0] cma: Reserved 64 MiB at 0x3c000000\n[   38.4] cma: cma_alloc: reserved: alloc \
             failed, req-size: {count} pages, ret: -12\n"
        ));
        assert_eq!(said.verdicts(), [OPEN]);
        let keys = ["slot_pages", "stranded_pages", "most_buffers"];
        assert_eq!(keys.map(|key| said.bounds(key).as_u64().unwrap()), [slot, stranded, most]);
        said.says(&format!(
            "at most {most} buffers of {count} pages fit into 16384: each takes {slot} at order 8 and \
             strands {stranded}"
        ));
        said.says(&format!(
            "({over}) less in each buffer of {count}, which takes {slot} of room now"
        ));
        said.says(&format!("{then} fit into the area then, at most {most} do now."));
    }
    let few = "4097 pages (16 MiB) at order 8 failed with -12; at most 3 such buffers fit into 16384 pages";
    let said = Said::written(
        "[    0.0] cma: Reserved 64 MiB at 0x3c000000\n[   38.4] cma: cma_alloc: reserved: alloc \
         failed, req-size: 4097 pages, ret: -12\n",
    );
    assert!(said.first.contains(few), "{}", said.first);
    let odd =
        Said::written("[   38.4] cma: cma_alloc: x: alloc failed, req-size: 300 pages, ret: -12");
    assert!(!odd.text.contains("bounds"), "{}", odd.text);
}

#[test]
fn cmafree_bounds_from_below() {
    let said = Said::written(
        "CmaTotal:          65536 kB\nCmaFree:            6400 kB\n[   38.4] cma: cma_alloc: x: \
         alloc failed, req-size: 300 pages, ret: -12\n",
    );
    said.says(
        "at least 1600 pages are free in all areas together (CmaFree 6400 kB, line 2; what is lent to \
         movable pages is not counted)",
    );
}

#[test]
fn k10_is_one_request() {
    let said = Said::corpora(&["min/k10-one-request-nine-lines.txt"]);
    assert_eq!(said.verdicts(), [OPEN]);
    assert_eq!(said.object["failures"][0]["count"], 4096);
    said.says("116020 kB in 215 buffers in all (line 2)");
    said.says("`grep Cma /proc/meminfo`");
}

/// The sum of a kernel up to 4.13, in 64 MiB of which 61 are held.
fn tries(tries: &str) -> Said {
    Said::written(&format!(
        "[    0.000000] cma: Reserved 64 MiB at 0x37000000\n{tries}\
         [   91.7] [drm:vc4_bo_create] *ERROR* Failed to allocate from CMA:\n\
         [   91.7] [drm] num bos allocated: 66\n[   91.7] [drm] size bos allocated: 62464kb\n\
         [   91.7] [drm] num bos used: 64\n[   91.7] [drm] size bos used: 56320kb\n\
         [   91.7] [drm] num bos cached: 2\n[   91.7] [drm] size bos cached: 6144kb\n\
         [   91.7] vc4_v3d 3fc00000.v3d: Failed to allocate memory for tile binning: -12. You may \
         need to enable CMA or give it more memory.\n"
    ))
}

#[test]
fn a_driver_that_tries_again_makes_one_request() {
    let driver = "[   91.7] vc4-drm soc:gpu: failed to allocate buffer with size 6291456\n";
    for times in 1..=4 {
        let said = tries(&driver.repeat(times));
        assert_eq!(said.verdicts(), ["exhausted likely"], "{times}");
        said.says(
            "1536 pages were asked for and 15616 of 16384 are held by the driver itself (line",
        );
        said.says("at most 768 pages of 16384 are left");
        said.says("3 MiB (768 pages) more at least (1536 asked for, 768 of 16384 free)");
    }
    // What the kernel itself refuses is counted as it does.
    let line = "[   91.7] cma: cma_alloc: alloc failed, req-size: 1536 pages, ret: -12\n";
    let said = tries(&format!("{line}{driver}").repeat(2));
    assert_eq!(said.verdicts(), ["exhausted likely", "exhausted likely"]);
    // What fits into the rest may be refused for other reasons.
    let small = "[   91.7] vc4-drm soc:gpu: failed to allocate buffer with size 2097152\n";
    assert_eq!(tries(small).verdicts(), [OPEN]);
    assert_eq!(tries("").verdicts(), [OPEN]);
}

#[test]
fn labels_of_a_dump_are_holders_with_and_without_prefixes() {
    for front in ["[drm]", "vc4-drm gpu: [drm]", "vc4-drm soc:gpu:"] {
        for head in ["Failed to allocate from CMA:", "Failed to allocate from GEM DMA helper:"] {
            let said = Said::written(&format!(
                "[    0.0] Reserved memory: created CMA memory pool at 0x1ec00000, size 256 MiB\n\
                 [ 77.445808] vc4-drm gpu: [drm] *ERROR* {head}\n\
                 [ 77.445852] {front}                            V3D:  14336kb BOs (7)\n\
                 [ 77.445860] {front}                     V3D shader:    512kb BOs (125)\n\
                 [ 77.445867] {front}                           dumb:   8192kb BOs (2)\n\
                 [ 77.445870] {front}             userspace BO cache:   2048kb BOs (3)\n\
                 [ 77.445879] {front}                total purged BO:   1024kb BOs (5)\n\
                 [ 77.445897] vc4_v3d 3fc00000.v3d: Failed to allocate memory for tile binning: -12. \
                 You may need to enable CMA or give it more memory.\n"
            ));
            assert_eq!(said.verdicts(), [OPEN], "{front} {head}");
            said.says("V3D holds 14336 kB in 7 buffers; dumb holds 8192 kB in 2 buffers");
            said.says("22016 kB in 129 buffers in all (line 2)");
            said.says("at most 60032 pages of 65536 are left (262144 kB reserved at boot, line 1)");
            assert_eq!(said.bounds("held")["bytes"], 22016 << 10);
        }
    }
}

#[test]
fn dma_bufs_are_holders_of_another_moment() {
    let said = Said::written(
        "[   12.0] cma: Reserved 64 MiB at 0x7aa00000 on node -1\n\
         [   40.5] foo 1000.csi: dma alloc of size 33554432 failed\n\
         # cat /sys/kernel/debug/dma_buf/bufinfo\n\nDma-buf Objects:\n\
         size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n\
         25165824\t00000002\t00080007\t00000003\tlinux,cma\t00000015\tcam0\n\
         \tAttached Devices:\n\tsoc:csi\nTotal 1 devices attached\n\n\
         16777216\t00000002\t00080007\t00000003\tlinux,cma\t00000016\t<none>\n\
         \tAttached Devices:\nTotal 0 devices attached\n\n\
         01048576\t00000002\t00080007\t00000001\tsystem\t00000017\t<none>\n\
         \tAttached Devices:\nTotal 0 devices attached\n\n\nTotal 3 objects, 42991616 bytes\n",
    );
    // 8192 + 10240 are more than 16384, but they were counted later.
    assert_eq!(said.verdicts(), [OPEN]);
    said.says("linux,cma holds 40960 kB in 2 buffers; system holds 1024 kB in 1 buffer");
    said.says("41984 kB in 3 buffers in all (line 5); at most 6144 pages of 16384 are left");
}

#[test]
fn a_burst_of_equal_lists_is_refused_as_its_first_lines() {
    for name in ["board/6.12-vivid-odd-dmesg-r.txt.gz", "board/6.12-vivid-odd-dmesg-bb.txt.gz"] {
        let said = Said::corpora(&[name]);
        assert_eq!(said.sums(), ["66 alignment likely"], "{name}");
        let known = "alignment (likely): 257 pages (1 MiB) at order 8 do not fit, though 511 are free in one \
                     run; order 7 would have fitted (10 failures, 30.0 s to 30.9 s; served by the \
                     page allocator (likely); 56 more likely the same: their lines were hidden by the rate limit)";
        assert_eq!(said.first, known, "{name}");
        said.says(
            "alignment (likely): 257 pages as at line 365, with the same free runs (56 failures",
        );
    }
    let trace = "board/6.12-vivid-odd-trace_pipe.txt.gz";
    let both = Said::corpora(&["board/6.12-vivid-odd-dmesg-r.txt.gz", trace]);
    assert_eq!(both.sums(), ["66 alignment certain"]);
    assert_eq!(Said::corpora(&[trace]).verdicts().len(), 66);
}

/// The client counted 100 refusals; the trace says of each what it was.
#[test]
fn a_trace_answers_what_the_rate_limit_hid() {
    let name = |part: &str| format!("board/7.3-dmaheap-two-pools-{part}.txt.gz");
    for part in ["dmesg", "dmesg-T"] {
        let said = Said::corpora(&[&name(part)]);
        let sums = [
            "36 undecidable guess",
            "33 alignment likely",
            "25 fragmentation likely",
            "6 fragmentation certain",
        ];
        assert_eq!(said.sums(), sums, "{part}");
        let known = "22 failures: 16 alignment (likely), 6 fragmentation (certain); 78 more, whose \
                     lines were hidden by the rate limit: 36 fragmentation or alignment, 25 \
                     fragmentation (likely), 17 alignment (likely)";
        assert_eq!(said.first, known, "{part}");
        assert_eq!(said.object["unknown_suppressed"], 0);
        said.says("78 failure lines were hidden by the rate limit: lists or a trace show all");
    }
    let both = Said::corpora(&[&name("dmesg"), &name("trace")]);
    assert_eq!(both.sums(), ["61 alignment certain", "39 fragmentation certain"]);
    assert_eq!(both.object["unknown_suppressed"], 0);
    assert_eq!(Said::corpora(&[&name("trace")]).sums(), both.sums());
}

/// Of 310 lists without a line the trace says what each was: of what is likely without it, nearly
/// all is so.
#[test]
fn what_is_likely_of_a_burst_is_what_the_trace_shows() {
    let name = |part: &str| format!("board/7.3-rerun24-{part}.txt.gz");
    let log = Said::corpora(&[&name("dmesg")]);
    let both = Said::corpora(&[&name("dmesg"), &name("trace")]);
    let by_time = |said: &Said| {
        let mut failures = said.object["failures"].as_array().unwrap().clone();
        failures.sort_by(|a, b| {
            a["time_s"].as_f64().unwrap().total_cmp(&b["time_s"].as_f64().unwrap())
        });
        failures
    };
    let (log, both) = (by_time(&log), by_time(&both));
    assert_eq!((log.len(), both.len()), (340, 340));
    let hidden = log.iter().zip(&both).filter(|(one, _)| one["count"].is_null());
    let likely: Vec<_> = hidden.filter(|(one, _)| one["confidence"] == "likely").collect();
    let wrong = likely.iter().filter(|(one, other)| one["verdict"] != other["verdict"]).count();
    // A third size has no line at all.
    assert_eq!((likely.len(), wrong), (149, 6));
}

/// 246 of 800 were refused, of five sizes; the ten lines show four, two of them once.
#[test]
fn sizes_that_are_hidden_too_leave_open_which_of_two_it_was() {
    let dmesg = "board/7.3-cma33M-default-dmesg.txt.gz";
    let said = Said::corpora(&[dmesg]);
    let sums = ["236 undecidable guess", "7 fragmentation certain", "3 alignment likely"];
    assert_eq!(said.sums(), sums);
    assert!(said.first.ends_with("hidden by the rate limit: fragmentation or alignment"));
    let both = Said::corpora(&[dmesg, "board/7.3-cma33M-default-trace.txt.gz"]);
    assert_eq!(both.sums(), ["128 fragmentation certain", "118 alignment certain"]);
}

/// The first `lines` of a burst have a line, the others only this list.
fn burst(lines: &[(u64, &str)], lists: &[&str]) -> Said {
    let mut text = "[    0.0] Linux version 6.12.9 (me@here) (gcc) #1 SMP\n".to_string();
    let list = |at: usize, runs: &str| {
        format!("[   30.{at:06}] cma: number of available pages: {runs} of 1024 total pages\n")
    };
    for (index, (count, runs)) in lines.iter().enumerate() {
        let at = 1001 + index * 2;
        text += &format!(
            "[   30.{at:06}] cma: __cma_alloc: reserved: alloc failed, req-size: {count} pages, ret: \
             -12\n"
        );
        text += &list(at + 1, runs);
    }
    lists.iter().enumerate().for_each(|(index, runs)| text += &list(5001 + index, runs));
    Said::written(&text)
}

#[test]
fn a_list_of_which_every_size_seen_says_the_same_is_likely_that() {
    let (one, other) = ("200@3=> 200 free", "90@7+60@500=> 150 free");
    let said = burst(&[(300, one), (300, one), (250, one), (250, one)], &[one, other]);
    let likely = "exhausted likely";
    assert_eq!(&said.verdicts()[4..], [likely, likely]);
    // Of 300 pages exhausted, of 100 fragmentation.
    let said = burst(&[(300, one), (300, one), (100, other), (100, other)], &[other]);
    assert_eq!(said.verdicts()[4], "fragmentation likely", "the equal list comes first");
    let third = "80@7+70@500=> 150 free";
    let said = burst(&[(300, one), (300, one), (100, other), (100, other)], &[third]);
    assert_eq!(said.verdicts()[4], OPEN);
}

#[test]
fn what_fits_was_not_refused() {
    let (one, other) = ("90@7+60@500=> 150 free", "120@7+60@500=> 180 free");
    let said = burst(&[(100, one), (100, one), (130, one), (130, one)], &[other]);
    // At order 7 the 120 pages from 7 on are none: of 100 it is alignment.
    assert_eq!(said.verdicts()[4], OPEN);
    let far = "128@0+60@500=> 188 free";
    let said = burst(&[(100, one), (100, one), (130, one), (130, one)], &[far]);
    assert_eq!(said.verdicts()[4], "fragmentation likely");
}

#[test]
fn a_size_seen_once_leaves_others_open() {
    let (one, other) = ("90@7+60@500=> 150 free", "80@7+60@500=> 140 free");
    assert_eq!(burst(&[(100, one), (100, one)], &[other]).verdicts()[2], "fragmentation likely");
    let once = burst(&[(100, one), (130, one)], &[other]);
    assert_eq!(once.verdicts()[2], OPEN);
    once.says("whose lines are not in the text: fragmentation or alignment");
    assert_eq!(burst(&[(100, one)], &[one]).verdicts()[1], "fragmentation likely");
}
