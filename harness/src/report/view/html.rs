//! The page: what a script draws, and for those without one what it would say first.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::data::deflated;
use super::head::{answer, head};
use super::refused::told;
use super::{Panel, View, words};
use crate::program;
use crate::report::page::{Page, Section, sentence};

const STYLE: &str = include_str!("view.css");
/// In the order in which they name each other's parts.
const SCRIPT: &str = concat!(
    include_str!("decode.js"),
    "\n",
    include_str!("area.js"),
    "\n",
    include_str!("blockers.js"),
    "\n",
    include_str!("scan.js"),
    "\n",
    include_str!("words.js"),
    "\n",
    include_str!("colour.js"),
    "\n",
    include_str!("plot.js"),
    "\n",
    include_str!("curves.js"),
    "\n",
    include_str!("bitmap.js"),
    "\n",
    include_str!("overlay.js"),
    "\n",
    include_str!("who.js"),
    "\n",
    include_str!("look.js"),
    "\n",
    include_str!("take.js"),
    "\n",
    include_str!("page.js"),
    "\n",
    include_str!("gestures.js"),
    "\n",
    include_str!("keys.js"),
    "\n",
    include_str!("controls.js"),
    "\n",
    include_str!("start.js"),
    "\n",
);

/// One file that works from disk.
pub fn html(view: &View) -> String {
    let clients = clients(view);
    let title = format!("CMA over time: {}", view.title);
    let page = Page {
        title: &title,
        style: STYLE,
        script: SCRIPT,
        header: header(view),
        sections: vec![map(view, &clients), blockers(view)],
        footer: footer(view),
    };
    page.text()
}

/// The names of all clients, each once, in order of appearance.
fn clients(view: &View) -> Vec<String> {
    let (mut clients, mut known) = (Vec::new(), HashSet::new());
    for part in &view.parts {
        for number in 0..part.clients.len() {
            let name = words::name(part, number as u16);
            clients.extend(name.filter(|name| known.insert(name.clone())));
        }
    }
    clients
}

/// For each client of a panel, by its own number, that of its name among `clients`.
fn numbers(panel: Panel<'_>, clients: &[String]) -> Vec<Option<usize>> {
    let numbers: HashMap<_, _> = clients.iter().zip(0..).collect();
    let own = 0..panel.part.clients.len();
    let number = |own| numbers.get(&words::name(panel.part, own as u16)?).copied();
    own.map(number).collect()
}

fn header(view: &View) -> Markup {
    html! {
        p .tool { (program::name()) " view" } "\n"
        h1 { (view.title) } "\n"
        @for panel in view.panels() { p .answer { (answer(panel)) } "\n" }
    }
}

/// What the script fills, with what it needs for that.
fn map(view: &View, clients: &[String]) -> Section {
    let (start_us, _) = view.span_us();
    let body = html! {
        noscript { p { "The map is drawn by a script, which is part of this file." } } "\n"
        script type="application/json" id="head" { (json(&head(view, clients))) } "\n"
        @for (number, panel) in view.panels().enumerate() {
            @let numbers = numbers(panel, clients);
            @let client = |own: u16| numbers.get(usize::from(own)).copied().flatten();
            script type="application/octet-stream" id={ "panel-" (number) } {
                (PreEscaped(BASE64_STANDARD.encode(deflated(panel.film, panel.doomed, start_us, &client))))
            } "\n"
        }
    };
    Section { id: "view".to_string(), heading: html! { "What lies where, and when" }, body }
}

/// In a script element nothing is unescaped, and no end of it may come early.
fn json(value: &Value) -> Markup {
    PreEscaped(value.to_string().replace('<', "\\u003c"))
}

/// Who stands in the way of the first refusal of each film, for who prints it or has no script.
fn blockers(view: &View) -> Section {
    let body = html! {
        @for panel in view.panels() {
            @if let Some(one) = told(panel) {
                p { (view.takes[panel.take].title()) ": " (words::what(panel, &one)) "." } "\n"
                ul {
                    @for line in words::in_the_way(panel, &one) { li { (line) } "\n" }
                }
            }
        }
        @if view.panels().all(|panel| panel.film.refusals.is_empty()) {
            p { "Nothing was refused." } "\n"
        }
    };
    let heading = html! { "Who stood in the way of the first refusal" };
    Section { id: "blockers".to_string(), heading, body }
}

fn footer(view: &View) -> Markup {
    html! {
        footer {
            @for note in &view.notes { p { (sentence(note)) } "\n" }
            p { "Made by: " code { (view.command) } } "\n"
        }
    }
}
