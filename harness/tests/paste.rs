//! What is to be pasted, on the device trees of real boots and on made-up ones: `dtc` compiles each
//! without a new warning, the areas are those that are wanted, `lint` finds nothing new, and the way
//! back gives the tree that was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cma_harness::ingest::Source;
use cma_harness::lint::{Board, Given, Severity, lint};
use cma_harness::paste::{CannotPaste, Change, Checked, Paste, Wanted, most_bytes, paste};
use cma_harness::tree::{Tree, has_dtc};
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

/// The same change of a `.dts`, of its `.dtb` and of a copy of `/proc/device-tree`'s kind.
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

/// A made-up board.
#[derive(Clone, Debug)]
struct Made {
    /// Cells of an address and of a size.
    cells: (u32, u32),
    labels: bool,
    /// There is memory above 4 GiB.
    high: bool,
    memory_known: bool,
    pools: Vec<MadePool>,
    /// Devices: whether each has a `memory-region`, and is switched on.
    devices: Vec<(Option<usize>, bool)>,
    /// `ranges` of a bus that reaches 1 GiB.
    bus: bool,
}

#[derive(Clone, Debug)]
struct MadePool {
    mib: u64,
    place: Place,
    alignment: Option<u64>,
    off: bool,
    wanted: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Anywhere,
    /// `alloc-ranges`: this part of 256 MiB, and its width in MiB beyond the pool.
    Within(u64, u64),
    /// `reg`: this part of 128 MiB.
    At(u64),
}

const START: u64 = 0x4000_0000;

impl Made {
    fn number(&self, value: u64, cells: u32) -> String {
        match cells {
            1 => format!("{value:#x}"),
            _ => format!("{:#x} {:#x}", value >> 32, value & 0xffff_ffff),
        }
    }

    fn place(&self, base: u64, bytes: u64) -> String {
        format!("<{} {}>", self.number(base, self.cells.0), self.number(bytes, self.cells.1))
    }

    fn name(&self, at: usize) -> String {
        match self.pools[at].place {
            Place::At(part) => format!("pool{at}@{:x}", Self::base(part)),
            _ if at == 0 => "linux,cma".to_string(),
            _ => format!("pool{at}"),
        }
    }

    fn base(part: u64) -> u64 {
        START + part * 128 * MIB
    }

    fn pool(&self, at: usize) -> String {
        let pool = &self.pools[at];
        let label = if self.labels { format!("label{at}: ") } else { format!("needed{at}: ") };
        let bytes = pool.mib * MIB;
        let mut text =
            format!("{label}{} {{ compatible = \"shared-dma-pool\"; reusable;", self.name(at));
        match pool.place {
            Place::At(part) => text += &format!(" reg = {};", self.place(Self::base(part), bytes)),
            Place::Anywhere => {}
            Place::Within(part, more) => {
                let base = START + 512 * MIB + part * 256 * MIB;
                let ranges = self.place(base, bytes + more * MIB);
                text += &format!(" alloc-ranges = {ranges};");
            }
        }
        if !matches!(pool.place, Place::At(_)) {
            text += &format!(" size = <{}>;", self.number(bytes, self.cells.1));
            if let Some(mib) = pool.alignment {
                text += &format!(" alignment = <{}>;", self.number(mib * MIB, self.cells.0));
            }
        }
        text += if at == 0 { " linux,cma-default;" } else { "" };
        text += if pool.off { " status = \"disabled\";" } else { "" };
        text + " };\n"
    }

    fn dts(&self) -> String {
        let (address, bytes) = self.cells;
        let cells = format!("#address-cells = <{address}>; #size-cells = <{bytes}>;");
        let mut memory = self.place(START, 1536 * MIB);
        if self.high {
            memory += &format!(", {}", self.place(1 << 32, 1536 * MIB));
        }
        let memory = if self.memory_known { memory } else { self.place(0, 0) };
        let pools: String = (0..self.pools.len()).map(|at| self.pool(at)).collect();
        let reserved = match self.pools.is_empty() {
            true => String::new(),
            false => format!("reserved-memory {{ {cells} ranges;\n{pools}}};\n"),
        };
        let device = |(at, (region, on)): (usize, &(Option<usize>, bool))| {
            let region = region.filter(|pool| *pool < self.pools.len());
            let region = region.map_or(String::new(), |pool| {
                let label = if self.labels { "label" } else { "needed" };
                format!(" memory-region = <&{label}{pool}>;")
            });
            let status = if *on { "" } else { " status = \"disabled\";" };
            format!(
                "dev{at}@{at}000 {{ compatible = \"foo,dev{at}x\"; reg = <0x{at}000 0x1000>;{region}{status} }};\n"
            )
        };
        let devices: String = self.devices.iter().enumerate().map(device).collect();
        let reach = match self.bus {
            true => format!("dma-ranges = <0x0 {} 0x60000000>;", self.number(START, address)),
            false => String::new(),
        };
        format!(
            "/dts-v1/;\n/ {{ {cells} compatible = \"foo\";\nmemory@40000000 {{ device_type = \
             \"memory\"; reg = {memory}; }};\n{reserved}soc {{ compatible = \"simple-bus\"; \
             #address-cells = <1>; #size-cells = <1>; ranges = <0x0 {} 0x1000000>; {reach}\n\
             {devices}}};\n}};\n",
            self.number(0x1000_0000, address)
        )
    }

    fn change(&self, fresh: &[(u64, usize)]) -> Change {
        let pools = self.pools.iter().enumerate();
        let sizes = pools.filter_map(|(at, pool)| Some(sized(&self.name(at), pool.wanted?)));
        let news = fresh.iter().map(|(mib, device)| new(&[&format!("dev{device}")], *mib));
        of(&sizes.chain(news).collect::<Vec<_>>())
    }
}

fn made_pool() -> impl Strategy<Value = MadePool> {
    let place = prop_oneof![
        Just(Place::Anywhere),
        (0..2u64, 0..16u64).prop_map(|(part, more)| Place::Within(part, more * 2)),
        (0..4u64).prop_map(Place::At),
    ];
    let even = |most: u64| (1..most).prop_map(|half| half * 2);
    let align = prop_oneof![Just(None), Just(Some(2)), Just(Some(16))];
    let wanted = prop::option::weighted(0.7, even(40));
    (even(32), place, align, prop::bool::weighted(0.1), wanted).prop_map(
        |(mib, place, alignment, off, wanted)| MadePool { mib, place, alignment, off, wanted },
    )
}

fn made() -> impl Strategy<Value = Made> {
    let cells = prop_oneof![Just((1, 1)), Just((2, 1)), Just((2, 2))];
    let pools = prop::collection::vec(made_pool(), 0..4);
    let device = (prop::option::of(0..3usize), prop::bool::weighted(0.8));
    let devices = prop::collection::vec(device, 1..4);
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.8), any::<bool>());
    (cells, pools, devices, flags).prop_map(|(cells, pools, devices, flags)| {
        let (labels, high, memory_known, bus) = flags;
        let mut pools = pools;
        // Two at one place are no board.
        let mut parts = Vec::new();
        pools.retain(|pool| match pool.place {
            Place::At(part) if parts.contains(&part) => false,
            Place::At(part) => {
                parts.push(part);
                true
            }
            _ => true,
        });
        Made { cells, labels, high: high && cells.0 == 2, memory_known, pools, devices, bus }
    })
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
