//! What base and size of an area must be multiples of.

use super::size;
use crate::boot::Story;
use crate::kernel::{Arch, Release, release, steps};

/// The steps that the kernel can have by all that is stated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Steps {
    /// In bytes, ascending.
    open: Vec<u64>,
    /// The kernels that are meant, where they are not known by a number.
    kinds: Vec<&'static str>,
}

/// Whether a number is a multiple of the step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fits {
    /// It is.
    Yes,
    /// Of some of the steps that it may be.
    Maybe,
    /// Of none.
    No,
}

/// What is taken to be so where nothing states it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    pub(super) page_bytes: u64,
    pub(super) arch: Arch,
    /// Without one, the newest.
    pub(super) release: Option<Release>,
}

/// The first release whose step is a pageblock, which is what is taken.
const NOW: Release = (5, 19);

impl Steps {
    /// By the story of a board, else of the kernel that `machine` is.
    pub(super) fn of(story: &Story, machine: &Machine) -> Self {
        if let Some(bytes) = story.stride.bytes {
            return Self { open: vec![bytes], kinds: Vec::new() };
        }
        let release = machine.release.unwrap_or(NOW);
        let known: Vec<_> = steps(Some(machine.arch), Some(machine.page_bytes), Some(release))
            .filter(|step| story.stride.open.is_empty() || story.stride.open.contains(step))
            .collect();
        let mut open: Vec<_> = known.iter().map(|step| step.bytes).collect();
        open.sort_unstable();
        open.dedup();
        Self { open, kinds: known.iter().map(|step| step.kind).collect() }
    }

    /// The least one.
    pub fn least(&self) -> Option<u64> {
        self.open.first().copied()
    }

    /// The largest one: its multiples are those of every other one.
    pub fn most(&self) -> Option<u64> {
        self.open.last().copied()
    }

    pub(super) fn fits(&self, value: u64) -> Fits {
        let divides = |step: &&u64| value.is_multiple_of(**step);
        match self.open.iter().filter(divides).count() {
            fitting if fitting == self.open.len() => Fits::Yes,
            0 => Fits::No,
            _ => Fits::Maybe,
        }
    }

    /// `2 MiB`, `4 MiB or 32 MiB (32-bit arm, 32-bit arm with imx_v6_v7_defconfig)`.
    pub fn said(&self) -> String {
        let sizes: Vec<_> = self.open.iter().map(|step| size(*step)).collect();
        match &self.open[..] {
            [_] | [] => sizes.join(""),
            _ => format!("{} ({})", sizes.join(" or "), self.kinds.join(", ")),
        }
    }

    /// The next multiples of all of them below and above: the one below is not 0.
    pub fn around(&self, value: u64) -> Option<(Option<u64>, u64)> {
        let step = self.most()?;
        let below = Some(value / step * step).filter(|below| *below > 0);
        Some((below, value.checked_next_multiple_of(step)?.max(step)))
    }
}

impl Machine {
    pub(super) fn of(story: &Story, by_tree: Option<Arch>) -> Self {
        let arch = story.arch.or(by_tree).unwrap_or(Arch::Arm64);
        let page = story.page.map(|(bytes, _)| bytes).or_else(|| arch.page_bytes());
        let release = story.release.as_deref().and_then(release);
        Self { page_bytes: page.unwrap_or(4096), arch, release }
    }
}
