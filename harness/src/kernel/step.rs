//! The step of areas: base and size of each are multiples of it.
//!
//! It is `CMA_MIN_ALIGNMENT_BYTES` (`include/linux/cma.h`): a pageblock from 5.19 on; before, the
//! larger one of a pageblock and the largest block of the page allocator, as `cma_init_reserved_mem()`
//! (`mm/cma.c`) and `rmem_cma_setup()` (`kernel/dma/contiguous.c`) computed it.

use super::Release;
use crate::page::Page;

/// What decides the step of areas beside the size of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    /// 64-bit Arm.
    Arm64,
    /// 32-bit Arm.
    Arm,
    /// 64-bit x86.
    X86_64,
    /// 64-bit RISC-V.
    Riscv64,
    /// One that none of these is: its pages and its step are not known by its name.
    Other,
}

impl Arch {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Arm64, Self::Arm, Self::X86_64];

    /// As the kernel calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Arm => "arm",
            Self::X86_64 => "x86_64",
            Self::Riscv64 => "riscv64",
            Self::Other => "other",
        }
    }

    /// Bytes of a page, where it has no others.
    pub const fn page_bytes(self) -> Option<u64> {
        match self {
            Self::Arm | Self::X86_64 | Self::Riscv64 => Some(4096),
            Self::Arm64 | Self::Other => None,
        }
    }
}

/// The step of a kind of kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its architecture.
    pub arch: Arch,
    /// Bytes of a page.
    pub page_bytes: u64,
    /// The first release, and the one after the last.
    span: (Release, Release),
    /// The step in bytes.
    pub bytes: u64,
    /// The kernel as a user knows it.
    pub kind: &'static str,
    /// Where this is from.
    pub source: &'static str,
}

const MIB: u64 = 1 << 20;
const FIRST: Release = (0, 0);
const LAST: Release = (u32::MAX, u32::MAX);
/// The first release whose step is a pageblock.
const PAGEBLOCK: Release = (5, 19);

const fn row(
    (arch, kib): (Arch, u64),
    span: (Release, Release),
    mib: u64,
    kind: &'static str,
    source: &'static str,
) -> Step {
    Step { arch, page_bytes: kib * 1024, span, bytes: mib * MIB, kind, source }
}

/// Every kind of kernel, with huge pages as distributions configure them. Where the configuration
/// states an order of blocks, that counts.
#[rustfmt::skip]
pub const STEPS: &[Step] = &[
    row((Arch::Arm64, 4), (PAGEBLOCK, LAST), 2, "arm64 with 4 KiB pages from 5.19 on",
        "pageblock_nr_pages, include/linux/cma.h; boots of 6.12 and 7.3"),
    row((Arch::Arm64, 4), (FIRST, PAGEBLOCK), 4, "arm64 with 4 KiB pages up to 5.18",
        "the largest block of order 10, rmem_cma_setup(), kernel/dma/contiguous.c"),
    row((Arch::Arm, 4), (FIRST, LAST), 4, "32-bit arm",
        "no huge pages, so a pageblock is the largest block, include/linux/pageblock-flags.h"),
    row((Arch::Arm, 4), (FIRST, LAST), 32, "32-bit arm with imx_v6_v7_defconfig",
        "FORCE_MAX_ZONEORDER=14, later ARCH_FORCE_MAX_ORDER=13, in that file"),
    row((Arch::Arm64, 16), (FIRST, LAST), 32, "arm64 with 16 KiB pages",
        "a block of order 11, arch/arm64/Kconfig; a boot of 6.12"),
    row((Arch::Arm64, 64), (FIRST, LAST), 512, "arm64 with 64 KiB pages",
        "a block of order 13, arch/arm64/Kconfig"),
    row((Arch::X86_64, 4), (PAGEBLOCK, LAST), 2, "x86_64 from 5.19 on",
        "pageblock_nr_pages, include/linux/cma.h"),
    row((Arch::X86_64, 4), (FIRST, PAGEBLOCK), 4, "x86_64 up to 5.18",
        "the largest block of order 10, cma_init_reserved_mem(), mm/cma.c"),
    row((Arch::Riscv64, 4), (PAGEBLOCK, LAST), 2, "riscv64 from 5.19 on",
        "pageblock_nr_pages, include/linux/cma.h; a huge page is what a table of one page maps"),
    row((Arch::Riscv64, 4), (FIRST, PAGEBLOCK), 4, "riscv64 up to 5.18",
        "the largest block of order 10, rmem_cma_setup(), kernel/dma/contiguous.c"),
];

