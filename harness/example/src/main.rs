//! A policy of one's own: every law by one line, the whole command line by another.
//!
//! `cargo test -p third-party` judges it; `cargo run -p third-party -- sweep` runs the main job
//! with it beside the built-in policies.

use std::process::ExitCode;

use cma_policies::kit::{Ask, FreeMap, Placed, Search};
use cma_policies::{Entry, Promises};

/// Single pages from the top, everything else from the bottom.
const MINE: Entry = Entry {
    name: "singles-on-top",
    about: "first fit; requests of one page from the top",
    source: "this file",
    params: &[],
    build: |area, _| Ok(Box::new(Placed::new(area, Promises::SEARCH, place))),
};

fn place(map: &FreeMap, search: Search, _: Ask) -> Option<u64> {
    if search.bits == 1 { map.highest_fit(search) } else { map.first_fit(search) }
}

fn main() -> ExitCode {
    cma_harness::cli::run_with(&[MINE])
}

#[cfg(test)]
mod tests {
    use cma_harness::environment::Quiet;
    use cma_harness::op::Op;
    use cma_harness::oracle::{Checks, Witness};
    use cma_harness::simulate::{Answer, Observer, Step, simulate};
    use cma_harness::strategy::{Areas, Stream, Streams};
    use cma_policies::builtin;
    use proptest::prelude::*;

    use super::MINE;

    // Every law.
    cma_harness::conformance!(MINE);

    /// Where single pages were put that are live.
    #[derive(Default)]
    struct Singles(Vec<(u64, u64)>);

    impl Observer for Singles {
        fn step(&mut self, step: &Step<'_>) {
            match (step.op, step.answer) {
                (Op::Alloc { id, request, .. }, Answer::Granted(page)) if request.count() == 1 => {
                    self.0.push((id, page.0));
                }
                (Op::Free { id, .. }, Answer::Freed(_)) => self.0.retain(|(other, _)| *other != id),
                _ => {}
            }
        }
    }

    // What no law says of it: streams of all kinds in areas of all kinds, or fewer, as here.
    proptest! {
        #[test]
        fn single_pages_alone_fill_an_area_from_its_top(
            Stream { area, ops } in Streams {
                sizes: vec![1],
                aligns: 0..=0,
                pins: false,
                ..Streams::default()
            }
            .within(&Areas { most_ranges: 1, most_order: 0, ..Areas::default() }),
        ) {
            let policy = builtin::catalog().with(&[MINE]).parse(MINE.name).unwrap();
            let policy = policy.build(area.clone()).unwrap();
            let mut witness = Witness::new(&area, policy, Checks::EVERY_OP);
            let mut singles = Singles::default();
            let asked = ops.iter().filter(|timed| matches!(timed.op, Op::Alloc { .. })).count() as u64;
            let done = simulate(ops, &mut witness, &mut Quiet, &mut [&mut singles]);
            prop_assert!(done.is_ok(), "{done:?}");
            let lowest = area.span().end().0 - asked.min(area.pages());
            prop_assert!(singles.0.iter().all(|(_, page)| *page >= lowest), "{:?}", singles.0);
        }
    }
}
