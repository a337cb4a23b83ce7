//! What is left of an area over the time: free pages, the longest hole, the longest usable one, and
//! the request that it has to do for.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{ACROSS, CURVES, LEFT, pages_of};
use crate::metric::{Asked, Grid, Room};
use crate::page::Page;
use crate::report::page::lettering;

/// Units of the plane.
pub(super) const HEIGHT: f64 = 96.0;

/// KiB at which there is a tick.
const TICKS: [(u64, &str); 7] = [
    (4, "4 KiB"),
    (64, "64 KiB"),
    (1 << 10, "1 MiB"),
    (16 << 10, "16 MiB"),
    (256 << 10, "256 MiB"),
    (4 << 20, "4 GiB"),
    (64 << 20, "64 GiB"),
];

/// What the holes are held against: what was refused first or, where nothing was, the largest request.
fn asked(grid: &Grid) -> Option<Asked> {
    let first = grid.first.as_ref();
    first.map(|first| Asked { count: first.count, align: first.align }).or(grid.largest)
}

/// The curves: a class and a value of each column.
fn lines(grid: &Grid) -> Vec<(&'static str, Vec<u64>)> {
    let of = |value: &dyn Fn(&Room) -> Option<u64>| -> Option<Vec<u64>> {
        grid.columns.iter().map(|column| value(&column.room)).collect()
    };
    let order = asked(grid).map(|asked| asked.align);
    let all = [
        ("room", of(&|room| Some(room.free_pages))),
        ("hole", of(&|room| Some(room.longest_run))),
        ("usable", order.and_then(|order| of(&|room| room.longest_usable(order)))),
    ];
    all.into_iter().filter_map(|(class, values)| Some((class, values?))).collect()
}

/// They are drawn over the columns of the map, up to the whole area, each power of two as high as
/// every other; what is less than the scale begins with is at its bottom.
pub(super) fn curves(grid: &Grid, page: Page) -> Markup {
    let ticks = TICKS.iter().map(|(kib, label)| (kib / page.kib(), *label));
    let ticks: Vec<_> = ticks.filter(|(pages, _)| (1..=grid.pages).contains(pages)).collect();
    let base = base(grid, &ticks);
    let log = |pages: u64| libm::log2((pages.max(1) as f64 / base as f64).max(1.0));
    let top = log(grid.pages).max(1.0);
    let y = |pages: u64| CURVES + HEIGHT * (1.0 - log(pages) / top);
    let bottom = CURVES + HEIGHT;
    let ticks = ticks.into_iter().filter(|(pages, _)| *pages >= base);
    html! {
        @for (pages, label) in ticks {
            path .grid d=(format_args!("M{LEFT} {:.1}h{ACROSS}", y(pages))) {}
            (lettering("end", (LEFT - 7.0, y(pages) + 4.0), label)) "\n"
        }
        path .axis d=(format_args!("M{LEFT} {CURVES}V{bottom}h{ACROSS}")) {} "\n"
        @for (class, values) in lines(grid) {
            path .curve.(class) d=(steps(&values, y)) {} "\n"
        }
        @if let Some(asked) = asked(grid) {
            path .asked d=(format_args!("M{LEFT} {:.1}h{ACROSS}", y(asked.count))) {} "\n"
        }
    }
}

/// Where the scale begins: the last tick well below all that is drawn, but for what is nothing.
fn base(grid: &Grid, ticks: &[(u64, &str)]) -> u64 {
    let lines = lines(grid);
    let drawn = lines.iter().flat_map(|(_, values)| values.iter().copied());
    let drawn = drawn.filter(|pages| *pages > 0).chain(asked(grid).map(|asked| asked.count));
    let least = drawn.min().unwrap_or(1);
    let mut below = ticks.iter().map(|(pages, _)| *pages).filter(|pages| 2 * pages <= least);
    below.next_back().unwrap_or(1)
}

/// A line that is level over each column.
fn steps(values: &[u64], y: impl Fn(u64) -> f64) -> String {
    let x = |column: usize| LEFT + ACROSS * column as f64 / values.len() as f64;
    let (mut path, mut column) = (String::new(), 0);
    for run in values.chunk_by(|a, b| a == b) {
        let to = if column == 0 { format!("M{LEFT} ") } else { "V".to_string() };
        column += run.len();
        let _ = write!(path, "{to}{:.1}H{:.1}", y(run[0]), x(column));
    }
    path
}

/// Their names.
pub(super) fn legend(grid: &Grid) -> Markup {
    let asked = asked(grid);
    let name = |class: &str| match (class, asked) {
        ("room", _) => "free".to_string(),
        ("usable", Some(Asked { align, .. })) => format!("longest usable hole at order {align}"),
        _ => "longest hole".to_string(),
    };
    let line = |class: &str, name: &str| {
        html! {
            li {
                svg .line viewBox="0 0 34 12" aria-hidden="true" {
                    path class=(class) d="M1 6H33" {}
                } " "
                span { (name) }
            } "\n"
        }
    };
    html! {
        @for (class, _) in lines(grid) { (line(&format!("curve {class}"), &name(class))) }
        @if let Some(asked) = asked {
            @let what = if grid.first.is_some() { "refused first" } else { "the largest request" };
            (line("asked", &format!("{what}: {}", pages_of(asked.count))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_level_over_its_columns() {
        let path = steps(&[4, 4, 0, 4], |pages| 10.0 - pages as f64);
        // 692 units in four columns from 58 on.
        assert_eq!(path, "M58 6.0H404.0V10.0H577.0V6.0H750.0");
        assert_eq!(steps(&[], |_| 0.0), "");
    }
}
