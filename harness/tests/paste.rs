//! What is to be pasted, on the device trees of real boots and on made-up ones: `dtc` compiles each
//! without a new warning, the areas are those that are wanted, `lint` finds nothing new, and the way
//! back gives the tree that was.

#[path = "paste/made.rs"]
mod made;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cma_harness::ingest::Source;
use cma_harness::lint::{Board, Given, lint};
use cma_harness::paste::{CannotPaste, Change, Checked, Paste, Wanted, most_bytes, paste};
use cma_harness::tree::{Tree, has_dtc};
use made::made;
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora")
}

/// Whether the tests that need it can be run.
fn no_dtc() -> bool {
    let missing = !has_dtc();
    if missing {
        println!("skipped: dtc is not installed (apt install device-tree-compiler)");
    }
    missing
}

fn board(path: &Path, given: Given) -> Board {
    let tree = Tree::open(path).expect("it is read").expect("it is a tree");
    Board::read(Given { tree: Some(tree), ..given }).expect("it is read")
}

fn of_kernel(kernel: &str) -> Given {
    Given { kernel: Some(kernel.to_string()), ..Given::default() }
}

fn sized(name: &str, mib: u64) -> Wanted {
    Wanted { name: name.to_string(), bytes: mib * MIB, ..Wanted::default() }
}

fn new(clients: &[&str], mib: u64) -> Wanted {
    let clients = clients.iter().map(|client| (*client).to_string()).collect();
    Wanted { is_new: true, clients, bytes: mib * MIB, ..Wanted::default() }
}

fn of(areas: &[Wanted]) -> Change {
    Change { areas: areas.to_vec(), cap: None }
}

/// What `dtc` makes of a source, and the lines of its warnings.
fn compiled(source: &Path) -> (Vec<u8>, usize) {
    let done = Command::new("dtc").args(["-@", "-O", "dtb"]).arg(source).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{}: {said}", source.display());
    (done.stdout, said.lines().filter(|line| line.contains("Warning (")).count())
}

type Properties = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

fn properties(tree: &Tree) -> Properties {
    let node = |(id, node): (_, &cma_harness::tree::Node)| {
        let own = node.properties.iter().map(|own| (own.name.clone(), own.value.clone()));
        (tree.path(id), own.collect())
    };
    tree.nodes().map(node).collect()
}

/// Bytes of each pool by its name.
fn sizes(tree: &Tree) -> BTreeMap<String, Option<u64>> {
    let given = Given { tree: Some(tree.clone()), ..of_kernel("6.12-arm64") };
    let board = Board::read(given).expect("it is read");
    board.pools.iter().map(|pool| (pool.name.clone(), pool.bytes())).collect()
}

/// Appends the texts to a source, and looks at what comes out without the room's own check.
fn holds(text: &str, paste: &Paste) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let fragment = paste.fragment.as_deref().expect("there is a fragment");
    let (blob, warnings) = compiled(&written("before.dts", text));
    let (new_blob, new_warnings) = compiled(&written("after.dts", &format!("{text}\n{fragment}")));
    if new_warnings != warnings {
        return Err(format!("{warnings} warnings before, {new_warnings} after"));
    }
    let read = |blob: &[u8]| Tree::flat("compiled", blob).expect("dtc writes whole trees");
    let (before, after) = (read(&blob), read(&new_blob));
    let mut wanted = sizes(&before);
    wanted.extend(paste.areas.iter().map(|area| (area.name.clone(), Some(area.bytes))));
    if sizes(&after) != wanted {
        return Err(format!("{:?} in place of {wanted:?}", sizes(&after)));
    }
    let back = paste.back_fragment.as_deref().expect("there is a way back");
    let back = written("back.dts", &format!("{text}\n{fragment}\n{back}"));
    if properties(&read(&compiled(&back).0)) != properties(&before) {
        return Err("the way back is none".to_string());
    }
    let Some(overlay) = &paste.overlay else { return Ok(()) };
    let (overlay, warnings) = compiled(&written("overlay.dts", overlay));
    if warnings > 0 {
        return Err(format!("{warnings} warnings of the overlay"));
    }
    let path = |name: &str| folder.path().join(name);
    fs::write(path("base.dtb"), &blob).unwrap();
    fs::write(path("overlay.dtbo"), &overlay).unwrap();
    let tool = Command::new("fdtoverlay")
        .arg("-i")
        .args([path("base.dtb"), "-o".into(), path("whole.dtb"), path("overlay.dtbo")])
        .output();
    let Ok(done) = tool else { return Ok(()) };
    let whole = read(&fs::read(path("whole.dtb")).map_err(|_| format!("{done:?}"))?);
    if sizes(&whole) == wanted { Ok(()) } else { Err("the overlay gives others".to_string()) }
}

