//! Who asked, what became of it, and what is no failure of CMA: small inputs, each with what is
//! right, and what boards printed while their clients counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora/logs").join(name)
}

fn run(args: &[&str], paths: &[PathBuf]) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_cmalab"));
    run.arg("diagnose").args(paths).args(args).output().unwrap()
}

/// What a diagnosis says, as text on one line and as an object.
struct Said {
    text: String,
    object: Value,
}

fn of(paths: &[PathBuf]) -> Said {
    let said = |args: &[&str]| {
        let output = run(args, paths);
        assert!(output.status.success(), "{paths:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = said(&[]).split_whitespace().collect::<Vec<_>>().join(" ");
    Said { text, object: serde_json::from_str(&said(&["--format", "json"])).unwrap() }
}

fn min(name: &str) -> Said {
    of(&[corpus("min").join(name)])
}

fn board(names: &[&str]) -> Said {
    of(&names.iter().map(|name| corpus("board").join(name)).collect::<Vec<_>>())
}

/// A text that is no file of the corpus.
fn written(text: &str) -> Said {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dmesg.txt");
    fs::write(&path, text).unwrap();
    of(&[path])
}

impl Said {
    fn failures(&self) -> &[Value] {
        self.object["failures"].as_array().unwrap()
    }

    /// The pages of each failure.
    fn counts(&self) -> Vec<Option<u64>> {
        self.failures().iter().map(|one| one["count"].as_u64()).collect()
    }

    /// The other allocators that refused, and how often.
    fn others(&self) -> Vec<(&str, u64)> {
        let all = self.object["not_cma"].as_array().unwrap().iter();
        all.map(|one| (one["kind"].as_str().unwrap(), one["count"].as_u64().unwrap())).collect()
    }

    /// How many failures came to each end.
    fn outcomes(&self) -> BTreeMap<&str, usize> {
        let mut all = BTreeMap::new();
        for one in self.failures() {
            *all.entry(one["outcome"].as_str().unwrap()).or_default() += 1;
        }
        all
    }

    fn none(&self, kind: &str) {
        assert_eq!((self.counts().len(), self.others()), (0, vec![(kind, 1)]), "{}", self.text);
        assert!(self.text.starts_with("no failed CMA allocation in this log"), "{}", self.text);
    }

    fn has(&self, part: &str) {
        assert!(self.text.contains(part), "{part}: {}", self.text);
    }
}

#[test]
fn k01a_the_old_line_of_vb2_is_a_failure_of_512_pages() {
    let said = min("k01a-vb2-old-line.txt");
    assert_eq!(said.counts(), [Some(512)]);
    assert_eq!(said.failures()[0]["verdict"], "undecidable");
    assert_eq!(said.failures()[0]["device"], "foo-codec 13400000.codec");
    said.has("only a driver reports it");
}

#[test]
fn k01b_busy_places_and_then_the_old_line() {
    let said = min("k01b-vb2-old-line-after-busy.txt");
    let failure = &said.failures()[0];
    assert_eq!((said.counts(), &failure["busy_retries"]), (vec![Some(3060)], &3.into()));
    assert_eq!((&failure["verdict"], &failure["confidence"]), (&"busy".into(), &"likely".into()));
    // Where a place ends is where its claim does, also where a free block begins before it.
    assert_eq!((&failure["align"], &failure["align_from"]), (&8.into(), &"debug".into()));
    assert_eq!(said.object["busy_places"], serde_json::json!([]));
}

/// Every way in which a driver says how much it asked for.
#[test]
fn the_size_is_bound_by_the_words_of_the_driver() {
    for (line, pages) in [
        ("mx6s-csi 21c4000.csi: dma_alloc_coherent of size 614400 failed", 150),
        (
            "Jul 10 15:02:41 b kernel: rkvdec f.codec: dma_alloc_coherent of size 3133440 failed",
            765,
        ),
        ("<3>[ 12.1][  T812] coda 2040000.vpu: dma_alloc_coherent of size 3133440 failed", 765),
        ("mtk-vcodec-dec 16000000.vcodec: dma_alloc_coherent size=0x1fe000 failed!", 510),
        ("foo 1.x: dma_alloc_wc(2097152) failed", 512),
        ("foo 1.x: dma_alloc_attrs of size 0x200000 failed", 512),
        ("coda 2040000.vpu: Failed to allocate workbuf buffer of size 131072", 32),
        (
            "axidma: axidma_mmap: 294: Unable to allocate contiguous DMA memory region of size 8294400.",
            2025,
        ),
        ("u-dma-buf udmabuf@1: dma_alloc_coherent(size=134217728) failed. return(-12)", 32768),
        ("foo 1.x: could not allocate 16 MiB of memory", 4096),
    ] {
        assert_eq!(written(&format!("{line}\n")).counts(), [Some(pages)], "{line}");
    }
}

#[test]
fn k02_a_number_in_prose_is_no_size() {
    let said = min("k02-size-from-prose.txt");
    assert_eq!(said.counts(), [None]);
    said.has("does not say how much");
    for prose in [
        "After 20 MB of logs CmaFree was 3 MB and vpu failed to allocate",
        "I have 512 MB RAM and CMA of 128MB, the app says cannot allocate buffer",
        "My kernel said \"failed to allocate buffer\" but cma 64MB was free",
        "It is a CMA board that cannot allocate more than 16 MB with size 4096",
    ] {
        assert_eq!(written(&format!("{prose}\n")).counts(), [None], "{prose}");
    }
}

#[test]
fn k08a_k08b_others_than_cma_are_named_and_are_no_failure() {
    min("k08a-not-cma-percpu.txt").none("percpu");
    min("k08b-not-cma-crashkernel.txt").none("crashkernel");
    for (line, kind) in [
        ("PERCPU: allocation failed, size=65536 align=4096, failed to populate", "percpu"),
        ("crashkernel reservation failed - No suitable area found.", "crashkernel"),
        ("Cannot allocate crashkernel high memory", "crashkernel"),
        (
            "[drm:radeon_gem_object_create] *ERROR* Failed to allocate GEM object (8294400, 2, 4096, \
          -12)",
            "graphics_memory",
        ),
        ("nouveau 0000:01:00.0: DRM: failed to allocate 16777216 bytes VRAM", "graphics_memory"),
        ("vmap allocation for size 1052672 failed: use vmalloc=<size> to increase size", "vmalloc"),
        ("r8169 0000:02:00.0 eth0: Could not allocate 16384 bytes rx skb", "packet"),
        ("insmod: page allocation failure: order:11, mode:0x40cc0(GFP_KERNEL)", "page_allocator"),
        ("v3d fec00000.v3d: swiotlb buffer is full (sz: 536576 bytes)", "swiotlb"),
        (
            "DMA: failed to allocate 2048 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocation",
            "atomic_pool",
        ),
        ("SLUB: Unable to allocate memory on node -1, gfp=0xcc0(GFP_KERNEL)", "slab"),
    ] {
        written(&format!("[ 5.0] {line}\n")).none(kind);
    }
}

#[test]
fn fail_on_counts_failures_of_cma_alone() {
    let status = |name| {
        let path = corpus("min").join(name);
        run(&["--fail-on", "any", "-o", "/dev/null"], &[path]).status.code()
    };
    assert_eq!(status("k08a-not-cma-percpu.txt"), Some(0));
    assert_eq!(status("k12a-oom-free-is-cma.txt"), Some(0));
    assert_eq!(status("k01a-vb2-old-line.txt"), Some(1));
}

#[test]
fn k12a_cma_holds_what_is_free_and_is_too_large() {
    let said = min("k12a-oom-free-is-cma.txt");
    assert!(said.counts().is_empty(), "{}", said.text);
    let first = "the OOM killer ran (not a failed CMA allocation): 501.6 of 506.9 MiB free are CMA's, \
                 which GFP_KERNEL requests cannot use: CMA is too large here, or unmovable memory leaks";
    assert!(said.text.starts_with(first), "{}", said.text);
    let one = &said.object["not_cma"][0];
    let memory = ["free_kb", "free_cma_kb", "cma_pages"].map(|key| one["memory"][key].as_u64());
    assert_eq!(memory, [519_112, 513_592, 131_072].map(Some));
    assert_eq!(one["cma_too_large"], true);
    said.has(
        "Measure the most that CMA's users hold (CmaTotal - CmaFree of `grep Cma /proc/meminfo`",
    );
    said.has("Up to 501.6 MiB were free at this moment.");
}

/// The report of a request that is not movable, with these zones.
fn out_of_memory(flags: &str, zones: &[&str]) -> Said {
    let report = "foo invoked oom-killer: gfp_mask=0xcc0(FLAGS), order=0, oom_score_adj=0\n\
                  CPU: 1 PID: 7 Comm: foo Not tainted 6.1.9-v7l+ #1\n free:9 free_cma:8\n";
    let zones = zones.join("\n");
    written(&format!(
        "{}{zones}\nOut of memory: Killed process 9 (foo)\n",
        report.replace("FLAGS", flags)
    ))
}

#[test]
fn all_zones_that_the_request_may_use_count() {
    let low = "DMA free:582004kB boost:0kB min:65536kB low:81920kB high:98304kB free_cma:516604kB";
    let high = "HighMem free:7401852kB min:512kB low:1kB high:2kB free_cma:0kB";
    let normal = "Node 0 Normal free:912004kB min:65536kB low:81920kB high:98304kB free_cma:0kB";
    let too_large = |said: &Said| said.object["not_cma"][0]["cma_too_large"] == true;
    assert!(too_large(&out_of_memory("GFP_KERNEL|__GFP_ZERO", &[low, high])));
    assert!(!too_large(&out_of_memory("GFP_KERNEL", &[low, normal])));
    assert!(!too_large(&out_of_memory("GFP_HIGHUSER_MOVABLE", &[low])));
    let said = out_of_memory("GFP_KERNEL", &[low, normal]);
    assert_eq!(said.others(), [("out_of_memory", 1)]);
    said.has("516604 of 1494008 kB free in the zones that GFP_KERNEL requests use are CMA's");
    // What nobody failed for says nothing.
    assert!(written(&format!("sysrq: Show Memory\n{low}\n")).others().is_empty());
}

#[test]
fn k14_busy_places_alone_are_a_paragraph() {
    let said = min("k14-busy-lines-alone.txt");
    assert!(said.counts().is_empty(), "{}", said.text);
    let row = &said.object["busy_places"][0];
    let numbers = ["places", "pages", "align", "requests"].map(|key| row[key].as_u64());
    assert_eq!(numbers, [3, 3060, 8, 1].map(Some));
    said.has("3 places for 3060 pages, in steps of 256 (order 8), retried");
    said.has("harmless as far as this text shows; it ends there: paste the lines that follow");
    said.has("(`dmesg | grep -A20 'PFNs busy'`)");
}

#[test]
fn busy_places_before_a_failure_are_its_own_and_those_of_another_request_are_not() {
    let busy = "[1.0] alloc_contig_range: [2ef00, 2f00a) PFNs busy\n\
                [1.1] alloc_contig_range: [2f000, 2f10a) PFNs busy\n";
    let line = |pages: u64| {
        format!("[1.2] cma: cma_alloc: alloc failed, req-size: {pages} pages, ret: -16\n")
    };
    let own = written(&(busy.to_string() + &line(266)));
    assert_eq!(own.object["busy_places"], serde_json::json!([]));
    assert_eq!(own.failures()[0]["busy_retries"], 2);
    let other = written(&(busy.to_string() + &line(77)));
    assert_eq!(other.object["busy_places"][0]["pages"], 266);
    assert_eq!(other.failures()[0]["busy_retries"], Value::Null);
}

#[test]
fn busy_places_that_the_rate_limit_hid_are_counted() {
    let lines = "[1.0] alloc_contig_range: [a5a80, a5ade) PFNs busy\n\
                 [ 6.0] alloc_contig_range: 7 callbacks suppressed\n\
                 [ 6.1] alloc_contig_range: [a5880, a58bf) PFNs busy\n[ 7.0] usb 1-1: x\n\
                 [ 7.1] a\n[ 7.2] b\n[ 7.3] c\n[ 7.4] d\n";
    let said = written(lines);
    said.has("1 place for 94 pages; 1 place for 63 pages");
    said.has("7 lines more of these were hidden by the rate limit");
    assert!(!said.text.contains("is not shown"), "{}", said.text);
}

#[test]
fn k15_without_a_mask_cma_is_not_asked() {
    min("k15-mask-unset.txt").none("dma_mask");
    let mask = "axidma axidma: coherent DMA mask is unset\n dma_alloc->size = 0x007e9000\n";
    let fails =
        "axidma_mmap: 294: Unable to allocate contiguous DMA memory region of size 8294400.";
    written(&format!("{mask}axidma: axidma_chrdev.c: {fails}\n")).none("dma_mask");
    let small = "[ 3.1] foo 43c00000.foo: coherent DMA mask 0xffffff is smaller than system GFP_DMA \
                 mask 0xffffffff\n[ 3.2] foo 43c00000.foo: Could not allocate 4194304 bytes\n";
    written(small).none("dma_mask");
    // Another driver that fails next to it does so on its own.
    let other =
        written("foo foo: coherent DMA mask is unset\nbar 1.bar: dma alloc of size 4096 failed\n");
    assert_eq!(other.counts(), [Some(1)]);
}

#[test]
fn what_the_bounce_buffers_refused_is_no_failure_either() {
    let lines = "[  675.884167] udmabuf udmabuf@1: swiotlb buffer is full (sz: 134217728 bytes)\n\
        [  675.891138] udmabuf udmabuf@1: swiotlb: coherent allocation failed, size=134217728\n\
        [  675.90] CPU: 3 PID: 3722 Comm: insmod Tainted: G           O      4.19.0 #1\n\
        [  675.95] udmabuf udmabuf@1: dma_alloc_coherent(size=134217728) failed. return(0)\n";
    let said = written(lines);
    assert_eq!((said.counts().len(), said.others()), (0, vec![("swiotlb", 2)]), "{}", said.text);
}

const LINE: &str =
    "[ 9.0] cma: __cma_alloc: reserved: alloc failed, req-size: 300 pages, ret: -12\n";

#[test]
fn the_driver_beside_a_failure_is_named_with_its_device() {
    for (line, device) in [
        (
            "[ 9.1] foo-video 1e700000.video: dma alloc of size 1228800 failed",
            "foo-video 1e700000.video",
        ),
        ("[ 9.1] vivid vivid.0: dma alloc of size 1228800 failed", "vivid vivid.0"),
        ("[ 9.1] vc4-drm soc:gpu: failed to allocate buffer with size 1228800", "vc4-drm soc:gpu"),
        ("[ 9.1] [drm:vc4_bo_create [vc4]] *ERROR* Failed to allocate from CMA:", "vc4"),
    ] {
        let said = written(&format!("{LINE}{line}\n"));
        let failure = &said.failures()[0];
        assert_eq!((said.counts(), &failure["device"]), (vec![Some(300)], &device.into()));
        assert_eq!(
            (&failure["reported_by_driver"], &failure["outcome"]),
            (&true.into(), &"driver".into())
        );
        assert_eq!(said.object["unreported"], 0);
        said.has(&format!("{device} reported it (line 2)"));
    }
}

#[test]
fn a_driver_line_that_comes_first_is_of_the_failure_too() {
    let driver = "[ 8.99] vivid vivid.0: dma alloc of size 1228800 failed\n";
    let said = written(&format!("{driver}{LINE}"));
    assert_eq!(
        (said.counts(), &said.failures()[0]["device"], &said.object["unreported"]),
        (vec![Some(300)], &"vivid vivid.0".into(), &0.into())
    );
}

#[test]
fn each_of_several_failures_has_its_own_driver_line() {
    let driver = "[ 9.2] vivid vivid.0: dma alloc of size 1228800 failed\n";
    let two = written(&format!("{LINE}{LINE}{driver}{}", driver.replace("9.2", "9.3")));
    assert_eq!((two.counts().len(), &two.object["unreported"]), (2, &0.into()));
    let one = written(&format!("{LINE}{}{driver}", LINE.replace("9.0", "9.1")));
    assert_eq!(one.object["unreported"], 1);
    one.has("2 refused by CMA: drivers reported 1, none the other 1");
}

#[test]
fn pages_of_16_kib_are_the_driver_s_bytes_too() {
    let boot = "[ 0.000000] Linux version 6.12.117+deb13-arm64-16k (x) #1\n";
    let said = written(&format!("{boot}{LINE}[ 9.1] foo 1.v: dma alloc of size 4915200 failed\n"));
    assert_eq!((said.counts(), &said.object["unreported"]), (vec![Some(300)], &0.into()));
}

#[test]
fn where_the_page_allocator_refuses_as_well_the_caller_got_nothing() {
    let next = "[ 9.2] kworker/0:1: page allocation failure: order:9, mode:0xcc0(GFP_KERNEL)\n\
                [ 9.3] CPU: 0 PID: 77 Comm: kworker/0:1 Not tainted 6.12.9-arm64 #1\n\
                [ 9.3]  dma_direct_alloc+0x9c/0x270\n\
                [ 9.3]  vb2_dc_alloc+0x9c/0x270 [videobuf2_dma_contig]\n";
    let said = written(&format!("{LINE}{next}"));
    let failure = &said.failures()[0];
    assert_eq!((&failure["outcome"], &failure["task"]), (&"client".into(), &"kworker/0:1".into()));
    assert_eq!(
        (&failure["client"], &failure["caller"]),
        (&"vb2-dma-contig".into(), &"dma-direct".into())
    );
    assert!(said.others().is_empty());
    said.has("the page allocator was asked next and refused as well (line 2)");
    said.has("whoever asked got nothing (certain)");
    // Without a stack it may be another request, of another size it is one.
    let (bare, _) = next.split_once('\n').unwrap();
    written(&format!("{LINE}{bare}\n")).has("whoever asked got nothing (likely)");
    assert_eq!(written(&format!("{LINE}{}", next.replace("order:9", "order:3"))).others().len(), 1);
}

#[test]
fn what_the_page_allocator_is_asked_for_otherwise_is_not_what_cma_refused() {
    let refused = "[ 9.2] kworker/0:1: page allocation failure: order:9, mode:0x40dc0(MODE)\n\
                   [ 9.2] CPU: 0 PID: 77 Comm: kworker/0:1 Not tainted 6.12.9-arm64 #1\n\
                   [ 9.2]  warn_alloc+0x110/0x170\n";
    let atomic = refused.replace("MODE", "GFP_ATOMIC|__GFP_COMP");
    let kmalloc = refused.replace("MODE", "GFP_KERNEL|__GFP_COMP");
    let kmalloc = format!("{kmalloc}[ 9.2]  ___kmalloc_large_node+0x68/0x110\n");
    for next in [atomic, kmalloc] {
        let said = written(&format!("{LINE}{next}"));
        let failure = &said.failures()[0];
        assert_eq!((&failure["outcome"], &failure["task"]), (&"unknown".into(), &().into()));
        assert_eq!(said.others().len(), 1, "{next}");
    }
}

#[test]
fn a_stack_of_the_trace_says_who_asked() {
    let event = "vload-248 [000] ..... 14.680000: cma_alloc_finish: name=reserved pfn=0x0 \
                 page=0000000000000000 count=360 align=8 errorno=-12\n\
                 vload-248 [000] ..... 14.680010: <stack trace>\n => cma_alloc\n";
    let heap = written(&format!("{event} => cma_heap_allocate\n => dma_heap_ioctl\n"));
    let failure = &heap.failures()[0];
    assert_eq!((&failure["task"], &failure["pid"]), (&"vload".into(), &248.into()));
    assert_eq!((&failure["caller"], &failure["outcome"]), (&"dma-heap".into(), &"client".into()));
    heap.has("dma-heap asks CMA alone: whoever asked got nothing (certain)");
    let vb2 =
        written(&format!("{event} => dma_direct_alloc\n => dma_alloc_attrs\n => vb2_dc_alloc\n"));
    vb2.has("task vload-248, through vb2-dma-contig, by dma-direct");
    // A stack that is shown before the event that fails.
    let start = "vload-248 [000] ..... 14.670000: cma_alloc_start: name=reserved count=360 align=8\n\
                 vload-248 [000] ..... 14.670001: <stack trace>\n => cma_heap_allocate\n";
    let first = event.lines().next().unwrap();
    let before = written(&format!("{start}{first}\n"));
    assert_eq!(before.failures()[0]["caller"], "dma-heap");
    let other = written(&format!("{start}{}\n", first.replace("vload-248", "other-77")));
    assert_eq!(other.failures()[0]["caller"], Value::Null);
}

#[test]
fn what_cannot_have_been_served_reached_the_caller() {
    let arm64 = "[ 0.000000] Linux version 6.12.9-arm64 (x) #1\n";
    let outcome = |boot: &str, pages: &str| {
        let said = written(&format!("{boot}{}", LINE.replace("300", pages)));
        said.failures()[0]["outcome"].as_str().unwrap().to_string()
    };
    assert_eq!(outcome(arm64, "1025"), "client");
    assert_eq!(outcome(arm64, "1024"), "unknown");
    assert_eq!(outcome("", "8193"), "client");
    assert_eq!(outcome(&arm64.replace("arm64", "v7l+"), "12"), "client");
    let old = "[ 0.000000] Linux version 4.14.98-arm64 (x) #1\n";
    let line = LINE.replace("__cma_alloc: reserved", "cma_alloc");
    assert_eq!(written(&format!("{old}{line}")).failures()[0]["outcome"], "client");
}

const VIVID: &str = "6.12-vivid-odd-dmesg-bb.txt.gz";

/// The client got 32 of 32 buffers: 66 refusals reached no driver.
#[test]
fn of_66_refusals_none_reached_a_driver() {
    let said = board(&[VIVID]);
    assert_eq!((said.counts().len(), &said.object["unreported"]), (66, &66.into()));
    said.has("66 refused by CMA, no driver reported one");
    // Where the size is known it says more.
    assert_eq!(said.outcomes()["page_allocator"], 10);
    assert!(!said.outcomes().contains_key("client"));
    let traced = board(&[VIVID, "6.12-vivid-odd-trace_pipe.txt.gz"]);
    assert_eq!(
        (&traced.object["unreported"], traced.outcomes()["page_allocator"]),
        (&66.into(), 66)
    );
    assert!(traced.text.starts_with("alignment (certain): 257 pages"), "{}", traced.text);
    traced.has("(66 failures, 30.0 s to 31.9 s; served by the page allocator (likely))");
    traced.has("served by the page allocator (likely)");
    traced.has("holders v4l2-ctl-269 7710 pages in 30 buffers");
}

/// A heap has no way out: 100, and 246 of 800, as the clients counted.
#[test]
fn of_a_heap_nothing_is_said_to_be_served() {
    for (folder, refused) in [("7.3-dmaheap-two-pools", 100), ("7.3-cma33M-default", 246)] {
        let [dmesg, trace] = ["dmesg", "trace"].map(|name| format!("{folder}-{name}.txt.gz"));
        for names in [&[&*dmesg][..], &[&*dmesg, &*trace]] {
            let said = board(names);
            assert_eq!(
                (said.counts().len(), &said.object["unreported"]),
                (refused, &refused.into())
            );
            assert!(!said.outcomes().contains_key("page_allocator"), "{names:?}");
        }
        board(&[&dmesg, &trace]).has("task heap-");
    }
}

#[test]
fn html_names_who_asked_and_what_is_not_cma() {
    let html = |path: PathBuf| {
        let output = run(&["--format", "html"], &[path]);
        String::from_utf8(output.stdout).unwrap()
    };
    let who = html(corpus("min/k01a-vb2-old-line.txt"));
    assert!(
        who.contains("<dt>Who</dt> <dd>foo-codec 13400000.codec reported it")
            || who.contains("foo-codec 13400000.codec reported it")
    );
    let other = html(corpus("min/k08b-not-cma-crashkernel.txt"));
    assert!(other.contains("<b>Not CMA: </b>The reservation for a crash kernel"), "{other}");
    assert!(html(corpus("min/k14-busy-lines-alone.txt")).contains("3 places for 3060 pages"));
}
