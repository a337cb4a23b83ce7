//! The failure line in each of its shapes, and what of it is quoted.

use std::sync::Arc;

use super::cursor::{Cursor, JOIN, Stop, maybe};
use super::message::{Message, Parsed, Tools};
use crate::ingest::log::{Record, Shape};

/// The most sizes that one line names.
const MOST: usize = 64;

/// `alloc failed, …` or `AREA: alloc failed, …` after a function, which decides about the shape
/// before the area does.
pub(crate) fn line(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    let inner = tools.word.starts_with(b"__").then_some(Shape::Inner);
    let frozen = memchr::memmem::find(&tools.word, b"frozen").map(|_| Shape::Frozen);
    let shape = frozen.or(inner);
    if alloc_failed(c)? {
        return failed(c, shape.unwrap_or(Shape::Unnamed), None);
    }
    let from = c.at;
    c.peek()?;
    let name = area(c, from)?;
    tools.spare.clear();
    tools.spare.extend(name.iter().filter(|byte| **byte != JOIN));
    let area = tools.names.get(tools.spare.trim_ascii());
    failed(c, shape.unwrap_or(Shape::Named), Some(&area))
}

/// `alloc failed, req-size: …` without its function.
pub(crate) fn quoted(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"failed")?;
    req_size(c)?;
    failed(c, Shape::Fragment, None)
}

/// `req-size: …` alone; `req size` may be any words, unless the rest of the line follows.
pub(crate) fn size(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let typed = !c.optional(b"-")?;
    c.literal(b"size")?;
    let message = failed(c, Shape::Fragment, None)?;
    let has_ret = |record: &Record| matches!(record, Record::Failed { ret: Some(_), .. });
    let whole =
        matches!(&message.parsed, Parsed::Records(all) if all.len() == 1 && has_ret(&all[0]));
    if typed && !whole { Err(Stop::No) } else { Ok(message) }
}

/// Passes `alloc failed, req-size` where it is there.
fn alloc_failed(c: &mut Cursor<'_>) -> Result<bool, Stop> {
    let start = c.at;
    let read = c.literal(b"allocfailed").and_then(|()| req_size(c));
    if read.is_err() {
        c.at = start;
    }
    maybe(read).map(|found| found.is_some())
}

/// `, req-size`; who types it may write `req size`.
fn req_size(c: &mut Cursor<'_>) -> Result<(), Stop> {
    c.optional(b",")?;
    c.literal(b"req")?;
    if !c.optional(b"-")? {
        c.optional(b"_")?;
    }
    c.literal(b"size")
}

/// The name before `: alloc failed, req-size`, which is passed; `from` is where the function
/// ends.
fn area<'a>(c: &mut Cursor<'a>, from: usize) -> Result<&'a [u8], Stop> {
    // CMA_MAX_NAME is 64 (mm/cma.h).
    const LONGEST: usize = 80;
    let rest = c.rest();
    let near = &rest[..rest.len().min(LONGEST)];
    let mut begun = false;
    for colon in memchr::memchr_iter(b':', near) {
        let mut ahead = Cursor::new(rest, colon + 1, c.last);
        match alloc_failed(&mut ahead) {
            Ok(true) => {
                let name = &rest[..colon];
                let other: [&[u8]; 3] = [b"cma_alloc:", b"available", b"failed"];
                let foreign = other.iter().any(|o| memchr::memmem::find(name, o).is_some());
                if foreign || name.trim_ascii().is_empty() {
                    return Err(Stop::No);
                }
                c.at += ahead.at;
                return Ok(name);
            }
            Err(Stop::More) => begun = true,
            Ok(false) | Err(Stop::No) => {}
        }
    }
    // A line that is no name is not taken as one that goes on.
    let joined = c.from(from).contains(&JOIN);
    let broken = rest.len() < LONGEST && (begun || !joined);
    Err(if broken { c.end() } else { Stop::No })
}

/// Reads `: 456 pages, ret: -12` after `req-size`, as far as it is there.
fn failed(c: &mut Cursor<'_>, shape: Shape, area: Option<&Arc<str>>) -> Result<Message, Stop> {
    if !c.eat(b':')? {
        c.eat(b'=')?;
    }
    let (first, others) = sizes(c)?;
    let (ret, soft) = after_size(c)?;
    let record = |count| Record::Failed { shape, area: area.cloned(), count, ret };
    let records = std::iter::once(first).chain(others).map(record);
    Ok(Message { soft, ..Message::records(records) })
}

