//! The one thing to do now, without building a kernel. It is chosen from what is said below it.

use std::collections::BTreeSet;

use super::super::board;
use super::super::groups::{Report, Shown};
use super::super::plain::{clean, counted};
use super::advice::amount;
use super::who::name;
use super::{aside, boot, recommended};
use crate::boot::Story;
use crate::cause::Cause;
use crate::diagnose::{
    Advice, Cap, Confidence, Diagnosis, Failure, Grow, Missing, Outcome, Pages, SizeBy, What, Why,
};
use crate::program::named;
use crate::words::{pages, size_cells};

/// What shows the rest of it, whatever the kernel is (`cli/collect`).
const COLLECT: &str = "run what `cmalab collect` prints as root on the board while it fails \
                       (`sh collect.sh -t 60 > board.txt`), then `cmalab diagnose board.txt`";

/// The step, in lower case and without its full stop.
pub(in crate::report::diagnosis) fn act(report: &Report<'_>) -> Option<String> {
    if report.groups.is_empty() {
        return without_failure(report.diagnosis);
    }
    let (story, area) = (&report.diagnosis.boot, super::headline::area(report));
    boot::act_concerning(story, area)
        .or_else(|| boot::act_default(story).filter(|_| asks_anything(report)))
        .or_else(|| for_failures(report))
}

/// Whether nothing says which area the first failures asked, nor shows that it is there: it may be
/// missing.
fn asks_anything(report: &Report<'_>) -> bool {
    let failure = report.groups.first().map(|shown| &shown.group.first);
    let is_open = |failure: &Failure| matches!(failure.verdict, None | Some(Cause::TooLarge));
    failure.is_some_and(|one| one.incident.area.is_none() && is_open(one) && one.list.is_none())
}

/// The one cap to try, where kinds of failures have several that help.
pub(in crate::report::diagnosis) fn one_cap(report: &Report<'_>) -> Option<String> {
    let advice = report.groups.iter().flat_map(|shown| &shown.advice).filter(|one| one.helps);
    let caps = advice.filter_map(|one| match one.what {
        What::SmallerCap(Cap::Fits { cap, .. } | Cap::FromBoot { cap, .. }) => Some(cap),
        _ => None,
    });
    let caps: BTreeSet<u32> = caps.collect();
    let least = caps.first().filter(|_| caps.len() > 1)?;
    Some(format!(
        "of these caps CONFIG_CMA_ALIGNMENT={least} does what each of them does, since what fits at an \
         order fits at every smaller one. That assumes requests like those in this text, and needs a \
         rebuilt kernel; an area of its own does not."
    ))
}

/// What helps the most frequent failures of which it is known why, else what shows why.
fn for_failures(report: &Report<'_>) -> Option<String> {
    let open = || report.groups.iter().filter(|shown| !is_served(shown));
    let told = |shown: &&Shown<'_>| !shown.group.is_hidden();
    // What the rate limit hid is most likely as what it left.
    let is_any_told = report.groups.iter().any(|shown| told(&shown));
    if is_any_told && open().all(|shown| shown.group.is_hidden()) {
        return served(report);
    }
    // What a driver complains of comes first, and a task that was being killed last.
    let mut order: Vec<&Shown<'_>> = open().collect();
    order.sort_by_key(|shown| {
        let first = &shown.group.first;
        let is_killed = first.verdict == Some(Cause::Interrupted);
        (is_killed, !is_killed && first.incident.outcome != Outcome::Reported)
    });
    let first = order.first().copied()?;
    let is_killed = |shown: &Shown<'_>| shown.group.first.verdict == Some(Cause::Interrupted);
    let of_use = |shown: &&Shown<'_>| told(shown) && (is_killed(first) || !is_killed(shown));
    let known = order
        .iter()
        .copied()
        .filter(of_use)
        .find_map(|shown| Some((shown, known(shown, &report.diagnosis.boot)?)));
    let Some((shown, (what, text))) = known else {
        return unknown(first, &report.diagnosis.boot);
    };
    // Where CMA holds the free memory no area should grow before it is known who uses them.
    let takes_memory = matches!(what, What::BiggerArea(_) | What::OwnPool { .. });
    if let Some(measure) = aside::act_held(report.diagnosis).filter(|_| takes_memory) {
        return Some(format!("before any area grows, {measure}"));
    }
    let others = open().filter(|other| other.group.first.incident.count.is_some());
    let count = shown.group.first.incident.count;
    let is_one = others.clone().all(|other| other.group.first.incident.count == count);
    let of = match count {
        Some(count) if !is_one && report.beyond == 0 => format!("for the {}: ", pages(count)),
        _ => String::new(),
    };
    Some(format!("{}{of}{text}", unless_harmless(shown)))
}

