//! Made-up boards.

use cma_harness::paste::Change;
use proptest::prelude::*;

use super::{MIB, new, of, sized};

/// A made-up board.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// Cells of an address and of a size.
    cells: (u32, u32),
    labels: bool,
    /// There is memory above 4 GiB.
    high: bool,
    memory_known: bool,
    pub(crate) pools: Vec<MadePool>,
    /// Devices: whether each has a `memory-region`, and is switched on.
    devices: Vec<(Option<usize>, bool)>,
    /// `ranges` of a bus that reaches 1 GiB.
    bus: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct MadePool {
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
    /// `reg`: this part of 64 MiB.
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
        START + part * 64 * MIB
    }

    fn pool(&self, at: usize) -> String {
        let pool = &self.pools[at];
        let is_named = self.devices.iter().any(|(region, _)| *region == Some(at));
        let label = if self.labels || is_named { format!("label{at}: ") } else { String::new() };
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

    pub(crate) fn dts(&self) -> String {
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
            let region =
                region.map_or(String::new(), |pool| format!(" memory-region = <&label{pool}>;"));
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

    pub(crate) fn change(&self, fresh: &[(u64, usize)]) -> Change {
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

pub(crate) fn made() -> impl Strategy<Value = Made> {
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
