//! What would have helped, from the state alone.
//!
//! Each verdict has its own list, the same things in it each time: a reader who looks for "a bigger
//! area" finds an answer also where that is no. Nothing here simulates: `replay` and `sweep` do.

mod case;
mod collect;
mod knobs;
mod memory;
#[cfg(test)]
mod tests;

use super::{Confidence, Failure, Resident};
use crate::cause::Cause;
use case::Case;

/// One thing that would have helped, or would not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// A short name: `smaller_cap`, `shorter_buffer`, `resident_size`, `own_pool`,
    /// `fewer_buffers`, `keep_allocated`, `bigger_area`, `more_memory`, `retry`, `newer_kernel`,
    /// `collect`, `nothing`.
    pub kind: &'static str,
    /// Whether it would have helped.
    pub helps: bool,
    /// In at most two sentences, the numbers first.
    pub text: String,
    /// Pages that it costs (negative: saves), where that can be said.
    pub cost_pages: Option<i64>,
}

impl Advice {
    fn yes(kind: &'static str, text: String) -> Self {
        Self { kind, helps: true, text, cost_pages: None }
    }

    fn no(kind: &'static str, text: String) -> Self {
        Self { kind, helps: false, text, cost_pages: None }
    }

    fn costs(self, pages: u64) -> Self {
        Self { cost_pages: Some(i64::try_from(pages).unwrap_or(i64::MAX)), ..self }
    }

    fn saves(self, pages: u64) -> Self {
        Self { cost_pages: Some(i64::try_from(pages).map_or(i64::MIN, |pages| -pages)), ..self }
    }
}

/// What would have helped with this failure, best first, then what would not. `residents` are the
/// buffers in its area, `cap` is `CONFIG_CMA_ALIGNMENT` as far as it is known.
#[must_use]
pub fn advise(failure: &Failure, residents: &[Resident], cap: u32) -> Vec<Advice> {
    let mut advice = match Case::of(failure, residents, cap) {
        Some(case) => by_verdict(&case),
        None => Vec::new(),
    };
    if failure.verdict.is_none() || failure.confidence != Confidence::Certain {
        advice.extend(collect::next_step(failure));
    }
    // Stable: among those that help the order of the lists stays.
    advice.sort_by_key(|advice| !advice.helps);
    advice
}

fn by_verdict(case: &Case<'_>) -> Vec<Advice> {
    let Some(verdict) = case.failure.verdict else { return whatever_it_was(case) };
    let advice = match verdict {
        Cause::Alignment => vec![
            knobs::smaller_cap(case),
            knobs::resident_size(case),
            knobs::shorter_buffer(case),
            Some(knobs::own_pool(case)),
            Some(knobs::keep_allocated(case)),
            Some(memory::area_for_a_hole(case)),
        ],
        Cause::Fragmentation => vec![
            knobs::cap_beforehand(case),
            knobs::resident_size(case),
            Some(knobs::own_pool(case)),
            Some(knobs::keep_allocated(case)),
            knobs::shorter_buffer(case),
            Some(memory::area_for_a_hole(case)),
        ],
        Cause::Exhausted => vec![
            memory::area_for_more(case),
            memory::holders(case),
            Some(memory::no_placement(case)),
        ],
        Cause::TooLarge => vec![memory::area_for_too_large(case)],
        Cause::Migration => vec![
            Some(memory::more_memory(case)),
            Some(knobs::keep_allocated(case)),
            Some(memory::area_takes_memory(case)),
            Some(knobs::cap_is_not_it(case)),
        ],
        Cause::Busy => vec![
            Some(memory::retry(case)),
            memory::serial_kernel(case),
            Some(memory::pool_without_tenants(case)),
            Some(knobs::keep_allocated(case)),
            Some(memory::area_with_more_places(case)),
            Some(knobs::cap_is_not_it(case)),
        ],
        Cause::Interrupted => vec![Some(Advice::no(
            "nothing",
            "The task was being killed: the request ended because its caller did.".to_string(),
        ))],
        // No kernel refuses for these.
        Cause::Transient | Cause::Policy => Vec::new(),
    };
    advice.into_iter().flatten().collect()
}

/// What the state shows to be of use, whatever the cause was.
fn whatever_it_was(case: &Case<'_>) -> Vec<Advice> {
    if case.place(case.align).is_some() {
        return Vec::new();
    }
    let advice = [knobs::smaller_cap(case), knobs::resident_size(case)];
    advice.into_iter().flatten().filter(|advice| advice.helps).collect()
}
