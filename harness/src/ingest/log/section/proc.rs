//! `/proc/meminfo`, `/proc/vmstat`, kernel configurations, `/proc/cmdline`, `/proc/version`.

use super::super::super::Format;
use super::super::boot::{Boot, OrderFrom, PageFrom};
use super::super::dmesg::boot;
use super::super::messages::{self, Numbers};
use super::super::names::Names;
use super::super::{Knob, Record, Sink};
use super::number;

pub(super) const MEMINFO: Format = Format {
    name: "meminfo",
    about: "memory counters of the whole system: lines of /proc/meminfo and /proc/vmstat",
    columns: "CmaTotal: N kB, CmaFree, MemTotal, MemFree, MemAvailable, SwapTotal, SwapFree; \
              nr_free_cma N, cma_alloc_success, cma_alloc_fail (5.13 on)",
    kernels: "3.12 on",
    written: false,
};

pub(super) const CONFIG: Format = Format {
    name: "kernel-config",
    about: "the cap of alignments, and what can be switched on, from a kernel configuration",
    columns: "CONFIG_CMA_ALIGNMENT=8; CONFIG_CMA_DEBUGFS, CONFIG_CMA_DEBUG, CONFIG_DYNAMIC_DEBUG, \
              each =y or # … is not set",
    kernels: "3.5 on",
    written: false,
};

pub(super) const KERNEL: Format = Format {
    name: "kernel-release",
    about: "the release and the command line: /proc/version, uname, /proc/cmdline",
    columns: "==> PATH <==, PATH:text or after cat PATH",
    kernels: "any",
    written: false,
};

/// Deeper than this, a `nr_free_cma` is one zone's, of `/proc/zoneinfo`.
const DEEPEST: usize = 3;

/// Reads a line of meminfo, vmstat or a configuration; `raw` is the line with what indents it.
pub(super) fn line(raw: &[u8], text: &[u8], sink: &mut Sink<'_>, names: &mut Names) -> bool {
    if let Some(name) = messages::number(Numbers::Meminfo, |name| starts(text, name, b':')) {
        return memory(name, &text[name.len() + 1..], sink, names);
    }
    if let Some(name) = messages::number(Numbers::Vmstat, |name| starts(text, name, b' ')) {
        let indent = raw.iter().take_while(|byte| **byte == b' ').count();
        let value = text[name.len()..].trim_ascii();
        let counter =
            |value| Some(Record::Counter { area: None, name: names.get(name.as_bytes()), value });
        return indent <= DEEPEST && number(value, "the counter", sink, counter);
    }
    if let Some(name) = text.strip_prefix(b"# CONFIG_") {
        return unset(name, sink);
    }
    text.starts_with(b"CONFIG_") && config(text, sink)
}

/// The switches whose value is of use, without `CONFIG_`.
const KNOBS: [(&[u8], Knob); 3] = [
    (b"CMA_DEBUGFS", Knob::CmaDebugfs),
    (b"CMA_DEBUG", Knob::CmaDebug),
    (b"DYNAMIC_DEBUG", Knob::DynamicDebug),
];

fn knob(name: &[u8]) -> Option<Knob> {
    KNOBS.iter().find(|(known, _)| *known == name).map(|(_, knob)| *knob)
}

/// `CMA_DEBUGFS is not set` after `# CONFIG_`: used up, whatever is not set.
fn unset(name: &[u8], sink: &mut Sink<'_>) -> bool {
    let Some(name) = name.strip_suffix(b" is not set") else { return false };
    if let Some(knob) = knob(name) {
        sink.push(None, None, Record::Config(knob, false));
    }
    let off = match name {
        b"DMA_CMA" => Some(Boot::DmaCma(false)),
        b"DMABUF_HEAPS" | b"DMABUF_HEAPS_CMA" => Some(Boot::Heaps(false)),
        _ => None,
    };
    if let Some(off) = off {
        sink.push(None, None, Record::Boot(off));
    }
    true
}

fn starts(text: &[u8], name: &str, then: u8) -> bool {
    text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&then))
}