/// Whether the page allocator served all of them, as far as that can be said.
fn is_served(shown: &Shown<'_>) -> bool {
    let group = shown.group;
    let is_likely = matches!(group.first.incident.outcome,
        Outcome::Served(sure) if sure > Confidence::Guess);
    is_likely && group.same_outcome == group.failures && group.unreported == group.failures
}

/// The page allocator served all there is, or all of which the line is there.
fn served(report: &Report<'_>) -> Option<String> {
    let outcomes = report.groups.iter().map(|shown| shown.group.first.incident.outcome);
    let sure = outcomes.filter_map(Outcome::confidence).min().filter(|_| report.beyond == 0)?;
    let is_hidden = report.groups.iter().any(|shown| shown.group.is_hidden());
    let far = if is_hidden { ", as far as their lines are in the text" } else { "" };
    Some(format!(
        "nothing, unless something does not work: the page allocator served these requests ({}){far}",
        sure.name()
    ))
}

/// What comes first where no driver complained in a text that begins with the boot.
fn unless_harmless(shown: &Shown<'_>) -> &'static str {
    let group = shown.group;
    let is_quiet = shown.from_boot && group.unreported == group.failures;
    match group.first.incident.outcome {
        Outcome::Unknown if is_quiet => "if something does not work, since no driver reported it: ",
        _ => "",
    }
}

/// The first thing that helps and needs no other kernel.
fn known(shown: &Shown<'_>, boot: &Story) -> Option<(What, String)> {
    let failure = &shown.group.first;
    let verdict = failure.verdict.filter(|_| failure.confidence > Confidence::Guess)?;
    if verdict == Cause::Interrupted {
        let text = "nothing: the task was being killed".to_string();
        return Some((What::Nothing { killed: true }, text));
    }
    if let Some(text) = keeper(failure) {
        let (blocks, pages) = (0, Pages(0));
        return Some((What::FewerBuffers { blocks, count: pages, pages }, text));
    }
    let mut steps: Vec<_> = shown.advice.iter().filter(|one| one.helps).collect();
    // A node of the device tree is in more hands than the sizes that a driver asks for.
    steps.sort_by_key(|one| !matches!(one.what, What::OwnPool { .. }));
    steps.iter().find_map(|one| Some((one.what, step(one, shown, boot)?)))
}

/// Who has to give something back, where a trace shows a task that keeps half of the area.
fn keeper(failure: &Failure) -> Option<String> {
    let Why::HeldByTrace { total, .. } = failure.why else { return None };
    let most = failure.incident.who.holders.first().filter(|most| most.pages >= total / 2)?;
    Some(format!(
        "find out why {} gives nothing back: it holds {} in {} of this trace",
        name(&most.task),
        pages(most.pages),
        counted(most.buffers, "buffer")
    ))
}

/// A piece of advice as one step; nothing of what needs another kernel.
fn step(one: &Advice, shown: &Shown<'_>, boot: &Story) -> Option<String> {
    let amount = |count| amount(count, one.page_bytes);
    let incident = &shown.group.first.incident;
    Some(match one.what {
        What::BiggerArea(Grow::ForLoad { size: Some(size), .. }) => area_of(size, one, boot)?,
        What::BiggerArea(Grow::ForMore { size: Some(size), .. }) => {
            format!("{}, or find out who holds it", area_of(size, one, boot)?)
        }
        What::BiggerArea(Grow::ForRange { size, .. }) => {
            format!("{}, if the driver really needs this size", area_of(size, one, boot)?)
        }
        What::OwnPool { pool, pitch, .. } => {
            // A heap has no node that could name an area.
            let no_node = |name| matches!(name, "dma-heap" | "ion" | "hugetlb");
            if incident.who.caller.is_some_and(|caller| no_node(caller.name)) {
                return None;
            }
            let whom = incident.who.device.as_deref().map_or("the device".into(), clean);
            let size = size_cells(pool.0.saturating_mul(one.page_bytes));
            format!(
                "give {whom} an area of its own in the device tree, {} for each of its buffers that \
                 live at a time: {size} takes one",
                amount(pitch.0)
            )
        }
        What::ResidentSize { over, count, .. } => format!(
            "ask for {} less in each buffer of {count}, where the driver or the program can",
            amount(over.0)
        ),
        What::ShorterBuffer { over, .. } => format!(
            "ask for {} less in this buffer, where the driver or the program can",
            amount(over.0)
        ),
        What::KeepAllocated { count } => {
            format!("allocate {} once, at the start, and keep it", amount(count.0))
        }
        What::FewerBuffers { count, pages, .. } => {
            format!("find out who holds {pages} in buffers of {count}")
        }
        What::MoreMemory { .. } => {
            "free memory before the request (`echo 1 > /proc/sys/vm/drop_caches`), or raise \
             vm.min_free_kbytes"
                .to_string()
        }
        What::Retry { .. } => "ask again a little later, or empty the page cache before \
             (`echo 1 > /proc/sys/vm/drop_caches`)"
            .to_string(),
        _ => return None,
    })
}

/// The one place where the size of this area is set, as far as its name says.
fn area_of(count: u64, one: &Advice, boot: &Story) -> Option<String> {
    let bytes = count.checked_mul(one.page_bytes)?;
    if boot.memory.is_some_and(|memory| bytes > memory / 2) {
        return None;
    }
    let size = amount(count, one.page_bytes);
    let command = format!("`cma={}M` on the command line", bytes.div_ceil(1 << 20));
    Some(match one.size_by {
        SizeBy::Unknown => format!("make the area {size}: {command} where it is the default one"),
        SizeBy::Command => format!("make the default area {size}: {command}"),
        SizeBy::DefaultNode | SizeBy::Node => {
            format!("make the area {size}: {} in its node", size_cells(bytes))
        }
        SizeBy::Kernel => {
            format!("build the kernel with CONFIG_DMA_CMA=y, then make the area {size}: {command}")
        }
        SizeBy::Parameter(name) => {
            format!("make the area {size}: a larger `{name}` on the command line")
        }
    })
}

/// A larger area, where the whole of it is asked for: one page in use refuses that.
fn whole_area(shown: &Shown<'_>, boot: &Story) -> Option<String> {
    let incident = &shown.group.first.incident;
    let most = incident.bounds.as_deref()?.most().filter(|most| !most.is_wish())?.pages;
    let is_open = shown.group.first.why != Why::OtherErrno;
    let count = incident.count.filter(|count| *count == most && is_open)?;
    // Two of the steps in which areas grow with pages of 4 KiB.
    let larger = area_of(count.saturating_add(2048), shown.advice.first()?, boot)?;
    Some(format!(
        "{larger}: all {} of it are asked for, and one that is in use refuses that",
        pages(count)
    ))
}

/// What shows why.
fn unknown(shown: &Shown<'_>, boot: &Story) -> Option<String> {
    if let Some(larger) = whole_area(shown, boot) {
        return Some(larger);
    }
    let failure = &shown.group.first;
    if failure.verdict == Some(Cause::Exhausted) && failure.confidence > Confidence::Guess {
        return Some(
            "find out who holds the area (`cat /sys/kernel/debug/dma_buf/bufinfo` as root), or make \
             it larger"
                .into(),
        );
    }
    let missing = shown.advice.iter().find_map(|one| match one.what {
        What::Collect(missing) => Some(missing),
        _ => None,
    });
    let bounds = shown.advice.iter().any(|one| one.what == What::LookUpBounds);
    Some(match missing {
        Some(Missing { runs: true, kit, .. }) if kit.lists == Some(true) => {
            "paste the lines after the failure line too: `dmesg | grep -A5 'alloc failed'`".into()
        }
        Some(Missing {
            runs: false, rest: false, order: false, busy: false, bitmap: true, ..
        }) => "send the whole bitmap: `cat` it into a file".into(),
        _ if bounds => {
            format!(
                "`grep Cma /proc/meminfo` says how large the areas are; then {}",
                named(COLLECT)
            )
        }
        Some(_) => named(COLLECT).into(),
        None => named(COLLECT).into(),
    })
}

/// What to do where nothing failed.
fn without_failure(diagnosis: &Diagnosis) -> Option<String> {
    let hidden = board::hidden(diagnosis).map(|_| named(COLLECT).into());
    let trouble = || boot::act_trouble(&diagnosis.boot);
    let cut = || {
        let cut = diagnosis.cut.first()?;
        Some(format!("copy {} once more, whole", clean(&cut.source)))
    };
    let doubt =
        || Some(format!("nothing, if that is meant; else {}", boot::act_doubt(&diagnosis.boot)?));
    let nothing = || {
        (!super::found_anything(diagnosis))
            .then(|| named(COLLECT).replace("while it fails", "while something fails"))
    };
    hidden
        .or_else(trouble)
        .or_else(cut)
        .or_else(|| aside::act(diagnosis))
        .or_else(|| recommended::act(diagnosis))
        .or_else(doubt)
        .or_else(nothing)
}

#[cfg(test)]
mod tests {
    use super::super::super::groups::Groups;
    use super::super::super::sample::{diagnosis, misaligned, undecidable, with};
    use super::super::most_useful;
    use super::*;
    use crate::diagnose::{Beside, Incident, NotCma, Pages};
    use crate::ingest::log::Elsewhere;

    fn said(failures: &[Failure], found: &Diagnosis) -> Option<String> {
        let mut groups = Groups::default();
        failures.iter().for_each(|failure| groups.push(failure));
        act(&Report::new(&groups, found))
    }

    fn one(kind: Elsewhere) -> NotCma {
        NotCma {
            kind,
            count: 1,
            source: "a.log".into(),
            line: 1,
            time_us: None,
            text: "it".into(),
            device: None,
            order: None,
            flags: None,
            memory: None,
        }
    }

    #[test]
    fn it_is_what_helps_below_it_and_needs_no_other_kernel() {
        let failures = [misaligned()];
        let said = said(&failures, &diagnosis()).unwrap();
        assert!(
            said.starts_with("give the device an area of its own in the device tree"),
            "{said}"
        );
        let mut groups = Groups::default();
        groups.push(&failures[0]);
        let found = diagnosis();
        let report = Report::new(&groups, &found);
        let shown = most_useful(&report.groups[0].advice);
        assert!(shown.iter().any(|one| one.helps && matches!(one.what, What::OwnPool { .. })));
        assert!(shown.iter().any(|one| matches!(one.what, What::SmallerCap(_))));
    }

    #[test]
    fn of_several_caps_the_smallest_is_the_one() {
        let mut groups = Groups::default();
        groups.push(&misaligned());
        let found = diagnosis();
        let mut report = Report::new(&groups, &found);
        assert_eq!(one_cap(&report), None);
        let strands = crate::diagnose::Strands { now: 9, left: Pages(1), worst: 9, whole: true };
        let other = What::SmallerCap(Cap::FromBoot { cap: 4, now: 8, strands });
        let one = Advice { what: other, ..report.groups[0].advice[0] };
        assert!(one.helps);
        report.groups[0].advice.push(one);
        assert!(one_cap(&report).unwrap().contains("CONFIG_CMA_ALIGNMENT=4 does what each"));
    }

    #[test]
    fn a_heap_has_no_node_to_name_an_area() {
        let caller = crate::board::Caller::find("dma-heap");
        let heap = with(&misaligned(), |incident| incident.who.caller = caller);
        let said = said(&[heap], &diagnosis()).unwrap();
        assert!(!said.contains("device tree"), "{said}");
    }

    #[test]
    fn what_nobody_can_decide_is_gathered() {
        let open = said(&[undecidable()], &diagnosis()).unwrap();
        assert!(open.contains("`sh collect.sh -t 60 > board.txt`"), "{open}");
        // Of two kinds the one that is known comes first, with its size.
        let both = said(&[undecidable(), undecidable(), misaligned()], &diagnosis()).unwrap();
        assert!(both.starts_with("for the 300 pages: give the device"), "{both}");
    }

    #[test]
    fn no_area_grows_where_cma_holds_what_others_lack() {
        let memory = crate::diagnose::FreeMemory {
            free_kb: 519_112,
            cma_kb: 513_592,
            high_kb: 12_028,
            cma_pages: None,
        };
        let oom = NotCma { memory: Some(memory), ..one(Elsewhere::OutOfMemory) };
        let found = Diagnosis { not_cma: vec![oom], ..diagnosis() };
        let text = said(&[misaligned()], &found).unwrap();
        assert!(text.starts_with("before any area grows, `grep Cma"), "{text}");
    }

    #[test]
    fn what_the_page_allocator_served_asks_for_nothing() {
        let outcome = |outcome| {
            move |incident: &mut Incident| (incident.outcome, incident.logged) = (outcome, true)
        };
        let served = with(&misaligned(), outcome(Outcome::Served(Confidence::Likely)));
        let text = said(std::slice::from_ref(&served), &diagnosis()).unwrap();
        assert!(text.starts_with("nothing, unless") && text.ends_with("(likely)"), "{text}");
        // Of what the rate limit hid less is known.
        let hidden = with(&served, |incident| {
            (incident.count, incident.outcome) = (None, Outcome::Unknown);
            let asked =
                Beside { count: 300, align: None, ret: None, line: 7, lines: 2, equal: true };
            incident.beside = vec![asked];
        });
        let text = said(&[served.clone(), hidden], &diagnosis()).unwrap();
        assert!(text.ends_with("(likely), as far as their lines are in the text"), "{text}");
        // Another one was not.
        let refused = with(&undecidable(), outcome(Outcome::Reported));
        assert!(said(&[served, refused], &diagnosis()).unwrap().contains("collect.sh"));
        let found = Diagnosis { from_boot: true, ..diagnosis() };
        let open = with(&misaligned(), outcome(Outcome::Unknown));
        let text = said(&[open], &found).unwrap();
        assert!(text.starts_with("if something does not work, since no driver"), "{text}");
    }

    #[test]
    fn without_a_failure_it_is_about_what_there_is() {
        assert!(said(&[], &diagnosis()).unwrap().contains("while something fails"));
        let found = |kind| Diagnosis { not_cma: vec![one(kind)], ..diagnosis() };
        let swiotlb = said(&[], &found(Elsewhere::Swiotlb));
        assert_eq!(swiotlb.as_deref(), Some("raise swiotlb= on the command line"));
        assert_eq!(said(&[], &found(Elsewhere::Slab)), None);
    }
}
