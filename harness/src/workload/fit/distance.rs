//! How far a drawn stream is from the one that was fitted.

use std::collections::BTreeMap;

use super::history::{Buffer, History};
use super::model::{Phase, octave, phase_at};
use crate::board::kind;

/// Distances between two streams, each from 0 (alike) to 1 (nothing in common), in the order of
/// [`DISTANCES`].
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Distances(pub [f64; DISTANCES.len()]);

/// What [`Distances`] are: the name of each, and how it is measured.
///
/// Lifetimes that do not end are the longest. Live pages differ by so many on average:
/// Kolmogorov-Smirnov, 1 for a level that is a page higher throughout, does not say that. The cells
/// of what is taken together are power of 2 × order × power of 16 × burst or steady.
pub const DISTANCES: [(&str, &str); 7] = [
    ("sizes", "sizes, weighted by pages (Kolmogorov-Smirnov)"),
    ("aligns", "orders stated, or following the cap (total variation)"),
    ("lifetimes", "lifetimes (Kolmogorov-Smirnov)"),
    ("arrivals", "times between requests (Kolmogorov-Smirnov)"),
    ("live", "live pages over time (area between the distributions / LOAD)"),
    ("clients", "kinds of clients, weighted by pages (total variation)"),
    ("classes", "size x align x lifetime x phase together (total variation)"),
];

impl Distances {
    /// The largest of them: *the* distance.
    pub fn largest(&self) -> f64 {
        self.0.into_iter().fold(0.0, f64::max)
    }

    /// The mean of several.
    pub(super) fn mean(several: &[Self]) -> Self {
        let sum = |at: usize| several.iter().map(|distances| distances.0[at]).sum::<f64>();
        Self(std::array::from_fn(|at| sum(at) / several.len().max(1) as f64))
    }

    /// Between two streams; phases are those of the first.
    pub(super) fn between(one: &History, other: &History, phases: &[Phase]) -> Self {
        let all = [one, other];
        let kinds = |h: &History| -> Vec<String> {
            h.clients.iter().map(|name| kind(name).to_string()).collect()
        };
        let kinds = all.map(kinds);
        let of = |h: usize, b: &Buffer| kinds[h].get(usize::from(b.client)).cloned();
        let cell = |b: &Buffer| {
            let burst = phase_at(phases, b.at_us).is_some_and(|phase| phase.burst);
            ((octave(b.count), b.align, octave(lifetime(b)).div_ceil(4), burst), 1)
        };
        Self([
            smirnov(all.map(|h| h.buffers.iter().map(|b| (b.count, b.count)).collect())),
            variation(all.map(|h| h.buffers.iter().map(|b| (b.align, 1)).collect())),
            smirnov(all.map(|h| h.buffers.iter().map(|b| (lifetime(b), 1)).collect())),
            smirnov(all.map(arrivals)),
            live_area(all),
            variation([0, 1].map(|h| all[h].buffers.iter().map(|b| (of(h, b), b.count)).collect())),
            variation(all.map(|h| h.buffers.iter().map(cell).collect())),
        ])
    }
}

/// How long a buffer lived; what did not end is the longest.
fn lifetime(buffer: &Buffer) -> u64 {
    buffer.end_us.map_or(u64::MAX, |end_us| end_us.saturating_sub(buffer.at_us))
}

fn arrivals(history: &History) -> Vec<(u64, u64)> {
    let times = history.buffers.windows(2);
    times.map(|pair| (pair[1].at_us.saturating_sub(pair[0].at_us), 1)).collect()
}

/// The largest difference of two weighted distributions; 0 if both are empty, 1 if one is.
fn smirnov([one, other]: [Vec<(u64, u64)>; 2]) -> f64 {
    let total = |of: &[(u64, u64)]| of.iter().map(|(_, weight)| u128::from(*weight)).sum::<u128>();
    let totals = [total(&one), total(&other)];
    if totals.contains(&0) {
        return f64::from(u8::from(totals[0] != totals[1]));
    }
    let mut steps: BTreeMap<u64, [u128; 2]> = BTreeMap::new();
    for (side, of) in [one, other].iter().enumerate() {
        for (value, weight) in of {
            steps.entry(*value).or_default()[side] += u128::from(*weight);
        }
    }
    let (mut below, mut most) = ([0; 2], 0.0_f64);
    for step in steps.values() {
        below[0] += step[0];
        below[1] += step[1];
        let share = |side: usize| below[side] as f64 / totals[side] as f64;
        most = most.max((share(0) - share(1)).abs());
    }
    most
}

