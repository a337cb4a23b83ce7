//! What is no failure of CMA: other allocators, and busy places.

use super::super::plain::{clean, counted};
use crate::diagnose::{BusyPlaces, Diagnosis, FreeMemory, NotCma};
use crate::ingest::log::Elsewhere;
use crate::page::Page;
use crate::report::page::capital;
use crate::words::{mib, mib_number, pages};

/// What a text without a failure is about, in half a sentence.
pub(super) fn headline(diagnosis: &Diagnosis) -> Option<String> {
    const NONE: &str = "no failed CMA allocation in this log";
    let held = diagnosis.not_cma.iter().find_map(|one| Some((one, one.cma_is_too_large()?)));
    if let Some((one, memory)) = held {
        let ran = match one.kind {
            Elsewhere::OutOfMemory => "the OOM killer ran".to_string(),
            kind => format!("{} refused", what(kind)),
        };
        return Some(format!(
            "{ran} (not a failed CMA allocation): {}: CMA is too large here, or unmovable memory \
             leaks",
            held_by_cma(one, memory)
        ));
    }
    if let Some(first) = diagnosis.not_cma.first() {
        return Some(match first.kind {
            Elsewhere::OutOfMemory => format!("{NONE}: the OOM killer ran"),
            kind => format!("{NONE}: what failed is {}", what(kind)),
        });
    }
    let places = diagnosis.busy.iter().map(|one| one.places).sum::<u64>();
    let harmless = match diagnosis.busy.iter().any(|one| one.at_end) {
        true => "harmless as far as this text shows, which ends there",
        false => "harmless: no failure follows",
    };
    (places > 0).then(|| format!("{NONE}, but {} busy ({harmless})", are(places)))
}

/// What to do where CMA holds the free memory that other requests lacked.
pub(super) fn act_held(diagnosis: &Diagnosis) -> Option<&'static str> {
    let held = diagnosis.not_cma.iter().any(|one| one.cma_is_too_large().is_some());
    held.then_some(
        "`grep Cma /proc/meminfo` while CMA's users are at their busiest; CmaTotal - CmaFree and some \
         room is what CMA has to have, the rest can go",
    )
}

/// What to do where that is all there is.
pub(super) fn act(diagnosis: &Diagnosis) -> Option<String> {
    if let Some(measure) = act_held(diagnosis) {
        return Some(measure.to_string());
    }
    if let Some(first) = diagnosis.not_cma.first() {
        return act_on(first);
    }
    diagnosis.busy.first()?;
    Some(match diagnosis.busy.iter().any(|one| one.at_end) {
        true => "paste the lines that follow too: `dmesg | grep -A20 'PFNs busy'`".to_string(),
        false => "nothing: no failure follows".to_string(),
    })
}

/// What changes what another allocator has, on the command line of the kernel or in a driver.
fn act_on(one: &NotCma) -> Option<String> {
    let step = match one.kind {
        Elsewhere::Pages if one.order.is_some_and(|order| order > 0) => Some(
            "the stack that follows says who asked: where dma_direct_alloc is in it, `dmesg | grep -i \
             cma` shows whether there is an area, which cma= makes, and whether it refused before",
        ),
        Elsewhere::OutOfMemory => Some(
            "find out what uses the memory (the table of tasks that follows the line, /proc/meminfo)",
        ),
        // SLAB_SIZE: IO_TLB_SEGSIZE of 128 slots of 2 KiB (include/linux/swiotlb.h).
        Elsewhere::Swiotlb if swiotlb(&one.text).is_some_and(Bounce::is_too_large) => Some(
            "let the driver map at most 256 KiB at a time (dma_max_mapping_size()), or give the \
             device a larger DMA mask: no swiotlb= is enough",
        ),
        Elsewhere::Swiotlb if swiotlb(&one.text).is_some_and(Bounce::has_room) => Some(
            "give the device a larger DMA mask, or let it map less at a time: most of the pool was \
             free, and a larger swiotlb= does not help",
        ),
        Elsewhere::Crashkernel => Some("ask for a smaller crashkernel=, or crashkernel=SIZE,low"),
        Elsewhere::Vmalloc => Some("raise vmalloc= on the command line (32-bit)"),
        Elsewhere::Swiotlb => Some("raise swiotlb= on the command line"),
        Elsewhere::AtomicPool => Some("make coherent_pool= on the command line smaller"),
        Elsewhere::Mask => Some("let the driver call dma_set_mask_and_coherent()"),
        _ => None,
    };
    step.map(str::to_string)
}

