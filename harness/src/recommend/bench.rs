//! Runs configurations on the same streams, and remembers what they showed.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::trial::{Config, Ground, Seen, trial};
use super::work::{Failed, Work};
use crate::stats::Interval;
use crate::stats::anytime::rate_interval;
use crate::sweep::Target;

/// What streams of one work showed.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Part {
    /// Its share of board time.
    pub share: f64,
    /// Streams that failed.
    pub failed: u64,
    /// Time at risk, as that of [`Evidence`].
    pub at_risk_us: f64,
}

/// What streams of a configuration showed, all works together.
///
/// A work that fails is watched for less time than one that does not, so that of several works each has
/// its own rate: that of the board is their sum by shares of board time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Evidence {
    /// Streams.
    pub streams: u64,
    /// Those that failed.
    pub failed: u64,
    /// Board time until the first failure of each, or to its end, summed, in microseconds; of
    /// recordings in ops.
    pub at_risk_us: f64,
    /// Requests that an area refused and the page allocator served.
    pub fell_back: u64,
    /// Ops that were run.
    pub ops: u64,
    /// By work.
    pub parts: Vec<Part>,
}

impl Evidence {
    fn add(&mut self, work: usize, seen: &Seen) {
        self.streams += 1;
        let part = &mut self.parts[work];
        part.failed += u64::from(seen.failed);
        part.at_risk_us += seen.watched_us as f64;
        self.failed += u64::from(seen.failed);
        self.at_risk_us += seen.watched_us as f64;
        self.fell_back += seen.fell_back;
        self.ops += seen.ops;
    }

    /// The mean time between failures that was seen; none without a failure.
    pub fn mtbf_us(&self) -> Option<f64> {
        let rate = |part: &Part| part.share * part.failed as f64 / part.at_risk_us.max(1.0);
        (self.failed > 0).then(|| 1.0 / self.parts.iter().map(rate).sum::<f64>())
    }

    /// How long it was watched, in times of `target_us`, as far as every work was.
    fn watched(&self, target_us: f64) -> f64 {
        let each = self.parts.iter().map(|part| part.at_risk_us / part.share / target_us);
        if self.parts.is_empty() { 0.0 } else { each.fold(f64::INFINITY, f64::min) }
    }

    /// Where the mean time between failures lies, with 1 - `miss`, whenever one looks: an open upper
    /// end where nothing failed.
    pub fn interval(&self, target: Target, miss: f64) -> Interval {
        // Of several works each interval misses so much less that all of them hold together.
        let miss = miss / self.parts.len().max(1) as f64;
        let method = "anytime-gamma-poisson";
        let (mut low, mut high) = (0.0, Some(0.0));
        for Part { share, failed, at_risk_us } in &self.parts {
            let rate = rate_interval(*failed, *at_risk_us, target.mtbf_us() * share, miss);
            low += share * rate.low.unwrap_or(0.0);
            high = high.zip(rate.high).map(|(sum, own)| sum + share * own);
        }
        let high = high.filter(|_| !self.parts.is_empty());
        Interval {
            low: Some(high.map_or(0.0, |high| 1.0 / high)),
            high: (low > 0.0).then(|| 1.0 / low),
            method,
        }
    }
}

/// Whether a configuration meets the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does.
    Meets,
    /// It does not.
    Misses,
    /// What was run does not say.
    Open,
}

/// From which streams, and how sure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// While it searches: right in seven cases of ten, so that little is run.
    Search,
    /// Fresh streams, for the figures that are said: 95 %.
    Proof,
}

impl Stage {
    /// How often an interval misses at this stage.
    pub const fn miss(self) -> f64 {
        match self {
            Self::Search => 0.3,
            Self::Proof => 0.05,
        }
    }

    /// The time at risk after which a configuration that is neither shown to meet the target nor to
    /// miss it is left at that, in times of the target: its rate is about that of the target.
    const fn patience(self) -> f64 {
        match self {
            Self::Search => 8.0,
            Self::Proof => 24.0,
        }
    }

