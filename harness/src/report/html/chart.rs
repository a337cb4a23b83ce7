//! Lines over an axis, as SVG that is whole without a script: paper, screen readers and a browser
//! that runs nothing show all of it, and the bytes depend on the numbers alone. A chart library
//! would draw in the browser, and be larger than the rest of the page.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::axis::Axis;
use super::escape::Escaped;

/// Units of the picture.
const WIDTH: f64 = 760.0;
/// Units of the plane.
const PLANE: f64 = 264.0;
/// Units around the plane: for the labels of the axes, and of the lines on the right.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 48.0;
/// Markers of a line that are seen before somebody points at them.
const MOST_MARKERS: usize = 8;
/// Units between two labels of lines.
const APART: f64 = 14.0;

/// Looks that a line can have: a colour, a dash and a marker each, so that grey paper and every
/// kind of eye tell them apart.
pub(super) const LOOKS: usize = 8;

/// Markers, drawn from their centre on.
const MARKERS: [&str; LOOKS] = [
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "m-3.6-3.6h7.2v7.2h-7.2z",
    "m0-5.2l5.2 5.2-5.2 5.2-5.2-5.2z",
    "m0-5l4.8 8.4h-9.6z",
    "m0 5l4.8-8.4h-9.6z",
    "m-1.6-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z",
    "m-4.6 0l2.3-4h4.6l2.3 4-2.3 4h-4.6z",
    "m-5-2.4h10v4.8h-10z",
];

/// A place that can be asked for its numbers.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Mark {
    /// Where.
    pub(super) x: f64,
    /// Where.
    pub(super) y: f64,
    /// The ends of its interval.
    pub(super) interval: Option<(f64, f64)>,
    /// Drawn hollow: nothing was seen here, which is a bound and not a number.
    pub(super) hollow: bool,
    /// Its numbers in words.
    pub(super) text: String,
}

/// One line.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    /// Its name in the legend and beside its end.
    pub(super) name: String,
    /// Which of the [`LOOKS`].
    pub(super) look: usize,
    /// Its places, ascending in x.
    pub(super) marks: Vec<Mark>,
    /// Level up to the next place and a step there, up to this x; else straight lines.
    pub(super) steps_to: Option<f64>,
    /// Its intervals are drawn as an area rather than as bars.
    pub(super) band: bool,
}

/// A vertical line with words at its top.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Rule {
    /// Where.
    pub(super) x: f64,
    /// What it is.
    pub(super) text: String,
}

/// A chart.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Plot {
    /// The id of the element, its own on the page.
    pub(super) id: String,
    /// What it shows.
    pub(super) title: String,
    /// What is to be seen in it, for those who do not see it.
    pub(super) about: String,
    /// To the right.
    pub(super) x: Axis,
    /// Upwards.
    pub(super) y: Axis,
    /// The lines.
    pub(super) series: Vec<Series>,
    /// The vertical lines.
    pub(super) rules: Vec<Rule>,
    /// A remark behind the legend.
    pub(super) note: String,
}

impl Plot {
    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.part(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom() - self.y.part(value) * PLANE
    }

    /// Where the plane begins: below the words of the vertical lines.
    fn top(&self) -> f64 {
        TOP + APART * self.rules.len() as f64
    }

    fn bottom(&self) -> f64 {
        self.top() + PLANE
    }

