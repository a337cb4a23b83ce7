//! Where a run ends before its ops do.

/// How long a board is watched.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Until {
    /// So much board time from the first op on, in microseconds; none: as long as there are ops.
    /// What happens at its very end is not seen any more.
    pub time_us: Option<u64>,
    /// No longer than until a caller does not get its memory, from an area or from elsewhere.
    pub first_failure: bool,
}

impl Until {
    /// To the end of the ops.
    pub const END: Self = Self { time_us: None, first_failure: false };

    /// The end, for a stream whose first op is at `first_us`.
    pub(crate) const fn horizon_us(self, first_us: u64) -> u64 {
        match self.time_us {
            Some(time_us) => first_us.saturating_add(time_us),
            None => u64::MAX,
        }
    }
}