/// Bytes of all areas after a change, by what `lint` makes of the tree with the fragment.
fn ram(text: &str, paste: &Paste) -> Option<u64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("after.dts");
    fs::write(&path, format!("{text}\n{}", paste.fragment.as_deref().unwrap())).unwrap();
    let areas = lint(&board(&path, of_kernel("6.12-arm64"))).areas;
    areas.iter().filter(|area| area.has_memory()).map(|area| area.bytes).sum()
}

/// The same change of a `.dts` and of its `.dtb`.
fn all_forms(text: &str, change: &Change) -> Result<Vec<Paste>, CannotPaste> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("board.dts");
    fs::write(&source, text).unwrap();
    let blob = folder.path().join("board.dtb");
    fs::write(&blob, compiled(&source).0).unwrap();
    let mut all = Vec::new();
    for path in [&source, &blob] {
        let board = board(path, of_kernel("6.12-arm64"));
        let paste = paste(&board, change)?;
        assert!(matches!(paste.checked, Checked::Held(_)), "{text}\n{paste:#?}");
        if let Err(why) = holds(text, &paste) {
            panic!("{why}\n{text}\n{}", paste.fragment.unwrap());
        }
        assert_eq!(paste.ram_after, ram(text, &paste), "{text}\n{paste:#?}");
        all.push(paste);
    }
    Ok(all)
}

/// What is free in the trees of the boots, and what is not.
#[test]
fn every_tree_of_a_boot_takes_a_change() {
    if no_dtc() {
        return;
    }
    let mut changed = 0;
    for file in fs::read_dir(corpora().join("boots/dts")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let board = board(&path, of_kernel("6.12-arm64"));
        let mut changes = vec![of(&[new(&["vivid"], 4), new(&["pl061"], 2)])];
        changes.extend(
            board.pools.iter().map(|pool| of(&[sized(&pool.name, 36), new(&["gpio-keys"], 2)])),
        );
        for change in changes {
            match all_forms(&text, &change) {
                Ok(_) => changed += 1,
                // What the kernel takes as no area, what begins off the step.
                Err(CannotPaste::NotAnArea { .. }) => {
                    assert!(path.ends_with("noreus.dts") || path.ends_with("fixedodd.dts"));
                }
                Err(why) => panic!("{}: {why}", path.display()),
            }
        }
    }
    // Two of each tree, but those of the two nodes that are no areas, and two more of two trees.
    assert_eq!(changed, 40);
}

/// `vpu_pool` of the two is 4 MiB larger, there is a new pool, and a smaller cap.
#[test]
fn a_change_is_shown_beside_what_it_replaces() {
    let board = board(&corpora().join("boots/dtb/two.dtb"), of_kernel("7.3.4+deb13-arm64"));
    let change = Change { cap: Some(4), ..of(&[sized("vpu_pool", 28), new(&["vivid"], 4)]) };
    let paste = paste(&board, &change).unwrap();
    let fragment = "/ {
\treserved-memory {
\t\tvivid_pool: vivid_pool {
\t\t\tcompatible = \"shared-dma-pool\";
\t\t\treusable;
\t\t\tsize = <0x0 0x400000>; /* 4 MiB */
\t\t\talignment = <0x0 0x200000>; /* 2 MiB */
\t\t};
\t};
};

