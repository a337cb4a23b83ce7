//! For a terminal: the first line is the answer.

mod draw;
mod paint;
mod residents;

use std::io::{self, Write};

use super::board;
use super::groups::{Report, Shown};
use super::plain::{clean, counted};
use super::words;
use crate::diagnose::Advice;
use crate::program::named;
use paint::{Paint, wrapped};

/// How text looks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Look {
    /// With colours.
    pub color: bool,
}

/// The most warnings that are shown.
const MOST_WARNINGS: usize = 8;

/// Writes it: at most 100 columns wide, but for the first line, which is for `head -1` and `grep`,
/// and for words of a log that are longer.
///
/// # Errors
/// Where the output takes no more.
pub fn write(report: &Report<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { color: look.color };
    if let Some(answer) = words::recommended::answer(report) {
        writeln!(out, "{}", paint.bold(&answer))?;
    }
    writeln!(out, "{}", paint.bold(&words::first_line(report)))?;
    if let Some(act) = words::act(report) {
        wrapped(&act, "do: ", "    ", out)?;
    }
    recommended(report, paint, out)?;
    let is_trouble = report.diagnosis.boot.troubles().next().is_some();
    let boot_first = report.groups.is_empty() || is_trouble;
    if boot_first {
        boot(report, paint, out)?;
    }
    if report.groups.is_empty() {
        beside(report, paint, out)?;
        nothing(report, out)?;
    }
    let mut said = Vec::new();
    let single = report.groups.len() == 1 && report.beyond == 0;
    let is_told = report.groups.iter().any(|shown| !shown.group.is_hidden());
    for shown in report.groups.iter().filter(|shown| shown.detailed) {
        writeln!(out)?;
        if is_told && shown.group.is_hidden() {
            wrapped(&words::hidden_line(shown), "", "    ", out)?;
            continue;
        }
        if !single {
            wrapped(&paint.bold(&words::group_line(shown)), "", "    ", out)?;
        }
        group(shown, paint, &mut said, out)?;
    }
    if let Some(cap) = words::one_cap(report) {
        writeln!(out)?;
        labelled("all", &cap, paint, out)?;
    }
    rest(report, out)?;
    if !report.groups.is_empty() {
        beside(report, paint, out)?;
    }
    let areas = report.diagnosis.areas.iter().zip(&report.diagnosis.residents);
    for (area, residents) in areas.filter(|(_, residents)| !residents.is_empty()) {
        writeln!(out)?;
        let cap = report.diagnosis.cap_in(area.name.as_ref());
        residents::write(area, residents, cap, paint, out)?;
    }
    if !boot_first {
        boot(report, paint, out)?;
    }
    footer(report, out)
}

/// What is no failure of CMA, a paragraph each.
fn beside(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for (label, text) in words::paragraphs(report.diagnosis) {
        writeln!(out)?;
        labelled(label, &text, paint, out)?;
    }
    Ok(())
}

/// Whether each area and the cap are as recommended.
fn recommended(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Some(held) = &report.diagnosis.as_recommended else { return Ok(()) };
    writeln!(out)?;
    let all = words::recommended::each(held, &report.diagnosis.boot);
    all.iter().try_for_each(|text| labelled("advised", text, paint, out))
}

/// What became of the areas that the kernel was asked for.
fn boot(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let all = words::boot::boot(&report.diagnosis.boot);
    if !all.is_empty() {
        writeln!(out)?;
    }
    all.iter().try_for_each(|text| labelled("boot", text, paint, out))
}

fn nothing(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for area in report.diagnosis.areas.iter().filter(|area| area.placed) {
        if let Some(map) = super::Map::strip(area, None) {
            writeln!(out)?;
            let name = area.name.as_deref().map_or_else(|| "an area".to_string(), clean);
            let longest = area.largest_run();
            writeln!(out, "  {name}: {}, the longest run {longest}", words::free_of_area(area))?;
            draw::maps(&[&map], Paint { color: false }, out)?;
        }
    }
    let found = words::found_anything(report.diagnosis);
    for text in words::NOTHING_FOUND.iter().filter(|_| !found) {
        writeln!(out)?;
        wrapped(&named(text), "  ", "  ", out)?;
    }
    Ok(())
}

