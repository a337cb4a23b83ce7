//! A kiosk or a sign: outputs and windows, applications, films.

use super::{Profile, audio, display, gpu, network, video};

pub(super) const PROFILE: Profile = Profile {
    name: "kiosk",
    about: "display, windows, GPU applications and players on one board, audio and links beside them",
    source: "the sizes of the profiles that it mixes; how much each part takes is assumed",
    clients: &["output", "window", "app", "vpu", "audio", "network"],
    sizes: &[8, 64, 152, 257, 765, 893, 2025, 2040],
    least_pages: 45_000,
    parts: &[
        (40, display::outputs),
        (25, display::windows),
        (30, gpu::apps),
        (45, video::players),
        (2, audio::few_cards),
        (2, network::few_links),
    ],
    ..Profile::MIXTURE
};
