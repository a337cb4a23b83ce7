//! Lines over an axis, as SVG that is whole without a script: paper, screen readers and a browser
//! that runs nothing show all of it, and the bytes depend on the numbers alone. A chart library
//! would draw in the browser, and be larger than the rest of the page.

pub(in crate::report) mod axis;

use std::fmt::Write as _;

use maud::{Markup, html};

use self::axis::Axis;
use super::page::{Figure, lettering};

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
pub(in crate::report) const LOOKS: usize = 8;

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
#[derive(Clone)]
pub(in crate::report) struct Mark {
    /// Where.
    pub(in crate::report) x: f64,
    /// Where.
    pub(in crate::report) y: f64,
    /// The ends of its interval.
    pub(in crate::report) interval: Option<(f64, f64)>,
    /// Drawn hollow: nothing was seen here, which is a bound and not a number.
    pub(in crate::report) hollow: bool,
    /// It is a lower bound: an arrow goes up from it.
    pub(in crate::report) rises: bool,
    /// Its numbers in words.
    pub(in crate::report) text: String,
}

/// One line.
pub(in crate::report) struct Series {
    /// Its name in the legend.
    pub(in crate::report) name: String,
    /// Its name beside its end: 19 characters have room.
    pub(in crate::report) short: String,
    /// Which of the [`LOOKS`].
    pub(in crate::report) look: usize,
    /// Its places, ascending in x.
    pub(in crate::report) marks: Vec<Mark>,
    /// Level up to the next place and a step there, up to this x; else straight lines.
    pub(in crate::report) steps_to: Option<f64>,
    /// Its intervals are drawn as an area rather than as bars.
    pub(in crate::report) band: bool,
}

/// A vertical line with words at its top.
pub(in crate::report) struct Rule {
    /// Where.
    pub(in crate::report) x: f64,
    /// What it is.
    pub(in crate::report) text: String,
}

/// A level line.
pub(in crate::report) struct Level {
    /// Where.
    pub(in crate::report) y: f64,
    /// What it is.
    pub(in crate::report) text: String,
}

/// A chart.
pub(in crate::report) struct Plot {
    /// The id of the element, its own on the page.
    pub(in crate::report) id: String,
    /// What it shows.
    pub(in crate::report) title: String,
    /// What is to be seen in it, for those who do not see it.
    pub(in crate::report) about: String,
    /// To the right.
    pub(in crate::report) x: Axis,
    /// Upwards.
    pub(in crate::report) y: Axis,
    /// The lines.
    pub(in crate::report) series: Vec<Series>,
    /// The vertical lines.
    pub(in crate::report) rules: Vec<Rule>,
    /// A level line, with words above its beginning.
    pub(in crate::report) level: Option<Level>,
    /// A remark after the legend.
    pub(in crate::report) note: String,
}

impl Mark {
    /// The upper end of what is drawn of it.
    pub(in crate::report) fn top(&self) -> f64 {
        self.interval.map_or(self.y, |(_, high)| high.max(self.y))
    }
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

    /// The chart with its legend.
    pub(in crate::report) fn figure(&self) -> Markup {
        let drawing = html! {
            (self.axes())
            (self.rules())
            @for (index, series) in self.series.iter().enumerate() {
                (self.series(series, index)) "\n"
            }
            @if let Some(level) = &self.level { (self.level(level)) }
            (self.labels())
        };
        let figure = Figure {
            id: &self.id,
            class: Some("plot"),
            title: &self.title,
            about: &self.about,
            size: (WIDTH, self.bottom() + BOTTOM),
        };
        let caption = html! {
            (self.legend())
            @if !self.note.is_empty() { p { (self.note) } }
        };
        figure.around(&drawing, &caption)
    }

    fn axes(&self) -> Markup {
        let (left, right) = (LEFT, WIDTH - RIGHT);
        let (top, bottom) = (self.top(), self.bottom());
        let middle = f64::midpoint(left, right);
        html! {
            @for (at, label) in &self.y.ticks {
                @let y = self.y(*at);
                path .grid d=(format_args!("M{left} {y:.1}H{right}")) {}
                (lettering("end", (left - 7.0, y + 4.0), label)) "\n"
            }
            @for (at, label) in &self.x.ticks {
                @let x = self.x(*at);
                path .axis d=(format_args!("M{x:.1} {bottom}v5")) {}
                (lettering("mid", (x, bottom + 18.0), label)) "\n"
            }
            path .axis d=(format_args!("M{left} {top}V{bottom}H{right}")) {}
            (lettering("mid", (middle, bottom + 40.0), &self.x.title))
            text x="4" y="12" { (self.y.title) } "\n"
        }
    }

