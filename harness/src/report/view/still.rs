//! A film as one picture that is whole without a script: what lay where and when, what was refused,
//! and how much room there was.

mod columns;
mod looks;

use std::fmt::Write as _;

use maud::{Markup, html};

use super::refused::{Refused, told};
use super::{Panel, View, words};
use crate::report::chart::axis::{Axis, plain};
use crate::report::page::pixels::Pixels;
use crate::report::page::{Figure, lettering, sentence, swatch};
use crate::view::{Doomed, Film};
use crate::words::{mib, pages};
use columns::{COLUMNS, Columns, Span, columns};
use looks::Looks;

/// What it needs of a page's style.
pub(in crate::report) const STYLE: &str = include_str!("still/still.css");

/// Units of the picture and of its parts.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 58.0;
const ACROSS: f64 = WIDTH - LEFT - 10.0;
const TOP: f64 = 38.0;
const PLANE: f64 = 240.0;
const REFUSALS: f64 = TOP + PLANE + 8.0;
const ROOM: f64 = REFUSALS + 26.0;
const ROOM_HIGH: f64 = 130.0;
const AXIS: f64 = ROOM + ROOM_HIGH;
const HEIGHT: f64 = AXIS + 40.0;

/// The first film of `view`; none where nothing happens in it.
pub(in crate::report) fn still(view: &View, id: &str) -> Option<Markup> {
    let panel = view.panels().next().filter(|panel| !panel.film.events.is_empty())?;
    Some(Still::new(panel).figure(id))
}

struct Still<'a> {
    panel: Panel<'a>,
    film: &'a Film,
    /// The first request that was refused though enough was free, else the first one at all.
    refused: Option<Refused<'a>>,
    span: Span,
    looks: Looks,
    columns: Columns,
}

impl<'a> Still<'a> {
    fn new(panel: Panel<'a>) -> Self {
        let Panel { view, part, film, .. } = panel;
        let refused = told(panel);
        let span = Span::of(film, view.has_time);
        let looks = Looks::of(part, film, view.page);
        let order = refused.as_ref().map_or(0, |one| one.refusal.request.align());
        let columns = columns(film, span, order, &|buffer| looks.colour(buffer));
        Self { panel, film, refused, span, looks, columns }
    }

    fn figure(&self, id: &str) -> Markup {
        let area = &self.film.area;
        let title = format!(
            "{}, {} ({}): what lay where, and when",
            area.name(),
            pages(area.pages()),
            mib(area.pages(), self.panel.view.page)
        );
        let about = self.about();
        let drawing = html! {
            (self.plane())
            (self.room())
            (self.axis())
            (self.moments())
        };
        let figure = Figure {
            id,
            class: Some("still-map"),
            title: &title,
            about: &about,
            size: (WIDTH, HEIGHT),
        };
        figure.around(&drawing, &self.caption(&about))
    }

    /// What is to be seen, in words.
    fn about(&self) -> String {
        let totals = sentence(&words::totals(self.film));
        let Some(refused) = &self.refused else { return totals };
        let what = words::what(self.panel, refused);
        let doomed = words::doomed(self.panel, refused);
        let mut about = format!("{totals} {} {}", sentence(&what), sentence(&doomed));
        if let Some(way) = words::in_the_way(self.panel, refused).first() {
            let _ = write!(about, " Of its places the nearest: {way}.");
        }
        about
    }

    fn caption(&self, about: &str) -> Markup {
        let order = self.refused.as_ref().map_or(0, |one| one.refusal.request.align());
        html! {
            p { (about) } "\n"
            p {
                @for (colour, name) in &self.looks.names {
                    span .key { (swatch(&format!("c{colour}"))) " " (name) } "\n"
                }
                span .key { (swatch("place")) " free" } "\n"
            } "\n"
            p {
                @for (class, name) in [("free-pages", "free".to_string()), ("hole", "longest hole".to_string()),
                    ("usable", format!("longest usable at order {order}"))] {
                    span .key { (line(class)) " " (name) } "\n"
                }
                @if self.refused.is_some() {
                    span .key { (line("asked")) " what was refused" } "\n"
                }
            } "\n"
            p {
                "Each column is the state at some moment, " (self.lowest()) " at the bottom; the \
                 lighter a place, the more of it is free. Ticks below are refused requests. The lines \
                 are the least of each column, on a scale of powers of ten. To go through it event by \
                 event, with who stands in the way of each refused request: "
                code { (self.panel.view.command) } "."
            }
        }
    }

