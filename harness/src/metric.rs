//! What is measured while a stream runs: one file and one line in [`METRICS`] for each.
//!
//! A metric watches steps and the model; it never sees the policy. Values are whole numbers, or
//! millionths: what is written to a file and read back is the same value.

mod aligned_load;
mod area_load;
mod beyond;
mod classes;
mod first_failure;
mod largest;
mod latency;
mod ledger;
mod length;
mod load;
#[cfg(feature = "cli")]
mod occupancy;
mod page;
mod per_area;
mod placement;
mod probe;
mod requests;
mod served;
mod sizes;
mod tally;
mod timeline;
mod unusable;
mod withheld;

use std::fmt;

use cma_policies::{Request, dma_align};

#[cfg(feature = "cli")]
pub(crate) use area_load::AREA_LOADS;
#[cfg(feature = "cli")]
pub(crate) use occupancy::{Asked, By, Grid, Kinds, MOST_KINDS, Occupancy, Places, Refusal, Room};
pub use requests::column_name as cause_column;
pub(crate) use sizes::Sizes;

use self::ledger::{Change, Ledger};
use crate::page::Page;
use crate::simulate::Observer;

/// A measured value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    /// There is none: nothing was asked, or nothing failed.
    None,
    /// A whole number.
    Count(u64),
    /// Millionths, printed with six decimals.
    Micro(i64),
}

impl Value {
    /// `part` of `whole`, rounded down to millionths; [`Value::None`] of nothing.
    pub const fn share(part: u128, whole: u128) -> Self {
        match part.saturating_mul(1_000_000).checked_div(whole) {
            Some(millionths) if millionths > i64::MAX as u128 => Self::Micro(i64::MAX),
            Some(millionths) => Self::Micro(millionths as i64),
            None => Self::None,
        }
    }

    /// A whole number; the largest there is where it is larger.
    fn sum(sum: u128) -> Self {
        Self::Count(sum.try_into().unwrap_or(u64::MAX))
    }

    /// The value that prints as `text`; [`None`] if none does.
    pub fn parse(text: &str) -> Option<Self> {
        let value = match text.split_once('.') {
            _ if text.is_empty() => Self::None,
            None => Self::Count(text.parse().ok()?),
            Some((whole, rest)) => Self::Micro(format!("{whole}{rest}").parse().ok()?),
        };
        (value.to_string() == text).then_some(value)
    }

    /// The value as a number, where there is one.
    pub const fn number(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Count(count) => Some(count as f64),
            Self::Micro(millionths) => Some(millionths as f64 / 1e6),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Count(count) => count.fmt(f),
            Self::Micro(millionths) => {
                let sign = if *millionths < 0 { "-" } else { "" };
                let (whole, rest) =
                    (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
                write!(f, "{sign}{whole}.{rest:06}")
            }
        }
    }
}

/// What metrics know before the stream begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// For each area of the board the requests whose fate is asked at every moment, without making
    /// them.
    pub probes: Vec<Vec<Request>>,
    /// `CONFIG_CMA_ALIGNMENT` of the run.
    pub cap: u32,
    /// Whether the stream has time: a recording counts its ops in place of it.
    pub has_time: bool,
    /// Whether the run ends at its first failure.
    pub first_failure: bool,
    /// The size of a page.
    pub page: Page,
}

impl Setting {
    /// Probes of these sizes in pages, aligned as the DMA API would under `cap`. Sizes of 0 are
    /// left out.
    pub fn new(sizes: &[u64], cap: u32) -> Self {
        Self::of_areas(&[sizes.to_vec()], cap)
    }

    /// As [`Setting::new`], with sizes for each area of a board.
    pub fn of_areas(sizes: &[Vec<u64>], cap: u32) -> Self {
        let probe = |&count: &u64| Request::new(count, dma_align(count, cap).min(63)).ok();
        let probes = sizes.iter().map(|sizes| sizes.iter().filter_map(probe).collect());
        let (probes, page) = (probes.collect(), Page::Kib4);
        Self { probes, cap, has_time: true, first_failure: false, page }
    }

    /// The same for a stream that has time or not, and a run that may end at its first failure.
    pub fn watched(self, has_time: bool, first_failure: bool) -> Self {
        Self { has_time, first_failure, ..self }
    }

    /// The same with pages of this size.
    pub fn with_page(self, page: Page) -> Self {
        Self { page, ..self }
    }
}

/// Size classes of requests, in pages, both ends included: rates are given for each, since one
/// number over all sizes can be made better by refusing the large ones.
pub(crate) const CLASSES: [(u64, u64); 4] = [(1, 16), (17, 256), (257, 2048), (2049, u64::MAX)];

/// A column of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name, with the unit or the denominator in it.
    pub name: &'static str,
    /// What it counts: `requests`, `pages`, `us`, `share` …
    pub unit: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
}

impl Column {
    const fn requests(name: &'static str, about: &'static str) -> Self {
        Self { name, unit: "requests", about }
    }

    const fn pages(name: &'static str, about: &'static str) -> Self {
        Self { name, unit: "pages", about }
    }

    const fn us(name: &'static str, about: &'static str) -> Self {
        Self { name, unit: "us", about }
    }

    const fn share(name: &'static str, about: &'static str) -> Self {
        Self { name, unit: "share", about }
    }
}

/// Watches one run and says what it saw.
trait Metric: Observer {
    /// Called after [`Observer::asked`] and [`Observer::warm_up`] where the op changes what is
    /// asked for and not given back.
    fn changed(&mut self, change: &Change<'_>) {
        let _ = change;
    }

    /// A value for each column of its entry, in that order.
    fn values(&self) -> Vec<Value>;
}

