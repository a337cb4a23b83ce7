//! Boards of several areas, how their callers ask, and what they do after a failure.

mod after_failure;
mod callers;
mod loads;
mod plans;
mod property;
mod rig;
mod until;
