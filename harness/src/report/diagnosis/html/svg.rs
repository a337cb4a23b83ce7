//! Pictures as inline SVG: cells of one kind are one rectangle with a title.

use std::io::{self, Write};

use super::super::picture::{Cell, Detail, Fill, Map, Mark, Part, ROW, Row};
use super::super::plain::counted;

/// Units of a cell, to each side.
const CELL: usize = 10;
/// Units that a row of the map, and one of the run under the glass, is high.
const MAP_ROW: usize = 12;
const DETAIL_ROW: usize = 22;
/// Units for the page numbers in front of a row.
const LABEL: usize = 84;

fn fill_class(fill: Fill) -> &'static str {
    match fill {
        Fill::Used => "u",
        Fill::MostUsed => "mu",
        Fill::MostFree => "mf",
        Fill::Free => "f",
        Fill::Unknown => "q",
    }
}

fn fill_words(fill: Fill) -> &'static str {
    match fill {
        Fill::Used => "used",
        Fill::MostUsed => "free in part",
        Fill::MostFree => "mostly free",
        Fill::Free => "free",
        Fill::Unknown => "used, or cut from the list",
    }
}

const fn mark_class(mark: Mark) -> Option<(&'static str, &'static str)> {
    match mark {
        Mark::None => None,
        Mark::Misaligned => Some(("bad", "long enough, but not from an aligned page on")),
        Mark::Instead => Some(("good", "here it would have fitted at a smaller order")),
    }
}

/// Opens a picture that is `height` units high; `what` says in words what it shows.
fn open(height: usize, what: &str, out: &mut dyn Write) -> io::Result<()> {
    let width = LABEL + ROW * CELL;
    writeln!(
        out,
        "<figure>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Picture\">\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{what}\">"
    )
}

/// A page number at the foot of the row that is drawn from `y` on.
fn label(y: usize, text: impl std::fmt::Display, out: &mut dyn Write) -> io::Result<()> {
    let x = LABEL - 6;
    writeln!(out, "<text x=\"{x}\" y=\"{y}\">{text}</text>")
}

/// Cells beside each other: `cells` of them from cell `at` on, `y` units down, `height` high.
struct Place {
    at: usize,
    cells: usize,
    y: usize,
    height: usize,
}

fn rect(place: &Place, class: &str, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let Place { at, cells, y, height } = place;
    let (x, width) = (LABEL + at * CELL, cells * CELL - 1);
    writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">\
         <title>{title}</title></rect>"
    )
}

/// Writes `map` with its legend.
pub(super) fn map(map: &Map, out: &mut dyn Write) -> io::Result<()> {
    let rows: usize = map.ranges.iter().map(|range| range.cells.len().div_ceil(ROW)).sum();
    let free = map.ranges.iter().flat_map(|range| &range.cells).map(|cell| cell.free);
    let free = free.fold(0, u64::saturating_add);
    let size = counted(map.cell_pages, "page");
    open(
        rows * MAP_ROW,
        &format!("Occupancy of the area; {free} pages are known to be free"),
        out,
    )?;
    let mut y = 0;
    for range in &map.ranges {
        for cells in range.cells.chunks(ROW) {
            label(y + CELL - 1, cells[0].start, out)?;
            let mut at = 0;
            let same = |a: &Cell, b: &Cell| (a.fill, a.mark) == (b.fill, b.mark);
            for piece in cells.chunk_by(same) {
                let (first, last) = (&piece[0], &piece[piece.len() - 1]);
                let to = last.start + last.pages.max(1) - 1;
                let free = piece.iter().fold(0u64, |sum, cell| sum.saturating_add(cell.free));
                let words = fill_words(first.fill);
                let mark = mark_class(first.mark);
                let note = mark.map_or_else(String::new, |(_, words)| format!("; {words}"));
                let title = format!("pages {} to {to}: {words}, {free} free{note}", first.start);
                let class = match mark {
                    Some((class, _)) => format!("{} {class}", fill_class(first.fill)),
                    None => fill_class(first.fill).to_string(),
                };
                let place = Place { at, cells: piece.len(), y, height: CELL };
                rect(&place, &class, &title, out)?;
                at += piece.len();
            }
            y += MAP_ROW;
        }
    }
    writeln!(out, "</svg>\n</div>\n<figcaption>The area, {size} to a cell.")?;
    legend_of(map, out)?;
    writeln!(out, "</figcaption>\n</figure>")
}

