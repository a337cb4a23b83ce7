//! One file that works from disk, without a network and without a script.
//!
//! Its policy forbids everything but its own style sheet. Every text is escaped: names and lines
//! come from a log that anybody may have written.

mod svg;
mod tables;

use std::io::{self, Write};

use super::board;
use super::groups::{Report, Shown};
use super::words;
use crate::cause::Cause;
use crate::diagnose::What;
use crate::report::html::{BASE, Escaped};

const STYLE: &str = include_str!("html/style.css");

/// Writes it: the answer, the failures, then each kind of failure with its picture, then the areas.
///
/// # Errors
/// Where the output takes no more.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let headline = words::headline(report);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{BASE}{STYLE}</style>\n</head>\n<body>",
        Escaped(&headline)
    )?;
    header(report, &headline, out)?;
    writeln!(out, "<main>")?;
    if report.groups.is_empty() {
        nothing(report, out)?;
    } else {
        tables::overview(report, out)?;
        for (index, shown) in report.groups.iter().enumerate().filter(|(_, shown)| shown.detailed) {
            group(index, shown, report.groups.len() == 1, out)?;
        }
    }
    tables::areas(report, out)?;
    writeln!(out, "</main>")?;
    footer(report, out)?;
    writeln!(out, "</body>\n</html>")
}

/// The class of a verdict: who or what has to change.
fn class(verdict: Option<Cause>) -> &'static str {
    match verdict {
        Some(Cause::Alignment | Cause::Fragmentation) => "layout",
        Some(Cause::Exhausted | Cause::TooLarge) => "size",
        Some(Cause::Busy | Cause::Migration) => "system",
        _ => "open",
    }
}

fn header(report: &Report<'_>, headline: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<header>\n<p class=\"tool\">cmalab diagnose</p>")?;
    if let ([shown], 0) = (report.groups.as_slice(), report.beyond) {
        let failure = &shown.group.first;
        writeln!(
            out,
            "<p class=\"badge {}\">{}</p>\n<h1>{}</h1>\n<p class=\"sub\">{}</p>",
            class(failure.verdict),
            Escaped(words::verdict(failure)),
            Escaped(sentence(&words::answer(failure))),
            Escaped(words::occurrence(shown.group)),
        )?;
    } else {
        writeln!(out, "<h1>{}</h1>", Escaped(sentence(headline)))?;
    }
    if let Some(hidden) = board::suppressed(report.diagnosis) {
        writeln!(out, "<p class=\"sub\">{}</p>", Escaped(sentence(&hidden)))?;
    }
    writeln!(out, "</header>")
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.into_iter().chain([chars.collect()]).collect()
}

fn nothing(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for text in words::NOTHING_FOUND {
        writeln!(out, "<p>{}</p>", Escaped(text.replace('`', "")))?;
    }
    for area in report.diagnosis.areas.iter().filter(|area| area.placed) {
        if let Some(map) = super::Map::slots(area, 0, None) {
            let name = area.name.as_deref().unwrap_or("an area");
            writeln!(out, "<section><h2>Area {}</h2>", Escaped(name))?;
            svg::map(&map, out)?;
            writeln!(out, "</section>")?;
        }
    }
    Ok(())
}

/// A group; the heading of the page has said what it is where it is the `only` one.
fn group(index: usize, shown: &Shown<'_>, only: bool, out: &mut dyn Write) -> io::Result<()> {
    let failure = &shown.group.first;
    if only {
        writeln!(out, "<section id=\"f{index}\">\n<h2>In numbers</h2>\n<dl>")?;
    } else {
        writeln!(
            out,
            "<section id=\"f{index}\">\n<h2><span class=\"badge {}\">{}</span> {}</h2>\n\
             <p class=\"sub\">{}</p>\n<dl>",
            class(failure.verdict),
            Escaped(words::verdict(failure)),
            Escaped(sentence(&words::answer(failure))),
            Escaped(words::occurrence(shown.group)),
        )?;
    }
    for (label, text) in words::facts(shown) {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", sentence(label), Escaped(text))?;
    }
    writeln!(out, "</dl>")?;
    if let Some(detail) = &shown.detail {
        svg::detail(detail, failure.incident.count.unwrap_or(0), out)?;
    }
    if let Some(map) = shown.map.as_ref().or(shown.strip.as_ref()) {
        svg::map(map, out)?;
    }
    advice(shown, out)?;
    writeln!(out, "</section>")
}