fn group<'a>(
    shown: &'a Shown<'_>,
    paint: Paint,
    said: &mut Vec<&'a Advice>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (label, text) in words::facts(shown) {
        labelled(label, &text, paint, out)?;
    }
    advice(&shown.advice, paint, said, out)?;
    let maps: Vec<_> = shown.strip.iter().chain(&shown.map).collect();
    draw::maps(&maps, paint, out)?;
    if let Some(detail) = &shown.detail {
        writeln!(out)?;
        draw::detail(detail, shown.group.first.incident.count.unwrap_or(0), paint, out)?;
    }
    Ok(())
}

fn labelled(label: &str, text: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let first = format!("  {}{}", paint.dim(label), " ".repeat(9usize.saturating_sub(label.len())));
    wrapped(text, &first, "           ", out)
}

/// What was `said` of a failure before is not said again.
fn advice<'a>(
    advice: &'a [Advice],
    paint: Paint,
    said: &mut Vec<&'a Advice>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = words::most_useful(advice);
    let new: Vec<_> = shown.iter().copied().filter(|one| !said.contains(one)).collect();
    said.extend(&new);
    if new.len() < shown.len() && new.iter().all(|one| !one.helps) {
        let more = if new.is_empty() { "as above" } else { "as above, and:" };
        // What was said already may be what to look for alone.
        let helps = shown.iter().any(|one| one.helps && !new.contains(one));
        labelled(if helps { "helps" } else { "next" }, more, paint, out)?;
    }
    for advice in new {
        let cost = words::cost(advice).map_or_else(String::new, |cost| format!(" [{cost}]"));
        let mut label = words::label(advice);
        for step in words::steps(advice) {
            labelled(label, &(step + &cost), paint, out)?;
            label = "";
        }
    }
    Ok(())
}

/// The groups that have no detail, a line each, and what is in no group.
fn rest(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    const MOST: usize = 24;
    let rest: Vec<_> = report.groups.iter().filter(|shown| !shown.detailed).collect();
    if !rest.is_empty() {
        writeln!(out, "\nmore, not shown in full:")?;
    }
    for shown in rest.iter().take(MOST) {
        wrapped(&words::group_line(shown), "  ", "      ", out)?;
    }
    let hidden = rest.iter().skip(MOST).map(|shown| shown.group.failures).sum::<u64>();
    let hidden = hidden + report.beyond;
    if hidden > 0 {
        writeln!(out, "  and {} of other sizes or areas", counted(hidden, "failure"))?;
        writeln!(out, "  (--format csv has a row for each)")?;
    }
    Ok(())
}

