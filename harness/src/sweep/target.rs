//! How rare failures are to be, and whether what was seen proves it.

use std::fmt;

use super::plan::Length;
use crate::stats::{anytime, rate, share_p};
use crate::words::seconds;

/// How rare failures are to be, of each kind of stream. It is asked of the first failure of a
/// stream: what comes after it depends on what the caller makes of that.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Target {
    /// The mean board time until a failure is at least so many microseconds.
    Mtbf(u64),
    /// At most this share of streams, above 0 and below 1, has a failure in its first day.
    FailingPerDay(f64),
}

/// A day in microseconds.
const DAY_US: u64 = 24 * Length::HOUR_US;

/// Units of time: their names and microseconds, the largest first.
const UNITS: [(&str, u64); 6] = [
    ("y", 365 * DAY_US),
    ("w", 7 * DAY_US),
    ("d", DAY_US),
    ("h", Length::HOUR_US),
    ("min", 60_000_000),
    ("s", 1_000_000),
];

/// The longest mean time that is asked about: a thousand years.
const MOST_US: f64 = 1000.0 * 365.0 * DAY_US as f64;

impl Target {
    /// Reads `mtbf=30d` or `failing=1%/day`.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = match text.split_once('=') {
            Some(("mtbf", time)) => time_us(time).map(Self::Mtbf),
            Some(("failing", share)) => share_per_day(share).map(Self::FailingPerDay),
            _ => None,
        };
        found.ok_or_else(|| {
            let units: Vec<_> = UNITS.iter().rev().map(|(unit, _)| *unit).collect();
            format!(
                "target {} is none; allowed are mtbf=30d, a mean time of up to 1000 years in one \
                 of {}, and failing=1%/day, a share of streams above 0 and below 100 %",
                crate::ingest::quoted(text),
                units.join(", ")
            )
        })
    }

    /// Whether it is asked about less time than a stream of this length is watched: else an answer
    /// rests on a constant hazard.
    pub const fn is_within(self, length_us: u64) -> bool {
        match self {
            Self::Mtbf(us) => us <= length_us,
            Self::FailingPerDay(_) => DAY_US <= length_us,
        }
    }

    /// The mean time between failures that it comes to at a constant hazard, in microseconds.
    pub fn mtbf_us(self) -> f64 {
        match self {
            Self::Mtbf(us) => us as f64,
            Self::FailingPerDay(share) => DAY_US as f64 / -libm::log1p(-share),
        }
    }
}

/// A number and a unit, as microseconds.
fn time_us(text: &str) -> Option<u64> {
    let (unit, each) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let us = number(text.strip_suffix(unit)?)? * *each as f64;
    (1.0..=MOST_US).contains(&us).then(|| libm::round(us) as u64)
}

/// So many percent in a day, as a share.
fn share_per_day(text: &str) -> Option<f64> {
    let share = number(text.strip_suffix("%/day")?)? / 100.0;
    (share > 0.0 && share < 1.0).then_some(share)
}

/// Digits with a point among them or not: nothing else that a float may be.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mtbf(us) => {
                // The largest unit that it is a whole number of; what is no whole second is one of
                // millionths.
                let whole = UNITS.iter().find(|(_, each)| us.is_multiple_of(*each));
                match whole {
                    Some((unit, each)) => write!(f, "mtbf={}{unit}", us / each),
                    None => write!(f, "mtbf={}s", seconds(*us)),
                }
            }
            // As few digits as read back as the same share.
            Self::FailingPerDay(share) => {
                let percent = (0..=17).map(|digits| format!("{:.digits$}", share * 100.0));
                let mut same = percent.filter(|text| {
                    text.parse().is_ok_and(|percent: f64| percent / 100.0 == *share)
                });
                let text = same.next().unwrap_or_else(|| format!("{}", share * 100.0));
                write!(f, "failing={text}%/day")
            }
        }
    }
}

/// What streams of one kind showed under one configuration and policy.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Evidence {
    /// Streams.
    pub streams: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that failed in their first day.
    pub failed_in_a_day: u64,
    /// Board time until the first failure of each, or until its end, summed, in microseconds.
    pub at_risk_us: u64,
}

impl Evidence {
    /// One more stream, which was watched for so long, and failed then or did not.
    pub fn add(&mut self, watched_us: u64, failed: bool) {
        self.streams += 1;
        self.failed += u64::from(failed);
        self.failed_in_a_day += u64::from(failed && watched_us < DAY_US);
        self.at_risk_us = self.at_risk_us.saturating_add(watched_us);
    }

    /// How likely so few failures are were the target just missed: the target is proven where this
    /// is small. Streams of `length_us` bear witness to their first day only where they have one.
    pub fn p(&self, target: Target, length_us: u64) -> f64 {
        match target {
            Target::FailingPerDay(share) if target.is_within(length_us) => {
                share_p(self.failed_in_a_day, self.streams, share)
            }
            _ => rate::mtbf_p(self.failed, self.at_risk_us as f64, target.mtbf_us()),
        }
    }

    /// How likely so many failures are, whenever one looks, were the target met: it is missed where
    /// this is small.
    pub fn p_missed(&self, target: Target, length_us: u64) -> f64 {
        match target {
            Target::FailingPerDay(share) if target.is_within(length_us) => {
                anytime::share_above(self.failed_in_a_day, self.streams, share)
            }
            _ => {
                let mtbf_us = target.mtbf_us();
                anytime::rate_above(self.failed, self.at_risk_us as f64, 1.0 / mtbf_us)
            }
        }
    }

