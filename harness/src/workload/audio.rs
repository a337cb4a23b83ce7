//! Audio: buffers that stay from boot on, and some that are made for each playback.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "audio",
    about: "cards: every other one keeps its buffers from boot on, the others make them for each \
            playback",
    source: "sound/soc imx-pcm.h (64 KiB, ESAI 256 KiB), soc-generic-dmaengine-pcm (512 KiB)",
    clients: &["audio"],
    sizes: &BUFFER,
    least_pages: 512,
    parts: &[(100, cards)],
    ..Profile::MIXTURE
};

/// Pages of a buffer: i.MX, ESAI, the dmaengine's default.
const BUFFER: [u64; 3] = [16, 64, 128];
/// Pages that a card holds on average.
const EACH: u64 = 90;

/// Cards that fill so many pages.
pub(super) fn cards(pages: u64) -> Vec<Member> {
    members("audio", clients_for(pages, EACH), card)
}

/// The few cards of a board.
pub(super) fn few_cards(_: u64) -> Vec<Member> {
    members("audio", 2, card)
}

const fn card(number: u64) -> Card {
    Card { stays: number.is_multiple_of(2) }
}

struct Card {
    stays: bool,
}

impl Habit for Card {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if held > 0 && self.stays {
            // For ever: a turn that does nothing, now and then.
            return Turn { then_us: 3600 * SECOND, ..Turn::default() };
        }
        if held > 0 {
            let then_us = log_uniform(draws, SECOND / 5, 10 * SECOND);
            return Turn { release: vec![0], then_us, ..Turn::default() };
        }
        // Playback, and perhaps capture.
        let buffers = draws.between(1, 2) as usize;
        let ask = vec![vec![*draws.pick(&BUFFER); buffers]];
        let then_us = log_uniform(draws, SECOND, 300 * SECOND);
        Turn { ask, least: buffers, then_us, ..Turn::default() }
    }
}
