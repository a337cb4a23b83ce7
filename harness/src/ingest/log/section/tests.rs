use crate::ingest::log::boot::Boot;
use crate::kernel::Arch;
use proptest::prelude::*;

use super::super::super::source::Source;
use super::super::{DebugfsFile, Found, Record, open};

fn read_all(text: &str) -> (Vec<Found>, Vec<String>) {
    let mut found = Vec::new();
    let mut odd = Vec::new();
    for record in open(&Source::bytes("test", text.as_bytes())).expect("bytes open") {
        match record {
            Ok(one) => found.push(one),
            Err(error) => odd.push(error.to_string()),
        }
    }
    (found, odd)
}

fn read(text: &str) -> Vec<Record> {
    let (found, odd) = read_all(text);
    assert!(odd.is_empty(), "{odd:?}");
    found.into_iter().map(|found| found.record).collect()
}

fn debugfs(area: &str, file: DebugfsFile) -> Record {
    let area = (!area.is_empty()).then(|| area.into());
    Record::Debugfs { area, range: None, file }
}

fn bitmap(words: &[u32]) -> DebugfsFile {
    DebugfsFile::Bitmap(words.into())
}

fn counter(area: &str, name: &str, value: u64) -> Record {
    let area = (!area.is_empty()).then(|| area.into());
    Record::Counter { area, name: name.into(), value }
}

/// The files of one area, as records.
fn area(name: &str) -> Vec<Record> {
    let files = [
        DebugfsFile::BasePfn(262_656),
        bitmap(&[4_294_967_295, 7]),
        DebugfsFile::Count(64),
        DebugfsFile::MaxChunk(29),
        DebugfsFile::OrderPerBit(0),
        DebugfsFile::Used(35),
    ];
    files.into_iter().map(|file| debugfs(name, file)).collect()
}

const FILES: [(&str, &str); 6] = [
    ("base_pfn", "262656"),
    ("bitmap", "4294967295 7"),
    ("count", "64"),
    ("maxchunk", "29"),
    ("order_per_bit", "0"),
    ("used", "35"),
];

fn each(line: impl Fn(&str, &str) -> String) -> String {
    FILES.iter().map(|(name, value)| line(name, value)).collect()
}

#[test]
fn an_area_in_every_container() {
    for folder in ["/sys/kernel/debug/cma/vpu", "/sys/kernel/debug/cma/cma-vpu", "./vpu", "vpu"] {
        let expected = area("vpu");
        let text = each(|name, value| format!("==> {folder}/{name} <==\n{value}\n\n"));
        assert_eq!(read(&text), expected, "{text}");
        let text = each(|name, value| format!("{folder}/{name}:{value}\n"));
        assert_eq!(read(&text), expected, "{text}");
        let text = each(|name, value| format!("> {folder}/{name}: {value}\r\n"));
        assert_eq!(read(&text), expected, "{text}");
        for prompt in ["# ", "#", "$ ", "root@board:~# ", "/ # ", "[root@board ~]# ", "> $ "] {
            let text = each(|name, value| format!("{prompt}cat {folder}/{name}\n{value}\n"));
            assert_eq!(read(&text), expected, "{text}");
        }
    }
    let text = each(|name, value| format!("{name}:{value}\n"));
    assert_eq!(read(&text), area(""));
    for name in ["linux,cma", "vpu@9a", "a b"] {
        let text = each(|file, value| format!("/sys/kernel/debug/cma/{name}/{file}:{value}\n"));
        assert_eq!(read(&text), area(name), "{text}");
    }
}

