//! What became of `cma=`.

use super::super::tell::Teller;
use super::super::{Asked, At, Fate, Misread, Note, Off, Origin, Reason, Size, Slip, Story};
use super::place::not_placed;
use crate::kernel::release;

/// The first release in which `cma=` counts more than `linux,cma-default`
/// (`rmem_cma_setup()`, `kernel/dma/contiguous.c`).
pub(crate) const COMMAND_FIRST: (u32, u32) = (5, 10);

/// What became of `cma=`.
pub(super) fn command(teller: &mut Teller, story: &Story) {
    let Some((at, command)) = teller.command.clone() else {
        if teller.bypass().is_some() {
            // The command line is not in the text, but has it.
            of_command_unseen(teller);
        }
        return;
    };
    let blocks = teller.blocks.clone();
    for asked in &mut teller.areas {
        if let Fate::NotPlaced(Reason::Open) = asked.fate
            && asked.origin != Origin::Node
        {
            let (reason, line) = not_placed(asked.asked_bytes, None, story, &blocks, teller.memory);
            // A place that is named is free, or not.
            let named = |size: &Size| size.base.is_some() && size.limit.is_none();
            let taken = matches!(&asked.origin, Origin::CommandLine(size) if named(size))
                && reason == Reason::Open;
            asked.fate = Fate::NotPlaced(if taken { Reason::Taken } else { reason });
            line.iter().for_each(|line| asked.at(line));
        }
        match (&mut asked.fate, command.cma) {
            (Fate::Bypassed(size), Some(cma)) => {
                *size = Some(cma.bytes);
                asked.at(&at);
            }
            _ if matches!(asked.origin, Origin::CommandLine(_)) => asked.at(&at),
            _ if asked.origin == Origin::Hugetlb => {
                asked.at(&at);
                let refused = matches!(asked.fate, Fate::Refused(_));
                asked.asked_bytes =
                    asked.asked_bytes.or(command.hugetlb.filter(|bytes| refused && *bytes > 0));
            }
            _ => {}
        }
    }
    if let Some(size) = command.cma {
        of_command(teller, &at, size, story);
    }
    if let Some(misread) = command.misread {
        odd(teller, &at, misread);
    }
}

/// A parameter that is not read as it looks.
fn odd(teller: &mut Teller, at: &At, misread: Misread) {
    if let (Slip::Case, Some(bytes)) = (misread.slip, misread.meant) {
        let size = Size { bytes, base: None, limit: None };
        let mut asked = Asked::new(None, Origin::CommandLine(size));
        (asked.fate, asked.asked_bytes) = (Fate::Refused(Off::Spelling), Some(bytes));
        asked.at(at);
        asked.notes.push(Note::Misread(misread));
        teller.areas.push(asked);
        return;
    }
    let is_it = |asked: &&mut Asked| match &asked.origin {
        // Who asks for nothing has no memory: that is another's.
        Origin::CommandLine(size) => size.bytes > 0 || !asked.fate.has_memory(),
        _ => false,
    };
    if let Some(asked) = teller.areas.iter_mut().find(is_it) {
        asked.notes.push(Note::Misread(misread));
    }
}

fn of_command(teller: &mut Teller, at: &At, size: Size, story: &Story) {
    let declared = |asked: &&mut Asked| matches!(asked.origin, Origin::CommandLine(_));
    if let Some(asked) = teller.areas.iter_mut().find(declared) {
        asked.asked_bytes = Some(size.bytes);
        return;
    }
    let mut asked = Asked::new(Some("reserved".into()), Origin::CommandLine(size));
    (asked.asked_bytes, asked.default) = (Some(size.bytes), true);
    asked.at(at);
    if let Some(line) = teller.unknown.clone() {
        asked.at(&line);
        asked.fate = Fate::Refused(Off::Unknown);
        teller.areas.push(asked);
        return;
    }
    // Up to 5.9 the default node counts; later one is bypassed, with a line.
    let stated = story.release.as_deref().and_then(release);
    let placed = |asked: &&Asked| asked.origin == Origin::Node && asked.fate == Fate::Placed;
    let default = teller.areas.iter().filter(placed).find(|asked| asked.default);
    let node = default.filter(|_| stated.is_none_or(|release| release < COMMAND_FIRST));
    // Which node is the default one is mostly not in a text: that no memory is left for `cma=` is.
    let alone = || {
        let older = stated.is_some_and(|release| release < COMMAND_FIRST);
        let mut nodes = teller.areas.iter().filter(placed);
        let only = nodes.next().filter(|_| nodes.next().is_none() && older)?;
        (only.bytes == story.cma_total.or(story.cma_reserved)).then_some(only)
    };
    let node = node.or_else(alone);
    asked.fate = match (node.and_then(|node| node.name.clone()), &teller.counted) {
        _ if size.bytes == 0 => Fate::Off,
        (Some(node), _) => Fate::BeatenByNode(node),
        (None, Some((counted, total))) if *total < size.bytes => {
            asked.lines.push(counted.clone());
            Fate::NoEffect(*total)
        }
        (None, Some((counted, total))) if whole(story, size.bytes, *total) => {
            asked.lines.push(counted.clone());
            asked.bytes = Some(*total);
            Fate::Placed
        }
        _ => Fate::Unknown(teller.has_boot()),
    };
    teller.areas.push(asked);
}

/// Whether `total` is `bytes` in whole steps.
pub(super) fn whole(story: &Story, bytes: u64, total: u64) -> bool {
    let steps = story.stride.open.iter().map(|step| step.bytes);
    let mut steps = story.stride.bytes.into_iter().chain(steps);
    steps.any(|step| bytes.checked_next_multiple_of(step) == Some(total))
}

fn of_command_unseen(teller: &mut Teller) {
    for asked in &mut teller.areas {
        if asked.origin == Origin::ConfigOrCommandLine
            && let Some(bytes) = asked.bytes
        {
            asked.origin = Origin::CommandLine(Size { bytes, base: None, limit: None });
        }
    }
}
