//! Every built-in policy under every law. What it does is in the library, tested on stable.
#![no_main]

cma_fuzz::case_target!(cma_harness::fuzzing::laws::run);
