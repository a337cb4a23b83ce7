//! Video decoders whose resolution changes, and encoders.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "video",
    about: "players: work buffers, 6-18 frames and 3-4 on display asked for at one moment, frames \
            re-made when the resolution changes; SD encoders beside them",
    source: "LibreELEC/linux-amlogic 44 (sums), drivers/media coda.c (work buffers), \
             jc-kynesim/rpi-ffmpeg 20 and 1080p NV12 765 pages, with motion vectors 893, 4K NV12 \
             3038, SD 152; the encoders of vpu-encode",
    clients: &["vpu", "encoder", "audio", "network"],
    sizes: &[3, 32, 152, 178, 256, 765, 893, 3038],
    least_pages: 20_000,
    parts: &[
        (100, players),
        (15, super::vpu_encode::up_to_8),
        (2, super::audio::few_cards),
        (2, super::network::few_links),
    ],
    ..Profile::MIXTURE
};

/// The coda driver's buffers of an open file: bitstream, work, temp, PS, para.
const AUX: [u64; 5] = [256, 32, 76, 40, 3];
/// Pages of a frame: SD, 1080p, 1080p with motion vectors, 4K; the small ones are more common.
const FRAME: [u64; 8] = [152, 152, 765, 765, 765, 893, 893, 3038];
/// Of a set-top box: 4K in two versions, with 8 and with 10 bits.
const LARGE_FRAME: [u64; 8] = [152, 765, 893, 893, 3038, 3060, 6075, 6075];
/// The least frames that a decoder goes on with.
const LEAST_FRAMES: usize = 6;

/// Players that fill so many pages.
pub(super) fn players(pages: u64) -> Vec<Member> {
    members("vpu", clients_for(pages, 10_000), |_| Player::new(&FRAME))
}

/// Players of a set-top box that fill so many pages.
pub(super) fn large_players(pages: u64) -> Vec<Member> {
    members("vpu", clients_for(pages, 15_000), |_| Player::new(&LARGE_FRAME))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Closed,
    /// Holds work buffers, frames and what is on display.
    Playing,
    /// The resolution changed: holds work buffers, what is still on display, and new frames.
    Changed,
}

struct Player {
    of: &'static [u64],
    stage: Stage,
    frame: u64,
}

impl Player {
    const fn new(of: &'static [u64]) -> Self {
        Self { of, stage: Stage::Closed, frame: 0 }
    }

    /// H.264 holds up to 16 + 2 frames, HEVC and VP9 6 to 10; 10 bits are never H.264.
    fn frames(&mut self, draws: &mut Draws) -> Vec<u64> {
        self.frame = *draws.pick(self.of);
        let h264 = draws.below(3) == 0 && self.frame != 6075;
        let frames = if h264 { 18 } else { draws.between(LEAST_FRAMES as u64, 10) };
        vec![self.frame; frames as usize]
    }

    fn shown(&self, draws: &mut Draws) -> Vec<u64> {
        vec![self.frame; draws.between(3, 4) as usize]
    }

    fn start(&mut self, draws: &mut Draws) -> Turn {
        self.stage = Stage::Playing;
        let (frames, shown) = (self.frames(draws), self.shown(draws));
        let least = AUX.len() + LEAST_FRAMES;
        let then_us = log_uniform(draws, 5 * SECOND, 60 * SECOND);
        Turn { ask: vec![AUX.to_vec(), frames, shown], least, then_us, ..Turn::default() }
    }
}

impl Habit for Player {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if held == 0 {
            return self.start(draws);
        }
        match self.stage {
            // A part of it found no room: the player gives up and comes back later.
            _ if held != 3 => self.stage = Stage::Closed,
            Stage::Playing if draws.below(5) == 0 => self.stage = Stage::Closed,
            Stage::Playing => {
                self.stage = Stage::Changed;
                let ask = vec![self.frames(draws)];
                let least = LEAST_FRAMES;
                return Turn { release: vec![1], ask, least, then_us: 40_000, ..Turn::default() };
            }
            Stage::Changed | Stage::Closed => {
                self.stage = Stage::Playing;
                // The old pictures leave the display when the first new one is there.
                let ask = vec![self.shown(draws)];
                let then_us = log_uniform(draws, 5 * SECOND, 60 * SECOND);
                return Turn { release: vec![1], ask, least: 3, overlap: true, then_us };
            }
        }
        let then_us = log_uniform(draws, SECOND / 2, 20 * SECOND);
        Turn { release: (0..held).collect(), then_us, ..Turn::default() }
    }
}
