//! The gamma distribution: the ends of exact intervals of counts over a time, weighted ones too.

use super::normal;

/// How many standard deviations around a shape its quantiles are looked for; at least 1e-12 lies
/// within.
const REACH: f64 = 40.0;

/// The chances that a gamma variable of this shape, above 0, and scale 1 lies below `x` and above
/// it: the regularised incomplete gamma functions. The smaller one is good to 1e-12 of itself.
pub(super) fn below_and_above(x: f64, shape: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let ln_front = shape * libm::log(x) - x - libm::lgamma(shape);
    if x < shape + 1.0 {
        let below = (libm::exp(ln_front) * series(x, shape)).min(1.0);
        (below, 1.0 - below)
    } else {
        let above = (libm::exp(ln_front) * fraction(x, shape)).min(1.0);
        (1.0 - above, above)
    }
}

/// Natural logarithm of the chance that a gamma variable of this shape and scale 1 lies above `x`,
/// also where the chance itself is too small for a number.
pub(super) fn ln_above(x: f64, shape: f64) -> f64 {
    if x < shape + 1.0 {
        return libm::log1p(-below_and_above(x, shape).0);
    }
    shape * libm::log(x) - x - libm::lgamma(shape) + libm::log(fraction(x, shape))
}

/// The sum of `x^k / (shape (shape + 1) … (shape + k))`.
fn series(x: f64, shape: f64) -> f64 {
    let mut term = 1.0 / shape;
    let mut sum = term;
    let mut next = shape;
    while term > sum * 1e-17 {
        next += 1.0;
        term *= x / next;
        sum += term;
    }
    sum
}

/// The continued fraction of the upper tail, by Lentz' way; for `x` of at least `shape + 1`.
fn fraction(x: f64, shape: f64) -> f64 {
    let off_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1e300, 1.0 / off_zero(b));
    let mut product = d;
    for k in 1..100_000 {
        let k = f64::from(k);
        let a = -k * (k - shape);
        b += 2.0;
        d = 1.0 / off_zero(b + a * d);
        c = off_zero(b + a / c);
        product *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    product
}

/// Shapes from here on have quantiles by a normal variable's: the sums would never end, and would be
/// no better.
const LARGE: f64 = 1e7;

/// The value below which a gamma variable of this shape, above 0, and scale 1 lies with this
/// chance, above 0 and below 1. Of a large shape by the cube of a normal variable (Wilson and
/// Hilferty, 1931), which is right to 1e-8 of itself there.
pub(super) fn quantile(chance: f64, shape: f64) -> f64 {
    if shape >= LARGE {
        let variance = 1.0 / (9.0 * shape);
        let root = 1.0 - variance + normal::quantile(chance) * libm::sqrt(variance);
        return shape * root * root * root;
    }
    let reach = REACH * libm::sqrt(shape);
    let (mut low, mut high) = (0.0, shape + reach + REACH);
    // Small shapes have quantiles near 0, where only a relative width will do.
    for _ in 0..1100 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high || high - low <= 1e-15 * high {
            break;
        }
        if below_and_above(middle, shape).0 < chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-10 * b.abs().max(1e-3), "{a} is not {b}");
    }

    #[test]
    fn whole_shapes_are_sums_of_poisson_chances() {
        for x in [0.01, 0.5, 1.0, 2.5, 7.0, 30.0] {
            let (mut term, mut sum) = (libm::exp(-x), 0.0);
            for n in 0..40_u32 {
                sum += term;
                let (below, above) = below_and_above(x, f64::from(n) + 1.0);
                close(above, sum);
                close(below + above, 1.0);
                if above > 1e-3 {
                    assert!((ln_above(x, f64::from(n) + 1.0) - libm::log(sum)).abs() < 1e-10);
                }
                term *= x / f64::from(n + 1);
            }
        }
        // Half a shape is a normal's square: P(Z² > 3.841459) = 5 %.
        close(below_and_above(0.75, 0.5).0, libm::erf(libm::sqrt(0.75)));
        assert_eq!(below_and_above(0.0, 2.0), (0.0, 1.0));
        // The smaller one has its own digits: e^-40, and 1 - e^-x of a tiny x.
        assert!((below_and_above(40.0, 1.0).1 / libm::exp(-40.0) - 1.0).abs() < 1e-12);
        assert!((below_and_above(1e-9, 1.0).0 / -libm::expm1(-1e-9) - 1.0).abs() < 1e-12);
        // Too small for a number, not for its logarithm: e^-1000 (1 + 1000).
        assert!((ln_above(1000.0, 2.0) - (libm::log(1001.0) - 1000.0)).abs() < 1e-9);
    }

    #[test]
    fn large_shapes_go_on_from_small_ones_and_end() {
        for chance in [0.025, 0.5, 0.95, 0.975] {
            let (below, above) = (quantile(chance, LARGE * (1.0 - 1e-9)), quantile(chance, LARGE));
            assert!((below / above - 1.0).abs() < 2e-8, "{below} and {above} at {chance}");
            assert!((quantile(chance, 9e15) / 9e15 - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn chi_square_quantiles_as_in_the_tables() {
        for (chance, freedom, value) in [
            (0.95, 1, 3.841),
            (0.95, 2, 5.991),
            (0.95, 4, 9.488),
            (0.95, 10, 18.307),
            (0.95, 100, 124.342),
            (0.05, 2, 0.103),
            (0.05, 10, 3.940),
            (0.975, 6, 14.449),
            (0.025, 6, 1.237),
            (0.99, 30, 50.892),
        ] {
            let got = 2.0 * quantile(chance, f64::from(freedom) / 2.0);
            assert!((got - value).abs() < 6e-4, "{chance} of {freedom}: {got}");
        }
        close(quantile(0.95, 1.0), -libm::log(0.05));
        close(quantile(0.01, 1.0), -libm::log1p(-0.01));
        let far = quantile(0.95, 1e6);
        close(below_and_above(far, 1e6).0, 0.95);
    }
}
