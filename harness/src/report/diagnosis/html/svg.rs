//! Pictures as inline SVG: cells of one kind are one rectangle with a title.

use maud::{Markup, html};

use super::super::picture::{Cell, Detail, Fill, Look, Map, Mark, Part, ROW, Row, Strip};
use crate::report::page::{Figure, swatch};
use crate::words::counted;

/// Units of a cell, to each side.
const CELL: usize = 10;
/// Units that a row of the map, and one of the run under the glass, is high.
const MAP_ROW: usize = 12;
const DETAIL_ROW: usize = 22;
/// Units for the page numbers left of a row.
const LABEL: usize = 84;

/// The size of a picture that is `height` units high.
const fn size(height: usize) -> (f64, f64) {
    ((LABEL + ROW * CELL) as f64, height as f64)
}

/// A page number at the foot of the row that is drawn from `y` on.
fn label(y: usize, text: &str) -> Markup {
    html! { text x=(LABEL - 6) y=(y) { (text) } }
}

/// Cells beside each other: `cells` of them from cell `at` on, `y` units down, `height` high.
struct Place {
    at: usize,
    cells: usize,
    y: usize,
    height: usize,
}

impl Place {
    fn draw(&self, class: &str, title: &str) -> Markup {
        let Self { at, cells, y, height } = self;
        let (x, width) = (LABEL + at * CELL, cells * CELL - 1);
        html! {
            rect class=(class) x=(x) y=(y) width=(width) height=(height) { title { (title) } } "\n"
        }
    }
}

/// Where pieces of a row begin.
fn starts<'a, T: 'a>(
    pieces: impl Iterator<Item = &'a [T]>,
) -> impl Iterator<Item = (usize, &'a [T])> {
    let mut at = 0;
    pieces.map(move |piece| {
        at += piece.len();
        (at - piece.len(), piece)
    })
}

/// A map with its legend.
pub(super) fn map(map: &Map, id: &str) -> Markup {
    let of = |range: &Strip, page: u64| match map.ranges.len() {
        1 => page.to_string(),
        _ => format!("{}: {page}", range.range),
    };
    let rows = || map.ranges.iter().flat_map(rows_of).enumerate();
    let free = map.ranges.iter().flat_map(|range| &range.cells).map(|cell| cell.free);
    let free = free.fold(0, u64::saturating_add);
    let title = format!("The area, {} to a cell", counted(map.cell_pages, "page"));
    let about = format!("Occupancy of the area; {free} pages are known to be free");
    let drawing = html! {
        @for (row, (range, cells)) in rows() {
            (label(row * MAP_ROW + CELL - 1, &of(range, cells[0].start)))
            @for (at, piece) in starts(cells.chunk_by(|a, b| (a.fill, a.mark) == (b.fill, b.mark))) {
                (piece_of(piece, &Place { at, cells: piece.len(), y: row * MAP_ROW, height: CELL }))
            }
        }
    };
    let size = size(rows().count() * MAP_ROW);
    let figure = Figure { id, class: None, title: &title, about: &about, size };
    figure.around(&drawing, &legend_of(map))
}

/// The rows of a range.
fn rows_of(range: &Strip) -> impl Iterator<Item = (&Strip, &[Cell])> {
    range.cells.chunks(ROW).map(move |cells| (range, cells))
}

/// Cells that are alike.
fn piece_of(piece: &[Cell], place: &Place) -> Markup {
    let (first, last) = (&piece[0], &piece[piece.len() - 1]);
    let to = last.start + last.pages.max(1) - 1;
    let free = piece.iter().fold(0u64, |sum, cell| sum.saturating_add(cell.free));
    let (Look { class, words, .. }, look) = (first.fill.look(), first.look());
    let (class, note) = match first.mark {
        Mark::None => (class.to_string(), String::new()),
        _ => (format!("{class} {}", look.class), format!("; {}", look.words)),
    };
    place.draw(&class, &format!("pages {} to {to}: {words}, {free} free{note}", first.start))
}

fn legend_of(map: &Map) -> Markup {
    html! {
        @for Look { class, words, .. } in Map::looks(&[map]) {
            @let class = if let "bad" | "good" = class { format!("f {class}") } else { class.into() };
            (legend(&class, words))
        }
        @if map.ranges.len() > 1 { span { "A row begins at RANGE: PAGE." } }
        @if map.open { span { "Where the area ends is not in the log." } }
    }
}

fn legend(class: &str, words: &str) -> Markup {
    html! { span .key { (swatch(class)) " " (words) } "\n" }
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

/// A run under the glass with its legend, for a request of `count` pages.
pub(super) fn detail(detail: &Detail, count: u64, id: &str) -> Markup {
    let [head, tail] = &detail.rows;
    let gap = usize::from(!tail.is_empty());
    let (hole, aligned) = (detail.hole, detail.aligned);
    let reach = aligned.saturating_add(count);
    let title = format!("The free run of {} pages at {}", hole.count, hole.start);
    let about = format!(
        "{title}: its first aligned page is {aligned}, and {aligned} + {count} = {reach} is past \
         its end at {}",
        hole.end()
    );
    let drawing = html! {
        @for (at, row) in head.iter().enumerate() { (draw_row(at, row, detail.cell_pages)) }
        @if gap > 0 { (label(head.len() * DETAIL_ROW + DETAIL_ROW / 2, "…")) }
        @for (at, row) in tail.iter().enumerate() {
            (draw_row(head.len() + gap + at, row, detail.cell_pages))
        }
    };
    let parts = [
        (Part::Lost, "free, before the first aligned page"),
        (Part::Taken, "free, where the request would begin"),
        (Part::Missing, "needed too, and not free"),
    ];
    let parts =
        parts.into_iter().filter(|(part, _)| detail.all_rows().any(|row| row.parts.contains(part)));
    let caption = html! {
        (about) ". A row is " (counted(detail.row_pages, "page")) ". "
        @for (part, words) in parts { (legend(part_class(part), words)) }
        @if let Some((order, place)) = detail.instead {
            (legend("frame", &format!("at order {order}: {} to {}", place.start, place.end() - 1)))
        }
    };
    let size = size((head.len() + gap + tail.len()) * DETAIL_ROW);
    Figure { id, class: None, title: &title, about: &about, size }.around(&drawing, &caption)
}

/// Row number `at` of a run.
fn draw_row(at: usize, row: &Row, cell_pages: u64) -> Markup {
    let (y, height) = (at * DETAIL_ROW, DETAIL_ROW - 2);
    let pieces = starts(row.parts.chunk_by(|a, b| a == b));
    let title = |at: usize, piece: &[Part]| {
        let from = row.start + at as i128 * i128::from(cell_pages);
        let to = from + piece.len() as i128 * i128::from(cell_pages) - 1;
        format!("pages {} to {to}", from.max(0))
    };
    let edges = row.begins.into_iter().chain(row.ends.map(|cell| cell + 1));
    html! {
        (label(y + height - 6, &row.start.max(0).to_string()))
        @for (at, piece) in pieces.filter(|(_, piece)| piece[0] != Part::Nothing) {
            (Place { at, cells: piece.len(), y, height }.draw(part_class(piece[0]), &title(at, piece)))
        }
        @for cell in edges {
            rect .edge x=(LABEL + cell * CELL) y=(y) width="3" height=(height) {}
        }
    }
}
