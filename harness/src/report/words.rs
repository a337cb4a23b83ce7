//! What is said of a sweep, in sentences: the only place that makes them. Text, HTML and tables
//! take them from here.

mod asking;
mod choice;
mod contest;
mod doubts;
mod optimum;
mod pages;
mod time;

pub(in crate::report) use asking::{both_rates, callers_are};
pub use asking::{clients_ask, fails};
pub(in crate::report) use choice::{just_inside, worst};
pub use choice::{need, notes, sentence, sure};
pub(in crate::report) use contest::last;
pub use doubts::not_reproduced;
pub(in crate::report) use doubts::other_fits;
pub use optimum::any_placement_needs;
pub(in crate::report) use pages::pages_are;
pub(in crate::report) use time::{at_least, covers, from_to, length, on_boards, span, streams};

use crate::metric::CLASSES;
use crate::page::Page;
use crate::words::size_of;

/// The sizes of a class of requests: `1 to 16 pages`, `2049 pages and more`.
pub(in crate::report) fn size_class(index: usize) -> String {
    match CLASSES[index] {
        (from, u64::MAX) => format!("{from} pages and more"),
        (from, to) => format!("{from} to {to} pages"),
    }
}

/// The same, and how much that is: `257 to 2048 pages (1 MiB to 8 MiB)`.
pub(in crate::report) fn size_class_of(index: usize, page: Page) -> String {
    let (from, to) = CLASSES[index];
    let sizes = match to {
        u64::MAX => format!("from {} on", size_of(from, page)),
        to => format!("{} to {}", size_of(from, page), size_of(to, page)),
    };
    format!("{} ({sizes})", size_class(index))
}
