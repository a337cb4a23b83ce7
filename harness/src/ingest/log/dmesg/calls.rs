//! Debug lines and developers' prints of a call, `alloc_contig_range:`, and the rate limit.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::cursor::{Cursor, JOIN, Stop};
use super::message::{Message, Tools};
use crate::ingest::log::{Origin, Page, Record};

/// `cma PTR, name: AREA, count 456, align 8)` after `cma_alloc(`, word for word, so that a line of
/// another is not taken for the rest of this one.
pub(crate) fn start(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    mainline(c, tools).map(Message::record)
}

/// What vendors put there.
pub(crate) fn by_vendor(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    by_hand(c, tools, called)
}

/// `mask 0xf, offset 0, maxno 286720, count 456)` after `cma_alloc(`.
pub(crate) fn masks(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    by_hand(c, tools, |inside, _| masked(inside))
}

/// What vendors put after `cma_release(`.
pub(crate) fn released_by_vendor(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    by_hand(c, tools, |inside, _| given_back(inside))
}

/// The arguments of a call up to `)`, in any order.
fn by_hand(
    c: &mut Cursor<'_>,
    tools: &mut Tools,
    read: fn(&[u8], &mut Tools) -> Option<Record>,
) -> Result<Message, Stop> {
    const LONGEST: usize = 240;
    let vendor = matches!(c.peek()?, b'[' | b'm' | b')');
    let inside = match c.parenthesis(LONGEST) {
        Err(Stop::More) if !vendor && c.rest().contains(&JOIN) => return Err(Stop::No),
        read => read?,
    };
    // A break may be inside a word, or in place of a blank.
    let mut text = std::mem::take(&mut tools.spare);
    text.clear();
    text.extend(inside.iter().filter(|byte| **byte != JOIN));
    let mut record = read(&text, tools);
    if record.is_none() && inside.contains(&JOIN) {
        text.clear();
        text.extend(inside.iter().map(|byte| if *byte == JOIN { b' ' } else { *byte }));
        record = read(&text, tools);
    }
    tools.spare = text;
    record.map(Message::record).ok_or(Stop::No)
}

/// `cma PTR, name: AREA, count 456, align 8)`, as mainline prints it.
fn mainline(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Record, Stop> {
    c.literal(b"cma")?;
    pointer(c)?;
    c.literal(b",")?;
    let mut area = None;
    if c.optional(b"name:")? {
        let name = name_before_count(c)?;
        tools.spare.clear();
        tools.spare.extend(name.iter().filter(|byte| **byte != JOIN));
        area = Some(tools.names.get(tools.spare.trim_ascii()));
    } else {
        c.literal(b"count")?;
    }
    let count = c.number()?;
    c.literal(b",align")?;
    let align = u32::try_from(c.number()?).map_err(|_| Stop::No)?;
    c.literal(b")")?;
    let named = area.is_some() || tools.word.starts_with(b"__cma");
    let (origin, available, total, vendor) = (Origin::Debug, None, None, false);
    Ok(Record::Start { origin, area, count, align, available, total, vendor, named })
}

/// The name before `, count`, which is passed.
fn name_before_count<'a>(c: &mut Cursor<'a>) -> Result<&'a [u8], Stop> {
    const LONGEST: usize = 80;
    let rest = c.rest();
    let mut begun = false;
    for comma in memchr::memchr_iter(b',', &rest[..rest.len().min(LONGEST)]) {
        let mut ahead = Cursor::new(rest, comma, c.last);
        let count = ahead.literal(b",count").and_then(|()| ahead.peek());
        match count {
            Ok(b'0'..=b'9') if follows(&ahead) => {
                c.at += ahead.at;
                return Ok(&rest[..comma]);
            }
            Err(Stop::More) => begun = true,
            Ok(_) | Err(Stop::No) => {}
        }
    }
    let broken = rest.len() < LONGEST && (begun || !rest.contains(&JOIN));
    Err(if broken { c.end() } else { Stop::No })
}

/// Whether an align, as far as the text goes, follows the count at `c`: a name may be `a, count 3`.
fn follows(c: &Cursor<'_>) -> bool {
    let mut ahead = c.clone();
    let align = ahead.number().and_then(|_| ahead.literal(b",align"));
    align != Err(Stop::No) || c.last
}

