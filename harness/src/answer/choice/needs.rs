//! What a configuration needs, and how much of a change that is.

use std::ops::RangeInclusive;

use cma_policies::Spec;

use crate::board::{Board, MadeBy};
use crate::ingest::DEFAULT_CAP;
use crate::page::Page;

/// Something that has to be written somewhere for a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Need {
    /// The default area has this size.
    Default {
        /// Its size.
        size: Size,
        /// What makes it.
        by: MadeBy,
    },
    /// A device-tree node for a pool has this size.
    Node {
        /// The name of the pool.
        area: String,
        /// Its size.
        size: Size,
        /// Who asks it for memory.
        clients: Vec<String>,
    },
    /// A patch of the kernel: this policy.
    Policy {
        /// The policy, as a plan names it.
        policy: String,
        /// The area that it is for; none: every area without one of its own.
        area: Option<String>,
    },
    /// A patch of the kernel: an order that the set-up of areas does not take.
    OrderPerBit {
        /// The order of a bit.
        order: u32,
        /// The area.
        area: String,
    },
    /// A patch of the kernel: several ranges, which neither the command line nor a node of a device
    /// tree makes (`cma_declare_contiguous_multi()`, `mm/cma.c`, 6.15 to 7.3, is of `hugetlb_cma=`).
    Ranges {
        /// How many.
        ranges: usize,
        /// The area.
        area: String,
    },
    /// `CONFIG_CMA_ALIGNMENT`, and which kernels take it.
    Cap(u32, Kconfig),
}

/// The size of an area, and what sizes its kernel makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Its pages.
    pub pages: u64,
    /// The size of each.
    pub page: Page,
    /// Pages that the size of an area is a multiple of.
    pub step_pages: u64,
}

/// The size that a kernel makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Booted {
    /// In MiB.
    pub mib: u64,
    /// Whether it is the very size that is asked for.
    pub is_whole: bool,
}

impl Size {
    /// The least size from this one on that the kernel makes.
    pub fn booted(&self) -> Booted {
        let pages = MadeBy::Cmdline.made(self.pages, self.step_pages.max(1));
        let mib = pages.unwrap_or(self.pages).div_ceil(self.page.in_mib());
        Booted { mib, is_whole: pages == Some(self.pages) }
    }
}

/// Which kernels take a cap from their configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kconfig {
    /// All.
    All,
    /// Those since 5.x: `kernel/dma/Kconfig` (6.1, 6.12), not `drivers/base/Kconfig` (4.x).
    NotOld,
    /// None: it takes a patch.
    None,
}

impl Kconfig {
    const NEW: RangeInclusive<u32> = 2..=12;
    const OLD: RangeInclusive<u32> = 4..=12;

    /// Those that take this one.
    pub fn of(cap: u32) -> Self {
        match cap {
            cap if Self::OLD.contains(&cap) => Self::All,
            cap if Self::NEW.contains(&cap) => Self::NotOld,
            _ => Self::None,
        }
    }
}

/// A device-tree node, a line of the kernel's configuration, a patch: what each counts when equals
/// are ranked. A patch outweighs all that the others can add up to.
const POOL: u32 = 2;
const CONFIG: u32 = 1;
pub(super) const PATCH: u32 = 1000;

/// How much has to be changed; 0 for the cap of the kernel, its policy, and no more areas than each
/// board of the plan has: pools that all of them have are there already, and have other sizes.
pub(super) fn changes(board: &Board, least_areas: usize, cap: u32, policy: &Spec) -> u32 {
    let pools = board.areas.len().saturating_sub(least_areas) as u32 * POOL;
    let cap = match Kconfig::of(cap) {
        _ if cap == DEFAULT_CAP => 0,
        Kconfig::All | Kconfig::NotOld => CONFIG,
        Kconfig::None => PATCH,
    };
    let own = board.areas.iter().filter_map(|area| area.policy.as_ref());
    let patches = own.chain([policy]).filter(|spec| !spec.is_baseline()).count() as u32;
    // The setup of an area from the device tree or the command line takes order 0 only.
    let orders = board.areas.iter().filter(|area| area.area.order_per_bit() > 0).count() as u32;
    let several = board.areas.iter().filter(|area| area.area.ranges().len() > 1).count() as u32;
    pools + cap + (patches + orders + several) * PATCH
}

