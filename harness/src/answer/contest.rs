//! Caps and policies beside each other over all streams of a plan: which withholds least, where none
//! keeps every stream whole.

use super::choice::Kconfig;
use super::compared::Compared;
use super::summary::{BLAME, Summary, SummaryRow};
use crate::ingest::DEFAULT_CAP;
use crate::sweep::Ready;

/// All caps and policies of a plan, compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Contest {
    /// Kinds of streams in which all have a rate: a stream at a LOAD, on a board and its pages.
    pub kinds: usize,
    /// What they are held against: the policy of the kernel, where the plan has it, at its first cap.
    pub base: (usize, usize),
    /// The best of those that take no patch of the kernel; none where the plan has none.
    pub unpatched: Option<Standing>,
    /// The best of all.
    pub best: Standing,
}

/// One of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Standing {
    /// The cap, an index into the plan.
    pub cap: usize,
    /// The policy, an index into the plan.
    pub policy: usize,
    /// Kinds of streams in which it withholds less than the base.
    pub less: usize,
    /// Kinds in which it withholds as much.
    pub same: usize,
    /// Kinds in which it withholds more, or refuses more of some size than the policy of the kernel.
    pub more: usize,
    /// Its mean place among all in the kinds of streams, from 1 on: no rate is averaged over LOADs.
    pub place: f64,
    changes: usize,
    is_patch: bool,
}

/// What a row is ordered by: one that looks good by refusing some size comes after those that do not.
fn order(row: &SummaryRow) -> Option<(bool, f64)> {
    Some((!row.worse_classes.is_empty(), row.rates[BLAME].mean?))
}

/// Compares them; none where there is nothing to compare.
pub fn contest(ready: &Ready, summary: &Summary) -> Option<Contest> {
    let plan = &ready.plan;
    let base = (0, summary.baseline.unwrap_or(0));
    let of = |block: &Compared<'_>| -> Option<Vec<(bool, f64)>> {
        let rows = (0..plan.caps.len()).flat_map(|cap| block.of_cap(cap));
        rows.filter(|row| ready.aligned[row.policy]).map(order).collect()
    };
    let kinds: Vec<_> = Compared::all(ready, summary).filter_map(|block| of(&block)).collect();
    let each = (0..plan.caps.len()).flat_map(|cap| (0..plan.policies.len()).map(move |p| (cap, p)));
    let each: Vec<_> = each.filter(|(_, policy)| ready.aligned[*policy]).collect();
    let at_base = each.iter().position(|one| *one == base)?;
    if each.len() < 2 || kinds.is_empty() {
        return None;
    }
    let standings = each.iter().enumerate().map(|(own, &(cap, policy))| {
        let against = |kind: &Vec<(bool, f64)>| compare(kind[own], kind[at_base]);
        let count = |wanted| kinds.iter().filter(|kind| against(kind) == wanted).count();
        let places = kinds.iter().map(|kind| place(kind, own));
        let is_kernels = summary.baseline == Some(policy);
        Standing {
            cap,
            policy,
            less: count(std::cmp::Ordering::Less),
            same: count(std::cmp::Ordering::Equal),
            more: count(std::cmp::Ordering::Greater),
            place: places.sum::<f64>() / kinds.len() as f64,
            changes: usize::from(plan.caps[cap] != DEFAULT_CAP) + usize::from(!is_kernels),
            is_patch: !is_kernels || Kconfig::of(plan.caps[cap]) == Kconfig::None,
        }
    });
    let mut standings: Vec<_> = standings.collect();
    // Of equals the one that needs least change, then the first of the plan.
    standings.sort_by(|a, b| a.place.total_cmp(&b.place).then(a.changes.cmp(&b.changes)));
    let unpatched = standings.iter().find(|one| !one.is_patch).cloned();
    Some(Contest { kinds: kinds.len(), base, unpatched, best: standings.swap_remove(0) })
}

fn compare(own: (bool, f64), other: (bool, f64)) -> std::cmp::Ordering {
    own.0.cmp(&other.0).then(own.1.total_cmp(&other.1))
}

/// The place of one among all of a kind, from 1 on; equals share theirs.
fn place(kind: &[(bool, f64)], own: usize) -> f64 {
    let count = |wanted| kind.iter().filter(|one| compare(**one, kind[own]) == wanted).count();
    let (before, equals) = (count(std::cmp::Ordering::Less), count(std::cmp::Ordering::Equal));
    before as f64 + (equals as f64 + 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_share_a_place_and_what_refuses_some_size_comes_last() {
        let kind = [(false, 0.3), (false, 0.1), (true, 0.0), (false, 0.1)];
        let places = [0, 1, 2, 3].map(|own| place(&kind, own));
        assert_eq!(places, [3.0, 1.5, 4.0, 1.5]);
    }
}
