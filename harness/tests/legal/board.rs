//! Sizes of areas, what makes them, and how a pool is spoken of.

use cma_harness::board::MadeBy;
use cma_harness::sweep::emit;

use super::{answered, plan, ready};

/// A plan whose one board states `keys`, and whose one area `area`.
fn one(page_kib: u64, keys: &str, area: &str) -> String {
    format!(
        "name = \"p\"\npage_kib = {page_kib}\npolicies = [\"kernel\"]\n[[boards]]\nname = \"b\"\n{keys}\n\
         areas = [{{ {area} }}]\n[[streams]]\nprofile = \"audio\"\nops = 20\n"
    )
}

/// The pages of that area, or why there is none.
fn made(page_kib: u64, keys: &str, area: &str) -> Result<u64, String> {
    let plan = plan(&one(page_kib, keys, area))?;
    Ok(plan.boards[0].areas[0].area.pages())
}

#[test]
fn a_node_has_a_legal_size_or_is_refused() {
    for (page_kib, keys, legal, refused, step) in [
        (4, "", 34, 33, "multiple of 2 MiB (arm64 with 4 KiB pages from 5.19 on)"),
        (4, "kernel = \"6.12\"", 2, 1, "multiple of 2 MiB"),
        (4, "kernel = \"5.15\"", 36, 34, "multiple of 4 MiB (arm64 with 4 KiB pages up to 5.18)"),
        (4, "arch = \"arm\"", 36, 34, "multiple of 4 MiB (32-bit arm)"),
        (4, "arch = \"x86_64\"\nkernel = \"5.10\"", 8, 10, "multiple of 4 MiB (x86_64 up to 5.18)"),
        (4, "arch = \"arm\"\nstep_mib = 32", 64, 48, "multiple of 32 MiB (step_mib)"),
        (16, "", 96, 80, "multiple of 32 MiB (arm64 with 16 KiB pages)"),
        (64, "", 512, 96, "multiple of 512 MiB (arm64 with 64 KiB pages)"),
        (64, "step_mib = 64", 64, 96, "multiple of 64 MiB (step_mib)"),
    ] {
        let area = |mib: u64| format!("mib = {mib}");
        let pages = made(page_kib, keys, &area(legal));
        assert_eq!(pages, Ok(legal * 1024 / page_kib), "{page_kib} {keys}");
        let why = made(page_kib, keys, &area(refused)).unwrap_err();
        assert!(why.contains(step) && why.contains("p.toml line"), "{page_kib} {keys}: {why}");
        assert!(why.contains("or made_by = \"cmdline\""), "{why}");
    }
    let why = made(16, "", "mib = 80").unwrap_err();
    assert!(why.contains("take 64 or 96, "), "{why}");
    let why = made(16, "", "mib = 16").unwrap_err();
    assert!(why.contains("take 32, "), "{why}");
}

#[test]
fn a_command_line_is_rounded_up_as_the_kernel_does() {
    for (page_kib, keys, mib, booted) in [
        (4, "", 33, 34),
        (4, "kernel = \"5.4\"", 33, 36),
        (16, "", 48, 64),
        (16, "", 64, 64),
        (64, "arch = \"arm64\"", 48, 512),
    ] {
        let area = format!("mib = {mib}, made_by = \"cmdline\"");
        assert_eq!(made(page_kib, keys, &area), Ok(booted * 1024 / page_kib), "{mib}");
        let ready = ready(&one(page_kib, keys, &area));
        let (_, said) = answered(&ready);
        // What is printed is what is booted.
        assert!(said.contains(&format!("default area of {booted} MiB: cma={booted}M")), "{said}");
        assert!(!said.contains(" or a dts node"), "{said}");
        let again = emit(&ready);
        assert!(again.contains("made_by = \"cmdline\""), "{again}");
        let again = plan(&again).unwrap();
        assert_eq!(again.boards[0].areas[0].made_by, MadeBy::Cmdline);
        assert_eq!(again.boards[0].step_pages, ready.plan.boards[0].step_pages);
    }
}

