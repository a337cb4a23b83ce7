//! `report.html`: one file from which a configuration is chosen and defended.
//!
//! It works from disk and asks for nothing: its policy (CSP) names its own style and script by
//! their hashes and lets in nothing else. Without the script everything is there; with it points
//! say their numbers, lines can be switched off and tables sorted. Every name is escaped: plans and
//! recordings come from anywhere.

mod axis;
mod bars;
mod board_time;
mod causes;
mod chart;
mod choose;
mod classes;
mod cost;
mod escape;
mod names;
mod origin;
mod picture;
mod rates;
mod sure;
mod survival;
mod table;
mod ways;

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

pub(in crate::report) use self::escape::Escaped;
use self::picture::Pictures;
use self::ways::Page;
use super::findings::Findings;
use super::time::span;
use crate::sweep::Ready;

/// What every page of this crate begins its style with.
pub(in crate::report) const BASE: &str = include_str!("html/base.css");

const STYLE: &str = include_str!("html/sweep.css");
const SCRIPT: &str = include_str!("html/script.js");

/// A section: its id, its heading, and what it has to say in one line.
const SECTIONS: [(&str, &str); 9] = [
    ("choose", "What to choose"),
    ("sure", "How sure that is"),
    ("cost", "What it costs in RAM"),
    ("causes", "Why requests fail"),
    ("survival", "How long it goes well"),
    ("rates", "Rate over LOAD / area"),
    ("classes", "By size of the request"),
    ("pictures", "The worst stream, seen"),
    ("origin", "How to make this again"),
];

/// Writes the page. `command` is the line of the file COMMAND. Two cells are run again, for their
/// pictures.
///
/// # Errors
/// Where the output takes no more, and where a cell cannot be run again.
pub fn write(
    ready: &Ready,
    findings: &Findings,
    command: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page::new(ready, findings);
    // First: what fails here must not leave half a page.
    let pictures = Pictures::take(&page).map_err(|failed| io::Error::other(failed.to_string()))?;
    head(&page, out)?;
    header(&page, out)?;
    bars::hatches(out)?;
    writeln!(out, "<main>")?;
    for (index, (id, heading)) in SECTIONS.iter().enumerate() {
        writeln!(
            out,
            "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n\
             <h2 id=\"{id}-heading\">{}. {heading}</h2>",
            index + 1
        )?;
        match *id {
            "choose" => choose::write(&page, out)?,
            "sure" => sure::write(&page, out)?,
            "cost" => cost::write(&page, out)?,
            "causes" => causes::write(&page, out)?,
            "survival" => survival::write(&page, out)?,
            "rates" => rates::write(&page, out)?,
            "classes" => classes::write(&page, out)?,
            "pictures" => match &pictures {
                Some(pictures) => pictures.write(&page, out)?,
                None => writeln!(out, "<p>No stream fails: there is nothing to look at.</p>")?,
            },
            _ => origin::write(&page, command, out)?,
        }
        writeln!(out, "</section>")?;
    }
    writeln!(
        out,
        "</main>\n<div id=\"tip\" role=\"status\" hidden></div>\n<script>{SCRIPT}</script>\n\
         </body>\n</html>"
    )
}

/// A source of CSP: what has this hash and no other text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

fn head(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let style = format!("\n{BASE}{STYLE}");
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; \
         script-src {}; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>CMA configuration: {}</title>\n<style>{style}</style>\n</head>\n<body>",
        hash(&style),
        hash(SCRIPT),
        Escaped(&page.ready.plan.name)
    )
}

/// The answer, and the way to each section.
fn header(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let plan = &page.ready.plan;
    writeln!(out, "<header>\n<p class=\"tool\">cmalab sweep · plan {}</p>", Escaped(&plan.name))?;
    if let Some(choice) = page.choice() {
        let (class, word) = choose::badge(choice.verdict);
        let say = names::sentence(&choice.sentence);
        writeln!(out, "<p class=\"badge {class}\">{word}</p>")?;
        match page.candidate().filter(|_| choice.chosen.is_some()) {
            Some(candidate) => writeln!(
                out,
                "<h1>{} of CMA, cap {}, policy {}</h1>\n<p class=\"lead\">{}</p>",
                names::mib(candidate.pages as f64),
                plan.caps[candidate.cap],
                Escaped(plan.policies[candidate.policy].to_string()),
                Escaped(say)
            )?,
            None => writeln!(out, "<h1>{}</h1>", Escaped(say))?,
        }
    } else {
        writeln!(out, "<h1>Nothing to choose</h1>")?;
    }
    let parts = [
        names::counted(plan.streams.len(), "stream", "streams"),
        names::counted(plan.boards.len(), "board", "boards"),
        names::counted(plan.caps.len(), "cap", "caps"),
        names::counted(plan.policies.len(), "policy", "policies"),
        names::counted(plan.environments.len(), "environment", "environments"),
        names::counted(plan.seeds as usize, "seed", "seeds"),
    ];
    writeln!(
        out,
        "<p class=\"sub\">{}.</p>\n<p class=\"sub\">{}</p>\n<p class=\"sub\">Where a request is refused, callers {} (<b>{}</b>). Profiles and \
         pages are a <b>model</b>.</p>\n\
         <nav aria-label=\"Sections\"><ol>",
        parts.join(" × "),
        Escaped(watched(page)),
        plan.after_failure.about(),
        Escaped(plan.after_failure.to_string()),
    )?;
    for (id, heading) in SECTIONS {
        writeln!(out, "<li><a href=\"#{id}\">{heading}</a></li>")?;
    }
    writeln!(out, "</ol></nav>\n</header>")
}

/// Kinds of stream that are named at the top.
const MOST_KINDS: usize = 6;

/// How long the streams are, and how much board time was run in all.
fn watched(page: &Page<'_>) -> String {
    let kinds = page.all_covers();
    let mut text = kinds.iter().take(MOST_KINDS).cloned().collect::<Vec<_>>().join("; ");
    if kinds.len() > MOST_KINDS {
        text += &format!("; and {} more kinds", kinds.len() - MOST_KINDS);
    }
    text += ", for each configuration and policy.";
    let times = page.findings.summary.rows.iter().filter_map(|row| row.time.as_ref());
    let us = times.map(|time| time.board_time_us as f64).sum::<f64>();
    if us > 0.0 {
        text += &format!(" Run in all: {} of board time.", span(us));
    }
    match page.ready.plan.until_first_failure {
        true => text + " A stream ends at its first failure.",
        false => text,
    }
}

/// Says how many pictures were left out.
fn left_out(left: usize, out: &mut dyn Write) -> io::Result<()> {
    if left > 0 {
        writeln!(
            out,
            "<p class=\"sub\">{left} more streams and environments in <code>summary.csv</code>.</p>"
        )?;
    }
    Ok(())
}
