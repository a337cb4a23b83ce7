//! What of a board is asked by those who change its areas, and the board after a change.

use super::rule::{limit, zone};
use super::{Board, Place, pool, reach};
use crate::boot::Command;
use crate::kernel::Arch;
use crate::tree::{NodeId, Tree};

impl Board {
    /// The same as if one node took nothing.
    pub(crate) fn rooms_but(&self, node: Option<NodeId>) -> Option<Vec<(u64, u64)>> {
        let memory = self.memory.clone()?;
        let taken = self.tree.as_ref().map(|tree| reach::fixed(tree, node)).unwrap_or_default();
        Some(reach::without(memory, &taken))
    }

    /// Where the next node after `base` begins that has a fixed place, but for one node.
    pub(crate) fn next_fixed(&self, but: NodeId, base: u64) -> Option<u64> {
        let taken = reach::fixed(self.tree.as_ref()?, Some(but)).into_iter();
        taken.map(|(start, _)| start).filter(|start| *start > base).min()
    }

    /// Cells of an address and of a size, as the kernel takes them; without a tree, those that
    /// boards of the architecture have.
    pub(crate) fn cells(&self) -> (u32, u32) {
        let usual = if self.machine.arch == Arch::Arm { (1, 1) } else { (2, 2) };
        let tells = |tree: &&Tree| tree.is_whole || tree.find("/reserved-memory").is_some();
        self.tree.as_ref().filter(tells).map_or(usual, pool::space)
    }

    /// Where a zone ends for certain: no area lies across that.
    pub(crate) fn borders(&self) -> Vec<u64> {
        let borders = zone::borders(self).into_iter();
        borders.filter(|(_, is_certain)| *is_certain).map(|(border, _)| border).collect()
    }

    /// The end of what a device reaches, where a bus above it states that.
    pub(crate) fn end_of_dma(&self, device: NodeId) -> Option<u64> {
        reach::end_of_dma(self.tree.as_ref()?, device)
    }

    /// Bytes of a page.
    pub(crate) const fn page_bytes(&self) -> u64 {
        self.machine.page_bytes
    }

    /// How many areas there may be, and whether the configuration says so.
    pub(crate) fn slots(&self) -> (u64, bool) {
        limit::stated_slots(self).map_or((limit::USUAL.0, false), |slots| (slots, true))
    }

    /// The same board with another tree, and with a command line and lines of a configuration in
    /// place of its own; what a log says is of the boot before.
    pub(crate) fn with(&self, tree: Option<Tree>, line: Option<&str>, config: &[String]) -> Self {
        let mut board = self.clone();
        board.log = None;
        if let Some(tree) = tree {
            board.memory = reach::memory(&tree).or(board.memory);
            board.pools = pool::pools(&tree);
            board.tree = Some(tree);
        }
        if let Some(line) = line {
            board.command = Some((Place::whole("--cmdline"), Command::read(line)));
            board.line = Some(line.to_string());
        }
        config.iter().for_each(|line| board.config.set(line));
        board.cap = board
            .config
            .number("CMA_ALIGNMENT")
            .and_then(|cap| u32::try_from(cap).ok())
            .or(board.cap);
        board
    }
}
