//! Pages that somebody holds for a moment: direct I/O, a page table that is being copied.

use cma_policies::Run;

use super::noise::{Noise, below, further, unit};

/// Pages of one cell of space; pins are drawn cell by cell.
const CELL: u64 = 512;
/// No pin lasts longer than so many mean durations: 5 in 100000 would.
const LOOK_BACK: u64 = 10;
/// Pages of a run that are looked at; see the tenants.
const MOST_CELLS: u64 = 1 << 11;

/// Short pins: a Poisson process in space and time, so that whoever comes to the same page at the
/// same moment meets the same pin, and whoever comes later does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortPins {
    noise: Noise,
    /// Mean duration in microseconds, and the length of a cell in time.
    mean_us: u64,
    /// Pins that begin in one cell, on average.
    pins: f64,
    /// The share of cells in which one begins at all.
    any: f64,
}

/// A page and the moment at which it is let go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pin {
    pub(super) pfn: u64,
    pub(super) end_us: u64,
}

impl ShortPins {
    /// `share` of the pages are pinned at any moment, each for `mean_us` on average.
    pub(super) fn new(noise: Noise, share: f64, mean_us: u64) -> Self {
        // Begun in a cell = rate x pages x time, where rate x mean duration is the share.
        let pins = share * CELL as f64;
        Self { noise, mean_us: mean_us.max(1), pins, any: 1.0 - libm::exp(-pins) }
    }

    /// Visits the pins on pages of `run` at `at_us`, cell by cell upwards, within a cell in no
    /// order, until `visit` has seen enough of them: it says `true` if a cell is the last.
    pub(super) fn at(&self, run: Run, at_us: u64, mut visit: impl FnMut(Pin) -> bool) {
        if self.pins == 0.0 {
            return;
        }
        // The process has run for ever: there are cells before the first moment too.
        let now = at_us.saturating_add(LOOK_BACK * self.mean_us);
        let window = now / self.mean_us;
        let first = run.pfn.0 / CELL;
        let last = ((run.end().0 - 1) / CELL).min(first.saturating_add(MOST_CELLS));
        for cell in first..=last {
            let mut enough = false;
            let noise = self.noise.of(cell);
            for begun in window - LOOK_BACK..=window {
                self.begun(cell, begun, noise.at(begun), |pfn, from, until| {
                    let there = pfn >= run.pfn.0 && pfn < run.end().0;
                    if there && from <= now && now < until {
                        enough |= visit(Pin { pfn, end_us: at_us.saturating_add(until - now) });
                    }
                });
            }
            if enough {
                return;
            }
        }
    }

    /// Visits the pins that begin in one cell of space and time, which `bits` decide: page, begin,
    /// end.
    fn begun(&self, cell: u64, window: u64, bits: u64, mut visit: impl FnMut(u64, u64, u64)) {
        // In nearly all cells nothing begins, and the logarithm below need not be taken.
        if unit(further(bits, 0)) >= self.any {
            return;
        }
        let mut sum = 0.0;
        for n in 0.. {
            // As many as gaps of mean 1 fit into the mean number: that is how many there are.
            sum -= libm::log(1.0 - unit(further(bits, n * 4)));
            if sum > self.pins {
                return;
            }
            let pfn = (cell * CELL).saturating_add(below(further(bits, n * 4 + 1), CELL));
            let into = below(further(bits, n * 4 + 2), self.mean_us);
            let from = (window * self.mean_us).saturating_add(into);
            let lasts = -libm::log(1.0 - unit(further(bits, n * 4 + 3)));
            let lasts = lasts.min(LOOK_BACK as f64) * self.mean_us as f64;
            visit(pfn, from, from.saturating_add(lasts as u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use std::collections::BTreeSet;

    fn pins(share: f64) -> ShortPins {
        ShortPins::new(Noise::new(&Seed::new(1)), share, 10_000)
    }

    /// The pins at one moment: page and end. A page may be pinned twice.
    fn at(pins: &ShortPins, run: Run, at_us: u64) -> BTreeSet<(u64, u64)> {
        let mut found = BTreeSet::new();
        pins.at(run, at_us, |pin| {
            found.insert((pin.pfn, pin.end_us));
            false
        });
        found
    }

    #[test]
    fn their_share_and_their_length_are_what_was_asked_for() {
        let pins = pins(1e-3);
        let run = Run::new(100, 1 << 20);
        let found = at(&pins, run, 0);
        // 1048.6 expected, with a deviation of 32.
        assert!(found.len().abs_diff(1049) < 130, "{}", found.len());
        // What is left of an exponential time has the same mean, whenever one looks.
        let left: u64 = found.iter().map(|pin| pin.1).sum();
        let mean = left as f64 / found.len() as f64;
        assert!((mean - 10_000.0).abs() < 1_300.0, "{mean}");
        assert!(at(&self::pins(0.0), run, 0).is_empty());
    }

    #[test]
    fn the_same_pin_is_met_again_until_it_ends() {
        let pins = pins(1e-3);
        let found = at(&pins, Run::new(0, 1 << 16), 50_000);
        assert!(found.len() > 30);
        for pin in found {
            let here = Run::new(pin.0.saturating_sub(3), 5);
            let there = |at_us| at(&pins, here, at_us).contains(&pin);
            assert_eq!([50_000, pin.1 - 1, pin.1].map(there), [true, true, false]);
        }
    }

    #[test]
    fn nearly_all_are_gone_a_few_means_later() {
        let pins = pins(1e-3);
        let run = Run::new(0, 1 << 20);
        let then = at(&pins, run, 1_000_000);
        let still = |at_us| at(&pins, run, at_us).intersection(&then).count();
        // exp(-5) of 1049 are 7.
        assert!(still(1_050_000) < 20, "{}", still(1_050_000));
        assert_eq!(still(1_100_001), 0);
    }

    #[test]
    fn the_lowest_cell_ends_the_search() {
        let pins = pins(1e-2);
        let run = Run::new(0, 1 << 16);
        let lowest = at(&pins, run, 0).first().unwrap().0;
        let mut seen = Vec::new();
        pins.at(run, 0, |pin| {
            seen.push(pin.pfn);
            true
        });
        assert_eq!(seen.iter().min(), Some(&lowest));
        assert!(seen.iter().all(|pfn| pfn / CELL == lowest / CELL));
    }
}
