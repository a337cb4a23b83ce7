//! What fuzz targets do, one file each. The targets themselves are glue; `cargo test` runs all of
//! this over `corpora/seeds/<target>/` without a fuzzer.

pub mod enomem;
pub mod ingest;
pub mod laws;

/// A fuzz target: takes any bytes, panics where something is wrong.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] =
    &[("enomem", enomem::run), ("ingest", ingest::run), ("laws", laws::run)];
