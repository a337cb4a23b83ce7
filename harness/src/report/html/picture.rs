//! Occupancy over the time, of the stream that goes worst: what failed beside what was chosen.

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::axis::Axis;
use super::escape::Escaped;
use super::names::{self, mib, percent};
use super::ways::{Page, Way};
use crate::metric::{Grid, Occupancy, Refusal};
use crate::report::time::length;
use crate::sweep::{Cell, Failed, again};

/// Units of the picture and of its parts.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 20.0;
const PLANE: f64 = 240.0;
const STRIP: f64 = 26.0;

/// Shades of a place between free and granted.
const SHADES: usize = 16;

/// What is drawn: the cells that were run again.
#[derive(Debug)]
pub(super) struct Pictures {
    /// The cell that fails, and that of the choice.
    cells: Vec<(Cell, Occupancy)>,
    why: String,
}

impl Pictures {
    /// Runs the cells again, on the areas of their board.
    ///
    /// # Errors
    /// As the sweep.
    pub(super) fn take(page: &Page<'_>) -> Result<Option<Self>, Failed> {
        let Some(worst) = &page.findings.worst else { return Ok(None) };
        let cells = worst.beside.into_iter().chain([worst.cell]).map(|cell| {
            let board = page.ready.board(&cell.at);
            let pages: Vec<u64> = board.areas.iter().map(|area| area.area.pages()).collect();
            let mut seen = Occupancy::new(&pages);
            again(page.ready, &cell, &mut [&mut seen])?;
            Ok((cell, seen))
        });
        let cells = cells.collect::<Result<_, Failed>>()?;
        Ok(Some(Self { cells, why: worst.why.clone() }))
    }

    /// Writes them with their legend.
    pub(super) fn write(&self, page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<p>{} Each column is the state at some moment of the stream, the lowest page of the \
             area at the bottom; the darker, the more of the place is granted. What is light \
             is free; many thin light lines are free pages that no large request can use.</p>",
            Escaped(names::sentence(&self.why))
        )?;
        for (index, (cell, seen)) in self.cells.iter().enumerate() {
            let way = Way { cap: cell.at.cap, policy: cell.policy };
            let row = page.row(cell.at, way).map(|(_, row)| row);
            let name = page.name(way, row);
            let title = format!("{name}, on {}", names::board(page.ready, &cell.at));
            let areas = &page.ready.board(&cell.at).areas;
            let area = seen.worst_area();
            let area_name = if areas.len() > 1 { areas[area].area.name() } else { "" };
            draw(&Drawn { index, title, area_name, seen, grid: &seen.areas()[area] }, out)?;
        }
        let (cell, _) = &self.cells[0];
        let stream = names::stream(page.ready, cell.at.stream, cell.at.load);
        let row = page.row(cell.at, Way { cap: cell.at.cap, policy: cell.policy });
        let length = row.map_or_else(String::new, |(_, row)| length(page.ready, &[row]));
        writeln!(
            out,
            "<p class=\"sub\">Stream: {}, one{length}, seed {}. The same requests in both pictures up to the \
             first answer that differs; behind it each policy has its own live buffers.</p>",
            Escaped(stream),
            cell.seed
        )
    }
}

struct Drawn<'a> {
    index: usize,
    title: String,
    area_name: &'a str,
    seen: &'a Occupancy,
    grid: &'a Grid,
}

/// What the first refusal was, in words.
fn refusal(first: &Refusal, pages: u64) -> String {
    format!(
        "First refused request: number {} at {}, {} pages at order {}: {}. {} of {} were free ({}); \
         the longest hole has {} pages, the longest usable at this order {}.",
        names::whole(first.request),
        seconds(first.at_us),
        names::whole(first.count),
        first.align,
        first.cause,
        mib(first.free_pages as f64),
        mib(pages as f64),
        percent(first.free_pages as f64 / pages as f64),
        names::whole(first.longest_run),
        names::whole(first.longest_usable),
    )
}

fn seconds(us: u64) -> String {
    let seconds = us as f64 / 1e6;
    if seconds < 600.0 {
        format!("{seconds:.1}\u{a0}s")
    } else {
        format!("{:.0}\u{a0}min", seconds / 60.0)
    }
}

/// Pixels as an image within the page.
fn image(rows: usize, columns: &[Vec<u8>]) -> io::Result<String> {
    let width = columns.len() as u32;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width.max(1), rows.max(1) as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_compression(png::Compression::High);
    // One colour that stands out on white and on black, from clear to solid.
    encoder.set_palette([0x3b, 0x6f, 0xb6].repeat(SHADES));
    let alpha = |shade: usize| (shade * 255 / (SHADES - 1)) as u8;
    encoder.set_trns((0..SHADES).map(alpha).collect::<Vec<_>>());
    let mut pixels = Vec::new();
    for row in (0..rows).rev() {
        let shade = |column: &Vec<u8>| {
            // A place that is free in part is neither free nor granted.
            (usize::from(column[row]) * (SHADES - 1)).div_ceil(255) as u8
        };
        let shades: Vec<u8> = columns.iter().map(shade).collect();
        pixels.extend(shades.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)));
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes)))
}