/// What a line about bounce buffers states: bytes that were asked for, and slots of 2 KiB.
#[derive(Clone, Copy, Debug)]
struct Bounce {
    bytes: u64,
    total: u64,
    used: u64,
}

impl Bounce {
    /// More than one mapping can have.
    const fn is_too_large(self) -> bool {
        self.bytes > 128 * 2048
    }

    /// Most slots were free: what is missing is not their number.
    const fn has_room(self) -> bool {
        self.used <= self.total / 2 && self.bytes.div_ceil(2048) <= self.total / 4
    }
}

/// `swiotlb buffer is full (sz: 65536 bytes), total 32768 (slots), used 10 (slots)`
fn swiotlb(text: &str) -> Option<Bounce> {
    let after = |word: &str| {
        let (_, rest) = text.split_once(word)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    };
    let [bytes, total, used] = ["sz: ", "total ", "used "].map(after);
    Some(Bounce { bytes: bytes?, total: total?, used: used? })
}

fn are(places: u64) -> String {
    format!("{} {}", counted(places, "place"), if places == 1 { "was" } else { "were" })
}

/// A paragraph for each allocator that refused, then one for busy places: a word and the text.
pub(in crate::report::diagnosis) fn paragraphs(
    diagnosis: &Diagnosis,
) -> Vec<(&'static str, String)> {
    let others = diagnosis.not_cma.iter().map(|one| ("not CMA", not_cma(one)));
    let busy = busy(diagnosis).map(|text| ("busy", text));
    others.chain(busy).collect()
}

/// What another allocator refused, and what that has to do with CMA.
pub(in crate::report::diagnosis) fn not_cma(one: &NotCma) -> String {
    let times = match one.count {
        1 => String::new(),
        count => format!("{count} times, first "),
    };
    let place = format!("{times}{} line {}", clean(&one.source), one.line);
    let text = clean(&one.text);
    let about = match one.cma_is_too_large() {
        Some(memory) => format!(
            "{}{}: CMA is too large here, or unmovable memory leaks. Measure the most that CMA's \
             users hold (CmaTotal - CmaFree of `grep Cma /proc/meminfo` at their busiest, or `used` \
             of each area in /sys/kernel/debug/cma) and make CMA that plus room: cma= on the \
             command line, size in the node with linux,cma-default, or CONFIG_CMA_SIZE_MBYTES. Up \
             to {} were free at this moment",
            held_by_cma(one, memory),
            memory.cma_pages.map_or_else(String::new, |all| format!(" ({} reserved)", pages(all))),
            mib(memory.cma_kb / 4, Page::Kib4),
        ),
        None => about(one),
    };
    format!("{} ({place}): `{text}`. {about}.", capital(what(one.kind)))
}

/// `501.6 of 506.9 MiB free are CMA's, which GFP_KERNEL requests cannot use`.
fn held_by_cma(one: &NotCma, memory: FreeMemory) -> String {
    let flags = one.flags.as_deref().map_or_else(|| "unmovable".to_string(), clean);
    let [cma, free] =
        [memory.cma_kb, memory.free_kb].map(|kib| mib_number(kib as f64 / 4.0, Page::Kib4));
    format!("{cma} of {free} MiB free are CMA's, which {flags} requests cannot use")
}

/// Who it is.
fn what(kind: Elsewhere) -> &'static str {
    match kind {
        Elsewhere::Percpu => "the allocator of per-CPU variables",
        Elsewhere::Crashkernel => "the reservation for a crash kernel",
        Elsewhere::Graphics => "the memory of a graphics card",
        Elsewhere::Pages => "the page allocator",
        Elsewhere::Vmalloc => "the allocator of mappings (vmalloc)",
        Elsewhere::Swiotlb => "the pool of bounce buffers (swiotlb)",
        Elsewhere::Mask => "a device without a usable DMA mask",
        Elsewhere::Slab => "the allocator of small objects (slab)",
        Elsewhere::Packet => "memory for packets of the network",
        Elsewhere::AtomicPool => "the pool for atomic DMA memory",
        Elsewhere::OutOfMemory => "the OOM killer",
    }
}