/// What has to be written where, on a board with pages of this size. `pool` is the one area of a board
/// by name, where that is a pool.
pub(super) fn needs(
    board: &Board,
    pool: Option<&str>,
    page: Page,
    (cap, policy): (u32, &Spec),
) -> Vec<Need> {
    let mut needs = Vec::new();
    for (index, place) in board.areas.iter().enumerate() {
        let own = place.policy.as_ref().filter(|policy| !policy.is_baseline());
        let area = place.area.name().to_string();
        let size = Size { pages: place.area.pages(), page, step_pages: board.step_pages };
        let clients = place.clients.clone();
        needs.push(match (index, pool) {
            (0, Some(pool)) => Need::Node { area: pool.to_string(), size, clients },
            (0, None) => Need::Default { size, by: place.made_by },
            _ => Need::Node { area: area.clone(), size, clients },
        });
        needs.extend(
            own.map(|policy| Need::Policy { policy: policy.to_string(), area: Some(area.clone()) }),
        );
        let order = place.area.order_per_bit();
        let ranges = place.area.ranges().len();
        needs.extend((order > 0).then(|| Need::OrderPerBit { order, area: area.clone() }));
        needs.extend((ranges > 1).then_some(Need::Ranges { ranges, area }));
    }
    if cap != DEFAULT_CAP {
        needs.push(Need::Cap(cap, Kconfig::of(cap)));
    }
    if !policy.is_baseline() && board.areas.iter().any(|area| area.policy.is_none()) {
        needs.push(Need::Policy { policy: policy.to_string(), area: None });
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::BoardArea;
    use cma_policies::{Area, Run, builtin};

    fn board(areas: &[(&str, u64, &[&str])]) -> Board {
        let mut base = 0;
        let areas = areas.iter().map(|(name, pages, clients)| {
            let area = Area::new(name, 0, &[Run::new(base, *pages)]).unwrap();
            base += pages;
            BoardArea {
                area,
                clients: clients.iter().map(ToString::to_string).collect(),
                policy: None,
                made_by: MadeBy::Dts,
            }
        });
        let areas = areas.collect();
        Board { areas, ..Board::single("x", Area::single(0, 1, 0).unwrap()) }
    }

    #[test]
    fn what_has_to_be_written() {
        let catalog = builtin::catalog();
        let spec = |name: &str| catalog.parse(name).unwrap();
        let kernel = &spec("kernel");
        let one = board(&[("linux,cma", 384 * 256, &[])]);
        let size = |pages| Size { pages, page: Page::Kib4, step_pages: 512 };
        let needs = |board: &Board, cap, policy| needs(board, None, Page::Kib4, (cap, policy));
        let changes = |board: &Board, cap, policy| changes(board, 1, cap, policy);
        let default = |pages| Need::Default { size: size(pages), by: MadeBy::Dts };
        assert_eq!(changes(&one, 8, kernel), 0);
        assert_eq!(needs(&one, 8, kernel), [default(384 * 256)]);
        let two = board(&[("linux,cma", 300, &[]), ("vpu", 256 * 256, &["vpu"])]);
        let best_fit = &spec("best-fit");
        assert_eq!(
            needs(&two, 3, best_fit),
            [
                default(300),
                Need::Node {
                    area: "vpu".to_string(),
                    size: size(256 * 256),
                    clients: vec!["vpu".to_string()]
                },
                Need::Cap(3, Kconfig::NotOld),
                Need::Policy { policy: "best-fit".to_string(), area: None },
            ]
        );
        // A patch weighs more than a pool, that more than a line of the configuration; a cap that
        // the configuration does not take is a patch.
        let order = [
            changes(&one, 8, kernel),
            changes(&one, 4, kernel),
            changes(&two, 8, kernel),
            changes(&two, 4, kernel),
            changes(&one, 0, kernel),
            changes(&one, 0, best_fit),
        ];
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        assert_eq!(changes(&one, 8, best_fit), changes(&one, 0, kernel));
        let order = Board::single("x", Area::single(0, 384 * 256, 2).unwrap());
        assert_eq!(changes(&order, 8, kernel), PATCH);
        assert!(matches!(needs(&order, 8, kernel)[1], Need::OrderPerBit { order: 2, .. }));
        let ranges = Area::new("x", 0, &[Run::new(600, 300), Run::new(0, 512)]).unwrap();
        let ranges = Board::single("x", ranges);
        assert_eq!(changes(&ranges, 8, kernel), PATCH);
        assert!(matches!(needs(&ranges, 8, kernel)[1], Need::Ranges { ranges: 2, .. }));
        let caps = [0, 1, 2, 3, 4, 12, 13].map(Kconfig::of);
        let (none, new, all) = (Kconfig::None, Kconfig::NotOld, Kconfig::All);
        assert_eq!(caps, [none, none, new, new, all, all, none]);
    }

    #[test]
    fn pools_that_every_board_has_are_no_change() {
        let kernel = &builtin::catalog().parse("kernel").unwrap();
        let two = board(&[("linux,cma", 512, &[]), ("vpu", 1024, &["vpu"])]);
        assert_eq!(changes(&two, 1, 8, kernel), POOL);
        assert_eq!(changes(&two, 2, 8, kernel), 0);
        assert_eq!(changes(&two, 2, 4, kernel), CONFIG);
        let one = board(&[("linux,cma", 512, &[])]);
        assert_eq!(changes(&one, 2, 8, kernel), 0);
    }

    #[test]
    fn the_one_area_of_a_board_may_be_a_pool() {
        let kernel = &builtin::catalog().parse("kernel").unwrap();
        let one = board(&[("cma", 6656, &[])]);
        let found = needs(&one, Some("vpu_pool"), Page::Kib4, (8, kernel));
        let size = Size { pages: 6656, page: Page::Kib4, step_pages: 512 };
        let area = "vpu_pool".to_string();
        assert_eq!(found, [Need::Node { area, size, clients: Vec::new() }]);
    }

    #[test]
    fn what_is_booted_is_a_multiple_of_the_step() {
        let booted = |pages, page: Page, mib| {
            let size = Size { pages, page, step_pages: mib * page.in_mib() };
            (size.booted().mib, size.booted().is_whole)
        };
        assert_eq!(booted(384 * 256, Page::Kib4, 2), (384, true));
        assert_eq!(booted(300, Page::Kib4, 2), (2, false));
        assert_eq!(booted(4096, Page::Kib16, 32), (64, true));
        assert_eq!(booted(4097, Page::Kib16, 32), (96, false));
        assert_eq!(booted(384 * 256, Page::Kib4, 512), (512, false));
    }
}
