//! `report.html`: one file from which a configuration is chosen and defended.
//!
//! Without its script everything is there; with it points say their numbers, lines can be switched
//! off and tables sorted.

mod bars;
mod board_time;
mod causes;
mod choose;
mod classes;
mod cost;
mod names;
mod origin;
mod picture;
mod rates;
mod sure;
mod survival;
mod view;

use maud::{Markup, html};

use self::view::View;
use super::page::{Page, Section, sentence};
use super::words::{self, span};
use crate::answer::{Findings, Picture};
use crate::program;
use crate::sweep::Ready;
use crate::words::counted;

const STYLE: &str = include_str!("html/sweep.css");
const SCRIPT: &str = include_str!("html/script.js");

/// What writes a section.
type Body = fn(&View<'_>) -> Markup;

/// The sections: an id, a heading, and what writes it.
const SECTIONS: [(&str, &str, Body); 9] = [
    ("choose", "What to choose", choose::section),
    ("sure", "How sure that is", sure::section),
    ("cost", "What it costs in RAM", cost::section),
    ("causes", "Why requests fail", causes::section),
    ("survival", "How long it goes well", survival::section),
    ("rates", "Rate over LOAD / area", rates::section),
    ("classes", "By size of the request", classes::section),
    ("pictures", "The worst stream, seen", picture::section),
    ("origin", "How to make this again", origin::section),
];

/// The page. `pictures` are those of [`pictures`](crate::answer::pictures), `command` is the line of
/// the file COMMAND.
pub fn page(ready: &Ready, findings: &Findings, pictures: &[Picture], command: &str) -> String {
    let view = View::new(ready, findings, pictures, command);
    let sections = SECTIONS.iter().enumerate().map(|(index, (id, heading, body))| Section {
        id: (*id).to_string(),
        heading: html! { (index + 1) ". " (heading) },
        body: body(&view),
    });
    let page = Page {
        title: &format!("CMA configuration: {}", ready.plan.name),
        style: STYLE,
        script: SCRIPT,
        header: html! { (header(&view)) (nav()) },
        sections: sections.collect(),
        footer: html! { (bars::hatches()) div #tip role="status" hidden {} },
    };
    page.text()
}

fn nav() -> Markup {
    html! {
        nav aria-label="Sections" { ol {
            @for (id, heading, _) in SECTIONS { li { a href={ "#" (id) } { (heading) } } }
        } }
    }
}

/// The answer, and what it is of.
fn header(view: &View<'_>) -> Markup {
    let (ready, plan) = (view.ready, &view.ready.plan);
    let answer = view.choice().map(|choice| {
        let (class, word) = choose::badge(choice.verdict);
        let say = sentence(&words::sentence(ready, &view.findings.summary, choice));
        html! {
            p .badge.(class) { (word) } "\n"
            @if let Some(best) = choice.best() {
                h1 {
                    (names::mib(best.pages as f64, plan.page)) " of CMA, cap " (plan.caps[best.cap])
                    ", policy " (plan.policies[best.policy])
                } "\n"
                p .lead { (say) }
            } @else { h1 { (say) } }
        }
    });
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
        p .tool { (program::name()) " sweep · plan " (plan.name) } "\n"
        @for unlike in words::not_reproduced(ready) { p .flag { (sentence(&unlike)) } "\n" }
        @if let Some(answer) = answer { (answer) } @else { h1 { "Nothing to choose" } } "\n"
        @if let Some(pages) = words::pages_are(ready, view.choice()) { p .sub { (pages) "." } "\n" }
        @if let Some(callers) = words::callers_are(ready, &view.findings.summary) {
            p .sub { (sentence(&callers)) } "\n"
        }
        @for fit in words::other_fits(ready) { p .sub { (sentence(&fit)) } "\n" }
        p .sub { (parts) "." } "\n"
        p .sub { (watched(view)) } "\n"
        p .sub {
            "Where a request is refused, callers " (plan.after_failure.about()) " ("
            b { (plan.after_failure) } "). Profiles and pages are a " b { "model" } "."
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
