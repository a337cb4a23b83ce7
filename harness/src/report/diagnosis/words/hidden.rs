//! A burst of failures of which the rate limit hid most lines: what is known comes first.

use super::super::groups::{Group, Report};
use super::{answer, counted, occurrence, verdict};
use crate::diagnose::Why;

/// What is known where the size is not.
const EITHER: &str = "fragmentation or alignment";

/// The kernel prints so many lines in 5 seconds (`DEFAULT_RATELIMIT_BURST`,
/// `include/linux/ratelimit_types.h`).
const BURST: u64 = 10;

/// The first line of all, where lists without a line are likely refused as others with a line.
pub(super) fn headline(report: &Report<'_>) -> Option<String> {
    let groups = || report.groups.iter().map(|shown| shown.group);
    let (hidden, told): (Vec<_>, Vec<_>) = groups().partition(|group| group.is_hidden());
    let is_said = hidden.iter().any(|group| group.first.why != Why::NoCount);
    let first = told.first().filter(|_| is_said && report.beyond == 0)?;
    let failures = |groups: &[&Group]| groups.iter().map(|group| group.failures).sum::<u64>();
    let (lines, lists) = (failures(&told), failures(&hidden));
    let is_limited = report.diagnosis.hidden > 0 || lines >= BURST;
    let why = if is_limited { "were hidden by the rate limit" } else { "are not in the text" };
    let same = |group: &&Group| group.first.verdict == first.first.verdict;
    if told.len() == 1 && hidden.iter().all(same) {
        let (verdict, answer) = (verdict(&first.first), answer(&first.first));
        let occurrence = occurrence(first);
        return Some(format!(
            "{verdict}: {answer} ({occurrence}; {lists} more likely the same: their lines {why})"
        ));
    }
    let failures = counted(lines, "failure");
    let (told, hidden) = (sums(&told), sums(&hidden));
    Some(format!("{failures}: {told}; {lists} more, whose lines {why}: {hidden}"))
}

/// `16 alignment (certain), 6 fragmentation (certain)`, the most frequent first;
/// of one kind without the number.
fn sums(groups: &[&Group]) -> String {
    let mut sums: Vec<(String, u64)> = Vec::new();
    for group in groups {
        let either = group.first.why == Why::BesideEither;
        let word = if either { EITHER.to_string() } else { verdict(&group.first) };
        match sums.iter_mut().find(|(known, _)| *known == word) {
            Some((_, sum)) => *sum += group.failures,
            None => sums.push((word, group.failures)),
        }
    }
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    if let [(word, _)] = &sums[..] {
        return word.clone();
    }
    let each = sums.iter().map(|(word, sum)| format!("{sum} {word}"));
    each.collect::<Vec<_>>().join(", ")
}
