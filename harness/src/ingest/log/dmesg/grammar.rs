//! Which message of the kernel log a text is, from its first word on.

use std::sync::LazyLock;

use super::cursor::{Cursor, Stop, maybe};
use super::message::{Function, Message, Tools};
use crate::ingest::log::messages::{self, First, Read};

type Row = (First, Read);

/// What messages begin with, and their readers, in the order of the rows.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(messages::lines);

/// Functions of the allocator by their names, which no other message begins with: at once, and for a
/// name that is broken.
const FUNCTIONS: [(&[u8], Function); 6] = [
    (b"cma_alloc", Function::Alloc),
    (b"__cma_alloc", Function::Alloc),
    (b"__cma_alloc_frozen", Function::Alloc),
    (b"cma_release", Function::Release),
    (b"dma_alloc_from_contiguous", Function::Alloc),
    (b"dma_release_from_contiguous", Function::Release),
];

/// The kind of the function called `word`, where it is one of CMA.
fn function(word: &[u8]) -> Option<Function> {
    let has = |part: &[u8]| memchr::memmem::find(word, part).is_some();
    // Trace events are read elsewhere.
    let events: [&[u8]; 4] = [b"_start", b"_finish", b"_retry", b"_info"];
    if events.iter().any(|event| word.ends_with(event)) || has(b"alloc_pages") {
        return None;
    }
    if has(b"cma") && has(b"alloc") || has(b"alloc_from_contig") {
        return Some(Function::Alloc);
    }
    (has(b"cma") && has(b"release") || has(b"release_from_contig")).then_some(Function::Release)
}

/// Reads the message at `c`.
pub(super) fn message(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    one_of(&ROWS, c, tools)
}

/// The same, by these rows.
pub(crate) fn one_of(rows: &[Row], c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    word(c, tools)?;
    if tools.word != b"cma" {
        return named(rows, c, tools);
    }
    if !c.eat(b':')? {
        return Err(Stop::No);
    }
    c.peek()?;
    if let Some(piece) = maybe(read(rows, c, tools, |first, _| first == First::Piece))? {
        return Ok(piece);
    }
    word(c, tools)?;
    named(rows, c, tools)
}

