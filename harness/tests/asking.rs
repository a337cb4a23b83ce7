//! How the clients of a trace ask, by what else the board printed, and what that makes of their
//! refusals.

use std::path::Path;
use std::process::Command;

use cma_harness::answer::findings;
use cma_harness::board::{Asking, CallerBy};
use cma_harness::ingest::Source;
use cma_harness::metric::Value;
use cma_harness::reader::{self, Options};
use cma_harness::report::text;
use cma_harness::sweep::{Cell, Plan, Ready, Watch, emit, parse, prepare, run};
use cma_policies::builtin;

/// A call of a task for pages of an area, refused where it gets no pfn.
fn call(area: &str, task: &str, at_us: u64, count: u64, pfn: Option<u64>) -> String {
    let align = count.next_power_of_two().trailing_zeros().min(8);
    let (pfn, page, errno) = pfn.map_or((0, "(null)".to_string(), -12), |pfn| {
        (pfn, format!("{:016x}", 0x457d_a1c0_u64 + pfn), 0)
    });
    let at = |us: u64| format!("  {task} [000] ..... 5.{:06}: ", at_us + us);
    format!(
        "{}cma_alloc_start: name={area} request_count={count} available_count=512 total_count=1024 \
         align={align}\n{}cma_alloc_finish: name={area} pfn={pfn:#x} page={page} count={count} \
         align={align} errorno={errno}\n",
        at(0),
        at(1)
    )
}

/// `cam-7` gets 300 pages and is refused 257; `gpu-8` is refused 2000.
fn trace(area: &str) -> String {
    call(area, "cam-7", 10, 300, Some(0x8000))
        + &call(area, "cam-7", 20, 257, None)
        + &call(area, "gpu-8", 30, 2000, None)
}

fn asking(trace: &str, beside: &str) -> Asking {
    let beside = vec![Source::bytes("beside.txt", beside.as_bytes())];
    let options = Options { beside, ..Options::default() };
    reader::open(&Source::bytes("t.txt", trace.as_bytes()), &options).unwrap().asking().clone()
}

