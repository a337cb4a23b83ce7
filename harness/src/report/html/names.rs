//! Names and numbers as the page shows them.

use std::fmt;

use crate::answer::{Rate, SummaryRow};
use crate::page::Page;
use crate::report::page::table::{self, Field};
use crate::stats::{Interval, no_failure_bound};
use crate::sweep::{Configuration, Load, Ready};
use crate::words;

/// A space that does not break, before a unit.
pub(super) const NBSP: char = '\u{a0}';

/// Pages of 4 KiB as MiB, with a decimal where it says something.
pub(super) fn mib(pages: f64, page: Page) -> String {
    format!("{}{NBSP}MiB", words::mib_number(pages, page))
}

/// A share in percent, so exact that small ones can be told apart.
pub(super) fn percent(share: f64) -> String {
    format!("{}{NBSP}%", percent_number(share))
}

/// The same without the unit.
pub(super) fn percent_number(share: f64) -> String {
    match share {
        0.0 => "0".to_string(),
        small if small < 0.1 => thin(&words::percent_number(small, 2)),
        large => thin(&words::percent_number(large, 1)),
    }
}

/// A number with a thin space after the sign of a bound.
pub(super) fn thin(number: &str) -> String {
    number.replace(' ', "\u{2009}")
}

/// A whole number with thin spaces between thousands.
pub(super) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut parts: Vec<_> = digits.as_bytes().rchunks(3).map(String::from_utf8_lossy).collect();
    parts.reverse();
    parts.join(if digits.len() > 4 { "\u{202f}" } else { "" })
}

/// The ends of an interval in percent: none where there are none.
pub(super) fn range(interval: &Interval) -> Option<String> {
    let (low, high) = (interval.low?, interval.high?);
    let low = if low == 0.0 { "0".to_string() } else { percent_number(low) };
    Some(format!("{low} to {}", percent(high)))
}

/// The ends of an interval, an upper one that is open as `open`; none where there is no lower one.
pub(super) fn ends(
    interval: &Interval,
    shown: impl Fn(f64) -> String,
    open: &str,
) -> Option<String> {
    let low = shown(interval.low?);
    Some(format!("{low} to {}", interval.high.map_or_else(|| open.to_string(), shown)))
}

/// How often something was seen in a row's streams.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Seen {
    /// The number.
    pub(super) value: String,
    /// How sure it is.
    pub(super) sure: String,
}

impl Seen {
    pub(super) fn new(value: impl Into<String>, sure: impl Into<String>) -> Self {
        Self { value: value.into(), sure: sure.into() }
    }

    /// As a field of a table, sorted by `key`.
    pub(super) fn field(&self, title: &str, key: Option<f64>) -> Field {
        table::sure(title, key, &self.value, &self.sure)
    }

    /// Both, for one line of text.
    pub(super) fn line(&self) -> String {
        match self.sure.as_str() {
            "" => self.value.clone(),
            sure => format!("{} ({sure})", self.value),
        }
    }
}

/// `one stream`, `12 streams`.
pub(super) fn streams(number: u64) -> String {
    if number == 1 { "one stream".to_string() } else { format!("{} streams", whole(number)) }
}

/// `1 request`, `12 345 requests`.
pub(super) fn requests(number: u64) -> String {
    if number == 1 { "1 request".to_string() } else { format!("{} requests", whole(number)) }
}

/// A mean over `count` streams. No refusal is never 0 %: it is what was not seen in so many.
pub(super) fn seen(rate: &Rate, count: u64) -> Seen {
    let Some(mean) = rate.mean else { return Seen::new("–", "no request that could tell") };
    if mean == 0.0 {
        let sure = match (count, rate.interval.high.filter(|high| *high > 0.0)) {
            (1, _) => "one stream says nothing of others".to_string(),
            (_, Some(high)) => format!("at most {}", percent(high)),
            _ => format!("at most {} of streams have one", percent(no_failure_bound(count))),
        };
        return Seen::new("none seen", sure);
    }
    Seen::new(percent(mean), range(&rate.interval).unwrap_or_else(|| streams(count)))
}

/// What is written in place of a rate over the length of streams that were ended at their first
/// failure, and marks the remark on it.
pub(super) const CUT: &str = "– †";

/// That remark.
pub(super) const CUT_NOTE: &str = "† Ended at the first failure: no rates over their length.";

/// R2, or another of [`RATES`](crate::answer::RATES), of a row.
pub(super) fn rate(row: &SummaryRow, which: usize) -> Seen {
    if row.ended_early > 0 {
        return Seen::new(CUT, "");
    }
    if row.streams == 0 {
        return not_run();
    }
    seen(&row.rates[which], row.streams)
}

/// What is said of streams that were not run.
pub(super) fn not_run() -> Seen {
    Seen::new("–", "not run")
}

