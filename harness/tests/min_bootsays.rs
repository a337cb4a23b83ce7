//! Small inputs whose trouble is at boot, each with what is right: `corpora/logs/min`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

fn run(path: &Path, args: &[&str]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = run.arg("diagnose").arg(path).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The first line, all text without line ends, and the object.
struct Said {
    first: String,
    text: String,
    object: Value,
}

fn of(path: &Path) -> Said {
    let text = run(path, &[]);
    let html = run(path, &["--format", "html"]);
    assert_eq!(html.contains("At boot"), text.contains("\n  boot "), "{text}");
    Said {
        first: text.lines().next().unwrap().to_string(),
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        object: serde_json::from_str(&run(path, &["--format", "json"])).unwrap(),
    }
}

fn min(name: &str) -> Said {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/min");
    of(&folder.join(name))
}

fn written(text: &str) -> Said {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    of(&path)
}

impl Said {
    fn has(&self, part: &str) {
        assert!(self.text.contains(part), "{part:?} in {}", self.text);
    }

    fn begins(&self, part: &str) {
        assert!(self.first.starts_with(part), "{part:?} in {}", self.first);
    }

    fn area(&self, index: usize, key: &str) -> &Value {
        &self.object["boot"][index][key]
    }
}

#[test]
fn k11a_the_longest_block_is_too_short_for_the_node() {
    let said = min("k11a-boot-node-not-placed.txt");
    said.begins("no failed CMA allocation, but node linux,cma of 960 MiB was not placed: ");
    said.has(
        "the longest memory block has 956 MiB (0x94400000 to 0xcfffffff), so at most 0x3bc00000",
    );
    said.has("the default area that was made instead has 320 MiB, not 960 MiB (lines 1, 2, 5)");
    said.has("size = <0x3b000000> (944 MiB)");
    let fate = (said.area(0, "fate"), said.area(0, "reason"), said.area(0, "asked_bytes"));
    assert_eq!(fate, (&"not_placed".into(), &"longest_block".into(), &(960u64 << 20).into()));
    assert_eq!(
        (said.area(1, "area"), said.area(1, "bytes")),
        (&"reserved".into(), &(320u64 << 20).into())
    );
}

#[test]
fn k11b_the_area_has_6_mib_and_not_512() {
    let said = min("k11b-boot-fallback-small.txt");
    said.has("node linux,cma of 512 MiB was not placed");
    said.has("has 6 MiB, not 512 MiB (lines 1, 2)");
}

#[test]
fn k11d_an_area_in_two_zones_is_dead() {
    let said = min("k11d-boot-not-activated.txt");
    said.begins("no failed CMA allocation, but area hugetlb1 of hugetlb_cma= of 4096 MiB is dead");
    said.has("CmaTotal (4096 MiB) counts it up to 5.11 and does not from 5.12 on");
    said.has("Take kernelcore= or movablecore= off");
    let text =
        "[0.0] Linux version 6.1.55 (a@b) #1\n[0.2] cma: CMA area vpu could not be activated\n";
    written(text).has("area vpu is dead: it spans two zones and could not be activated; CmaTotal does not count it");
}

#[test]
fn k11f_cma_on_the_command_line_had_no_effect() {
    let said = min("k11f-cmdline-without-effect.txt");
    said.begins("no failed CMA allocation, but cma=1G had no effect: CmaTotal is 0");
    // An area of that size is one.
    let text =
        "$ cat /proc/cmdline\ncma=1G quiet\n$ grep Cma /proc/meminfo\nCmaTotal:  1048576 kB\n";
    written(text).begins("no failed CMA allocation in this log");
}

#[test]
fn k11g_a_node_below_the_step_is_refused() {
    let said = min("k11g-dts-too-small-for-alignment.txt");
    said.begins(
        "no failed CMA allocation, but node fb@0 of 1 MiB was refused: 1 MiB is no multiple of",
    );
    said.has("4 MiB (lines 3, 5). Give it 4 MiB (0x400000)");
    said.has("32-bit arm");
}

#[test]
fn k13a_the_memory_region_of_a_device_is_not_in_effect() {
    let said = min("k13a-area-is-not-the-devices.txt");
    said.begins(
        "2025 pages failed in area reserved, the default one: the memory-region of &video (node \
         jpegbuffer) is not in effect; ",
    );
    // The boot comes before the numbers of the failure.
    let [boot, why] = [" boot ", " request "].map(|label| said.text.find(label).unwrap());
    assert!(boot < why, "{}", said.text);
    said.has("node jpegbuffer of 32 MiB is the memory-region of &video, and is not in effect");
    // Its size is not that of the default area, which is made by the command line or Kconfig.
    assert!(!said.text.contains("8192"), "{}", said.text);
    // Where its own area is asked, it is.
    let text = "v: pool { size = <0x2000000>; compatible = \"shared-dma-pool\"; reusable; };\n\
                &video { memory-region = <&v>; };\n\
                cma: cma_alloc: pool: alloc failed, req-size: 2025 pages, ret: -12\n";
    assert_eq!(*written(text).area(0, "fate"), "unknown");
}

#[test]
fn what_the_command_line_overrides_is_in_the_first_line() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/boots");
    let said = of(&path.join("cmd-k612-cma128-two.txt"));
    let first = "no failed CMA allocation, but node linux,cma was left out: cma= on the command line \
                 overrides it";
    assert_eq!(said.first, first);
    assert!(!said.text.contains("A failed allocation looks like"), "{}", said.text);
}

