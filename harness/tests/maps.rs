//! Maps of real bitmaps over the time: what `collect -t` reads, and what a log shows.

use std::fs;
use std::path::Path;
use std::process::Command;

use cma_harness::ingest::Source;
use cma_harness::ingest::log::{self, Record};

/// A trace of a board of 64 pages with a refused call, its failure line with a list, and where it
/// lies. The marks are where readings may stand.
const BOARD: &str = "\
==> /sys/kernel/debug/cma/vpu/base_pfn <==
4096

==> /sys/kernel/debug/cma/vpu/count <==
64

==> /sys/kernel/debug/cma/vpu/bitmap <==
65535 0

@
==> /sys/kernel/tracing/trace <==
 a-7 [000] .... 61.000001: cma_alloc_start: name=vpu count=32 align=5
 a-7 [000] .... 61.000009: cma_alloc_finish: name=vpu pfn=0x1020 page=1 count=32 align=5 errorno=0
 a-7 [000] .... 62.000001: cma_alloc_start: name=vpu count=32 align=5
 a-7 [000] .... 62.000009: cma_alloc_finish: name=vpu pfn=0x0 page=0 count=32 align=5 errorno=-12

@
==> dmesg <==
[   62.000010] cma: cma_alloc: vpu: alloc failed, req-size: 32 pages, ret: -12
[   62.000011] cma: number of available pages: 16@16=> 16 free of 64 total pages
@";

/// Readings of other moments, which contradict what is beside them.
const READINGS: &str = "\
==> snapshot 61.50 /sys/kernel/debug/cma/vpu/bitmap <==
0 4294967295

==> snapshot 62.50 /sys/kernel/debug/cma/vpu/bitmap <==
0 0
";

fn cmalab(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cmalab"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The board's text with readings at the places that `has` them, and as many lines where not.
fn board(has: [bool; 3]) -> String {
    let blank = READINGS.lines().map(|_| "-\n").collect::<String>();
    let mut parts = BOARD.split("@\n").chain([""]).zip(has.into_iter().chain([false]));
    parts.next().map_or_else(String::new, |(first, _)| first.to_string());
    let pieces: Vec<&str> = BOARD.split('@').map(|piece| piece.trim_start_matches('\n')).collect();
    let between = |at: usize| if has[at] { READINGS } else { &blank };
    (0..3).map(|at| [pieces[at], between(at)].concat()).collect()
}
