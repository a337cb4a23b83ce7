//! Rates over rho = LOAD / area, for every policy and cap. Never averaged over rho.

use std::io::{self, Write};

use super::axis::Axis;
use super::chart::{Mark, Plot, Rule, Series};
use super::escape::Escaped;
use super::names::{self, percent, seen};
use super::table::{self, Row, numbers, words};
use super::ways::{Page, Way};
use crate::report::summary::{BLAME, SummaryRow};
use crate::report::time::covers;
use crate::sweep::Configuration;

/// Pictures at most.
const MOST_PLOTS: usize = 8;
/// Rows of the table at most.
const MOST_ROWS: usize = 60;

/// Rows that lie on one line each: a stream and environment, on boards that differ in size alone.
struct Group<'a> {
    at: Configuration,
    shape: String,
    rows: Vec<&'a SummaryRow>,
}

/// Writes the pictures, and the table of what has one LOAD only.
pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<p>R2: requests refused although enough pages were free, of those that found enough free. \
         Near rho = 1 everything fails for want of pages, which R2 leaves out; a rate at one rho \
         says nothing about another, and no number here is a mean over several.</p>"
    )?;
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in &page.findings.summary.rows {
        let shape = shape(page, &row.at);
        let same = |group: &&mut Group<'_>| {
            (group.at.stream, group.at.environment) == (row.at.stream, row.at.environment)
                && group.shape == shape
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { at: row.at, shape, rows: vec![row] }),
        }
    }
    let (lines, points): (Vec<_>, Vec<_>) = groups.iter().partition(|group| several(page, group));
    for (index, group) in lines.iter().take(MOST_PLOTS).enumerate() {
        plot(page, index, group, out)?;
    }
    super::left_out(lines.len().saturating_sub(MOST_PLOTS), out)?;
    if points.is_empty() {
        return Ok(());
    }
    let rows = points.iter().flat_map(|group| &group.rows).copied().collect::<Vec<_>>();
    table(page, &rows, out)
}

/// What boards have in common that differ in size alone: the clients of each area.
fn shape(page: &Page<'_>, at: &Configuration) -> String {
    let board = page.ready.board(at);
    let areas = board.areas.iter().map(|area| area.clients.join(" "));
    areas.collect::<Vec<_>>().join("|")
}

fn several(page: &Page<'_>, group: &Group<'_>) -> bool {
    let mut all: Vec<_> = group.rows.iter().map(|row| (row.at.board, row.at.load)).collect();
    all.dedup();
    all.iter().any(|at| *at != all[0])
        && group.rows.iter().all(|row| names::rho(page.ready, row).is_some())
}

fn plot(page: &Page<'_>, index: usize, group: &Group<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rows_of = |way: &Way| {
        let (cap, policy) = (way.cap, way.policy);
        group.rows.iter().copied().filter(move |row| (row.at.cap, row.policy) == (cap, policy))
    };
    let stream = page.ready.plan.streams[group.at.stream].name();
    let shape = match page.ready.board(&group.at).areas.len() {
        1 => String::new(),
        areas => format!(", {areas} areas"),
    };
    let environment = names::environment(page.ready, group.at.environment);
    let title = format!("{stream}{shape}{environment}");
    // What is left of a way of which some streams were ended at their first failure is what went
    // well: a line of zeros.
    let (whole, out_of_it): (Vec<_>, Vec<_>) = page.ways.iter().partition(|way| {
        rows_of(way).any(|row| row.streams > 0) && rows_of(way).all(|row| row.ended_early == 0)
    });
    let drawn = group.rows.iter().copied().filter(|row| {
        let way = Way { cap: row.at.cap, policy: row.policy };
        row.streams > 0 && (whole.is_empty() || whole.contains(&&way))
    });
    let covers = names::sentence(&covers(page.ready, &drawn.collect::<Vec<_>>()));
    if whole.is_empty() {
        return writeln!(
            out,
            "<p>{}: ended at the first failure, so that there are no rates over the length of \
             streams, or not run. {}</p>",
            Escaped(title),
            Escaped(covers)
        );
    }
    let line = |way: &Way| {
        let rows = rows_of(way);
        let mut marks: Vec<_> = rows.filter_map(|row| mark(page, row)).collect();
        marks.sort_by(|a, b| a.x.total_cmp(&b.x));
        let name = page.name(*way, group.rows.iter().copied());
        Series { name, look: page.look(*way), marks, steps_to: None, band: false }
    };
    let series: Vec<_> = whole.into_iter().map(line).filter(|s| !s.marks.is_empty()).collect();
    let marks = || series.iter().flat_map(|series| &series.marks);
    // As high as what was seen: what a clean point still allows may be many times that, and would
    // press everything else onto the axis.
    let top = |mark: &Mark| mark.interval.map_or(mark.y, |(_, high)| high.max(mark.y));
    let seen = marks().filter(|mark| !mark.hollow).map(top).fold(0.0, f64::max);
    let most = if seen > 0.0 { seen } else { marks().map(top).fold(0.0, f64::max) };
    let widest = marks().map(|mark| mark.x).fold(1.0, f64::max);
    let least = marks().map(|mark| mark.x).fold(1.0, f64::min);
    let left = match page.ways_left() {
        0 => String::new(),
        more => format!(" {more} more caps and policies: summary.csv."),
    };
    let out_of_it: Vec<_> =
        out_of_it.into_iter().map(|way| names::way(page.ready, way.cap, way.policy)).collect();
    let out_of_it = match out_of_it.is_empty() {
        true => String::new(),
        false => format!(
            " Left out, as streams ended at the first failure, which leaves no rates over their \
             length, or were not run: {}.",
            out_of_it.join("; ")
        ),
    };
    let plot = Plot {
        id: format!("rho{index}"),
        title,
        about: "Rate of withheld requests over LOAD / area, a line for each cap and policy. \
                summary.csv has the numbers of every point."
            .to_string(),
        x: Axis::between("rho = LOAD / area", least, widest, |at| format!("{at:.2}")),
        y: Axis::percent("withheld per satisfiable request (R2), %", most),
        series,
        rules: rules(page, group),
        note: format!(
            "{covers} Bars: 95 % intervals over streams. A hollow marker: no request was withheld in any \
             stream; its broken bar is what that still allows, and may leave the plot. To the right of the dotted line \
             of a cap the area is too small for any policy (structural).{left}{out_of_it}"
        ),
    };
    plot.write(out)
}

