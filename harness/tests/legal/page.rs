//! The size of a page: as a plan, a header and the texts of a board state it.

use std::collections::BTreeMap;

use cma_harness::ingest::{PageBy, Source};
use cma_harness::op::Op;
use cma_harness::page::Page;
use cma_harness::reader::{self, Options};
use cma_harness::seed::Seed;
use cma_harness::sweep::{Load, emit, kind_of_files, parse_for, prepare};
use cma_harness::workload::{PROFILES, Setup};
use cma_policies::builtin;

use super::{answered, plan, ready};

#[test]
fn each_mib_of_a_plan_is_of_its_pages() {
    let text = |page_kib: u64| {
        format!(
            "name = \"p\"\npage_kib = {page_kib}\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n\
             areas = [{{ mib = 512 }}, {{ name = \"q\", mib = 1024, clients = [\"app\"] }}]\n\
             [[streams]]\nprofile = \"gpu\"\nloads_mib = [300, 400]\nops = 20\n\
             [[streams]]\nops = 20\nmix = [{{ profile = \"gpu\", load_mib = 40 }}]\n\
             [[streams]]\nops = 20\nmix = \"rpi-camera-encoder-gpu\"\n"
        )
    };
    for page in Page::ALL {
        let ready = ready(&text(page.kib()));
        let in_mib = 1024 / page.kib();
        let board = &ready.plan.boards[0];
        let areas: Vec<_> = board.areas.iter().map(|one| one.area.ranges()[0]).collect();
        assert_eq!(
            areas.iter().map(|run| run.count).collect::<Vec<_>>(),
            [512 * in_mib, 1024 * in_mib]
        );
        assert_eq!(areas[1].pfn.0, 512 * in_mib, "the second one comes after the first");
        let loads = |stream: usize| ready.plan.streams[stream].loads.clone();
        assert_eq!(loads(0), [300, 400].map(|mib| Load::Pages(mib * in_mib)));
        assert_eq!(loads(1), [Load::Pages(40 * in_mib)]);
        assert_eq!(loads(2), [Load::Pages(256 * in_mib)]);
        let written = emit(&ready);
        assert!(written.contains(&format!("page_kib = {}", page.kib())), "{written}");
        assert!(written.contains("loads_mib = [300, 400]"), "{written}");
        assert!(written.contains("load_mib = 40"), "{written}");
        assert_eq!(format!("{:?}", plan(&written).unwrap()), format!("{:?}", ready.plan));
    }
}

#[test]
fn a_profile_asks_for_as_many_bytes_in_pages_of_any_size() {
    for profile in PROFILES {
        let sizes = |page: Page| {
            // LOAD and area in pages of that size.
            let area_pages = 2048 * page.in_mib();
            let setup = Setup { area_pages, load: 0.5, seed: Seed::new(3), ops: 3000 };
            let mut live = BTreeMap::new();
            let (mut now, mut most, mut largest) = (0, 0, 0);
            for timed in profile.open_in(&setup, page).unwrap() {
                match timed.op {
                    Op::Alloc { id, request, .. } => {
                        live.insert(id, request.count());
                        (now, largest) = (now + request.count(), largest.max(request.count()));
                    }
                    Op::Free { id, .. } => now -= live.remove(&id).unwrap_or(0),
                    _ => {}
                }
                most = most.max(now);
            }
            assert!(most <= setup.target_pages() + largest, "{}: {most}", profile.name);
            largest * page.bytes()
        };
        let [small, middle, large] = Page::ALL.map(sizes);
        // The largest buffer is as long, up to whole pages, or chance has drawn another.
        assert!(middle.abs_diff(small) * 4 <= small, "{}: {small} {middle}", profile.name);
        assert!(
            large.abs_diff(small) * 4 <= small.max(1 << 18),
            "{}: {small} {large}",
            profile.name
        );
    }
    let note = cma_harness::workload::profile("imx-note").unwrap();
    assert_eq!(note.sizes_in(Page::Kib16), [65, 114]);
}

