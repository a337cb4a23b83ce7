//! What is said of a target: how far it is proven, what that rests on, and what more it would take.

use super::proof::{in_chains, length_us, rises, trend};
use super::words::name;
use super::{Candidate, Choice};
use crate::report::sizing::{is_as_large, is_like};
use crate::report::summary::{Summary, SummaryRow, TimeRow};
use crate::report::time::{at_least, span};
use crate::stats::rate::mtbf_low;
use crate::stats::{Trend, share_high};
use crate::sweep::{Ready, Target};

/// How sure it is, in words: of the kind of stream that bears least witness, of `kinds`.
pub(super) fn sure(ready: &Ready, target: Target, row: &SummaryRow, kinds: usize) -> String {
    let each = if kinds > 1 { format!(" of each of {kinds} kinds") } else { String::new() };
    let Some(length_us) = length_us(ready, row) else {
        let what = if row.lost == 0 { "passes" } else { "fails" };
        return format!("one stream {what}: it says nothing about others");
    };
    let Some(time) = &row.time else {
        return "the race left it out: it cannot be the answer with another kind of stream".into();
    };
    let seen = &time.evidence;
    let length = span(length_us as f64);
    let so_far = if row.dropped { ", where the race dropped it" } else { "" };
    let streams = match seen.failed {
        0 => format!("none of {} streams{each} of {length} of board time fails", seen.streams),
        failed => format!(
            "{failed} of {} streams of {length} of board time fail{so_far}, after {} at risk",
            seen.streams,
            span(seen.at_risk_us as f64)
        ),
    };
    match target {
        Target::FailingPerDay(_) if target.is_within(length_us) => {
            let most = share_high(seen.failed_in_a_day, seen.streams);
            format!("{streams}; by itself that is at most {:.2} % in a day, at 95 %", most * 100.0)
        }
        _ => format!("{streams}; by itself that is an MTBF of at least {}, at 95 %", mtbf(time)),
    }
}

fn mtbf(time: &TimeRow) -> String {
    at_least(mtbf_low(time.evidence.failed, time.evidence.at_risk_us as f64))
}

/// What has to be known beside a choice by a target.
pub(super) fn notes(ready: &Ready, summary: &Summary, choice: &Choice) -> Vec<String> {
    let Some(target) = ready.plan.target else { return Vec::new() };
    let mut notes = vec![whole(ready, target, choice)];
    notes.extend(constant_hazard(ready, summary, choice, target));
    notes.extend(raced(ready, summary));
    notes
}

/// The 95 % are of the choice, not of each configuration.
fn whole(ready: &Ready, target: Target, choice: &Choice) -> String {
    let chains = in_chains(ready, &choice.ranked).len();
    let shared = match chains {
        1 => String::new(),
        _ => {
            format!(", shared by {chains} such orders, one for each cap, policy and kind of board")
        }
    };
    format!(
        "target {target}: the 95 % hold for the choice as a whole; sizes are tested in fixed order \
         from the dearest down, up to the first that is not proven{shared}"
    )
}

/// A target that is longer than a stream rests on a constant hazard: what speaks for it.
fn constant_hazard(
    ready: &Ready,
    summary: &Summary,
    choice: &Choice,
    target: Target,
) -> Option<String> {
    let one = &choice.ranked[choice.chosen.unwrap_or(0)];
    let row = &summary.rows[one.worst_row];
    let length_us = length_us(ready, row).filter(|length_us| !target.is_within(*length_us))?;
    let rests = format!(
        "target {target} is longer than a stream of {}, so the answer rests on a constant hazard",
        span(length_us as f64)
    );
    Some(match nearby(ready, summary, choice, one) {
        Some((other, trend)) => {
            let (early, late) = (trend.early, trend.late);
            let verdict = match rises(trend) {
                true => "it rises: nothing is extrapolated, take streams as long as the target",
                false => "no sign that it rises",
            };
            format!(
                "{rests}: of {} {} streams fail first in the first half of that time ({} at risk), \
                 {} in the second ({}); p = {:.2}, {verdict}",
                name(ready, other),
                early.failures,
                span(early.at_risk),
                late.failures,
                span(late.at_risk),
                trend.p_rising
            )
        }
        None => format!(
            "{rests}; no smaller board lasted long and failed often enough to show it: take streams as long as the \
             target"
        ),
    })
}

/// The trend of the candidate itself, or of the next smaller board with enough first failures.
fn nearby<'a>(
    ready: &Ready,
    summary: &'a Summary,
    choice: &'a Choice,
    one: &'a Candidate,
) -> Option<(&'a Candidate, &'a Trend)> {
    let boards = &ready.plan.boards;
    let follows = |other: &&Candidate| match (other.board, one.board) {
        (Some(other), Some(own)) => {
            is_like(&boards[other], &boards[own]) && is_as_large(&boards[own], &boards[other])
        }
        (other, own) => other == own,
    };
    let same = |other: &&Candidate| (other.cap, other.policy) == (one.cap, one.policy);
    let mut others: Vec<_> = choice.ranked.iter().filter(same).filter(follows).collect();
    others.sort_by_key(|other| std::cmp::Reverse(other.pages));
    others
        .into_iter()
        .find_map(|other| Some((other, trend(ready, &summary.rows[other.worst_row])?)))
}

/// How much of the plan the race ran.
fn raced(ready: &Ready, summary: &Summary) -> Option<String> {
    let dropped = summary.rows.iter().filter(|row| row.dropped).count();
    let plan = &ready.plan;
    let planned = summary.rows.iter().filter_map(|row| {
        let stream = &plan.streams[row.at.stream];
        Some(stream.drawn_us()? as f64 * plan.seeds_of(stream) as f64)
    });
    let planned: f64 = planned.sum();
    let timed = summary.rows.iter().filter(|row| length_us(ready, row).is_some());
    let run = timed.filter_map(|row| Some(row.time.as_ref()?.board_time_us as f64)).sum::<f64>();
    (planned > 0.0).then(|| {
        format!(
            "the race ran {} of board time in place of {}, and dropped {dropped} of {} rows of the \
             summary; that a smaller board fails spared a larger one nothing",
            span(run),
            span(planned),
            summary.rows.len()
        )
    })
}
