//! What proving a target would take, where time is all that lacks.

use super::proof::{in_chains, length_us};
use super::{Candidate, Choice, Verdict};
use crate::answer::summary::{Summary, SummaryRow};
use crate::stats::rate::{MISS, at_risk_needed_at};
use crate::stats::share_p;
use crate::sweep::{Length, Ready, Target};

/// What it would take to prove the target of a candidate that is not proven, did no further stream
/// fail.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct More {
    /// Board time to run for each kind of stream, in microseconds: streams that went well are run
    /// again from their start.
    pub board_us: f64,
    /// About so many ops, of all kinds.
    pub ops: f64,
    /// Streams, as many as the plan has or more.
    pub seeds: u64,
    /// Length of each in microseconds, as in the plan or longer.
    pub length_us: f64,
}

/// The most streams that are asked for.
const MOST_SEEDS: u64 = 1_000_000;

/// What lacks the candidate that comes nearest. None where a target is met, where it is missed, or
/// where more of the same would not do.
pub(super) fn more(ready: &Ready, summary: &Summary, choice: &Choice) -> Option<More> {
    let target = ready.plan.target.filter(|_| choice.verdict == Verdict::NotMet)?;
    let chains = in_chains(ready, &choice.ranked);
    let miss = MISS / chains.len() as f64;
    // In each chain the dearest that is not proven is in the way of the others.
    let first = |chain: &Vec<usize>| {
        chain.iter().map(|&index| &choice.ranked[index]).find(|one| !one.meets)
    };
    let p = |one: &Candidate| one.p.unwrap_or(1.0);
    let nearest = chains.iter().filter_map(first).min_by(|a, b| p(a).total_cmp(&p(b)))?;
    if nearest.ages || nearest.unaligned || nearest.flagged {
        return None;
    }
    let row = &summary.rows[nearest.worst_row];
    let (length, time) = (length_us(ready, row)?, row.time.as_ref()?);
    let seen = &time.evidence;
    if seen.p_missed(target, length) <= MISS {
        return None;
    }
    let planned = ready.plan.seeds;
    let (seeds, length_us) = match target {
        Target::FailingPerDay(share) if target.is_within(length) => {
            let mut seeds = planned;
            while share_p(seen.failed_in_a_day, seeds, share) > miss {
                seeds += seeds / 16 + 1;
            }
            (seeds, length as f64)
        }
        _ => {
            let needed = at_risk_needed_at(seen.failed, target.mtbf_us(), miss);
            let well = planned.checked_sub(seen.failed).filter(|well| *well > 0)?;
            let left = planned.saturating_sub(seen.streams).saturating_mul(length);
            let lacking = needed - (seen.at_risk_us as f64 + left as f64);
            // Whole hours, so that it can be written down.
            let hour = Length::HOUR_US as f64;
            let each = length as f64 + lacking.max(0.0) / well as f64;
            (planned, libm::ceil(each / hour - 1e-9) * hour)
        }
    };
    if seeds > MOST_SEEDS || (seeds == planned && length_us <= length as f64) {
        return None;
    }
    let board_us = seeds.saturating_sub(seen.failed) as f64 * length_us;
    // Of all kinds of stream, each at its own pace.
    let like = |row: &&SummaryRow| {
        (row.at.board, row.at.cap, row.policy) == (nearest.board, nearest.cap, nearest.policy)
    };
    let times = summary.rows.iter().filter(like).filter_map(|row| row.time.as_ref());
    let each = times.map(|time| time.ops as f64 / (time.board_time_us as f64).max(1.0));
    Some(More { board_us, ops: board_us * each.sum::<f64>(), seeds, length_us })
}