/// Two events of an area of `pages`, as a trace of 6.18 on.
fn events(pages: u64) -> String {
    format!(
        "  heap-9 [000] ..... 5.000001: cma_alloc_start: name=pool request_count=4 \
         available_count={pages} total_count={pages} align=2\n  heap-9 [000] ..... 5.000002: \
         cma_alloc_finish: name=pool pfn=0x8000 page=00000000457da1c0 count=4 align=2 errorno=0\n"
    )
}

#[test]
fn texts_of_a_board_say_how_large_a_page_is() {
    let banner = |release: &str| {
        format!("[    0.000000] Linux version {release} (me@host) (gcc 14) #1 SMP Mon Nov 2 2026\n")
    };
    let reserved = "[    0.000000] cma: Reserved 64 MiB at 0x000000007a000000 on node -1\n";
    for (text, page) in [
        (banner("6.12.117+deb13-arm64-16k"), Some(Page::Kib16)),
        (banner("6.6.63-v8-16k+"), Some(Page::Kib16)),
        (banner("6.12.25+rpt-rpi-2712"), Some(Page::Kib16)),
        (banner("5.14.0-503.el9.aarch64+64k"), Some(Page::Kib64)),
        (banner("6.8.0-1014-nvidia-64k"), Some(Page::Kib64)),
        (banner("6.12.117+deb13-amd64"), Some(Page::Kib4)),
        ("# getconf PAGESIZE\n16384\n".to_string(), Some(Page::Kib16)),
        (
            "PAGE_SIZE                          65536\nPAGESIZE    65536\n".to_string(),
            Some(Page::Kib64),
        ),
        ("Hugepagesize:      32768 kB\n".to_string(), Some(Page::Kib16)),
        ("Hugepagesize:     524288 kB\n".to_string(), Some(Page::Kib64)),
        ("Hugepagesize:       2048 kB\n".to_string(), Some(Page::Kib4)),
        (
            "==> /proc/pagetypeinfo <==\nPage block order: 11\nPages per block:  2048\n".into(),
            Some(Page::Kib16),
        ),
        ("==> /proc/config.gz <==\nCONFIG_ARM64_64K_PAGES=y\n".to_string(), Some(Page::Kib64)),
        (reserved.to_string(), Some(Page::Kib16)),
        ("==> /proc/meminfo <==\nCmaTotal:          65536 kB\n".to_string(), Some(Page::Kib16)),
        ("==> /proc/meminfo <==\nCmaTotal:          16384 kB\n".to_string(), Some(Page::Kib4)),
        ("==> /proc/meminfo <==\nCmaTotal:          60000 kB\n".to_string(), None),
        (banner("6.12.117-lab"), None),
    ] {
        let whole = format!("{text}{}", events(4096));
        let source = Source::bytes("t", whole.as_bytes());
        let reader = reader::open(&source, &Options::default()).unwrap();
        let paged = reader.paged();
        assert_eq!(paged.stated(), page, "{text}");
        assert_eq!(paged.page, page.unwrap_or_default(), "{text}");
        let said = if page.is_some() { "pages are of" } else { "pages are taken to be of 4 KiB" };
        assert!(paged.to_string().starts_with(said), "{paged}");
        let kind = reader::kind(&source, &Options::default()).unwrap();
        assert_eq!(kind.page, page, "{text}");
        // The caller knows better.
        let options = Options { page: Some(Page::Kib64), ..Options::default() };
        let paged = reader::open(&source, &options).unwrap().paged();
        assert_eq!((paged.page, paged.by), (Page::Kib64, Some(PageBy::Caller)));
    }
}

