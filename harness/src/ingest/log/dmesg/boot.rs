//! What a boot log, a backtrace and a shell say of the kernel and its areas.

pub(in crate::ingest::log) mod says;

use std::sync::{Arc, LazyLock};

use memchr::memmem;
use regex::bytes::Regex;

use super::cursor::{Cursor, Stop};
use super::message::{Message, Tools};
use crate::ingest::log::boot::{Boot, PoolZone};
use crate::ingest::log::{Record, bytes};

/// The longest command line, and the longest text before a release, that is looked at.
const LONGEST: usize = 4096;

/// The words after `Kernel command line:`.
pub(crate) fn command_line(text: &[u8]) -> Option<Record> {
    let text = &text[..text.len().min(LONGEST)];
    Some(Record::CommandLine(text_of(text.trim_ascii())))
}

/// The words after `Command line:`, as x86 prints them early; other programs print that too.
pub(crate) fn early_command_line(text: &[u8]) -> Option<Record> {
    let of_kernel = |word: &[u8]| {
        [&b"BOOT_IMAGE="[..], b"root=", b"console="].iter().any(|name| word.starts_with(name))
    };
    text.split(u8::is_ascii_whitespace).any(of_kernel).then(|| command_line(text))?
}

fn text_of(bytes: &[u8]) -> Arc<str> {
    Arc::from(&*String::from_utf8_lossy(bytes))
}

/// A release, as the first word: `6.12.117-foo`.
static RELEASE: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)^(\d{1,2}\.\d\S*?),?(?:\s|$)"));

/// A release, and how often it was built: ` 6.12.117-foo #1`, `: G  W  O  5.10.1 #1 board (DT)`.
static BUILT: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)(?:^|\s)(\d{1,2}\.\d\S*)\s+#"));

/// What `uname -a` prints, `Linux board 6.12.117-foo #1 SMP …`; `-sr`, `-srm`, `-rm`, or the release
/// alone.
static UNAME: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?-u)^\s*(?:Linux\s+(?:\S+\s+)?(\d{1,2}\.\d\S*)(?:\s|$)|(\d{1,2}\.\d\S*)\s*(?:\s(?:aarch64|arm\w*|x86_64|riscv64))?\s*$)",
    )
});

fn kernel(pattern: &Regex, text: &[u8]) -> Option<Record> {
    let found = pattern.captures(&text[..text.len().min(LONGEST)])?;
    let name = found.iter().skip(1).flatten().next()?;
    // A sentence may end there.
    Some(Record::Kernel(text_of(name.as_bytes().strip_suffix(b".").unwrap_or(name.as_bytes()))))
}

/// The release that `text` begins with.
pub(crate) fn release(text: &[u8]) -> Option<Record> {
    kernel(&RELEASE, text)
}

/// The release in a line of a backtrace, after `tainted`, `Tainted`.
pub(crate) fn tainted(text: &[u8]) -> Option<Record> {
    kernel(&BUILT, &text[..text.len().min(128)])
}

/// The release that `uname` printed.
pub(crate) fn uname(line: &[u8]) -> Option<Record> {
    kernel(&UNAME, line)
}

/// `64 MiB at 0x2b000000` after `Reserved`; from 6.6 to 6.14 with ` on node -1`.
pub(crate) fn reserved(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let bytes = size(c)?;
    let [base] = c.numbers(b"at#")?;
    let reserved = Record::Reserved { area: None, base, bytes };
    let node = on_node(c.rest());
    Ok(Message::records([reserved, Record::Boot(Boot::Declared { node })]))
}

/// `800 MiB in 3 ranges` after `Reserved`.
pub(crate) fn reserved_ranges(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let bytes = size(c)?;
    let [ranges] = c.numbers(b"in#range")?;
    Ok(Message::record(Record::Boot(Boot::Ranges { bytes, ranges })))
}

fn on_node(rest: &[u8]) -> Option<i32> {
    let number = rest.strip_prefix(b" on node ")?;
    let end = bytes::span(number, |byte| *byte == b'-' || byte.is_ascii_digit());
    str::from_utf8(&number[..end]).ok()?.parse().ok()
}