/// `456`; by hand also `{256,128}` or `256/128`.
fn sizes(c: &mut Cursor<'_>) -> Result<(u64, Vec<u64>), Stop> {
    let close = match c.peek()? {
        b'{' => Some(b'}'),
        b'[' => Some(b']'),
        b'(' => Some(b')'),
        b'<' => Some(b'>'),
        _ => None,
    };
    c.at += usize::from(close.is_some());
    let first = c.number()?;
    let mut others = Vec::new();
    while let Ok(next) = c.peek() {
        if Some(next) == close {
            c.at += 1;
            break;
        }
        let between = match close {
            Some(_) => matches!(next, b',' | b'/' | b'|' | b'+'),
            None => matches!(next, b'/' | b'|'),
        };
        if !between || others.len() == MOST {
            break;
        }
        let start = c.at;
        c.at += 1;
        let Some(number) = maybe(c.number())? else {
            c.at = start;
            break;
        };
        others.push(number);
    }
    Ok((first, others))
}

/// ` pages, ret: -12`: the number, and whether it may go on past the end of the text.
fn after_size(c: &mut Cursor<'_>) -> Result<(Option<i32>, bool), Stop> {
    if !c.optional(b"pages")? {
        c.optional(b"page")?;
    }
    let end = c.at;
    // At the end of the text, where nothing follows, the peek has no byte: the line is cut there.
    let Some(next) = maybe(c.peek())? else { return Ok((None, false)) };
    c.at += usize::from(matches!(next, b',' | b';'));
    if !c.optional(b"ret")? {
        c.at = end;
        return Ok((None, false));
    }
    maybe(ret(c)).map(|ret| ret.unwrap_or((None, false)))
}

fn ret(c: &mut Cursor<'_>) -> Result<(Option<i32>, bool), Stop> {
    if !c.eat(b':')? {
        c.eat(b'=')?;
    }
    let negative = c.eat(b'-')?;
    for (name, errno) in [(&b"ENOMEM"[..], -12), (b"EBUSY", -16), (b"EINTR", -4), (b"EINVAL", -22)]
    {
        if c.optional(name)? {
            return Ok((Some(errno), false));
        }
    }
    let number = c.number()?;
    // -1 and -2 are no errno of cma_alloc(): a 2 or a 6 may follow on the next line.
    let soft = !c.last && c.rest().is_empty() && (1..=2).contains(&number);
    let several = c.rest().first().is_some_and(|byte| matches!(byte, b'/' | b'|'));
    if several {
        c.at += 1;
        // A second number of the same line: which of them was printed is not known.
        if c.rest().first() == Some(&b'-') {
            c.at += 1;
        }
        let _ = c.number();
        return Ok((None, false));
    }
    let number = i32::try_from(number).ok();
    let ret = number.map(|number| if negative { -number } else { number });
    Ok((ret, soft))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, last: bool) -> Result<Message, Stop> {
        failed(&mut Cursor::new(text.as_bytes(), 0, last), Shape::Named, None)
    }

    fn record(count: u64, ret: Option<i32>) -> Record {
        Record::Failed { shape: Shape::Named, area: None, count, ret }
    }

    #[test]
    fn a_line_that_is_cut_has_a_size_and_no_ret() {
        for text in
            [": 456", ": 456 pages", ": 456 pages,", ": 456 pages, ret:", ": 456 pages, ret: -"]
        {
            assert_eq!(read(text, false), Err(Stop::More), "{text}");
            let cut = read(text, true).expect("a size");
            assert_eq!(cut.parsed, Message::record(record(456, None)).parsed, "{text}");
        }
        assert_eq!(read(": ", true), Err(Stop::No));
    }

    #[test]
    fn sizes_in_braces_are_one_record_each() {
        for text in [
            ": {256,128} pages, ret: -16",
            ": {256, 128} pages, ret: -16",
            ": 256/128 pages, ret: -16",
        ] {
            let expected = vec![record(256, Some(-16)), record(128, Some(-16))];
            assert_eq!(
                read(text, false).expect(text).parsed,
                Message::records(expected).parsed,
                "{text}"
            );
        }
    }

    #[test]
    fn a_ret_that_may_go_on_is_soft() {
        assert!(read(": 1 pages, ret: -1", false).expect("read").soft);
        assert!(!read(": 1 pages, ret: -4", false).expect("read").soft);
        assert!(!read(": 1 pages, ret: -16", false).expect("read").soft);
        assert!(!read(": 1 pages, ret: -1 x", false).expect("read").soft);
    }

    #[test]
    fn numbers_too_large_are_no_panic() {
        let most = read(": 99999999999999999999999 pages, ret: -99999999999", false).expect("read");
        assert_eq!(most.parsed, Message::record(record(u64::MAX, None)).parsed);
    }
}
