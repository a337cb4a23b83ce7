//! Pictures in characters.

use std::io::{self, Write};

use super::super::picture::{Cell, Detail, Map, Part, ROW, Row};
use super::super::plain::counted;
use super::paint::{Paint, wrapped};

/// Draws pictures of one area, and says under the last one what their characters mean.
pub(super) fn maps(maps: &[&Map], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Some(last) = maps.last() else { return Ok(()) };
    for map in maps {
        writeln!(out)?;
        draw_map(map, paint, out)?;
    }
    let sizes: Vec<_> = maps.iter().map(|map| counted(map.cell_pages, "page")).collect();
    let mut legend = vec![format!("a character is {}", sizes.join(", and in the rows "))];
    legend.extend(Map::looks(maps).map(|look| format!("{} {}", look.glyph, look.words)));
    if last.open {
        legend.push("where the area ends is not in the log".to_string());
    }
    wrapped(&legend.join("; "), "  ", "  ", out)
}

/// In one line where it is short, else in rows of 64 cells with their first page.
fn draw_map(map: &Map, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let several = map.ranges.len() > 1;
    let short = map.ranges.iter().all(|range| range.cells.len() <= ROW + ROW / 2);
    let last = map.ranges.iter().filter_map(|range| range.cells.last());
    let width = last.map(|cell| cell.start.to_string().len()).max().unwrap_or(1);
    for range in &map.ranges {
        if several {
            writeln!(out, "  range {}", range.range)?;
        }
        let row = if short { range.cells.len().max(1) } else { ROW };
        for cells in range.cells.chunks(row) {
            let first = if short { String::new() } else { format!("{:>width$} ", cells[0].start) };
            writeln!(out, "  {first}|{}|", paint.picture(cells.iter().map(Cell::glyph)))?;
        }
    }
    Ok(())
}

/// Draws the run that comes closest.
pub(super) fn detail(
    detail: &Detail,
    count: u64,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let range = detail.range.map_or_else(String::new, |range| format!(" of range {range}"));
    let (hole, slot) = (detail.hole, counted(detail.row_pages, "page"));
    let cell = counted(detail.cell_pages, "page");
    writeln!(out, "  {}@{}{range}, a row is {slot}, a character {cell}:", hole.count, hole.start)?;
    let width = detail.all_rows().map(|row| row.start.to_string().len()).max().unwrap_or(1);
    let [head, tail] = &detail.rows;
    head.iter().try_for_each(|row| draw_row(row, width, paint, out))?;
    if !tail.is_empty() {
        writeln!(out, "  {:>width$}  (rows left out)", "...")?;
    }
    tail.iter().try_for_each(|row| draw_row(row, width, paint, out))?;
    let aligned = detail.aligned;
    let has = |part: Part| detail.all_rows().any(|row| row.parts.contains(&part));
    let mut legend = Vec::new();
    if has(Part::Lost) {
        legend.push(format!("! lost before {aligned}, the first aligned page"));
    }
    if has(Part::Taken) {
        legend.push("= the request from there on".to_string());
    }
    if has(Part::Missing) {
        let reach = aligned.saturating_add(count);
        legend.push(format!(
            "X not free, and needed: {aligned} + {count} = {reach} > {}",
            detail.hole.end()
        ));
    }
    if let Some((order, place)) = detail.instead {
        let (first, last) = (place.start, place.end() - 1);
        legend.push(format!("[ ] its {count} pages at order {order}: {first} to {last}"));
    }
    wrapped(&legend.join("; "), "  ", "  ", out)
}

fn draw_row(row: &Row, width: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let glyph = |(at, part): (usize, &Part)| match (row.begins, row.ends) {
        (Some(begins), _) if begins == at => '[',
        (_, Some(ends)) if ends == at => ']',
        _ => part.glyph(),
    };
    let cells = row.parts.iter().enumerate().map(glyph);
    writeln!(out, "  {:>width$} |{}|", row.start, paint.picture(cells))
}
