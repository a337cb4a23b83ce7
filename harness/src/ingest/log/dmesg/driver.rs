//! Drivers that say that they got no memory.
//!
//! What a driver whose words are known says is in [`SHAPES`]; of the others what says that CMA was
//! asked, or how much, is taken. What another allocator refused is [`Elsewhere`](super::elsewhere).

pub(super) mod device;
mod shapes;
mod size;

use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::Regex;

use super::cursor::{Cursor, Stop};
use super::elsewhere::{self, Elsewhere};
use super::message::{Message, Tools};
use crate::ingest::log::{Record, bytes};
pub use shapes::{Asks, SHAPES};

/// Words that refuse.
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
    "alloc_skb failed",
];

/// What is neither a driver's nor another allocator's.
const OTHER: &[&str] = &[
    "cannot allocate memory",
    "allocated successfully",
    "alloc failed, req-size",
    "reserved mem",
    "memory allocation of",
];

/// What a word of the machine is.
#[derive(Clone, Copy)]
enum Word {
    Other,
    Elsewhere(Elsewhere, bool),
    Shape(usize),
    Refused,
}

/// Every word. Several may lie over each other in a line.
static WORDS: LazyLock<Vec<(&str, Word)>> = LazyLock::new(|| {
    let others = OTHER.iter().map(|word| (*word, Word::Other));
    let all = elsewhere::WORDS.iter();
    let elsewhere = all.map(|(word, kind, alone)| (*word, Word::Elsewhere(*kind, *alone)));
    let shapes = SHAPES.iter().enumerate().map(|(index, one)| (one.words, Word::Shape(index)));
    let refused = REFUSED.iter().map(|word| (*word, Word::Refused));
    others.chain(elsewhere).chain(shapes).chain(refused).collect()
});

static MACHINE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    let builder = builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
    builder.build(WORDS.iter().map(|(word, _)| word)).expect("a few short patterns")
});

/// CMA, alone or as a part of a name, or its lines in meminfo; the parameter `cma=` is none.
static CMA: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?i-u)(?:^|[^a-z0-9])cma(?:$|[^a-z0-9=]|(?:Total|Free)\b)"));

/// How the memory is asked for that CMA gives.
static DMA: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r"(?i-u)(?:^|[^a-z0-9])dma(?:$|[^a-z0-9])|coherent|contiguous")
});

/// A program that writes into the log of the machine: `Jul  1 10:00:00 pi chromium[812]: `. Some
/// loggers give the kernel a pid as well.
static PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r"(?-u)^[A-Z0-9][^\[\]]{8,64} (?<name>[\w./@-]{1,40})\[[0-9]+\]: ")
});

/// A function that a driver asked, and `failed` some way after it.
static ASKED: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?i-u)\bdma[ _]alloc\w*\b.{0,48}?\b(?<failed>failed)\b"));

/// The end of a line that is broken before it says how much was asked for, or that it was refused.
static BEGUN: LazyLock<Regex> = LazyLock::new(|| {
    const WORDS: &str = "(?: (?:of?|s(?:i(?:ze?)?)?|f(?:a(?:i(?:l(?:ed?)?)?)?)?))*";
    bytes::pattern(&format!(r"(?i-u)\bdma[ _]alloc[a-z_]*{WORDS}(?: [0-9]*)?\s*$"))
});

/// Whether a driver begins to say here that it got nothing, and the rest is missing.
pub(super) fn is_begun(line: &[u8]) -> bool {
    let found =
        || MACHINE.find_overlapping_iter(line).map(|found| WORDS[found.pattern().as_usize()].1);
    let is_shape = |word| matches!(word, Word::Shape(at) if SHAPES[at].words.starts_with("dma"));
    let is_other = found().any(|word| matches!(word, Word::Other | Word::Elsewhere(..)));
    !is_other && (found().any(is_shape) || BEGUN.is_match(line))
}

/// `alloc of size 65536 failed` after `dma`.
pub(crate) fn dma_alloc(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let [bytes] = c.numbers(b"allocofsize#failed")?;
    let shape = Some(SHAPES[0].name);
    Ok(Message::record(Record::Driver {
        bytes: Some(bytes),
        cma: false,
        dma: true,
        device: None,
        shape,
    }))
}

/// What a line says, where it says something of this kind.
pub(super) fn read(line: &[u8]) -> Option<Record> {
    const LONGEST: usize = 1024;
    let line = &line[..line.len().min(LONGEST)];
    let mut words: Vec<_> = MACHINE.find_overlapping_iter(line).collect();
    words.sort_unstable_by_key(|found| (found.pattern(), found.start()));
    let words: Vec<_> = words
        .into_iter()
        .map(|found| (WORDS[found.pattern().as_usize()].1, found.start(), found.end()))
        .collect();
    if words.iter().any(|(word, ..)| matches!(word, Word::Other)) {
        return None;
    }
    let refuses = words.iter().any(|(word, ..)| matches!(word, Word::Refused));
    let elsewhere = words.iter().find_map(|(word, ..)| match word {
        Word::Elsewhere(kind, alone) if *alone || refuses => Some(*kind),
        _ => None,
    });
    if let Some(kind) = elsewhere {
        return Some(elsewhere::record(kind, line));
    }
    if PROGRAM.captures(line).is_some_and(|found| found["name"] != *b"kernel") {
        return None;
    }
    let shape = words.iter().find_map(|(word, ..)| match word {
        Word::Shape(index) => shaped(*index, line),
        _ => None,
    });
    shape.or_else(|| {
        let refused = words.iter().filter(|(word, ..)| matches!(word, Word::Refused));
        let refused = refused.min_by_key(|(_, from, _)| *from);
        let refused = refused.map(|(_, from, to)| (*from, *to));
        let asked = || ASKED.captures(line)?.name("failed").map(|word| (word.start(), word.end()));
        let (from, to) = refused.or_else(asked)?;
        Some(unknown(line, from, to))
    })
}