fn draw(drawn: &Drawn<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Drawn { index, title, area_name, seen, grid } = drawn;
    let first = grid.first.as_ref();
    let words = first.map_or_else(
        || format!("No request is refused in {} requests.", names::whole(seen.requests())),
        |first| refusal(first, grid.pages),
    );
    let area = if area_name.is_empty() { String::new() } else { format!(", area {area_name}") };
    let id = format!("pic{index}");
    let refusals = TOP + PLANE + 9.0;
    let axis = refusals + 8.0;
    let strip = axis + 60.0;
    let height = if first.is_some() { strip + STRIP + 22.0 } else { axis + 44.0 };
    writeln!(
        out,
        "<figure id=\"{id}\">\n<h3 id=\"{id}-h\">{}</h3>\n\
         <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}-h\">\n\
         <svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">Occupancy: {}{}</title>\n<desc id=\"{id}-d\">{}</desc>",
        Escaped(title),
        Escaped(title),
        Escaped(&area),
        Escaped(&words),
    )?;
    let width = WIDTH - LEFT - 10.0;
    let rows = grid.columns.first().map_or(0, Vec::len);
    writeln!(
        out,
        "<rect class=\"free\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{PLANE}\"/>\n\
         <image x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{PLANE}\" \
         preserveAspectRatio=\"none\" href=\"{}\"/>",
        image(rows, &grid.columns)?
    )?;
    axes(drawn, width, axis, out)?;
    let at = |request: u64| {
        let columns = grid.columns.len().max(1) as f64;
        LEFT + width * (request.saturating_sub(1) as f64 / seen.stride() as f64 / columns).min(1.0)
    };
    refused(drawn, width, refusals, out)?;
    if let Some(first) = first {
        let x = at(first.request);
        let (end, aside) = if x > WIDTH / 2.0 { (" class=\"end\"", -5.0) } else { ("", 5.0) };
        writeln!(
            out,
            "<path class=\"first\" d=\"M{x:.1} {:.1}V{refusals}\"/>\
             <text{end} x=\"{:.1}\" y=\"13\">first refused: {} pages, order {}</text>",
            TOP - 6.0,
            x + aside,
            first.count,
            first.align
        )?;
        let columns: Vec<Vec<u8>> = first.strip.iter().map(|share| vec![*share]).collect();
        writeln!(
            out,
            "<text x=\"{LEFT}\" y=\"{:.1}\">the area at that moment, lowest page on the left</text>\
             <rect class=\"free\" x=\"{LEFT}\" y=\"{strip}\" width=\"{width}\" height=\"{STRIP}\"/>\
             <image x=\"{LEFT}\" y=\"{strip}\" width=\"{width}\" height=\"{STRIP}\" \
             preserveAspectRatio=\"none\" href=\"{}\"/>",
            strip - 5.0,
            image(1, &columns)?
        )?;
    }
    writeln!(
        out,
        "</svg>\n</div>\n<figcaption>\n<p>{}</p>\n</figcaption>\n</figure>",
        Escaped(words)
    )
}

/// MiB upwards, requests and time to the right.
fn axes(drawn: &Drawn<'_>, width: f64, axis: f64, out: &mut dyn Write) -> io::Result<()> {
    let Drawn { seen, grid, .. } = drawn;
    let size = grid.pages as f64;
    for (at, label) in Axis::up_to("", size / 256.0, |mib| format!("{mib:.0}")).ticks {
        let at = at * 256.0;
        let y = TOP + PLANE * (1.0 - at / size);
        if at <= size {
            writeln!(
                out,
                "<path class=\"axis\" d=\"M{:.1} {y:.1}h5\"/>\
                 <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
                LEFT - 5.0,
                LEFT - 7.0,
                y + 4.0
            )?;
        }
    }
    let all = (grid.columns.len() as u64 * seen.stride()).max(1) as f64;
    for (at, label) in Axis::up_to("", all, |at| names::whole(at as u64)).ticks {
        let x = LEFT + width * at / all;
        if at <= all {
            let time = seconds(seen.time_us(at as u64));
            let place = if x > WIDTH - 40.0 { "end" } else { "mid" };
            writeln!(
                out,
                "<path class=\"axis\" d=\"M{x:.1} {axis}v4\"/>\
                 <text class=\"{place}\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>\
                 <text class=\"{place} faint\" x=\"{x:.1}\" y=\"{:.1}\">{time}</text>",
                axis + 15.0,
                axis + 28.0
            )?;
        }
    }
    writeln!(
        out,
        "<text x=\"4\" y=\"13\">MiB</text><text class=\"end faint\" x=\"{:.1}\" y=\"{:.1}\">requests, \
         time</text>",
        LEFT + width,
        axis + 42.0
    )
}

/// When requests were refused, as ticks below the plane.
fn refused(drawn: &Drawn<'_>, width: f64, y: f64, out: &mut dyn Write) -> io::Result<()> {
    let columns = drawn.grid.refused.len().max(1) as f64;
    let mut path = String::new();
    let mut from = None;
    let ends = drawn.grid.refused.iter().copied().chain([0]).enumerate();
    for (column, refused) in ends {
        match (from, refused > 0) {
            (None, true) => from = Some(column),
            (Some(first), false) => {
                let x = |column: usize| LEFT + width * column as f64 / columns;
                path += &format!("M{:.1} {y}H{:.1}", x(first), x(column).max(x(first) + 1.0));
                from = None;
            }
            _ => {}
        }
    }
    let all: u64 = drawn.grid.refused.iter().sum();
    let what = format!("{} requests refused by this area, where they fall", names::whole(all));
    writeln!(
        out,
        "<path class=\"refused\" d=\"M{LEFT} {y}h0{path}\"><title>{}</title></path>\
         <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">refused</text>",
        Escaped(what),
        LEFT - 7.0,
        y + 8.0
    )
}
