//! What a choice says.

use super::candidate::interval;
use super::needs::{PATCH, size};
use super::{Candidate, Choice, Scope, Verdict, target};
use crate::report::summary::{Summary, SummaryRow};
use crate::sweep::Ready;

/// A configuration in a few words: `384 MiB (board one), cap 4, policy kernel`.
pub(in crate::report) fn name(ready: &Ready, candidate: &Candidate) -> String {
    let plan = &ready.plan;
    let board = candidate.board.map(|board| &plan.boards[board]);
    let board = board.map(|board| {
        let pools = match board.areas.len() {
            1 => String::new(),
            areas => format!(", {areas} areas"),
        };
        format!(" (board {}{pools})", board.name)
    });
    let (cap, policy) = (plan.caps[candidate.cap], &plan.policies[candidate.policy]);
    format!("{}{}, cap {cap}, policy {policy}", size(candidate.pages), board.unwrap_or_default())
}

pub(super) fn sentence(ready: &Ready, choice: &Choice) -> String {
    let first = &choice.ranked[0];
    let nearest = || format!("nearest comes {}: {}", name(ready, first), first.sure);
    match choice.verdict {
        Verdict::Met => format!("choose {}: {}{}", name(ready, first), first.sure, why(choice)),
        Verdict::NotMet => match ready.plan.target {
            Some(target) => {
                format!("no configuration of the plan is proven to meet {target}; {}", nearest())
            }
            None => format!("no configuration of the plan keeps all streams whole; {}", nearest()),
        },
        Verdict::Structural => format!(
            "no configuration of the plan can: everywhere some stream needs more aligned pages \
             than there are, whatever the placement policy; take a larger area, a lower cap, or a \
             pool of its own for what is large; {}",
            nearest()
        ),
        Verdict::Overloaded => {
            let load = |one: &Candidate| one.rho.map(|rho| rho * one.pages as f64);
            let most = choice.ranked.iter().filter_map(load).max_by(f64::total_cmp);
            format!(
                "no configuration of the plan can: a stream has up to {} live at once, which is \
                 more than any area that was tried; take a larger one",
                size(most.unwrap_or(0.0).round() as u64)
            )
        }
    }
}

/// Why this one and not the next.
fn why(choice: &Choice) -> String {
    let first = &choice.ranked[0];
    // What only a patch gives is told of in the notes.
    let alike = |other: &&Candidate| other.needs_patch() <= first.needs_patch();
    let others = choice.ranked[1..].iter().filter(|other| other.is_eligible()).filter(alike);
    let Some(next) = others.min_by_key(|other| (other.pages, other.changes)) else {
        return "; nothing else of the plan does".to_string();
    };
    if next.pages > first.pages {
        return format!("; the next that does takes {} more", size(next.pages - first.pages));
    }
    match next.changes > first.changes {
        true => "; it is the smallest that does, and needs least change".to_string(),
        false => "; it is one of the smallest that do".to_string(),
    }
}

/// What has to be known beside a choice.
pub(super) fn notes(ready: &Ready, summary: &Summary, choice: &Choice) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(with_less_change(ready, choice));
    notes.extend(with_a_patch(ready, choice));
    notes.extend(ladder_note(choice));
    notes.extend(selection_note(ready, summary, choice));
    notes.extend(target::notes(ready, summary, choice));
    notes.extend(choice.more.map(|more| more.sentence(ready)));
    notes.extend(passed_over(ready, choice));
    let rows = || choice.ranked.iter().map(|one| &summary.rows[one.worst_row]);
    if rows().any(|row| ready.plan.streams[row.at.stream].profile().is_some()) {
        let text = "model: the streams are made by profiles; another board's streams differ";
        notes.push(text.to_string());
    }
    let mut short = rows().filter_map(|row| Some((row, row.falls_short(ready)?)));
    if let Some((row, load)) = short.next() {
        let stream = ready.plan.streams[row.at.stream].name();
        notes.push(format!(
            "{stream} does not reach its LOAD, but {:.1} % of all pages: its ops are too few, or it \
             has no more clients",
            load * 100.0
        ));
    }
    let environment = |row: &SummaryRow| &ready.plan.environments[row.at.environment];
    if rows().any(|row| environment(row).entry().is_model) {
        let text = "model: what claims meet in the pages, and how long they take; no board was \
                    measured";
        notes.push(text.to_string());
    }
    if rows().any(|row| row.stopped) {
        let text = "the sweep could be stopped early: intervals of the share of failing streams, \
                    and tests, hold at whatever time it stops; those of means and medians do not \
                    allow for it";
        notes.push(text.to_string());
    }
    if choice.scope == Scope::Together {
        let apart = summary.rows.iter().filter(|row| row.at.board.is_none());
        let mut streams: Vec<_> = apart.map(|row| row.at.stream).collect();
        streams.dedup();
        if !streams.is_empty() {
            notes.push(match streams.len() {
                1 => "1 stream runs on the area that it states, not on the boards".to_string(),
                count => format!("{count} streams run on areas that they state, not on the boards"),
            });
        }
    }
    notes
}

