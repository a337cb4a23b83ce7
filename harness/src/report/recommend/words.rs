//! Changes and figures in words.

use crate::page::Page;
use crate::program;
use crate::recommend::{
    Base, Candidate, Evidence, Found, Lever, Outcome, SizeAlone, Task, Verdict, WhyNot, Work,
};
use crate::report::plain::clean;
use crate::span::{at_least, span};
use crate::stats::rate;
use crate::words::{counted, mib, mib_number, percent};

/// A time; of recordings a number of ops.
pub(super) fn time(us: f64, in_ops: bool) -> String {
    if in_ops { format!("{us:.0} ops") } else { span(us) }
}

fn least(us: f64, in_ops: bool) -> String {
    if in_ops { format!("{:.0} ops", us.floor()) } else { at_least(us) }
}

/// What is asked for: `mtbf=1d`, `one failure in 30000 ops`.
pub(super) fn target(task: &Task) -> String {
    match is_in_ops(task) {
        true => format!("one failure in {:.0} ops", task.target.mtbf_us()),
        false => task.target.to_string(),
    }
}

/// Whether times of a task are in ops.
pub(super) fn is_in_ops(task: &Task) -> bool {
    task.works.iter().any(Work::is_in_ops)
}

/// Whether all there is is one stream, which no seed changes.
pub(super) fn is_one(task: &Task) -> bool {
    !task.works.iter().any(Work::is_seeded)
}

/// How often a failure comes, with the interval: `a failure in 3.1 h (2 to 5.4 h)`, `less than one in
/// 32 d`.
pub(super) fn often(task: &Task, evidence: &Evidence) -> String {
    let in_ops = is_in_ops(task);
    // Its times are made up.
    if is_one(task) {
        return if evidence.failed == 0 { "none" } else { "every time" }.to_string();
    }
    let interval = evidence.interval(task.target, 0.05);
    let low = interval.low.unwrap_or(0.0);
    match (evidence.mtbf_us(), interval.high) {
        (None, _) => format!("less than one in {}", least(low, in_ops)),
        (Some(mean), Some(high)) => format!(
            "one in {} ({} to {})",
            time(mean, in_ops),
            time(low, in_ops),
            time(high, in_ops)
        ),
        (Some(mean), None) => {
            format!("one in {} (more than {})", time(mean, in_ops), least(low, in_ops))
        }
    }
}

/// What was watched for it: `28 failures in 28 streams, 17 s`, `none in 28 streams, 4.31 d`.
pub(super) fn seen(task: &Task, evidence: &Evidence) -> String {
    let failures = match evidence.failed {
        0 => "none".to_string(),
        failed => failed.to_string(),
    };
    format!(
        "{failures} in {}, {}",
        counted(evidence.streams, "stream"),
        time(evidence.at_risk_us, is_in_ops(task))
    )
}

/// The name of the area.
pub(super) fn area(base: &Base) -> String {
    base.name.as_deref().map_or_else(|| "the area".to_string(), clean)
}

/// A change: `vpu_pool 24 → 30 MiB`.
pub(super) fn lever(base: &Base, lever: &Lever) -> String {
    let page = base.ground.page;
    match lever {
        Lever::Size(pages) => match base.pages {
            Some(from) => {
                format!("{} {} → {}", area(base), number(from, page), mib(*pages, page))
            }
            None => format!("{} of {}", area(base), mib(*pages, page)),
        },
        Lever::Cap(cap) => format!("CONFIG_CMA_ALIGNMENT {} → {cap}", base.cap),
        Lever::Pool { clients, pages } => {
            let names: Vec<_> = clients.iter().map(|name| clean(name)).collect();
            format!("own pool of {} for {}", mib(*pages, page), names.join(", "))
        }
        Lever::Driver(proposal) => clean(&proposal.change.to_string()),
        Lever::Policy(policy) => format!("policy {policy}"),
    }
}

fn number(pages: u64, page: Page) -> String {
    mib_number(pages as f64, page)
}

/// All changes of a candidate.
pub(super) fn changes(base: &Base, candidate: &Candidate) -> String {
    match &candidate.levers[..] {
        [] => "as it is".to_string(),
        levers => levers.iter().map(|one| lever(base, one)).collect::<Vec<_>>().join(" + "),
    }
}

/// RAM more or less than now: `+6 MiB`, `as it is`.
pub(super) fn more(base: &Base, candidate: &Candidate) -> String {
    let (page, pages) = (base.ground.page, candidate.config.pages());
    match base.pages {
        None => mib(pages, page),
        Some(own) if pages > own => format!("+{}", mib(pages - own, page)),
        Some(own) if pages < own => format!("-{}", mib(own - pages, page)),
        Some(_) => "±0".to_string(),
    }
}

