//! `cma/AREA/*` of debugfs (`mm/cma_debug.c`, 4.1 on with CONFIG_CMA_DEBUGFS).

use super::super::super::Format;
use super::super::{DebugfsFile, Sink};
use super::path::{Name, Target};
use super::{debugfs_record, number as whole, too_large};

pub(super) const FORMAT: Format = Format {
    name: "debugfs",
    about: "the state of an area: cma/AREA/ of debugfs, with ranges/N/ from 6.15 on; a directory, \
            or its files in a text",
    columns: "base_pfn, count, order_per_bit, used, maxchunk, bitmap, each as ==> PATH <==, \
              PATH:value or behind cat PATH",
    kernels: "4.1 on",
    written: false,
};

/// Reads the number that stands in a file.
pub(super) fn number(name: Name, target: &Target, text: &[u8], sink: &mut Sink<'_>) -> bool {
    let Some(number) = whole(text) else { return false };
    let file = number.ok().and_then(|number| {
        Some(match name {
            Name::BasePfn => DebugfsFile::BasePfn(number),
            Name::Count => DebugfsFile::Count(number),
            Name::OrderPerBit => DebugfsFile::OrderPerBit(u32::try_from(number).ok()?),
            Name::Used => DebugfsFile::Used(number),
            Name::MaxChunk => DebugfsFile::MaxChunk(number),
            Name::Bitmap => return None,
        })
    });
    match file {
        Some(file) => sink.push(None, None, debugfs_record(target, file)),
        None => too_large(text, "the number", sink),
    }
    true
}
