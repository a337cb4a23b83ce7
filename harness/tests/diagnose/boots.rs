//! Boots with a hidden truth: what a kernel makes of a node, a command line and its configuration,
//! by a reading of `of_reserved_mem.c`, `contiguous.c` and `mm/cma.c` that shares nothing with the
//! one that is checked.

use cma_harness::boot::{Asked, Fate, Off, Origin, Reason};
use cma_harness::diagnose::Diagnosis;
use cma_harness::seed::{Draws, Seed};

const MIB: u64 = 1 << 20;

/// What is asked of a kernel, and what kernel it is.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    release: (u32, u32, &'static str),
    arm64: bool,
    page_kib: u64,
    /// Blocks of memory, ascending: first byte and the byte after the last.
    blocks: Vec<(u64, u64)>,
    /// `CONFIG_CMA_SIZE_MBYTES`.
    configured_mib: u64,
    node: Option<Node>,
    /// `cma=`, in bytes.
    asked_by_line: Option<u64>,
}

#[derive(Clone, Debug)]
struct Node {
    name: &'static str,
    bytes: u64,
    reusable: bool,
    default: bool,
}

/// What became of what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Became {
    /// An area of so many bytes.
    Placed(u64),
    /// No block of memory is long enough: so long is the longest.
    NotPlaced(u64),
    /// Its size is no multiple of the step.
    OffTheStep(u64),
    /// A pool that CMA has nothing to do with.
    DmaPool,
    /// `cma=` was used in its place.
    Beaten,
    /// `cma=` was not looked at: the node made the default area.
    WithoutEffect,
}

/// A boot and its truth.
#[derive(Debug)]
pub(crate) struct Boot {
    pub(crate) setup: Setup,
    pub(crate) text: String,
    /// The text says what the longest block of memory is.
    pub(crate) blocks_shown: bool,
    pub(crate) node: Option<(&'static str, Became)>,
    pub(crate) line: Option<Became>,
    /// The area that the configuration made, where nothing else made the default one.
    pub(crate) configured: Option<u64>,
    /// All areas, in bytes.
    pub(crate) total: u64,
}

const RELEASES: [(u32, u32, &str); 8] = [
    (5, 4, "5.4.47-board"),
    (5, 10, "5.10.72-lts"),
    (5, 15, "5.15.32-v8+"),
    (6, 1, "6.1.22"),
    (6, 6, "6.6.36-lts-next"),
    (6, 12, "6.12.9-edge"),
    (7, 1, "7.1.2"),
    (7, 3, "7.3.4"),
];

impl Setup {
    fn any(draws: &mut Draws) -> Self {
        let release = *draws.pick(&RELEASES);
        let arm64 = draws.below(3) > 0;
        let page_kib = if arm64 && release.0 >= 6 { *draws.pick(&[4, 4, 4, 16]) } else { 4 };
        let first = 0x4000_0000;
        let all = 512 * MIB * draws.between(1, 4);
        let blocks = if draws.below(3) == 0 {
            let hole = all / 4 + 32 * MIB * draws.below(3);
            vec![(first, first + hole), (first + hole + 16 * MIB, first + all)]
        } else {
            vec![(first, first + all)]
        };
        let sizes = [8, 24, 32, 33, 48, 64, 128, 320, 640, 960, 1280, 3000];
        let node = (draws.below(3) > 0).then(|| Node {
            name: draws.pick::<&str>(&["linux,cma", "vpu_pool", "camera@0"]),
            bytes: *draws.pick(&sizes) * MIB
                + [0, 0, 0, 4096 * page_kib / 4][draws.below(4) as usize],
            reusable: draws.below(6) > 0,
            default: draws.below(3) > 0,
        });
        let asked_by_line = (draws.below(3) == 0).then(|| *draws.pick(&[33, 64, 100, 256]) * MIB);
        Self {
            release,
            arm64,
            page_kib,
            blocks,
            configured_mib: *draws.pick(&[16, 32, 64]),
            node,
            asked_by_line,
        }
    }

    fn from(&self, major: u32, minor: u32) -> bool {
        (self.release.0, self.release.1) >= (major, minor)
    }

    /// CMA_MIN_ALIGNMENT_BYTES: a pageblock, before 5.19 a block of the largest order where that is
    /// more. A pageblock of arm64 is a PMD, of arm a block of the largest order.
    fn step(&self) -> u64 {
        match (self.arm64, self.page_kib) {
            (true, 16) => 32 * MIB,
            (true, _) if self.from(5, 19) => 2 * MIB,
            _ => 4 * MIB,
        }
    }

    fn longest(&self) -> u64 {
        self.blocks.iter().map(|(start, end)| end - start).max().unwrap_or(0)
    }

