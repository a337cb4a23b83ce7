//! What a sweep keeps on disk: rows as cells end, those of several shards as one, and `cells.csv`
//! read back.

mod blocks;
mod partial;
mod parts;
mod row;
mod sorted;

pub use blocks::Blocks;
pub use partial::{Head, Left, look_through, without_times};
pub use parts::{Merged, Rows};
pub(crate) use row::{Fnv, board, decimal, first_measured, fit_distance, fit_held, place};
pub use row::{Row, SCHEMA, cells_header, checksum};
pub use sorted::{Sorted, write_cells};
