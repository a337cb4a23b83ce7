//! Every rule: a row each, in the order in which they are asked. Of an area the first one that says
//! what becomes of it counts.

/// A node of an example, and its properties beside `compatible`.
macro_rules! node {
    ($name:literal, $($property:literal),*) => {
        concat!(
            $name, " {\n    compatible = \"shared-dma-pool\";\n",
            $("    ", $property, ";\n",)*
            "};\n"
        )
    };
}

/// The default area of an example.
macro_rules! pool {
    ($($property:literal),*) => {
        node!("pool", "reusable", "linux,cma-default", $($property),*)
    };
}

mod cells;
mod command;
mod default;
mod flags;
pub(super) mod limit;
mod log;
mod node;
mod off;
mod ranges;
mod region;
mod requests;
mod step;
pub(super) mod zone;

use super::Rule;

/// Every rule.
pub const RULES: &[&Rule] = &[
    &off::DMA_CMA_OFF,
    &default::CMDLINE_DROPS_NODE,
    &cells::RESERVED_MEMORY_CELLS,
    &cells::RANGES_MISSING,
    &cells::NUMBER_OF_CELLS,
    &node::NO_SIZE,
    &node::NOT_A_POOL,
    &node::POOL_ELSEWHERE,
    &flags::NO_MAP,
    &flags::NOT_REUSABLE,
    &step::SIZE_ZERO,
    &step::BASE_OFF_STEP,
    &step::SIZE_OFF_STEP,
    &ranges::OUTSIDE_MEMORY,
    &ranges::TOO_NARROW,
    &ranges::NO_ROOM,
    &ranges::REG_OUTSIDE_MEMORY,
    &ranges::REG_SEVERAL,
    &ranges::OVERLAP,
    &limit::TOO_MANY_AREAS,
    &zone::ZONE_BORDER,
    &default::TWO_DEFAULTS,
    &zone::OUT_OF_REACH,
    &zone::ABOVE_4G,
    &region::MISSING,
    &region::ELSEWHERE,
    &region::UNUSED,
    &step::ALIGNMENT_RAISED,
    &command::MISREAD,
    &command::BASE_OFF_STEP,
    &command::NO_ROOM,
    &command::ROUNDED,
    &limit::HUGETLB_OFF_PAGE,
    &requests::POOL_BELOW_LOAD,
    &requests::EXACT_SIZE,
    &requests::CAP_STRANDS,
    &log::BOOT_LOG,
];