#[test]
fn a_shell_goes_from_directory_to_directory() {
    let show = "cat base_pfn bitmap count maxchunk order_per_bit used";
    let values = each(|_, value| format!("{value}\n"));
    let cma = "/sys/kernel/debug/cma";
    for go in [
        format!("$ cd {cma}/cma-vpu\n$ {show}\n"),
        format!("# cd {cma}\n# cd vpu\n# sudo {show}\n"),
        format!("# cd {cma}/other/ ; cd ../vpu && {show}\n"),
        format!("root@board:{cma}/vpu# {show}\n"),
        format!("{cma}/vpu # {show}\n"),
    ] {
        assert_eq!(read(&format!("{go}{values}")), area("vpu"), "{go}");
    }
    let alloc = Record::DebugfsAlloc { area: Some("vpu".into()), count: 900 };
    assert_eq!(read(&format!("# cd {cma}/vpu\n# echo 900 > alloc\n")), [alloc]);
    let braces = format!("# cat {cma}/vpu/{{count,used}}\n64\n35\n");
    assert_eq!(read(&braces), [&area("vpu")[2..3], &area("vpu")[5..]].concat());
    let remote = "$ adb shell 'cat /sys/kernel/debug/cma/vpu/count'\n64\n";
    assert_eq!(read(remote), [debugfs("vpu", DebugfsFile::Count(64))]);
}

#[test]
fn ranges_have_files_of_their_own() {
    let text = "/sys/kernel/debug/cma/vpu/ranges/1/base_pfn:524288\n\
                ==> vpu/ranges/7/bitmap <==\n0 1\n";
    let expected =
        [(1, DebugfsFile::BasePfn(524_288)), (7, bitmap(&[0, 1]))].map(|(range, file)| {
            Record::Debugfs { area: Some("vpu".into()), range: Some(range), file }
        });
    assert_eq!(read(text), expected);
}

#[test]
fn a_stamped_bitmap_is_of_its_moment_and_leaves_the_rest_as_it_is() {
    let snapshot = |at_us, range, words: &[u32]| Record::Snapshot {
        at_us,
        area: Some("vpu".into()),
        range,
        words: words.into(),
    };
    let text = "==> snapshot 61.50 /sys/kernel/debug/cma/cma-vpu/bitmap <==\n255 7\n\n\
                ==> snapshot 62.51 /sys/kernel/debug/cma/vpu/ranges/1/bitmap <==\n0 1\n";
    assert_eq!(
        read(text),
        [snapshot(61_500_000, None, &[255, 7]), snapshot(62_510_000, Some(1), &[0, 1])]
    );
    // Names without a directory are still those of the file before it.
    let around = |between: &str| {
        read(&format!("/sys/kernel/debug/cma/a/base_pfn:64\n{between}==> x/count <==\n64\n"))
    };
    let with = around(text);
    assert_eq!([&with[..1], &with[3..]].concat(), around(""));
    // Only bitmaps are read again and again, and a moment is a number.
    for odd in ["61.5 /sys/kernel/debug/cma/vpu/used", "now /x/bitmap", "61.5", ""] {
        let found = read(&format!("==> snapshot {odd} <==\n"));
        assert_eq!(found, [], "{odd}");
    }
}

#[test]
fn a_wrapped_bitmap_is_one() {
    let words: Vec<u32> = (0..300u32).map(|word| word.wrapping_mul(2_654_435_761)).collect();
    let line: Vec<_> = words.iter().map(u32::to_string).collect();
    let line = line.join(" ");
    let expected = [debugfs("vpu", bitmap(&words)), debugfs("vpu", DebugfsFile::Used(1))];
    let tail = "# cat vpu/used\n1\n";
    for width in [80, 100, 132, 213] {
        let mut wrapped = String::new();
        for piece in line.as_bytes().chunks(width) {
            wrapped += std::str::from_utf8(piece).unwrap();
            wrapped += "\n";
        }
        let text = format!("# cat vpu/bitmap\n{wrapped}{tail}");
        assert_eq!(read(&text), expected, "{width}");
    }
    // At blanks, as mails are wrapped.
    let mut wrapped = String::new();
    for words in line.split(' ').collect::<Vec<_>>().chunks(6) {
        wrapped += &format!("> {}\n", words.join(" "));
    }
    assert_eq!(read(&format!("# cat vpu/bitmap\n{wrapped}{tail}")), expected);
}

