//! What the targets share: libFuzzer's side of a target whose bytes are a case.
//!
//! The mutations themselves are in [`cma_harness::codec::mutate`], tested on stable; here they are
//! only put where libFuzzer asks for them. `CMALAB_MUTATOR=bytes` leaves them out, so that both can
//! be measured with one binary.

pub mod counters;

use std::env;
use std::sync::OnceLock;

use cma_harness::codec::mutate;
pub use libfuzzer_sys;

/// One in so many mutations is libFuzzer's own, on bytes: it reaches what no act says, such as a
/// torn record, and it draws on what comparisons have shown.
const BYTES_ONE_IN: u32 = 4;

/// A target `run(&[u8])` over cases: libFuzzer's entry, and the mutations and crossovers that know
/// what an act is.
#[macro_export]
macro_rules! case_target {
    ($run:path) => {
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $run(bytes));
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8],
                                              size: usize,
                                              max_size: usize,
                                              seed: u32| {
            $crate::mutate(data, size, max_size, seed)
        });
        $crate::libfuzzer_sys::fuzz_crossover!(|one: &[u8],
                                                other: &[u8],
                                                out: &mut [u8],
                                                seed: u32| {
            $crate::crossover(one, other, out, seed)
        });
    };
}

/// Changes the case in `data[..size]` to another of at most `max_size` bytes, and says its size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if !structural() || seed.is_multiple_of(BYTES_ONE_IN) {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let made = mutate::mutate(&data[..size], max_size, seed);
    put(&made, &mut data[..max_size])
}

/// Puts a case of pieces of both into `out`, and says its size; 0 leaves it to libFuzzer to try
/// something else.
pub fn crossover(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    if !structural() {
        return 0;
    }
    let made = mutate::crossover(one, other, out.len(), seed);
    put(&made, out)
}

fn put(made: &[u8], out: &mut [u8]) -> usize {
    let size = made.len().min(out.len());
    out[..size].copy_from_slice(&made[..size]);
    size
}

/// Whether mutations work on acts, which they do unless the environment says otherwise.
fn structural() -> bool {
    static STRUCTURAL: OnceLock<bool> = OnceLock::new();
    *STRUCTURAL.get_or_init(|| env::var_os("CMALAB_MUTATOR").is_none_or(|value| value != "bytes"))
}
