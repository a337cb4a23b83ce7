//! The architecture, the size of a page and whether there are heaps: kept here alone, and asked by all
//! that depends on them.

use crate::ingest::log::Record;
use crate::ingest::log::boot::{Boot, PageFrom};
use crate::kernel::{Arch, release};

use super::step::{arch_of_release, better, page_of_release};

/// What a text says of the machine of its last boot.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Machine {
    /// The architecture, as a line states it first.
    stated: Option<Arch>,
    /// By the name of the kernel.
    named: Option<Arch>,
    /// By the name that the caller states.
    asked: Option<Arch>,
    /// Bytes of a page, and what says so.
    page: Option<(u64, PageFrom)>,
    /// Whether it has CMA heaps of dma-buf, by its configuration.
    heaps: Option<bool>,
    /// Whether its name is that of a kernel that is known to have none.
    heapless: bool,
}

/// Bytes of a page, by the name of the kernel.
fn by_name(name: &str) -> Option<(u64, PageFrom)> {
    page_of_release(name).map(|bytes| (bytes, PageFrom::Release))
}

/// Whether the kernel of this name has no CMA heaps: Debian's have `CONFIG_DMABUF_HEAPS` not set up to
/// 6.12, and a module in 7.3.
fn is_heapless(name: &str) -> bool {
    let debian = ["+deb", "-deb"].iter().any(|word| name.contains(word));
    debian && release(name).is_some_and(|at| at < (7, 0))
}

impl Machine {
    /// The caller says that the kernel is this one.
    pub(crate) fn of_kernel(name: Option<&str>) -> Self {
        let (asked, page) = (name.and_then(arch_of_release), name.and_then(by_name));
        Self { asked, page, heapless: name.is_some_and(is_heapless), ..Self::default() }
    }

    /// What `record` says of it.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Kernel(name) => self.named(name),
            Record::Boot(Boot::Arch(arch) | Boot::Began { arch: Some(arch), .. }) => {
                self.stated.get_or_insert(*arch);
            }
            Record::Boot(Boot::PageBytes(bytes, from)) => {
                self.page = better(self.page, Some((*bytes, *from)));
            }
            Record::Boot(Boot::Heaps(heaps)) => self.heaps = Some(*heaps),
            _ => {}
        }
    }

    fn named(&mut self, name: &str) {
        self.named = self.named.or_else(|| arch_of_release(name));
        self.page = better(self.page, by_name(name));
        self.heapless |= is_heapless(name);
    }

    /// Another boot begins, of the kernel of this name; pages are as files of it state.
    pub(super) fn begin<'a>(
        &mut self,
        name: Option<&str>,
        asked: Option<&str>,
        facts: impl Iterator<Item = &'a Boot>,
    ) {
        *self = Self::of_kernel(asked);
        if let Some(name) = name {
            (self.named, self.page) = (arch_of_release(name), by_name(name));
            self.heapless = is_heapless(name);
        }
        facts.for_each(|boot| self.note(&Record::Boot(boot.clone())));
    }

    /// The architecture, where something states it.
    pub(crate) fn arch(&self) -> Option<Arch> {
        // The others have pages of 4 KiB.
        let by_page = || self.page.is_some_and(|(bytes, _)| bytes > 4096).then_some(Arch::Arm64);
        self.stated.or(self.named).or(self.asked).or_else(by_page)
    }

    /// Whether it has no CMA heaps of dma-buf: all that asks CMA is the DMA API.
    pub(crate) fn has_no_heaps(&self) -> bool {
        self.heaps.map_or(self.heapless, |heaps| !heaps)
    }

    /// Bytes of a page, and what says so.
    pub(crate) fn page(&self) -> Option<(u64, PageFrom)> {
        // Elsewhere a table of one page maps another size.
        let known = |from| from != PageFrom::HugePage || self.arch() != Some(Arch::Other);
        self.page.filter(|(_, from)| known(*from))
    }
}
