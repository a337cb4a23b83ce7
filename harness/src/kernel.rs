//! What differs by kernel version: one table, [`KERNELS`].
//!
//! A policy says what a refusal *means*; the signs that a row of this table begins and ends say
//! what that kernel prints, and which calls it answers before there is a request. A new kernel is a
//! row.

mod sign;
mod span;
mod step;

use cma_policies::{AllocError, Area};

use Sign::*;
pub use sign::{Seen, Sign};
pub use span::{Release, Span, release};
pub use step::{Arch, Kind, STEPS, Step, pageblock, steps};

/// A negative errno, as printed after `ret:`.
pub type Errno = i32;

/// Out of memory.
pub const ENOMEM: Errno = -12;
/// Busy.
pub const EBUSY: Errno = -16;
/// Interrupted by a signal.
pub const EINTR: Errno = -4;
/// Not found: what the recording driver answers to an unpin of what is not pinned.
pub const ENOENT: Errno = -2;

/// A kernel as far as `cma_alloc()` (`mm/cma.c`) shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// Its name: the first release that behaves so, or `android`.
    pub name: &'static str,
    /// That release; of a vendor's kernel the one whose messages it prints.
    since: Release,
    vendor: bool,
    /// The policy that searches as it does, by name.
    pub policy: &'static str,
    /// What it is the first one to show.
    begins: &'static [Sign],
    /// What it shows no more.
    ends: &'static [Sign],
    /// What is new in it, in one line.
    pub about: &'static str,
}

const fn mainline(
    (name, since): (&'static str, Release),
    begins: &'static [Sign],
    ends: &'static [Sign],
    about: &'static str,
) -> Kernel {
    Kernel { name, since, vendor: false, policy: "kernel", begins, ends, about }
}

/// The most ranges of an area (`CMA_MAX_RANGES`, `mm/cma.h`, 6.15 on).
pub const MAX_RANGES: usize = 8;

/// Every release that changed something, oldest first, then the vendors': what it is the first one
/// to show, what it shows no more, and the whole in words. Read in 6.1.192, 6.12.117 and 7.3.4;
/// where a change lies between two of these, a comment says how its release is known.
#[rustfmt::skip]
pub const KERNELS: &[Kernel] = &[
    mainline(("4.11", (4, 11)), &[LineUnnamed], &[], "prints a failure line"),
    mainline(("5.1", (5, 1)), &[ListInPages], &[], "lists runs in pages"),
    mainline(("5.10", (5, 10)), &[LineLimited], &[], "limits the rate of the line"),
    mainline(("5.11", (5, 11)), &[ClaimsAtOnce], &[], "claims without a mutex"),
    // Posted in February 2021.
    mainline(("5.12", (5, 12)), &[LineNamed, LineOfArea], &[LineUnnamed],
        "names the area in the failure line"),
    mainline(("5.13", (5, 13)), &[Events, StartPlain, FinishPlain, Counters], &[EventAlone],
        "traces start, busy retry and finish; counters in sysfs"),
    mainline(("5.19", (5, 19)), &[PageblockAligned], &[ClaimsAtOnce],
        "claims one at a time again; areas of whole pageblocks"),
    mainline(("6.1", (6, 1)), &[], &[], "as 5.19; the oldest one that was recorded on a machine"),
    // Posted on 8 December 2022, answered until the 28th, three days after 6.2-rc1; in v6.3.
    mainline(("6.3", (6, 3)), &[FinishErrno], &[FinishPlain], "finish with errno"),
    // Discussed in July 2023, when 6.5 had its changes.
    mainline(("6.6", (6, 6)), &[DebugNamed], &[], "names the area in the debug line of a call"),
    // CONFIG_CMA_DEBUG was dropped in February 2024.
    mainline(("6.9", (6, 9)), &[CounterOfReleases, ListAlways], &[], "prints the free runs at every failure"),
    mainline(("6.12", (6, 12)), &[LineInner], &[LineNamed],
        "__cma_alloc in the line; early returns leave no counter"),
    mainline(("6.15", (6, 15)),
        &[ListOfRanges, BusyUnfound, TooLargePrinted, PfnZero, CountersOfPages, RangesInDebugfs],
        &[ListInOneRecord, PfnTried], "several ranges; -16 where no place is found"),
    // Posted until 21 August 2025, after 6.17-rc1 (10 August).
    mainline(("6.18", (6, 18)), &[StartTotals], &[StartPlain],
        "trace with available and total pages"),
    // `__cma_alloc` in the line is not ended: trees of 2025 and 2026 call themselves alike. 7.3.4,
    // the newest one that was read and recorded, is as this in all that is said here.
    mainline(("7.0", (7, 0)), &[LineFrozen], &[], "__cma_alloc_frozen in the line"),
    // Common kernels 5.x to 6.6 are alike in this; found by name, never by number.
    Kernel {
        name: "android",
        since: (6, 6),
        vendor: true,
        policy: "kernel:row=android",
        begins: &[],
        ends: &[],
        about: "sleeps 100 ms after a busy pass and searches again, 5 times",
    },
];

/// What a kernel says to a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Printed {
    /// Nothing: it returns NULL without a line and without a finish event.
    Silence,
    /// A failure line with this `ret:`.
    Line(Errno),
}