    fn rules(&self) -> Markup {
        let bottom = self.bottom();
        html! {
            @for (index, rule) in self.rules.iter().enumerate() {
                @let (x, y) = (self.x(rule.x), TOP + APART * index as f64);
                @let far = x > f64::midpoint(LEFT, WIDTH - RIGHT);
                path .rule d=(format_args!("M{x:.1} {:.1}V{bottom}", y - 9.0)) {}
                @let (class, aside) = if far { ("end", -4.0) } else { ("", 4.0) };
                (lettering(class, (x + aside, y), &rule.text)) "\n"
            }
        }
    }

    fn level(&self, level: &Level) -> Markup {
        let (left, right, y) = (LEFT, WIDTH - RIGHT, self.y(level.y));
        html! {
            path .rule d=(format_args!("M{left} {y:.1}H{right}")) {}
            (lettering("", (left + 4.0, y - 5.0), &level.text)) "\n"
        }
    }

    fn series(&self, series: &Series, index: usize) -> Markup {
        let look = series.look;
        let step = if series.steps_to.is_some() { "HV" } else { "L " };
        let places = series.marks.iter().map(|mark| (self.x(mark.x), self.y(mark.y)));
        let mut line = path(places, step);
        if let Some(end) = series.steps_to {
            let _ = write!(line, "H{:.1}", self.x(end));
        }
        let seen = series.marks.len().div_ceil(MOST_MARKERS).max(1);
        html! {
            g .s.{ "s" (look) } data-s=(look) {
                @if series.band { (self.band(series)) }
                path .l d=(line) {} "\n"
                @for (place, mark) in series.marks.iter().enumerate() {
                    (self.mark(series, mark, place.is_multiple_of(seen), index)) "\n"
                }
            }
        }
    }

    /// The intervals as an area: along the upper ends, and back along the lower ones.
    fn band(&self, series: &Series) -> Markup {
        let ends = series.marks.iter().filter_map(|mark| Some((mark.x, mark.interval?)));
        let ends: Vec<_> = ends.collect();
        let last = ends.last().map_or(0.0, |(x, _)| *x);
        let mut line = path(ends.iter().map(|(x, (_, high))| (self.x(*x), self.y(*high))), "HV");
        let _ = write!(line, "H{:.1}", self.x(series.steps_to.unwrap_or(last)));
        for (x, (low, _)) in ends.iter().rev() {
            let _ = write!(line, "V{:.1}H{:.1}", self.y(*low), self.x(*x));
        }
        html! { @if !ends.is_empty() { path .band d={ (line) "z" } {} } }
    }

    /// `index` is that of the line: bars of several lines at one place have ends of their own width,
    /// the first the widest, since a mark is where its numbers are.
    fn mark(&self, series: &Series, mark: &Mark, seen: bool, index: usize) -> Markup {
        let (x, y) = (self.x(mark.x), self.y(mark.y));
        let interval = mark.interval.filter(|_| series.steps_to.is_none());
        let interval = interval.map(|(low, high)| {
            let (low, high, half) = (self.y(low), self.y(high), 3.0 + self.behind(index) * 1.5);
            let (left, wide) = (x - half, 2.0 * half);
            format!("M{x:.1} {high:.1}V{low:.1}m-{half} 0h{wide}M{left:.1} {high:.1}h{wide}")
        });
        html! {
            g .p .hollow[mark.hollow] .still[!mark.hollow && !seen] {
                title { (series.name) ": " (mark.text) }
                @if let Some(interval) = interval { path .i d=(interval) {} }
                @if mark.rises { path .up d=(format_args!("M{x:.1} {y:.1}v-22m-4 6l4-6 4 6")) {} }
                path .m d=(format_args!("M{x:.1} {y:.1}{}", MARKERS[series.look])) {}
            }
        }
    }

    /// How many lines are drawn after that one.
    fn behind(&self, index: usize) -> f64 {
        self.series.len().saturating_sub(index + 1) as f64
    }