&vpu_pool {
\tsize = <0x0 0x1c00000>; /* 28 MiB, was 24 MiB */
};

/* BLANK: the device of \"vivid\" is not known.
   Put its label in place of LABEL, and take the marks of this comment away.
&LABEL {
\tmemory-region = <&vivid_pool>;
};
*/
";
    assert_eq!(paste.fragment.as_deref(), Some(fragment));
    assert_eq!(paste.config, ["CONFIG_CMA_ALIGNMENT=4"]);
    assert_eq!((paste.ram_before, paste.ram_after), (Some(56 * MIB), Some(64 * MIB)));
    assert_eq!(
        paste.back_fragment.as_deref(),
        Some("&vpu_pool {\n\tsize = <0x0 0x1800000>;\n};\n\n/delete-node/ &vivid_pool;\n")
    );
    let replaced: Vec<_> = paste
        .replaces
        .iter()
        .map(|own| format!("{}: {} -> {}", own.what, own.before, own.after))
        .collect();
    assert_eq!(
        replaced,
        [
            "size of vpu_pool: 0x1800000 (24 MiB) -> 0x1c00000 (28 MiB)",
            "size of vivid_pool: none -> 0x400000 (4 MiB)",
            "CONFIG_CMA_ALIGNMENT: not known -> 4",
        ]
    );
    assert_eq!(
        paste.boot_prints,
        [
            "Reserved memory: created CMA memory pool at 0x…, size 28 MiB",
            "OF: reserved mem: initialized node vpu_pool, compatible id shared-dma-pool",
            "Reserved memory: created CMA memory pool at 0x…, size 4 MiB",
            "OF: reserved mem: initialized node vivid_pool, compatible id shared-dma-pool",
        ]
    );
    assert_eq!(paste.blanks, ["memory-region of vivid: no node is certain to be its device"]);
    match paste.checked {
        Checked::Held(what) => assert!(what.contains("two.dtb")),
        Checked::Not(why) => assert!(!has_dtc() && why.contains("dtc"), "{why}"),
        Checked::Failed(wrong) => panic!("{wrong:?}"),
    }
}

/// The boots of a tree print the very lines that a paste of its own sizes says they do.
#[test]
fn a_boot_prints_what_is_said() {
    for (case, tree, kernel, areas) in [
        ("dts-k73-two", "two", "7.3.4", &[("linux,cma", 32), ("vpu_pool", 24)][..]),
        ("dts-k612-two", "two", "6.12.117", &[("linux,cma", 32), ("vpu_pool", 24)]),
        ("dts-k612-fixed2m", "fixed2m", "6.12.117", &[("cma@60200000", 50)]),
        ("cmd-k612-cmaat", "none", "6.12.117", &[("reserved", 64)]),
        ("cmd-k73-cmaat", "none", "7.3.4", &[("reserved", 64)]),
        ("cmd-k73-cma128-two", "two", "7.3.4", &[("reserved", 128), ("vpu_pool", 24)]),
    ] {
        let line = match case {
            _ if case.contains("cmaat") => Some("cma=64M@0x50000000"),
            _ if case.contains("cma128") => Some("cma=128M"),
            _ => None,
        };
        let cmdline = line.map(|line| ("--cmdline".to_string(), line.to_string()));
        let given = Given { cmdline, ..of_kernel(kernel) };
        let board = board(&corpora().join(format!("boots/dtb/{tree}.dtb")), given);
        let areas: Vec<_> = areas.iter().map(|(name, mib)| sized(name, *mib)).collect();
        let paste = paste(&board, &of(&areas)).unwrap();
        let log = fs::read_to_string(corpora().join(format!("boots/{case}.txt"))).unwrap();
        for line in &paste.boot_prints {
            let (front, rest) = line.split_once("0x…").unwrap_or((line, ""));
            let is_it = |own: &str| own.contains(front) && own.ends_with(rest);
            assert!(log.lines().any(is_it), "{case}: {line}");
        }
        let total = paste.notes.iter().find_map(|note| note.split_once("CmaTotal: "));
        let total = total.expect("it is said").1;
        let is_total =
            |own: &str| own.starts_with("CmaTotal:") && own.ends_with(&format!(" {total}"));
        assert!(log.lines().any(is_total), "{case}: {total}");
    }
}

