//! What any placement of the ops of a file needs.

use serde_json::{Value, json};

use super::failure::Failure;
use crate::ingest::Source;
use crate::op::Timed;
use crate::reader::{self, Options};
use crate::reproduce::{Yardstick, yardstick};

/// Of a file, with what was live before it, at its own cap.
///
/// # Errors
/// Where it cannot be read; a law that the baseline breaks.
pub(super) fn of_file(source: &Source, options: &Options) -> Result<Option<Yardstick>, Failure> {
    let reader = reader::open(source, options)?;
    let order = reader.area().map_or(0, cma_policies::Area::order_per_bit);
    let (cap, before) = (reader.cap(), reader.before());
    let before = before.into_iter().map(|op| Timed { at_us: 0, op });
    let mut failed = None;
    let ops = reader.ops(cap).map_while(|op| match op {
        Ok((_, timed)) => Some(timed),
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    let made = yardstick(before.chain(ops), cap, order)?;
    failed.map_or(Ok(made), |error| Err(error.into()))
}

/// The same as an object. Sizes are in pages.
pub(super) fn json_of_yardstick(one: &Yardstick) -> Value {
    let bounds = &one.bounds;
    json!({
        "load_pages": bounds.load_pages, "aligned_load_pages": bounds.aligned_load_pages,
        "at_least_pages": bounds.lower_pages, "at_most_pages": bounds.upper_pages,
        "is_exact": bounds.is_exact(), "first_fit_pages": one.first_fit_pages,
        "buffers": bounds.boxes, "in_parts": bounds.in_parts, "is_whole": one.is_whole,
    })
}
