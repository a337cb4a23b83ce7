//! What a kernel makes of each area that is asked for.

use super::{Board, Pool};
use crate::tree::NodeId;

/// What becomes of an area: the words of [`Fate`](crate::boot::Fate).
pub(super) const PLACED: &str = "placed";
pub(super) const NOT_PLACED: &str = "not_placed";
pub(super) const REFUSED: &str = "refused";
pub(super) const NO_MATCH: &str = "no_match";
pub(super) const BYPASSED: &str = "bypassed";
pub(super) const BEATEN_BY_NODE: &str = "beaten_by_node";
pub(super) const OFF: &str = "off";
pub(super) const DMA_POOL: &str = "dma_pool";
pub(super) const DEAD: &str = "dead";
pub(super) const NOT_DEFAULT: &str = "not_default";

/// Who asks for an area.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// A node of the device tree.
    Node(NodeId),
    /// `cma=`.
    Command,
    /// `CONFIG_CMA_SIZE_MBYTES` and its like: nobody else asked.
    Config,
    /// `hugetlb_cma=`.
    Hugetlb,
}

impl Asker {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node(_) => "node",
            Self::Command => "cmdline",
            Self::Config => "config",
            Self::Hugetlb => "hugetlb",
        }
    }
}

/// An area that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Area {
    /// Its name.
    pub name: String,
    /// Who asks for it.
    pub asker: Asker,
    /// Devices without an area of their own are to use it.
    pub default: bool,
    /// Bytes that are asked for, where they are known.
    pub asked_bytes: Option<u64>,
    /// Bytes that it gets where it gets any: as many as that, rounded up to the step for `cma=`.
    pub bytes: Option<u64>,
    /// What becomes of it, in a word of [`Fate`](crate::boot::Fate).
    pub outcome: &'static str,
    /// The rule that says so, where it is not placed as asked.
    pub rule: Option<&'static str>,
}

impl Area {
    fn new(name: &str, asker: Asker, bytes: Option<u64>) -> Self {
        let (name, outcome, rule) = (name.to_string(), PLACED, None);
        Self { name, asker, default: false, asked_bytes: bytes, bytes, outcome, rule }
    }

    /// Whether the kernel makes it.
    pub fn is_placed(&self) -> bool {
        self.outcome == PLACED
    }

    /// Whether it has memory, be it the default area as asked or not.
    pub fn has_memory(&self) -> bool {
        matches!(self.outcome, PLACED | NOT_DEFAULT)
    }

    /// Whether the kernel drops its node, since the command line has `cma=`.
    pub fn is_bypassed(&self) -> bool {
        self.outcome == BYPASSED
    }

    /// Whether it is what this node asks for.
    pub(super) fn is_of(&self, pool: &Pool) -> bool {
        self.asker == Asker::Node(pool.id)
    }
}

/// Every area that is asked for, before any rule says what becomes of it.
pub(super) fn asked(board: &Board) -> Vec<Area> {
    let node = |pool: &Pool| Area {
        default: pool.default,
        ..Area::new(&pool.name, Asker::Node(pool.id), pool.bytes())
    };
    let mut areas: Vec<_> = board.pools.iter().map(node).collect();
    let Some((_, command)) = &board.command else { return areas };
    if let Some(size) = command.cma {
        let rounded =
            board.steps.least().and_then(|step| size.bytes.checked_next_multiple_of(step));
        let area = Area::new("reserved", Asker::Command, Some(size.bytes));
        let outcome = if size.bytes == 0 { OFF } else { PLACED };
        areas.push(Area { default: true, bytes: rounded, outcome, ..area });
    }
    if let Some(bytes) = command.hugetlb {
        let known = Some(bytes).filter(|bytes| *bytes > 0);
        areas.push(Area::new("hugetlb", Asker::Hugetlb, known));
    }
    areas
}

/// The default area that the kernel makes by its configuration, where nobody else has one
/// (`dma_contiguous_reserve()`, `kernel/dma/contiguous.c`).
pub(super) fn default_of_config(board: &Board, areas: &mut Vec<Area>) {
    let there =
        |area: &Area| area.asker == Asker::Command || area.default && area.outcome == PLACED;
    // Without a tree nothing says that no node asks.
    if board.tree.is_none() {
        return;
    }
    let off = ["CMA", "DMA_CMA"].iter().any(|name| board.config.is_set(name) == Some(false));
    if areas.iter().any(there) || off {
        return;
    }
    // Shares of the memory depend on what is left of it.
    let by_share = ["CMA_SIZE_SEL_PERCENTAGE", "CMA_SIZE_SEL_MIN", "CMA_SIZE_SEL_MAX"];
    let by_share = by_share.iter().any(|name| board.config.is_set(name) == Some(true));
    let mib = board.config.number("CMA_SIZE_MBYTES").filter(|_| !by_share);
    if mib == Some(0) {
        return;
    }
    let asked = mib.and_then(|mib| mib.checked_mul(1 << 20));
    let rounded = asked.zip(board.steps.least());
    let bytes = rounded.and_then(|(bytes, step)| bytes.checked_next_multiple_of(step));
    areas.push(Area { default: true, bytes, ..Area::new("reserved", Asker::Config, asked) });
}