    /// From the top of the last block that is long enough down, by steps, below what is `taken`.
    fn place(&self, bytes: u64, taken: Option<u64>) -> Option<u64> {
        let step = self.step();
        let fits = |(start, end): &(u64, u64)| {
            let inside = taken.filter(|base| (*start..*end).contains(base));
            let base = inside.unwrap_or(*end).checked_sub(bytes)? / step * step;
            (base >= *start).then_some(base)
        };
        self.blocks.iter().rev().find_map(fits)
    }
}

/// One boot.
pub(crate) fn boot(seed: &Seed) -> Boot {
    let mut draws = seed.rng();
    let setup = Setup::any(&mut draws);
    let mut lines = Vec::new();
    let machine = if setup.arm64 { "0x0000000000 [0x410fd034]" } else { "0x0" };
    lines.push(format!("Booting Linux on physical CPU {machine}"));
    let suffix = if setup.page_kib == 16 { "-16k" } else { "" };
    lines.push(format!("Linux version {}{suffix} (me@farm) (gcc 12.3.0) #1 SMP", setup.release.2));
    if !setup.arm64 {
        lines.push("CPU: ARMv7 Processor [412fc09a] revision 10 (ARMv7), cr=10c5387d".into());
    }
    let (mut total, mut made) = (0, false);
    let beats = setup.asked_by_line.is_some() && setup.from(5, 10);
    let node = setup.node.as_ref().map(|node| {
        let became = of_node(&setup, node, beats, &mut lines);
        if let Became::Placed(bytes) = became {
            total += bytes;
            made = node.default;
        }
        (node.name, became)
    });
    let mut line = None;
    let mut configured = None;
    if made {
        line = setup.asked_by_line.map(|_| Became::WithoutEffect);
    } else {
        let asked = setup.asked_by_line.unwrap_or(setup.configured_mib * MIB);
        let kept = |(_, became): &(_, Became)| {
            matches!(became, Became::Placed(_) | Became::DmaPool).then_some(())
        };
        let taken = node.as_ref().and_then(kept).and_then(|()| {
            let bytes = setup.node.as_ref()?.bytes;
            setup.place(bytes, None)
        });
        let became = by_default(&setup, asked, taken, &mut lines);
        if let Became::Placed(bytes) = became {
            total += bytes;
        }
        match setup.asked_by_line {
            Some(_) => line = Some(became),
            None => configured = Some(total - placed(node.map(|(_, became)| became))),
        }
    }
    let blocks_shown = draws.below(2) == 0;
    if blocks_shown {
        lines.push("Early memory node ranges".into());
        let block = |(start, end): &(u64, u64)| {
            format!("  node   0: [mem 0x{start:016x}-0x{:016x}]", end - 1)
        };
        lines.extend(setup.blocks.iter().map(block));
    }
    let asked = setup.asked_by_line.map_or(String::new(), |bytes| format!("cma={}M", bytes / MIB));
    lines.push(format!("Kernel command line: console=ttymxc0,115200 root=/dev/mmcblk1p2 {asked}"));
    let (all, cma) = (setup.blocks.iter().map(|(a, b)| b - a).sum::<u64>() / 1024, total / 1024);
    lines.push(format!(
        "Memory: {}K/{all}K available (11072K kernel code, 43012K reserved, {cma}K cma-reserved)",
        all.saturating_sub(cma + 43012)
    ));
    let mut text: String = lines.iter().map(|line| format!("[    0.000000] {line}\n")).collect();
    if draws.below(2) == 0 {
        text += &format!("$ cat /proc/meminfo\nCmaTotal:       {cma:>8} kB\n");
    }
    Boot { setup, text, blocks_shown, node, line, configured, total }
}

fn placed(became: Option<Became>) -> u64 {
    if let Some(Became::Placed(bytes)) = became { bytes } else { 0 }
}

fn of_node(setup: &Setup, node: &Node, beats: bool, lines: &mut Vec<String>) -> Became {
    let Node { name, bytes, reusable, default } = *node;
    let mib = bytes / MIB;
    if beats && default && setup.from(7, 0) {
        lines.push("Skipping dt linux,cma-default node in favor for \"cma=\" kernel param.".into());
        return Became::Beaten;
    }
    let Some(base) = setup.place(bytes, None) else {
        lines.push(format!(
            "OF: reserved mem: failed to allocate memory for node '{name}': size {mib} MiB"
        ));
        return Became::NotPlaced(setup.longest());
    };
    let fails = format!("OF: reserved mem: node {name} compatible matching fail");
    if beats && default {
        lines
            .push(format!("Reserved memory: bypass {name} node, using cmdline CMA params instead"));
        lines.push(fails);
        return Became::Beaten;
    }
    if !reusable {
        let size =
            if setup.from(7, 0) { format!("{} KiB", bytes / 1024) } else { format!("{mib} MiB") };
        let at = "created DMA memory pool at";
        lines.push(format!("Reserved memory: {at} 0x{base:016x}, size {size}"));
        lines.push(format!(
            "OF: reserved mem: initialized node {name}, compatible id shared-dma-pool"
        ));
        return Became::DmaPool;
    }
    if !bytes.is_multiple_of(setup.step()) {
        lines.push("Reserved memory: incorrect alignment of CMA region".into());
        lines.push(fails);
        return Became::OffTheStep(setup.step());
    }
    lines
        .push(format!("Reserved memory: created CMA memory pool at 0x{base:016x}, size {mib} MiB"));
    lines.push(format!("OF: reserved mem: initialized node {name}, compatible id shared-dma-pool"));
    if setup.from(6, 4) {
        let (last, kib) = (base + bytes - 1, bytes / 1024);
        lines.push(format!(
            "OF: reserved mem: 0x{base:016x}..0x{last:016x} ({kib} KiB) map reusable {name}"
        ));
    }
    Became::Placed(bytes)
}

/// `dma_contiguous_reserve()`: rounded up to the step; from 7.0 on the line has what was asked.
fn by_default(setup: &Setup, asked: u64, taken: Option<u64>, lines: &mut Vec<String>) -> Became {
    let bytes = asked.next_multiple_of(setup.step());
    let shown = if setup.from(7, 0) { asked } else { bytes } / MIB;
    let node = if (6, 6) <= (setup.release.0, setup.release.1) && !setup.from(7, 0) {
        " on node -1"
    } else {
        ""
    };
    match setup.place(bytes, taken) {
        Some(base) => {
            lines.push(format!("cma: Reserved {shown} MiB at 0x{base:016x}{node}"));
            Became::Placed(bytes)
        }
        None => {
            lines.push(format!("cma: Failed to reserve {shown} MiB{node}"));
            Became::NotPlaced(setup.longest())
        }
    }
}

/// What is said otherwise than it is.
pub(crate) fn wrong(boot: &Boot, found: &Diagnosis) -> Vec<String> {
    let story = &found.boot;
    let mut wrong = Vec::new();
    let mut check = |what: &str, is: Option<Became>, said: Option<&Asked>| {
        let Some(is) = is else { return };
        if !said.is_some_and(|asked| agrees(is, asked, boot)) {
            wrong.push(format!("{what} is {is:?}, said {said:?}"));
        }
    };
    let of = |is: fn(&Origin) -> bool| story.areas.iter().find(|asked| is(&asked.origin));
    // A pool of a device's own is what many nodes are to be: it is said of one that is called cma.
    let node = boot.node.filter(|(name, is)| *is != Became::DmaPool || name.contains("cma"));
    check("node", node.map(|(_, became)| became), of(|origin| *origin == Origin::Node));
    check("cma=", boot.line, of(|origin| matches!(origin, Origin::CommandLine(_))));
    let configured = boot.configured.filter(|bytes| *bytes > 0).map(Became::Placed);
    check("configuration", configured, of(|origin| *origin == Origin::Config));
    if let (_, Some(said)) = (&boot.node, of(|origin| *origin == Origin::Node)) {
        let name = boot.node.map(|(name, _)| name);
        if said.name.is_some() && said.name.as_deref() != name {
            wrong.push(format!("node {name:?} is called {:?}", said.name));
        }
    }
    let placed = story.areas.iter().filter(|asked| asked.fate == Fate::Placed);
    let sum: u64 = placed.filter_map(|asked| asked.bytes).sum();
    if sum != boot.total {
        wrong.push(format!("{sum} bytes of areas, {} are", boot.total));
    }
    if let Some(step) = story.stride.bytes.filter(|step| *step != boot.setup.step()) {
        wrong.push(format!("the step is {}, said {step}", boot.setup.step()));
    }
    wrong
}

fn agrees(is: Became, said: &Asked, boot: &Boot) -> bool {
    match (is, &said.fate) {
        (Became::Placed(bytes), Fate::Placed) => said.bytes == Some(bytes),
        (Became::NotPlaced(longest), Fate::NotPlaced(Reason::Block { start, end, .. })) => {
            boot.blocks_shown && end - start == longest
        }
        // Without the blocks the sum of all memory bounds it.
        (Became::NotPlaced(_), Fate::NotPlaced(Reason::Memory(_) | Reason::Open)) => true,
        (Became::OffTheStep(_), Fate::Refused(off)) => {
            matches!(off, Off::Size(_) | Off::BaseOrSize)
        }
        (Became::DmaPool, Fate::DmaPool)
        | (Became::Beaten, Fate::Bypassed(_))
        | (Became::WithoutEffect, Fate::BeatenByNode(_)) => true,
        _ => false,
    }
}
