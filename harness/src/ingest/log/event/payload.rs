//! What an event says, in every generation of it (`include/trace/events/cma.h`, 4.1 on).

use super::super::super::error::quoted;
use super::super::Page;
use super::digits;
use super::kinds::Event;

/// The most bytes of the name of an area: `CMA_MAX_NAME` is 64 in every kernel.
const LONGEST_NAME: usize = 256;

/// The most fields behind those that are known: what a vendor adds is read past.
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

/// Reads a payload that is known not to be all there: what is missing is told by what is there, or
/// stays open.
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
        // As above, with only the align missing; and what needs no page to be told.
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
        let Some(equals) = memchr::memchr(b'=', token) else { return Err(Wrong::Cut) };
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
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let mut start = text.iter().rposition(blank).map_or(0, |at| at + 1);
    if text[start..].starts_with(b"(") {
        // `page=          (null)`: %p pads up to 4.x.
        let before = text[..start].trim_ascii_end();
        if before.ends_with(b"=") {
            start = before.iter().rposition(blank).map_or(0, |at| at + 1);
        }
    }
    (text[..start].trim_ascii_end(), &text[start..])
}

fn name(before: &[u8]) -> Result<Option<&[u8]>, Wrong> {
    if before.is_empty() {
        return Ok(None);
    }
    let Some(name) = before.strip_prefix(b"name=") else {
        let why = format!("\"name=\" is missing in front of {}", shown(before));
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
        match key {
            b"count" | b"request_count" => self.count = Some(decimal(key, value)?),
            b"available_count" => self.available = Some(decimal(key, value)?),
            b"total_count" => self.total = Some(decimal(key, value)?),
            b"align" => {
                let align = u32::try_from(decimal(key, value)?);
                self.align = Some(align.map_err(|_| Some(no_number(key, value, "an order")))?);
            }
            b"pfn" => self.pfn = Some(pfn(value)?),
            b"errorno" => self.errno = Some(errno(value)?),
            b"page" => {
                let (page, raw) = page(value)?;
                (self.page, self.raw_page) = (Some(page), raw);
            }
            _ => {}
        }
        Ok(())
    }
}

fn decimal(key: &[u8], value: &[u8]) -> Result<u64, Option<String>> {
    if value.is_empty() {
        return Err(None);
    }
    digits(value).ok_or_else(|| Some(no_number(key, value, "a number of pages")))
}

/// Hexadecimal, with or without `0x`; all ones of 32 bits are none, as all ones of 64 are.
fn pfn(value: &[u8]) -> Result<u64, Option<String>> {
    let text = value.strip_prefix(b"0x").unwrap_or(value);
    if text.is_empty() {
        return Err(None);
    }
    let number = hex(text).ok_or_else(|| Some(no_number(b"pfn", value, "a page's number")))?;
    Ok(if number == u64::from(u32::MAX) { u64::MAX } else { number })
}

fn errno(value: &[u8]) -> Result<i32, Option<String>> {
    let (negative, text) = value.strip_prefix(b"-").map_or((false, value), |text| (true, text));
    if text.is_empty() {
        return Err(None);
    }
    let number = digits(text).and_then(|number| i32::try_from(number).ok());
    let number = number.ok_or_else(|| Some(no_number(b"errorno", value, "an errno")))?;
    Ok(if negative { -number } else { number })
}

/// A pointer, NULL or a hash. A pointer of 64 bits is told from a hash by its high half, which is
/// zero in a hash (`ptr_to_hashval()`, `lib/vsprintf.c`); one of 32 bits cannot be told.
fn page(value: &[u8]) -> Result<(Page, Option<u64>), Option<String>> {
    const KERNEL: u64 = 0xffff_0000_0000_0000;
    let value = value.trim_ascii();
    if value.starts_with(b"(") {
        return match value {
            b"(null)" | b"(nil)" => Ok((Page::Null, None)),
            _ if value.ends_with(b")") => Ok((Page::Some, None)),
            _ => Err(None),
        };
    }
    let text = value.strip_prefix(b"0x").unwrap_or(value);
    if text.is_empty() {
        return Err(None);
    }
    let number = hex(text).ok_or_else(|| Some(no_number(b"page", value, "a pointer")))?;
    let raw = (number >= KERNEL).then_some(number);
    Ok((if number == 0 { Page::Null } else { Page::Some }, raw))
}

fn hex(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        (sum >> 60 == 0).then(|| sum << 4 | u64::from(digit))
    })
}

fn no_number(key: &[u8], value: &[u8], what: &str) -> String {
    format!("{} {} is not {what}", String::from_utf8_lossy(key), shown(value))
}

fn shown(text: &[u8]) -> String {
    let short = text.get(..256).unwrap_or(text);
    quoted(&String::from_utf8_lossy(short))
}
