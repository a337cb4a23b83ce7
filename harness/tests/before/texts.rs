//! What the other texts of a board say of the start of a trace.

use cma_harness::ingest::Source;
use cma_harness::reader::Options;
use cma_policies::{Area, Run};

use crate::rig::{Board, Release, before, beside, replayed};

const BASE: u64 = 0x7aa00;

fn board(release: Release, taken: &[u64]) -> Board {
    let area = Area::new("reserved", 0, &[Run::new(BASE, 2048)]).unwrap();
    let mut board = Board::new(area, release);
    for count in taken {
        board.alloc(*count, count.ilog2());
    }
    board.forget();
    board
}

fn log(lines: &[&str]) -> String {
    let head = "[    0.000000] Linux version 6.12.117 (me@here) (aarch64-linux-gnu-gcc) #1 SMP\n\
                [    0.000000] cma: Reserved 8 MiB at 0x000000007aa00000 on node -1\n";
    lines.iter().fold(head.to_string(), |log, line| format!("{log}[    0.290521] {line}\n"))
}

/// The trace of a board that asks for large buffers only, beside a log with these lines.
fn said(taken: &[u64], lines: &[&str]) -> (Vec<Run>, String) {
    let mut board = board(Release::Errno, taken);
    board.alloc(257, 8);
    board.alloc(300, 8);
    let options = beside(&[&log(lines)]);
    let found = replayed(&board.trace(), &options);
    assert_eq!((found.equal, found.different), (2, 0), "{:#?}", found.first);
    before(&board.trace(), &options)
}

const KERNEL: &str = "DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations";
const DMA: &str = "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations";
const DMA32: &str = "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations";

#[test]
fn pools_are_read_as_every_kernel_prints_them() {
    let runs = |runs: &[(u64, u64)]| -> Vec<Run> {
        runs.iter().map(|(at, count)| Run::new(BASE + at, *count)).collect()
    };
    let three = runs(&[(0, 32), (32, 32), (64, 32)]);
    assert_eq!(said(&[32, 32, 32], &[KERNEL, DMA, DMA32]).0, three);
    // 7.x makes only those that some device can need.
    assert_eq!(said(&[32], &[DMA]).0, runs(&[(0, 32)]));
    // Up to 5.7, and 32-bit Arm.
    for old in [
        "DMA: preallocated 256 KiB pool for atomic allocations",
        "DMA: preallocated 256 KiB pool for atomic coherent allocations",
    ] {
        assert_eq!(said(&[64], &[old]).0, runs(&[(0, 64)]));
    }
    // `coherent_pool=2M`.
    let large = "DMA: preallocated 2048 KiB GFP_KERNEL pool for atomic allocations";
    assert_eq!(said(&[512], &[large]).0, runs(&[(0, 512)]));
    // What says how many pages it wanted got none.
    let failed = "DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA pool for atomic allocation";
    assert_eq!(said(&[32], &[KERNEL, failed]).0, runs(&[(0, 32)]));
}

#[test]
fn pools_are_of_the_last_boot_and_of_zones_that_reach_the_area() {
    let again = "Linux version 6.12.117 (me@here) (aarch64-linux-gnu-gcc) #2 SMP";
    let (runs, words) = said(&[32], &[KERNEL, DMA, DMA32, again, KERNEL]);
    assert_eq!(runs, [Run::new(BASE, 32)], "{words}");
    // The same text twice, as a file and in a collection.
    let (runs, _) = said(&[32, 32], &[KERNEL, DMA, KERNEL, DMA]);
    assert_eq!(runs, [Run::new(BASE, 32), Run::new(BASE + 32, 32)]);
    // `ZONE_DMA` of x86 ends at 16 MiB.
    let x86 = "Linux version 6.12.117 (me@here) (x86_64-linux-gnu-gcc-14) #1 SMP";
    let (runs, _) = said(&[32], &[x86, KERNEL, DMA]);
    assert_eq!(runs, [Run::new(BASE, 32)]);
}

#[test]
fn a_pool_whose_place_was_free_is_none_of_this_area() {
    // The first request went where it would be.
    let (runs, words) = said(&[], &[KERNEL, DMA, DMA32]);
    assert_eq!(runs, [], "{words}");
}

