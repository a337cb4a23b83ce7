//! An axis with round ticks.

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axis {
    /// What is on it, with the unit.
    pub(super) title: String,
    /// Its start.
    pub(super) start: f64,
    /// Its end.
    pub(super) end: f64,
    /// Places with a label.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to a round number that is not below `most`, labelled by `label`.
    pub(super) fn up_to(title: &str, most: f64, label: impl Fn(f64) -> String) -> Self {
        Self::between(title, 0.0, most, label)
    }

    /// From a round number that is not above `least` to one that is not below `most`.
    pub(super) fn between(
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
        let places = (first..=last).map(|n| n as f64 * step);
        Self {
            title: title.to_string(),
            start: first as f64 * step,
            end: last as f64 * step,
            ticks: places.map(|at| (at, label(at))).collect(),
        }
    }

    /// As [`Axis::up_to`], of shares in percent, with as many decimals as its steps take.
    pub(super) fn percent(title: &str, most: f64) -> Self {
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

    /// Where `value` is between start and end: from 0 to 1.
    pub(super) fn part(&self, value: f64) -> f64 {
        ((value - self.start) / (self.end - self.start)).clamp(0.0, 1.0)
    }
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
    fn an_axis_may_begin_elsewhere() {
        let axis = Axis::between("", 1.04, 2.13, |at| format!("{at:.2}"));
        assert_eq!((axis.start, axis.end), (1.0, 2.25));
        assert!((axis.part(1.625) - 0.5).abs() < 1e-9);
    }
}