#[test]
fn a_bare_bitmap_and_what_is_none() {
    assert_eq!(read("0 4294967295 65535 0\n"), [debugfs("", bitmap(&[0, u32::MAX, 65535, 0]))]);
    assert_eq!(read("0 0 0 0 0 0 0 0"), [debugfs("", bitmap(&[0; 8]))]);
    for text in ["1 2 3 4", "0 0 0 0", "4096 131072 6291456", "4294967296 0 0 0 0", "12@3 4 5 6"] {
        assert_eq!(read(text), [], "{text}");
    }
}

#[test]
fn counters_of_sysfs_and_proc() {
    let text = "/sys/kernel/mm/cma/vpu/alloc_pages_fail: 6368\n\
                /sys/kernel/mm/cma/cma-x/total_pages:64\n\
                CmaTotal:         327680 kB\nCmaFree:            1 kB\n  MemFree:  5 kB\n\
                /proc/meminfo:SwapFree:        0 kB\n\
                nr_free_cma 541\ncma_alloc_success 7\n/proc/vmstat:cma_alloc_fail 9\n\
                CONFIG_CMA=y\nCONFIG_CMA_ALIGNMENT=12\n/boot/config-6.1:CONFIG_CMA_ALIGNMENT=4\n";
    let expected = [
        counter("vpu", "alloc_pages_fail", 6368),
        counter("cma-x", "total_pages", 64),
        counter("", "CmaTotal", 327_680 << 10),
        counter("", "CmaFree", 1024),
        counter("", "MemFree", 5120),
        counter("", "SwapFree", 0),
        counter("", "nr_free_cma", 541),
        counter("", "cma_alloc_success", 7),
        counter("", "cma_alloc_fail", 9),
        Record::Cap(12),
        Record::Cap(4),
    ];
    assert_eq!(read(text), expected);
    // One zone's, and prose.
    assert_eq!(
        read("      nr_free_cma  0\nCmaFree: about 5 MB\nCONFIG_CMA_ALIGNMENT=4 helped\n"),
        []
    );
}

#[test]
fn the_kernel_says_its_release_and_its_command_line() {
    let text = "==> uname -a <==\nLinux board 6.6.23-bsp #1 SMP PREEMPT aarch64 GNU/Linux\n\n\
                ==> /proc/version <==\nLinux version 6.6.23-bsp (a@b) (gcc 13)\n\n\
                ==> /proc/cmdline <==\nconsole=ttyS0 cma=64M\n\n$ uname -r\n6.6.23-bsp\n";
    let kernel = || Record::Kernel("6.6.23-bsp".into());
    let line = Record::CommandLine("console=ttyS0 cma=64M".into());
    let arch = Record::Boot(Boot::Arch(Arch::Arm64));
    assert_eq!(read(text), [kernel(), arch, kernel(), line, kernel()]);
}

#[test]
fn a_file_does_not_swallow_what_follows() {
    // Each of these leaves the next line to the reader of kernel logs.
    let after = "[   12.5] cma: x";
    for before in [
        "==> /proc/cmdline <==",
        "==> /sys/kernel/debug/cma/vpu/bitmap <==\n1 2 3",
        "==> /sys/kernel/debug/cma/vpu/count <==",
        "# cat /proc/version",
        "# cat /sys/kernel/debug/cma/vpu/count\ncat: can't open: Permission denied",
        "==> dmesg <==",
        "/sys/kernel/debug/cma/vpu/bitmap:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22",
    ] {
        let mut queue = std::collections::VecDeque::new();
        let mut sections = super::Sections::default();
        for line in before.lines().map(str::as_bytes) {
            sections.line(line, &mut super::Sink { source: "", line: 1, queue: &mut queue });
        }
        let sink = &mut super::Sink { source: "", line: 2, queue: &mut queue };
        assert!(!sections.line(after.as_bytes(), sink), "{before}");
        assert!(!sections.line(b"357 free of 2048 total pages", sink), "{before}");
    }
}

