//! What the kernel's command line asks for.

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
    /// `hugetlb_cma=`, in all; 0 where it is a share of the memory.
    pub hugetlb: Option<u64>,
    /// `kernelcore=` or `movablecore=`.
    pub movable: bool,
}

impl Command {
    /// Reads a command line.
    pub(crate) fn read(line: &str) -> Self {
        let mut command = Self::default();
        for (name, value) in line.split_ascii_whitespace().filter_map(|word| word.split_once('=')) {
            match name {
                "cma" => command.cma = size(value).or(command.cma),
                "hugetlb_cma" => command.hugetlb = Some(hugetlb(value)),
                "kernelcore" | "movablecore" => command.movable = true,
                _ => {}
            }
        }
        command
    }
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

/// A number with K, M, G or T, and what follows it (`memparse()`, `lib/cmdline.c`).
fn memparse(text: &str) -> Option<(u64, &str)> {
    let (radix, digits) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (16, hex),
        None => (10, text),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let number = u64::from_str_radix(&digits[..end], radix).ok()?;
    let rest = &digits[end..];
    let shift = match rest.bytes().next() {
        Some(b'K' | b'k') => 10,
        Some(b'M' | b'm') => 20,
        Some(b'G' | b'g') => 30,
        Some(b'T' | b't') => 40,
        _ => return Some((number, rest)),
    };
    Some((number.checked_mul(1 << shift)?, &rest[1..]))
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
        assert_eq!(Command::read("cma=much cmap=1"), Command::default());
        assert_eq!(Command::read("cma=99999999999999999999G"), Command::default());
    }
}