/// `page PTR, count 4)` after `cma_release(`.
pub(crate) fn released(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"page")?;
    pointer(c)?;
    let mut count = None;
    if c.eat(b',')? {
        c.literal(b"count")?;
        count = Some(c.number()?);
    }
    c.literal(b")")?;
    Ok(Message::record(Record::Release { origin: Origin::Debug, area: None, pfn: None, count }))
}

fn given_back(inside: &[u8]) -> Option<Record> {
    word_at(inside, b"page")?;
    let (origin, pfn, count) = (Origin::Debug, value(inside, b"pfn"), value(inside, b"count"));
    Some(Record::Release { origin, area: None, pfn, count })
}

fn masked(inside: &[u8]) -> Option<Record> {
    let number = |key: &[u8]| value(inside, key);
    let (bits, mask, maxno) = (number(b"count")?, number(b"mask")?, number(b"maxno")?);
    Some(Record::Mask { mask, offset: number(b"offset").unwrap_or(0), maxno, bits })
}

/// `[198][init]:cma(PTR:total 8192) AREA(PTR), count 2, align 1 …`.
fn called(inside: &[u8], tools: &mut Tools) -> Option<Record> {
    let number = |key: &[u8]| value(inside, key);
    let count = number(b"count")?;
    let align = u32::try_from(number(b"align")?).ok()?;
    let total = number(b"total");
    let vendor = total.is_some() || inside.starts_with(b"[");
    let area = if vendor { vendor_area(inside) } else { named_area(inside) };
    let named = word_at(inside, b"name").is_some() || tools.word.starts_with(b"__cma");
    let area = area.map(|name| tools.names.get(name));
    let origin = Origin::Debug;
    Some(Record::Start { origin, area, count, align, available: None, total, vendor, named })
}

/// Where the word `key` ends; a number may follow at once, where a blank was lost.
fn word_at(text: &[u8], key: &[u8]) -> Option<usize> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    memchr::memmem::find_iter(text, key).map(|at| (at, at + key.len())).find_map(|(start, end)| {
        let whole = !start.checked_sub(1).is_some_and(|before| part(text[before]))
            && !text.get(end).is_some_and(|byte| letter(*byte));
        whole.then_some(end)
    })
}

/// The number after the last word `key`: an area may be called `count 4`, and comes first.
fn value(text: &[u8], key: &[u8]) -> Option<u64> {
    let mut at = 0;
    let mut found = None;
    while let Some(end) = word_at(&text[at..], key) {
        at += end;
        let mut c = Cursor::new(text, at, true);
        let _ = c.eat(b'=').ok()? || c.eat(b':').ok()?;
        if let Ok(number) = c.any_number() {
            found = Some(number);
        }
    }
    found
}

/// The name between `name:` and `, count`.
fn named_area(inside: &[u8]) -> Option<&[u8]> {
    let start = word_at(inside, b"name")?;
    let rest = inside[start..].strip_prefix(b":")?;
    let end = memchr::memmem::rfind(rest, b"count")?;
    let name = rest[..end].trim_ascii();
    Some(name.strip_suffix(b",").unwrap_or(name).trim_ascii()).filter(|name| !name.is_empty())
}

/// The name in `…:total 8192) NAME(PTR), count 2`.
fn vendor_area(inside: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::rfind(inside, b"count")?;
    let head = &inside[..end];
    let open = memchr::memrchr(b'(', head)?;
    let start = memchr::memrchr(b')', &head[..open]).map_or(0, |close| close + 1);
    Some(head[start..open].trim_ascii()).filter(|name| !name.is_empty())
}

/// `): returned …` after `cma_alloc(`.
pub(crate) fn returned(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"):returned")?;
    let (page, _) = pointer(c)?;
    let (pfn, alone) = (pfn_after(c), false);
    let (origin, area, count, align, errno) = (Origin::Debug, None, None, None, None);
    let record = Record::Finish { origin, area, page, pfn, count, align, errno, alone };
    Ok(Message::record(record))
}

