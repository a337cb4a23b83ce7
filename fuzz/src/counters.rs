//! Harm as coverage: `__libfuzzer_extra_counters`, and the target that feeds them.
//!
//! From the environment: `CMALAB_GOAL` (`POLICY,PAGES[,LARGEST[,ALIGN]]`) aims at one policy,
//! without it each input is a goal of its own; `CMALAB_CHAMPIONS` is a folder for the worst cases
//! found; `CMALAB_COUNTERS=no` leaves coverage as the only guide.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

use cma_harness::fuzzing::enomem::{Enomem, Reached};

/// 256 rungs of harm, 256 of what is in reach, 64 of the longest usable run, 16 causes.
const RUNGS: usize = 1024;

#[unsafe(link_section = "__libfuzzer_extra_counters")]
#[used]
static mut COUNTERS: [u8; RUNGS] = [0; RUNGS];

/// Steps on the `rung` of a ladder of `width` counters from `base` on: each new rung is a new
/// feature to libFuzzer, which keeps the input.
fn step(base: usize, width: usize, rung: usize) {
    let at = base + rung.min(width - 1);
    assert!(at < RUNGS, "a rung that is not there");
    // SAFETY: `at` is inside, and libFuzzer reads between two inputs of one thread only.
    unsafe { (&raw mut COUNTERS).cast::<u8>().add(at).write(1) };
}

fn feed(reached: Reached) {
    let Reached { harm, in_reach, usable_log2, cause } = reached;
    step(0, 256, harm);
    step(256, 256, in_reach);
    step(512, 64, usable_log2);
    step(576, 16, cause);
}

struct Setup {
    enomem: Enomem,
    counts: bool,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let goal = env::var("CMALAB_GOAL").ok();
        let folder = env::var_os("CMALAB_CHAMPIONS").map(PathBuf::from);
        let enomem = Enomem::aim(goal.as_deref(), folder.as_deref());
        let enomem = enomem.unwrap_or_else(|error| panic!("CMALAB_GOAL: {error}"));
        Setup { enomem, counts: env::var_os("CMALAB_COUNTERS").is_none_or(|value| value != "no") }
    })
}

/// The target.
pub fn enomem(bytes: &[u8]) {
    let reached = setup().enomem.run(bytes);
    if setup().counts {
        feed(reached);
    }
}

/// As [`crate::mutate`], in the world of the goal.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let framed = setup().enomem.framed(&data[..size]);
    let size = framed.len().min(max_size);
    data[..size].copy_from_slice(&framed[..size]);
    crate::mutate(data, size, max_size, seed)
}

/// As [`crate::crossover`], in the world of the goal.
pub fn crossover(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let Setup { enomem, .. } = setup();
    crate::crossover(&enomem.framed(one), &enomem.framed(other), out, seed)
}
