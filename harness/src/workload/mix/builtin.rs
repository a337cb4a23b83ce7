//! Mixes of boards that people have.

/// A mix that can be asked for by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuiltIn {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// What runs together, in one line.
    pub about: &'static str,
    /// Where its sizes come from.
    pub source: &'static str,
    /// Its profiles, and the LOAD of each in MiB.
    pub parts: &'static [(&'static str, u64)],
}

/// Every mix.
pub const MIXES: &[BuiltIn] = &[
    BuiltIn {
        name: "imx8m-camera-vpu-display",
        about: "a player of the i.MX8M class with a camera: preview and stills, decoders up to 4K, \
                outputs and windows, each with its audio and links",
        source: "the sizes of its profiles; boards of this class were given 320 to 550 MiB \
                 (varigit/uboot-imx 18, Toradex Colibri iMX8X 416 MiB); how much each part takes \
                 is assumed: one camera at a time in preview, a 4K or two 1080p players, two 1080p \
                 outputs with their windows",
        parts: &[("camera", 96), ("video", 160), ("display", 112)],
    },
    BuiltIn {
        name: "rpi-camera-encoder-gpu",
        about: "a camera of the Raspberry Pi class that records: preview and stills, SD encoders, \
                buffer objects of a GPU",
        source: "the sizes of its profiles; one camera took 84 to 457 MiB (raspberrypi/rpicam-apps \
                 158), 62 MiB of GPU objects filled an area of 64 (anholt/linux 94); the encoders \
                 are those logged on an i.MX6, since no log of a Raspberry Pi's was found; how \
                 much each part takes is assumed",
        parts: &[("camera", 160), ("vpu-encode", 24), ("gpu", 72)],
    },
];

/// The mix of this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    MIXES.iter().find(|mix| mix.name == name)
}