/// What the values of a metric are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// The requests so far, wherever a run ends.
    Requests,
    /// A whole stream: of one that was ended early they are empty.
    Stream,
    /// Every moment of a whole stream, which costs most: where a run ends at its first failure
    /// nothing of it is asked, and they are empty.
    Moments,
}

/// A metric that can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it gives.
    pub columns: &'static [Column],
    /// What its values are of.
    pub of: Of,
    /// Makes one for a run.
    build: fn(&Setting) -> Box<dyn Metric>,
}

/// Every metric, in the order of the columns of `cells.csv`. New ones go to the end.
pub const METRICS: &[Entry] = &[
    requests::ENTRY,
    requests::CAUSES,
    withheld::ENTRY,
    probe::ENTRY,
    first_failure::ENTRY,
    unusable::ENTRY,
    first_failure::STATE,
    load::ENTRY,
    placement::ENTRY,
    classes::ENTRY,
    latency::ENTRY,
    aligned_load::ENTRY,
    served::ENTRY,
    classes::PAGES,
    classes::OF_FREE,
    largest::ENTRY,
    length::ENTRY,
    area_load::ENTRY,
    first_failure::IN_AREA,
    page::ENTRY,
    beyond::ENTRY,
];

/// The columns of all metrics, in order.
pub fn columns() -> impl Iterator<Item = &'static Column> {
    METRICS.iter().flat_map(|entry| entry.columns)
}

/// The place of column `name` among [`columns`].
///
/// # Panics
/// If no metric has it.
pub fn column(name: &str) -> usize {
    let found = columns().position(|column| column.name == name);
    found.unwrap_or_else(|| panic!("no metric has the column {name}"))
}

/// All metrics over one run.
pub struct Meter {
    /// Those that are asked.
    metrics: Vec<Box<dyn Metric>>,
    ledger: Ledger,
    first_failure: bool,
}

/// Whether a metric is asked in a run that ends, or does not, at its first failure.
fn is_asked(entry: &Entry, first_failure: bool) -> bool {
    !(first_failure && entry.of == Of::Moments)
}

impl Meter {
    /// Every metric of [`METRICS`] that has something to say of such a run.
    pub fn new(setting: &Setting) -> Self {
        let first_failure = setting.first_failure;
        let asked = METRICS.iter().filter(|entry| is_asked(entry, first_failure));
        let metrics = asked.map(|entry| (entry.build)(setting)).collect();
        Self { metrics, ledger: Ledger::default(), first_failure }
    }

    /// The values of all [`columns`]; those of a whole stream are empty where it was ended early.
    pub fn values(&self) -> Vec<Value> {
        let mut metrics = self.metrics.iter();
        let mut values = Vec::new();
        for entry in METRICS {
            let asked = is_asked(entry, self.first_failure);
            match asked.then(|| metrics.next()).flatten() {
                Some(metric) => values.extend(metric.values()),
                None => values.resize(values.len() + entry.columns.len(), Value::None),
            }
        }
        if values[column("ended_early")] == Value::Count(0) {
            return values;
        }
        let entries = METRICS.iter().flat_map(|entry| entry.columns.iter().map(|_| entry.of));
        let blank = |(value, of)| if of == Of::Requests { value } else { Value::None };
        values.into_iter().zip(entries).map(blank).collect()
    }
}

impl Observer for Meter {
    fn step(&mut self, step: &crate::simulate::Step<'_>) {
        for metric in &mut self.metrics {
            metric.step(step);
        }
    }

    fn warm_up(&mut self, step: &crate::simulate::Step<'_>) {
        let change = self.ledger.note(Some(step.area), step.op, true);
        for metric in &mut self.metrics {
            metric.warm_up(step);
            if let Some(change) = &change {
                metric.changed(change);
            }
        }
    }

    fn boot(&mut self, at_us: u64, area: usize, model: &crate::oracle::Model) {
        for metric in &mut self.metrics {
            metric.boot(at_us, area, model);
        }
    }

    fn asked(&mut self, area: Option<usize>, timed: &crate::op::Timed) {
        let change = self.ledger.note(area, timed.op, false);
        for metric in &mut self.metrics {
            metric.asked(area, timed);
            if let Some(change) = &change {
                metric.changed(change);
            }
        }
    }

    fn finish(&mut self, end_us: u64) {
        for metric in &mut self.metrics {
            metric.finish(end_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_prints_with_six_decimals_and_no_rounding_up() {
        let table = [
            (Value::share(2, 3), "0.666666"),
            (Value::share(3, 3), "1.000000"),
            (Value::share(0, 0), ""),
            (Value::Micro(999_999), "0.999999"),
            (Value::share(u128::MAX, 1), "9223372036854.775807"),
            (Value::Micro(-1_500_000), "-1.500000"),
            (Value::Micro(-1), "-0.000001"),
            (Value::Count(7), "7"),
        ];
        for (value, text) in table {
            assert_eq!(value.to_string(), text);
            assert_eq!(Value::parse(text), Some(value));
        }
        for text in ["0.5", "x", "1.0000000", "-1", "+1", "01", "1.", ".000001", "1.00000x"] {
            assert_eq!(Value::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_column_has_its_own_name_and_a_value() {
        let names: std::collections::BTreeSet<_> = columns().map(|column| column.name).collect();
        assert_eq!(names.len(), columns().count());
        assert_eq!(Meter::new(&Setting::new(&[4], 8)).values().len(), columns().count());
    }

    #[test]
    fn probes_are_aligned_as_far_as_a_request_can_be() {
        let setting = Setting::new(&[0, 5, u64::MAX], 64);
        let probes: Vec<_> =
            setting.probes[0].iter().map(|probe| (probe.count(), probe.align())).collect();
        assert_eq!(probes, [(5, 3), (u64::MAX, 63)]);
    }
}