/// `): memory range at … is busy, retrying` after `cma_alloc(`.
pub(crate) fn busy(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let (origin, area, count, align) = (Origin::Debug, None, None, None);
    c.literal(b"):memoryrangeat")?;
    let pfn = if c.optional(b"pfn")? { Some(c.hex()?) } else { None };
    let page = if c.optional(b"isbusy")? {
        None
    } else {
        let (_, page) = pointer(c)?;
        c.literal(b"isbusy")?;
        page
    };
    c.optional(b",retrying")?;
    Ok(Message::record(Record::Busy { origin, area, pfn, page, count, align }))
}

/// A page as printed, and its number where that is no hash.
fn pointer(c: &mut Cursor<'_>) -> Result<(Page, Option<u64>), Stop> {
    if c.eat(b'(')? {
        let text = c.parenthesis(32)?;
        let null = text.iter().filter(|byte| byte.is_ascii_alphabetic()).eq(b"null");
        return Ok((if null { Page::Null } else { Page::Some }, None));
    }
    if c.optional(b"NULL")? || c.optional(b"null")? {
        return Ok((Page::Null, None));
    }
    let prefixed = c.optional(b"0x")?;
    c.peek()?;
    let start = c.at;
    let number = c.hex()?;
    let digits = c.text(start).iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    // A word of another line may begin with letters that are digits too.
    if c.rest().first().is_some_and(u8::is_ascii_alphanumeric) {
        return Err(Stop::No);
    }
    if digits < 8 && !prefixed {
        return Err(if c.rest().is_empty() { c.end() } else { Stop::No });
    }
    // A pointer has 8 digits or 16.
    let is_cut = (9..16).contains(&digits) && c.rest().is_empty();
    if number == 0 && is_cut {
        return Err(c.end());
    }
    if number == 0 {
        return Ok((Page::Null, None));
    }
    // A hash has 32 bits; on 64 bits a real pointer has its upper ones set. On 32 bits a page lies
    // in the kernel's half, and struct page is a multiple of 4 bytes.
    let real = match digits {
        16 => number >> 48 != 0,
        8 => number >= 0x8000_0000 && number.is_multiple_of(4),
        _ => prefixed && number > u64::from(u32::MAX),
    };
    Ok((Page::Some, real.then_some(number)))
}

/// ` (pfn 0x2f300)` on the same line.
fn pfn_after(c: &mut Cursor<'_>) -> Option<u64> {
    let mut ahead = Cursor::new(c.rest(), 0, true);
    ahead.literal(b"(pfn").ok()?;
    let pfn = ahead.hex().ok()?;
    ahead.literal(b")").ok()?;
    c.at += ahead.at;
    Some(pfn)
}

/// `mask=255, offset=0, bitmap_maxno=286720, bitmap_count=456`.
pub(crate) fn mask(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    let [mask, offset, maxno, bits] =
        c.numbers(b"mask=#,offset=#,bitmap_maxno=#,bitmap_count=#")?;
    Ok(Message::record(Record::Mask { mask, offset, maxno, bits }))
}

static SKIPPING: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b": skipping incompatible area"));

/// `AREA: skipping incompatible area [0x12fe00-0x1300ff]` after `cma_range_alloc:`.
pub(crate) fn skipped(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    // CMA_MAX_NAME is 64 (mm/cma.h).
    const LONGEST: usize = 80;
    let words = SKIPPING.needle();
    let rest = c.rest();
    let found = SKIPPING.find(&rest[..rest.len().min(LONGEST + words.len())]);
    let name = &rest[..found.ok_or(Stop::No)?];
    c.at += name.len() + words.len();
    c.literal(b"[")?;
    let start = c.hex()?;
    c.literal(b"-")?;
    let last = c.hex()?;
    c.literal(b"]")?;
    let area = tools.names.get(name.trim_ascii());
    Ok(Message::record(Record::Skipped { area, start, last }))
}

/// A developer's print of the bit that is claimed: the busy line after it has the pfn.
pub(crate) fn bitmap_no(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.literal(b"bitmap_no")?;
    Ok(Message::records([]))
}