/// The first shape with the words of number `index` that the line has.
fn shaped(index: usize, line: &[u8]) -> Option<Record> {
    let alike = SHAPES.iter().enumerate().filter(|(_, one)| one.words == SHAPES[index].words);
    let (shape, bytes) =
        alike.into_iter().find_map(|(at, shape)| Some((shape, shapes::fits(at, line)?)))?;
    if shape.asks == Asks::Pages {
        return Some(elsewhere::record(Elsewhere::Pages, line));
    }
    let cma = shape.proves_cma || CMA.is_match(line);
    let device = device::device(line).map(Arc::from);
    Some(Record::Driver { bytes, cma, dma: true, device, shape: Some(shape.name) })
}

/// What a driver says whose words are in no table.
fn unknown(line: &[u8], from: usize, to: usize) -> Record {
    let cma = CMA.is_match(line);
    // Less than a page is of the slab.
    let bytes = size::asked(line, from, to).filter(|bytes| cma || *bytes >= 4096);
    let dma = cma || DMA.is_match(line);
    Record::Driver { bytes, cma, dma, device: device::device(line).map(Arc::from), shape: None }
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
            let Some(Record::Driver { bytes: said, cma: asked, .. }) = read(line.as_bytes()) else {
                panic!("{line}")
            };
            assert_eq!((said, asked), (bytes, cma), "{line}");
        }
    }

    #[test]
    fn what_is_too_small_or_too_far_away_is_no_size() {
        for line in [
            "firmware: alloc failed, size 120",
            "alloc failed messages were seen here until we raised the area with cma= to 192M",
        ] {
            let read = read(line.as_bytes());
            let none = matches!(read, Some(Record::Driver { bytes: None, cma: false, .. }));
            assert!(none, "{line}: {read:?}");
        }
    }

    #[test]
    fn every_shape_has_its_example() {
        for shape in SHAPES.iter().filter(|shape| shape.asks != Asks::Pages) {
            let read = read(shape.example.as_bytes());
            let Some(Record::Driver { bytes, cma, shape: name, .. }) = read else {
                panic!("{}: {read:?}", shape.example)
            };
            assert_eq!(name, Some(shape.name), "{}", shape.example);
            assert_eq!(bytes.is_some(), shape.has_size(), "{}", shape.example);
            assert!(!shape.proves_cma || cma, "{}", shape.example);
            let whole = shape.example.to_ascii_lowercase();
            assert!(whole.contains(shape.words) && shape.words == shape.words.to_lowercase());
        }
    }

    #[test]
    fn another_allocator_is_none_of_cma() {
        use Elsewhere::*;
        for (line, kind) in [
            (
                "percpu: allocation failed, size=4096 align=8 atomic=0, alloc from reserved chunk \
              failed",
                Percpu,
            ),
            ("cannot allocate crashkernel (size:0x10000000)", Crashkernel),
            ("crashkernel reservation failed - No suitable area found.", Crashkernel),
            ("swapper/0: page allocation failure: order:9, mode:0xcc1", Pages),
            ("v3d fec00000.v3d: swiotlb buffer is full (sz: 536576 bytes)", Swiotlb),
            ("swiotlb: coherent allocation failed for device udmabuf.0 size=8388608", Swiotlb),
            (
                "DMA: failed to allocate 2048 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocation",
                AtomicPool,
            ),
            ("mydrv: kmalloc failed: cannot alloc 8192 bytes", Slab),
            (
                "vmap allocation for size 4198400 failed: use vmalloc=<size> to increase size",
                Vmalloc,
            ),
            (
                "[drm:radeon_gem_object_create [radeon]] *ERROR* Failed to allocate GEM object \
              (8294400, 2, 4096, -12)",
                Graphics,
            ),
            ("amdgpu 0000:01:00.0: amdgpu: (-12) failed to allocate kernel bo", Graphics),
            ("qla3xxx eth1: large buff alloc failed for 134217728 bytes at index 3", Pages),
            ("eth0: failed to allocate skb of size 9216", Packet),
            ("foo foo: coherent DMA mask is unset", Mask),
            ("sh invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0", OutOfMemory),
        ] {
            let read = read(line.as_bytes());
            let found = matches!(read, Some(Record::Elsewhere { kind: said, .. }) if said == kind);
            assert!(found, "{line}: {read:?}");
        }
    }

    #[test]
    fn others_are_not() {
        for line in [
            "nvme nvme3: allocated 40 MiB host memory buffer.",
            "-sh: echo: write error: Cannot allocate memory",
            "Modules linked in: vivid videobuf2_vmalloc cma_heap videobuf2_dma_contig radeon",
            "CMA ALLOCATION FAILURE ANALYSIS",
            "cpu: 0, pid: 707, index 3 pages 128 failed",
            "Jul 1 10:00:00 pi chromium[812]: failed to allocate 1073741824 bytes",
            "OF: reserved mem: failed to allocate memory for node 'linux,cma': size 640 MiB",
            "Reserved memory: failed to allocate memory for node 'cam,cma'",
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
