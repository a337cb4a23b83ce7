//! A `cma=` that the kernel does not read as it looks.

use std::sync::Arc;

use super::{number, radix, shift};

/// So few bytes are no size that anybody means.
const LEAST: u64 = 1 << 20;

/// The longest word that is kept.
const LONGEST: usize = 64;

/// A parameter that is not read as it looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misread {
    /// As it is on the command line.
    pub word: Arc<str>,
    /// What is odd in it.
    pub slip: Slip,
    /// The bytes that were probably meant.
    pub meant: Option<u64>,
}

/// What is odd in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slip {
    /// A share of the memory in percent.
    Share(u64),
    /// No unit, so that these are bytes.
    Unit,
    /// A blank before the unit.
    Blank,
    /// A point, at which the number ends.
    Point,
    /// It begins with no digit: that is 0.
    NoNumber,
    /// It begins with 0, so that it is octal.
    Octal,
    /// The kernel's parameter has small letters.
    Case,
}

impl Misread {
    /// What is odd in a `value` that is read as `bytes` and comes before the word `next`.
    pub(super) fn of(value: &str, bytes: u64, next: Option<&str>) -> Option<Self> {
        let (slip, meant) = slip(value, bytes, next)?;
        let blank = next.filter(|_| slip == Slip::Blank).map(|unit| format!(" {unit}"));
        let word = format!("cma={value}{}", blank.unwrap_or_default());
        let word: String = word.chars().take(LONGEST).collect();
        Some(Self { word: word.into(), slip, meant })
    }

    /// The bytes that were probably meant, on a board with so much memory.
    pub fn meant(&self, memory: Option<u64>) -> Option<u64> {
        let share = |percent: u64| Some(memory?.checked_mul(percent)? / 100);
        let meant = match self.slip {
            Slip::Share(percent) => share(percent),
            _ => self.meant,
        };
        meant.map(|bytes| bytes >> 20 << 20).filter(|bytes| *bytes > 0)
    }
}

fn slip(value: &str, bytes: u64, next: Option<&str>) -> Option<(Slip, Option<u64>)> {
    if !value.starts_with(|digit: char| digit.is_ascii_digit()) {
        return Some((Slip::NoNumber, None));
    }
    let (radix, digits) = radix(value);
    let (count, rest) = number(digits, radix)?;
    if rest.starts_with('%') {
        return Some((Slip::Share(count), None));
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']).filter(|_| radix == 10) {
        return Some((Slip::Point, with_fraction(count, fraction)));
    }
    let decimal = number(value, 10).filter(|_| radix == 8);
    if let Some((decimal, rest)) = decimal.filter(|(decimal, _)| *decimal != count) {
        let unit = rest.chars().next().and_then(shift).unwrap_or(0);
        return Some((Slip::Octal, decimal.checked_mul(1 << unit)));
    }
    let no_unit = rest.chars().next().and_then(shift).is_none();
    if !no_unit || !(1..LEAST).contains(&bytes) {
        return None;
    }
    let unit = next.and_then(|next| {
        let unit = next.chars().next()?;
        ["", "B", "b", "iB"].contains(&&next[unit.len_utf8()..]).then(|| shift(unit))?
    });
    match unit {
        Some(unit) => Some((Slip::Blank, count.checked_mul(1 << unit))),
        // MiB are meant mostly; so many of them are no board's.
        None => Some((Slip::Unit, Some(count << if count <= 8192 { 20 } else { 10 }))),
    }
}

/// `1` and `5G`, which follows a point.
fn with_fraction(whole: u64, fraction: &str) -> Option<u64> {
    const MOST: usize = 6;
    let end = fraction.find(|digit: char| !digit.is_ascii_digit())?;
    let (digits, rest) = fraction.split_at(end);
    let unit = rest.chars().next().and_then(shift)?;
    let part: u64 = digits.parse().ok().filter(|_| digits.len() <= MOST)?;
    let scale = 10u64.pow(digits.len() as u32);
    let all = u128::from(whole) * u128::from(scale) + u128::from(part);
    u64::try_from((all << unit) / u128::from(scale)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::*;

    #[test]
    fn what_is_not_read_as_it_looks() {
        const MIB: u64 = 1 << 20;
        let read = |line: &str| {
            Command::read(line).misread.map(|misread| {
                let meant = misread.meant(Some(1024 * MIB)).map(|bytes| bytes / MIB);
                (misread.word.to_string(), misread.slip, meant)
            })
        };
        let is = |word: &str, slip, meant| Some((word.to_string(), slip, meant));
        for (line, misread) in [
            ("cma=25%", is("cma=25%", Slip::Share(25), Some(256))),
            ("cma=256", is("cma=256", Slip::Unit, Some(256))),
            ("cma=65536 quiet", is("cma=65536", Slip::Unit, Some(64))),
            ("cma=0x100", is("cma=0x100", Slip::Unit, Some(256))),
            ("cma=64 M", is("cma=64 M", Slip::Blank, Some(64))),
            ("cma=64 MB", is("cma=64 MB", Slip::Blank, Some(64))),
            ("cma=64 ro", is("cma=64", Slip::Unit, Some(64))),
            ("cma=1.5G", is("cma=1.5G", Slip::Point, Some(1536))),
            ("cma=lots", is("cma=lots", Slip::NoNumber, None)),
            ("cma=-1", is("cma=-1", Slip::NoNumber, None)),
            ("cma=064M", is("cma=064M", Slip::Octal, Some(64))),
            ("cma=08M", is("cma=08M", Slip::Octal, Some(8))),
            ("CMA=64M", is("CMA=64M", Slip::Case, Some(64))),
            ("CMA=64M cma=32M", None),
            ("cma=25% cma=32M", None),
            ("cma=64MB", None),
            ("cma=64K", None),
            ("cma=0", None),
            ("cma=00", None),
            ("cma=268435456", None),
            ("cma=64M@1G-2G", None),
        ] {
            assert_eq!(read(line), misread, "{line}");
        }
        assert_eq!(Command::read("cma=25%").misread.unwrap().meant(None), None);
    }
}
