//! Cameras that switch between preview and still.

use super::Profile;
use super::session::{Habit, Member, SECOND, Turn, clients_for, log_uniform, members};
use crate::seed::Draws;

pub(super) const PROFILE: Profile = Profile {
    name: "camera",
    about: "cameras: 4-6 preview buffers, freed and re-made at each switch to 1-3 stills and back",
    source: "raspberrypi/picamera2 869, 972, 1125, 1102, raspberrypi/rpicam-apps 158: sensors \
             IMX219 raw10 2467 pages, IMX477 raw12 4537, CSI 1846, 12 MP YUV420 4525, RGB 9031",
    clients: &["camera", "audio", "network"],
    sizes: &[8, 188, 765, 1846, 2467, 4537, 9031],
    least_pages: 16_000,
    parts: &[(100, cameras), (2, super::audio::few_cards), (2, super::network::few_links)],
    ..Profile::MIXTURE
};

/// What a sensor streams into while previewing.
const PREVIEW: [u64; 4] = [1846, 2467, 2467, 4537];
/// What the ISP writes beside it: 1080p NV12, 1080p XRGB, the small picture for analysis.
const PROCESSED: [u64; 3] = [765, 2025, 188];
/// A picture.
const STILL: [u64; 3] = [4537, 4525, 9031];

/// Cameras that fill so many pages.
pub(super) fn cameras(pages: u64) -> Vec<Member> {
    let camera = |_| Camera { previewing: false, preview: 1846, processed: 765 };
    members("camera", clients_for(pages, 14_000), camera)
}

struct Camera {
    previewing: bool,
    preview: u64,
    processed: u64,
}

impl Habit for Camera {
    fn turn(&mut self, held: usize, draws: &mut Draws) -> Turn {
        // A switch frees everything of the old mode before it asks for the new one.
        let release = (0..held).collect();
        self.previewing = !(self.previewing && held > 0);
        if self.previewing {
            // Most switches come back to the same mode; some change the resolution.
            if draws.below(4) == 0 {
                self.preview = *draws.pick(&PREVIEW);
                self.processed = *draws.pick(&PROCESSED);
            }
            let buffers = draws.between(4, 6) as usize;
            let ask = vec![[vec![self.preview; buffers], vec![self.processed; 4]].concat()];
            let then_us = log_uniform(draws, 2 * SECOND, 60 * SECOND);
            return Turn { release, ask, least: 4, then_us, ..Turn::default() };
        }
        if draws.below(8) == 0 {
            // The application is left for a while.
            let then_us = log_uniform(draws, SECOND, 30 * SECOND);
            return Turn { release, then_us, ..Turn::default() };
        }
        let ask = vec![vec![*draws.pick(&STILL); draws.between(1, 3) as usize]];
        let then_us = log_uniform(draws, SECOND / 3, 2 * SECOND);
        Turn { release, ask, least: 1, then_us, ..Turn::default() }
    }
}
