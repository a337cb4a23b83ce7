//! The size of a page, the architecture, and the step of areas.

use super::notes::{Fact, Notes};
use crate::ingest::log::boot::{Boot, OrderFrom, PageFrom};
use crate::kernel::{Arch, Release, Step, release, steps};

/// Base and size of each area are multiples of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stride {
    /// In bytes, where it is known.
    pub bytes: Option<u64>,
    /// What it is known from.
    pub from: StrideFrom,
    /// The kinds of kernels that the text leaves open.
    pub open: Vec<&'static Step>,
}

/// What the step is known from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StrideFrom {
    /// A message has the number.
    Message,
    /// The order of a pageblock (`/proc/pagetypeinfo`).
    BlockOrder,
    /// The order of the largest block in the kernel's configuration.
    Config,
    /// The kind of the kernel: `open` has the row, or rows with the same step.
    Kind,
    /// The kind of the kernel, of which the architecture is a guess: addresses of one cell.
    OneCell,
    /// Nothing.
    Nowhere,
}

impl Stride {
    /// Whether some step that the text leaves open divides `value`.
    pub(super) fn may_divide(&self, value: u64) -> bool {
        match self.bytes {
            Some(bytes) => value.is_multiple_of(bytes),
            // Of an architecture that has no row nothing is known.
            None if self.open.is_empty() => true,
            None => self.open.iter().any(|step| value.is_multiple_of(step.bytes)),
        }
    }
}

/// How much a statement of the size of a page is worth.
const fn weight(from: PageFrom) -> u8 {
    match from {
        PageFrom::Getconf => 5,
        PageFrom::Config => 4,
        PageFrom::Release => 3,
        PageFrom::HugePage => 2,
        PageFrom::Pages => 1,
        PageFrom::Arch => 0,
    }
}

/// The statement that is worth more, the first one of two alike.
pub(super) fn better(
    known: Option<(u64, PageFrom)>,
    other: Option<(u64, PageFrom)>,
) -> Option<(u64, PageFrom)> {
    match (known, other) {
        (Some(known), Some(other)) if weight(other.1) > weight(known.1) => Some(other),
        (known, other) => known.or(other),
    }
}

/// Bytes of a page, by names of kernels: `6.12.117+deb13-arm64-16k`, `6.1.0-foo-64k`; the Raspberry
/// Pi 5 has a kernel with pages of 16 KiB, `6.12.25+rpt-rpi-2712`.
pub(crate) fn page_of_release(name: &str) -> Option<u64> {
    name.split(['-', '+', '_', '.']).find_map(|part| match part {
        "16k" | "2712" => Some(16384),
        "64k" => Some(65536),
        _ => None,
    })
}

/// By names of kernels: `-arm64`, `-v8`, `-v7l`, `-armmp`, `-amd64`, `-riscv64`.
pub(crate) fn arch_of_release(name: &str) -> Option<Arch> {
    name.split(['-', '+', '_', '.']).find_map(|part| match part {
        "arm64" | "aarch64" | "v8" | "2712" => Some(Arch::Arm64),
        "armmp" | "armhf" | "v7" | "v7l" | "armv7" | "imx6" => Some(Arch::Arm),
        "amd64" | "x86" => Some(Arch::X86_64),
        "riscv64" => Some(Arch::Riscv64),
        "s390x" | "powerpc64le" | "ppc64le" | "powerpc64" | "ppc64" | "loong64" | "loongarch64"
        | "octeon" | "malta" | "686" | "i686" => Some(Arch::Other),
        _ => None,
    })
}

