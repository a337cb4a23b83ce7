//! How long each state lasted.

/// The time that a run has seen. The state after an op lasts until the next op's time.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Timeline {
    first_us: Option<u64>,
    last_us: u64,
}

impl Timeline {
    /// Microseconds that the state before this moment lasted: none before the first op.
    pub(super) fn advance(&mut self, at_us: u64) -> u64 {
        let since = if self.first_us.is_some() { self.last_us } else { at_us };
        self.first_us.get_or_insert(at_us);
        self.last_us = at_us;
        at_us - since
    }

    /// Microseconds of all states together.
    pub(super) fn lasted_us(&self) -> u64 {
        self.last_us - self.first_us.unwrap_or(self.last_us)
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    #[test]
    fn time_begins_with_the_first_op() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.lasted_us(), 0);
        assert_eq!([100, 100, 130].map(|at_us| timeline.advance(at_us)), [0, 0, 30]);
        assert_eq!(timeline.lasted_us(), 30);
    }
}
