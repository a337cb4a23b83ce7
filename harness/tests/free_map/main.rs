//! `kit::FreeMap` against a list of bools, query by query: on every small map there is, and in
//! random walks over maps of the sizes where words, nodes and orders end.

#[path = "../../src/fuzzing/free_map/naive.rs"]
mod naive;
mod small;
mod walk;
