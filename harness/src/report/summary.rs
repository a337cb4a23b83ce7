//! Over the streams: a row for each configuration and policy.

use crate::cause::Cause;
use crate::metric::{CLASSES, Value, cause_column, column};
use crate::seed::Seed;
use crate::stats::{
    Bootstrap, Interval, holm, mcnemar, median, median_interval, share_interval, sign_counts,
};
use crate::sweep::{Block, Configuration, Plan, Ready};

/// Columns that are averaged over streams: R1 to R4, R6.
pub const RATES: [&str; 5] = [
    "withheld_per_request",
    "withheld_per_satisfiable",
    "withheld_pages_share",
    "probe_unavailable_time",
    "unusable_free",
];

/// The rate that stands for the blame of policy and configuration: R2.
pub const BLAME: usize = 1;

/// A mean over streams and its interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    /// The mean; none where no stream has a value.
    pub mean: Option<f64>,
    /// Its interval.
    pub interval: Interval,
}

/// The streams of one policy under one configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct SummaryRow {
    /// The configuration.
    pub at: Configuration,
    /// The policy, an index into the plan.
    pub policy: usize,
    /// Streams: one for each seed.
    pub streams: u64,
    /// Requests of all streams.
    pub requests: u64,
    /// Those that were refused, by cause.
    pub refused: [u64; Cause::ALL.len()],
    /// For each of [`RATES`].
    pub rates: [Rate; RATES.len()],
    /// R2 minus the baseline's, stream by stream; none for the baseline, or without one.
    pub against_baseline: Option<Rate>,
    /// Median of R5, the number of the first request that was refused.
    pub first_failure: Option<f64>,
    /// Its interval; an open end lies behind the end of the streams.
    pub first_failure_interval: Interval,
    /// Streams with a refused request.
    pub failed: u64,
    /// The share of streams with one.
    pub failed_interval: Interval,
    /// McNemar's p for "any refused request in this stream" against the baseline.
    pub mcnemar: Option<f64>,
    /// The same after Holm's correction for all policies of this configuration.
    pub holm: Option<f64>,
    /// Median of the utilisation at the first refusal, over the streams that have one.
    pub utilisation: Option<f64>,
    /// Mean of the measured LOAD.
    pub load: Option<f64>,
    /// Size classes in which more requests are refused with enough pages free than under the
    /// baseline, for certain where there are several streams: a policy may look good by refusing
    /// the large ones.
    pub worse_classes: Vec<usize>,
}

/// Every row, configuration by configuration, policies in the order of the plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// The rows.
    pub rows: Vec<SummaryRow>,
    /// The policy that others are compared with, an index into the plan; none where the plan does
    /// not run it.
    pub baseline: Option<usize>,
}

/// The values of one policy's streams.
#[derive(Clone, Copy)]
struct Streams<'a>(&'a [Vec<Value>]);

impl Streams<'_> {
    fn numbers(self, name: &str) -> Vec<Option<f64>> {
        let column = column(name);
        self.0.iter().map(|values| values[column].number()).collect()
    }

    fn sum(self, name: &str) -> u64 {
        let column = column(name);
        let count = |values: &Vec<Value>| match values[column] {
            Value::Count(count) => count,
            Value::None | Value::Micro(_) => 0,
        };
        self.0.iter().map(count).sum()
    }

    fn failed(self) -> impl Iterator<Item = bool> {
        let column = column("refused");
        self.0.iter().map(move |values| values[column] != Value::Count(0))
    }

    fn withheld_in(self, class: usize) -> Vec<Option<f64>> {
        let names = ["withheld_1_16", "withheld_17_256", "withheld_257_2048", "withheld_2049_up"];
        self.numbers(names[class])
    }
}