/// `: size=…, start=…, …, end=…` after `bitmap_find_next_zero_area_off`.
pub(crate) fn search(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    const NAMES: [&[u8]; 6] = [b"size", b"nr", b"align_mask", b"align_offset", b"index", b"end"];
    c.literal(b":")?;
    let mut found = [None; NAMES.len()];
    for _ in 0..16 {
        c.ident(&mut tools.spare)?;
        c.literal(b"=")?;
        let number = c.any_number()?;
        let name = NAMES.into_iter().position(|name| name == tools.spare);
        name.into_iter().for_each(|at| found[at] = Some(number));
        if let [.., Some(_)] = found {
            break;
        }
        c.literal(b",")?;
    }
    let [Some(size), Some(nr), Some(mask), offset, Some(index), Some(end)] = found else {
        return Err(Stop::No);
    };
    let offset = offset.unwrap_or(0);
    Ok(Message::record(Record::Search { size, nr, mask, offset, index, end }))
}

/// `: [2ef00, 2f00a) PFNs busy` after `alloc_contig_range`; up to 3.18 the same pages as
/// ` test_pages_isolated(2ef00, 2f00a) failed` (`mm/page_alloc.c`).
pub(crate) fn pfns_busy(c: &mut Cursor<'_>, _: &mut Tools) -> Result<Message, Stop> {
    c.optional(b"()")?;
    if c.optional(b"test_pages_isolated(")? {
        let start = c.hex()?;
        c.literal(b",")?;
        let end = c.hex()?;
        c.literal(b")failed")?;
        return Ok(Message::record(Record::PfnsBusy { start, end }));
    }
    c.optional(b":")?;
    if !c.eat(b'[')? {
        return Err(Stop::No);
    }
    let start = c.hex()?;
    if !c.optional(b",")? {
        c.literal(b"-")?;
    }
    let end = c.hex()?;
    if !c.optional(b")")? {
        c.literal(b"]")?;
    }
    c.literal(b"PFNsbusy")?;
    Ok(Message::record(Record::PfnsBusy { start, end }))
}