/// An arm64 board with pages of 64 KiB and an area of 320 MiB: the step is 512 MiB.
#[test]
fn with_pages_of_64_kib_the_step_is_512_mib() {
    let said = written(
        "[    0.000000] Linux version 6.6.22-64k (a@b) (aarch64-linux-gnu-gcc-12) #1 SMP\n\
         [    0.000000] Reserved memory: incorrect alignment of CMA region\n\
         [    0.000000] OF: reserved mem: node linux,cma compatible matching fail\n\
         [    0.000000] cma: Reserved 512 MiB at 0x0000000020000000 on node -1\n\
         reserved-memory {\n  #address-cells = <2>;\n  #size-cells = <1>;\n  cma: linux,cma {\n\
         compatible = \"shared-dma-pool\";\n size = <0x4000000>; /* 64MB */\n reusable;\n\
         linux,cma-default;\n  };\n};\n",
    );
    said.has(
        "node linux,cma of 64 MiB was refused: 64 MiB is no multiple of this kernel's 512 MiB",
    );
    said.has("the default area that was made instead has 512 MiB, not 64 MiB");
    said.has("Give it 512 MiB (0x20000000)");
    said.has("pages have 64 KiB: the kernel's name");
}

#[test]
fn up_to_5_9_a_default_node_counts_more_than_the_command_line() {
    let said = written(
        "[    0.000000] Linux version 4.14.98-imx (a@b) (aarch64-poky-linux-gcc) #1\n\
         [    0.000000] Reserved memory: created CMA memory pool at 0x0000000070000000, size 640 MiB\n\
         [    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n\
         [    0.000000] Kernel command line: console=ttymxc1 cma=320M\n",
    );
    said.begins("no failed CMA allocation, but cma=320M had no effect: node linux,cma");
    assert_eq!(*said.area(0, "bytes"), 640u64 << 20);
}

#[test]
fn of_several_nodes_one_has_no_memory() {
    let said = written(
        "OF: reserved mem: failed to allocate memory for node 'gpu_pool': size 512 MiB\n\
         Reserved memory: created CMA memory pool at 0x00000000b0000000, size 64 MiB\n\
         OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n\
         Early memory node ranges\n  node   0: [mem 0x0000000080000000-0x00000000bfffffff]\n",
    );
    said.begins("no failed CMA allocation, but node gpu_pool of 512 MiB was not placed");
    assert_eq!(*said.area(1, "fate"), "placed");
    // It is no default area: nothing was made in its place.
    assert_eq!(said.area(0, "instead_bytes"), &Value::Null);
}