/// A row as a place over its rho.
fn mark(page: &Page<'_>, row: &SummaryRow) -> Option<Mark> {
    let rate = &row.rates[BLAME];
    let (x, y) = (names::rho(page.ready, row)?, rate.mean?);
    let interval = rate.interval.low.zip(rate.interval.high);
    let structural = match row.structural {
        Some(0) | None => String::new(),
        Some(streams) => {
            format!("; structural in {streams}: some request of them fails under any policy")
        }
    };
    let text = format!(
        "{}: rho {x:.3}, R2 {}; {} of {} streams fail{structural}",
        names::board(page.ready, &row.at),
        seen(rate, row.streams).line(),
        row.failed,
        row.streams
    );
    Some(Mark { x, y, interval, hollow: y == 0.0, text })
}

/// Where aligned LOAD is the area: from there on no policy can help.
fn rules(page: &Page<'_>, group: &Group<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for (index, cap) in page.ready.plan.caps.iter().enumerate() {
        if !page.ways.iter().any(|way| way.cap == index) {
            continue;
        }
        // Of a stream whose LOAD follows the board the border moves with it: the fullest counts.
        let of_cap = group.rows.iter().filter(|row| row.at.cap == index);
        let border = of_cap.filter_map(|row| {
            let (load, aligned) = (row.load_pages?, row.aligned_load_pages?);
            Some((names::rho(page.ready, row)?, load / aligned))
        });
        let border = border.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at);
        if let Some(x) = border.filter(|at| *at < 0.999) {
            rules.push(Rule { x, text: format!("cap {cap}: aligned LOAD = area") });
        }
    }
    rules.sort_by(|a, b| a.x.total_cmp(&b.x));
    rules.push(Rule { x: 1.0, text: "LOAD = area".to_string() });
    rules
}

/// Streams of one LOAD on one board, as a table: a line needs two places.
fn table(page: &Page<'_>, rows: &[&SummaryRow], out: &mut dyn Write) -> io::Result<()> {
    let drawn =
        rows.iter().filter(|row| page.ways.contains(&Way { cap: row.at.cap, policy: row.policy }));
    let columns = [
        words("Stream and board"),
        words("Policy and cap"),
        numbers("rho"),
        numbers("Withheld per satisfiable request (R2)"),
        numbers("Streams that fail"),
        numbers("First refused request (R5)"),
    ];
    let row = |row: &&SummaryRow| {
        let way = Way { cap: row.at.cap, policy: row.policy };
        let rho = names::rho(page.ready, row);
        let fields = vec![
            table::noted(&page.place(&row.at), &covers(page.ready, &[*row])),
            table::text(&page.name_of(way, row)),
            table::number(rho, &rho.map_or_else(|| "–".to_string(), percent)),
            table::sure(row.rates[BLAME].mean, &names::rate(row, BLAME)),
            table::sure(
                Some(row.failed as f64),
                &names::failing(row.failed, row.streams, &row.failed_interval),
            ),
            table::sure(row.first_failure, &names::first_failure(row)),
        ];
        Row { class: super::sure::class(page, row), fields }
    };
    let shown: Vec<_> = drawn.take(MOST_ROWS).map(row).collect();
    let more = rows.len() - shown.len();
    writeln!(out, "<p>{}</p>", Escaped("Streams that were run at one LOAD on one board:"))?;
    table::write("Streams at one rho", &columns, &shown, more, out)?;
    if rows.iter().any(|row| row.ended_early > 0) {
        writeln!(out, "<p class=\"sub\">{}</p>", names::CUT_NOTE)?;
    }
    Ok(())
}
