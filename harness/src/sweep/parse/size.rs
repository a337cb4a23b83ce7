//! The sizes that the kernel of a board makes areas of.

use toml::Spanned;

use super::board::RawBoard;
use super::written::{MOST_MIB, Written, mib, pages, pfn};
use super::{Wrong, wrong};
use crate::board::MadeBy;
use crate::ingest::quoted;
use crate::kernel::{Arch, Kind, release};
use crate::page::Page;
use crate::words;

/// What sizes of areas go by.
pub(super) struct Sizes {
    page: Page,
    /// Base and size of an area are multiples of so many MiB.
    step_mib: u64,
    /// What that step is of.
    of: String,
}

/// The size that an area or a range states.
#[derive(Clone, Copy)]
pub(super) enum Size<'a> {
    /// In MiB: one that its kernel makes.
    Mib(&'a Spanned<Written>),
    /// In pages: any.
    Pages(&'a Spanned<Written>),
}

impl<'a> Size<'a> {
    /// The size, where it is stated once.
    pub(super) const fn of(
        mib: Option<&'a Spanned<Written>>,
        pages: Option<&'a Spanned<Written>>,
    ) -> Option<Self> {
        match (mib, pages) {
            (Some(mib), None) => Some(Self::Mib(mib)),
            (None, Some(pages)) => Some(Self::Pages(pages)),
            _ => None,
        }
    }
}

/// The largest step that may be stated.
const MOST_STEP_MIB: i64 = 1 << 10;

impl Sizes {
    /// Those of a board: what it states goes before `kind`.
    pub(super) fn of(raw: &RawBoard, kind: Kind) -> Result<Self, Wrong> {
        let (page, arch) = (kind.page.unwrap_or_default(), raw.arch.as_ref());
        let stated = Kind {
            page: Some(page),
            arch: arch.map(self::arch).transpose()?,
            release: raw.kernel.as_ref().map(kernel).transpose()?,
        };
        let kind = stated.or(kind);
        if let Some(raw) = &raw.step_mib {
            let small = mib(raw, "step_mib", (1, MOST_STEP_MIB), Page::Kib4)?;
            let step_mib = small / Page::Kib4.in_mib();
            if !small.is_power_of_two() || step_mib == 0 {
                let step = raw.get_ref();
                let why = format!("step_mib is {step}; a pageblock is a power of two of MiB");
                return wrong(raw, why);
            }
            return Ok(Self { page, step_mib, of: "step_mib".to_string() });
        }
        // What the files say of an architecture may be of no kernel with pages as the plan states.
        let kind = if arch.is_none() && kind.step().is_none() {
            Kind { arch: None, ..kind }
        } else {
            kind
        };
        let Some(step) = kind.step() else {
            let why = format!("no kernel of this architecture has pages of {page}");
            return match arch.or(raw.kernel.as_ref()) {
                Some(raw) => wrong(raw, why),
                None => wrong(&raw.name, why),
            };
        };
        Ok(Self { page, step_mib: step.bytes >> 20, of: step.kind.to_string() })
    }

    /// Pages that base and size of an area are multiples of.
    pub(super) const fn step_pages(&self) -> u64 {
        self.step_mib * self.page.in_mib()
    }

    /// The last page that has a physical address of 64 bits.
    pub(super) const fn last_pfn(&self) -> i64 {
        (u64::MAX / self.page.bytes()) as i64
    }

    /// The pages of a size as it is stated.
    pub(super) fn pages(&self, size: Size<'_>) -> Result<u64, Wrong> {
        match size {
            Size::Mib(raw) => mib(raw, "mib", (1, MOST_MIB), self.page),
            Size::Pages(raw) => pages(raw, self.page),
        }
    }

    /// The pages of the area that a kernel makes of it, where it makes one.
    pub(super) fn made(&self, size: Size<'_>, by: MadeBy) -> Result<u64, Wrong> {
        let asked = self.pages(size)?;
        match size {
            Size::Mib(_) => Ok(by.made(asked, self.step_pages()).unwrap_or(asked)),
            Size::Pages(_) => Ok(asked),
        }
    }

    /// That a kernel makes an area of this size. One that is stated in pages it need not make.
    pub(super) fn check(&self, size: Size<'_>, by: MadeBy) -> Result<(), Wrong> {
        let Size::Mib(raw) = size else { return Ok(()) };
        let asked = self.pages(size)?;
        if by.made(asked, self.step_pages()).is_none() {
            return wrong(raw, self.refusal(asked));
        }
        Ok(())
    }

    /// That a kernel has an area, or a range of one, begin at this page. One whose size is stated in
    /// pages may begin at any. No kernel moves a base that it is given: `rmem_cma_setup()`
    /// (`kernel/dma/contiguous.c`) refuses a node, `cma_declare_contiguous_nid()` (`mm/cma.c`) what
    /// `cma=` fixes.
    pub(super) fn check_base(
        &self,
        size: Size<'_>,
        base_pfn: Option<&Spanned<Written>>,
    ) -> Result<(), Wrong> {
        let (Size::Mib(_), Some(raw)) = (size, base_pfn) else { return Ok(()) };
        let (pfn, step) = (pfn(raw, self.last_pfn())?, self.step_pages());
        if pfn.is_multiple_of(step) {
            return Ok(());
        }
        let below = pfn - pfn % step;
        let why = format!(
            "base_pfn is {pfn} ({pfn:#x}); no kernel makes an area there: it begins at a multiple of \
             {step} pages, {} MiB ({}); take {below:#x} or {:#x}, or state its size in pages",
            self.step_mib,
            self.of,
            below + step
        );
        wrong(raw, why)
    }

    /// That a kernel makes a range of this size: it cuts the ends of each to its step.
    pub(super) fn check_range(&self, size: Size<'_>) -> Result<(), Wrong> {
        let Size::Mib(raw) = size else { return Ok(()) };
        let asked = self.pages(size)?;
        if asked.is_multiple_of(self.step_pages()) {
            return Ok(());
        }
        let (size, legal) = (words::mib(asked, self.page), self.legal(asked));
        let why = format!(
            "a range of {size} is made by no kernel: its size is a multiple of {} MiB ({}); take \
             {legal}, or state it in pages",
            self.step_mib, self.of
        );
        wrong(raw, why)
    }

    /// Why a node is no area, and what would be.
    fn refusal(&self, asked: u64) -> String {
        let (step, size) = (self.step_mib, words::mib(asked, self.page));
        format!(
            "an area of {size} is made by no node: its size is a multiple of {step} MiB ({}), and the \
             kernel refuses any other; take {}, or made_by = \"cmdline\", where it rounds up",
            self.of,
            self.legal(asked)
        )
    }

    /// The sizes next to one that is not legal, in MiB: `32 or 64`.
    fn legal(&self, asked: u64) -> String {
        let (step, mib) = (self.step_mib, asked / self.page.in_mib());
        let below = mib - mib % step;
        let or = if below > 0 { format!("{below} or ") } else { String::new() };
        format!("{or}{}", below + step)
    }
}

fn arch(raw: &Spanned<String>) -> Result<Arch, Wrong> {
    let found = Arch::ALL.into_iter().find(|arch| arch.name() == raw.get_ref());
    let why = || {
        let (name, names) = (raw.get_ref(), Arch::ALL.map(Arch::name));
        let (quoted, near) = (quoted(name), words::near(name, names));
        format!("no architecture is named {quoted}; there are {}{near}", names.join(", "))
    };
    found.map_or_else(|| wrong(raw, why()), Ok)
}

fn kernel(raw: &Spanned<String>) -> Result<crate::kernel::Release, Wrong> {
    let why = || format!("kernel is {}; a release as \"6.12\" is allowed", quoted(raw.get_ref()));
    release(raw.get_ref()).map_or_else(|| wrong(raw, why()), Ok)
}

/// What makes an area: a device tree where nothing else is stated.
pub(super) fn made_by(raw: Option<&Spanned<String>>) -> Result<MadeBy, Wrong> {
    let Some(raw) = raw else { return Ok(MadeBy::default()) };
    let found = MadeBy::ALL.into_iter().find(|by| by.name() == raw.get_ref());
    let why = || {
        let [dts, cmdline] = MadeBy::ALL.map(MadeBy::name);
        let (by, near) = (quoted(raw.get_ref()), words::near(raw.get_ref(), [dts, cmdline]));
        format!("made_by is {by}; \"{dts}\" or \"{cmdline}\" is allowed{near}")
    };
    found.map_or_else(|| wrong(raw, why()), Ok)
}
