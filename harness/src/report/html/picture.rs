//! Occupancy over the time, of the stream that goes worst: what failed beside what was chosen.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, html};

use super::names::{self, Named, mib, percent};
use super::remark;
use super::view::{View, Way};
use crate::answer::Picture;
use crate::metric::{Grid, Occupancy, Refusal};
use crate::page::Page;
use crate::report::chart::axis::Axis;
use crate::report::page::{Figure, lettering, sentence};
use crate::report::words::{length, worst};

/// Units of the picture and of its parts.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 20.0;
const PLANE: f64 = 240.0;
const STRIP: f64 = 26.0;
/// Units of the plane to the right.
const ACROSS: f64 = WIDTH - LEFT - 10.0;
/// Where ticks of refusals are, the axis, and the area at the first refusal.
const REFUSALS: f64 = TOP + PLANE + 9.0;
const AXIS: f64 = REFUSALS + 8.0;
const AT_FIRST: f64 = AXIS + 60.0;

/// Shades of a place between free and granted.
const SHADES: usize = 16;

/// The pictures with their legend.
pub(super) fn section(view: &View<'_>) -> Markup {
    let (Some(why), [first, ..]) = (&view.findings.worst, view.pictures) else {
        return html! { p { "No stream fails: there is nothing to look at." } "\n" };
    };
    let cell = &first.cell;
    let row = view.drawn(cell.at, Way { cap: cell.at.cap, policy: cell.policy });
    let length = row.map_or_else(String::new, |drawn| length(view.ready, &[drawn.row]));
    let is_whole = |picture: &Picture| {
        let board = view.ready.board(&picture.cell.at);
        board.areas.iter().all(|place| place.area.ranges().len() == 1)
    };
    let lowest = if view.pictures.iter().all(is_whole) {
        "the lowest page of the area"
    } else {
        "the first page of the area in the kernel's order of its ranges"
    };
    html! {
        p {
            (sentence(&worst(view.ready, why))) " Each column is the state at some moment of the \
            stream, " (lowest) " at the bottom; the darker, the more of the place is \
            granted. What is light is free; many thin light lines are free pages that no large \
            request can use."
        } "\n"
        @for (index, picture) in view.pictures.iter().enumerate() { (draw(view, index, picture)) }
        (remark(format_args!(
            "Stream: {}, one{length}, seed {}. The same requests in both pictures up to the first \
             answer that differs; after it each policy has its own live buffers.",
            names::stream(view.ready, cell.at.stream, cell.at.load), cell.seed
        )))
    }
}

