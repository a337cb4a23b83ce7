//! The map of pages over the time: of the worst stream, and of the one just inside the target.

mod curves;
mod raster;

use cma_policies::Area;
use maud::{Markup, html};

use super::names::{self, Named, mib, percent};
use super::view::{View, Way};
use super::{prose, remark};
use crate::answer::{Picture, Shows};
use crate::metric::{By, CLASSES, Grid, Occupancy, Refusal};
use crate::page::Page;
use crate::program;
use crate::report::chart::axis::Axis;
use crate::report::page::{Figure, lettering, sentence, swatch};
use crate::report::words::{just_inside, length, size_class, worst};
use crate::sweep::stream_command;
use crate::words::counted;

/// Units of the picture and of its parts.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 20.0;
const PLANE: f64 = 224.0;
const STRIP: f64 = 24.0;
/// Units of the plane to the right.
const ACROSS: f64 = WIDTH - LEFT - 10.0;
/// Where ticks of refusals are, the curves, the axis, and the area at the first refusal.
const REFUSALS: f64 = TOP + PLANE + 15.0;
const CURVES: f64 = REFUSALS + 14.0;
const AXIS: f64 = CURVES + curves::HEIGHT;
const AT_FIRST: f64 = AXIS + 60.0;

/// The pictures with their legend.
pub(super) fn section(view: &View<'_>) -> Markup {
    let inside = view.pictures.iter().any(|picture| picture.shows == Shows::Inside);
    let is_met = view.choice().is_some_and(|choice| choice.chosen.is_some());
    html! {
        @if view.findings.worst.is_none() {
            p { "No stream fails under any configuration of the plan." } "\n"
        }
        @for (index, picture) in view.pictures.iter().enumerate() { (draw(view, index, picture)) }
        @if !inside && !is_met {
            (remark("No configuration meets the target, so that there is none just inside it."))
        }
        @if !view.pictures.is_empty() { (prose(include_str!("prose/map.html"))) }
    }
}

/// What a picture is of, in a sentence.
fn subject(view: &View<'_>, picture: &Picture) -> String {
    let findings = view.findings;
    let said = match picture.shows {
        Shows::Worst => findings.worst.as_ref().map(|of| worst(view.ready, of)),
        Shows::Inside => findings.inside.as_ref().map(|of| just_inside(view.ready, of)),
    };
    sentence(&said.unwrap_or_default())
}

/// What the first refusal was, in words.
fn refusal(first: &Refusal, pages: u64, page: Page) -> String {
    format!(
        "First refused request: number {} at {}, {} ({}) at order {}: {}. {} of {} were free ({}); \
         the longest hole has {}, the longest usable at this order {}.",
        names::whole(first.request),
        seconds(first.at_us),
        pages_of(first.count),
        mib(first.count as f64, page),
        first.align,
        first.cause,
        mib(first.free_pages as f64, page),
        mib(pages as f64, page),
        percent(first.free_pages as f64 / pages as f64),
        pages_of(first.longest_run),
        pages_of(first.longest_usable),
    )
}

/// `1 page`, `12 345 pages`.
fn pages_of(count: u64) -> String {
    if count == 1 { "1 page".to_string() } else { format!("{} pages", names::whole(count)) }
}

fn seconds(us: u64) -> String {
    let seconds = us as f64 / 1e6;
    if seconds < 600.0 {
        format!("{seconds:.1}\u{a0}s")
    } else if seconds < 36_000.0 {
        format!("{:.0}\u{a0}min", seconds / 60.0)
    } else {
        format!("{:.1}\u{a0}h", seconds / 3600.0)
    }
}

/// A number as it is.
fn f(number: f64) -> String {
    number.to_string()
}

