//! Drivers that say that they got no memory.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::cursor::{Cursor, Stop};
use super::message::{Message, Tools};
use crate::ingest::log::Record;

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

/// How far behind the words a number may stand that says how much it was.
const NEAR: usize = 48;

static MACHINE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    let builder = builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst);
    builder.build(OTHER.iter().chain(REFUSED)).expect("a few short patterns")
});

/// `alloc of size 65536 failed` after `dma`.
pub(crate) fn dma_alloc(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"allocofsize")?;
    let bytes = Some(c.any_number()?);
    c.literal(b"failed")?;
    Ok(Message::record(Record::Driver { bytes, cma: false }))
}

/// What a line says, where it says something of this kind.
pub(super) fn read(line: &[u8]) -> Option<Record> {
    const LONGEST: usize = 1024;
    let line = &line[..line.len().min(LONGEST)];
    let found = MACHINE.find(line)?;
    if MACHINE.find_iter(line).any(|found| found.pattern().as_usize() < OTHER.len()) {
        return None;
    }
    let cma = names_cma(line);
    // Less than a page is of the slab.
    let bytes = bytes(line, found.end()).filter(|bytes| cma || *bytes >= 4096);
    Some(Record::Driver { bytes, cma })
}

/// The word CMA stands in the line, alone or as a part of a name; the parameter `cma=` is none.
fn names_cma(line: &[u8]) -> bool {
    line.windows(3).enumerate().any(|(at, word)| {
        let letter = |at: Option<usize>| {
            at.and_then(|at| line.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        let parameter = line.get(at + 3) == Some(&b'=');
        let alone = !letter(at.checked_sub(1)) && !letter(Some(at + 3)) && !parameter;
        word.eq_ignore_ascii_case(b"cma") && alone
    })
}

/// The bytes that were asked for: `size 1089536`, `size=0x1000`, `6389760 buffer`, `4096 bytes`,
/// `16 MiB`.
fn bytes(line: &[u8], refused: usize) -> Option<u64> {
    let mut at = 0;
    let mut found = None;
    while let Some(start) = line[at..].iter().position(u8::is_ascii_digit) {
        let start = at + start;
        let (number, end) = number(line, start);
        at = end.max(start + 1);
        let before = &line[..start];
        let alone = before.last().is_none_or(|byte| b" =:(".contains(byte));
        let Some(number) = number.filter(|_| alone) else { continue };
        let word: Vec<u8> = line[end..]
            .trim_ascii_start()
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .map(u8::to_ascii_lowercase)
            .collect();
        let unit = match word.as_slice() {
            b"bytes" | b"byte" => 1,
            b"kb" | b"kib" | b"k" => 1 << 10,
            b"mb" | b"mib" | b"m" => 1 << 20,
            b"buffer" | b"buffers" if number >= 4096 && start > refused => 1,
            _ if size_before(before) => 1,
            _ => continue,
        };
        let bytes = number.checked_mul(unit);
        // The first one behind the words, or else one in front of them.
        if start > refused {
            return bytes.filter(|_| start <= refused + NEAR).or(found);
        }
        found = bytes.or(found);
    }
    found
}

/// `size`, `size=`, `size:`, `size of ` in front of a number.
fn size_before(before: &[u8]) -> bool {
    let near = before[before.len().saturating_sub(16)..].to_ascii_lowercase();
    let near = near.as_slice().trim_ascii_end();
    let near = near.strip_suffix(b"=").or(near.strip_suffix(b":")).unwrap_or(near);
    let near = near.strip_suffix(b"(").unwrap_or(near).trim_ascii_end();
    let near = near.strip_suffix(b" of").unwrap_or(near).trim_ascii_end();
    near.ends_with(b"size") || near.ends_with(b" len") || near.ends_with(b"length")
}

fn number(line: &[u8], start: usize) -> (Option<u64>, usize) {
    let (radix, from) =
        if line[start..].starts_with(b"0x") { (16, start + 2) } else { (10, start) };
    let digits = line[from..].iter().take_while(|b| char::from(**b).is_digit(radix)).count();
    let text = str::from_utf8(&line[from..from + digits]).ok();
    (text.and_then(|text| u64::from_str_radix(text, radix).ok()), from + digits)
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
