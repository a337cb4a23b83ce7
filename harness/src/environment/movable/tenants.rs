//! Who is in which page: a hash of place and time, 64 pages at once.

use cma_policies::Run;

use super::memory::Mix;
use super::noise::{Noise, all_from, below};
use super::vacated::Vacated;

/// Pages that are looked at one by one; of a longer run the rest is taken to be like these. A run
/// of so many pages is 4 GiB.
const MOST_PAGES: u64 = 1 << 20;
/// What it takes to fill again, in time constants: 1 - exp(-12) is all but 6 pages in a million.
const FULL: f64 = 12.0;

/// What a run holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Held {
    /// Clean file pages.
    pub(super) clean: u64,
    /// Pages to be copied, dirty ones included.
    pub(super) copied: u64,
    /// Of these, the pages that have to be waited for until they are written.
    pub(super) written: u64,
}

/// Who is in which page.
#[derive(Clone, Debug)]
pub(super) struct Tenants {
    noise: Noise,
    refill_us: f64,
    turnover_us: u64,
    /// Share of the dirty pages that are on their way to the disk.
    writeback: f64,
    pub(super) vacated: Vacated,
}

/// Which of a word's random numbers decide what.
#[derive(Clone, Copy)]
enum Salt {
    Occupied = 0,
    Clean = 64,
    Dirty = 128,
    Written = 192,
}

impl Tenants {
    /// Tenants of an area that lies in `span`.
    pub(super) fn new(
        noise: Noise,
        span: Run,
        refill_us: u64,
        turnover_us: u64,
        writeback: f64,
    ) -> Self {
        let (refill_us, turnover_us) = (refill_us.max(1) as f64, turnover_us.max(1));
        Self { noise, refill_us, turnover_us, writeback, vacated: Vacated::new(span) }
    }

    /// The pages of `run` are empty since `at_us`.
    pub(super) fn vacate(&mut self, run: Run, at_us: u64) {
        self.vacated.note(run, at_us, (self.refill_us * FULL) as u64);
    }

    /// What the pages of `run` hold at `at_us`.
    pub(super) fn held(&self, run: Run, at_us: u64, mix: Mix) -> Held {
        let seen = Run { pfn: run.pfn, count: run.count.min(MOST_PAGES) };
        let mut held = Held::default();
        self.words(seen, at_us, mix, |bits, occupied| {
            let clean = less(bits, Salt::Clean, mix.clean, occupied);
            let copied = occupied & !clean;
            let dirty = less(bits, Salt::Dirty, mix.dirty, copied);
            let written = less(bits, Salt::Written, self.writeback, dirty);
            held.clean += u64::from(clean.count_ones());
            held.copied += u64::from(copied.count_ones());
            held.written += u64::from(written.count_ones());
        });
        if seen.count < run.count {
            let scale = |pages: u64| {
                let pages = u128::from(pages) * u128::from(run.count) / u128::from(seen.count);
                u64::try_from(pages).unwrap_or(u64::MAX)
            };
            let Held { clean, copied, written } = held;
            return Held { clean: scale(clean), copied: scale(copied), written: scale(written) };
        }
        held
    }

    /// Whether somebody is in page `pfn` at `at_us`.
    pub(super) fn is_occupied(&self, pfn: u64, at_us: u64, mix: Mix) -> bool {
        let mut found = false;
        self.words(Run::new(pfn, 1), at_us, mix, |_, occupied| found = occupied != 0);
        found
    }

    /// Visits `run` in pieces of at most 64 pages: the random bits of each, and the pages of it
    /// that are occupied.
    fn words(&self, run: Run, at_us: u64, mix: Mix, mut visit: impl FnMut(u64, u64)) {
        // A run that was emptied at once comes in several pieces.
        let mut last = (None, 1.0);
        self.vacated.pieces(run, |piece, since| {
            if last.0 != since {
                last = (since, since.map_or(1.0, |since| self.filled(since, at_us)));
            }
            let fill = mix.fill * last.1;
            if fill == 0.0 {
                return;
            }
            let (start, end) = (piece.pfn.0, piece.end().0);
            for word in start / 64..=(end - 1) / 64 {
                let first = start.saturating_sub(word * 64);
                let past = (end - word * 64).min(64);
                let pages = (u64::MAX >> (64 - (past - first))) << first;
                let bits = self.bits(word, at_us);
                visit(bits, less(bits, Salt::Occupied, fill, pages));
            }
        });
    }

    /// Of what is full otherwise, the part that has filled again since `since_us`.
    fn filled(&self, since_us: u64, at_us: u64) -> f64 {
        let age = at_us.saturating_sub(since_us) as f64 / self.refill_us;
        if age < FULL { 1.0 - libm::exp(-age) } else { 1.0 }
    }

    /// What the states of the 64 pages of `word` are drawn from: the same until they change
    /// tenants, which other words do at other moments.
    fn bits(&self, word: u64, at_us: u64) -> u64 {
        let noise = self.noise.of(word);
        let phase = below(noise.at(u64::MAX), self.turnover_us);
        noise.at(at_us.saturating_add(phase) / self.turnover_us)
    }
}

