//! The page of a log: the answer, the failures, then each kind of failure with its picture, then the
//! areas.

mod svg;
mod tables;

use std::io::{self, Write};

use maud::{Markup, html};

use super::groups::{OverTime, Report, Shown};
use super::{board, words};
use crate::cause::Cause;
use crate::diagnose::Advice;
use crate::program::{self, named};
use crate::report::page::{Page, Section, capital};
use crate::report::view::{STILL_STYLE, still};

const STYLE: &str = include_str!("html/style.css");

/// Writes it.
///
/// # Errors
/// Where the output takes no more.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let headline = words::first_line(report);
    let over_time = over_time(report);
    let style = match over_time {
        Some(_) => [STYLE, STILL_STYLE].concat(),
        None => STYLE.to_string(),
    };
    let page = Page {
        title: &headline,
        style: &style,
        script: "",
        header: header(report, &headline),
        sections: over_time.into_iter().chain(sections(report)).collect(),
        footer: footer(report),
    };
    out.write_all(page.text().as_bytes())
}

/// What lay where in the area, from the first event of the trace to the last.
fn over_time(report: &Report<'_>) -> Option<Section> {
    let body = match &report.over_time {
        OverTime::Unknown => None,
        OverTime::Film(view) => still(view, "over-time-map"),
        OverTime::TooLong(most, command) => Some(html! {
            p {
                "The trace has more than " (most) " events: the map of the area over the time is left \
                 out. This draws it: " code { (command) } "."
            } "\n"
        }),
    };
    let heading = html! { "The area over the time" };
    Some(Section { id: "over-time".to_string(), heading, body: body? })
}

/// An overview, each kind of failure that is shown in detail, each area with known buffers; of a log
/// without a failure what is known of its areas.
fn sections(report: &Report<'_>) -> Vec<Section> {
    let mut sections = match report.groups.is_empty() {
        true => free_areas(report),
        false => vec![tables::overview(report)],
    };
    let only = report.groups.len() == 1 && words::of_boot(report).is_none();
    let is_trouble = report.diagnosis.boot.troubles().next().is_some();
    sections.extend(at_boot(report).filter(|_| is_trouble));
    let groups = report.groups.iter().enumerate().filter(|(_, shown)| shown.detailed);
    sections.extend(groups.map(|(index, shown)| group(index, shown, only)));
    sections.extend(tables::areas(report));
    sections.extend(at_boot(report).filter(|_| !is_trouble));
    sections
}

