//! Video decoders whose resolution changes, and encoders.

use super::noise::noise;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, workload};
use super::{Profile, Setup, Workload};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "video",
    about: "players: work buffers, 8-18 frames and 3-4 on display, re-made when the resolution \
            changes; SD encoders beside them",
    source: "LibreELEC/linux-amlogic 44, Freescale/gstreamer-imx 30 (the encoder, logged), \
             drivers/media coda.c (work buffers), 1080p NV12 765 pages, with motion vectors 893, \
             4K NV12 3038, 720p NV12 338",
    sizes: &[3, 32, 178, 256, 385, 765, 893, 3038],
    least_pages: 16_000,
    area: None,
    default_load: 0.7,
    seeded: true,
    make,
};

/// The coda driver's buffers of an open file: bitstream, work, temp, PS, para.
const AUX: [u64; 5] = [256, 32, 76, 40, 3];
/// One SD encoder as logged on an i.MX6.
const ENCODER: [u64; 11] = [4, 124, 385, 152, 203, 148, 178, 178, 178, 178, 178];
/// Pages of a frame: 720p, 1080p, 1080p with motion vectors, 4K; the small ones are more common.
const FRAME: [u64; 8] = [338, 338, 765, 765, 765, 893, 893, 3038];

fn make(setup: &Setup) -> Workload {
    let players = (0..clients_for(setup, 11_000))
        .map(|number| Member::new("player", number, Player { stage: Stage::Closed, frame: 765 }));
    let encoders = (0..clients_for(setup, 40_000).min(8))
        .map(|number| Member::new("encoder", number, Encoder));
    let noise = (0..2).map(|number| noise(number, 8));
    workload(setup, players.chain(encoders).chain(noise).collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Closed,
    /// Holds the work buffers.
    Opened,
    /// Holds work buffers and frames.
    Buffered,
    /// Holds work buffers, frames and what is on display.
    Playing,
    /// The resolution changed: holds work buffers, what is still on display, and new frames.
    Changed,
}

impl Stage {
    const fn groups(self) -> usize {
        match self {
            Self::Closed => 0,
            Self::Opened => 1,
            Self::Buffered => 2,
            Self::Playing | Self::Changed => 3,
        }
    }
}

struct Player {
    stage: Stage,
    frame: u64,
}

impl Player {
    /// H.264 holds up to 16 + 2 frames, HEVC and VP9 6 to 10.
    fn frames(&self, draws: &mut Draws) -> Vec<u64> {
        let frames = if draws.below(3) == 0 { 18 } else { draws.between(6, 10) };
        vec![self.frame; frames as usize]
    }
}

impl Habit for Player {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        let close = |then_us| Turn { release: (0..held).collect(), then_us, ..Turn::default() };
        if held != self.stage.groups() {
            // A part of it found no room: the player gives up and comes back later.
            self.stage = Stage::Closed;
            return close(log_uniform(draws, SECOND / 2, 10 * SECOND));
        }
        match self.stage {
            Stage::Closed => {
                self.stage = Stage::Opened;
                self.frame = *draws.pick(&FRAME);
                let least = AUX.len();
                Turn { ask: AUX.to_vec(), least, then_us: 5_000, ..Turn::default() }
            }
            Stage::Opened => {
                self.stage = Stage::Buffered;
                let ask = self.frames(draws);
                Turn { ask, least: 6, then_us: 2_000, ..Turn::default() }
            }
            Stage::Buffered | Stage::Changed => {
                // The old pictures leave the display when the first new one is there.
                let release = if self.stage == Stage::Changed { vec![1] } else { vec![] };
                self.stage = Stage::Playing;
                let ask = vec![self.frame; draws.between(3, 4) as usize];
                let then_us = log_uniform(draws, 5 * SECOND, 60 * SECOND);
                Turn { release, ask, least: 3, overlap: true, then_us }
            }
            Stage::Playing if draws.below(5) == 0 => {
                self.stage = Stage::Closed;
                close(log_uniform(draws, SECOND / 2, 20 * SECOND))
            }
            Stage::Playing => {
                self.stage = Stage::Changed;
                self.frame = *draws.pick(&FRAME);
                let ask = self.frames(draws);
                Turn { release: vec![1], ask, least: 6, then_us: 40_000, ..Turn::default() }
            }
        }
    }
}

struct Encoder;

impl Habit for Encoder {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if held > 0 {
            let then_us = log_uniform(draws, SECOND, 60 * SECOND);
            return Turn { release: vec![0], then_us, ..Turn::default() };
        }
        let then_us = log_uniform(draws, 10 * SECOND, 120 * SECOND);
        Turn { ask: ENCODER.to_vec(), least: ENCODER.len(), then_us, ..Turn::default() }
    }
}
