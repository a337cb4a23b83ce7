//! Numbers over streams: intervals, paired differences, and tests.
//!
//! The unit is the stream, never the request: requests of one stream depend on each other. Every
//! interval is at 95 % and says by which method it was made. Resampling draws from a seed that is
//! given or always the same, and every sum is taken in order, so the same values give the same
//! bytes.

pub mod anytime;
mod beta;
mod bootstrap;
pub mod choice;
mod clusters;
mod exact;
mod gamma;
mod normal;
pub mod rate;
mod survival;
mod survival_time;
mod trend;

pub use bootstrap::{Bootstrap, Within};
pub use clusters::{Watched, failure_rate};
pub use exact::{
    holm, mcnemar, median, median_interval, no_failure_bound, quantile, quantile_interval,
    share_high, share_interval, share_interval_of, share_p, sign_counts,
};
pub use survival::{Survival, survival};
pub use survival_time::{restricted_mean, survival_quantile};
pub use trend::{Ages, Trend, trend};

/// Where `is_inside` ends between two numbers, of which it holds for the first alone: what is left of
/// them, inside and outside, once that was halved so many times.
fn halved(inside: f64, outside: f64, times: u32, is_inside: impl Fn(f64) -> bool) -> (f64, f64) {
    (0..times).fold((inside, outside), |(inside, outside), _| {
        let middle = f64::midpoint(inside, outside);
        if is_inside(middle) { (middle, outside) } else { (inside, middle) }
    })
}

/// Where a value lies, with 95 % confidence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower end. [`None`]: unbounded, or unknown.
    pub low: Option<f64>,
    /// Upper end. [`None`]: unbounded (some streams never failed), or unknown.
    pub high: Option<f64>,
    /// How it was made; the word is in the tables.
    pub method: &'static str,
}

impl Interval {
    /// No interval: one stream says nothing about others.
    pub const ONE_STREAM: Self = Self { low: None, high: None, method: "one-stream" };
    /// No interval: there is no value.
    pub const NO_VALUE: Self = Self { low: None, high: None, method: "no-value" };

    /// The same where the number of streams depends on what was seen: named as one that does not
    /// allow for that.
    pub fn of_stopped(self) -> Self {
        let method = match self.method {
            "bca-or-t" => "bca-or-t-of-stopped",
            "order-statistic" => "order-statistic-of-stopped",
            other => other,
        };
        Self { method, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_allow_for_an_early_stop_says_so() {
        for (method, of_stopped) in [
            ("bca-or-t", "bca-or-t-of-stopped"),
            ("order-statistic", "order-statistic-of-stopped"),
            ("anytime-beta-binomial", "anytime-beta-binomial"),
        ] {
            let interval = Interval { low: Some(1.0), high: None, method };
            assert_eq!(interval.of_stopped(), Interval { method: of_stopped, ..interval });
        }
    }
}
