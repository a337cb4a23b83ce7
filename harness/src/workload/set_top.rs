//! A set-top box: players up to 4K with 10 bits, outputs, applications.

use super::{Profile, audio, display, gpu, network, video};

pub(super) const PROFILE: Profile = Profile {
    name: "set-top",
    about: "players up to 4K with 10 bits, outputs, GPU applications, audio and links beside them",
    source: "the sizes of the profiles that it mixes; how much each part takes is assumed",
    clients: &["vpu", "output", "app", "audio", "network"],
    sizes: &[8, 257, 765, 893, 2025, 3038, 6075, 8100],
    least_pages: 66_000,
    parts: &[
        (80, video::large_players),
        (25, display::outputs),
        (20, gpu::apps),
        (2, audio::few_cards),
        (2, network::few_links),
    ],
    ..Profile::MIXTURE
};
