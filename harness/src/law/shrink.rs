//! Smaller cases that still break the same law.

use cma_policies::Request;

use crate::codec::{Act, Case, Script};
use crate::ddmin::{Tried, reduce};

/// The smallest case found that is still `broken`, by taking acts away and then making those that
/// remain plainer, until neither goes on. Greedy: each change that keeps it broken stays. `afford`
/// is asked before every try.
pub(super) fn shrink(
    case: &Case,
    broken: &dyn Fn(&Case) -> bool,
    afford: &mut dyn FnMut() -> bool,
) -> Case {
    let mut best = case.clone();
    loop {
        let before = best.clone();
        best.acts = reduce(&before.acts, &mut |acts| {
            if !afford() {
                return Tried::Stop;
            }
            let smaller = Case { acts: acts.to_vec(), ..before.clone() };
            if broken(&smaller) { Tried::Keeps(smaller.acts) } else { Tried::Loses }
        });
        for at in 0..best.acts.len() {
            for plain in plainer(best.acts[at]) {
                let mut simpler = best.clone();
                simpler.acts[at] = plain;
                if simpler != best && afford() && broken(&simpler) {
                    best = simpler;
                }
            }
        }
        if best == before {
            return best;
        }
    }
}

/// Plainer acts in place of `act`, the plainest last.
fn plainer(act: Act) -> Vec<Act> {
    match act {
        Act::Alloc { request, script, linger } => {
            let quiet = Script::default();
            let nobody = request.with_client(0);
            let mut acts = vec![
                Act::Alloc { request: nobody, script, linger },
                Act::Alloc { request: nobody, script, linger: 0 },
                Act::Alloc { request: nobody, script: quiet, linger },
                Act::Alloc { request: nobody, script: quiet, linger: 0 },
            ];
            let smaller = smaller(nobody);
            acts.extend(smaller.map(|request| Act::Alloc { request, script: quiet, linger: 0 }));
            acts
        }
        Act::Fill { request, times } => {
            let request = request.with_client(0);
            let fewer = [16, 4, 2, 1].into_iter().filter(|fewer| *fewer < times);
            [times].into_iter().chain(fewer).map(|times| Act::Fill { request, times }).collect()
        }
        Act::Free { .. } => vec![Act::Free { victim: 0 }],
        _ => Vec::new(),
    }
}

/// Requests for the next power of two below and for a page, each with its order and without.
fn smaller(request: Request) -> impl Iterator<Item = Request> {
    let below = 1 << (request.count() - 1).checked_ilog2().unwrap_or(0);
    let counts = [request.count(), below, 1];
    let all = counts.into_iter().flat_map(move |count| [request.align(), 0].map(|a| (count, a)));
    all.filter_map(|(count, align)| Request::new(count, align).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn only_what_breaks_it_is_left() {
        let case = Case::draw(&mut Seed::new(7).rng(), 400);
        let unpins =
            |case: &Case| case.acts.iter().filter(|act| matches!(act, Act::Unpin { .. })).count();
        assert!(unpins(&case) > 2, "{}", unpins(&case));
        let small = shrink(&case, &|case| unpins(case) >= 2, &mut || true);
        assert_eq!((small.acts.len(), unpins(&small)), (2, 2));
        assert_eq!(shrink(&case, &|_| true, &mut || false), case, "no try is affordable");
    }

    #[test]
    fn requests_become_small_where_their_size_does_not_matter() {
        let area = cma_policies::Area::single(0, 64, 0).unwrap();
        let alloc = |count, align| {
            let request = Request::new(count, align).unwrap().with_client(2);
            Act::Alloc { request, script: Script::default(), linger: 2 }
        };
        let case = Case::new(area, vec![alloc(17, 5), alloc(3, 1)]);
        let large = |case: &Case| {
            let mut acts = case.acts.iter();
            acts.any(|act| matches!(act, Act::Alloc { request, .. } if request.count() > 8))
        };
        let small = shrink(&case, &large, &mut || true);
        let request = Request::new(16, 0).unwrap();
        assert_eq!(small.acts, [Act::Alloc { request, script: Script::default(), linger: 0 }]);
    }
}
