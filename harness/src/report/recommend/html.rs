//! The page: the decision, what else there is, what sizes come to, and what all of it rests on.

mod curve;
mod paste;
mod tables;
mod why;

use maud::{Markup, html};

use super::Shown;
use super::costs::{cap, drivers, served};
use super::figures::verdict;
use super::words::{
    changes, headline, held, is_one, more, often, rests_on, seen, shares, size_alone, target,
};
use crate::program;
use crate::recommend::{Candidate, Found, Verdict};
use crate::report::page::{Page, Section, sentence};

const STYLE: &str = concat!(include_str!("../html/sweep.css"), include_str!("html/recommend.css"));

/// One file that works from disk. `command` is the line that makes it again.
pub fn html(shown: &Shown<'_>, command: &str) -> String {
    let sections = sections(shown, command);
    let title = format!("CMA recommendation: {}", decision(shown));
    let page = Page {
        title: &title,
        style: STYLE,
        script: "",
        header: html! { (header(shown)) (nav(&sections)) },
        sections,
        footer: html! {},
    };
    page.text()
}

fn sections(shown: &Shown<'_>, command: &str) -> Vec<Section> {
    let found = shown.advice.found.as_ref();
    let of = |body: fn(&Shown<'_>, &Found) -> Option<Markup>| found.and_then(|it| body(shown, it));
    let all = [
        ("candidates", "What was tried", of(candidates)),
        ("paste", "What to paste", paste::section(shown)),
        ("sizes", "What the size of the area does", of(curve::section)),
        ("clients", "Who asks for what", of(tables::clients)),
        ("why", "Why requests fail as it is", of(why::section)),
        ("rests", "What it rests on", Some(rests(shown))),
        ("again", "How to make it again", Some(again(command))),
    ];
    let section = |(id, heading, body): (&str, &str, Option<Markup>)| {
        Some(Section { id: id.to_string(), heading: html! { (heading) }, body: body? })
    };
    all.into_iter().filter_map(section).collect()
}

fn nav(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Sections" { ol {
            @for Section { id, heading, .. } in sections {
                li { a href={ "#" (id) } { (heading) } }
            }
        } }
    }
}

/// The candidate to choose.
fn chosen<'a>(shown: &Shown<'a>) -> Option<&'a Candidate> {
    let found = shown.advice.found.as_ref()?;
    found.chosen.map(|at| &found.ranked[at])
}

/// What to do, in a few words.
fn decision(shown: &Shown<'_>) -> String {
    match (verdict(shown), chosen(shown)) {
        ("as-it-is", _) => "nothing has to be changed".to_string(),
        (_, Some(one)) => changes(&shown.task.base, one),
        ("unproven", _) => format!("nothing is proven to meet {} yet", target(shown.task)),
        ("nothing", _) => format!("nothing that may be changed meets {}", target(shown.task)),
        _ => "cannot advise".to_string(),
    }
}

/// The class and the words of the verdict.
fn badge(shown: &Shown<'_>) -> (&'static str, &'static str) {
    match verdict(shown) {
        "as-it-is" => ("met", "good as it is"),
        "met" => ("met", "proven"),
        "unproven" => ("notmet", "not proven"),
        "nothing" => ("structural", "nothing helps"),
        _ => ("notmet", "no advice"),
    }
}

fn header(shown: &Shown<'_>) -> Markup {
    let task = shown.task;
    let (class, word) = badge(shown);
    html! {
        p .tool { (program::name()) " recommend · target " (target(task)) } "\n"
        p .badge.(class) { (word) } "\n"
        h1 { (decision(shown)) } "\n"
        @match (chosen(shown), &shown.advice.found) {
            (Some(one), Some(found)) => (tiles(shown, found, one)),
            _ => { p .lead { (sentence(&headline(shown))) } "\n" },
        }
        p .sub { (tables::board(&task.base)) "." } "\n"
    }
}