#[test]
fn what_is_stated_in_pages_may_have_any_size() {
    assert_eq!(made(4, "", "pages = 300"), Ok(300));
    assert_eq!(made(16, "", "pages = 4097, made_by = \"cmdline\""), Ok(4097));
    let ranges = "ranges = [{ base_pfn = 0, pages = 3 }, { base_pfn = 5000, pages = 7 }]";
    assert_eq!(made(16, "", ranges), Ok(10));
    assert_eq!(made(4, "", "pages = 512, base_pfn = 0x101"), Ok(512));
    // The area of the note is its own.
    let note = "name = \"n\"\npage_kib = 4\npolicies = [\"kernel\"]\n[[streams]]\nprofile = \
                \"imx-note\"\nops = 600\n";
    assert_eq!(ready(note).checked[0].area.as_ref().unwrap().pages(), 286_720);
    // That no kernel makes it is said where it would have to be written down.
    let (_, said) = answered(&ready(&one(4, "", "pages = 9000")));
    assert!(said.contains("which no kernel makes: the next is cma=36M or a dts node"), "{said}");
}

#[test]
fn what_is_stated_in_mib_begins_and_ends_at_the_step_of_its_kernel() {
    let range = |base_pfn: &str, mib: u64| {
        format!(
            "ranges = [{{ base_pfn = 0x8000, pages = 5 }}, {{ base_pfn = {base_pfn}, mib = {mib} }}]"
        )
    };
    let by_cmdline = "mib = 96, base_pfn = 0x101, made_by = \"cmdline\"".to_string();
    let at = |base_pfn: &str| format!("mib = 96, base_pfn = {base_pfn}");
    for (page_kib, keys, area, why) in [
        (4, "", at("0x101"), "base_pfn is 257 (0x101); no kernel makes an area there"),
        (4, "", at("511"), "multiple of 512 pages, 2 MiB (arm64 with 4 KiB pages from 5.19 on)"),
        (4, "", by_cmdline, "take 0x0 or 0x200, or state its size in pages"),
        (4, "arch = \"arm\"", at("0x200"), "multiple of 1024 pages, 4 MiB (32-bit arm)"),
        (16, "", at("0x200"), "take 0x0 or 0x800, or state its size in pages"),
        (4, "", range("0x100", 64), "base_pfn is 256 (0x100)"),
        (4, "", range("0x200", 63), "a range of 63 MiB is made by no kernel"),
        (
            16,
            "",
            range("0x800", 48),
            "multiple of 32 MiB (arm64 with 16 KiB pages); take 32 or 64,",
        ),
    ] {
        let said = made(page_kib, keys, &area).unwrap_err();
        assert!(said.contains(why) && said.contains("p.toml line"), "{area}: {said}");
    }
    assert_eq!(made(4, "", &at("0x200")), Ok(96 * 256));
    assert_eq!(made(4, "", &range("0x200", 62)), Ok(5 + 62 * 256));
    assert_eq!(made(16, "", &range("0x800", 64)), Ok(5 + 64 * 64));
}

