//! What was said of each failure beside what is true of it.

use std::collections::BTreeMap;
use std::fmt;

use cma_harness::cause::Cause;
use cma_harness::diagnose::{self, AlignFrom, Confidence, Failure, Options, Outcome, Reported};
use cma_harness::ingest::Source;

use crate::board::Truth;
use crate::capture::{Evidence, ListShown, Log};

/// All failures found in these sources.
pub(crate) fn found(sources: &[(String, Vec<u8>)]) -> (Vec<Failure>, diagnose::Diagnosis) {
    let sources: Vec<_> =
        sources.iter().map(|(name, bytes)| Source::bytes(name, bytes.as_slice())).collect();
    let mut failures = Vec::new();
    let whole = diagnose::diagnose(&sources, &Options::default(), &mut |failure| {
        failures.push(failure);
    });
    let diagnosis = whole.expect("bytes can be read");
    assert_eq!(diagnosis.failures, failures.len() as u64);
    (failures, diagnosis)
}

/// The counts over many logs.
#[derive(Default)]
pub(crate) struct Score {
    /// By generation, cause, verdict and confidence.
    matrix: BTreeMap<(&'static str, Cause, &'static str, &'static str), u64>,
    pub(crate) logs: u64,
    pub(crate) failures: u64,
    pub(crate) wrong_certain: Vec<String>,
    pub(crate) wrong_likely: Vec<String>,
    pub(crate) likely: u64,
    /// Failures with all that a verdict needs, and how many of them were certain.
    pub(crate) decidable: u64,
    pub(crate) decided: u64,
    pub(crate) undecided: Vec<String>,
    /// Numbers of failures, facts and lists that are not as printed.
    pub(crate) deviations: Vec<String>,
}

impl Score {
    /// Takes what was found in `log`.
    pub(crate) fn add(&mut self, log: &Log) {
        self.logs += 1;
        let (failures, _) = found(&log.sources);
        let mut left: Vec<Option<&Failure>> = failures.iter().map(Some).collect();
        let mut unmatched = Vec::new();
        // Of two failures of so many pages, the line is that of the one whose line is there.
        let (named, hidden): (Vec<_>, Vec<_>) =
            log.visible().partition(|(_, evidence)| evidence.line);
        for (truth, evidence) in named.into_iter().chain(hidden) {
            let line = |failure: &Failure| {
                matches!(failure.incident.reported, Reported::Line(_)) == evidence.line
            };
            let order = |failure: &Failure| {
                let stated = failure.align.filter(|(_, from)| *from != AlignFrom::Cap);
                stated.is_none_or(|(align, _)| align == truth.asked.align)
            };
            // Whose start is not there is of no order that is stated.
            let fits = |failure: &Failure| is(failure, truth) && (evidence.order || order(failure));
            let found = take(&mut left, |failure| fits(failure) && line(failure) && order(failure))
                .or_else(|| take(&mut left, |failure| fits(failure) && line(failure)))
                .or_else(|| take(&mut left, fits));
            match found {
                Some(failure) => self.compare(log, truth, evidence, failure),
                None => unmatched.push((truth, evidence)),
            }
        }
        // A list without its line is a failure that says nothing of the request.
        unmatched.retain(|_| {
            take(&mut left, |failure| failure.incident.count.is_none())
                .inspect(|failure| self.unnamed(log, failure))
                .is_none()
        });
        let extra = left.iter().flatten().count();
        // The time shows whether a list without its line is of a failure of the trace.
        let lines = log.visible().filter(|(_, evidence)| !evidence.line).count();
        let timed = log.clocked;
        let exact = log.exact && (timed || !log.story.shows.trace || lines == 0);
        if exact && (extra > 0 || !unmatched.is_empty()) {
            let said: Vec<_> = failures.iter().map(short).collect();
            self.deviations.push(format!(
                "{}: {} failures shown, {} found, not found {:?}: {said:#?}\n{}",
                log.name,
                log.visible().count(),
                failures.len(),
                unmatched.iter().map(|(truth, _)| truth).collect::<Vec<_>>(),
                log.text()
            ));
        }
        for failure in left.into_iter().flatten() {
            self.unnamed(log, failure);
        }
    }

