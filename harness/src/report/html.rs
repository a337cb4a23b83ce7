//! `report.html`: one file from which a configuration is chosen and defended.
//!
//! It leads with the decision: the answer, boards and caps as a table of colours, and the map of the
//! worst stream and of the one just inside the target. The rest is folded. Without its script
//! everything is there; with it points say their numbers, lines can be switched off and tables sorted.

mod bars;
mod board_time;
mod causes;
mod choose;
mod classes;
mod cost;
mod heat;
mod names;
mod origin;
mod picture;
mod rates;
mod sure;
mod survival;
mod view;

use maud::{Markup, PreEscaped, html};

use self::view::View;
use super::page::{Page, Section, sentence};
use super::words::{self, span};
use crate::answer::{Choice, Findings, Picture, Verdict};
use crate::sweep::Ready;
use crate::words::counted;

const STYLE: &str = include_str!("html/sweep.css");
const SCRIPT: &str = include_str!("html/script.js");

/// What writes a section.
type Body = fn(&View<'_>) -> Markup;

/// What a section says while it is folded.
type Gist = fn(&View<'_>) -> String;

/// What comes first: an id, a heading, and what writes it.
const FIRST: [(&str, &str, Body); 2] = [
    ("decision", "Where it fails, and where it does not", heat::section),
    ("pictures", "The worst stream, and the one just inside the target", picture::section),
];

/// A section that is folded.
struct Folded {
    id: &'static str,
    heading: &'static str,
    gist: Gist,
    body: Body,
    /// Open on paper.
    is_short: bool,
}

/// The sections below, each under its heading and one line.
const FOLDED: [Folded; 8] = [
    folded("choose", "What to choose", choose::gist, choose::section).short(),
    folded("sure", "How sure that is", sure::gist, sure::section).short(),
    folded("cost", "What it costs in RAM", cost::gist, cost::section),
    folded("causes", "Why requests fail", causes::gist, causes::section),
    folded("survival", "How long it goes well", survival::gist, survival::section),
    folded("rates", "Rate over LOAD / area", rates::gist, rates::section),
    folded("classes", "By size of the request", classes::gist, classes::section),
    folded("origin", "How to make this again", origin::gist, origin::section).short(),
];

const fn folded(id: &'static str, heading: &'static str, gist: Gist, body: Body) -> Folded {
    Folded { id, heading, gist, body, is_short: false }
}

impl Folded {
    const fn short(self) -> Self {
        Self { is_short: true, ..self }
    }

    fn section(&self, view: &View<'_>) -> Section {
        Section {
            id: self.id.to_string(),
            heading: html! { (self.heading) },
            body: html! {
                details class=[self.is_short.then_some("short")] { "\n"
                    summary { ((self.gist)(view)) } "\n"
                    ((self.body)(view))
                }
            },
        }
    }
}

/// The page. `pictures` are those of [`pictures`](crate::answer::pictures), `command` is the line of
/// the file COMMAND.
pub fn page(ready: &Ready, findings: &Findings, pictures: &[Picture], command: &str) -> String {
    let view = View::new(ready, findings, pictures, command);
    let first = FIRST.iter().map(|(id, heading, body)| Section {
        id: (*id).to_string(),
        heading: html! { (heading) },
        body: body(&view),
    });
    let sections = first.chain(FOLDED.iter().map(|folded| folded.section(&view)));
    let page = Page {
        title: &format!("CMA configuration: {}", ready.plan.name),
        style: STYLE,
        script: SCRIPT,
        header: header(&view),
        sections: sections.collect(),
        footer: html! { (bars::hatches()) div #tip role="status" hidden {} },
    };
    page.text()
}

/// The answer, and what it rests on.
fn header(view: &View<'_>) -> Markup {
    let (ready, plan) = (view.ready, &view.ready.plan);
    let answer = view.choice().map(|choice| {
        let (class, word) = choose::badge(choice.verdict);
        html! {
            p .badge.(class) { (word) } "\n"
            h1 { (title(view, choice)) } "\n"
            p .lead { (sentence(&words::sentence(ready, &view.findings.summary, choice))) }
        }
    });
    html! {
        p .tool { "cmalab sweep · plan " (plan.name) } "\n"
        @for unlike in words::not_reproduced(ready) { p .flag { (sentence(&unlike)) } "\n" }
        @if let Some(answer) = answer { (answer) } @else { h1 { "Nothing to choose" } } "\n"
        (rests_on(view))
    }
}

/// The answer as a heading.
fn title(view: &View<'_>, choice: &Choice) -> String {
    let plan = &view.ready.plan;
    if let Some(best) = choice.best() {
        return format!(
            "{} of CMA, cap {}, policy {}",
            names::mib(best.pages as f64, plan.page),
            plan.caps[best.cap],
            plan.policies[best.policy]
        );
    }
    match (choice.verdict, plan.target) {
        (Verdict::NotReproduced, _) => {
            "No advice: the streams do not fail as their file did".into()
        }
        (Verdict::Structural, _) => "Nothing that was tried can do: too few aligned pages".into(),
        (Verdict::Overloaded, _) => "Nothing that was tried can do: LOAD is more than it".into(),
        (_, Some(target)) => format!("Nothing that was tried is proven to meet {target}"),
        (_, None) => "Nothing that was tried keeps all streams whole".into(),
    }
}

/// What was run, and what is taken to be so.
fn rests_on(view: &View<'_>) -> Markup {
    let (ready, plan) = (view.ready, &view.ready.plan);
    let parts = [
        (plan.streams.len() as u64, "stream"),
        (plan.boards.len() as u64, "board"),
        (plan.caps.len() as u64, "cap"),
        (plan.policies.len() as u64, "policy"),
        (plan.environments.len() as u64, "environment"),
        (plan.seeds, "seed"),
    ];
    let parts = parts.map(|(number, what)| counted(number, what)).join(" × ");
    html! {
        details .short { "\n"
            summary { "It rests on " (parts) } "\n"
            @if let Some(pages) = words::pages_are(ready, view.choice()) { p .sub { (pages) "." } "\n" }
            @if let Some(callers) = words::callers_are(ready, &view.findings.summary) {
                p .sub { (sentence(&callers)) } "\n"
            }
            @for fit in words::other_fits(ready) { p .sub { (sentence(&fit)) } "\n" }
            p .sub { (watched(view)) } "\n"
            p .sub {
                "Where a request is refused, callers " (plan.after_failure.about()) " ("
                b { (plan.after_failure) } "). Profiles and pages are a " b { "model" } "."
            } "\n"
        } "\n"
    }
}

/// Kinds of stream that are named at the top.
const MOST_KINDS: usize = 6;

/// How long the streams are, and how much board time was run in all.
fn watched(view: &View<'_>) -> String {
    let kinds = view.all_covers();
    let mut text = kinds.iter().take(MOST_KINDS).cloned().collect::<Vec<_>>().join("; ");
    if kinds.len() > MOST_KINDS {
        text += &format!("; and {} more kinds", kinds.len() - MOST_KINDS);
    }
    text += ", for each configuration and policy.";
    let times = view.findings.summary.rows.iter().filter_map(|row| row.time.as_ref());
    let us = times.map(|time| time.board_time_us as f64).sum::<f64>();
    if us > 0.0 {
        text += &format!(" Run in all: {} of board time.", span(us));
    }
    match view.ready.plan.until_first_failure {
        true => text + " A stream ends at its first failure.",
        false => text,
    }
}

/// Text that is the same in every report.
fn prose(text: &str) -> Markup {
    PreEscaped(text.to_string())
}

/// A remark below a picture or table.
fn remark(text: impl maud::Render) -> Markup {
    html! { p .sub { (text) } "\n" }
}

/// Says how many of them are in summary.csv only.
fn more_in_summary(more: usize, what: &str) -> Markup {
    html! {
        @if more > 0 {
            p .sub { (more) " more" (what) " in " code { "summary.csv" } "." } "\n"
        }
    }
}

/// Says how many pictures were left out.
fn left_out(left: usize) -> Markup {
    more_in_summary(left, " streams and environments")
}