fn word(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<(), Stop> {
    c.ident(&mut tools.word)?;
    tools.word.make_ascii_lowercase();
    Ok(())
}

/// The first row that reads it, of those whose beginning `is` the one that is there.
fn read(
    rows: &[Row],
    c: &mut Cursor<'_>,
    tools: &mut Tools,
    is: impl Fn(First, &[u8]) -> bool,
) -> Result<Message, Stop> {
    let start = c.at;
    for (first, read) in rows {
        if !is(*first, &tools.word) {
            continue;
        }
        match read(c, tools) {
            Err(Stop::No) => c.at = start,
            read => return read,
        }
    }
    Err(Stop::No)
}

/// The message whose first word was read.
fn named(rows: &[Row], c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    let known = FUNCTIONS.iter().find(|(name, _)| *name == tools.word);
    let known = known.map(|(_, function)| *function);
    if known.is_none() {
        let mut words = rows.iter().filter_map(|(first, _)| first.word());
        if !words.clone().any(|word| word == tools.word) {
            let _ = words.any(|word| c.back_to(word, &mut tools.word));
        }
        if let Some(named) = maybe(read(rows, c, tools, First::is_named))? {
            return Ok(named);
        }
    }
    if let Some(function) = known.or_else(|| function(&tools.word)) {
        let first = match c.peek()? {
            b':' => First::Says,
            b'(' => First::Calls(function),
            _ => return Err(Stop::No),
        };
        c.at += 1;
        let start = c.at;
        c.peek()?;
        c.at = start;
        return read(rows, c, tools, |row, _| row == first);
    }
    let names = rows.iter().filter_map(|(first, _)| first.name());
    let mut names = names.chain(FUNCTIONS.map(|(name, _)| name));
    let broken = c.rest().is_empty() && names.any(|name| name.starts_with(&tools.word));
    Err(if broken { c.end() } else { Stop::No })
}

#[cfg(test)]
mod tests {
    use super::super::message::Parsed;
    use super::*;
    use crate::ingest::log::boot::Boot;
    use crate::ingest::log::{Record, Shape};
    use std::sync::Arc;

    pub(super) fn read(text: &str) -> Result<Message, Stop> {
        message(&mut Cursor::new(text.as_bytes(), 0, false), &mut Tools::default())
    }

    fn failure(shape: Shape, area: Option<&str>, count: u64, ret: Option<i32>) -> Record {
        Record::Failed { shape, area: area.map(Arc::from), count, ret }
    }

    #[test]
    fn every_shape_of_a_failure_line_is_read() {
        for (text, expected) in [
            (
                "cma: cma_alloc: alloc failed, req-size: 77 pages, ret: -12",
                failure(Shape::Unnamed, None, 77, Some(-12)),
            ),
            (
                "cma_alloc: linux,cma: alloc failed, req-size: 77 pages, ret: -16",
                failure(Shape::Named, Some("linux,cma"), 77, Some(-16)),
            ),
            (
                "cma : __cma_alloc: vpu@7c000000, pool: alloc failed, req-size: 1 pages, ret: -4",
                failure(Shape::Inner, Some("vpu@7c000000, pool"), 1, Some(-4)),
            ),
            (
                "cma: __cma_alloc_frozen: cma: alloc failed, req-size: 5 pages, ret: -16",
                failure(Shape::Frozen, Some("cma"), 5, Some(-16)),
            ),
            ("req-size: 49152 pages` (192 MiB)", failure(Shape::Fragment, None, 49152, None)),
            (
                "cma_alloc: alloc failed, req-size: 19 pages, ret: -12/-16",
                failure(Shape::Unnamed, None, 19, None),
            ),
        ] {
            let message = read(text).unwrap_or_else(|stop| panic!("{text}: {stop:?}"));
            assert_eq!(message.parsed, Message::record(expected).parsed, "{text}");
        }
    }

    #[test]
    fn a_message_broken_anywhere_asks_for_more_and_is_then_the_same() {
        let text = "cma: __cma_alloc: linux,cma: alloc failed, req-size: 4537 pages, ret: -16";
        let whole = read(text).expect("whole");
        for at in 4..text.len() {
            let (front, back) = text.split_at(at);
            match read(front) {
                Err(Stop::More) => {}
                Ok(message) if message.soft => {}
                other => panic!("{front}: {other:?}"),
            }
            let joined = read(&format!("{}\n{}", front.trim_end(), back.trim_start()));
            assert_eq!(joined.as_ref(), Ok(&whole), "{front}|{back}");
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [
            "cma: 31 pages are still in use!",
            "cma: Failed to reserve 512 MiB",
            "cma_alloc+0x270/0x868",
            "cma_debug: x",
            "cma: %s: alloc failed, req-size: %lu pages, ret: %d",
            "cma_alloc: one: two: three four five six seven eight nine ten eleven twelve thirteen and more!",
            "req-size: %zu pages",
            "number of pages: 5",
            "alloc_contig_range test_pages_isolated failed",
        ] {
            let read = read(text);
            let other = matches!(&read, Ok(message) if matches!(message.parsed, Parsed::List { head: false }));
            assert!(read == Err(Stop::No) || other, "{text}: {read:?}");
        }
    }

    #[test]
    fn a_reserved_area_is_read() {
        let reserved = Record::Reserved { area: None, base: 0x2b00_0000, bytes: 48 << 20 };
        let expected = |node| [reserved.clone(), Record::Boot(Boot::Declared { node })];
        for (text, node) in [
            ("cma: Reserved 48 MiB at 0x2b000000", None),
            ("cma: Reserved 48 MiB at 0x000000002b000000 on node -1", Some(-1)),
        ] {
            assert_eq!(read(text), Ok(Message::records(expected(node))), "{text}");
        }
    }
}
