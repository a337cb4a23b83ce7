//! What a text says of the kernel's release beside its banner: `uname`, tools that show it, and
//! paths that hold it.

use std::sync::{Arc, LazyLock};

use regex::bytes::Regex;

use crate::ingest::log::{Record, bytes};

/// The most bytes that are looked at: a command line has no more.
const LONGEST: usize = 4096;

/// `HOST 6.12.117-foo #1 SMP …` after `Linux `: what `uname -a` prints, without a prompt; also
/// `6.12.117-foo #1 SMP …` of `uname -srv`.
static LINUX: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)^(?:\S+\s+)?([2-9]\.\d{1,3}\S*)\s+#\d"));

/// ` 6.6.31-foo` and nothing else after `Kernel: Linux`, `Kernel:` and their like.
static SHOWN: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r#"(?-u)^[\s"]*:?[\s"]*(?:Linux\s+)?([2-9]\.\d{1,3}[^\s",|]*)"#)
});

/// ` 6.6.31-foo xhci-hcd` after `Manufacturer: Linux`: the root hub of a USB host has the release
/// of the kernel for its maker (`rh_string()`, `drivers/usb/core/hcd.c`).
static ROOT_HUB: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)^\s*([2-9]\.\d{1,3}\S*)\s+\S"));

/// A release in a path: `6.1.0-rpi7-rpi-v8/`, `6.8.0-45-generic root=`.
static IN_PATH: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)^([2-9]\.\d{1,3}[A-Za-z0-9._+~-]*)"));

/// The release on the line of the command: `uname -r: 6.6.31-foo`, `` `uname -r` = 5.10.110 ``.
static SAME_LINE: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r#"(?-u)^-r[\s`"')*]*(?::|=|->|=>|is|says)[\s`"'*]*([2-9]\.\d{1,3}[^\s`"',;)]*)"#,
    )
});

/// A release with what its builder calls it, alone on a line: what a script's `uname -r` printed. A
/// version of anything else has no such end.
static ALONE: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(r"(?-u)^\s*([2-9]\.\d{1,3}\.\d{1,4}[A-Za-z0-9._]*[-+][A-Za-z0-9._+~-]*)\s*$")
});

/// A line of nothing else.
pub(crate) fn alone(text: &[u8]) -> Option<Record> {
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    first(&ALONE, text).map(Record::Kernel)
}

fn first(pattern: &Regex, text: &[u8]) -> Option<Arc<str>> {
    let found = pattern.captures(&text[..text.len().min(LONGEST)])?;
    let name = String::from_utf8_lossy(&found[1]);
    // A sentence may end there.
    Some(Arc::from(name.strip_suffix('.').unwrap_or(&name)))
}

/// After `Linux `.
pub(crate) fn linux(text: &[u8]) -> Option<Record> {
    first(&LINUX, text).map(Record::Kernel)
}

/// After `Kernel: `, `Kernel Release` and `KernelRelease`: `hostnamectl`, `inxi`, `neofetch`.
pub(crate) fn shown(text: &[u8]) -> Option<Record> {
    first(&SHOWN, text).map(Record::Kernel)
}

/// After `Manufacturer: Linux `.
pub(crate) fn root_hub(text: &[u8]) -> Option<Record> {
    first(&ROOT_HUB, text).map(Record::Kernel)
}

/// After `/lib/modules/` and `vmlinuz-`: a kernel that is there, mostly the one that runs.
pub(crate) fn path(text: &[u8]) -> Option<Record> {
    first(&IN_PATH, text).map(Record::Installed)
}

/// The kernel whose image is in a command line: `BOOT_IMAGE=/boot/vmlinuz-6.8.0-45-generic`.
pub fn booted(command_line: &str) -> Option<Arc<str>> {
    let (_, name) = command_line.split_once("vmlinuz-")?;
    first(&IN_PATH, name.as_bytes())
}

/// `    25.875995,` after `"time":` of `dmesg --json`, in microseconds.
pub(crate) fn stamp(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    bytes::microseconds(text.strip_suffix(b",").unwrap_or(text))
}

/// What a form of a bug report asks for: ` 5.15.71-foo` after `Kernel version:`. People write what
/// they think that runs.
static IN_FORM: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)^[\s*_:=]*(?:Linux\s+)?([2-9]\.\d{1,3}\.\d[^\s,;)]*)"));

/// `arm64 6.17.3 Kernel Configuration` after `Linux/`: the head of a configuration.
static CONFIGURED: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)^\w+\s+([2-9]\.\d{1,3}\.\d\S*)\s+Kernel Configuration"));

/// After `Linux/`.
pub(crate) fn configured(text: &[u8]) -> Option<Record> {
    first(&CONFIGURED, text).map(Record::Installed)
}

