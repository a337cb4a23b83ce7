//! What to do first (`do:`), for small inputs: the same words in text, JSON and the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn run(path: &Path, format: &str) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    let output = run.arg("diagnose").arg(path).args(["--format", format]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The step, which is the second line of the text.
fn step(path: &Path) -> String {
    let object: serde_json::Value = serde_json::from_str(&run(path, "json")).unwrap();
    let said = object["do"].as_str().expect("a step").to_string();
    let text = run(path, "text");
    let lines: Vec<_> = text.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    let shown: Vec<_> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    assert_eq!(shown.join(" "), format!("do: {said}"), "{text}");
    assert!(run(path, "html").contains("<b>Do: </b>"));
    said
}

fn min(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs/min");
    step(&folder.join(name))
}

/// The JSON of a text.
fn found(text: &str) -> serde_json::Value {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    serde_json::from_str(&run(&path, "json")).unwrap()
}

fn written(text: &str) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    step(&path)
}

#[test]
fn what_is_known_is_done_and_what_is_not_is_looked_up() {
    for (name, begins) in [
        ("k01b-vb2-old-line-after-busy.txt", "ask again a little later"),
        ("k04a-kernel-bare-uname.txt", "free memory before the request"),
        ("k05a-bound-only-area.txt", "make the area 60 MiB (15360 pages): `cma=60M` on the"),
        ("k06-next-loses-free-runs.txt", "run what `cmalab collect` prints as root"),
        ("k10-one-request-nine-lines.txt", "`grep Cma /proc/meminfo` says how large"),
        ("k11a-boot-node-not-placed.txt", "node linux,cma: ask for less: size = <0x3b000000>"),
        ("k12a-oom-free-is-cma.txt", "`grep Cma /proc/meminfo` while CMA's users are at their"),
        ("k13a-area-is-not-the-devices.txt", "node jpegbuffer: look whether `ls /proc/device-"),
        ("k14-busy-lines-alone.txt", "paste the lines that follow too"),
    ] {
        let said = min(name);
        assert!(said.starts_with(begins), "{name}: {said}");
        // Nothing of it needs another kernel.
        assert!(!said.contains("CONFIG_"), "{name}: {said}");
    }
}

#[test]
fn a_driver_that_names_no_area_may_have_asked_one_that_is_missing() {
    let said = written(
        "[    0.000000] Linux version 6.6.10 (a@b) (aarch64-linux-gnu-gcc) #1 SMP\n\
         [    0.000000] Reserved memory: created CMA memory pool at 0x00000000f8000000, size 256 MiB\n\
         [    0.000000] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n\
         [    0.300000] cma: CMA area linux,cma could not be activated\n\
         [    9.000000] foo-vpu 38300000.vpu: dma alloc of size 67108864 failed\n\
         CmaTotal:              0 kB\n",
    );
    assert!(said.starts_with("node linux,cma: place it below or above 0x100000000"), "{said}");
}

#[test]
fn an_area_is_made_larger_where_its_size_is_set() {
    let list = "[    9.000100] cma: number of available pages: 7@3=> 7 free of 1024 total pages\n";
    let said = |area: &str| {
        let line = "alloc failed, req-size: 500 pages, ret: -12";
        written(&format!("[    9.000000] cma: cma_alloc: {area}: {line}\n{list}"))
    };
    assert!(said("reserved").contains("`cma=8M` on the command line"));
    assert!(said("vpu_pool").contains("`size = <0x00800000>`"));
}