#[test]
fn what_is_wrong_with_a_size_is_said_with_its_place() {
    for (page_kib, keys, area, why) in [
        (8, "", "mib = 2", "line 2, column 12: page_kib is 8; 4, 16 and 64 are allowed"),
        (
            4,
            "arch = \"riscv\"",
            "mib = 2",
            "no architecture is named \"riscv\"; there are arm64, arm",
        ),
        (16, "arch = \"arm\"", "mib = 32", "no kernel of this architecture has pages of 16 KiB"),
        (4, "kernel = \"new\"", "mib = 2", "kernel is \"new\"; a release as \"6.12\""),
        (4, "step_mib = 3", "mib = 3", "step_mib is 3; a pageblock is a power of two"),
        (4, "step_mib = 0", "mib = 3", "step_mib is 0; a whole number from 1"),
        (
            4,
            "",
            "mib = 2, made_by = \"bootargs\"",
            "made_by is \"bootargs\"; \"dts\" or \"cmdline\"",
        ),
        (
            4,
            "",
            "ranges = [{ base_pfn = 0, mib = 2 }], made_by = \"dts\"",
            "neither a node nor a command line makes",
        ),
        (
            4,
            "",
            "mib = 2 }, { name = \"vpu\", mib = 2, clients = [\"vpu\"], made_by = \"cmdline\"",
            "the command line makes the default area alone",
        ),
    ] {
        let said = made(page_kib, keys, area).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

/// Boards with a default area of 16 MiB and a pool of `pools`; who asks the pool has `live` MiB in
/// buffers of 1 MiB at once.
fn with_pools(folder: &std::path::Path, pools: &[u64], live: u64) -> String {
    let path = folder.join("s.csv");
    let mut rows = String::from("at_us,op,id,count,align,client\n");
    for id in 0..live {
        rows += &format!("{},alloc,{id},256,dma,vpu0\n", id * 1000);
    }
    rows += "900000,free,0,,,\n";
    std::fs::write(&path, rows).unwrap();
    let board = |mib: &u64| {
        format!(
            "[[boards]]\nname = \"p{mib}\"\nareas = [{{ name = \"linux,cma\", mib = 16 }}, {{ name = \
             \"vpu\", mib = {mib}, clients = [\"vpu\"] }}]\n"
        )
    };
    let boards: String = pools.iter().map(board).collect();
    format!(
        "name = \"p\"\npolicies = [\"kernel\"]\ncaps = [4, 8]\n{boards}[[streams]]\nfile = {:?}\n\
         own_area = false\n",
        path.display().to_string()
    )
}

#[test]
fn a_pool_is_changed_by_the_size_of_its_node() {
    let folder = tempfile::tempdir().unwrap();
    let ready = ready(&with_pools(folder.path(), &[6, 10, 12], 8));
    let (_, said) = answered(&ready);
    let pool =
        "dts node vpu of 10 MiB for vpu: size = <0x00a00000> (with two cells <0x0 0x00a00000>)";
    assert!(said.contains(pool), "{said}");
    assert!(!said.contains("cma=10M") && !said.contains("cma=26M"), "{said}");
    // The pool alone has another size: with nothing else changed, cap 8, that does.
    let cell = "with nothing but the size of one area changed: 26 MiB (board p10, 2 areas), cap 8";
    assert!(
        said.contains(cell) || said.contains("choose 26 MiB (board p10, 2 areas), cap 8"),
        "{said}"
    );
}

#[test]
fn load_and_used_share_are_those_of_the_area_that_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let ready = ready(&with_pools(folder.path(), &[6, 10], 8));
    let (found, said) = answered(&ready);
    // 8 MiB of a pool of 6, which is full when it refuses; of the board they are 36 %.
    assert!(said.contains("on board p6: LOAD 133.3 % of 1536 pages (6 MiB) of area vpu"), "{said}");
    assert!(
        said.contains("on board p10: LOAD 80.0 % of 2560 pages (10 MiB) of area vpu"),
        "{said}"
    );
    let row = &found.summary.rows[0];
    assert_eq!((row.area_utilisation, row.area_loads_most[1]), (Some(1.0), Some(2048)));
    assert_eq!(row.utilisation, Some(1536.0 / 5632.0 * 1e6).map(|share: f64| share.floor() / 1e6));
    // A size by LOAD is that of the pool: 10 MiB for 8.
    let sizing = &found.sizing[0];
    assert_eq!((sizing.area, sizing.load_pages), (Some(1), 2048.0));
    assert_eq!(sizing.sizes.iter().map(|size| size.per_load).collect::<Vec<_>>(), [0.75, 1.25]);
    assert_eq!(sizing.least.median, Some(1.25));
    let headline = found.headline.unwrap();
    let over = headline.ranked.iter().find(|one| one.board == Some(0)).unwrap();
    assert!((over.rho.unwrap() - 8.0 / 6.0).abs() < 1e-9, "{over:?}");
    assert_eq!(over.live_pages, Some(2048.0));
}

#[test]
fn the_pool_of_a_file_is_no_default_area() {
    let folder = tempfile::tempdir().unwrap();
    let said = |area: &str, named: &str| {
        let path = folder.path().join("own.csv");
        let rows = format!(
            "# area={area} base_pfn=0 pages=2048\nat_us,op,id,count,align\n0,alloc,1,300,dma\n9,free,1,,\n"
        );
        std::fs::write(&path, rows).unwrap();
        let board = |mib: u64| {
            format!("[[boards]]\nname = \"b{mib}\"\nareas = [{{ {named}mib = {mib} }}]\n")
        };
        let text = format!(
            "name = \"p\"\npolicies = [\"kernel\"]\n{}{}[[streams]]\nfile = {:?}\nown_area = false\n",
            board(2),
            board(4),
            path.display().to_string()
        );
        answered(&ready(&text)).1
    };
    for (area, named) in [("vpu_pool", ""), ("vpu_pool", "name = \"vpu_pool\", ")] {
        let said = said(area, named);
        assert!(said.contains("dts node vpu_pool of 2 MiB: size = <0x00200000>"), "{said}");
        assert!(!said.contains("cma="), "{said}");
    }
    // What the command line and the default node make is a default area, and so is what the plan
    // calls otherwise.
    for (area, named) in
        [("reserved", ""), ("linux,cma@40000000", ""), ("vpu_pool", "name = \"linux,cma\", ")]
    {
        let said = said(area, named);
        assert!(said.contains("default area of 2 MiB: cma=2M or a dts node"), "{area}: {said}");
    }
}
