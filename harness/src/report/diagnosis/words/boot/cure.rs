//! What to do about an area that is not as it was asked for.

use super::{size, who};
use crate::boot::{Asked, Border, Cure, Fate, Off, Origin, Story};

/// What shows the lines of a boot that are about areas.
pub(in crate::report::diagnosis::words) const LOOK: &str =
    "`dmesg | grep -iE 'cma|reserved mem|node +[0-9]+: '` right after a boot";

/// What to do.
pub(in crate::report::diagnosis) fn cure(asked: &Asked, story: &Story) -> Option<String> {
    let each: Vec<_> = asked.cures.iter().map(|cure| one_cure(cure, asked, story)).collect();
    // Of a base and a size that are both off, one alone cures nothing.
    let all = matches!(asked.fate, Fate::Refused(Off::Both(..)));
    (!each.is_empty()).then(|| each.join(if all { ". " } else { ", or " }))
}

/// The first cure, and of which area.
pub(super) fn act(asked: &Asked, story: &Story) -> Option<String> {
    Some(format!("{}: {}", who(asked), first_cure(asked, story)?))
}

/// The first cure that needs no other kernel, else the one that does, in lower case; of a base and a
/// size that are both off both.
pub(super) fn first_cure(asked: &Asked, story: &Story) -> Option<String> {
    let all = || asked.cures.iter();
    let needs_kernel = |cure: &&Cure| matches!(cure, Cure::DmaCma | Cure::Slots);
    let first = all().find(|cure| !needs_kernel(cure)).or_else(|| all().next())?;
    let text = match (&asked.fate, first) {
        (Fate::Refused(Off::Both(..)), _) => cure(asked, story)?.replace(". G", ", and g"),
        (_, Cure::Look) => format!("{LOOK} says why"),
        (_, Cure::Attach) => {
            "look whether `ls /proc/device-tree/reserved-memory` has the node, and whether the \
             driver calls of_reserved_mem_device_init()"
                .to_string()
        }
        _ => one_cure(first, asked, story),
    };
    let (head, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    Some(head.to_lowercase() + rest)
}

fn one_cure(cure: &Cure, asked: &Asked, story: &Story) -> String {
    let node = asked.origin == Origin::Node;
    match cure {
        Cure::Size(bytes) if node => format!(
            "Ask for less: size = <{}> ({}) leaves room in that block for what lies in it",
            cells(*bytes),
            size(*bytes)
        ),
        Cure::Size(bytes) => format!("Ask for less: cma={}M", bytes >> 20),
        Cure::Less => format!("Ask for less; {LOOK} shows the blocks of memory that can have it"),
        Cure::Round(0, up) => format!("Give it {} ({up:#x}) or a multiple of that", size(*up)),
        Cure::Round(down, up) => {
            format!("Give it {} ({down:#x}) or {} ({up:#x})", size(*down), size(*up))
        }
        Cure::Base(down, up) => format!("Let it begin at {down:#x} or {up:#x}"),
        Cure::Step => match story.stride.bytes {
            Some(bytes) => {
                format!("Give base and size in multiples of {} ({bytes:#x})", size(bytes))
            }
            None => "Give base and size in multiples of the step".to_string(),
        },
        Cure::Ranges => {
            "Let alloc-ranges name memory (\"Early memory node ranges\" of the boot has \
                         it) that is at least as wide as the area, or leave it out"
                .to_string()
        }
        Cure::Place => "Name a place that is memory and free, or a size alone".to_string(),
        Cure::Reusable => "Add `reusable;` to the node".to_string(),
        Cure::Map => "Take `no-map` out of the node".to_string(),
        Cure::DmaCma => "build the kernel with CONFIG_DMA_CMA=y".to_string(),
        Cure::Cells => {
            let bytes = asked.asked_bytes.filter(|bytes| *bytes > 0);
            let example = bytes.map_or_else(String::new, |bytes| {
                let (high, low) = (bytes >> 32, bytes & 0xffff_ffff);
                format!(": size = <{high:#x} {low:#x}> where that is 2")
            });
            format!("Give it as many cells as #size-cells (#address-cells) above it says{example}")
        }
        Cure::Write(Some(bytes)) => format!("Write cma={}M", bytes >> 20),
        Cure::Write(None) => "Write the size with its unit, as in cma=64M".to_string(),
        Cure::DropCommand => "To use the node, take cma= off the command line".to_string(),
        Cure::DropDefault => {
            "Change the size in the node, or take its linux,cma-default away".to_string()
        }
        Cure::OneDefault => "Leave linux,cma-default in one node only".to_string(),
        Cure::Gigantic(page) => format!("Give hugetlb_cma= a multiple of {}", size(*page)),
        Cure::Zones(None) => {
            "Make it smaller, or place it in one zone: the boot prints them as \"Zone ranges\""
                .to_string()
        }
        Cure::Zones(Some(Border::At(address))) => format!(
            "Place it below or above {address:#x}, where zones end on many boards (\"Zone ranges\" of \
             the boot)"
        ),
        Cure::Zones(Some(Border::Parameter)) => {
            "Take kernelcore= or movablecore= off the command line (they put the border of \
                        zones into the area), or make it smaller"
                .to_string()
        }
        Cure::Before => {
            "Look at the lines just before \"could not be activated\": a WARNING there is of \
                         a hole in its memory, a \"page allocation failure\" of its bitmap"
                .to_string()
        }
        Cure::Slots => "Raise CONFIG_CMA_AREAS, or ask for fewer areas".to_string(),
        Cure::Look => format!("Next: {LOOK} says why"),
        Cure::Attach => {
            "The node belongs below /reserved-memory of the tree that is booted, and the \
                         driver has to take it (of_reserved_mem_device_init()); the boot then says \
                         \"assigned reserved memory node\""
                .to_string()
        }
    }
}

/// As cells of a device tree with two for a size; one where that is enough.
fn cells(bytes: u64) -> String {
    match bytes >> 32 {
        0 => format!("{bytes:#x}"),
        high => format!("{high:#x} {:#x}", bytes & 0xffff_ffff),
    }
}
