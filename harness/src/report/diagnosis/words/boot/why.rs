//! Why an area has no memory, or was refused, and what the step of areas is.

use super::super::super::plain::{clean, counted};
use super::size;
use crate::boot::{Asked, Off, Origin, Reason, Story, Stride, StrideFrom};
use crate::ingest::log::boot::PageFrom;

pub(super) fn why(reason: Reason, asked: &Asked) -> String {
    match reason {
        Reason::Block { start, end, most } => format!(
            "the longest memory block has {} ({start:#x} to {:#x}), so at most {most:#x} fit",
            size(end - start),
            end - 1
        ),
        Reason::Memory(bytes) => format!("all memory is {}", size(bytes)),
        Reason::RangesOutside(start, end) => {
            format!("its alloc-ranges ({start:#x} to {:#x}) have no memory in them", end - 1)
        }
        Reason::RangesOutsideTree(start, end) => format!(
            "its alloc-ranges ({start:#x} to {:#x}) have none of the memory that the device tree states",
            end - 1
        ),
        Reason::RangesNarrow(bytes) => format!("its alloc-ranges have room for {}", size(bytes)),
        Reason::Ranges(true) => {
            "nothing in its alloc-ranges is free and large enough".to_string()
        }
        Reason::Ranges(false) => {
            "nothing in its alloc-ranges is free and large enough (their numbers are not in the text)"
                .to_string()
        }
        Reason::Taken if asked.origin == Origin::Node => {
            "the memory that its reg names is taken, or is no memory".to_string()
        }
        Reason::Taken => "the memory there is taken, or is no memory".to_string(),
        Reason::Crosses(boundary) => {
            format!("it would lie across the end of low memory, {boundary:#x}")
        }
        Reason::Limit(limit) => format!("it would end above {limit:#x}, the limit"),
        Reason::Part(0) => "no free piece was found, down to a page".to_string(),
        Reason::Part(bytes) => {
            let ranges = asked.ranges.map(|ranges| format!(" in {}", counted(ranges, "range")));
            format!("only {} were found{}", size(bytes), ranges.unwrap_or_default())
        }
        Reason::Open => match asked.asked_bytes {
            Some(bytes) => format!("no free piece of {} was found below the limit", size(bytes)),
            None => "no free piece was found".to_string(),
        },
    }
}

pub(super) fn wrong(off: &Off, asked: &Asked, story: &Story) -> String {
    let step = || step(&story.stride);
    match off {
        Off::Base(base) => format!("its base {base:#x} is no multiple of {}", step()),
        Off::Size(Some(bytes)) => format!("{} is no multiple of {}", size(*bytes), step()),
        Off::Size(None) => format!("its size is no multiple of {}", step()),
        Off::Both(base, bytes) => format!(
            "neither its base {base:#x} nor its size, {}, is a multiple of {}",
            size(*bytes),
            step()
        ),
        Off::BaseOrSize => format!("its base or its size is no multiple of {}", step()),
        Off::Nothing => "its size is 0".to_string(),
        Off::Slots => "there are as many areas as CONFIG_CMA_AREAS allows".to_string(),
        Off::Cells(property) => format!(
            "its {} has not the number of cells that the node above it states",
            clean(property)
        ),
        Off::GiganticPage(page) => format!("it is no multiple of a gigantic page, {}", size(*page)),
        Off::Share => {
            "that share of the memory is above 100 % or below a gigantic page".to_string()
        }
        Off::NoNode(node) => format!("this machine has no node {node} of memory"),
        Off::Unsupported if asked.origin == Origin::Crash => {
            "this architecture has no ,cma there".to_string()
        }
        Off::Unsupported => "this architecture has no hugetlb_cma=".to_string(),
        Off::Spelling => "the kernel's parameter is cma=, in small letters".to_string(),
        Off::Unknown => "this kernel does not know cma= (CONFIG_DMA_CMA is off)".to_string(),
        Off::NoMap => "it has `no-map` beside `reusable`".to_string(),
        Off::Unsaid => {
            "\"unable to setup CMA region\": its size is 0, its memory is not reserved, \
                        or there are as many areas as CONFIG_CMA_AREAS allows"
                .to_string()
        }
    }
}

/// `this kernel's 2 MiB`
fn step(stride: &Stride) -> String {
    match stride.bytes {
        Some(bytes) => format!("this kernel's {}", size(bytes)),
        None if stride.open.is_empty() => "the kernel's step".to_string(),
        None => {
            let mut all: Vec<_> = stride.open.iter().map(|step| step.bytes).collect();
            all.sort_unstable();
            all.dedup();
            let all: Vec<_> = all.into_iter().map(size).collect();
            format!("the kernel's step, {}", all.join(" or "))
        }
    }
}

/// What the step is known from.
pub(super) fn stride(story: &Story) -> String {
    let Stride { bytes, from, open } = &story.stride;
    let kinds = || {
        let all = open.iter().map(|step| format!("{} for {}", size(step.bytes), step.kind));
        all.collect::<Vec<_>>().join(", ")
    };
    let Some(bytes) = bytes else {
        if open.is_empty() {
            return "the step of this architecture is not known: `grep order /proc/pagetypeinfo` \
                    shows that of a pageblock, and `getconf PAGESIZE` the bytes of a page"
                .to_string();
        }
        return format!("the step is not known: {}", kinds());
    };
    let source = || {
        let kinds: Vec<_> = open.iter().map(|step| step.kind).collect();
        let source = open.first().map_or("", |step| step.source);
        format!("{} ({source})", kinds.join(" or "))
    };
    let from = match from {
        StrideFrom::Message => "as the kernel prints it".to_string(),
        StrideFrom::BlockOrder => "a pageblock, by its order in /proc/pagetypeinfo".to_string(),
        StrideFrom::Config => "by the order of blocks in the kernel's configuration".to_string(),
        StrideFrom::Kind => source(),
        StrideFrom::OneCell => format!(
            "{}, which addresses of one cell suggest; 32 MiB with imx_v6_v7_defconfig, 2 MiB on arm64 \
             with 4 KiB pages from 5.19 on",
            source()
        ),
        StrideFrom::Nowhere => String::new(),
    };
    format!("base and size of an area are multiples of {}: {from}", size(*bytes))
}

pub(super) fn page_from(from: PageFrom) -> &'static str {
    match from {
        PageFrom::Getconf => "getconf PAGESIZE",
        PageFrom::HugePage => "Hugepagesize is what one page of page table entries maps",
        PageFrom::Config => "the kernel's configuration",
        PageFrom::Release => "the kernel's name",
        PageFrom::Pages => "CmaTotal against total_pages",
        PageFrom::Arch => "the architecture has no others",
    }
}
