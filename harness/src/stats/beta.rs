//! The beta distribution: the ends of exact intervals, also for numbers that are not whole, and of
//! Student's.

/// The chance that a beta variable of these parameters, both above 0, lies below `x`: the
/// regularised incomplete beta function, by its continued fraction (Lentz' way).
pub(super) fn below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return f64::from(x >= 1.0);
    }
    // The fraction converges fast on this side only; the other is its mirror image.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - below(1.0 - x, b, a);
    }
    let ln_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
        + a * libm::log(x)
        + b * libm::log1p(-x);
    let off_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / off_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / off_zero(1.0 + term * d);
            c = off_zero(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-14 {
            break;
        }
    }
    libm::exp(ln_front) * fraction / a
}

/// The value below which a beta variable of these parameters, both above 0, lies with this chance.
pub(super) fn quantile(chance: f64, a: f64, b: f64) -> f64 {
    let (low, high) = super::halved(0.0, 1.0, 60, |middle| below(middle, a, b) < chance);
    f64::midpoint(low, high)
}

/// The 97.5 % quantile of Student's t with `n - 1` degrees of freedom, `n` of at least 2.
pub(super) fn student(n: usize) -> f64 {
    let freedom = (n - 1) as f64;
    // t² / (t² + freedom) is a beta variable.
    let share = quantile(0.95, 0.5, freedom / 2.0);
    libm::sqrt(freedom * share / (1.0 - share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_by_hand() {
        // B(1, 1) is uniform, B(2, 1) has x², B(1, 3) has 1 - (1 - x)³.
        for x in [0.01, 0.3, 0.5, 0.99] {
            assert!((below(x, 1.0, 1.0) - x).abs() < 1e-12);
            assert!((below(x, 2.0, 1.0) - x * x).abs() < 1e-12);
            assert!((below(x, 1.0, 3.0) - (1.0 - (1.0 - x).powi(3))).abs() < 1e-12);
        }
        // The arcsine law: below(1/4) = 2 / π * asin(1/2) = 1/3.
        assert!((below(0.25, 0.5, 0.5) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((below(0.0, 2.0, 3.0), below(1.0, 2.0, 3.0)), (0.0, 1.0));
    }

    #[test]
    fn student_as_in_the_tables() {
        for (n, t) in [(2, 12.706), (3, 4.303), (5, 2.776), (12, 2.201), (32, 2.040), (1000, 1.962)]
        {
            assert!((student(n) - t).abs() < 1e-3, "{n}: {}", student(n));
        }
    }
}