/// Of lists that came together each is of the area that the boot says is as large.
#[test]
fn lists_go_to_the_areas_that_the_boot_says_are_as_large() {
    let made = |mib, node: &str| {
        format!(
            "[ 0.0] Reserved memory: created CMA memory pool at 0x00000000{mib}000000, size {mib} MiB\n\
             [ 0.0] OF: reserved mem: initialized node {node}, compatible id shared-dma-pool\n"
        )
    };
    let failed = |area: &str, count| {
        format!(
            "[ 9.0] cma: __cma_alloc: {area}: alloc failed, req-size: {count} pages, ret: -12\n"
        )
    };
    let list = "[ 9.0] cma: number of available pages: ";
    let text = format!(
        "[ 0.0] Linux version 6.12.9 (a@b) #1 SMP aarch64\n{}{}{}{}{list}1500@48=> 1500 free of \
         4096 total pages\n{list}511@257=> 511 free of 8192 total pages\n",
        made(32, "linux,cma"),
        made(16, "vpu_mem"),
        failed("linux,cma", 1024),
        failed("vpu_mem", 1000),
    );
    let object = found(&text);
    let of = |area: &str| {
        let all = object["failures"].as_array().unwrap();
        let one = all.iter().find(|one| one["area"] == area).unwrap();
        (one["verdict"].clone(), one["list"]["total"].clone())
    };
    assert_eq!(of("linux,cma"), ("exhausted".into(), 8192.into()));
    assert_eq!(of("vpu_mem"), ("migration".into(), 4096.into()));
}

/// Android's kernels search again after busy claims, and say -12 then.
#[test]
fn of_an_android_kernel_busy_is_one_of_the_causes_of_12() {
    let failed = "[    0.000000] Linux version 5.10.110-android12-9-gabc (a@b) #1 SMP PREEMPT\n\
                  [  100.0] cma: cma_alloc: alloc failed, req-size: 2048 pages, ret: -12\n";
    let list = "[  100.0] cma: number of available pages: 100@100+8192@8192=> 8292 free of 32768 \
                total pages\n";
    let said = |text: &str| {
        let failure = &found(text)["failures"][0];
        (failure["verdict"].clone(), failure["why"].as_str().unwrap().to_string())
    };
    let (verdict, why) = said(failed);
    assert_eq!(verdict, "undecidable");
    assert!(why.contains("migration or busy"), "{why}");
    let (_, mainline) = said(&failed.replace("-android12-9-gabc", ""));
    assert!(!mainline.contains("busy"), "{mainline}");
    // A place that is there is found by the second search, too: a claim of it got no memory.
    let (verdict, _) = said(&format!("{failed}{list}"));
    assert_eq!(verdict, "migration");
}

const LINE: &str =
    "[   10.0] cma: cma_alloc: reserved: alloc failed, req-size: 16384 pages, ret: -12\n";

#[test]
fn a_request_of_the_whole_area_needs_a_larger_one() {
    let boot = "[    0.000000] Linux version 6.6.63 (x@y) aarch64\n\
                [    0.000000] cma: Reserved 64 MiB at 0x00000000fc000000 on node -1\n";
    let said = written(&format!("{boot}{LINE}"));
    assert!(said.starts_with("make the default area 72 MiB (18432 pages): `cma=72M`"), "{said}");
    assert!(
        said.ends_with("all 16384 pages of it are asked for, and one that is in use refuses that")
    );
    let less = written(&format!("{boot}{}", LINE.replace("16384", "16000")));
    assert!(less.starts_with("run what"), "{less}");
}

#[test]
fn what_a_driver_reported_comes_before_what_none_did_and_a_killed_task_last() {
    let other = "[   10.0] cma: cma_alloc: reserved: alloc failed, req-size: 256 pages, ret: -12\n\
                 [   10.0] cma: number of available pages: 255@257+255@769=> 510 free of 1024 total pages\n";
    let busy = "[   10.1] cma: cma_alloc: reserved: alloc failed, req-size: 64 pages, ret: -16\n\
                [   10.2] foo 1.foo: dma alloc of size 262144 failed\n";
    let boot = "[    0.000000] Linux version 6.6.63 (x@y) aarch64\n";
    let said = written(&format!("{boot}{other}{busy}"));
    assert!(said.starts_with("for the 64 pages: ask again a little later"), "{said}");
    let killed = LINE.replace("-12", "-4");
    assert_eq!(written(&killed), "nothing: the task was being killed");
    let odd = written(&format!("{killed}{}", LINE.replace("-12", "-22")));
    assert!(odd.starts_with("run what"), "{odd}");
}