/// What does without a patch of the kernel, and with nothing but the size of the area changed,
/// where the choice needs more: the cheapest in RAM of each.
fn with_less_change(ready: &Ready, choice: &Choice) -> Vec<String> {
    let Some(chosen) = choice.chosen.map(|index| &choice.ranked[index]) else { return Vec::new() };
    let alternative = |most: u32, without: &str| {
        let mut others = choice.ranked.iter().filter(|one| one.is_eligible());
        // Those with as much change are ranked by RAM.
        let found = others.find(|one| one.changes <= most);
        (chosen.changes > most).then(|| match found {
            Some(one) => format!(
                "{without}: {}, {} more",
                name(ready, one),
                size(one.pages.saturating_sub(chosen.pages))
            ),
            None => format!("{without}: nothing that was tried does"),
        })
    };
    let patch = alternative(PATCH - 1, "without a patch of the kernel");
    let nothing = alternative(0, "with nothing but the size of one area changed");
    patch.into_iter().chain(nothing).collect()
}

/// What a patch of the kernel would save.
fn with_a_patch(ready: &Ready, choice: &Choice) -> Option<String> {
    let chosen = choice.chosen.map(|index| &choice.ranked[index])?;
    let patched = choice.ranked.iter().filter(|one| one.is_eligible() && one.needs_patch());
    let least = patched.min_by_key(|one| (one.pages, one.changes))?;
    let saved = chosen.pages.checked_sub(least.pages).filter(|saved| *saved > 0)?;
    Some(format!(
        "with a patch of the kernel: {}, {} less ({})",
        name(ready, least),
        size(saved),
        least.needs.join("; ")
    ))
}

/// What the sizes that were tried leave open.
fn ladder_note(choice: &Choice) -> Option<String> {
    let first = &choice.ranked[0];
    let pages = || choice.ranked.iter().map(|one| one.pages);
    if pages().min() == pages().max() {
        return Some(
            "all boards are of one size: what less, or more, would do was not tried".into(),
        );
    }
    (choice.verdict == Verdict::Met && first.pages_above_smallest == 0)
        .then(|| "the smallest board that was tried does: a smaller one may do too".to_string())
}

/// The best of many was chosen with the same streams by which it is judged.
fn selection_note(ready: &Ready, summary: &Summary, choice: &Choice) -> Option<String> {
    let first = &choice.ranked[0];
    let single = first.streams <= 1 || choice.ranked.len() == 1;
    // With a target the choice as a whole is what is proven.
    if choice.verdict != Verdict::Met || single || ready.plan.target.is_some() {
        return None;
    }
    let (all, plan) = (choice.ranked.len(), &ready.plan);
    // None of its streams fails, so kinds need no correction: see where it is judged.
    let high = interval(&summary.rows[first.worst_row], all).high?;
    let seeds = summary.rows.iter().map(|row| row.streams).max().unwrap_or(1);
    Some(format!(
        "chosen as the best of {all}: for all of them at once the streams allow {:.1} %; confirm \
         it with streams that it was not chosen by: --seed {}",
        high * 100.0,
        plan.seed.saturating_add(seeds.max(plan.seeds)),
    ))
}

/// What meets the target but is not chosen, though smaller.
fn passed_over(ready: &Ready, choice: &Choice) -> Vec<String> {
    let chosen = choice.chosen.map(|index| choice.ranked[index].pages);
    let cheaper = |one: &&Candidate| one.meets && chosen.is_none_or(|pages| one.pages < pages);
    let not = choice.ranked.iter().filter(|one| !one.is_eligible()).filter(cheaper);
    let reason = |one: &Candidate| {
        let why = if one.unaligned {
            "it grants what is not aligned"
        } else if one.flagged {
            "it refuses more requests of some size than the kernel's policy"
        } else {
            "a larger area fails, so that it may pass by luck"
        };
        format!("not chosen: {}; {why}", name(ready, one))
    };
    not.take(3).map(reason).collect()
}
