//! Small inputs in forms that people paste: which kernel it is, what to do next, what is cut and
//! what is no text. `corpora/logs/min` has some; the others are written here.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const LINE_6_17: &str =
    "[    5.0] cma: __cma_alloc: reserved: alloc failed, req-size: 257 pages, ret: -12\n";
const LINE_5_4: &str = "[    5.0] cma: cma_alloc: alloc failed, req-size: 760 pages, ret: -12\n";
const NAMED: &str =
    "[    5.0] cma: cma_alloc: linux,cma: alloc failed, req-size: 760 pages, ret: -12\n";

fn corpus(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/min");
    fs::read(folder.join(name)).unwrap()
}

fn run(bytes: &[u8], name: &str, args: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    run.current_dir(&folder).arg("diagnose").arg(name).args(args).output().unwrap()
}

/// What a diagnosis says of this text, its line ends taken out.
fn text(bytes: impl AsRef<[u8]>) -> String {
    let output = run(bytes.as_ref(), "log.txt", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn object(bytes: impl AsRef<[u8]>) -> Value {
    let output = run(bytes.as_ref(), "log.txt", &["--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The kernel, the verdict and how sure it is, of the only failure.
fn kernel(bytes: impl AsRef<[u8]>) -> (String, String) {
    let object = object(bytes);
    let failures = object["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{object}");
    let word = |key: &str| failures[0][key].as_str().unwrap_or_default();
    (word("kernel").to_string(), format!("{} {}", word("verdict"), word("confidence")))
}

fn warnings(bytes: impl AsRef<[u8]>) -> String {
    object(bytes)["warnings"].to_string()
}

#[test]
fn k04_uname_states_the_kernel_wherever_it_is() {
    let migration = |name: &str| (name.to_string(), "migration certain".to_string());
    assert_eq!(kernel(corpus("k04a-kernel-bare-uname.txt")), migration("6.17.0-8-foo"));
    let (name, _) = kernel(corpus("k04c-kernel-quoted-uname.txt"));
    assert_eq!(name, "5.4.0-1028-foo");
    for stated in [
        "> > Linux h 6.17.0-8-foo #8 SMP PREEMPT_DYNAMIC x aarch64 GNU/Linux\n",
        "My board says: Linux h 6.17.0-8-foo #8~24.04 SMP Tue x aarch64, and then\n",
        "Linux 6.17.0-8-foo #8 SMP\n",
        "\x1b[01;32mme@h\x1b[00m:\x1b[01;34m~\x1b[00m$ uname -r\n\x1b[0m6.17.0-8-foo\x1b[0m\n",
        "$ uname -r\n\n```\n6.17.0-8-foo\n```\n",
        "`uname -r`: 6.17.0-8-foo\n",
        "       Operating System: Foo OS\n                 Kernel: Linux 6.17.0-8-foo\n",
        "{\"KernelName\":\"Linux\",\"KernelRelease\":\"6.17.0-8-foo\"}\n",
        "System: Host: h Kernel: 6.17.0-8-foo arch: aarch64 bits: 64\n",
        "[    0.9] usb usb1: Manufacturer: Linux 6.17.0-8-foo xhci-hcd\n",
        "modprobe: FATAL: Module x not found in directory /lib/modules/6.17.0-8-foo\n",
        "insmod /lib/modules/6.17.0-8-foo/kernel/drivers/x.ko\n",
        "$ cat /proc/cmdline\nBOOT_IMAGE=/boot/vmlinuz-6.17.0-8-foo root=/dev/vda\n",
        "[    0.0] Kernel command line: BOOT_IMAGE=/vmlinuz-6.17.0-8-foo quiet\n",
        "* **Kernel version**: see below\n**Kernel version:** 6.17.0-8-foo\n",
        "[    4.0] CPU: 1 UID: 0 PID: 7 Comm: x Tainted: G        W  O        6.17.0-8-foo #8 PREEMPT\n",
    ] {
        assert_eq!(kernel(format!("{stated}{LINE_6_17}")), migration("6.17.0-8-foo"), "{stated}");
    }
    // Below the failure, too.
    let below = format!("{LINE_6_17}Linux h 6.17.0-8-foo #8 SMP x\n");
    assert_eq!(kernel(below), migration("6.17.0-8-foo"));
}

#[test]
fn releases_of_vendors_are_releases() {
    for name in ["6.12.34-v8-16k+", "6.6.31+rpt-rpi-2712", "6.12.117+deb13-arm64-16k"] {
        let stated = format!("Linux h {name} #1 SMP PREEMPT x aarch64 GNU/Linux\n{LINE_6_17}");
        assert_eq!(kernel(&stated).0, name);
    }
    let android = "Linux localhost 5.10.43-android12-9-g1 #1 SMP PREEMPT x aarch64\n";
    let text = text(format!("{android}{NAMED}"));
    assert!(text.contains("kernel 5.10.43-android12-9-g1"), "{text}");
}

#[test]
fn prose_and_paths_of_other_kernels_state_nothing_that_counts() {
    for prose in [
        "It worked with Linux 5.15.71 and fails since then\n",
        "on kernel 6.17.0 I see this\n",
        "Linux 6.17 is fine\n",
        "$ ls /lib/modules/$(uname -r)/build\n",
    ] {
        let (name, _) = kernel(format!("{prose}{LINE_6_17}"));
        assert_eq!(name, "6.12+", "{prose}");
    }
    // The one that runs counts before one that is installed, whichever comes first.
    let runs = "Linux h 6.12.9-foo #8 SMP x\n";
    let installed = "update-initramfs: Generating for /boot/vmlinuz-6.17.0-8-foo\n";
    for text in [format!("{runs}{installed}"), format!("{installed}{runs}")] {
        assert_eq!(kernel(format!("{text}{LINE_6_17}")).0, "6.12.9-foo");
        assert_eq!(warnings(format!("{text}{LINE_6_17}")), "[]");
    }
}

#[test]
fn of_two_kernels_the_one_stated_last_above_counts_and_it_is_noted() {
    let (old, new) = ("Linux a 6.12.9 #1 SMP\n", "[    0.0] Linux version 6.17.0 (x) #1 SMP\n");
    let both = format!("{old}{new}{LINE_6_17}");
    assert_eq!(kernel(&both), ("6.17.0".to_string(), "migration certain".to_string()));
    let noted = warnings(&both);
    assert!(noted.contains("states kernel 6.12.9, and in line 2 kernel 6.17.0"), "{noted}");
    assert_eq!(kernel(format!("{new}{old}{LINE_6_17}")).0, "6.12.9");
    // Builds of one release are one.
    let same = format!("Linux a 6.17.0-8-foo #8 SMP\n{new}{LINE_6_17}");
    assert_eq!(warnings(same), "[]");
}

#[test]
fn k06_a_boot_line_does_not_lose_the_free_runs() {
    let text = text(corpus("k06-next-loses-free-runs.txt"));
    assert!(text.contains("Not in the log: the free runs ("), "{text}");
    for boot in [
        "[    0.0] Reserved memory: created CMA memory pool at 0x3c000000, size 64 MiB\n",
        "CmaTotal:          65536 kB\n",
        "[    0.0] OF: reserved mem: 0x3c000000..0x3fffffff (65536 KiB) map reusable linux,cma\n",
    ] {
        let text = self::text(format!("{boot}{NAMED}"));
        assert!(text.contains("Not in the log: the free runs ("), "{text}");
    }
}

#[test]
fn k07_no_step_of_another_release_is_printed() {
    let old = text(corpus("k07-advice-of-another-kernel.txt"));
    assert!(old.contains("kernel 5.4.79") && old.contains("events/cma/cma_alloc/enable"), "{old}");
    for other in ["5.13", "6.9", "whether places were busy", "grep -A"] {
        assert!(!old.contains(other), "{other}: {old}");
    }
    let next = |release: &str, line: &str| text(format!("$ uname -r\n{release}\n{line}"));
    for new in [next("6.9.4", NAMED), next("6.12.5+deb13-arm64", LINE_6_17)] {
        assert!(new.contains("`dmesg | grep -A5 'alloc failed'`"), "{new}");
        assert!(!new.contains("rebuilt") && !new.contains("CONFIG_CMA_DEBUG"), "{new}");
    }
    let debian = next("6.1.0-18-arm64", NAMED);
    assert!(debian.contains("Debian builds without CONFIG_CMA_DEBUGFS"), "{debian}");
    assert!(!debian.contains("debug/cma/*") && !debian.contains("6.9"), "{debian}");
    let pi = next("6.6.31+rpt-rpi-v8", NAMED);
    assert!(pi.contains("Raspberry Pi OS builds without CONFIG_CMA_DEBUGFS"), "{pi}");
    assert!(next("5.4.79", LINE_5_4).contains("The order of the request: `echo 1"));
}

#[test]
fn a_configuration_in_the_text_decides_what_is_offered() {
    let with = |config: &str| text(format!("$ uname -r\n6.1.90\n{config}{NAMED}"));
    let on = with("CONFIG_CMA_DEBUGFS=y\n");
    assert!(
        on.contains("at once after the failure: `tail -n +1 /sys/kernel/debug/cma/*/*`")
            && !on.contains("rebuilt"),
        "{on}"
    );
    let off = with("# CONFIG_CMA_DEBUGFS is not set\n# CONFIG_CMA_DEBUG is not set\n");
    assert!(
        !off.contains("debug/cma/*") && off.contains("The free runs need a rebuilt kernel"),
        "{off}"
    );
    let missing = "# cmalab collect: missing /x/cma: the kernel needs CONFIG_CMA_DEBUGFS=y\n";
    assert!(
        with(missing).contains("The free runs need a rebuilt kernel: CONFIG_CMA_DEBUGFS=y, or")
    );
    let debug = with("CONFIG_CMA_DEBUG=y\n");
    assert!(debug.contains("grep -A5") && !debug.contains("rebuilt"), "{debug}");
}

#[test]
fn k03_a_cut_bitmap_shows_what_it_shows() {
    let text = text(corpus("k03-bitmap-cut.txt"));
    assert!(text.contains("96 of the 128 pages shown are free, 896 are not shown"), "{text}");
    assert!(!text.contains("of 1024 pages free") && text.contains("bitmap of reserved is cut"));
    let object = object(corpus("k03-bitmap-cut.txt"));
    assert_eq!(object["areas"][0]["complete"], false);
    assert_eq!(object["areas"][0]["free"], Value::Null);
    for (order, words, said) in [
        (1, "0 0", "128 of the 128 pages shown are free, 896 are not shown"),
        (0, "4294967295", "0 of the 32 pages shown are free, 992 are not shown"),
        (0, &["7"; 31].join(" ")[..], "899 of the 992 pages shown are free, 32 are not shown"),
    ] {
        let file = |name, value: &str| format!("==> /d/cma/x/{name} <==\n{value}\n\n");
        let files = [
            file("base_pfn", "4096"),
            file("count", "1024"),
            file("order_per_bit", &order.to_string()),
            file("bitmap", words),
        ];
        let text = self::text(files.concat());
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn of_a_cut_bitmap_no_verdict_is_certain() {
    let count = "# cat /sys/kernel/debug/cma/reserved/count\n1024\n";
    let bitmap =
        "# cat /sys/kernel/debug/cma/reserved/bitmap\n4294967295 4294967295 0 4294967295\n";
    let base = "# cat /sys/kernel/debug/cma/reserved/base_pfn\n4096\n";
    let order = "# cat /sys/kernel/debug/cma/reserved/order_per_bit\n0\n";
    let stated = "Linux h 6.17.0 #1 SMP\n";
    for ret in ["-12", "-16"] {
        let line = LINE_6_17.replace("-12", ret).replace("257", "16");
        let text = [stated, base, count, order, bitmap, &line].concat();
        let (_, verdict) = kernel(text);
        // What -12 means on 6.17 needs no bitmap.
        assert!(verdict == "migration likely" || !verdict.contains("certain"), "{ret}: {verdict}");
    }
}

#[test]
fn k16_markdown_kmsg_and_json_are_read() {
    let first = |bytes: &[u8]| object(bytes)["failures"][0].clone();
    let area = |bytes: &[u8]| first(bytes)["area"].as_str().map(str::to_string);
    assert_eq!(area(&corpus("k16a-escaped-underscore.txt")).as_deref(), Some("linux,cma"));
    for line in [
        "\\[   10.0\\] cma: \\_\\_cma\\_alloc: linux,cma: alloc failed, req-size: 256 pages, ret: \\-12",
        "&#91;   10.0] cma: cma&#95;alloc: linux,cma: alloc failed, req-size: 256 pages, ret: -12",
        "> \\> [10.0] cma: cma\\_alloc: linux,cma: alloc failed, req-size: 256 pages, ret: -12",
    ] {
        assert_eq!(area(line.as_bytes()).as_deref(), Some("linux,cma"), "{line}");
    }
    let time = |bytes: &[u8]| first(bytes)["time_s"].as_f64();
    assert_eq!(time(&corpus("k16c-time-of-kmsg.txt")), Some(13.250961));
    let message = "cma: cma_alloc: linux,cma: alloc failed, req-size: 256 pages, ret: -12";
    let bytes: Vec<_> = message.bytes().map(|byte| byte.to_string()).collect();
    let stamp = "\"_SOURCE_MONOTONIC_TIMESTAMP\":\"13250961\"";
    for text in [
        format!("3,1234,13250961,-,caller=T77;{message}\n SUBSYSTEM=x\n"),
        format!("> 3,1234,13250961,c;{message}"),
        format!("{{{stamp},\"MESSAGE\":\"{message}\",\"_TRANSPORT\":\"kernel\"}}"),
        format!("{{\"MESSAGE\":[{}],{stamp}}}", bytes.join(",")),
        format!(
            "      }},{{\n         \"pri\": 3,\n         \"time\":    13.250961,\n         \"msg\": \
             \"{message}\"\n      }}"
        ),
    ] {
        assert_eq!(time(text.as_bytes()), Some(13.250961), "{text}");
        assert_eq!(area(text.as_bytes()).as_deref(), Some("linux,cma"), "{text}");
    }
}

#[test]
fn perf_trace_is_a_trace() {
    let lines = "\
    0.000 v/612 cma:cma_alloc_start(name: \"x\", request_count: 9, available_count: 4, total_count: 16, align: 3)
    1.500 v/612 cma:cma_alloc_finish(name: \"x\", count: 9, align: 3, errorno: 4294967280)
";
    let failure = object(lines)["failures"][0].clone();
    let number = |key: &str| failure[key].as_i64();
    assert_eq!((number("count"), number("align"), number("ret")), (Some(9), Some(3), Some(-16)));
    assert_eq!(failure["align_from"], "trace");
    assert_eq!(failure["verdict"], "exhausted", "{failure}");
}

#[test]
fn free_blocks_of_cma_are_beside_the_counters() {
    let row = "Node    0, zone      DMA, type          CMA     1     0    0  0 0 0 0 0 0 0 3\n";
    let said = text(format!("{row}{NAMED}"));
    assert!(
        said.contains(
            "node 0 DMA: 3073 pages of CMA free in the page allocator, the largest 3 blocks"
        ),
        "{said}"
    );
    assert_eq!(object(row)["free_blocks"][0]["pages"], 3073);
    let buddy = object("Node 0, zone   Normal  0 1 0 0 0 0 0 0 0 0 0\n");
    assert_eq!(
        (&buddy["free_blocks"][0]["cma"], &buddy["free_blocks"][0]["pages"]),
        (&Value::from(false), &Value::from(2))
    );
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// A log that packs badly, with a failure in its first line.
fn long_log() -> String {
    let mut seed = 7u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed
    };
    let lines = (0..20_000).map(|_| format!("[    6.0] x {:x}{:x}\n", noise(), noise()));
    std::iter::once(NAMED.to_string()).chain(lines).collect()
}

fn cut_files() -> [(&'static str, Vec<u8>); 2] {
    let log = long_log();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let (gz, zst) =
        (gzip(log.as_bytes()), ruzstd::encoding::compress_to_vec(log.as_bytes(), level));
    let half = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    [("log.gz", half(gz)), ("log.zst", half(zst))]
}

#[test]
fn a_packed_log_that_is_cut_says_so_in_its_first_line() {
    for (name, bytes) in cut_files() {
        let output = run(&bytes, name, &[]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let said = String::from_utf8(output.stdout).unwrap();
        let first = said.lines().next().unwrap();
        let start = format!("{name} is cut or damaged after line ");
        assert!(first.starts_with(&start) && first.contains("760 pages"), "{first}");
        let read = first[start.len()..].split(' ').next().unwrap().parse::<u64>().unwrap();
        assert!((1000..20_000).contains(&read), "{first}");
        let output = run(&bytes, name, &["--format", "json"]);
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(object["cut"][0]["source"], name);
        assert_eq!(object["cut"][0]["lines"], read);
        let html = run(&bytes, name, &["--format", "html"]).stdout;
        assert!(String::from_utf8(html).unwrap().contains("is cut or damaged after line"));
    }
    assert_eq!(object(NAMED).get("cut"), None);
}

#[test]
fn what_is_cut_is_status_2_with_fail_on_unless_it_is_met_before() {
    for (name, bytes) in cut_files() {
        for (verdict, status) in [("busy", 2), ("any", 1), ("undecidable,busy", 1)] {
            let output = run(&bytes, name, &["--fail-on", verdict]);
            assert_eq!(output.status.code(), Some(status), "{name} {verdict}");
            assert!(!output.stdout.is_empty(), "what was read is answered");
        }
    }
    for (name, bytes) in [
        ("b.gz", vec![]),
        ("c.zst", b"\x28\xb5".to_vec()),
        ("a.gz", gzip(NAMED.as_bytes())),
        ("a.zst", b"\x28\xb5\x2f\xfd".to_vec()),
    ] {
        let output = run(&bytes[..bytes.len().min(9)], name, &["--fail-on", "any"]);
        assert_eq!(output.status.code(), Some(2), "nothing of it");
    }
}

#[test]
fn what_is_no_text_is_named_with_the_command_that_makes_text_of_it() {
    for (head, command) in [
        (&b"PERFILE2\x68\0\0\0"[..], "perf script -i"),
        (b"\x17\x08\x44tracing6\0", "trace-cmd report"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "tcpdump"),
        (b"\x0a\x0d\x0d\x0a\x1c\0", "tcpdump"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"\x7fELF\x02\x01", "an ELF file"),
        (b"LPKSHHRH", "journalctl --file"),
        (b"\xfd7zXZ\0\0", "xz -dc"),
    ] {
        for bytes in [head.to_vec(), gzip(head)] {
            let output = run(&bytes, "attached", &[]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.starts_with("error: failed to read attached: ") && said.contains(command));
            assert!(output.stdout.is_empty());
        }
    }
}
