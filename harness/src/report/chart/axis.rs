//! An axis with round ticks.

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::report) struct Axis {
    /// What is on it, with the unit.
    pub(in crate::report) title: String,
    /// Its start.
    pub(in crate::report) start: f64,
    /// Its end.
    pub(in crate::report) end: f64,
    /// Places with a label.
    pub(in crate::report) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to a round number that is not below `most`, labelled by `label`.
    pub(in crate::report) fn up_to(title: &str, most: f64, label: impl Fn(f64) -> String) -> Self {
        Self::between(title, 0.0, most, label)
    }

    /// From a round number that is not above `least` to one that is not below `most`.
    pub(in crate::report) fn between(
        title: &str,
        least: f64,
        most: f64,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let wide = most > least && (most - least).is_finite();
        let most = if wide { most } else { least + 1.0 };
        let step = round_step((most - least) / 5.0);
        let first = libm::floor(least / step + 1e-9) as i64;
        let last = (libm::ceil(most / step - 1e-9) as i64).max(first + 1);
        Self::of(title, step, (first, last), label)
    }

    /// From so many steps to so many.
    fn of(
        title: &str,
        step: f64,
        (first, last): (i64, i64),
        label: impl Fn(f64) -> String,
    ) -> Self {
        let places = (first..=last).map(|n| n as f64 * step);
        let ticks = places.map(|at| (at, label(at))).collect();
        let (start, end) = (first as f64 * step, last as f64 * step);
        Self { title: title.to_string(), start, end, ticks }
    }

    /// As [`Axis::up_to`], of shares in percent, with as many decimals as its steps take.
    pub(in crate::report) fn percent(title: &str, most: f64) -> Self {
        let mut axis = Self::up_to(title, most, |_| String::new());
        let step = axis.ticks.get(1).map_or(1.0, |tick| (tick.0 - axis.start) * 100.0);
        // A step is 1, 2, 2.5 or 5 times a power of ten.
        let decimals = (0..12).find(|&d| {
            let scaled = step * libm::pow(10.0, f64::from(d));
            (scaled - libm::round(scaled)).abs() < 1e-6
        });
        let decimals = decimals.unwrap_or(12) as usize;
        for (at, label) in &mut axis.ticks {
            *label = format!("{:.decimals$}", *at * 100.0);
        }
        axis
    }

    /// Board time from 0 on, in a unit that suits `most_us` microseconds, whole parts of the next
    /// larger one apart where that is possible.
    pub(in crate::report) fn board_time(most_us: f64) -> Self {
        let (unit, each_us, steps) = UNITS
            .into_iter()
            .find(|(_, each_us, _)| most_us >= SEVERAL * each_us)
            .unwrap_or(("s", 1e6, &[]));
        let title = format!("board time, {unit}");
        let most = most_us / each_us;
        let step = steps.iter().find(|step| most / **step <= MOST_STEPS * (1.0 + 1e-9));
        let mut axis = match step {
            None => Self::up_to(&title, most, plain),
            Some(step) => {
                Self::of(&title, *step, (0, libm::ceil(most / step - 1e-9) as i64), plain)
            }
        };
        // The same places in microseconds; what is written there stays.
        axis.start *= each_us;
        axis.end *= each_us;
        axis.ticks.iter_mut().for_each(|(at, _)| *at *= each_us);
        axis
    }

    /// From the last of these ascending `places`, above 0, that is not above `least` to the first
    /// that is not below `most`. What is on it is the logarithm of a value, to the base 10.
    pub(in crate::report) fn powers(
        title: &str,
        (least, most): (f64, f64),
        places: impl IntoIterator<Item = (f64, String)>,
    ) -> Self {
        let places: Vec<_> = places.into_iter().collect();
        let first = places.iter().rposition(|(at, _)| *at <= least).unwrap_or(0);
        let last = places.iter().position(|(at, _)| *at >= most);
        let last = last.unwrap_or(places.len() - 1).max((first + 1).min(places.len() - 1));
        let ticks = places[first..=last].iter();
        let ticks: Vec<_> = ticks.map(|(at, label)| (libm::log10(*at), label.clone())).collect();
        let (start, end) = (ticks[0].0, ticks[ticks.len() - 1].0);
        Self { title: title.to_string(), start, end, ticks }
    }

    /// Where `value` is between start and end: from 0 to 1.
    pub(in crate::report) fn part(&self, value: f64) -> f64 {
        ((value - self.start) / (self.end - self.start)).clamp(0.0, 1.0)
    }
}