#[test]
fn without_a_tree_the_general_text_says_what_it_takes() {
    let board = Board::read(of_kernel("6.1")).unwrap();
    let text = |name: &str| paste(&board, &of(&[sized(name, 28)])).unwrap();
    let reserved = text("reserved");
    assert_eq!(
        reserved.cmdline.map(|line| (line.before, line.after)),
        Some((None, "cma=28M".into()))
    );
    assert_eq!(reserved.fragment, None);
    let node = text("linux,cma");
    let fragment = node.fragment.unwrap();
    assert!(fragment.starts_with("/* The board's device tree was not given: "), "{fragment}");
    assert!(fragment.contains("&{/reserved-memory/linux,cma} {\n\tsize = <0x0 0x1c00000>;"));
    assert_eq!((node.overlay, node.ram_after), (None, None));
    assert!(matches!(node.checked, Checked::Not(_)));
}

#[test]
fn a_size_off_the_step_and_a_cap_that_kconfig_does_not_take_are_refused() {
    let of_two = |kernel| board(&corpora().join("boots/dtb/two.dtb"), of_kernel(kernel));
    let said = |kernel, change: &Change| paste(&of_two(kernel), change).unwrap_err().to_string();
    assert_eq!(
        said("6.12-arm64", &of(&[sized("vpu_pool", 27)])),
        "change vpu_pool: 27 MiB is no multiple of 2 MiB; 26 MiB or 28 MiB is"
    );
    assert!(said("5.10-arm64", &of(&[sized("vpu_pool", 26)])).contains("24 MiB or 28 MiB is"));
    assert!(said("6.12", &of(&[sized("vpu", 28)])).contains("there is linux,cma, vpu_pool"));
    assert!(said("6.12", &of(&[sized("vpu_pool", 0)])).ends_with("2 MiB is"));
    let twice = of(&[sized("vpu_pool", 28), sized("vpu_pool", 26)]);
    assert!(said("6.12", &twice).contains("named twice"));
    assert!(said("6.12", &of(&[sized("vpu_pool", 2048)])).contains("at most 9"));
    let cap = |cap| Change { cap: Some(cap), ..Change::default() };
    assert_eq!(said("6.12", &cap(1)), "set CONFIG_CMA_ALIGNMENT=1: Kconfig takes 2 to 12");
    assert_eq!(said("4.14", &cap(3)), "set CONFIG_CMA_ALIGNMENT=3: Kconfig takes 4 to 12");
    assert_eq!(said("6.12", &Change::default()), "change the areas: no area and no cap is named");
}

#[test]
fn what_makes_the_default_area_is_what_changes() {
    let path = corpora().join("boots/dtb/none.dtb");
    let with = |texts: Vec<Source>, line: Option<&str>, tree: &str| {
        let cmdline = line.map(|line| ("--cmdline".to_string(), line.to_string()));
        let given = Given { texts, cmdline, ..of_kernel("6.12-arm64") };
        board(&path.with_file_name(tree), given)
    };
    let config = || {
        let text = "CONFIG_DMA_CMA=y\nCONFIG_CMA_SIZE_MBYTES=64\n";
        vec![Source::bytes(".config", text.as_bytes())]
    };
    let by_config =
        paste(&with(config(), None, "none.dtb"), &of(&[sized("reserved", 80)])).unwrap();
    assert_eq!(by_config.config, ["CONFIG_CMA_SIZE_MBYTES=80"]);
    assert_eq!((by_config.ram_before, by_config.ram_after), (Some(64 * MIB), Some(80 * MIB)));
    assert!(matches!(by_config.checked, Checked::Held(_)));
    let line = Some("quiet cma=64M@0x50000000 ro");
    let by_line = paste(&with(config(), line, "none.dtb"), &of(&[sized("reserved", 80)])).unwrap();
    let after = by_line.cmdline.unwrap().after;
    assert_eq!((&*after, by_line.config.len()), ("quiet cma=80M@0x50000000 ro", 0));
    // The node counts where the parameter is gone.
    let dropped = with(config(), Some("quiet cma=128M"), "two.dtb");
    let by_node = paste(&dropped, &of(&[sized("linux,cma", 36)])).unwrap();
    assert_eq!(by_node.cmdline.map(|line| line.after).as_deref(), Some("quiet"));
    assert_eq!((by_node.ram_before, by_node.ram_after), (Some(152 * MIB), Some(60 * MIB)));
    assert!(!matches!(by_node.checked, Checked::Failed(_)), "{:?}", by_node.checked);
}

