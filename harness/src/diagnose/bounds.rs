//! What bounds a request where no list shows the free runs: how many pages areas have, as far as the
//! text states it, how many are free at least, and what drivers say that they hold.

mod held;
mod slots;
mod stated;

use std::sync::Arc;

use crate::ingest::log::Holder;

pub use held::{Held, Holding};
pub use slots::{Padding, Slots};
pub(super) use stated::Sizes;

/// Who states a number of pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum By {
    /// `cma=` of the command line, which need not be what came of it.
    CommandLine,
    /// A node of a device tree, which need not be what came of it.
    Tree,
    /// A line of the boot that reserves an area.
    Boot,
    /// `total_count=` of a trace event.
    Trace,
    /// `total_pages` of sysfs.
    Sysfs,
    /// `count` of debugfs.
    Debugfs,
    /// `cma-reserved` of the line about memory at boot: all areas together.
    Memory,
    /// `CmaTotal` of meminfo: all areas together.
    CmaTotal,
    /// `CmaFree` of meminfo: free pages of all areas together, less what is lent to movable pages.
    CmaFree,
    /// `available_pages` of sysfs (6.15 on): free pages of one area.
    Available,
}

/// A number of pages, and where it is stated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stated {
    /// Who states it.
    pub by: By,
    /// Pages.
    pub pages: u64,
    /// Bytes, where these are what is stated.
    pub bytes: Option<u64>,
    /// The source.
    pub source: Arc<str>,
    /// The line.
    pub line: u64,
}

impl Stated {
    /// Whether it is what was asked for, of which nothing says what came of it.
    pub const fn is_wish(&self) -> bool {
        matches!(self.by, By::CommandLine | By::Tree)
    }
}

/// The area that a device was given by its `memory-region`: it asks no other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Own {
    /// The driver and the device, as the boot names them.
    pub device: Arc<str>,
    /// The area.
    pub area: Arc<str>,
    /// The source that says so.
    pub source: Arc<str>,
    /// The line.
    pub line: u64,
}

/// What bounds a request.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Bounds {
    /// Bytes of a page.
    pub page_bytes: u64,
    /// Pages of its area: of the one that is named, else of the largest that it can be.
    pub area: Option<Stated>,
    /// No line of the request names its area, which is this: the device that asked has no other.
    pub own: Option<Own>,
    /// Several areas can be meant: `area` is the largest.
    pub is_largest: bool,
    /// Pages of all areas together.
    pub all: Option<Stated>,
    /// Pages that were free at least, in all areas together, at the moment of that line.
    pub free: Option<Stated>,
    /// Pages of its area that were free at the moment of that line.
    pub available: Option<Stated>,
    /// What the driver says that it holds.
    pub held: Option<Arc<Held>>,
    /// `CmaTotal` of another boot: it is less than a kernel has that refuses with a line.
    pub of_other_boot: Option<Stated>,
}

impl Bounds {
    /// What no request can be larger than.
    pub fn most(&self) -> Option<&Stated> {
        let bounds = [self.area.as_ref(), self.all.as_ref()];
        bounds.into_iter().flatten().min_by_key(|stated| stated.pages)
    }

    /// The same without what has fewer than `count` pages: it is of another area, or of another boot.
    pub(super) fn of_at_least(self: Arc<Self>, count: u64) -> Arc<Self> {
        if self.most().is_none_or(|most| most.pages >= count) {
            return self;
        }
        let large = |stated: &Option<Stated>| stated.clone().filter(|one| one.pages >= count);
        let (area, all) = (large(&self.area), large(&self.all));
        let meminfo = |stated: &&Stated| stated.by == By::CmaTotal && all.is_none();
        let of_other_boot = self.all.as_ref().filter(meminfo).cloned();
        // What is free then is of that boot, too.
        let free = self.free.clone().filter(|_| of_other_boot.is_none());
        Arc::new(Self { area, all, free, of_other_boot, ..Self::clone(&self) })
    }

    /// Pages that are held at least, and what they are held in; nothing where that is not stated.
    pub fn filled(&self) -> Option<(u64, &Stated)> {
        let held = self.held.as_ref()?.cma_bytes()?.div_ceil(self.page_bytes.max(1));
        Some((held, self.most().filter(|most| !most.is_wish())?))
    }

    /// Whether what is held was printed when the request was refused.
    pub fn is_held_now(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.holder == Holder::Vc4)
    }

    /// Whether nothing is known.
    pub const fn is_empty(&self) -> bool {
        let is_stated = self.area.is_some() || self.all.is_some();
        let is_free = self.free.is_some() || self.available.is_some();
        !is_stated && !is_free && self.held.is_none()
    }
}