    /// A failure of which the text does not say what was asked.
    fn unnamed(&mut self, log: &Log, failure: &Failure) {
        let count = failure.incident.count;
        let right = log.story.truths.iter().any(|truth| {
            let cause = failure.verdict == Some(truth.cause) || failure.verdict == truth.also;
            cause && count.is_none_or(|count| count == truth.asked.count)
        });
        if failure.verdict.is_some() && failure.confidence == Confidence::Certain && !right {
            let line = format!("{}: {} of no failure\n{}", log.name, short(failure), log.text());
            self.wrong_certain.push(line);
        }
    }

    fn compare(&mut self, log: &Log, truth: &Truth, evidence: Evidence, failure: &Failure) {
        self.failures += 1;
        let generation = log.story.release.generation.name();
        let confidence = failure.confidence.name();
        let key = (generation, truth.cause, failure.verdict_name(), confidence);
        *self.matrix.entry(key).or_default() += 1;
        let right = failure
            .verdict
            .is_none_or(|verdict| verdict == truth.cause || truth.also == Some(verdict));
        let line = || {
            let said = short(failure);
            format!("{}: {said}, is {truth:?} {evidence:?}\n{}", log.name, log.text())
        };
        let certain = failure.verdict.is_some() && failure.confidence == Confidence::Certain;
        if certain && !right {
            self.wrong_certain.push(line());
        }
        // What the rate limit hid has no errno: how its walk ended, no text shows. Nor does one show
        // which list is whose where two areas fail at once.
        let stated = (failure.incident.ret.is_some() || evidence.driver) && !log.mixed;
        if failure.verdict.is_some() && failure.confidence == Confidence::Likely && stated {
            self.likely += 1;
            if !right {
                self.wrong_likely.push(line());
            }
        }
        if decidable(log, truth, evidence) {
            self.decidable += 1;
            self.decided += u64::from(certain);
            if !certain {
                self.undecided.push(line());
            }
        }
        self.facts(log, truth, evidence, failure);
    }

    /// What the text states must be said as it is there.
    fn facts(&mut self, log: &Log, truth: &Truth, evidence: Evidence, failure: &Failure) {
        let incident = &failure.incident;
        let mut wrong = Vec::new();
        if evidence.line && incident.ret != Some(truth.ret) {
            wrong.push(format!("ret {:?}", incident.ret));
        }
        let named = log.story.release.from(5, 12) && evidence.line;
        if named && incident.area.as_deref() != Some(truth.area) {
            wrong.push(format!("area {:?}", incident.area));
        }
        // Of several calls for as many pages any may be the driver's.
        let alone = {
            let count = truth.asked.count;
            log.story.truths.iter().filter(|other| other.asked.count == count).count() == 1
        };
        let said = matches!(incident.outcome, Outcome::Reported);
        if log.exact && log.drivers && evidence.line && alone && said != truth.reported {
            wrong.push(format!("reported by a driver: {said}"));
        }
        let served = matches!(incident.outcome, Outcome::Served(Confidence::Certain));
        if served {
            // No text of these has a stack that shows who asked.
            wrong.push("served for certain".to_string());
        }
        let stated = matches!(failure.align, Some((_, AlignFrom::Trace | AlignFrom::Debug)));
        let timed = log.clocked || !log.mixed;
        if log.exact && timed && evidence.order != stated {
            wrong.push(format!("order stated: {stated}"));
        }
        // Where lines are lost, what is left may be of another call for as many pages.
        let twins = log.story.truths.iter().filter(|other| other.asked.count == truth.asked.count);
        let one = log.exact || twins.count() == 1;
        if one && stated && failure.align.map(|(align, _)| align) != Some(truth.asked.align) {
            wrong.push(format!("align {:?}", failure.align));
        }
        // Before 5.1 the list of such an area is wrong in itself, and from 6.15 on its free pages
        // are not the sum.
        let plain = truth.order_per_bit == 0 && !log.mixed && log.exact && evidence.line;
        match (evidence.list, &failure.list) {
            (ListShown::Whole, Some(list)) if plain => {
                let said = (list.free, list.total, list.largest_run, list.complete);
                let is = (Some(truth.free), Some(truth.total), truth.largest_run, true);
                if said != is {
                    wrong.push(format!("list {said:?} is {is:?}"));
                }
            }
            // One of which nothing is left may be that of its neighbour; of one whose runs add up, a
            // range without any is missing at most.
            (ListShown::Part, Some(list))
                if list.complete
                    && plain
                    && incident.list.is_some()
                    && list.largest_run != truth.largest_run =>
            {
                wrong.push("a cut list is called complete".to_string());
            }
            (ListShown::Nothing, Some(_)) if plain => {
                wrong.push("a list of another".to_string());
            }
            (ListShown::Whole, None) if plain => {
                wrong.push("no list".to_string());
            }
            _ => {}
        }
        if !wrong.is_empty() {
            let said = short(failure);
            let line = format!("{}: {wrong:?} {said}, is {truth:?}\n{}", log.name, log.text());
            self.deviations.push(line);
        }
    }

