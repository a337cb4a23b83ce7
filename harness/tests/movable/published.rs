//! Numbers that others measured on real systems.

use cma_policies::{ClaimError, Run};

use crate::{claimed, pages};

const TEN_MB: Run = Run::new(0, 2560);

/// Commit 02c6de8d757c: 146 ms to migrate 10 MB, 7 ms where clean pages are dropped (QEMU, 2012).
#[test]
fn ten_megabytes_are_migrated_in_146_ms_and_dropped_in_7() {
    let only = "fixed_us=0,zero_us=0,pin=0,migrate_us=57,drop_us=2.7";
    let mut copied = pages(&format!("movable:fill=1,clean=0,dirty=0,{only}"), 4096, 1);
    let (ended, us) = claimed(copied.as_mut(), TEN_MB);
    assert_eq!((ended, us), (Ok(()), 2560 * 57));
    assert!(us.abs_diff(146_000) < 1_000);

    let mut dropped = pages(&format!("movable:fill=1,clean=1,{only}"), 4096, 1);
    assert_eq!(dropped.claim(TEN_MB), Ok(()));
    let spent = dropped.spent();
    assert_eq!((spent.dropped_pages, spent.migrated_pages), (2560, 0));
    assert_eq!(spent.us, 6_912);
}

/// The sheet's own sums for its defaults: 456 anonymous pages in about 9 ms, 1024 in about 20; the
/// caller's clearing of the pages comes after that.
#[test]
fn anonymous_pages_cost_what_the_defaults_say() {
    for (count, us) in [(456, 300 + 456 * 20), (1024, 300 + 1024 * 20)] {
        for (zero, clearing) in [("0", 0), ("2.5", count * 5 / 2)] {
            let spec = format!("movable:fill=1,clean=0,dirty=0,pin=0,zero_us={zero}");
            let mut pages = pages(&spec, 4096, 1);
            assert_eq!(claimed(pages.as_mut(), Run::new(3, count)), (Ok(()), us + clearing));
        }
    }
}

/// raspberrypi/linux 2680: one page mostly below 1 ms, hundreds of ms where pages are written.
#[test]
fn one_page_takes_less_than_a_millisecond_but_for_writing() {
    let mut times: Vec<_> = (0..10_000)
        .map(|n| {
            let mut pages = pages("movable:fill=0.95,writeback=1,writeback_us=200000", 1024, n);
            let (ended, us) = claimed(pages.as_mut(), Run::new(n % 1024, 1));
            assert!(ended.is_ok() || us == 1000, "{us}");
            us
        })
        .collect();
    times.sort_unstable();
    // 5 % of 95 % of the pages are dirty.
    let slow = times.iter().filter(|us| **us > 100_000).count();
    assert!(slow.abs_diff(475) < 90, "{slow}");
    assert!(times[9_000] < 1_000, "{}", times[9_000]);
}

/// anholt/linux 76: attempts over pages that stay busy follow each other in 30 to 60 us; and the
/// walks W1 and W4 of `policies/tests/vectors/walks.rs`.
#[test]
fn a_busy_walk_costs_fifty_microseconds_a_window() {
    for (count, step, attempts) in [(266, 256, 3), (1, 1, 1024)] {
        let mut pages = pages("movable", 1024, 1);
        assert!(pages.pin(Run::new(0, 1024)));
        let mut us = 0;
        for start in (0..=1024 - count).step_by(step) {
            let (ended, took) = claimed(pages.as_mut(), Run::new(start, count));
            assert_eq!(ended, Err(ClaimError::Busy));
            us += took;
        }
        assert_eq!(us, attempts * 50);
    }
}

/// 1e-5 to 1e-4 short pins a page make 0.5 to 5 % of the attempts of 456 pages busy.
#[test]
fn as_many_attempts_are_busy_as_short_pins_make() {
    // 456 pages, 95 % of them occupied; exp(-0.1) of the pins outlast the millisecond in which
    // migration tries.
    for (pin, share) in [("0.00001", 0.0039), ("0.00003", 0.0117), ("0.0001", 0.0384)] {
        let spec = format!("movable:fill=0.95,pin={pin}");
        let mut pages = pages(&spec, 1 << 20, 1);
        let attempts = 20_000;
        let mut busy = 0;
        for n in 0..attempts {
            pages.advance(n * 1_000_000);
            let run = Run::new(n * 456 % ((1 << 20) - 456), 456);
            match pages.claim(run) {
                Ok(()) => pages.released(run),
                Err(_) => busy += 1,
            }
        }
        let found = f64::from(busy) / attempts as f64;
        let deviation = (share / attempts as f64).sqrt();
        assert!((found - share).abs() < 4.0 * deviation, "{pin}: {found}, not {share}");
    }
}

/// Dong Aisheng, "mm: cma: fix allocation may fail sometimes", v3 2/2: 1200 and more retries of a
/// request for one page on an i.MX6 with units of 32 MiB, while another claim is under way; none
/// where claims wait for each other.
#[test]
fn without_the_mutex_a_claim_under_way_makes_a_whole_unit_busy() {
    let walk = |mutex| {
        let spec = format!("movable:fill=1,clean=0,dirty=0,pin=0,isolation=8192,mutex={mutex}");
        let mut pages = pages(&spec, 16_384, 1);
        pages.asked_by(0);
        // 3000 pages: 60.3 ms, and clearing them.
        assert_eq!(claimed(pages.as_mut(), Run::new(0, 3000)).0, Ok(()));
        pages.advance(100);
        pages.asked_by(1);
        let free = 3000..16_384;
        let tries = free.take_while(|page| pages.claim(Run::new(*page, 1)).is_err()).count();
        (tries, pages.spent())
    };
    let (tries, spent) = walk("false");
    // It began 100 us later: 60200 us are left, and 1204 quick attempts last so long.
    assert_eq!((tries, spent.waited_us), (1204, 0));
    let (tries, spent) = walk("true");
    assert_eq!((tries, spent.waited_us), (0, 60_200));
    assert_eq!(spent.us, 60_200 + 300 + 20 + 3);
}