/// The rows that a kernel can have of which this is known.
pub fn steps(
    arch: Option<Arch>,
    page_bytes: Option<u64>,
    release: Option<Release>,
) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| {
        arch.is_none_or(|arch| arch == step.arch)
            && page_bytes.is_none_or(|bytes| bytes == step.page_bytes)
            && release.is_none_or(|release| step.span.0 <= release && release < step.span.1)
    })
}

/// What a kernel is built for, as far as it is stated.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Kind {
    /// The size of a page.
    pub page: Option<Page>,
    /// The architecture.
    pub arch: Option<Arch>,
    /// The release.
    pub release: Option<Release>,
}

impl Kind {
    /// The same, with what `other` says where this one says nothing.
    pub fn or(self, other: Self) -> Self {
        Self {
            page: self.page.or(other.page),
            arch: self.arch.or(other.arch),
            release: self.release.or(other.release),
        }
    }

    /// The step of its areas: of the kinds that are left open the first of [`STEPS`], which is arm64
    /// as it is now. None where there is no such kernel.
    pub fn step(self) -> Option<&'static Step> {
        let page = self.page.unwrap_or_default().bytes();
        steps(self.arch, Some(page), self.release).next()
    }
}

/// Pages of a pageblock, where a page has this size: the step of kernels from 5.19 on.
pub fn pageblock(page: Page) -> u64 {
    let kind = Kind { page: Some(page), ..Kind::default() };
    kind.step().map_or(1, |step| step.bytes / page.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_of_each_kind_of_kernel() {
        for (arch, kib, release, mib) in [
            (Arch::Arm64, 4, (6, 12), &[2][..]),
            (Arch::Arm64, 4, (5, 19), &[2]),
            (Arch::Arm64, 4, (5, 18), &[4]),
            (Arch::Arm64, 16, (6, 12), &[32]),
            (Arch::Arm64, 64, (4, 19), &[512]),
            (Arch::Arm, 4, (7, 3), &[4, 32]),
            (Arch::X86_64, 4, (5, 15), &[4]),
            (Arch::X86_64, 16, (6, 1), &[]),
            (Arch::Riscv64, 4, (6, 6), &[2]),
            (Arch::Other, 4, (6, 6), &[]),
        ] {
            let found = steps(Some(arch), Some(kib * 1024), Some(release));
            let found: Vec<_> = found.map(|step| step.bytes / MIB).collect();
            assert_eq!(found, mib, "{arch:?} {kib} {release:?}");
        }
        assert_eq!(steps(None, None, None).count(), STEPS.len());
    }

    #[test]
    fn the_step_of_a_kernel_of_which_little_is_stated() {
        let step = |page, arch, release| {
            let kind = Kind { page, arch, release };
            kind.step().map(|step| step.bytes / MIB)
        };
        let (arm, arm64, x86) = (Some(Arch::Arm), Some(Arch::Arm64), Some(Arch::X86_64));
        for (page, arch, release, mib) in [
            (None, None, None, Some(2)),
            (Some(Page::Kib4), arm64, Some((5, 18)), Some(4)),
            (None, None, Some((4, 14)), Some(4)),
            (None, arm, None, Some(4)),
            (None, x86, Some((5, 19)), Some(2)),
            (Some(Page::Kib16), None, None, Some(32)),
            (Some(Page::Kib64), arm64, Some((6, 12)), Some(512)),
            (Some(Page::Kib16), x86, None, None),
        ] {
            assert_eq!(step(page, arch, release), mib, "{page:?} {arch:?} {release:?}");
        }
        let text = Kind { arch: arm64, page: Some(Page::Kib16), release: None };
        let known = Kind { arch: arm, ..Kind::default() }.or(text);
        assert_eq!(known, Kind { arch: arm, page: Some(Page::Kib16), release: None });
    }

    #[test]
    fn a_pageblock_of_each_size_of_page() {
        assert_eq!(Page::ALL.map(pageblock), [512, 2048, 8192]);
    }
}
