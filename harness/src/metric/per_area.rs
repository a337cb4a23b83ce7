//! A value for each area of a board.

/// A value for each area, by its index; areas are met as the board starts.
#[derive(Clone, Default, Debug)]
pub(super) struct PerArea<T>(Vec<T>);

impl<T: Default> PerArea<T> {
    /// That of the area of this index.
    pub(super) fn at(&mut self, area: usize) -> &mut T {
        if area >= self.0.len() {
            self.0.resize_with(area + 1, T::default);
        }
        &mut self.0[area]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl PerArea<u64> {
    /// All of them together.
    pub(super) fn sum(&self) -> u128 {
        self.iter().map(|&value| u128::from(value)).sum()
    }

    /// All of them together, as a value to print.
    pub(super) fn total(&self) -> u64 {
        self.sum().try_into().unwrap_or(u64::MAX)
    }
}
