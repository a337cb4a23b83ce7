//! What is no text: files of tools and devices that people attach, each by its first bytes, with
//! the command that makes text of it.

/// The bytes at the start that are looked at: the mark of a tar archive ends at byte 262.
pub(super) const HEAD: usize = 262;

/// Bytes at a place, what the file is, and how it becomes text.
type Mark = (usize, &'static [u8], &'static str, &'static str);

const PCAP: (&str, &str) =
    ("a capture of a network", "`tcpdump -A -r FILE` shows what netconsole sent");
const IMAGE: (&str, &str) =
    ("an image", "copy the text itself, or read it with `tesseract FILE -`");
const CRASH: (&str, &str) =
    ("a dump of memory", "`makedumpfile --dump-dmesg FILE OUT` takes the kernel's log out of it");

const MARKS: &[Mark] = &[
    (0, b"PERFILE2", "what `perf record` writes", "make text of it with `perf script -i FILE`"),
    (0, b"2ELIFREP", "what `perf record` writes", "make text of it with `perf script -i FILE`"),
    (
        0,
        b"\x17\x08\x44tracing",
        "what `trace-cmd record` writes",
        "make text of it with `trace-cmd report FILE`",
    ),
    (
        0,
        b"LPKSHHRH",
        "a file of the journal",
        "make text of it with `journalctl --file FILE -k -o short-monotonic`",
    ),
    (0, b"\xd4\xc3\xb2\xa1", PCAP.0, PCAP.1),
    (0, b"\xa1\xb2\xc3\xd4", PCAP.0, PCAP.1),
    (0, b"\x4d\x3c\xb2\xa1", PCAP.0, PCAP.1),
    (0, b"\xa1\xb2\x3c\x4d", PCAP.0, PCAP.1),
    (0, b"\x0a\x0d\x0d\x0a", PCAP.0, PCAP.1),
    (0, b"\x89PNG\r\n", IMAGE.0, IMAGE.1),
    (0, b"\xff\xd8\xff", IMAGE.0, IMAGE.1),
    (0, b"GIF87a", IMAGE.0, IMAGE.1),
    (0, b"GIF89a", IMAGE.0, IMAGE.1),
    (8, b"WEBPVP8", IMAGE.0, IMAGE.1),
    (4, b"ftypheic", IMAGE.0, IMAGE.1),
    (0, b"%PDF-", "a PDF", "make text of it with `pdftotext FILE -`"),
    (0, b"KDUMP   ", CRASH.0, CRASH.1),
    (0, b"DISKDUMP", CRASH.0, CRASH.1),
    (
        0,
        b"\x7fELF",
        "an ELF file",
        "a kernel or a module has no log; of a vmcore `vmcore-dmesg FILE` shows it",
    ),
    (
        0,
        b"\xd0\x0d\xfe\xed",
        "a compiled device tree",
        "make text of it with `dtc -I dtb -O dts FILE`",
    ),
    (0, b"\xfd7zXZ\0", "packed by xz", "unpack it with `xz -dc FILE`"),
    (0, b"BZh", "packed by bzip2", "unpack it with `bzip2 -dc FILE`"),
    (0, b"\x04\x22\x4d\x18", "packed by lz4", "unpack it with `lz4 -dc FILE`"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it with `unzip FILE`"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it with `7z x FILE`"),
    (257, b"ustar", "a tar archive", "unpack it with `tar -xf FILE`"),
];

/// What begins so, where it is no text, and how it becomes one.
pub(super) fn kind(head: &[u8]) -> Option<String> {
    let begins =
        |&&(at, mark, ..): &&Mark| head.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let (_, mark, what, how) = MARKS.iter().find(begins)?;
    // `BZh` may begin a word; the level follows, and the mark of a block.
    let is_text = *mark == b"BZh" && !head.get(4..).is_some_and(|rest| rest.starts_with(b"1AY&SY"));
    (!is_text).then(|| format!("it is no text but {what}: {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_known_and_says_how_text_is_made() {
        for (at, mark, what, how) in MARKS {
            let rest: &[u8] = if *mark == b"BZh" { b"91AY&SY" } else { b"rest" };
            let head = [&vec![b'x'; *at], *mark, rest].concat();
            assert!(at + mark.len() <= HEAD);
            assert_eq!(kind(&head), Some(format!("it is no text but {what}: {how}")));
            assert!(how.contains('`') || what.contains("image"), "{how}");
        }
    }

    #[test]
    fn text_is_left_alone() {
        for text in
            ["", "P", "PERF of it", "BZhang wrote", "\u{feff}cma", "[    0.0] Linux version"]
        {
            assert_eq!(kind(text.as_bytes()), None, "{text}");
        }
        assert_eq!(kind(&[0xff, 0xfe, b'c', 0]), None);
    }
}
