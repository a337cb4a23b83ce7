//! Time in words.

/// Units: their microseconds and names, the largest first. A day is named from two days on, so that
/// 24 h are 24 h.
const UNITS: [(f64, f64, &str); 7] = [
    (2.0 * 86_400e6, 86_400e6, "d"),
    (3_600e6, 3_600e6, "h"),
    (60e6, 60e6, "min"),
    (1e6, 1e6, "s"),
    (1e3, 1e3, "ms"),
    (0.01, 1.0, "us"),
    (0.0, 1e6, "s"),
];

/// A time in the unit that suits it, rounded to three digits: `14.2 s`, `17 min`, `24 h`, `10.7 d`.
pub(crate) fn span(us: f64) -> String {
    // What rounds to the next unit is named by it.
    let (_, each, unit) = UNITS
        .into_iter()
        .find(|(from, each, _)| us / each >= (from / each) - 0.005)
        .unwrap_or(UNITS[6]);
    format!("{} {unit}", digits(us / each))
}

/// The same, rounded down: what is said to be exceeded.
pub(crate) fn at_least(us: f64) -> String {
    let (_, each, unit) = UNITS.into_iter().find(|(from, ..)| us >= *from).unwrap_or(UNITS[6]);
    let number = us / each;
    let step = if number < 100.0 { 10.0 } else { 1.0 };
    format!("{} {unit}", digits(libm::floor(number * step) / step))
}

/// Up to three digits, no zeros at the end of decimals.
fn digits(number: f64) -> String {
    let text = match number {
        small if small < 9.995 => format!("{small:.2}"),
        small if small < 99.95 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// Two times as one: `24 h`, `14 to 31 s`.
pub(crate) fn from_to([least, most]: [u64; 2]) -> String {
    let (least, most) = (span(least as f64), span(most as f64));
    if least == most {
        return most;
    }
    let unit = |text: &str| text.rsplit_once(' ').map(|(_, unit)| unit.to_string());
    match least.rsplit_once(' ') {
        Some((number, own)) if unit(&most).as_deref() == Some(own) => format!("{number} to {most}"),
        _ => format!("{least} to {most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_own_unit() {
        let hour = 3.6e9;
        let table = [
            (0.0, "0 s"),
            (250.0, "250 us"),
            (8_333.0, "8.33 ms"),
            (999_999.0, "1 s"),
            (14.2e6, "14.2 s"),
            (59.999e6, "1 min"),
            (90e6, "1.5 min"),
            (1000e6, "16.7 min"),
            (24.0 * hour, "24 h"),
            (47.0 * hour, "47 h"),
            (48.0 * hour, "2 d"),
            (256.4 * hour, "10.7 d"),
            (365.0 * 24.0 * hour, "365 d"),
        ];
        for (us, text) in table {
            assert_eq!(span(us), text, "{us}");
        }
        assert_eq!(at_least(256.38 * hour), "10.6 d");
        assert_eq!(at_least(59.999e6), "59.9 s");
        assert_eq!(from_to([14_000_000, 31_000_000]), "14 to 31 s");
        assert_eq!(from_to([31_000_000, 90_000_000]), "31 s to 1.5 min");
        assert_eq!(from_to([86_400_000_000; 2]), "24 h");
    }
}
