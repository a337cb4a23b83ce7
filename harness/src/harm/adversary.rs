//! Known ways to hurt a policy that never moves a buffer: a row each, and a file where one takes more
//! than a few lines.
//!
//! An adversary looks at what was granted and answers to it. It has a number of variants; the
//! LOAD limit it plays with is looked for from below.

mod best_fit;
mod robson;
mod slots;

use super::field::{Field, Refusal};
use super::goal::Goal;
use crate::op::Timed;

/// A way to hurt a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adversary {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does, in one line.
    pub(crate) about: &'static str,
    /// Where it comes from.
    pub(crate) source: &'static str,
    /// How many variants it has against a goal.
    pub(crate) variants: fn(&Goal) -> u64,
    /// Plays variant so and so, up to a refusal or the end of its ideas.
    pub(crate) play: fn(&mut Field<'_>, u64),
}

/// Single pages, of which every so many stay.
const COMB: Adversary = Adversary {
    name: "comb",
    about: "fills with single pages, keeps one in 2^k, asks for 2^k",
    source: "folklore; Robson's first step, taken at once",
    variants: |goal: &Goal| u64::from(goal.largest.ilog2()),
    play: |field, variant| {
        let size = 2 << variant;
        field.fill(1, u64::MAX);
        field.keep(|run| run.pfn.0 % size == size - 1);
        field.fill(size, u64::MAX);
    },
};

/// Sizes that grow by a third, half of everything given back each time.
const SAWTOOTH: Adversary = Adversary {
    name: "sawtooth",
    about: "fills, gives back every second buffer, goes on with a third more pages each",
    source: "written for this project: sizes that no power of two rounds",
    variants: |goal: &Goal| goal.largest.min(16),
    play: |field, variant| {
        let mut size = 1 + variant;
        while size <= field.goal.largest && !field.is_over() {
            field.fill(size, u64::MAX);
            field.free_every(2, 0, None);
            size += (size / 3).max(1);
        }
        field.fill(field.goal.largest, u64::MAX);
    },
};

/// Every adversary.
pub(crate) const ADVERSARIES: &[Adversary] =
    &[robson::ADVERSARY, slots::ADVERSARY, best_fit::ADVERSARY, COMB, SAWTOOTH];

/// The worst that an adversary did.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// Which variant.
    pub(crate) variant: u64,
    /// With at most so many pages live or asked for.
    pub(crate) limit: u64,
    /// What that led to.
    pub(crate) refusal: Refusal,
}

impl Adversary {
    /// The variant and LOAD limit with which it needs the fewest pages for a refusal. `beat` gets
    /// the share of the variants that are played.
    pub(crate) fn worst(&self, goal: &Goal, beat: &dyn Fn(f64)) -> Option<Hit> {
        let mut worst: Option<Hit> = None;
        let variants = (self.variants)(goal);
        for variant in 0..variants {
            beat(variant as f64 / variants as f64);
            let most = worst.as_ref().map_or(goal.pages, |hit| hit.refusal.need - 1);
            worst = self.least(goal, variant, most).or(worst);
        }
        worst
    }

    /// The least LOAD limit up to `most` that leads to a refusal: first in steps of a thirty-second
    /// of itself, then in ever smaller ones within the step. What is refused with little is refused
    /// with more, nearly always.
    fn least(&self, goal: &Goal, variant: u64, most: u64) -> Option<Hit> {
        let refused = |limit: u64| {
            let mut field = Field::new(goal, limit);
            (self.play)(&mut field, variant);
            field.refusal.map(|refusal| Hit { variant, limit, refusal })
        };
        let mut below = goal.largest.min(goal.pages / 64);
        let (mut top, mut step, mut least) = (most, None, None);
        while below < top {
            let next = (below + step.unwrap_or(below / 32).max(1)).min(top);
            match refused(next) {
                None => below = next,
                Some(hit) => {
                    // No finer than a page, and never again above what is refused.
                    step = Some((next - below) / 32);
                    (top, least) = (next - 1, Some(hit));
                }
            }
        }
        least
    }

    /// The stream of a hit.
    pub(crate) fn stream(&self, goal: &Goal, hit: &Hit) -> Vec<Timed> {
        let mut field = Field::logged(goal, hit.limit);
        (self.play)(&mut field, hit.variant);
        field.into_log()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harm::{bounds, confirm};
    use cma_policies::builtin;

    fn worst(adversary: &Adversary, text: &str) -> Option<Hit> {
        let goal = Goal::parse(text, &builtin::catalog()).unwrap();
        let hit = adversary.worst(&goal, &|_| {})?;
        let confirmed = confirm(&goal, &adversary.stream(&goal, &hit)).unwrap();
        assert_eq!(confirmed, Some(hit.refusal), "{} of {text}", adversary.name);
        Some(hit)
    }

    #[test]
    fn robson_needs_no_more_than_the_bound_says_against_any_complete_policy() {
        for policy in ["kernel", "best-fit", "worst-fit", "next-fit", "two-ended"] {
            for (pages, largest) in [(64, 8), (256, 32), (1024, 128), (1024, 16)] {
                let hit = worst(&robson::ADVERSARY, &format!("{policy},{pages},{largest}"));
                let need = hit.expect("a refusal").refusal.need;
                let bound = bounds::adversary(pages, largest);
                assert!(need <= bound, "{policy} {pages} {largest}: {need}, not {bound}");
            }
        }
    }

    #[test]
    fn slots_and_best_fits_adversary_need_less_than_robson_of_their_own_victims() {
        let need = |adversary: &Adversary, text: &str| {
            worst(adversary, text).map_or(u64::MAX, |hit| hit.refusal.need)
        };
        let buddy = "buddy,1024,128";
        assert!(need(&slots::ADVERSARY, buddy) < need(&robson::ADVERSARY, buddy));
        let best_fit = "best-fit,1024,32";
        assert!(need(&best_fit::ADVERSARY, best_fit) < need(&robson::ADVERSARY, best_fit));
        let aligned = "kernel,1024,128,dma:8";
        assert!(need(&slots::ADVERSARY, aligned) < need(&robson::ADVERSARY, aligned));
    }

    #[test]
    fn every_adversary_gets_a_refusal_of_the_baseline_with_pages_free() {
        for adversary in ADVERSARIES {
            let hit = worst(adversary, "kernel,256,32").expect(adversary.name);
            assert!(hit.refusal.free > 32, "{}: {:?}", adversary.name, hit);
        }
    }
}
