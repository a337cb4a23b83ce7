//! Who asked, what became of the request, and who holds the area.

use std::sync::Arc;

use super::super::groups::{Report, Shown};
use super::super::plain::{clean, counted};
use crate::board::is_gigantic;
use crate::diagnose::{Because, Confidence, Failure, Holder, Outcome, would_say_so};
use crate::ingest::log::Task;
use crate::kernel::release;
use crate::words::pages;

/// The first release with an event at the start of a call (`cma_alloc_start`).
const EVENTS: (u32, u32) = (5, 13);

/// The facts about a failure that are not numbers of its request.
/// `others`: the devices of those like it.
pub(super) fn facts(
    failure: &Failure,
    others: &[Arc<str>],
) -> impl Iterator<Item = (&'static str, String)> {
    let mut said: Vec<_> = who(failure).into_iter().collect();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|name| clean(name)).collect();
        said.push(format!("of the others like it {}", names.join(", ")));
    }
    let who = (!said.is_empty()).then(|| ("who", said.join("; ")));
    let then = then(failure).map(|text| ("then", text));
    let holders = holders(failure).map(|text| ("holders", text));
    [who, then, holders].into_iter().flatten()
}

/// `vivid vivid.0 reported it (a.log line 7), task vload-248, through vb2-dma-contig`.
fn who(failure: &Failure) -> Option<String> {
    let who = &failure.incident.who;
    let mut parts = Vec::new();
    if let Some((source, line)) = &who.driver_line {
        let name = who.device.as_deref().map_or_else(|| "a driver".to_string(), clean);
        let same = *source == failure.incident.source;
        let place = if same { String::new() } else { format!("{} ", clean(source)) };
        parts.push(format!("{name} reported it ({place}line {line})"));
    }
    parts.extend(who.task.as_ref().map(|task| format!("task {}", name(task))));
    parts.extend(who.client.map(|client| format!("through {client}")));
    parts.extend(who.caller.map(|caller| format!("by {}", caller.name)));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `vload-248`, as a trace calls it.
pub(super) fn name(task: &Task) -> String {
    match (task.comm.as_deref().map(clean), task.pid) {
        (Some(comm), Some(pid)) => format!("{comm}-{pid}"),
        (Some(comm), None) => comm,
        (None, pid) => pid.map_or_else(|| "unknown".to_string(), |pid| pid.to_string()),
    }
}

/// What became of a request that no driver reported.
fn then(failure: &Failure) -> Option<String> {
    let incident = &failure.incident;
    let sure = |sure: Confidence| sure.name();
    let nobody = match incident.who.piece_line.filter(|_| incident.is_half_reported()) {
        Some(line) => format!(
            "whether a driver reported it cannot be told: line {line} is a piece of what one says"
        ),
        None if incident.is_unreported() => "no driver reported it".to_string(),
        None => String::new(),
    };
    let text = match incident.outcome {
        Outcome::Reported if incident.who.own_area_only => {
            return Some(
                "for one page the DMA API of this kernel asks no area but the device's own, else the \
                 page allocator: the default area is not what refused it"
                    .to_string(),
            );
        }
        Outcome::Reported => return None,
        Outcome::Served(confidence) => format!(
            "the DMA API asks the page allocator next, whose blocks are large enough{}: served by the \
             page allocator ({})",
            if would_say_so(incident) {
                ", and a driver that got nothing would have said so"
            } else {
                " (whoever asks here says nothing where it gets nothing)"
            },
            sure(confidence)
        ),
        Outcome::Refused(confidence, because) => {
            format!(
                "{}: whoever asked got nothing ({})",
                reason(failure, because, confidence),
                sure(confidence)
            )
        }
        Outcome::Unknown if nobody.is_empty() || incident.ret == Some(-4) => return None,
        Outcome::Unknown if incident.count.is_none() => return Some(nobody),
        // alloc_gigantic_folio() of mm/hugetlb.c; 6.12 and 7.3.
        Outcome::Unknown if incident.area.as_deref().is_some_and(is_gigantic) => {
            "the kernel asks the areas of other nodes of memory next, and then memory outside of \
             areas: HugePages_Total of /proc/meminfo says what came of it"
                .to_string()
        }
        Outcome::Unknown if incident.count == Some(1) => {
            "the DMA API of arm64 (5.3 on) and x86 asks for one page no area but the device's own, and \
             the page allocator next, which is harmless; whoever else asked (32-bit Arm, a dma-buf \
             heap, debugfs) got nothing"
                .to_string()
        }
        Outcome::Unknown => {
            // An older arm64 is Refused.
            let known = incident.era.name.as_deref().and_then(release).is_some();
            let since = if known { "" } else { " (5.0 on)" };
            format!(
                "harmless where a driver asked through the DMA API of arm64{since} or x86, which asks \
                 the page allocator next; a dma-buf heap got nothing"
            )
        }
    };
    Some(if nobody.is_empty() { text } else { format!("{nobody}; {text}") })
}

fn reason(failure: &Failure, because: Because, sure: Confidence) -> String {
    let who = &failure.incident.who;
    match because {
        Because::Caller => {
            let name = who.caller.map_or("the caller", |caller| caller.name);
            format!("{name} asks CMA alone")
        }
        Because::Size => format!(
            "the page allocator{} has no block of {}",
            if sure == Confidence::Guess { " with pages of 4 KiB" } else { "" },
            failure.incident.count.map_or_else(String::new, pages)
        ),
        Because::Pages => {
            let line = who.pages_refused.unwrap_or(0);
            format!("the page allocator was asked next and refused as well (line {line})")
        }
        Because::OnePage => {
            "for one page the DMA API of this kernel does not ask the default area, and who else asks \
             it (a dma-buf heap, debugfs) asks CMA alone"
                .to_string()
        }
        Because::Arch => "32-bit Arm, and arm64 up to 4.20, ask CMA alone".to_string(),
    }
}

/// Who holds the area, by the trace.
fn holders(failure: &Failure) -> Option<String> {
    let incident = &failure.incident;
    let one = |holder: &Holder| {
        let buffers = counted(holder.buffers, "buffer");
        format!("{} {} in {buffers}", name(&holder.task), pages(holder.pages))
    };
    let all: Vec<_> = incident.who.holders.iter().map(one).collect();
    (!all.is_empty()).then(|| format!("{}, as far as the trace shows", all.join("; ")))
}

/// What became of all of a group: `; served by the page allocator (likely)`, `; whoever asked got
/// nothing`, or `; no driver reported one` where the kernel log shows that none did.
pub(super) fn quiet(shown: &Shown<'_>) -> String {
    let group = shown.group;
    let is_all = group.unreported == group.failures;
    match group.first.incident.outcome {
        Outcome::Served(sure) if is_all && group.same_outcome == group.failures => {
            format!("; served by the page allocator ({})", sure.name())
        }
        Outcome::Refused(sure, _)
            if sure > Confidence::Guess && group.same_outcome == group.failures =>
        {
            format!("; whoever asked got nothing ({})", sure.name())
        }
        Outcome::Unknown if !shown.from_boot => String::new(),
        Outcome::Unknown | Outcome::Served(_) if is_all => {
            let it = if group.failures == 1 { "it" } else { "one" };
            format!("; no driver reported {it}")
        }
        _ => String::new(),
    }
}

/// How many refusals of a kernel log no driver reported: `66 refused by CMA, no driver reported
/// one`; and how to see who asks, where that decides what became of them.
pub(in crate::report::diagnosis) fn unreported(report: &Report<'_>) -> Option<String> {
    let (none, all) = (report.diagnosis.unreported, report.refused);
    let half = report.diagnosis.half_reported;
    let counts = match (none, all) {
        // Of one failure its facts say it.
        (0, _) | (_, 0 | 1) => None,
        (none, all) if none == all => Some(format!("{all} refused by CMA, no driver reported one")),
        (none, all) => {
            let named = all.saturating_sub(none + half);
            let open = match half {
                0 => format!("none the other {none}"),
                half => format!("none {none}, and of {half} it cannot be told"),
            };
            Some(format!("{all} refused by CMA: drivers reported {named}, {open}"))
        }
    };
    let open = |shown: &&Shown<'_>| {
        let incident = &shown.group.first.incident;
        incident.is_unreported() && incident.outcome == Outcome::Unknown
    };
    let hint = report.groups.iter().find(open).and_then(|shown| {
        let known = shown.group.first.incident.era.name.as_deref().and_then(release);
        let since = match known {
            Some(known) if known < EVENTS => return None,
            Some(_) => "",
            None => " (5.13 on)",
        };
        Some(format!(
            "who asked is not shown: `echo stacktrace > \
             /sys/kernel/tracing/events/cma/cma_alloc_start/trigger` adds it to a trace{since}"
        ))
    });
    let parts: Vec<_> = counts.into_iter().chain(hint).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::{misaligned, with};
    use super::*;
    use crate::board::Caller;

    fn said(change: impl FnOnce(&mut crate::diagnose::Incident)) -> Vec<(&'static str, String)> {
        facts(&with(&misaligned(), change), &[]).collect()
    }

    #[test]
    fn who_reported_and_who_asked_are_named() {
        let facts = said(|incident| {
            incident.outcome = Outcome::Reported;
            incident.who.device = Some("vivid vivid.0".into());
            incident.who.driver_line = Some(("a.log".into(), 9));
            let (comm, pid) = (Some("vload".into()), Some(248));
            incident.who.task = Some(Task { comm, pid, cpu: None });
            incident.who.client = Some("vb2-dma-contig");
        });
        let text = "vivid vivid.0 reported it (line 9), task vload-248, through vb2-dma-contig";
        assert_eq!(facts, [("who", text.to_string())]);
    }

    #[test]
    fn what_became_of_it_is_said_with_its_reason() {
        let outcome = |outcome| {
            let facts = said(|incident| (incident.outcome, incident.logged) = (outcome, true));
            facts[0].1.clone()
        };
        let served = outcome(Outcome::Served(Confidence::Likely));
        assert!(served.ends_with("served by the page allocator (likely)"), "{served}");
        assert!(served.starts_with("no driver reported it; "), "{served}");
        let drm = said(|incident| {
            incident.outcome = Outcome::Served(Confidence::Likely);
            incident.who.client = Some("drm-gem-dma");
        });
        assert!(!drm[1].1.contains("would have said so"), "{drm:?}");
        let size = outcome(Outcome::Refused(Confidence::Likely, Because::Size));
        assert!(size.contains("no block of 300 pages: whoever asked got nothing"), "{size}");
        let heap = said(|incident| {
            incident.outcome = Outcome::Refused(Confidence::Certain, Because::Caller);
            incident.who.caller = Caller::find("dma-heap");
        });
        assert!(heap[1].1.contains("dma-heap asks CMA alone"), "{heap:?}");
        assert!(outcome(Outcome::Unknown).contains("dma-buf heap got nothing"));
    }

    #[test]
    fn a_piece_of_a_driver_s_line_is_named() {
        let facts = said(|incident| {
            (incident.logged, incident.who.piece_line) = (true, Some(8));
        });
        assert!(facts[0].1.starts_with("whether a driver reported it cannot be told: line 8 is a"));
    }

    #[test]
    fn of_one_page_it_is_said_who_can_have_asked() {
        let one = |outcome, own| {
            let facts = said(|incident| {
                (incident.count, incident.outcome, incident.logged) = (Some(1), outcome, true);
                incident.who.own_area_only = own;
            });
            facts.first().map(|(_, text)| text.clone())
        };
        assert!(one(Outcome::Unknown, false).unwrap().contains("no area but the device's own"));
        assert_eq!(one(Outcome::Reported, false), None);
        let driver = one(Outcome::Reported, true).unwrap();
        assert!(driver.ends_with("the default area is not what refused it"), "{driver}");
        let other = one(Outcome::Refused(Confidence::Likely, Because::OnePage), false).unwrap();
        assert!(other.contains("asks CMA alone: whoever asked got nothing (likely)"), "{other}");
    }

    #[test]
    fn who_holds_the_area_is_said() {
        let facts = said(|incident| {
            incident.logged = true;
            let task = Task { comm: Some("vload".into()), pid: Some(248), cpu: None };
            incident.who.holders = vec![Holder { task, buffers: 31, pages: 7967 }].into();
        });
        let text = "vload-248 7967 pages in 31 buffers, as far as the trace shows";
        assert_eq!(facts[1], ("holders", text.to_string()));
    }
}