/// A difference of shares, in percentage points.
pub(super) fn difference(rate: &Rate) -> Seen {
    let Some(mean) = rate.mean else { return Seen::new("–", "") };
    let points = |share: f64| {
        let text = format!("{:+.2}", share * 100.0).replace('-', "−");
        if share.abs() < 0.000_05 { "0".to_string() } else { text }
    };
    let sure = ends(&rate.interval, points, "no bound").unwrap_or("no interval".to_string());
    Seen::new(format!("{}{NBSP}points", points(mean)), sure)
}

/// How many of so many streams failed, and what share of all that allows.
pub(super) fn failing(failed: u64, count: u64, interval: &Interval) -> Seen {
    if count == 0 {
        return not_run();
    }
    let bound = interval.high.filter(|high| *high > 0.0).unwrap_or_else(|| no_failure_bound(count));
    let sure = match (failed, count) {
        (_, 1) => "one stream: no interval".to_string(),
        (0, _) => format!("at most {}", percent(bound)),
        _ => range(interval).unwrap_or_default(),
    };
    Seen::new(format!("{} of {}", whole(failed), whole(count)), sure)
}

/// How many streams fail, as a clause: `3 of 8 streams fail`, `the one stream fails`.
pub(super) fn so_many_fail(failed: u64, count: u64) -> String {
    match (failed, count) {
        (_, 0) => "no stream was run".to_string(),
        (0, 1) => "the one stream goes well".to_string(),
        (_, 1) => "the one stream fails".to_string(),
        (0, _) => format!("none of {} fails", streams(count)),
        (1, _) => format!("1 of {} fails", streams(count)),
        _ => format!("{} of {} fail", whole(failed), streams(count)),
    }
}

/// The request that fails first: median over streams, its interval, and how many never do.
pub(super) fn first_failure(row: &SummaryRow) -> Seen {
    if row.streams == 0 {
        return not_run();
    }
    let never = row.streams - row.failed;
    let Some(median) = row.first_failure else {
        return match row.failed {
            0 => Seen::new("none seen", format!("in {}", streams(row.streams))),
            _ => Seen::new("most never", format!("{} of {}", whole(never), whole(row.streams))),
        };
    };
    let sure = ends(&row.first_failure_interval, |number| whole(number as u64), "never");
    Seen::new(whole(median as u64), sure.unwrap_or_else(|| streams(row.streams)))
}

/// A test's p.
pub(super) fn chance(p: f64) -> String {
    if p < 0.0005 { "<\u{2009}0.001".to_string() } else { format!("{p:.3}") }
}

/// Columns of more than one table.
pub(super) const R2: &str = "Withheld per satisfiable request (R2)";
pub(super) const R5: &str = "First refused request (R5)";

/// A count in a table, if there is one.
pub(super) fn count(title: &str, count: Option<u64>) -> Field {
    table::number(title, count.map(|count| count as f64), |count| whole(count as u64))
}

/// Policy and cap.
pub(super) fn way(ready: &Ready, cap: usize, policy: usize) -> String {
    format!("{}, cap {}", ready.plan.policies[policy], ready.plan.caps[cap])
}

/// A name, and what is said of it wherever it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Named {
    /// The name.
    pub(super) name: String,
    /// What sets it apart from others.
    pub(super) sign: Option<Sign>,
    /// The race dropped it after so many streams.
    pub(super) dropped: Option<u64>,
}

/// What sets a policy and cap apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    /// It is the answer.
    Chosen,
    /// It refuses more requests of some size: it cannot be the answer.
    Flagged,
    /// It cannot be compared with those that align.
    Unaligned,
}

impl Sign {
    const fn words(self) -> (char, &'static str) {
        match self {
            Self::Chosen => ('★', "chosen"),
            Self::Flagged => ('▲', "flagged"),
            Self::Unaligned => ('▲', "does not align"),
        }
    }

    /// The class of its row.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Flagged | Self::Unaligned => "out",
        }
    }
}

impl Named {
    /// At most 19 characters, for beside a line: a sign stays, its words go.
    pub(super) fn short(&self) -> String {
        const MOST: usize = 19;
        let sign = self.sign.map(|sign| sign.words().0).or(self.dropped.map(|_| '✕'));
        let sign: String = sign.map(|sign| format!(" {sign}")).unwrap_or_default();
        let most = MOST - sign.chars().count();
        if self.name.chars().count() <= most {
            return format!("{}{sign}", self.name);
        }
        self.name.chars().take(most - 1).chain(['…']).chain(sign.chars()).collect()
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((sign, words)) = self.sign.map(Sign::words) {
            write!(f, " {sign} {words}")?;
        }
        match self.dropped {
            None => Ok(()),
            Some(0) => f.write_str(" ✕ not run: dropped by the race before"),
            Some(streams) => {
                write!(f, " ✕ dropped by the race after {}", words::counted(streams, "stream"))
            }
        }
    }
}

