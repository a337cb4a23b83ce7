//! How many requests of one size an area takes, and what each strands.

use crate::diagnose::{Failure, Pitch};

/// A buffer of the size that was asked for, and the room that it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slots {
    /// Pages from the start of one such buffer to that of the next.
    pub slot: u64,
    /// Pages that each leaves free before the next one.
    pub stranded: u64,
    /// Pages of the area, where known.
    pub area: Option<u64>,
    /// The most such buffers that its area takes.
    pub most: Option<u64>,
    /// Where a few pages less save a whole step of the alignment: what is to be left out.
    pub padding: Option<Padding>,
}

/// A few pages past a multiple of the alignment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Padding {
    /// Pages too many.
    pub over: u64,
    /// The room that it takes without them.
    pub slot: u64,
    /// The most such buffers that its area takes without them.
    pub most: Option<u64>,
}

impl Failure {
    /// What a buffer of the size that was asked for does to its area.
    pub fn slots(&self) -> Option<Slots> {
        let count = self.incident.count.filter(|count| *count > 0)?;
        let (align, _) = self.align?;
        let unit = 1u64.checked_shl(align)?;
        let slot = count.checked_next_multiple_of(unit)?;
        let bounds = self.incident.bounds.as_deref();
        let area = self.total().or_else(|| Some(bounds?.most()?.pages));
        let most = |count| {
            let area = area?;
            // Pitch follows the DMA API; an order that is stated may be larger than that.
            let of_api = Pitch::of(count, area, align);
            Some(if of_api.align == align { of_api.blocks } else { area / slot })
        };
        let over = count % unit;
        let is_padded = over > 0 && count > unit && over <= unit / 16;
        let padding =
            is_padded.then(|| Padding { over, slot: count - over, most: most(count - over) });
        Some(Slots { slot, stranded: slot - count, area, most: most(count), padding })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnose::{AlignFrom, Bounds, By, Incident, Options, Reported, Stated, judge};

    fn slots(count: u64, align: Option<u32>, pages: u64) -> Slots {
        let area = Stated { by: By::Boot, pages, bytes: None, source: "a.log".into(), line: 1 };
        let bounds = Bounds { area: Some(area), ..Bounds::default() };
        let incident = Incident {
            count: Some(count),
            align: align.map(|align| (align, AlignFrom::Trace)),
            bounds: Some(Arc::new(bounds)),
            ..Incident::new("a.log".into(), Reported::Driver)
        };
        judge(incident, &Options::default()).slots().expect("a count and an order")
    }

    #[test]
    fn a_page_past_a_multiple_takes_a_whole_step() {
        let found = slots(4097, None, 16384);
        let padding = Some(Padding { over: 1, slot: 4096, most: Some(4) });
        assert_eq!(
            found,
            Slots { slot: 4352, stranded: 255, area: Some(16384), most: Some(3), padding }
        );
        for (count, over) in [(257, Some(1)), (258, Some(2)), (266, Some(10)), (300, None)] {
            let found = slots(count, None, 16384);
            assert_eq!(found.padding.map(|padding| padding.over), over, "{count}");
            assert_eq!((found.slot, found.most), (512, Some(32)), "{count}");
        }
    }

    #[test]
    fn what_fills_its_room_strands_nothing() {
        let whole = slots(4096, None, 16384);
        assert_eq!((whole.stranded, whole.most, whole.padding), (0, Some(4), None));
        assert_eq!(slots(255, None, 16384).stranded, 1);
        assert_eq!(slots(4097, Some(0), 16384).most, Some(3));
        assert_eq!(slots(4097, Some(12), 16384).most, Some(2));
        assert_eq!(slots(4097, None, 4096).most, Some(0));
    }
}