/// After `Kernel version`, `**Kernel**:` and `vermagic`.
pub(crate) fn form(text: &[u8]) -> Option<Record> {
    first(&IN_FORM, text).map(Record::Installed)
}

/// After `uname `, on its own line.
pub(crate) fn same_line(text: &[u8]) -> Option<Record> {
    first(&SAME_LINE, text).map(Record::Kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_alone_on_a_line_has_the_end_that_its_builder_gave_it() {
        let name = |text: &str| alone(text.as_bytes());
        for text in ["6.12.117+deb13-arm64-16k", " 6.1.0-rpi7-rpi-v8 ", "5.15.32-v8+"] {
            assert_eq!(name(text), Some(Record::Kernel(text.trim().into())), "{text}");
        }
        // Versions, words of a bitmap, dates and addresses are none.
        for text in ["1.37.0-6", "5.4.79", "4294967295 0 0", "2026-11-30", "6.1.0-x y", "3.1.4.1"] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    fn kernel(name: &str) -> Option<Record> {
        Some(Record::Kernel(Arc::from(name)))
    }

    #[test]
    fn uname_is_known_without_its_command() {
        for (text, name) in [
            ("h 6.17.0-8-foo #8 SMP PREEMPT_DYNAMIC x aarch64 GNU/Linux", "6.17.0-8-foo"),
            ("localhost 5.10.43-android12-9-g1 #1 SMP PREEMPT Mon", "5.10.43-android12-9-g1"),
            ("6.6.31+rpt-rpi-v8 #1 SMP PREEMPT Debian", "6.6.31+rpt-rpi-v8"),
            ("board 6.12.34-v8-16k+ #1890 SMP", "6.12.34-v8-16k+"),
        ] {
            assert_eq!(linux(text.as_bytes()), kernel(name), "{text}");
        }
        for text in
            ["6.1 is what I run", "on arm 5.10 since then", "h 6.1.0 SMP", "agpgart 0.103 #1"]
        {
            assert_eq!(linux(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn tools_and_root_hubs_show_it() {
        for (text, name) in [
            ("Linux 6.6.31", "6.6.31"),
            ("5.15.0-91-generic x86_64 bits: 64", "5.15.0-91-generic"),
            ("\":\"6.1.0-18-arm64\",\"Kernel", "6.1.0-18-arm64"),
        ] {
            assert_eq!(shown(text.as_bytes()), kernel(name), "{text}");
        }
        assert_eq!(shown(b"panic - not syncing"), None);
        assert_eq!(root_hub(b"6.1.0-rpi7-rpi-v8 dwc_otg_hcd"), kernel("6.1.0-rpi7-rpi-v8"));
        assert_eq!(root_hub(b"Foundation"), None);
    }

    #[test]
    fn a_form_is_filled_in_by_hand() {
        for text in [": 5.15.71-foo", ":** 5.15.71-foo", ": Linux 5.15.71-foo (arm64)"] {
            assert_eq!(form(text.as_bytes()), Some(Record::Installed("5.15.71-foo".into())));
        }
        let text = b"arm64 5.15.71-foo Kernel Configuration";
        assert_eq!(configured(text), Some(Record::Installed("5.15.71-foo".into())));
        assert_eq!(configured(b"arm64 5.15.71-foo is fine"), None);
        for text in [": 5.15", " is 5.15.71", ": see below"] {
            assert_eq!(form(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_line_of_the_command_may_have_it() {
        for text in ["-r: 5.10.110", "-r`: 5.10.110", "-r = `5.10.110`", "-r -> 5.10.110,"] {
            assert_eq!(same_line(text.as_bytes()), kernel("5.10.110"), "{text}");
        }
        assert_eq!(same_line(b"-r && cat /proc/version"), None);
    }

    #[test]
    fn a_sentence_may_end_after_it() {
        assert_eq!(same_line(b"-r: 6.1.21-v8+."), kernel("6.1.21-v8+"));
    }

    #[test]
    fn a_path_has_a_kernel_that_is_there() {
        let there = |name: &str| Some(Record::Installed(Arc::from(name)));
        assert_eq!(path(b"6.1.0-rpi7-rpi-v8/kernel/x.ko"), there("6.1.0-rpi7-rpi-v8"));
        assert_eq!(path(b"$(uname -r)/build"), None);
        let line = "BOOT_IMAGE=/boot/vmlinuz-6.8.0-45-generic root=/dev/vda";
        assert_eq!(booted(line).as_deref(), Some("6.8.0-45-generic"));
        assert_eq!(booted("BOOT_IMAGE=/boot/vmlinuz root=/dev/vda"), None);
    }
}
