//! Quoted-printable (RFC 2045), in which mails carry what has a `=` in it.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::{NoExpand, Regex};

use super::super::bytes;

static EQUALS: LazyLock<Regex> = LazyLock::new(|| bytes::pattern("=3D"));

/// The payload, and whether its line goes on in the next one (`=` at its end). One that is not
/// encoded comes back as it is: `name=3Dfoo` is encoded where all fields are.
pub(super) fn decoded(payload: &[u8]) -> (Cow<'_, [u8]>, bool) {
    // Every field has an equals sign, so the first one shows it; nearly always it is another.
    let first = memchr::memchr(b'=', payload).map_or(&[][..], |at| &payload[at..]);
    let encoded = first.starts_with(b"=3D");
    let cut = payload.strip_suffix(b"=");
    let (text, broken) = match cut {
        Some(text) if encoded => (text, true),
        _ => (payload, false),
    };
    if !encoded || has_plain_field(text) {
        return (Cow::Borrowed(payload), false);
    }
    (EQUALS.replace_all(text, NoExpand(b"=")), broken)
}

/// Whether a field is there that is not encoded: then the area is called `3D…`.
fn has_plain_field(text: &[u8]) -> bool {
    [b" count=".as_slice(), b" page=", b" align="].iter().any(|field| {
        memmem::find(text, field).is_some_and(|at| !text[at + field.len()..].starts_with(b"3D"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_encoded_is_decoded() {
        let (text, broken) = decoded(b"name=3Da=3Db pfn=3D0x5 count=3D45=");
        assert_eq!((text.as_ref(), broken), (b"name=a=b pfn=0x5 count=45".as_slice(), true));
        for plain in [b"name=3Dx count=5 align=3".as_slice(), b"name=a count=", b"", b"name=x"] {
            assert!(matches!(decoded(plain), (Cow::Borrowed(text), false) if text == plain));
        }
    }
}
