//! A camera in a vehicle: cameras, encoders, a network that looks, a small panel.

use super::session::{mixture, part};
use super::{Profile, Setup, Workload, audio, camera, display, network, npu, vpu_encode};

pub(super) const PROFILE: Profile = Profile {
    name: "dashcam",
    about: "cameras, SD encoders, small models of an NPU and a panel, audio and links beside them",
    source: "the sizes of the profiles that it mixes; how much each part takes is assumed",
    clients: &["camera", "encoder", "npu", "output", "audio", "network"],
    sizes: &[16, 178, 385, 512, 765, 2467, 4537, 8192],
    least_pages: 36_000,
    area: None,
    default_load: 0.7,
    seeded: true,
    make,
};

fn make(setup: &Setup) -> Workload {
    let parts = [
        part(60, camera::cameras),
        part(25, vpu_encode::up_to_8),
        part(35, npu::small),
        part(10, display::panel),
        part(2, audio::few_cards),
        part(2, network::few_links),
    ];
    mixture(setup, &parts)
}
