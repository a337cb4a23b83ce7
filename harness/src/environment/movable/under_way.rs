//! Claims of several clients at once.

/// A claim: who makes it, from when until when, and the isolation units that it touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hold {
    pub(super) client: Option<u16>,
    pub(super) from_us: u64,
    pub(super) until_us: u64,
    /// First and last.
    pub(super) units: (u64, u64),
}

impl Hold {
    const fn is_at(&self, at_us: u64) -> bool {
        self.from_us <= at_us && at_us < self.until_us
    }
}

/// The most claims that are remembered; of more, those that begin last are not.
const MOST: usize = 256;

/// The claims that have not ended at the time of the stream.
#[derive(Clone, Default, Debug)]
pub(super) struct UnderWay {
    holds: Vec<Hold>,
}

impl UnderWay {
    /// Notes a claim. The stream has come to `stream_us`: what ended before is over for all.
    pub(super) fn note(&mut self, hold: Hold, stream_us: u64) {
        self.holds.retain(|other| other.until_us > stream_us);
        if hold.until_us <= stream_us {
            return;
        }
        if self.holds.len() < MOST {
            self.holds.push(hold);
            return;
        }
        let last = self.holds.iter_mut().max_by_key(|other| other.from_us);
        if let Some(last) = last.filter(|last| last.from_us > hold.from_us) {
            *last = hold;
        }
    }

    /// When `client`, who comes at `at_us`, gets the mutex.
    ///
    /// The mutex is fair: who has held it once since comes after those who wait, so that nobody
    /// waits for more than one claim of each other client, of 8 of them at most.
    pub(super) fn wait(&self, client: Option<u16>, at_us: u64) -> u64 {
        let mut now_us = at_us;
        let mut past = [None; 8];
        for slot in 0..past.len() {
            let holds = |hold: &&Hold| {
                hold.is_at(now_us) && hold.client != client && !past.contains(&Some(hold.client))
            };
            let Some(hold) = self.holds.iter().find(holds) else { break };
            now_us = hold.until_us;
            past[slot] = Some(hold.client);
        }
        now_us
    }

    /// Whether a claim has isolated one of `units` at `at_us`.
    pub(super) fn is_isolated(&self, units: (u64, u64), at_us: u64) -> bool {
        let meets = |hold: &Hold| hold.units.0 <= units.1 && units.0 <= hold.units.1;
        self.holds.iter().any(|hold| hold.is_at(at_us) && meets(hold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(client: u16, from_us: u64, until_us: u64) -> Hold {
        Hold { client: Some(client), from_us, until_us, units: (0, 0) }
    }

    #[test]
    fn nobody_waits_for_more_than_one_claim_of_each_other() {
        let mut under_way = UnderWay::default();
        for claim in [hold(1, 0, 10), hold(1, 10, 20), hold(1, 20, 30), hold(2, 10, 13)] {
            under_way.note(claim, 0);
        }
        // At 5 the first of client 1, then that of client 2, but not the next of client 1.
        assert_eq!(under_way.wait(Some(3), 5), 13);
        assert_eq!(under_way.wait(Some(2), 15), 20);
        assert_eq!(under_way.wait(Some(1), 5), 5);
        assert_eq!(under_way.wait(Some(3), 30), 30);
        assert_eq!(under_way.wait(None, 25), 30);
    }

    #[test]
    fn what_is_over_is_forgotten_and_the_rest_is_bounded() {
        let mut under_way = UnderWay::default();
        for n in (0..1000).rev() {
            under_way.note(hold(0, n * 10, n * 10 + 10), 0);
        }
        assert_eq!(under_way.holds.len(), MOST);
        assert!(under_way.holds.iter().all(|hold| hold.from_us < 10 * MOST as u64));
        under_way.note(hold(0, 5000, 5010), 2500);
        assert_eq!(under_way.holds.len(), 6 + 1);
    }

    #[test]
    fn a_unit_is_isolated_while_a_claim_touches_it() {
        let mut under_way = UnderWay::default();
        under_way.note(Hold { units: (3, 5), ..hold(0, 10, 20) }, 0);
        let at = |units| [9, 10, 19, 20].map(|at_us| under_way.is_isolated(units, at_us));
        assert_eq!(at((5, 9)), [false, true, true, false]);
        assert_eq!(at((0, 3)), [false, true, true, false]);
        assert_eq!(at((6, 9)), [false; 4]);
    }
}