impl Printed {
    /// The number after `ret:`, where there is a line.
    pub const fn errno(self) -> Option<Errno> {
        match self {
            Self::Silence => None,
            Self::Line(errno) => Some(errno),
        }
    }
}

impl Kernel {
    /// The row of `name`: its own name, or the release that it begins with
    /// (`6.12.117-cmalab` is 6.12, `6.4` is 6.3, `6.1.57-android14-11` is android). `None` before
    /// 4.11 and where it is no release.
    pub fn find(name: &str) -> Option<&'static Self> {
        if name.contains("android") {
            return KERNELS.iter().find(|row| row.name == "android");
        }
        let release = release(name)?;
        KERNELS.iter().rfind(|row| !row.vendor && row.since <= release)
    }

    /// The row of the newest release.
    ///
    /// # Panics
    /// Never: there are rows.
    pub fn newest() -> &'static Self {
        KERNELS.iter().rfind(|row| !row.vendor).expect("rows of releases")
    }

    /// Whether it shows `sign`.
    pub fn shows(&self, sign: Sign) -> bool {
        sign.span().contains(self.since)
    }

    /// All that makes a difference to what a call is answered: two rows in which it is the same are
    /// one kernel to a replay.
    fn answers(&self) -> [bool; 3] {
        [BusyUnfound, TooLargePrinted, FinishErrno].map(|sign| self.shows(sign))
    }

    /// Whether its traces state the errno. Where they do not, -12 and -16 in a recording are
    /// derived from the retries.
    pub fn traces_errno(&self) -> bool {
        self.shows(FinishErrno)
    }

    /// What it says to a call for `count` pages before there is a request; `None` where it goes on
    /// and searches.
    pub fn early(&self, area: &Area, count: u64) -> Option<Printed> {
        if count == 0 {
            return Some(Printed::Silence);
        }
        let printed =
            if self.shows(TooLargePrinted) { Printed::Line(EBUSY) } else { Printed::Silence };
        // `bitmap_count > bitmap_maxno`: pages without a bit do not count.
        let bits: u64 = (0..area.ranges().len()).map(|range| area.bits(range)).sum();
        (area.pages_to_bits(count) > bits).then_some(printed)
    }

    /// What it prints for a refusal, by what it means and the claims of the last pass over the
    /// bitmap (a vendor's sleep ends a pass).
    pub fn errno(&self, error: AllocError, claims_in_last_pass: u64) -> Errno {
        match error {
            AllocError::Interrupted => EINTR,
            AllocError::NoMemory if claims_in_last_pass > 0 => ENOMEM,
            AllocError::Busy if claims_in_last_pass > 0 => EBUSY,
            _ if self.shows(BusyUnfound) => EBUSY,
            AllocError::NoMemory | AllocError::Busy => ENOMEM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::{Area, Kind, builtin};

    fn row(name: &str) -> &'static Kernel {
        Kernel::find(name).unwrap_or_else(|| panic!("no row {name}"))
    }

    #[test]
    fn rows_are_found_by_release() {
        for (text, name) in [
            ("4.11", "4.11"),
            ("4.14.98-imx", "4.11"),
            ("5.12", "5.12"),
            ("6.2.16", "6.1"),
            ("5.15.71", "5.13"),
            ("6.1.192-cmalab", "6.1"),
            ("6.12.117-cmalab", "6.12"),
            ("6.14-rc3", "6.12"),
            ("6.15", "6.15"),
            ("7.0", "7.0"),
            ("7.2.11", "7.0"),
            ("v7.3.4", "7.0"),
            ("android", "android"),
            ("6.1.57-android14-11-g5", "android"),
        ] {
            assert_eq!(row(text).name, name, "{text}");
        }
        for text in ["", "6", "4.10", "3.10.1", "six.one", "-6.1", "99999999999.1"] {
            assert_eq!(Kernel::find(text), None, "{text}");
        }
    }

    #[test]
    fn rows_ascend_and_are_called_as_their_release() {
        let mainline: Vec<_> = KERNELS.iter().filter(|row| !row.vendor).collect();
        assert!(mainline.is_sorted_by(|before, next| before.since < next.since));
        assert!(mainline.iter().all(|row| release(row.name) == Some(row.since)));
        assert!(KERNELS[mainline.len()..].iter().all(|row| row.vendor));
    }

    #[test]
    fn the_kernel_policy_and_the_table_know_each_other() {
        let catalog = builtin::catalog();
        for kernel in KERNELS {
            assert!(catalog.parse(kernel.policy).is_ok(), "{}", kernel.policy);
        }
        let entry = catalog.entries().iter().find(|entry| entry.name == cma_policies::BASELINE);
        let row = entry.and_then(|entry| entry.params.iter().find(|param| param.name == "row"));
        let Some(cma_policies::Param { kind: Kind::Choice(rows), .. }) = row else {
            panic!("no rows")
        };
        for name in *rows {
            assert!(KERNELS.iter().any(|kernel| kernel.name == *name), "{name}");
        }
    }

    #[test]
    fn what_is_printed_flips_at_6_15() {
        use AllocError::{Busy, Interrupted, NoMemory};
        let area = Area::single(0, 1024, 0).unwrap();
        let table = [
            ("6.12", NoMemory, 0, ENOMEM),
            ("6.15", NoMemory, 0, EBUSY),
            ("6.12", NoMemory, 1, ENOMEM),
            ("6.15", NoMemory, 1, ENOMEM),
            ("6.12", Busy, 3, EBUSY),
            ("6.15", Busy, 3, EBUSY),
            ("android", Busy, 3, EBUSY),
            ("android", Busy, 0, ENOMEM),
            ("6.1", Interrupted, 1, EINTR),
        ];
        for (name, error, claims, errno) in table {
            assert_eq!(row(name).errno(error, claims), errno, "{name} {error:?} {claims}");
        }
        for (name, count, early) in [
            ("6.12", 1024, None),
            ("6.12", 0, Some(Printed::Silence)),
            ("6.15", 0, Some(Printed::Silence)),
            // More than the area: `cma_alloc()` returns before its line up to 6.14.
            ("6.12", 1025, Some(Printed::Silence)),
            ("android", 1025, Some(Printed::Silence)),
            ("6.15", 1025, Some(Printed::Line(EBUSY))),
        ] {
            assert_eq!(row(name).early(&area, count), early, "{name} {count}");
        }
    }
}