/// The decision in numbers: what it is now, what it is then, and what it costs.
fn tiles(shown: &Shown<'_>, found: &Found, one: &Candidate) -> Markup {
    let task = shown.task;
    let now = found.baseline.map(|at| &found.ranked[at]).filter(|_| !one.levers.is_empty());
    let tile = |name: &str, words: &str, note: &str| {
        html! {
            div { dt { (name) } dd { (words) @if !note.is_empty() { small { (note) } } } } "\n"
        }
    };
    let comes = |name: &str, one: &Candidate| {
        let words = often(task, one.evidence());
        let (words, sure) = words.split_once(" (").unwrap_or((&words, ""));
        let sure = sure.trim_end_matches(')');
        let sure = if sure.is_empty() { String::new() } else { format!("{sure}; ") };
        tile(name, words, &format!("{sure}failed: {}", seen(task, one.evidence())))
    };
    html! {
        dl .tiles {
            @if let Some(now) = now { (comes("Failures now", now)) }
            (comes(if now.is_some() { "Failures then" } else { "Failures" }, one))
            (tile("RAM", &more(&task.base, one), ""))
            (tile("Who changes something", one.class().name(), ""))
        } "\n"
        @if !is_one(task) { p .sub { "Mean board time between failures, at 95 %." } } "\n"
    }
}

/// Every candidate, the best first.
fn candidates(shown: &Shown<'_>, found: &Found) -> Option<Markup> {
    let base = &shown.task.base;
    let smallest = found.smallest.filter(|at| Some(*at) != found.chosen);
    Some(html! {
        (tables::candidates(shown, found))
        @if let Some(at) = smallest {
            p {
                "The least change that suffices: " (changes(base, &found.ranked[at])) ", RAM "
                (more(base, &found.ranked[at])) "."
            } "\n"
        }
        p { "The size alone: " (size_alone(base, found)) "." } "\n"
        @if let Some((cap, cost)) = cap(base, found) {
            p { "At cap " (cap) " " (cost) "." } "\n"
        }
        @let drivers = drivers(&found.ranked);
        @if !drivers.is_empty() {
            p { "What drivers and applications would do:" } "\n"
            ul { @for one in &drivers { li { (sentence(one)) } "\n" } } "\n"
        }
        @if let Some(served) = served(found) { p { (sentence(&served)) } "\n" }
        @if !found.barred.is_empty() {
            p { "Not tried, by options: " (found.barred.join(", ")) "." } "\n"
        }
    })
}

/// How sure a candidate is.
const fn sureness(one: &Candidate) -> &'static str {
    match (one.verdict, one.proven.streams) {
        (Verdict::Meets, 0) => "meets the target, not proven",
        (Verdict::Meets, _) => "meets the target",
        (Verdict::Misses, _) => "misses the target",
        (Verdict::Open, _) => "is near the target",
    }
}

fn rests(shown: &Shown<'_>) -> Markup {
    let (task, advice) = (shown.task, shown.advice);
    let inputs = task.works.iter().zip(&advice.reproduced);
    html! {
        @if let Some(found) = &advice.found {
            p { (sentence(&rests_on(task, found))) " Seeds from " (task.seed) " on." } "\n"
        }
        @if let Some(shares) = shares(task) { p { "The board does: " (shares) "." } "\n" }
        @if !advice.reproduced.is_empty() {
            p { "Whether streams that are drawn fail as the board did:" } "\n"
            ul {
                @for (work, shown) in inputs {
                    li { (sentence(&held(work, shown.as_ref()))) } "\n"
                }
            } "\n"
        }
        @if advice.found.is_some() {
            p {
                "Intervals are of 95 % and hold whenever one looks, so that it may stop as soon as \
                it knows enough. What is proven is from streams that no choice was made by; other \
                figures are from the streams of the search, and favour what was found by them."
            } "\n"
        }
    }
}

fn again(command: &str) -> Markup {
    html! {
        p { "The same bytes come of it on every machine, where ops and not time ended it:" } "\n"
        pre .wide tabindex="0" { (command) } "\n"
    }
}