/// Half of the sum of the differences of two weighted shares; 0 if both are empty, 1 if one is.
fn variation<K: Ord>([one, other]: [Vec<(K, u64)>; 2]) -> f64 {
    let mut cells: BTreeMap<K, [u128; 2]> = BTreeMap::new();
    for (side, of) in [one, other].into_iter().enumerate() {
        for (key, weight) in of {
            cells.entry(key).or_default()[side] += u128::from(weight);
        }
    }
    let total = |side: usize| cells.values().map(|cell| cell[side]).sum::<u128>();
    let totals = [total(0), total(1)];
    if totals.contains(&0) {
        return f64::from(u8::from(totals[0] != totals[1]));
    }
    let differ = cells
        .values()
        .map(|cell| (cell[0] as f64 / totals[0] as f64 - cell[1] as f64 / totals[1] as f64).abs());
    (differ.sum::<f64>() / 2.0).min(1.0)
}

/// The area between the distributions of live pages over time, as a share of the larger LOAD.
fn live_area(both: [&History; 2]) -> f64 {
    let most = both[0].load_pages.max(both[1].load_pages);
    // Live pages, and the share of time that they were live for.
    let levels = both.map(|history| {
        let course = history.live();
        let ends = course.iter().skip(1).map(|step| step.0).chain([history.end_us]);
        let mut levels: Vec<(u64, f64)> = Vec::new();
        let whole = history.end_us.saturating_sub(course.first().map_or(0, |step| step.0));
        for (&(at_us, live), end_us) in course.iter().zip(ends) {
            levels.push((live, end_us.saturating_sub(at_us) as f64 / whole.max(1) as f64));
        }
        levels.sort_by_key(|level| level.0);
        levels
    });
    let mut steps: Vec<(u64, [f64; 2])> = Vec::new();
    for (side, levels) in levels.iter().enumerate() {
        for &(live, share) in levels {
            steps.push((live, if side == 0 { [share, 0.0] } else { [0.0, share] }));
        }
    }
    steps.sort_by_key(|step| step.0);
    let (mut area, mut below, mut last) = (0.0, [0.0, 0.0], 0);
    for (live, share) in steps {
        area += f64::abs(below[0] - below[1]) * (live - last) as f64;
        below = [below[0] + share[0], below[1] + share[1]];
        last = live;
    }
    (area / most.max(1) as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_counted_by_hand() {
        // Half of the weight at 1 and half at 3 against all of it at 2.
        assert_eq!(smirnov([vec![(1, 5), (3, 5)], vec![(2, 7)]]), 0.5);
        assert_eq!(smirnov([vec![(1, 1)], vec![(2, 1)]]), 1.0);
        assert_eq!(smirnov([vec![(4, 2), (9, 1)], vec![(9, 2), (4, 4)]]), 0.0);
        assert_eq!(smirnov([vec![], vec![(2, 1)]]), 1.0);
        assert_eq!(variation([vec![('a', 3), ('b', 1)], vec![('b', 1)]]), 0.75);
        assert_eq!(variation::<u8>([vec![], vec![]]), 0.0);
    }

    #[test]
    fn live_pages_differ_by_as_much_as_they_lie_apart() {
        let level = |pages: u64| {
            let buffer = Buffer {
                at_us: 0,
                end_us: None,
                count: pages,
                align: None,
                client: 0,
                pid: None,
                is_closed: false,
            };
            History { buffers: vec![buffer], end_us: 10, load_pages: pages, ..History::default() }
        };
        // 30 against 40 pages all of the time.
        assert!((live_area([&level(30), &level(40)]) - 0.25).abs() < 1e-12);
        assert_eq!(live_area([&level(30), &level(30)]), 0.0);
    }
}