    /// Whether `more` streams of `length_us` would still prove the target, did none of them fail.
    pub fn can_prove(&self, target: Target, length_us: u64, more: u64) -> bool {
        let best = Self {
            streams: self.streams + more,
            at_risk_us: self.at_risk_us.saturating_add(more.saturating_mul(length_us)),
            ..*self
        };
        best.p(target, length_us) <= rate::MISS
    }
}

/// Stop running seeds once it is clear, for every policy, on which side of a threshold the share of
/// failing streams lies.
///
/// A stream fails if any of its requests is refused. The rule is looked at after every
/// [`Stop::ROUND`] seeds, in the order of the seeds, with intervals that are valid at any time
/// ([`anytime`]): which seeds are run depends on the plan alone, not on threads, shards or stops.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stop {
    /// The threshold: a share of streams, above 0 and below 1.
    pub failed_share: f64,
}

impl Stop {
    /// Seeds between two looks.
    pub const ROUND: u64 = 16;

    /// Whether all is clear once, of `streams` streams, so many failed under each policy.
    pub fn is_clear(&self, failed: &[u64], streams: u64) -> bool {
        failed.iter().all(|failed| {
            let interval = anytime::share_interval(*failed, streams);
            interval.low.is_some_and(|low| low > self.failed_share)
                || interval.high.is_some_and(|high| high < self.failed_share)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_as_it_prints_and_nothing_else_is_one() {
        for text in ["mtbf=30d", "mtbf=1h", "mtbf=2y", "mtbf=90min", "mtbf=1.500000s"] {
            assert_eq!(Target::parse(text).map(|target| target.to_string()), Ok(text.into()));
        }
        for text in ["failing=1%/day", "failing=0.1%/day", "failing=99.9%/day", "failing=7%/day"] {
            assert_eq!(Target::parse(text).map(|target| target.to_string()), Ok(text.into()));
        }
        assert_eq!(Target::parse("mtbf=36h").map(Target::mtbf_us), Ok(36.0 * 3.6e9));
        assert_eq!(Target::parse("mtbf=0.5d").map(|t| t.to_string()), Ok("mtbf=12h".into()));
        for text in [
            "",
            "mtbf",
            "mtbf=",
            "mtbf=30",
            "mtbf=d",
            "mtbf=0d",
            "mtbf=-1d",
            "mtbf=1e9d",
            "mtbf=infd",
            "mtbf=2000y",
            "mtbf=30 d",
            "mttf=1d",
            "failing=1%",
            "failing=0%/day",
            "failing=100%/day",
            "failing=1%/h",
            "failing=1/day",
            "failing=nan%/day",
            "mtbf=1d,failing=1%/day",
            "mtbf=.d",
        ] {
            let error = Target::parse(text).expect_err(text);
            assert!(error.contains("mtbf=30d") && error.contains("failing=1%/day"), "{error}");
        }
    }

    #[test]
    fn days_without_a_failure_prove_a_third_of_them() {
        let mut clean = Evidence::default();
        for _ in 0..32 {
            clean.add(DAY_US, false);
        }
        // 768 h: the bound is 256.4 h.
        let proven = |text: &str, seen: &Evidence| {
            seen.p(Target::parse(text).expect(text), DAY_US) <= rate::MISS
        };
        assert!(proven("mtbf=256h", &clean) && !proven("mtbf=257h", &clean));
        // 32 clean streams allow 8.94 %.
        assert!(proven("failing=9%/day", &clean) && !proven("failing=8.9%/day", &clean));
        let target = Target::Mtbf(250 * Length::HOUR_US);
        let mut seen = Evidence::default();
        assert!(seen.can_prove(target, DAY_US, 32) && !seen.can_prove(target, DAY_US, 31));
        seen.add(1, true);
        assert!(!seen.can_prove(target, DAY_US, 31));
        assert!(seen.p_missed(target, DAY_US) <= 1.0);
    }

    #[test]
    fn a_share_of_a_day_asks_streams_of_a_day_and_the_hazard_of_shorter_ones() {
        let target = Target::FailingPerDay(0.5);
        let mut seen = Evidence::default();
        for _ in 0..8 {
            seen.add(DAY_US + 1, true);
        }
        // They all fail after their first day.
        assert!(seen.p(target, 2 * DAY_US) < 0.01);
        assert!(seen.p_missed(target, 2 * DAY_US) > 0.5);
        let mut short = Evidence::default();
        for _ in 0..8 {
            short.add(DAY_US / 2, false);
        }
        // Half of all in a day is a failure in 1.44 days: 4 days without one have 2^-4.
        assert!((short.p(target, DAY_US / 2) - 1.0 / 16.0).abs() < 1e-9);
    }

    #[test]
    fn what_fails_at_once_misses_whenever_one_looks() {
        let target = Target::Mtbf(10 * DAY_US);
        let mut seen = Evidence::default();
        for _ in 0..3 {
            seen.add(Length::HOUR_US, true);
        }
        assert!(seen.p_missed(target, DAY_US) < rate::MISS);
        assert!(seen.p(target, DAY_US) > 0.9);
    }

    #[test]
    fn it_is_clear_once_every_policy_lies_on_one_side() {
        let stop = Stop { failed_share: 0.1 };
        assert!(!stop.is_clear(&[0], 1));
        // All of 16 failed: far above; none of 16 may still be above a tenth.
        assert!(stop.is_clear(&[16], 16));
        assert!(!stop.is_clear(&[16, 0], 16));
        assert!(stop.is_clear(&[160, 0], 160));
        assert!(!stop.is_clear(&[16], 160), "just what is asked about is never clear");
    }
}
