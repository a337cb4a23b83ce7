//! How sizes, lists and names are written, on the command line and in plans; and what is made from
//! the table of commands.

#[path = "words/near.rs"]
mod near;
#[path = "words/rig.rs"]
mod rig;
#[path = "words/sizes.rs"]
mod sizes;
#[path = "words/table.rs"]
mod table;