    /// The number of its first stream: those of a proof are no others' ever.
    const fn first(self) -> u64 {
        match self {
            Self::Search => 0,
            Self::Proof => 1 << 40,
        }
    }
}

/// Hears of what is run.
pub trait Watch: Sync {
    /// So many ops were run for a configuration.
    fn ran(&self, ops: u64) {
        let _ = ops;
    }

    /// A time as long as the target takes so many ops.
    fn expect(&self, ops_of_target: f64) {
        let _ = ops_of_target;
    }

    /// Something is known: said while it goes on.
    fn found(&self, what: &str) {
        let _ = what;
    }

    /// The share of the time that is over; from 1 on nothing more is to be run, and the answer is of
    /// what is known.
    fn used(&self) -> f64 {
        0.0
    }
}

/// What is run on.
pub struct Bench<'a> {
    /// What is asked.
    pub works: &'a [Work],
    /// Where areas lie.
    pub ground: Ground,
    /// How rare failures are to be.
    pub target: Target,
    /// Board time of a stream in microseconds, of the works together.
    pub length_us: u64,
    /// The first seed.
    pub seed: u64,
    /// Ops to be run at most.
    pub most_ops: u64,
    /// Hears of it.
    pub watch: &'a dyn Watch,
    /// What it is doing ends once this share of ops and time is over: the rest is for what comes next.
    pub up_to: f64,
    seen: BTreeMap<(Stage, String), Evidence>,
    ops: u64,
}

/// Streams of the first round, and of each that follows: twice as many, up to this, or up to so many
/// ops, so that it ends in time.
const ROUND: u64 = 4;
const MOST_ROUND: u64 = 64;
const MOST_ROUND_OPS: u64 = 1 << 22;

impl<'a> Bench<'a> {
    /// Nothing was run yet.
    pub fn new(
        works: &'a [Work],
        ground: Ground,
        (target, length_us): (Target, u64),
        (seed, most_ops): (u64, u64),
        watch: &'a dyn Watch,
    ) -> Self {
        let (seen, ops) = (BTreeMap::new(), 0);
        let up_to = 1.0;
        Self { works, ground, target, length_us, seed, most_ops, watch, up_to, seen, ops }
    }

    /// Ops that were run so far.
    pub const fn ops(&self) -> u64 {
        self.ops
    }

    /// Whether nothing more is to be run for what it is doing: see [`Bench::up_to`].
    pub fn is_over(&self) -> bool {
        self.used() >= self.up_to
    }

    /// The share of ops and time that is over.
    pub fn used(&self) -> f64 {
        (self.ops as f64 / self.most_ops.max(1) as f64).max(self.watch.used())
    }

    /// What is known of a configuration.
    pub fn seen(&self, stage: Stage, config: &Config) -> Evidence {
        self.seen.get(&(stage, config.key())).cloned().unwrap_or_else(|| {
            let weights: f64 = self.works.iter().map(|work| work.weight).sum();
            let part = |work: &Work| Part { share: work.weight / weights, ..Part::default() };
            Evidence { parts: self.works.iter().map(part).collect(), ..Evidence::default() }
        })
    }

    /// What is known says whether it meets the target.
    pub fn verdict(&self, stage: Stage, evidence: &Evidence) -> Verdict {
        // One stream that no seed changes passes or fails.
        if self.is_one() {
            return match evidence.streams {
                0 => Verdict::Open,
                _ if evidence.failed == 0 => Verdict::Meets,
                _ => Verdict::Misses,
            };
        }
        let target_us = self.target.mtbf_us();
        let interval = evidence.interval(self.target, stage.miss());
        if interval.low.is_some_and(|low| low >= target_us) {
            Verdict::Meets
        } else if interval.high.is_some_and(|high| high < target_us) {
            Verdict::Misses
        } else {
            Verdict::Open
        }
    }

