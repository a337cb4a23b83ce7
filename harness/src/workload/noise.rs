//! The small buffers that live between the large ones: descriptor rings and audio.

use super::session::{Habit, Member, SECOND, Turn, log_uniform};
use crate::seed::Draws;

/// Rings come and go with their link, in sets of a few; audio buffers stay from boot on.
///
/// Sizes: rings of 1 to 16 pages (a single page does not come out of the default area, so from 2
/// on), i.MX audio 16 and 64 pages, the dmaengine's default 128 (`sound/soc`, users' table 5).
pub(super) struct Noise {
    /// Sets of rings held at most.
    sets: usize,
    started: bool,
}

/// A client of noise with at most `sets` sets of rings.
pub(super) fn noise(number: u64, sets: usize) -> Member {
    Member::new("noise", number, Noise { sets, started: false })
}

impl Habit for Noise {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if !self.started {
            self.started = true;
            let audio = *draws.pick(&[16, 64, 128]);
            return Turn { ask: vec![audio], then_us: SECOND / 10, ..Turn::default() };
        }
        let then_us = log_uniform(draws, SECOND / 5, 20 * SECOND);
        if held > 1 && (held > self.sets || draws.below(2) == 0) {
            // Group 0 is the audio buffer.
            let victim = 1 + draws.below(held as u64 - 1) as usize;
            return Turn { release: vec![victim], then_us, ..Turn::default() };
        }
        let ask: Vec<_> = (0..draws.between(1, 4)).map(|_| log_uniform(draws, 2, 16)).collect();
        Turn { least: 1, ask, then_us, ..Turn::default() }
    }
}
