//! What the kernel's command line asks for.

mod misread;

use std::sync::Arc;

pub use misread::{Misread, Slip};

/// `cma=SIZE[@BASE[-LIMIT]]` (`early_cma()`, `kernel/dma/contiguous.c`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Bytes.
    pub bytes: u64,
    /// First byte.
    pub base: Option<u64>,
    /// The end.
    pub limit: Option<u64>,
}

/// What it says of areas.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Command {
    /// `cma=`: the last one counts.
    pub cma: Option<Size>,
    /// That one is not read as it looks; or there is none, and another word looks like it.
    pub misread: Option<Misread>,
    /// `hugetlb_cma=`, in all; 0 where it is a share of the memory.
    pub hugetlb: Option<u64>,
    /// `crashkernel=SIZE,cma`.
    pub crash: Option<u64>,
    /// `kernelcore=` or `movablecore=`.
    pub movable: bool,
}

impl Command {
    /// Reads a command line.
    pub(crate) fn read(line: &str) -> Self {
        let mut command = Self::default();
        // What is after `--` is for init (`parse_args()`, `kernel/params.c`).
        let mut words = line.split_ascii_whitespace().take_while(|word| *word != "--").peekable();
        while let Some(word) = words.next() {
            let Some((name, value)) = unquoted(word).split_once('=') else { continue };
            let value = unquoted(value);
            match name {
                "cma" => {
                    let Some(size) = size(value) else { continue };
                    command.cma = Some(size);
                    command.misread = Misread::of(value, size.bytes, words.peek().copied());
                }
                "hugetlb_cma" => command.hugetlb = Some(hugetlb(value)),
                "crashkernel" => {
                    let of_cma = value.strip_suffix(",cma").and_then(memparse);
                    command.crash = of_cma.map(|(bytes, _)| bytes).or(command.crash);
                }
                "kernelcore" | "movablecore" => command.movable = true,
                _ if name.eq_ignore_ascii_case("cma") && command.cma.is_none() => {
                    let meant = size(value).map(|size| size.bytes);
                    let word = Arc::from(format!("{name}={value}"));
                    command.misread = meant.map(|_| Misread { word, slip: Slip::Case, meant });
                }
                _ => {}
            }
        }
        command
    }
}

impl Size {
    /// Whether the kernel may print `bytes` of it: in whole MiB, and rounded up to some step before
    /// 6.15.
    pub(super) fn may_print(&self, bytes: u64) -> bool {
        let rounded = (20..30).filter_map(|order| self.bytes.checked_next_multiple_of(1 << order));
        std::iter::once(self.bytes).chain(rounded).any(|asked| asked >> 20 == bytes >> 20)
    }
}

/// The quotes around a parameter or its value are none of it (`next_arg()`, `lib/cmdline.c`).
fn unquoted(word: &str) -> &str {
    word.trim_matches('"')
}

fn size(value: &str) -> Option<Size> {
    let (bytes, rest) = memparse(value)?;
    let place = rest.strip_prefix('@').and_then(memparse);
    let limit = place.and_then(|(_, rest)| rest.strip_prefix('-')).and_then(memparse);
    Some(Size { bytes, base: place.map(|(base, _)| base), limit: limit.map(|(limit, _)| limit) })
}

/// `8G`, or `0:1G,1:2G`.
fn hugetlb(value: &str) -> u64 {
    let each = value.split(',').map(|part| part.rsplit(':').next().unwrap_or_default());
    each.filter_map(|part| memparse(part).filter(|(_, rest)| rest.is_empty()))
        .fold(0, |sum, (bytes, _)| sum.saturating_add(bytes))
}

/// A number with a unit, and what follows it (`memparse()`, `lib/cmdline.c`): 0 where there is no
/// number, nothing where it is larger than 64 bits.
fn memparse(text: &str) -> Option<(u64, &str)> {
    let (radix, digits) = radix(text);
    let (number, rest) = number(digits, radix)?;
    let Some(shift) = rest.chars().next().and_then(shift) else { return Some((number, rest)) };
    let bytes = number.checked_mul(1 << shift)?;
    Some((bytes, &rest[1..]))
}

/// What the digits begin with: `0x` of hexadecimal ones, `0` of octal ones (`simple_strtoull()`).
fn radix(text: &str) -> (u32, &str) {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hex.filter(|hex| hex.starts_with(|digit: char| digit.is_ascii_hexdigit())) {
        Some(hex) => (16, hex),
        None if text.starts_with('0') => (8, text),
        None => (10, text),
    }
}

/// The number that `text` begins with, and what follows it.
fn number(text: &str, radix: u32) -> Option<(u64, &str)> {
    let end = text.find(|digit: char| !digit.is_digit(radix)).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number = if digits.is_empty() { 0 } else { u64::from_str_radix(digits, radix).ok()? };
    Some((number, rest))
}

/// The power of two that a unit is.
fn shift(unit: char) -> Option<u32> {
    let mut units = "KMGTPE".chars().zip((10..).step_by(10));
    units.find(|(known, _)| *known == unit.to_ascii_uppercase()).map(|(_, shift)| shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_line_asks_for() {
        let read =
            Command::read("root=/dev/vda cma=64M cma=0x4000000@1G-2G hugetlb_cma=0:1G,1:2G x");
        let size = Size { bytes: 64 << 20, base: Some(1 << 30), limit: Some(2 << 30) };
        assert_eq!((read.cma, read.hugetlb), (Some(size), Some(3 << 30)));
        let read = Command::read("cma=0 kernelcore=4G hugetlb_cma=10%");
        assert_eq!(read.cma.map(|size| size.bytes), Some(0));
        assert_eq!((read.hugetlb, read.movable), (Some(0), true));
        assert_eq!(Command::read("cmap=1"), Command::default());
        assert_eq!(Command::read("cma=99999999999999999999G"), Command::default());
        assert_eq!(Command::read("quiet -- cma=64M"), Command::default());
    }

    #[test]
    fn a_number_is_read_as_the_kernel_does() {
        let bytes = |value: &str| Command::read(&format!("cma={value}")).cma.unwrap().bytes;
        for (value, read) in [
            ("64MB", 64 << 20),
            ("64MiB", 64 << 20),
            ("64m", 64 << 20),
            ("\"64M\"", 64 << 20),
            ("0x4000000", 64 << 20),
            ("0X40M", 64 << 20),
            ("25%", 25),
            ("1.5G", 1),
            ("064M", 52 << 20),
            ("08M", 0),
            ("0xM", 0),
            ("-64M", 0),
            ("much", 0),
            ("", 0),
            ("1T", 1 << 40),
        ] {
            assert_eq!(bytes(value), read, "{value}");
        }
        assert_eq!(Command::read("\"cma=64M\"").cma.unwrap().bytes, 64 << 20);
    }
}
