//! Parts for authors of policies.

mod area_map;
mod by_size;
mod carve;
mod free_map;
mod lane;
mod live;
mod longest;
mod place;
mod placed;
mod run_map;
mod search;
mod split;
mod words;

pub use area_map::AreaMap;
pub use carve::carve;
pub use free_map::FreeMap;
pub use live::Live;
pub use place::{Ask, Place};
pub use placed::{Placed, Retry};
pub use run_map::{RunMap, RunSet};
pub use search::Search;
pub use split::{Route, Split};