/// The board and its size.
pub(super) fn board(ready: &Ready, at: &Configuration) -> String {
    let board = ready.board(at);
    let page = ready.plan.page;
    let size = mib(board.pages() as f64, page);
    match at.board {
        None => format!("its own area of {size}"),
        Some(_) if board.areas.len() > 1 => {
            let each =
                board.areas.iter().map(|area| words::mib_number(area.area.pages() as f64, page));
            format!("{} ({} MiB)", board.name, each.collect::<Vec<_>>().join(" + "))
        }
        Some(_) => format!("{} ({size})", board.name),
    }
}

/// The stream with what the plan says of its LOAD.
pub(super) fn stream(ready: &Ready, stream: usize, load: Option<usize>) -> String {
    let (page, stream) = (ready.plan.page, &ready.plan.streams[stream]);
    match load.map(|load| stream.loads[load]) {
        None => stream.name().to_string(),
        Some(Load::Share(share)) => {
            format!("{}, LOAD {} of the area", stream.name(), percent(share))
        }
        Some(Load::Pages(pages)) => format!("{}, LOAD {}", stream.name(), mib(pages as f64, page)),
    }
}

/// The same in a few characters: `camera 90 %`.
pub(super) fn stream_short(ready: &Ready, stream: usize, load: Option<usize>) -> String {
    let (page, stream) = (ready.plan.page, &ready.plan.streams[stream]);
    match load.map(|load| stream.loads[load]) {
        None => stream.name().to_string(),
        Some(Load::Share(share)) => {
            format!("{} {}{NBSP}%", stream.name(), words::percent_number(share, 0))
        }
        Some(Load::Pages(pages)) => format!("{} {}", stream.name(), mib(pages as f64, page)),
    }
}

/// The environment, where the plan has several.
pub(super) fn environment(ready: &Ready, environment: usize) -> String {
    match ready.plan.environments.len() {
        1 => String::new(),
        _ => format!(", pages {}", ready.plan.environments[environment]),
    }
}

/// LOAD / area of a row: of several areas of that which is filled most.
pub(super) fn rho(ready: &Ready, row: &SummaryRow) -> Option<f64> {
    let board = ready.board(&row.at);
    if board.areas.len() > 1
        && let Some((_, share)) = row.fullest(&board)
    {
        return Some(share);
    }
    let asked = ready.plan.load(&row.at);
    row.load.or_else(|| asked.map(|load| load.share_of(board.pages())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_keeps_its_sign() {
        let named = |name: &str, sign, dropped| Named { name: name.to_string(), sign, dropped };
        let table = [
            (named("kernel, cap 8", Some(Sign::Chosen), None), "kernel, cap 8 ★", " ★ chosen"),
            (
                named("zoned:share=0.25,order=8, cap 8", Some(Sign::Flagged), None),
                "zoned:share=0.25… ▲",
                " ▲ flagged",
            ),
            (
                named("kernel, cap 8", None, Some(8)),
                "kernel, cap 8 ✕",
                " ✕ dropped by the race after 8 streams",
            ),
            (named("kernel, cap 8", None, None), "kernel, cap 8", ""),
        ];
        for (named, short, said) in table {
            assert_eq!((named.short(), named.to_string()), (short.into(), named.name + said));
        }
    }

    #[test]
    fn numbers_are_as_exact_as_they_are_large() {
        let table = [
            (0.0, "0"),
            (0.000_01, "<\u{2009}0.01"),
            (0.001_23, "0.12"),
            (0.5, "50.0"),
            (0.9999, ">\u{2009}99.9"),
            (1.0, "100.0"),
        ];
        for (share, text) in table {
            assert_eq!(percent_number(share), text);
        }
        let table = [(256.0, "1"), (257.0, "1"), (300.0, "1.2"), (163_840.0, "640")];
        for (pages, text) in table {
            assert_eq!(mib(pages, Page::Kib4), format!("{text}\u{a0}MiB"));
        }
        assert_eq!(
            [9, 1234, 12345, 1_234_567].map(whole).join(" "),
            "9 1234 12\u{202f}345 1\u{202f}234\u{202f}567"
        );
    }

    #[test]
    fn nothing_seen_is_a_bound_and_never_zero() {
        let all_equal = Interval { low: Some(0.0), high: Some(0.0), method: "all-equal" };
        let none = Rate { mean: Some(0.0), interval: all_equal };
        // 1 - 0.05^(1/32) = 0.0894
        assert_eq!(seen(&none, 32).line(), "none seen (at most 8.94\u{a0}% of streams have one)");
        assert_eq!(failing(0, 32, &all_equal).line(), "0 of 32 (at most 8.94\u{a0}%)");
        let bounded = Interval { low: Some(0.0), high: Some(0.08), method: "bound" };
        let none = Rate { mean: Some(0.0), interval: bounded };
        assert_eq!(seen(&none, 32).line(), "none seen (at most 8.00\u{a0}%)");
        assert!(seen(&none, 1).line().contains("one stream"));
        let bca = Interval { low: Some(0.01), high: Some(0.03), method: "bca" };
        let some = Rate { mean: Some(0.02), interval: bca };
        assert_eq!(seen(&some, 32).line(), "2.00\u{a0}% (1.00 to 3.00\u{a0}%)");
    }
}