#[test]
fn more_pools_than_slots_need_more_slots() {
    let config = Source::bytes(".config", "CONFIG_CMA_AREAS=2\n".as_bytes());
    let given = || Given { texts: vec![config.clone()], ..of_kernel("6.12-arm64") };
    let board = board(&corpora().join("boots/dtb/two.dtb"), given());
    let two = paste(&board, &of(&[sized("vpu_pool", 28)])).unwrap();
    assert_eq!(two.config, [""; 0]);
    let four = paste(&board, &of(&[new(&["a"], 2), new(&["b"], 2)])).unwrap();
    assert_eq!(four.config, ["CONFIG_CMA_AREAS=4"]);
    assert!(!matches!(four.checked, Checked::Failed(_)), "{:?}", four.checked);
}

/// The most that is said fits, and a step more does not.
#[test]
fn the_most_that_fits_is_the_most() {
    for (tree, area) in [
        ("two", "vpu_pool"),
        ("two", "linux,cma"),
        ("two", ""),
        ("fixed2m", "cma@60200000"),
        ("align16m", "linux,cma"),
        ("def32", "new"),
        ("toobig", "linux,cma"),
        ("smallrange", "linux,cma"),
    ] {
        let board =
            board(&corpora().join(format!("boots/dtb/{tree}.dtb")), of_kernel("6.12-arm64"));
        let most = most_bytes(&board, area).unwrap().bytes;
        let is_new = board.pools.iter().all(|pool| pool.name != area);
        let change = |bytes| of(&[Wanted { bytes, is_new, ..sized(area, 0) }]);
        let fits = paste(&board, &change(most)).unwrap();
        assert!(
            !matches!(fits.checked, Checked::Failed(_)),
            "{tree} {area} {most}: {:?}",
            fits.checked
        );
        let more = paste(&board, &change(most + 2 * MIB));
        if tree == "smallrange" {
            let wider = more.unwrap().replaces.remove(1);
            assert_eq!(wider.what, "alloc-ranges of linux,cma");
            continue;
        }
        assert!(matches!(more, Err(CannotPaste::NoRoom { .. })), "{tree} {area} {most}: {more:?}");
    }
}