/// What the first refusal was, in words.
fn refusal(first: &Refusal, pages: u64, page: Page) -> String {
    format!(
        "First refused request: number {} at {}, {} pages at order {}: {}. {} of {} were free ({}); \
         the longest hole has {} pages, the longest usable at this order {}.",
        names::whole(first.request),
        seconds(first.at_us),
        names::whole(first.count),
        first.align,
        first.cause,
        mib(first.free_pages as f64, page),
        mib(pages as f64, page),
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

/// Pixels as an image within the page, from `y` on.
fn image(y: f64, height: f64, columns: &[Vec<u8>]) -> Markup {
    let pixels = png(columns).expect("a picture of a pixel at least, written to memory");
    html! {
        rect .free x=(f(LEFT)) y=(f(y)) width=(f(ACROSS)) height=(f(height)) {}
        image x=(f(LEFT)) y=(f(y)) width=(f(ACROSS)) height=(f(height)) preserveAspectRatio="none"
            href={ "data:image/png;base64," (BASE64_STANDARD.encode(pixels)) } {} "\n"
    }
}

/// A number as it is.
fn f(number: f64) -> String {
    number.to_string()
}

/// Pixels as a file.
fn png(columns: &[Vec<u8>]) -> Result<Vec<u8>, png::EncodingError> {
    let (width, rows) = (columns.len() as u32, columns.first().map_or(0, Vec::len));
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
    Ok(bytes)
}

fn draw(view: &View<'_>, index: usize, Picture { cell, seen }: &Picture) -> Markup {
    let way = Way { cap: cell.at.cap, policy: cell.policy };
    let row = view.drawn(cell.at, way).map(|drawn| drawn.row);
    let name: Named = view.name(way, row);
    let area = seen.worst_area();
    let areas = &view.ready.board(&cell.at).areas;
    let of_area = match areas.len() {
        1 => String::new(),
        _ => format!(", area {}", areas[area].area.name()),
    };
    let grid = &seen.areas()[area];
    let first = grid.first.as_ref();
    let about = first.map_or_else(
        || format!("No request is refused in {} requests.", names::whole(seen.requests())),
        |first| refusal(first, grid.pages, view.ready.plan.page),
    );
    let height = if first.is_some() { AT_FIRST + STRIP + 22.0 } else { AXIS + 44.0 };
    let figure = Figure {
        id: &format!("pic{index}"),
        class: None,
        title: &format!("{name}, on {}{of_area}", names::board(view.ready, &cell.at)),
        about: &about,
        size: (WIDTH, height),
    };
    let drawing = html! {
        (image(TOP, PLANE, &grid.columns))
        (axes(seen, grid, view.ready.plan.page))
        (refused(grid))
        @if let Some(first) = first { (at_first(seen, grid, areas[area].area.ranges().len(), first)) }
    };
    figure.around(&drawing, &html! { p { (about) } })
}

/// When the first request was refused, and the area at that moment.
fn at_first(seen: &Occupancy, grid: &Grid, ranges: usize, first: &Refusal) -> Markup {
    let columns = grid.columns.len().max(1) as f64;
    let part = first.request.saturating_sub(1) as f64 / seen.stride() as f64 / columns;
    let x = LEFT + ACROSS * part.min(1.0);
    let far = x > WIDTH / 2.0;
    let strip: Vec<Vec<u8>> = first.strip.iter().map(|share| vec![*share]).collect();
    html! {
        path .first d=(format_args!("M{x:.1} {:.1}V{REFUSALS}", TOP - 6.0)) {}
        text class=[far.then_some("end")] x=(format_args!("{:.1}", x + if far { -5.0 } else { 5.0 })) y="13" {
            "first refused: " (first.count) " pages, order " (first.align)
        } "\n"
        text x=(f(LEFT)) y=(format_args!("{:.1}", AT_FIRST - 5.0)) {
            (match ranges {
                1 => "the area at that moment, lowest page on the left".to_string(),
                _ => format!("the area at that moment, its {ranges} ranges in the kernel's order"),
            })
        }
        (image(AT_FIRST, STRIP, &strip))
    }
}

/// MiB upwards, requests and time to the right.
fn axes(seen: &Occupancy, grid: &Grid, page: Page) -> Markup {
    let (size, in_mib) = (grid.pages as f64, page.in_mib() as f64);
    let sizes = Axis::up_to("", size / in_mib, |mib| format!("{mib:.0}")).ticks.into_iter();
    let sizes = sizes.map(|(mib, label)| (mib * in_mib, label)).filter(|(at, _)| *at <= size);
    let all = (grid.columns.len() as u64 * seen.stride()).max(1) as f64;
    let requests = Axis::up_to("", all, |at| names::whole(at as u64)).ticks.into_iter();
    let requests = requests.filter(|(at, _)| *at <= all);
    html! {
        @for (at, label) in sizes {
            @let y = TOP + PLANE * (1.0 - at / size);
            path .axis d=(format_args!("M{:.1} {y:.1}h5", LEFT - 5.0)) {}
            (lettering("end", (LEFT - 7.0, y + 4.0), label)) "\n"
        }
        @for (at, label) in requests {
            @let x = LEFT + ACROSS * at / all;
            @let place = if x > WIDTH - 40.0 { "end" } else { "mid" };
            path .axis d=(format_args!("M{x:.1} {AXIS}v4")) {}
            (lettering(place, (x, AXIS + 15.0), label))
            (lettering(&format!("{place} faint"), (x, AXIS + 28.0), seconds(seen.time_us(at as u64))))
            "\n"
        }
        text x="4" y="13" { "MiB" }
        (lettering("end faint", (LEFT + ACROSS, AXIS + 42.0), "requests, time")) "\n"
    }
}

/// When requests were refused, as ticks below the plane: a line for each run of columns.
fn refused(grid: &Grid) -> Markup {
    let columns = grid.refused.len().max(1) as f64;
    let x = |column: usize| LEFT + ACROSS * column as f64 / columns;
    let (mut path, mut from) = (format!("M{LEFT} {REFUSALS}h0"), 0);
    for run in grid.refused.chunk_by(|a, b| (*a > 0) == (*b > 0)) {
        let end = from + run.len();
        if run[0] > 0 {
            let (first, last) = (x(from), x(end).max(x(from) + 1.0));
            path += &format!("M{first:.1} {REFUSALS}H{last:.1}");
        }
        from = end;
    }
    let all: u64 = grid.refused.iter().sum();
    html! {
        path .refused d=(path) {
            title { (names::whole(all)) " requests refused by this area, where they fall" }
        }
        (lettering("end", (LEFT - 7.0, REFUSALS + 8.0), "refused")) "\n"
    }
}