/// The rate of a column that may be empty for some streams: those are left out.
fn rate(bootstrap: &Bootstrap, seed: &Seed, numbers: &[Option<f64>]) -> Rate {
    let there: Vec<f64> = numbers.iter().flatten().copied().collect();
    let found = if there.len() == numbers.len() {
        bootstrap.mean_interval(&there)
    } else {
        Bootstrap::new(there.len(), seed).mean_interval(&there)
    };
    let none = Interval { low: None, high: None, method: "no-value" };
    let (mean, interval) = found.map_or((None, none), |(mean, interval)| (Some(mean), interval));
    Rate { mean, interval }
}

/// Summarises the results, block by block: what it holds does not grow with the cells.
#[must_use]
pub fn summarise(ready: &Ready, blocks: impl IntoIterator<Item = Block>) -> Summary {
    let baseline = baseline(&ready.plan);
    let rows = blocks.into_iter().flat_map(|block| rows_of(ready, &block)).collect();
    Summary { rows, baseline }
}

/// The policy that others are compared with.
fn baseline(plan: &Plan) -> Option<usize> {
    plan.policies.iter().position(cma_policies::Spec::is_baseline)
}

/// The rows of one configuration, policies in the order of the plan.
#[must_use]
pub fn rows_of(ready: &Ready, block: &Block) -> Vec<SummaryRow> {
    let seed = Seed::new(ready.plan.seed);
    let baseline = baseline(&ready.plan);
    let streams = block.values.first().map_or(0, Vec::len);
    let bootstrap = Bootstrap::new(streams, &seed);
    let of = |policy: usize| Streams(&block.values[policy]);
    let row = |policy: usize| {
        let base = baseline.filter(|base| *base != policy).map(of);
        row(block.at, policy, of(policy), base, &bootstrap, &seed)
    };
    let mut rows: Vec<_> = (0..block.values.len()).map(row).collect();
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

fn row(
    at: Configuration,
    policy: usize,
    streams: Streams<'_>,
    base: Option<Streams<'_>>,
    bootstrap: &Bootstrap,
    seed: &Seed,
) -> SummaryRow {
    let count = streams.0.len() as u64;
    let failures = streams.numbers("requests_to_first_failure");
    let failed = streams.failed().filter(|failed| *failed).count() as u64;
    let utilisation = streams.numbers("utilisation_at_first_failure");
    let utilisation: Vec<_> = utilisation.into_iter().filter(Option::is_some).collect();
    let difference = |own: Vec<Option<f64>>, base: Vec<Option<f64>>| {
        let pairs = own.into_iter().zip(base);
        let differences: Vec<_> =
            pairs.map(|(own, base)| own.zip(base).map(|(own, base)| own - base)).collect();
        rate(bootstrap, seed, &differences)
    };
    let blame = |streams: Streams<'_>| streams.numbers(RATES[BLAME]);
    let against_baseline = base.map(|base| difference(blame(streams), blame(base)));
    let test = base.map(|base| {
        let (own, other) = sign_counts(streams.failed().zip(base.failed()));
        mcnemar(own, other)
    });
    let worse = |class: &usize| {
        base.is_some_and(|base| {
            let Rate { mean, interval } =
                difference(streams.withheld_in(*class), base.withheld_in(*class));
            if count == 1 { mean > Some(0.0) } else { interval.low > Some(0.0) }
        })
    };
    SummaryRow {
        at,
        policy,
        streams: count,
        requests: streams.sum("requests"),
        refused: Cause::ALL.map(|cause| streams.sum(cause_column(cause))),
        rates: RATES.map(|name| rate(bootstrap, seed, &streams.numbers(name))),
        against_baseline,
        first_failure: median(&failures),
        first_failure_interval: median_interval(&failures),
        failed,
        failed_interval: share_interval(failed, count),
        mcnemar: test,
        holm: None,
        utilisation: median(&utilisation),
        load: rate(bootstrap, seed, &streams.numbers("load_measured")).mean,
        worse_classes: (0..CLASSES.len()).filter(worse).collect(),
    }
}