/// `64 MiB`, in bytes.
fn size(c: &mut Cursor<'_>) -> Result<u64, Stop> {
    let size = c.number()?;
    let order = match c.peek()? {
        b'K' | b'k' => 10,
        b'M' => 20,
        b'G' => 30,
        _ => return Err(Stop::No),
    };
    c.at += 1;
    c.optional(b"i")?;
    c.literal(b"B")?;
    Ok(size.saturating_mul(1 << order))
}

/// `128 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations`; before 5.8 without the flags, on 32-bit
/// Arm `atomic coherent allocations`.
pub(crate) fn atomic_pool(text: &[u8]) -> Option<Record> {
    let text = &text[..text.len().min(LONGEST)];
    let bytes = size(&mut Cursor::new(text, 0, true)).ok().filter(|bytes| *bytes > 0)?;
    let flags = &text[..memmem::find(text, b"pool for atomic")?];
    let names = |name: &[u8]| memmem::find(flags, name).is_some();
    let zone = match (names(b"GFP_DMA32"), names(b"GFP_DMA")) {
        (true, _) => PoolZone::Dma32,
        (false, true) => PoolZone::Dma,
        (false, false) => PoolZone::Any,
    };
    Some(Record::Boot(Boot::AtomicPool { bytes, zone }))
}

/// `65536K cma-reserved` of the line that says how much memory there is (`mem_init_print_info()`,
/// `mm/mm_init.c`): all that was marked as of an area by then, in bytes.
static CMA_RESERVED: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)(?:^|[,\s])([0-9]{1,15})K cma-reserved"));

/// What follows `K available (`.
pub(crate) fn memory(text: &[u8]) -> Option<Record> {
    let found = CMA_RESERVED.captures(&text[..text.len().min(LONGEST)])?;
    let kib: u64 = str::from_utf8(&found[1]).ok()?.parse().ok()?;
    let value = kib.checked_mul(1024)?;
    Some(Record::Counter { area: None, name: Arc::from("cma-reserved"), value })
}

/// `0x90000000..0xafffffff (524288 KiB) map reusable linux,cma` after `reserved mem: `, from 6.4 on.
/// What is not called after CMA may be reusable memory of another kind.
pub(crate) fn node(text: &[u8]) -> Option<Record> {
    let mut c = Cursor::new(text.strip_prefix(b": ")?, 0, true);
    let [base, _, kib] = c.numbers(b"#..#(#KiB)").ok()?;
    let map = c.optional(b"map").ok()? || c.optional(b"nomap").ok()?;
    let not = c.optional(b"non-").ok()?;
    c.literal(b"reusable").ok().filter(|()| map)?;
    let (name, bytes) = (c.rest().trim_ascii(), kib.checked_mul(1024)?);
    let node = text_of(&name[..name.len().min(64)]);
    if !not && memmem::find(name, b"cma").is_some() {
        return Some(Record::Reserved { area: Some(node), base, bytes });
    }
    Some(Record::Boot(Boot::Node { node, base, bytes, reusable: !not }))
}

/// A number, and the folder of an area whose `alloc` it is written to.
static ALLOC: LazyLock<Regex> = LazyLock::new(|| {
    let number = r#"^\s*(?:-n\s+)?["']?(0x[0-9a-f]+|[0-9]+)"#;
    let pattern = r"(?s-u)NUMBER.*?/cma/(?:cma-)?([^/]*)/alloc(?:[^A-Za-z0-9_]|$)";
    bytes::pattern(&pattern.replace("NUMBER", number))
});

