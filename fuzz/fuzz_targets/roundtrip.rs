//! What the project writes, read back. What it does is in the library, tested on stable.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cma_harness::fuzzing::roundtrip::run(bytes));