impl Notes {
    /// A release that prints what is there: any later one prints as well, or is as it in the step.
    pub(super) fn implied(&self) -> Option<Release> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            Fact::Boot(Boot::Declared { node: Some(_) }) => Some((6, 6)),
            Fact::Boot(Boot::Node { .. }) | Fact::Reserved(Some(_), ..) => Some((6, 4)),
            Fact::Boot(Boot::Bypassed { node: None } | Boot::Ranges { .. }) => Some((7, 0)),
            _ => None,
        })
    }

    /// The order of a pageblock that the text states.
    pub(super) fn block_order(&self) -> Option<u32> {
        self.boots().find_map(|boot| match boot {
            Boot::BlockOrder(order) => Some(*order),
            _ => None,
        })
    }

    fn boots(&self) -> impl Iterator<Item = &Boot> {
        self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Boot(boot) => Some(boot),
            _ => None,
        })
    }

    /// The size of a page, where something states it or the architecture has no other.
    pub(super) fn page_or_arch(&self) -> Option<(u64, PageFrom)> {
        let (arch, page) = (self.machine().arch(), self.machine().page());
        page.or_else(|| self.page_of_counters())
            .or_else(|| Some((arch?.page_bytes()?, PageFrom::Arch)))
    }

    /// `CmaTotal` and the pages of all areas.
    fn page_of_counters(&self) -> Option<(u64, PageFrom)> {
        let counter = |(_, fact): &(_, Fact)| match fact {
            Fact::Counter(area, _, value) => Some((area.is_some(), *value)),
            _ => None,
        };
        let all: Vec<_> = self.facts.iter().filter_map(counter).collect();
        let pages: u64 = all.iter().filter(|(of_area, _)| *of_area).map(|(_, value)| value).sum();
        let total = self.bytes_of("CmaTotal").filter(|_| pages > 0)?;
        let bytes =
            total.checked_div(pages).filter(|bytes| bytes.checked_mul(pages) == Some(total))?;
        [4096, 16384, 65536].contains(&bytes).then_some((bytes, PageFrom::Pages))
    }

    /// A counter of the system as it was seen last.
    pub(super) fn bytes_of(&self, counter: &str) -> Option<u64> {
        self.facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::Counter(None, name, value) if &**name == counter => Some(*value),
            _ => None,
        })
    }

    /// The step, where areas have memory at `places`: first byte and bytes.
    pub(super) fn stride(&self, places: &[(u64, u64)]) -> Stride {
        let (arch, page) = (self.machine().arch(), self.page_or_arch().map(|(bytes, _)| bytes));
        let release = self.release().and_then(|name| release(name)).or_else(|| self.implied());
        let open = |arch| {
            let rows: Vec<_> = steps(arch, page, release).collect();
            let fits = |step: &&'static Step| {
                places.iter().all(|(base, bytes)| (base | bytes).is_multiple_of(step.bytes))
            };
            let fitting: Vec<_> = rows.iter().copied().filter(fits).collect();
            if fitting.is_empty() { rows } else { fitting }
        };
        if let Some((bytes, from)) = self.stated(arch, page, release) {
            return Stride { bytes: Some(bytes), from, open: open(arch) };
        }
        let rows = self.of_model(arch, open(arch));
        if let Some(bytes) = alike(&rows) {
            return Stride { bytes: Some(bytes), from: StrideFrom::Kind, open: rows };
        }
        if arch.is_none() && self.has_one_cell() {
            let rows = self.of_model(Some(Arch::Arm), open(Some(Arch::Arm)));
            if let Some(bytes) = alike(&rows) {
                return Stride { bytes: Some(bytes), from: StrideFrom::OneCell, open: rows };
            }
        }
        Stride { bytes: None, from: StrideFrom::Nowhere, open: rows }
    }

    /// By a message, a file or the configuration.
    fn stated(
        &self,
        arch: Option<Arch>,
        page: Option<u64>,
        release: Option<Release>,
    ) -> Option<(u64, StrideFrom)> {
        let stated = page;
        let page = page.unwrap_or(4096);
        let mut config = None;
        for boot in self.boots() {
            match boot {
                Boot::Unaligned { step, .. } if step.is_power_of_two() => {
                    return Some((*step, StrideFrom::Message));
                }
                Boot::BlockOrder(order) if release.is_none_or(|release| release >= (5, 19)) => {
                    let page = stated.or_else(|| page_of_order(*order, arch));
                    if let Some(page) = page {
                        return Some((page << order, StrideFrom::BlockOrder));
                    }
                }
                // From 6.17 on; it lowers a pageblock, and does not raise it.
                Boot::MaxOrder(order, OrderFrom::Pageblocks) => {
                    let usual = steps(arch, Some(page), release).map(|step| step.bytes).min()?;
                    config = Some(usual.min(page << order));
                }
                // Where huge pages exist, a pageblock is one of them from 5.19 on.
                Boot::MaxOrder(order, OrderFrom::Blocks) if arch == Some(Arch::Arm) => {
                    let from_one =
                        release.is_some_and(|release| ((6, 1)..(6, 4)).contains(&release));
                    let order = if from_one { order.saturating_sub(1) } else { *order };
                    config = config.or(Some(page << order));
                }
                _ => {}
            }
        }
        config.map(|bytes| (bytes, StrideFrom::Config))
    }

    /// `imx_v6_v7_defconfig` is for boards with an i.MX alone.
    fn of_model(&self, arch: Option<Arch>, rows: Vec<&'static Step>) -> Vec<&'static Step> {
        if arch != Some(Arch::Arm) {
            return rows;
        }
        let model = self.boots().find_map(|boot| match boot {
            Boot::Model(model) => Some(&**model),
            _ => None,
        });
        let imx = model.is_some_and(|model| {
            ["i.MX", "imx6", "imx7", "Freescale", "NXP"].iter().any(|name| model.contains(name))
        });
        let others = |rows: &[&'static Step]| -> Vec<_> {
            rows.iter().copied().filter(|step| !step.kind.contains("imx")).collect()
        };
        let usual = others(&rows);
        if imx || usual.is_empty() { rows } else { usual }
    }

    /// Addresses of a device tree have one cell: of 32 bits.
    fn has_one_cell(&self) -> bool {
        self.boots().any(|boot| matches!(boot, Boot::Dts(node) if node.cells == Some(1)))
    }
}

/// Bytes of a page where a pageblock has this order: on arm64 a huge page or the largest block, 9 with
/// pages of 4 KiB, 11 with 16, 13 with 64. The last one may be 32-bit Arm with pages of 4 KiB.
pub(super) fn page_of_order(order: u32, arch: Option<Arch>) -> Option<u64> {
    match (order, arch) {
        (11, None | Some(Arch::Arm64)) => Some(16384),
        (13, Some(Arch::Arm64)) => Some(65536),
        (13, None) | (_, Some(Arch::Other)) => None,
        _ => Some(4096),
    }
}

/// The step that all of them have.
fn alike(rows: &[&'static Step]) -> Option<u64> {
    let first = rows.first()?.bytes;
    rows.iter().all(|step| step.bytes == first).then_some(first)
}