/// How `cam` and `gpu` ask.
fn both(area: &str, beside: &str) -> [Option<(&'static str, CallerBy)>; 2] {
    let asking = asking(&trace(area), beside);
    ["cam", "gpu"].map(|client| asking.of(client).map(|shown| (shown.caller.name, shown.by)))
}

fn banner(release: &str) -> String {
    format!("[    0.000000] Linux version {release} (me@host) (gcc 14) #1 SMP Mon Nov 2 2026\n")
}

#[test]
fn a_kernel_says_who_can_ask() {
    let direct = Some(("dma-direct", CallerBy::NoHeaps));
    let off = "\n# CONFIG_DMABUF_HEAPS is not set\n";
    let cma_off = "\nCONFIG_DMABUF_HEAPS=y\n# CONFIG_DMABUF_HEAPS_CMA is not set\n";
    for (kernel, shown) in [
        (banner("6.12.117+deb13-arm64"), direct),
        (banner("7.3.4+deb13-arm64"), None),
        (banner("6.6.23-arm64"), None),
        (banner("6.6.23-arm64") + off, direct),
        (banner("6.6.23-arm64") + cma_off, direct),
        (banner("6.12.117+deb13-arm64") + "\nCONFIG_DMABUF_HEAPS_CMA=y\n", None),
        // Without the architecture nothing says what follows a refusal.
        (banner("6.6.23") + off, None),
        (banner("6.1.21-v7l+"), Some(("arm-dma", CallerBy::Arm))),
        (banner("4.14.98-arm64"), Some(("cma-only", CallerBy::OldArm64))),
        (String::new(), None),
    ] {
        assert_eq!(both("reserved", &kernel), [shown; 2], "{kernel}");
    }
    assert_eq!(both("hugetlb0", ""), [Some(("hugetlb", CallerBy::Gigantic)); 2]);
}

#[test]
fn a_driver_that_got_nothing_had_no_way_out() {
    let said =
        |bytes: u64| format!("[    5.000021] coda 2040000.vpu: dma alloc of size {bytes} failed\n");
    let alone = Some(("cma-only", CallerBy::LeftAlone));
    let direct = Some(("dma-direct", CallerBy::NoHeaps));
    let debian = banner("6.12.117+deb13-arm64");
    assert_eq!(both("reserved", &said(257 * 4096)), [alone, None]);
    assert_eq!(both("reserved", &(debian + &said(257 * 4096))), [alone, direct]);
    // 2000 pages are more than the page allocator has in one block.
    let driver = Some(("dma-direct", CallerBy::Driver));
    assert_eq!(both("reserved", &said(2000 * 4096)), [None; 2]);
    assert_eq!(both("reserved", &(banner("6.6.23-arm64") + &said(2000 * 4096))), [None, driver]);
    // It asks for what nobody was refused.
    assert_eq!(both("reserved", &said(77 * 4096)), [None; 2]);
}

#[test]
fn heaps_are_known_by_what_they_say_and_by_their_names() {
    let objects = |exporters: &[&str]| {
        let head = "Dma-buf Objects:\nsize\tflags\tmode\tcount\texp_name\tino\tname\n";
        let one = |name: &&str| {
            format!("01036288\t00000002\t00080007\t00000001\t{name}\t00000019\t<none>\n\n")
        };
        let end = format!("Total {} objects, 1036288 bytes\n", exporters.len());
        head.to_string() + &exporters.iter().map(one).collect::<String>() + &end
    };
    let exports = Some(("dma-heap", CallerBy::Exporter));
    assert_eq!(both("vpu", &objects(&["vpu"])), [exports; 2]);
    assert_eq!(both("reserved", &objects(&["default_cma_region", "system"])), [exports; 2]);
    assert_eq!(both("vpu", &objects(&["reserved"])), [None; 2]);
    assert_eq!(both("vpu", &objects(&["vpu", "videobuf2_dma_contig"])), [None; 2]);
    let alone = Some(("dma-heap", CallerBy::HeapAlone));
    for list in [
        "==> ls /dev/dma_heap <==\nlinux,cma\nsystem\nvpu\n\n",
        "root@board:~# ls -l /dev/dma_heap/\ntotal 0\n\
         crw------- 1 root root 234, 0 Nov 29 15:06 linux,cma\n\
         crw------- 1 root root 234, 2 Nov 29 15:06 vpu\nroot@board:~# \n",
        "# ls /dev/dma_heap\nlinux,cma  system  vpu\n",
    ] {
        assert_eq!(both("vpu", list), [alone; 2], "{list}");
        // Anybody asks the default area.
        assert_eq!(both("linux,cma", list), [None; 2], "{list}");
        let named =
            format!("{list}\n==> /proc/device-tree/soc/vpu@38300000/memory-region <==\n<&vpu>\n\n");
        assert_eq!(both("vpu", &named), [None; 2], "{named}");
    }
}

#[test]
fn a_stack_says_it_of_its_task_and_single_pages_of_their_client() {
    let stack = |frame: &str| format!("  cam-7 [000] ..... 5.000012: <stack trace>\n => {frame}\n");
    let with = |frame: &str| {
        let first = call("vpu", "cam-7", 10, 300, Some(0x8000));
        let rest = call("vpu", "gpu-8", 30, 2000, None);
        let asking = asking(&(first + &stack(frame) + &rest), "");
        ["cam", "gpu"].map(|client| asking.of(client).map(|shown| (shown.caller.name, shown.by)))
    };
    assert_eq!(with("cma_heap_allocate"), [Some(("dma-heap", CallerBy::Stack)), None]);
    assert_eq!(with("dma_direct_alloc"), [Some(("dma-direct", CallerBy::Stack)), None]);
    // Which architecture it is on is not in this one.
    assert_eq!(with("vb2_dc_alloc"), [None; 2]);
    let one = |area: &str| call(area, "cam-7", 10, 1, Some(0x8000));
    let by = |area: &str, kernel: &str| {
        asking(&one(area), &banner(kernel)).of("cam").map(|shown| shown.by)
    };
    assert_eq!(by("reserved", "6.6.23-arm64"), Some(CallerBy::OnePage));
    assert_eq!(by("vpu", "6.6.23-arm64"), None);
    assert_eq!(by("reserved", "5.2.0-arm64"), None);
}

struct Nobody;

impl Watch for Nobody {
    fn done(&self, _: usize, _: &Cell, _: &[Value]) {}
}

fn plan(text: &str) -> Plan {
    parse("p.toml", text, &builtin::catalog()).unwrap_or_else(|error| panic!("{error}"))
}

/// A plan of one stream that is this text, and what is said of it.
fn swept(folder: &Path, text: &str, board: &str) -> (Ready, String, [u64; 3]) {
    let path = folder.join("t.txt");
    std::fs::write(&path, text).unwrap();
    let ready = prepare(plan(&format!(
        "name = \"p\"\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n{board}areas = [{{ pages = 512 \
         }}]\n[[streams]]\nfile = {:?}\nown_area = false\n",
        path.display().to_string()
    )))
    .unwrap();
    let table = run(&ready, 1, &Nobody).unwrap();
    let found = findings(&ready, table.blocks());
    let mut out = Vec::new();
    text::write_findings(&ready, &found, false, &mut out).unwrap();
    let row = &found.summary.rows[0];
    let counts = [row.fell_back, row.unserved, row.refused_beyond];
    // A sentence goes on below with four blanks.
    (ready, String::from_utf8(out).unwrap().replace("\n    ", " "), counts)
}

#[test]
fn a_sweep_asks_as_the_file_shows_unless_the_board_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    // In 512 pages 300 fit, 257 and 2000 do not.
    let all = trace("reserved");
    let (ready, said, counts) = swept(folder.path(), &all, "");
    assert_eq!(counts, [0, 2, 1]);
    assert!(said.contains("How requests are made is not known"), "{said}");
    assert!(
        said.contains(
            "at cap 8 66.67 % of the requests fail where CMA alone is asked; 33.33 % where \
             dma-direct asks, to which the page allocator then gives up to 4 MiB"
        ),
        "{said}"
    );
    let written = emit(&ready);
    assert!(!written.contains("caller ="), "{written}");
    assert_eq!(format!("{:?}", plan(&written)), format!("{:?}", ready.plan));
    let debian = banner("6.12.117+deb13-arm64") + &all;
    let (_, said, counts) = swept(folder.path(), &debian, "");
    assert_eq!(counts, [1, 1, 1]);
    assert!(
        said.contains(
            "Requests are taken to be made by dma-direct (a kernel of 64-bit Arm without heaps)"
        ) && !said.contains("where CMA alone is asked"),
        "{said}"
    );
    let but = "; CMA itself refuses 33.33 % of the requests there, which the page allocator is taken to \
               serve while it has such blocks; in each that was tried it refuses some";
    // The request for 2000 pages fails there, so nothing is chosen; without it all is served.
    assert!(!said.contains(but), "{said}");
    let small = banner("6.12.117+deb13-arm64")
        + &call("reserved", "cam-7", 10, 300, Some(0x8000))
        + &call("reserved", "cam-7", 20, 257, None)
        + &call("reserved", "cam-7", 30, 257, None);
    let (_, said, counts) = swept(folder.path(), &small, "");
    assert_eq!(counts, [2, 0, 0]);
    assert!(said.contains(&but.replace("33.33", "66.67")), "{said}");
    let arm = banner("6.1.21-v7l+") + &all;
    assert_eq!(swept(folder.path(), &arm, "").2, [0, 2, 1]);
    // What the plan states goes before what a file shows, of all clients or of one.
    let (_, said, counts) = swept(folder.path(), &debian, "caller = \"arm-dma\"\n");
    assert_eq!(counts, [0, 2, 1]);
    assert!(!said.contains("taken to be made"), "{said}");
    let own = "callers = { cam = \"dma-heap\" }\n";
    assert_eq!(swept(folder.path(), &debian, own).2, [0, 2, 1]);
}

