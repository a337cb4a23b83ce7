//! Functions in a stack that say who asked CMA: of a backtrace, or of a trace with `stacktrace`.

use crate::ingest::log::{Record, bytes};

/// A function between a driver and CMA, or one that asks the page allocator itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Its name, or what its names begin with.
    pub function: &'static str,
    /// Whose it is: who tells its driver that it got nothing.
    pub client: Option<&'static str>,
    /// How it asks: a name of [`CALLERS`](crate::board::CALLERS). `None`, as `client`: the page
    /// allocator, and never CMA.
    pub caller: Option<&'static str>,
}

const fn client(function: &'static str, client: &'static str) -> Frame {
    Frame { function, client: Some(client), caller: None }
}

const fn caller(function: &'static str, caller: &'static str) -> Frame {
    Frame { function, client: None, caller: Some(caller) }
}

const fn pages(function: &'static str) -> Frame {
    Frame { function, client: None, caller: None }
}

/// Every function that is known: read in 6.1, 6.12 and 7.3; ION in 4.14. Underscores before a name
/// are left out.
pub const FRAMES: &[Frame] = &[
    client("vb2_dc_alloc", "vb2-dma-contig"),
    client("drm_gem_dma_create", "drm-gem-dma"),
    client("drm_gem_cma_create", "drm-gem-dma"),
    client("snd_dma_alloc_dir_pages", "alsa"),
    caller("dma_direct_alloc", "dma-direct"),
    caller("arm_dma_alloc", "arm-dma"),
    caller("cma_heap_allocate", "dma-heap"),
    caller("ion_cma_allocate", "ion"),
    caller("alloc_gigantic_folio", "hugetlb"),
    caller("hugetlb_cma_alloc", "hugetlb"),
    caller("cma_alloc_write", "cma-only"),
    pages("kmalloc_large_node"),
    pages("kmalloc_order"),
];

/// The function that `line` names from byte `at` on, as a stack does: `vb2_dc_alloc+0x9c/0x270`,
/// `=> vb2_dc_alloc`; a driver that prints its own name says something else.
pub(crate) fn frame(line: &[u8], at: usize) -> Vec<Record> {
    let is = |frame: &&Frame| {
        let underscores = bytes::span(&line[at..], |byte| *byte == b'_');
        let rest = line[at + underscores..].strip_prefix(frame.function.as_bytes());
        let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
        let ends = rest.map(|rest| &rest[bytes::span(rest, name)..]);
        ends.is_some_and(|ends| ends.first().is_none_or(|next| b"+ \r)".contains(next)))
    };
    let listed = traced(line).is_some() || memchr::memchr(b'+', &line[at..]).is_some();
    FRAMES.iter().find(is).filter(|_| listed).map(Record::Frame).into_iter().collect()
}

/// Where the function begins in a line of a trace that is a piece of a stack: ` => cma_alloc`. The
/// tail of a list of free runs begins likewise, and goes on with a number.
pub(super) fn traced(line: &[u8]) -> Option<usize> {
    let blanks = bytes::span(line, u8::is_ascii_whitespace);
    let name = line[blanks..].strip_prefix(b"=> ")?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+/".contains(byte);
    let named = name.first().is_some_and(|first| !first.is_ascii_digit());
    (named && name.trim_ascii_end().iter().all(is_name)).then_some(blanks + 3)
}
