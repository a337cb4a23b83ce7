//! Outputs, windows, and much small noise between them.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "display",
    about: "2-3 buffers an output, re-made at mode sets; windows of 1-2 buffers; rings, audio",
    source: "raspberrypi/linux 2966 (1080p XRGB 2025 pages), anholt/linux 94 (2040), \
             raspberrypi/firmware 1247, Freescale/gstreamer-imx 130 (720p 900), 800x480 RGB565 188",
    clients: &["output", "window", "audio", "network"],
    sizes: &[2, 8, 64, 188, 900, 2025, 8100],
    least_pages: 24_000,
    parts: &[
        (35, outputs),
        (80, windows),
        (2, super::audio::few_cards),
        (4, super::network::few_links),
    ],
    ..Profile::MIXTURE
};

/// Pages of a frame buffer: 1080p, 1088 lines, 720p, 4K.
const MODE: [u64; 5] = [2025, 2025, 2040, 900, 8100];
/// 800x480 RGB565, 720p.
const PANEL: [u64; 2] = [SMALL_WINDOW, 900];
/// Pages of a window at most: 1080p.
const WINDOW: u64 = 2025;
/// Pages of a window at least: 800x480 RGB565.
const SMALL_WINDOW: u64 = 188;

/// Outputs of any mode that fill so many pages, two at least.
pub(super) fn outputs(pages: u64) -> Vec<Member> {
    members("output", clients_for(pages, 12_000).max(2), |_| Output { modes: &MODE })
}

/// The small panel of a device that is no television.
pub(super) fn panel(_: u64) -> Vec<Member> {
    members("output", 1, |_| Output { modes: &PANEL })
}

/// Windows that fill so many pages.
pub(super) fn windows(pages: u64) -> Vec<Member> {
    members("window", clients_for(pages, 900), |_| Window)
}

struct Output {
    modes: &'static [u64],
}

impl Habit for Output {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        // The new buffers are there before the old ones leave the screen.
        let ask = vec![vec![*draws.pick(self.modes); draws.between(2, 3) as usize]];
        let release = if held > 1 { vec![0] } else { vec![] };
        let then_us = log_uniform(draws, 5 * SECOND, 120 * SECOND);
        Turn { release, ask, least: 2, overlap: true, then_us }
    }
}

struct Window;

impl Habit for Window {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        if held > 0 {
            let then_us = log_uniform(draws, SECOND / 2, 30 * SECOND);
            return Turn { release: vec![0], then_us, ..Turn::default() };
        }
        let count = log_uniform(draws, SMALL_WINDOW, WINDOW);
        let ask = vec![vec![count; draws.between(1, 2) as usize]];
        let then_us = log_uniform(draws, SECOND, 120 * SECOND);
        Turn { ask, least: 1, then_us, ..Turn::default() }
    }
}
