//! Working out the rows of one configuration.

use super::dominance::{mean_interval, worse_classes};
use super::streams::{CLASS_NAMES, Streams};
use super::{BLAME, ClassCounts, Earliest, Fullest, RATES, Rate, Summary, SummaryRow, TimeRow};
use crate::metric::AREA_LOADS;
use crate::seed::Seed;
use crate::stats::{
    Bootstrap, Interval, Within, anytime, holm, mcnemar, median, median_interval, no_failure_bound,
    share_interval_of, sign_counts,
};
use crate::sweep::{Block, Configuration, Plan, Ready};

/// What the rows of a configuration are worked out with.
struct Tools<'a> {
    at: Configuration,
    plan: &'a Plan,
    seed: Seed,
    bootstrap: Bootstrap,
    /// Whether the number of streams depends on what was seen.
    stopped: bool,
    /// Whether a race has ended it.
    dropped: bool,
    base: Option<Streams<'a>>,
}

/// The rows of one configuration, policies in the order of the plan.
pub fn rows_of(ready: &Ready, block: &Block) -> Vec<SummaryRow> {
    let seed = Seed::new(ready.plan.seed);
    let baseline = Summary::baseline_of(&ready.plan);
    let seeds = ready.plan.seeds_of(&ready.plan.streams[block.at.stream]);
    let mut tools = Tools {
        at: block.at,
        plan: &ready.plan,
        bootstrap: Bootstrap::new(0, &seed),
        seed,
        stopped: false,
        dropped: false,
        base: baseline.map(|base| Streams(&block.values[base])),
    };
    let mut rows = Vec::new();
    for (policy, values) in block.values.iter().enumerate() {
        // In a race policies have different numbers of streams.
        if tools.bootstrap.streams() != values.len() {
            tools.bootstrap = Bootstrap::new(values.len(), &tools.seed);
        }
        // A race ended these streams before their last seed.
        tools.dropped = tools.plan.target.is_some() && (values.len() as u64) < seeds;
        // The sweep may stop it early, even where it did not.
        tools.stopped = tools.dropped || tools.plan.stop.is_some() && seeds > 1;
        let base = tools.base.filter(|_| baseline != Some(policy));
        rows.push(tools.row(policy, Streams(values), base));
    }
    correct(&mut rows);
    rows
}

/// Holm's correction over the policies that are compared with the baseline.
fn correct(rows: &mut [SummaryRow]) {
    let p: Vec<_> = rows.iter().filter_map(|row| row.mcnemar).collect();
    let mut corrected = holm(&p).into_iter();
    for row in rows.iter_mut().filter(|row| row.mcnemar.is_some()) {
        row.holm = corrected.next();
    }
}

