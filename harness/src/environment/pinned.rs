//! Pages that somebody holds without the bitmap's knowledge.

use cma_policies::kit::RunSet;
use cma_policies::{Claim, ClaimError, Param, Run};

use super::{Entry, Environment, Setup};
use crate::seed::Seed;

pub(super) const ENTRY: Entry = Entry {
    name: "pinned",
    about: "claims over pinned pages are busy: the pins of the stream, and seeded ones that stay",
    params: &[
        Param::float(
            "share",
            0.0..=0.9,
            "0",
            "share of the area's pages that are pinned from the start on, at random places, \
                    in at most 4194304 pins a range",
        ),
        Param::int("run", 1..=1 << 20, "1", "pages of one such pin"),
    ],
    reads_script: false,
    is_model: false,
    build: |params, Setup { area, seed, .. }| {
        let mut pinned = Pinned::default();
        for range in area.ranges() {
            pinned.scatter(*range, params.float("share"), params.int("run"), seed);
        }
        Box::new(pinned)
    },
};

/// The most seeded pins of a range: what they take is bounded at some 100 MB, however many pages
/// a granule has.
const MOST_PINS: u64 = 1 << 22;

/// Pages that somebody holds without the bitmap's knowledge: claims over them are busy, exactly.
#[derive(Clone, Default, Debug)]
pub struct Pinned {
    pins: RunSet,
}

impl Pinned {
    /// Pins runs of `pages` at random places of `range`, until about `share` of it is pinned.
    fn scatter(&mut self, range: Run, share: f64, pages: u64, seed: &Seed) {
        if pages > range.count {
            return;
        }
        let mut draws = seed.child("pinned", range.pfn.0).rng();
        // A place that is taken already is not drawn again: with much pinned it is a little less.
        let pins = (range.count as f64 * share / pages as f64) as u64;
        for _ in 0..pins.min(MOST_PINS) {
            let start = range.pfn.0 + draws.below(range.count - pages + 1);
            self.pin(Run::new(start, pages));
        }
    }
}

impl Claim for Pinned {
    fn claim(&mut self, run: Run) -> Result<(), ClaimError> {
        if self.pins.touches(run) { Err(ClaimError::Busy) } else { Ok(()) }
    }
}

impl Environment for Pinned {
    fn pin(&mut self, run: Run) -> bool {
        self.pins.insert(run, ())
    }

    fn unpin(&mut self, run: Run) -> bool {
        self.pins.remove(run).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Script, Spec};
    use crate::page::Page;
    use cma_policies::Area;

    #[test]
    fn a_claim_is_busy_exactly_over_pinned_pages() {
        let mut pages = Pinned::default();
        assert!(pages.pin(Run::new(10, 4)));
        assert!(!pages.pin(Run::new(13, 4)), "all or nothing");
        assert!(!pages.pin(Run::new(10, 0)), "no page at all");
        for (start, busy) in [(0, false), (5, false), (6, true), (13, true), (14, false)] {
            assert_eq!(pages.claim(Run::new(start, 5)).is_err(), busy, "{start}");
        }
        assert!(!pages.unpin(Run::new(10, 3)), "not what was pinned");
        assert!(pages.unpin(Run::new(10, 4)));
        assert!(!pages.unpin(Run::new(10, 4)));
        assert_eq!(pages.claim(Run::new(10, 1)), Ok(()));
    }

    #[test]
    fn pins_are_bounded_however_large_a_granule_is() {
        let mut pages = Pinned::default();
        pages.scatter(Run::new(0, 1 << 60), 0.5, 1, &Seed::new(1));
        assert_eq!(pages.pins.len() as u64, MOST_PINS);
    }

    #[test]
    fn random_pins_hold_their_share_and_are_the_same_for_a_seed() {
        let area = Area::single(512, 65536, 0).unwrap();
        let script = Script::default();
        let held = |seed: u64| {
            let spec = Spec::parse("pinned:share=0.1,run=4").unwrap();
            let setup = Setup {
                area: &area,
                seed: &Seed::new(seed),
                script: &script,
                reboots: 0,
                page: Page::Kib4,
            };
            let mut pages = spec.build(setup);
            (512..512 + 65536).filter(|pfn| pages.claim(Run::new(*pfn, 1)).is_err()).collect()
        };
        let pins: Vec<u64> = held(1);
        assert!((5500..=6553).contains(&pins.len()), "{}", pins.len());
        assert_eq!(pins, held(1));
        assert_ne!(pins, held(2));
    }
}
