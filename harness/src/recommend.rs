//! What to change on a board so that its requests are served: searched, with the evidence.
//!
//! ```text
//! Work: fit, profile, mix ──┐
//! Base: the board as it is ─┼► Bench: runs a Config on streams ─► search ─► Found: ranked candidates
//! Lever: what can change ───┘
//! ```
//! A search compares configurations that it makes up itself on the same streams. What it says of the
//! best is from fresh ones, and every interval holds whenever one looks, so that it may stop as soon
//! as it knows enough. The same seed and the same number of ops give the same answer.
//!
//! Cost: a configuration that fails is out after a few failures; one that meets a target is run for
//! about four times that target without a failure, and for about twice while it is searched for.

mod advice;
mod bench;
mod filled;
mod lever;
mod rank;
mod search;
mod split;
mod survey;
mod trial;
mod work;

use std::ops::RangeInclusive;

pub use advice::{Advice, Task, WhyNot, advise};
pub use bench::{Bench, Evidence, Stage, Verdict, Watch};
pub use filled::{Shown, filled};
pub use lever::{Class, Lever, class_of};
pub use rank::{Candidate, Outcome};
pub use search::{Found, Point, SizeAlone, search};
pub use survey::{Client, Survey};
pub use trial::{Config, Ground, Pool};
pub use work::{Failed, Load, Origin, Work};

/// The board as it is.
#[derive(Clone, Debug)]
pub struct Base {
    /// The name of the area that is asked; none where nothing states it.
    pub name: Option<String>,
    /// Pages of the area that is asked; none where nothing states it.
    pub pages: Option<u64>,
    /// `CONFIG_CMA_ALIGNMENT`.
    pub cap: u32,
    /// Where it lies.
    pub ground: Ground,
    /// Pages that sizes are multiples of.
    pub step_pages: u64,
    /// The most pages that all areas which are changed may have together.
    pub most_pages: u64,
    /// How many areas the board has.
    pub areas: u64,
    /// Caps that its kernel takes.
    pub caps: RangeInclusive<u32>,
    /// What nothing states and is taken to be so, each with what states it.
    pub taken: Vec<String>,
}

/// What must not be changed.
#[derive(Clone, Default, Debug)]
pub struct Limits {
    /// The size of the area stays.
    pub keeps_size: bool,
    /// The cap stays.
    pub no_kconfig: bool,
    /// Drivers and applications stay.
    pub no_driver: bool,
    /// The kernel is not patched.
    pub no_patch: bool,
    /// Areas of the board at most.
    pub max_areas: u64,
    /// Only these kinds of clients may get a pool of their own; all where none is named.
    pub split: Vec<String>,
    /// These may not.
    pub no_split: Vec<String>,
}

impl Limits {
    fn may_split(&self, name: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|own| own == name);
        (self.split.is_empty() || has(&self.split)) && !has(&self.no_split)
    }
}
