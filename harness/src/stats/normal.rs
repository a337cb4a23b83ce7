//! The standard normal distribution.

/// The chance that a standard normal lies below `z`.
pub(super) fn below(z: f64) -> f64 {
    0.5 * libm::erfc(-z / core::f64::consts::SQRT_2)
}

/// The inverse of [`below`], for chances of 1e-9 to 1 - 1e-9.
pub(super) fn quantile(chance: f64) -> f64 {
    let (low, high) = super::halved(-6.0, 6.0, 50, |middle| below(middle) < chance);
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_as_in_the_tables() {
        for (chance, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.025, -1.959_964), (0.9, 1.281_552)] {
            assert!((quantile(chance) - z).abs() < 1e-5, "{chance}");
        }
    }
}