/// Digits that are compared before it is asked whether more are needed: their words do not wait for
/// each other.
const DIGITS: usize = 4;

/// Those of `pages` whose number in [0, 1) is less than `share`.
///
/// Bit n of the number of page i is bit i of random word n: all pages are compared at once, from
/// the highest bit on, until each is decided. What is below a share is below every larger one, so
/// pages only fill up as it grows.
fn less(bits: u64, salt: Salt, share: f64, pages: u64) -> u64 {
    if share >= 1.0 {
        return pages;
    }
    let share = (share * (1_u64 << 32) as f64) as u64;
    let (mut less, mut equal) = (0, pages);
    let mut numbers = all_from(bits, salt as u64);
    for first in (0..32).step_by(DIGITS) {
        // What is equal so far is not less if nothing of the share is left.
        if equal == 0 || share << (32 + first) == 0 {
            break;
        }
        for (digit, word) in (first..).zip(numbers.take::<DIGITS>()) {
            if share >> (31 - digit) & 1 == 1 {
                less |= equal & !word;
                equal &= word;
            } else {
                equal &= !word;
            }
        }
    }
    less
}

#[cfg(test)]
mod tests {
    use super::super::noise::further;
    use super::*;
    use crate::seed::Seed;

    const MIX: Mix = Mix { fill: 0.6, clean: 0.5, dirty: 0.1 };

    fn tenants() -> Tenants {
        Tenants::new(Noise::new(&Seed::new(1)), Run::new(0, 1 << 20), 10_000_000, 60_000_000, 0.25)
    }

    #[test]
    fn shares_hold_and_each_page_is_counted_once() {
        let held = tenants().held(Run::new(3, 100_000), 5, MIX);
        // Deviations are 155 of 100000 pages at most.
        assert!(held.clean.abs_diff(30_000) < 600, "{held:?}");
        assert!(held.copied.abs_diff(30_000) < 600, "{held:?}");
        assert!(held.written.abs_diff(750) < 110, "{held:?}");
        let halves = [Run::new(3, 41_111), Run::new(41_114, 58_889)];
        let halves = halves.map(|run| tenants().held(run, 5, MIX));
        assert_eq!(halves[0].clean + halves[1].clean, held.clean);
        assert_eq!(halves[0].copied + halves[1].copied, held.copied);
        assert_eq!(halves[0].written + halves[1].written, held.written);
    }

    #[test]
    fn a_share_is_compared_exactly() {
        for share in [0.0, 1.0 / 1024.0, 0.25, 0.3, 0.5, 0.75, 0.999, 1.0] {
            let words = (0..4096).map(|n| less(further(7, n), Salt::Clean, share, u64::MAX));
            let pages = 4096.0 * 64.0;
            let counted = words.map(u64::count_ones).sum::<u32>();
            let off = (f64::from(counted) - share * pages).abs();
            assert!(off <= 4.0 * (share * (1.0 - share) * pages).sqrt(), "{share}: {counted}");
            let fewer = less(7, Salt::Clean, share / 2.0, u64::MAX);
            assert_eq!(fewer & !less(7, Salt::Clean, share, u64::MAX), 0, "{share}");
        }
    }

    #[test]
    fn a_page_keeps_its_tenant_for_a_while() {
        let tenants = tenants();
        let at = |at_us| -> Vec<bool> {
            (0..4096).map(|pfn| tenants.is_occupied(pfn, at_us, MIX)).collect()
        };
        let differ = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| a != b).count();
        let now = at(0);
        // One word in 60 changes tenants each second; after a minute all have: 0.48 of the pages
        // are then different.
        assert!(differ(&now, &at(1_000_000)) < 4096 / 15);
        assert!(differ(&now, &at(60_000_000)).abs_diff(1966) < 200);
    }

    #[test]
    fn what_was_emptied_fills_again() {
        let mut tenants = tenants();
        let run = Run::new(1000, 50_000);
        let before = tenants.held(run, 200_000_000, MIX);
        tenants.vacate(run, 0);
        assert_eq!(tenants.held(run, 0, MIX), Held::default());
        // One time constant: 63.2 % of the fill.
        let held = tenants.held(run, 10_000_000, MIX);
        let share = (held.clean + held.copied) as f64 / 50_000.0;
        assert!((share - 0.6 * 0.632).abs() < 0.01, "{share}");
        assert_eq!(tenants.held(run, 200_000_000, MIX), before, "as if it had never been");
    }

    #[test]
    fn a_run_without_end_is_taken_by_its_beginning() {
        let tenants = tenants();
        let part = tenants.held(Run::new(0, MOST_PAGES), 0, MIX);
        let whole = tenants.held(Run::new(0, MOST_PAGES << 20), 0, MIX);
        assert_eq!(whole.clean, part.clean << 20);
        assert!(tenants.held(Run::new(0, u64::MAX), 0, MIX).clean > part.clean);
    }
}
