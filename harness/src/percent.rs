//! Shares as they are shown.

/// `part` of `whole` in percent, with one decimal. Rounded down: nothing but the whole is 100 %.
#[must_use]
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1000).checked_div(u128::from(whole)).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_never_said_to_be_more_than_it_is() {
        assert_eq!(percent(28_587, 57_344), "49.8 %");
        assert_eq!(percent(9999, 10_000), "99.9 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0 %");
        assert_eq!(percent(0, 0), "0.0 %");
    }
}
