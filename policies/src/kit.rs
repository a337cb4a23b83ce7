//! Parts for authors of policies.

mod area_map;
mod by_size;
mod free_map;
mod placed;
mod split;
mod summary;
mod tree;

pub use area_map::AreaMap;
pub use free_map::{FreeMap, Search};
pub use placed::{Ask, Place, Placed, Retry};
pub use split::{Route, Split};