/// The answer in a sentence.
pub(super) fn headline(shown: &super::Shown<'_>) -> String {
    let super::Shown { task, advice, .. } = shown;
    let Some(found) = &advice.found else {
        let why = advice.why_not.map(|why| why_not(task, advice, why)).unwrap_or_default();
        return format!("cannot advise: {why}");
    };
    let now = found.baseline.map(|at| often(task, found.ranked[at].evidence()));
    let chosen = found.chosen.map(|at| &found.ranked[at]);
    match (found.outcome, chosen) {
        (Outcome::AsItIs, Some(one)) => format!(
            "nothing has to be changed for {}; failures: {}",
            target(task),
            often(task, one.evidence())
        ),
        (_, Some(one)) => {
            let was = now.map_or_else(String::new, |now| format!("{now} as it is, "));
            format!(
                "{}; failures: {was}{} then; RAM {}",
                changes(&task.base, one),
                often(task, one.evidence()),
                more(&task.base, one)
            )
        }
        (Outcome::Unproven, None) => format!(
            "nothing is proven to meet {} yet; --time 10min, or more --ops, may show more{}",
            target(task),
            now.map_or_else(String::new, |now| format!("; failures: {now} as it is"))
        ),
        (_, None) => format!(
            "nothing that may be changed meets {}: {}{}",
            target(task),
            because(task, found),
            now.map_or_else(String::new, |now| format!("; failures: {now} as it is"))
        ),
    }
}

/// Aligned LOAD at the cap of the board.
fn aligned(base: &Base, found: &Found) -> u64 {
    found.survey.aligned_load_pages.get(base.cap as usize).copied().unwrap_or(0)
}

/// Why nothing that may be changed helps.
fn because(task: &Task, found: &Found) -> String {
    let (base, page) = (&task.base, task.base.ground.page);
    let (load, most) = (found.survey.load_pages, found.most_pages);
    let aligned = aligned(base, found);
    let may = format!("no more than {} may be had", mib(most, page));
    if load > most {
        return format!(
            "LOAD is {}, and {may}: more RAM, or fewer buffers at once, are what is left",
            mib(load, page)
        );
    }
    if aligned > most {
        return format!(
            "aligned LOAD at cap {} is {}, and {may}: a smaller cap, or buffers without a page over, \
             are what is left",
            base.cap,
            mib(aligned, page)
        );
    }
    match found.size {
        SizeAlone::None => {
            format!("sizes up to {} do not, nor what else was tried", mib(most, page))
        }
        SizeAlone::Least(pages) => {
            format!("{} would, and the size must stay (--leave)", mib(pages, page))
        }
        SizeAlone::Open => "the search ended before it was known".to_string(),
    }
}

/// Why nothing is advised.
pub(super) fn why_not(task: &Task, advice: &crate::recommend::Advice, why: WhyNot) -> String {
    match why {
        WhyNot::NotReproduced(work) => format!(
            "streams drawn from {} do not fail as it did ({}); a longer trace, of the same board and \
             with all who ask in it, may do: sh collect.sh -t 600",
            clean(&task.works[work].name),
            advice.reproduced[work].as_ref().map(reproduced).unwrap_or_default()
        ),
        WhyNot::Grows { work, pages_per_hour } => {
            let page = task.base.ground.page;
            let free = task.base.pages.unwrap_or(0);
            let until = match (free, pages_per_hour) {
                (0, _) | (_, 0) => String::new(),
                (free, each) => format!(
                    ": an area of {}, empty at first, is full after {} at the latest",
                    mib(free, page),
                    time(free as f64 / each as f64 * 3.6e9, is_in_ops(task))
                ),
            };
            format!(
                "{} shows a client that asks for {} an hour and gives nothing back to its end, which \
                 no size holds for good{until}; find who leaks (`{} diagnose`), or record until \
                 it gives back",
                clean(&task.works[work].name),
                mib(pages_per_hour, page),
                program::name()
            )
        }
        WhyNot::TooShort { work, sessions, record_us } => {
            let name = clean(&task.works[work].name);
            let sessions = counted(sessions, "session");
            let longer = match record_us {
                Some(us) => format!("record {} or longer", time(us as f64, is_in_ops(task))),
                None => "record until what is asked for goes back, several times".to_string(),
            };
            format!(
                "{name} has {sessions} that came to an end, too few to draw other streams from; {longer}\
                 {}",
                alone(task, work)
            )
        }
    }
}

/// What a file shows by itself, where it says how its requests ended.
fn alone(task: &Task, work: usize) -> String {
    let in_ops = is_in_ops(task);
    let fit = task.works[work].fit().filter(|fit| fit.has_outcomes() && fit.end_us() > 0);
    let Some(fit) = fit else { return String::new() };
    let (asked, end_us) = (fit.recorded().all(), fit.end_us() as f64);
    match asked.refused {
        0 => format!(
            ". Alone it shows, at 95 %, that failures come less than one in {} as it is",
            least(rate::mtbf_low(0, end_us), in_ops)
        ),
        refused => format!(
            ". In its {} {} of {} were refused",
            time(end_us, in_ops),
            refused,
            counted(asked.requests, "request")
        ),
    }
}

