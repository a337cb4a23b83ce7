//! What cures an area that is not as it was asked for.

use super::{Asked, Fate, Off, Origin, Reason, Story};

/// A change that cures it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cure {
    /// Ask for at most so many bytes.
    Size(u64),
    /// Ask for less; the memory blocks that a boot prints say how much can fit.
    Less,
    /// A size of one of these: the next multiples of the step below (0: none) and above.
    Round(u64, u64),
    /// The same for the base.
    Base(u64, u64),
    /// Sizes in multiples of the step, which is not known.
    Step,
    /// `alloc-ranges` with memory in it, and as wide as the area; or none.
    Ranges,
    /// A place that is free.
    Place,
    /// `reusable;` in the node.
    Reusable,
    /// No `no-map` in the node.
    Map,
    /// `CONFIG_DMA_CMA=y`.
    DmaCma,
    /// As many cells as `#size-cells` (or `#address-cells`) says.
    Cells,
    /// `cma=` with so many bytes, where they are known, and their unit.
    Write(Option<u64>),
    /// No `cma=` on the command line, so that the node counts.
    DropCommand,
    /// No `linux,cma-default` in the node, so that `cma=` counts.
    DropDefault,
    /// `linux,cma-default` in one node only.
    OneDefault,
    /// `hugetlb_cma=` of whole gigantic pages: bytes of one.
    Gigantic(u64),
    /// What the kernel prints just before it says that an area is dead.
    Before,
    /// A place in one zone.
    Zones(Option<Border>),
    /// A larger `CONFIG_CMA_AREAS`.
    Slots,
    /// The lines that say why: `dmesg | grep -iE 'cma|reserved mem'` after a boot.
    Look,
    /// The node belongs below `/reserved-memory`, and the driver must take it
    /// (`of_reserved_mem_device_init()`).
    Attach,
}

/// What put a border of zones into an area.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Border {
    /// `kernelcore=` or `movablecore=`.
    Parameter,
    /// The border of all memory that 30 or 32 bits reach (ZONE_DMA of the Raspberry Pi 4, ZONE_DMA32).
    At(u64),
}

impl Border {
    /// The border that lies in an area.
    fn within(base: u64, bytes: u64) -> Option<Self> {
        let inside = |border: &u64| base < *border && *border < base.saturating_add(bytes);
        [1 << 30, 1 << 32].into_iter().find(inside).map(Self::At)
    }
}

/// A round size below a block leaves room for what lies in it already.
const ROUND: u64 = 16 << 20;

/// What put a border of zones into a dead area, where the command line has one of the parameters,
/// or not, or is not in the text.
fn border(asked: &Asked, movable: Option<bool>) -> Option<Border> {
    match (movable, asked.base.zip(asked.bytes)) {
        (Some(true), _) => Some(Border::Parameter),
        (_, Some((base, bytes))) => Border::within(base, bytes),
        (_, None) => None,
    }
}

/// The changes of which one is enough; of a base and a size that are both off, both. `movable`: the
/// command line has `kernelcore=` or `movablecore=`, where it is in the text.
pub(super) fn cures(asked: &Asked, story: &Story, movable: Option<bool>) -> Vec<Cure> {
    if let Some(misread) = asked.misread() {
        return vec![Cure::Write(misread.meant(story.memory))];
    }
    let step = story.stride.bytes;
    let round = |bytes: u64| step.map(|step| (bytes / step * step, bytes.next_multiple_of(step)));
    let below = |most: u64| {
        let unit = ROUND.max(step.unwrap_or(ROUND));
        Cure::Size(most.saturating_sub(1) / unit * unit)
    };
    match &asked.fate {
        // Its size is in whole gigantic pages, or in as many pieces as there are.
        Fate::NotPlaced(_) if matches!(asked.origin, Origin::Hugetlb | Origin::Crash) => {
            vec![Cure::Less]
        }
        Fate::NotPlaced(Reason::Block { most, .. }) => vec![below(*most)],
        Fate::NotPlaced(Reason::Memory(_)) => match story.longest_block {
            Some((start, end)) => vec![below(end - start)],
            None => vec![Cure::Less],
        },
        Fate::NotPlaced(
            Reason::Ranges(_)
            | Reason::RangesNarrow(_)
            | Reason::RangesOutside(..)
            | Reason::RangesOutsideTree(..),
        ) => {
            vec![Cure::Ranges]
        }
        Fate::NotPlaced(Reason::Taken | Reason::Crosses(_) | Reason::Limit(_)) => vec![Cure::Place],
        Fate::NotPlaced(Reason::Open | Reason::Part(_)) => vec![Cure::Less],
        Fate::Refused(Off::Base(base)) => match round(*base) {
            Some((down, up)) => vec![Cure::Base(down, up)],
            None => vec![Cure::Step],
        },
        Fate::Refused(Off::Size(size)) => match size.or(asked.asked_bytes).and_then(round) {
            Some((down, up)) => vec![Cure::Round(down, up)],
            None => vec![Cure::Step],
        },
        Fate::Refused(Off::Both(base, size)) => match round(*base).zip(round(*size)) {
            Some((base, size)) => vec![Cure::Base(base.0, base.1), Cure::Round(size.0, size.1)],
            None => vec![Cure::Step],
        },
        Fate::Refused(Off::BaseOrSize) => vec![Cure::Step],
        Fate::Refused(Off::Nothing) => match step {
            Some(step) => vec![Cure::Round(0, step)],
            None => vec![Cure::Step],
        },
        Fate::Refused(Off::Slots) => vec![Cure::Slots],
        Fate::Refused(Off::NoMap) => vec![Cure::Map],
        Fate::Refused(Off::Cells(_)) => vec![Cure::Cells],
        Fate::Refused(Off::GiganticPage(page)) => vec![Cure::Gigantic(*page)],
        Fate::Refused(Off::Share | Off::NoNode(_) | Off::Unsupported) => Vec::new(),
        Fate::Refused(Off::Unsaid) | Fate::NoEffect(_) => vec![Cure::Look],
        Fate::NoMatch(Some(true)) | Fate::Refused(Off::Unknown) => vec![Cure::DmaCma],
        Fate::NoMatch(Some(false)) | Fate::DmaPool => vec![Cure::Reusable],
        Fate::NoMatch(None) => vec![Cure::Reusable, Cure::DmaCma],
        Fate::Bypassed(_) => vec![Cure::DropCommand],
        Fate::BeatenByNode(_) => vec![Cure::DropDefault],
        Fate::Dead(_) if asked.in_one_zone() => vec![Cure::Before],
        Fate::Dead(_) => vec![Cure::Zones(border(asked, movable))],
        Fate::NotInEffect(_) => vec![Cure::Attach],
        Fate::NotDefault(_) => vec![Cure::OneDefault],
        // Its note says how it is written.
        Fate::Unknown(_) if asked.is_outside() => vec![Cure::Ranges],
        Fate::Refused(Off::Spelling) | Fate::Placed | Fate::Off | Fate::Unknown(_) => Vec::new(),
    }
}
