//! Sizes as people write them: a bare number counts a unit that its place states, and one with a
//! unit of its own counts bytes. Whoever asks for pages says how large one is.

use std::fmt;

use crate::page::Page;

/// A size, as far as it is known without the size of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Pages, of whatever size.
    Pages(u64),
    /// Bytes.
    Bytes(u64),
}

/// The units that may follow a number, as the kernel's memparse() has them (lib/cmdline.c), each
/// with the power of two that it is.
const UNITS: [(char, u32); 6] = [('K', 10), ('M', 20), ('G', 30), ('T', 40), ('P', 50), ('E', 60)];

/// What may be written where a size is asked for.
const ALLOWED: &str = "a whole number is allowed, hexadecimal after 0x, or one with a unit: 512K, \
                       640M or 640MiB, 2G";

impl Size {
    /// A size at a place that takes pages: `163840`, `0x28000`, `640M`.
    ///
    /// # Errors
    /// What is no size, or more than 64 bits hold.
    pub fn in_pages(text: &str) -> Result<Self, String> {
        match read(text)? {
            (number, None) => Ok(Self::Pages(number)),
            (number, Some(shift)) => bytes(text, number, shift),
        }
    }

    /// A size at a place that takes MiB: `640`, `640M`, `655360K`.
    ///
    /// # Errors
    /// As [`Size::in_pages`].
    pub fn in_mib(text: &str) -> Result<Self, String> {
        let (number, shift) = read(text)?;
        bytes(text, number, shift.unwrap_or(20))
    }

    /// How many KiB it is, at a place that takes KiB: `16`, `16K`.
    ///
    /// # Errors
    /// As [`Size::in_pages`].
    pub fn in_kib(text: &str) -> Result<u64, String> {
        let (number, shift) = read(text)?;
        number.checked_mul(1 << (shift.unwrap_or(10) - 10)).ok_or_else(|| too_large(text))
    }

    /// How many pages of this size it is.
    ///
    /// # Errors
    /// Bytes that are no whole number of pages.
    pub fn pages(self, page: Page) -> Result<u64, String> {
        match self {
            Self::Pages(pages) => Ok(pages),
            Self::Bytes(bytes) if bytes.is_multiple_of(page.bytes()) => Ok(bytes / page.bytes()),
            Self::Bytes(bytes) => {
                let below = bytes - bytes % page.bytes();
                let above = below.checked_add(page.bytes()).map(Self::Bytes);
                let next = [Some(Self::Bytes(below)).filter(|_| below > 0), above];
                let next: Vec<_> = next.iter().flatten().map(ToString::to_string).collect();
                let next = next.join(" or ");
                Err(format!("{self} is no whole number of pages of {page}; take {next}"))
            }
        }
    }
}

impl Size {
    /// As it can be given again where pages are asked for.
    pub fn as_given(&self) -> String {
        match self {
            Self::Pages(pages) => pages.to_string(),
            Self::Bytes(_) => self.to_string().replace(" bytes", ""),
        }
    }
}

impl fmt::Display for Size {
    /// With the largest unit that needs no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Pages(pages) => f.write_str(&crate::words::pages(pages)),
            Self::Bytes(bytes) => {
                let whole = |(_, shift): &&(char, u32)| bytes.trailing_zeros() >= *shift;
                match UNITS.iter().rev().find(whole).filter(|_| bytes > 0) {
                    Some((unit, shift)) => write!(f, "{}{unit}", bytes >> shift),
                    None => write!(f, "{bytes} bytes"),
                }
            }
        }
    }
}

/// The number of a page: `1228800` or `0x12c000`.
///
/// # Errors
/// What is no whole number.
pub fn pfn(text: &str) -> Result<u64, String> {
    match read(text) {
        Ok((pfn, None)) => Ok(pfn),
        _ => {
            Err("a whole number is allowed, hexadecimal after 0x: the number of a page, which is \
                  its address divided by the size of a page"
                .to_string())
        }
    }
}

