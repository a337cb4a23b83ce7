//! `cma=` on the command line.

use super::super::area::{self, Asker};
use super::super::step::Fits;
use super::super::{Board, Example, Findings, Place, Rule, Severity, size};
use crate::boot::{Size, Slip};

const DECLARE: &str = "cma_declare_contiguous_nid(), mm/cma.c";
const PASSES: Example = Example { cmdline: "cma=64M@0x50000000", ..Example::NONE };

/// The parameter, where its area is still to be placed.
fn asked<'a>(board: &'a Board, found: &Findings) -> Option<(&'a Place, Size)> {
    let (place, command) = board.command.as_ref()?;
    let is_open =
        found.areas.iter().any(|area| area.asker == Asker::Command && area.outcome == area::PLACED);
    Some((place, command.cma.filter(|_| is_open)?))
}

pub(super) const MISREAD: Rule = Rule {
    name: "cmdline-misread",
    severity: Severity::Error,
    about: "`cma=` is not read as it looks: a percent sign, a point, a blank, no unit, capital \
            letters",
    remedy: "digits with K, M or G: `cma=256M`",
    source: "early_cma(), kernel/dma/contiguous.c; memparse(), lib/cmdline.c",
    releases: "all",
    fails: Example { cmdline: "console=ttyS0 cma=25%", ..Example::NONE },
    passes: PASSES,
    check: misread,
};

fn misread(board: &Board, found: &mut Findings) {
    let Some((place, command)) = &board.command else { return };
    let Some(misread) = &command.misread else { return };
    let read = command.cma.map_or(0, |cma| cma.bytes);
    let word = &misread.word;
    let message = match misread.slip {
        Slip::Case => format!("`{word}` is no parameter of the kernel's: it has small letters"),
        Slip::Share(_) => format!("`{word}` is read as {}: there are no shares", size(read)),
        Slip::Octal => {
            format!("`{word}` is read as {}: a number that begins with 0 is octal", size(read))
        }
        Slip::Unit | Slip::Blank | Slip::Point | Slip::NoNumber => {
            format!("`{word}` is read as {}", size(read))
        }
    };
    let all =
        board.memory.as_ref().map(|memory| memory.iter().map(|(start, end)| end - start).sum());
    let remedy = match misread.meant(all) {
        Some(bytes) => format!("`cma={}M`", bytes >> 20),
        None => "digits with K, M or G: `cma=256M`".to_string(),
    };
    found.add(place.clone(), message, remedy);
}

pub(super) const BASE_OFF_STEP: Rule = Rule {
    name: "cmdline-base-off-step",
    severity: Severity::Error,
    about: "`cma=SIZE@BASE` does not begin at a multiple of the step: the kernel makes no area",
    remedy: "a base that is a multiple of the step",
    source: DECLARE,
    releases: "all that are read here; some older ones rounded it up",
    fails: Example { cmdline: "cma=64M@0x50100000", ..Example::NONE },
    passes: PASSES,
    check: base_off_step,
};

fn base_off_step(board: &Board, found: &mut Findings) {
    let Some((place, asked)) = asked(board, found) else { return };
    // With a limit the kernel chooses the place itself.
    let Some(base) = asked.base.filter(|_| asked.limit.is_none()) else { return };
    if board.steps.fits(base) != Fits::No {
        return;
    }
    let message = format!(
        "cma= begins at {base:#x}, which is no multiple of {}: the kernel makes no default area",
        board.steps.said()
    );
    let remedy = board.steps.around(base).map(|(below, above)| match below {
        Some(below) => format!("{below:#x} or {above:#x}"),
        None => format!("{above:#x}"),
    });
    found.add(place.clone(), message, remedy.unwrap_or_default());
    found.asker_becomes(Asker::Command, area::REFUSED);
}

pub(super) const NO_ROOM: Rule = Rule {
    name: "cmdline-no-room",
    severity: Severity::Error,
    about: "`cma=` asks for more than the longest free piece of the memory, or for a place \
            outside of it",
    remedy: "less, or a place that is free",
    source: "cma_declare_contiguous_nid(), mm/cma.c (\"Failed to reserve\")",
    releases: "all",
    fails: Example {
        nodes: "firmware@60000000 { no-map; reg = <0 0x60000000 0 0x100000>; };",
        cmdline: "cma=2G",
        ..Example::NONE
    },
    passes: Example {
        nodes: "firmware@60000000 { no-map; reg = <0 0x60000000 0 0x100000>; };",
        cmdline: "cma=64M",
        ..Example::NONE
    },
    check: no_room,
};

fn no_room(board: &Board, found: &mut Findings) {
    let Some((place, asked)) = asked(board, found) else { return };
    let Some(rooms) = board.rooms() else { return };
    let end = asked.base.map(|base| asked.limit.unwrap_or(base.saturating_add(asked.bytes)));
    let (start, end) = (asked.base.unwrap_or(0), end.unwrap_or(u64::MAX));
    let shared =
        rooms.iter().map(|(first, last)| (*last).min(end).saturating_sub((*first).max(start)));
    let most = shared.max().unwrap_or(0);
    // Some of the memory is the kernel's.
    let all = asked.base.is_none() && most == asked.bytes;
    if most >= asked.bytes && !all {
        return;
    }
    let message = format!(
        "cma= asks for {}, and there are {} in one free piece of the memory: the kernel makes no \
         default area",
        size(asked.bytes),
        size(most)
    );
    found.add(place.clone(), message, format!("less than {}", size(most)));
    found.asker_becomes(Asker::Command, area::NOT_PLACED);
}

pub(super) const ROUNDED: Rule = Rule {
    name: "cmdline-rounded",
    severity: Severity::Note,
    about: "`cma=` is no multiple of the step: the kernel rounds it up",
    remedy: "none is needed; a multiple of the step is what it says",
    source: DECLARE,
    releases: "all; from 6.15 on the log has the size that was asked for",
    fails: Example { cmdline: "cma=33M", ..Example::NONE },
    passes: PASSES,
    check: rounded,
};

fn rounded(board: &Board, found: &mut Findings) {
    let Some((place, asked)) = asked(board, found) else { return };
    let is_misread = board.command.as_ref().is_some_and(|(_, command)| command.misread.is_some());
    if is_misread {
        return;
    }
    let Some(step) = board.steps.least().filter(|step| !asked.bytes.is_multiple_of(*step)) else {
        return;
    };
    let Some(bytes) = asked.bytes.checked_next_multiple_of(step) else { return };
    let message = format!("cma= asks for {}, and the area gets {}", size(asked.bytes), size(bytes));
    found.add(place.clone(), message, format!("`cma={}M` says what it gets", bytes >> 20));
}
