//! R1, R2, R3: how much was refused while enough pages were free.

use cma_policies::Request;

use super::tally::{Sums, Tally};
use super::{Column, Entry, Of, Value};
use crate::cause::Cause;
use crate::simulate::Step;

pub(super) const ENTRY: Entry = Entry {
    name: "withheld",
    columns: &[
        Column::share(
            "withheld_per_request",
            "R1: requests refused with enough pages free, of all requests",
        ),
        Column::share(
            "withheld_per_satisfiable",
            "R2: the same, of the requests that found enough pages free",
        ),
        Column::share(
            "withheld_pages_share",
            "R3: pages refused with enough pages free, of all pages asked for",
        ),
    ],
    of: Of::Stream,
    build: |_| Box::new(Tally::with_values(add, values)),
};

/// Requests: all, those that found enough pages free, those of them that were refused.
fn add(step: &Step<'_>, request: Request, [requests, pages]: &mut Sums<3, 2>) {
    // A grant found its pages free; a refusal changed nothing, so the state after it is the one
    // that it met.
    let satisfiable = step.cause.is_none() || step.model.free_pages() >= request.count();
    let withheld = step.cause.is_some_and(Cause::is_withheld);
    for (at, holds) in [true, satisfiable, withheld].into_iter().enumerate() {
        requests[at] += u128::from(holds);
        pages[at] += if holds { u128::from(request.count()) } else { 0 };
    }
}

fn values(
    &[[requests, satisfiable, withheld], [pages, _, withheld_pages]]: &Sums<3, 2>,
) -> Vec<Value> {
    vec![
        Value::share(withheld, requests),
        Value::share(withheld, satisfiable),
        Value::share(withheld_pages, pages),
    ]
}