    /// Fails where a claim does not hold; prints the matrix first.
    pub(crate) fn check(&self, name: &str) {
        println!("{name}\n{self}");
        let first = |lines: &[String]| lines.iter().take(2).cloned().collect::<Vec<_>>().join("\n");
        let wrong = &self.wrong_certain;
        assert!(wrong.is_empty(), "{} wrong and certain:\n{}", wrong.len(), first(wrong));
        let wrong = &self.deviations;
        assert!(wrong.is_empty(), "{} not as printed:\n{}", wrong.len(), first(wrong));
        let wrong = &self.wrong_likely;
        assert!(
            wrong.len() as u64 * 20 <= self.likely,
            "{} of {} likely are wrong:\n{}",
            wrong.len(),
            self.likely,
            first(wrong)
        );
        assert!(
            self.decided * 100 >= self.decidable * 80,
            "{} of {} decidable are certain:\n{}",
            self.decided,
            self.decidable,
            first(&self.undecided)
        );
    }
}

/// Takes the first that fits.
fn take<'a>(
    left: &mut [Option<&'a Failure>],
    fits: impl Fn(&Failure) -> bool,
) -> Option<&'a Failure> {
    left.iter_mut().find(|failure| failure.is_some_and(&fits))?.take()
}

fn is(failure: &Failure, truth: &Truth) -> bool {
    let incident = &failure.incident;
    incident.count == Some(truth.asked.count)
        && incident.ret.is_none_or(|ret| ret == truth.ret)
        && incident.area.as_deref().is_none_or(|area| area == truth.area)
}

/// The failure in a line.
pub(crate) fn short(failure: &Failure) -> String {
    let incident = &failure.incident;
    format!(
        "line {} {:?} {:?}+{:?} {} {}: {:?} {:?}",
        incident.line,
        incident.count,
        failure.align,
        incident.ret,
        failure.confidence.name(),
        failure.verdict_name(),
        failure.why,
        failure.room
    )
}

/// Whether the text decides it: by the line, all of the list, the order, and a base that the order
/// can be counted from.
fn decidable(log: &Log, truth: &Truth, evidence: Evidence) -> bool {
    let placed =
        truth.asked.align <= 9 && truth.base_order >= 9 || evidence.order && log.story.shows.trace;
    log.exact
        && !log.mixed
        && evidence.line
        && evidence.order
        && evidence.list == ListShown::Whole
        && truth.order_per_bit == 0
        && placed
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: BTreeMap<(&str, Cause), BTreeMap<String, u64>> = BTreeMap::new();
        for ((generation, cause, verdict, confidence), count) in &self.matrix {
            let sure = if *verdict == "undecidable" { "" } else { confidence };
            let cell = format!("{verdict} {sure}");
            for generation in [*generation, "all"] {
                let row = rows.entry((generation, *cause)).or_default();
                *row.entry(cell.trim_end().to_string()).or_default() += count;
            }
        }
        for ((generation, cause), cells) in &rows {
            let cells: Vec<_> =
                cells.iter().map(|(cell, count)| format!("{cell} {count}")).collect();
            writeln!(f, "  {generation:<8} {:<14} {}", cause.name(), cells.join(", "))?;
        }
        let (decided, decidable) = (self.decided, self.decidable);
        writeln!(f, "  {} logs, {} failures", self.logs, self.failures)?;
        for (what, lines) in [
            ("wrong and certain", &self.wrong_certain),
            ("wrong and likely", &self.wrong_likely),
            ("not as printed", &self.deviations),
            ("not certain", &self.undecided),
        ] {
            for line in lines.iter().filter_map(|line| line.lines().next()).take(60) {
                writeln!(f, "  {what}: {line}")?;
            }
        }
        writeln!(f, "  wrong and certain: {}", self.wrong_certain.len())?;
        writeln!(f, "  wrong and likely: {} of {}", self.wrong_likely.len(), self.likely)?;
        writeln!(f, "  certain of the decidable: {decided} of {decidable}")
    }
}