    /// Writes it with its legend.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (id, height) = (&self.id, self.bottom() + BOTTOM);
        writeln!(
            out,
            "<figure class=\"plot\" id=\"{id}\">\n<h3 id=\"{id}-h\">{}</h3>\n\
             <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}-h\">\n\
             <svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>",
            Escaped(&self.title),
            Escaped(&self.title),
            Escaped(&self.about),
        )?;
        self.axes(out)?;
        self.rules(out)?;
        for (index, series) in self.series.iter().enumerate() {
            // Bars of several lines at one place stand beside each other.
            let middle = (self.series.len() - 1) as f64 / 2.0;
            let aside = if series.steps_to.is_some() { 0.0 } else { index as f64 - middle };
            self.series(series, aside * 3.0, out)?;
        }
        self.labels(out)?;
        writeln!(out, "</svg>\n</div>\n<figcaption>")?;
        legend(self.series.iter().map(|series| (series.look, series.name.as_str())), out)?;
        if !self.note.is_empty() {
            writeln!(out, "<p>{}</p>", Escaped(&self.note))?;
        }
        writeln!(out, "</figcaption>\n</figure>")
    }

    fn axes(&self, out: &mut dyn Write) -> io::Result<()> {
        let (left, right) = (LEFT, WIDTH - RIGHT);
        let (top, bottom) = (self.top(), self.bottom());
        for (at, label) in &self.y.ticks {
            let y = self.y(*at);
            writeln!(
                out,
                "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>\
                 <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left - 7.0,
                y + 4.0,
                Escaped(label)
            )?;
        }
        for (at, label) in &self.x.ticks {
            let x = self.x(*at);
            writeln!(
                out,
                "<path class=\"axis\" d=\"M{x:.1} {bottom}v5\"/>\
                 <text class=\"mid\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 18.0,
                Escaped(label)
            )?;
        }
        writeln!(
            out,
            "<path class=\"axis\" d=\"M{left} {top}V{bottom}H{right}\"/>\n\
             <text class=\"mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n\
             <text x=\"4\" y=\"12\">{}</text>",
            f64::midpoint(left, right),
            bottom + 40.0,
            Escaped(&self.x.title),
            Escaped(&self.y.title),
        )
    }

    fn rules(&self, out: &mut dyn Write) -> io::Result<()> {
        for (index, rule) in self.rules.iter().enumerate() {
            let (x, bottom) = (self.x(rule.x), self.bottom());
            let y = TOP + APART * index as f64;
            let end = if x > f64::midpoint(LEFT, WIDTH - RIGHT) { " class=\"end\"" } else { "" };
            let aside = if end.is_empty() { 4.0 } else { -4.0 };
            writeln!(
                out,
                "<path class=\"rule\" d=\"M{x:.1} {:.1}V{bottom}\"/>\
                 <text{end} x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                y - 9.0,
                x + aside,
                Escaped(&rule.text)
            )?;
        }
        Ok(())
    }

    fn series(&self, series: &Series, aside: f64, out: &mut dyn Write) -> io::Result<()> {
        let look = series.look;
        writeln!(out, "<g class=\"s s{look}\" data-s=\"{look}\">")?;
        if series.band {
            self.band(series, out)?;
        }
        let mut line = String::new();
        for (index, mark) in series.marks.iter().enumerate() {
            let (x, y) = (self.x(mark.x) + aside, self.y(mark.y));
            let _ = match (index, series.steps_to.is_some()) {
                (0, _) => write!(line, "M{x:.1} {y:.1}"),
                (_, true) => write!(line, "H{x:.1}V{y:.1}"),
                (_, false) => write!(line, "L{x:.1} {y:.1}"),
            };
        }
        if let Some(end) = series.steps_to {
            let _ = write!(line, "H{:.1}", self.x(end));
        }
        writeln!(out, "<path class=\"l\" d=\"{line}\"/>")?;
        let seen = series.marks.len().div_ceil(MOST_MARKERS).max(1);
        for (index, mark) in series.marks.iter().enumerate() {
            self.mark(series, mark, index.is_multiple_of(seen), aside, out)?;
        }
        writeln!(out, "</g>")
    }

    fn band(&self, series: &Series, out: &mut dyn Write) -> io::Result<()> {
        let ends = series.marks.iter().filter_map(|mark| Some((mark.x, mark.interval?)));
        let ends: Vec<_> = ends.collect();
        let Some(last) = ends.last().map(|(x, _)| *x) else { return Ok(()) };
        let last = self.x(series.steps_to.unwrap_or(last));
        let mut path = String::new();
        for (index, (x, (_, high))) in ends.iter().enumerate() {
            let (x, y) = (self.x(*x), self.y(*high));
            let _ = if index == 0 {
                write!(path, "M{x:.1} {y:.1}")
            } else {
                write!(path, "H{x:.1}V{y:.1}")
            };
        }
        let _ = write!(path, "H{last:.1}");
        for (x, (low, _)) in ends.iter().rev() {
            let _ = write!(path, "V{:.1}H{:.1}", self.y(*low), self.x(*x));
        }
        writeln!(out, "<path class=\"band\" d=\"{path}z\"/>")
    }

    fn mark(
        &self,
        series: &Series,
        mark: &Mark,
        seen: bool,
        aside: f64,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (x, y) = (self.x(mark.x) + aside, self.y(mark.y));
        let class = match (mark.hollow, seen) {
            (true, _) => "p hollow",
            (_, true) => "p",
            (_, false) => "p still",
        };
        write!(
            out,
            "<g class=\"{class}\"><title>{}: {}</title>",
            Escaped(&series.name),
            Escaped(&mark.text)
        )?;
        if let Some((low, high)) = mark.interval.filter(|_| series.steps_to.is_none()) {
            let (low, high) = (self.y(low), self.y(high));
            write!(
                out,
                "<path class=\"i\" d=\"M{x:.1} {high:.1}V{low:.1}m-3 0h6M{:.1} {high:.1}h6\"/>",
                x - 3.0
            )?;
        }
        writeln!(out, "<path class=\"m\" d=\"M{x:.1} {y:.1}{}\"/></g>", MARKERS[series.look])
    }

    /// The names of the lines beside their ends, none over another.
    fn labels(&self, out: &mut dyn Write) -> io::Result<()> {
        let last = |series: &Series| series.marks.last().map(|mark| self.y(mark.y));
        let mut ends: Vec<_> = self.series.iter().filter_map(|s| Some((last(s)?, s))).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut places: Vec<f64> = ends.iter().map(|(y, _)| *y).collect();
        spread(&mut places, self.top(), self.bottom());
        for (place, (_, series)) in places.into_iter().zip(ends) {
            let look = series.look;
            writeln!(
                out,
                "<g class=\"s s{look}\" data-s=\"{look}\"><path class=\"m\" d=\"M{:.1} {place:.1}{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                WIDTH - RIGHT + 12.0,
                MARKERS[look],
                WIDTH - RIGHT + 22.0,
                place + 4.0,
                Escaped(short(&series.name)),
            )?;
        }
        Ok(())
    }
}

