//! The size of a page. Everything else counts pages; this room knows how many bytes one has.

use std::fmt;

/// The size of a page: of the kernels that have CMA areas, arm64 has a choice of three.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub enum Page {
    /// 4 KiB, which every architecture has, and which is taken where nothing is stated.
    #[default]
    Kib4,
    /// 16 KiB: `CONFIG_ARM64_16K_PAGES`.
    Kib16,
    /// 64 KiB: `CONFIG_ARM64_64K_PAGES`.
    Kib64,
}

impl Page {
    /// Every size, ascending.
    pub const ALL: [Self; 3] = [Self::Kib4, Self::Kib16, Self::Kib64];

    /// KiB of a page.
    pub const fn kib(self) -> u64 {
        match self {
            Self::Kib4 => 4,
            Self::Kib16 => 16,
            Self::Kib64 => 64,
        }
    }

    /// Bytes of a page.
    pub const fn bytes(self) -> u64 {
        self.kib() << 10
    }

    /// Pages of a MiB.
    pub const fn in_mib(self) -> u64 {
        1024 / self.kib()
    }

    /// The size of so many KiB; none where no kernel has it.
    pub fn of_kib(kib: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.kib() == kib)
    }

    /// The size of so many bytes; none where no kernel has it.
    pub fn of_bytes(bytes: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.bytes() == bytes)
    }

    /// How many of these a buffer takes that is so many pages of 4 KiB long.
    pub const fn hold(self, small: u64) -> u64 {
        small.div_ceil(self.small())
    }

    /// Pages of 4 KiB in one of these.
    pub const fn small(self) -> u64 {
        self.kib() / Self::Kib4.kib()
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB", self.kib())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_so_many_bytes_and_a_mib_so_many_pages() {
        let each = Page::ALL.map(|page| (page.kib(), page.bytes(), page.in_mib()));
        assert_eq!(each, [(4, 4096, 256), (16, 16384, 64), (64, 65536, 16)]);
        for page in Page::ALL {
            assert_eq!(Page::of_kib(page.kib()), Some(page));
            assert_eq!(Page::of_bytes(page.bytes()), Some(page));
            assert_eq!(page.in_mib() * page.bytes(), 1 << 20);
        }
        assert_eq!((Page::of_kib(8), Page::of_bytes(4)), (None, None));
        assert_eq!(Page::default().to_string(), "4 KiB");
    }

    #[test]
    fn a_buffer_takes_whole_pages() {
        // 1 MiB and a page of 4 KiB; a page; a page of 64 KiB.
        let held = |small: u64| Page::ALL.map(|page| page.hold(small));
        assert_eq!(held(257), [257, 65, 17]);
        assert_eq!(held(1), [1, 1, 1]);
        assert_eq!(held(16), [16, 4, 1]);
        assert_eq!(held(u64::MAX)[2], 1 << 60);
    }
}