impl Tools<'_> {
    fn row(&self, policy: usize, own: Streams<'_>, base: Option<Streams<'_>>) -> SummaryRow {
        // First, while no column lies beside it: of a million streams this takes most room.
        let time = TimeRow::of(own);
        let failures = own.numbers("requests_to_first_failure");
        let unserved = own.first_unserved();
        let failed = own.refused().filter(|failed| *failed).count() as u64;
        let lost = unserved.iter().flatten().count() as u64;
        let used = own.numbers("utilisation_at_first_failure");
        let used: Vec<_> = used.into_iter().filter(Option::is_some).collect();
        let used_of_area = there_median(own.numbers("utilisation_of_area_at_first_failure"));
        let load = own.numbers("load_max_pages");
        let aligned = own.numbers("aligned_load_max_pages");
        let ended_early = own.ended_early();
        // Of the streams that went well alone a rate would be none.
        let of_whole = |streams: Streams<'_>, rate: usize| match streams.ended_early() {
            0 => streams.numbers(RATES[rate]),
            _ => vec![None; streams.len()],
        };
        let blame = |streams: Streams<'_>| of_whole(streams, BLAME);
        SummaryRow {
            at: self.at,
            policy,
            streams: own.len() as u64,
            stopped: self.stopped,
            requests: own.sum("requests"),
            refused: own.by_cause(),
            classes: classes(own),
            rates: std::array::from_fn(|rate| self.rate(&of_whole(own, rate), Within::Share)),
            against_baseline: base.map(|base| self.difference(blame(own), blame(base))),
            first_failure: median(&failures),
            first_failure_interval: self.of_median(&failures),
            failed,
            failed_interval: self.share(failed, own),
            mcnemar: base
                .filter(|base| own.len().min(base.len()) > 0)
                .map(|base| self.paired(own, base)),
            holm: None,
            lost,
            lost_interval: self.share(lost, own),
            earliest: self.earliest(&unserved),
            fullest_well: self.fullest_well(&unserved, own),
            utilisation: median(&used),
            area_utilisation: used_of_area,
            area_loads: AREA_LOADS.map(|name| mean(&own.numbers(name))),
            area_loads_most: AREA_LOADS.map(|name| own.counts(name).flatten().max()),
            load: self.rate(&own.numbers("load_measured"), Within::Anything).mean,
            load_pages: self.rate(&load, Within::Anything).mean,
            load_max_pages: own.counts("load_max_pages").flatten().max(),
            aligned_load_pages: self.rate(&aligned, Within::Anything).mean,
            structural: own.sum("structural"),
            unserved: own.sum("unserved"),
            fell_back: own.sum("fell_back"),
            refused_beyond: own.sum("refused_beyond_fallback"),
            latency_p50_us: there_median(own.numbers("latency_p50_us")),
            latency_p99_us: there_median(own.numbers("latency_p99_us")),
            latency_max_us: own.counts("latency_max_us").flatten().max(),
            migrated_pages: own.sum("migrated_pages"),
            // Of streams that are ended at their first failure there is no rate in any class; who
            // refuses the large ones fails at the first of them.
            worse_classes: base
                .filter(|_| !self.plan.until_first_failure)
                .map_or_else(Vec::new, |base| {
                    worse_classes(own, base, &self.bootstrap, &self.seed)
                }),
            time,
            dropped: self.dropped,
            ended_early,
        }
    }

    /// The mean of a column that may be empty for some streams: those are left out.
    fn rate(&self, numbers: &[Option<f64>], within: Within) -> Rate {
        let there: Vec<f64> = numbers.iter().flatten().copied().collect();
        let found = mean_interval(&there, within, &self.bootstrap, &self.seed);
        let Some((mean, interval)) = found else {
            return Rate { mean: None, interval: Interval::NO_VALUE };
        };
        let interval = match self.stopped {
            true => whenever_one_looks(mean, there.len() as u64, interval),
            false => interval,
        };
        Rate { mean: Some(mean), interval }
    }

    fn of_median(&self, numbers: &[Option<f64>]) -> Interval {
        let interval = median_interval(numbers);
        if self.stopped { interval.of_stopped() } else { interval }
    }

    /// The mean of the paired differences of two shares.
    fn difference(&self, own: Vec<Option<f64>>, base: Vec<Option<f64>>) -> Rate {
        let pairs = own.into_iter().zip(base);
        let differences: Vec<_> =
            pairs.map(|(own, base)| own.zip(base).map(|(own, base)| own - base)).collect();
        self.rate(&differences, Within::Difference)
    }

    fn share(&self, failed: u64, own: Streams<'_>) -> Interval {
        match own.len() as u64 {
            0 => Interval::NO_VALUE,
            streams => share(failed, streams, self.stopped, 1),
        }
    }

    /// p for "any refused request in this stream" against the baseline.
    fn paired(&self, own: Streams<'_>, base: Streams<'_>) -> f64 {
        let (own, base) = sign_counts(own.refused().zip(base.refused()));
        // A race may have ended either of them.
        let uneven = self.base.is_some_and(|other| other.len() != self.bootstrap.streams());
        if self.stopped || uneven { anytime::paired_p(own, base) } else { mcnemar(own, base) }
    }

    /// The first of the streams that fail first.
    fn earliest(&self, unserved: &[Option<u64>]) -> Option<Earliest> {
        let failures = unserved.iter().enumerate();
        let failures = failures.filter_map(|(index, requests)| Some((*requests.as_ref()?, index)));
        failures.min().map(|(requests, index)| Earliest { requests, seed: self.seed_of(index) })
    }

    /// Of the streams that go well, the first of those that need most.
    fn fullest_well(&self, unserved: &[Option<u64>], own: Streams<'_>) -> Option<Fullest> {
        let loads = own.counts("aligned_load_max_pages");
        let well = unserved.iter().zip(loads).enumerate().filter(|(_, (lost, _))| lost.is_none());
        let well = well.map(|(index, (_, pages))| (pages.unwrap_or(0), index));
        let most = well.max_by_key(|(pages, index)| (*pages, std::cmp::Reverse(*index)));
        most.map(|(pages, index)| Fullest { aligned_load_pages: pages, seed: self.seed_of(index) })
    }

    fn seed_of(&self, stream: usize) -> u64 {
        self.plan.seed.wrapping_add(stream as u64)
    }
}