/// Steps of an axis of time at most.
const MOST_STEPS: f64 = 8.0;

/// A unit is used from so many of it on.
const SEVERAL: f64 = 3.0;

/// Units of time, the largest first: their names, their microseconds, and steps that are read
/// easily.
const UNITS: [(&str, f64, &[f64]); 4] = [
    ("d", 86_400e6, &[1.0, 2.0, 7.0, 14.0, 30.0, 60.0, 90.0, 365.0]),
    ("h", 3_600e6, &[1.0, 2.0, 3.0, 6.0, 12.0]),
    ("min", 60e6, &[1.0, 2.0, 5.0, 10.0, 15.0, 30.0]),
    ("s", 1e6, &[1.0, 2.0, 5.0, 10.0, 15.0, 30.0]),
];

/// A number without zeros at the end of its decimals.
pub(in crate::report) fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// The next of 1, 2, 2.5, 5 × 10^n.
fn round_step(least: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(least)));
    let fits = [1.0, 2.0, 2.5, 5.0].into_iter().find(|step| step * power >= least * (1.0 - 1e-9));
    fits.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        let axis = |most| Axis::up_to("", most, |at| format!("{at:.2}"));
        for (most, end) in [(0.93, 1.0), (0.034, 0.04), (7.0, 8.0), (100.0, 100.0), (0.0, 1.0)] {
            let axis = axis(most);
            assert!((axis.end - end).abs() < 1e-9, "{most}: {}", axis.end);
            assert!((3..=7).contains(&axis.ticks.len()), "{:?}", axis.ticks);
        }
    }

    #[test]
    fn small_shares_have_labels_that_differ() {
        let labels = |most| {
            let ticks = Axis::percent("", most).ticks;
            ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(1.0), "0 20 40 60 80 100");
        assert_eq!(labels(0.0002), "0.000 0.005 0.010 0.015 0.020");
        assert_eq!(labels(0.12), "0.0 2.5 5.0 7.5 10.0 12.5");
    }

    #[test]
    fn board_time_has_the_unit_and_the_steps_of_a_clock() {
        let hour = 3_600e6;
        let table = [
            (30.0 * 24.0 * hour, "board time, d", "0 7 14 21 28 35"),
            (48.0 * hour, "board time, h", "0 6 12 18 24 30 36 42 48"),
            (24.0 * hour, "board time, h", "0 3 6 9 12 15 18 21 24"),
            (hour, "board time, min", "0 10 20 30 40 50 60"),
            (31e6, "board time, s", "0 5 10 15 20 25 30 35"),
            (0.9e6, "board time, s", "0 0.2 0.4 0.6 0.8 1"),
            (0.0, "board time, s", "0 0.2 0.4 0.6 0.8 1"),
        ];
        for (us, title, labels) in table {
            let axis = Axis::board_time(us);
            let found: Vec<_> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
            assert_eq!((axis.title.as_str(), found.join(" ").as_str()), (title, labels), "{us}");
            assert!(axis.end >= us && axis.end == axis.ticks.last().unwrap().0, "{us}");
        }
    }

    #[test]
    fn an_axis_may_begin_elsewhere() {
        let axis = Axis::between("", 1.04, 2.13, |at| format!("{at:.2}"));
        assert_eq!((axis.start, axis.end), (1.0, 2.25));
        assert!((axis.part(1.625) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn powers_are_as_far_apart_as_their_logarithms() {
        let places = || [1.0, 10.0, 100.0, 1e4].map(|at| (at, at.to_string()));
        let axis = Axis::powers("", (20.0, 99.0), places());
        assert_eq!((axis.start, axis.end), (1.0, 2.0));
        assert!((axis.part(libm::log10(20.0)) - 0.301).abs() < 1e-3);
        // What is outside of all of them is at an end; what needs one place gets two.
        let axis = Axis::powers("", (0.5, 1e6), places());
        assert_eq!((axis.start, axis.end, axis.ticks.len()), (0.0, 4.0, 4));
        assert_eq!(Axis::powers("", (10.0, 10.0), places()).ticks.len(), 2);
    }
}
