//! Films: who stands in the way, since when there was no place, and what a page is given.

#[path = "view/common.rs"]
mod common;
#[path = "view/law.rs"]
mod law;
#[path = "view/page.rs"]
mod page;
#[path = "view/recorded.rs"]
mod recorded;
