//! What can be set, its defaults, and where they come from.

use cma_policies::{Kind, Param};

const fn share(name: &'static str, default: &'static str, about: &'static str) -> Param {
    Param { name, kind: Kind::Float { min: 0.0, max: 1.0 }, default, about }
}

/// A time in microseconds; an hour at most.
const fn micros(name: &'static str, default: &'static str, about: &'static str) -> Param {
    Param { name, kind: Kind::Float { min: 0.0, max: 3.6e9 }, default, about }
}

/// A time in whole seconds; a thousand years at most.
const fn seconds(name: &'static str, default: &'static str, about: &'static str) -> Param {
    Param { name, kind: Kind::Int { min: 0, max: 1 << 35 }, default, about }
}

const fn mib(name: &'static str, default: &'static str, about: &'static str) -> Param {
    Param { name, kind: Kind::Int { min: 0, max: 1 << 40 }, default, about }
}

/// Every parameter. `[E]` marks an estimate: nothing was published that says it.
pub(super) const PARAMS: &[Param] = &[
    Param::float(
        "fill",
        -1.0..=1.0,
        "-1",
        "share of the clear pages that hold movable pages, fixed; below 0: as the rule of \
                theta and the demand make it",
    ),
    mib(
        "system_mib",
        "1024",
        "MiB outside the area that movable pages can be in: RAM less CMA and the kernel's own",
    ),
    share(
        "theta",
        "0.5",
        "movable pages go to the area first while its free pages are more than this share of all \
         free pages: 0.5 in mainline from 5.8 (__rmqueue, mm/page_alloc.c), 0.75 on the Raspberry \
         Pi (alloc_in_cma_threshold=12 of 16, raspberrypi/linux PR 4964), 1 before 5.8: only when \
         nothing else is left",
    ),
    share("demand", "0.3", "share of all memory that movable pages fill after boot [E]"),
    share("demand_end", "0.95", "the same once the page cache has filled [E]"),
    seconds("grow_s", "600", "seconds in which demand goes 63 % of that way [E]"),
    seconds(
        "uptime_s",
        "3600",
        "seconds that the system has run at the start of the stream, 0 is a fresh boot; none after \
         a reboot",
    ),
    share("clean", "0.5", "clean file pages of the movable pages: a claim drops them [E]"),
    share(
        "dirty",
        "0.05",
        "dirty file pages of them, at most 1 - clean; the rest is anonymous [E]",
    ),
    seconds("refill_s", "10", "seconds in which pages given back fill again to 63 % [E]"),
    seconds("turnover_s", "60", "seconds for which a page keeps its tenant [E]"),
    mib(
        "watermark_mib",
        "8",
        "MiB that are no target for migration: the high watermark of a system of 1.5 GiB, as in \
         the dmesg of the 6.12 lowmem recording",
    ),
    Param::float(
        "pin",
        0.0..=0.1,
        "0.00003",
        "share of movable pages that are pinned for a moment: 1e-5 to 1e-4 makes 0.5 to 5 % \
                of attempts of 456 pages busy [E]",
    ),
    Param::int("pin_ms", 1..=1 << 32, "10", "milliseconds that such a pin lasts on average [E]"),
    micros(
        "fixed_us",
        "300",
        "of a claim not refused at once: draining all CPUs; 100 to 2000, grows with them [E]",
    ),
    micros(
        "migrate_us",
        "20",
        "of a copied page: 5 to 60 [E]; 57 in QEMU in 2012 (commit 02c6de8d757c: 146 ms for 10 MB)",
    ),
    micros("drop_us", "3", "of a dropped page; 2.7 there (7 ms for 10 MB)"),
    share(
        "writeback",
        "0.003",
        "dirty pages that are being written at any moment, so that a claim has to wait: 50 pages \
         in flight (20 MB/s for 10 ms) of 70 MB [E]; 1: every dirty page",
    ),
    micros("writeback_us", "10000", "of such a wait, one after the other: 5000 to 50000 [E]"),
    micros("zero_us", "2.7", "of clearing 4 KiB that were granted, by the caller: at 1.5 GB/s [E]"),
    micros(
        "quick_us",
        "50",
        "of a claim that is refused at once (isolated by another, pinned by the stream): 30 to 60 \
         between the lines of anholt/linux 76",
    ),
    micros(
        "slow_us",
        "1000",
        "that migration tries for a page that is pinned for a moment, or for lack of memory; \
         1000 to 20000 [E]",
    ),
    Param::bool(
        "mutex",
        "true",
        "one claim at a time (cma_mutex; alloc_mutex from 6.15); false for 5.11 to 5.18: a \
                claim that touches an isolation unit of another under way is busy",
    ),
    Param::int(
        "isolation",
        0..=1 << 40,
        "0",
        "pages of an isolation unit; 0: a pageblock, as from 5.19 on (512 pages of 4 KiB); before, \
                the larger of it and the largest buddy block: 1024, or 8192 on i.MX6 kernels of 32 \
                MiB blocks",
    ),
];
