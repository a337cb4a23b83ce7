//! The indexed bitmap and the other parts of the kit beside plain ones. What it does is in the library, tested on stable.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cma_harness::fuzzing::free_map::run(bytes));
