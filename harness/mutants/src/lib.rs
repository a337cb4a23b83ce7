//! Nothing: see `tests/mutants.rs`. The defects are compiled in here and in no other package.
