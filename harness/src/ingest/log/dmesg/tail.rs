//! What follows the runs of a list: `=> 357 free of 2048 total pages`.

/// The most bytes of a tail without its blanks.
pub(super) const LONGEST: usize = 96;

/// A tail, as far as it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tail {
    /// The free pages.
    pub(super) free: Option<u64>,
    /// All pages of the area.
    pub(super) total: Option<u64>,
    /// The bytes of it.
    pub(super) used: usize,
    /// Nothing of it is missing.
    pub(super) whole: bool,
    /// It is whole unless the text goes on.
    pub(super) soft: bool,
}

/// Reads a tail without blanks: `=>357freeof2048totalpages`, `=>357pages,total:2048pages`,
/// `=>357free`. `None` where it is none.
pub(super) fn read(text: &[u8]) -> Option<Tail> {
    let mut at = text.iter().take(8).take_while(|byte| b"=>-".contains(byte)).count();
    let part = |free, used| Tail { free, total: None, used, whole: false, soft: false };
    let Some((free, next)) = number(text, at) else {
        return (at == text.len()).then(|| part(None, at));
    };
    at = next;
    let free_known = Some(free);
    let (word, before_total, after_total) = match text.get(at) {
        None => return Some(part(None, at)),
        Some(b'f') => (&b"free"[..], &b"of"[..], &b"total"[..]),
        Some(b'p') => (&b"pages"[..], &b",total:"[..], &b"pages"[..]),
        _ => return None,
    };
    let rest = &text[at..];
    if !rest.starts_with(word) {
        return word.starts_with(rest).then(|| part(None, text.len()));
    }
    at += word.len();
    let short = Tail { free: free_known, total: None, used: at, whole: true, soft: false };
    let rest = &text[at..];
    if !rest.starts_with(before_total) {
        // It is whole; at the end of the text more may follow.
        let open = before_total.starts_with(rest);
        let free = Tail { soft: rest.is_empty(), whole: !open, ..short };
        return Some(if open { Tail { used: text.len(), ..free } } else { free });
    }
    let Some((total, next)) = number(text, at + before_total.len()) else {
        let open = text.len() == at + before_total.len();
        return Some(if open { Tail { whole: false, ..short } } else { short });
    };
    at = next;
    let rest = &text[at..];
    if !rest.starts_with(after_total) {
        // The number may be broken at the end of the line.
        let open = after_total.starts_with(rest);
        let all = Tail { total: Some(total), used: at, ..short };
        return Some(if open { Tail { whole: false, ..all } } else { all });
    }
    at += after_total.len();
    if text[at..].starts_with(b"pages") {
        at += 5;
    }
    Some(Tail { total: Some(total), used: at, ..short })
}

/// The number at `at`, at most `u64::MAX`, and where it ends.
fn number(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let digits = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = text[at..at + digits].iter().fold(0u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    (digits > 0).then_some((number, at + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tail_is_read() {
        for (text, free, total, whole) in [
            ("=>357freeof2048totalpages", Some(357), Some(2048), true),
            ("=>357pages,total:2048pages", Some(357), Some(2048), true),
            ("=>357freeof2048total", Some(357), Some(2048), true),
            (">357freeof2048totalpagesxyz", Some(357), Some(2048), true),
            ("=>357free|", Some(357), None, true),
            ("=>357free", Some(357), None, false),
            ("=>357freeof20", Some(357), Some(20), false),
            ("=>35", None, None, false),
            ("=>", None, None, false),
        ] {
            let tail = read(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((tail.free, tail.total, tail.whole), (free, total, whole), "{text}");
        }
        assert_eq!(read(b"=>x"), None);
        assert_eq!(read(b"=>5x"), None);
    }

    #[test]
    fn every_front_of_a_tail_may_go_on() {
        for text in ["=>357freeof2048totalpages", "=>357pages,total:2048pages"] {
            for end in 0..text.len() - 5 {
                let tail = read(&text.as_bytes()[..end]).unwrap_or_else(|| panic!("{end}"));
                assert!(!tail.whole, "{}", &text[..end]);
            }
        }
    }
}
