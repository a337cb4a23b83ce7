//! The plan that needs no file, and the recordings that it runs.

/// A recording of a real kernel that is part of the binary.
#[derive(Debug)]
pub struct Recording {
    /// Its name in a plan: kernel, stream, area, alignments.
    pub name: &'static str,
    /// The file, packed as it is.
    pub bytes: &'static [u8],
}

macro_rules! recordings {
    ($($name:literal),* $(,)?) => {
        &[$(Recording {
            name: $name,
            bytes: include_bytes!(concat!("recordings/", $name, ".csv.gz")),
        }),*]
    };
}

const RECORDINGS: &[Recording] = recordings![
    "6.12/mix-a1-dma8",
    "6.12/video-a2-dma8",
    "6.12/pins-a1-dma8",
    "6.12/mix-a4-opb2-weird"
];

/// The recordings that are built in, by name.
pub const fn recordings() -> &'static [Recording] {
    RECORDINGS
}

/// The built-in plan.
pub const BUILTIN: &str = include_str!("default.toml");