#[test]
fn what_others_say_is_none_of_it() {
    for text in [
        "/sys/class/net/eth0/count:5",
        "/sys/devices/x/used: 7",
        "count:5",
        "used: 9",
        "usb/version: 1.20",
        "root@board:~# ls /sys/kernel/debug/cma",
        "# tracer: nop",
        "Jan  1 00:00:01 board kernel: foo/bar: 12",
        "==> <==",
        "# cat",
    ] {
        assert_eq!(read(text), [], "{text}");
    }
}

#[test]
fn what_is_too_large_is_said() {
    for text in [
        "/sys/kernel/debug/cma/vpu/count:99999999999999999999",
        "/sys/kernel/debug/cma/vpu/order_per_bit:4294967296",
        "/sys/kernel/mm/cma/vpu/alloc_pages_fail:18446744073709551616",
        "CmaTotal: 18446744073709551615 kB",
        "CONFIG_CMA_ALIGNMENT=99999999999",
    ] {
        let (found, odd) = read_all(text);
        assert_eq!((found.len(), odd.len()), (0, 1), "{text}: {odd:?}");
        assert!(odd[0].contains("is too large"), "{odd:?}");
    }
}

proptest! {
    #[test]
    fn a_bitmap_is_read_back_however_a_terminal_wraps_it(
        words in proptest::collection::vec(
            prop_oneof![Just(0), Just(u32::MAX), any::<u32>()],
            1..400,
        ),
        width in 80..240usize,
    ) {
        let line = words.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        let lines: Vec<_> = line.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
        let found = read(&format!("==> vpu/bitmap <==\n{}\n\n", lines.join("\n")));
        prop_assert_eq!(found, [debugfs("vpu", bitmap(&words))]);
    }

    #[test]
    fn no_text_is_too_strange(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("==> "), Just(" <==\n"), Just("/"), Just("cma/"), Just("bitmap"), Just("\n"),
                Just("count"), Just(":"), Just("# cat "), Just("cd "), Just(".."), Just(" "),
                Just("4294967295"), Just("18446744073709551616"), Just("CmaTotal: "), Just(" kB"),
                Just("echo 5 > alloc"), Just("ranges/"), Just("0 0 0 0 0 0 0 0"), Just("ü"),
            ],
            0..40,
        ),
    ) {
        let text = parts.concat();
        let (found, odd) = read_all(&text);
        prop_assert!(found.len() + odd.len() <= text.len());
    }
}

#[test]
fn a_bitmap_that_is_cut_within_a_number_is_read_up_to_it() {
    let text = "==> /sys/kernel/debug/cma/reserved/bitmap <==\n4294967295 0 ";
    let words = |tail: &str| {
        let (found, odd) = read_all(&format!("{text}{tail}"));
        let records: Vec<_> = found.into_iter().map(|found| found.record).collect();
        let shown = |words: &[u32]| records == [debugfs("reserved", bitmap(words))];
        let cut = [4_294_967_295, 0];
        match tail.trim().parse() {
            _ if shown(&cut) => (true, odd.len()),
            Ok(last) if shown(&[cut[0], cut[1], last]) => (false, odd.len()),
            _ => panic!("{records:?}"),
        }
    };
    // The front of a full word, whatever follows; others only where nothing follows at all.
    for cut in ["42949", "42949\n", "429\n", "429496729\n[ 1.0] x\n", "4", "65535"] {
        assert_eq!(words(cut), (true, 1), "{cut}");
    }
    for whole in ["4294967295", "4294901760", "0", "65535\n", "42\n", "3\n"] {
        assert_eq!(words(whole), (false, 0), "{whole}");
    }
}