fn footer(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    wrapped(&words::read(report.diagnosis), "", "  ", out)?;
    if let Some(unreported) = words::unreported(report) {
        wrapped(&unreported, "", "  ", out)?;
    }
    if let Some(hidden) = board::suppressed(report.diagnosis) {
        let label = if report.diagnosis.suppressed > 0 { "unknown: " } else { "hidden: " };
        wrapped(&hidden, label, "  ", out)?;
    }
    for line in board::counters(report.diagnosis) {
        wrapped(&line, "counters: ", "  ", out)?;
    }
    let warnings = &report.diagnosis.warnings;
    for warning in warnings.iter().take(MOST_WARNINGS) {
        wrapped(&clean(warning), "note: ", "  ", out)?;
    }
    if warnings.len() > MOST_WARNINGS {
        writeln!(out, "and {}", counted((warnings.len() - MOST_WARNINGS) as u64, "other note"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{diagnosis, misaligned, state, undecidable, with, written};
    use super::*;
    use crate::diagnose::{Diagnosis, Failure};

    fn text(failures: &[Failure]) -> String {
        written(failures, &diagnosis(), |report, out| write(report, Look::default(), out))
    }

    fn first(failures: &[Failure]) -> String {
        text(failures).lines().next().unwrap().to_string()
    }

    #[test]
    fn the_first_line_is_the_answer() {
        let second = with(&misaligned(), |incident| incident.time_us = Some(98_700_000));
        assert_eq!(
            first(&[misaligned(), second]),
            "alignment (certain): 300 pages (1.2 MiB) at order 8 do not fit, though 500 are free in one \
             run; order 7 would have fitted (2 failures, 12.3 s to 98.7 s)"
        );
        assert_eq!(
            first(&[undecidable()]),
            "undecidable: 1 page (4 KiB) at order 0 failed; -12 means exhausted or migration, and there is \
             no list of free runs (1 failure)"
        );
    }

    #[test]
    fn of_several_kinds_there_is_a_sum_first() {
        let text = text(&[undecidable(), misaligned(), misaligned()]);
        assert!(text.starts_with("3 failures: 2 alignment, 1 undecidable\n"), "{text}");
        let (alignment, open) =
            (text.find("alignment (certain)"), text.find("undecidable: 1 page"));
        assert!(alignment.unwrap() < open.unwrap(), "the frequent one comes first: {text}");
    }

    #[test]
    fn the_run_that_comes_closest_is_drawn() {
        let text = text(&[misaligned()]);
        let picture = "
  500@513, a row is 256 pages, a character 4 pages:
   512 |!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!![!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!|
   768 |==========================================]==================XXX|
  1024 |XXXXXXXXXXX#####################################################|
";
        assert!(text.contains(picture), "{text}");
        let legend = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(legend.contains("needed: 768 + 300 = 1068 > 1013;"), "{text}");
        assert!(legend.contains("[ ] its 300 pages at order 7: 640 to 939 "), "{text}");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let other = with(&undecidable(), |incident| incident.ret = Some(-16));
        let text = text(&[undecidable(), other]);
        assert_eq!(text.matches("  next     1. ").count(), 1, "{text}");
        assert_eq!(text.matches("  next     as above\n").count(), 1, "{text}");
    }

    #[test]
    fn residents_stand_in_a_table() {
        let text = text(&[misaligned()]);
        let row = "    257      8        2       510    256    384    448    480    510  likely";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("cap 7  cap 6  cap 5  cap 4  cap 0"), "{text}");
    }

    #[test]
    fn the_note_s_area_is_said_to_strand_half_of_itself() {
        let mut found = diagnosis();
        found.areas[0].total = Some(286_720);
        let text = written(&[], &found, |report, out| write(report, Look::default(), out));
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = "is 49.8 % free when the next one fails at cap 8; 33.1 % at cap 7, 19.7 % at \
                        cap 6, 10.8 % at cap 5, 5.5 % at cap 4, 0.1 % at cap 0.";
        assert!(flat.contains(sentence), "{text}");
    }

    #[test]
    fn no_failure_is_said_with_what_was_read() {
        let found = Diagnosis { failures: 0, ..diagnosis() };
        let text = written(&[], &found, |report, out| write(report, Look::default(), out));
        assert!(text.starts_with("no failed CMA allocation in this log\n"), "{text}");
        for part in ["read 1234 lines", "855 of 2048 pages free", "cmalab collect", "1 line looked"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn lines_but_the_first_end_at_column_100_and_a_log_cannot_steer_the_terminal() {
        let evil =
            with(&misaligned(), |incident| incident.area = Some("\x1b[2Ja\u{202e}\n".into()));
        let text = text(&[evil, undecidable(), misaligned()]);
        let control = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(control), "{text:?}");
        for line in text.lines().skip(1) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn hundreds_of_kinds_are_counted_and_not_shown() {
        let many: Vec<_> = (1..=1000)
            .map(|count| with(&undecidable(), |incident| incident.count = Some(count)))
            .collect();
        let text = text(&many);
        assert!(text.starts_with("1000 failures: 1000 undecidable\n"), "{text}");
        // 16 in full and 24 in a line each.
        assert!(text.contains("and 960 failures of other sizes or areas"), "{text}");
        assert!(text.lines().count() < 250, "{}", text.lines().count());
    }

    #[test]
    fn colour_is_only_where_it_is_asked_for() {
        let look = Look { color: true };
        let text = written(&[misaligned()], &diagnosis(), |report, out| write(report, look, out));
        assert!(text.starts_with("\x1b[1malignment"), "{text:?}");
        assert!(!self::text(&[misaligned()]).contains('\x1b'));
    }

    #[test]
    fn a_state_without_positions_has_no_picture() {
        let mut unplaced = state(Some(2048), true, &[(500, 0)]);
        unplaced.placed = false;
        let failure = with(&misaligned(), |incident| incident.state = Some(unplaced.into()));
        assert!(!text(&[failure]).contains("a character is"));
    }
}
