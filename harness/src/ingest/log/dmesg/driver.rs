//! Drivers that say that they got no memory.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::Regex;

use super::cursor::{Cursor, Stop};
use super::message::{Message, Tools};
use crate::ingest::log::{Record, bytes};

const REFUSED: &[&str] = &[
    "failed to alloc",
    "fail to alloc",
    "failed allocating",
    "unable to alloc",
    "could not alloc",
    "couldn't alloc",
    "cannot alloc",
    "can't alloc",
    "allocation failed",
    "allocate failed",
    "alloc failed",
    "alloc fail",
    "alloc_coherent failed",
    "alloc_attrs failed",
    "allocating failed",
];

/// What no driver says of memory that CMA could have given.
const OTHER: &[&str] = &[
    "cannot allocate memory",
    "page allocation failure",
    "allocated successfully",
    "swiotlb",
    "alloc failed, req-size",
    "reserved mem",
    "for atomic",
    "atomic pool",
    "kmalloc",
    "vmalloc",
    "vmap alloc",
];

/// How far after the words a number may be that says how much it was.
const NEAR: usize = 48;

static MACHINE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    let builder = builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst);
    builder.build(OTHER.iter().chain(REFUSED)).expect("a few short patterns")
});

/// CMA, alone or as a part of a name; the parameter `cma=` is none.
static CMA: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?i-u)(?:^|[^a-z0-9])cma(?:$|[^a-z0-9=])"));

/// A number of its own, and the word after it.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?-u)(?:^|[\x20=:(])(?<number>0x(?<hex>[0-9a-fA-F]+)|(?<decimal>[0-9]+))(?:\s*(?<unit>[A-Za-z]+))?",
    )
});

/// `size`, `size=`, `size:`, `size of ` before a number.
static SIZE: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?i-u)(?:size|\x20len|length)(?:\s+of)?\s*\(?[=:]?\s*$"));

/// `alloc of size 65536 failed` after `dma`.
pub(crate) fn dma_alloc(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let [bytes] = c.numbers(b"allocofsize#failed")?;
    Ok(Message::record(Record::Driver { bytes: Some(bytes), cma: false }))
}

/// What a line says, where it says something of this kind.
pub(super) fn read(line: &[u8]) -> Option<Record> {
    const LONGEST: usize = 1024;
    let line = &line[..line.len().min(LONGEST)];
    let found = MACHINE.find(line)?;
    if MACHINE.find_iter(line).any(|found| found.pattern().as_usize() < OTHER.len()) {
        return None;
    }
    let cma = CMA.is_match(line);
    // Less than a page is of the slab.
    let bytes = asked(line, found.end()).filter(|bytes| cma || *bytes >= 4096);
    Some(Record::Driver { bytes, cma })
}

/// The bytes that were asked for: `size 1089536`, `size=0x1000`, `6389760 buffer`, `4096 bytes`,
/// `16 MiB`. The first number after the words at `refused`, or else one before them.
fn asked(line: &[u8], refused: usize) -> Option<u64> {
    let mut found = None;
    for number in NUMBER.captures_iter(line) {
        let text = |name| number.name(name).and_then(|part| str::from_utf8(part.as_bytes()).ok());
        let value = match (text("hex"), text("decimal")) {
            (Some(hex), _) => u64::from_str_radix(hex, 16).ok(),
            (None, decimal) => decimal.and_then(|digits| digits.parse().ok()),
        };
        let (Some(value), Some(start)) = (value, number.name("number").map(|part| part.start()))
        else {
            continue;
        };
        let unit = match text("unit").unwrap_or_default().to_ascii_lowercase().as_str() {
            "bytes" | "byte" => 1,
            "kb" | "kib" | "k" => 1 << 10,
            "mb" | "mib" | "m" => 1 << 20,
            "buffer" | "buffers" if value >= 4096 && start > refused => 1,
            _ if SIZE.is_match(&line[start.saturating_sub(16)..start]) => 1,
            _ => continue,
        };
        let bytes = value.checked_mul(unit);
        if start > refused {
            return bytes.filter(|_| start <= refused + NEAR).or(found);
        }
        found = bytes.or(found);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_that_got_nothing_are_heard() {
        for (line, bytes, cma) in [
            ("[drm:vc4_bo_create [vc4]] *ERROR* Failed to allocate from CMA:", None, true),
            (
                "vc4-drm soc:gpu: failed to allocate buffer with size 1036288",
                Some(1_036_288),
                false,
            ),
            (
                "RKNPU fde40000.npu: RKNPU: failed to allocate 8486912 buffer.",
                Some(8_486_912),
                false,
            ),
            ("omapfb omapfb: failed to allocate framebuffer", None, false),
            ("nvgpu: DMA alloc FAILED: [sysmem] size=4096 aligned=4096", Some(4096), false),
            ("foo 1000.bar: could not allocate 16 MiB of memory", Some(16 << 20), false),
            ("unicam: dma_alloc_coherent of size 77824 failed, alloc failed", Some(77824), false),
            ("cma_heap: allocation failed", None, true),
        ] {
            let expected = Some(Record::Driver { bytes, cma });
            assert_eq!(read(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn what_is_too_small_or_too_far_away_is_no_size() {
        let none = Some(Record::Driver { bytes: None, cma: false });
        for line in [
            "firmware: alloc failed, size 120",
            "alloc failed messages were seen here until we raised the area with cma= to 192M",
        ] {
            assert_eq!(read(line.as_bytes()), none, "{line}");
        }
    }

    #[test]
    fn others_are_not() {
        for line in [
            "nvme nvme3: allocated 40 MiB host memory buffer.",
            "swapper/0: page allocation failure: order:9, mode:0xcc1",
            "-sh: echo: write error: Cannot allocate memory",
            "cpu: 0, pid: 707, index 3 pages 128 failed",
            "v3d fec00000.v3d: swiotlb buffer is full (sz: 536576 bytes)",
            "DMA: failed to allocate 2048 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocation",
            "OF: reserved mem: failed to allocate memory for node 'linux,cma': size 640 MiB",
            "Reserved memory: failed to allocate memory for node 'cam,cma'",
            "mydrv: kmalloc failed: cannot alloc 8192 bytes",
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
