//! What the kernel does, case by case: places, walks after busy claims, and what a refusal means.

mod other;
mod search;
mod support;
mod walks;