/// A name that fits beside a line: the sign behind it stays, its words go.
fn short(name: &str) -> String {
    const MOST: usize = 19;
    let (name, sign) = match name.split_once(SIGNS) {
        Some((before, _)) => (before.trim_end(), &name[before.len()..]),
        None => (name, ""),
    };
    let sign: String = sign.chars().take(1).map(|sign| format!(" {sign}")).collect();
    let most = MOST - sign.chars().count();
    if name.chars().count() <= most {
        return format!("{name}{sign}");
    }
    name.chars().take(most - 1).chain(['…']).chain(sign.chars()).collect()
}

/// What stands behind the name of what was chosen, of what cannot be, and of what the race dropped.
pub(super) const SIGNS: [char; 3] = ['★', '▲', '✕'];

/// Moves ascending `places` apart, between `top` and `bottom` as far as there is room.
fn spread(places: &mut [f64], top: f64, bottom: f64) {
    let mut least = top;
    for place in places.iter_mut() {
        *place = place.max(least);
        least = *place + APART;
    }
    let mut most = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - APART;
    }
}

/// A swatch and a name for each line.
pub(super) fn legend<'a>(
    names: impl Iterator<Item = (usize, &'a str)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "<ul class=\"legend\">")?;
    for (look, name) in names {
        writeln!(
            out,
            "<li data-s=\"{look}\"><svg class=\"line s{look}\" viewBox=\"0 0 34 12\" \
             aria-hidden=\"true\"><path class=\"l\" d=\"M1 6H33\"/>\
             <path class=\"m\" d=\"M17 6{}\"/></svg> <span>{}</span></li>",
            MARKERS[look],
            Escaped(name)
        )?;
    }
    writeln!(out, "</ul>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_keeps_its_sign() {
        assert_eq!(short("kernel, cap 8 ★ chosen"), "kernel, cap 8 ★");
        assert_eq!(short("zoned:share=0.25,order=8, cap 8 ▲ flagged"), "zoned:share=0.25… ▲");
        assert_eq!(short("kernel, cap 8 ✕ dropped after 8 streams"), "kernel, cap 8 ✕");
        assert_eq!(short("kernel, cap 8"), "kernel, cap 8");
    }

    #[test]
    fn labels_move_apart_and_stay_inside() {
        let mut places = [10.0, 10.0, 90.0, 100.0, 100.0];
        spread(&mut places, 10.0, 100.0);
        assert_eq!(places, [10.0, 24.0, 72.0, 86.0, 100.0]);
    }

    #[test]
    fn a_step_stays_level_and_a_bound_is_hollow() {
        let mark = |x, y, hollow| Mark { x, y, interval: None, hollow, text: "t<".to_string() };
        let series = Series {
            name: "a & b".to_string(),
            look: 1,
            marks: vec![mark(0.0, 1.0, false), mark(50.0, 0.5, true)],
            steps_to: Some(100.0),
            band: false,
        };
        let axis = |end: f64| Axis { title: "x".into(), start: 0.0, end, ticks: Vec::new() };
        let (x, y) = (axis(100.0), axis(1.0));
        let plot = Plot {
            id: "p".to_string(),
            title: String::new(),
            about: String::new(),
            x,
            y,
            series: vec![series],
            rules: Vec::new(),
            note: String::new(),
        };
        let mut out = Vec::new();
        plot.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        // The plane is 552 wide from 58 on and 264 high from 24 on.
        assert!(text.contains("d=\"M58.0 24.0H334.0V156.0H610.0\""), "{text}");
        assert!(text.contains("class=\"p hollow\"><title>a &amp; b: t&lt;</title>"), "{text}");
    }
}