/// The interval of a share of streams, one of `rows` that hold all together; `stopped` says whether
/// the number of streams depends on what was seen.
pub(in crate::answer) fn share(failed: u64, streams: u64, stopped: bool, rows: usize) -> Interval {
    match stopped && streams > 1 {
        true => anytime::share_interval_of(failed, streams, rows),
        false => share_interval_of(failed, streams, rows),
    }
}

/// An interval of a mean for a fixed number of streams where that number was not fixed: one that
/// bounds how many other streams there are is made as wide as that takes; another is named as one
/// that does not allow for it.
fn whenever_one_looks(mean: f64, streams: u64, interval: Interval) -> Interval {
    if interval.method != "all-equal-bound" {
        return interval.of_stopped();
    }
    let most = anytime::share_interval(0, streams).high.unwrap_or(1.0);
    let wider = most / no_failure_bound(streams);
    Interval {
        low: interval.low.map(|low| mean - (mean - low) * wider),
        high: interval.high.map(|high| mean + (high - mean) * wider),
        method: "anytime-all-equal-bound",
    }
}

fn classes(own: Streams<'_>) -> [ClassCounts; CLASS_NAMES.len()] {
    CLASS_NAMES.map(|class| {
        let sum = |what: &str| own.sum(&format!("{what}_{class}"));
        ClassCounts {
            requests: sum("requests"),
            refused: sum("refused"),
            withheld: sum("withheld"),
        }
    })
}

/// The mean over the streams that have a value.
fn mean(numbers: &[Option<f64>]) -> Option<f64> {
    let there: Vec<f64> = numbers.iter().flatten().copied().collect();
    let sum: f64 = there.iter().sum();
    (!there.is_empty()).then(|| sum / there.len() as f64)
}

/// The median over the streams that have a value.
fn there_median(numbers: Vec<Option<f64>>) -> Option<f64> {
    let there: Vec<_> = numbers.into_iter().filter(Option::is_some).collect();
    median(&there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_sweep_may_stop_early_intervals_allow_for_it_or_say_that_they_do_not() {
        let bound = no_failure_bound(16);
        let fixed = Interval { low: Some(0.0), high: Some(bound), method: "all-equal-bound" };
        let wider = whenever_one_looks(0.0, 16, fixed);
        let anytime = anytime::share_interval(0, 16).high.unwrap();
        assert!((wider.high.unwrap() - anytime).abs() < 1e-12 && anytime > bound, "{wider:?}");
        assert_eq!((wider.low, wider.method), (Some(0.0), "anytime-all-equal-bound"));
        let bca = Interval { low: Some(0.1), high: Some(0.3), method: "bca-or-t" };
        let named = whenever_one_looks(0.2, 16, bca);
        assert_eq!(named, Interval { method: "bca-or-t-of-stopped", ..bca });
        let median = median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some)).of_stopped();
        assert_eq!(median.method, "order-statistic-of-stopped");
    }
}
