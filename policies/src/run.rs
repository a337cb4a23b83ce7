//! Page frame numbers and runs of pages.

use core::fmt;

/// A page frame number: the index of a page in physical memory. Never bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pfn(pub u64);

impl fmt::Display for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The pages `[pfn, pfn + count)`: half open, and never empty where this crate makes one.
///
/// It prints as the kernel's free-run list does: `511@58881`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Run {
    /// The first page.
    pub pfn: Pfn,
    /// How many pages.
    pub count: u64,
}

impl Run {
    /// The run of `count` pages that starts at page `pfn`.
    pub const fn new(pfn: u64, count: u64) -> Self {
        Self { pfn: Pfn(pfn), count }
    }

    /// The first page past the run; the last page frame number there is if it would overflow.
    pub const fn end(self) -> Pfn {
        Pfn(self.pfn.0.saturating_add(self.count))
    }

    /// Whether every page of `other` is a page of `self`.
    pub const fn contains(self, other: Self) -> bool {
        // Not by the ends: they are cut off at the last page frame number.
        match other.pfn.0.checked_sub(self.pfn.0) {
            Some(skip) => skip <= self.count && other.count <= self.count - skip,
            None => false,
        }
    }

    /// Whether the two share a page.
    pub const fn overlaps(self, other: Self) -> bool {
        self.pfn.0 < other.end().0 && other.pfn.0 < self.end().0
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.count, self.pfn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_511_page_run_of_the_imx_note_ends_at_59392_not_59396() {
        assert_eq!(Run::new(58881, 511).end(), Pfn(59392));
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let run = Run::new(10, 5);
        assert!(!run.overlaps(Run::new(15, 1)));
        assert!(!run.overlaps(Run::new(9, 1)));
        assert!(run.overlaps(Run::new(14, 1)));
        assert!(run.contains(Run::new(10, 5)));
        assert!(!run.contains(Run::new(10, 6)));
    }

    #[test]
    fn a_run_past_the_last_page_does_not_wrap() {
        assert_eq!(Run::new(u64::MAX - 1, 5).end(), Pfn(u64::MAX));
        assert!(!Run::new(u64::MAX - 8, 8).contains(Run::new(u64::MAX - 1, 5)));
        assert!(Run::new(u64::MAX - 8, 8).contains(Run::new(u64::MAX - 8, 8)));
    }
}