fn legend_of(map: &Map, out: &mut dyn Write) -> io::Result<()> {
    let cells = || map.ranges.iter().flat_map(|range| &range.cells);
    for fill in [Fill::Used, Fill::MostUsed, Fill::MostFree, Fill::Free, Fill::Unknown] {
        if cells().any(|cell| cell.fill == fill && cell.mark == Mark::None) {
            legend(fill_class(fill), fill_words(fill), out)?;
        }
    }
    for mark in [Mark::Misaligned, Mark::Instead] {
        if let Some((class, words)) = mark_class(mark)
            && cells().any(|cell| cell.mark == mark)
        {
            legend(&format!("f {class}"), words, out)?;
        }
    }
    if map.open {
        writeln!(out, "<span>Where the area ends is not in the log.</span>")?;
    }
    Ok(())
}

fn legend(class: &str, words: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<span class=\"key\"><svg class=\"swatch\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">\
         <rect class=\"{class}\" width=\"10\" height=\"10\"/></svg> {words}</span>"
    )
}

const fn part_class(part: Part) -> &'static str {
    match part {
        Part::Other(Fill::Used | Fill::MostUsed) => "u",
        Part::Other(Fill::Unknown) => "q",
        Part::Other(_) => "f",
        Part::Lost => "f bad",
        Part::Taken => "take",
        Part::Missing => "miss",
        Part::Nothing => "none",
    }
}

/// Writes `detail` with its legend, for a request of `count` pages.
pub(super) fn detail(detail: &Detail, count: u64, out: &mut dyn Write) -> io::Result<()> {
    let [head, tail] = &detail.rows;
    let gap = usize::from(!tail.is_empty());
    let (hole, aligned) = (detail.hole, detail.aligned);
    let reach = aligned.saturating_add(count);
    let what = format!(
        "The free run of {} pages at {}: its first aligned page is {aligned}, and {aligned} + \
         {count} = {reach} is behind its end at {}",
        hole.count,
        hole.start,
        hole.end()
    );
    open((head.len() + gap + tail.len()) * DETAIL_ROW, &what, out)?;
    for (at, row) in head.iter().enumerate() {
        draw_row(at * DETAIL_ROW, row, detail.cell_pages, out)?;
    }
    if gap > 0 {
        label(head.len() * DETAIL_ROW + DETAIL_ROW / 2, "…", out)?;
    }
    for (at, row) in tail.iter().enumerate() {
        draw_row((head.len() + gap + at) * DETAIL_ROW, row, detail.cell_pages, out)?;
    }
    let slot = counted(detail.row_pages, "page");
    writeln!(out, "</svg>\n</div>\n<figcaption>{what}. A row is {slot}.")?;
    let has = |part: Part| detail.all_rows().any(|row| row.parts.contains(&part));
    if has(Part::Lost) {
        legend("f bad", "free, in front of the first aligned page", out)?;
    }
    if has(Part::Taken) {
        legend("take", "free, where the request would begin", out)?;
    }
    if has(Part::Missing) {
        legend("miss", "needed too, and not free", out)?;
    }
    if let Some((order, place)) = detail.instead {
        let words = format!("at order {order}: {} to {}", place.start, place.end() - 1);
        legend("frame", &words, out)?;
    }
    writeln!(out, "</figcaption>\n</figure>")
}

fn draw_row(y: usize, row: &Row, cell_pages: u64, out: &mut dyn Write) -> io::Result<()> {
    let height = DETAIL_ROW - 2;
    label(y + height - 6, row.start.max(0), out)?;
    let mut cell = 0;
    for piece in row.parts.chunk_by(|a, b| a == b) {
        if piece[0] != Part::Nothing {
            let from = row.start + cell as i128 * i128::from(cell_pages);
            let to = from + piece.len() as i128 * i128::from(cell_pages) - 1;
            let title = format!("pages {} to {to}", from.max(0));
            let place = Place { at: cell, cells: piece.len(), y, height };
            rect(&place, part_class(piece[0]), &title, out)?;
        }
        cell += piece.len();
    }
    let mut edge = |cell: usize| {
        let x = LABEL + cell * CELL;
        writeln!(out, "<rect class=\"edge\" x=\"{x}\" y=\"{y}\" width=\"3\" height=\"{height}\"/>")
    };
    row.begins.map_or(Ok(()), &mut edge)?;
    row.ends.map_or(Ok(()), |cell| edge(cell + 1))
}
