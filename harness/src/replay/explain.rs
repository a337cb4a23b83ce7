//! A refusal in a sentence, with its arithmetic.

use cma_policies::{Request, Run};

use crate::cause::Cause;
use crate::oracle::{Model, Outcome};
use crate::words::{self, is_or_are, percent_of, was_or_were};

/// Why `request` was refused, in one sentence with the numbers. `model` is as it was: a refusal
/// changes nothing. Pages are counted from the start of the area.
pub fn explain(model: &Model, request: Request, outcome: &Outcome, cause: Cause) -> String {
    let (count, align) = (request.count(), request.align());
    let (free, pages) = (model.free_pages(), model.area().pages());
    let share = percent_of(free, pages);
    let are = is_or_are(free);
    let asked = format!("{} {} asked for", words::pages(count), was_or_were(count));
    let aligned =
        format!("{} at order {align} {} asked for", words::pages(count), was_or_were(count));
    match cause {
        Cause::TooLarge => {
            format!("{asked}, the largest range has {}", model.area().largest_range())
        }
        Cause::Exhausted if count <= free => format!(
            "{asked}, the kernel counts {} of {pages} as available; the \
             bitmap was not looked at, in which {free} {are} free",
            model.available_pages()
        ),
        Cause::Exhausted => {
            format!("{asked}, {free} of {pages} {are} free ({share})")
        }
        Cause::Fragmentation => format!(
            "{asked}; {free} of {pages} {are} free ({share}), but no hole is \
             longer than {}",
            model.longest_run()
        ),
        Cause::Alignment => {
            let usable = model.longest_usable(align);
            let lower = (0..align).rev().find(|lower| count <= model.longest_usable(*lower));
            let would =
                lower.map_or_else(String::new, |lower| format!("; at order {lower} it would fit"));
            let hole = longest(model).map_or_else(String::new, |hole| {
                let (start, end) = (model.area().first_aligned(hole.pfn, align), hole.end());
                let reach = start.and_then(|start| Some((start, start.0.checked_add(count)?)));
                reach.map_or_else(String::new, |(start, reach)| {
                    format!(
                        ": the longest hole, {hole}, has its first aligned page at {start}, and \
                         {start} + {count} = {reach} is past its end at {end}"
                    )
                })
            });
            format!(
                "{aligned}; {free} of {pages} {are} free \
                 ({share}), but no hole has more than {usable} from an aligned page on{hole}{would}"
            )
        }
        Cause::Interrupted => format!("a fatal signal ended claim {}", outcome.attempts),
        Cause::Migration => format!(
            "claim {} found no memory to move its pages to; {free} of {pages} {are} free ({share})",
            outcome.attempts
        ),
        Cause::Busy | Cause::Transient => format!(
            "{aligned}; an aligned fit is free, but all {} \
             places that were tried were busy",
            outcome.busy
        ),
        Cause::Policy => format!(
            "{aligned}; {} free in a row from an aligned \
             page on, but the policy tried none of them",
            {
                let usable = model.longest_usable(align);
                format!("{usable} {}", is_or_are(usable))
            }
        ),
    }
}

/// The longest hole; the lowest of several.
fn longest(model: &Model) -> Option<Run> {
    let mut longest: Option<Run> = None;
    model.map().for_each_run(&mut |hole: Run| {
        if longest.is_none_or(|other| hole.count > other.count) {
            longest = Some(hole);
        }
    });
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{Pinned, Quiet};
    use crate::oracle::{Checks, Witness};
    use cma_policies::{Area, builtin};

    fn witness(pages: u64) -> Witness {
        let area = Area::single(0, pages, 0).unwrap();
        let policy = builtin::catalog().parse("kernel").unwrap().build(area.clone()).unwrap();
        Witness::new(&area, policy, Checks::EVERY_OP)
    }

    fn refused(witness: &mut Witness, count: u64, align: u32) -> String {
        let request = Request::new(count, align).unwrap();
        let outcome = *witness.alloc(999, request, &mut Pinned::default()).unwrap();
        assert!(outcome.answer.is_err());
        let cause = Cause::of(witness.model(), request, &outcome);
        explain(witness.model(), request, &outcome, cause)
    }

    #[test]
    fn the_numbers_are_the_area_s() {
        let mut witness = witness(2048);
        for id in 0..4 {
            let request = Request::new(257, 8).unwrap();
            witness.alloc(id, request, &mut Quiet).unwrap().answer.unwrap();
        }
        assert_eq!(
            refused(&mut witness, 255, 8),
            "255 pages at order 8 were asked for; 1020 of 2048 are free (49.8 %), but no hole has \
             more than 0 from an aligned page on: the longest hole, 255@257, has its first \
             aligned page at 512, and 512 + 255 = 767 is past its end at 512; at order 0 it would \
             fit"
        );
        assert_eq!(
            refused(&mut witness, 256, 0),
            "256 pages were asked for; 1020 of 2048 are free (49.8 %), but no hole is longer than \
             255"
        );
        assert_eq!(
            refused(&mut witness, 1021, 0),
            "1021 pages were asked for, 1020 of 2048 are free (49.8 %)"
        );
    }

    #[test]
    fn busy_places_are_counted() {
        let mut witness = witness(1024);
        let mut pages = Pinned::default();
        use crate::environment::Environment;
        for pfn in (0..1024).step_by(256) {
            assert!(pages.pin(Run::new(pfn, 1)));
        }
        let request = Request::new(266, 8).unwrap();
        let outcome = *witness.alloc(0, request, &mut pages).unwrap();
        let cause = Cause::of(witness.model(), request, &outcome);
        let sentence = explain(witness.model(), request, &outcome, cause);
        assert!(sentence.ends_with("all 3 places that were tried were busy"), "{sentence}");
    }
}