#[test]
fn a_trace_in_which_nothing_is_given_back_shows_who_fills_the_area() {
    let mut text = String::new();
    for number in 0..32u64 {
        let (at, pfn) = (10 + number, 0x80000 + 256 * number);
        text += &format!(
            "v4l2-99 [000] ..... {at}.0: cma_alloc_start: name=linux,cma count=256 align=8\n\
             v4l2-99 [000] ..... {at}.1: cma_alloc_finish: name=linux,cma pfn={pfn:#x} \
             page=00000000aa count=256 align=8 errorno=0\n"
        );
    }
    text += "v4l2-99 [000] ..... 50.0: cma_alloc_start: name=linux,cma count=256 align=8\n\
             v4l2-99 [000] ..... 50.1: cma_alloc_finish: name=linux,cma pfn=0xffffffffffffffff \
             page=0000000000000000 count=256 align=8 errorno=-12\n";
    let boot = "[ 0.0] Reserved memory: created CMA memory pool at 0x0000000080000000, size 32 MiB\n\
                [ 0.0] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n";
    let object = found(&format!("{boot}{text}"));
    let failure = &object["failures"][0];
    assert_eq!(
        (&failure["verdict"], &failure["confidence"]),
        (&"exhausted".into(), &"likely".into())
    );
    let said = object["do"].as_str().unwrap();
    assert_eq!(
        said,
        "find out why v4l2-99 gives nothing back: it holds 8192 pages in 32 buffers of this trace"
    );
    // Of a larger area less is known.
    let larger = found(&format!("{}{text}", boot.replace("32 MiB", "64 MiB")));
    assert_eq!(larger["failures"][0]["verdict"], "undecidable");
}

#[test]
fn counters_of_failures_are_in_the_first_line() {
    let first = |text: &str| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("counters.txt");
        fs::write(&path, text).unwrap();
        run(&path, "text").lines().next().unwrap().to_string()
    };
    let calls = "cma_alloc_success 9000\ncma_alloc_fail 45\n";
    let pages = "/sys/kernel/mm/cma/linux,cma/alloc_pages_fail:92160\n";
    assert!(first(calls).contains("since boot 45 calls failed (cma_alloc_fail)"));
    assert!(first(&format!("{pages}{calls}")).contains("for 92160 pages failed, 2048 each"));
    assert_eq!(first("cma_alloc_fail 0\n"), "no failed CMA allocation in this log");
}

#[test]
fn exhausted_is_what_has_fewer_pages_than_were_asked_for() {
    let object = found(
        "[ 7.5] cma: cma_alloc: reserved: alloc failed, req-size: 2025 pages, ret: -12\n\
         [ 7.5] cma: number of available pages: 104@920+1024@1024+1500@6692=> 2628 free of 8192 total \
         pages\n",
    );
    assert_ne!(object["failures"][0]["verdict"], "exhausted");
}

#[test]
fn there_is_always_a_step() {
    let one_page = "vcsm-812 [002] ..... 512.3: cma_alloc_start: name=linux,cma count=1 align=0\n\
                    vcsm-812 [002] ..... 512.4: cma_alloc_finish: name=linux,cma \
                    pfn=0xffffffffffffffff page=0000000000000000 count=1 align=0 errorno=-12\n";
    assert!(written(one_page).starts_with("find out who holds the area"));
    let pages = "[ 9.5] Xorg: page allocation failure: order:8, mode:0xcc1(GFP_KERNEL|GFP_DMA)\n\
                 [ 9.5]  dma_direct_alloc+0xd0/0x3a0\n";
    assert!(written(pages).starts_with("the stack that follows says who asked"));
    let killer =
        "[ 9.4] python3 invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0\n";
    assert!(written(killer).starts_with("find out what uses the memory"));
}

/// One mapping has 256 KiB of the pool at most, however large that is.
#[test]
fn a_larger_pool_of_bounce_buffers_is_advised_where_it_can_help() {
    let said = |bytes: u64, used: u64| {
        written(&format!(
            "[ 55.2] ahci 0.1: swiotlb buffer is full (sz: {bytes} bytes), total 32768 (slots), used \
             {used} (slots)\n"
        ))
    };
    assert_eq!(said(65536, 32760), "raise swiotlb= on the command line");
    assert!(said(524_288, 32760).contains("no swiotlb= is enough"));
    assert!(said(65536, 10).contains("a larger swiotlb= does not help"));
}