/// What a file has, and what streams drawn from it have.
pub(super) fn reproduced(shown: &crate::reproduce::Reproduction) -> String {
    let share = |share: f64| crate::words::percent(share, 1);
    let refused = &shown.refused;
    let recorded = refused.recorded.map_or("?".to_string(), share);
    let modelled = refused.predicted.map_or("?".to_string(), share);
    let range = refused
        .range
        .map_or_else(String::new, |(low, high)| format!(" ({} to {})", share(low), share(high)));
    format!("{recorded} of its requests were refused, {modelled}{range} of those of streams")
}

/// How much of its time a board does what; none where that is one thing.
pub(super) fn shares(task: &Task) -> Option<String> {
    let all: f64 = task.works.iter().map(|work| work.weight).sum();
    let share = |work: &Work| {
        format!("{} {} of the time", clean(&work.name), percent(work.weight / all, 0))
    };
    let shares = task.works.iter().map(share);
    (task.works.len() > 1).then(|| shares.collect::<Vec<_>>().join(", "))
}

/// Whether streams of a work fail as its file did.
pub(super) fn held(work: &Work, held: Option<&crate::reproduce::Reproduction>) -> String {
    let name = clean(&work.name);
    match held {
        Some(held) if held.is_known() => format!("{name}: {}", reproduced(held)),
        _ if work.fit().is_none() => {
            format!("{name} is no record of a board: there is nothing to hold its streams against")
        }
        _ => {
            format!("{name} does not say how its requests ended: nothing to hold streams against")
        }
    }
}

/// What any area needs.
pub(super) fn asked_for(base: &Base, found: &Found) -> String {
    let (cap, page) = (base.cap, base.ground.page);
    let aligned = found.survey.aligned_load_pages.get(cap as usize).copied().unwrap_or(0);
    format!(
        "LOAD {}, aligned LOAD {} at cap {cap}: no area below that can do, whatever the policy",
        mib(found.survey.load_pages, page),
        mib(aligned, page)
    )
}

/// What the size alone does.
pub(super) fn size_alone(base: &Base, found: &Found) -> String {
    let (cap, page) = (base.cap, base.ground.page);
    match found.size {
        SizeAlone::Least(pages) => match proven(found) {
            Some(pages) => format!(
                "at cap {cap} {} meet the target, as all larger sizes do that were tried",
                mib(pages, page)
            ),
            None => format!(
                "at cap {cap} {} seem enough, as all larger sizes do that were tried (not proven)",
                mib(pages, page)
            ),
        },
        SizeAlone::None if aligned(base, found) > found.most_pages => {
            format!("no more than {} may be had", mib(found.most_pages, page))
        }
        SizeAlone::None if base.pages.is_some_and(|own| own >= found.most_pages) => {
            format!(
                "no larger area may be, and up to {} is not enough",
                mib(found.most_pages, page)
            )
        }
        SizeAlone::None => format!(
            "more memory is no remedy: at cap {cap} no size up to {} meets the target{}",
            mib(found.most_pages, page),
            if found.follows_area { ": who asks fills whatever area there is" } else { "" }
        ),
        SizeAlone::Open => "not known: the search ended before it came to that".to_string(),
    }
}

/// The least size that fresh streams show to be enough alone.
fn proven(found: &Found) -> Option<u64> {
    let sizes = found.ranked.iter().filter_map(|one| match one.levers[..] {
        [Lever::Size(pages)] if one.verdict == Verdict::Meets && one.proven.streams > 0 => {
            Some(pages)
        }
        _ => None,
    });
    sizes.min()
}

/// What it rests on.
pub(super) fn rests_on(task: &Task, found: &Found) -> String {
    let cut =
        if found.is_cut { "; it ended before everything was tried (--time, --ops)" } else { "" };
    let files = task.works.iter().filter_map(Work::fit);
    let seen_us =
        files.map(|fit| fit.end_us()).max().filter(|us| (*us as f64) < task.target.mtbf_us());
    let seen = seen_us.map_or_else(String::new, |us| {
        format!(
            ". The input covers {}: what comes less often than that was not seen, and is the model's",
            time(us as f64, is_in_ops(task))
        )
    });
    format!(
        "{} run{cut}; streams of {} each, started anew after a failure, so that what takes longer to \
         come is not seen; a model of what the board does, whose pages all can be moved: its intervals \
         are of the model{seen}. * is the least RAM that the board's configuration alone makes do with",
        counted(found.ops, "op"),
        time(found.length_us as f64, is_in_ops(task)),
    )
}
