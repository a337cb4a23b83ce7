//! The mean time between failures over the size of the area, as a picture and a table.

use maud::{Markup, html};

use super::super::Shown;
use super::super::figures::Often;
use super::super::words::{self, is_in_ops, is_one, often, seen};
use super::{chosen, tables};
use crate::recommend::{Candidate, Found, Lever, Point, Task};
use crate::report::chart::axis::{self, Axis};
use crate::report::chart::{Level, Mark, Plot, Rule, Series};
use crate::words::mib;

/// Places of an axis of time: microseconds and words.
const TIMES: [(f64, &str); 19] = [
    (1.0, "1 us"),
    (10.0, "10 us"),
    (100.0, "100 us"),
    (1e3, "1 ms"),
    (10e3, "10 ms"),
    (100e3, "100 ms"),
    (1e6, "1 s"),
    (10e6, "10 s"),
    (60e6, "1 min"),
    (600e6, "10 min"),
    (3_600e6, "1 h"),
    (6.0 * 3_600e6, "6 h"),
    (86_400e6, "1 d"),
    (7.0 * 86_400e6, "7 d"),
    (30.0 * 86_400e6, "30 d"),
    (365.0 * 86_400e6, "1 y"),
    (3_650.0 * 86_400e6, "10 y"),
    (36_500.0 * 86_400e6, "100 y"),
    (365_000.0 * 86_400e6, "1000 y"),
];

/// None where nothing states a size to draw around.
pub(super) fn section(shown: &Shown<'_>, found: &Found) -> Option<Markup> {
    let points: Vec<_> = found.curves.iter().flatten().collect();
    (!points.is_empty()).then(|| {
        html! {
            // Of one stream that no seed changes there is no mean time.
            @if is_one(shown.task) { (tables::sizes(shown.task, &points)) } @else {
                (plot(shown, found).figure())
                details {
                    summary { "The same as a table" }
                    (tables::sizes(shown.task, &points))
                } "\n"
            }
        }
    })
}

fn plot(shown: &Shown<'_>, found: &Found) -> Plot {
    let task = shown.task;
    let curves = found.curves.iter().filter(|curve| !curve.is_empty()).enumerate();
    let series: Vec<_> = curves.map(|(look, curve)| series(task, look, curve)).collect();
    let rules = rules(shown);
    let marks = || series.iter().flat_map(|series| &series.marks);
    let sizes = || marks().map(|mark| mark.x).chain(rules.iter().map(|rule| rule.x));
    let (least, most) = (sizes().fold(f64::MAX, f64::min), sizes().fold(0.0, f64::max));
    let target = libm::log10(task.target.mtbf_us().max(1.0));
    let low = marks().filter_map(|mark| mark.interval.map(|(low, _)| low).or(Some(mark.y)));
    let low = low.fold(target, f64::min);
    let high = marks().map(Mark::top).fold(target, f64::max);
    Plot {
        id: "curve".to_string(),
        title: "Mean time between failures over the size of the area".to_string(),
        about: "A line for the cap as it is, and one for that of the choice. The table below has \
                the numbers of every place."
            .to_string(),
        x: Axis::between("size of the area, MiB", least, most, axis::plain),
        y: times(task, (low, high)),
        series,
        level: Some(Level { y: target, text: format!("target {}", words::target(task)) }),
        rules,
        note: note(shown),
    }
}

fn note(shown: &Shown<'_>) -> String {
    let note = "Bars: 95 % intervals, by streams of the search. A hollow marker with an arrow: no \
                stream failed, and the mean time is longer than that. Above the level line the \
                target is met.";
    match chosen(shown).is_some_and(|one| !is_of_curve(one)) {
        true => format!("{note} The choice changes more than size and cap, which is not drawn."),
        false => note.to_string(),
    }
}

/// Whether a candidate is a place of a curve: it changes size and cap alone.
fn is_of_curve(one: &Candidate) -> bool {
    one.levers.iter().all(|lever| matches!(lever, Lever::Size(_) | Lever::Cap(_)))
}

fn in_mib(task: &Task, pages: u64) -> f64 {
    pages as f64 / task.base.ground.page.in_mib() as f64
}

/// The size as it is, and that of the choice.
fn rules(shown: &Shown<'_>) -> Vec<Rule> {
    let task = shown.task;
    let page = task.base.ground.page;
    let now = task.base.pages;
    let then = chosen(shown).filter(|one| is_of_curve(one)).map(|one| one.config.areas[0].pages);
    let rule = |pages: u64, what: &str| Rule {
        x: in_mib(task, pages),
        text: format!("{what}: {}", mib(pages, page)),
    };
    match (now, then) {
        (Some(now), Some(then)) if now == then => vec![rule(now, "as it is, and chosen")],
        (now, then) => {
            let now = now.map(|pages| rule(pages, "as it is"));
            now.into_iter().chain(then.map(|pages| rule(pages, "chosen"))).collect()
        }
    }
}

fn series(task: &Task, look: usize, curve: &[Point]) -> Series {
    let cap = curve[0].cap;
    let whose = if cap == task.base.cap { "as it is" } else { "chosen" };
    Series {
        name: format!("cap {cap}, {whose}"),
        short: format!("cap {cap}"),
        look,
        marks: curve.iter().map(|point| mark(task, point)).collect(),
        steps_to: None,
        band: false,
    }
}

fn mark(task: &Task, point: &Point) -> Mark {
    let evidence = &point.evidence;
    let found = Often::of(task, evidence);
    let log = |us: u64| libm::log10(us.max(1) as f64);
    let mean = found.mtbf_us.map(log);
    let low = log(found.low_us.unwrap_or(0));
    let high = found.high_us.map(log);
    Mark {
        x: in_mib(task, point.pages),
        y: mean.unwrap_or(low),
        // What has an open end goes up from its mean.
        interval: mean.map(|mean| (low, high.unwrap_or(mean))),
        hollow: mean.is_none(),
        rises: high.is_none(),
        text: format!(
            "{}: {}; failed: {}",
            mib(point.pages, task.base.ground.page),
            often(task, evidence),
            seen(task, evidence)
        ),
    }
}

/// An axis from and to these powers of ten, in microseconds or ops.
fn times(task: &Task, (low, high): (f64, f64)) -> Axis {
    let ends = (libm::pow(10.0, low), libm::pow(10.0, high));
    if is_in_ops(task) {
        let power = |power: u32| (libm::pow(10.0, f64::from(power)), ops(power));
        return Axis::powers("mean ops between failures", ends, (0..=18).map(power));
    }
    let places = TIMES.map(|(at, words)| (at, words.to_string()));
    Axis::powers("mean time between failures", ends, places)
}

/// Ten to a power: `100`, `10 k`, `1 M`.
fn ops(power: u32) -> String {
    let unit = ["", " k", " M", " G", " T", " P", " E"][(power / 3) as usize];
    format!("{}{unit}", 10_u32.pow(power % 3))
}