    fn lowest(&self) -> &'static str {
        match self.film.area.ranges().len() {
            1 => "the lowest page",
            _ => "the first page in the kernel's order of the ranges",
        }
    }

    /// What lay where, with the pages of it, and what was refused.
    fn plane(&self) -> Markup {
        let image = Pixels { columns: &self.columns.pixels, palette: &self.looks.palette() };
        let all = self.film.area.pages() as f64;
        let in_mib = self.panel.view.page.in_mib() as f64;
        let sizes = Axis::up_to("", all / in_mib, plain).ticks.into_iter();
        let sizes = sizes.filter(|(mib, _)| *mib * in_mib <= all);
        html! {
            rect .place x=(LEFT) y=(TOP) width=(ACROSS) height=(PLANE) {}
            image x=(LEFT) y=(TOP) width=(ACROSS) height=(PLANE) preserveAspectRatio="none"
                href=(image.address()) {} "\n"
            @for (size, label) in sizes {
                @let y = TOP + PLANE * (1.0 - size * in_mib / all);
                path .axis d=(format_args!("M{:.1} {y:.1}h5", LEFT - 5.0)) {}
                (lettering("end", (LEFT - 7.0, y + 4.0), label)) "\n"
            }
            (lettering("", (4.0, TOP - 8.0), "MiB"))
            path .refused d=(self.refusals()) {}
            (lettering("end", (LEFT - 7.0, REFUSALS + 5.0), "refused")) "\n"
        }
    }

    /// A line for each run of columns with refusals.
    fn refusals(&self) -> String {
        let x = |column: usize| LEFT + ACROSS * column as f64 / COLUMNS as f64;
        let (mut path, mut from) = (format!("M{LEFT} {REFUSALS}h0"), 0);
        for run in self.columns.refused.chunk_by(|a, b| (*a > 0) == (*b > 0)) {
            let end = from + run.len();
            if run[0] > 0 {
                let _ = write!(path, "M{:.1} {REFUSALS}H{:.1}", x(from), x(end));
            }
            from = end;
        }
        path
    }

    /// How much was free, and how much of it was of use.
    fn room(&self) -> Markup {
        let y = |pages: u64| {
            let all = self.film.area.pages() as f64;
            AXIS - ROOM_HIGH * (libm::log10(1.0 + pages as f64) / libm::log10(1.0 + all)).min(1.0)
        };
        let path = |which: usize| {
            let mut path = String::new();
            let mut last = None;
            for (column, least) in self.columns.least.iter().enumerate() {
                let x = LEFT + ACROSS * column as f64 / COLUMNS as f64;
                match last {
                    None => _ = write!(path, "M{x:.1} {:.1}", y(least[which])),
                    Some(last) if last == least[which] => {}
                    Some(_) => _ = write!(path, "H{x:.1}V{:.1}", y(least[which])),
                }
                last = Some(least[which]);
            }
            let _ = write!(path, "H{:.1}", LEFT + ACROSS);
            path
        };
        let powers =
            (1..).map(|power| 10u64.pow(power)).take_while(|at| *at <= self.film.area.pages());
        html! {
            @for at in [0].into_iter().chain(powers.take(18)) {
                @let y = y(at);
                path .grid d=(format_args!("M{LEFT} {y:.1}h{ACROSS}")) {}
                (lettering("end", (LEFT - 7.0, y + 4.0), at)) "\n"
            }
            (lettering("", (4.0, ROOM - 6.0), "pages")) "\n"
            @for (which, class) in ["free-pages", "hole", "usable"].into_iter().enumerate() {
                path .(class) d=(path(which)) {} "\n"
            }
            @if let Some(refused) = &self.refused {
                @let count = refused.refusal.request.count();
                path .asked d=(format_args!("M{LEFT} {:.1}h{ACROSS}", y(count))) {}
                (lettering("end asks", (LEFT + ACROSS - 4.0, y(count) - 4.0), pages(count))) "\n"
            }
        }
    }

    /// To the right.
    fn axis(&self) -> Markup {
        let Span { first, last, by_time } = self.span;
        let each = if by_time { 1e6 } else { 1.0 };
        let (least, most) = (first as f64 / each, last as f64 / each);
        let ticks = Axis::between("", least, most, plain).ticks.into_iter();
        let ticks = ticks.filter(|(at, _)| (least..=most).contains(at));
        html! {
            path .axis d=(format_args!("M{LEFT} {AXIS}h{ACROSS}")) {}
            @for (at, label) in ticks {
                @let x = LEFT + ACROSS * (at - least) / (most - least);
                @let place = if x > WIDTH - 40.0 { "end" } else { "mid" };
                path .axis d=(format_args!("M{x:.1} {AXIS}v5")) {}
                (lettering(place, (x, AXIS + 18.0), label)) "\n"
            }
            (lettering("end", (LEFT + ACROSS, AXIS + 34.0), match by_time {
                true => "seconds, by the clock of the trace",
                false => "operations",
            })) "\n"
        }
    }

    /// When the request was refused, and since when it had no place.
    fn moments(&self) -> Markup {
        let Some(refused) = &self.refused else { return html! {} };
        let request = refused.refusal.request;
        let asked = format!("refused: {}, order {}", pages(request.count()), request.align());
        let since = match refused.doomed {
            Doomed::Since(event) => Some(self.span.part(self.film, event as usize)),
            Doomed::Always => Some(0.0),
            Doomed::Never => None,
        };
        html! {
            @if let Some(part) = since {
                (mark("doomed", part, TOP - 8.0, "no place from here on"))
            }
            (mark("first", self.span.part(self.film, refused.refusal.event as usize), TOP - 22.0, &asked))
        }
    }
}

/// A moment: a line through all, and words at its top.
fn mark(class: &str, part: f64, y: f64, text: &str) -> Markup {
    let x = LEFT + ACROSS * part;
    let (place, aside) = if part > 0.5 { ("end", -5.0) } else { ("", 5.0) };
    html! {
        path .(class) d=(format_args!("M{x:.1} {:.1}V{AXIS}", y - 9.0)) {}
        (lettering(place, (x + aside, y), text)) "\n"
    }
}

/// A sign of a legend: a line of this class.
fn line(class: &str) -> Markup {
    html! {
        svg .swatch.long viewBox="0 0 24 12" aria-hidden="true" { path .(class) d="M0 6H24" {} }
    }
}
