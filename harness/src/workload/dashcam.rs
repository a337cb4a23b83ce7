//! A camera in a vehicle: cameras, encoders, a network that looks, a small panel.

use super::{Profile, audio, camera, display, network, npu, vpu_encode};

pub(super) const PROFILE: Profile = Profile {
    name: "dashcam",
    about: "cameras, SD encoders, small models of an NPU and a panel, audio and links beside them",
    source: "the sizes of the profiles that it mixes; how much each part takes is assumed",
    clients: &["camera", "encoder", "npu", "output", "audio", "network"],
    sizes: &[16, 178, 385, 512, 765, 2467, 4537, 8192],
    least_pages: 36_000,
    parts: &[
        (60, camera::cameras),
        (25, vpu_encode::up_to_8),
        (35, npu::small),
        (10, display::panel),
        (2, audio::few_cards),
        (2, network::few_links),
    ],
    ..Profile::MIXTURE
};