/// `  524288 kB`
fn memory(name: &str, rest: &[u8], sink: &mut Sink<'_>, names: &mut Names) -> bool {
    let rest = rest.trim_ascii();
    let Some(kib) = [b"kB", b"KB", b"kb"].into_iter().find_map(|unit| rest.strip_suffix(unit))
    else {
        return false;
    };
    number(kib.trim_ascii_end(), name, sink, |kib| {
        let (area, name, value) = (None, names.get(name.as_bytes()), kib.checked_mul(1024)?);
        Some(Record::Counter { area, name, value })
    })
}

/// `CONFIG_X=value` and nothing else: all of them are used up, and one says something.
fn config(text: &[u8], sink: &mut Sink<'_>) -> bool {
    let Some(equals) = memchr::memchr(b'=', text) else { return false };
    let (name, value) = (&text[..equals], &text[equals + 1..]);
    let upper = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    if !name.iter().all(upper) || value.contains(&b' ') && !value.starts_with(b"\"") {
        return false;
    }
    if let Some(knob) = knob(&name[b"CONFIG_".len()..]) {
        sink.push(None, None, Record::Config(knob, value == b"y"));
    }
    let cap = |cap| Some(Record::Cap(u32::try_from(cap).ok()?));
    if let Some(boot) = pages(name, value) {
        sink.push(None, None, Record::Boot(boot));
    }
    name != b"CONFIG_CMA_ALIGNMENT" || number(value, "CONFIG_CMA_ALIGNMENT", sink, cap)
}

/// What an option says of pages and blocks (`arch/arm64/Kconfig`, `arch/arm/Kconfig`,
/// `mm/Kconfig`). Up to 6.3 the order of the largest block was counted from 1 on.
fn pages(name: &[u8], value: &[u8]) -> Option<Boot> {
    let order = || super::bytes::number::<u32>(value).filter(|order| *order < 32);
    let page = |bytes| (value == b"y").then_some(Boot::PageBytes(bytes, PageFrom::Config));
    match name {
        b"CONFIG_ARM64_4K_PAGES" => page(4096),
        b"CONFIG_ARM64_16K_PAGES" => page(16384),
        b"CONFIG_ARM64_64K_PAGES" => page(65536),
        b"CONFIG_DMA_CMA" => Some(Boot::DmaCma(value == b"y")),
        b"CONFIG_DMABUF_HEAPS_CMA" => (value == b"y").then_some(Boot::Heaps(true)),
        b"CONFIG_ARCH_FORCE_MAX_ORDER" => Some(Boot::MaxOrder(order()?, OrderFrom::Blocks)),
        b"CONFIG_FORCE_MAX_ZONEORDER" => {
            Some(Boot::MaxOrder(order()?.checked_sub(1)?, OrderFrom::Blocks))
        }
        b"CONFIG_PAGE_BLOCK_MAX_ORDER" => Some(Boot::MaxOrder(order()?, OrderFrom::Pageblocks)),
        _ => None,
    }
}

/// The number that `getconf PAGESIZE` prints.
pub(super) fn page_size(text: &[u8], sink: &mut Sink<'_>) -> bool {
    let known = |bytes: &u64| [4096, 16384, 65536].contains(bytes);
    let Some(bytes) = super::bytes::number(text).filter(known) else { return false };
    sink.push(None, None, Record::Boot(Boot::PageBytes(bytes, PageFrom::Getconf)));
    true
}

/// `/proc/cmdline`: a line that could be anything, so it must not look like anything else.
pub(super) fn command_line(text: &[u8], sink: &mut Sink<'_>) -> bool {
    if matches!(text.first(), None | Some(b'[' | b'<' | b'#')) {
        return false;
    }
    let line = String::from_utf8_lossy(text.get(..8192).unwrap_or(text));
    sink.push(None, None, Record::CommandLine(line.into()));
    true
}

/// `Linux version 6.1.0 (…)` of `/proc/version`, `Linux HOST 6.1.0 #1 …` of `uname -a`, or only
/// the release of `uname -r`.
pub(super) fn version(text: &[u8], sink: &mut Sink<'_>) -> bool {
    let kernel = boot::uname(text);
    let found = kernel.is_some();
    let arch = boot::says::arch(text).filter(|_| found);
    kernel.into_iter().chain(arch).for_each(|record| sink.push(None, None, record));
    found
}
