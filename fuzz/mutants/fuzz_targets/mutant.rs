//! The target that the environment names, over policies with the defect that it names.
#![no_main]

cma_fuzz::case_target!(cma_fuzz_mutants::run);