#[test]
fn a_place_across_low_memory_and_one_off_the_step_are_said() {
    let said = written(
        "Kernel command line: cma=256M@0x28000000\n\
         cma: Region at 0x28000000 defined on low/high memory boundary (0x30000000)\n\
         cma: Failed to reserve 256 MiB\n",
    );
    said.has(
        "cma=256M@0x28000000 was not placed: it would lie across the end of low memory, 0x30000000",
    );
    let said = written(
        "Kernel command line: cma=64M@0x50100000\n\
         cma: Region at 0x0000000050100000 must be aligned to 0x0000000000200000 bytes\n\
         cma: Failed to reserve 64 MiB on node -1\n",
    );
    said.has("its base 0x50100000 is no multiple of this kernel's 2 MiB");
    said.has("Let it begin at 0x50000000 or 0x50200000");
    said.has("as the kernel prints it");
}

#[test]
fn what_7_3_prints_is_not_what_it_has() {
    let said = written(
        "[0.0] Linux version 7.3.4-arm64 (a@b) (aarch64-linux-gnu-gcc) #1\n\
         [0.0] cma: Reserved 33 MiB at 0x000000007d800000\n\
         [0.0] Kernel command line: cma=33M\n\
         [0.1] Memory: 900000K/1048576K available (76636K reserved, 34816K cma-reserved)\n",
    );
    said.has("cma=33M has 34 MiB at 0x7d800000, rounded up from 33 MiB (the kernel prints 33 MiB)");
}

#[test]
fn without_dma_cma_a_reusable_node_becomes_no_area() {
    let said = written(
        "linux,cma {\n\tcompatible = \"shared-dma-pool\";\n\treusable;\n\tsize = <0x0 0x10000000>;\n\
         \tlinux,cma-default;\n};\n\
         [    0.000000] OF: reserved mem: node linux,cma compatible matching fail\n",
    );
    said.has("CONFIG_DMA_CMA is off in this kernel");
    said.has("build the kernel with CONFIG_DMA_CMA=y");
}

/// 32-bit arm has 4 MiB on every kernel; of an i.MX the configuration decides.
#[test]
fn on_32_bit_arm_the_step_is_4_mib() {
    let boot = "[0.0] Linux version 6.6.3 (a@b) (arm-linux-gnueabihf-gcc) #1 SMP\n\
                [0.0] MODEL\n\
                [0.0] Reserved memory: incorrect alignment of CMA region\n\
                [0.0] OF: reserved mem: node vpu@12200000 compatible matching fail\n";
    written(boot).has("its base 0x12200000 is no multiple of this kernel's 4 MiB");
    let imx = boot.replace("MODEL", "OF: fdt: Machine model: Freescale i.MX6 Quad Board");
    written(&imx).has("no multiple of the kernel's step, 4 MiB or 32 MiB");
    let config = format!("{imx}CONFIG_ARCH_FORCE_MAX_ORDER=13\n");
    written(&config).has("no multiple of this kernel's 32 MiB");
}

/// What vendors print of memory that is no area is no trouble.
#[test]
fn pools_of_devices_are_no_areas() {
    let said = written(
        "Reserved memory: created DMA memory pool at 0x00000000b8400000, size 1 MiB\n\
         OF: reserved mem: initialized node vdevbuffer, compatible id shared-dma-pool\n\
         OF: reserved mem: 0xb8400000..0xb84fffff (1024 KiB) nomap non-reusable vdevbuffer\n\
         OF: reserved mem: 0xfe000000..0xffffffff (32768 KiB) nomap non-reusable optee@fe000000\n",
    );
    said.begins("no failed CMA allocation in this log");
    assert_eq!(said.object["boot"], Value::Array(Vec::new()));
}

