//! How long a stream is.

/// How long a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// So many ops.
    Ops(u64),
    /// So much board time from the first op on, in microseconds.
    Time(u64),
    /// As long as its file.
    File,
    /// Not stated: [`Length::DEFAULT`], where its file has time; else as long as that.
    Unstated,
}

impl Length {
    /// A day: a report that is right next week takes more than some seconds of board time.
    pub const DEFAULT: Self = Self::Time(24 * Self::HOUR_US);
    /// An hour in microseconds.
    pub const HOUR_US: u64 = 3_600_000_000;

    /// The most hours of a stream: ten years of 365 days.
    pub const MOST_HOURS: f64 = 87_600.0;

    /// So many hours of board time; none where they are no number above 0 (at least a microsecond)
    /// and at most [`Length::MOST_HOURS`].
    #[must_use]
    pub fn of_hours(hours: f64) -> Option<Self> {
        let us = libm::round(hours * Self::HOUR_US as f64);
        (hours > 0.0 && hours <= Self::MOST_HOURS && us >= 1.0).then_some(Self::Time(us as u64))
    }

    /// The board time in microseconds, where it is what is stated.
    #[must_use]
    pub const fn time_us(self) -> Option<u64> {
        match self {
            Self::Time(us) => Some(us),
            Self::Ops(_) | Self::File | Self::Unstated => None,
        }
    }

    /// The most ops: of those of a length in time there is no end but that time.
    pub(super) const fn most_ops(self) -> u64 {
        match self {
            Self::Ops(ops) => ops,
            Self::Time(_) | Self::File | Self::Unstated => u64::MAX,
        }
    }

    /// Twice as long.
    #[must_use]
    pub const fn twice(self) -> Self {
        match self {
            Self::Ops(ops) => Self::Ops(ops.saturating_mul(2)),
            Self::Time(us) => Self::Time(us.saturating_mul(2)),
            Self::File | Self::Unstated => self,
        }
    }
}
