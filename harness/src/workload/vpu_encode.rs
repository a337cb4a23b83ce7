//! Encoders of standard definition on an i.MX6, as their requests were logged.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "vpu-encode",
    about: "SD encoders: 11 buffers of 1906 pages in all at one moment, all given back at stop but \
            one of 124 pages, which stays with its pipeline",
    source: "Freescale/gstreamer-imx 30: 4@2, 124@7, 385@8, 152@8, 203@8, 148@8, 178@8 five times; \
             these orders are those of the DMA API at cap 8; how long pipelines run is assumed",
    clients: &["encoder"],
    sizes: &[4, 124, 148, 152, 178, 203, 385],
    least_pages: 1906,
    parts: &[(100, encoders)],
    ..Profile::MIXTURE
};

/// What a pipeline keeps once it was started: never seen to be given back.
const KEPT: u64 = 124;
/// What it gives back at stop, in the order in which it is asked for around `KEPT`.
const BEFORE: [u64; 1] = [4];
const AFTER: [u64; 9] = [385, 152, 203, 148, 178, 178, 178, 178, 178];

/// Encoders that fill so many pages.
pub(super) fn encoders(pages: u64) -> Vec<Member> {
    members("encoder", clients_for(pages, 1_700), |_| Encoder { first: true })
}

/// The pipelines of a board: 8 were run in parallel.
pub(super) fn up_to_8(pages: u64) -> Vec<Member> {
    members("encoder", clients_for(pages, 1_700).min(8), |_| Encoder { first: true })
}

struct Encoder {
    /// The session that runs is its first one.
    first: bool,
}

impl Habit for Encoder {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if held == 3 {
            // What stays is between the others in the first session, before them in all later.
            let release = if self.first { vec![0, 2] } else { vec![1, 2] };
            let then_us = log_uniform(draws, SECOND, 20 * SECOND);
            return Turn { release, then_us, ..Turn::default() };
        }
        self.first = held == 0;
        let mut ask = vec![BEFORE.to_vec(), AFTER.to_vec()];
        if self.first {
            ask.insert(1, vec![KEPT]);
        }
        let least = ask.iter().flatten().count();
        let then_us = log_uniform(draws, 10 * SECOND, 120 * SECOND);
        Turn { ask, least, then_us, ..Turn::default() }
    }
}
