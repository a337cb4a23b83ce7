//! A kiosk or a sign: outputs and windows, applications, films.

use super::session::{mixture, part};
use super::{Profile, Setup, Workload, audio, display, gpu, network, video};

pub(super) const PROFILE: Profile = Profile {
    name: "kiosk",
    about: "display, windows, GPU applications and players on one board, audio and links beside them",
    source: "the sizes of the profiles that it mixes; how much each part takes is assumed",
    clients: &["output", "window", "app", "vpu", "audio", "network"],
    sizes: &[8, 64, 152, 257, 765, 893, 2025, 2040],
    least_pages: 45_000,
    area: None,
    default_load: 0.7,
    seeded: true,
    make,
};

fn make(setup: &Setup) -> Workload {
    let parts = [
        part(40, display::outputs),
        part(25, display::windows),
        part(30, gpu::apps),
        part(45, video::players),
        part(2, audio::few_cards),
        part(2, network::few_links),
    ];
    mixture(setup, &parts)
}