/// The number that `text` is, and the power of two that its unit is.
fn read(text: &str) -> Result<(u64, Option<u32>), String> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    // 'E' is a digit of a hexadecimal number, and a unit after a decimal one.
    let end = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
    let (digits, unit) = digits.split_at(end);
    if digits.is_empty() {
        return Err(ALLOWED.to_string());
    }
    let number = u64::from_str_radix(digits, radix).map_err(|_| too_large(text))?;
    if unit.is_empty() {
        return Ok((number, None));
    }
    let (letter, rest) = unit.split_at(unit.chars().next().map_or(0, char::len_utf8));
    let known = UNITS.iter().find(|(own, _)| letter.eq_ignore_ascii_case(&own.to_string()));
    match (known, rest) {
        (Some((_, shift)), "" | "iB") => Ok((number, Some(*shift))),
        (Some((own, _)), "B" | "b") => {
            Err(format!("{own}B may mean powers of ten; {number}{own} is {number} {own}iB"))
        }
        _ => Err(ALLOWED.to_string()),
    }
}

fn bytes(text: &str, number: u64, shift: u32) -> Result<Size, String> {
    number.checked_mul(1 << shift).map(Size::Bytes).ok_or_else(|| too_large(text))
}

fn too_large(text: &str) -> String {
    format!("{text} is more than 64 bits hold")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_counts_what_its_place_takes_and_a_unit_counts_bytes() {
        let pages = |text| Size::in_pages(text).unwrap().pages(Page::Kib4).unwrap();
        let of_mib = |text| Size::in_mib(text).unwrap().pages(Page::Kib4).unwrap();
        for (text, expected) in [
            ("163840", 163_840),
            ("0x28000", 163_840),
            ("0X28000", 163_840),
            ("640M", 163_840),
            ("640m", 163_840),
            ("640MiB", 163_840),
            ("0x280M", 163_840),
            ("655360K", 163_840),
            ("2G", 524_288),
            ("2GiB", 524_288),
            ("0", 0),
            ("0xE", 14),
            ("1E", 1 << 48),
        ] {
            assert_eq!(pages(text), expected, "{text}");
        }
        for (text, mib) in [("640", 640), ("640M", 640), ("0x280", 640), ("2G", 2048)] {
            assert_eq!(of_mib(text), mib * 256, "{text}");
        }
        assert_eq!(of_mib("512K"), 128);
        let sizes = Page::ALL.map(|page| Size::in_pages("640M").unwrap().pages(page));
        assert_eq!(sizes, [Ok(163_840), Ok(40_960), Ok(10_240)]);
        assert_eq!(Size::in_pages("7").unwrap().pages(Page::Kib64), Ok(7));
    }

    #[test]
    fn what_is_no_size_is_refused_with_what_is() {
        for text in ["", "M", "0x", "0xg", "-1", "+1", "1.5G", "64 M", "64Mi", "64MIB", "64Q", "µ"]
        {
            let why = Size::in_pages(text).unwrap_err();
            assert!(why.contains("hexadecimal after 0x, or one with a unit"), "{text}: {why}");
        }
        let why = Size::in_mib("640MB").unwrap_err();
        assert_eq!(why, "MB may mean powers of ten; 640M is 640 MiB");
        for text in ["18446744073709551616", "16E", "0x10000000000000000"] {
            assert!(Size::in_pages(text).unwrap_err().ends_with("64 bits hold"), "{text}");
        }
        assert!(Size::in_mib("17592186044416").is_err());
        let uneven = |text: &str| Size::in_pages(text).unwrap().pages(Page::Kib64).unwrap_err();
        assert_eq!(uneven("100K"), "100K is no whole number of pages of 64 KiB; take 64K or 128K");
        assert_eq!(uneven("4K"), "4K is no whole number of pages of 64 KiB; take 64K");
    }

    #[test]
    fn a_page_has_a_number_without_a_unit() {
        assert_eq!((pfn("0x12fe00"), pfn("7")), (Ok(0x12_fe00), Ok(7)));
        for text in ["1G", "", "0x", "-1"] {
            assert!(pfn(text).unwrap_err().contains("hexadecimal after 0x"), "{text}");
        }
    }

    #[test]
    fn a_size_is_said_as_it_may_be_written() {
        for bytes in [1 << 10, 640 << 20, 3 << 30, (1 << 20) + 4096] {
            let size = Size::Bytes(bytes);
            assert_eq!(Size::in_pages(&size.to_string()), Ok(size));
        }
        assert_eq!(Size::Bytes(0).to_string(), "0 bytes");
        assert_eq!(Size::Pages(1).to_string(), "1 page");
    }
}