/// What that has to do with CMA, and what helps.
fn about(one: &NotCma) -> String {
    match one.kind {
        Elsewhere::Percpu => "It takes no memory from CMA; the percpu_alloc= chunk of modules is \
                              reserved at boot (PERCPU_MODULE_RESERVE)"
            .into(),
        Elsewhere::Crashkernel => "It is reserved at boot out of what areas leave: no CMA request \
                                   failed; a smaller crashkernel=, or ,low, or a smaller area leaves \
                                   room"
            .into(),
        Elsewhere::Graphics => "It is the card's own, or system memory mapped page by page: a larger \
                                CMA area does not help"
            .into(),
        Elsewhere::Pages => {
            let order = one.order.map_or_else(String::new, |order| format!(" of order {order}"));
            format!(
                "No free block{order} ({}): it is asked without CMA, or after CMA refused, which \
                 kernels from 4.11 on say in a line of their own",
                one.order.map_or_else(|| "contiguous pages".into(), |order| {
                    pages(1u64.checked_shl(order).unwrap_or(0))
                })
            )
        }
        Elsewhere::Vmalloc => "Addresses of the kernel ran out, not contiguous memory: vmalloc= on \
                               the command line (32-bit)"
            .into(),
        Elsewhere::Swiotlb if swiotlb(&one.text).is_some_and(Bounce::is_too_large) => {
            "The device does not reach the memory and its data is copied through this pool, of which \
             one mapping can have 256 KiB at most (IO_TLB_SEGSIZE, 128 slots of 2 KiB): no swiotlb= \
             is enough, a larger DMA mask or smaller mappings are"
                .into()
        }
        Elsewhere::Swiotlb if swiotlb(&one.text).is_some_and(Bounce::has_room) => {
            "The device does not reach the memory and its data is copied through this pool, most of \
             which was free: it is in pieces, or the device reaches a part of it alone; a larger \
             swiotlb= does not help, a larger DMA mask does"
                .into()
        }
        Elsewhere::Swiotlb => "The device does not reach the memory and its data is copied through \
                               this pool: swiotlb= on the command line, or a larger DMA mask; a CMA \
                               area for the device is not asked once it comes to this"
            .into(),
        Elsewhere::Mask => "CMA is not asked for such a device: the driver has to call \
                            dma_set_mask_and_coherent(), or dma_coerce_mask_and_coherent() where \
                            its device has no dma_mask"
            .into(),
        Elsewhere::Slab => "It takes single pages or small blocks from the page allocator, none \
                            from CMA"
            .into(),
        Elsewhere::Packet => "It comes from the page allocator where nobody may sleep, never from \
                              CMA"
            .into(),
        Elsewhere::AtomicPool => "It is made at boot from the page allocator where CMA has none: \
                                  coherent_pool= on the command line makes it smaller"
            .into(),
        Elsewhere::OutOfMemory => match one.memory {
            Some(memory) => free_of(one, memory),
            None => "Memory of the system or of a cgroup ran out; no CMA request failed by it".into(),
        },
    }
}

/// What was free where memory ran out, and CMA kept little of it.
fn free_of(one: &NotCma, memory: FreeMemory) -> String {
    let flags = one.flags.as_deref().map_or_else(|| "such".to_string(), clean);
    let (cma, free) = (memory.cma_kb, memory.free_kb);
    let head = format!("{cma} of {free} kB free in the zones that {flags} requests use are CMA's");
    let is_above = memory.high_kb > 0 && memory.rest_kb() > memory.high_kb;
    if is_above && one.order.is_some_and(|order| order > 0) {
        return format!(
            "{head}, and the rest is above the watermark: a block of this order in one piece is what \
             is missing"
        );
    }
    if memory.is_plenty() {
        return format!(
            "{head}, and the rest is far above the watermark: another limit counts (a cgroup, a \
             cpuset, the reserve of a zone)"
        );
    }
    if one.is_movable() && cma > 0 {
        return format!("{head}, which these requests may use: nothing free is kept from them");
    }
    format!("{head}: memory ran out there, and CMA keeps nothing free from it")
}

/// Busy places that no failure follows.
fn busy(diagnosis: &Diagnosis) -> Option<String> {
    let rows = &diagnosis.busy;
    let first = rows.first()?;
    let each: Vec<_> = rows.iter().take(4).map(one_size).collect();
    let more = if rows.len() > 4 { ", and of other sizes" } else { "" };
    let hidden = match diagnosis.busy_hidden {
        0 => String::new(),
        lines => {
            format!(" {} more of these were hidden by the rate limit.", counted(lines, "line"))
        }
    };
    let ends = if rows.iter().any(|row| row.at_end) {
        "harmless as far as this text shows; it ends there: paste the lines that follow (`dmesg | \
         grep -A20 'PFNs busy'`)"
    } else {
        "harmless unless a failure follows, and none does in this text"
    };
    Some(format!(
        "{}{more} (first {} line {}). A busy place is tried again further on: {ends}.{hidden}",
        each.join("; "),
        clean(&first.source),
        first.line,
    ))
}

