//! How many cases may lie outside of what is said of them.

/// Of 200 cases so many at least lie inside, in percent.
const INSIDE: u64 = 92;
/// Fewer cases may show fewer by chance, but not what happens less often than so.
const CHANCE: f64 = 0.05;

/// Of `cases` that each lie inside with a chance of [`INSIDE`] percent, the fewest that do, up to
/// [`CHANCE`] (of the binomial distribution); of 200 or more [`INSIDE`] percent.
pub(crate) fn fewest(cases: u64) -> u64 {
    let inside = INSIDE as f64 / 100.0;
    if cases >= 200 {
        return (cases * INSIDE).div_ceil(100);
    }
    // From none inside on: the chance of so many, and of at most so many.
    let (mut number, mut chance) = (0, (1.0 - inside).powi(cases as i32));
    let mut at_most = chance;
    while at_most < CHANCE {
        chance *= (cases - number) as f64 / (number + 1) as f64 * inside / (1.0 - inside);
        number += 1;
        at_most += chance;
    }
    number
}

#[test]
fn chance_allows_a_few_more_misses_on_a_few_cases() {
    assert_eq!([1, 10, 24, 50, 199, 200, 400].map(fewest), [0, 8, 20, 43, 177, 184, 368]);
}
