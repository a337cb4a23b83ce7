//! What makes an area, and what sizes it makes.

/// What makes an area of a board.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum MadeBy {
    /// A node of the device tree: the kernel refuses a base or a size that is no multiple of its step
    /// (`rmem_cma_setup()`, `kernel/dma/contiguous.c`).
    #[default]
    Dts,
    /// `cma=` on the command line, or `CONFIG_CMA_SIZE_MBYTES`: the kernel rounds the size up
    /// (`cma_declare_contiguous_nid()`, `mm/cma.c`).
    Cmdline,
}

impl MadeBy {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Dts, Self::Cmdline];

    /// Its word in a plan.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dts => "dts",
            Self::Cmdline => "cmdline",
        }
    }

    /// The pages of an area that is asked for with so many, where sizes are multiples of
    /// `step_pages`; none where the kernel makes no such area.
    pub const fn made(self, pages: u64, step_pages: u64) -> Option<u64> {
        match self {
            Self::Dts if pages.is_multiple_of(step_pages) => Some(pages),
            Self::Dts => None,
            Self::Cmdline => pages.checked_next_multiple_of(step_pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_refused_where_a_command_line_is_rounded_up() {
        // 33 MiB, and 48 MiB of pages of 16 KiB.
        for (pages, step, made) in
            [(8448, 512, 8704), (3072, 2048, 4096), (1, 512, 512), (1025, 1024, 2048)]
        {
            assert_eq!(MadeBy::Dts.made(pages, step), None, "{pages}");
            assert_eq!(MadeBy::Dts.made(made, step), Some(made), "{pages}");
            assert_eq!(MadeBy::Cmdline.made(pages, step), Some(made), "{pages}");
        }
        assert_eq!(MadeBy::Cmdline.made(u64::MAX, 512), None);
    }
}