/// `: 29 callbacks suppressed` after a function, whose name was read.
pub(crate) fn suppressed(c: &mut Cursor<'_>, tools: &mut Tools) -> Result<Message, Stop> {
    c.optional(b":")?;
    let [lines] = c.numbers(b"#callbackssuppressed")?;
    let function = tools.names.get(&tools.word);
    Ok(Message::record(Record::Suppressed { function, lines }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::grammar::message;
    use super::super::message::Parsed;
    use super::*;

    fn read(text: &str) -> Record {
        let mut c = Cursor::new(text.as_bytes(), 0, false);
        match message(&mut c, &mut Tools::default()) {
            Ok(Message { parsed: Parsed::Records(records), .. }) => records[0].clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn start(area: Option<&str>, count: u64, align: u32, named: bool) -> Record {
        let (origin, area) = (Origin::Debug, area.map(Arc::from));
        let (available, total, vendor) = (None, None, false);
        Record::Start { origin, area, count, align, available, total, vendor, named }
    }

    #[test]
    fn calls_of_every_generation_are_read() {
        for (text, expected) in [
            ("cma: cma_alloc(cma ffff00000a1b2c30, count 77, align 7)", start(None, 77, 7, false)),
            ("cma: cma_alloc(cma (ptrval), count 1, align 0)", start(None, 1, 0, false)),
            ("cma: cma_alloc(cma (____ptrval____), count 1, align 0)", start(None, 1, 0, false)),
            (
                "cma: cma_alloc(cma 00000000d0b1a2c3, name: linux,cma, count 9, align 4)",
                start(Some("linux,cma"), 9, 4, true),
            ),
            (
                "__cma_alloc(cma 00000000d0b1a2c3, name: my count 3, count 9, align 4)",
                start(Some("my count 3"), 9, 4, true),
            ),
            (
                "cma: dma_alloc_from_contiguous(cma c5eb4a80, count 178, align 8)",
                start(None, 178, 8, false),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let vendor = read(
            "cma_alloc([77][init]:cma(ffffffff00b50000:total 4096) linux,cma(ffffffe89d084cf0), \
             count 2, align 1 gfp_mask 0xcc0)",
        );
        let Record::Start { area, count, align, total, vendor, .. } = vendor else {
            panic!("{vendor:?}")
        };
        assert_eq!((area.as_deref(), count, align), (Some("linux,cma"), 2, 1));
        assert_eq!((total, vendor), (Some(4096), true));
    }

    #[test]
    fn busy_lines_keep_what_is_no_hash() {
        for (text, pfn, page) in [
            (
                "cma_alloc(): memory range at ffffea000f0a0000 is busy, retrying",
                None,
                Some(0xffff_ea00_0f0a_0000),
            ),
            ("cma_alloc(): memory range at c07df000 is busy, retrying", None, Some(0xc07d_f000)),
            ("cma_alloc(): memory range at (ptrval) is busy, retrying", None, None),
            ("cma_alloc(): memory range at 000000004f1e9d2c is busy, retrying", None, None),
            (
                "cma_alloc(): memory range at pfn 0x8ad00 000000004f1e9d2c is busy, retrying",
                Some(0x8ad00),
                None,
            ),
            ("cma_alloc(): memory range at pfn 0x2f2a0 is busy, retrying", Some(0x2f2a0), None),
        ] {
            let Record::Busy { pfn: read_pfn, page: read_page, .. } = read(text) else {
                panic!("{text}")
            };
            assert_eq!((read_pfn, read_page), (pfn, page), "{text}");
        }
    }

    #[test]
    fn what_was_returned_is_null_or_not() {
        for (text, page, pfn) in [
            ("cma_alloc(): returned (null)", Page::Null, None),
            ("dma_alloc_from_contiguous(): returned   (null)", Page::Null, None),
            ("cma_alloc(): returned 0000000000000000", Page::Null, None),
            ("cma_alloc(): returned 00000000", Page::Null, None),
            ("cma_alloc(): returned ffff7e0000ba4000", Page::Some, None),
            ("cma_alloc(): returned (ptrval)", Page::Some, None),
            ("cma_alloc(): returned e6e1f000 (pfn 0x2f300)", Page::Some, Some(0x2f300)),
        ] {
            let Record::Finish { page: read_page, pfn: read_pfn, .. } = read(text) else {
                panic!("{text}")
            };
            assert_eq!((read_page, read_pfn), (page, pfn), "{text}");
        }
    }

    #[test]
    fn private_prints_are_read() {
        let search = read(
            "bitmap_find_next_zero_area_off: size=4096, start=3585, nr=300, align_mask=0xff, \
             align_offset=0, sindex=3841, index=4096, end=4396",
        );
        let (size, nr, mask) = (4096, 300, 255);
        let expected = Record::Search { size, nr, mask, offset: 0, index: 4096, end: 4396 };
        assert_eq!(search, expected);
        let mask = Record::Mask { mask: 15, offset: 0, maxno: 4096, bits: 300 };
        assert_eq!(read("cma: cma_alloc(mask 0x0000000f offset 0 maxno 4096 count 300)"), mask);
        assert_eq!(read("cma_alloc: mask=15, offset=0, bitmap_maxno=4096, bitmap_count=300"), mask);
    }

    #[test]
    fn ranges_and_hidden_lines_are_read() {
        let busy = Record::PfnsBusy { start: 0x2ef00, end: 0x2f00a };
        assert_eq!(read("alloc_contig_range: [2ef00, 2f00a) PFNs busy"), busy);
        assert_eq!(read("alloc_contig_range test_pages_isolated(2ef00, 2f00a) failed"), busy);
        assert_eq!(read("alloc_contig_range_noprof: [0x2ef00, 0x2f00a) PFNs busy"), busy);
        let Record::Suppressed { function, lines } = read("__cma_alloc: 29 callbacks suppressed")
        else {
            panic!("suppressed")
        };
        assert_eq!((&*function, lines), ("__cma_alloc", 29));
    }

    #[test]
    fn releases_are_read() {
        let (origin, area, pfn) = (Origin::Debug, None, None);
        let count = Some(4);
        assert_eq!(
            read("cma: cma_release(page 000000004f1e9d2c, count 4)"),
            Record::Release { origin, area: area.clone(), pfn, count }
        );
        assert_eq!(
            read("dma_release_from_contiguous(page c08c63e0)"),
            Record::Release { origin, area, pfn, count: None }
        );
    }
}