/// `15262 > /sys/kernel/debug/cma/cma-reserved/alloc` after `echo `, also through `tee`.
pub(crate) fn debugfs_alloc(rest: &[u8]) -> Option<Record> {
    let found = ALLOC.captures(&rest[..rest.len().min(256)])?;
    let count = Cursor::new(&found[1], 0, true).any_number().ok()?;
    let area = (!found[2].is_empty()).then(|| text_of(&found[2]));
    Some(Record::DebugfsAlloc { area, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str, word: &str, read: fn(&[u8]) -> Option<Record>) -> Option<Record> {
        read(line.split_once(word).expect("the word").1.as_bytes())
    }

    fn kernel(name: &str) -> Option<Record> {
        Some(Record::Kernel(Arc::from(name)))
    }

    #[test]
    fn the_release_is_found_where_a_kernel_says_it() {
        let text = "[    0.0] Linux version 6.1.33-v8+ (me@here) (gcc) #1 SMP";
        assert_eq!(at(text, "Linux version ", release), kernel("6.1.33-v8+"));
        let text = "CPU: 0 PID: 1 Comm: x Not tainted 6.12.9-foo #1";
        assert_eq!(at(text, "ainted", tainted), kernel("6.12.9-foo"));
        let text = "CPU: 2 PID: 19 Comm: x 1.5 Tainted: G        W  O      5.10.1 #1 board (DT)";
        assert_eq!(at(text, "ainted", tainted), kernel("5.10.1"));
        assert_eq!(at("module is not tainted by 5.10", "ainted", tainted), None);
        assert_eq!(at("Linux version unknown", "Linux version ", release), None);
        assert_eq!(uname(b"Linux board 5.15.32-foo #1 SMP aarch64"), kernel("5.15.32-foo"));
        assert_eq!(uname(b"5.15.32-foo"), kernel("5.15.32-foo"));
        assert_eq!(uname(b"Linux 6.16.3"), kernel("6.16.3"));
        assert_eq!(uname(b"Linux 6.17.3-gabc aarch64"), kernel("6.17.3-gabc"));
        assert_eq!(uname(b"6.1.21-v8+. armv7l"), kernel("6.1.21-v8+"));
        assert_eq!(uname(b"5.15 is what I run"), None);
        assert_eq!(uname(b"5.15 mainline"), None);
    }

    #[test]
    fn a_command_line_of_another_program_is_none() {
        let text = b" BOOT_IMAGE=/boot/vmlinuz-6.1.0 root=/dev/sda1 cma=256M";
        assert_eq!(early_command_line(text), command_line(text));
        assert_eq!(early_command_line(b" make -j4 cma=256M"), None);
    }

    #[test]
    fn areas_of_the_device_tree_are_found() {
        let expected = Record::Reserved { area: None, base: 0x7000_0000, bytes: 96 << 20 };
        let text = b" at 0x0000000070000000, size 96 MiB";
        assert_eq!(says::pool(b"Reserved memory: created ", text), Some(expected));
        let text = "OF: reserved mem: 0x70000000..0x75ffffff (98304 KiB) map reusable linux,cma";
        let area = Some(Arc::from("linux,cma"));
        let expected = Record::Reserved { area, base: 0x7000_0000, bytes: 96 << 20 };
        assert_eq!(at(text, "eserved mem", node), Some(expected));
        let text = "OF: reserved mem: 0x70000000..0x75ffffff (98304 KiB) nomap non-reusable vpu";
        let expected =
            Boot::Node { node: "vpu".into(), base: 0x7000_0000, bytes: 96 << 20, reusable: false };
        assert_eq!(at(text, "eserved mem", node), Some(Record::Boot(expected)));
        let text = "OF: reserved mem: node linux,cma compatible matching fail";
        assert_eq!(at(text, "eserved mem", node), None);
    }

    #[test]
    fn a_request_through_debugfs_is_found() {
        let alloc =
            |area: &str, count| Some(Record::DebugfsAlloc { area: Some(Arc::from(area)), count });
        let read = |line| at(line, "echo ", debugfs_alloc);
        assert_eq!(
            read("# echo 77 > /sys/kernel/debug/cma/cma-reserved/alloc "),
            alloc("reserved", 77)
        );
        assert_eq!(read("$ echo 9 | sudo tee /d/cma/linux,cma/alloc"), alloc("linux,cma", 9));
        assert_eq!(read("# echo 77 > /sys/kernel/debug/cma/cma-0/free"), None);
        assert_eq!(read("# echo hello"), None);
    }
}
