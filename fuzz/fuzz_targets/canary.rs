//! A planted defect, which a fuzzer must find. What it does is in the library, tested on stable.
#![no_main]

cma_fuzz::case_target!(cma_harness::fuzzing::canary::run);
