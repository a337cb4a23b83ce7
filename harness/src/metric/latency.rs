//! What the answers took, by the model of the environment.

use super::{Column, Entry, Metric, Of, Value};
use crate::environment::Spent;
use crate::simulate::{Observer, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "latency",
    columns: &[
        Column::us(
            "latency_p50_us",
            "modelled time of a call that made a claim, granted or not: half of them took no \
             longer; at most 1.6 % too long; empty where the environment knows no time",
        ),
        Column::us("latency_p99_us", "the same: 99 of 100 took no longer"),
        Column::us("latency_max_us", "the same: none took longer; exact"),
        Column::us("claim_us_total", "modelled time of all calls that made a claim"),
        Column::us("waited_us_total", "of it, waiting for the claims of other clients"),
        Column {
            name: "busy_per_request_max",
            unit: "claims",
            about: "the most busy claims that one request met",
        },
        Column::pages("migrated_pages", "pages that claims copied elsewhere"),
        Column::pages("dropped_pages", "clean file pages that claims dropped"),
        Column::pages("written_pages", "dirty pages that claims waited for"),
    ],
    of: Of::Requests,
    build: |_| Box::new(Latency::default()),
};

#[derive(Default)]
struct Latency {
    times: Histogram,
    spent: Spent,
    busy_most: u64,
}

impl Observer for Latency {
    fn step(&mut self, step: &Step<'_>) {
        let Some(outcome) = step.outcome.filter(|outcome| outcome.attempts > 0) else { return };
        self.times.note(outcome.spent.us);
        self.spent = sum(self.spent, outcome.spent);
        self.busy_most = self.busy_most.max(outcome.busy);
    }
}

fn sum(a: Spent, b: Spent) -> Spent {
    Spent {
        us: a.us.saturating_add(b.us),
        waited_us: a.waited_us.saturating_add(b.waited_us),
        migrated_pages: a.migrated_pages.saturating_add(b.migrated_pages),
        dropped_pages: a.dropped_pages.saturating_add(b.dropped_pages),
        written_pages: a.written_pages.saturating_add(b.written_pages),
    }
}

impl Metric for Latency {
    fn values(&self) -> Vec<Value> {
        let Spent { us, waited_us, migrated_pages, dropped_pages, written_pages } = self.spent;
        // An environment that knows no time would otherwise look like one without delay.
        let timed = |value| if us > 0 { Value::Count(value) } else { Value::None };
        vec![
            timed(self.times.quantile(50)),
            timed(self.times.quantile(99)),
            timed(self.times.most),
            timed(us),
            timed(waited_us),
            Value::Count(self.busy_most),
            timed(migrated_pages),
            timed(dropped_pages),
            timed(written_pages),
        ]
    }
}

/// Binary digits that tell values of one magnitude apart.
const DIGITS: u32 = 6;

/// How often each value came, by its first seven binary digits: values below 128 are exact, larger
/// ones are known to 1 part in 64. At most 3776 counts, whatever the values.
#[derive(Default)]
struct Histogram {
    counts: Vec<u64>,
    total: u64,
    most: u64,
}

impl Histogram {
    fn note(&mut self, value: u64) {
        let bucket = bucket(value);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.most = self.most.max(value);
    }

    /// The value that `percent` of all do not exceed, rounded up to the end of its bucket.
    fn quantile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.total) * u128::from(percent)).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return highest(bucket).min(self.most);
            }
        }
        self.most
    }
}

fn bucket(value: u64) -> usize {
    let magnitude = value.checked_ilog2().unwrap_or(0).saturating_sub(DIGITS);
    ((magnitude << DIGITS) as u64 + (value >> magnitude)) as usize
}

/// The largest value of a bucket.
fn highest(bucket: usize) -> u64 {
    let magnitude = (bucket as u64 >> DIGITS).saturating_sub(1);
    let first = bucket as u64 - (magnitude << DIGITS);
    (first << magnitude) + ((1 << magnitude) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Quiet;
    use crate::op::{Op, Timed};
    use crate::oracle::Outcome;

    #[test]
    fn buckets_cover_every_value_once_and_are_narrow() {
        let mut next = 0_u64;
        for number in 0..=bucket(u64::MAX) {
            let most = highest(number);
            assert_eq!((bucket(next), bucket(most)), (number, number));
            assert!((most - next) as f64 <= next as f64 / 64.0, "{next} to {most}");
            next = most.wrapping_add(1);
        }
        assert_eq!(next, 0, "all of them");
        assert_eq!(bucket(u64::MAX), 3775);
    }

    #[test]
    fn quantiles_are_exact_for_small_values_and_never_too_small() {
        let mut times = Histogram::default();
        assert_eq!(times.quantile(99), 0);
        (1..=100).for_each(|value| times.note(value));
        assert_eq!([1, 50, 99, 100].map(|percent| times.quantile(percent)), [1, 50, 99, 100]);
        times.note(1_000_003);
        assert_eq!((times.quantile(99), times.quantile(100)), (100, 1_000_003));
        // 1000003 is in the bucket of 122 << 13, whose last value is above the largest.
        times.note(2_000_000);
        let found = times.quantile(99);
        assert!((1_000_003..=1_015_000).contains(&found), "{found}");
    }

    /// The values after requests that made so many claims, so many of them busy, and took this.
    fn after(requests: &[(u64, u64, Spent)]) -> Vec<String> {
        let area = cma_policies::Area::single(0, 16, 0).unwrap();
        let spec = cma_policies::builtin::catalog().parse("kernel").unwrap();
        let checks = crate::oracle::Checks::SWEEP;
        let mut witness =
            crate::oracle::Witness::new(&area, spec.build(area.clone()).unwrap(), checks);
        let request = cma_policies::Request::new(1, 0).unwrap();
        let timed = Timed { at_us: 0, op: Op::Alloc { id: 1, request, dma: false } };
        let step = crate::simulate::step(0, timed, &mut witness, &mut Quiet).unwrap();
        let mut latency = Latency::default();
        for &(attempts, busy, spent) in requests {
            let outcome = step.outcome.map(|got| Outcome { attempts, busy, spent, ..*got });
            latency.step(&Step { outcome: outcome.as_ref(), ..step });
        }
        latency.values().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn calls_that_made_a_claim_are_summed() {
        let spent = |us, waited_us, pages: u64| Spent {
            us,
            waited_us,
            migrated_pages: pages,
            dropped_pages: 10 * pages,
            written_pages: 100 * pages,
        };
        let requests = [
            (1, 0, spent(10, 1, 1)),
            (3, 2, spent(40, 5, 2)),
            (2, 1, spent(20, 0, 4)),
            (0, 9, spent(99, 9, 9)),
        ];
        let expected = ["20", "40", "40", "70", "6", "2", "7", "70", "700"];
        assert_eq!(after(&requests), expected);
        // Nobody knows the time: that is no latency of nothing.
        assert_eq!(after(&[(1, 1, spent(0, 0, 0))]), ["", "", "", "", "", "1", "", "", ""]);
    }
}
