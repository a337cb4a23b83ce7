//! What vc4 prints of its buffers where it gets none: `vc4_bo_create()`, `vc4_bo_stats_print()` of
//! `drivers/gpu/drm/vc4/vc4_bo.c`. Up to 4.13 it counts them in all, from 4.14 on by label; from 6.1
//! on CMA is called the GEM DMA helper.

use std::sync::{Arc, LazyLock};

use memchr::memmem;
use regex::bytes::Regex;

use crate::ingest::log::{Holder, Part, Record, bytes};

/// The line before the others.
static HEAD: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)Failed to allocate from (?:CMA|GEM DMA helper)\b"));

/// `num bos allocated: 215`, `size bos cached: 0kb`.
static SUM: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r"(?-u)\b(num|size) bos (allocated|used|cached): ([0-9]{1,12})(?:kb)?")
});

/// `                V3D:  14336kb BOs (7)`, after `[drm]`, a device, or nothing. A label may hold
/// blanks, and has at most 30 characters mostly, for which it is padded.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?-u)(?:\[drm\]|: |^)\s*([^\s:\]][^:\]]{0,62}):\s+([0-9]{1,12})kb BOs \(([0-9]{1,9})\)",
    )
});

/// What a line says, where it is one of these.
pub(super) fn read(line: &[u8]) -> Option<Record> {
    let held =
        |part, bytes, buffers| Some(Record::Held { holder: Holder::Vc4, part, bytes, buffers });
    let has = |word: &[u8]| memmem::find(line, word).is_some();
    if has(b"ate from ") && HEAD.is_match(line) {
        return held(Part::Head, None, None);
    }
    if let Some(found) = Some(line).filter(|_| has(b" bos ")).and_then(|line| SUM.captures(line)) {
        let part = match &found[2] {
            b"allocated" => Part::All,
            b"cached" => Part::Cached,
            // The rest of the two.
            _ => return None,
        };
        let number = bytes::number(&found[3])?;
        return match &found[1] {
            b"num" => held(part, None, Some(number)),
            _ => held(part, Some(number << 10), None),
        };
    }
    let found = Some(line).filter(|_| has(b"kb BOs ("))?;
    let found = LABEL.captures(found)?;
    let (kib, buffers): (u64, u64) = (bytes::number(&found[2])?, bytes::number(&found[3])?);
    let part = match found[1].trim_ascii() {
        b"total purged BO" => Part::Purged,
        // They are counted under their labels, too.
        b"userspace BO cache" => return None,
        b"kernel BO cache" => Part::Cached,
        label => Part::Of(Arc::from(&*String::from_utf8_lossy(label))),
    };
    held(part, Some(kib << 10), Some(buffers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(part: Part, bytes: Option<u64>, buffers: Option<u64>) -> Option<Record> {
        Some(Record::Held { holder: Holder::Vc4, part, bytes, buffers })
    }

    #[test]
    fn the_pieces_of_a_dump_are_read() {
        let of = |label: &str| Part::Of(Arc::from(label));
        for (line, expected) in [
            (
                "[   46.3] [drm:vc4_bo_create [vc4]] *ERROR* Failed to allocate from CMA:",
                held(Part::Head, None, None),
            ),
            (
                "vc4-drm gpu: [drm] *ERROR* Failed to allocate from GEM DMA helper:",
                held(Part::Head, None, None),
            ),
            ("[drm] num bos allocated: 64", held(Part::All, None, Some(64))),
            ("[drm] size bos allocated: 62328kb", held(Part::All, Some(62328 << 10), None)),
            (
                "[   81.758016] [drm] size bos cached: 8160kb",
                held(Part::Cached, Some(8160 << 10), None),
            ),
            ("[drm] num bos used: 63", None),
            (
                "[ 4191.4] [drm]                            V3D: 126112kb BOs (389)",
                held(of("V3D"), Some(126_112 << 10), Some(389)),
            ),
            (
                "vc4-drm soc:gpu: [drm]                     V3D shader:    476kb BOs (117)",
                held(of("V3D shader"), Some(476 << 10), Some(117)),
            ),
            (
                "vc4-drm soc:gpu:             V3D:  14336kb BOs (7)",
                held(of("V3D"), Some(14336 << 10), Some(7)),
            ),
            (
                "                kernel BO cache:     64kb BOs (16)",
                held(Part::Cached, Some(64 << 10), Some(16)),
            ),
            (
                "[drm]       total purged BO:   1544kb BOs (7)",
                held(Part::Purged, Some(1544 << 10), Some(7)),
            ),
            ("[drm]    userspace BO cache:   1544kb BOs (7)", None),
            ("we had 12kb BOs (7) there", None),
        ] {
            assert_eq!(read(line.as_bytes()), expected, "{line}");
        }
    }
}
