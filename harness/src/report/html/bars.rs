//! Bars of several parts, as SVG: each part has a colour, a hatch and its words.

use maud::{Markup, html};

use crate::report::chart::axis::Axis;
use crate::report::page::{Figure, lettering, swatch};

/// Units of the picture.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 4.0;
const RIGHT: f64 = 16.0;
/// Units of a bar, with the words above it.
const ROW: f64 = 42.0;
const BAR: f64 = 15.0;
const AXIS: f64 = 40.0;

/// Kinds of parts that look different.
pub(super) const KINDS: usize = 9;

/// A part of a bar.
pub(super) struct Part {
    /// Its length.
    pub(super) length: f64,
    /// How it looks, below [`KINDS`].
    pub(super) kind: usize,
    /// What it is, with its number.
    pub(super) text: String,
}

/// A bar.
pub(super) struct Bar {
    /// What it is of.
    pub(super) label: String,
    /// Its numbers in words, at the right end of the same line.
    pub(super) numbers: String,
    /// Its parts from the left.
    pub(super) parts: Vec<Part>,
}

/// Bars below each other.
pub(super) struct Bars {
    /// The id of the element, its own on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// To the right.
    pub(super) x: Axis,
    /// The bars.
    pub(super) bars: Vec<Bar>,
    /// The kinds that there are, and their names.
    pub(super) kinds: Vec<(usize, String)>,
    /// A remark after the legend.
    pub(super) note: String,
}

impl Bars {
    fn x(&self, value: f64) -> f64 {
        LEFT + (value / self.x.end).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// The bars with a legend.
    pub(super) fn figure(&self) -> Markup {
        let bottom = self.bars.len() as f64 * ROW;
        let words = self.bars.iter().map(|bar| format!("{}: {}", bar.label, bar.numbers));
        let figure = Figure {
            id: &self.id,
            class: None,
            title: &self.title,
            about: &words.collect::<Vec<_>>().join(". "),
            size: (WIDTH, bottom + AXIS),
        };
        let drawing = html! {
            @for (at, label) in &self.x.ticks {
                @let x = format!("{:.1}", self.x(*at));
                path .grid d=(format_args!("M{x} 0V{bottom:.1}")) {}
                (lettering(if *at == 0.0 { "" } else { "mid" }, (self.x(*at), bottom + 14.0), label))
            }
            (lettering("mid", (WIDTH / 2.0, bottom + 33.0), &self.x.title)) "\n"
            @for (index, bar) in self.bars.iter().enumerate() {
                (self.bar(index as f64 * ROW, bar)) "\n"
            }
        };
        let caption = html! {
            ul .legend {
                @for (kind, name) in &self.kinds {
                    li { (swatch(&format!("k{kind}"))) " " span { (name) } }
                }
            }
            @if !self.note.is_empty() { p { (self.note) } }
        };
        figure.around(&drawing, &caption)
    }

    fn bar(&self, y: f64, bar: &Bar) -> Markup {
        let ends = bar.parts.iter().scan(0.0, |end, part| {
            let from = *end;
            *end += part.length;
            Some((self.x(from), self.x(*end)))
        });
        let base = format!("{:.1}", y + 15.0);
        html! {
            text .strong x=(format_args!("{LEFT}")) y=(base) { (bar.label) }
            (lettering("end", (WIDTH - RIGHT, y + 15.0), &bar.numbers))
            @for (part, (x, end)) in bar.parts.iter().zip(ends) {
                rect .{ "k" (part.kind) } x=(format_args!("{x:.1}"))
                    y=(format_args!("{:.1}", y + 20.0)) width=(format_args!("{:.1}", end - x))
                    height=(format_args!("{BAR}")) { title { (bar.label) ": " (part.text) } }
            }
        }
    }
}

/// Hatches for the kinds, once for the page: what a class of theirs is filled with.
pub(super) fn hatches() -> Markup {
    const LINES: [&str; KINDS] = [
        "",
        "M0 8L8 0",
        "M0 0L8 8",
        "M0 4H8",
        "M4 0V8",
        "M0 8L8 0M0 0L8 8",
        "M0 4H8M4 0V8",
        "M2 2h1M6 6h1",
        "M0 2H8M0 6H8",
    ];
    html! {
        svg .defs width="0" height="0" aria-hidden="true" { defs {
            @for (kind, lines) in LINES.iter().enumerate() {
                pattern #{ "h" (kind) } width="8" height="8" patternUnits="userSpaceOnUse" {
                    rect .{ "ground" (kind) } width="8" height="8" {}
                    path .hatch d=(lines) {}
                }
            }
        } } "\n"
    }
}
