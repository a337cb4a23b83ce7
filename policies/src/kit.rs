//! Parts for authors of policies.

mod area_map;
mod free_map;
mod placed;
mod split;

pub use area_map::AreaMap;
pub use free_map::{FreeMap, Search};
pub use placed::{Ask, Place, Placed, Retry};
pub use split::{Route, Split};
