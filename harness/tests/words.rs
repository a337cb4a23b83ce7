//! How sizes, lists and names are written, on the command line and in plans.

#[path = "words/near.rs"]
mod near;
#[path = "words/rig.rs"]
mod rig;
#[path = "words/sizes.rs"]
mod sizes;
