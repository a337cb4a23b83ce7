//! Every fuzz target as a property test: on stable under plain `cargo test`, where bolero shrinks
//! what fails, and under bolero's engines.
//!
//! ```text
//! cargo test --manifest-path fuzz/bolero/Cargo.toml
//! cargo bolero test --manifest-path fuzz/bolero/Cargo.toml tests::laws -s NONE -T 60s
//! ```
//!
//! Each test replays `corpora/seeds/<target>/`, what overnight runs have kept in
//! `fuzz/corpus/<target>/`, then `src/__fuzz__/` (where bolero's engines put what they find), then
//! random bytes: new ones each time, and a failure prints the `BOLERO_RANDOM_SEED` that brings it
//! back. Two targets are missing: `plan`, which reads TOML, whose crate cannot share a lock file with
//! bolero, and `canary`, which must fail.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use cma_harness::fuzzing;

    /// Random inputs of each test, after the corpora.
    const INPUTS: usize = 200;

    /// One test per target, of its name.
    macro_rules! targets {
        ($($name:ident),+ $(,)?) => {$(
            #[test]
            fn $name() {
                // First: it returns where an engine only asks what tests there are.
                let check = bolero::check!();
                replay(stringify!($name), fuzzing::$name::run);
                check.with_iterations(INPUTS).for_each(|bytes: &[u8]| fuzzing::$name::run(bytes));
            }
        )+};
    }

    targets!(enomem, free_map, ingest, laws, lockstep, roundtrip);

    /// Runs every seed of a target, and what was kept of it.
    fn replay(name: &str, run: fn(&[u8])) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for folder in ["corpora/seeds", "fuzz/corpus"] {
            // A target without seeds yet, and a tree that nobody has fuzzed in.
            let Ok(files) = fs::read_dir(root.join(folder).join(name)) else { continue };
            for file in files {
                let path = file.expect("an entry of a readable folder").path();
                eprintln!("{}", path.display());
                run(&fs::read(&path).expect("a readable file"));
            }
        }
    }
}
