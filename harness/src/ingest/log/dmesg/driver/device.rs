//! Which driver and which device a line is of: `dev_err()` prints `DRIVER DEVICE: ` before its text
//! (`drivers/base/core.c`).

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::ingest::log::{bytes, prefix};

/// `vivid vivid.0: `, `vc4-drm soc:gpu: `, `nvgpu: 17000000.gpu `.
static DEVICE: LazyLock<Regex> = LazyLock::new(|| {
    bytes::pattern(
        r"(?x-u)^(?:
            (?<driver>[A-Za-z][\w,+-]{0,40})\x20+(?<device>[\w,+@:.-]{0,60}[\w.@-]):\x20
            | (?<one>[A-Za-z][\w,+-]{0,40}):\x20+(?<unit>[0-9a-f]{6,16}\.[\w-]+)\x20
            | \[drm:\S+\x20\[(?<module>\w+)\]\]
            | \[drm:(?<function>\w+)\]
            | (?<alone>[A-Za-z][\w,+@.-]{0,60}):(?:\x20|$)
        )",
    )
});

/// The tag of logcat, which is a part of the prefix: `611   611 E dmabuf_cma: `.
static TAG: LazyLock<Regex> =
    LazyLock::new(|| bytes::pattern(r"(?-u)\s[A-Z]\s+(?<tag>[\w.-]{1,40})\s*:\s*$"));

/// Words that no driver is called, as lines begin that a person or a program writes.
const NO_DRIVER: &[&str] =
    &["error", "warning", "note", "info", "kernel", "err", "failed", "update"];

/// The driver and its device in `line`, as far as it begins with them.
pub(crate) fn device(line: &[u8]) -> Option<String> {
    let at = prefix::body(line);
    let (before, body) = line.split_at_checked(at)?;
    if let Some(device) = plain(body) {
        return Some(device);
    }
    let Some(found) = DEVICE.captures(body) else { return tag(before) };
    let text = |name| Some(String::from_utf8_lossy(found.name(name)?.as_bytes()).into_owned());
    let two = |one: Option<String>, other: Option<String>| Some(format!("{} {}", one?, other?));
    let alone = || {
        let name = text("alone")?;
        (!NO_DRIVER.contains(&&*name.to_ascii_lowercase())).then_some(name)
    };
    two(text("driver"), text("device"))
        .or_else(|| two(text("one"), text("unit")))
        .or_else(|| text("module"))
        .or_else(|| text("function"))
        .or_else(alone)
}

/// The first form of [`DEVICE`], which nearly every line has, by hand: a third of the time.
fn plain(body: &[u8]) -> Option<String> {
    let head = &body[..memchr::memmem::find(&body[..body.len().min(128)], b": ")?];
    let (driver, rest) = head.split_at(memchr::memchr(b' ', head)?);
    let device = rest.trim_ascii_start();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let of_driver = |byte: &u8| word(byte) || b",+-".contains(byte);
    let of_device = |byte: &u8| word(byte) || b",+@:.-".contains(byte);
    let last = |byte: &u8| word(byte) || b".@-".contains(byte);
    let good = driver.first().is_some_and(u8::is_ascii_alphabetic)
        && driver.len() <= 41
        && driver.iter().all(of_driver)
        && (1..=61).contains(&device.len())
        && device.iter().all(of_device)
        && device.last().is_some_and(last)
        && rest.iter().take_while(|byte| **byte != device[0]).all(|byte| *byte == b' ');
    let text = |bytes| str::from_utf8(bytes).ok();
    good.then(|| Some(format!("{} {}", text(driver)?, text(device)?))).flatten()
}

fn tag(before: &[u8]) -> Option<String> {
    let found = TAG.captures(before)?;
    let tag = String::from_utf8_lossy(&found["tag"]).into_owned();
    (!NO_DRIVER.contains(&&*tag.to_ascii_lowercase())).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is read by hand is what the pattern reads.
        #[test]
        fn the_plain_form_is_that_of_the_pattern(body in "[a-zA-Z]{0,3}[a-z,+ :.@-]{0,12}: ?[a-z: ]{0,4}") {
            let by_pattern = DEVICE.captures(body.as_bytes()).and_then(|found| {
                let text = |name| found.name(name).map(|part| String::from_utf8_lossy(part.as_bytes()));
                Some(format!("{} {}", text("driver")?, text("device")?))
            });
            prop_assert_eq!(plain(body.as_bytes()), by_pattern);
        }
    }

    #[test]
    fn who_prints_is_read_as_dev_err_prints_it() {
        for (line, expected) in [
            ("[   9.1] vivid vivid.0: dma alloc", Some("vivid vivid.0")),
            ("vc4-drm soc:gpu: failed to", Some("vc4-drm soc:gpu")),
            ("nvme 0000:01:00.0: x", Some("nvme 0000:01:00.0")),
            ("foo-video 1e700000.video: x", Some("foo-video 1e700000.video")),
            ("RKNPU fde40000.npu: RKNPU: x", Some("RKNPU fde40000.npu")),
            ("nvgpu: 17000000.gpu   nvgpu_dma_print_err:101  [INFO] x", Some("nvgpu 17000000.gpu")),
            ("[drm:vc4_bo_create [vc4]] *ERROR* x", Some("vc4")),
            ("[drm:vc4_bo_create] *ERROR* x", Some("vc4_bo_create")),
            ("axidma: axidma_chrdev.c: axidma_mmap: 294: x", Some("axidma")),
            ("cma_heap: allocation failed", Some("cma_heap")),
            ("snd_soc_foo: dma_alloc_coherent: cannot", Some("snd_soc_foo")),
            ("Jul 10 15:02:41 board kernel: coda 2040000.vpu: x", Some("coda 2040000.vpu")),
            ("05-02 09:14:07.2   611   611 E dmabuf_cma: failed to", Some("dmabuf_cma")),
            ("05-02 09:14:07.2   611   611 E kernel  : failed to", None),
            ("error: failed to allocate", None),
            ("CmaTotal was 64 MB when it said failed to allocate buffer", None),
        ] {
            assert_eq!(device(line.as_bytes()).as_deref(), expected, "{line}");
        }
    }
}