/// A source with `#include`, macros and labels is one, and what is appended goes through `cpp`.
#[test]
fn a_source_with_includes_is_appended_to() {
    let has_cpp = Command::new("cpp").arg("--version").output().is_ok();
    if no_dtc() || !has_cpp {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let soc = "/ { #address-cells = <1>; #size-cells = <1>; memory@40000000 { device_type = \
               \"memory\"; reg = <0x40000000 0x40000000>; }; vpu: vpu@100 { compatible = \
               \"foo,vpu\"; memory-region = <&old>, <&fw>; }; dsp { compatible = \"foo,dsp\"; memory-region = \
               <&fw>; }; reserved-memory { #address-cells = <1>; \
               #size-cells = <1>; ranges; old: old { compatible = \"shared-dma-pool\"; reusable; \
               size = <SIZE>; }; fw: fw@44000000 { no-map; reg = <0x44000000 0x1000>; }; }; };\n";
    fs::write(folder.path().join("soc.dtsi"), soc).unwrap();
    let path = folder.path().join("board.dts");
    fs::write(&path, "/dts-v1/;\n#define SIZE 0x2000000\n#include \"soc.dtsi\"\n").unwrap();
    let board = board(&path, of_kernel("6.12-arm64"));
    let clients = new(&["e*/v\u{fc}", "vpu", "vpu", "dsp"], 16);
    let paste = paste(&board, &of(&[sized("old", 16), clients])).unwrap();
    assert!(matches!(paste.checked, Checked::Held(_)), "{paste:#?}");
    let fragment = paste.fragment.unwrap();
    assert!(
        fragment.contains("&vpu {\n\tmemory-region = <&e_v_vpu_vpu_dsp_pool>, <&fw>;\n};"),
        "{fragment}"
    );
    assert!(fragment.contains("&old {\n\tsize = <0x1000000>; /* 16 MiB, was 32 MiB */\n};"));
    assert!(paste.back_fragment.unwrap().contains("memory-region = <&old>, <&fw>;"));
    assert_eq!(paste.overlay, None);
    assert_eq!(paste.blanks.len(), 2, "{:?}", paste.blanks);
    assert!(paste.blanks[1].contains("memory-region of /dsp is there"), "{:?}", paste.blanks);
}

/// What `collect` gathers is part of a tree, and its nodes are named by their paths.
#[test]
fn a_tree_of_collect_is_named_by_paths() {
    let title = |path: &str, value: &str| format!("==> /proc/device-tree/{path} <==\n{value}\n\n");
    let text = [
        ("reserved-memory/#address-cells", "<0x00000002>"),
        ("reserved-memory/#size-cells", "<0x00000002>"),
        ("reserved-memory/ranges", ""),
        ("reserved-memory/linux,cma/compatible", "\"shared-dma-pool\""),
        ("reserved-memory/linux,cma/reusable", ""),
        ("reserved-memory/linux,cma/size", "<0x00000000 0x02000000>"),
        ("reserved-memory/linux,cma/linux,cma-default", ""),
    ];
    let text: String = text.iter().map(|(path, value)| title(path, value)).collect();
    let text = format!("# cmalab collect: 1\n{text}");
    let texts = vec![Source::bytes("board.txt", text.as_bytes())];
    let board = Board::read(Given { texts, ..of_kernel("6.12-arm64") }).unwrap();
    let paste = paste(&board, &of(&[sized("linux,cma", 64)])).unwrap();
    let fragment = paste.fragment.unwrap();
    assert!(fragment.starts_with("&{/reserved-memory/linux,cma} {\n\tsize = <0x0 0x4000000>;"));
    assert!(matches!(paste.checked, Checked::Not(why) if why.contains("collect")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn made_up_boards_take_a_change(
        made in made(),
        fresh in prop::collection::vec(((1..8u64).prop_map(|half| half * 2), 0..5usize), 0..3),
    ) {
        if !has_dtc() {
            return Ok(());
        }
        let change = made.change(&fresh);
        match all_forms(&made.dts(), &change) {
            Ok(_) => {}
            Err(CannotPaste::Nothing) => prop_assert!(change.areas.is_empty()),
            Err(CannotPaste::NoRoom { .. }) => prop_assert!(!made.pools.is_empty()),
            Err(why) => prop_assert!(false, "{why}"),
        }
    }
}

/// A new pool is kept where the default one may be, and what memory is beside that is not known.
#[test]
fn a_new_pool_wider_than_what_it_is_kept_in_is_refused() {
    if no_dtc() {
        return;
    }
    let text = "/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; reserved-memory { \
                #address-cells = <1>; #size-cells = <1>; ranges; linux,cma { compatible = \
                \"shared-dma-pool\"; reusable; size = <0x200000>; alloc-ranges = <0x60000000 \
                0x200000>; linux,cma-default; }; }; };\n";
    let why = all_forms(text, &of(&[new(&["vpu"], 4)])).unwrap_err().to_string();
    assert!(why.contains("(0x60000000 to 0x60200000 (2 MiB)) have less"), "{why}");
}