fn draw(view: &View<'_>, index: usize, picture: &Picture) -> Markup {
    let Picture { shows, cell, seen } = picture;
    let way = Way { cap: cell.at.cap, policy: cell.policy };
    let row = view.drawn(cell.at, way).map(|drawn| drawn.row);
    let name: Named = view.name(way, row);
    let (area, page) = (seen.worst_area(), view.ready.plan.page);
    let areas = &view.ready.board(&cell.at).areas;
    let of_area = match areas.len() {
        1 => String::new(),
        _ => format!(", area {}", areas[area].area.name()),
    };
    let grid = &seen.areas()[area];
    let first = grid.first.as_ref();
    let about = first.map_or_else(
        || format!("No request is refused in {}.", counted(seen.requests(), "request")),
        |first| refusal(first, grid.pages, page),
    );
    let which = match shows {
        Shows::Worst => "The worst stream",
        Shows::Inside => "Just inside the target",
    };
    let stream = names::stream(view.ready, cell.at.stream, cell.at.load);
    let board = names::board(view.ready, &cell.at);
    let height = if first.is_some() { AT_FIRST + STRIP + 8.0 } else { AXIS + 44.0 };
    let figure = Figure {
        id: &format!("pic{index}"),
        class: Some("map"),
        title: &format!("{which}: {stream}, on {board}{of_area}, {name}"),
        about: &about,
        size: (WIDTH, height),
    };
    let drawing = html! {
        (raster::image(TOP, PLANE, grid.columns.iter().map(|column| &column.places), grid.by()))
        (curves::curves(grid, page))
        (axes(seen, grid, page))
        (refused(grid))
        @if let Some(first) = first { (at_first(seen, grid, areas[area].area.ranges().len(), first)) }
    };
    let length = row.map_or_else(String::new, |row| length(view.ready, &[row]));
    let caption = html! {
        (legend(seen, grid))
        p { (subject(view, picture)) " " (about) }
        p { "Stream: " (stream) ", one" (length) ", seed " (cell.seed) ". " (closer(view, picture)) }
    };
    figure.around(&drawing, &caption)
}

/// How to look closer, where one line does.
fn closer(view: &View<'_>, Picture { shows, cell, .. }: &Picture) -> Markup {
    let plan = &view.ready.plan;
    let name = match shows {
        Shows::Worst => "worst",
        Shows::Inside => "inside",
    };
    let board = view.ready.board(&cell.at);
    let command = stream_command(view.ready, cell).filter(|_| board.areas.len() == 1);
    let paged = match plan.page {
        Page::Kib4 => String::new(),
        page => format!(" --page-kib {}", page.kib()),
    };
    html! {
        @if let Some(command) = command {
            "To see its requests page by page, on pages that nothing else holds: "
            code {
                (command) " -o " (name) ".csv && " (program::name()) " view " (name)
                ".csv --policy " (plan.policies[cell.policy]) " --cap " (plan.caps[cell.at.cap])
                (placed(&board.areas[0].area)) (paged) " -o " (name) ".html"
            }
        }
    }
}

/// The options that make the area of a stream this one.
fn placed(area: &Area) -> String {
    let ranges = area.ranges().iter().map(|run| format!("{:#x}:{}", run.pfn.0, run.count));
    let ranges = ranges.collect::<Vec<_>>().join(",");
    match area.order_per_bit() {
        0 => format!(" --ranges {ranges}"),
        order => format!(" --ranges {ranges} --order-per-bit {order}"),
    }
}

/// What the colours and lines are.
fn legend(seen: &Occupancy, grid: &Grid) -> Markup {
    let by = grid.by();
    let used = |kind: &usize| {
        let has = |kinds: &[u8]| kinds.contains(&(*kind as u8));
        grid.columns.iter().any(|column| has(column.places.kinds(by)))
    };
    let names: Vec<_> = match by {
        By::Size => (0..CLASSES.len()).map(size_class).collect(),
        By::Client => seen.kinds().names.clone(),
    };
    html! {
        ul .legend {
            @for (kind, name) in names.iter().enumerate().filter(|(kind, _)| used(kind)) {
                li { (swatch(&format!("m{kind}"))) " " span { (name) } } "\n"
            }
            (curves::legend(grid))
        }
    }
}

/// When the first request was refused, and the area at that moment.
fn at_first(seen: &Occupancy, grid: &Grid, ranges: usize, first: &Refusal) -> Markup {
    let columns = grid.columns.len().max(1) as f64;
    let part = first.request.saturating_sub(1) as f64 / seen.stride() as f64 / columns;
    let x = LEFT + ACROSS * part.min(1.0);
    let far = x > WIDTH / 2.0;
    html! {
        path .first d=(format_args!("M{x:.1} {:.1}V{AXIS}", TOP - 6.0)) {}
        text class=[far.then_some("end")] x=(format_args!("{:.1}", x + if far { -5.0 } else { 5.0 })) y="13" {
            "first refused: " (pages_of(first.count)) ", order " (first.align)
        } "\n"
        text x=(f(LEFT)) y=(format_args!("{:.1}", AT_FIRST - 5.0)) {
            (match ranges {
                1 => "the area at that moment, lowest page on the left".to_string(),
                _ => format!("the area at that moment, its {ranges} ranges in the kernel's order"),
            })
        }
        (raster::strip(AT_FIRST, STRIP, &first.strip, grid.by()))
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
            title { (counted(all, "request")) " refused by this area, where they fall" }
        }
        (lettering("end", (LEFT - 7.0, REFUSALS + 4.0), "refused")) "\n"
    }
}
