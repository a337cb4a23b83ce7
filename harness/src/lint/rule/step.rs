//! Sizes and bases that are no multiples of the step.

use super::super::step::Fits;
use super::super::{Board, Example, Findings, Rule, Severity, area, size};

const SOURCE: &str = "rmem_cma_setup(): IS_ALIGNED(base | size, CMA_MIN_ALIGNMENT_BYTES), \
                      kernel/dma/contiguous.c";
const RELEASES: &str = "all; from 5.19 on the step is a pageblock (2 MiB with pages of 4 KiB and \
                        huge pages), before it the larger one of that and the largest block (4 \
                        MiB)";
const PASSES: Example = Example::of_nodes(pool!("size = <0 0x2200000>"));

pub(super) const SIZE_ZERO: Rule = Rule {
    name: "size-zero",
    severity: Severity::Error,
    about: "a pool of no bytes: the kernel cannot set it up",
    remedy: "a size that is a multiple of the step",
    source: "cma_init_reserved_mem(), mm/cma.c",
    releases: "all",
    fails: Example::of_nodes(pool!("size = <0 0>")),
    passes: PASSES,
    check: size_zero,
};

fn size_zero(board: &Board, found: &mut Findings) {
    let nothing: Vec<_> = board.areas().filter(|pool| pool.bytes() == Some(0)).collect();
    for pool in nothing {
        let message = format!("{} asks for 0 bytes: the kernel cannot set it up", pool.name);
        let least = board.steps.said();
        let remedy =
            format!("a multiple of {least}; or `status = \"disabled\";` where no pool is meant");
        found.add(board.place(pool, pool.sized_by()), message, remedy);
        found.becomes(pool, area::REFUSED);
    }
}

pub(super) const SIZE_OFF_STEP: Rule = Rule {
    name: "size-off-step",
    severity: Severity::Error,
    about: "the size of a pool is no multiple of the step: the kernel refuses it (\"incorrect \
            alignment of CMA region\")",
    remedy: "the next multiple of the step above or below",
    source: SOURCE,
    releases: RELEASES,
    fails: Example::of_nodes(pool!("size = <0 0x2100000>")),
    passes: PASSES,
    check: size_off_step,
};

fn size_off_step(board: &Board, found: &mut Findings) {
    for pool in board.areas() {
        let Some(bytes) = pool.bytes() else { continue };
        let what = format!("the size of {} is {}", pool.name, size(bytes));
        let refuses = off(board, found, (pool, pool.sized_by()), &what, bytes, size);
        if refuses {
            found.becomes(pool, area::REFUSED);
        }
    }
}

pub(super) const BASE_OFF_STEP: Rule = Rule {
    name: "base-off-step",
    severity: Severity::Error,
    about: "a pool does not begin at a multiple of the step: the kernel refuses it (\"incorrect \
            alignment of CMA region\")",
    remedy: "the next multiple of the step above or below",
    source: SOURCE,
    releases: RELEASES,
    fails: Example::of_nodes(node!(
        "pool@60100000",
        "reusable",
        "reg = <0 0x60100000 0 0x2000000>",
        "linux,cma-default"
    )),
    passes: Example::of_nodes(node!(
        "pool@60200000",
        "reusable",
        "reg = <0 0x60200000 0 0x2000000>",
        "linux,cma-default"
    )),
    check: base_off_step,
};

fn base_off_step(board: &Board, found: &mut Findings) {
    for pool in board.areas() {
        let Some((base, _)) = pool.fixed() else { continue };
        let what = format!("{} begins at {base:#x}", pool.name);
        if off(board, found, (pool, "reg"), &what, base, |base| format!("{base:#x}")) {
            found.becomes(pool, area::REFUSED);
        }
    }
}

/// Says that a number of a pool is off the step. Whether the kernel refuses it for certain.
fn off(
    board: &Board,
    found: &mut Findings,
    (pool, property): (&super::super::Pool, &str),
    what: &str,
    value: u64,
    shown: impl Fn(u64) -> String,
) -> bool {
    let fits = board.steps.fits(value);
    let (severity, refuses) = match fits {
        Fits::Yes => return false,
        Fits::Maybe => (Severity::Warning, "a kernel of the larger step refuses it"),
        Fits::No => (Severity::Error, "the kernel refuses it"),
    };
    let message = format!("{what}, which is no multiple of {}: {refuses}", board.steps.said());
    let cells = |value: u64| {
        format!("{} (`<{:#x} {:#x}>`)", shown(value), value >> 32, value & 0xffff_ffff)
    };
    let remedy = match board.steps.around(value) {
        Some((Some(below), above)) => format!("{} or {}", cells(below), cells(above)),
        Some((None, above)) => cells(above),
        None => "a multiple of the step".to_string(),
    };
    found.add_as(severity, board.place(pool, property), message, remedy);
    fits == Fits::No
}

pub(super) const ALIGNMENT_RAISED: Rule = Rule {
    name: "alignment-raised",
    severity: Severity::Note,
    about: "an `alignment` below the step: the kernel takes the step",
    remedy: "none is needed; without `alignment` it is the same",
    source: "__reserved_mem_alloc_size(), drivers/of/of_reserved_mem.c",
    releases: "all",
    fails: Example::of_nodes(pool!("size = <0 0x2000000>", "alignment = <0 0x10000>")),
    passes: Example::of_nodes(pool!("size = <0 0x2000000>", "alignment = <0 0x400000>")),
    check: alignment_raised,
};

fn alignment_raised(board: &Board, found: &mut Findings) {
    let Some(step) = board.steps.least() else { return };
    for pool in board.areas().filter(|pool| pool.reg.is_none()) {
        let Some(Ok(alignment)) = pool.alignment.filter(|own| own.is_ok_and(|own| own < step))
        else {
            continue;
        };
        let message = format!(
            "{} asks for an alignment of {}, and gets {}",
            pool.name,
            size(alignment),
            size(step)
        );
        found.add(
            board.place(pool, "alignment"),
            message,
            "leave alignment out; this changes nothing",
        );
    }
}
