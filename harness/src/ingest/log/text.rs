//! What mail, web pages and terminals did to a line, undone.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The line as the kernel printed it, as far as that is known: without colour escapes and NUL,
/// with quoted-printable, HTML entities and typographic signs in ASCII. `buffer` is room for it.
pub(super) fn plain<'a>(line: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    if !has_odd(line) && !has_code(line) && AT.find(line).is_none() {
        return line;
    }
    buffer.clear();
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let plain = rest.iter().position(|byte| is_odd(*byte) || *byte == b' ');
        let plain = plain.unwrap_or(rest.len());
        buffer.extend_from_slice(&rest[..plain]);
        if plain == rest.len() {
            return buffer;
        }
        let (used, text) = replaced(&rest[plain..], buffer.last().copied());
        buffer.extend_from_slice(text);
        at += plain + used.max(1);
    }
}

/// What an archive puts in place of `@`.
static AT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" at "));

/// Whether some byte of `line` is odd: as many bytes are looked at together as there is room for.
fn has_odd(line: &[u8]) -> bool {
    let any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | is_strange(*byte));
    line.chunks(64).any(any)
}

/// Whether quoted-printable has a byte in hexadecimal digits: every list of free runs has a `=`.
fn has_code(line: &[u8]) -> bool {
    let mut equals = memchr::memchr_iter(b'=', line);
    equals.any(|at| line.get(at + 1).is_some_and(u8::is_ascii_hexdigit))
}

/// Whether something may have to be replaced at `byte`.
const fn is_odd(byte: u8) -> bool {
    is_strange(byte) || byte == b'='
}

/// The same, of a byte that few lines have.
const fn is_strange(byte: u8) -> bool {
    // Without a branch between them, so that many bytes are compared at once.
    (byte == 0)
        | (byte == 0x08)
        | (byte == 0x1b)
        | (byte == b'&')
        | (byte == b'\\')
        | (byte == b'\r')
        | (byte >= 0x80)
}

/// Texts and what they are in place of.
const REPLACED: &[(&[u8], &[u8])] = &[
    (b"=3D", b"="),
    (b"=C2=A0", b" "),
    (b"=E2=80=A6", b"..."),
    (b"=E2=88=92", b"-"),
    (b"\xc2\xa0", b" "),
    (b"\xe2\x80\xa6", b"..."),
    (b"\xe2\x80\x8b", b""),
    (b"\xe2\x80\xaf", b" "),
    (b"\xe2\x88\x92", b"-"),
    (b"\xe2\x80\x90", b"-"),
    (b"\xe2\x80\x91", b"-"),
    (b"\xe2\x80\x93", b"-"),
    (b"\xe2\x87\x92", b"=>"),
    (b"\xe2\x86\x92", b"=>"),
    (b"\xef\xbc\x9a", b":"),
    (b"\xef\xbc\x8c", b","),
    (b"\\u003e", b">"),
    (b"\\u003c", b"<"),
    (b"\\u0026", b"&"),
    (b"\\u003d", b"="),
    (b"\\u002b", b"+"),
    (b"\\t", b" "),
    // Markdown.
    (b"\\_", b"_"),
    (b"\\*", b"*"),
    (b"\\[", b"["),
    (b"\\]", b"]"),
    (b"\\>", b">"),
    (b"\\#", b"#"),
    (b"\\@", b"@"),
    (b"\\+", b"+"),
    (b"\\-", b"-"),
    (b"\\=", b"="),
    (b"\\<", b"<"),
    (b"\\(", b"("),
    (b"\\)", b")"),
    (b"\\$", b"$"),
    (b"\\|", b"|"),
    (b"&num;", b"#"),
    (b"&lowbar;", b"_"),
    (b"&#95;", b"_"),
    (b"&#x5F;", b"_"),
    (b"&lbrack;", b"["),
    (b"&rbrack;", b"]"),
    (b"&colon;", b":"),
    (b"&comma;", b","),
    (b"&plus;", b"+"),
    (b"&#x27;", b"'"),
    (b"&#34;", b"\""),
    (b"&#60;", b"<"),
    (b"&#38;", b"&"),
    (b"&gt;", b">"),
    (b"&lt;", b"<"),
    (b"&amp;", b"&"),
    (b"&nbsp;", b" "),
    (b"&hellip;", b"..."),
    (b"&quot;", b"\""),
    (b"&#39;", b"'"),
    (b"&#64;", b"@"),
    (b"&commat;", b"@"),
    (b"&#43;", b"+"),
    (b"&#61;", b"="),
    (b"&equals;", b"="),
    (b"&#62;", b">"),
    (b"&#x3D;", b"="),
    (b"&#x40;", b"@"),
];

/// How many bytes at the start of `rest` are in place of something else, and of what.
fn replaced(rest: &[u8], before: Option<u8>) -> (usize, &[u8]) {
    let digits = |at: usize| {
        before.is_some_and(|byte| byte.is_ascii_digit())
            && rest.get(at).is_some_and(u8::is_ascii_digit)
    };
    match rest[0] {
        0 | 0x08 => return (1, b""),
        b'\r' => return (1, b" "),
        0x1b => return (escape(rest), b""),
        // An archive that hides addresses: 4 at 572.
        b' ' if rest.starts_with(b" at ") && digits(4) => return (4, b"@"),
        b' ' => return (1, b" "),
        // Quoted-printable encodes a blank at the end of a line.
        b'=' if rest == b"=20" || rest == b"=09" => return (3, b" "),
        _ => {}
    }
    for (text, plain) in REPLACED {
        if rest.starts_with(text) {
            return (text.len(), plain);
        }
    }
    (1, &rest[..1])
}

/// The bytes of a terminal's escape sequence at the start of `rest`.
fn escape(rest: &[u8]) -> usize {
    if rest.get(1) != Some(&b'[') {
        return 2.min(rest.len());
    }
    let end = rest.iter().skip(2).take(32).position(|byte| (0x40..0x7f).contains(byte));
    end.map_or(2, |end| end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[u8]) -> String {
        String::from_utf8_lossy(plain(line, &mut Vec::new())).into_owned()
    }

    #[test]
    fn encodings_are_undone() {
        assert_eq!(read(b"30=3D> 357"), "30=> 357");
        assert_eq!(read(b"30=&gt; 357 &amp; more"), "30=> 357 & more");
        assert_eq!(read("2119+…".as_bytes()), "2119+...");
        assert_eq!(read(b"a=C2=A0b=E2=80=A6"), "a b...");
        assert_eq!(read("a\u{a0}b ret: \u{2212}12".as_bytes()), "a b ret: -12");
        assert_eq!(read(b"\x1b[31mcma\x1b[0m: \0x\x1b"), "cma: x");
        assert_eq!(read(b"4 at 572+7 at 585"), "4@572+7@585");
    }

    #[test]
    fn what_only_looks_like_it_is_left() {
        assert_eq!(read(b"count=456 align=8"), "count=456 align=8");
        assert_eq!(read(b"count=204"), "count=204");
        assert_eq!(read(b"memory range at 30"), "memory range at 30");
        assert_eq!(read(b"& co = &"), "& co = &");
        assert_eq!(read(b"\xff\xfe"), String::from_utf8_lossy(b"\xff\xfe"));
    }
}