#[test]
fn a_driver_s_bytes_are_pages_of_the_board() {
    let said = written(
        "[0.0] Linux version 6.12.117-16k (a@b) (aarch64-linux-gnu-gcc) #1 SMP\n\
         [5.0] cma: __cma_alloc: reserved: alloc failed, req-size: 257 pages, ret: -12\n\
         [5.0] vivid vivid.0: dma alloc of size 4210688 failed\n",
    );
    let failures = said.object["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "4210688 bytes are 257 pages of 16 KiB: {failures:?}");
}

const TWO: &str = "\
[    0.000000] Linux version 6.6.31 (a@b) (aarch64-linux-gnu-gcc) #1 SMP Mon
[    0.000000] OF: reserved mem: failed to allocate memory for node 'linux,cma': size 960 MiB
[    0.000000] cma: Reserved 32 MiB at 0x00000000be000000 on node -1
[   20.000000] reboot: Restarting system
[    0.000000] Linux version 6.6.31 (a@b) (aarch64-linux-gnu-gcc) #2 SMP Tue
[    0.000000] Reserved memory: created CMA memory pool at 0x0000000098000000, size 640 MiB
[    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool
";

#[test]
fn of_two_boots_the_last_one_is_told() {
    let said = written(TWO);
    said.has("the text has 2 boots: this is of the last one");
    said.has("node linux,cma of 640 MiB was placed at 0x98000000");
    assert!(!said.text.contains("960 MiB"), "{}", said.text);
    // The same kernel again, after a line that says that it restarts.
    let said = written(&TWO.replace("#2 SMP Tue", "#1 SMP Mon"));
    said.has("the text has 2 boots");
}

#[test]
fn one_boot_twice_is_one() {
    let boot: Vec<_> = TWO.lines().take(3).collect();
    let journal =
        boot.iter().map(|line| line.replace("[    0.000000]", "Jul 10 15:02:41 b kernel:"));
    let twice = format!("{}\n{}\n", boot.join("\n"), journal.collect::<Vec<_>>().join("\n"));
    let said = written(&twice);
    assert!(!said.text.contains("boots"), "{}", said.text);
    said.has("node linux,cma of 960 MiB was not placed");
    said.has("has 32 MiB, not 960 MiB");
}

#[test]
fn boots_of_a_journal_are_parted() {
    let said = written(
        "Jul 10 15:02:41 b kernel: Linux version 6.1.36 (a@b) (aarch64-linux-gnu-gcc) #1 SMP\n\
         Jul 10 15:02:41 b kernel: cma: Reserved 64 MiB at 0x00000000b0000000\n\
         -- Boot 1234567890abcdef --\n\
         Jul 11 15:02:41 b kernel: Linux version 6.1.36 (a@b) (aarch64-linux-gnu-gcc) #1 SMP\n\
         Jul 11 15:02:41 b kernel: cma: Reserved 512 MiB at 0x0000000090000000\n\
         Jul 11 15:03:42 b kernel: foo 1.vid: dma alloc of size 104857600 failed\n",
    );
    said.has("the text has 2 boots");
    assert_eq!(said.object["boot"].as_array().map(Vec::len), Some(1));
    assert!(!said.text.contains("larger than"), "{}", said.text);
}

#[test]
fn a_kernel_without_the_parameter_says_so() {
    let said = written(
        "[    0.000000] Linux version 6.6.31 (a@b) (arm-poky-linux-gnueabi-gcc (GCC) 11.3.0) #1 SMP\n\
         [    0.000000] Kernel command line: console=ttyS0 cma=256M\n\
         [    0.000000] Unknown kernel command line parameters \"cma=256M\", will be passed to user \
         space.\n",
    );
    said.begins(
        "no failed CMA allocation, but cma=256M was refused: this kernel does not know cma=",
    );
    said.has("CONFIG_DMA_CMA=y");
}

#[test]
fn the_step_of_a_board_whose_compiler_is_of_yocto() {
    let said = written(
        "[    0.000000] Linux version 5.15.71 (oe-user@oe-host) (arm-poky-linux-gnueabi-gcc (GCC) \
         11.3.0) #1 SMP\n\
         [    0.000000] Reserved memory: incorrect alignment of CMA region\n\
         [    0.000000] OF: reserved mem: node linux,cma compatible matching fail\n",
    );
    said.has("multiples of 4 MiB: 32-bit arm");
}

const CELLS: &str = "#address-cells = <2>; #size-cells = <2>; ranges;";

fn node(properties: &str) -> String {
    let pool = "compatible = \"shared-dma-pool\"; reusable;";
    format!("reserved-memory {{ {CELLS}\nlinux,cma {{ {pool} {properties} }};\n}};\n")
}

#[test]
fn ranges_are_cut_by_the_blocks_of_memory() {
    let ranged = node("size = <0 0x3c000000>; alloc-ranges = <0 0x40000000 0 0x80000000>;");
    let said = written(&format!(
        "{ranged}\
         [    0.000000] OF: reserved mem: failed to allocate memory for node 'linux,cma': size 960 MiB\n\
         [    0.000000]   node   0: [mem 0x0000000040000000-0x0000000056ffffff]\n\
         [    0.000000]   node   0: [mem 0x0000000090000000-0x000000017fffffff]\n",
    ));
    said.has("its alloc-ranges have room for 768 MiB");
    let said = written(&format!(
        "{ranged}\
         [    0.000000] OF: reserved mem: failed to allocate memory for node 'linux,cma': size 960 MiB\n\
         [    0.000000]   node   0: [mem 0x0000000040000000-0x000000017fffffff]\n",
    ));
    said.has("nothing in its alloc-ranges is free and large enough (");
    assert!(!said.text.contains("numbers are not in the text"), "{}", said.text);
}

#[test]
fn a_tree_alone_shows_what_cannot_be() {
    let said = written(&node("size = <0x28000000>; linux,cma-default;"));
    said.has("size = <0x0 0x28000000> where that is 2");
    let default = node("size = <0 0x4000000>; linux,cma-default;");
    let said = written(&default.replace(" reusable;", ""));
    said.has("node linux,cma of 64 MiB became no area");
    said.has("Add `reusable;` to the node");
    let two = default.replace(
        "};\n};",
        "};\nb { compatible = \"shared-dma-pool\"; reusable; \
         size = <0 0x2000000>; linux,cma-default; };\n};",
    );
    written(&two).has("node b has linux,cma-default too");
    let odd = node("reg = <0 0x50080000 0 0x2010000>;").replace("linux,cma", "cam@50080000");
    let said = written(&format!("Linux version 6.12.2 (a@b) (aarch64-linux-gnu-gcc) #1\n{odd}"));
    said.has(
        "neither its base 0x50080000 nor its size, 32832 KiB, is a multiple of the kernel's \
         step, 2 MiB or 32 MiB or 512 MiB",
    );
}

#[test]
fn the_border_in_a_dead_area_is_named() {
    let said = written(
        "[    0.000000] Kernel command line: console=ttyS0 ro\n\
         [    0.000000] Reserved memory: created CMA memory pool at 0x00000000f8000000, size 256 MiB\n\
         [    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n\
         [    0.300000] cma: CMA area linux,cma could not be activated\n",
    );
    said.has("Place it below or above 0x100000000");
    assert!(!said.text.contains("kernelcore"), "{}", said.text);
}

#[test]
fn a_pageblock_of_order_11_has_pages_of_16_kib() {
    let refused = "[    0.0] Reserved memory: incorrect alignment of CMA region\n\
                   [    0.0] OF: reserved mem: node cam compatible matching fail\n";
    written(&format!("Page block order: 11\n{refused}")).has("this kernel's 32 MiB");
    let said = written(&format!("Page block order: 13\n{refused}"));
    assert!(!said.text.contains("a pageblock, by its order"), "{}", said.text);
    let said = written(&format!("PAGESIZE                 65536\nPage block order: 13\n{refused}"));
    said.has("this kernel's 512 MiB");
}

#[test]
fn what_the_text_rules_out_is_not_said() {
    let said = written(
        "[    0.000000] OF: reserved mem: node linux,cma compatible matching fail\n\
         CONFIG_DMA_CMA=y\n",
    );
    said.has("it has no `reusable` (");
    assert!(!said.text.contains("CONFIG_DMA_CMA is off"), "{}", said.text);
    let said = written(
        "[    0.000000] Kernel command line: root=/dev/sda1 cma=256M\n\
         [    0.1] Memory: 16000000K/16700000K available (500000K reserved, 0K cma-reserved)\n",
    );
    said.has("cma=256M had no effect: the boot says 0K cma-reserved");
}