#[test]
fn the_counter_says_how_many_pages_were_taken_also_where_no_call_shows_which() {
    let mut board = board(Release::Counts, &[32, 16]);
    board.alloc(256, 8);
    let (runs, words) = before(&board.trace(), &Options::default());
    assert_eq!(runs, [Run::new(BASE, 48)], "{words}");
    assert!(words.contains("line 1 has available_count 2000 of 2048"), "{words}");
    assert!(words.contains("by first fit the call on line 1 found them taken"), "{words}");
}

/// The counter of a trace that begins with other events is that of its first start.
#[test]
fn what_was_given_back_before_the_first_start_was_taken_before() {
    let mut board = board(Release::Counts, &[32, 64, 128]);
    let third = board.live.keys().nth(2).copied().unwrap();
    board.free(third);
    board.alloc(256, 8);
    let (runs, words) = before(&board.trace(), &Options::default());
    assert_eq!(runs.iter().map(|run| run.count).sum::<u64>(), 32 + 64 + 128, "{words}");
    assert!(runs.contains(&Run::new(BASE + 128, 128)), "{runs:?}");
}

#[test]
fn sysfs_bounds_what_may_have_been_taken() {
    let mut board = board(Release::Errno, &[32, 2]);
    board.alloc(60, 6);
    board.alloc(256, 8);
    let counters = "/sys/kernel/mm/cma/reserved/total_pages:2048\n\
                    /sys/kernel/mm/cma/reserved/available_pages:2014\n";
    let alone = before(&board.trace(), &Options::default());
    assert!(alone.1.contains("taken to lie from pfn 502272 on"), "{}", alone.1);
    assert!(alone.1.contains("there may be 1 to 64"), "{}", alone.1);
    let (_, words) = before(&board.trace(), &beside(&[counters]));
    assert!(words.contains("there may be 1 to 34"), "{words}");
}

#[test]
fn a_list_of_that_time_is_exact_and_one_of_another_area_is_none() {
    let mut board = board(Release::Errno, &[32, 8, 128]);
    board.alloc(257, 8);
    let list = board.list(2000);
    board.alloc(300, 8);
    let (runs, words) = before(&board.trace(), &beside(&[&list]));
    assert_eq!(runs, [Run::new(BASE, 40), Run::new(BASE + 128, 128)], "{words}");
    assert!(words.contains("taken in the list of that time (dmesg.txt line 2)"), "{words}");
    let other = list.replace("reserved: ", "vpu: ").replace("128@128", "1@1");
    let (runs, words) = before(&board.trace(), &beside(&[&other]));
    assert!(!words.contains("list of that time"), "{words}");
    assert!(runs.iter().all(|run| run.count < 128), "{runs:?}");
    // One that is cut shows less than there is.
    let cut = list.replace("=>", "+");
    assert!(!before(&board.trace(), &beside(&[&cut])).1.contains("list of that time"));
}

/// What was taken long before the trace may have been given back since.
#[test]
fn a_list_of_another_time_counts_where_a_call_shows_that_it_must() {
    let mut board = board(Release::Errno, &[32, 8, 128]);
    let list = board.list(2000);
    board.now += 60_000_000;
    let third = board.live.keys().nth(2).copied().unwrap();
    board.free(third);
    board.forget();
    board.alloc(257, 8);
    board.alloc(257, 8);
    let found = replayed(&board.trace(), &beside(&[&list]));
    assert_eq!((found.equal, found.different), (2, 0));
    let (runs, words) = before(&board.trace(), &beside(&[&list]));
    assert_eq!(runs, [Run::new(BASE, 40)], "{words}");
    assert!(words.contains("every list before or after (dmesg.txt line 2)"), "{words}");
}

#[test]
fn calls_that_do_not_go_where_first_fit_does_prove_nothing() {
    // The highest place first, as some vendor's kernel might.
    let mut text = String::new();
    for (at, pfn) in (0..20).map(|at| (at, 0x40000 + 64 * (19 - at))) {
        let now = format!("  vpu-7  [000] .....  5.{at:05}");
        text += &format!("{now}1: cma_alloc_start: name=a count=60 align=6\n");
        let asked = "page=1 count=60 align=6 errorno=0";
        text += &format!("{now}2: cma_alloc_finish: name=a pfn=0x{pfn:x} {asked}\n");
    }
    let source = Source::bytes("t", text.into_bytes());
    let (runs, words) = before(&source, &Options::default());
    assert_eq!(runs, []);
    assert!(words.contains("do not go where first fit does"), "{words}");
    let found = replayed(&source, &Options::default());
    let (first, before) = found.first_different.unwrap();
    assert_eq!((first.line, before), (1, 0), "{first}");
}