    /// The names of the lines beside their ends, none over another.
    fn labels(&self) -> Markup {
        let last = |series: &Series| series.marks.last().map(|mark| self.y(mark.y));
        let mut ends: Vec<_> = self.series.iter().filter_map(|s| Some((last(s)?, s))).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut places: Vec<f64> = ends.iter().map(|(y, _)| *y).collect();
        spread(&mut places, self.top(), self.bottom());
        let (sign, name) = (WIDTH - RIGHT + 12.0, WIDTH - RIGHT + 22.0);
        html! {
            @for (y, (_, series)) in places.into_iter().zip(ends) {
                g .s.{ "s" (series.look) } data-s=(series.look) {
                    path .m d=(format_args!("M{sign:.1} {y:.1}{}", MARKERS[series.look])) {}
                    (lettering("", (name, y + 4.0), &series.short))
                } "\n"
            }
        }
    }

    /// A swatch and a name for each line.
    fn legend(&self) -> Markup {
        html! {
            ul .legend {
                @for Series { look, name, .. } in &self.series {
                    li data-s=(look) {
                        svg .line.{ "s" (look) } viewBox="0 0 34 12" aria-hidden="true" {
                            path .l d="M1 6H33" {}
                            path .m d={ "M17 6" (MARKERS[*look]) } {}
                        } " "
                        span { (name) }
                    } "\n"
                }
            }
        }
    }
}

/// A line through places: by steps ("HV", level and then up or down) or straight ("L ").
fn path(places: impl Iterator<Item = (f64, f64)>, step: &str) -> String {
    let (to_x, to_y) = step.split_at(1);
    let mut line = String::new();
    for (index, (x, y)) in places.enumerate() {
        let (to_x, to_y) = if index == 0 { ("M", " ") } else { (to_x, to_y) };
        let _ = write!(line, "{to_x}{x:.1}{to_y}{y:.1}");
    }
    line
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_apart_and_stay_inside() {
        let mut places = [10.0, 10.0, 90.0, 100.0, 100.0];
        spread(&mut places, 10.0, 100.0);
        assert_eq!(places, [10.0, 24.0, 72.0, 86.0, 100.0]);
    }

    #[test]
    fn lines_at_one_place_have_their_marks_there() {
        let series = |look| Series {
            name: "a".to_string(),
            short: "a".to_string(),
            look,
            marks: vec![Mark {
                x: 50.0,
                y: 0.5,
                interval: Some((0.25, 0.75)),
                hollow: false,
                rises: false,
                text: String::new(),
            }],
            steps_to: None,
            band: false,
        };
        let axis = |end: f64| Axis { title: "x".into(), start: 0.0, end, ticks: Vec::new() };
        let plot = Plot {
            id: "p".to_string(),
            title: String::new(),
            about: String::new(),
            x: axis(100.0),
            y: axis(1.0),
            series: (0..3).map(series).collect(),
            rules: Vec::new(),
            level: None,
            note: String::new(),
        };
        let text = plot.figure().into_string();
        // Half of 552 units from 58 on; the ends of the bars differ, so that each is seen.
        for (look, marker) in MARKERS.iter().enumerate().take(3) {
            let mark = format!("class=\"m\" d=\"M334.0 156.0{marker}\"");
            assert!(text.contains(&mark), "{look}: {text}");
        }
        for bar in ["m-6 0h12", "m-4.5 0h9", "m-3 0h6"] {
            assert_eq!(text.matches(&format!("M334.0 90.0V222.0{bar}")).count(), 1, "{text}");
        }
    }

    #[test]
    fn a_step_stays_level_and_a_bound_is_hollow() {
        let mark = |x, y, hollow| Mark {
            x,
            y,
            interval: None,
            hollow,
            rises: hollow,
            text: "t<".to_string(),
        };
        let series = Series {
            name: "a & b".to_string(),
            short: "a".to_string(),
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
            level: Some(Level { y: 0.5, text: "half".to_string() }),
            note: String::new(),
        };
        let text = plot.figure().into_string();
        // The plane is 552 wide from 58 on and 264 high from 24 on.
        assert!(text.contains("d=\"M58.0 24.0H334.0V156.0H610.0\""), "{text}");
        assert!(text.contains("class=\"p hollow\"><title>a &amp; b: t&lt;</title>"), "{text}");
        // What is a bound goes up, and the level line is at its half.
        assert_eq!(text.matches("class=\"up\"").count(), 1, "{text}");
        assert!(text.contains("d=\"M58 156.0H610\"") && text.contains(">half</text>"), "{text}");
    }
}
