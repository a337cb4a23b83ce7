//! What a configuration needs, and how much of a change that is.

use cma_policies::Spec;

use crate::board::{Board, BoardArea};
use crate::ingest::DEFAULT_CAP;

/// What `kernel/dma/Kconfig` takes for `CONFIG_CMA_ALIGNMENT` (6.1, 6.12).
const KCONFIG_CAPS: std::ops::RangeInclusive<u32> = 2..=12;
/// What `drivers/base/Kconfig` took (4.x).
const OLD_KCONFIG_CAPS: std::ops::RangeInclusive<u32> = 4..=12;

/// A device-tree node, a line of the kernel's configuration, a patch: what each counts when equals
/// are ranked. A patch outweighs all that the others can add up to.
const POOL: u32 = 2;
const CONFIG: u32 = 1;
pub(super) const PATCH: u32 = 1000;

/// How much has to be changed; 0 for one area, the cap of the kernel and its policy.
pub(super) fn changes(board: &Board, cap: u32, policy: &Spec) -> u32 {
    let pools = (board.areas.len() as u32 - 1) * POOL;
    let cap = match cap {
        DEFAULT_CAP => 0,
        cap if KCONFIG_CAPS.contains(&cap) => CONFIG,
        _ => PATCH,
    };
    let own = board.areas.iter().filter_map(|area| area.policy.as_ref());
    let patches = own.chain([policy]).filter(|spec| !spec.is_baseline()).count() as u32;
    // The setup of an area from the device tree or the command line takes order 0 only.
    let orders = board.areas.iter().filter(|area| area.area.order_per_bit() > 0).count() as u32;
    pools + cap + (patches + orders) * PATCH
}

/// What has to be written where.
pub(super) fn needs(board: &Board, cap: u32, policy: &Spec) -> Vec<String> {
    let mut needs = Vec::new();
    let size = |area: &BoardArea| size(area.area.pages());
    for (index, area) in board.areas.iter().enumerate() {
        let policy = area.policy.as_ref().unwrap_or(policy);
        let name = area.area.name();
        needs.push(if index == 0 {
            format!("default area of {}: cma={} or a dts node", size(area), kernel_size(area))
        } else {
            format!("dts node {name} of {} for {}", size(area), area.clients.join(", "))
        });
        if area.policy.is_some() && !policy.is_baseline() {
            needs.push(format!("kernel patch: policy {policy} in area {name}"));
        }
        if area.area.order_per_bit() > 0 {
            let order = area.area.order_per_bit();
            needs.push(format!("order_per_bit {order} in area {name}: kernel patch"));
        }
    }
    if cap != DEFAULT_CAP {
        needs.push(cap_line(cap));
    }
    if !policy.is_baseline() && board.areas.iter().any(|area| area.policy.is_none()) {
        needs.push(format!("kernel patch: policy {policy}"));
    }
    needs
}

fn cap_line(cap: u32) -> String {
    let limits = match cap {
        cap if OLD_KCONFIG_CAPS.contains(&cap) => "",
        cap if KCONFIG_CAPS.contains(&cap) => " (4.x kernels take 4 to 12 only)",
        _ => " (kernel patch: Kconfig takes 2 to 12 only)",
    };
    format!("CONFIG_CMA_ALIGNMENT={cap}{limits}")
}

/// So many pages of 4 KiB, in MiB.
pub(in crate::report) fn size(pages: u64) -> String {
    match pages % 256 {
        0 => format!("{} MiB", pages / 256),
        _ => format!("{:.1} MiB", pages as f64 / 256.0),
    }
}

/// The size of an area as `memparse()` reads it.
fn kernel_size(area: &BoardArea) -> String {
    let pages = area.area.pages();
    if pages.is_multiple_of(256) {
        format!("{}M", pages / 256)
    } else {
        format!("{}K", pages.saturating_mul(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(changes(&one, 8, kernel), 0);
        assert_eq!(needs(&one, 8, kernel), ["default area of 384 MiB: cma=384M or a dts node"]);
        let two = board(&[("linux,cma", 300, &[]), ("vpu", 256 * 256, &["vpu"])]);
        let best_fit = &spec("best-fit");
        assert_eq!(
            needs(&two, 3, best_fit),
            [
                "default area of 1.2 MiB: cma=1200K or a dts node",
                "dts node vpu of 256 MiB for vpu",
                "CONFIG_CMA_ALIGNMENT=3 (4.x kernels take 4 to 12 only)",
                "kernel patch: policy best-fit",
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
        assert!(needs(&order, 8, kernel)[1].contains("kernel patch"));
    }
}
