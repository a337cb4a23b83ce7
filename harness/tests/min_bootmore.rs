//! What boots, device trees and command lines say of areas: small texts of each kind, and what is
//! right of each.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

/// The first line, and all of it without line ends.
struct Said {
    first: String,
    text: String,
}

fn of(text: &str) -> Said {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = run.arg("diagnose").arg("dmesg.txt").current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Said {
        first: text.lines().next().unwrap().to_string(),
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

impl Said {
    fn has(&self, part: &str) {
        assert!(self.text.contains(part), "{part:?} in {}", self.text);
    }

    fn has_not(&self, part: &str) {
        assert!(!self.text.contains(part), "{part:?} in {}", self.text);
    }

    fn begins(&self, part: &str) {
        assert!(self.first.starts_with(part), "{part:?} in {}", self.first);
    }
}

/// The banner of a kernel of 64-bit Arm.
fn banner(release: &str) -> String {
    format!(
        "[    0.000000] Linux version {release} (a@b) (aarch64-linux-gnu-gcc (GCC) 13.2) #1 SMP\n"
    )
}

#[test]
fn a_parameter_that_is_not_read_as_it_looks() {
    for (word, begins, cure) in [
        ("cma=25%", "cma=25% has 2 MiB; it is read as 25 bytes", "Write cma=256M"),
        ("cma=256", "cma=256 has 2 MiB; it is read as 256 bytes", "Write cma=256M"),
        ("cma=64 M", "cma=64 M has 2 MiB; it is read as 64 bytes", "Write cma=64M"),
        ("cma=1.5G", "cma=1.5G has 2 MiB; it is read as 1 byte", "Write cma=1536M"),
        ("cma=lots", "cma=lots leaves no default area; it is read as 0 bytes", "as in cma=64M"),
        ("CMA=64M", "CMA=64M was refused: the kernel's parameter is cma=", "Write cma=64M"),
    ] {
        let said = of(&format!(
            "[    0.000000] Kernel command line: console=ttyS0 {word}\n\
             [    0.000000] Memory: 929696K/1048576K available (49360K reserved, 2048K cma-reserved)\n"
        ));
        said.begins(&format!("no failed CMA allocation, but {begins}"));
        said.has(cure);
    }
    let good = of("[    0.000000] Kernel command line: cma=64MB CMA=1\n");
    good.begins("no failed CMA allocation in this log");
    good.has("cma=64M: what became of it is not in the text");
}

#[test]
fn a_size_of_no_whole_mib_is_printed_as_none_from_6_15_on() {
    let boot = "[    0.000000] cma: Reserved 0 MiB at 0x000000007fa00000\n\
                [    0.000000] Kernel command line: cma=25%\nHugepagesize: 2048 kB\n";
    of(&(banner("7.3.4") + boot)).has("cma=25% has 2 MiB at 0x7fa00000; it is read as 25 bytes");
}

#[test]
fn a_refused_request_says_what_its_parameter_was_read_as() {
    let said = of(&(banner("6.6.31")
        + "[    0.000000] Kernel command line: console=ttyS0 cma=256\n\
           [    0.000000] cma: Reserved 2 MiB at 0x00000000be000000 on node -1\n\
           [    9.000000] hantro-vpu 38300000.vpu: dma alloc of size 67108864 failed\n"));
    said.begins(
        "too_large (likely): 16384 pages (64 MiB) were asked for, the only area in the text has 512",
    );
    assert!(said.first.contains("; at boot: cma=256 has 2 MiB at 0xbe000000"), "{}", said.first);
}

#[test]
fn the_area_that_a_device_was_given_bounds_what_it_asks() {
    let boot = banner("6.6.36")
        + "[    0.000000] OF: reserved mem: 0x0000000098000000..0x00000000997fffff (24576 KiB) map \
           reusable vpu_cma\n\
           [    0.000000] cma: Reserved 256 MiB at 0x00000000b0000000 on node -1\n";
    let given = "[    4.200000] hantro-vpu 38300000.vpu: assigned reserved memory node vpu_cma\n";
    let failed = "[    5.000000] hantro-vpu 38300000.vpu: dma alloc of size 67108864 failed\n";
    let said = of(&format!("{boot}{given}{failed}"));
    said.begins(
        "too_large (likely): 16384 pages (64 MiB) were asked for, area vpu_cma, which hantro-vpu \
         38300000.vpu was given (\"assigned reserved memory node\", line 4), has 6144",
    );
    // What is no area says nothing, nor what another device was given, nor one of two.
    let other = given.replace("vpu_cma", "fw_pool");
    of(&format!("{boot}{other}{failed}")).begins("undecidable: ");
    let other = given.replace("38300000", "38310000");
    of(&format!("{boot}{other}{failed}")).begins("undecidable: ");
    let two = given.replace("vpu_cma", "fw_pool");
    of(&format!("{boot}{given}{two}{failed}")).begins("undecidable: ");
    // A smaller request fits into it.
    let small = failed.replace("67108864", "6291456");
    of(&format!("{boot}{given}{small}")).has("at most 4 buffers of 1536 pages fit into 6144");
}

#[test]
fn a_total_of_0_is_said_for_what_it_is() {
    let meminfo = "CmaTotal:              0 kB\nCmaFree:               0 kB\n";
    of(&format!("$ uname -r\n6.1.0\n$ grep Cma /proc/meminfo\n{meminfo}")).begins(
        "no failed CMA allocation, but CmaTotal is 0: there is no CMA area, or each is dead",
    );
    of(&format!("$ uname -r\n5.4.1\n{meminfo}"))
        .begins("no failed CMA allocation, but CmaTotal is 0: there is no CMA area");
    let placed = "[    0.000000] cma: Reserved 64 MiB at 0xb0000000\n";
    of(&format!("{placed}{meminfo}")).has("CmaTotal is 0 though an area was placed");
    // A driver that got nothing had nobody to ask; a line of CMA is of another boot.
    let driver = of(&format!(
        "{}[    5.000000] foo 1.vpu: dma alloc of size 65536 failed\n{meminfo}",
        banner("6.1.0")
    ));
    driver.begins(
        "too_large (likely): 16 pages (64 KiB) were asked for, there is no area that can be used",
    );
    driver.has_not("lent to movable pages");
    let line =
        "[   10.000000] cma: cma_alloc: linux,cma: alloc failed, req-size: 16 pages, ret: -12\n";
    let line = of(&format!("{line}{meminfo}"));
    line.has("CmaTotal 0 kB, line 2 is of another boot");
    line.has_not("lent to movable pages");
}

#[test]
fn what_a_parameter_made_is_grown_by_that() {
    let said = of(
        "[   10.000000] cma: __cma_alloc_frozen: numa1: alloc failed, req-size: 999 pages, ret: -16\n\
                   [   10.000000] cma: number of available pages: \n\
                   [   10.000000] cma: range 0: 8@0\n[   10.000000] cma: \n\
                   [   10.000000] => 8 free of 512 total pages\n",
    );
    said.has("a larger `numa_cma=` on the command line");
}

#[test]
fn the_step_of_other_architectures_is_said_or_left_open() {
    let boot = "[    0.000000] Reserved memory: incorrect alignment of CMA region\n\
                [    0.000000] OF: reserved mem: node linux,cma compatible matching fail\n";
    let linux = |compiler: &str| {
        format!(
            "[    0.000000] Linux version 6.6.20 (a@b) ({compiler}-gcc (GCC) 13.2) #1 SMP\n{boot}"
        )
    };
    let riscv = of(&linux("riscv64-unknown-linux-gnu"));
    riscv.has("its base or its size is no multiple of this kernel's 2 MiB");
    riscv.has("Give base and size in multiples of 2 MiB (0x200000)");
    let mips = of(&linux("mipsel-linux-gnu"));
    mips.has("its base or its size is no multiple of the kernel's step (lines 2, 3)");
    mips.has("the step of this architecture is not known");
    mips.has_not("MiB");
    // Nothing is off a step that is not known.
    let tree = "pool@100000 {\ncompatible = \"shared-dma-pool\";\nreusable;\nreg = <0x100000 0x1100000>;\n};\n";
    of(&(linux("mipsel-linux-gnu") + tree)).has_not("was refused: neither");
    let meminfo = "Hugepagesize:       2048 kB\nPage block order: 8\n";
    of(&(linux("powerpc64le-linux-gnu") + meminfo))
        .has("the step of this architecture is not known");
    of(&(linux("powerpc64le-linux-gnu") + "$ getconf PAGESIZE\n65536\n" + meminfo))
        .has("no multiple of this kernel's 16 MiB");
}

/// A tree with an area of 64 MiB.
fn tree(text: &str) -> String {
    format!(
        "/ {{\n#address-cells = <2>;\n#size-cells = <2>;\nmemory@40000000 {{\ndevice_type = \"memory\";\n\
         reg = <0x0 0x40000000 0 0x80000000>;\n}};\nreserved-memory {{\n#address-cells = <2>;\n\
         #size-cells = <2>;\nranges;\nlinux_cma: linux,cma {{\ncompatible = \"shared-dma-pool\";\n\
         reusable;\nsize = <0 0x4000000>;\nlinux,cma-default;\n{text}\n}};\n}};\n}};\n"
    )
}

#[test]
fn alloc_ranges_are_held_against_the_memory_of_the_tree() {
    let outside = tree("alloc-ranges = <0 0xc0000000 0 0x10000000>;");
    let said = of(&outside);
    said.begins("no failed CMA allocation, but node linux,cma of 64 MiB");
    said.has(
        "its alloc-ranges (0xc0000000 to 0xcfffffff) have none of the memory that the device tree \
         states, unless the boot loader changes that (lines 4, 12). Let alloc-ranges name memory",
    );
    of(&tree("alloc-ranges = <0 0xbf000000 0 0x10000000>;")).has_not("none of the memory");
    // A boot says more than the tree: its blocks, and that there was no place.
    let boot = "[    0.000000] OF: reserved mem: failed to allocate memory for node 'linux,cma': size 64 MiB\n";
    of(&format!("{boot}{outside}")).begins(
        "no failed CMA allocation, but node linux,cma of 64 MiB was not placed: its alloc-ranges",
    );
    let blocks = "[    0.000000]   node   0: [mem 0x0000000040000000-0x00000000dfffffff]\n";
    of(&format!("{blocks}{outside}")).has_not("none of the memory");
    // What the boot loader fills in is not known.
    let filled = outside.replace("reg = <0x0 0x40000000 0 0x80000000>", "reg = <0 0 0 0>");
    of(&filled).has_not("none of the memory");
}

#[test]
fn changes_of_a_node_are_of_that_node() {
    let changed = |text: &str| of(&(tree("") + text));
    let is_32 = |said: &Said| {
        said.has("node linux,cma of 32 MiB: what became of it is not in the text");
        said.has_not("64 MiB");
    };
    is_32(&changed("&linux_cma { size = <0 0x2000000>; };\n"));
    is_32(&changed("&{/reserved-memory/linux,cma} {\n\tsize = <0 0x2000000>;\n};\n"));
    let overlay = |target: &str| {
        format!(
            "/dts-v1/;\n/plugin/;\n/ {{\n\tfragment@0 {{\n\t\t{target};\n\t\tfrag0: __overlay__ {{\n\
             \t\t\tsize = <0 0x2000000>;\n\t\t}};\n\t}};\n}};\n"
        )
    };
    is_32(&changed(&overlay("target = <&linux_cma>")));
    is_32(&changed(&overlay("target-path = \"/reserved-memory/linux,cma\"")));
    is_32(&changed(&overlay("target = <&{/reserved-memory/linux,cma}>")));
    // The last one of two counts.
    let two = "&linux_cma { size = <0 0x3c000000>; };\n\
               &{/reserved-memory/linux,cma} { size = <0 0x2000000>; };\n";
    let two = of(two);
    two.has("node &linux_cma of 32 MiB");
    two.has_not("960 MiB");
    // Others have a size, too.
    let said = of(&overlay("target = <&eeprom>"));
    said.begins("no failed CMA allocation in this log");
    said.has_not("eeprom");
    of(&overlay("target = <&cma>")).has("node &cma of 32 MiB");
    // A boot calls it by its name.
    let boot = "[    0.000000] Reserved memory: created CMA memory pool at 0x7e000000, size 32 MiB\n\
                [    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n";
    of(&format!("{boot}&linux_cma {{\nsize = <0 0x2000000>;\n}};\n")).has_not("says nothing of it");
}

#[test]
fn a_device_of_an_overlay_is_called_as_its_target() {
    let said = of(&format!(
        "[   10.000000] cma: cma_alloc: reserved: alloc failed, req-size: 16 pages, ret: -12\n\
         {}/ {{\nfragment@1 {{\ntarget = <&vpu>;\n__overlay__ {{\nmemory-region = <&vpu_pool>;\n}};\n}};\n}};\n",
        tree("").replace("linux_cma: linux,cma", "vpu_pool: vpu").replace("linux,cma-default;", "")
    ));
    said.begins(
        "16 pages failed in area reserved, the default one: the memory-region of &vpu (node vpu)",
    );
}

#[test]
fn of_hugetlb_cma_only_a_part_was_placed() {
    let said = of("[    0.000000] Linux version 6.8.0 (a@b) (x86_64-linux-gnu-gcc-13) #45\n\
         [    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz root=UUID=x ro hugetlb_cma=16G\n\
         [    0.028843] hugetlb_cma: reserve 16384 MiB, up to 8192 MiB per node\n\
         [    0.030000] cma: Reserved 8192 MiB at 0x0000000880000000 on node 0\n\
         [    0.030001] hugetlb_cma: reserved 8192 MiB on node 0\n\
         [    0.040000] cma: Failed to reserve 8192 MiB\n\
         [    0.040001] hugetlb_cma: reservation failed: err -12, node 1\n");
    said.begins(
        "no failed CMA allocation, but area hugetlb1 of hugetlb_cma= of 8192 MiB was not placed",
    );
    said.has("area hugetlb0 of hugetlb_cma= of 8192 MiB was placed at 0x880000000");
    said.has(
        "; of all 16384 MiB of hugetlb_cma= 8192 MiB are there (lines 2, 3, 6, 7). Ask for less",
    );
    // In 7.3 with a share, and without the lines of cma.
    let said = of("[    0.028843] hugetlb_cma: reserve 16384 MiB (25%), up to 8192 MiB per node\n\
                   [    0.030001] hugetlb_cma: reserved 8192 MiB on node 0\n\
                   [    0.040001] hugetlb_cma: reserved area spans zones: err 0, node 1\n");
    said.has("area hugetlb0 of hugetlb_cma= of 8192 MiB was placed");
    said.begins("no failed CMA allocation, but area hugetlb1 of hugetlb_cma= is dead");
    said.has("of all 16384 MiB of hugetlb_cma= 8192 MiB are there");
}

#[test]
fn every_message_of_hugetlb_cma_is_read() {
    for (line, fate) in [
        ("invalid node 3 specified", "was refused: this machine has no node 3 of memory"),
        ("invalid percentage 120", "was refused: that share of the memory is above 100 %"),
        (
            "reservation size rounded down to 0 from 512 MiB (1%)",
            "was refused: that share of the memory is above 100 % or below a gigantic page",
        ),
        ("the option isn't supported by current arch", "was refused: this architecture has no"),
        ("cma area of node 1 must be a multiple of 1024 MiB", "was refused: it is no multiple"),
    ] {
        of(&format!("[    0.028843] hugetlb_cma: {line}\n")).has(fate);
    }
    let whole = "[    0.1] hugetlb_cma: reserve 3072 MiB, up to 3072 MiB per node\n\
                 [    0.1] cma: Reserved 3072 MiB at 0x0000000100000000 on node 0\n\
                 [    0.1] hugetlb_cma: reserved 3072 MiB on node 0\n";
    of(whole).begins("no failed CMA allocation in this log");
    // A gigantic page is asked for at its own order, and has ways out.
    let failed =
        "[   10.0] cma: cma_alloc: hugetlb0: alloc failed, req-size: 262144 pages, ret: -12\n";
    let said = of(&format!("{whole}{failed}"));
    said.has("262144 pages (1024 MiB), order 18 (as gigantic pages are asked for: the log does not show it)");
    said.has("the area has 786432 (3145728 kB reserved at boot, line 2)");
    said.has_not("got nothing");
}

#[test]
fn what_became_of_the_area_of_a_crash_kernel() {
    let boot = "[    0.000000] cma: Reserved 64 MiB at 0x00000000b0000000\n\
                [    0.000000] Kernel command line: crashkernel=256M crashkernel=256M,cma cma=64M\n";
    let reserved = "[    0.000000] cma: Reserved 256 MiB at 0x0000000080000000\n\
                    [    0.000000] crashkernel CMA reserved: 256 MB in 1 ranges\n";
    let said = of(&format!("{boot}{reserved}"));
    said.begins("no failed CMA allocation in this log");
    said.has("cma=64M has 64 MiB at 0xb0000000");
    said.has("crashkernel=,cma of 256 MiB was placed");
    // Half of it, in vain, and a quarter.
    let part = "[    0.000000] cma: Failed to reserve 256 MiB\n\
                [    0.000000] cma: Failed to reserve 128 MiB\n\
                [    0.000000] cma: Reserved 64 MiB at 0x0000000080000000\n\
                [    0.000000] cma: Failed to reserve 32 MiB\n\
                [    0.000000] crashkernel CMA reservation failed: 256 MB requested, 64 MB reserved in 1 ranges\n";
    let said = of(&format!("{boot}{part}"));
    said.begins("no failed CMA allocation, but crashkernel=,cma of 256 MiB was not placed: only 64 MiB were found");
    said.has("cma=64M has 64 MiB at 0xb0000000");
    said.has_not("cma=64M was not placed");
    let none = "[    0.000000] crashkernel CMA reservation failed: 64 MB requested, 0 MB reserved in 0 ranges\n";
    of(none).begins(
        "no failed CMA allocation, but crashkernel=,cma of 64 MiB was not placed: no free piece was found, down",
    );
    of("[    0.000000] crashkernel CMA reservation not supported\n")
        .has("crashkernel=,cma was refused: this architecture has no ,cma there");
}

#[test]
fn another_boot_without_a_banner_is_seen_where_it_says_otherwise() {
    let boot = |mib: u64| {
        format!(
            "[    0.000000] Reserved memory: created CMA memory pool at 0x00000000a0000000, size 24 MiB\n\
             [    0.000000] OF: reserved mem: initialized node vpu_pool, compatible id shared-dma-pool\n\
             [    0.000000] cma: Reserved {mib} MiB at 0x00000000b0000000\n\
             [    0.000000] Kernel command line: console=ttyS0 cma={mib}M\n"
        )
    };
    let failed = "[   12.000000] mydrv 1.video: dma alloc of size 50331648 failed\n";
    let said = of(&format!("{}{failed}{}{failed}", boot(32), boot(256)));
    said.has("the text has 2 boots: this is of the last one");
    said.has("cma=256M has 256 MiB at 0xb0000000 (lines 8, 9)");
    said.has("node vpu_pool of 24 MiB was placed at 0xa0000000 (lines 6, 7)");
    said.has_not("cma=32M");
    // Each request is bounded by its own boot.
    said.has("too_large (likely): 12288 pages (48 MiB) were asked for, the largest area has 8192 (32768 kB");
    said.has("the largest area has 65536 (262144 kB reserved at boot, line 8)");
    // A line of CMA is seen, too.
    let line =
        "[   12.000000] cma: cma_alloc: reserved: alloc failed, req-size: 16 pages, ret: -12\n";
    of(&format!("{}{line}{}", boot(32), boot(256))).has("the text has 2 boots");
    // Each of the lines that a boot has once is enough.
    let only = |part: &str, mib| {
        let lines = boot(mib)
            + &format!(
                "[    0.000000] Memory: 1K/2K available (1K reserved, {mib}K cma-reserved)\n"
            );
        let lines = lines.lines().filter(|line| line.contains(part));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    for part in ["cma: Reserved", "command line", "cma-reserved"] {
        let text = format!("{}{failed}{}", only(part, 32), only(part, 256));
        of(&text).has("the text has 2 boots");
        of(&format!("{}{failed}{}", only(part, 32), only(part, 32))).has_not("boots");
    }
    // The same boot again, or a piece of it.
    let same = of(&format!("{}{failed}{}", boot(32), boot(32)));
    same.has_not("boots");
    let piece = boot(32).lines().skip(2).map(|line| format!("{line}\n")).collect::<String>();
    of(&format!("{piece}{failed}{}", boot(32))).has_not("boots");
    // Stamps that go back alone say nothing.
    of(&format!("{failed}{}", boot(32))).has_not("boots");
}

/// Two boots of one kernel, of which the first had no failure, with `lines` between them.
fn two_boots(lines: &str) -> Said {
    let boot = |words: &str, area: &str| {
        banner("6.1.20")
            + &format!("[    0.000000] Kernel command line: root=/dev/a {words}\n")
            + &format!("[    0.000000] cma: Reserved {area}\n")
    };
    of(&(boot("cma=128M", "128 MiB at 0x00000000f8000000")
        + lines
        + &boot("", "32 MiB at 0x00000000fe000000")
        + "[   44.0] cma: cma_alloc: reserved: alloc failed, req-size: 2000 pages, ret: -12\n"))
}

#[test]
fn a_second_banner_begins_another_boot_where_a_line_differs() {
    for lines in ["", "[    1.000000] usb 1-1: new device\n", "[   50.000000] usb 1-1: gone\n"] {
        let said = two_boots(lines);
        said.has("the area has 8192 (32768 kB reserved at boot, line ");
        said.has("of 32 MiB was placed at 0xfe000000");
        said.has_not("128 MiB");
    }
    // The same boot twice is one.
    let boot = banner("6.1.20")
        + "[    0.000000] Kernel command line: root=/dev/a cma=128M\n\
           [    0.000000] cma: Reserved 128 MiB at 0x00000000f8000000\n";
    let once = of(&boot);
    once.has("cma=128M has 128 MiB at 0xf8000000");
    let twice = of(&boot.repeat(2));
    twice.has("cma=128M has 128 MiB at 0xf8000000");
    twice.has_not("2 boots");
}

#[test]
fn a_banner_that_is_cut_tells_kernels_apart_by_the_release() {
    let boot = |release: &str, area: &str| {
        format!(
            "[    0.000000] Linux version {release} (x@y) aarch64\n\
             [    0.000000] cma: Reserved {area}\n"
        )
    };
    let said = of(&(boot("6.1.2", "128 MiB at 0x00000000f8000000")
        + &boot("6.1.20", "32 MiB at 0x00000000fe000000")));
    said.has("of 32 MiB was placed");
    said.has_not("128 MiB");
}

#[test]
fn what_failed_before_another_boot_takes_nothing_of_it() {
    let failed = "Sep 01 01:43:09 h kernel: cma: cma_alloc: reserved: alloc failed, req-size: 2025 \
         pages, ret: -12\n";
    let driver = "Sep 01 01:43:10 h kernel: imx-drm display-subsystem: [drm] *ERROR* failed to \
                  allocate buffer with size 8294400\n";
    let next = "-- Boot 2b1c4dfe0c0f4d5b8d9d --\n\
                Sep 01 01:43:10 h kernel: Linux version 6.6.1 (x@y) (gcc) #1 SMP aarch64\n";
    of(&format!("{failed}{driver}")).has("imx-drm display-subsystem reported it (line 2)");
    let said = of(&format!("{failed}{next}{driver}"));
    said.has("2 failures");
    said.has_not("line 1; kernel 6.6.1");
    said.has_not("reported it (line 1)");
}

#[test]
fn a_size_that_cma_does_not_ask_for_is_not_its() {
    let boot = |words: &str, lines: &str| {
        of(&format!(
            "{}[    0.000000] Command line: BOOT_IMAGE=/vmlinuz {words}\n{lines}",
            banner("6.17.4")
        ))
    };
    let tried = "[    0.000000] cma: Failed to reserve 4096 MiB\n\
                 [    0.000000] cma: Failed to reserve 2048 MiB\n";
    let found = "[    0.000000] cma: Reserved 1024 MiB at 0x0000000080000000\n";
    let own = "[    0.000000] cma: Reserved 64 MiB at 0x0000000078000000\n";
    for lines in [[own, tried, found], [tried, found, own]] {
        let said = boot("crashkernel=4G,cma cma=64M", &lines.concat());
        said.begins(
            "no failed CMA allocation, but crashkernel=,cma of 4096 MiB was not placed: only 1024 \
             MiB were found",
        );
        said.has("cma=64M has 64 MiB at 0x78000000");
        said.has_not("cma=64M was not placed");
        said.has_not("cma=64M has 1024 MiB");
    }
    // Of nobody who is known, also without that parameter.
    let said = boot("cma=64M", &[own, tried].concat());
    said.has("an area without a name of 4096 MiB was not placed");
    said.has_not("cma=64M was not placed");
    let said = boot("cma=64M", "[    0.000000] cma: Failed to reserve 64 MiB\n");
    said.has("cma=64M was not placed");
    // Older kernels round up to a step first.
    let said = boot("cma=63M", "[    0.000000] cma: Failed to reserve 64 MiB\n");
    said.has("cma=63M was not placed");
}

#[test]
fn a_dead_area_in_one_zone_is_not_said_to_span_two() {
    let boot = |end: &str| {
        of(&format!(
            "{}[    0.000000] cma: Reserved 64 MiB at 0x0000000078000000\n\
             [    0.000000] Zone ranges:\n\
             [    0.000000]   DMA      [mem 0x0000000040000000-{end}]\n\
             [    0.000000]   Normal   [mem 0x000000007a000000-0x00000000ffffffff]\n\
             [    0.040000] cma: CMA area reserved could not be activated\n",
            banner("6.1.20")
        ))
    };
    boot("0x0000000079ffffff").has("is dead: it spans two zones");
    let said = boot("0x00000000ffffffff");
    said.has("it lies in one zone (0x40000000 to 0xffffffff), so that is not why");
    said.has_not("spans two zones");
}

#[test]
fn of_a_tree_alone_nothing_is_said_to_be_placed() {
    let said = of("/ { reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;\n\
         a: a@80000000 { compatible = \"shared-dma-pool\"; reusable; no-map; \
         reg = <0x80000000 0x1000000>; };\n\
         linux,cma { compatible = \"shared-dma-pool\"; reusable; size = <0x4000000>; \
         linux,cma-default; };\n\
         big,cma { compatible = \"shared-dma-pool\"; reusable; size = <0x8000000>; \
         linux,cma-default; };\n}; };\n");
    said.has("node a@80000000 of 16 MiB was refused: it has `no-map` beside `reusable`");
    said.has("node linux,cma of 64 MiB is not the default area: node big,cma has");
    said.has_not("was placed");
}

#[test]
fn a_kernel_without_dma_cma_is_said_to_be_one() {
    let board = |config: &str, total: u64| {
        format!(
            "$ zcat /proc/config.gz | grep CMA\nCONFIG_CMA=y\n{config}\n$ uname -r\n5.10.110\n\
             $ cat /proc/cmdline\nconsole=ttyS2 root=/dev/mmcblk0p2 cma=512M\n\
             $ grep Cma /proc/meminfo\nCmaTotal: {total} kB\nCmaFree: 0 kB\n"
        )
    };
    let off = "# CONFIG_DMA_CMA is not set";
    of(&board(off, 0)).begins("no failed CMA allocation, but cma=512M was refused");
    of(&board(off, 0)).has("do: cma=512M: build the kernel with CONFIG_DMA_CMA=y");
    of(&board("CONFIG_DMA_CMA=y", 0)).has("cma=512M had no effect");
    // The configuration is another kernel's.
    of(&board(off, 524_288)).has_not("build the kernel");
    let failed = "[   33.0] foo 1000.isp: dma alloc of size 12582912 failed\n";
    let said = of(&(board(off, 0) + failed));
    said.has("a kernel with CONFIG_DMA_CMA=y, and then `cma=12M`");
    said.has_not("right after a boot says why");
}

#[test]
fn a_pool_that_a_device_names_is_said_not_to_be_in_effect() {
    let tree = "reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n\
                cam_mem: cam@94000000 { compatible = \"shared-dma-pool\"; \
                reg = <0 0x94000000 0 0x2000000>; };\n};\n&cam { memory-region = <&cam_mem>; };\n";
    let boot = banner("6.6.63")
        + "[    0.000000] Reserved memory: created DMA memory pool at 0x0000000094000000, size 32 MiB\n\
           [    0.000000] OF: reserved mem: initialized node cam@94000000, compatible id \
           shared-dma-pool\n\
           [    0.000000] cma: Reserved 16 MiB at 0x00000000bf000000 on node -1\n";
    let failed = "[   23.0] cma: cma_alloc: reserved: alloc failed, req-size: 2025 pages, ret: -12\n\
                  [   23.0] cam 32e40000.cam: dma alloc of size 8294400 failed\n";
    of(&format!("{tree}{boot}")).has("node cam@94000000 of 32 MiB became a DMA pool");
    of(&format!("{tree}{boot}{failed}")).has("the memory-region of &cam (node cam@94000000)");
    of(&format!("{boot}{failed}")).has_not("cam@94000000");
}

#[test]
fn a_kernel_before_4_1_is_offered_what_it_has() {
    let old = |release: &str, bytes: u64| {
        of(&format!(
            "[    0.000000] Linux version {release} (x@y) (gcc version 4.9.2) #1 SMP armv7l\n\
             [    0.000000] cma: CMA: reserved 320 MiB at 3c000000\n\
             [   30.4] coda 2040000.vpu: dma_alloc_coherent of size {bytes} failed\n"
        ))
    };
    old("3.14.52", 419_430_400).has("too_large (likely): 102400 pages (400 MiB) were asked for");
    let said = old("3.14.52", 4_194_304);
    said.has("of 320 MiB was placed at 0x3c000000");
    said.has_not("events/cma");
    said.has_not("/debug/cma/");
    said.has_not("CONFIG_CMA_DEBUG=y");
    said.has("'file drivers/base/dma-contiguous.c +p'");
    let said = old("4.4.1", 4_194_304);
    said.has("events/cma");
    said.has("it takes a rebuilt kernel: CONFIG_CMA_DEBUGFS=y.");
    old("4.14.1", 4_194_304).has("CONFIG_CMA_DEBUG=y with");
}

#[test]
fn what_sets_the_size_of_an_area_goes_by_the_boot() {
    let board = |release: &str, words: &str| {
        of(&format!(
            "[    0.000000] Linux version {release} (a@b) (gcc version 7.3.0) #1 SMP aarch64\n\
             [    0.000000] Reserved memory: created CMA memory pool at 0x0000000056000000, size \
             320 MiB\n\
             [    0.000000] OF: reserved mem: initialized node linux,cma, compatible id \
             shared-dma-pool\n\
             [    0.000000] Kernel command line: root=/dev/mmcblk2p2{words}\n\
             [  121.5] cma: cma_alloc: alloc failed, req-size: 2048 pages, ret: -12\n\
             [  121.5] cma: number of available pages: 100@100=> 100 free of 81920 total pages\n"
        ))
    };
    for words in ["", " cma=400M"] {
        let said = board("4.14.98", words);
        said.has("do: make the area 328 MiB (83968 pages): `size = <0x14800000>`");
        said.has_not("cma=328M");
        said.has_not("CONFIG_CMA_SIZE_MBYTES");
    }
    board("5.10.98", "").has("in its node, or `cma=328M` on the command line");
}
