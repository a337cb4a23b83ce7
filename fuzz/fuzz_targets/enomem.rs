//! Cases that drive a policy into ENOMEM, the more memory is free the better.
#![no_main]

use cma_fuzz::counters;
use cma_fuzz::libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| counters::enomem(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    counters::mutate(data, size, max_size, seed)
});
fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    counters::crossover(one, other, out, seed)
});