/// What became of the areas that the kernel was asked for.
fn at_boot(report: &Report<'_>) -> Option<Section> {
    let all = words::boot::boot(&report.diagnosis.boot);
    let body = html! { ul { @for text in &all { li { (capital(text)) } "\n" } } };
    (!all.is_empty()).then(|| Section { heading: html! { "At boot" }, body, id: "boot".into() })
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

fn header(report: &Report<'_>, headline: &str) -> Markup {
    html! {
        p .tool { (program::name()) " diagnose" } "\n"
        @if let (Some(held), Some(answer)) =
            (&report.diagnosis.as_recommended, words::recommended::answer(report))
        {
            p { b { (capital(&answer)) } "." }
            ul { @for text in words::recommended::each(held, &report.diagnosis.boot) {
                li { (capital(&text)) } "\n"
            } } "\n"
        }
        @let of_boot = words::of_boot(report).is_some();
        @let single = report.groups.len() == 1 && report.beyond == 0 && !of_boot;
        @if let Some(cut) = words::cut(report.diagnosis).filter(|_| single) {
            p .sub { (capital(&cut)) } "\n"
        }
        @if let ([shown], 0, false) = (report.groups.as_slice(), report.beyond, of_boot) {
            @let failure = &shown.group.first;
            p .badge.(class(failure.verdict)) { (words::verdict(failure)) } "\n"
            h1 { (capital(&words::answer(failure))) } "\n"
            p .sub { (words::occurrence(shown)) } "\n"
        } @else {
            h1 { (capital(headline)) } "\n"
        }
        @if let Some(act) = words::act(report) {
            p .act { b { "Do: " } (act) } "\n"
        }
        @if let Some(cap) = words::one_cap(report) { p { (capital(&cap)) } "\n" }
        @if let Some(hidden) = board::suppressed(report.diagnosis) {
            p .sub { (capital(&hidden)) } "\n"
        }
        @for (label, text) in words::paragraphs(report.diagnosis) {
            p { b { (capital(label)) ": " } (text) } "\n"
        }
        @if report.groups.is_empty() && !words::found_anything(report.diagnosis) {
            @for text in words::NOTHING_FOUND { p { (named(text).replace('`', "")) } "\n" }
        }
    }
}

/// What is known of areas in which nothing failed.
fn free_areas(report: &Report<'_>) -> Vec<Section> {
    let areas = report.diagnosis.areas.iter().filter(|area| area.placed).enumerate();
    let section = |(index, area): (usize, &crate::diagnose::AreaState)| {
        let map = super::Map::slots(area, 0, None)?;
        let id = format!("free{index}");
        Some(Section {
            heading: html! { "Area " (area.name.as_deref().unwrap_or("an area")) },
            body: svg::map(&map, &format!("{id}-map")),
            id,
        })
    };
    areas.filter_map(section).collect()
}

/// A group; the heading of the page has said what it is where it is the `only` one.
fn group(index: usize, shown: &Shown<'_>, only: bool) -> Section {
    let failure = &shown.group.first;
    let id = format!("f{index}");
    let heading = html! {
        @if only { "In numbers" } @else {
            span .badge.(class(failure.verdict)) { (words::verdict(failure)) } " "
            (capital(&words::answer(failure)))
        }
    };
    let body = html! {
        @if !only { p .sub { (words::occurrence(shown)) } "\n" }
        dl { @for (label, text) in words::facts(shown) {
            dt { (capital(label)) } dd { (text) } "\n"
        } } "\n"
        @if let Some(detail) = &shown.detail {
            (svg::detail(detail, failure.incident.count.unwrap_or(0), &format!("{id}-run")))
        }
        @if let Some(map) = shown.map.as_ref().or(shown.strip.as_ref()) {
            (svg::map(map, &format!("{id}-map")))
        }
        @if !shown.advice.is_empty() {
            h3 { "What would have helped" } "\n"
            ul .advice { @for one in &shown.advice { (advice(one)) } } "\n"
        }
    };
    Section { id, heading, body }
}

fn advice(advice: &Advice) -> Markup {
    let (class, word) = match words::label(advice) {
        "next" => ("next", "Next step"),
        "helps" => ("yes", "Helps"),
        "partly" => ("no", "Helps in part"),
        _ => ("no", "Does not help"),
    };
    html! {
        li .(class) {
            b { (word) ":" } " " (words::advice(advice))
            @if let Some(cost) = words::cost(advice) { " " span .cost { (cost) } }
        } "\n"
    }
}

fn footer(report: &Report<'_>) -> Markup {
    let diagnosis = report.diagnosis;
    html! {
        footer {
            p { (capital(&words::read(diagnosis))) "." } "\n"
            @if let Some(unreported) = words::unreported(report) { p { (unreported) "." } "\n" }
            @for line in board::counters(diagnosis) { p { (line) "." } "\n" }
            @if !diagnosis.warnings.is_empty() {
                details {
                    summary { "Notes on the log" }
                    ul { @for warning in &diagnosis.warnings { li { (warning) } "\n" } }
                }
            }
        }
    }
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
        let heading = "<h1>300 pages (1.2 MiB) at order 8 do not fit, though 500 are free in one run; \
                       order 7 would have fitted</h1>";
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
            assert!(page.contains("&lt;script&gt;alert('x')"), "{page}");
            assert!(!page.contains("<script"), "{page}");
            assert!(!page.contains(['\u{202e}', '\x07']), "{page}");
        }
    }

    fn over_time(over_time: OverTime) -> String {
        let (mut groups, diagnosis) = (super::super::Groups::default(), diagnosis());
        groups.push(&misaligned());
        let mut report = Report::new(&groups, &diagnosis);
        report.over_time = over_time;
        let mut page = Vec::new();
        write(&report, &mut page).expect("memory takes all");
        String::from_utf8(page).expect("it is text")
    }

    #[test]
    fn a_trace_too_long_for_a_map_is_said_with_what_draws_it() {
        let page = over_time(OverTime::TooLong(1000, "cmalab view a&b.txt".into()));
        let said = "more than 1000 events: the map of the area over the time is left out. This draws \
                    it: <code>cmalab view a&amp;b.txt</code>";
        assert!(page.contains(said), "{page}");
        assert!(page.find("id=\"over-time\"") < page.find("id=\"all\""), "{page}");
        assert!(!over_time(OverTime::Unknown).contains("over-time"));
    }

    #[test]
    fn it_asks_for_nothing_and_closes_what_it_opens() {
        let page = html(&[misaligned(), undecidable()]);
        let policy = "content=\"default-src 'none'; style-src 'sha256-";
        assert!(page.contains(policy) && page.contains("script-src 'none'"), "{page}");
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
                + page.matches(&format!("<{name}>")).count();
            assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
        }
    }
}