/// `3 places for 3060 pages, in steps of 256 (order 8), retried`.
fn one_size(row: &BusyPlaces) -> String {
    let requests = match row.requests {
        1 => String::new(),
        requests => format!(" in {requests} requests"),
    };
    let step = row.align.map_or_else(String::new, |order| {
        format!(", in steps of {} (order {order})", 1u64.checked_shl(order).unwrap_or(0))
    });
    let again = if row.places > row.requests { ", retried" } else { "" };
    format!("{}{requests} for {}{step}{again}", counted(row.places, "place"), pages(row.pages))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Elsewhere) -> NotCma {
        NotCma {
            kind,
            count: 2,
            source: "a.log".into(),
            line: 7,
            time_us: None,
            text: "what it\x1b said".into(),
            device: None,
            order: Some(9),
            flags: Some("GFP_KERNEL".into()),
            memory: None,
        }
    }

    const ALL: [Elsewhere; 11] = [
        Elsewhere::Percpu,
        Elsewhere::Crashkernel,
        Elsewhere::Graphics,
        Elsewhere::Pages,
        Elsewhere::Vmalloc,
        Elsewhere::Swiotlb,
        Elsewhere::Mask,
        Elsewhere::Slab,
        Elsewhere::Packet,
        Elsewhere::AtomicPool,
        Elsewhere::OutOfMemory,
    ];

    #[test]
    fn each_says_who_where_and_what_it_has_to_do_with_cma() {
        for kind in ALL {
            let said = not_cma(&one(kind));
            assert!(
                said.contains("(2 times, first a.log line 7): `what it\u{fffd} said`."),
                "{said}"
            );
            assert!(said.ends_with('.') && !said.ends_with("`."), "{said}");
        }
        assert!(not_cma(&one(Elsewhere::Pages)).contains("order 9 (512 pages)"));
    }

    #[test]
    fn cma_that_holds_what_is_free_is_too_large() {
        let memory = FreeMemory {
            free_kb: 519_112,
            cma_kb: 513_592,
            high_kb: 12_028,
            cma_pages: Some(131_072),
        };
        let oom = NotCma { memory: Some(memory), ..one(Elsewhere::OutOfMemory) };
        let said = not_cma(&oom);
        let numbers = "501.6 of 506.9 MiB free are CMA's, which GFP_KERNEL requests cannot use (131072 \
                       pages reserved): CMA is too large here, or unmovable memory leaks.";
        assert!(said.contains(numbers), "{said}");
        let movable = NotCma { flags: Some("GFP_HIGHUSER_MOVABLE".into()), ..oom };
        assert!(!not_cma(&movable).contains("too large"));
        assert!(
            not_cma(&movable).contains("these requests may use: nothing free is kept from them")
        );
    }

    #[test]
    fn where_cma_is_not_why_memory_ran_out_that_is_said() {
        let oom = |order, free_kb, cma_kb| NotCma {
            order: Some(order),
            memory: Some(FreeMemory { free_kb, cma_kb, high_kb: 12_028, cma_pages: None }),
            ..one(Elsewhere::OutOfMemory)
        };
        for (order, free_kb, cma_kb, end) in [
            (0, 9_000, 0, "memory ran out there, and CMA keeps nothing free from it."),
            (
                0,
                512_000,
                8_000,
                "another limit counts (a cgroup, a cpuset, the reserve of a zone).",
            ),
            (3, 512_000, 8_000, "a block of this order in one piece is what is missing."),
        ] {
            let said = not_cma(&oom(order, free_kb, cma_kb));
            assert!(said.ends_with(end) && !said.contains("too large"), "{said}");
        }
        let found = Diagnosis { not_cma: vec![oom(0, 9_000, 0)], ..Diagnosis::default() };
        let head = "no failed CMA allocation in this log: the OOM killer ran";
        assert_eq!(headline(&found).as_deref(), Some(head));
    }

    #[test]
    fn busy_places_are_counted_with_their_step() {
        let row = BusyPlaces {
            pages: 3060,
            align: Some(8),
            places: 3,
            requests: 1,
            source: "a.log".into(),
            line: 1,
            time_us: None,
            at_end: true,
        };
        assert_eq!(one_size(&row), "3 places for 3060 pages, in steps of 256 (order 8), retried");
        let mut found = Diagnosis { busy: vec![row], ..Diagnosis::default() };
        let said = busy(&found).unwrap();
        assert!(said.contains("it ends there: paste the lines that follow (`dmesg |"), "{said}");
        assert!(headline(&found).unwrap().contains(", but 3 places were busy (harmless as far"));
        found.busy_hidden = 7;
        assert!(busy(&found).unwrap().contains("7 lines more of these were hidden"));
    }
}