#[test]
fn a_header_states_the_size_of_a_page() {
    let open = |header: &str| {
        let text = format!("{header}at_us,op,id,count,align\n0,alloc,1,300,dma\n");
        let source = Source::bytes("s.csv", text.as_bytes());
        reader::open(&source, &Options::default()).map(|reader| reader.paged())
    };
    assert_eq!(open("").unwrap().by, None);
    let paged = open("# page_kib=16\n").unwrap();
    assert_eq!((paged.page, paged.by), (Page::Kib16, Some(PageBy::Header)));
    let why = open("# page_kib=8\n").unwrap_err().to_string();
    assert!(
        why.contains("s.csv line 1, column 12: page_kib is 8; 4, 16 and 64 are allowed"),
        "{why}"
    );
    let why = open("# page_kib=4\n# page_kib=16\n").unwrap_err().to_string();
    assert!(why.contains("state it once"), "{why}");
}

#[test]
fn a_file_with_other_pages_than_the_plan_is_refused_and_where_the_plan_says_nothing_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.txt");
    let release = "[    0.000000] Linux version 6.12.117+deb13-arm64-16k (me@host) #1 SMP\n";
    std::fs::write(&path, format!("{release}{}", events(4096))).unwrap();
    let text = |page_kib: &str, mib: u64| {
        format!(
            "name = \"p\"\n{page_kib}policies = [\"kernel\"]\n[[boards]]\nname = \"b\"\nareas = [{{ mib = \
             {mib} }}]\n[[streams]]\nfile = {:?}\nown_area = false\n",
            path.display().to_string()
        )
    };
    for stated in ["", "page_kib = 4\n"] {
        let why = prepare(plan(&text(stated, 64)).unwrap()).unwrap_err().to_string();
        let wanted = "its pages are of 16 KiB, by the name of the kernel, those of the plan of 4 KiB; \
                      page_kib = 16 in the plan";
        assert!(why.contains(wanted), "{why}");
    }
    let kind = kind_of_files(&plan(&text("", 64)).unwrap());
    assert_eq!((kind.page, kind.release), (Some(Page::Kib16), Some((6, 12))));
    let catalog = builtin::catalog();
    let followed = parse_for("p.toml", &text("", 64), &catalog, kind).unwrap();
    assert_eq!(followed.boards[0].areas[0].area.pages(), 4096);
    let (_, said) = answered(&prepare(followed).unwrap());
    assert!(said.contains("Pages are of 16 KiB."), "{said}");
    let (_, stated) = answered(&ready(&text("page_kib = 16\n", 64)));
    assert_eq!(said, stated);
    let why = parse_for("p.toml", &text("", 48), &catalog, kind).unwrap_err().to_string();
    assert!(why.contains("take 32 or 64"), "{why}");
    // What a board states goes before what files say.
    let own = text("", 48).replacen("name = \"b\"", "name = \"b\"\nstep_mib = 16", 1);
    assert!(parse_for("p.toml", &own, &catalog, kind).is_ok());
}

#[test]
fn what_states_no_size_of_a_page_is_taken_to_have_4_kib() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.txt");
    std::fs::write(&path, events(16384)).unwrap();
    let text = format!(
        "name = \"p\"\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\nareas = [{{ mib = 64 }}]\n\
         [[streams]]\nfile = {:?}\nown_area = false\n",
        path.display().to_string()
    );
    let (_, said) = answered(&ready(&text));
    let line =
        "Pages are taken to be of 4 KiB: neither the plan states it (page_kib) nor do its files.";
    assert!(said.contains(line), "{said}");
    assert!(
        said.contains(",page_kib,refused_beyond_fallback,fit_reproduces,fit_refused_distance\n"),
        "{said}"
    );
    assert!(said.contains(",4,0,,\n"), "{said}");
    // The plan as it was run says no more than it knew.
    let again = emit(&ready(&text));
    assert!(!again.contains("page_kib"), "{again}");
    assert_eq!(answered(&ready(&again)).1, said);
    // Of profiles alone nothing is said of pages.
    let made = "name = \"p\"\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\nareas = [{ mib = 64 }]\n\
                [[streams]]\nprofile = \"gpu\"\nops = 20\n";
    assert!(!answered(&ready(made)).1.contains("Pages are"));
}