#[test]
fn a_replay_says_what_is_served_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (trace_file, log) = (folder.path().join("t.txt"), folder.path().join("dmesg.txt"));
    std::fs::write(&trace_file, trace("reserved")).unwrap();
    let replayed = |log_text: &str, format: &str| {
        std::fs::write(&log, log_text).unwrap();
        let cmalab = Command::new(env!("CARGO_BIN_EXE_cmalab"))
            .args(["replay", "--base-pfn", "32768", "--pages", "512", "--format", format])
            .args([&trace_file, &log])
            .output()
            .unwrap();
        assert!(cmalab.status.success(), "{}", String::from_utf8_lossy(&cmalab.stderr));
        String::from_utf8(cmalab.stdout).unwrap()
    };
    let debian = replayed(&banner("6.12.117+deb13-arm64"), "text");
    assert!(debian.contains("1 of 3 requests is served by nobody (33.333 %)"), "{debian}");
    let open = replayed(&banner("7.3.4+deb13-arm64"), "text");
    assert!(
        open.contains("66.67 % of the requests fail where CMA alone is asked; 33.33 %"),
        "{open}"
    );
    let unserved = |log: &str| {
        let json: serde_json::Value = serde_json::from_str(&replayed(log, "json")).unwrap();
        let file = &json["files"][0];
        (file["runs"][0]["unserved"].clone(), file["asked_by"][0]["caller"].clone())
    };
    assert_eq!(unserved(&banner("6.1.21-v7l+")), (2.into(), "arm-dma".into()));
    assert_eq!(unserved("nothing\n"), (serde_json::Value::Null, serde_json::Value::Null));
}
