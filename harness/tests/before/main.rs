//! What was live before a trace, by all that a board prints, and what its calls show of caps.

mod board;
mod caps;
mod cut;
mod errors;
mod rig;
mod said;
mod texts;