/// What a text says, with its blanks made one.
fn words(text: &str) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    run(&path, "text").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_was_said_above_is_called_what_it_was() {
    let boot = "[ 0.0] Linux version 6.1.20 (x@y) aarch64\n\
                [ 0.0] Reserved memory: created CMA memory pool at 0x00000000a0000000, size 128 MiB\n\
                [ 0.0] OF: reserved mem: initialized node linux,cma, compatible id shared-dma-pool\n";
    let failed = |at: u32, count: u32| {
        format!(
            "[ {at}.0] cma: cma_alloc: linux,cma: alloc failed, req-size: {count} pages, ret: -12\n"
        )
    };
    let other = failed(60, 30000);
    let text = format!("{boot}{other}{}{}", failed(61, 4097), failed(62, 4097));
    let said = words(&text);
    assert!(said.contains("next as above") && !said.contains("helps as above"), "{said}");
}

#[test]
fn each_device_of_failures_that_are_alike_is_named() {
    let said = words(
        "[ 4.9] sun4i-drm display-engine: [drm] *ERROR* failed to allocate buffer with size 8294400\n\
         [ 8.0] aspeed-video 1e700000.video: dma alloc of size 8294400 failed\n",
    );
    assert!(said.contains("of the others like it aspeed-video 1e700000.video"), "{said}");
}

#[test]
fn buffers_of_an_exporter_that_may_be_cma_s_are_named_where_they_are_not_counted() {
    let said = words(
        "# cat /sys/kernel/debug/dma_buf/bufinfo\n\nDma-buf Objects:\n\
         size\tflags\tmode\tcount\texp_name\tino\tname\n\
         08294400\t00000002\t00080007\t00000003\tdrm\t00001234\t<none>\n\
         \tAttached Devices:\nTotal 0 devices attached\n\n\
         08294400\t00000002\t00080007\t00000003\tlinux,cma\t00001235\t<none>\n\
         \tAttached Devices:\nTotal 0 devices attached\n\n\
         Total 2 objects, 16588800 bytes\nCmaTotal:          20480 kB\n\
         [   3.0] vpu 38000000.vpu: dma alloc of size 8294400 failed\n",
    );
    assert!(said.contains("at most 3095 pages of 5120 are left"), "{said}");
    assert!(said.contains("fewer where those of drm are CMA's too"), "{said}");
}

#[test]
fn a_program_s_words_are_no_driver_s() {
    let failed = "[  812.345678] cma: __cma_alloc: linux,cma: alloc failed, req-size: 46547 pages, \
                  ret: -12\n";
    let program = "ERROR: *** failed to allocate capture buffers ***\n";
    let outcome = |text: String| found(&text)["failures"][0]["driver_line"].clone();
    assert!(outcome(format!("{failed}{program}")).is_null());
    let driver = "[  812.4] rp1-cfe 1f00110000.csi: failed to allocate capture buffers\n";
    assert!(!outcome(format!("{failed}{driver}")).is_null());
}

#[test]
fn lines_of_another_release_than_the_text_states_are_likely_at_most() {
    let said = |release: &str| {
        let object = found(&format!(
            "[ 0.0] Linux version {release} (x@y) #1 SMP aarch64\n\
             [ 12.3] cma: __cma_alloc: linux,cma: alloc failed, req-size: 512 pages, ret: -16\n\
             [ 12.3] cma: number of available pages: 100@20+300@500=> 400 free of 4096 total pages\n"
        ));
        object["failures"][0]["confidence"].clone()
    };
    assert_eq!((said("6.12.2"), said("6.18.2")), ("certain".into(), "likely".into()));
}

#[test]
fn a_list_of_which_all_free_pages_are_there_is_not_said_to_lack_any() {
    let said = words(
        "[  812.345678] cma: __cma_alloc: linux,cma: alloc failed, req-size: 300 pages, ret: -12\n\
         [  812.345679] cma: number of available pages: 12@500+13@1011+600@4000+3\n\
         [  812.345680] +300@10240=> 925 free of 16384 total pages\n",
    );
    assert!(said.contains("the list is cut, and its rest holds no more"), "{said}");
}
