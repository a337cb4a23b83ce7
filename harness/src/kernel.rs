//! What differs by kernel version: one table.
//!
//! A policy says what a refusal *means*; a row of this table says what that kernel prints, and which
//! calls it answers before there is a request.

use cma_policies::{AllocError, Area};

/// A negative errno, as printed behind `ret:`.
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
    /// That release.
    since: (u32, u32),
    /// The policy that searches as it does, by name.
    pub policy: &'static str,
    /// Printed where no place was found and none was tried in the last pass: `ret` as it was
    /// initialised (-12 up to 6.14, -16 from 6.15 on).
    unfound: Errno,
    /// Printed where more pages were asked for than the area has; `None`: nothing (up to 6.14).
    too_large: Option<Errno>,
    /// Whether a trace tells the errno (`errorno=` of `cma_alloc_finish`, from 6.2 on). Where it
    /// does not, -12 and -16 in a recording are derived from the retries.
    pub traces_errno: bool,
    /// What is new in it, in one line.
    pub about: &'static str,
}

/// Whether release `since` is `first` or later. Comparing pairs is not const yet.
const fn is_from(since: (u32, u32), first: (u32, u32)) -> bool {
    since.0 > first.0 || since.0 == first.0 && since.1 >= first.1
}

const fn mainline(name: &'static str, since: (u32, u32), about: &'static str) -> Kernel {
    let (unfound, too_large) =
        if is_from(since, (6, 15)) { (EBUSY, Some(EBUSY)) } else { (ENOMEM, None) };
    let traces_errno = is_from(since, (6, 2));
    Kernel { name, since, policy: "kernel", unfound, too_large, traces_errno, about }
}

/// Every row, oldest first, then the vendors'.
pub const KERNELS: &[Kernel] = &[
    mainline("4.11", (4, 11), "prints a failure line"),
    mainline("5.10", (5, 10), "limits the rate of the line"),
    mainline("5.13", (5, 13), "names the area; traces start, busy retry and finish"),
    mainline("6.1", (6, 1), "claims one at a time again; finish without errno"),
    mainline("6.2", (6, 2), "finish with errno"),
    mainline("6.9", (6, 9), "prints the free runs at every failure"),
    mainline("6.12", (6, 12), "__cma_alloc in the line; early returns leave no counter"),
    mainline("6.15", (6, 15), "several ranges; -16 where no place is found"),
    mainline("6.18", (6, 18), "trace with available and total pages"),
    Kernel {
        name: "android",
        // Common kernels 5.x to 6.6 are alike in this; found by name, never by number.
        since: (u32::MAX, 0),
        policy: "kernel:row=android",
        unfound: ENOMEM,
        too_large: None,
        traces_errno: true,
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
    /// The number behind `ret:`, where there is a line.
    #[must_use]
    pub const fn errno(self) -> Option<Errno> {
        match self {
            Self::Silence => None,
            Self::Line(errno) => Some(errno),
        }
    }
}

impl Kernel {
    /// The row of `name`: its own name, or the release that it begins with
    /// (`6.12.117-cmalab` is 6.12, `6.3` is 6.2, `6.1.57-android14-11` is android). `None` before
    /// 4.11 and where it is no release.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        if name.contains("android") {
            return KERNELS.iter().find(|row| row.name == "android");
        }
        let mut numbers = name.split(['.', '-', '+']).map_while(|part| part.parse::<u32>().ok());
        let release = (numbers.next()?, numbers.next()?);
        KERNELS.iter().rev().find(|row| row.since <= release)
    }

    /// What it says to a call for `count` pages before there is a request; `None` where it goes on
    /// and searches.
    #[must_use]
    pub fn early(&self, area: &Area, count: u64) -> Option<Printed> {
        if count == 0 {
            return Some(Printed::Silence);
        }
        let too_large = count > area.pages();
        too_large.then(|| self.too_large.map_or(Printed::Silence, Printed::Line))
    }

    /// What it prints for a refusal, by what it means and the claims of the last pass over the
    /// bitmap (a vendor's sleep ends a pass).
    #[must_use]
    pub const fn errno(&self, error: AllocError, claims_in_last_pass: u64) -> Errno {
        match error {
            AllocError::Interrupted => EINTR,
            AllocError::NoMemory if claims_in_last_pass > 0 => ENOMEM,
            AllocError::Busy if claims_in_last_pass > 0 => EBUSY,
            AllocError::NoMemory | AllocError::Busy => self.unfound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::{Area, builtin};

    fn row(name: &str) -> &'static Kernel {
        Kernel::find(name).unwrap_or_else(|| panic!("no row {name}"))
    }

    #[test]
    fn rows_are_found_by_release() {
        for (text, name) in [
            ("4.11", "4.11"),
            ("4.14.98-imx", "4.11"),
            ("5.12", "5.10"),
            ("5.15.71", "5.13"),
            ("6.1.192-cmalab", "6.1"),
            ("6.12.117-cmalab", "6.12"),
            ("6.14-rc3", "6.12"),
            ("6.15", "6.15"),
            ("7.0", "6.18"),
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
    fn the_kernel_policy_takes_every_row() {
        for kernel in KERNELS {
            let spec = format!("kernel:row={}", kernel.name);
            assert!(builtin::catalog().parse(&spec).is_ok(), "{spec}");
            assert!(builtin::catalog().parse(kernel.policy).is_ok(), "{}", kernel.policy);
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
            // W6
            ("6.12", 1025, Some(Printed::Silence)),
            ("android", 1025, Some(Printed::Silence)),
            ("6.15", 1025, Some(Printed::Line(EBUSY))),
        ] {
            assert_eq!(row(name).early(&area, count), early, "{name} {count}");
        }
    }
}
