//! The kernel's policy against the recorded rules. What it does is in the library, tested on stable.
#![no_main]

cma_fuzz::case_target!(cma_harness::fuzzing::lockstep::run);
