//! What fuzz targets do, one file each. The targets themselves are glue; `cargo test` runs all of
//! this over `corpora/seeds/<target>/` without a fuzzer.

pub mod canary;
mod course;
pub mod enomem;
pub mod free_map;
pub mod ingest;
pub mod laws;
pub mod lockstep;
#[cfg(feature = "cli")]
pub mod plan;
pub mod roundtrip;

/// What a target does with its seeds and, sooner or later, with what a fuzzer makes of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// No bytes make it panic.
    Passes,
    /// It has a planted defect, so some bytes make it panic: that a fuzzer finds them shows that
    /// it finds anything.
    Fails,
}

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its file here, of its binary, and of its folder of seeds.
    pub name: &'static str,
    /// Takes any bytes, panics with the numbers where something is wrong.
    pub run: fn(&[u8]),
    /// Whether it ever should.
    pub expected: Expected,
}

impl Target {
    const fn passes(name: &'static str, run: fn(&[u8])) -> Self {
        Self { name, run, expected: Expected::Passes }
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    canary::TARGET,
    enomem::TARGET,
    free_map::TARGET,
    ingest::TARGET,
    laws::TARGET,
    lockstep::TARGET,
    #[cfg(feature = "cli")]
    plan::TARGET,
    roundtrip::TARGET,
];
