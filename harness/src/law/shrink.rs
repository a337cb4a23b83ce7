//! Smaller cases that still break the same law.

use crate::codec::{Act, Case, Script};

/// The smallest case found that is still `broken`, by taking acts away (halves first, then ever
/// smaller pieces) and then making those that remain plainer. Greedy: each change that keeps it
/// broken stays.
pub(super) fn shrink(case: &Case, broken: &dyn Fn(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut piece = best.acts.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < best.acts.len() {
            let mut smaller = best.clone();
            smaller.acts.drain(at..(at + piece).min(best.acts.len()));
            if broken(&smaller) {
                best = smaller;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    for at in 0..best.acts.len() {
        for plain in plainer(best.acts[at]) {
            let mut simpler = best.clone();
            simpler.acts[at] = plain;
            if simpler != best && broken(&simpler) {
                best = simpler;
            }
        }
    }
    best
}

/// Plainer acts in place of `act`, the plainest last.
fn plainer(act: Act) -> Vec<Act> {
    match act {
        Act::Alloc { request, script, linger } => {
            let quiet = Script::default();
            let nobody = request.with_client(0);
            vec![
                Act::Alloc { request: nobody, script, linger },
                Act::Alloc { request: nobody, script, linger: 0 },
                Act::Alloc { request: nobody, script: quiet, linger },
                Act::Alloc { request: nobody, script: quiet, linger: 0 },
            ]
        }
        Act::Fill { request, .. } => {
            [16, 4, 2, 1].map(|times| Act::Fill { request: request.with_client(0), times }).to_vec()
        }
        Act::Free { .. } => vec![Act::Free { victim: 0 }],
        _ => Vec::new(),
    }
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
        let small = shrink(&case, &|case| unpins(case) >= 2);
        assert_eq!((small.acts.len(), unpins(&small)), (2, 2));
    }
}
