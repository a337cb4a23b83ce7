//! Bars of several parts, as SVG: each part has a colour, a hatch and its words.

use std::io::{self, Write};

use super::axis::Axis;
use super::escape::Escaped;

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
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    /// Its length.
    pub(super) length: f64,
    /// How it looks, below [`KINDS`].
    pub(super) kind: usize,
    /// What it is, with its number.
    pub(super) text: String,
}

/// A bar.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bar {
    /// What it is of.
    pub(super) label: String,
    /// Its numbers in words, at the right end of the same line.
    pub(super) numbers: String,
    /// Its parts from the left.
    pub(super) parts: Vec<Part>,
}

/// Bars below each other.
#[derive(Clone, PartialEq, Debug)]
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
    /// A remark behind the legend.
    pub(super) note: String,
}

impl Bars {
    fn x(&self, value: f64) -> f64 {
        LEFT + (value / self.x.end).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// Writes them with a legend.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (id, title) = (&self.id, Escaped(&self.title));
        let bottom = self.bars.len() as f64 * ROW;
        let words = self.bars.iter().map(|bar| format!("{}: {}", bar.label, bar.numbers));
        writeln!(
            out,
            "<figure id=\"{id}\">\n<h3 id=\"{id}-h\">{title}</h3>\n\
             <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}-h\">\n\
             <svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{title}</title>\n<desc id=\"{id}-d\">{}</desc>",
            bottom + AXIS,
            Escaped(words.collect::<Vec<_>>().join(". ")),
        )?;
        for (at, label) in &self.x.ticks {
            let x = self.x(*at);
            let class = if *at == 0.0 { "" } else { " class=\"mid\"" };
            writeln!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} 0V{bottom:.1}\"/><text{class} x=\"{x:.1}\" \
                 y=\"{:.1}\">{}</text>",
                bottom + 14.0,
                Escaped(label)
            )?;
        }
        writeln!(
            out,
            "<text class=\"mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH / 2.0,
            bottom + 33.0,
            Escaped(&self.x.title)
        )?;
        for (index, bar) in self.bars.iter().enumerate() {
            self.bar(index as f64 * ROW, bar, out)?;
        }
        writeln!(out, "</svg>\n</div>\n<figcaption>\n<ul class=\"legend\">")?;
        for (kind, name) in &self.kinds {
            writeln!(
                out,
                "<li><svg class=\"swatch\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">\
                 <rect class=\"k{kind}\" width=\"12\" height=\"12\"/></svg> <span>{}</span></li>",
                Escaped(name)
            )?;
        }
        writeln!(out, "</ul>")?;
        if !self.note.is_empty() {
            writeln!(out, "<p>{}</p>", Escaped(&self.note))?;
        }
        writeln!(out, "</figcaption>\n</figure>")
    }

    fn bar(&self, y: f64, bar: &Bar, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<text class=\"strong\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>\
             <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y + 15.0,
            Escaped(&bar.label),
            WIDTH - RIGHT,
            y + 15.0,
            Escaped(&bar.numbers),
        )?;
        let mut from = 0.0;
        for Part { length, kind, text } in &bar.parts {
            let (x, end) = (self.x(from), self.x(from + length));
            writeln!(
                out,
                "<rect class=\"k{kind}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\">\
                 <title>{}: {}</title></rect>",
                y + 20.0,
                end - x,
                Escaped(&bar.label),
                Escaped(text)
            )?;
            from += length;
        }
        Ok(())
    }
}

/// Hatches for the kinds, once for the page: what a class of theirs is filled with.
pub(super) fn hatches(out: &mut dyn Write) -> io::Result<()> {
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
    writeln!(out, "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>")?;
    for (kind, lines) in LINES.iter().enumerate() {
        writeln!(
            out,
            "<pattern id=\"h{kind}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <rect class=\"ground{kind}\" width=\"8\" height=\"8\"/><path class=\"hatch\" \
             d=\"{lines}\"/></pattern>"
        )?;
    }
    writeln!(out, "</defs></svg>")
}
