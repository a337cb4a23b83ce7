//! What an event says, in every generation of it (`include/trace/events/cma.h`, 4.1 on).

use super::super::super::error::quoted;
use super::super::Page;
use super::super::bytes::{last_word, number};
use super::kinds::Event;

/// The most bytes of the name of an area: `CMA_MAX_NAME` is 64 in every kernel.
const LONGEST_NAME: usize = 256;

/// The most fields after those that are known: what a vendor adds is read past.
const MOST_FIELDS: usize = 16;

/// The fields of an event, as printed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Payload<'a> {
    /// The area.
    pub(super) name: Option<&'a [u8]>,
    /// Pages asked for.
    pub(super) count: Option<u64>,
    /// Free pages (`Sign::StartTotals`).
    pub(super) available: Option<u64>,
    /// Pages of the area (likewise).
    pub(super) total: Option<u64>,
    /// The order asked for.
    pub(super) align: Option<u32>,
    /// The first page; all ones for none, in 32 bits too.
    pub(super) pfn: Option<u64>,
    /// Whether there is a page.
    pub(super) page: Option<Page>,
    /// Its pointer, where it is no hash.
    pub(super) raw_page: Option<u64>,
    /// `errorno=` (`Sign::FinishErrno`).
    pub(super) errno: Option<i32>,
}

/// Why a payload cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    /// It is not all there.
    Cut,
    /// A field is wrong.
    Bad {
        /// The byte of the payload that it begins at.
        at: usize,
        /// What is wrong.
        why: String,
    },
}

/// Reads the payload of an event.
///
/// From the right: the name of an area, on the left, may hold blanks and `=`.
pub(super) fn read<'a>(event: &Event, text: &'a [u8]) -> Result<Payload<'a>, Wrong> {
    let payload = fields(event, text)?;
    if (event.is_whole)(&payload) { Ok(payload) } else { Err(Wrong::Cut) }
}

/// Reads a payload that may not be all there: what is there shows what is missing, or that stays
/// open.
pub(super) fn read_part<'a>(event: &Event, text: &'a [u8]) -> Option<Payload<'a>> {
    let mut payload = fields(event, text).ok()?;
    // A count or pfn that ends the text may be cut within its digits.
    let cut = text.last().is_some_and(u8::is_ascii_hexdigit);
    match payload.count {
        Some(_) if event.ends_a_call && payload.page.is_none() => {
            let failed = match payload.errno {
                Some(errno) => errno != 0,
                None => matches!(payload.pfn, Some(0 | u64::MAX)),
            };
            payload.page = Some(if failed { Page::Null } else { Page::Some });
        }
        // As above, with only the align missing; and what needs no page.
        Some(_) => {}
        None if cut => return None,
        None => {}
    }
    Some(payload)
}

fn fields<'a>(event: &Event, text: &'a [u8]) -> Result<Payload<'a>, Wrong> {
    let mut payload = Payload::default();
    let mut rest = text.trim_ascii_end();
    for _ in 0..MOST_FIELDS {
        let (before, token) = last_token(rest);
        let Some(equals) = token.iter().position(|byte| *byte == b'=') else {
            return Err(Wrong::Cut);
        };
        let (key, value) = (&token[..equals], &token[equals + 1..]);
        payload.set(key, value).map_err(|cut_or_why| match cut_or_why {
            None => Wrong::Cut,
            Some(why) => Wrong::Bad { at: rest.len() - token.len(), why },
        })?;
        if event.first.contains(&key) {
            payload.name = name(before)?;
            return Ok(payload);
        }
        if before.is_empty() {
            break;
        }
        rest = before;
    }
    Err(Wrong::Cut)
}

/// The last word of `text`, with what blanks a NULL is padded with, and the text before it.
fn last_token(text: &[u8]) -> (&[u8], &[u8]) {
    let (before, word) = last_word(text);
    if !word.starts_with(b"(") || !before.ends_with(b"=") {
        return (before, word);
    }
    // `page=          (null)`: %p pads up to 4.x.
    let (outer, word) = last_word(before);
    (outer, &text[before.len() - word.len()..])
}

fn name(before: &[u8]) -> Result<Option<&[u8]>, Wrong> {
    if before.is_empty() {
        return Ok(None);
    }
    let Some(name) = before.strip_prefix(b"name=") else {
        let why = format!("\"name=\" is missing before {}", shown(before));
        return Err(Wrong::Bad { at: 0, why });
    };
    if name.len() > LONGEST_NAME {
        let why = format!("an area's name of {} bytes; the kernel has 64", name.len());
        return Err(Wrong::Bad { at: 0, why });
    }
    let name = name.trim_ascii();
    Ok((!name.is_empty()).then_some(name))
}

impl Payload<'_> {
    /// Takes a field: an error without words is a field that breaks off.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Option<String>> {
        let wrong = |what| {
            let begun = !matches!(value, b"" | b"0x" | b"-") && !value.starts_with(b"(");
            let key = String::from_utf8_lossy(key);
            begun.then(|| format!("{key} {} is not {what}", shown(value)))
        };
        let pages = || number(value).ok_or_else(|| wrong("a number of pages"));
        match key {
            b"count" | b"request_count" => self.count = Some(pages()?),
            b"available_count" => self.available = Some(pages()?),
            b"total_count" => self.total = Some(pages()?),
            b"align" => self.align = Some(number(value).ok_or_else(|| wrong("an order"))?),
            b"pfn" => {
                let pfn = hex(value).ok_or_else(|| wrong("a page's number"))?;
                // All ones of 32 bits are none, as all ones of 64 are.
                self.pfn = Some(if pfn == u64::from(u32::MAX) { u64::MAX } else { pfn });
            }
            b"errorno" => {
                let errno = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.errno = Some(errno.ok_or_else(|| wrong("an errno"))?);
            }
            b"page" => {
                let (page, raw) = page(value).ok_or_else(|| wrong("a pointer"))?;
                (self.page, self.raw_page) = (Some(page), raw);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A pointer, NULL or a hash. The high half of a pointer of 64 bits is not zero, as that of a hash is
/// (`ptr_to_hashval()`, `lib/vsprintf.c`); one of 32 bits may be either.
fn page(value: &[u8]) -> Option<(Page, Option<u64>)> {
    const KERNEL: u64 = 0xffff_0000_0000_0000;
    let value = value.trim_ascii();
    if value.starts_with(b"(") {
        let page = if matches!(value, b"(null)" | b"(nil)") { Page::Null } else { Page::Some };
        return value.ends_with(b")").then_some((page, None));
    }
    let number = hex(value)?;
    let page = if number == 0 { Page::Null } else { Page::Some };
    Some((page, (number >= KERNEL).then_some(number)))
}

/// Hexadecimal, with or without `0x`.
fn hex(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    let digits = (!digits.is_empty()).then_some(digits)?;
    digits.iter().try_fold(0u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        (sum >> 60 == 0).then(|| sum << 4 | u64::from(digit))
    })
}

fn shown(text: &[u8]) -> String {
    let short = text.get(..256).unwrap_or(text);
    quoted(&String::from_utf8_lossy(short))
}