    /// Runs a configuration until it is known whether it meets the target, or nothing more is to be
    /// run. Every configuration meets the same streams in the same order.
    ///
    /// # Errors
    /// As `trial`.
    pub fn judge(&mut self, stage: Stage, config: &Config) -> Result<Verdict, Failed> {
        let mut round = if self.is_one() { 1 } else { ROUND };
        loop {
            let evidence = self.seen(stage, config);
            let verdict = self.verdict(stage, &evidence);
            let at_risk = evidence.watched(self.target.mtbf_us());
            if verdict != Verdict::Open
                || at_risk >= stage.patience() * self.works.len() as f64
                || self.is_over()
            {
                return Ok(verdict);
            }
            self.run(stage, config, round.min(Self::fitting(&evidence)))?;
            round = (round * 2).min(MOST_ROUND);
        }
    }

    /// Whether a configuration does not fail at a glance: one that meets the target by far shows no
    /// failure in a time as long as that. What shows one is judged as others are.
    ///
    /// # Errors
    /// As `trial`.
    pub fn glance(&mut self, config: &Config) -> Result<Verdict, Failed> {
        let mut round = if self.is_one() { 1 } else { ROUND };
        loop {
            let evidence = self.seen(Stage::Search, config);
            let enough = evidence.watched(self.target.mtbf_us()) >= 1.0 && evidence.failed == 0;
            if enough || self.is_one() && evidence.streams > 0 || self.is_over() {
                let passes = evidence.failed == 0 && evidence.streams > 0;
                return Ok(if passes { Verdict::Meets } else { Verdict::Open });
            }
            if evidence.failed > 0 {
                return self.judge(Stage::Search, config);
            }
            self.run(Stage::Search, config, round.min(Self::fitting(&evidence)))?;
            round = (round * 2).min(MOST_ROUND);
        }
    }

    /// Streams of a round that has not too many ops, by those so far.
    fn fitting(evidence: &Evidence) -> u64 {
        let each = evidence.ops / evidence.streams.max(1);
        (MOST_ROUND_OPS / each.max(1)).max(ROUND)
    }

    /// Whether no seed changes what is asked.
    pub fn is_one(&self) -> bool {
        !self.works.iter().any(Work::is_seeded)
    }

    /// Runs so many more streams of each work.
    ///
    /// # Errors
    /// As `trial`.
    pub fn run(&mut self, stage: Stage, config: &Config, streams: u64) -> Result<(), Failed> {
        let mut evidence = self.seen(stage, config);
        let works = self.works.len() as u64;
        let first = evidence.streams / works;
        let weights: f64 = self.works.iter().map(|work| work.weight).sum();
        let (ground, length_us) = (self.ground, self.length_us as f64);
        let base = self.seed.wrapping_add(stage.first());
        let one = |index: u64| {
            let work = &self.works[(index % works) as usize];
            let number = base.wrapping_add(first + index / works);
            let length_us = (length_us * work.weight / weights).max(1.0) as u64;
            trial(work, config, ground, (number, length_us))
        };
        let all: Vec<_> = (0..streams * works).into_par_iter().map(one).collect();
        let before = evidence.ops;
        for (index, seen) in all.into_iter().enumerate() {
            evidence.add(index % self.works.len(), &seen?);
        }
        self.ops += evidence.ops - before;
        self.watch.ran(evidence.ops - before);
        self.seen.insert((stage, config.key()), evidence);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by a camera beside audio: the time in which audio goes well was counted as the camera's.
    #[test]
    fn a_work_that_never_fails_does_not_hide_one_that_does() {
        let part = |failed, seconds: f64| Part { share: 0.5, failed, at_risk_us: seconds * 1e6 };
        let parts = vec![part(10, 10.0), part(0, 1e6)];
        let evidence = Evidence { streams: 20, failed: 10, parts, ..Evidence::default() };
        // Half of the time a failure in each second.
        let mean_us = evidence.mtbf_us().unwrap();
        assert!((mean_us / 2e6 - 1.0).abs() < 1e-9, "{mean_us}");
        let interval = evidence.interval(Target::Mtbf(1_000_000_000), 0.05);
        assert!(interval.low <= Some(mean_us) && Some(mean_us) <= interval.high, "{interval:?}");
        assert!(interval.high < Some(60e6), "{interval:?}");
    }
}