fn advice(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    if shown.advice.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h3>What would have helped</h3>\n<ul class=\"advice\">")?;
    for advice in &shown.advice {
        let (class, word) = match (advice.what, advice.helps) {
            (What::Collect(_), _) => ("next", "Next step"),
            (_, true) => ("yes", "Helps"),
            (_, false) => ("no", "Does not help"),
        };
        let cost = words::cost(advice);
        let cost =
            cost.map_or_else(String::new, |cost| format!(" <span class=\"cost\">{cost}</span>"));
        let text = Escaped(words::advice(advice));
        writeln!(out, "<li class=\"{class}\"><b>{word}:</b> {text}{cost}</li>")?;
    }
    writeln!(out, "</ul>")
}

fn footer(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let read = Escaped(sentence(&words::read(report.diagnosis))).to_string();
    writeln!(out, "<footer>\n<p>{read}.</p>")?;
    for line in board::counters(report.diagnosis) {
        writeln!(out, "<p>{}.</p>", Escaped(line))?;
    }
    if !report.diagnosis.warnings.is_empty() {
        writeln!(out, "<details>\n<summary>Notes on the log</summary>\n<ul>")?;
        for warning in &report.diagnosis.warnings {
            writeln!(out, "<li>{}</li>", Escaped(warning))?;
        }
        writeln!(out, "</ul>\n</details>")?;
    }
    writeln!(out, "</footer>")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{diagnosis, misaligned, state, undecidable, with, written};
    use super::*;
    use crate::diagnose::Failure;

    fn html(failures: &[Failure]) -> String {
        written(failures, &diagnosis(), |report, out| write(report, out))
    }

    #[test]
    fn the_answer_comes_first_and_each_failure_has_its_place() {
        let one = html(&[misaligned()]);
        let heading = "<h1>300 pages at order 8 do not fit, though 500 are free in one run; order 7 \
                       would have fitted</h1>";
        assert!(one.contains(heading), "{one}");
        assert!(one.find("<h1>") < one.find("<table>"));
        let two = html(&[misaligned(), undecidable()]);
        assert!(two.contains("<h1>2 failures: 1 alignment, 1 undecidable</h1>"), "{two}");
        for id in ["f0", "f1"] {
            assert!(
                two.contains(&format!("href=\"#{id}\"")) && two.contains(&format!("id=\"{id}\""))
            );
        }
    }

    #[test]
    fn what_a_log_says_is_text_and_nothing_else() {
        const EVIL: &str = "<script>alert('x')</script>\"&amp;\u{202e}\x07";
        let evil = with(&misaligned(), |incident| {
            let mut state = state(Some(2048), true, &[(500, 513)]);
            state.name = Some(EVIL.into());
            (incident.area, incident.source) = (Some(EVIL.into()), EVIL.into());
            incident.era.name = Some(EVIL.into());
            incident.state = Some(state.into());
        });
        let mut found = diagnosis();
        found.areas[0].name = Some(EVIL.into());
        found.warnings.push(EVIL.to_string());
        for failures in [vec![evil], Vec::new()] {
            let page = written(&failures, &found, |report, out| write(report, out));
            assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)"), "{page}");
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains(['\u{202e}', '\x07']), "{page}");
        }
    }

    #[test]
    fn it_asks_for_nothing_and_closes_what_it_opens() {
        let page = html(&[misaligned(), undecidable()]);
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
        for word in ["http://", "https://", "url(", "@import", "<script", "<img", "<link"] {
            assert!(!page.contains(word), "{word}");
        }
        let tags = page.split('<').skip(1).filter_map(|rest| rest.split('>').next());
        let words = tags.flat_map(|tag| tag.split(' ').skip(1));
        for word in words.filter(|word| word.contains('=')) {
            assert!(!word.starts_with("on") && !word.starts_with("src"), "{word}");
            assert!(!word.starts_with("href") || word.starts_with("href=\"#"), "{word}");
        }
        let names =
            ["section", "table", "tr", "td", "svg", "figure", "div", "ul", "dl", "rect", "h2"];
        for name in names {
            let opened = page.matches(&format!("<{name} ")).count()
                + page.matches(&format!("<{name}>")).count()
                - page.matches("/></svg>").count() * usize::from(name == "rect");
            let edges = page.matches("class=\"edge\"").count() * usize::from(name == "rect");
            assert_eq!(opened - edges, page.matches(&format!("</{name}>")).count(), "{name}");
        }
    }
}
